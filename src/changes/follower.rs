//! Coherence: what this server has cached is no older than it says, whoever writes.
//!
//! - A **write through this server** makes the answers that it concerns old before it is answered:
//!   those that it changes itself, and those that writes of other servers before it changed. The
//!   log is read up to the write while it is committed ([`LogFollower::commit`]), or up to what the
//!   database showed where nothing was left to be written ([`LogFollower::see`]). So nobody is
//!   answered that their statement is stored, and then shown what was before a later one.
//! - A **write through another server** is learnt from the change log, which is read every
//!   `poll_interval`. Each entry names the cache keys that it makes old.
//! - Each read of the log that finds nothing more is a **proof**: of all that was answered before
//!   that read began, nothing is missing. A cached answer counts as current only for so long after
//!   the last proof. A server that cannot read the log therefore stops calling its cache current,
//!   whatever keeps it from reading.
//! - Where the log does not go on where it was left (thrown away meanwhile, or written by a version
//!   that keeps none), all that is cached of the tenant is old.
//!
//! The same reads tell whether the **database is there**. When it does not answer, everybody who
//! needs it is refused at once ([`Availability`](crate::store::Availability)), and it is tried
//! until it answers.

mod commit;
mod poll;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use profile_core::records::{Sequence, TenantId};
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use super::epochs::Epochs;
use super::recent::Recent;
use super::tail::TenantTail;
use crate::active_models::ActiveModels;
use crate::config::Config;
use crate::store::{Error, LogCursor, LogEntry, LogPosition, LogTail, Result, Store};
use crate::telemetry::Metrics;

/// Number of log parts of a tenant read at once.
const MAX_ENTRIES: usize = 200;
/// Maximum number of tenants that are followed. The longest unused is dropped for another one.
const MAX_TENANTS: usize = 10_000;
/// How long the log is read up to a write before the write is answered without it.
const SEE_WAIT: Duration = Duration::from_secs(1);
/// How closely the log is followed.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How long to wait between two reads of the log.
    pub poll_interval: Duration,
    /// The same where nobody else writes: there is nothing to learn but whether a commit without an
    /// answer happened.
    pub alone_interval: Duration,
    /// A database that has not answered for this time is away.
    pub away_after: Duration,
}

/// See [`Options::alone_interval`].
const ALONE_INTERVAL: Duration = Duration::from_secs(1);

impl From<&Config> for Options {
    fn from(config: &Config) -> Self {
        Self {
            poll_interval: config.changes.poll_interval,
            alone_interval: ALONE_INTERVAL,
            away_after: config.database.away_after,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            poll_interval: Duration::from_millis(10),
            alone_interval: ALONE_INTERVAL,
            away_after: Duration::from_secs(1),
        }
    }
}

/// Keeps this server's cache coherent.
pub struct LogFollower {
    store: Arc<dyn Store>,
    models: Arc<ActiveModels>,
    metrics: Arc<Metrics>,
    options: Options,
    epochs: Epochs,
    tenants: RwLock<HashMap<TenantId, Arc<TenantTail>>>,
    recent: Arc<Recent>,
    store_id: OnceLock<Uuid>,
    generations: AtomicU64,
    epoch: Instant,
    wake: Notify,
    /// Changes with each read of the log.
    rounds: watch::Sender<u64>,
}

impl LogFollower {
    /// Begins to follow; ends when it is dropped.
    #[must_use]
    pub fn start(
        store: Arc<dyn Store>,
        models: Arc<ActiveModels>,
        metrics: Arc<Metrics>,
        options: Options,
    ) -> Arc<Self> {
        let follower = Arc::new(Self {
            store,
            models,
            metrics,
            options,
            epochs: Epochs::default(),
            tenants: RwLock::default(),
            recent: Arc::default(),
            store_id: OnceLock::new(),
            generations: AtomicU64::new(0),
            epoch: Instant::now(),
            wake: Notify::new(),
            rounds: watch::Sender::new(0),
        });
        tokio::spawn(poll::run(Arc::downgrade(&follower)));
        follower
    }

    /// The epochs of cached answers.
    #[must_use]
    pub fn epochs(&self) -> &Epochs {
        &self.epochs
    }

    /// The database that is followed, once it was asked.
    #[must_use]
    pub fn store_id(&self) -> Option<Uuid> {
        self.store_id.get().copied()
    }

