//! The targets, by name.

mod dates;
mod expressions;
mod files;
mod identifiers;
mod models;
mod payloads;
mod statements;
mod tokens;

use profile_core::records::{Draft, Timestamp, Violation};

/// A reader of foreign text under test.
#[derive(Debug)]
pub struct Target {
    /// Name on the command line, in test names and of its folder in `corpus`.
    pub name: &'static str,
    /// Pieces of text that mean something to the reader.
    pub words: &'static [&'static str],
    /// Inputs to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Reads an input. The answer tells inputs apart; an error is a promise that is not kept.
    pub check: fn(&[u8]) -> Answer,
}

/// The answer of a reader, or what it does not keep.
pub type Answer = Result<String, String>;

/// All targets.
pub const ALL: [&Target; 14] = [
    &statements::WIRE,
    &statements::JSON,
    &statements::BATCH,
    &payloads::PAYLOAD,
    &models::MODEL,
    &expressions::EXPRESSION,
    &expressions::CONDITION,
    &tokens::TOKEN,
    &files::CSV,
    &files::CSV_FIELDS,
    &files::NDJSON,
    &identifiers::TELEPHONE,
    &identifiers::IDENTIFIER,
    &dates::DATE,
];

/// The time at which statements are received.
fn receive_time() -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000)
}

/// An error unless a promise is kept.
fn ensure(kept: bool, promise: impl FnOnce() -> String) -> Result<(), String> {
    if kept { Ok(()) } else { Err(promise()) }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The kinds of characters at the beginning of a text. Letters of one alphabet are one kind, and so
/// are digits.
fn outline(text: &str) -> String {
    let kind = |letter: char| match letter {
        'a'..='z' | 'A'..='Z' => 'a',
        '0'..='9' => 'd',
        other if other.is_ascii() => other,
        other if other.is_alphabetic() => 'u',
        _ => '?',
    };
    text.chars().take(10).map(kind).collect()
}

fn bytes(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// Checks what a draft goes through next: the model's check, twice with the same result.
fn check_draft(draft: &Draft) -> Answer {
    let model = profile_core::model::Model::built_in();
    match model.check(draft.clone(), receive_time()) {
        Ok(statement) => {
            let again = model.check(statement.draft(), receive_time());
            ensure(again.as_ref() == Ok(&statement), || {
                format!(
                    "a statement that was accepted becomes another one when it is checked again: {again:?}"
                )
            })?;
            Ok(format!("accepted {:?}", std::mem::discriminant(draft)))
        }
        Err(violations) => refusal(&violations),
    }
}

/// Checks a refusal: each violation names a field and says what is wrong, in one line of bounded
/// length.
fn refusal(violations: &[Violation]) -> Answer {
    /// Longer than any description that does not repeat its input.
    const MAX_DESCRIPTION_BYTES: usize = 8 * 1024;
    ensure(!violations.is_empty(), || {
        "a refusal without a violation".to_owned()
    })?;
    for violation in violations {
        let Violation {
            field, description, ..
        } = violation;
        ensure(!field.is_empty() && !description.is_empty(), || {
            format!("a violation says nothing: {violation:?}")
        })?;
        ensure(
            !field
                .chars()
                .chain(description.chars())
                .any(char::is_control),
            || format!("a violation holds a control character: {violation:?}"),
        )?;
        ensure(
            field.len() + description.len() <= MAX_DESCRIPTION_BYTES,
            || format!("a violation has {} bytes", field.len() + description.len()),
        )?;
    }
    // Maps have no order: neither has the list of what is wrong in them.
    let mut shapes: Vec<String> = violations
        .iter()
        .map(
            |Violation {
                 description,
                 reason,
                 ..
             }| format!("{reason:?} {description}"),
        )
        .collect();
    shapes.sort_unstable();
    shapes.dedup();
    Ok(shapes.join("; "))
}
