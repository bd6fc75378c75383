//! Several people in one name field: `John & Mary Smith`, `Herr und Frau Müller`, `Familie Meyer`.
//!
//! They are a household, not a person: their field is read as one name of its own, which only
//! another field with the same people agrees with. Read as a person's, it would join the records of
//! one to those of the other.
//!
//! Words such as `y` and `e` are parts of family names too (`Ortega y Gasset`, `Costa e Silva`):
//! they part people only between two given names. A slash may be between two spellings.

mod words;

use self::words::{AND, AND_BETWEEN_GIVEN_NAMES, FAMILY, FAMILY_ENDS, FAMILY_NATIVE};
use super::order::COMMAS;
use super::words::{is_family_particle, is_filler, is_title};
use crate::identity::features::Given;
use crate::identity::{given_names, text};

/// The people of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Several {
    /// One word for all their given names.
    pub(super) given: String,
    pub(super) family: Vec<String>,
}

/// Between the given names of several people, and beside that of one.
const SIGN: &str = "&";
/// Those of whom no given name is said.
const OTHERS: &str = "all";

impl Given {
    /// Whether it is not of one person but of several together.
    pub(in crate::identity) fn is_of_several(&self) -> bool {
        self.word.text.contains(SIGN)
    }
}

/// Whether a quick look finds nothing in a text that may part people.
pub(in crate::identity::features) fn is_certainly_one(raw: &str) -> bool {
    let is_sign = |letter| matches!(letter, '&' | '＆' | '+' | '/' | ';' | '|' | '\n' | '・');
    // `Smith, John` is one.
    let are_whole = || {
        let mut parts = raw.split(COMMAS);
        parts.all(|part| part.split_whitespace().nth(1).is_some())
    };
    let has_list = raw.contains(COMMAS) && are_whole();
    let is_such = |word: &str| {
        let word = word.trim_end_matches('.');
        let mut all = AND.iter().chain(&AND_BETWEEN_GIVEN_NAMES).chain(&FAMILY);
        all.any(|other| is_same(word, other)) || FAMILY_NATIVE.iter().any(|it| is_same(word, it))
    };
    !raw.contains(is_sign)
        && !has_list
        && !raw
            .split(|letter: char| letter.is_whitespace() || letter == ',')
            .any(is_such)
        && !raw
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("the "))
        && !FAMILY_ENDS.iter().any(|end| raw.ends_with(end))
}

/// Whether a word is another but for capitals.
fn is_same(word: &str, lower: &str) -> bool {
    if word.is_ascii() {
        return word.eq_ignore_ascii_case(lower);
    }
    word.chars().flat_map(char::to_lowercase).eq(lower.chars())
}

/// The people that a whole name names, if they are several.
pub(super) fn in_whole_name(raw: &str) -> Option<Several> {
    if is_certainly_one(raw) {
        return None;
    }
    let raw = &without_brackets(raw);
    let (family, given) = match raw.split_once(COMMAS) {
        Some((family, given)) if segments(family, Field::Whole).is_none() => {
            (words_of(family), given.trim())
        }
        _ => (Vec::new(), raw.trim()),
    };
    a_family(raw)
        .or_else(|| two_whole_names(raw))
        .or_else(|| together(given, family, Field::Whole))
}

/// The people that a field for a given name names, if they are several.
pub(super) fn in_given_name(raw: &str) -> Option<Several> {
    if is_certainly_one(raw) && !raw.contains(',') {
        return None;
    }
    let raw = &without_brackets(raw);
    a_family(raw)
        .or_else(|| man_and_woman(raw))
        .or_else(|| together(raw, Vec::new(), Field::Given))
}

/// The family that a field for a family name names as a whole: `Familie Meyer`.
pub(super) fn in_family_name(raw: &str) -> Option<Several> {
    if is_certainly_one(raw) {
        return None;
    }
    a_family(raw).filter(|several| !several.family.is_empty())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Whole,
    Given,
}

/// `Familie Meyer`, `The Smith Family`, `The Smiths`.
fn a_family(raw: &str) -> Option<Several> {
    let mut words = words_of(raw);
    let has_article = words.first().is_some_and(|word| word == "the");
    if has_article {
        words.remove(0);
    }
    let is_word = |word: Option<&String>| word.is_some_and(|word| FAMILY.contains(&word.as_str()));
    let is_plural =
        |words: &[String]| matches!(words, [one] if one.len() > 3 && one.ends_with('s'));
    if is_word(words.first()) {
        words.remove(0);
    } else if words.len() > 1 && is_word(words.last()) {
        words.pop();
    } else if has_article && is_plural(&words) {
        let plural = words.pop()?;
        words.push(plural[..plural.len() - 1].to_owned());
    } else {
        return in_one_word(raw);
    }
    Some(people(&[], words))
}

