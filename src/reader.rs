//! The read path: cache → store (one round trip for each step that is not cached: which profile,
//! and the profile) → fold.
//!
//! What is cached, and how stale it may be:
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
mod audit;
mod batch;
mod cache;
mod found;
mod latest;
mod objects;
mod search;
mod timeline;
mod watch;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

pub use cache::{Limits, Recency};
pub use latest::LatestObjectsQuery;
pub use objects::{Hidden, MAX_COURSE};
pub use search::{FoundBy, Rank, SearchCursor, SearchHit, SearchPage};
pub use timeline::{
    Counted, TimelineCursor, TimelineItem, TimelinePage, TimelineQuery, TimelineView,
};
pub use watch::{Error as WatchError, Request as WatchRequest, ResumePosition, Watch, WatchEvent};

use profile_core::model::Model;
use profile_core::profile::{Derived, Profile, StoredProfile, fold};
use profile_core::records::{Identifier, ProfileId, RecordKey, Sequence, TenantId, Timestamp};
use tracing::Instrument;
use uuid::Uuid;

use crate::active_models::ActiveModels;
use crate::changes::{CacheKey, LogFollower, TenantTail};
use crate::clock::Clock;
use crate::spans::child_span;
use crate::store::{self, Store};
use crate::telemetry::metrics::Cache as Looked;
use crate::telemetry::metrics::{CacheSize, Metrics};
use cache::{Cache, Cached, EntryKey, Requirement};
use found::{Found, Lookup, Scope};

/// How long a read waits for the change log to be read, when that is overdue, before it asks the
/// store itself.
const PROOF_WAIT: Duration = Duration::from_millis(250);

/// How often a key is looked up when what it leads to goes elsewhere meanwhile.
const MAX_LOOKS: usize = 4;

/// How many profiles of one identifier are looked at: two tell that it is ambiguous, the others are
/// for the message.
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
    /// Every write that was answered so long ago or longer.
    MaxStaleness(Duration),
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
    /// Whether any part of it was: also only which profile the key leads to.
    pub partly_cached: bool,
    /// How current it is.
    pub currency: Recency,
    /// Whether it is less current than answers are to be, because the store does not answer.
    pub stale: bool,
    /// The id that was asked for, where it is merged into the profile.
    pub merged_from: Option<ProfileId>,
    /// Of a read of the past: the time of the last write that it reflects.
    pub as_of: Option<Timestamp>,
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
    /// What is derived of a profile depends on the time.
    clock: Arc<dyn Clock>,
    limits: Limits,
    /// Hits so far, of all clones.
    hits: Arc<AtomicU64>,
}

