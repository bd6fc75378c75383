//! What agreement is worth: for each field and level how often it is met on records of one person
//! (m), and on records of two (u), and how often frequent values occur.
//!
//! Weights are a part of the model and frozen: a score is a function of two records and the model,
//! so it does not depend on what else is stored or on the order in which it came. All numbers are
//! whole (parts per thousand million), and the logarithms are computed with integers.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};

use super::scale::log2_millibits;
use super::shipped;
use crate::hash::hash;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The first name.
    GivenName,
    /// Further given names.
    MiddleName,
    /// The family name.
    FamilyName,
    /// The date of birth.
    BirthDate,
    /// Sex or gender.
    Gender,
    /// An identifier that belongs to a person.
    PersonalId,
    /// E-mail addresses.
    Email,
    /// Telephone numbers.
    Phone,
    /// House number and street.
    Street,
    /// Town.
    City,
    /// Postal code.
    Postcode,
}

/// How far two records agree in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgreementLevel {
    /// They say the same.
    Exact,
    /// One is a short or pet form of the other.
    Nickname,
    /// A slip of the pen, or very alike.
    Close,
    /// Day and month are swapped.
    DayMonthSwapped,
    /// The same name at another provider.
    SameLocalPart,
    /// One is a part of the other, or they have a part in common.
    Part,
    /// One is the beginning of the other.
    Prefix,
    /// One is the initial of the other.
    Initial,
    /// Given and family name have changed places.
    Swapped,
    /// Somewhat alike, or they sound alike.
    Similar,
    /// Not alike.
    Different,
    /// One of the two says nothing.
    Missing,
}

impl Field {
    /// All, in order.
    pub const ALL: [Self; 11] = [
        Self::GivenName,
        Self::MiddleName,
        Self::FamilyName,
        Self::BirthDate,
        Self::Gender,
        Self::PersonalId,
        Self::Email,
        Self::Phone,
        Self::Street,
        Self::City,
        Self::Postcode,
    ];

    /// As it is written in files and answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GivenName => "given_name",
            Self::MiddleName => "middle_name",
            Self::FamilyName => "family_name",
            Self::BirthDate => "birth_date",
            Self::Gender => "gender",
            Self::PersonalId => "personal_id",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Street => "street",
            Self::City => "city",
            Self::Postcode => "postcode",
        }
    }
}

impl AgreementLevel {
    /// How many there are, [`Missing`](Self::Missing) included.
    pub const COUNT: usize = 12;

    /// As it is written in files and answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Nickname => "nickname",
            Self::Close => "close",
            Self::DayMonthSwapped => "day_month_swapped",
            Self::SameLocalPart => "same_local_part",
            Self::Part => "part",
            Self::Prefix => "prefix",
            Self::Initial => "initial",
            Self::Swapped => "swapped",
            Self::Similar => "similar",
            Self::Different => "different",
            Self::Missing => "missing",
        }
    }

    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Exact => "the same",
            Self::Nickname => "a short form",
            Self::Close => "a slip apart",
            Self::DayMonthSwapped => "day and month swapped",
            Self::SameLocalPart => "the same name at another provider",
            Self::Part => "a part in common",
            Self::Prefix => "cut short",
            Self::Initial => "the initial",
            Self::Swapped => "given and family name swapped",
            Self::Similar => "somewhat alike",
            Self::Different => "different",
            Self::Missing => "not said",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for AgreementLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// How often a level is met, in parts per thousand million of the pairs in which both records say
/// something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MuProbability {
    /// Among pairs of records of one person.
    pub m: u64,
    /// Among pairs of records of two people.
    pub u: u64,
}

/// How frequent the frequent values of a field are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Frequencies {
    /// Shares by folded value, in parts per thousand million of the people.
    pub values: BTreeMap<String, u64>,
    /// The share of any other value.
    pub other: u64,
    /// The share of any other value by the number of its letters, from none on, as far as it is
    /// known: short names are shared by more people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_by_length: Vec<u64>,
    /// How much the shares that come with the program count for values that are not among these, in
    /// parts per thousand million.
    #[serde(default)]
    pub shipped: u64,
}

