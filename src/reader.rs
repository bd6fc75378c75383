//! The read path: cache → store (one round trip for each step that is not cached: which profile,
//! and the profile) → fold.
//!
//! The caches, and how stale an entry may be:
//!
//! | cache | from | to | bound |
//! |---|---|---|---|
//! | profiles | a profile id | the folded profile, a redirect, or its absence | bytes |
//! | look-ups | an identifier or a record | the profiles that hold it, or their absence | bytes |
//!
//! Within one process an answer is never older than the last answered write: see
//! [`Epochs`](crate::changes::Epochs). Writes through *other* servers on the same database are
//! learnt from the change log, some milliseconds later: see [`LogFollower`]. A read that carries a
//! read token, or asks for full consistency, misses none. While the database is away, what is
//! cached is answered for a while, and says that it is stale. What is read from the store is folded
//! by the model that was in force in the same snapshot: see [`ActiveModels`]. Reads of the past go
//! by the cache: see [`Reader::profile_as_of`].

mod as_of;
mod batch;
mod cache;
mod follow;
mod former;
mod found;
mod freshness;
mod key;
mod latest;
mod load;
mod objects;
mod search;
mod spot_check;
mod timeline;
mod watch;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

pub use as_of::PastDerived;
pub use cache::{LatestObjects, Limits, Recency};
pub use freshness::Freshness;
pub use key::Key;
pub use latest::LatestObjectsQuery;
pub use objects::{Hidden, MAX_COURSE};
pub use search::{FoundBy, Rank, SearchCursor, SearchHit, SearchPage};
pub use timeline::{
    Counted, TimelineCursor, TimelineItem, TimelinePage, TimelineQuery, TimelineView,
};
pub use watch::{Error as WatchError, Request as WatchRequest, ResumePosition, Watch, WatchEvent};

use profile_core::profile::Profile;
use profile_core::records::{ProfileId, Sequence, TenantId, Timestamp};
use uuid::Uuid;

use crate::active_models::ActiveModels;
use crate::changes::{CacheKey, LogFollower};
use crate::clock::Clock;
use crate::store::{self, Store};
use crate::telemetry::metrics::{CacheSize, Metrics};
use batch::Gathered;
use cache::Cache;
use found::{Found, Scope};
use key::lookup_key;

/// The answer to a read.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The profile.
    pub profile: Arc<Profile>,
    /// When the profile was read from the store.
    pub read_at: Instant,
    /// Whether the profile was in the cache.
    pub cached: bool,
    /// Whether any part was in the cache, be it only which profile the key leads to.
    pub partly_cached: bool,
    /// How current the answer is.
    pub currency: Recency,
    /// Whether the answer is older than `cache.max_staleness`, because the store is unavailable.
    pub stale: bool,
    /// The requested id, if it was merged into the profile.
    pub merged_from: Option<ProfileId>,
    /// The time of the last write that a read of the past reflects; `None` for the present.
    pub as_of: Option<Timestamp>,
    /// The version of the model that was in force then; `None` for the present.
    pub model_then: Option<i64>,
}

impl Answer {
    /// The same answer, with something beside it that the store had at a write.
    #[must_use]
    pub fn showing(self, write: Sequence) -> Self {
        Self {
            currency: self.currency.showing(write),
            ..self
        }
    }
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
    /// No event names the object.
    #[error("no event names the object")]
    ObjectNotFound,
    /// Several profiles have an object of this kind and id; some of them.
    #[error("several profiles have an object of this kind and id")]
    ObjectAmbiguous(Vec<ProfileId>),
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
    models: Arc<ActiveModels>,
    follower: Arc<LogFollower>,
    cache: Cache,
    metrics: Arc<Metrics>,
    /// Source of the time that derived values depend on.
    clock: Arc<dyn Clock>,
    limits: Limits,
    /// Number of cache hits of all clones.
    hits: Arc<AtomicU64>,
}

