//! Whether a name field says a name that is compared.

use super::words::{is_credential, is_filler, is_nobody_word, is_title};
use super::{Name, Parts, Role, is_nothing, several};
use crate::identity::features::unread::in_lower_case;
use crate::identity::text;
use crate::model::{Home, UnreadTrait};

/// Why a field for a part of a name, or for a whole one, is not read as one person's.
pub(in crate::identity::features) fn unread(
    role: Role,
    raw: &str,
    home: Home,
) -> Option<UnreadTrait> {
    if role == Role::Suffix {
        return unread_suffix(raw, home);
    }
    if has_plain_name(raw) {
        return None;
    }
    let mut parts = Parts::new(home);
    parts.take(role, &text::unmangled(raw));
    let (names, suffixes) = parts.into_names();
    let is_of_several = |name: &Name| name.given.as_ref().is_some_and(super::Given::is_of_several);
    if names.iter().any(is_of_several) {
        return Some(UnreadTrait::SeveralPeople);
    }
    if !names.is_empty() || !suffixes.is_empty() {
        return None;
    }
    Some(if has_no_words(raw) || !has_titles_alone(raw) {
        UnreadTrait::Placeholder
    } else {
        UnreadTrait::NoName
    })
}

/// Whether a text in plain letters has a word that nobody takes for anything but a name, and is one
/// person's: nothing is allocated to tell it.
fn has_plain_name(raw: &str) -> bool {
    let is_within = |letter: char| letter.is_ascii_alphanumeric() || letter == '\'';
    let words = raw.split(|letter: char| !is_within(letter));
    let mut buffer = [0; MAX_WORD];
    let mut has_name = false;
    for word in words.filter(|word| word.len() > 1) {
        let Some(lower) = in_lower_case(word, &mut buffer) else {
            return false;
        };
        if is_nobody_word(lower) {
            return false;
        }
        has_name |= !is_title(lower) && !is_filler(lower) && !lower.contains(is_digit);
    }
    has_name && raw.is_ascii() && several::is_certainly_one(raw)
}

fn is_digit(letter: char) -> bool {
    letter.is_ascii_digit()
}

/// A longer word is looked at in full.
const MAX_WORD: usize = 24;

/// Degrees in a field for suffixes are known to be no generation.
fn unread_suffix(raw: &str, home: Home) -> Option<UnreadTrait> {
    let mut parts = Parts::new(home);
    parts.take(Role::Suffix, raw);
    if !parts.suffixes.is_empty() {
        return None;
    }
    if is_nothing(raw) {
        return Some(UnreadTrait::Placeholder);
    }
    let folded = text::fold(raw);
    let mut words = folded.split([' ', ',']).map(|word| word.replace('.', ""));
    let is_degree = |word: String| word.is_empty() || is_credential(&word) || is_title(&word);
    (!words.all(is_degree)).then_some(UnreadTrait::NoGeneration)
}

/// Whether a text has neither letters nor digits.
fn has_no_words(raw: &str) -> bool {
    !raw.contains(char::is_alphanumeric)
}

/// Whether a text is titles or numbers, and no word for nobody.
fn has_titles_alone(raw: &str) -> bool {
    let folded = text::fold(raw);
    let mut words = folded
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    words.all(|word| is_title(word) || word.bytes().all(|byte| byte.is_ascii_digit()))
}