/// The parts of weights that are learned from records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// How frequent values are, which stand for nothing, and how many records a person has. How
    /// often records of one person agree is as it comes with the program.
    Frequencies,
    /// These, and how often records of one person agree, and those of two.
    Everything,
}

/// Where learned weights come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LearnedFrom {
    /// The part that was learned.
    pub subject: Subject,
    /// From how many records.
    pub records: usize,
}

/// What agreement is worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Form", into = "Form")]
pub struct Weights {
    form: Form,
    /// By field and level, in millibits.
    table: [[i32; AgreementLevel::COUNT]; Field::ALL.len()],
    /// What exact agreement on a frequent value is worth, by field and hash of the value.
    frequent: HashMap<(Field, u64), i32>,
    /// Exact agreement on any other value, by its length; longer ones as the last.
    rare: [Vec<i32>; Field::ALL.len()],
    placeholders: BTreeSet<(Field, u64)>,
}

/// As they are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Form {
    /// Millibits of the odds that two records are of one person before anything is compared.
    prior: i32,
    chances: BTreeMap<Field, BTreeMap<AgreementLevel, MuProbability>>,
    #[serde(default)]
    frequencies: BTreeMap<Field, Frequencies>,
    /// Values that stand for nothing, learned from their frequency.
    #[serde(default)]
    placeholders: BTreeMap<Field, BTreeSet<String>>,
    /// The origin of learned weights. `None` means that they come with the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    learned_from: Option<LearnedFrom>,
}

/// A share of all.
const WHOLE: u64 = 1_000_000_000;

/// No single level is worth more, or less, than this.
const MOST: i32 = 20_000;
const LEAST: i32 = -8_000;
/// Agreement on a value that everybody has still speaks for, not against.
const LEAST_EXACT: i32 = 500;

impl Weights {
    /// Those that come with the program: general knowledge of names, of how people type, and of how
    /// data decays.
    #[must_use]
    pub fn shipped() -> Arc<Self> {
        static SHIPPED: LazyLock<Arc<Weights>> = LazyLock::new(|| {
            Arc::new(Weights::new(
                shipped::PRIOR,
                shipped::chances(),
                shipped::frequencies(),
                BTreeMap::new(),
            ))
        });
        Arc::clone(&SHIPPED)
    }

    /// Weights from chances.
    #[must_use]
    pub fn new(
        prior: i32,
        chances: BTreeMap<Field, BTreeMap<AgreementLevel, MuProbability>>,
        frequencies: BTreeMap<Field, Frequencies>,
        placeholders: BTreeMap<Field, BTreeSet<String>>,
    ) -> Self {
        Self::from(Form {
            prior,
            chances,
            frequencies,
            placeholders,
            learned_from: None,
        })
    }

    /// Millibits of the odds that two records are of one person before anything is compared.
    #[must_use]
    pub fn prior(&self) -> i32 {
        self.form.prior
    }

    /// The same with another prior.
    #[must_use]
    pub(crate) fn with_prior(self, prior: i32) -> Self {
        Self {
            form: Form { prior, ..self.form },
            ..self
        }
    }

    /// The same with other frequencies.
    #[must_use]
    pub(crate) fn with_frequencies(&self, frequencies: BTreeMap<Field, Frequencies>) -> Self {
        Self::from(Form {
            frequencies,
            ..self.form.clone()
        })
    }

    /// The same with values that stand for nothing.
    #[must_use]
    pub(crate) fn with_placeholders(self, placeholders: BTreeMap<Field, BTreeSet<String>>) -> Self {
        Self::from(Form {
            placeholders,
            ..self.form
        })
    }

    /// The same, learned from records.
    #[must_use]
    pub(crate) fn with_origin(self, learned_from: LearnedFrom) -> Self {
        Self {
            form: Form {
                learned_from: Some(learned_from),
                ..self.form
            },
            ..self
        }
    }

    /// The origin of learned weights. `None` means that they come with the program.
    #[must_use]
    pub fn learned_from(&self) -> Option<LearnedFrom> {
        self.form.learned_from
    }