impl Reader {
    /// A reader with an empty cache. `follower` is the one that the writer of this process tells of
    /// its writes.
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
            let found = self.profile_within(&scope, key).await;
            let now = self.models.of(tenant).await?;
            if now.version <= scope.running.version {
                return found;
            }
            // Another model came into force meanwhile: the key may be another one by its rules.
            scope = self.scope(tenant, freshness).await?;
        }
    }

    async fn scope<'a>(
        &self,
        tenant: &'a TenantId,
        freshness: Freshness,
    ) -> Result<Scope<'a>, store::Error> {
        if let Some(lanes) = self.store.lanes() {
            lanes.be_ready().await?;
        }
        let followed = self.follower.follow(tenant).await?;
        let running = self.models.of(tenant).await?;
        let need = self.need(&followed, freshness).await;
        Ok(Scope {
            tenant,
            running,
            followed,
            need,
        })
    }

    /// What entries must be, by how current the cache is now. Where that is not current enough the
    /// log is read first.
    async fn need(&self, followed: &TenantTail, freshness: Freshness) -> Requirement {
        let now = Instant::now();
        // A process that is younger than the bound has seen nothing that is too old.
        let since = |staleness: Duration| Some(now.checked_sub(staleness).unwrap_or(now));
        let Limits {
            max_staleness,
            max_staleness_when_away,
            ..
        } = self.limits;
        let (sequence, known_since, stale_since) = match freshness {
            Freshness::MinimizeLatency => (
                Sequence(0),
                since(max_staleness),
                since(max_staleness_when_away),
            ),
            Freshness::AtLeast(sequence) => (
                sequence,
                since(max_staleness),
                since(max_staleness_when_away),
            ),
            Freshness::MaxStaleness(staleness) => (Sequence(0), since(staleness), since(staleness)),
            Freshness::Full => (Sequence(0), None, None),
        };
        let mut proof = followed.proof();
        let overdue = known_since.is_some_and(|since| proof.known_at < since || followed.rests());
        if overdue && self.follower.is_there() {
            proof = self.follower.prove(followed, PROOF_WAIT).await;
        }
        Requirement {
            proof,
            sequence,
            known_since,
            stale_since,
        }
    }

    /// Which profile a key leads to is one look-up, the profile another. Where the two do not fit
    /// together, because the record or the identifier went elsewhere between them, both are read
    /// again, at least as current as what was seen.
    async fn profile_within(&self, scope: &Scope<'_>, key: &Key) -> Result<Answer, Error> {
        let wanted = lookup_key(&scope.running.model, key)?;
        let mut scope = scope.clone();
        let mut found = self.look_up_and_read(&scope, &wanted).await?;
        for _ in 1..MAX_LOOKS {
            if found.answers_to(&wanted) {
                break;
            }
            scope.need.sequence = scope.need.sequence.max(found.currency.shown);
            found = self.look_up_and_read(&scope, &wanted).await?;
        }
        self.answer(found, key)
    }

    async fn look_up_and_read(&self, scope: &Scope<'_>, key: &CacheKey) -> Result<Found, Error> {
        if let CacheKey::Id(id) = key {
            return Ok(self.by_id(scope, *id).await?);
        }
        let (holders, lookup) = self.lookup(scope, key.clone()).await?;
        Ok(self.by_id(scope, holders.one()?).await?.through(lookup))
    }

    /// The entry of the profile that answers to an id.
    async fn by_id(&self, scope: &Scope<'_>, asked: ProfileId) -> Result<Found, store::Error> {
        let found = self.cached_profile(scope, asked).await?;
        let Cached::Redirect(live) = found.entry.value else {
            return Ok(found);
        };
        let redirect = found.lookup();
        let found = self.cached_profile(scope, live).await?;
        if !matches!(found.entry.value, Cached::Profile(_)) {
            // Merged again, or split, between the two reads: whoever asks the store anew sees where
            // to.
            let entry = scope
                .need
                .proven(self.load_profile(scope, asked, "profiles").await?)?;
            return Ok(Found::now(entry));
        }
        Ok(found.through(redirect))
    }

    async fn cached_profile(
        &self,
        scope: &Scope<'_>,
        id: ProfileId,
    ) -> Result<Found, store::Error> {
        let slot = self.slot(scope, CacheKey::Id(id));
        let load = async {
            let miss = child_span!("cache miss", cache = "profiles");
            let loaded = self.load_profile(scope, id, "profiles").instrument(miss);
            Ok(loaded.await?.under(id))
        };
        let (mut entry, cached) = self.cache.get(&slot, &scope.need, load).await?;
        self.metrics.cache_read(
            Looked::Profiles,
            cached,
            matches!(entry.value, Cached::Absent),
        );
        if cached {
            self.audit(scope, &slot, &entry);
            entry = self.up_to_date(scope, &slot, entry).await;
        }
        Ok(scope.found(entry, cached))
    }

    /// Reads a profile from the store, under whichever id. `operation`: for the figures.
    async fn load_profile(
        &self,
        scope: &Scope<'_>,
        id: ProfileId,
        operation: &'static str,
    ) -> Result<cache::Entry, store::Error> {
        let read_at = Instant::now();
        let found = self
            .metrics
            .store(operation, self.store.profiles(scope.tenant, &[id]))
            .await?;
        let running = self
            .models
            .told(scope.tenant, found.model_version, &scope.running)
            .await?;
        let stored = found.value.into_iter().next().flatten();
        let value = stored.map_or(Cached::Absent, |stored| self.folded(stored, &running.model));
        Ok(cache::Entry::as_of(value, found.sequence, read_at))
    }

    /// A profile, with what is derived of it now.
    fn folded(&self, stored: StoredProfile, model: &Model) -> Cached {
        let _span = child_span!("fold").entered();
        let mut profile = fold(stored, model);
        profile.derived = Derived::of(&profile, model, self.clock.now());
        profile.pack();
        Cached::Profile(Arc::new(profile))
    }

    /// An entry that was kept, with what is derived of its profile derived anew if time has passed
    /// over it.
    async fn up_to_date(
        &self,
        scope: &Scope<'_>,
        slot: &EntryKey,
        entry: cache::Entry,
    ) -> cache::Entry {
        let now = self.clock.now();
        let Cached::Profile(kept) = &entry.value else {
            return entry;
        };
        if kept.derived.holds(now) {
            return entry;
        }
        let mut derived = Derived::of(kept, &scope.running.model, now);
        derived.pack();
        let profile = Profile {
            derived,
            ..Profile::clone(kept)
        };
        let entry = cache::Entry {
            value: Cached::Profile(Arc::new(profile)),
            ..entry
        };
        self.cache.put(slot.clone(), entry.clone()).await;
        entry
    }

    async fn lookup(&self, scope: &Scope<'_>, key: CacheKey) -> Result<(Holders, Lookup), Error> {
        let tenant = scope.tenant;
        let load = async {
            let read_at = Instant::now();
            let (sequence, model_version, holders) = match &key {
                CacheKey::Record(record) => {
                    let found = self
                        .metrics
                        .store(
                            "find_by_records",
                            self.store
                                .find_by_records(tenant, std::slice::from_ref(record)),
                        )
                        .await?;
                    (
                        found.sequence,
                        found.model_version,
                        found.value.into_iter().flatten().collect(),
                    )
                }
                CacheKey::Identifier(identifier) => {
                    let identifiers = std::slice::from_ref(identifier);
                    let found = self
                        .metrics
                        .store(
                            "find_by_identifiers",
                            self.store
                                .find_by_identifiers(tenant, identifiers, MAX_HOLDERS),
                        )
                        .await?;
                    (
                        found.sequence,
                        found.model_version,
                        found.value.into_iter().next().unwrap_or_default(),
                    )
                }
                CacheKey::Id(id) | CacheKey::Objects(id, _) => {
                    (Sequence::default(), scope.running.version, vec![*id])
                }
            };
            self.models
                .told(tenant, model_version, &scope.running)
                .await?;
            Ok(cache::Entry::as_of(
                Cached::Holders(holders),
                sequence,
                read_at,
            ))
        };
        let (entry, cached) = self
            .cache
            .get(&self.slot(scope, key.clone()), &scope.need, load)
            .await?;
        let found = scope.found(entry, cached);
        let lookup = found.lookup();
        let holders = match found.entry.value {
            Cached::Holders(holders) => holders,
            Cached::Profile(_) | Cached::Redirect(_) | Cached::Absent | Cached::Objects(_) => {
                Vec::new()
            }
        };
        self.metrics
            .cache_read(Looked::Lookups, cached, holders.is_empty());
        Ok((Holders(holders), lookup))
    }

    /// A write that is at least the last one of which anything that was read until now may show
    /// something.
    async fn head(&self, tenant: &TenantId) -> Result<Sequence, store::Error> {
        Ok(self
            .metrics
            .store("head", self.store.find_by_records(tenant, &[]))
            .await?
            .sequence)
    }

    /// Where a key's answer is cached, now. To be taken before the store is asked.
    fn slot(&self, scope: &Scope<'_>, key: CacheKey) -> EntryKey {
        let epoch = self.follower.epochs().current(key.digest(scope.tenant));
        let (model, generation) = (scope.running.version, scope.need.proof.generation);
        EntryKey {
            tenant: scope.tenant.clone(),
            key,
            epoch,
            model,
            generation,
        }
    }

    fn answer(&self, found: Found, key: &Key) -> Result<Answer, Error> {
        let Found {
            entry,
            cached,
            partly_cached,
            currency,
        } = found;
        let Cached::Profile(profile) = entry.value else {
            return Err(Error::NotFound);
        };
        let merged_from = merged_from(key, profile.id);
        let stale = partly_cached && currency.known_at.elapsed() > self.limits.max_staleness;
        let read_at = entry.read_at;
        Ok(Answer {
            profile,
            read_at,
            cached,
            partly_cached,
            currency,
            stale,
            merged_from,
            as_of: None,
        })
    }
}

/// A key as the store knows it.
fn lookup_key(model: &Model, key: &Key) -> Result<CacheKey, Error> {
    Ok(match key {
        Key::Id(id) => CacheKey::Id(*id),
        Key::Identifier(identifier) => {
            let kind = model.identifiers.get(&identifier.kind);
            let kind = kind.ok_or_else(|| Error::UnknownIdentifierType(identifier.kind.clone()))?;
            CacheKey::Identifier(Identifier::new(
                &identifier.kind,
                kind.normalize(&identifier.value),
            ))
        }
        Key::Record(record) => CacheKey::Record(record.clone()),
    })
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

fn merged_from(key: &Key, found: ProfileId) -> Option<ProfileId> {
    match key {
        Key::Id(asked) if *asked != found => Some(*asked),
        Key::Id(_) | Key::Identifier(_) | Key::Record(_) => None,
    }
}
