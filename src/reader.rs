//! The read path: cache → store (one round trip for each step that is not cached: which profile, and the profile) → fold.
//!
//! What is cached, and how stale it may be:
//!
//! | cache | from | to | bound |
//! |---|---|---|---|
//! | profiles | a profile id | the folded profile, a redirect, or its absence | bytes |
//! | look-ups | an identifier or a record | the profiles that hold it, or their absence | bytes |
//!
//! Within one process an answer is never older than the last answered write: see [`Epochs`]. Of writes through *other*
//! servers on the same database a cached answer may miss those of the last `max_age`; a read that carries a read token,
//! or asks for full consistency, misses none.

mod batch;
mod cache;
mod epochs;
mod page;

use std::sync::Arc;
use std::time::Instant;

pub use cache::{CacheKey, Limits};
pub use epochs::Epochs;
pub use page::{SearchCursor, SearchHit, SearchPage, TimelinePage, TimelineQuery};

use crate::model::Model;
use crate::profile::{Identifier, Profile, ProfileId, RecordKey, Sequence, TenantId, fold};
use crate::store::{self, Store};
use crate::telemetry::Metrics;
use cache::{Cache, Cached};

/// How many profiles of one identifier are looked at: two tell that it is ambiguous, the others are for the message.
const MAX_HOLDERS: usize = 10;

/// Names a profile to read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// By id.
    Id(ProfileId),
    /// By an identifier, in any form.
    Identifier(Identifier),
    /// By a source's record.
    Record(RecordKey),
}

/// How fresh a read must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Freshness {
    /// Whatever this server's cache counts as current.
    #[default]
    MinimizeLatency,
    /// At least this write, by whichever server.
    AtLeast(Sequence),
    /// Every write that was answered.
    Full,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The profile.
    pub profile: Arc<Profile>,
    /// When it was read from the store.
    pub read_at: Instant,
    /// Whether it was in the cache.
    pub cached: bool,
    /// The id that was asked for, where it is merged into the profile.
    pub merged_from: Option<ProfileId>,
}

