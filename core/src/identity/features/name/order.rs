//! Which part of a whole name is the family's.
//!
//! By a comma, by script (Chinese, Japanese and Korean names begin with it), by spelling (`FRERICHS
//! Marijn`), by a patronymic (`Шилова Камилла Святославовна`); else the last word.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use super::native::{Script, is_in};
use super::text;
use super::words::{
    HONORIFICS, JAPANESE_HONORIFICS, generation, is_child_of, is_family_particle, is_relation,
    is_son_of,
};
use crate::identity::given_names;
use crate::model::Home;
use crate::model::matching::{Field, shipped_shares};

/// Family names of two characters or syllables in names written without a space.
const COMPOUND: [&str; 24] = [
    "欧阳", "歐陽", "司马", "司馬", "上官", "诸葛", "諸葛", "皇甫", "尉迟", "公孙", "公孫", "慕容",
    "令狐", "长孙", "夏侯", "司徒", "东方", "南宫", "남궁", "황보", "제갈", "선우", "독고", "사공",
];

/// A whole name, cut; where nothing says which part is the family's, all is in `given`.
pub(super) struct Parts {
    pub(super) given: String,
    pub(super) family: String,
}

/// A name without the honorifics of East Asia behind its words, and without titles that hold what
/// parts other words. A word that is nothing else stays: it may be a name.
pub(super) fn without_honorifics(name: &str, home: Home) -> String {
    // A capital with a dot is an initial.
    static TITLES: LazyLock<HashSet<&str>> = LazyLock::new(|| {
        include_str!("order/titles.txt")
            .split_whitespace()
            .collect()
    });
    // Hiragana has become katakana. A name in kana may end so.
    const KANA: [&str; 4] = ["サマ", "サン", "チャン", "クン"];
    // Thai writes the honorific and the name in one word.
    const GLUED: [&str; 4] = ["คุณ", "นางสาว", "นาง", "นาย"];
    let honorifics = || {
        let japanese = is_in(home, &["JP"]).then_some(&JAPANESE_HONORIFICS);
        HONORIFICS.iter().chain(japanese.into_iter().flatten())
    };
    let words = name.split_whitespace();
    let has_more = words.clone().nth(1).is_some();
    let is_apart = |word: &str| {
        TITLES.contains(word) || KANA.contains(&word) || honorifics().any(|one| *one == word)
    };
    let plain = words
        .filter(|word| !(has_more && is_apart(word)))
        .map(|word| {
            let stripped = honorifics()
                .find_map(|honorific| word.strip_suffix(honorific))
                .filter(|name| !name.is_empty())
                .or_else(|| {
                    let name = KANA
                        .iter()
                        .find_map(|honorific| word.strip_suffix(honorific))?;
                    let is_han = |letter| Script::of(letter) == Some(Script::Han);
                    name.ends_with(is_han).then_some(name)
                })
                .or_else(|| {
                    GLUED
                        .iter()
                        .find_map(|honorific| word.strip_prefix(honorific))
                });
            stripped.filter(|rest| !rest.is_empty()).unwrap_or(word)
        });
    plain.collect::<Vec<_>>().join(" ")
}

/// A name with the Malaysian words before an Indian father's name (`a/l`, `a/p`) in letters.
pub(super) fn with_father(name: &str) -> Cow<'_, str> {
    let words = [
        (" a/l ", " bin "),
        (" A/L ", " bin "),
        (" a/p ", " binti "),
        (" A/P ", " binti "),
    ];
    let found = words
        .into_iter()
        .find(|(written, _)| name.contains(written));
    found.map_or(Cow::Borrowed(name), |(written, plain)| {
        Cow::Owned(name.replace(written, plain))
    })
}

/// Cuts a whole name by comma, script and spelling.
pub(super) fn in_order(name: &str, home: Home) -> Parts {
    if let Some((family, given)) = by_comma(name) {
        return Parts { given, family };
    }
    let by_writing = by_script(name, home)
        .or_else(|| by_capitals(name))
        .or_else(|| by_hyphen(name, home));
    if let Some((family, given)) = by_writing {
        return Parts { given, family };
    }
    parts("", name)
}

fn parts(family: &str, given: &str) -> Parts {
    Parts {
        given: given.to_owned(),
        family: family.to_owned(),
    }
}

