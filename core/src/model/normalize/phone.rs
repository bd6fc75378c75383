//! Telephone numbers, to E.164.
//!
//! A number is read by the country that it names itself (`+`, or what callers dial before a calling
//! code), else by the country of its record, else by the default region. It must fit the numbering
//! plan of that country as a whole. A text that is no such number is kept as it was said and links
//! nobody:
//!
//! - **Nothing is guessed.** A number that may lack its area code, that a spreadsheet has rounded,
//!   that has letters in it, or that can be read in two ways, is not read.
//! - **A field may hold two numbers.** They are two values of the record if each can be read.
//! - **An extension is another line**, kept apart as RFC 3966 writes it: `+16868555928;ext=12`.
//!   Otherwise everybody behind a switchboard would be one person.
//! - **One line has one form**, also where callers from abroad dial an additional digit.
//!
//! Parsing a number as people write it is slow; knowing a number that is in E.164 already is not.
//! So what is canonical is never parsed.

mod field;
mod plan;
mod read;
#[cfg(test)]
mod tests;

use super::Unread;
use crate::records::IdentifierValue;
use field::Written;

/// Longer input is no telephone number, and is not worth a parse.
const MAX_RAW_BYTES: usize = 160;
/// The longest extension that RFC 3966 users meet in practice; libphonenumber takes up to 20 digits
/// in this form.
const MAX_EXTENSION_DIGITS: usize = 20;
const EXTENSION: &str = ";ext=";
/// Maximum digits of a number.
///
/// Source: ITU-T E.164 §6.2.
const MAX_DIGITS: usize = 15;

/// Whether a code names a region with a numbering plan.
pub(in crate::model) fn is_region(code: &str) -> bool {
    plan::of_region(code).is_some()
}

/// The one form of each number of a field, with the number as it is written there; `region` is
/// where numbers without a calling code are dialled.
pub(super) fn canonical(clean: &str, region: Option<&str>) -> Result<Vec<IdentifierValue>, Unread> {
    if is_canonical(clean) {
        return Ok(vec![IdentifierValue::normal(clean)]);
    }
    if clean.len() > MAX_RAW_BYTES {
        return Err(Unread::Letters);
    }
    let pieces = field::pieces(clean)?;
    match pieces.as_slice() {
        [one] => match one_number(one, region) {
            Err(unread) => several(one, region).ok_or(unread),
            Ok(number) => Ok(vec![IdentifierValue::new(number, clean)]),
        },
        several => numbers(several.iter().map(String::as_str), region),
    }
}

/// The numbers of a text that is not one: with a slash between them, or two with nothing but a
/// blank between. Two have more digits than one can have, and only one place at which both can be
/// read.
fn several(text: &str, region: Option<&str>) -> Option<Vec<IdentifierValue>> {
    if text.contains('/')
        && let Ok(read) = numbers(text.split('/'), region)
    {
        return Some(read);
    }
    if text.bytes().filter(u8::is_ascii_digit).count() <= MAX_DIGITS {
        return None;
    }
    let values = |all: &[IdentifierValue]| all.iter().map(|it| it.value.clone()).collect();
    let mut found: Option<(Vec<String>, Vec<IdentifierValue>)> = None;
    for (index, _) in text.match_indices(' ') {
        let (left, right) = text.split_at(index);
        let Ok(read) = numbers([left, right].into_iter(), region) else {
            continue;
        };
        let read_values: Vec<String> = values(&read);
        match &found {
            Some((values, _)) if *values != read_values => return None,
            _ => found = Some((read_values, read)),
        }
    }
    found.map(|(_, read)| read)
}

/// Each piece as a number of its own.
fn numbers<'p>(
    pieces: impl Iterator<Item = &'p str>,
    region: Option<&str>,
) -> Result<Vec<IdentifierValue>, Unread> {
    let one = |piece: &str| {
        let number = one_number(piece, region)?;
        Ok(IdentifierValue::new(number, piece.trim()))
    };
    let numbers: Result<Vec<IdentifierValue>, Unread> = pieces.map(one).collect();
    numbers.map_err(|_| Unread::SeveralNumbers)
}

fn one_number(piece: &str, region: Option<&str>) -> Result<String, Unread> {
    let written = field::written(&field::without_carrier(piece, region))?;
    if begins_with_a_number(&written, region) {
        return Err(Unread::SeveralNumbers);
    }
    let without_zero = written.without_zero.as_ref();
    let without_zero = without_zero.and_then(|digits| read::e164(digits, region).ok());
    let mut number = match without_zero {
        Some(number) if read::is_given_out(&number) => number,
        other => read::e164(&written.number, region).or_else(|unread| other.ok_or(unread))?,
    };
    if let Some(extension) = &written.extension {
        number.push_str(EXTENSION);
        number.push_str(extension);
    }
    if is_canonical(&number) {
        Ok(number)
    } else {
        Err(Unread::NoPlan)
    }
}

/// Whether the text before a slash is a number already: `212 555 1234/5678` are two lines, and
/// `0151/21234567` is one.
fn begins_with_a_number(written: &Written, region: Option<&str>) -> bool {
    written.text.match_indices('/').any(|(index, _)| {
        field::written(&written.text[..index])
            .is_ok_and(|before| read::e164(&before.number, region).is_ok())
    })
}

/// Whether a value is a number in E.164 that fits the numbering plan of its country, perhaps with
/// an extension.
pub(super) fn is_canonical(value: &str) -> bool {
    let extended = value.contains(';').then(|| value.split_once(EXTENSION));
    let (number, extension) = extended
        .flatten()
        .map_or((value, None), |(number, rest)| (number, Some(rest)));
    let is_extension = |digits: &str| {
        (1..=MAX_EXTENSION_DIGITS).contains(&digits.len())
            && digits.bytes().all(|digit| digit.is_ascii_digit())
    };
    extension.is_none_or(is_extension) && read::is_e164(number)
}
