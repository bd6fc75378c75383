//! Events that find their record by an object, within a write, pure: those of the batch and those
//! that are stored are placed anew, by all that is known of their objects after the batch.
//!
//! A move is written as a correction is: the event is counted off where it was and counted
//! where it is now, and history keeps both.

use std::collections::{BTreeMap, BTreeSet};

use profile_core::model::{Model, Note, NoteReason};
use profile_core::records::{
    Claim, Event, EventKey, KeptEvent, ObjectKey, Place, RecordKey, Timestamp, Violation,
    add_claim, place,
};

use super::apply::{Applied, Outcome};

/// How many events of a tenant may wait for a record. At a kilobyte an event this is 100 MB.
pub(crate) const MAX_WAITING: usize = 100_000;
/// How many events may be attached by one object: all of them are placed anew when a record claims
/// it. A parcel has tens of scans.
const MAX_ATTACHED: usize = 1_000;
/// How many records may claim an object. One that more claim is nobody's: its id is no id.
pub(super) const MAX_CLAIMS: usize = 100;

/// Stored events and claims on the objects that events of a batch are attached by.
#[derive(Debug, Default)]
pub(super) struct Attached {
    /// The events without a record of their own that name these objects.
    pub(super) events: BTreeMap<EventKey, KeptEvent>,
    /// The records that claim them, by events that the batch does not correct.
    pub(super) claims: BTreeMap<ObjectKey, Vec<Claim>>,
    /// The number of events that wait, up to [`MAX_WAITING`].
    pub(super) waiting: usize,
}

/// How often events were attached.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct AttachFigures {
    /// They found their record when they came.
    pub(super) at_once: usize,
    /// They wait for it.
    pub(super) waiting: usize,
    /// They waited, and have found it.
    pub(super) later: usize,
    /// They moved to another record, or wait again.
    pub(super) moved: usize,
}

impl AttachFigures {
    pub(super) fn add(&mut self, other: Self) {
        self.at_once += other.at_once;
        self.waiting += other.waiting;
        self.later += other.later;
        self.moved += other.moved;
    }
}

impl Applied<'_> {
    /// Places all events that find their record by an object: those of the batch, in the place of
    /// others too, and those that are stored.
    pub(super) fn attach(&mut self, mut attached: Attached, context: (&Model, Timestamp)) {
        attached
            .events
            .retain(|key, _| !self.corrections.concern(key));
        let places = self.places(&mut attached);
        for kept in attached.events.into_values() {
            self.place_stored(kept, &places);
        }
        let moved = self.corrections.place(&places);
        self.places.extend(moved);
        for (index, key) in std::mem::take(&mut self.corrected) {
            if self.outcomes[index] == Outcome::Stored && self.corrections.is_waiting(&key) {
                self.outcomes[index] = Outcome::StoredWith(note(NoteReason::Waiting, WAITING));
            }
        }
        let mut waiting = attached.waiting;
        for (index, event) in std::mem::take(&mut self.seekers) {
            let found = places.get(&event.key());
            let outcome = if let Some(found) = found {
                let event = event.attached_to(Some(&found.record));
                self.count(&event, context);
                self.figures.at_once += 1;
                self.places.insert(event.key(), found.record.clone());
                let outcome = self.stored(&event);
                self.attached.push(event);
                match outcome {
                    Outcome::Stored if self.is_disputed(&attached.claims, &found.by) => {
                        Outcome::StoredWith(note(NoteReason::Ambiguous, DISPUTED))
                    }
                    outcome => outcome,
                }
            } else if waiting >= MAX_WAITING {
                Outcome::NoRoom
            } else {
                waiting += 1;
                self.figures.waiting += 1;
                self.attached.push(event.attached_to(None));
                let why = why_waiting(event, &attached.claims);
                Outcome::StoredWith(note(NoteReason::Waiting, why))
            };
            self.outcomes[index] = outcome;
        }
    }

    /// Where events are attached after the batch. Those of the batch that are too many are refused.
    fn places(&mut self, attached: &mut Attached) -> BTreeMap<EventKey, Place> {
        self.refuse_crowds(attached);
        let told = self.events.iter().copied();
        let corrected = self.corrections.events();
        let direct = told.chain(corrected).filter(|it| it.attachment.is_none());
        for event in direct {
            for (object, own) in event.meaning.objects() {
                let claim = Claim::of(event, own);
                add_claim(attached.claims.entry(object.clone()).or_default(), claim);
            }
        }
        for claims in attached.claims.values_mut() {
            if claims.len() > MAX_CLAIMS {
                claims.clear();
            }
        }
        let held_since = |record: &RecordKey| self.after.get(record)?.reused_since();
        let kept = attached.events.values();
        let all = kept
            .filter_map(|kept| kept.event.as_ref())
            .chain(self.corrections.events())
            .chain(self.seekers.iter().map(|(_, event)| *event))
            .filter(|event| event.attachment.is_some());
        place(all, &attached.claims, &held_since)
    }

    /// Refuses events by which an object would have more events attached than are placed at once.
    fn refuse_crowds(&mut self, attached: &Attached) {
        let mut counts: BTreeMap<&ObjectKey, usize> = BTreeMap::new();
        let stored = attached.events.values();
        let stored = stored.filter_map(|kept| kept.event.as_ref());
        for (object, _) in stored.flat_map(|event| event.meaning.objects()) {
            *counts.entry(object).or_default() += 1;
        }
        let mut refused = BTreeSet::new();
        for (index, event) in &self.seekers {
            let objects = || event.meaning.objects().map(|(object, _)| object);
            if objects().any(|it| counts.get(it).is_some_and(|count| *count >= MAX_ATTACHED)) {
                refused.insert(*index);
                continue;
            }
            for object in objects() {
                *counts.entry(object).or_default() += 1;
            }
        }
        self.seekers.retain(|(index, _)| !refused.contains(index));
        for index in refused {
            self.outcomes[index] = Outcome::Rejected(vec![Violation::limit(
                "record_event.event.attach",
                MAX_ATTACHED + 1,
                MAX_ATTACHED,
                "events attached by one object",
            )]);
        }
    }

    /// Moves a stored event where it belongs now.
    fn place_stored(&mut self, kept: KeptEvent, places: &BTreeMap<EventKey, Place>) {
        let Some(event) = &kept.event else { return };
        let record = places.get(&kept.key).map(|place| &place.record);
        if event.home() == record {
            return;
        }
        if event.is_waiting() {
            self.figures.later += 1;
        } else {
            self.figures.moved += 1;
        }
        let event = event.attached_to(record);
        self.corrections.moved(kept, event);
    }

    /// Whether records of several customers claim an object.
    fn is_disputed(&self, claims: &BTreeMap<ObjectKey, Vec<Claim>>, by: &ObjectKey) -> bool {
        let home = |claim: &Claim| {
            let record = self.after.get(&claim.record)?;
            record.membership.profile
        };
        let customers = claims.get(by).into_iter().flatten().map(|claim| {
            let home = home(claim);
            (home, home.is_none().then_some(&claim.record))
        });
        customers.collect::<BTreeSet<_>>().len() > 1
    }
}

