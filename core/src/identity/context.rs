//! What is generic: identifiers and match keys that so many hold that they tell nothing.
//!
//! The only thing besides two records and the model that a comparison looks at. It is a function of
//! who holds what now: when a value is no longer held by too many, it links and weighs again.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::features::Features;
use super::keys::{BlockingKey, most};
use super::{nicknames, text};
use crate::model::{IdentifierType, Model};
use crate::records::{Identifier, Record};

/// What is generic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Context {
    /// Identifiers that link nobody and weigh nothing.
    identifiers: HashSet<BlockingKey>,
    /// Keys that find nobody.
    keys: HashSet<BlockingKey>,
}

impl Context {
    /// What is generic in a whole set.
    #[must_use]
    pub fn of(all: &[(&Record, &Features)], model: &Model) -> Self {
        let mut context = Self::default();
        let mut holders: HashMap<Identifier, Vec<&Features>> = HashMap::new();
        let mut counts: HashMap<BlockingKey, (usize, usize)> = HashMap::new();
        for (record, features) in all {
            // As a write sees it: the holders of what links nobody are not looked up.
            let linking = record.identifiers().filter(|held| model.links(held));
            let former = record.former_identifiers();
            let former = former.filter(|held| model.links_former(held));
            for identifier in linking.chain(former.map(|held| held.as_former())) {
                holders.entry(identifier).or_default().push(features);
            }
            let mut keys = features.keys_with_fields();
            keys.dedup_by_key(|(key, _)| *key);
            for (key, fields) in keys {
                counts
                    .entry(key)
                    .or_insert((0, most(fields, &model.matching)))
                    .0 += 1;
            }
        }
        for (identifier, holders) in holders {
            if is_generic(&identifier, &holders, model) {
                context.exclude(&identifier);
            }
        }
        context.keys.extend(
            counts
                .into_iter()
                .filter(|(_, (count, most))| count > most)
                .map(|(key, _)| key),
        );
        context
    }

    /// Makes an identifier generic.
    pub fn exclude(&mut self, identifier: &Identifier) {
        self.identifiers.insert(BlockingKey::of(identifier));
    }

    /// Makes a key generic.
    pub fn exclude_key(&mut self, key: BlockingKey) {
        self.keys.insert(key);
    }

    /// Whether the identifier of this key links nobody.
    #[must_use]
    pub fn is_generic(&self, identifier: BlockingKey) -> bool {
        !self.identifiers.is_empty() && self.identifiers.contains(&identifier)
    }

    /// Whether a key finds anybody.
    #[must_use]
    pub fn finds(&self, key: BlockingKey) -> bool {
        !self.keys.contains(&key) && !self.is_generic(key)
    }
}

/// Whether an identifier is held by more different people than a family has, or by more records
/// than are followed.
#[must_use]
pub fn is_generic(identifier: &Identifier, holders: &[&Features], model: &Model) -> bool {
    let max_records = model
        .identifiers
        .get(&identifier.kind)
        .and_then(|kind: &IdentifierType| kind.max_records);
    max_records.is_some_and(|max| holders.len() > max) || held_by_too_many_people(holders, model)
}

/// Whether an identifier is held by more different people than a family has. It stays so whoever
/// else holds it.
#[must_use]
pub fn held_by_too_many_people(holders: &[&Features], model: &Model) -> bool {
    let max = model.matching.max_people;
    holders.len() > max && people(holders.iter().copied()) > max
}

/// How many people some records are of, at least. Given names that are forms of one or sound alike
/// count once; of dates of birth and of numbers of which a person has one, half may be mistyped.
pub(super) fn people<'a>(holders: impl Iterator<Item = &'a Features>) -> usize {
    let (mut given, mut births) = (BTreeSet::new(), BTreeSet::new());
    let mut numbers: BTreeMap<u16, BTreeSet<BlockingKey>> = BTreeMap::new();
    for features in holders {
        let names = features.names.iter().filter_map(|name| name.given.as_ref());
        given.extend(
            names
                .filter(|given| !given.word.is_initial())
                .map(|given| text::sound(nicknames::canonical(&given.word.text))),
        );
        births.extend(features.births.iter().map(ToString::to_string));
        for id in features.ids.iter().filter(|id| id.exclusive) {
            numbers.entry(id.kind).or_default().insert(id.key);
        }
    }
    let numbers = numbers.values().map(BTreeSet::len).max().unwrap_or(0);
    given.len().max(births.len().max(numbers).div_ceil(2))
}
