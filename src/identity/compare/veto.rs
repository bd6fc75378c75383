//! What no score outweighs.

use super::Score;
use super::fields::{date_level, id_level};
use crate::identity::features::{Date, Features};
use crate::model::matching::{Field, Level};

/// Evidence that two records are of two people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Veto {
    /// The given names differ, and nothing that belongs to one person alone is shared.
    GivenNamesDiffer,
    /// Both dates of birth are well-formed and clearly different.
    BirthDatesDiffer,
    /// Father and son: the suffixes of their generations differ.
    SuffixesDiffer,
    /// An identifier of which a person has one differs.
    PersonalIdsDiffer,
    /// The genders differ, and the given names do not say that they are one.
    GendersDiffer,
}

impl Veto {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::GivenNamesDiffer => "the given names differ",
            Self::BirthDatesDiffer => "the dates of birth differ",
            Self::SuffixesDiffer => "the suffixes of the names differ",
            Self::PersonalIdsDiffer => "an identifier of which a person has one differs",
            Self::GendersDiffer => "gender and given name differ",
        }
    }
}

pub(super) fn veto(left: &Features, right: &Features, score: &Score) -> Option<Veto> {
    let shared_id = matches!(score.level(Field::PersonalId), Level::Exact);
    let given = score.level(Field::GivenName);
    if suffixes_conflict(&left.suffixes, &right.suffixes) {
        return Some(Veto::SuffixesDiffer);
    }
    if ids_conflict(left, right) {
        return Some(Veto::PersonalIdsDiffer);
    }
    if !shared_id && births_conflict(&left.births, &right.births) && !contact_agrees(left, right, score) {
        return Some(Veto::BirthDatesDiffer);
    }
    if !shared_id && given == Level::Different {
        return Some(Veto::GivenNamesDiffer);
    }
    let gender = score.level(Field::Gender);
    if !shared_id && gender == Level::Different && matches!(given, Level::Similar | Level::Prefix) {
        return Some(Veto::GendersDiffer);
    }
    None
}

pub(in crate::identity) fn suffixes_conflict(left: &[u8], right: &[u8]) -> bool {
    !left.is_empty() && !right.is_empty() && !left.iter().any(|suffix| right.contains(suffix))
}

/// Whether all well-formed dates on both sides are clearly different.
pub(in crate::identity) fn births_conflict(left: &[Date], right: &[Date]) -> bool {
    let well_formed = |dates: &[Date]| dates.iter().any(|date| date.is_well_formed());
    well_formed(left)
        && well_formed(right)
        && left.iter().all(|a| right.iter().all(|b| date_level(*a, *b) == Level::Different))
}

/// How many years lie between the nearest dates of both sides.
pub(in crate::identity) fn years_apart(left: &[Date], right: &[Date]) -> u16 {
    let apart = left.iter().flat_map(|a| right.iter().map(|b| a.year.abs_diff(b.year)));
    apart.min().unwrap_or(0)
}

/// A generation lies between father and son, who may share everything else.
const GENERATION_YEARS: u16 = 13;

/// Whether an e-mail address says that two dates of birth are one that was mistyped.
fn contact_agrees(left: &Features, right: &Features, score: &Score) -> bool {
    matches!(score.level(Field::Email), Level::Exact | Level::Close)
        && years_apart(&left.births, &right.births) < GENERATION_YEARS
}

fn ids_conflict(left: &Features, right: &Features) -> bool {
    let mut conflict = false;
    for a in left.ids.iter().filter(|id| id.exclusive) {
        for b in right.ids.iter().filter(|b| a.kind == b.kind) {
            if id_level(a, b) != Level::Different {
                return false;
            }
            conflict = true;
        }
    }
    conflict
}
