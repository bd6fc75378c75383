//! Addresses as people paste them.

use super::*;
use crate::model::{Home, IdentifierType, Normalization};

#[test]
fn addresses_are_found_in_what_people_paste() {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/model/normalize/email/tests"
    );
    let table = std::fs::read_to_string(format!("{folder}/pasted.txt")).expect("a table");
    let email = kind();
    let mut wrong = Vec::new();
    for row in table
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let (raw, expected) = row.split_once(" => ").expect("two columns");
        let raw = raw
            .replace("\\n", "\n")
            .replace("\\t", "\t")
            .replace("\\u{308}", "\u{308}");
        let found = email.read(&raw, Home::Unsaid);
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
