//! Addresses as people paste them.

use super::*;
use crate::model::{Home, IdentifierType, Normalization};

#[test]
fn addresses_are_found_in_what_people_paste() {
    check("pasted");
}

#[test]
fn addresses_are_found_in_what_programs_export() {
    check("exported");
}

fn check(name: &str) {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/model/normalize/email/tests"
    );
    let table = std::fs::read_to_string(format!("{folder}/{name}.txt")).expect("a table");
    let email = kind();
    let mut wrong = Vec::new();
    for row in table
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let (raw, expected) = row.split_once(" => ").expect("two columns");
        let found = email.read(&unescaped(raw), Home::Unsaid);
        let said = match found.unread {
            None => joined(&found.values, ", "),
            Some(_) => "-".to_owned(),
        };
        if said != expected {
            wrong.push(format!("{row} (read: {said})"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// A row with `\n`, `\r`, `\t`, `\\` and `\u{…}` as the signs that they stand for.
fn unescaped(raw: &str) -> String {
    let mut text = String::new();
    let mut rest = raw;
    while let Some((before, escape)) = rest.split_once('\\') {
        text.push_str(before);
        if let Some((code, after)) = escape
            .strip_prefix("u{")
            .and_then(|code| code.split_once('}'))
        {
            let code = u32::from_str_radix(code, 16).ok().and_then(char::from_u32);
            text.push(code.expect("a character"));
            rest = after;
            continue;
        }
        let mut letters = escape.chars();
        text.push(match letters.next() {
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            _ => '\\',
        });
        rest = letters.as_str();
    }
    text + rest
}

fn kind() -> IdentifierType {
    IdentifierType {
        priority: 1,
        normalization: Normalization::Email {
            providers: MailProviders::default(),
        },
        max_per_profile: None,
        max_profiles: None,
        max_records: None,
        blocked: Vec::new(),
        shared: Vec::new(),
        placeholders: crate::model::Placeholders::default(),
        belongs_to: crate::model::BelongsTo::Household,
        exclusive: false,
    }
}
