//! Values of many languages and programs, and those of people that look like them.

use super::*;

#[test]
fn what_stands_for_nothing_is_known_in_every_language() {
    check("world");
}

#[test]
fn what_programs_and_tills_write_for_nothing_is_known() {
    check("more");
}

fn check(name: &str) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/model/placeholder/tests");
    let table = std::fs::read_to_string(format!("{folder}/{name}.txt")).expect("a table");
    let (mut nothing, mut sort) = (true, Sort::Id);
    let mut wrong = Vec::new();
    for value in table
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("# "))
    {
        if let Some(section) = value.strip_prefix("= ") {
            nothing = section.starts_with("nothing");
            sort = match section.split_whitespace().last() {
                Some("email") => Sort::Email,
                Some("phone") => Sort::Phone,
                Some("place") => Sort::Place,
                _ => Sort::Id,
            };
        } else if is_placeholder(sort, value) != nothing {
            wrong.push(format!("{sort:?} {value}: nothing {nothing}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
