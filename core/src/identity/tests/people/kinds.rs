//! Tables of pairs, a kind of question each: are these two one person?
//!
//! A table is a text file. A line `= one` or `= two` says how many people the pairs below it are; a
//! line `~` says what both of a pair say besides, in each of its columns once. A pair has its two
//! records in two columns, as `given=Ann; family=Kern`. `#` begins a comment.

use super::*;

/// The pairs of a table that are not as many people as it says, in each of their variants.
fn wrong(table: &str) -> Vec<String> {
    let mut people = 0;
    let mut shared = vec![String::new()];
    let mut wrong = Vec::new();
    for line in table.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(expected) = line.strip_prefix('=') {
            people = if expected.trim() == "one" { 1 } else { 2 };
            shared = vec![String::new()];
        } else if let Some(columns) = line.strip_prefix('~') {
            shared = columns.split('|').map(fields).collect();
        } else {
            let (a, b) = line.split_once('|').expect("two columns");
            for shared in &shared {
                let texts = [
                    format!("a {} {shared}", fields(a)),
                    format!("b {} {shared}", fields(b)),
                ];
                let found = clusters(&[&texts[0], &texts[1]]).len();
                if found != people {
                    wrong.push(format!("{found}, not {people}: {line} ~ {shared}"));
                }
            }
        }
    }
    wrong
}

/// `given=Jean Paul; family=Blanc` as a record is written.
fn fields(column: &str) -> String {
    let fields = column
        .split(';')
        .map(|field| field.trim().replace(' ', "_"));
    fields.collect::<Vec<_>>().join(" ")
}

fn check(name: &str) {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/identity/tests/people/kinds"
    );
    let table = std::fs::read_to_string(format!("{folder}/{name}.txt")).expect("a table");
    let wrong = wrong(&table);
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn relatives_who_share_a_contact_or_the_home_are_two() {
    check("relatives");
}

#[test]
fn one_name_in_all_its_spellings_is_one_person() {
    check("spellings");
}

#[test]
fn what_is_no_part_of_a_name_parts_nobody() {
    check("titles");
}

#[test]
fn one_name_in_every_order_is_one_person() {
    check("orders");
}

#[test]
fn what_is_written_around_a_name_joins_nobody() {
    check("others");
}

#[test]
fn another_flat_or_house_is_another_persons() {
    check("homes");
}

#[test]
fn homes_are_told_apart_in_the_forms_of_many_countries() {
    check("addresses");
}

#[test]
fn what_depends_on_other_evidence_or_is_nobodys_joins_no_strangers() {
    check("strangers");
}

#[test]
fn the_people_of_one_field_are_a_household() {
    check("households");
}
