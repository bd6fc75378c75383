//! Keys as files have them: with blanks around, and lost to a spreadsheet.

/// Texts that spreadsheets show where a formula has no value.
const ERRORS: [&str; 10] = [
    "#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!",
    "#ERROR!",
];

/// A key without blanks, marks of byte order and zero-width letters around it.
pub(super) fn bare(said: &str) -> &str {
    said.trim_matches(|letter: char| {
        letter.is_whitespace()
            || matches!(letter, '\u{FEFF}' | '\u{200B}'..='\u{200D}' | '\u{2060}')
    })
}

/// Whether a text is what a spreadsheet shows in place of a value: an error, a column that is too
/// narrow, or a long number in scientific notation, whose last digits are lost.
pub(super) fn is_spreadsheets(key: &str) -> bool {
    ERRORS.iter().any(|error| error.eq_ignore_ascii_case(key))
        || key.len() > 2 && key.bytes().all(|byte| byte == b'#')
        || is_scientific(key)
}

/// Whether a number is written in scientific notation, as programs write long ones that they have
/// rounded.
pub(super) fn is_rounded(number: &serde_json::Number) -> bool {
    number.as_str().contains(['e', 'E'])
}

/// A number without zeros behind its point: a program that keeps numbers as fractions writes 7.0
/// for the key 7.
pub(super) fn without_zeros(number: &str) -> &str {
    match number.split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|digit| digit == b'0') => whole,
        _ => number,
    }
}

/// `4.47900E+11`, `1,2E+05`: the sign is always there.
fn is_scientific(key: &str) -> bool {
    let Some((digits, exponent)) = key.split_once("E+") else {
        return false;
    };
    let all_digits =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let digits = digits.strip_prefix('-').unwrap_or(digits);
    let (whole, fraction) = digits.split_once(['.', ',']).unwrap_or((digits, "0"));
    whole.len() == 1 && all_digits(whole) && all_digits(fraction) && all_digits(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_surrounds_a_key_is_no_part_of_it() {
        for (said, key) in [
            ("1", "1"),
            ("1   ", "1"),
            (" 1", "1"),
            ("1\u{a0}", "1"),
            ("\u{feff}1\u{200b}", "1"),
            ("a b", "a b"),
            ("\t1\r", "1"),
            ("  ", ""),
        ] {
            assert_eq!(bare(said), key, "{said:?}");
        }
    }

    #[test]
    fn what_a_spreadsheet_shows_is_no_key() {
        for (key, expected) in [
            ("#N/A", true),
            ("#ref!", true),
            ("########", true),
            ("1.23457E+11", true),
            ("4,479E+11", true),
            ("1E+05", true),
            ("-1.5E+20", true),
            ("#1", false),
            ("##", false),
            ("12E5", false),
            ("1e5", false),
            ("12.5E+3", false),
            ("E+5", false),
            ("1.E+5", false),
            ("SIZE+10", false),
            ("1E+5a", false),
        ] {
            assert_eq!(is_spreadsheets(key), expected, "{key}");
        }
    }
}
