//! Short and pet forms of given names: general knowledge of some twenty languages, and for English
//! the nicknames dataset of Carlton Northern and others (Apache-2.0), see NOTICE.
//!
//! A name may belong to several (Alex is Alexander or Alexandra): two names are forms of one where
//! they have one in common.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A name, then its forms. Spellings of one name stand together too.
const FORMS: &str = include_str!("nicknames.txt");

/// Names that are forms of one name, by number of the line above.
static GROUPS: LazyLock<HashMap<&'static str, Vec<u16>>> = LazyLock::new(|| {
    let mut groups: HashMap<&'static str, Vec<u16>> = HashMap::new();
    for (number, line) in (0..).zip(FORMS.lines()) {
        for name in line.split_ascii_whitespace() {
            groups.entry(name).or_default().push(number);
        }
    }
    groups
});

/// The first name of each line.
static HEADS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    FORMS
        .lines()
        .filter_map(|line| line.split_ascii_whitespace().next())
        .collect()
});

/// The names that a folded given name may be a form of.
pub(super) fn groups(name: &str) -> &'static [u16] {
    GROUPS.get(name).map_or(&[], Vec::as_slice)
}

/// The name that the others of a group are forms of.
pub(super) fn head(group: u16) -> &'static str {
    HEADS[usize::from(group)]
}

/// One name for all forms, for match keys: the name itself where it heads a line or is in none,
/// else the first of which it is a form.
pub(super) fn canonical(name: &str) -> &str {
    match groups(name) {
        [] => name,
        groups
            if groups
                .iter()
                .any(|group| HEADS[usize::from(*group)] == name) =>
        {
            name
        }
        [first, ..] => HEADS[usize::from(*first)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms_of_one(a: &str, b: &str) -> bool {
        groups(a).iter().any(|group| groups(b).contains(group))
    }

    #[test]
    fn short_forms_belong_to_their_names() {
        for (a, b) in [
            ("bob", "robert"),
            ("chick", "charles"),
            ("peggy", "margaret"),
            ("alex", "alexandra"),
        ] {
            assert!(forms_of_one(a, b), "{a} {b}");
        }
        assert!(!forms_of_one("alexander", "alexandra"));
        assert!(
            !forms_of_one("zelda", "zelda"),
            "a name without forms is in no group"
        );
    }

    #[test]
    fn each_line_is_folded_and_has_a_form() {
        for line in FORMS.lines() {
            assert!(line.split(' ').count() > 1, "{line}");
            assert!(
                line.bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b' '),
                "{line}"
            );
        }
    }

    #[test]
    fn a_key_is_the_same_for_most_forms() {
        assert_eq!(canonical("bobby"), canonical("robert"));
        assert_eq!(canonical("zelda"), "zelda");
    }
}
