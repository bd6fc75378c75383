//! Names in Han, Hangul and kana: what their transcription into Latin letters loses.
//!
//! Source of `han_variants.txt`: the dictionaries of `OpenCC` (Apache-2.0), see NOTICE.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::model::Home;

/// A name in a script of which the transcription loses what tells names apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::identity) struct Native {
    pub(in crate::identity) script: Script,
    /// The given name.
    pub(in crate::identity) given: String,
    /// The whole name, family name first, as far as it is said.
    pub(in crate::identity) whole: String,
    /// Whether its reading is known: Japanese names in characters have several.
    pub(in crate::identity) is_read: bool,
}

/// The scripts of such names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::identity) enum Script {
    Han,
    Hangul,
    Kana,
}

impl Native {
    /// A name, if its given name is wholly in one of these scripts.
    pub(super) fn of(given: &str, family: &str, home: Home) -> Option<Self> {
        // Most names are in letters.
        let is_other = |letter: char| letter.is_alphanumeric() && Script::of(letter).is_none();
        if given.contains(is_other) {
            return None;
        }
        let plain = |raw: &str| -> String { raw.chars().filter(|c| c.is_alphanumeric()).collect() };
        let (given, family) = (plain(given), plain(family));
        let script = given.chars().map(Script::of).reduce(|a, b| match (a, b) {
            (Some(Script::Han), Some(Script::Kana)) | (Some(Script::Kana), Some(Script::Han)) => {
                Some(Script::Kana)
            }
            (a, b) if a == b => a,
            _ => None,
        });
        script.flatten().map(|script| Self {
            script,
            is_read: script != Script::Han || !is_in(home, &["JP", "KR", "KP"]),
            whole: format!("{family}{given}"),
            given,
        })
    }
}

/// Whether the country is one of some.
pub(super) fn is_in(home: Home, countries: &[&str]) -> bool {
    let Home::In(country) = home else {
        return false;
    };
    let [first, second] = country.letters();
    let is = |code: &&str| matches!(code.as_bytes(), [x, y] if *x == first && *y == second);
    countries.iter().any(is)
}

impl Script {
    pub(super) fn of(letter: char) -> Option<Self> {
        match letter {
            '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '々' => Some(Self::Han),
            '\u{3040}'..='\u{30ff}' | '\u{ff66}'..='\u{ff9f}' => Some(Self::Kana),
            '\u{ac00}'..='\u{d7af}' => Some(Self::Hangul),
            _ => None,
        }
    }
}

/// One form of a character, then its other forms: simplified, traditional, new and old Japanese.
const VARIANTS: &str = include_str!("han_variants.txt");

static PLAIN: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
    let groups = VARIANTS.split_ascii_whitespace();
    groups
        .flat_map(|group| {
            let mut forms = group.chars();
            let plain = forms.next().unwrap_or_default();
            forms.map(move |form| (form, plain))
        })
        .collect()
});

/// Hiragana as katakana: forms ask for a reading in one or the other. And other letters of two
/// spellings.
fn katakana(letter: char) -> char {
    match letter {
        // The ending of women's names in Arabic is written with and without its dots.
        'ة' => 'ه',
        '\u{3041}'..='\u{3096}' => char::from_u32(u32::from(letter) + 0x60).unwrap_or(letter),
        other => other,
    }
}

/// A text with one form for each character of which there are several.
pub(super) fn one_form(text: &str) -> String {
    text.chars()
        .map(|letter| PLAIN.get(&letter).copied().unwrap_or(letter))
        .map(katakana)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simplified_traditional_and_japanese_forms_are_one() {
        for (a, b) in [
            ("赵", "趙"),
            ("澤", "沢"),
            ("櫻", "桜"),
            ("髙", "高"),
            ("陈", "陳"),
        ] {
            assert_eq!(one_form(a), one_form(b), "{a} {b}");
        }
        assert_ne!(one_form("伟"), one_form("薇"));
    }
}
