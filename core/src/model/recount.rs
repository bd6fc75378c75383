//! Counting a record's events again after some of them were taken back or replaced, or its key got
//! another holder.
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
            .filter(|kind| record.keeps_contacts(kind))
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
        if !record.was_anothers(event.sort_time) {
            model.recount(&mut record.rollup, event, &self.definitions, now);
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{Draft, DraftEvent, RecordKey, Statement};

    fn event(model: &Model, id: &str, hours: i64) -> Event {
        let time = Timestamp::from_micros(1_750_000_000_000_000 + hours * 3_600_000_000);
        let draft = Draft::Event(DraftEvent {
            record: RecordKey::new("s", "1"),
            attach: Vec::new(),
            event_id: id.to_owned(),
            kind: "email_sent".to_owned(),
            event_time: Some(time),
            properties: std::collections::BTreeMap::new(),
        });
        match model.check(draft, time) {
            Ok(Statement::Event(event)) => event,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_record_that_loses_an_event_is_as_if_it_never_had_it() {
        let yaml = "identifiers: { email: { priority: 1 } }\nsources: { s: }\n\
                    computed: { sent: { count: email_sent }, last: { max: email_sent } }\n\
                    channels: { email: { contact_point: email, contact_events: [email_sent] } }";
        let model = Model::parse(yaml).expect("a model");
        let [kept, gone] = [event(&model, "a", 1), event(&model, "b", 5)];
        let now = gone.sort_time;
        let counted = |events: &[&Event]| {
            let mut record = Record::new(RecordKey::new("s", "1"), now);
            for event in events {
                let first = !std::mem::replace(&mut record.has_events, true);
                model.count(&mut record, event, first, now);
                record.count_contact(event);
            }
            record
        };
        let mut record = counted(&[&kept, &gone]);
        let kinds = BTreeSet::from([gone.kind.clone()]);
        let recount = Recount::begin(&model, &mut record, &kinds);
        assert_eq!(recount.kinds(), &kinds);
        recount.add(&model, &mut record, &kept, now);
        assert_eq!(record, counted(&[&kept]));
        let recount = Recount::begin(&model, &mut record, &kinds);
        recount.end_empty(&mut record);
        assert_eq!(record, counted(&[]));
    }
}
