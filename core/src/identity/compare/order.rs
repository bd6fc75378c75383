//! Given names of which the order says something: those of father and son, and those of people who
//! go by the last one.

use super::doubt::is_with;
use super::names::is_form_of;
use super::words::alike;
use crate::identity::features::{Given, Name, Word};
use crate::identity::given_names;

/// Whether two names are the same given names in another order (James Robert, Robert James), or
/// each is named after the other as a son is after his father (Ahmad Hasan, Hasan Ahmad). Where a
/// family has one name, a given name in its place was written in the wrong field.
pub(super) fn in_other_order(x: &Given, a: &Name, y: &Given, b: &Name) -> bool {
    if x.word.is_initial() || y.word.is_initial() || x.word.hash == y.word.hash {
        return false;
    }
    let said = |given: &Given, other: &Word| {
        !other.is_initial() && (alike(&other.text, &given.word.text) || is_form_of(given, other))
    };
    let in_middle = |given: &Given, name: &Name| name.middle.iter().any(|word| said(given, word));
    let anywhere = |given: &Given, name: &Name| {
        in_middle(given, name) || name.family.iter().any(|family| said(given, &family.word))
    };
    let words = || [x, y].map(|given| given.word.text.as_str()).into_iter();
    let fathers =
        || (a.is_patronymic && b.is_patronymic) || words().all(given_names::is_fathers_too);
    (in_middle(x, b) && in_middle(y, a) && words().all(given_names::is_rather_given))
        || (anywhere(x, b) && anywhere(y, a) && fathers())
}

/// Whether two names of a Vietnamese family are the same words, the given name first or last: Phạm
/// Minh Tuấn is called Tuấn.
pub(super) fn turned_vietnamese(x: &Given, a: &Name, y: &Given, b: &Name) -> bool {
    let family = |name: &Name| name.family.as_ref().map(|family| family.word.hash);
    match (a.middle.as_slice(), b.middle.as_slice()) {
        ([further], [other]) if is_vietnamese(a) && family(a) == family(b) => {
            further.hash == y.word.hash && other.hash == x.word.hash && x.word.hash != y.word.hash
        }
        _ => false,
    }
}

fn is_vietnamese(name: &Name) -> bool {
    const FAMILIES: [&str; 20] = [
        "nguyen", "tran", "le", "pham", "hoang", "huynh", "phan", "vu", "vo", "dang", "bui", "do",
        "ho", "ngo", "duong", "ly", "dinh", "truong", "trinh", "mai",
    ];
    name.family
        .as_ref()
        .is_some_and(|family| FAMILIES.contains(&family.word.text.as_str()))
}

/// Whether people of such names go by the last of their given names: Phạm Thị Lan, Muhammad Usman.
pub(super) fn is_called_by_the_last(name: &Name) -> bool {
    const FIRST: [&str; 8] = [
        "muhammad", "mohammad", "mohammed", "mohamed", "muhammed", "mohamad", "mohd", "md",
    ];
    let first = name.given.as_ref();
    let is_prefix = first.is_some_and(|given| FIRST.contains(&given.word.text.as_str()));
    // A word that is no name is a title that nobody has listed.
    let is_no_name = first.is_some_and(|given| given.known.is_none() && given.word.text.len() <= 3);
    !name.middle.is_empty() && (is_vietnamese(name) || is_prefix || is_no_name)
}

/// Whether one of two names in a script without vowels has the ending of women's names: Samir and
/// Samira.
pub(super) fn another_without_vowels(x: &Given, a: &Name, y: &Given, b: &Name) -> bool {
    a.is_without_vowels && b.is_without_vowels && is_with(&x.word.text, &y.word.text, 'h')
}