/// `Smith, Ann Mary`. Titles, degrees and generations between commas are no part of it, and
/// particles are of the family name: `Berg, van der, Jan`.
fn by_comma(name: &str) -> Option<(String, String)> {
    let mut parts = name.split(COMMAS).map(str::trim);
    let mut family = parts.next()?.to_owned();
    let mut given = parts.next()?.to_owned();
    for part in parts {
        if generation(&text::fold(part)).is_some() {
            family = format!("{family} {part}");
        } else if is_particles(&given) {
            family = format!("{given} {family}");
            part.clone_into(&mut given);
        } else if generation(&text::fold(&given)).is_some() {
            family = format!("{family} {given}");
            part.clone_into(&mut given);
        } else {
            given = format!("{given} {part}");
        }
    }
    let is_suffix = generation(&text::fold(&given)).is_some();
    (!is_suffix && !given.is_empty()).then_some((family, given))
}

pub(super) const COMMAS: [char; 3] = [',', '、', '，'];

fn is_particles(part: &str) -> bool {
    let folded = text::fold(part);
    let mut words = folded.split_whitespace().peekable();
    words.peek().is_some() && words.all(is_family_particle)
}

/// Names in Han, Hangul and kana begin with the family's.
fn by_script(name: &str, home: Home) -> Option<(String, String)> {
    let of = |letter: char| Script::of(letter);
    let letters = || name.chars().filter(|letter| !letter.is_whitespace());
    // Foreign names are written with a dot between their parts, given name first.
    if letters().next().is_none() || !letters().all(|letter| of(letter).is_some()) {
        return None;
    }
    let mut words = name.split_whitespace();
    let first = words.next()?;
    let rest: String = words.collect();
    if !rest.is_empty() {
        return Some((first.to_owned(), rest));
    }
    let length = first.chars().count();
    let han = first
        .chars()
        .take_while(|letter| of(*letter) == Some(Script::Han))
        .count();
    let all_hangul = first
        .chars()
        .all(|letter| of(letter) == Some(Script::Hangul));
    let family = if length < 2 {
        return None;
    } else if length > 2 && COMPOUND.iter().any(|family| first.starts_with(family)) {
        2
    } else if all_hangul {
        1
    } else if han == length {
        // A Japanese name has two and two characters, a Chinese one one and two.
        let japanese = length >= 4 || (length > 2 && is_in(home, &["JP"]));
        if japanese { 2 } else { 1 }
    } else if han > 0 {
        han.min(3)
    } else {
        return None;
    };
    let cut = first.char_indices().nth(family).map(|(place, _)| place)?;
    Some((first[..cut].to_owned(), first[cut..].to_owned()))
}

/// `FRERICHS Marijn`: family names in capitals before a given name that is not. Two capitals are
/// initials: `JR Smith`.
fn by_capitals(name: &str) -> Option<(String, String)> {
    let words: Vec<&str> = name.split_whitespace().collect();
    let is_capitals = |word: &&&str| {
        let letters = || word.chars().filter(|letter| letter.is_alphabetic());
        letters().count() > 2 && letters().all(char::is_uppercase)
    };
    let suffix = |word: &&&str| generation(&text::fold(word)).is_some();
    let suffixes = words.iter().rev().take_while(suffix).count();
    let words = &words[..words.len() - suffixes];
    let family = words.iter().take_while(is_capitals).count();
    let others = words[family..].iter().filter(is_capitals).count();
    (family > 0 && family < words.len() && others == 0).then(|| {
        let given = name.split_whitespace().skip(family);
        (
            words[..family].join(" "),
            given.collect::<Vec<_>>().join(" "),
        )
    })
}

/// `Kim Min-seo`: a frequent family name of East Asia before two syllables with a hyphen.
fn by_hyphen(name: &str, home: Home) -> Option<(String, String)> {
    const COUNTRIES: [&str; 8] = ["KR", "KP", "TW", "HK", "CN", "MO", "SG", "MY"];
    let (family, given) = name.split_once(' ')?;
    let (one, two) = given.split_once('-')?;
    if !two.starts_with(char::is_lowercase) && !is_in(home, &COUNTRIES) {
        return None; // Two family names: `Kim Smith-Day`.
    }
    let syllable = |word: &str| word.len() < 7 && word.chars().all(char::is_alphabetic);
    let is_family =
        !family.contains('-') && share(Field::FamilyName, &text::fold(family)) > OF_MANY;
    (is_family && syllable(one) && syllable(two)).then(|| (family.to_owned(), given.to_owned()))
}

