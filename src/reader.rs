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
//! or asks for full consistency, misses none. What is read from the store is folded by the model that was in force in the
//! same snapshot: see [`Models`]. Reads of the past go by the cache: see [`Reader::profile_as_of`].

mod as_of;
mod batch;
mod cache;
mod epochs;
mod page;

use std::sync::Arc;
use std::time::Instant;

pub use cache::{CacheKey, Limits};
pub use epochs::Epochs;
pub use page::{SearchCursor, SearchHit, SearchPage, TimelinePage, TimelineQuery};

use crate::models::{Models, Running};
use crate::profile::{Identifier, Profile, ProfileId, RecordKey, Sequence, TenantId, Timestamp, fold};
use crate::store::{self, Store};
use crate::telemetry::Metrics;
use cache::{Cache, Cached, Slot};

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
    /// Of a read of the past: the time of the last write that it reflects.
    pub as_of: Option<Timestamp>,
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
    models: Arc<Models>,
    epochs: Arc<Epochs>,
    cache: Cache,
    metrics: Arc<Metrics>,
}

impl Reader {
    /// A reader with an empty cache. `epochs` are those that the writer of this process bumps.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        models: Arc<Models>,
        epochs: Arc<Epochs>,
        metrics: Arc<Metrics>,
        limits: Limits,
    ) -> Self {
        let cache = Cache::new(limits);
        let (entries, bytes) = (cache.clone(), cache.clone());
        metrics.observe_cache("reader", move || entries.size().0, move || bytes.size().1);
        Self { store, models, epochs, cache, metrics }
    }

    /// Reads one profile. Readers that miss the same key at once share one load.
    ///
    /// # Errors
    /// All of [`Error`].
    ///
    /// # Cancel safety
    /// A dropped read leaves its load to the others that wait for it.
    pub async fn profile(&self, tenant: &TenantId, key: &Key, freshness: Freshness) -> Result<Answer, Error> {
        let mut scope = self.scope(tenant).await?;
        loop {
            let found = self.profile_within(&scope, key, freshness).await;
            let now = self.scope(tenant).await?;
            if now.running.version <= scope.running.version {
                return found;
            }
            // Another model came into force meanwhile: the key may be another one by its rules.
            scope = now;
        }
    }

    async fn scope<'a>(&self, tenant: &'a TenantId) -> Result<Scope<'a>, store::Error> {
        Ok(Scope { tenant, running: self.models.of(tenant).await? })
    }

    async fn profile_within(&self, scope: &Scope<'_>, key: &Key, freshness: Freshness) -> Result<Answer, Error> {
        let id = match scope.lookup_key(key)? {
            CacheKey::Id(id) => id,
            key => self.lookup(scope, key, freshness).await?.one()?,
        };
        let (entry, cached) = self.by_id(scope, id, freshness).await?;
        answer(&entry, cached, key)
    }

    /// The entry of the profile that answers to an id, and whether it was in the cache.
    async fn by_id(
        &self,
        scope: &Scope<'_>,
        asked: ProfileId,
        freshness: Freshness,
    ) -> Result<(cache::Entry, bool), Error> {
        let (entry, cached) = self.cached_profile(scope, asked, freshness).await?;
        let Cached::Redirect(live) = entry.value else { return Ok((entry, cached)) };
        let (entry, cached) = self.cached_profile(scope, live, freshness).await?;
        if matches!(entry.value, Cached::Redirect(_)) {
            // Merged again between the two reads: whoever asks the store anew sees where to.
            return Ok((self.load_profile(scope, asked).await?, false));
        }
        Ok((entry, cached))
    }

    async fn cached_profile(
        &self,
        scope: &Scope<'_>,
        id: ProfileId,
        freshness: Freshness,
    ) -> Result<(cache::Entry, bool), Error> {
        let slot = self.slot(scope, CacheKey::Id(id));
        let load = async {
            let loaded = self.load_profile(scope, id).await?;
            Ok(loaded.under(id))
        };
        let (entry, cached) = self.cache.get(slot, freshness, load).await?;
        self.metrics.cache_read("profiles", cached, matches!(entry.value, Cached::Absent));
        Ok((entry, cached))
    }

    /// Reads a profile from the store, under whichever id.
    async fn load_profile(&self, scope: &Scope<'_>, id: ProfileId) -> Result<cache::Entry, store::Error> {
        let read_at = Instant::now();
        let found = self.metrics.store("profiles", self.store.profiles(scope.tenant, &[id])).await?;
        let running = self.models.told(scope.tenant, found.model_version, &scope.running).await?;
        let stored = found.value.into_iter().next().flatten();
        let value = stored.map_or(Cached::Absent, |stored| Cached::Profile(Arc::new(fold(stored, &running.model))));
        Ok(cache::Entry { value, sequence: found.sequence, read_at })
    }

    async fn lookup(&self, scope: &Scope<'_>, key: CacheKey, freshness: Freshness) -> Result<Holders, Error> {
        let tenant = scope.tenant;
        let load = async {
            let read_at = Instant::now();
            let (sequence, model_version, holders) = match &key {
                CacheKey::Record(record) => {
                    let found = self
                        .metrics
                        .store("find_by_records", self.store.find_by_records(tenant, std::slice::from_ref(record)))
                        .await?;
                    (found.sequence, found.model_version, found.value.into_iter().flatten().collect())
                }
                CacheKey::Identifier(identifier) => {
                    let identifiers = std::slice::from_ref(identifier);
                    let found = self
                        .metrics
                        .store("find_by_identifiers", self.store.find_by_identifiers(tenant, identifiers, MAX_HOLDERS))
                        .await?;
                    (found.sequence, found.model_version, found.value.into_iter().next().unwrap_or_default())
                }
                CacheKey::Id(id) => (Sequence::default(), scope.running.version, vec![*id]),
            };
            self.models.told(tenant, model_version, &scope.running).await?;
            Ok(cache::Entry { value: Cached::Holders(holders), sequence, read_at })
        };
        let (entry, cached) = self.cache.get(self.slot(scope, key.clone()), freshness, load).await?;
        let holders = match entry.value {
            Cached::Holders(holders) => holders,
            Cached::Profile(_) | Cached::Redirect(_) | Cached::Absent => Vec::new(),
        };
        self.metrics.cache_read("lookups", cached, holders.is_empty());
        Ok(Holders(holders))
    }

    /// Where a key's answer is cached, now. To be taken before the store is asked.
    fn slot(&self, scope: &Scope<'_>, key: CacheKey) -> Slot {
        let epoch = self.epochs.current(key.digest(scope.tenant));
        Slot { tenant: scope.tenant.clone(), key, epoch, model: scope.running.version }
    }
}

/// For whom is read, and by which model.
struct Scope<'a> {
    tenant: &'a TenantId,
    running: Arc<Running>,
}

impl Scope<'_> {
    /// A key as the store knows it.
    fn lookup_key(&self, key: &Key) -> Result<CacheKey, Error> {
        Ok(match key {
            Key::Id(id) => CacheKey::Id(*id),
            Key::Identifier(identifier) => CacheKey::Identifier(self.normalized(identifier)?),
            Key::Record(record) => CacheKey::Record(record.clone()),
        })
    }

    fn normalized(&self, identifier: &Identifier) -> Result<Identifier, Error> {
        let kind = self.running.model.identifiers.get(&identifier.kind);
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
    let merged_from = merged_from(key, profile.id);
    Ok(Answer { profile: profile.clone(), read_at: entry.read_at, cached, merged_from, as_of: None })
}

fn merged_from(key: &Key, found: ProfileId) -> Option<ProfileId> {
    match key {
        Key::Id(asked) if *asked != found => Some(*asked),
        Key::Id(_) | Key::Identifier(_) | Key::Record(_) => None,
    }
}
