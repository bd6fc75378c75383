//! Numbers as people write them in many countries, and fields as they are pasted.

use super::*;

#[test]
fn numbers_are_read_as_they_are_written_in_their_country() {
    check("world");
}

#[test]
fn pasted_fields_are_read_or_refused() {
    check("pasted");
}

fn check(name: &str) {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/model/normalize/phone/tests"
    );
    let table = std::fs::read_to_string(format!("{folder}/{name}.txt")).expect("a table");
    let rows = table
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut wrong = Vec::new();
    for row in rows {
        let (region, rest) = row.split_once(": ").expect("a region");
        let (raw, expected) = rest.split_once(" => ").expect("a number");
        let said = match read(&unescaped(raw), region) {
            Ok(numbers) => numbers.replace(" | ", ", "),
            Err(_) => "-".to_owned(),
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

/// A row with `\n` and `\u{…}` as the signs that they stand for.
fn unescaped(raw: &str) -> String {
    let mut text = raw.replace("\\n", "\n");
    while let Some((before, rest)) = text.split_once("\\u{") {
        let (code, after) = rest.split_once('}').expect("a code point");
        let code = u32::from_str_radix(code, 16).ok().and_then(char::from_u32);
        text = format!("{before}{}{after}", code.expect("a character"));
    }
    text
}