/// The same in scripts without spaces: 田中家御一同, 王先生一家.
fn in_one_word(raw: &str) -> Option<Several> {
    let raw = raw.trim();
    let name = FAMILY_ENDS.iter().find_map(|end| raw.strip_suffix(end))?;
    (!name.is_empty()).then(|| people(&[], words_of(name)))
}

/// `John Smith, Mary Smith`, `John Smith; Mary Jones`.
fn two_whole_names(raw: &str) -> Option<Several> {
    let parts: Vec<Vec<String>> = raw
        .split([',', ';', '|', '\n'])
        .map(words_of)
        .filter(|words| !words.is_empty())
        .collect();
    let [one, other] = parts.as_slice() else {
        return None;
    };
    let is_whole = |words: &[String]| words.len() > 1 && is_given(&words[0]);
    let one_family = one.last() == other.last();
    let is_list = raw.contains([';', '|', '\n']);
    (is_whole(one) && is_whole(other) && one[0] != other[0] && (one_family || is_list)).then(|| {
        let family = other[1..].to_vec();
        people(&[one[0].clone(), other[0].clone()], family)
    })
}

/// `John, Mary` in a field for a given name: a man's name and a woman's.
fn man_and_woman(raw: &str) -> Option<Several> {
    let names: Vec<Vec<String>> = raw.split([',', ';']).map(words_of).collect();
    let [one, other] = names.as_slice() else {
        return None;
    };
    let ([one], [other]) = (one.as_slice(), other.as_slice()) else {
        return None;
    };
    let sex = |name: &String| Given::new(name).sex();
    let differ = matches!((sex(one), sex(other)), (Some(x), Some(y)) if x != y);
    differ.then(|| people(&[one.clone(), other.clone()], Vec::new()))
}

/// Names with a sign or a word between them. `family` is what a comma says of the family name.
fn together(raw: &str, mut family: Vec<String>, field: Field) -> Option<Several> {
    let is_given = field == Field::Given || !family.is_empty();
    let segments = segments(raw, if is_given { Field::Given } else { Field::Whole })?;
    let mut given = Vec::new();
    let last = segments.len() - 1;
    for (place, segment) in segments.iter().enumerate() {
        let words = segment.names();
        let is_family_alone = field == Field::Whole
            && family.is_empty()
            && place == last
            && words.len() == 1
            && given.len() < place;
        if is_family_alone {
            family = words; // `Herr und Frau Müller`
            continue;
        }
        let Some((first, rest)) = words.split_first() else {
            continue;
        };
        given.push(first.clone());
        let rest = rest.iter().filter(|word| word.len() > 1);
        if field == Field::Whole && (family.is_empty() || place == last) {
            let more: Vec<String> = rest
                .filter(|word| !family.contains(word))
                .cloned()
                .collect();
            family.extend(more);
        }
    }
    family.sort_unstable();
    Some(people(&given, family))
}

fn people(given: &[String], family: Vec<String>) -> Several {
    let mut names: Vec<&str> = given.iter().map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let given = match names.as_slice() {
        [] | [_] => format!("{}{SIGN}{OTHERS}", names.concat()),
        _ => names.join(SIGN),
    };
    Several { given, family }
}

/// The part of a field between two signs or words that part people.
struct Segment<'r> {
    words: Vec<&'r str>,
}

impl Segment<'_> {
    /// Its words, folded, without titles.
    fn names(&self) -> Vec<String> {
        let words = self.words.iter().flat_map(|word| words_of(word));
        words.filter(|word| !is_title(word)).collect()
    }

    fn has_name(&self) -> bool {
        !self.names().is_empty()
    }

    /// Whether it is a title, as `Mrs` in `Mr & Mrs`.
    fn is_title(&self) -> bool {
        !self.has_name()
            && self
                .words
                .iter()
                .any(|word| is_title(&words_of(word).concat()))
    }

    fn is_han(&self) -> bool {
        let is_han = |letter: char| matches!(letter, '\u{3400}'..='\u{9fff}' | '々');
        self.words.iter().all(|word| word.chars().all(is_han))
    }
}

/// The most words and signs of a field that is read as one of several people: each is compared with
/// those behind it.
const MAX_TOKENS: usize = 32;

