//! Compares two records: level by level, in thousandths of a bit, with a verdict.
//!
//! The score is the sum over the fields of log2(m / u) (Fellegi and Sunter 1969), and a prior. What
//! is said twice counts once: of the parts of an address the strongest counts in full and the
//! others little. What is not said counts nothing. A *veto* is evidence that no score outweighs: it
//! is named, so that people can be told.
//!
//! Symmetric, a function of two records and the model (and of which values are generic), and the
//! same on every machine.

mod doubt;
mod fields;
mod house;
mod mailbox;
mod names;
mod order;
mod scripts;
mod several;
mod veto;
mod words;

pub use veto::Veto;

use super::context::Context;
use super::features::Features;
use crate::model::Model;
use crate::model::matching::{AgreementLevel, Field, Weights};

pub(super) use fields::flats_differ;
pub(super) use names::{GivenAgreement, families_differ, given_agreement, middles_differ};
pub(super) use veto::{
    BirthSlip, against_given_name, birth_slip, births_conflict, doubt_forgiven, much_agrees,
    suffixes_conflict,
};

/// What comes of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchDecision {
    /// Two people, as far as can be told.
    Different,
    /// Perhaps one person: for people to decide.
    Review,
    /// Alike but for the given name: a family.
    Household,
    /// One person.
    Link,
}

impl MatchDecision {
    /// As it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Different => "different",
            Self::Review => "review",
            Self::Household => "household",
            Self::Link => "link",
        }
    }

    /// From how it is stored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Different, Self::Review, Self::Household, Self::Link]
            .into_iter()
            .find(|verdict| verdict.as_str() == text)
    }
}

/// One field of two records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldComparison {
    /// Which.
    pub field: Field,
    /// How far they agree.
    pub level: AgreementLevel,
    /// What the first says, as it is compared.
    pub left: String,
    /// What the second says.
    pub right: String,
    /// What that is worth.
    pub millibits: i32,
}

/// Two records side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The fields in which both say something.
    pub fields: Vec<FieldComparison>,
    /// The evidence of all fields and the prior.
    pub evidence: i32,
    /// The part of it that is believed: the logarithm of the odds that they are one person.
    pub millibits: i32,
    /// What comes of it.
    pub verdict: MatchDecision,
    /// What forbids a link, whatever the score.
    pub veto: Option<Veto>,
}

/// A comparison in numbers: what is needed by the million.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Score {
    pub(super) levels: [AgreementLevel; Field::ALL.len()],
    pub(super) weights: [i32; Field::ALL.len()],
    /// Which value of each field it was, left and right.
    pub(super) values: [(u8, u8); Field::ALL.len()],
    /// The sum of all evidence and the prior.
    pub(super) sum: i32,
    /// The part of it that is believed.
    pub(super) millibits: i32,
    pub(super) veto: Option<Veto>,
}

impl Score {
    fn new() -> Self {
        Self {
            levels: [AgreementLevel::Missing; Field::ALL.len()],
            weights: [0; Field::ALL.len()],
            values: [(0, 0); Field::ALL.len()],
            sum: 0,
            millibits: 0,
            veto: None,
        }
    }

    pub(super) fn level(&self, field: Field) -> AgreementLevel {
        self.levels[field as usize]
    }

    pub(super) fn weight(&self, field: Field) -> i32 {
        self.weights[field as usize]
    }

    fn set(&mut self, field: Field, level: AgreementLevel, weight: i32, values: (usize, usize)) {
        let index = |value: usize| u8::try_from(value).unwrap_or(u8::MAX);
        self.levels[field as usize] = level;
        self.weights[field as usize] = weight;
        self.values[field as usize] = (index(values.0), index(values.1));
    }

    /// What comes of it under the thresholds of the model.
    pub(super) fn verdict(&self, model: &Model) -> MatchDecision {
        let matching = &model.matching;
        match self.veto {
            Some(Veto::GivenNamesDiffer | Veto::BirthDatesDiffer)
                if self.is_household(matching.link) =>
            {
                MatchDecision::Household
            }
            Some(_) if self.millibits >= matching.link => MatchDecision::Review,
            None if self.millibits >= matching.link => MatchDecision::Link,
            None if self.millibits >= matching.review => MatchDecision::Review,
            _ => MatchDecision::Different,
        }
    }

    /// Whether given names differ, and all but these and dates of birth would link: the rest speaks
    /// for one home.
    fn is_household(&self, link: i32) -> bool {
        let others = self.level(Field::GivenName) == AgreementLevel::Different
            || self.veto == Some(Veto::GivenNamesDiffer);
        others
            && self.sum - self.weight(Field::GivenName) - self.weight(Field::BirthDate).min(0)
                >= link
    }
}

