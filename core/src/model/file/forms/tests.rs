use super::*;
use crate::model::file::tree::{self, Node};

fn node(yaml: &str) -> Node {
    tree::read(yaml).expect("is YAML")
}

/// What a form reads, or the mistakes.
fn read<F: Form>(form: &F, yaml: &str) -> Result<F::Value, String> {
    let (node, mut reader) = (node(yaml), Reader::default());
    let value = form.read(&At::root(&node), &mut reader);
    let errors: Vec<String> = reader
        .into_errors()
        .iter()
        .map(ToString::to_string)
        .collect();
    value.ok_or(errors.join("; "))
}

#[test]
fn a_fraction_is_exact_and_neither_nothing_nor_all() {
    let rate = rate("0.01");
    for (written, millionths) in [("0.01", 10_000), ("0.5", 500_000), ("0.000001", 1)] {
        assert_eq!(read(&rate, written), Ok(millionths));
    }
    for wrong in [
        "0",
        "1",
        "0.0",
        "0.",
        "0.0000001",
        "0.+1",
        "-0.1",
        "\"0.5\"",
        "1.5",
    ] {
        let error = read(&rate, wrong).expect_err(wrong);
        assert!(
            error.starts_with("1:1: must be a rate between 0 and 1"),
            "{error}"
        );
    }
    assert_eq!(read(&probability(), "0.5"), Ok(0));
}

#[test]
fn a_flag_is_a_word_without_quotes() {
    assert_eq!(
        (read(&Flag, "true"), read(&Flag, "false")),
        (Ok(true), Ok(false))
    );
    for wrong in ["yes", "True", "'true'", "[true]"] {
        assert_eq!(
            read(&Flag, wrong),
            Err("1:1: must be true or false".to_owned())
        );
    }
}

#[test]
fn one_value_is_a_list_of_one() {
    let names = list(text());
    assert_eq!(read(&names, "a").expect("one"), ["a"]);
    assert_eq!(read(&names, "[a, b]").expect("two"), ["a", "b"]);
    assert_eq!(read(&names, "[]").expect("none"), [""; 0]);
}

#[test]
fn a_deferred_value_is_read_only_when_it_is_asked_for() {
    let (node, mut reader) = (node("[1]"), Reader::default());
    let held = deferred(text).read(&At::root(&node), &mut reader);
    assert!(reader.into_errors().is_empty());
    let mut reader = Reader::default();
    assert_eq!(held.expect("held").read(&mut reader), None);
    assert_eq!(
        reader.into_errors()[0].message,
        "must be a text, and is a list"
    );
}
