//! The state of one record: the fold of all statements about it, in a form that takes them in any
//! order.
//!
//! A record is a map of fields, each with the place ([`Provenance::place`]) of the statement that
//! set it, over a *base*: the latest whole statement (upsert or delete). A field set by the base
//! carries no stamp of its own. A statement changes a field only if it is later than what set the
//! field before, and a base drops all that is older than itself. Taking the later of two is
//! commutative, associative and idempotent, so any order of the same statements gives the same
//! state, and a late one needs nothing re-read from history.
//!
//! Preferences, and words on purposes, are fields of their own that no base drops: that a shop's
//! record is replaced or deleted takes back nothing that its customer wanted. Of them the
//! [last word](super::last_word) counts, whether or not it has a version. Where a source
//! deletes a record and gives its key out again, the next customer inherits what limits us
//! (withdrawals, refusals, limits of contact), but nothing that allows anything, and no wishes,
//! needs or events: those were another person's. The time of an event tells the holder, so it does
//! not matter what comes in first, the event, the deletion or the next customer.

mod apply;
mod former;
mod holder;
mod wish;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use former::Former;
pub use former::MAX_FORMER;
pub use holder::held_since;
use wish::Wish;

use super::rollup::Rollup;
use super::value::Value;
use super::{
    Consents, ContentHash, Event, Identifier, IdentifierValue, Preference, PreferenceKey,
    ProfileId, RecordKey, Timestamp, id::said_time,
};
use crate::heap_size::{HeapSize, heap_size, pack_map, plain_size};

/// Names a statement among those about its record, and orders them where no clock was ahead (see
/// [`Provenance::place`]); the content breaks ties, so that the order is total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct VersionStamp {
    /// The source's version, 0 when it has none.
    #[serde(rename = "v", default)]
    pub version: i64,
    /// The source's time, the epoch when it gives none.
    #[serde(rename = "t", default)]
    pub time: Timestamp,
    /// What it says.
    #[serde(rename = "h")]
    pub content: ContentHash,
}

/// Who said a value, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Record of the statement.
    pub record: RecordKey,
    /// In the source's word.
    pub source_time: Option<Timestamp>,
    /// Time at which the server received it.
    pub receive_time: Timestamp,
}

impl Origin {
    /// Who said what a record holds.
    #[must_use]
    pub fn of(record: &RecordKey, said: &Provenance) -> Self {
        Self {
            record: record.clone(),
            source_time: said.source_time,
            receive_time: said.receive_time,
        }
    }

    /// The time that values compete by: see [`Provenance::said_time`].
    #[must_use]
    pub(crate) fn said_time(&self) -> Option<Timestamp> {
        said_time(self.source_time, self.receive_time)
    }
}

/// When a statement was made and received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Version, time and content in the source's word; of an undated statement, its place.
    #[serde(rename = "o")]
    pub stamp: VersionStamp,
    /// In the source's word.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub source_time: Option<Timestamp>,
    /// Time at which the server received it.
    #[serde(rename = "r")]
    pub receive_time: Timestamp,
}

impl Provenance {
    /// The time that values of several records compete by: the source's, at most the receipt.
    /// `None`: the source says none, so the value is older than all that have one.
    #[must_use]
    pub fn said_time(&self) -> Option<Timestamp> {
        said_time(self.source_time, self.receive_time)
    }

    /// The place among the record's statements: the stamp, where a time ahead of the receipt counts
    /// as the receipt. Else what a fast clock said would outlive all that is said after it. The
    /// stamp keeps the time as it was said, so that the same statement is known when it comes
    /// again.
    #[must_use]
    pub fn place(&self) -> VersionStamp {
        let ahead = self
            .source_time
            .is_some_and(|time| time > self.receive_time);
        let time = if ahead {
            self.receive_time
        } else {
            self.stamp.time
        };
        VersionStamp { time, ..self.stamp }
    }

    /// When it was said, as events are dated: in the source's word, at most the receipt, and the
    /// receipt where the source says no time.
    #[must_use]
    pub fn moment(&self) -> Timestamp {
        match self.source_time {
            Some(time) => time.min(self.receive_time),
            None => self.stamp.time.max(self.receive_time),
        }
    }
}

/// The latest whole statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Base {
    #[serde(rename = "p")]
    said: Provenance,
    #[serde(default)]
    deleted: bool,
}

/// A field's value and, if a patch set it, which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Register<T> {
    #[serde(rename = "v")]
    value: T,
    #[serde(
        rename = "p",
        default = "none",
        skip_serializing_if = "Option::is_none"
    )]
    patch: Option<Provenance>,
}

fn none<T>() -> Option<T> {
    None
}

