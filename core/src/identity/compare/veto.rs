//! What no score outweighs.

use super::Score;
use super::fields::{date_level, id_level};
use super::house::{
    agrees, first_of_the_name, of_twins, other_sex_unnamed, readings_unknown, son_of_the_house,
};
use super::names::{GivenAgreement, given_agreement};
use super::several;
use crate::identity::features::{Date, Features};
use crate::identity::text::is_similar;
use crate::model::matching::{AgreementLevel, Field};

/// Evidence that two records are of two people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Veto {
    /// The given names differ, and nothing that belongs to one person alone is shared.
    GivenNamesDiffer,
    /// One of the two says no given name, and nothing is the same that a household does not share.
    NoGivenName,
    /// The family names differ, and neither a contact nor a number nor the date of birth is the
    /// same: two of one name in a house.
    FamilyNamesDiffer,
    /// Both dates of birth are well-formed and clearly different.
    BirthDatesDiffer,
    /// Father and son: the suffixes of their generations differ.
    SuffixesDiffer,
    /// An identifier of which a person has one differs.
    PersonalIdsDiffer,
    /// The genders differ, and the given names do not say that they are one.
    GendersDiffer,
    /// Nothing but names and home is the same, and the flats differ.
    FlatsDiffer,
}

impl Veto {
    /// As the API calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GivenNamesDiffer => "given_names_differ",
            Self::NoGivenName => "no_given_name",
            Self::FamilyNamesDiffer => "family_names_differ",
            Self::BirthDatesDiffer => "birth_dates_differ",
            Self::SuffixesDiffer => "suffixes_differ",
            Self::PersonalIdsDiffer => "personal_ids_differ",
            Self::GendersDiffer => "genders_differ",
            Self::FlatsDiffer => "flats_differ",
        }
    }

    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::GivenNamesDiffer => "the given names differ",
            Self::NoGivenName => "one has no given name, and a household shares the rest",
            Self::FamilyNamesDiffer => "the family names differ",
            Self::BirthDatesDiffer => "the dates of birth differ",
            Self::SuffixesDiffer => "the suffixes of the names differ",
            Self::PersonalIdsDiffer => "an identifier of which a person has one differs",
            Self::GendersDiffer => "gender and given name differ",
            Self::FlatsDiffer => "the flats in the house differ",
        }
    }
}

pub(super) fn veto(left: &Features, right: &Features, score: &Score) -> Option<Veto> {
    let shared_id = shares_number(score);
    let given = score.level(Field::GivenName);
    if suffixes_conflict(&left.suffixes, &right.suffixes)
        || first_of_the_name(left, right)
        || son_of_the_house(left, right, score)
    {
        return Some(Veto::SuffixesDiffer);
    }
    if ids_conflict(left, right) && !same_by_all_else(score) {
        return Some(Veto::PersonalIdsDiffer);
    }
    if births_conflict(&left.births, &right.births)
        && !birth_slip(score).forgives(&left.births, &right.births)
    {
        return Some(Veto::BirthDatesDiffer);
    }
    if several::differ(left, right, score) {
        return Some(Veto::GivenNamesDiffer);
    }
    if !shared_id && given == AgreementLevel::Different && !garbled(left, right, score) {
        return Some(Veto::GivenNamesDiffer);
    }
    if !shared_id && given_doubtful(left, right, score) {
        return Some(Veto::GivenNamesDiffer);
    }
    if shared_id && given == AgreementLevel::Different && number_is_anothers(left, right, score) {
        return Some(Veto::GivenNamesDiffer);
    }
    if !shared_id && another_middle_name(score) {
        return Some(Veto::GivenNamesDiffer);
    }
    if !shared_id && families_only_differ(score) {
        return Some(Veto::FamilyNamesDiffer);
    }
    if nobody_named(score) {
        return Some(Veto::NoGivenName);
    }
    if !shared_id && other_sex_unnamed(left, right, score) {
        return Some(Veto::GendersDiffer);
    }
    if !shared_id && readings_unknown(left, right, score) {
        return Some(Veto::NoGivenName);
    }
    let gender = score.level(Field::Gender);
    if !shared_id
        && gender == AgreementLevel::Different
        && matches!(given, AgreementLevel::Similar | AgreementLevel::Prefix)
    {
        return Some(Veto::GendersDiffer);
    }
    None
}

/// Whether both have a number of one person, or nearly that and the date of birth.
fn shares_number(score: &Score) -> bool {
    match score.level(Field::PersonalId) {
        AgreementLevel::Exact => true,
        AgreementLevel::Close => agrees(score.level(Field::BirthDate)),
        _ => false,
    }
}

