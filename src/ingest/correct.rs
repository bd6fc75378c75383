//! Corrections of events within a write, pure: the events that a batch corrects, before and after.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use profile_core::model::{Note, NoteReason};
use profile_core::records::{
    Correction, Draft, Event, EventKey, EventTaken, KeptEvent, Place, RecordKey, Sequence,
    Timestamp, VersionStamp,
};

use crate::store::{CorrectedEvent, CorrectionKey, StoredCorrection};

/// The events that a batch corrects, or tells after a correction of them.
#[derive(Debug, Default)]
pub(super) struct Corrections {
    /// By key, before and after.
    events: BTreeMap<EventKey, CorrectedEvent>,
    /// The corrections that are stored already.
    known: HashSet<CorrectionKey>,
    /// Those to be stored.
    added: Vec<(CorrectionKey, Timestamp, Draft)>,
}

impl Corrections {
    /// The events that a batch corrects, as they are stored.
    pub(super) fn new(
        keys: impl IntoIterator<Item = EventKey>,
        kept: Vec<KeptEvent>,
        known: HashSet<CorrectionKey>,
    ) -> Self {
        let unknown = keys.into_iter().map(KeptEvent::unknown);
        let both = |kept: KeptEvent| {
            let (key, before) = (kept.key.clone(), kept.clone());
            let after = kept;
            (key, CorrectedEvent { before, after })
        };
        Self {
            events: unknown.chain(kept).map(both).collect(),
            known,
            added: Vec::new(),
        }
    }

    /// Whether the batch corrects this event, or it was corrected before.
    pub(super) fn concern(&self, key: &EventKey) -> bool {
        self.events.contains_key(key)
    }

    /// Takes an event in that is corrected.
    pub(super) fn take_event(&mut self, event: &Event) -> EventTaken {
        let Some(kept) = self.events.get_mut(&event.key()) else {
            return EventTaken::Known;
        };
        let taken = kept.after.take_event(event);
        if taken == EventTaken::Superseded {
            let stamp = VersionStamp {
                version: CorrectionKey::ORIGINAL,
                time: Timestamp::default(),
                content: event.content,
            };
            let key = CorrectionKey {
                event: event.key(),
                stamp,
            };
            self.added
                .push((key, event.receive_time, Draft::Event(event.draft())));
        }
        taken
    }

    /// Takes a correction in. Answers what is to be noted, beside what became of it.
    pub(super) fn take(&mut self, correction: &Correction) -> (EventTaken, Option<Note>) {
        let Some(kept) = self.events.get_mut(&correction.key) else {
            return (EventTaken::Known, None);
        };
        let key = CorrectionKey {
            event: correction.key.clone(),
            stamp: kept.after.stamp(correction),
        };
        if kept.after.repeats(correction) || self.known.contains(&key) {
            return (EventTaken::Known, None);
        }
        let note = kept
            .after
            .is_unknown()
            .then(|| note(NoteReason::UnknownEvent, UNKNOWN));
        let taken = kept.after.take_correction(correction);
        self.known.insert(key.clone());
        self.added
            .push((key, correction.receive_time, correction.draft()));
        let superseded = taken == EventTaken::Superseded;
        (taken, note.or_else(|| superseded.then(later)))
    }

    /// The events among them, after the batch.
    pub(super) fn events(&self) -> impl Iterator<Item = &Event> {
        let kept = self.events.values();
        kept.filter_map(|kept| kept.after.event.as_ref())
    }

    /// The events among them, before the batch and after it.
    pub(super) fn all_events(&self) -> impl Iterator<Item = &Event> {
        let before = self.events.values();
        let before = before.filter_map(|kept| kept.before.event.as_ref());
        before.chain(self.events())
    }

    /// The keys of all of them.
    pub(super) fn keys(&self) -> impl Iterator<Item = &EventKey> {
        self.events.keys()
    }

    /// Whether the event of a key waits for its record after the batch.
    pub(super) fn is_waiting(&self, key: &EventKey) -> bool {
        let kept = self.events.get(key);
        let event = kept.and_then(|kept| kept.after.event.as_ref());
        event.is_some_and(Event::is_waiting)
    }

    /// Takes in that a stored event hangs on another record now, or on none.
    pub(super) fn moved(&mut self, before: KeptEvent, event: Event) {
        let after = KeptEvent {
            event: Some(event),
            ..before.clone()
        };
        let key = before.key.clone();
        self.events.insert(key, CorrectedEvent { before, after });
    }

