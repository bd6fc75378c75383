//! Evidence that two of one house, who share contacts, the home or a date of birth, are two.

use super::Score;
use super::scripts::one_is_kana;
use crate::identity::features::{Features, Name, is_of_sex};
use crate::model::matching::{AgreementLevel, Field};

/// Whether one alone is said to be the younger of a name, and nothing but the home is the same.
pub(super) fn son_of_the_house(left: &Features, right: &Features, score: &Score) -> bool {
    let own = [
        Field::Email,
        Field::Phone,
        Field::BirthDate,
        Field::PersonalId,
    ];
    let younger = |features: &Features| features.suffixes.iter().any(|suffix| *suffix > 1);
    let said = (younger(left), younger(right));
    left.suffixes.is_empty() != right.suffixes.is_empty()
        && (said.0 || said.1)
        && !own.iter().any(|field| agrees(score.level(*field)))
}

/// Whether `I` is behind the given name of one, and the generation behind that of the other.
pub(super) fn first_of_the_name(left: &Features, right: &Features) -> bool {
    let first = |features: &Features| {
        let mut names = features.names.iter();
        names.any(|name| matches!(name.middle.as_slice(), [one] if one.text == "i"))
    };
    let later = |features: &Features| features.suffixes.iter().any(|suffix| *suffix > 1);
    (first(left) && later(right)) || (first(right) && later(left))
}

/// Whether one says no given name, but a sex that the given name of the other is not given to: a
/// contact may be the house's.
pub(super) fn other_sex_unnamed(left: &Features, right: &Features, score: &Score) -> bool {
    let says = |one: &Features, other: &Features| {
        let sexes = other
            .names
            .iter()
            .filter_map(|name| name.given.as_ref()?.sex());
        let mut sexes = sexes.peekable();
        let given = |name: &Name| name.given.is_some();
        one.names.iter().all(|name| !given(name))
            && !one.genders.is_empty()
            && !one.genders.contains(&'x')
            && sexes.peek().is_some()
            && sexes.all(|sex| !one.genders.iter().any(|gender| is_of_sex(*gender, sex)))
    };
    !agrees(score.level(Field::BirthDate)) && (says(left, right) || says(right, left))
}

/// Whether of two given names, in characters and in kana or letters, nobody can tell if they are
/// one, and the telephone numbers differ: a mailbox may be the house's.
pub(super) fn readings_unknown(left: &Features, right: &Features, score: &Score) -> bool {
    let named = |features: &Features| features.names.iter().any(|name| name.given.is_some());
    let unread = match score.level(Field::GivenName) {
        AgreementLevel::Missing => named(left) && named(right),
        AgreementLevel::Similar => left
            .names
            .iter()
            .any(|a| right.names.iter().any(|b| one_is_kana(a, b))),
        _ => false,
    };
    unread
        && score.level(Field::Phone) == AgreementLevel::Different
        && !agrees(score.level(Field::BirthDate))
}

/// Whether two names are as likely those of twins: letters of one are others in the other, which is
/// a name too, and nothing else that one person has alone is the same.
pub(super) fn of_twins(a: &Name, b: &Name, score: &Score) -> bool {
    let own = [Field::Email, Field::Phone, Field::PersonalId];
    let letters = |name: &Name| name.given.as_ref().map(|given| given.word.text.len());
    letters(a) == letters(b) && !own.iter().any(|field| agrees(score.level(*field)))
}

pub(super) fn agrees(level: AgreementLevel) -> bool {
    matches!(
        level,
        AgreementLevel::Exact
            | AgreementLevel::Nickname
            | AgreementLevel::Close
            | AgreementLevel::DayMonthSwapped
            | AgreementLevel::Swapped
    )
}
