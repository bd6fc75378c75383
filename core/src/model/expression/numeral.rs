//! Numbers as people, spreadsheets and systems write them in texts.
//!
//! **The problem.** `1.234` is a thousand and more in Germany and a little more than one elsewhere;
//! `1,234` is the other way round. A reader that takes what it can reads a sum a thousand times too
//! large or too small, without a word.
//!
//! **The choice.** A text is read exactly, or refused with the reason:
//!
//! - The fraction begins with a point, as in JSON. A source that begins it with a comma says so, by
//!   `decimal(total, ',')`; nothing is read by a comma without that. A lone comma before three
//!   digits is refused until one of both is said.
//!   A lone point before three digits is read as that of a fraction, and is doubtful ([`doubt`]).
//! - Thousands may be grouped, by one sign, in threes (or, after India, in twos): a comma where it
//!   does not begin the fraction, a point where a comma does, an apostrophe, a blank of any width.
//! - A minus is before the number, behind it as SAP has it, or parentheses around it as accounts
//!   have it. Digits may be of any script.
//! - Words and signs beside the number are never dropped: `€ 5`, `5 USD`, `12 %` are refused, since
//!   they say what the number counts. So are numbers in scientific notation with a plus
//!   (`1.23E+11`), as spreadsheets show what they have rounded, numbers of programs (`0x1F`,
//!   `1_000`, `NaN`), and numbers with more digits than are kept.

use std::cell::Cell;
use std::iter::once;

use rust_decimal::Decimal;

use crate::model::normalize::ascii_digit;

/// The sign that begins the fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Point,
    Comma,
}

impl Mark {
    /// The mark that a mapping names.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "." => Some(Self::Point),
            "," => Some(Self::Comma),
            _ => None,
        }
    }

    fn sign(self) -> char {
        match self {
            Self::Point => '.',
            Self::Comma => ',',
        }
    }
}

/// Why a text is not read as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unread {
    #[error("it is no number")]
    NoNumber,
    #[error(
        "its comma groups thousands or begins the fraction: write decimal(…, '.') if the source's \
         fractions begin with a point, decimal(…, ',') if with a comma"
    )]
    Ambiguous,
    #[error("its fraction begins with a comma, or points group its digits: write decimal(…, ',')")]
    Comma,
    #[error("it does not have the fraction and the groups of digits that are declared")]
    Undeclared,
    #[error(
        "a spreadsheet shows a long number so and loses its last digits: export the column as text"
    )]
    Rounded,
    #[error("it is a percentage: take off the sign by replace(), and divide by 100 if need be")]
    Percentage,
    #[error("there is more beside the number, such as a currency: take it off by replace()")]
    Beside,
    #[error("it has more digits than can be kept")]
    TooLong,
}

/// Reads a number. `mark`: the declared sign that begins the fraction.
pub(super) fn read(text: &str, mark: Option<Mark>) -> Result<Decimal, Unread> {
    if mark != Some(Mark::Comma)
        && let Some(number) = plain(text)
    {
        return Ok(number);
    }
    let text = in_ascii(text);
    let (body, is_negative) = without_sign(text.trim()).ok_or(Unread::NoNumber)?;
    if let Some(found) = scientific(body) {
        return found.map(|number| signed(number, is_negative));
    }
    if let Some(what) = beside(body) {
        return Err(what);
    }
    let digits = match mark {
        Some(mark) => parted(body, mark).ok_or(Unread::Undeclared)?,
        None => match (parted(body, Mark::Point), parted(body, Mark::Comma)) {
            (Some(point), Some(comma)) if point != comma && !body.contains('.') => {
                return Err(Unread::Ambiguous);
            }
            (Some(digits), _) => digits,
            (None, Some(_)) => return Err(Unread::Comma),
            (None, None) => return Err(Unread::NoNumber),
        },
    };
    let number = Decimal::from_str_exact(&digits).map_err(|_| Unread::TooLong)?;
    Ok(signed(number, is_negative))
}

thread_local! {
    /// Whether a number was read that may be another one.
    static DOUBTFUL: Cell<bool> = const { Cell::new(false) };
}

/// Keeps in mind that a text may be a thousand times the number that is read of it: `1.234`.
pub(super) fn doubt(text: &str) {
    let text = text.trim().trim_start_matches(['-', '+']);
    let is_doubtful = text.split_once('.').is_some_and(|(whole, fraction)| {
        let are_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        let is_group = (1..=3).contains(&whole.len()) && !whole.starts_with('0');
        is_group && fraction.len() == 3 && are_digits(whole) && are_digits(fraction)
    });
    if is_doubtful {
        DOUBTFUL.set(true);
    }
}

/// Whether a doubtful number was read on this thread since it was last asked.
pub(in crate::model) fn take_doubt() -> bool {
    DOUBTFUL.take()
}

/// A number as JSON has it, with zeros before it or without one, and a plus before it. `None`: it
/// is in another form, or has more digits than can be kept.
pub(super) fn plain(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let are_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain = are_digits(whole) && are_digits(fraction) && unsigned.len() > 1
        || are_digits(unsigned) && !unsigned.is_empty();
    let is_plain = is_plain && !(whole.is_empty() && fraction.is_empty());
    is_plain
        .then(|| Decimal::from_str_exact(text).ok())
        .flatten()
}

