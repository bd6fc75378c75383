//! Footprints: the things that a write touches, and those that another one has read, as digests.
//! Two sets of numbers show whether the one concerns the other, and no personal data is in the log.
//!
//! Two things with one digest are taken for one: then a write is computed once more than it need
//! be, and nothing is lost.

use std::collections::{BTreeSet, HashSet};
use std::hash::Hasher;

use profile_core::identity::BlockingKey;
use profile_core::records::{
    Event, EventKey, Identifier, KeptEvent, ObjectKey, ProfileId, RecordKey,
};
use siphasher::sip::SipHasher13;

use super::{Changes, CorrectedEvent};

/// Something that is read or written.
#[derive(Clone, Copy)]
pub(super) enum Thing<'a> {
    /// A record with all that hangs on it: statements, events, membership, pairs, decisions.
    Record(&'a RecordKey),
    /// The holders of an identifier.
    Identifier(&'a Identifier),
    /// The records under a blocking key.
    Key(BlockingKey),
    /// An event with its corrections.
    Event(&'a EventKey),
    /// The events that name an object.
    Object(&'a ObjectKey),
    /// The row of a profile, and its members.
    Profile(ProfileId),
}

impl Thing<'_> {
    fn digest(self) -> u64 {
        let mut hasher = SipHasher13::new();
        // Each text with its end told, so that no two things are written alike.
        let mut texts = |sort: u8, first: &str, second: &str| {
            hasher.write_u8(sort);
            hasher.write(&(first.len() as u64).to_le_bytes());
            hasher.write(first.as_bytes());
            hasher.write(second.as_bytes());
        };
        match self {
            Self::Record(key) => texts(0, &key.source, &key.key),
            Self::Identifier(identifier) => texts(1, &identifier.kind, &identifier.value),
            Self::Event(key) => texts(2, &key.source, &key.event_id),
            Self::Object(key) => texts(3, &key.kind, &key.id),
            Self::Key(key) => {
                hasher.write_u8(4);
                hasher.write(&key.0.to_le_bytes());
            }
            Self::Profile(id) => {
                hasher.write_u8(5);
                hasher.write(id.0.as_bytes());
            }
        }
        hasher.finish()
    }
}

/// The things that a write touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Footprint {
    /// It may be anything: another model is in force, or it is not known.
    Everything,
    /// Digests, sorted.
    Things(Vec<u64>),
}

impl Footprint {
    pub(super) fn of(changes: &Changes) -> Self {
        if changes.activation.is_some() {
            return Self::Everything;
        }
        let mut touched = Touched::default();
        touched.records(changes);
        touched.events(changes);
        touched.identity(changes);
        Self::Things(touched.0.into_iter().collect())
    }

    /// Eight bytes a digest; a lone byte for everything.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Everything => vec![0],
            Self::Things(digests) => {
                let bytes = digests.iter().flat_map(|digest| digest.to_le_bytes());
                bytes.collect()
            }
        }
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let (digests, rest) = bytes.as_chunks::<8>();
        if rest.is_empty() {
            Self::Things(
                digests
                    .iter()
                    .map(|digest| u64::from_le_bytes(*digest))
                    .collect(),
            )
        } else {
            Self::Everything
        }
    }
}

#[derive(Default)]
struct Touched(BTreeSet<u64>);

impl Touched {
    fn add(&mut self, thing: Thing<'_>) {
        self.0.insert(thing.digest());
    }

    fn records(&mut self, changes: &Changes) {
        for record in changes.added_records.iter().chain(&changes.records) {
            self.add(Thing::Record(&record.key));
        }
        for (record, _) in &changes.rollups {
            self.add(Thing::Record(record));
        }
        for statement in &changes.statements {
            self.add(Thing::Record(&statement.key.record));
        }
        for change in &changes.memberships {
            self.add(Thing::Record(&change.record));
        }
        let identifiers = changes.added_identifiers.iter();
        for (identifier, _) in identifiers.chain(&changes.removed_identifiers) {
            self.add(Thing::Identifier(identifier));
        }
        for (key, _) in changes.added_keys.iter().chain(&changes.removed_keys) {
            self.add(Thing::Key(*key));
        }
    }

    fn events(&mut self, changes: &Changes) {
        for event in &changes.events {
            self.event(event);
        }
        for CorrectedEvent { before, after } in &changes.corrected_events {
            self.kept(before);
            self.kept(after);
        }
        for correction in &changes.corrections {
            self.add(Thing::Event(&correction.key.event));
        }
    }

    fn kept(&mut self, kept: &KeptEvent) {
        self.add(Thing::Event(&kept.key));
        if let Some(event) = &kept.event {
            self.event(event);
        }
    }

    fn event(&mut self, event: &Event) {
        self.add(Thing::Event(&event.key()));
        if let Some(record) = event.home() {
            self.add(Thing::Record(record));
        }
        for (object, _) in event.meaning.objects() {
            self.add(Thing::Object(object));
        }
    }

    fn identity(&mut self, changes: &Changes) {
        for row in changes.added_profiles.iter().chain(&changes.profiles) {
            self.add(Thing::Profile(row.id));
        }
        for pair in changes.removed_pairs.iter().chain(&changes.pairs) {
            self.add(Thing::Record(&pair.left));
            self.add(Thing::Record(&pair.right));
        }
        let decisions = changes.added_decisions.iter();
        for stored in decisions.chain(&changes.withdrawn_decisions) {
            for record in stored.decision.left.iter().chain(&stored.decision.right) {
                self.add(Thing::Record(record));
            }
        }
    }
}

/// The things that a write has asked for, found or not.
#[derive(Debug, Default)]
pub(super) struct ReadSet {
    things: HashSet<u64>,
    everything: bool,
}

impl ReadSet {
    pub(super) fn add(&mut self, thing: Thing<'_>) {
        self.things.insert(thing.digest());
    }

    /// Counts everything as read.
    pub(super) fn add_everything(&mut self) {
        self.everything = true;
    }

    /// Whether something that was read is touched.
    pub(super) fn meets(&self, footprint: &Footprint) -> bool {
        match footprint {
            Footprint::Everything => true,
            Footprint::Things(touched) => {
                (self.everything && !touched.is_empty())
                    || touched.iter().any(|thing| self.things.contains(thing))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(things: &[Thing<'_>]) -> ReadSet {
        let mut read = ReadSet::default();
        for thing in things {
            read.add(*thing);
        }
        read
    }

    #[test]
    fn a_footprint_meets_what_was_read_and_nothing_else() {
        let (held, other) = (Identifier::new("email", "a"), Identifier::new("email", "b"));
        let record = RecordKey::new("shop", "1");
        let changes = Changes {
            added_identifiers: vec![(held.clone(), record.clone())],
            added_keys: vec![(BlockingKey(7), record)],
            ..Changes::default()
        };
        let footprint = Footprint::of(&changes);
        assert!(read(&[Thing::Identifier(&held)]).meets(&footprint));
        assert!(read(&[Thing::Key(BlockingKey(7))]).meets(&footprint));
        assert!(!read(&[Thing::Identifier(&other), Thing::Key(BlockingKey(8))]).meets(&footprint));
        assert!(read(&[]).meets(&Footprint::Everything));
        assert!(!read(&[]).meets(&Footprint::of(&Changes::default())));
    }

    #[test]
    fn a_footprint_is_kept_as_bytes() {
        for footprint in [
            Footprint::Everything,
            Footprint::Things(Vec::new()),
            Footprint::Things(vec![1, u64::MAX]),
        ] {
            assert_eq!(Footprint::from_bytes(&footprint.to_bytes()), footprint);
        }
    }
}
