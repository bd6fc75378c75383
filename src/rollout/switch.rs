//! Another model for a tenant: what it would change, and putting it in force.
//!
//! Both ask [`resolve()`] what the candidate makes of everything there is. A *plan* asks on a
//! snapshot and tells. *Applying* asks while it holds the tenant's write turn, so nothing can come
//! between, and writes what differs, the version and its activation in the same transaction: what a
//! reader sees is all before or all after.
//!
//! Holding the turn for the whole of it is the simple choice: writes of the tenant wait, and those
//! that cannot wait so long are refused and said again. Reads go on: they take no turn.

use std::sync::Arc;
use std::time::Duration;

use profile_core::model::{Model, ModelError};
use profile_core::records::{Sequence, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

use super::candidate::Candidate;
use super::comparison::Comparison;
use super::load::{Loaded, load};
use super::progress::Progress;
use crate::active_models::{ActiveModel, ActiveModels};
use crate::changes::LogFollower;
use crate::clock::{Clock, settle};
use crate::compute::{self, Class};
use crate::full_resolution::{Difference, ModelChange, Resolution, resolve};
use crate::ingest::WriteContext;
use crate::store::{
    self, Activation, Cause, Changes, IdempotencyError, IdempotentRequest, ModelVersion, Store,
    Transaction,
};

/// How many rows one statement of the write has.
const PIECE_ROWS: usize = 5_000;
/// How often a transaction that waits for the processor shows its connection that it lives:
/// databases end idle ones.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);
/// How often it is begun again because another version came into force meanwhile.
const ATTEMPTS: u32 = 5;

/// What a candidate changes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Plan {
    /// The version that it is compared with.
    pub base_version: i64,
    /// Whether it says nothing else.
    pub unchanged: bool,
    /// What changes.
    pub difference: Difference,
}

/// What putting a candidate in force came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Applied {
    /// The version in force now.
    pub version: i64,
    /// What was changed.
    pub plan: Plan,
    /// The write after which all of it is visible.
    pub sequence: i64,
}

/// Asks to put a candidate in force.
#[derive(Debug, Clone)]
pub struct Apply {
    /// Which.
    pub candidate: Candidate,
    /// Only if this version is in force.
    pub expected_version: Option<i64>,
    /// The caller's name of the request; empty: none.
    pub request_id: String,
}

/// Why there is no plan, or nothing was applied.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The model file has mistakes.
    #[error("the model file has {} mistakes", .0.len())]
    Mistakes(Vec<ModelError>),
    /// No such version is stored.
    #[error("the model has no version {0}")]
    NoVersion(i64),
    /// Another version is in force than the caller thinks.
    #[error("version {actual} of the model is in force, not {expected}")]
    OtherVersion {
        /// The caller's.
        expected: i64,
        /// The one in force.
        actual: i64,
    },
    /// Nothing was written yet, so no model is in force.
    #[error("nothing was written yet, so no model is in force")]
    NoModel,
    /// The request's name was used for something else.
    #[error("the request id was used before for another request")]
    RequestIdReused,
    /// There is no thread to compile it.
    #[error(transparent)]
    Compute(#[from] compute::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl From<IdempotencyError> for Error {
    fn from(error: IdempotencyError) -> Self {
        match error {
            IdempotencyError::IdReused => Self::RequestIdReused,
            IdempotencyError::Store(error) => Self::Store(error),
        }
    }
}

/// Plans and applies models.
#[derive(Clone)]
pub struct ModelRollout {
    /// Where everything is.
    pub store: Arc<dyn Store>,
    /// Who is to know of another model.
    pub models: Arc<ActiveModels>,
    /// By whose time.
    pub clock: Arc<dyn Clock>,
    /// Whom to tell what is written.
    pub follower: Arc<LogFollower>,
}

impl ModelRollout {
    /// Tells what a candidate would change now.
    ///
    /// # Errors
    /// [`Error::Mistakes`], [`Error::NoVersion`], [`Error::Store`].
    pub async fn plan(
        &self,
        tenant: &TenantId,
        candidate: &Candidate,
        progress: &Progress,
    ) -> Result<Plan, Error> {
        Box::pin(
            self.store
                .availability()
                .guard(self.plan_there(tenant, candidate, progress)),
        )
        .await
    }

