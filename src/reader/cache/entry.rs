//! Entries of the cache, their age, and the requirement of a read.

use std::sync::Arc;
use std::time::Instant;

use profile_core::profile::Profile;
use profile_core::records::{Object, ProfileId, Sequence, TenantId};

use crate::changes::{CacheKey, Watermark};
use crate::store;

/// The content of an entry.
#[derive(Debug, Clone)]
pub(in crate::reader) enum Cached {
    /// A profile, folded.
    Profile(Arc<Profile>),
    /// The id of another, live profile.
    Redirect(ProfileId),
    /// No profile answers to the id.
    Absent,
    /// The profiles that hold an identifier or a record; empty where nobody does.
    Holders(Vec<ProfileId>),
    /// The latest objects of a profile.
    Objects(Arc<LatestObjects>),
}

/// The latest objects of a customer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LatestObjects {
    /// The one that changed last comes first.
    pub objects: Vec<Object>,
    /// Whether there are states of such objects, or other events that name one of them, that may
    /// not be seen.
    pub hides_some: bool,
}

impl Cached {
    /// Whether nobody answers to the key.
    pub(in crate::reader) fn is_absence(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::Holders(holders) => holders.is_empty(),
            Self::Profile(_) | Self::Redirect(_) | Self::Objects(_) => false,
        }
    }
}

/// A cached answer.
#[derive(Debug, Clone)]
pub(in crate::reader) struct Entry {
    pub(in crate::reader) value: Cached,
    /// It reflects every write up to this one.
    pub(in crate::reader) sequence: Sequence,
    /// It shows nothing of any write after this one. Later than `sequence` where it was put
    /// together by several reads.
    pub(in crate::reader) shown: Sequence,
    pub(in crate::reader) read_at: Instant,
}

impl Entry {
    /// An entry that one statement read, as of a write.
    pub(in crate::reader) fn as_of(value: Cached, sequence: Sequence, read_at: Instant) -> Self {
        Self {
            value,
            sequence,
            shown: sequence,
            read_at,
        }
    }

    /// The entry to keep under a key: a redirect where an id leads to a profile of another id.
    pub(in crate::reader) fn under(self, key: &CacheKey) -> Self {
        match (&self.value, key) {
            (Cached::Profile(profile), CacheKey::Id(id)) if profile.id != *id => Self {
                value: Cached::Redirect(profile.id),
                ..self
            },
            _ => self,
        }
    }

    /// How current the entry is when it was just loaded.
    pub(in crate::reader) fn loaded(&self) -> Recency {
        Recency {
            sequence: self.sequence,
            shown: self.shown.max(self.sequence),
            known_at: self.read_at,
        }
    }

    /// How current the entry is, found under the epoch that was current when the proof was taken.
    pub(in crate::reader) fn currency(&self, proof: Watermark) -> Recency {
        let sequence = self.sequence.max(proof.position);
        let known_at = self.read_at.max(proof.known_at);
        Recency {
            sequence,
            shown: self.shown.max(sequence),
            known_at,
        }
    }
}

/// How current an answer is: it misses no write up to `sequence`, and none that was answered before
/// `known_at`.
///
/// An answer that is made of several parts reflects what the *least* current of them reflects, and
/// shows what the *most* current of them shows. "At least as fresh" is a question about the first,
/// a read token a statement about the second: whoever reads with the token must see at least what
/// this answer showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recency {
    /// The last write that all parts reflect for certain.
    pub sequence: Sequence,
    /// The last write of which any part may show something: what a read token of the answer proves.
    pub shown: Sequence,
    /// When it was last known to be current.
    pub known_at: Instant,
}

impl Recency {
    /// That of an answer which is made of two.
    pub(in crate::reader) fn and(self, other: Self) -> Self {
        Self {
            sequence: self.sequence.min(other.sequence),
            shown: self.shown.max(other.shown),
            known_at: self.known_at.min(other.known_at),
        }
    }

    /// The same for an answer that also shows what the store had at a write.
    #[must_use]
    pub fn showing(self, write: Sequence) -> Self {
        Self {
            shown: self.shown.max(write),
            ..self
        }
    }
}

/// The requirement that an entry must meet to be answered.
#[derive(Debug, Clone, Copy)]
pub(in crate::reader) struct Requirement {
    pub(in crate::reader) proof: Watermark,
    /// At least this write.
    pub(in crate::reader) sequence: Sequence,
    /// Known to be current at this moment or later. `None` allows only what the store says now.
    pub(in crate::reader) known_since: Option<Instant>,
    /// The same, when the store does not answer.
    pub(in crate::reader) stale_since: Option<Instant>,
}

impl Requirement {
    pub(super) fn is_met(&self, entry: &Entry, since: Option<Instant>) -> bool {
        let currency = entry.currency(self.proof);
        currency.sequence >= self.sequence && since.is_some_and(|since| currency.known_at >= since)
    }

    /// The entry, just loaded, if the store has seen the write that it must reflect: a standby that
    /// took over may not have.
    pub(in crate::reader) fn proven(&self, entry: Entry) -> Result<Entry, store::Error> {
        if entry.sequence >= self.sequence {
            return Ok(entry);
        }
        Err(store::Error::Unavailable(
            "the store has not seen the write of the read token".to_owned(),
        ))
    }
}

/// Where an answer is kept: under all that makes it old when it changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::reader) struct EntryKey {
    pub(in crate::reader) tenant: TenantId,
    pub(in crate::reader) key: CacheKey,
    pub(in crate::reader) epoch: u64,
    /// The version of the tenant's model that was known to be in force.
    pub(in crate::reader) model: i64,
    /// See [`Watermark`].
    pub(in crate::reader) generation: u64,
}