fn signed(number: Decimal, is_negative: bool) -> Decimal {
    if is_negative { -number } else { number }
}

/// The text with digits, signs and blanks of all scripts in ASCII, without marks of direction.
fn in_ascii(text: &str) -> String {
    let letters = text.chars().filter(|letter| {
        !matches!(
            letter,
            '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}'
        )
    });
    let ascii = |letter| match letter {
        '\u{2212}' | '\u{2013}' | '\u{FE63}' | '\u{FF0D}' => '-',
        '\u{FF0B}' => '+',
        '\u{FF0E}' => '.',
        '\u{FF0C}' => ',',
        '\u{FF08}' => '(',
        '\u{FF09}' => ')',
        '\u{2019}' | '\u{2BC}' | '\u{FF07}' => '\'',
        letter if letter.is_whitespace() => ' ',
        letter => ascii_digit(letter),
    };
    letters.map(ascii).collect()
}

/// What is between the signs, and whether it is negative. `None`: it has two of them.
fn without_sign(text: &str) -> Option<(&str, bool)> {
    let in_parentheses = text
        .strip_prefix('(')
        .and_then(|text| text.strip_suffix(')'));
    let before = text.strip_prefix(['-', '+']);
    let behind = text.strip_suffix('-');
    let (body, is_negative) = match (in_parentheses, before, behind) {
        (Some(body), ..) | (None, None, Some(body)) => (body, true),
        (None, Some(body), None) => (body, text.starts_with('-')),
        (None, Some(_), Some(_)) => return None,
        (None, None, None) => (text, false),
    };
    let body = body.trim();
    let has_sign = body.starts_with(['-', '+', '(']) || body.ends_with(['-', ')']);
    (!has_sign).then_some((body, is_negative))
}

/// A number in scientific notation. `None`: it is in another one.
fn scientific(body: &str) -> Option<Result<Decimal, Unread>> {
    let (digits, exponent) = body.split_once(['e', 'E'])?;
    let are_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    let of_exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let is_scientific = digits.bytes().any(|byte| byte.is_ascii_digit())
        && digits.split([',', '.']).count() < 3
        && digits.split([',', '.']).all(are_digits)
        && !of_exponent.is_empty()
        && are_digits(of_exponent);
    is_scientific.then(|| {
        if exponent.starts_with('+') {
            return Err(Unread::Rounded);
        }
        if digits.contains(',') {
            return Err(Unread::Comma);
        }
        super::convert::decimal(body).ok_or(Unread::TooLong)
    })
}

/// Why a text with letters or signs beside the digits is not read. `None`: it has none.
fn beside(body: &str) -> Option<Unread> {
    let is_other = |letter: &char| !letter.is_ascii_digit() && !is_separator(*letter);
    let others = || body.chars().filter(is_other);
    let has_digits = body.chars().any(|letter| letter.is_ascii_digit());
    others().next()?;
    if !has_digits {
        return Some(Unread::NoNumber);
    }
    if others().all(|letter| matches!(letter, '%' | '\u{66A}' | '\u{2030}' | '\u{FF05}')) {
        return Some(Unread::Percentage);
    }
    // Letters or signs at one end are words; within the number they make it another thing.
    let is_outside = |letter: char| letter.is_ascii_digit() || is_separator(letter);
    let within = body.trim_matches(|letter| !is_outside(letter));
    let is_number = within.chars().all(is_outside) && !body.starts_with("0x");
    Some(if is_number {
        Unread::Beside
    } else {
        Unread::NoNumber
    })
}

fn is_separator(letter: char) -> bool {
    matches!(letter, '.' | ',' | '\'' | ' ' | '\u{66B}' | '\u{66C}')
}

/// The digits with a point before the fraction, without what groups them.
fn parted(body: &str, mark: Mark) -> Option<String> {
    // Arabic has signs of its own for both.
    let mark = if body.contains(['\u{66B}', '\u{66C}']) {
        '\u{66B}'
    } else {
        mark.sign()
    };
    let (whole, fraction) = body.split_once(mark).unwrap_or((body, ""));
    let are_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if !are_digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let separator = whole.chars().find(|letter| !letter.is_ascii_digit());
    let Some(separator) = separator else {
        return Some(format!("{whole}.{fraction}"));
    };
    let groups: Vec<&str> = whole.split(separator).collect();
    let (first, last) = (groups.first()?, groups.last()?);
    let between = groups.get(1..groups.len() - 1)?;
    let are = |length: usize| between.iter().all(|group| group.len() == length);
    let in_threes = (1..=3).contains(&first.len()) && are(3);
    let after_india = separator == ',' && (1..=2).contains(&first.len()) && are(2);
    // `0.125` where points group thousands is no number with a group.
    let is_grouped = last.len() == 3
        && !first.starts_with('0')
        && (in_threes || after_india)
        && groups.iter().copied().chain(once(fraction)).all(are_digits);
    is_grouped.then(|| format!("{}.{fraction}", groups.concat()))
}

#[cfg(test)]
mod tests;
