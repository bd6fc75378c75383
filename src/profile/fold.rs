//! The fold: from the records of one cluster to the profile that a reader sees. A pure function.

use std::collections::BTreeMap;

use super::{Identifier, ProfileId, Record, RecordKey, Said, Timestamp, Value};
use crate::model::{Model, Survivorship};

/// A profile, ready to answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Its id.
    pub id: ProfileId,
    /// Grows with every change.
    pub revision: i64,
    /// When the first of its records was first heard of.
    pub create_time: Timestamp,
    /// When it last changed.
    pub update_time: Timestamp,
    /// The unified fields by name.
    pub traits: BTreeMap<String, Trait>,
    /// All identifiers, in order.
    pub identifiers: Vec<ProfileIdentifier>,
    /// What it is made of, in order of key.
    pub records: Vec<Record>,
}

/// A unified field.
#[derive(Debug, Clone, PartialEq)]
pub struct Trait {
    /// The value that survived; a list for `union`.
    pub value: Value,
    /// Who said it; one for each value of a `union`.
    pub origins: Vec<Origin>,
}

/// Who said a value, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Which record.
    pub record: RecordKey,
    /// In the source's word.
    pub source_time: Option<Timestamp>,
    /// Here.
    pub receive_time: Timestamp,
}

/// An identifier of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileIdentifier {
    /// Type and value.
    pub identifier: Identifier,
    /// Whether the model lets the value identify anybody.
    pub linkable: bool,
    /// Who said it most recently.
    pub origin: Origin,
}

/// What the store keeps of a profile: a name and a number. The rest is folded from its records.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredProfile {
    /// The live id; another than the one asked for where that was merged away.
    pub id: ProfileId,
    /// Its revision.
    pub revision: i64,
    /// When it last changed.
    pub update_time: Timestamp,
    /// Its records, in order of key; never empty.
    pub records: Vec<Record>,
}

/// Folds a profile.
#[must_use]
pub fn fold(stored: StoredProfile, model: &Model) -> Profile {
    let StoredProfile { id, revision, update_time, records } = stored;
    let create_time = records.iter().map(|record| record.first_seen).min().unwrap_or(update_time);
    let traits = fold_traits(&records, model);
    let identifiers = fold_identifiers(&records, model);
    Profile { id, revision, create_time, update_time, traits, identifiers, records }
}

/// A value that a record says, with all that a rule may look at.
#[derive(Clone, Copy)]
struct Candidate<'a> {
    value: &'a Value,
    trust: u32,
    time: Timestamp,
    record: &'a RecordKey,
    said: &'a Said,
}

impl Candidate<'_> {
    fn origin(&self) -> Origin {
        origin(self.record, self.said)
    }
}

fn origin(record: &RecordKey, said: &Said) -> Origin {
    Origin { record: record.clone(), source_time: said.source_time, receive_time: said.receive_time }
}

fn fold_traits(records: &[Record], model: &Model) -> BTreeMap<String, Trait> {
    let mut candidates: BTreeMap<&str, Vec<Candidate<'_>>> = BTreeMap::new();
    for record in records {
        let trust = model.trust(&record.key.source);
        for (name, value, said) in record.traits().filter(|(_, value, _)| !value.is_blank()) {
            let candidate = Candidate { value, trust, time: said.effective_time(), record: &record.key, said };
            candidates.entry(name).or_default().push(candidate);
        }
    }
    candidates
        .into_iter()
        .filter_map(|(name, candidates)| Some((name.to_owned(), survive(model.survivorship(name), &candidates)?)))
        .collect()
}

/// Chooses by a rule. Ties go by trust, then time, then the least record key: never by the order of the candidates.
fn survive(rule: Survivorship, candidates: &[Candidate<'_>]) -> Option<Trait> {
    use std::cmp::Reverse;
    let tie = |c: &Candidate<'_>| (c.trust, c.time, Reverse(c.record.clone()));
    let winner = match rule {
        Survivorship::SourceTrust => candidates.iter().max_by_key(|c| tie(c)),
        Survivorship::MostRecent => candidates.iter().max_by_key(|c| (c.time, tie(c))),
        Survivorship::Oldest => candidates.iter().max_by_key(|c| (Reverse(c.time), tie(c))),
        Survivorship::Longest => candidates.iter().max_by_key(|c| (c.value.to_string().chars().count(), tie(c))),
        Survivorship::MostFrequent => {
            let mut counts: BTreeMap<&Value, usize> = BTreeMap::new();
            for candidate in candidates {
                *counts.entry(candidate.value).or_default() += 1;
            }
            candidates.iter().max_by_key(|c| (counts[c.value], tie(c)))
        }
        Survivorship::Union => return unite(candidates),
    }?;
    Some(Trait { value: winner.value.clone(), origins: vec![winner.origin()] })
}

/// All distinct values, in their own order; each is said by whoever says it most recently.
fn unite(candidates: &[Candidate<'_>]) -> Option<Trait> {
    let mut sayers: BTreeMap<&Value, Candidate<'_>> = BTreeMap::new();
    let latest = |c: &Candidate<'_>| (c.time, c.trust, std::cmp::Reverse(c.record.clone()));
    for candidate in candidates {
        let values = match candidate.value {
            Value::List(values) => values.as_slice(),
            single => std::slice::from_ref(single),
        };
        for value in values.iter().filter(|value| !value.is_blank()) {
            let sayer = sayers.entry(value).or_insert(*candidate);
            if latest(sayer) < latest(candidate) {
                *sayer = *candidate;
            }
        }
    }
    let origins = sayers.values().map(Candidate::origin).collect();
    let values: Vec<Value> = sayers.into_keys().cloned().collect();
    (!values.is_empty()).then_some(Trait { value: Value::List(values), origins })
}

fn fold_identifiers(records: &[Record], model: &Model) -> Vec<ProfileIdentifier> {
    let mut sayers: BTreeMap<Identifier, (&RecordKey, &Said)> = BTreeMap::new();
    for record in records {
        for (identifier, said) in record.identifiers_said() {
            let sayer = sayers.entry(identifier).or_insert((&record.key, said));
            if sayer.1.effective_time() < said.effective_time() {
                *sayer = (&record.key, said);
            }
        }
    }
    let held = |(identifier, (record, said)): (Identifier, (&RecordKey, &Said))| {
        let linkable = model.links(&identifier);
        ProfileIdentifier { identifier, linkable, origin: origin(record, said) }
    };
    sayers.into_iter().map(held).collect()
}
