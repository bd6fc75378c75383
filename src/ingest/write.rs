//! One write: a batch of one tenant's statements, from the turn to the commit.

mod recheck;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use profile_core::records::{
    EventKey, ProfileId, Reason, RecordKey, Sequence, Statement, TenantId, Violation,
};

use super::apply::Outcome;
use super::attach::AttachFigures;
use super::changes::{IdentityFigures, Plan, WriteContext, plan};
use super::load::load_and_apply;
use crate::active_models::{ActiveModel, ActiveModels};
use crate::changes::LogFollower;
use crate::clock::{Clock, is_unsettled, settle};
use crate::neighbourhood;
use crate::store::retry::jittered;
use crate::store::{
    Activation, Attempt, Changes, Committed, Error, Held, Result, Store, Tombstone, Transaction,
    WriteTurn,
};
use crate::telemetry::Metrics;
use recheck::{Rechecked, merge};

/// How often a write is tried again when another writer was in the way.
const MAX_CONFLICTS: u32 = 8;
/// How often a write is prepared without the turn: from then on nobody overtakes it.
const MAX_OVERTAKEN: u32 = 3;
/// How often others may come between a write and its commit without touching what it read, before
/// it is prepared anew.
const MAX_BEHIND: u32 = 16;
/// The wait after the first conflict; it doubles with each.
const CONFLICT_WAIT: Duration = Duration::from_millis(2);

/// When a write takes its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    AtCommit,
    FromBeginning,
}

fn overtaken() -> Error {
    Error::Conflict("another write touched what this one had read".to_owned())
}

/// What a writer needs.
#[derive(Clone)]
pub(super) struct Writer {
    pub(super) store: Arc<dyn Store>,
    pub(super) models: Arc<ActiveModels>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) follower: Arc<LogFollower>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) step_timeout: Duration,
}

/// Statements to write.
#[derive(Clone, Copy)]
pub(super) struct Batch<'a> {
    pub(super) statements: &'a [Statement],
    /// The version of the model that all of them were checked under, if it was one.
    pub(super) model: Option<i64>,
}

/// What a batch came to.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// For each statement, in order.
    pub(super) outcomes: Vec<Outcome>,
    /// Where the records of the statements are now.
    pub(super) profiles: BTreeMap<RecordKey, ProfileId>,
    /// The records of the events that were attached to one.
    pub(super) places: BTreeMap<EventKey, RecordKey>,
    /// The write after which all stored statements are visible.
    pub(super) sequence: Sequence,
    pub(super) identity: IdentityFigures,
    pub(super) attached: AttachFigures,
    pub(super) conflicts: u32,
}

impl Writer {
    /// Writes a batch. When the database refuses a value, the batch is halved until the culprit
    /// stands alone and is rejected; the others are stored.
    pub(super) async fn write(&self, tenant: &TenantId, batch: Batch<'_>) -> Result<Written> {
        match self.write_whole(tenant, batch).await {
            Err(Error::Refused(what)) if batch.statements.len() == 1 => {
                // A source throws away what is rejected: only a database that is as it must be has
                // the right to say so.
                self.store.check().await?;
                tracing::warn!(source = batch.statements[0].source(), error = %what, "the database refuses a statement");
                let violation = Violation::new(
                    Reason::StoreRefused,
                    "statement",
                    "the database refuses a value of it",
                );
                Ok(Written {
                    outcomes: vec![Outcome::Rejected(vec![violation])],
                    ..Written::default()
                })
            }
            Err(Error::Refused(_)) => {
                let (left, right) = batch.statements.split_at(batch.statements.len() / 2);
                let mut written = Box::pin(self.write(
                    tenant,
                    Batch {
                        statements: left,
                        ..batch
                    },
                ))
                .await?;
                written.extend(
                    Box::pin(self.write(
                        tenant,
                        Batch {
                            statements: right,
                            ..batch
                        },
                    ))
                    .await?,
                );
                Ok(written)
            }
            done => done,
        }
    }

