//! Which records a computed trait or a metric rests on: those whose events are counted in it, the
//! most telling ones first.
//!
//! The fold adds up what the records bring, and the sum does not tell any more who brought what. So
//! the parts are kept where there are several; a part alone is the sum.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::Profile;
use crate::heap_size::{heap_size, pack_map};
use crate::model::{Definition, Model};
use crate::records::rollup::{DefinitionId, Rollup, State};
use crate::records::{RecordKey, Timestamp};

/// The parts of the records of a profile in the sum, by definition.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Contributions(BTreeMap<DefinitionId, Vec<Contribution>>);

#[derive(Debug, Clone, PartialEq)]
struct Contribution {
    /// The place of the record among those of the profile.
    record: usize,
    kept: Kept,
}

/// A record's part.
#[derive(Debug, Clone, PartialEq)]
enum Kept {
    /// The only part: it equals the sum.
    Sum,
    /// One of several.
    State(State),
    /// Of objects, which are large, how many there are.
    Objects(usize),
}

impl Contributions {
    /// Of the parts of the records, in their order.
    pub(super) fn of(parts: Vec<Rollup>, model: &Model) -> Self {
        let mut all: BTreeMap<DefinitionId, Vec<Contribution>> = BTreeMap::new();
        let asked: Vec<DefinitionId> = model.definitions().map(|found| found.id).collect();
        for (record, part) in parts.into_iter().enumerate() {
            for (id, state) in part.into_states() {
                if !asked.contains(&id) || state.is_empty() {
                    continue;
                }
                let kept = match state.objects() {
                    Some(objects) => Kept::Objects(objects.iter().count()),
                    None => Kept::State(state),
                };
                let of_definition = all.entry(id).or_default();
                of_definition.push(Contribution { record, kept });
            }
        }
        for alone in all.values_mut() {
            if let [Contribution { kept, .. }] = alone.as_mut_slice() {
                *kept = Kept::Sum;
            }
        }
        Self(all)
    }

    pub(super) fn pack(&mut self) {
        for contribution in self.0.values_mut().flatten() {
            if let Kept::State(state) = &mut contribution.kept {
                state.pack();
            }
        }
        pack_map(&mut self.0);
    }
}

impl Profile {
    /// The records whose events are counted by a definition at a time. The one that brings most
    /// comes first: most events, the greatest share of a sum, the value itself; ties go by key.
    #[must_use]
    pub fn records_counted(&self, definition: &Definition, now: Timestamp) -> Vec<&RecordKey> {
        let Some(whole) = self.rollup.get(definition.id) else {
            return Vec::new();
        };
        let parts = self.contributions.0.get(&definition.id);
        let share = |part: &Contribution| {
            let share = match &part.kept {
                Kept::Sum => definition.share(whole, whole, now),
                Kept::State(state) => definition.share(state, whole, now),
                Kept::Objects(count) => *count as u128,
            };
            let key = &self.records.get(part.record)?.key;
            (share > 0).then_some((Reverse(share), key))
        };
        let mut found: Vec<_> = parts.into_iter().flatten().filter_map(share).collect();
        found.sort_unstable();
        found.into_iter().map(|(_, key)| key).collect()
    }
}

impl crate::heap_size::HeapSize for Kept {
    fn heap_bytes(&self) -> usize {
        match self {
            Self::State(state) => state.heap_bytes(),
            Self::Sum | Self::Objects(_) => 0,
        }
    }
}

impl crate::heap_size::HeapSize for Contributions {
    fn heap_bytes(&self) -> usize {
        self.0.heap_bytes()
    }
}

heap_size! {
    Contribution { record, kept }
}

#[cfg(test)]
mod tests;