    /// Whether the database is there.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.store.availability().is_there()
    }

    /// A tenant, followed from now on at the latest.
    ///
    /// # Errors
    /// Those of the store, which is asked the first time; [`Error::Unavailable`] while the store is
    /// refused, since what is cached of a database that cannot be relied on is not answered either.
    pub async fn follow(&self, tenant: &TenantId) -> Result<Arc<TenantTail>> {
        if let Some(reason) = self.store.availability().refusal() {
            return Err(Error::Unavailable(reason.to_string()));
        }
        let followed = self.known(tenant).unwrap_or_else(|| self.add(tenant));
        followed.use_now();
        if !followed.begun.initialized() {
            followed
                .begun
                .get_or_try_init(|| self.begin(tenant, &followed))
                .await?;
        }
        Ok(followed)
    }

    async fn begin(&self, tenant: &TenantId, followed: &TenantTail) -> Result<()> {
        let store_id = self.store.id().await?;
        self.store_id.get_or_init(|| store_id);
        let asked_at = Instant::now();
        let cursor = LogCursor {
            tenant: tenant.clone(),
            after: LogPosition::after(Sequence(i64::MAX)),
        };
        let cursors = [cursor];
        let tails = self
            .store
            .availability()
            .guard(self.store.read_log(&cursors, 1));
        let head = tails
            .await?
            .first()
            .map(|tail| tail.head)
            .unwrap_or_default();
        followed.begin(head, asked_at);
        Ok(())
    }

    /// Makes old what is cached of a tenant from before a write that the database showed: its
    /// answer must not be followed by one from before it. The writes of other servers that are not
    /// known yet are read from the log; where that takes too long, all that is cached of the tenant
    /// is old.
    ///
    /// # Cancel safety
    /// Dropped, it is not known that anything is old.
    pub async fn see(&self, tenant: &TenantId, write: Sequence) {
        let Some(followed) = self.known(tenant).filter(|followed| followed.misses(write)) else {
            return;
        };
        let read = tokio::time::timeout(SEE_WAIT, self.read_up_to(tenant, &followed, write)).await;
        if matches!(read, Ok(Ok(()))) {
            return;
        }
        tracing::debug!(%tenant, write = write.0, "the log was not read up to a write in time; the tenant's cache is old");
        followed.forget(write, self.generation());
    }

    /// Reads the log of a tenant up to a write that is committed.
    async fn read_up_to(
        &self,
        tenant: &TenantId,
        followed: &TenantTail,
        write: Sequence,
    ) -> Result<()> {
        let mut after = LogPosition::after(followed.proof().position);
        while followed.misses(write) {
            let cursors = [LogCursor {
                tenant: tenant.clone(),
                after,
            }];
            let tail = self
                .store
                .follow_log(&cursors, MAX_ENTRIES)
                .await?
                .pop()
                .unwrap_or_default();
            if !tail.follows(after) || tail.entries.is_empty() {
                return Err(Error::Unavailable(
                    "the change log does not go on".to_owned(),
                ));
            }
            self.take_entries(followed, &tail);
            after = tail.entries.last().map_or(after, LogEntry::end);
        }
        Ok(())
    }

    /// Makes old what the entries of a log say, and moves the position on.
    fn take_entries(&self, followed: &TenantTail, tail: &LogTail) {
        for entry in &tail.entries {
            if entry.sequence > followed.proof().position {
                self.invalidate([entry]);
                if entry.last {
                    followed.followed(entry.sequence);
                }
            }
        }
    }

    fn known(&self, tenant: &TenantId) -> Option<Arc<TenantTail>> {
        self.tenants
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(tenant)
            .cloned()
    }

    fn add(&self, tenant: &TenantId) -> Arc<TenantTail> {
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        if tenants.len() >= MAX_TENANTS {
            let unwatched = tenants
                .iter()
                .filter(|(_, followed)| !followed.fanout.is_watched());
            let oldest = unwatched
                .min_by_key(|(_, followed)| followed.used_at())
                .map(|(tenant, _)| tenant.clone());
            oldest.and_then(|oldest| tenants.remove(&oldest));
        }
        let shared = self.store.is_shared();
        let new = || {
            Arc::new(TenantTail::new(
                tenant,
                self.generation(),
                self.epoch,
                shared,
                &self.recent,
            ))
        };
        tenants.entry(tenant.clone()).or_insert_with(new).clone()
    }

    fn generation(&self) -> u64 {
        self.generations.fetch_add(1, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use profile_core::records::Timestamp;

    use super::*;
    use crate::tests::World;

    fn log(digest: u64) -> Vec<LogEntry> {
        LogEntry::of_write(
            Sequence(1),
            Timestamp::from_micros(1),
            Vec::new(),
            vec![digest],
        )
    }

    #[tokio::test]
    async fn a_commit_invalidates_what_its_log_names() {
        let world = World::new();
        let (epochs, tenant) = (world.follower.epochs(), &world.tenant);
        let entries = log(7);
        let before = epochs.current(7);
        let commit = world
            .follower
            .commit(tenant, Sequence(1), &entries, async { Ok(()) });
        commit.await.expect("commits");
        assert_ne!(epochs.current(7), before);
    }

    #[tokio::test]
    async fn a_commit_whose_answer_is_lost_invalidates_too() {
        let world = World::new();
        let (epochs, tenant) = (world.follower.epochs(), &world.tenant);
        let before = epochs.current(7);
        let lost = async { Err(Error::Unavailable("the answer is lost".to_owned())) };
        let entries = log(7);
        let commit = world.follower.commit(tenant, Sequence(1), &entries, lost);
        assert!(commit.await.is_err());
        assert_ne!(epochs.current(7), before);
    }
}
