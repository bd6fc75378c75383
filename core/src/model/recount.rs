//! Counting a record's events again after some of them were taken back or replaced.
//!
//! A sum could be subtracted from; a greatest value, a count of different values or a day that no
//! window reaches any more could not. So everything that counted such an event is counted again,
//! from all events of the types that it counts. All other states stay as they are.

use std::collections::BTreeSet;

use super::Model;
use crate::records::rollup::{DefinitionId, Rollup};
use crate::records::{Event, Record, Timestamp};

/// The states of a record that are counted again.
#[derive(Debug)]
pub struct Recount {
    definitions: BTreeSet<DefinitionId>,
    contacts: BTreeSet<String>,
    kinds: BTreeSet<String>,
}

impl Recount {
    /// Empties the states that count events of types that the record lost. A state that is not
    /// complete yet stays so.
    #[must_use]
    pub fn begin(model: &Model, record: &mut Record, gone: &BTreeSet<String>) -> Self {
        let counted: Vec<_> = model
            .definitions()
            .filter(|definition| !definition.events.is_disjoint(gone))
            .filter(|definition| record.rollup.get(definition.id).is_some())
            .collect();
        for definition in &counted {
            record.rollup.set(definition.id, definition.empty());
        }
        let contacts: BTreeSet<String> = gone
            .iter()
            .filter(|kind| !record.contacts(kind).is_empty())
            .cloned()
            .collect();
        for kind in &contacts {
            record.forget_contacts(kind);
        }
        let events = counted.iter().flat_map(|definition| &definition.events);
        Self {
            kinds: events.chain(&contacts).cloned().collect(),
            definitions: counted.iter().map(|definition| definition.id).collect(),
            contacts,
        }
    }

    /// The types of the events to add. Empty: nothing is to be counted.
    #[must_use]
    pub fn kinds(&self) -> &BTreeSet<String> {
        &self.kinds
    }

    /// Counts one of the record's events.
    pub fn add(&self, model: &Model, record: &mut Record, event: &Event, now: Timestamp) {
        model.recount(&mut record.rollup, event, &self.definitions, now);
        if self.contacts.contains(&event.kind) {
            record.count_contact(event);
        }
    }

    /// Ends with a record of which no event is left.
    pub fn end_empty(self, record: &mut Record) {
        record.has_events = false;
        record.rollup = Rollup::default();
    }
}
