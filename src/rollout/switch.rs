//! Another model for a tenant: what it would change, and putting it in force.
//!
//! Both ask [`resolve()`] what the candidate makes of everything there is. A *plan* asks on a
//! snapshot and tells. *Applying* asks while it holds the tenant's write turn, so nothing can come
//! between, and writes what differs, the version and its activation in the same transaction: what a
//! reader sees is all before or all after.
//!
//! Holding the turn for the whole of it is the simple choice: writes of the tenant wait, and those
//! that cannot wait that long are refused and said again. Reads go on: they take no turn.

mod apply;

use std::sync::Arc;
use std::time::Duration;

use profile_core::model::{Model, ModelError};
use profile_core::records::{Sequence, TenantId};
use serde::{Deserialize, Serialize};

use super::candidate::Candidate;
use super::load::{Loaded, load};
use super::progress::Progress;
use crate::active_models::{ActiveModel, ActiveModels};
use crate::changes::LogFollower;
use crate::clock::Clock;
use crate::compute::{self, Class};
use crate::full_resolution::{Difference, ModelChange, Resolution, resolve};
use crate::ingest::WriteContext;
use crate::store::{self, Cause, IdempotencyError, Store, Transaction};

pub use apply::{Applied, Apply};

/// How many rows one statement of the write has.
const PIECE_ROWS: usize = 5_000;
/// How often a transaction that waits for the processor shows its connection that it lives:
/// databases end idle ones.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);
/// How often it is begun again because another version came into force meanwhile.
const ATTEMPTS: u32 = 5;

/// The changes that a candidate makes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Plan {
    /// The version that it is compared with.
    pub base_version: i64,
    /// Whether it says nothing else.
    pub unchanged: bool,
    /// Differences of profiles and records.
    pub difference: Difference,
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
        /// The version that the caller expects.
        expected: i64,
        /// The version that is active.
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
    /// Active models of all tenants.
    pub models: Arc<ActiveModels>,
    /// By whose time.
    pub clock: Arc<dyn Clock>,
    /// Follower of the change log, which learns of the write.
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
