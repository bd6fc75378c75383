//! The cache of profiles.
//!
//! Entries are stored under (tenant, key, epoch, model): see [`Epochs`](crate::changes::Epochs) for
//! why that is never stale. Readers that miss the same key in the same epoch share one load. The
//! cache is bounded by bytes.

use std::mem::size_of;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use profile_core::heap_size::{HeapSize, allocated, heap_size, shared_bytes};
use profile_core::profile::Profile;
use profile_core::records::{Object, ProfileId, Sequence, TenantId};

use crate::changes::{CacheKey, Watermark};
use crate::config::Config;
use crate::store;

/// The bounds of the cache.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How much memory entries may take.
    pub max_bytes: u64,
    /// For how long after it was last known to be current an entry counts as current. Only where
    /// several servers share a database can it be more than nothing.
    pub max_staleness: Duration,
    /// The same while the store does not answer.
    pub max_staleness_when_away: Duration,
}

impl From<&Config> for Limits {
    fn from(config: &Config) -> Self {
        let cache = &config.cache;
        Self {
            max_bytes: cache.max_bytes as u64,
            max_staleness: cache.max_staleness,
            max_staleness_when_away: cache.max_staleness_when_away,
        }
    }
}

/// What is cached.
#[derive(Debug, Clone)]
pub(super) enum Cached {
    /// A profile, folded.
    Profile(Arc<Profile>),
    /// The id of another, live profile.
    Redirect(ProfileId),
    /// No profile answers to the id.
    Absent,
    /// The profiles that hold an identifier or a record; none: nobody does.
    Holders(Vec<ProfileId>),
    /// The latest objects of a profile.
    Objects(Arc<Vec<Object>>),
}

impl Cached {
    /// Whether nobody answers to the key.
    pub(super) fn is_absence(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::Holders(holders) => holders.is_empty(),
            Self::Profile(_) | Self::Redirect(_) | Self::Objects(_) => false,
        }
    }
}

/// A cached answer.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) value: Cached,
    /// It reflects every write up to this one.
    pub(super) sequence: Sequence,
    /// It shows nothing of any write after this one. Later than `sequence` where it was put
    /// together by several reads.
    pub(super) shown: Sequence,
    pub(super) read_at: Instant,
}

impl Entry {
    /// An entry that one statement read, as of a write.
    pub(super) fn as_of(value: Cached, sequence: Sequence, read_at: Instant) -> Self {
        Self {
            value,
            sequence,
            shown: sequence,
            read_at,
        }
    }

    /// The entry to keep under a key: a redirect where an id leads to a profile of another id.
    pub(super) fn under(self, key: &CacheKey) -> Self {
        match (&self.value, key) {
            (Cached::Profile(profile), CacheKey::Id(id)) if profile.id != *id => Self {
                value: Cached::Redirect(profile.id),
                ..self
            },
            _ => self,
        }
    }

    /// How current the entry is when it was just loaded.
    pub(super) fn loaded(&self) -> Recency {
        Recency {
            sequence: self.sequence,
            shown: self.shown.max(self.sequence),
            known_at: self.read_at,
        }
    }

