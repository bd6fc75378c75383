//! A candidate beside the model in force: whether it says something else, and as which version it
//! comes into force.

use std::sync::Arc;

use profile_core::records::{TenantId, Timestamp};

use super::candidate::{Candidate, Content, Weights};
use super::switch::{Error, ModelRollout};
use crate::active_models::{ActiveModel, ModelFile};
use crate::compute::{self, Class};
use crate::store::{self, ModelVersion, StoredModel};

/// A candidate beside the model in force.
pub(super) struct Comparison {
    pub(super) from: Arc<ActiveModel>,
    pub(super) to: Arc<ActiveModel>,
    /// To be stored; none where the version is stored already and can come into force as it is.
    pub(super) added: Option<ModelVersion>,
    pub(super) unchanged: bool,
}

impl ModelRollout {
    /// Puts a candidate beside the model in force.
    pub(super) async fn compare(
        &self,
        tenant: &TenantId,
        candidate: &Candidate,
        in_force: Option<StoredModel>,
    ) -> Result<Comparison, Error> {
        let from = self.compile_active(tenant, in_force.as_ref()).await?;
        let (base_file, base_weights) = match &in_force {
            Some(stored) => (stored.model.file.as_str(), stored.model.weights.as_str()),
            None => (self.models.configured_text(), ""),
        };
        let (file, own, stored) = match &candidate.content {
            Content::File(file) => (file.clone(), base_weights.to_owned(), None),
            Content::Version(wanted) => {
                let stored = self.stored_version(tenant, *wanted).await?;
                (
                    stored.model.file.clone(),
                    stored.model.weights.clone(),
                    Some(stored),
                )
            }
        };
        let weights = match candidate.weights {
            Weights::Own => own,
            Weights::Shipped => String::new(),
            Weights::Of(of) => self.stored_version(tenant, of).await?.model.weights,
        };
        let unchanged = file == base_file && weights == base_weights;
        if let Content::File(file) = &candidate.content {
            check_file(file.clone()).await?;
        }
        // A stored version that was never in force comes into force as it is, if it is later than
        // all that were.
        let as_it_is = stored.filter(|stored| {
            stored.activation.is_none()
                && stored.model.version > from.version
                && stored.model.weights == weights
        });
        let latest = self.latest(tenant).await?;
        let (model, added) = if let Some(stored) = as_it_is {
            (stored.model, None)
        } else {
            let model = ModelVersion {
                version: latest + 1,
                file,
                weights,
                create_time: Timestamp::default(),
                note: candidate.note(),
            };
            (model.clone(), Some(model))
        };
        let to = self
            .models
            .compile(&StoredModel {
                model,
                activation: None,
            })
            .await?;
        Ok(Comparison {
            from,
            to,
            added,
            unchanged,
        })
    }

    /// The active model as it can be compared with: the configured one where none is stored.
    async fn compile_active(
        &self,
        tenant: &TenantId,
        active: Option<&StoredModel>,
    ) -> Result<Arc<ActiveModel>, Error> {
        let Some(stored) = active else {
            return Ok(self.models.configured());
        };
        match self.models.compile(stored).await {
            // Nothing is read by such a model, so all of the history is replayed under the other
            // one.
            Err(store::Error::Model { version, what }) => {
                tracing::warn!(%tenant, version, what, "the model in force cannot be used; another one takes its place");
                Ok(Arc::new(ActiveModel {
                    version,
                    model: Arc::default(),
                }))
            }
            compiled => Ok(compiled?),
        }
    }

    async fn stored_version(&self, tenant: &TenantId, version: i64) -> Result<StoredModel, Error> {
        let stored = self.store.model(tenant, Some(version)).await?;
        stored.ok_or(Error::NoVersion(version))
    }
}

/// Refuses a model file with mistakes.
async fn check_file(file: String) -> Result<(), Error> {
    let parsed = compute::run(Class::Call, None, move || ModelFile::parse(&file).map(drop)).await?;
    parsed.map_err(Error::Mistakes)
}
