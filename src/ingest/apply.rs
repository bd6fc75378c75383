//! The first half of a write, pure: statements onto records, with the outcome of each.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use profile_core::model::{Model, Note};
use profile_core::records::{
    Change, ContentHash, Correction, Event, EventKey, EventTaken, Reason, Record, RecordKey,
    RecordStatement, Statement, Timestamp, Value, Violation,
};

use super::attach::{AttachFigures, Attached};
use super::correct::{self, Corrections};
use crate::neighbourhood::Seeds;
use crate::store::{Cause, StatementKey};

/// How many purposes and contact points a record may speak of.
const MAX_CONSENTS: usize = 500;
/// How many preferences a record may have a word on.
const MAX_PREFERENCES: usize = 256;
/// How many records the log of merges names as their cause.
const MAX_CAUSES: usize = 10;

/// What became of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Durably stored.
    Stored,
    /// Durably stored, with something to be noted.
    StoredWith(Note),
    /// Said before; nothing changed.
    Duplicate,
    /// It can never succeed as it is; nothing changed.
    Rejected(Vec<Violation>),
    /// It finds no customer yet, and as many events as may wait for theirs; nothing changed. Said
    /// again later it may be stored.
    NoRoom,
}

/// What is stored already of the statements of a batch.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Statements about records.
    pub statements: HashSet<StatementKey>,
    /// Events, with their content.
    pub events: HashMap<EventKey, ContentHash>,
    /// The events that are corrected.
    pub corrections: Corrections,
    /// Of events that find their record by an object.
    pub attached: Attached,
}

