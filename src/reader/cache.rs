//! The cache of profiles.
//!
//! Entries are stored under (tenant, key, epoch, model): see [`Epochs`](crate::changes::Epochs) for
//! why that is never stale. Readers that miss the same key in the same epoch share one load. The
//! cache is bounded by bytes.

mod entry;

use std::mem::size_of;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use profile_core::heap_size::{HeapSize, allocated, heap_size, shared_bytes};

use crate::changes::CacheKey;
use crate::config::Config;
use crate::store;

pub(super) use entry::{Cached, Entry, EntryKey, Requirement};
pub use entry::{LatestObjects, Recency};

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

/// A bounded cache with single flight.
#[derive(Clone)]
pub(super) struct Cache {
    entries: moka::future::Cache<EntryKey, Entry>,
    arrived: Arc<Arrived>,
    /// So many bytes may arrive before what is too much is evicted.
    slack_bytes: u64,
}

/// An entry that was put into the cache.
#[derive(Default)]
struct Arrived {
    /// Entries since the start.
    entries: AtomicU64,
    /// Bytes since the last eviction.
    bytes: AtomicU64,
}

/// The size of a cache.
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
    /// enough. Readers that miss the same entry at once share one load, unless it must be newer
    /// than that one.
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

/// Bytes that the cache itself keeps for each entry, besides the slot and the entry: a bucket of
/// the hash table and its place there, the entry's times and weight, its place in the queue of
/// eviction, and its part of the sketch of frequencies. Measured with moka 0.12.16: see
/// `tests::entries_take_the_memory_that_they_are_weighed_with`.
const OVERHEAD_BYTES: usize = 232;

/// Bytes beside an entry in its allocation.
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
    LatestObjects { objects, hides_some }
}

#[cfg(test)]
mod tests;
