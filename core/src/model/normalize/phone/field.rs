//! A telephone field as people write it: one number or several, labels, notes, extensions, and
//! what spreadsheets make of it.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::char::is_combining_mark;

use super::super::Unread;
use super::super::denied::is_denial;
use super::super::digits::ascii_digits;
use super::read::Digits;

/// A number and its extension, without which it is another line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) number: Digits,
    /// The digits without a zero in brackets, which only some callers dial: `+39 (0)333 …`.
    pub(super) without_zero: Option<Digits>,
    pub(super) extension: Option<String>,
    /// The text without labels, of which a part before a slash may be a number of its own.
    pub(super) text: String,
}

/// Words beside a number that say what line it is, in the languages of customers. Any other word
/// may change what the digits mean, so the field is not read.
const LABEL_WORDS: &str = include_str!("field/labels.txt");
static LABELS: LazyLock<HashSet<&str>> = LazyLock::new(|| LABEL_WORDS.split_whitespace().collect());

/// Words before an extension, as a pattern each: those that are nothing else, and those that are
/// labels too or one letter, behind which a long number is another one.
const EXTENSION_WORDS: &str = include_str!("field/extensions.txt");

/// Extensions, as RFC 3966 and people write them.
static EXTENSION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let (clear, short) = EXTENSION_WORDS.split_once("\n\n")?;
    let [clear, short] = [clear, short].map(|words| words.split_whitespace().collect::<Vec<_>>());
    let (clear, short) = (clear.join("|"), short.join("|"));
    let sign = r"[.:)]*\s*(?:\#|№|n[o°r]\.?)?";
    Regex::new(&format!(
        r"(?ix)^(.*\d[^\p{{L}}\d]*?)
        (?:(?:;\s*ext\s*=\s*|[,;]?\s*(?:{clear}){sign}\s*)(\d{{1,20}})
          |(?:[,;]?\s*(?:{short}){sign}|\#|,,+|;;+)\s*(\d{{1,7}}))
        \#?[)\]]?$"
    ))
    .ok()
});

/// A whole number that a spreadsheet wrote with a decimal part of zeros.
static DECIMAL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(\+?\d+|\d{1,3}(?:,\d{3}){2,})[.,]0+$").ok());
static GROUPED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^\d{1,3}(?:,\d{3}){2,}$").ok());
static SCIENTIFIC: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^\+?(\d)(?:[.,](\d+))?[eE]\+?(\d{1,2})$").ok());
/// Notes that hold no digit.
static NOTE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[(\[{<][^()\[\]{}<>\d+]*[)\]}>]").ok());
static CARRIER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)0(?:xx|\*\*)(\s*\d)").ok());
/// A zero that not all callers dial.
static ZERO: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[(\[]\s*0\s*[)\]]").ok());
/// Separators of two numbers.
static BETWEEN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let words = "or|and|oder|und|bzw|ou|et|o|y|e|of|en|eller|och|lub|albo|i|ve|veya|или|и|又は|または|或|또는";
    Regex::new(&format!("(?i)[;,|&\\\\、،]+|::|\\s(?:{words})\\s")).ok()
});

/// The pieces of a field that may each be a number: those that have digits.
pub(super) fn pieces(clean: &str) -> Result<Vec<String>, Unread> {
    let digits = ascii_digits(clean);
    let text = unquoted(&digits);
    if !text.contains(|letter: char| letter.is_ascii_digit()) {
        return Err(Unread::NoDigits);
    }
    if is_bare(text) {
        Ok(vec![text.to_owned()])
    } else {
        taken_apart(text)
    }
}

/// The pieces of any text that has digits.
fn taken_apart(text: &str) -> Result<Vec<String>, Unread> {
    let text = spreadsheet(&without_scheme(text))?;
    if extension(&text).is_some_and(|(number, _)| !has_several(&number)) {
        return Ok(vec![text]);
    }
    let split: Vec<&str> = match BETWEEN.as_ref() {
        Some(between) => between.split(&text).collect(),
        None => vec![&text],
    };
    let pieces = split.into_iter().flat_map(at_label).flat_map(at_plus);
    Ok(pieces
        .filter(|piece| piece.contains(|letter: char| letter.is_ascii_digit()))
        .map(str::to_owned)
        .collect())
}

