//! Numbers as people write them in many countries.

use super::*;

#[test]
fn numbers_are_read_as_they_are_written_in_their_country() {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/model/normalize/phone/tests"
    );
    let table = std::fs::read_to_string(format!("{folder}/world.txt")).expect("a table");
    let rows = table
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut wrong = Vec::new();
    for row in rows {
        let (region, rest) = row.split_once(": ").expect("a region");
        let (raw, expected) = rest.split_once(" => ").expect("a number");
        let said = match read(&raw.replace("\\n", "\n"), region) {
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