    async fn write_whole(&self, tenant: &TenantId, batch: Batch<'_>) -> Result<Written> {
        let mut conflicts = 0;
        loop {
            let turn = if conflicts < MAX_OVERTAKEN {
                Turn::AtCommit
            } else {
                Turn::FromBeginning
            };
            match Box::pin(self.write_once(tenant, batch, turn)).await {
                Err(error) if error.is_conflict() && conflicts < MAX_CONFLICTS => {
                    tokio::time::sleep(jittered(CONFLICT_WAIT * 2u32.pow(conflicts))).await;
                    conflicts += 1;
                }
                done => {
                    return done.map(|written| Written {
                        conflicts: conflicts + written.conflicts,
                        ..written
                    });
                }
            }
        }
    }

    async fn write_once(&self, tenant: &TenantId, batch: Batch<'_>, turn: Turn) -> Result<Written> {
        let (mut attempt, running) = self.attempt(tenant, turn).await?;
        let model = &running.model;
        let rechecked = Rechecked::new(batch, &running);
        let Rechecked {
            statements,
            rejected,
        } = self.without_erased(&mut *attempt, rechecked).await?;
        // Servers' clocks differ, and are set back; times of writes go forward, or the past could
        // not be told by time.
        let now = self.clock.now().max(attempt.turn().not_before);
        let load = load_and_apply(
            (&*self.store, tenant),
            attempt.reads(),
            &statements,
            (model, now),
        );
        let mut applied = self.step("load_records", load).await?;
        self.recount(tenant, &mut applied, (model, now)).await?;
        let start = applied.start(model);
        let load = neighbourhood::load(attempt.reads(), start, model);
        let neighbourhood = self.step("load_neighbourhood", load).await?;
        let cause = applied.cause();
        let mut written = Written::default();
        written.sequence = loop {
            let WriteTurn {
                sequence,
                not_before,
                ..
            } = attempt.turn();
            let now = now.max(not_before);
            let turn = WriteContext {
                tenant,
                sequence,
                now,
            };
            let mut plan = plan(turn, &applied, &neighbourhood, &|_| cause.clone(), model);
            (written.profiles, written.identity) =
                (std::mem::take(&mut plan.profiles), plan.identity);
            if plan.changes == Changes::default() {
                let seen = self.follow(attempt).await?.turn().sequence.before();
                self.follower.see(tenant, seen).await;
                break seen;
            }
            match self.commit(turn, &running, attempt, plan).await? {
                Committed::Done => break sequence,
                Committed::NotNext(late) => attempt = self.follow(late).await?,
            }
            written.conflicts += 1;
            if written.conflicts > MAX_BEHIND {
                return Err(overtaken());
            }
        };
        Ok(Written {
            outcomes: merge(rejected, applied.outcomes),
            places: applied.places,
            attached: applied.figures,
            ..written
        })
    }