/// More frequent are the few family names of East Asia; in parts per thousand million.
const OF_MANY: u128 = 15_000_000;

/// Cuts the words of a name that nothing else tells: by `bin` before the father's name, by a
/// patronymic, by which words are frequent as family and as given names, else the last is the
/// family's.
pub(super) fn by_words(mut words: Vec<String>) -> (Vec<String>, Vec<String>) {
    if words.len() < 2 {
        return (words, Vec::new());
    }
    if is_relation(&words[0]) && matches!(words[1].as_str(), "of" | "de" | "von" | "di" | "d") {
        let family = words.pop().unwrap_or_default();
        words.truncate(1);
        return (words, vec![family]);
    }
    if let Some(given) = initials_last(&mut words) {
        return (given, words);
    }
    let son = words.iter().rposition(|word| is_son_of(word));
    if let Some(son) = son.filter(|son| *son > 0 && son + 1 < words.len()) {
        let father = words.split_off(son + 1);
        return (words, father);
    }
    let is_of_two_words = words.len() == 4 && is_child_of(&words[3]);
    if is_of_two_words {
        words.pop();
    }
    if words.len() == 3
        && (is_of_two_words || is_patronymic(&words[2]) && !is_patronymic(&words[1]))
    {
        let is_given = |word: &String| given_names::known(word).is_some();
        let given_first = is_given(&words[0]) && !is_given(&words[1]);
        let family = words.remove(usize::from(given_first));
        return (words, vec![family]);
    }
    if let Some(families) = leading_families(&words) {
        let given = words.split_off(families);
        return (given, words);
    }
    let family = words.pop().unwrap_or_default();
    (words, vec![family])
}

/// The initials behind a family name: `Волков И.П.` One initial alone may be that of a family name:
/// `Ann K.`
fn initials_last(words: &mut Vec<String>) -> Option<Vec<String>> {
    let families = words.iter().take_while(|word| word.len() > 1).count();
    let initials = words.len() - families;
    let all = words[families..].iter().all(|word| word.len() == 1);
    let is_family = families == 1
        && all
        && (initials > 1 || initials == 1 && given_names::known(&words[0]).is_none());
    is_family.then(|| words.split_off(1))
}

/// How many words of a name that is written family first are the family's; none where given names
/// may be first.
fn leading_families(words: &[String]) -> Option<usize> {
    let (first, last) = (words.first()?, words.last()?);
    let fathers = given_names::is_fathers_too(first) && given_names::is_fathers_too(last);
    // `Marco De Luca`
    let has_particle = words.len() > 2
        && words[words.len() - 2].len() > 1
        && is_family_particle(&words[words.len() - 2])
        && given_names::known(first).is_some();
    if first.len() < 2 || last.len() < 2 || fathers || has_particle {
        return None;
    }
    let as_written = share(Field::GivenName, first) * share(Field::FamilyName, last);
    let turned = share(Field::FamilyName, first) * share(Field::GivenName, last);
    let families = words
        .iter()
        .take_while(|word| given_names::known(word).is_none())
        .count();
    let families = families.clamp(1, words.len() - 1);
    (turned / FAMILY_FIRST > as_written).then_some(families)
}

/// How much likelier the other order must be: most lists are given first.
const FAMILY_FIRST: u128 = 20;

/// How frequent a word is among given or family names, in parts per thousand million.
fn share(field: Field, word: &str) -> u128 {
    let known = shipped_shares(field).get(word).copied();
    u128::from(known.unwrap_or(UNKNOWN))
}

/// The share of a word that is in no table.
const UNKNOWN: u64 = 5_000;

/// Names made of the father's: `Ivanovich`, `Sviatoslavovna`.
fn is_patronymic(word: &str) -> bool {
    [
        "ovich", "evich", "ovna", "evna", "ichna", "inichna", "ovych", "evych", "ivna",
    ]
    .iter()
    .any(|ending| word.len() > ending.len() + 2 && word.ends_with(ending))
}
