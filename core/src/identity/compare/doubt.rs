//! Given names that look alike and are as likely those of two people of one family.

use crate::identity::features::Given;
use crate::identity::given_names::{Sex, same_name, without_vowels};
use crate::model::matching::AgreementLevel;

pub(super) fn sexes_differ(x: &Given, y: &Given) -> bool {
    let sex = |given: &Given| given.known.map(|known| known.sex);
    matches!(
        (sex(x), sex(y)),
        (Some(Sex::Male), Some(Sex::Female)) | (Some(Sex::Female), Some(Sex::Male))
    )
}

/// Whether two given names that look alike are as likely those of two people of one family: both
/// are known as names of one culture (Rajesh and Ramesh), not spellings of one. Letters that are
/// missing or have changed places are a slip, unless both names are frequent (Marina and Mariana).
/// Another vowel at the end makes another name of it (Anna and Anne), though one may be called by
/// the other.
pub(super) fn doubtful(level: AgreementLevel, x: &Given, y: &Given) -> bool {
    let (a, b) = (x.word.text.as_str(), y.word.text.as_str());
    let alike = match level {
        AgreementLevel::Nickname => other_ending(a, b) || ends_of_two_sexes(x, y),
        AgreementLevel::Close if begins_otherwise(a, b) => true,
        AgreementLevel::Close if other_letter(a, b) || other_sex(a, b) => true,
        AgreementLevel::Close | AgreementLevel::Prefix if ends_of_two_sexes(x, y) => true,
        AgreementLevel::Close | AgreementLevel::Prefix => x.frequent && y.frequent,
        AgreementLevel::Similar => true,
        _ => false,
    };
    let unknown = x.known.is_none() && y.known.is_none();
    let spellings = || same_name(a, b) || without_vowels(a, b) || same_letters(x, y);
    let of_two = ends_of_two_sexes(x, y) || is_of_a_man_with_a(x, y) || is_of_a_man_with_a(y, x);
    alike && (of_two || (meet(x, y) || (unknown && other_sex(a, b))) && !spellings())
}

/// Whether one name is a man's and the other is that with an `a`, known or not: Ankit and Ankita.
fn is_of_a_man_with_a(x: &Given, y: &Given) -> bool {
    let is_mans = x.known.is_some_and(|known| known.sex == Sex::Male);
    is_mans && y.word.text.strip_suffix('a') == Some(&*x.word.text)
}

/// Whether one name is the other with an `e`, and they are not given to one sex: Louis and Louise,
/// René and Renée, Cemil and Cemile.
fn ends_of_two_sexes(x: &Given, y: &Given) -> bool {
    let sex = |given: &Given| given.known.map(|known| known.sex);
    let other = matches!((sex(x), sex(y)), (Some(x), Some(y)) if x != y);
    let (a, b) = (x.word.text.as_str(), y.word.text.as_str());
    let short = if a.len() < b.len() { a } else { b };
    other && meet(x, y) && is_with(a, b, 'e') && !short.ends_with(['a', 'i', 'o', 'u', 'y'])
}

/// Whether one of two names is the other with a letter before it: Anita and Vanita. An `h` is
/// silent in many languages.
fn begins_otherwise(a: &str, b: &str) -> bool {
    let rest = |name: &str| name.char_indices().nth(1).map(|(second, _)| second);
    let behind = |name: &str, other: &str| {
        !name.starts_with('h') && rest(name).is_some_and(|second| name[second..] == *other)
    };
    behind(a, b) || behind(b, a)
}

/// Whether one of two names is the other with a letter behind it.
pub(super) fn is_with(a: &str, b: &str, letter: char) -> bool {
    a.strip_suffix(letter) == Some(b) || b.strip_suffix(letter) == Some(a)
}

/// Whether two names have the same letters in another order, and sound alike: Sarah and Sahra.
pub(super) fn same_letters(x: &Given, y: &Given) -> bool {
    let sorted = |given: &Given| {
        let mut letters = given.word.text.clone().into_bytes();
        letters.sort_unstable();
        letters
    };
    x.sound == y.sound && sorted(x) == sorted(y)
}

/// Whether two names differ in one letter.
fn other_letter(a: &str, b: &str) -> bool {
    let other = a.bytes().zip(b.bytes()).filter(|(x, y)| x != y).count();
    a.len() == b.len() && other == 1
}

/// Whether one ends as women's names do and the other does not: Deepak and Deepika.
fn other_sex(a: &str, b: &str) -> bool {
    let vowel = |name: &str| name.ends_with(['a', 'e', 'i', 'o', 'u', 'y']);
    (a.ends_with('a') && !vowel(b)) || (b.ends_with('a') && !vowel(a))
}

/// Whether two names differ in the vowel at their end only.
fn other_ending(a: &str, b: &str) -> bool {
    let vowel = |letter: char| matches!(letter, 'a' | 'e' | 'i' | 'o' | 'u');
    let ends = a.chars().next_back().zip(b.chars().next_back());
    ends.is_some_and(|(x, y)| vowel(x) && vowel(y) && x != y)
        && a.get(..a.len() - 1) == b.get(..b.len() - 1)
}

/// Whether both are known as names, in one culture.
pub(super) fn meet(x: &Given, y: &Given) -> bool {
    matches!((x.known, y.known), (Some(x), Some(y)) if x.meets(y))
}