/// Whether a given name that differs is one that was garbled: one of the two is no name that is
/// known, they have letters in common, the family name does not differ, and two of e-mail address,
/// telephone number and date of birth are the same. (Of twins and spouses, both have names.) Of
/// names in characters only the transcriptions have letters in common.
fn garbled(left: &Features, right: &Features, score: &Score) -> bool {
    let same = |field| score.level(field) == AgreementLevel::Exact;
    let contacts = [Field::Email, Field::Phone]
        .into_iter()
        .filter(|field| same(*field))
        .count();
    let birth = usize::from(agrees(score.level(Field::BirthDate)));
    if birth == 1 && same_home(score) && mistyped_beyond(left, right, score) {
        return true;
    }
    if contacts == 0
        || contacts + birth < 2
        || score.level(Field::FamilyName) == AgreementLevel::Different
    {
        return false;
    }
    let in_letters = |features: &Features| features.names.iter().all(|name| name.native.is_none());
    if !in_letters(left) && !in_letters(right) {
        return false;
    }
    let given = |features: &Features| features.names.iter().find_map(|name| name.given.clone());
    match (given(left), given(right)) {
        (Some(a), Some(b)) => {
            let long = a.word.text.len().min(b.word.text.len()) >= LEAST_GARBLED;
            let unknown = match birth {
                0 => long && a.known.is_some() != b.known.is_some(),
                _ => a.forms.is_empty() || b.forms.is_empty(),
            };
            unknown && is_similar(&a.word.text, &b.word.text, GARBLED)
        }
        _ => false,
    }
}

fn same_home(score: &Score) -> bool {
    agrees(score.level(Field::Street)) && agrees(score.level(Field::FamilyName))
}

/// Whether a given name is no name that is known, and most of its letters are those of the other.
/// (Twins have two names.)
fn mistyped_beyond(left: &Features, right: &Features, score: &Score) -> bool {
    let (l, r) = score.values[Field::GivenName as usize];
    let given = |features: &Features, place: u8| {
        let name = features.names.get(usize::from(place));
        name.filter(|name| name.native.is_none())
            .and_then(|name| name.given.clone())
    };
    match (given(left, l), given(right, r)) {
        (Some(a), Some(b)) => {
            (a.known.is_none() || b.known.is_none())
                && is_similar(&a.word.text, &b.word.text, MISTYPED)
        }
        _ => false,
    }
}

/// From here on most letters are the same.
const MISTYPED: u32 = 680;

/// Whether family names differ, and nothing but the given name and the home is the same.
fn families_only_differ(score: &Score) -> bool {
    let exact = |field| score.level(field) == AgreementLevel::Exact;
    score.level(Field::FamilyName) == AgreementLevel::Different
        && !exact(Field::Email)
        && !exact(Field::Phone)
        && !agrees(score.level(Field::BirthDate))
        && !agrees(score.level(Field::PersonalId))
}

/// Whether one of two says no given name, and nothing speaks for one person: neither a number, an
/// e-mail address or a date of birth, nor a telephone number with the family name.
fn nobody_named(score: &Score) -> bool {
    let missing = |field| score.level(field) == AgreementLevel::Missing;
    let speaks = |field| score.weight(field) > 0;
    let own = [Field::PersonalId, Field::Email, Field::BirthDate];
    let phone = speaks(Field::Phone) && speaks(Field::FamilyName);
    missing(Field::GivenName) && !own.into_iter().any(speaks) && !phone
}

/// Whether a number that both have is one person's, said of another of the family: both given names
/// are names, or another name differs too, and the date of birth does not agree. Of a number of
/// which a person has one, the clusters decide when they are whole ([`against_given_name`]).
fn number_is_anothers(left: &Features, right: &Features, score: &Score) -> bool {
    let differs = |field| score.level(field) == AgreementLevel::Different;
    let known = |features: &Features| {
        let mut names = features.names.iter();
        names.any(|name| {
            name.given
                .as_ref()
                .is_some_and(|given| given.known.is_some())
        })
    };
    let (l, _) = score.values[Field::PersonalId as usize];
    let exclusive = left.ids.get(usize::from(l)).is_some_and(|id| id.exclusive);
    if agrees(score.level(Field::BirthDate)) {
        return false;
    }
    if exclusive {
        return differs(Field::MiddleName) || differs(Field::Gender);
    }
    known(left) && known(right) || differs(Field::FamilyName) || differs(Field::MiddleName)
}

/// Whether a number speaks for one person and the given name against.
pub(in crate::identity) fn against_given_name(score: &Score) -> bool {
    score.level(Field::PersonalId) == AgreementLevel::Exact
        && score.level(Field::GivenName) == AgreementLevel::Different
}

/// Whether further names or their initials differ, and no contact and no date of birth says that it
/// is one person: father and son of one name.
fn another_middle_name(score: &Score) -> bool {
    let same = |field| score.level(field) == AgreementLevel::Exact;
    score.level(Field::MiddleName) == AgreementLevel::Different
        && !same(Field::Email)
        && !same(Field::Phone)
        && !agrees(score.level(Field::BirthDate))
}

/// Whether the date of birth says that given names which look alike are one, mistyped.
pub(in crate::identity) fn doubt_forgiven(score: &Score) -> bool {
    agrees(score.level(Field::BirthDate))
}

