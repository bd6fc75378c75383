//! Parts around a whole name: degrees behind it, a family name before marriage, a name that
//! somebody goes by.

use super::order::COMMAS;
use super::words::{generation, is_credential, is_family_particle, is_short_credential, is_title};
use super::{Word, text};
use crate::identity::given_names;

/// A shorter word in capitals may be initials.
const LEAST_CAPITALS: usize = 3;
/// Maximum letters of a part of a degree: `S.Kom.`
const MAX_PART: usize = 4;

/// A whole name without the degrees and titles behind it: `Ann Kern, M.D., Ph.D.`
pub(super) fn without_degrees(name: &str) -> String {
    let mut parts = name.split(COMMAS).map(str::trim);
    let first = parts.next().unwrap_or_default();
    let is_whole = first.split_whitespace().nth(1).is_some();
    let mut kept = without_last_degrees(first);
    let mut has_given = is_whole;
    for part in parts.filter(|part| !part.is_empty()) {
        if is_former_name(part) {
            kept = format!("{kept} {part}");
        } else if !are_degrees(part, has_given, first) {
            kept = format!("{kept}, {part}");
            has_given = true;
        }
    }
    kept
}

/// Without degrees in letters with points, behind a given and a family name. Behind one word they
/// are initials: `Kern M.D.`
fn without_last_degrees(name: &str) -> String {
    let mut words: Vec<&str> = name.split_whitespace().collect();
    let is_degree =
        |word: &&str| word.is_ascii() && is_dotted_degree(word.trim_matches(['(', ')', '[', ']']));
    while words.len() > 2 && words.last().is_some_and(is_degree) {
        words.pop();
    }
    words.join(" ")
}

/// Whether a part behind a comma is all degrees and titles. Of those that are names too, and of
/// initials, it depends on whether the given name has been said.
fn are_degrees(part: &str, has_given: bool, name: &str) -> bool {
    let has_small = name.contains(char::is_lowercase);
    part.split_whitespace().all(|word| {
        let word = word.trim_matches(['(', ')', '[', ']', '-']);
        let mut plain = text::fold(word);
        plain.retain(|letter| letter.is_ascii_alphanumeric());
        let is_capitals = || {
            word.chars().count() >= LEAST_CAPITALS
                && word.chars().all(char::is_uppercase)
                && has_small
                && given_names::known(&plain).is_none()
        };
        let are_initials = word.contains('.') && word.split('.').all(|part| part.len() <= 1);
        if generation(&text::fold(word)).is_some() {
            return false;
        }
        plain.is_empty()
            || is_credential(&plain) && (has_given || !are_initials)
            || is_title(&plain)
            || has_given && (is_short_credential(&plain) || is_dotted_degree(word) || is_capitals())
    })
}

/// `M.D.`, `LL.M.`, `S.Kom.`
fn is_dotted_degree(word: &str) -> bool {
    let Some((first, rest)) = word.split_once('.') else {
        return false;
    };
    let mut plain = text::fold(word);
    plain.retain(|letter| letter.is_ascii_alphanumeric());
    let parts = rest.split('.').filter(|part| !part.is_empty());
    let is_short = |part: &str| {
        (2..=MAX_PART).contains(&part.chars().count()) && part.chars().all(char::is_alphabetic)
    };
    let is_initial_and_subject =
        first.chars().count() == 1 && word.ends_with('.') && parts.clone().all(is_short);
    parts.clone().next().is_some()
        && (is_credential(&plain) || is_short_credential(&plain) || is_initial_and_subject)
}

/// `geb. Meier`, `née Petit`: the family name before marriage.
fn is_former_name(part: &str) -> bool {
    let folded = text::fold(part);
    let first = folded.split_whitespace().next().unwrap_or_default();
    matches!(
        first.trim_end_matches('.'),
        "geb"
            | "geborene"
            | "geboren"
            | "nee"
            | "born"
            | "formerly"
            | "roz"
            | "rozena"
            | "fodd"
            | "fodt"
            | "szul"
            | "z"
            | "f"
            | "fka"
            | "aka"
            | "ep"
            | "epouse"
            | "vda"
            | "viuda"
            | "vve"
    )
}

/// A name without what somebody is called, and that: `Seung-hoon (Steve) Park`. A name in brackets
/// behind the whole may be anybody's.
pub(super) fn called(name: &str) -> Option<(String, String)> {
    const BRACKETS: [(char, char); 5] =
        [('(', ')'), ('"', '"'), ('“', '”'), ('„', '“'), ('«', '»')];
    BRACKETS.iter().find_map(|(open, close)| {
        let (before, rest) = name.split_once(*open)?;
        let (inner, behind) = rest.split_once(*close)?;
        let inner = inner.trim();
        let is_within = behind.contains(char::is_alphabetic) || before.contains(COMMAS);
        let is_name = inner.chars().count() > 1 && inner.chars().all(char::is_alphabetic);
        let has_given = before
            .rsplit(COMMAS)
            .next()
            .is_some_and(|given| given.contains(char::is_alphabetic));
        let is_other = is_within && is_name && has_given && !is_title(&text::fold(inner));
        is_other.then(|| {
            let rest = format!("{} {}", before.trim_end(), behind.trim_start());
            (rest.trim().to_owned(), inner.to_owned())
        })
    })
}

/// A family name in one word with the particles that end the words before it.
pub(super) fn glued(before: &[String], family: &Word) -> Option<Word> {
    let others = before.iter().rposition(|word| !is_family_particle(word))?;
    let particles = before[others + 1..].concat();
    (!particles.is_empty()).then(|| Word::new(particles + &family.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_behind_a_name_are_left_out_and_initials_are_not() {
        for (raw, expected) in [
            ("Ann Kern, M.D., Ph.D.", "Ann Kern"),
            ("Ann Kern M.D.", "Ann Kern"),
            ("Kern M.D.", "Kern M.D."),
            ("Kern, M.D.", "Kern, M.D."),
            ("Kern, Ann, M.D.", "Kern, Ann"),
            ("Kern, Do", "Kern, Do"),
            ("Ann Kern, Do", "Ann Kern"),
            ("Adi Wijaya, S.Kom., M.Si.", "Adi Wijaya"),
            ("Ann Kern, CISSP", "Ann Kern"),
            ("Kern Meier, ANNA", "Kern Meier, ANNA"),
            ("Волков М.Д.", "Волков М.Д."),
            ("Anna Brandt, geb. Meier", "Anna Brandt geb. Meier"),
            ("Robert Hill, Jr.", "Robert Hill, Jr."),
        ] {
            assert_eq!(without_degrees(raw), expected, "{raw}");
        }
    }

    #[test]
    fn what_somebody_is_called_is_within_the_name() {
        let of = |raw| called(raw).map(|(_, inner)| inner);
        for raw in [
            "Robert (Bob) Kern",
            "Kern, Robert (Bob)",
            "Robert \"Bob\" Kern",
        ] {
            assert_eq!(of(raw).as_deref(), Some("Bob"), "{raw}");
        }
        for raw in [
            "Robert Kern (Ann)",
            "(Bob) Kern",
            "Ann Kern (2)",
            "Ann (Mrs) Kern",
        ] {
            assert_eq!(of(raw), None, "{raw}");
        }
    }
}