/// The records of a batch, before and after, and what the batch adds.
#[derive(Debug, Default)]
pub(super) struct Applied<'a> {
    /// As they were; records that are new are not here.
    pub before: BTreeMap<RecordKey, Record>,
    /// As they are now.
    pub after: BTreeMap<RecordKey, Record>,
    /// Statements about records that are new, with their place.
    pub statements: Vec<(StatementKey, &'a RecordStatement)>,
    /// Events that are new.
    pub events: Vec<&'a Event>,
    /// Events that are new and find their record by an object, as they are placed.
    pub attached: Vec<Event>,
    /// Those of them that are not placed yet, with the place of their statement.
    pub(super) seekers: Vec<(usize, &'a Event)>,
    /// Statements that tell an event which is corrected, by their place.
    pub(super) corrected: Vec<(usize, EventKey)>,
    /// The records of the batch's events that were placed.
    pub places: BTreeMap<EventKey, RecordKey>,
    /// How often events were attached.
    pub figures: AttachFigures,
    /// Events that are corrected.
    pub corrections: Corrections,
    /// For each statement of the batch.
    pub outcomes: Vec<Outcome>,
}

impl<'a> Applied<'a> {
    /// Applies statements, in order, to the records as they are stored.
    #[must_use]
    pub(super) fn new(
        statements: &'a [Statement],
        stored: Vec<Record>,
        known: Known,
        (model, now): (&Model, Timestamp),
    ) -> Self {
        let before: BTreeMap<_, _> = stored
            .into_iter()
            .map(|record| (record.key.clone(), record))
            .collect();
        let mut known = known;
        let mut applied = Self {
            after: before.clone(),
            before,
            corrections: std::mem::take(&mut known.corrections),
            ..Self::default()
        };
        for (index, statement) in statements.iter().enumerate() {
            let event = statement.event();
            if let Some(event) = event.filter(|event| applied.corrections.concern(&event.key())) {
                applied.corrected.push((index, event.key()));
            }
            let outcome = match statement {
                Statement::Record(statement) => applied.record(statement, &mut known),
                Statement::Event(event) if applied.corrections.concern(&event.key()) => {
                    applied.corrected_event(event)
                }
                Statement::Event(event) => applied.event(event, &mut known, (model, now)),
                Statement::Correction(correction) => applied.correction(correction),
            };
            applied.outcomes.push(outcome);
        }
        applied.attach(known.attached, (model, now));
        applied.count_corrected((model, now));
        applied
    }

    /// Records of which nothing is left but the names that they carry.
    #[must_use]
    pub(super) fn emptied(records: Vec<Record>) -> Self {
        let empty = |record: &Record| {
            let mut empty = Record::new(record.key.clone(), record.first_seen);
            empty.membership = record.membership.clone();
            (record.key.clone(), empty)
        };
        Self {
            after: records.iter().map(empty).collect(),
            before: (records.into_iter())
                .map(|record| (record.key.clone(), record))
                .collect(),
            ..Self::default()
        }
    }

    fn record(&mut self, statement: &'a RecordStatement, known: &mut Known) -> Outcome {
        let new = || Record::new(statement.record.clone(), statement.receive_time);
        let record = self
            .after
            .entry(statement.record.clone())
            .or_insert_with(new);
        if record.repeats(statement) {
            return Outcome::Duplicate;
        }
        let key = StatementKey {
            record: statement.record.clone(),
            stamp: record.stamp(statement),
        };
        if known.statements.contains(&key) {
            return Outcome::Duplicate;
        }
        if let Err(violation) = room_for(statement, record) {
            return Outcome::Rejected(vec![violation]);
        }
        known.statements.insert(key.clone());
        let before = record.reused_since();
        let forgotten = record.apply_at(key.stamp, statement);
        let since = record.reused_since();
        self.statements.push((key, statement));
        if since.is_some() && since != before {
            Outcome::StoredWith(correct::reused_key())
        } else if let Some(kind) = forgotten {
            Outcome::StoredWith(correct::forgotten(&kind))
        } else {
            Outcome::Stored
        }
    }

    fn event(
        &mut self,
        event: &'a Event,
        known: &mut Known,
        (model, now): (&Model, Timestamp),
    ) -> Outcome {
        match known.events.get(&event.key()) {
            Some(content) if *content == event.content => Outcome::Duplicate,
            Some(_) => reused(),
            None if event.attachment.is_some() => {
                known.events.insert(event.key(), event.content);
                self.seekers.push((self.outcomes.len(), event));
                Outcome::Stored
            }
            None => {
                known.events.insert(event.key(), event.content);
                self.count(event, (model, now));
                self.events.push(event);
                self.stored(event)
            }
        }
    }

    /// The outcome of an event that holds.
    pub(super) fn stored(&self, event: &Event) -> Outcome {
        let record = self.after.get(&event.record);
        if record.is_some_and(|record| record.was_anothers(event.sort_time)) {
            Outcome::StoredWith(correct::former())
        } else {
            Outcome::Stored
        }
    }

    /// Adds an event to what those of its record come to.
    pub(super) fn count(&mut self, event: &Event, (model, now): (&Model, Timestamp)) {
        let record = self.touch(event);
        let first = !std::mem::replace(&mut record.has_events, true);
        model.count(record, event, first, now);
        if model.is_contact(&event.kind) {
            record.count_contact(event);
        }
    }

    /// The record of an event, which was heard of when the event came in, unless others told whose
    /// the event is.
    fn touch(&mut self, event: &Event) -> &mut Record {
        let new = || Record::new(event.record.clone(), event.receive_time);
        let record = self.after.entry(event.record.clone()).or_insert_with(new);
        if event.attachment.is_none() {
            record.first_seen = record.first_seen.min(event.receive_time);
        }
        record
    }

    /// An event of which there is a correction, in the batch or before it.
    fn corrected_event(&mut self, event: &Event) -> Outcome {
        match self.corrections.take_event(event) {
            EventTaken::Known => Outcome::Duplicate,
            EventTaken::Reused => reused(),
            taken @ (EventTaken::Holds | EventTaken::Superseded) => {
                if event.attachment.is_none() {
                    self.touch(event);
                }
                if taken == EventTaken::Holds {
                    self.stored(event)
                } else {
                    Outcome::StoredWith(correct::later())
                }
            }
        }
    }

    fn correction(&mut self, correction: &Correction) -> Outcome {
        let (taken, note) = self.corrections.take(correction);
        match taken {
            EventTaken::Known => Outcome::Duplicate,
            EventTaken::Reused => reused(),
            EventTaken::Holds | EventTaken::Superseded => {
                if let Some(event) = correction.event().filter(|it| it.attachment.is_none()) {
                    self.touch(event);
                }
                match (note, correction.event()) {
                    (Some(note), _) => Outcome::StoredWith(note),
                    (None, Some(event)) => self.stored(event),
                    (None, None) => Outcome::Stored,
                }
            }
        }
    }

    /// Counts the events that corrections put in the place of others. The others are counted off by
    /// [`recount`](super::recount).
    fn count_corrected(&mut self, context: (&Model, Timestamp)) {
        let new = self.corrections.changed().filter_map(|(_, is)| is);
        let new = new.filter(|event| !event.is_waiting()).cloned();
        for event in new.collect::<Vec<_>>() {
            self.count(&event, context);
        }
    }

    /// Whether the batch says what is kept of an event.
    pub(super) fn corrects(&self, event: &Event) -> bool {
        self.corrections.concern(&event.key())
    }

    /// The events of a record that the batch adds, and those that it corrects.
    pub(super) fn events_of(&self, record: &RecordKey) -> impl Iterator<Item = &Event> {
        let added = self.events.iter().copied().chain(&self.attached);
        let added = added.filter(move |event| event.record == *record);
        added.chain(self.corrections.events_of(record))
    }

    /// Records with events whose key got another holder by this batch, or another time of that.
    pub(super) fn reused(&self) -> impl Iterator<Item = &RecordKey> {
        let reused = self.after.values().filter(|record| {
            let before = self.before.get(&record.key).and_then(Record::reused_since);
            record.has_events && before != record.reused_since()
        });
        reused.map(|record| &record.key)
    }

    /// Records whose own state a reader sees differently now.
    #[must_use]
    pub(super) fn changed(&self) -> BTreeSet<RecordKey> {
        let visible = |record: &&Record| match self.before.get(&record.key) {
            None => record.exists(),
            Some(before) => !record.says_the_same(before) || before.exists() != record.exists(),
        };
        self.after
            .values()
            .filter(visible)
            .map(|record| record.key.clone())
            .collect()
    }

    /// Records that identity must look at again: they came, went, or say something else of who they
    /// are.
    fn moved(&self, model: &Model) -> BTreeSet<RecordKey> {
        let says = |record: &Record| -> Vec<(String, Value)> {
            let telling = record
                .traits()
                .filter(|(name, ..)| model.traits.get(*name).is_some_and(|t| t.role.is_some()));
            telling
                .map(|(name, value, _)| (name.to_owned(), value.clone()))
                .collect()
        };
        let moved = |record: &&Record| match self.before.get(&record.key) {
            None => record.exists(),
            Some(before) => {
                before.exists() != record.exists()
                    || !before.postings().eq(record.postings())
                    || says(before) != says(record)
            }
        };
        self.after
            .values()
            .filter(moved)
            .map(|record| record.key.clone())
            .collect()
    }

    /// What merges and splits of this write come from: some of the records that changed.
    #[must_use]
    pub(super) fn cause(&self) -> Cause {
        Cause::Statements(self.changed().into_iter().take(MAX_CAUSES).collect())
    }

    /// Where to look for whom this concerns.
    #[must_use]
    pub(super) fn start(&self, model: &Model) -> Seeds {
        let (before, after) = (self.before.clone(), self.after.clone());
        Seeds {
            before,
            after,
            moved: self.moved(model),
            ..Seeds::default()
        }
    }
}

fn reused() -> Outcome {
    Outcome::Rejected(vec![Violation::new(
        Reason::EventIdReused,
        "record_event.event.event_id",
        "was used before for an event with other content; a later state is an event of its own, \
         and what was wrong is replaced by `replace_event`",
    )])
}

/// A record is read whole, so what is said of it is bounded.
fn room_for(statement: &RecordStatement, record: &Record) -> Result<(), Violation> {
    match &statement.change {
        Change::Consent(consent) if !record.consents().speaks_of(consent) => {
            let topics = record.consents().topics() + 1;
            let limit = Violation::limit(
                "record_consent.consent",
                topics,
                MAX_CONSENTS,
                "purposes and contact points",
            );
            if topics > MAX_CONSENTS {
                Err(limit)
            } else {
                Ok(())
            }
        }
        Change::Prefer(preferences) => {
            let new = preferences
                .keys()
                .filter(|key| !record.has_word_on(key))
                .count();
            let count = record.preference_count() + new;
            let limit = Violation::limit(
                "state_preferences.preferences",
                count,
                MAX_PREFERENCES,
                "preferences",
            );
            if count > MAX_PREFERENCES {
                Err(limit)
            } else {
                Ok(())
            }
        }
        Change::Consent(_) | Change::Replace(_) | Change::Patch { .. } | Change::Delete => Ok(()),
    }
}
