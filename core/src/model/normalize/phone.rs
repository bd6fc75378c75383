//! Telephone numbers, to E.164.
//!
//! A number with an extension is another line than the one without, and is kept apart:
//! `+16868555928;ext=12`, as RFC 3966 writes it. Otherwise everybody behind a switchboard would be
//! one person.
//!
//! Parsing a number as people write it is slow (patterns of many countries); knowing a number that
//! is in E.164 already is not. So what is canonical is never parsed.

use phonenumber::metadata::DATABASE;
use phonenumber::{Mode, country};

/// Longer input is no telephone number, and is not worth a parse.
const MAX_RAW_BYTES: usize = 64;
/// The longest extension that RFC 3966 users meet in practice; libphonenumber takes up to 20 digits
/// in this form.
const MAX_EXTENSION_DIGITS: usize = 20;
const EXTENSION: &str = ";ext=";

/// Whether a code names a region with a numbering plan.
pub(in crate::model) fn is_region(code: &str) -> bool {
    DATABASE.by_id(code).is_some() && code.parse::<country::Id>().is_ok()
}

/// The one form of a number; `None` if it cannot be one.
pub(super) fn canonical(clean: &str, default_region: &str) -> Option<String> {
    if is_canonical(clean) {
        return Some(clean.to_owned());
    }
    // Without any digit there is nothing to find; the parser would also read `0800-FLOWERS`, which
    // nobody stores.
    if clean.len() > MAX_RAW_BYTES || !clean.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let parsed = phonenumber::parse(default_region.parse().ok(), clean).ok()?;
    let mut number = parsed.format().mode(Mode::E164).to_string();
    number.truncate(
        number
            .find(|letter: char| letter != '+' && !letter.is_ascii_digit())
            .unwrap_or(number.len()),
    );
    if let Some(extension) = parsed.extension() {
        number.push_str(EXTENSION);
        number.push_str(extension);
    }
    is_canonical(&number).then_some(number)
}

/// Whether a value is a number in E.164 that fits the numbering plan of its country, perhaps with
/// an extension.
pub(super) fn is_canonical(value: &str) -> bool {
    let (number, extension) = value
        .split_once(EXTENSION)
        .map_or((value, None), |(number, rest)| (number, Some(rest)));
    let digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
    };
    let Some(number) = number.strip_prefix('+').filter(|number| digits(number, 15)) else {
        return false;
    };
    extension.is_none_or(|extension| digits(extension, MAX_EXTENSION_DIGITS)) && fits_a_plan(number)
}

/// Country codes have one to three digits, and none begins another.
fn fits_a_plan(number: &str) -> bool {
    let split = (1..=3)
        .filter(|length| *length < number.len())
        .map(|length| number.split_at(length));
    let mut plans = split.filter_map(|(code, national)| {
        Some((DATABASE.by_code(&code.parse::<u16>().ok()?)?, national))
    });
    plans.next().is_some_and(|(regions, national)| {
        regions
            .iter()
            .any(|region| region.descriptors().general().is_match(national))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn us(raw: &str) -> Option<String> {
        canonical(raw, "US")
    }

    #[test]
    fn spellings_of_one_number_become_one() {
        for raw in [
            "686.855.5928",
            "6868555928",
            "1-686-855-5928",
            "+1 (686) 855 5928",
            "tel:+1-686-855-5928",
        ] {
            assert_eq!(us(raw).as_deref(), Some("+16868555928"), "{raw}");
        }
        assert_eq!(
            canonical("089 123456", "DE").as_deref(),
            Some("+4989123456")
        );
        assert_eq!(us("+49 89 123456").as_deref(), Some("+4989123456"));
    }

    #[test]
    fn the_leading_zero_of_italian_numbers_stays() {
        assert_eq!(
            canonical("06 698 12345", "IT").as_deref(),
            Some("+390669812345")
        );
        assert!(is_canonical("+390669812345"));
    }

    #[test]
    fn an_extension_is_another_line() {
        assert_eq!(
            us("686-855-5928 ext. 12").as_deref(),
            Some("+16868555928;ext=12")
        );
        assert!(is_canonical("+16868555928;ext=12"));
        assert!(!is_canonical("+16868555928;ext="));
    }

    #[test]
    fn what_cannot_be_a_number_has_no_form() {
        for raw in [
            "",
            "none",
            "12",
            "555-0100",
            "+1 123 456 7890",
            "+999 123456789",
            "12345678901234567890",
        ] {
            assert_eq!(us(raw), None, "{raw}");
        }
        assert!(!is_canonical("6868555928"));
        assert!(!is_canonical("+1686855592"));
    }

    #[test]
    fn regions_are_those_with_a_numbering_plan() {
        assert!(is_region("US") && is_region("DE"));
        assert!(!is_region("us") && !is_region("ZZ") && !is_region(""));
    }
}
