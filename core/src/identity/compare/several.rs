//! Fields that name several people, as those of a household do: they are one name with the same
//! people, and no other.

use super::Score;
use super::names::GivenAgreement;
use crate::identity::features::{Features, Given};
use crate::model::matching::{AgreementLevel, Field};

/// How far two given names agree if one is of several people. The frequency of their names together
/// is not known.
pub(super) fn level(x: &Given, y: &Given) -> Option<AgreementLevel> {
    let level = match agreement(x, y)? {
        GivenAgreement::Agree => AgreementLevel::Nickname,
        _ => AgreementLevel::Different,
    };
    Some(level)
}

/// The same in short.
pub(super) fn agreement(x: &Given, y: &Given) -> Option<GivenAgreement> {
    let agreement = if x.word.hash == y.word.hash {
        GivenAgreement::Agree
    } else {
        GivenAgreement::Conflict
    };
    (x.is_of_several() || y.is_of_several()).then_some(agreement)
}

/// Whether one names several people, and the other one of them or others.
pub(super) fn differ(left: &Features, right: &Features, score: &Score) -> bool {
    let any = |features: &Features| {
        let mut names = features.names.iter().filter_map(|name| name.given.as_ref());
        names.any(Given::is_of_several)
    };
    score.level(Field::GivenName) == AgreementLevel::Different && (any(left) || any(right))
}
