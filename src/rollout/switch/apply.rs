//! Applying a version: its checks, the one transaction, and the answer to a repeated request.

use profile_core::records::{TenantId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Error, ModelRollout, PIECE_ROWS, Plan, alive, in_background};
use crate::clock::settle;
use crate::full_resolution::{ModelChange, Resolution};
use crate::ingest::WriteContext;
use crate::rollout::candidate::Candidate;
use crate::rollout::comparison::Comparison;
use crate::rollout::load::load;
use crate::rollout::progress::Progress;
use crate::store::{self, Activation, Changes, IdempotentRequest, ModelVersion, Transaction};

/// The outcome of activating a candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Applied {
    /// The version in force now.
    pub version: i64,
    /// The changes that were made.
    pub plan: Plan,
    /// The write after which all of it is visible.
    pub sequence: i64,
}

/// Asks to put a candidate in force.
#[derive(Debug, Clone)]
pub struct Apply {
    /// The file or version to activate.
    pub candidate: Candidate,
    /// Only if this version is in force.
    pub expected_version: Option<i64>,
    /// The caller's name of the request; empty: none.
    pub request_id: String,
}

impl ModelRollout {
    /// Puts a candidate in force.
    ///
    /// # Errors
    /// All of [`Error`].
    ///
    /// # Cancel safety
    /// Dropped before the commit, it leaves nothing.
    pub async fn apply(
        &self,
        tenant: &TenantId,
        apply: &Apply,
        progress: &Progress,
    ) -> Result<Applied, Error> {
        let applied = Box::pin(
            self.store
                .availability()
                .guard(self.apply_there(tenant, apply, progress)),
        )
        .await;
        if applied.is_err() {
            // A commit whose answer was lost may have happened.
            self.models.forget(tenant);
        }
        applied
    }

    async fn apply_there(
        &self,
        tenant: &TenantId,
        apply: &Apply,
        progress: &Progress,
    ) -> Result<Applied, Error> {
        progress.tell("waiting for the write turn", 0, 0);
        let mut tx = self.store.begin(tenant).await?;
        let asked = ("apply_model", &apply.candidate, apply.expected_version);
        let request = IdempotentRequest::new(&apply.request_id, &asked);
        if let Some(earlier) = request.earlier_answer(tx.reads()).await? {
            return Ok(earlier.answer);
        }
        // Whoever changes the model holds the turn, so what is read beside it is what is in force.
        let in_force = self.store.model(tenant, None).await?;
        let comparison = self.compare(tenant, &apply.candidate, in_force).await?;
        check_expected(apply.expected_version, comparison.from.version)?;
        settle(&mut *tx, &*self.clock, tenant).await?;
        let context = WriteContext {
            tenant,
            sequence: tx.sequence(),
            now: self.clock.now().max(tx.not_before()),
        };
        if comparison.unchanged && comparison.from.version > 0 {
            let version = comparison.from.version;
            return self.keep_active(tx, context, version, &request).await;
        }
        self.activate(tx, context, comparison, &request, progress)
            .await
    }

    /// Writes nothing but the request: the candidate says what the active version says.
    async fn keep_active(
        &self,
        tx: Box<dyn Transaction>,
        context: WriteContext<'_>,
        version: i64,
        request: &IdempotentRequest<'_>,
    ) -> Result<Applied, Error> {
        let WriteContext {
            tenant,
            sequence,
            now,
        } = context;
        let applied = Applied {
            version,
            plan: Plan {
                base_version: version,
                unchanged: true,
                ..Plan::default()
            },
            sequence: sequence.0,
        };
        let changes = Changes {
            requests: request.row(sequence, &applied)?.into_iter().collect(),
            ..Changes::default()
        };
        self.follower
            .commit(tenant, sequence, &[], tx.commit(now, &changes))
            .await?;
        Ok(applied)
    }

    /// Writes what the candidate makes of everything, and puts it in force.
    async fn activate(
        &self,
        mut tx: Box<dyn Transaction>,
        context: WriteContext<'_>,
        comparison: Comparison,
        request: &IdempotentRequest<'_>,
        progress: &Progress,
    ) -> Result<Applied, Error> {
        let WriteContext {
            tenant,
            sequence,
            now,
        } = context;
        let Comparison {
            from,
            to,
            added,
            unchanged,
        } = comparison;
        let models = ModelChange {
            from: &from.model,
            to: &to.model,
        };
        let loaded = load(tx.reads(), models, progress).await?;
        progress.tell("resolving", 0, loaded.before.records.len());
        let resolving = in_background(context, loaded, from.model.clone(), to.clone());
        let Resolution {
            mut changes,
            difference,
        } = alive(&mut *tx, resolving).await?;
        let applied = Applied {
            version: to.version,
            plan: Plan {
                base_version: from.version,
                unchanged,
                difference,
            },
            sequence: sequence.0,
        };
        changes.models.extend(added.map(|model| ModelVersion {
            create_time: now,
            ..model
        }));
        changes.activation = Some(Activation {
            version: to.version,
            sequence,
            time: now,
        });
        changes.requests.extend(request.row(sequence, &applied)?);
        let log = changes.log.clone();
        let commit = async {
            write(tx, now, changes, progress).await?;
            // Before the answer goes out: who then reads what is cached as of this write goes by
            // this model.
            self.models.put(tenant, to);
            Ok(())
        };
        self.follower.commit(tenant, sequence, &log, commit).await?;
        Ok(applied)
    }
}

/// Refuses a request that expects another version to be active.
fn check_expected(expected: Option<i64>, actual: i64) -> Result<(), Error> {
    match expected {
        Some(expected) if expected != actual => Err(Error::OtherVersion { expected, actual }),
        _ => Ok(()),
    }
}

/// Writes in pieces, and commits.
async fn write(
    mut tx: Box<dyn Transaction>,
    now: Timestamp,
    changes: Changes,
    progress: &Progress,
) -> Result<(), store::Error> {
    let mut pieces = changes.pieces(PIECE_ROWS);
    let last = pieces.pop().unwrap_or_default();
    for (done, piece) in pieces.iter().enumerate() {
        progress.tell("writing", done, pieces.len() + 1);
        tx.write(piece).await?;
    }
    progress.tell("writing", pieces.len(), pieces.len() + 1);
    tx.commit(now, &last).await
}
