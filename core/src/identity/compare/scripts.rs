//! Names in scripts of which the transcription into letters loses what tells names apart, or is not
//! what people write of themselves.

use super::names::one_given_level;
use crate::identity::features::{Given, Name, Native, Script};
use crate::identity::scripts;
use crate::model::matching::AgreementLevel;

/// Names in one of the scripts whose transcription loses what tells them apart. Of a name in
/// characters and one in kana nobody can tell.
pub(super) fn native_level(a: &Name, b: &Name) -> Option<AgreementLevel> {
    let (x, y) = (a.native.as_ref()?, b.native.as_ref()?);
    let level = if x.given == y.given || is_one_whole(x, y) {
        AgreementLevel::Exact
    } else if x.script == y.script {
        AgreementLevel::Different
    } else {
        AgreementLevel::Similar
    };
    Some(level)
}

/// A name in letters beside one in a script that writes no vowels, or in Hangul; none where they
/// say too little.
pub(super) fn other_script_level(
    x: &Given,
    a: &Name,
    y: &Given,
    b: &Name,
) -> Option<AgreementLevel> {
    if x.word.is_initial() || y.word.is_initial() {
        return None;
    }
    if a.is_without_vowels == b.is_without_vowels && !one_is_hangul(a, b) {
        return None;
    }
    let whole = in_other_script(a, b, &joined(x, a), &joined(y, b));
    let first = || in_other_script(a, b, &x.word.text, &y.word.text);
    let one_has_more = a.middle.is_empty() != b.middle.is_empty();
    Some(match whole {
        Some(true) => AgreementLevel::Close,
        _ if one_has_more && first() == Some(true) => AgreementLevel::Close,
        None => AgreementLevel::Similar,
        Some(false)
            if one_is_hangul(a, b) && one_given_level(x, y) != AgreementLevel::Different =>
        {
            AgreementLevel::Similar
        }
        Some(false) => AgreementLevel::Different,
    })
}

/// Whether two words are one in two scripts; none where they are in one, or say too little.
pub(super) fn in_other_script(a: &Name, b: &Name, x: &str, y: &str) -> Option<bool> {
    if a.is_without_vowels != b.is_without_vowels {
        scripts::same_consonants(x, y)
    } else if one_is_hangul(a, b) {
        Some(scripts::same_korean(x, y))
    } else {
        None
    }
}

/// Whether one name is in Hangul and the other in letters.
fn one_is_hangul(a: &Name, b: &Name) -> bool {
    let hangul = |native: &Native| native.script == Script::Hangul;
    match (&a.native, &b.native) {
        (Some(native), None) | (None, Some(native)) => hangul(native),
        _ => false,
    }
}

/// Whether one name is in characters of which the reading is not known, and the other in letters.
pub(super) fn unread(a: &Name, b: &Name) -> bool {
    let han = |name: &Name| {
        name.native
            .as_ref()
            .is_some_and(|native| native.script == Script::Han)
    };
    let unread = |name: &Name| name.native.as_ref().is_some_and(|native| !native.is_read);
    (unread(a) && !han(b)) || (unread(b) && !han(a))
}

/// Whether two whole names are written with the same characters, wherever they were cut.
pub(super) fn same_characters(a: &Name, b: &Name) -> bool {
    matches!((&a.native, &b.native), (Some(x), Some(y)) if is_one_whole(x, y))
}

/// Whether two whole names are the same characters, in the order of East Asia or the other way
/// round.
fn is_one_whole(x: &Native, y: &Native) -> bool {
    x.whole == y.whole
        || (x.whole.len() == y.whole.len()
            && x.whole.chars().count() >= LEAST_TURNED
            && format!("{0}{0}", x.whole).contains(&y.whole))
}

/// Fewer characters make another name when they are turned.
const LEAST_TURNED: usize = 3;

/// Whether one name is in characters and the other in kana: nobody can tell if they are one.
pub(super) fn one_is_kana(a: &Name, b: &Name) -> bool {
    matches!((&a.native, &b.native), (Some(x), Some(y)) if x.script != y.script)
}

/// The given name in one word: `Ji-hoon` is `Jihoon`.
pub(super) fn joined(given: &Given, name: &Name) -> String {
    given.whole(&name.middle)
}