/// Why an event waits. An object that too many records claim has no claims left.
fn why_waiting(event: &Event, claims: &BTreeMap<ObjectKey, Vec<Claim>>) -> &'static str {
    let sought = event.attachment.iter().flat_map(|sought| &sought.by);
    let crowded = |object: &ObjectKey| claims.get(object).is_some_and(Vec::is_empty);
    if sought.clone().any(crowded) {
        CROWDED
    } else {
        WAITING
    }
}

fn note(reason: NoteReason, description: &'static str) -> Note {
    Note {
        field: "attach".to_owned(),
        reason,
        description: description.into(),
    }
}

const WAITING: &str = "no event of a customer names the object yet: the event waits for one, on no \
                       timeline and in no count";
const CROWDED: &str = "events of more than 100 records name the object: its id is taken for none, and \
                       the event waits, on no timeline and in no count";
const DISPUTED: &str = "events of several customers name the object: the event is with the one of \
                        its own source, else with the one whose events are states of the object, \
                        else with the one that had begun to name it last when it happened";

#[cfg(test)]
mod tests {
    use profile_core::records::{Draft, DraftEvent, Statement, Value};

    use super::*;
    use crate::ingest::apply::Known;
    use crate::tests::NOW;

    const MODEL: &str = "
sources:
  shop: { records: { customers: { key: id } } }
  carrier: { events: { scans: { type: shipment_updated, id: id, attach: shipment, properties: { shipment_id: id } } } }
";

    #[test]
    fn an_event_that_would_wait_is_no_refusal_where_no_more_may_wait() {
        let model = Model::parse(MODEL).expect("a model");
        let scan = Draft::Event(DraftEvent {
            record: RecordKey::new("carrier", ""),
            attach: vec!["shipment".to_owned()],
            event_id: "1".to_owned(),
            kind: "shipment_updated".to_owned(),
            event_time: None,
            properties: BTreeMap::from([("shipment_id".to_owned(), Value::from("P1"))]),
        });
        let statements: Vec<Statement> = vec![model.check(scan, NOW).expect("fits")];
        for (waiting, fits) in [(0, true), (MAX_WAITING - 1, true), (MAX_WAITING, false)] {
            let known = Known {
                attached: Attached {
                    waiting,
                    ..Attached::default()
                },
                ..Known::default()
            };
            let applied = Applied::new(&statements, Vec::new(), known, (&model, NOW));
            let outcome = &applied.outcomes[0];
            let is_stored = matches!(outcome, Outcome::StoredWith(_));
            assert_eq!(is_stored, fits, "{waiting}: {outcome:?}");
            assert_eq!(*outcome == Outcome::NoRoom, !fits, "{waiting}: {outcome:?}");
            assert_eq!(applied.attached.len(), usize::from(fits), "{waiting}");
        }
    }
}
