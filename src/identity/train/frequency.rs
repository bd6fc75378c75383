//! How frequent values are among people, not among records.

use std::collections::{BTreeMap, BTreeSet};

use super::Learned;
use crate::identity::compare::Verdict;
use crate::identity::features::Features;
use crate::model::Model;
use crate::model::matching::{Field, Frequencies, Weights};

/// A table holds no more values than this.
const MAX_VALUES: usize = 2_000;
/// A value that fewer people have is not frequent, and may tell who they are.
const MIN_PEOPLE: usize = 5;

/// Frequencies of names, towns and postal codes. Records that would be linked by the shipped weights are one person.
pub(super) fn entities(
    all: &[&Features],
    pairs: &[Learned],
    shipped: &Weights,
    model: &Model,
) -> BTreeMap<Field, Frequencies> {
    let first = first_of_each(all.len(), pairs, model);
    let mut frequencies = BTreeMap::new();
    for field in [Field::GivenName, Field::FamilyName, Field::City, Field::Postcode] {
        let mut people: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        for (features, first) in all.iter().zip(&first) {
            for value in values(features, field) {
                people.entry(value).or_default().insert(*first);
            }
        }
        let total: usize = people.values().map(BTreeSet::len).sum();
        let known = shipped.frequencies().get(&field);
        frequencies.insert(field, table(&people, total, known));
    }
    frequencies.retain(|_, table: &mut Frequencies| table.other > 0 || !table.values.is_empty());
    frequencies
}

/// The share of a value that is not in a table, where the shipped weights know none: as of a small town among many.
const OTHER: u64 = 1_000_000;

fn table(people: &BTreeMap<&str, BTreeSet<usize>>, total: usize, known: Option<&Frequencies>) -> Frequencies {
    let mut values = known.map(|known| known.values.clone()).unwrap_or_default();
    let mut counted: Vec<(usize, &str)> = people.iter().map(|(value, people)| (people.len(), *value)).collect();
    counted.sort_by(|a, b| b.cmp(a));
    for (count, value) in counted.into_iter().take(MAX_VALUES).take_while(|(count, _)| *count >= MIN_PEOPLE) {
        let share = u64::try_from(count * 1_000_000).unwrap_or(u64::MAX) / u64::try_from(total.max(1)).unwrap_or(1);
        values.insert(value.to_owned(), (share * 1_000).max(1));
    }
    Frequencies { values, other: known.map_or(OTHER, |known| known.other) }
}

fn values(features: &Features, field: Field) -> Vec<&str> {
    let names = features.names.iter();
    match field {
        Field::GivenName => {
            names.filter_map(|name| name.given.as_ref()).map(|given| given.word.text.as_str()).collect()
        }
        Field::FamilyName => {
            names.filter_map(|name| name.family.as_ref()).map(|family| family.word.text.as_str()).collect()
        }
        Field::City => features.cities.iter().map(|city| city.text.as_str()).collect(),
        Field::Postcode => features.postcodes.iter().map(|code| code.text.as_str()).collect(),
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
    for learned in pairs.iter().filter(|learned| learned.score.verdict(model) == Verdict::Link) {
        let (a, b) = (root(&mut parent, learned.pair.0), root(&mut parent, learned.pair.1));
        parent[a.max(b)] = a.min(b);
    }
    (0..count).map(|index| root(&mut parent, index)).collect()
}