/// Whether two or more of the date of birth, a number, contacts and the street are the same.
pub(in crate::identity) fn much_agrees(score: &Score) -> bool {
    let fields = [
        Field::BirthDate,
        Field::PersonalId,
        Field::Email,
        Field::Phone,
        Field::Street,
    ];
    fields
        .into_iter()
        .filter(|field| agrees(score.level(*field)))
        .count()
        >= 2
}

/// Whether given names that look alike are as likely those of two people, or are of two sexes.
fn given_doubtful(left: &Features, right: &Features, score: &Score) -> bool {
    let (l, r) = score.values[Field::GivenName as usize];
    match (
        left.names.get(usize::from(l)),
        right.names.get(usize::from(r)),
    ) {
        (Some(a), Some(b)) => match given_agreement(a, b) {
            GivenAgreement::Doubtful => !doubt_forgiven(score) || of_twins(a, b, score),
            GivenAgreement::OtherName => !doubt_forgiven(score) && !both_contacts(score),
            GivenAgreement::Conflict => score.level(Field::GivenName) != AgreementLevel::Different,
            _ => false,
        },
        _ => false,
    }
}

/// Whether the e-mail address and the telephone number are both the same: a father and a son share
/// one of them at times.
fn both_contacts(score: &Score) -> bool {
    let mut contacts = [Field::Email, Field::Phone].into_iter();
    contacts.all(|field| score.level(field) == AgreementLevel::Exact)
}

/// A shorter name has letters in common with many.
const LEAST_GARBLED: usize = 3;

/// Below this, names have hardly a letter in common.
const GARBLED: u32 = 550;

pub(in crate::identity) fn suffixes_conflict(left: &[u8], right: &[u8]) -> bool {
    !left.is_empty() && !right.is_empty() && !left.iter().any(|suffix| right.contains(suffix))
}

/// Whether all well-formed dates on both sides are clearly different.
pub(in crate::identity) fn births_conflict(left: &[Date], right: &[Date]) -> bool {
    let well_formed = |dates: &[Date]| dates.iter().any(|date| date.is_well_formed());
    well_formed(left)
        && well_formed(right)
        && left.iter().all(|a| {
            right
                .iter()
                .all(|b| date_level(*a, *b) == AgreementLevel::Different)
        })
}

/// Whether all else says that a personal identifier was mistyped beyond recognition, or is
/// another's: names, date of birth, address and contacts.
fn same_by_all_else(score: &Score) -> bool {
    let others = [
        Field::GivenName,
        Field::FamilyName,
        Field::Street,
        Field::City,
        Field::Postcode,
        Field::Email,
        Field::Phone,
    ];
    let agreeing = others
        .into_iter()
        .filter(|field| agrees(score.level(*field)))
        .count();
    // Father and son of one name and home have two numbers, and perhaps one mailbox.
    let contacts = both_contacts(score);
    let enough = match score.level(Field::BirthDate) {
        birth if agrees(birth) => agreeing >= 3,
        AgreementLevel::Similar => agreeing >= 4,
        AgreementLevel::Missing => agreeing >= 5 && contacts,
        _ => false,
    };
    score.level(Field::GivenName) != AgreementLevel::Different && enough
}

/// How many years lie between the nearest dates of both sides.
fn years_apart(left: &[Date], right: &[Date]) -> u16 {
    let apart = left
        .iter()
        .flat_map(|a| right.iter().map(|b| a.year.abs_diff(b.year)));
    apart.min().unwrap_or(0)
}

/// A generation lies between father and son, who may share everything else.
const GENERATION_YEARS: u16 = 13;

/// What dates of birth that differ may be, by what else two records say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::identity) enum BirthSlip {
    /// Two people's.
    No,
    /// One that was mistyped, if a generation does not lie between them: an e-mail address says
    /// that it is one person.
    WithinGeneration,
    /// One that was mistyped: a personal identifier and the given name say so.
    Any,
}

impl BirthSlip {
    pub(in crate::identity) fn forgives(self, left: &[Date], right: &[Date]) -> bool {
        match self {
            Self::No => false,
            Self::WithinGeneration => years_apart(left, right) < GENERATION_YEARS,
            Self::Any => true,
        }
    }
}

/// What speaks for a slip.
pub(in crate::identity) fn birth_slip(score: &Score) -> BirthSlip {
    let id = score.level(Field::PersonalId);
    if id == AgreementLevel::Exact
        || (id == AgreementLevel::Close && agrees(score.level(Field::GivenName)))
    {
        BirthSlip::Any
    } else if matches!(
        score.level(Field::Email),
        AgreementLevel::Exact | AgreementLevel::Close
    ) {
        BirthSlip::WithinGeneration
    } else {
        BirthSlip::No
    }
}

fn ids_conflict(left: &Features, right: &Features) -> bool {
    let mut conflict = false;
    for a in left.ids.iter().filter(|id| id.exclusive) {
        for b in right.ids.iter().filter(|b| a.kind == b.kind) {
            if id_level(a, b) != AgreementLevel::Different {
                return false;
            }
            conflict = true;
        }
    }
    conflict
}
