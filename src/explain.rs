//! Tells who is who and why: why each record is in its profile, why two are one person or not, what
//! waits for a person to decide, and what identity did when.
//!
//! Nothing that is told here is stored for the telling. Each answer is worked out anew from one
//! snapshot, by the model that is in force in it, with the very functions that writes go by: the
//! neighbourhood is loaded as a write loads it and clustered as a write clusters it. So an
//! explanation cannot say anything else than what was done, and it costs about as much as a write.
//! It never comes from a cache.
//!
//! It changes nothing; what people decide goes another way.

mod lists;
mod pair;
mod profile;
mod sight;

use std::sync::Arc;

use profile_core::identity::Comparison;
use profile_core::records::{ProfileId, ProfileRow, ProfileState, Record, RecordKey, TenantId};

pub use lists::{
    Candidate, CandidatePage, CandidateQuery, ChangePage, DecisionPage, PageCursor, Related,
};
pub use pair::{CannotLink, PairExplanation, Side};
pub use profile::{FormerHolder, ProfileExplanation, RecordExplanation, RefusedLink};

use crate::active_models::{ActiveModel, ActiveModels};
use crate::store::{self, Snapshot, Store};
use crate::telemetry::Metrics;

/// Why there is no explanation.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such profile or record.
    #[error("no profile answers to the key")]
    NotFound,
    /// A record was to be explained beside itself.
    #[error("both sides are one record")]
    OneRecord,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// What every explanation answers with.
pub type Result<T> = std::result::Result<T, Error>;

/// Evidence that a record and another are one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The other record.
    pub record: RecordKey,
    /// What speaks for it.
    pub support: Support,
}

/// What speaks for two records being one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Support {
    /// They hold the same identifiers.
    Shared {
        /// Of this type.
        kind: String,
        /// These values.
        values: Vec<String>,
    },
    /// One holds identifiers that the other held before, or both held them.
    Former {
        /// Their type, by its name in the model.
        kind: String,
        /// These values.
        values: Vec<String>,
    },
    /// They are alike.
    Score(Comparison),
    /// A person said so.
    Decision {
        /// The decision's name.
        id: String,
    },
}

/// Explains.
#[derive(Clone)]
pub struct Explainer {
    store: Arc<dyn Store>,
    models: Arc<ActiveModels>,
    metrics: Arc<Metrics>,
}

/// What an explanation looks at: one state of the data, and the model that was in force in it.
struct ExplainContext {
    reads: Box<dyn Snapshot>,
    running: Arc<ActiveModel>,
}

impl Explainer {
    /// An explainer of what is in a store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, models: Arc<ActiveModels>, metrics: Arc<Metrics>) -> Self {
        Self {
            store,
            models,
            metrics,
        }
    }

    async fn scene(&self, tenant: &TenantId) -> Result<ExplainContext> {
        loop {
            let running = self.models.of(tenant).await?;
            let mut reads = self
                .metrics
                .store("snapshot", self.store.snapshot(tenant))
                .await?;
            let version = reads.model_in_force().await?;
            if version <= running.version {
                return Ok(ExplainContext { reads, running });
            }
            // Another server has put another model in force. It is loaded with no snapshot open, so
            // that those who learn of it at once do not wait for each other's connections.
            drop(reads);
            self.models.told(tenant, version, &running).await?;
        }
    }
}

impl ExplainContext {
    /// The row of the profile that answers to an id.
    async fn living(&mut self, id: ProfileId) -> Result<ProfileRow> {
        let row = self
            .reads
            .profile_rows(&[id])
            .await?
            .pop()
            .ok_or(Error::NotFound)?;
        let row = match row.state {
            ProfileState::MergedInto(survivor) => self.reads.profile_rows(&[survivor]).await?.pop(),
            ProfileState::Live | ProfileState::Deleted => Some(row),
        };
        row.filter(|row| row.state == ProfileState::Live)
            .ok_or(Error::NotFound)
    }

    /// The records of a live profile, in order of key.
    async fn members(&mut self, id: ProfileId) -> Result<Vec<Record>> {
        let mut records = self.reads.members(&[id]).await?;
        records.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(records)
    }
}
