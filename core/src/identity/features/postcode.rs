//! Postal codes in one spelling: without the country before them, the block behind a ZIP code, and
//! with the zeros that spreadsheets take off.
//!
//! Source: Universal Postal Union, postal addressing systems in member countries.

use super::Word;
use crate::model::{Home, clean};

/// Countries whose postal codes may begin with zeros, and how many digits they have.
const WITH_ZEROS: [(&str, usize); 27] = [
    ("US", 5),
    ("PR", 5),
    ("DE", 5),
    ("FR", 5),
    ("IT", 5),
    ("ES", 5),
    ("MX", 5),
    ("FI", 5),
    ("TR", 5),
    ("UA", 5),
    ("KR", 5),
    ("MY", 5),
    ("LT", 5),
    ("AU", 4),
    ("NO", 4),
    ("DK", 4),
    ("NZ", 4),
    ("ZA", 4),
    ("CN", 6),
    ("RO", 6),
    ("SG", 6),
    ("JP", 7),
    ("BR", 8),
    ("DO", 5),
    ("CU", 5),
    ("PL", 5),
    ("PE", 5),
];
/// Most digits that a spreadsheet takes off: `00118` of Rome.
const MAX_ZEROS: usize = 2;
/// Maximum letters of a country before a code.
const MAX_COUNTRY: usize = 3;

/// A postal code of a record of that country.
pub(super) fn word(raw: &str, home: Home) -> Option<Word> {
    let clean = clean(raw);
    let code = clean.trim_start_matches('〒').trim();
    let code = code.strip_suffix(".0").unwrap_or(code);
    let code = without_country(code);
    if !code.bytes().any(|byte| byte.is_ascii_digit()) || code.contains(is_not_of_digits) {
        return Word::of_place(code);
    }
    let digits: String = code.chars().filter(char::is_ascii_digit).collect();
    let is_zip = code
        .split_once('-')
        .is_some_and(|(zip, block)| zip.len() == 5 && block.len() == 4)
        || digits.len() == 9 && is_in(home, "US");
    if is_zip {
        return Word::of_place(&digits[..5]);
    }
    let length = WITH_ZEROS.iter().find(|(country, _)| is_in(home, country));
    let missing = length.and_then(|(_, length)| length.checked_sub(digits.len()));
    match missing {
        Some(zeros @ 1..=MAX_ZEROS) => Word::of_place(&("0".repeat(zeros) + &digits)),
        _ => Word::of_place(&digits),
    }
}

fn is_not_of_digits(letter: char) -> bool {
    !letter.is_ascii_digit() && !letter.is_whitespace() && letter != '-'
}

/// `D-24103`, `CH 8001`: the country before a code of digits.
fn without_country(code: &str) -> &str {
    let digits = code.trim_start_matches(|letter: char| letter.is_ascii_uppercase());
    let country = code.len() - digits.len();
    let rest = digits.trim_start_matches(['-', ' ']);
    let is_apart = rest.len() < digits.len();
    let is_country = (1..=MAX_COUNTRY).contains(&country) && is_apart;
    let is_number = rest.len() >= 4 && !rest.contains(is_not_of_digits);
    if is_country && is_number { rest } else { code }
}

fn is_in(home: Home, country: &str) -> bool {
    matches!(home, Home::In(here) if here.code() == country)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_code_are_one() {
        for (country, raw, expected) in [
            ("US", "97301-1234", "97301"),
            ("US", "973011234", "97301"),
            ("US", "2138", "02138"),
            ("US", "601", "00601"),
            ("US", "97301.0", "97301"),
            ("DE", "D-24103", "24103"),
            ("DE", "DE 24103", "24103"),
            ("DE", "1067", "01067"),
            ("CH", "CH-8001", "8001"),
            ("SE", "SE-123 45", "12345"),
            ("NL", "2312 AB", "2312ab"),
            ("GB", "sw1a 1aa", "sw1a1aa"),
            ("GB", "E1 6AN", "e16an"),
            ("IE", "D02 AF30", "d02af30"),
            ("CA", "K1A 0B1", "k1a0b1"),
            ("JP", "〒100-0001", "1000001"),
            ("JP", "１００－０００１", "1000001"),
            ("BR", "01310-100", "01310100"),
            ("BR", "1310100", "01310100"),
            ("PL", "00-950", "00950"),
            ("AU", "800", "0800"),
            ("AT", "1010", "1010"),
            ("", "2138", "2138"),
            ("", "97301-1234", "97301"),
        ] {
            let word = word(raw, Home::said(country)).map(|word| word.text);
            assert_eq!(word.as_deref(), Some(expected), "{country} {raw}");
        }
    }
}