/// An id that a record holds for the cluster it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CarriedId {
    /// The older of two profiles keeps its id in a merge.
    pub create_time: Timestamp,
    /// Id of the profile.
    pub id: ProfileId,
}

/// Where identity has put a record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Membership {
    /// The profile; none when the record is gone.
    #[serde(skip)]
    pub profile: Option<ProfileId>,
    /// What joined it: `alone`, or `shared:email`.
    #[serde(default)]
    pub reason: String,
    /// The ids that go where this record goes: those that it founded or inherited.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub carries: Vec<CarriedId>,
    /// How many ids it has founded.
    #[serde(default)]
    pub minted: u32,
}

/// One source's record of one customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Source and key of the record.
    pub key: RecordKey,
    /// When it was first heard of.
    pub first_seen: Timestamp,
    /// Whether events hang on it.
    #[serde(default)]
    pub has_events: bool,
    /// Profile that the record belongs to.
    #[serde(default)]
    pub membership: Membership,
    /// The latest statement, effective or not: an undated one comes after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    latest: Option<Provenance>,
    /// The greatest time of a statement that was ahead of its receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ahead: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base: Option<Base>,
    /// The [moment](Provenance::moment) of the latest deletion, effective or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deleted: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    identifiers: BTreeMap<String, Register<Vec<IdentifierValue>>>,
    #[serde(default, skip_serializing_if = "Former::is_empty")]
    former: Former,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    traits: BTreeMap<String, Register<Option<Value>>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    preferences: BTreeMap<PreferenceKey, Wish>,
    #[serde(default, skip_serializing_if = "Consents::is_empty")]
    consents: Consents,
    /// By event type the latest contacts, latest first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    contacts: BTreeMap<String, Vec<Timestamp>>,
    /// What its events add up to. Kept beside the record, as it changes with each event.
    #[serde(skip)]
    pub rollup: Rollup,
}

/// How many contacts of a type are kept: a frequency cap counts no more.
pub const MAX_CONTACTS: usize = 50;

impl Record {
    /// A record of which nothing was said yet.
    #[must_use]
    pub fn new(key: RecordKey, first_seen: Timestamp) -> Self {
        Self {
            key,
            first_seen,
            has_events: false,
            membership: Membership::default(),
            latest: None,
            ahead: None,
            base: None,
            deleted: None,
            identifiers: BTreeMap::new(),
            former: Former::default(),
            traits: BTreeMap::new(),
            preferences: BTreeMap::new(),
            consents: Consents::default(),
            contacts: BTreeMap::new(),
            rollup: Rollup::default(),
        }
    }

