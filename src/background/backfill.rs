//! Counts, in the background, the events of before a computed trait was defined.
//!
//! A model that asks for something new says nothing of what happened before it. So whenever what a
//! tenant's model counts has changed, all of its records are gone through once, in order of key,
//! some at a time: those that lack a state get it from all of their events, under the tenant's
//! write turn, so that no event is counted twice or missed. Between two steps others write. Until a
//! record's turn has come its computed traits say that they are partial.
//!
//! How far it has come is stored with each step: any server of the database goes on where another
//! one stopped.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use profile_core::model::Model;
use profile_core::records::rollup::Rollup;
use profile_core::records::{ProfileId, Record, RecordKey, TenantId, Timestamp};

use crate::active_models::ActiveModels;
use crate::background::{self, Job, Part};
use crate::changes::LogFollower;
use crate::clock::{Clock, settle};
use crate::compute::Class;
use crate::counting::{Counting, PAGE_EVENTS};
use crate::ingest::WriteContext;
use crate::ingest::log::{self, Sides};
use crate::store::{BackfillProgress, Changes, Result, Store, Transaction};
use crate::telemetry::Metrics;
use crate::telemetry::metrics::Job as Work;

/// How many records a step goes through, and about how many events
/// ([`PAGE_EVENTS`](crate::counting::PAGE_EVENTS)): others wait for the turn meanwhile.
const STEP_RECORDS: usize = 200;
/// How many tenants are remembered as counted.
const MAX_TENANTS: usize = 10_000;

/// Counts what is not counted yet.
pub struct Backfill {
    /// What is counted, and where it is kept.
    pub store: Arc<dyn Store>,
    /// What is to be counted.
    pub models: Arc<ActiveModels>,
    /// Windows depend on the time.
    pub clock: Arc<dyn Clock>,
    /// To tell of what was written.
    pub follower: Arc<LogFollower>,
}

impl Backfill {
    /// Looks after all tenants, for ever.
    pub async fn run(self, metrics: Arc<Metrics>, interval: Duration) {
        let store = self.store.clone();
        background::run(
            store,
            metrics,
            Passing {
                recount: self,
                done: HashMap::new(),
            },
            interval,
        )
        .await;
    }

    /// Goes through the next records of a tenant. Answers whether there may be more.
    ///
    /// # Errors
    /// Those of the store. Nothing of the step is written then.
    pub async fn step(&self, tenant: &TenantId) -> Result<bool> {
        let active = self.models.of(tenant).await?;
        let counted = active.model.counted();
        let known = self
            .store
            .snapshot(tenant)
            .await?
            .recount_progress()
            .await?;
        if active.model.definitions().next().is_none()
            || known.is_some_and(|progress| progress.is_done(&counted))
        {
            return Ok(false);
        }
        let mut tx = self.store.begin(tenant).await?;
        let progress = tx.reads().recount_progress().await?;
        if tx.model_version() != active.version {
            // Another server has put another model in force: what is not counted is counted by that
            // one.
            let version = tx.model_version();
            drop(tx);
            self.models.adopt(tenant, version).await?;
            return Ok(true);
        }
        if progress
            .as_ref()
            .is_some_and(|progress| progress.is_done(&counted))
        {
            return Ok(false);
        }
        let before = progress.filter(|progress| progress.definitions == counted);
        let after = before.as_ref().map(|progress| progress.position.clone());
        let mut records = tx
            .reads()
            .scan_records(after.as_ref(), STEP_RECORDS)
            .await?;
        settle(&mut *tx, &*self.clock, tenant).await?;
        let context = WriteContext {
            tenant,
            sequence: tx.sequence(),
            now: self.clock.now().max(tx.not_before()),
        };
        let taken = self
            .count(tenant, &mut records, &active.model, context.now)
            .await?;
        let is_last = records.len() < STEP_RECORDS && taken.passed == records.len();
        let last = records
            .get(taken.passed.wrapping_sub(1))
            .map(|record| record.key.clone());
        let progress = BackfillProgress {
            definitions: counted,
            position: last.or(after).unwrap_or_else(|| RecordKey::new("", "")),
            records: before.map_or(0, |progress| progress.records) + taken.rollups.len() as u64,
            done: is_last,
        };
        let changes = Changes {
            rollups: taken.rollups,
            recount: Some(progress),
            ..Changes::default()
        };
        self.commit(tx, context, &records, changes).await?;
        Ok(!is_last)
    }

    /// Writes what was counted of records, with its entry in the change log.
    async fn commit(
        &self,
        mut tx: Box<dyn Transaction>,
        context: WriteContext<'_>,
        records: &[Record],
        mut changes: Changes,
    ) -> Result<()> {
        let home = |key: &RecordKey| -> Option<ProfileId> {
            records
                .iter()
                .find(|record| record.key == *key)?
                .membership
                .profile
        };
        let homes: Vec<ProfileId> = records
            .iter()
            .filter_map(|record| record.membership.profile)
            .collect();
        let rows = tx
            .reads()
            .profile_rows(&homes)
            .await?
            .into_iter()
            .map(|row| (row.id, row))
            .collect();
        changes.log = log::entry(
            context,
            &Sides {
                before: &|_| None,
                home: &home,
                rows: &rows,
            },
            &changes,
        );
        self.follower
            .commit(
                context.tenant,
                context.sequence,
                &changes.log,
                tx.commit(context.now, &changes),
            )
            .await
    }

    /// Counts the events of the first of some records: of as many as have not too many together,
    /// and of one at least. Only this turn writes, so what is read beside it is what is there.
    async fn count(
        &self,
        tenant: &TenantId,
        records: &mut [Record],
        model: &Arc<Model>,
        now: Timestamp,
    ) -> Result<Counted> {
        let mut counted = Counted::default();
        let counting = Counting {
            model: model.clone(),
            now,
            as_of: None,
            class: Class::Background,
        };
        let mut events = 0;
        for record in records {
            if events > PAGE_EVENTS {
                break;
            }
            if let Some(missing) = model.begin_recount(record) {
                let all = counting.count(&*self.store, tenant, record, &missing);
                events += all.await?;
                counted
                    .rollups
                    .push((record.key.clone(), record.rollup.clone()));
            }
            counted.passed += 1;
        }
        Ok(counted)
    }
}

/// The pass over all tenants.
struct Passing {
    recount: Backfill,
    /// What is known to be counted, under which version of the model.
    done: HashMap<TenantId, (i64, String)>,
}

#[tonic::async_trait]
impl Job for Passing {
    const JOB: Work = Work::Backfill;

    async fn part(&mut self, tenant: &TenantId) -> Result<Part> {
        let active = self.recount.models.of(tenant).await?;
        let counted = (active.version, active.model.counted());
        if self.done.get(tenant) == Some(&counted) {
            return Ok(Part::Done);
        }
        if self.recount.step(tenant).await? {
            return Ok(Part::More);
        }
        if self.done.len() >= MAX_TENANTS {
            self.done.clear();
        }
        self.done.insert(tenant.clone(), counted);
        Ok(Part::Done)
    }
}

/// What a step has counted.
#[derive(Default)]
struct Counted {
    /// So many of the records are done.
    passed: usize,
    /// The states that changed.
    rollups: Vec<(RecordKey, Rollup)>,
}