    /// Refuses what is said of records that were erased.
    async fn without_erased<'a>(
        &self,
        attempt: &mut dyn Attempt,
        rechecked: Rechecked<'a>,
    ) -> Result<Rechecked<'a>> {
        let Some(key) = attempt.turn().tombstone_key else {
            return Ok(rechecked);
        };
        let records: BTreeSet<&RecordKey> = rechecked
            .statements
            .iter()
            .filter_map(Statement::record)
            .collect();
        let tombstones: Vec<(Tombstone, RecordKey)> = records
            .into_iter()
            .map(|record| (key.tombstone(record), record.clone()))
            .collect();
        let erased = self
            .step("find_tombstones", attempt.reads().erased(&tombstones))
            .await?;
        Ok(rechecked.without(&erased.into_iter().collect()))
    }

    /// Writes a plan, and makes the answers that it concerns old.
    pub(super) async fn commit(
        &self,
        turn: WriteContext<'_>,
        running: &ActiveModel,
        attempt: Box<dyn Attempt>,
        mut plan: Plan,
    ) -> Result<Committed> {
        if running.version == 0 {
            self.store_first_model(turn, &mut plan.changes);
        }
        let mut not_next = None;
        let commit = async {
            let commit = attempt.commit(turn.now, &plan.changes);
            match self.step("commit", commit).await? {
                Committed::Done => Ok(()),
                Committed::NotNext(attempt) => {
                    not_next = Some(attempt);
                    Err(Error::Conflict("others came between".to_owned()))
                }
            }
        };
        let committed = self
            .follower
            .commit(turn.tenant, turn.sequence, &plan.changes.log, commit)
            .await;
        if running.version == 0 {
            self.models.forget(turn.tenant);
        }
        match not_next {
            Some(attempt) => Ok(Committed::NotNext(attempt)),
            None => committed.map(|()| Committed::Done),
        }
    }

    /// Comes after the writes that came between.
    async fn follow(&self, attempt: Box<dyn Attempt>) -> Result<Box<dyn Attempt>> {
        let followed = self.step("follow", attempt.follow()).await?;
        followed.ok_or_else(overtaken)
    }

    /// Begins a write, with the model that is in force.
    async fn attempt(
        &self,
        tenant: &TenantId,
        turn: Turn,
    ) -> Result<(Box<dyn Attempt>, Arc<ActiveModel>)> {
        if turn == Turn::FromBeginning {
            return self.held(tenant).await;
        }
        let mut running = self.models.of(tenant).await?;
        loop {
            let attempt = self.step("begin", self.store.attempt(tenant)).await?;
            let WriteTurn {
                model_version,
                not_before,
                ..
            } = attempt.turn();
            if is_unsettled(not_before, &*self.clock) {
                return self.held(tenant).await;
            }
            if model_version == running.version {
                return Ok((attempt, running));
            }
            drop(attempt);
            running = self.models.adopt(tenant, model_version).await?;
        }
    }

    /// Begins a write with its turn, which nobody overtakes.
    async fn held(&self, tenant: &TenantId) -> Result<(Box<dyn Attempt>, Arc<ActiveModel>)> {
        let (tx, running) = self.begin(tenant).await?;
        Ok((Box::new(Held(tx)), running))
    }

    /// Takes the turn, with the model that is in force during it. Nothing else is read while the
    /// turn is held, so where another server has applied another model, the turn is given back
    /// while it is loaded.
    pub(super) async fn begin(
        &self,
        tenant: &TenantId,
    ) -> Result<(Box<dyn Transaction>, Arc<ActiveModel>)> {
        let mut running = self.models.of(tenant).await?;
        loop {
            let mut tx = self.step("begin", self.store.begin(tenant)).await?;
            if tx.model_version() == running.version {
                self.step("settle", settle(&mut *tx, &*self.clock, tenant))
                    .await?;
                return Ok((tx, running));
            }
            let version = tx.model_version();
            drop(tx);
            running = self.models.adopt(tenant, version).await?;
        }
    }

    /// What a tenant begins with, from its first write on.
    fn store_first_model(&self, turn: WriteContext<'_>, changes: &mut Changes) {
        let model = self.models.first_version(turn.now);
        changes.activation = Some(Activation {
            version: model.version,
            sequence: turn.sequence,
            time: turn.now,
        });
        changes.models.push(model);
    }

    /// One step, timed and bounded: a connection whose other end has gone without a word never
    /// answers, and without a bound nobody would write any more.
    pub(super) async fn step<T>(
        &self,
        name: &'static str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let bounded = async {
            let late = |_| {
                Err(Error::Unavailable(format!(
                    "{name} took longer than {:?}",
                    self.step_timeout
                )))
            };
            tokio::time::timeout(self.step_timeout, work)
                .await
                .unwrap_or_else(late)
        };
        self.metrics
            .store(name, self.store.availability().guard(bounded))
            .await
    }
}

impl Written {
    fn extend(&mut self, other: Self) {
        self.outcomes.extend(other.outcomes);
        self.profiles.extend(other.profiles);
        self.places.extend(other.places);
        self.attached.add(other.attached);
        self.sequence = self.sequence.max(other.sequence);
        self.identity.merges += other.identity.merges;
        self.identity.splits += other.identity.splits;
        self.identity.reclustered += other.identity.reclustered;
        self.identity.compared += other.identity.compared;
        self.identity.generic_identifiers += other.identity.generic_identifiers;
        self.identity.generic_keys += other.identity.generic_keys;
        self.conflicts += other.conflicts;
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::{World, record};

    #[tokio::test]
    async fn a_batch_that_is_known_already_makes_no_write() {
        let world = World::new();
        let first = world.write(vec![Ok(record("1", "account", "a"))]).await;
        let again = world.write(vec![Ok(record("1", "account", "a"))]).await;
        assert_eq!(again.sequence, first.sequence);
        assert_eq!(Some(world.head().await), first.sequence);
    }
}