    /// Whether the record belongs in a profile: something is said of it, something happened, or its
    /// customer wanted something.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.has_events
            || self.is_said()
            || self.preferences().next().is_some()
            || !self.consents.is_empty()
    }

    /// Whether its source says that there is such a customer.
    #[must_use]
    pub(crate) fn is_said(&self) -> bool {
        self.base.is_some_and(|base| !base.deleted)
            || self.identifiers.values().any(|cell| !cell.value.is_empty())
            || self.traits.values().any(|cell| cell.value.is_some())
    }

    /// The latest statement about it, if any was made.
    #[must_use]
    pub fn latest(&self) -> Option<&Provenance> {
        self.latest.as_ref()
    }

    /// Whether a statement with this stamp may have been taken in: it is not later than all that
    /// were.
    #[must_use]
    pub fn may_know(&self, stamp: VersionStamp) -> bool {
        self.latest.is_some_and(|latest| stamp <= latest.place())
            || self.ahead.is_some_and(|ahead| stamp.time <= ahead)
    }

    /// Its identifiers in their normal form, in order of type and value.
    pub fn identifiers(&self) -> impl Iterator<Item = Identifier> + '_ {
        self.identifier_values()
            .map(|(kind, held)| Identifier::new(kind, &held.value))
    }

    /// Its identifiers by type, also as the source wrote them; in order of type and value.
    pub fn identifier_values(&self) -> impl Iterator<Item = (&str, &IdentifierValue)> {
        self.identifiers
            .iter()
            .flat_map(|(kind, cell)| cell.value.iter().map(move |held| (kind.as_str(), held)))
    }

    /// Its identifiers with who said them when.
    pub(crate) fn identifiers_said(
        &self,
    ) -> impl Iterator<Item = (&str, &IdentifierValue, &Provenance)> {
        self.identifiers.iter().flat_map(|(kind, cell)| {
            let said = self.said(cell.patch.as_ref());
            cell.value
                .iter()
                .filter_map(move |held| Some((kind.as_str(), held, said?)))
        })
    }

    /// Its traits, in order of name.
    pub fn traits(&self) -> impl Iterator<Item = (&str, &Value, &Provenance)> {
        self.traits.iter().filter_map(|(name, cell)| {
            Some((
                name.as_str(),
                cell.value.as_ref()?,
                self.said(cell.patch.as_ref())?,
            ))
        })
    }

    /// Its preferences, in order of key. Of those of a former holder of the key the limits stay.
    pub fn preferences(&self) -> impl Iterator<Item = (&PreferenceKey, &Preference, &Provenance)> {
        self.preferences.iter().filter_map(|(key, wish)| {
            let (value, said) = wish.last(key)?;
            let value = value.as_ref()?;
            let stays = key.limits(value) || !self.is_of_former_holder(said);
            stays.then_some((key, value, said))
        })
    }

    /// Whether anything was ever said of a preference, cleared or not.
    #[must_use]
    pub fn has_word_on(&self, key: &PreferenceKey) -> bool {
        self.preferences.contains_key(key)
    }

    /// Of how many preferences anything was ever said.
    #[must_use]
    pub fn preference_count(&self) -> usize {
        self.preferences.len()
    }

    /// What its customer said about purposes.
    #[must_use]
    pub fn consents(&self) -> &Consents {
        &self.consents
    }

    /// When its customer was contacted by events of a type: the latest, latest first. A former
    /// holder of the key is another customer.
    #[must_use]
    pub fn contacts(&self, event_type: &str) -> &[Timestamp] {
        let all = self.contacts.get(event_type).map_or(&[][..], Vec::as_slice);
        &all[..all.partition_point(|time| !self.was_anothers(*time))]
    }

    /// Whether contacts of a type are kept, whosever they were.
    pub(crate) fn keeps_contacts(&self, event_type: &str) -> bool {
        self.contacts.contains_key(event_type)
    }

    /// How many contacts are kept.
    #[must_use]
    pub fn contact_count(&self) -> usize {
        self.contacts.values().map(Vec::len).sum()
    }

    /// Counts an event, which was not counted before, as a contact.
    pub fn count_contact(&mut self, event: &Event) {
        let times = self.contacts.entry(event.kind.clone()).or_default();
        let place = times.partition_point(|time| *time > event.sort_time);
        times.insert(place, event.sort_time);
        times.truncate(MAX_CONTACTS);
    }

    /// Forgets the contacts of a type, which are counted again.
    pub(crate) fn forget_contacts(&mut self, event_type: &str) {
        self.contacts.remove(event_type);
    }

    /// Takes over what statements do not tell: who it belongs to, when it was first heard of, and
    /// what happened.
    #[must_use]
    pub fn anew(&self) -> Self {
        Self {
            has_events: self.has_events,
            membership: self.membership.clone(),
            contacts: self.contacts.clone(),
            rollup: self.rollup.clone(),
            ..Self::new(self.key.clone(), self.first_seen)
        }
    }

    /// Whether sources have said the same of both, wherever identity put them.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        (self.first_seen, &self.latest, &self.base, self.deleted)
            == (other.first_seen, &other.latest, &other.base, other.deleted)
            && (&self.identifiers, &self.former, &self.traits)
                == (&other.identifiers, &other.former, &other.traits)
            && (&self.preferences, &self.consents) == (&other.preferences, &other.consents)
    }

    /// Whether both are kept alike, but for what their events add up to.
    #[must_use]
    pub fn is_kept_as(&self, other: &Self) -> bool {
        (&self.key, self.has_events, &self.membership)
            == (&other.key, other.has_events, &other.membership)
            && (&self.contacts, self.ahead) == (&other.contacts, other.ahead)
            && self.says_the_same(other)
    }

    /// Packs what is to be kept for long.
    pub fn pack(&mut self) {
        self.traits
            .values_mut()
            .filter_map(|cell| cell.value.as_mut())
            .for_each(Value::pack);
        pack_map(&mut self.identifiers);
        pack_map(&mut self.traits);
        pack_map(&mut self.preferences);
        pack_map(&mut self.contacts);
    }

    fn said<'a>(&'a self, patch: Option<&'a Provenance>) -> Option<&'a Provenance> {
        patch.or(self.base.as_ref().map(|base| &base.said))
    }
}

plain_size!(VersionStamp, Provenance, Base, CarriedId);

heap_size! {
    Origin { record, source_time, receive_time }
    Membership { profile, reason, carries, minted }
    Record {
        key, first_seen, has_events, membership, latest, ahead, base, deleted, identifiers, former, traits, preferences, consents,
        contacts, rollup,
    }
}

impl<T: HeapSize> HeapSize for Register<T> {
    fn heap_bytes(&self) -> usize {
        self.value.heap_bytes()
    }
}