    async fn plan_there(
        &self,
        tenant: &TenantId,
        candidate: &Candidate,
        progress: &Progress,
    ) -> Result<Plan, Error> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let comparison = self
                .compare(tenant, candidate, self.store.model(tenant, None).await?)
                .await?;
            let base_version = comparison.from.version;
            if comparison.unchanged {
                return Ok(Plan {
                    base_version,
                    unchanged: true,
                    ..Plan::default()
                });
            }
            let (from, to) = (comparison.from.model.clone(), comparison.to);
            let mut snapshot = self.store.snapshot(tenant).await?;
            let loaded = load(
                &mut *snapshot,
                ModelChange {
                    from: &from,
                    to: &to.model,
                },
                progress,
            )
            .await?;
            drop(snapshot);
            let in_force = self
                .store
                .model(tenant, None)
                .await?
                .map_or(0, |stored| stored.model.version);
            if in_force != base_version && attempt < ATTEMPTS {
                continue;
            }
            progress.tell("resolving", 0, loaded.before.records.len());
            let context = WriteContext {
                tenant,
                sequence: Sequence::default(),
                now: self.clock.now(),
            };
            let resolution = in_background(context, loaded, from, to).await?;
            return Ok(Plan {
                base_version,
                unchanged: false,
                difference: resolution.difference,
            });
        }
    }

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
            // Before anybody is told: who then reads what is cached as of this write goes by this
            // model.
            self.models.put(tenant, to);
            Ok(())
        };
        self.follower.commit(tenant, sequence, &log, commit).await?;
        Ok(applied)
    }

    /// The latest version that is stored.
    pub(super) async fn latest(&self, tenant: &TenantId) -> Result<i64, store::Error> {
        Ok(self
            .store
            .list_models(tenant, None, 1)
            .await?
            .first()
            .map_or(0, |stored| stored.model.version))
    }
}

/// Refuses a request that expects another version to be active.
fn check_expected(expected: Option<i64>, actual: i64) -> Result<(), Error> {
    match expected {
        Some(expected) if expected != actual => Err(Error::OtherVersion { expected, actual }),
        _ => Ok(()),
    }
}

/// Resolves on a thread of its own: it takes long, and waits for nothing.
async fn in_background(
    context: WriteContext<'_>,
    loaded: Loaded,
    from: Arc<Model>,
    to: Arc<ActiveModel>,
) -> Result<Resolution, Error> {
    let tenant = context.tenant.clone();
    let (sequence, now) = (context.sequence, context.now);
    let ActiveModel { version, model: to } = ActiveModel::clone(&to);
    let work = compute::run(Class::Long, None, move || {
        let context = WriteContext {
            tenant: &tenant,
            sequence,
            now,
        };
        let mut resolution = resolve(
            context,
            &Cause::Model { version },
            &loaded.before,
            loaded.replayed,
            ModelChange {
                from: &from,
                to: &to,
            },
        );
        resolution.difference.refused = loaded.acceptance.refused;
        resolution.difference.accepted = loaded.acceptance.accepted;
        resolution.difference.refusals = loaded.acceptance.refusals;
        resolution
    });
    work.await.map_err(Error::Compute)
}

/// Waits for work beside an open transaction, whose connection shows meanwhile that it lives.
async fn alive<T>(
    tx: &mut dyn Transaction,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::pin!(work);
    loop {
        if let Ok(done) = tokio::time::timeout(SIGN_OF_LIFE, &mut work).await {
            return done;
        }
        tx.reads().scan_records(None, 1).await?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::{Content, Weights};
    use crate::tests::{MODEL, World, record};

    fn apply(file: &str, expected_version: Option<i64>, request_id: &str) -> Apply {
        Apply {
            candidate: Candidate {
                content: Content::File(file.to_owned()),
                weights: Weights::Own,
            },
            expected_version,
            request_id: request_id.to_owned(),
        }
    }

    async fn run(world: &World, apply: &Apply) -> Result<Applied, Error> {
        let (progress, _) = Progress::new();
        world.rollout.apply(&world.tenant, apply, &progress).await
    }

    #[tokio::test]
    async fn another_active_version_than_expected_is_refused() {
        let world = World::new();
        world.store(record("1", "account", "a")).await;
        let refused = run(&world, &apply("sources: { shop: }", Some(7), "")).await;
        let versions = match refused {
            Err(Error::OtherVersion { expected, actual }) => (expected, actual),
            other => panic!("{other:?}"),
        };
        assert_eq!(versions, (7, 1));
    }

    #[tokio::test]
    async fn the_same_request_again_makes_no_second_version() {
        let world = World::new();
        world.store(record("1", "account", "a")).await;
        let apply = apply("sources: { shop: }", None, "r1");
        let first = run(&world, &apply).await.expect("applies");
        let again = run(&world, &apply).await.expect("answers");
        assert_eq!(first.version, 2);
        assert_eq!((again.version, again.sequence), (2, first.sequence));
        assert_eq!(world.head().await.0, first.sequence);
    }

    #[tokio::test]
    async fn a_plan_of_the_active_file_changes_nothing() {
        let world = World::new();
        world.store(record("1", "account", "a")).await;
        let candidate = apply(MODEL, None, "").candidate;
        let (progress, _) = Progress::new();
        let plan = world.rollout.plan(&world.tenant, &candidate, &progress);
        assert!(plan.await.expect("a plan").unchanged);
    }
}