/// Whether a text is digits with signs between them that none of the patterns here knows: what most
/// fields hold.
fn is_bare(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes
        .iter()
        .enumerate()
        .all(|(place, letter)| match letter {
            b'0'..=b'9' | b' ' | b'-' | b')' => true,
            // A note begins with a bracket.
            b'(' => bytes.get(place + 1).is_some_and(u8::is_ascii_digit),
            b'+' => place == 0,
            _ => false,
        })
}

fn has_several(text: &str) -> bool {
    BETWEEN.as_ref().is_some_and(|between| {
        let split = between.split(text).flat_map(at_plus);
        split
            .filter(|piece| piece.contains(|letter: char| letter.is_ascii_digit()))
            .count()
            > 1
    })
}

/// A label with a colon behind a number begins another one: `H: 212-555-0143 C: 646-555-0199`.
fn at_label(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut from, mut digits, mut word) = (0, 0, None);
    for (index, letter) in text.char_indices() {
        if letter.is_alphabetic() {
            word = word.or(Some(index));
            continue;
        }
        if letter == ':'
            && digits >= LEAST_BEFORE_LABEL
            && let Some(begin) = word
        {
            pieces.push(&text[from..begin]);
            (from, digits) = (begin, 0);
        }
        word = None;
        digits += usize::from(letter.is_ascii_digit());
    }
    pieces.push(&text[from..]);
    pieces
}

/// Fewer digits before a label are no number.
const LEAST_BEFORE_LABEL: usize = 6;

/// A `+` behind digits begins another number.
fn at_plus(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut from, mut seen) = (0, false);
    for (index, letter) in text.char_indices() {
        if letter == '+' && seen {
            pieces.push(&text[from..index]);
            (from, seen) = (index, false);
        }
        seen |= letter.is_ascii_digit();
    }
    pieces.push(&text[from..]);
    pieces
}

/// One piece of a field.
pub(super) fn written(piece: &str) -> Result<Written, Unread> {
    let (text, extension) = if is_bare(piece) {
        (piece.trim().to_owned(), None)
    } else if let Some((number, extension)) = extension(piece) {
        (without_labels(&number)?, Some(extension))
    } else {
        (without_labels(piece)?, None)
    };
    let number = text.trim_start_matches(|letter: char| letter != '+' && !letter.is_ascii_digit());
    let before = &text[..text.len() - number.len()];
    if before.ends_with('-') {
        // A spreadsheet has taken `+49-151-…` for a subtraction.
        return Err(Unread::Letters);
    }
    let digits = |number: &str| Digits {
        international: number.starts_with('+'),
        digits: number.chars().filter(char::is_ascii_digit).collect(),
    };
    let zero = ZERO.as_ref().and_then(|zero| zero.find(number));
    let without_zero = zero
        .filter(|zero| number[..zero.start()].contains(|letter: char| letter.is_ascii_digit()))
        .map(|zero| digits(&[&number[..zero.start()], &number[zero.end()..]].concat()));
    Ok(Written {
        number: digits(number),
        without_zero,
        extension,
        text,
    })
}

/// A number without Brazil's sign for the code of any carrier, of which the zero stays:
/// `(0xx11) 2345-6789`.
pub(super) fn without_carrier<'p>(piece: &'p str, region: Option<&str>) -> Cow<'p, str> {
    let number = piece.trim_start();
    let is_brazilian =
        number.starts_with("+55") || (region == Some("BR") && !number.starts_with('+'));
    match CARRIER.as_ref() {
        Some(carrier) if is_brazilian => carrier.replace(piece, "0$1"),
        _ => Cow::Borrowed(piece),
    }
}

/// Without the quotes around, and without what keeps a spreadsheet from taking a number for one:
/// `'0151…`, `="0151…"`.
fn unquoted(text: &str) -> &str {
    let quote =
        |letter: char| matches!(letter, '\'' | '"' | '`' | '´' | '‘' | '’' | '“' | '”' | '„');
    text.trim_start_matches('=')
        .trim_matches(|letter: char| quote(letter) || letter.is_whitespace())
        .trim_end_matches([';', ',', '.', ':', ' '])
}