    /// How often each level of each field is met.
    #[must_use]
    pub fn chances(&self) -> &BTreeMap<Field, BTreeMap<AgreementLevel, MuProbability>> {
        &self.form.chances
    }

    /// How frequent the frequent values are.
    #[must_use]
    pub fn frequencies(&self) -> &BTreeMap<Field, Frequencies> {
        &self.form.frequencies
    }

    /// Values that stand for nothing.
    #[must_use]
    pub fn placeholders(&self) -> &BTreeMap<Field, BTreeSet<String>> {
        &self.form.placeholders
    }

    /// What a level is worth.
    #[must_use]
    pub fn of(&self, field: Field, level: AgreementLevel) -> i32 {
        self.table[field as usize][level as usize]
    }

    /// What exact agreement on a value of some letters is worth: the more people have it, the
    /// less.
    #[must_use]
    pub fn exact(&self, field: Field, hash: u64, letters: usize) -> i32 {
        let rare = &self.rare[field as usize];
        self.frequent
            .get(&(field, hash))
            .or_else(|| rare.get(letters).or(rare.last()))
            .copied()
            .unwrap_or_else(|| self.of(field, AgreementLevel::Exact))
    }

    /// Whether some values are known to stand for nothing.
    pub(crate) fn knows_placeholders(&self) -> bool {
        !self.placeholders.is_empty()
    }

    /// Whether a value stands for nothing.
    #[must_use]
    pub(crate) fn is_placeholder(&self, field: Field, hash: u64) -> bool {
        self.placeholders.contains(&(field, hash))
    }
}

impl From<Form> for Weights {
    fn from(form: Form) -> Self {
        let mut table = [[0; AgreementLevel::COUNT]; Field::ALL.len()];
        for (field, levels) in &form.chances {
            for (level, chance) in levels {
                let weight = log2_millibits(chance.m, chance.u).clamp(LEAST, MOST);
                table[*field as usize][*level as usize] = weight;
            }
        }
        let mut frequent = HashMap::new();
        let mut rare: [Vec<i32>; Field::ALL.len()] = Default::default();
        for (field, frequencies) in &form.frequencies {
            let m = form
                .chances
                .get(field)
                .and_then(|levels| levels.get(&AgreementLevel::Exact))
                .map_or(0, |chance| chance.m);
            let worth = |share: u64| log2_millibits(m, share).clamp(LEAST_EXACT, MOST);
            if frequencies.shipped > 0 {
                let shares = shipped::shares(*field).iter();
                frequent.extend(shares.map(|(value, share)| {
                    let share = share.saturating_mul(frequencies.shipped) / WHOLE;
                    ((*field, hash(value)), worth(share.max(frequencies.other)))
                }));
            }
            let learned = frequencies.values.iter();
            frequent.extend(learned.map(|(value, share)| ((*field, hash(value)), worth(*share))));
            let by_length = frequencies.other_by_length.iter();
            let others = by_length.chain(std::iter::once(&frequencies.other));
            rare[*field as usize] = others
                .filter(|share| **share > 0)
                .map(|share| worth(*share))
                .collect();
        }
        let all = form.placeholders.iter();
        let placeholders = all
            .flat_map(|(field, values)| values.iter().map(|value| (*field, hash(value))))
            .collect();
        Self {
            form,
            table,
            frequent,
            rare,
            placeholders,
        }
    }
}

impl From<Weights> for Form {
    fn from(weights: Weights) -> Self {
        weights.form
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_survive_their_stored_form() {
        let placeholders =
            BTreeMap::from([(Field::BirthDate, BTreeSet::from(["1911-11-11".to_owned()]))]);
        let weights = Weights::shipped()
            .as_ref()
            .clone()
            .with_prior(-13_000)
            .with_placeholders(placeholders);
        let stored = serde_json::to_string(&weights).expect("serializes");
        assert_eq!(
            serde_json::from_str::<Weights>(&stored).expect("parses"),
            weights
        );
    }

    #[test]
    fn two_smiths_prove_less_than_two_featherstonehaughs() {
        let worth =
            |name: &str| Weights::shipped().exact(Field::FamilyName, hash(name), name.len());
        assert!(worth("smith") + 4_000 < worth("featherstonehaugh"));
    }
}
