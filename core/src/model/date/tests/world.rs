//! Dates as people and programs write them in many countries.

use super::*;

#[test]
fn dates_are_read_as_they_are_written_in_their_country() {
    check("world");
}

#[test]
fn typed_and_exported_dates_are_read_or_refused() {
    check("typed");
}

fn check(name: &str) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/model/date/tests");
    let table = std::fs::read_to_string(format!("{folder}/{name}.txt")).expect("a table");
    let mut wrong = Vec::new();
    for row in table
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let (home, rest) = row.split_once(": ").expect("a country");
        let (raw, expected) = rest.split_once(" => ").expect("a date");
        let raw = raw.replace("\\u{200E}", "\u{200E}");
        let said = match said(&raw, PLAIN, home.trim_matches('*')) {
            Ok(day) => day,
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
