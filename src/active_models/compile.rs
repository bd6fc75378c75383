//! Compiled models, kept within a bound; each is compiled once at a time.

use std::sync::{Arc, PoisonError, Weak};

use profile_core::model::Model;
use profile_core::records::{ContentHash, TenantId};
use tokio::sync::Mutex;

use super::{ActiveModel, ActiveModels, Compiled, MAX_MODELS};
use crate::compute::{self, Class};
use crate::store::{Error, ModelVersion, Result, StoredModel};

/// How many models that cannot be compiled are remembered.
const MAX_UNUSABLE: usize = 1_000;

impl ActiveModels {
    /// Compiles a stored version.
    ///
    /// # Errors
    /// [`Error::Model`] when this version of the service cannot read it, or it is over a bound.
    pub async fn compile(&self, stored: &StoredModel) -> Result<Arc<ActiveModel>> {
        let ModelVersion {
            version,
            file,
            weights,
            ..
        } = &stored.model;
        if **file == *self.configured.text && weights.is_empty() {
            return Ok(Arc::new(ActiveModel {
                version: *version,
                model: self.configured.model.clone(),
            }));
        }
        let content = ContentHash::of(&(file, weights));
        let unusable = |what: &str| Error::Model {
            version: *version,
            what: what.to_owned(),
        };
        let known = || match self.compiled(content)? {
            Ok(model) => Some(Ok(Arc::new(ActiveModel {
                version: *version,
                model,
            }))),
            Err(what) => Some(Err(unusable(&what))),
        };
        if let Some(known) = known() {
            return known;
        }
        let flight = self.flight(content);
        let _alone = flight.lock().await;
        if let Some(known) = known() {
            return known;
        }
        let (text, learned) = (file.clone(), weights.clone());
        let built = compute::run(Class::Call, None, move || build(&text, &learned)).await;
        let built = built.map_err(|error| Error::Unavailable(error.to_string()))?;
        if let Err(what) = &built {
            tracing::error!(
                version,
                what,
                "a model in the database cannot be used; its tenant is refused"
            );
        }
        let built = built.map(Arc::new);
        self.keep(content, &built);
        match built {
            Ok(model) => Ok(Arc::new(ActiveModel {
                version: *version,
                model,
            })),
            Err(what) => Err(unusable(&what)),
        }
    }

    /// What is known of a content.
    pub(super) fn compiled(
        &self,
        content: ContentHash,
    ) -> Option<std::result::Result<Arc<Model>, Arc<str>>> {
        match self
            .compiled
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&content)?
        {
            Compiled::Model(model) => model.upgrade().map(Ok),
            Compiled::Unusable(what) => Some(Err(what.clone())),
        }
    }

    fn keep(&self, content: ContentHash, built: &std::result::Result<Arc<Model>, String>) {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        compiled.retain(|_, known| match known {
            Compiled::Model(model) => model.strong_count() > 0,
            Compiled::Unusable(_) => true,
        });
        match built {
            Ok(model) => {
                compiled.insert(content, Compiled::Model(Arc::downgrade(model)));
                if compiled.len() > MAX_MODELS + MAX_UNUSABLE {
                    self.known
                        .write()
                        .unwrap_or_else(PoisonError::into_inner)
                        .clear();
                }
            }
            Err(what) => {
                if compiled.len() >= MAX_UNUSABLE {
                    compiled.retain(|_, known| matches!(known, Compiled::Model(_)));
                }
                compiled.insert(content, Compiled::Unusable(what.as_str().into()));
            }
        }
    }

    /// Whoever holds it compiles this content, alone.
    pub(super) fn flight(&self, content: ContentHash) -> Arc<Mutex<()>> {
        let mut compiling = self
            .compiling
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        compiling.retain(|_, flight| flight.strong_count() > 0);
        if let Some(flight) = compiling.get(&content).and_then(Weak::upgrade) {
            return flight;
        }
        let flight = Arc::new(Mutex::new(()));
        compiling.insert(content, Arc::downgrade(&flight));
        flight
    }

    pub(super) async fn load(&self, tenant: &TenantId, version: i64) -> Result<Arc<ActiveModel>> {
        let stored = self.store.model(tenant, Some(version)).await?;
        let stored = stored.ok_or_else(|| Error::Inconsistent {
            table: "model",
            column: "version",
            key: format!("…/{version}"),
            what: "is in force and not there".to_owned(),
        })?;
        self.compile(&stored).await
    }
}

/// Compiles a model with its weights, or says what is wrong first.
pub(super) fn build(file: &str, weights: &str) -> std::result::Result<Model, String> {
    let mut model = Model::parse(file)
        .map_err(|errors| errors.first().map(ToString::to_string).unwrap_or_default())?;
    if !weights.is_empty() {
        let weights =
            serde_json::from_str(weights).map_err(|error| format!("its weights: {error}"))?;
        model.matching.weights = Arc::new(weights);
    }
    Ok(model)
}
