//! The cache. The only place that knows moka.
//!
//! Entries are stored under (tenant, key, epoch, model): see [`Epochs`](super::Epochs) for why that is never stale. Readers
//! that miss the same key in the same epoch share one load. The cache is bounded by bytes.

use std::hash::Hasher;
use std::mem::size_of;
use std::sync::Arc;
use std::time::{Duration, Instant};

use siphasher::sip::SipHasher13;

use super::Freshness;
use crate::profile::{Identifier, Profile, ProfileId, Record, RecordKey, Sequence, TenantId};
use crate::store;

/// The bounds of the cache.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How much memory entries may take, by estimate.
    pub max_bytes: u64,
    /// How long an entry may be answered. It bounds how late writes through other servers on the same database are seen.
    pub max_age: Duration,
}

/// What is cached under.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CacheKey {
    /// A profile, or where its id redirects.
    Id(ProfileId),
    /// Which profiles hold an identifier.
    Identifier(Identifier),
    /// Which profile holds a record.
    Record(RecordKey),
}

impl CacheKey {
    /// A number for a tenant's key. It is the same on every server and in every version: servers tell each other by it
    /// whose answers are old, through the change log.
    #[must_use]
    pub fn digest(&self, tenant: &TenantId) -> u64 {
        // Each text with its end told, so that no two keys are written alike.
        let mut hasher = SipHasher13::new();
        let mut text = |text: &str| {
            hasher.write(&(text.len() as u64).to_le_bytes());
            hasher.write(text.as_bytes());
        };
        text(tenant.as_str());
        match self {
            Self::Id(id) => hasher.write(id.0.as_bytes()),
            Self::Identifier(identifier) => {
                text("identifier");
                text(&identifier.kind);
                text(&identifier.value);
            }
            Self::Record(record) => {
                text("record");
                text(&record.source);
                text(&record.key);
            }
        }
        hasher.finish()
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
}

/// A cached answer.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) value: Cached,
    /// It reflects every write up to this one.
    pub(super) sequence: Sequence,
    pub(super) read_at: Instant,
}

impl Entry {
    /// The entry to keep under an id: a redirect where the profile has another one.
    pub(super) fn under(self, id: ProfileId) -> Self {
        let live = match &self.value {
            Cached::Profile(profile) => profile.id,
            Cached::Redirect(_) | Cached::Absent | Cached::Holders(_) => id,
        };
        if live == id { self } else { Self { value: Cached::Redirect(live), ..self } }
    }

    /// The entry, just loaded, if the store has seen the write that it must reflect: a standby that took over may not have.
    pub(super) fn proven(self, freshness: Freshness) -> Result<Self, store::Error> {
        match freshness {
            Freshness::AtLeast(sequence) if self.sequence < sequence => {
                Err(store::Error::Unavailable("the store has not seen the write of the read token".to_owned()))
            }
            _ => Ok(self),
        }
    }

    fn satisfies(&self, freshness: Freshness) -> bool {
        match freshness {
            Freshness::MinimizeLatency => true,
            Freshness::AtLeast(sequence) => self.sequence >= sequence,
            Freshness::Full => false,
        }
    }
}

/// Where an answer is kept: under all that makes it old when it changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Slot {
    pub(super) tenant: TenantId,
    pub(super) key: CacheKey,
    pub(super) epoch: u64,
    /// The version of the tenant's model that was known to be in force.
    pub(super) model: i64,
}

/// A bounded cache with single flight.
#[derive(Clone)]
pub(super) struct Cache {
    entries: moka::future::Cache<Slot, Entry>,
}

impl Cache {
    pub(super) fn new(limits: Limits) -> Self {
        let entries = moka::future::Cache::builder()
            .max_capacity(limits.max_bytes)
            .weigher(|slot: &Slot, entry: &Entry| u32::try_from(weigh(slot, entry)).unwrap_or(u32::MAX))
            .time_to_live(limits.max_age)
            .build();
        Self { entries }
    }

    /// The entry in a slot, and whether it was there; loaded when it is missing or not fresh enough.
    pub(super) async fn get(
        &self,
        slot: Slot,
        freshness: Freshness,
        load: impl Future<Output = Result<Entry, store::Error>>,
    ) -> Result<(Entry, bool), store::Error> {
        if let Some(entry) = self.entries.get(&slot).await {
            if entry.satisfies(freshness) {
                return Ok((entry, true));
            }
        } else if freshness == Freshness::MinimizeLatency {
            let found = self.entries.entry(slot).or_try_insert_with(load).await.map_err(|error| (*error).clone())?;
            return Ok((found.value().clone(), !found.is_fresh()));
        }
        // A load that others began may be older than what is asked for, so this one is not shared.
        let entry = load.await?.proven(freshness)?;
        self.entries.insert(slot, entry.clone()).await;
        Ok((entry, false))
    }

    /// The entry in a slot, if it is there.
    pub(super) async fn peek(&self, slot: &Slot, freshness: Freshness) -> Option<Entry> {
        self.entries.get(slot).await.filter(|entry| entry.satisfies(freshness))
    }

    /// Keeps an entry that was loaded after the slot was taken.
    pub(super) async fn put(&self, slot: Slot, entry: Entry) {
        self.entries.insert(slot, entry).await;
    }

    /// How many entries there are, and their estimated size in bytes.
    pub(super) fn size(&self) -> (u64, u64) {
        (self.entries.entry_count(), self.entries.weighted_size())
    }
}

/// What moka itself keeps for each entry, roughly.
const OVERHEAD_BYTES: usize = 200;

/// The estimated size of an entry, in bytes.
fn weigh(slot: &Slot, entry: &Entry) -> usize {
    let key = match &slot.key {
        CacheKey::Id(_) => 0,
        CacheKey::Identifier(identifier) => identifier.kind.len() + identifier.value.len(),
        CacheKey::Record(record) => weigh_key(record),
    };
    let value = match &entry.value {
        Cached::Profile(profile) => weigh_profile(profile),
        Cached::Holders(holders) => holders.len() * size_of::<ProfileId>(),
        Cached::Redirect(_) | Cached::Absent => 0,
    };
    OVERHEAD_BYTES + size_of::<Slot>() + size_of::<Entry>() + slot.tenant.as_str().len() + key + value
}

fn weigh_key(record: &RecordKey) -> usize {
    size_of::<RecordKey>() + record.source.len() + record.key.len()
}

fn weigh_profile(profile: &Profile) -> usize {
    let traits = profile.traits.iter().map(|(name, found)| {
        let origins = found.origins.iter().map(|origin| size_of_val(origin) + weigh_key(&origin.record));
        name.len() + size_of_val(found) + found.value.weight() + origins.sum::<usize>()
    });
    let identifiers = profile.identifiers.iter().map(|held| {
        size_of_val(held) + held.identifier.kind.len() + held.identifier.value.len() + weigh_key(&held.origin.record)
    });
    let records = profile.records.iter().map(weigh_record);
    size_of::<Profile>() + traits.sum::<usize>() + identifiers.sum::<usize>() + records.sum::<usize>()
}

fn weigh_record(record: &Record) -> usize {
    let identifiers = record.identifiers().map(|held| 120 + held.kind.len() + held.value.len());
    let traits = record.traits().map(|(name, value, _)| 160 + name.len() + value.weight());
    size_of::<Record>() + weigh_key(&record.key) + identifiers.sum::<usize>() + traits.sum::<usize>()
}