    /// Places the events among them that find their record by an object. Answers the records.
    pub(super) fn place(
        &mut self,
        places: &BTreeMap<EventKey, Place>,
    ) -> Vec<(EventKey, RecordKey)> {
        let mut found = Vec::new();
        for (key, kept) in &mut self.events {
            let event = kept.after.event.as_mut();
            let Some(event) = event.filter(|event| event.attachment.is_some()) else {
                continue;
            };
            let record = places.get(key).map(|place| &place.record);
            *event = event.attached_to(record);
            found.extend(record.map(|record| (key.clone(), record.clone())));
        }
        found
    }

    /// The events that change, before and after.
    pub(super) fn changed(&self) -> impl Iterator<Item = (Option<&Event>, Option<&Event>)> {
        let each = self.events.values();
        each.map(|kept| (kept.before.event.as_ref(), kept.after.event.as_ref()))
            .filter(|(was, is)| was != is)
    }

    /// The records that lose events, each with their types.
    pub(super) fn losers(&self) -> BTreeMap<RecordKey, BTreeSet<String>> {
        let mut losers: BTreeMap<RecordKey, BTreeSet<String>> = BTreeMap::new();
        let were = self.changed().filter_map(|(was, _)| was);
        for was in were.filter(|was| !was.is_waiting()) {
            let kinds = losers.entry(was.record.clone()).or_default();
            kinds.insert(was.kind.clone());
        }
        losers
    }

    /// The events of a record among them, after the batch.
    pub(super) fn events_of(&self, record: &RecordKey) -> impl Iterator<Item = &Event> {
        let now = self.events.values();
        now.filter_map(|kept| kept.after.event.as_ref())
            .filter(move |event| event.record == *record)
    }

    /// How many of the events that are stored may be kept otherwise now.
    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// The rows of events that change.
    pub(super) fn corrected(&self) -> Vec<CorrectedEvent> {
        let changed = self
            .events
            .values()
            .filter(|kept| kept.before != kept.after);
        changed.cloned().collect()
    }

    /// The corrections to append.
    pub(super) fn stored(&self, sequence: Sequence) -> Vec<StoredCorrection> {
        let numbered = self.added.iter().enumerate();
        numbered
            .map(|(ordinal, (key, receive_time, draft))| StoredCorrection {
                key: key.clone(),
                sequence,
                ordinal: i32::try_from(ordinal).unwrap_or(i32::MAX),
                receive_time: *receive_time,
                draft: draft.clone(),
            })
            .collect()
    }
}

/// The note about a statement that a later correction supersedes.
pub(super) fn later() -> Note {
    note(NoteReason::Superseded, SUPERSEDED)
}

/// The note about an event of before its record's key was given to somebody else.
pub(super) fn former() -> Note {
    let note = note(NoteReason::FormerHolder, FORMER);
    Note {
        field: "event_time".to_owned(),
        ..note
    }
}

/// The note about a statement by which a key is somebody else's.
pub(super) fn reused_key() -> Note {
    let note = note(NoteReason::FormerHolder, REUSED_KEY);
    Note {
        field: "record.key".to_owned(),
        ..note
    }
}

/// The note about a statement after which a former value of an identifier type is not kept.
pub(super) fn forgotten(kind: &str) -> Note {
    let note = note(NoteReason::Forgotten, FORGOTTEN);
    Note {
        field: format!("identifiers.{kind}"),
        ..note
    }
}

fn note(reason: NoteReason, description: &'static str) -> Note {
    Note {
        field: "event_id".to_owned(),
        reason,
        description: description.into(),
    }
}

const FORMER: &str = "its record's key was deleted later and given out again: the event is a \
                      former holder's, and not shown with the present one";
const FORGOTTEN: &str = "the record held more values of this type before than are kept: the one \
                         said longest ago does not find the customer any more";
const REUSED_KEY: &str = "the key was deleted and is given out again: what happened before the \
                          deletion, and was allowed or wished, is a former holder's from now on";
const UNKNOWN: &str =
    "no event is known under this source and id; the correction holds when it comes";
const SUPERSEDED: &str =
    "a correction that is later took the event back or replaced it: kept in history, and not used";