    /// How current the entry is, found under the epoch that was current when the proof was taken.
    pub(super) fn currency(&self, proof: Watermark) -> Recency {
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
    pub(super) fn and(self, other: Self) -> Self {
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

/// What an entry must be to be answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Requirement {
    pub(super) proof: Watermark,
    /// At least this write.
    pub(super) sequence: Sequence,
    /// Known to be current at this moment or later. None: only what the store says now will do.
    pub(super) known_since: Option<Instant>,
    /// The same, when the store does not answer.
    pub(super) stale_since: Option<Instant>,
}

impl Requirement {
    fn is_met(&self, entry: &Entry, since: Option<Instant>) -> bool {
        let currency = entry.currency(self.proof);
        currency.sequence >= self.sequence && since.is_some_and(|since| currency.known_at >= since)
    }

    /// The entry, just loaded, if the store has seen the write that it must reflect: a standby that
    /// took over may not have.
    pub(super) fn proven(&self, entry: Entry) -> Result<Entry, store::Error> {
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
pub(super) struct EntryKey {
    pub(super) tenant: TenantId,
    pub(super) key: CacheKey,
    pub(super) epoch: u64,
    /// The version of the tenant's model that was known to be in force.
    pub(super) model: i64,
    /// See [`Watermark`].
    pub(super) generation: u64,
}

/// A bounded cache with single flight.
#[derive(Clone)]
pub(super) struct Cache {
    entries: moka::future::Cache<EntryKey, Entry>,
    arrived: Arc<Arrived>,
    /// So many bytes may arrive before what is too much is evicted.
    slack_bytes: u64,
}

/// What was put into the cache.
#[derive(Default)]
struct Arrived {
    /// Entries since the start.
    entries: AtomicU64,
    /// Bytes since the last eviction.
    bytes: AtomicU64,
}

/// What a cache holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) entries: u64,
    pub(super) bytes: u64,
    /// Entries that have left it since the start: evicted, not let in, or replaced.
    pub(super) left: u64,
}

impl Cache {
    pub(super) fn new(limits: Limits) -> Self {
        let arrived = Arc::<Arrived>::default();
        let arriving = arrived.clone();
        let entries = moka::future::Cache::builder()
            .max_capacity(limits.max_bytes)
            .weigher(move |slot: &EntryKey, entry: &Entry| {
                let bytes = u32::try_from(weigh(slot, entry)).unwrap_or(u32::MAX);
                arriving.entries.fetch_add(1, Ordering::Relaxed);
                arriving.bytes.fetch_add(bytes.into(), Ordering::Relaxed);
                bytes
            })
            .build();
        let slack_bytes = (limits.max_bytes / 64).min(MAX_SLACK_BYTES);
        Self {
            entries,
            arrived,
            slack_bytes,
        }
    }

    /// Evicts what is too much, once enough has arrived. By itself the cache looks only after some
    /// number of entries, whatever they weigh.
    async fn settle(&self) {
        if self.arrived.bytes.load(Ordering::Relaxed) > self.slack_bytes {
            self.arrived.bytes.store(0, Ordering::Relaxed);
            self.entries.run_pending_tasks().await;
        }
    }

    /// The entry in a slot, and whether it was there; loaded when it is missing or not current
    /// enough. Who misses the same entry at once shares one load, unless it must be newer than that
    /// one.
    pub(super) async fn get(
        &self,
        slot: &EntryKey,
        need: &Requirement,
        load: impl Future<Output = Result<Entry, store::Error>>,
    ) -> Result<(Entry, bool), store::Error> {
        let kept = self.entries.get(slot).await;
        if let Some(entry) = kept
            .as_ref()
            .filter(|entry| need.is_met(entry, need.known_since))
        {
            return Ok((entry.clone(), true));
        }
        if kept.is_none() && need.known_since.is_some() {
            let began = AtomicBool::new(false);
            let load = async {
                began.store(true, Ordering::Relaxed);
                load.await
            };
            tokio::pin!(load);
            let found = match self
                .entries
                .entry(slot.clone())
                .or_try_insert_with(&mut load)
                .await
            {
                // Somebody else's call was refused, by its own deadline and share: this one has its
                // own.
                Err(error)
                    if matches!(*error, store::Error::Overloaded(_))
                        && !began.load(Ordering::Relaxed) =>
                {
                    return self.reload(slot, need, load).await;
                }
                found => found.map_err(|error| (*error).clone())?,
            };
            let entry = found.value();
            if found.is_fresh() {
                self.settle().await;
                return Ok((need.proven(entry.clone())?, false));
            }
            if need.is_met(entry, need.known_since) {
                return Ok((entry.clone(), true));
            }
            // Somebody else's load began before the write that this read must see was known.
            return self.reload(slot, need, load).await;
        }
        match self.reload(slot, need, load).await {
            Err(store::Error::Unavailable(why)) => {
                let entry = kept.filter(|entry| need.is_met(entry, need.stale_since));
                entry
                    .map(|entry| (entry, true))
                    .ok_or(store::Error::Unavailable(why))
            }
            done => done,
        }
    }

    async fn reload(
        &self,
        slot: &EntryKey,
        need: &Requirement,
        load: impl Future<Output = Result<Entry, store::Error>>,
    ) -> Result<(Entry, bool), store::Error> {
        let entry = need.proven(load.await?)?;
        self.put(slot.clone(), entry.clone()).await;
        Ok((entry, false))
    }

    /// The entry in a slot, if it is there and current enough.
    pub(super) async fn peek(&self, slot: &EntryKey, need: &Requirement) -> Option<Entry> {
        self.entries
            .get(slot)
            .await
            .filter(|entry| need.is_met(entry, need.known_since))
    }

    /// The entry in a slot, if the store does not answer and it will do.
    pub(super) async fn peek_stale(&self, slot: &EntryKey, need: &Requirement) -> Option<Entry> {
        self.entries
            .get(slot)
            .await
            .filter(|entry| need.is_met(entry, need.stale_since))
    }

    /// Keeps an entry that was loaded after the slot was taken.
    pub(super) async fn put(&self, slot: EntryKey, entry: Entry) {
        self.entries.insert(slot, entry).await;
        self.settle().await;
    }

    /// How much there is.
    pub(super) fn size(&self) -> Size {
        let entries = self.entries.entry_count();
        let left = self
            .arrived
            .entries
            .load(Ordering::Relaxed)
            .saturating_sub(entries);
        Size {
            entries,
            bytes: self.entries.weighted_size(),
            left,
        }
    }
}

/// The most that may arrive before what is too much is evicted, in bytes.
const MAX_SLACK_BYTES: u64 = 4 << 20;

/// What the cache itself keeps for each entry, besides the slot and the entry: a bucket of the hash
/// table and its place there, the entry's times and weight, its place in the queue of eviction, and
/// its part of the sketch of frequencies. Measured with moka 0.12.16: see
/// `tests::entries_take_the_memory_that_they_are_weighed_with`.
const OVERHEAD_BYTES: usize = 232;

/// What stands beside an entry in its allocation.
const ENTRY_HEAD_BYTES: usize = 24;

/// The size of an entry in memory, in bytes.
fn weigh(slot: &EntryKey, entry: &Entry) -> usize {
    let value = match &entry.value {
        Cached::Profile(profile) => shared_bytes(&**profile),
        Cached::Objects(objects) => shared_bytes(&**objects),
        Cached::Holders(holders) => holders.heap_bytes(),
        Cached::Redirect(_) | Cached::Absent => 0,
    };
    OVERHEAD_BYTES + shared_bytes(slot) + allocated(ENTRY_HEAD_BYTES + size_of::<Entry>()) + value
}

impl HeapSize for CacheKey {
    fn heap_bytes(&self) -> usize {
        match self {
            Self::Id(_) | Self::Objects(..) => 0,
            Self::Identifier(identifier) => identifier.heap_bytes(),
            Self::Record(record) => record.heap_bytes(),
        }
    }
}

heap_size! {
    EntryKey { tenant, key, epoch, model, generation }
}

#[cfg(test)]
mod tests;
