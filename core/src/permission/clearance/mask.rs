//! Values that are seen masked.

/// Instead of what is not seen.
const HIDDEN: &str = "***";
/// How many digits are left of a number that is long enough.
const LAST_DIGITS: usize = 4;
/// A number with fewer digits would be guessed from its last ones.
const MIN_DIGITS: usize = 8;

/// A text as it is seen masked: of an e-mail address the first letter and the domain
/// (`a***@example.com`), of a number of eight digits or more the last four (`***1234`), of anything
/// else nothing (`***`). A number that is a date is no number.
#[must_use]
pub fn mask(text: &str) -> String {
    if let Some((local, domain)) = text.rsplit_once('@') {
        // Of one letter the first would be all of it.
        let first = local.chars().next().filter(|_| local.chars().count() > 1);
        let first = first.map(String::from).unwrap_or_default();
        return format!("{first}{HIDDEN}@{domain}");
    }
    let digits: Vec<char> = text.chars().filter(char::is_ascii_digit).collect();
    let is_number = |letter: char| letter.is_ascii_digit() || " +-().".contains(letter);
    if digits.len() < MIN_DIGITS || !text.chars().all(is_number) || is_date(text) {
        return HIDDEN.to_owned();
    }
    let last: String = digits[digits.len() - LAST_DIGITS..].iter().collect();
    format!("{HIDDEN}{last}")
}

/// `1985-05-17`, `17.05.1985`, `19850517`: its last four digits would be a day and a month, or a
/// year.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['-', '.', ' ']).collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    match lengths.as_slice() {
        [8] => parts[0].starts_with("19") || parts[0].starts_with("20"),
        [4, 1..=2, 1..=2] | [1..=2, 1..=2, 4] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_is_left_of_what_is_masked() {
        for (text, masked) in [
            ("ann@example.com", "a***@example.com"),
            ("åsa@example.com", "å***@example.com"),
            ("a@example.com", "***@example.com"),
            ("\"a@b\"@example.com", "\"***@example.com"),
            ("+49 30 1234567", "***4567"),
            ("4111111111111111", "***1111"),
            ("1234567", "***"),
            ("1985-05-17", "***"),
            ("17.05.1985", "***"),
            ("19850517", "***"),
            ("Ann", "***"),
            ("C-10000234", "***"),
            ("", "***"),
        ] {
            assert_eq!(mask(text), masked, "{text}");
        }
    }
}