impl Reader {
    /// A reader with an empty cache. `follower` is the one that the writer of this process commits
    /// through.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        models: Arc<ActiveModels>,
        follower: Arc<LogFollower>,
        metrics: Arc<Metrics>,
        (clock, limits): (Arc<dyn Clock>, Limits),
    ) -> Self {
        let cache = Cache::new(limits);
        let observed = cache.clone();
        metrics.observe_cache("reader", move || {
            let cache::Size {
                entries,
                bytes,
                left,
            } = observed.size();
            CacheSize {
                entries,
                bytes,
                left,
            }
        });
        Self {
            store,
            models,
            follower,
            cache,
            metrics,
            clock,
            limits,
            hits: Arc::default(),
        }
    }

    /// A key as the store knows it, by the model in force.
    ///
    /// # Errors
    /// [`Error::UnknownIdentifierType`], [`Error::Store`].
    pub async fn cache_key(&self, tenant: &TenantId, key: &Key) -> Result<CacheKey, Error> {
        lookup_key(&self.models.of(tenant).await?.model, key)
    }

    /// The database that is read, once anything was read of it.
    #[must_use]
    pub fn store_id(&self) -> Option<Uuid> {
        self.follower.store_id()
    }

    /// Reads one profile. Readers that miss the same key at once share one load.
    ///
    /// # Errors
    /// All of [`Error`].
    ///
    /// # Cancel safety
    /// A dropped read leaves its load to the others that wait for it.
    pub async fn profile(
        &self,
        tenant: &TenantId,
        key: &Key,
        freshness: Freshness,
    ) -> Result<Answer, Error> {
        let mut scope = self.scope(tenant, freshness).await?;
        loop {
            let answer = self.read_key(&scope, key, &Gathered::default()).await;
            match self.newer_scope(&scope, freshness).await? {
                None => return answer,
                Some(newer) => scope = newer,
            }
        }
    }

    /// Reads profiles, each with its own result, in the order of the keys. What the cache does not
    /// have is read from the store with one query for each kind of key.
    ///
    /// # Errors
    /// Those of the store; they concern all keys.
    pub async fn profiles(
        &self,
        tenant: &TenantId,
        keys: &[Key],
        freshness: Freshness,
    ) -> Result<Vec<Result<Answer, Error>>, store::Error> {
        let mut scope = self.scope(tenant, freshness).await?;
        loop {
            let answers = self.read_keys(&scope, keys).await;
            match self.newer_scope(&scope, freshness).await? {
                None => return answers,
                Some(newer) => scope = newer,
            }
        }
    }

    /// The scope to read in again if another model has become active since `scope`: a key may be
    /// another one by its rules.
    async fn newer_scope<'a>(
        &self,
        scope: &Scope<'a>,
        freshness: Freshness,
    ) -> Result<Option<Scope<'a>>, store::Error> {
        let active = self.models.of(scope.tenant).await?;
        if active.version <= scope.active.version {
            return Ok(None);
        }
        self.scope(scope.tenant, freshness).await.map(Some)
    }

    async fn scope<'a>(
        &self,
        tenant: &'a TenantId,
        freshness: Freshness,
    ) -> Result<Scope<'a>, store::Error> {
        if let Some(lanes) = self.store.lanes() {
            lanes.be_ready().await?;
        }
        let tail = self.follower.follow(tenant).await?;
        let active = self.models.of(tenant).await?;
        let requirement = self.requirement(&tail, freshness).await;
        Ok(Scope {
            tenant,
            active,
            tail,
            requirement,
        })
    }
}

#[cfg(test)]
mod tests {
    use profile_core::records::Identifier;

    use super::*;
    use crate::tests::{World, key, record};

    async fn read(world: &World, key: Key) -> Result<Answer, Error> {
        let freshness = Freshness::default();
        world.reader.profile(&world.tenant, &key, freshness).await
    }

    #[tokio::test]
    async fn a_write_makes_the_next_read_load_the_profile_again() {
        let world = World::new();
        let id = world.store(record("1", "account", "a")).await;
        assert!(!read(&world, Key::Id(id)).await.expect("a profile").cached);
        assert!(read(&world, Key::Id(id)).await.expect("a profile").cached);
        world.store(record("2", "account", "a")).await;
        let answer = read(&world, Key::Id(id)).await.expect("a profile");
        assert!(!answer.cached);
        assert_eq!(answer.profile.records.len(), 2);
    }

    #[tokio::test]
    async fn a_batch_answers_each_key_like_a_single_read() {
        let world = World::new();
        let id = world.store(record("1", "account", "a")).await;
        let account = |value: &str| Key::Identifier(Identifier::new("account", value));
        let keys = [
            Key::Id(id),
            Key::Record(key("1")),
            account("a"),
            account("nobody's"),
            Key::Record(key("unknown")),
            Key::Identifier(Identifier::new("no such type", "1")),
            Key::Id(ProfileId(Uuid::nil())),
        ];
        let freshness = Freshness::default();
        let batch = world.reader.profiles(&world.tenant, &keys, freshness).await;
        let batch = batch.expect("answers");
        assert_eq!(batch.len(), keys.len());
        for (key, in_batch) in keys.into_iter().zip(batch) {
            let alone = read(&world, key.clone()).await.map(|answer| answer.profile);
            let in_batch = in_batch.map(|answer| answer.profile);
            match (alone, in_batch) {
                (Ok(alone), Ok(in_batch)) => assert_eq!(alone, in_batch, "{key:?}"),
                (Err(alone), Err(in_batch)) => {
                    assert_eq!(alone.to_string(), in_batch.to_string(), "{key:?}");
                }
                (alone, in_batch) => panic!("{key:?}: {alone:?}, in a batch {in_batch:?}"),
            }
        }
    }

    #[tokio::test]
    async fn a_fresh_batch_reads_the_store_although_all_is_cached() {
        let world = World::new();
        let id = world.store(record("1", "account", "a")).await;
        read(&world, Key::Id(id)).await.expect("a profile");
        let keys = [Key::Id(id)];
        let batch = world.reader.profiles(&world.tenant, &keys, Freshness::Full);
        let answers = batch.await.expect("answers");
        assert!(!answers[0].as_ref().expect("a profile").cached);
    }
}