/// Without the scheme of a link; its parameters are those of RFC 3966.
fn without_scheme(text: &str) -> String {
    const SCHEMES: [&str; 5] = ["tel:", "callto:", "sms:", "whatsapp:", "skype:"];
    const CHATS: [&str; 4] = [
        "https://wa.me/",
        "http://wa.me/",
        "wa.me/",
        "https://api.whatsapp.com/send?phone=",
    ];
    if let Some(number) = CHATS.into_iter().find_map(|chat| text.strip_prefix(chat)) {
        return format!("+{}", number.trim_start_matches('+'));
    }
    let scheme = SCHEMES.into_iter().find_map(|scheme| {
        let start = text.get(..scheme.len())?;
        start
            .eq_ignore_ascii_case(scheme)
            .then(|| &text[scheme.len()..])
    });
    let is_link = scheme.is_some() || text.contains(";phone-context=") || text.contains(";ext=");
    if !is_link {
        return text.to_owned();
    }
    let plain = scheme
        .unwrap_or(text)
        .trim_start_matches('/')
        .replace("%2B", "+")
        .replace("%20", " ");
    let mut parts = plain.split(';');
    let mut number = parts.next().unwrap_or_default().to_owned();
    let mut extension = String::new();
    for part in parts {
        match part.split_once('=') {
            Some(("phone-context", context))
                if context.starts_with('+') && !number.starts_with('+') =>
            {
                number.insert_str(0, context);
            }
            Some(("ext", digits)) => extension = format!(";ext={digits}"),
            Some(_) => {}
            None => number = format!("{number};{part}"),
        }
    }
    number + &extension
}

/// The digits that a spreadsheet's number stands for, where none is lost.
fn spreadsheet(text: &str) -> Result<String, Unread> {
    if let Some(found) = DECIMAL.as_ref().and_then(|pattern| pattern.captures(text)) {
        return Ok(found[1].replace(',', ""));
    }
    if GROUPED
        .as_ref()
        .is_some_and(|pattern| pattern.is_match(text))
    {
        return Ok(text.replace(',', ""));
    }
    let Some(found) = SCIENTIFIC
        .as_ref()
        .and_then(|pattern| pattern.captures(text))
    else {
        return Ok(text.to_owned());
    };
    let fraction = found.get(2).map_or("", |digits| digits.as_str());
    let exponent: usize = found[3].parse().unwrap_or(0);
    if fraction.len() == exponent {
        Ok(format!("{}{fraction}", &found[1]))
    } else {
        Err(Unread::Rounded)
    }
}

fn extension(text: &str) -> Option<(String, String)> {
    let found = EXTENSION.as_ref()?.captures(text)?;
    let (number, extension) = (
        found.get(1)?.as_str(),
        found.get(2).or(found.get(3))?.as_str(),
    );
    let number = number.trim_end_matches([' ', '/', '-', '–', ',', ';', '(', '[']);
    let digits = number.chars().filter(char::is_ascii_digit).count();
    (digits >= 5).then(|| (number.to_owned(), extension.to_owned()))
}

/// The digits and the signs between them, without labels and notes.
fn without_labels(text: &str) -> Result<String, Unread> {
    let text = match NOTE.as_ref() {
        Some(note) if note.find_iter(text).any(|note| is_denial(note.as_str())) => {
            return Err(Unread::Denied);
        }
        Some(note) => note.replace_all(text, " "),
        None => text.into(),
    };
    let is_sign = |letter: char| " \u{a0}()[]{}-.·•/_~'\"+:–—‐‑‒−☎☏✆📞📱".contains(letter);
    let mut plain = String::with_capacity(text.len());
    let mut word = String::new();
    for letter in text.chars().chain([' ']) {
        if letter.is_alphabetic() || letter == '°' || is_combining_mark(letter) {
            word.extend(letter.to_lowercase());
            continue;
        }
        if !word.is_empty() {
            if !LABELS.contains(word.as_str()) {
                return Err(Unread::Letters);
            }
            word.clear();
            plain.push(' ');
        }
        // `Cell# 98765 43210`
        let is_number_sign = letter == '#' && !plain.contains(|sign: char| sign.is_ascii_digit());
        if !letter.is_ascii_digit() && !is_sign(letter) && !is_number_sign {
            return Err(Unread::Letters);
        }
        plain.push(if is_number_sign { ' ' } else { letter });
    }
    Ok(plain.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_bare_number_is_one_piece_without_labels(text in "[+]?[(]?[0-9]{0,4}[ ()+-]{0,3}[0-9][0-9 ()-]{0,9}") {
            if is_bare(&text) {
                prop_assert_eq!(taken_apart(&text), Ok(vec![text.clone()]));
                prop_assert!(extension(&text).is_none());
                prop_assert_eq!(without_labels(&text), Ok(text.trim().to_owned()));
            }
        }
    }
}