/// Why there is no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// No profile answers to the key.
    #[error("no profile answers to the key")]
    NotFound,
    /// Several profiles hold the identifier; some of them.
    #[error("several profiles hold the identifier")]
    Ambiguous(Vec<ProfileId>),
    /// The model has no such identifier type.
    #[error("the model declares no identifier type `{0}`")]
    UnknownIdentifierType(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Reads profiles.
#[derive(Clone)]
pub struct Reader {
    store: Arc<dyn Store>,
    model: Arc<Model>,
    epochs: Arc<Epochs>,
    cache: Cache,
    metrics: Arc<Metrics>,
}

impl Reader {
    /// A reader with an empty cache. `epochs` are those that the writer of this process bumps.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        model: Arc<Model>,
        epochs: Arc<Epochs>,
        metrics: Arc<Metrics>,
        limits: Limits,
    ) -> Self {
        let cache = Cache::new(limits);
        let (entries, bytes) = (cache.clone(), cache.clone());
        metrics.observe_cache("reader", move || entries.size().0, move || bytes.size().1);
        Self { store, model, epochs, cache, metrics }
    }

    /// Reads one profile. Readers that miss the same key at once share one load.
    ///
    /// # Errors
    /// All of [`Error`].
    ///
    /// # Cancel safety
    /// A dropped read leaves its load to the others that wait for it.
    pub async fn profile(&self, tenant: &TenantId, key: &Key, freshness: Freshness) -> Result<Answer, Error> {
        let id = match key {
            Key::Id(id) => *id,
            Key::Identifier(identifier) => self.holder(tenant, self.normalized(identifier)?, freshness).await?,
            Key::Record(record) => self.lookup(tenant, CacheKey::Record(record.clone()), freshness).await?.one()?,
        };
        let (entry, cached) = self.by_id(tenant, id, freshness).await?;
        answer(&entry, cached, key)
    }

    async fn holder(
        &self,
        tenant: &TenantId,
        identifier: Identifier,
        freshness: Freshness,
    ) -> Result<ProfileId, Error> {
        self.lookup(tenant, CacheKey::Identifier(identifier), freshness).await?.one()
    }

    /// The entry of the profile that answers to an id, and whether it was in the cache.
    async fn by_id(
        &self,
        tenant: &TenantId,
        asked: ProfileId,
        freshness: Freshness,
    ) -> Result<(cache::Entry, bool), Error> {
        let (entry, cached) = self.cached_profile(tenant, asked, freshness).await?;
        let Cached::Redirect(live) = entry.value else { return Ok((entry, cached)) };
        let (entry, cached) = self.cached_profile(tenant, live, freshness).await?;
        if matches!(entry.value, Cached::Redirect(_)) {
            // Merged again between the two reads: whoever asks the store anew sees where to.
            return Ok((self.load_profile(tenant, asked).await?, false));
        }
        Ok((entry, cached))
    }

    async fn cached_profile(
        &self,
        tenant: &TenantId,
        id: ProfileId,
        freshness: Freshness,
    ) -> Result<(cache::Entry, bool), Error> {
        let key = CacheKey::Id(id);
        let epoch = self.epochs.current(&(tenant, &key));
        let load = async {
            let loaded = self.load_profile(tenant, id).await?;
            Ok(loaded.under(id))
        };
        let (entry, cached) = self.cache.get(tenant, key, epoch, freshness, load).await?;
        self.metrics.cache_read("profiles", cached, matches!(entry.value, Cached::Absent));
        Ok((entry, cached))
    }

    /// Reads a profile from the store, under whichever id.
    async fn load_profile(&self, tenant: &TenantId, id: ProfileId) -> Result<cache::Entry, store::Error> {
        let read_at = Instant::now();
        let found = self.metrics.store("profiles", self.store.profiles(tenant, &[id])).await?;
        let stored = found.value.into_iter().next().flatten();
        let value = stored.map_or(Cached::Absent, |stored| Cached::Profile(Arc::new(fold(stored, &self.model))));
        Ok(cache::Entry { value, sequence: found.sequence, read_at })
    }

    async fn lookup(&self, tenant: &TenantId, key: CacheKey, freshness: Freshness) -> Result<Holders, Error> {
        let epoch = self.epochs.current(&(tenant, &key));
        let load = async {
            let read_at = Instant::now();
            let (sequence, holders) = match &key {
                CacheKey::Record(record) => {
                    let found = self
                        .metrics
                        .store("find_by_records", self.store.find_by_records(tenant, std::slice::from_ref(record)))
                        .await?;
                    (found.sequence, found.value.into_iter().flatten().collect())
                }
                CacheKey::Identifier(identifier) => {
                    let identifiers = std::slice::from_ref(identifier);
                    let found = self
                        .metrics
                        .store("find_by_identifiers", self.store.find_by_identifiers(tenant, identifiers, MAX_HOLDERS))
                        .await?;
                    (found.sequence, found.value.into_iter().next().unwrap_or_default())
                }
                CacheKey::Id(id) => (Sequence::default(), vec![*id]),
            };
            Ok(cache::Entry { value: Cached::Holders(holders), sequence, read_at })
        };
        let (entry, cached) = self.cache.get(tenant, key.clone(), epoch, freshness, load).await?;
        let holders = match entry.value {
            Cached::Holders(holders) => holders,
            Cached::Profile(_) | Cached::Redirect(_) | Cached::Absent => Vec::new(),
        };
        self.metrics.cache_read("lookups", cached, holders.is_empty());
        Ok(Holders(holders))
    }

    fn normalized(&self, identifier: &Identifier) -> Result<Identifier, Error> {
        let kind = self.model.identifiers.get(&identifier.kind);
        let kind = kind.ok_or_else(|| Error::UnknownIdentifierType(identifier.kind.clone()))?;
        Ok(Identifier::new(&identifier.kind, kind.normalize(&identifier.value)))
    }
}

/// The profiles that a key leads to.
struct Holders(Vec<ProfileId>);

impl Holders {
    fn one(self) -> Result<ProfileId, Error> {
        match self.0.as_slice() {
            [] => Err(Error::NotFound),
            [only] => Ok(*only),
            _ => Err(Error::Ambiguous(self.0)),
        }
    }
}

fn answer(entry: &cache::Entry, cached: bool, key: &Key) -> Result<Answer, Error> {
    let Cached::Profile(profile) = &entry.value else { return Err(Error::NotFound) };
    let merged_from = match key {
        Key::Id(asked) if *asked != profile.id => Some(*asked),
        Key::Id(_) | Key::Identifier(_) | Key::Record(_) => None,
    };
    Ok(Answer { profile: profile.clone(), read_at: entry.read_at, cached, merged_from })
}
