//! Genders, in words of many languages and in the letters of forms.
//!
//! A letter means one thing in one country and another elsewhere: `M` is *mujer* beside `H` for
//! *hombre*, `F` is *férfi* in Hungary, a man. Where both readings are usual the letter says
//! nothing.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::unread::in_lower_case;
use crate::identity::text;
use crate::model::placeholder::is_nothing;
use crate::model::{Home, UnreadTrait};

/// Words for genders in many languages, a line each that begins with its sign.
const GENDER_WORDS: &str = include_str!("genders.txt");

/// The gender of a man of whom a form says `H`, as those do whose `M` is a woman.
const MAN_BY_LETTER: char = 'h';

/// Countries, and what letters mean there: `?` what both sexes begin with.
///
/// Source: the words for man and woman, male and female of the languages in `genders.txt`.
const LETTERS: [(&str, &str); 9] = [
    (
        "ES MX AR CO CL PE VE EC GT CU BO DO HN PY SV NI CR PA UY PR GQ",
        "m? vm df",
    ),
    ("HU", "f? nf"),
    ("LT", "m? vm"),
    ("LV", "vm sf"),
    ("VN", "n?"),
    ("FI EE", "nf"),
    ("SE NO DK IS PL TR AZ", "kf em"),
    ("CZ SK SI HR RS BA ME MK NL", "zf vf"),
    ("ID MY", "lm pf"),
];

/// Answers that say no gender.
const UNSAID: [&str; 18] = [
    "u",
    "unk",
    "prefer not to say",
    "prefernottosay",
    "prefer not to answer",
    "not stated",
    "undisclosed",
    "not disclosed",
    "decline to answer",
    "decline to state",
    "declined",
    "rather not say",
    "do not wish to answer",
    "ns",
    "nc",
    "nr",
    "9",
    "0",
];

/// The sign of a gender: `m`, `f`, `x`, or [`MAN_BY_LETTER`].
pub(super) fn read(raw: &str, home: Home) -> Result<char, UnreadTrait> {
    static GENDERS: LazyLock<HashMap<String, char>> = LazyLock::new(|| {
        let mut genders = HashMap::new();
        for line in GENDER_WORDS.lines() {
            let sign = line.chars().next().unwrap_or('x');
            genders.extend(line.split_whitespace().map(|word| (text::fold(word), sign)));
        }
        genders
    });
    let mut buffer = [0; MAX_WORD];
    let folded;
    let word = if let Some(word) = in_lower_case(raw.trim(), &mut buffer) {
        word
    } else {
        folded = text::fold(raw);
        folded.trim()
    };
    let word = word.trim_end_matches('.');
    if word.len() == 1 {
        let letter = word.chars().next().unwrap_or_default();
        match in_country(letter, home) {
            Some('?') => return Err(UnreadTrait::AmbiguousGender),
            Some(sign) => return Ok(sign),
            None if letter == 'h' => return Ok(MAN_BY_LETTER),
            None => {}
        }
    }
    let is_unsaid = || is_nothing(raw) || UNSAID.contains(&word);
    GENDERS.get(word).copied().ok_or_else(|| {
        if is_unsaid() {
            UnreadTrait::Placeholder
        } else {
            UnreadTrait::NoGender
        }
    })
}

/// A longer text is folded.
const MAX_WORD: usize = 24;

/// The meaning of a letter in a country.
fn in_country(letter: char, home: Home) -> Option<char> {
    let Home::In(country) = home else {
        return None;
    };
    let (_, letters) = LETTERS
        .iter()
        .find(|(countries, _)| countries.split(' ').any(|code| code == country.code()))?;
    let mut pairs = letters.split(' ');
    let pair = pairs.find(|pair| pair.starts_with(letter))?;
    pair.chars().nth(1)
}

/// The genders of a record from all its texts: beside `H` for *hombre*, `M` is no man's.
pub(super) fn of_all(mut genders: Vec<char>) -> Vec<char> {
    if genders.contains(&MAN_BY_LETTER) {
        genders.retain(|gender| *gender != 'm');
    }
    genders
}

/// Whether two genders are one; `None` where nobody can know.
pub(in crate::identity) fn same(a: char, b: char) -> Option<bool> {
    match (a, b) {
        (MAN_BY_LETTER, 'm') | ('m', MAN_BY_LETTER) => None,
        _ => Some(a == b),
    }
}

/// Whether a gender is that of names which are given to a sex.
pub(in crate::identity) fn is_of_sex(gender: char, sex: char) -> bool {
    sign_of(gender) == sex
}

/// The sign of a gender for people: `m`, `f` or `x`.
pub(in crate::identity) fn sign_of(gender: char) -> char {
    if gender == MAN_BY_LETTER { 'm' } else { gender }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gender(word: &str, country: &str) -> Option<char> {
        read(word, Home::said(country)).ok()
    }

    #[test]
    fn genders_are_known_in_many_languages() {
        for (words, expected) in [
            (
                "M|male|Männlich|homme|hombre|Masculino|muž|мужской|м|男|남|ذكر|erkek|nam",
                Some('m'),
            ),
            (
                "F|w|weiblich|femme|mujer|Feminino|vrouw|kobieta|ж|女|여|أنثى|kadın|nữ",
                Some('f'),
            ),
            ("diverse|Divers|non-binary|X", Some('x')),
            ("unknown|n/a|1|2|other|-", None),
        ] {
            for word in words.split('|') {
                assert_eq!(gender(word, ""), expected, "{word}");
            }
        }
    }

    #[test]
    fn a_letter_means_what_it_does_in_the_country_or_nothing() {
        for (country, letters) in [
            ("ES", "M: m.: H:m V:m F:f D:f mujer:f hombre:m"),
            ("México", "M: H:m F:f"),
            ("AR", "M: V:m F:f"),
            ("HU", "F: N:f férfi:m nő:f"),
            ("LT", "M: V:m"),
            ("VN", "N: nam:m nữ:f"),
            ("FI", "M:m N:f"),
            ("PL", "M:m K:f"),
            ("TR", "E:m K:f"),
            ("CZ", "M:m Z:f Ž:f"),
            ("NL", "M:m V:f"),
            ("ID", "L:m P:f"),
            ("US", "M:m F:f V:"),
            ("FR", "M:m F:f H:m"),
            ("", "M:m F:f H:m"),
        ] {
            for pair in letters.split(' ') {
                let (word, expected) = pair.split_once(':').expect("a pair");
                let found = gender(word, country).map(sign_of);
                assert_eq!(found, expected.chars().next(), "{country} {word}");
            }
        }
    }
}
