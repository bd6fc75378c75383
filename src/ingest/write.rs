//! One write: a batch of one tenant's statements, from the turn to the commit.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::apply::Outcome;
use super::changes::{IdentityFigures, Touched, Turn, plan};
use super::neighbourhood::{load_and_apply, load_neighbourhood};
use crate::clock::Clock;
use crate::model::Model;
use crate::profile::{ProfileId, Reason, RecordKey, Sequence, Statement, TenantId, Violation};
use crate::reader::{CacheKey, Epochs};
use crate::store::{Changes, Error, Result, Store};
use crate::telemetry::Metrics;

/// How often a write is tried again when another writer was in the way.
const MAX_CONFLICTS: u32 = 8;
/// The wait after the first conflict; it doubles with each.
const CONFLICT_WAIT: Duration = Duration::from_millis(2);

/// What a writer needs.
#[derive(Clone)]
pub(super) struct Writer {
    pub(super) store: Arc<dyn Store>,
    pub(super) model: Arc<Model>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) epochs: Arc<Epochs>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) step_timeout: Duration,
}

/// What a batch came to.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// For each statement, in order.
    pub(super) outcomes: Vec<Outcome>,
    /// Where the records of the statements are now.
    pub(super) profiles: BTreeMap<RecordKey, ProfileId>,
    /// The write after which all stored statements are visible.
    pub(super) sequence: Sequence,
    pub(super) identity: IdentityFigures,
    pub(super) conflicts: u32,
}

impl Writer {
    /// Writes a batch. When the database refuses a value, the batch is halved until the culprit stands alone and is
    /// rejected; the others are stored.
    pub(super) async fn write(&self, tenant: &TenantId, statements: &[Statement]) -> Result<Written> {
        match self.write_whole(tenant, statements).await {
            Err(Error::Refused(what)) if statements.len() == 1 => {
                tracing::warn!(source = %statements[0].record().source, error = %what, "the database refuses a statement");
                let violation = Violation::new(Reason::StoreRefused, "statement", "the database refuses a value of it");
                Ok(Written { outcomes: vec![Outcome::Rejected(vec![violation])], ..Written::default() })
            }
            Err(Error::Refused(_)) => {
                let (left, right) = statements.split_at(statements.len() / 2);
                let mut written = Box::pin(self.write(tenant, left)).await?;
                written.extend(Box::pin(self.write(tenant, right)).await?);
                Ok(written)
            }
            done => done,
        }
    }

    async fn write_whole(&self, tenant: &TenantId, statements: &[Statement]) -> Result<Written> {
        let mut conflicts = 0;
        loop {
            match self.write_once(tenant, statements).await {
                Err(error) if error.is_conflict() && conflicts < MAX_CONFLICTS => {
                    tokio::time::sleep(CONFLICT_WAIT * 2u32.pow(conflicts)).await;
                    conflicts += 1;
                }
                done => return done.map(|written| Written { conflicts, ..written }),
            }
        }
    }

    async fn write_once(&self, tenant: &TenantId, statements: &[Statement]) -> Result<Written> {
        let mut tx = self.step("begin", self.store.begin(tenant)).await?;
        let applied = self.step("load_records", load_and_apply(&mut *tx, statements)).await?;
        let neighbourhood =
            self.step("load_neighbourhood", load_neighbourhood(&mut *tx, &applied, &self.model)).await?;
        let mut sequence = tx.sequence();
        let turn = Turn { tenant, sequence, now: self.clock.now() };
        let plan = plan(turn, &applied, neighbourhood, &self.model);
        if plan.changes == Changes::default() {
            drop(tx); // Everything was known: the turn is given back, and all of it was visible after the one before.
            sequence = Sequence(sequence.0 - 1);
        } else {
            let committed = self.step("commit", tx.commit(&plan.changes)).await;
            // Also after a failure: a commit whose answer was lost may have happened.
            self.bump(tenant, plan.touched);
            committed?;
        }
        Ok(Written {
            outcomes: applied.outcomes,
            profiles: plan.profiles,
            sequence,
            identity: plan.identity,
            conflicts: 0,
        })
    }

    /// One step, timed and bounded: a connection whose other end has gone without a word never answers, and without a bound
    /// nobody would write any more.
    async fn step<T>(&self, name: &'static str, work: impl Future<Output = Result<T>>) -> Result<T> {
        let bounded = async {
            let late = |_| Err(Error::Unavailable(format!("{name} took longer than {:?}", self.step_timeout)));
            tokio::time::timeout(self.step_timeout, work).await.unwrap_or_else(late)
        };
        self.metrics.store(name, bounded).await
    }

    fn bump(&self, tenant: &TenantId, touched: Touched) {
        let profiles = touched.profiles.into_iter().map(CacheKey::Id);
        let identifiers = touched.identifiers.into_iter().map(CacheKey::Identifier);
        let records = touched.records.into_iter().map(CacheKey::Record);
        for key in profiles.chain(identifiers).chain(records) {
            self.epochs.bump(&(tenant, &key));
        }
    }
}

impl Written {
    fn extend(&mut self, other: Self) {
        self.outcomes.extend(other.outcomes);
        self.profiles.extend(other.profiles);
        self.sequence = self.sequence.max(other.sequence);
        self.identity.merges += other.identity.merges;
        self.identity.splits += other.identity.splits;
        self.identity.reclustered += other.identity.reclustered;
        self.identity.oversized += other.identity.oversized;
        self.conflicts += other.conflicts;
    }
}
