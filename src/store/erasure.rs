//! Erasure: what goes when a customer is forgotten, and what stays so that no source brings them
//! back.
//!
//! An erasure is a write. All that is kept of the customer's records goes with it: what their
//! sources said, their events, all history, and each place that names one of them. A *tombstone*
//! stays for each record, a keyed hash of its name: a statement about the record is refused from
//! then on, until the erasure is released. The key is the tenant's own, made with its first
//! erasure. Whoever reads the database can still try out names of records; without it nobody can.

use std::collections::BTreeSet;
use std::fmt;

use async_trait::async_trait;
use hmac::{Hmac, KeyInit, Mac};
use profile_core::records::{ProfileId, RecordKey, Sequence, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;

use super::{Cause, IdentityChange, Result, StoredDecision};

/// The store as those see it who look after erasures. An erasure itself is a write:
/// [`Transaction::erase`](super::Transaction::erase).
///
/// # Cancel safety
/// A release whose wait is dropped may be done or not. It may be asked for again.
#[async_trait]
pub trait Erasures {
    /// Erasures, newest first: only those after a write and an id in this order, at most `limit`.
    async fn list_erasures(
        &self,
        tenant: &TenantId,
        after: Option<(Sequence, String)>,
        limit: usize,
    ) -> Result<Vec<StoredErasure>>;

    /// An erasure by id, released or not.
    async fn erasure(&self, tenant: &TenantId, id: &str) -> Result<Option<StoredErasure>>;

    /// Takes an erasure's tombstones away, and keeps by whose word. Nothing changes for one that
    /// was released before, or is unknown.
    async fn release_erasure(&self, tenant: &TenantId, id: &str, release: &Release) -> Result<()>;
}

/// The key of a tenant's tombstones.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TombstoneKey([u8; Self::BYTES]);

impl TombstoneKey {
    /// The length of a key in bytes.
    pub const BYTES: usize = 32;

    /// A new one, of 244 random bits.
    #[must_use]
    pub fn random() -> Self {
        let mut bytes = [0; Self::BYTES];
        for half in bytes.chunks_exact_mut(16) {
            #[expect(clippy::disallowed_methods, reason = "a key is random")]
            half.copy_from_slice(Uuid::new_v4().as_bytes());
        }
        Self(bytes)
    }

    /// One that was kept. `None`: it has another length.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its bytes, to be kept.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The tombstone of a record: the first half of HMAC-SHA-256.
    #[must_use]
    pub fn tombstone(&self, record: &RecordKey) -> Tombstone {
        // A key that is shorter than a block counts as filled up with zeros.
        let mut block = [0; 64];
        block[..Self::BYTES].copy_from_slice(&self.0);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        // The length ends the first text, so that no two names are hashed alike.
        mac.update(&(record.source.len() as u64).to_le_bytes());
        mac.update(record.source.as_bytes());
        mac.update(record.key.as_bytes());
        let hash = mac.finalize().into_bytes();
        let mut half = [0; 16];
        half.copy_from_slice(&hash[..16]);
        Tombstone(Uuid::from_bytes(half))
    }
}

impl fmt::Debug for TombstoneKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TombstoneKey(…)")
    }
}

/// A keyed hash of a record's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tombstone(pub Uuid);

/// An erasure to write.
#[derive(Debug, Clone, PartialEq)]
pub struct Erasure {
    /// The records of the customer. Those that were in the profile are in it no more.
    pub records: Vec<RecordKey>,
    /// The key of the tenant's tombstones.
    pub key: TombstoneKey,
    /// The receipt; the store fills in its `places`.
    pub receipt: StoredErasure,
}

/// An erasure that was done: nothing in it is personal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredErasure {
    /// The id that names it.
    #[serde(skip)]
    pub id: String,
    /// The write that did it.
    #[serde(skip)]
    pub sequence: Sequence,
    /// The time of that write.
    pub time: Timestamp,
    /// The profile that was erased.
    pub profile: ProfileId,
    /// The person who asked for it, in the caller's words.
    pub actor: String,
    /// The reason, in the caller's words.
    pub note: String,
    /// Where something went, and how much.
    #[serde(default)]
    pub places: Vec<(ErasedPlace, u64)>,
    /// Since when statements about the records are taken again, by whose word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
}

/// The end of an erasure's tombstones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The time from which statements are taken again.
    pub time: Timestamp,
    /// The person who asked for it, in the caller's words.
    pub actor: String,
    /// The reason, in the caller's words.
    pub note: String,
}

/// A place where something of a customer is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErasedPlace {
    /// Records as they are now.
    Records,
    /// Statements as they were said.
    Statements,
    /// Events, also former states of events.
    Events,
    /// Corrections of events.
    Corrections,
    /// Changes of the records' memberships.
    Memberships,
    /// Former states of records, of the identifiers that they held, and of their profiles.
    History,
    /// Decisions that named one of the records, and what was said to requests about them.
    Decisions,
    /// Merges and splits that moved one of the records or concerned a profile of theirs.
    IdentityChanges,
    /// Stays in segments.
    Segments,
}

impl ErasedPlace {
    /// Its name in receipts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Statements => "statements",
            Self::Events => "events",
            Self::Corrections => "corrections",
            Self::Memberships => "memberships",
            Self::History => "history",
            Self::Decisions => "decisions",
            Self::IdentityChanges => "identity_changes",
            Self::Segments => "segments",
        }
    }
}

/// A decision after an erasure: the records go out of it, with the words of whoever decided.
/// `None`: it says nothing any more.
pub(super) fn redact_decision(
    stored: &StoredDecision,
    erased: &BTreeSet<RecordKey>,
) -> Option<StoredDecision> {
    let mut stored = stored.clone();
    let decision = &mut stored.decision;
    decision.left.retain(|record| !erased.contains(record));
    decision.right.retain(|record| !erased.contains(record));
    let is_empty = decision.left.is_empty() || decision.right.is_empty();
    stored.note.clear();
    (!is_empty).then_some(stored)
}

/// A merge or a split after an erasure. `None`: it goes as a whole.
pub(super) fn redact_change(
    change: &IdentityChange,
    erased: &BTreeSet<RecordKey>,
    profiles: &BTreeSet<ProfileId>,
) -> Option<IdentityChange> {
    let concerns = [change.from, change.into]
        .iter()
        .any(|id| profiles.contains(id));
    let moves = change.moved.iter().any(|(key, _)| erased.contains(key));
    if concerns || moves {
        return None;
    }
    let mut change = change.clone();
    if let Cause::Statements(records) = &mut change.cause {
        records.retain(|record| !erased.contains(record));
    }
    Some(change)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tombstones_depend_on_the_key_and_on_each_part_of_the_name() {
        let (one, other) = (TombstoneKey([1; 32]), TombstoneKey([2; 32]));
        let name = RecordKey::new("web", "17");
        assert_eq!(one.tombstone(&name), one.tombstone(&name));
        let others = [
            other.tombstone(&name),
            one.tombstone(&RecordKey::new("we", "b17")),
            one.tombstone(&RecordKey::new("web", "18")),
        ];
        assert!(others.iter().all(|hash| *hash != one.tombstone(&name)));
    }

    #[test]
    fn a_key_is_random_and_hidden() {
        assert_ne!(TombstoneKey::random(), TombstoneKey::random());
        assert_eq!(format!("{:?}", TombstoneKey([7; 32])), "TombstoneKey(…)");
    }
}
