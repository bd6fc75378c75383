//! How frequent values are among people, not among records.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::Learned;
use crate::identity::compare::MatchDecision;
use crate::identity::features::Features;
use crate::model::Model;
use crate::model::matching::{Field, Frequencies, Weights};

/// A table holds no more values than this.
const MAX_VALUES: usize = 2_000;
/// A value that fewer people have is not frequent, and may tell who they are.
const MIN_PEOPLE: usize = 5;

/// Who is whom, roughly: records that the shipped weights would link are one person.
pub(super) struct People {
    /// For each record the first of its person.
    first: Vec<usize>,
}

impl People {
    pub(super) fn of(all: &[&Features], pairs: &[Learned], model: &Model) -> Self {
        Self {
            first: first_of_each(all.len(), pairs, model),
        }
    }

    /// How many people have each value of a field.
    fn count<'a>(
        &self,
        all: &[&'a Features],
        of: impl Fn(&'a Features) -> Vec<Cow<'a, str>>,
    ) -> Vec<(usize, Cow<'a, str>)> {
        let mut people: BTreeMap<Cow<'a, str>, BTreeSet<usize>> = BTreeMap::new();
        for (features, first) in all.iter().zip(&self.first) {
            for value in of(features) {
                people.entry(value).or_default().insert(*first);
            }
        }
        let mut counted: Vec<_> = people
            .into_iter()
            .map(|(value, people)| (people.len(), value))
            .collect();
        counted.sort_by(|a, b| b.cmp(a));
        counted
    }

    /// Frequencies of names, towns and postal codes.
    pub(super) fn frequencies(
        &self,
        all: &[&Features],
        shipped: &Weights,
    ) -> BTreeMap<Field, Frequencies> {
        let fields = [
            Field::GivenName,
            Field::FamilyName,
            Field::City,
            Field::Postcode,
        ];
        let table = |field| {
            (
                field,
                table(
                    &self.count(all, |features| values(features, field)),
                    shipped.frequencies().get(&field),
                ),
            )
        };
        fields.into_iter().map(table).collect()
    }

    /// Values that far more people have than can be.
    pub(super) fn placeholders(&self, all: &[&Features]) -> BTreeMap<Field, BTreeSet<String>> {
        let births = self.count(all, |features| {
            features
                .births
                .iter()
                .map(|date| date.to_string().into())
                .collect()
        });
        let born: usize = births.iter().map(|(count, _)| count).sum();
        let emails = self.count(all, |features| {
            features
                .emails
                .iter()
                .map(|email| (&*email.whole.text).into())
                .collect()
        });
        let phones = self.count(all, |features| {
            features
                .phones
                .iter()
                .map(|phone| (&*phone.digits.text).into())
                .collect()
        });
        let above = |counted: Vec<(usize, Cow<'_, str>)>, least: usize| -> BTreeSet<String> {
            let values = counted
                .into_iter()
                .take_while(|(count, _)| *count >= least)
                .take(MAX_VALUES);
            values.map(|(_, value)| value.into_owned()).collect()
        };
        let mut placeholders = BTreeMap::from([
            (
                Field::BirthDate,
                above(births, MIN_PLACEHOLDER.max(born / BORN_ON_A_DAY)),
            ),
            (Field::Email, above(emails, MIN_PLACEHOLDER)),
            (Field::Phone, above(phones, MIN_PLACEHOLDER)),
        ]);
        placeholders.retain(|_, values| !values.is_empty());
        placeholders
    }
}

/// A contact that this many people have is nobody's.
const MIN_PLACEHOLDER: usize = 20;
/// One in some 20,000 living people was born on a given day; a date that a hundred times as many
/// have is none.
const BORN_ON_A_DAY: usize = 200;

/// The share of a value that is not in a table, where the shipped weights know none: as of a small
/// town among many.
const OTHER: u64 = 1_000_000;

fn table(counted: &[(usize, Cow<'_, str>)], known: Option<&Frequencies>) -> Frequencies {
    let total: usize = counted.iter().map(|(count, _)| count).sum();
    let mut values = BTreeMap::new();
    for (count, value) in counted
        .iter()
        .take(MAX_VALUES)
        .take_while(|(count, _)| *count >= MIN_PEOPLE)
    {
        values.insert(value.to_string(), parts(*count, total));
    }
    Frequencies {
        values,
        other: known.map_or(OTHER, |known| known.other),
        other_by_length: known
            .map(|known| known.other_by_length.clone())
            .unwrap_or_default(),
        shipped: known.map_or(0, |_| parts(SHIPPED_PEOPLE, total + SHIPPED_PEOPLE)),
    }
}

/// As many people the shares of names that come with the program count for.
const SHIPPED_PEOPLE: usize = 2_000;

/// A share in parts per thousand million.
fn parts(part: usize, of: usize) -> u64 {
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    (number(part).saturating_mul(1_000_000_000) / number(of).max(1)).max(1)
}

fn values(features: &Features, field: Field) -> Vec<Cow<'_, str>> {
    let names = features.names.iter();
    let word = |word: &'_ str| Cow::Owned(word.to_owned());
    match field {
        Field::GivenName => names
            .filter_map(|name| name.given.as_ref())
            .map(|given| word(&given.word.text))
            .collect(),
        Field::FamilyName => names
            .filter_map(|name| name.family.as_ref())
            .map(|family| word(&family.word.text))
            .collect(),
        Field::City => features
            .cities
            .iter()
            .map(|city| word(&city.text))
            .collect(),
        Field::Postcode => features
            .postcodes
            .iter()
            .map(|code| word(&code.text))
            .collect(),
        _ => Vec::new(),
    }
}

/// For each record the first of those that are the same person as far as pairs tell.
fn first_of_each(count: usize, pairs: &[Learned], model: &Model) -> Vec<usize> {
    let mut parent: Vec<usize> = (0..count).collect();
    let root = |parent: &mut Vec<usize>, mut index: usize| {
        while parent[index] != index {
            parent[index] = parent[parent[index]];
            index = parent[index];
        }
        index
    };
    for learned in pairs
        .iter()
        .filter(|learned| learned.score.verdict(model) == MatchDecision::Link)
    {
        let (a, b) = (
            root(&mut parent, learned.pair.0),
            root(&mut parent, learned.pair.1),
        );
        parent[a.max(b)] = a.min(b);
    }
    (0..count).map(|index| root(&mut parent, index)).collect()
}