/// Compares two records.
#[must_use]
pub fn compare(left: &Features, right: &Features, context: &Context, model: &Model) -> Comparison {
    let score = score(left, right, &model.matching.weights, context);
    let shown = |&field: &Field| {
        let (l, r) = score.values[field as usize];
        FieldComparison {
            field,
            level: score.level(field),
            left: fields::shown(left, field, l),
            right: fields::shown(right, field, r),
            millibits: score.weight(field),
        }
    };
    let fields = Field::ALL
        .iter()
        .filter(|field| score.level(**field) != AgreementLevel::Missing)
        .map(shown)
        .collect();
    Comparison {
        fields,
        evidence: score.sum,
        millibits: score.millibits,
        verdict: score.verdict(model),
        veto: score.veto,
    }
}

/// What comes of a comparison, without the fields: cheap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Classification {
    /// The logarithm of the odds that they are one person.
    pub millibits: i32,
    /// What comes of it.
    pub verdict: MatchDecision,
    /// What forbids a link.
    pub veto: Option<Veto>,
}

/// Compares two records and tells only what comes of it.
#[must_use]
pub fn judge(
    left: &Features,
    right: &Features,
    context: &Context,
    model: &Model,
) -> Classification {
    let score = score(left, right, &model.matching.weights, context);
    Classification {
        millibits: score.millibits,
        verdict: score.verdict(model),
        veto: score.veto,
    }
}

/// Compares two records, in numbers.
pub(super) fn score(
    left: &Features,
    right: &Features,
    weights: &Weights,
    context: &Context,
) -> Score {
    let mut score = Score::new();
    names::compare(&left.names, &right.names, weights, &mut score);
    fields::compare(left, right, weights, context, &mut score);
    score.veto = veto::veto(left, right, &score);
    score.sum = weights.prior() + total(&score);
    score.millibits = believed(&score);
    score
}

/// What names, homes and contacts alone can prove: 99.5 %, in millibits of the odds.
///
/// A father and his son of one name, or two cousins, agree in all of these, and no further
/// agreement of the same kind tells them apart. On labelled sets some 99 of 100 pairs that agree
/// without a date of birth or a number of the person are right, however much agrees.
const MOST_WITHOUT_PERSON: i32 = 7_637;
/// As many millibits above it count one, so that what agrees more comes before what agrees less.
const BEYOND: i32 = 64;

/// The part of the evidence that is believed: all of it where a date of birth or a number of the
/// person agrees, and the given names do, as far as they are said.
fn believed(score: &Score) -> i32 {
    let of_person = [Field::BirthDate, Field::PersonalId]
        .iter()
        .any(|field| score.level(*field) == AgreementLevel::Exact);
    let one_name = matches!(
        score.level(Field::GivenName),
        AgreementLevel::Exact | AgreementLevel::Nickname | AgreementLevel::Missing
    );
    if of_person && one_name {
        return score.sum;
    }
    score
        .sum
        .min(MOST_WITHOUT_PERSON + (score.sum - MOST_WITHOUT_PERSON).max(0) / BEYOND)
}

const NAMES: [Field; 3] = [Field::GivenName, Field::MiddleName, Field::FamilyName];
/// However rare a name, there are people who share it, often in one family: a name alone is not
/// enough.
const MOST_NAMES: i32 = 21_000;
const ADDRESS: [Field; 3] = [Field::Street, Field::City, Field::Postcode];

/// The sum of the fields, where an address counts as one: its strongest part in full, of the others
/// a quarter; against, people move: no more than its weakest part.
fn total(score: &Score) -> i32 {
    let grouped = |field: &Field| ADDRESS.contains(field) || NAMES.contains(field);
    let alone = Field::ALL
        .iter()
        .filter(|field| !grouped(field))
        .map(|field| score.weight(*field));
    let names = NAMES
        .map(|field| score.weight(field))
        .into_iter()
        .sum::<i32>()
        .min(MOST_NAMES);
    let address = ADDRESS.map(|field| score.weight(field));
    let most = address.into_iter().max().unwrap_or(0).max(0);
    let rest: i32 = address
        .into_iter()
        .filter(|weight| *weight > 0)
        .sum::<i32>()
        - most;
    let against = address.into_iter().min().unwrap_or(0).min(0);
    alone.sum::<i32>() + names + most + rest / 4 + against
}