/// Cuts a field where one person ends and the next begins; none where it names one.
fn segments(raw: &str, field: Field) -> Option<Vec<Segment<'_>>> {
    let tokens = tokens(raw);
    if tokens.len() > MAX_TOKENS {
        return None;
    }
    let mut segments = vec![Segment { words: Vec::new() }];
    for (place, token) in tokens.iter().enumerate() {
        let here = segments.last()?;
        let behind = Segment {
            words: tokens[place + 1..].to_vec(),
        };
        if parts_people(token, here, &behind, field) {
            segments.push(Segment { words: Vec::new() });
        } else if let Some(last) = segments.last_mut() {
            last.words.push(token);
        }
    }
    let are_several = segments.len() > 1
        && (segments.iter().any(Segment::has_name) || segments.iter().all(Segment::is_title));
    are_several.then_some(segments)
}

/// Words, and signs as words of their own. The signs of entities of HTML are none.
fn tokens(raw: &str) -> Vec<&str> {
    let is_entity = raw.contains(';');
    let is_sign = |letter: char| {
        matches!(letter, '&' | '+' | '/' | '＆' | '・') && !(is_entity && letter == '&')
    };
    let mut tokens = Vec::new();
    for word in raw.split_whitespace() {
        let mut rest = word;
        while let Some(place) = rest.find(is_sign) {
            let length = rest[place..].chars().next().map_or(1, char::len_utf8);
            let (before, behind) = (&rest[..place], &rest[place + length..]);
            tokens.extend((!before.is_empty()).then_some(before));
            tokens.push(&rest[place..place + length]);
            rest = behind;
        }
        tokens.extend((!rest.is_empty()).then_some(rest));
    }
    tokens
}

/// Whether a token ends one person's name and begins another's.
fn parts_people(token: &str, before: &Segment<'_>, behind: &Segment<'_>, field: Field) -> bool {
    if before.words.is_empty() || behind.words.is_empty() {
        return false;
    }
    match token {
        "/" => two_given_names(before, behind, field),
        "・" => before.is_han() && behind.is_han(),
        "&" | "+" | "＆" => behind.has_name() || before.is_title() && behind.is_title(),
        _ => is_and(token, before, behind, field),
    }
}

fn is_and(token: &str, before: &Segment<'_>, behind: &Segment<'_>, field: Field) -> bool {
    let lower = token.to_lowercase();
    let particle = before.words.last().map(|word| text::fold(word));
    // `von und zu Brandt`
    if particle.is_some_and(|word| is_family_particle(&word)) {
        return false;
    }
    if AND.contains(&lower.as_str()) {
        return behind.has_name() || before.is_title() && behind.is_title();
    }
    let is_written_small =
        token == lower || before.words.iter().all(|word| *word == word.to_uppercase());
    AND_BETWEEN_GIVEN_NAMES.contains(&lower.as_str())
        && is_written_small
        && (two_given_names(before, behind, field) || titles_of_two(before, behind))
}

/// Whether both begin with given names, which are not two spellings of one. Behind a family name
/// (`Ann Kelly/Ryan`, `Luis Martínez y Martín`) one word alone is another family name.
fn two_given_names(before: &Segment<'_>, behind: &Segment<'_>, field: Field) -> bool {
    let (one, other) = (before.names(), behind.names());
    match (one.first(), other.first()) {
        (Some(first), Some(second)) => {
            is_given(first)
                && is_given(second)
                && !is_one_name(first, second)
                && (one.len() == 1 || other.len() > 1 || field == Field::Given)
        }
        _ => false,
    }
}

/// `Sr. y Sra. García`
fn titles_of_two(before: &Segment<'_>, behind: &Segment<'_>) -> bool {
    let title = behind.words.first().map(|word| words_of(word).concat());
    before.is_title() && title.is_some_and(|title| is_title(&title))
}

fn is_one_name(a: &str, b: &str) -> bool {
    let (x, y) = (Given::new(a), Given::new(b));
    let same_form = x.forms.iter().any(|form| y.forms.contains(form));
    a == b || same_form || given_names::same_name(a, b) || a.starts_with(b) || b.starts_with(a)
}

fn is_given(word: &str) -> bool {
    given_names::is_rather_given(word)
}

/// A text without what brackets hold.
fn without_brackets(raw: &str) -> String {
    let mut depth = 0_usize;
    let outside = raw.chars().filter(|letter| {
        match letter {
            '(' | '[' | '（' => depth += 1,
            ')' | ']' | '）' => depth = depth.saturating_sub(1),
            _ => return depth == 0,
        }
        false
    });
    outside.collect()
}

/// The words of a text, folded, without signs around them and without fillers.
fn words_of(raw: &str) -> Vec<String> {
    let folded = text::fold(raw);
    let words = folded.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '\'');
    let plain = words.map(|word| word.trim_matches('\'').to_owned());
    plain
        .filter(|word| !word.is_empty() && !is_filler(word))
        .collect()
}

#[cfg(test)]
mod tests;
