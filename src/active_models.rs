//! Which model is in force for whom.
//!
//! A tenant's model is part of its data: profiles are what the model in force makes of the records,
//! so every server on a database must go by the same one, whatever its configuration says. The
//! configured model file is what a tenant *begins* with: its first write stores the file as version
//! 1. From then on the stored version is in force, until another one is applied.
//!
//! How a server learns of another version, without ever asking for it:
//!
//! - A **writer** is told the version with its turn. What was checked under another one is checked
//!   again.
//! - A **reader** is told the version with each answer of the store, in the same snapshot. It folds
//!   by that version. A cached answer stands under the version that it was asked for under, so
//!   another version makes all of a tenant's cached answers old at once. Whoever follows the change
//!   log is told with each read of it. (Until then answers from the cache may miss what other
//!   servers applied; a read with a token does not.)
//!
//! Versions come into force in order, so of two the greater one is in force.

mod compile;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, Weak};

use profile_core::model::publication::Target;
use profile_core::model::{Model, ModelError, Publication};
use profile_core::records::{ContentHash, TenantId, Timestamp};
use tokio::sync::Mutex;

use crate::store::{ModelVersion, Result, Store};

/// How many tenants' models are remembered; one of them more, and all are asked for again.
const MAX_TENANTS: usize = 10_000;

/// How many different compiled models are kept for tenants; one more, and all tenants' are asked
/// for again. A model takes some hundred kilobytes, a tenant with the configured one a hundred
/// bytes.
const MAX_MODELS: usize = 200;

/// A model file and what it compiles to.
#[derive(Debug, Clone)]
pub struct ModelFile {
    /// As it is written.
    pub text: Arc<str>,
    /// What it says.
    pub model: Arc<Model>,
}

impl ModelFile {
    /// Compiles a model file that is to become active.
    ///
    /// # Errors
    /// Every mistake. Where there is none, every target that this program cannot publish to: a
    /// version that is stored already stays readable.
    pub fn parse(text: &str) -> std::result::Result<Self, Vec<ModelError>> {
        let model = Model::parse(text)?;
        let missing = missing_targets(text, &model, cfg!(feature = "nats"));
        if !missing.is_empty() {
            return Err(missing);
        }
        Ok(Self {
            text: text.into(),
            model: Arc::new(model),
        })
    }

    /// The one that is compiled in.
    #[must_use]
    pub fn built_in() -> Self {
        Self {
            text: profile_core::model::file::BUILT_IN.into(),
            model: Model::built_in(),
        }
    }
}

/// The publications whose target is not built in.
fn missing_targets(text: &str, model: &Model, has_nats: bool) -> Vec<ModelError> {
    let needs_nats = |publication: &Publication| matches!(publication.target, Target::Nats(_));
    let publications = model.publications.iter();
    publications
        .filter(|(_, publication)| needs_nats(publication) && !has_nats)
        .map(|(name, _)| {
            ModelError::at(
                text,
                &["publish", name, "nats"],
                "this program is built without NATS (feature `nats`); publish to a webhook, or use another build",
            )
        })
        .collect()
}

/// A model in force.
#[derive(Debug, Clone)]
pub struct ActiveModel {
    /// Its version; 0: the configured one, while the tenant has none of its own.
    pub version: i64,
    /// Its rules.
    pub model: Arc<Model>,
}

/// What became of a stored model.
#[derive(Debug, Clone)]
enum Compiled {
    Model(Weak<Model>),
    /// The first mistake.
    Unusable(Arc<str>),
}

/// The models of all tenants, as far as this process knows.
pub struct ActiveModels {
    store: Arc<dyn Store>,
    configured: ModelFile,
    known: RwLock<HashMap<TenantId, Arc<ActiveModel>>>,
    /// What is compiled, by content, or why it cannot be. Never locked while compiling.
    compiled: std::sync::Mutex<HashMap<ContentHash, Compiled>>,
    /// What is being compiled, by content: many who miss the same model compile it once, and nobody
    /// waits for another model.
    compiling: std::sync::Mutex<HashMap<ContentHash, Weak<Mutex<()>>>>,
}

impl ActiveModels {
    /// `configured` is what a tenant begins with.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, configured: ModelFile) -> Self {
        Self {
            store,
            configured,
            known: RwLock::default(),
            compiled: std::sync::Mutex::default(),
            compiling: std::sync::Mutex::default(),
        }
    }

    /// The model in force for a tenant, as far as this process knows. Asks the store once a tenant.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn of(&self, tenant: &TenantId) -> Result<Arc<ActiveModel>> {
        if let Some(running) = self.known(tenant) {
            return Ok(running);
        }
        let running = match self.store.model(tenant, None).await? {
            Some(stored) => self.compile(&stored).await?,
            None => self.configured(),
        };
        Ok(self.learn(tenant, running))
    }

    /// The model of a version that was in force once.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn past(&self, tenant: &TenantId, version: i64) -> Result<Arc<ActiveModel>> {
        match self.known(tenant) {
            Some(running) if running.version == version => Ok(running),
            _ if version == 0 => Ok(self.configured()),
            _ => self.load(tenant, version).await,
        }
    }

    /// The model of a version that the store has told of with an answer; `asked` is what the answer
    /// was asked for under.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn told(
        &self,
        tenant: &TenantId,
        version: i64,
        asked: &Arc<ActiveModel>,
    ) -> Result<Arc<ActiveModel>> {
        // Less: from a database that has not seen all yet, such as a standby that took over.
        if version <= asked.version {
            return Ok(asked.clone());
        }
        match self.known(tenant) {
            Some(running) if running.version >= version => Ok(running),
            _ => Ok(self.learn(tenant, self.load(tenant, version).await?)),
        }
    }

    /// Takes a version that a writer was told with its turn for the one in force, whatever was
    /// known.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn adopt(&self, tenant: &TenantId, version: i64) -> Result<Arc<ActiveModel>> {
        let running = if version == 0 {
            self.configured()
        } else {
            self.load(tenant, version).await?
        };
        self.put(tenant, running.clone());
        Ok(running)
    }

    /// A version is in force: its activation is committed.
    pub fn put(&self, tenant: &TenantId, running: Arc<ActiveModel>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_TENANTS && !known.contains_key(tenant) {
            known.clear();
        }
        known.insert(tenant.clone(), running);
    }

    /// It is not known any more what is in force; the store is asked again.
    pub fn forget(&self, tenant: &TenantId) {
        self.known
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(tenant);
    }

    /// The first version of a tenant's model, to be stored with its first write.
    #[must_use]
    pub fn first_version(&self, now: Timestamp) -> ModelVersion {
        ModelVersion {
            version: 1,
            file: self.configured.text.to_string(),
            weights: String::new(),
            create_time: now,
            note: "configured when the first record came".to_owned(),
        }
    }

    /// Tells the log if a tenant's model is another one than the configured file says.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn compare_with_configured(&self, tenant: &TenantId) -> Result<()> {
        let Some(stored) = self.store.model(tenant, None).await? else {
            return Ok(());
        };
        if *stored.model.file != *self.configured.text {
            tracing::warn!(
                %tenant, version = stored.model.version,
                "the configured model file is not the model in force, which stays; `model plan FILE` tells what the file \
                 would change, `model apply FILE` puts it in force"
            );
        }
        Ok(())
    }

    /// The configured model file.
    pub(crate) fn configured_text(&self) -> &str {
        &self.configured.text
    }

    /// The configured model, while a tenant has none of its own.
    pub(crate) fn configured(&self) -> Arc<ActiveModel> {
        Arc::new(ActiveModel {
            version: 0,
            model: self.configured.model.clone(),
        })
    }

    fn known(&self, tenant: &TenantId) -> Option<Arc<ActiveModel>> {
        self.known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(tenant)
            .cloned()
    }

    /// Remembers what a reader found, unless a later one is known by now. Answers with what is
    /// known then.
    fn learn(&self, tenant: &TenantId, running: Arc<ActiveModel>) -> Arc<ActiveModel> {
        match self.known(tenant) {
            Some(known) if known.version >= running.version => known,
            _ => {
                self.put(tenant, running.clone());
                running
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::store::StoredModel;
    use crate::store::memory::MemoryStore;

    #[test]
    fn a_program_without_nats_refuses_a_model_that_publishes_to_it() {
        let text = "sources: {}\npublish:\n  bus:\n    nats:\n      url: nats://localhost\n      subject: a.{kind}\n";
        let model = Model::parse(text).expect("compiles");
        assert_eq!(missing_targets(text, &model, true), []);
        let refused = missing_targets(text, &model, false);
        insta::assert_snapshot!(
            refused.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
            @"5:7: publish.bus.nats: this program is built without NATS (feature `nats`); publish to a webhook, or use another build"
        );
    }

    fn stored(version: i64, file: &str) -> StoredModel {
        let (weights, note, create_time) =
            (String::new(), String::new(), Timestamp::from_micros(0));
        StoredModel {
            model: ModelVersion {
                version,
                file: file.to_owned(),
                weights,
                create_time,
                note,
            },
            activation: None,
        }
    }

    #[tokio::test]
    async fn a_model_that_is_being_compiled_delays_no_other_tenant() {
        let models = ActiveModels::new(Arc::new(MemoryStore::new()), ModelFile::built_in());
        let (slow, quick) = (
            stored(1, "sources: { slow: }"),
            stored(1, "sources: { quick: }"),
        );
        // The first tenant's model is being compiled, for as long as this is held.
        let flight = models.flight(ContentHash::of(&(&slow.model.file, &slow.model.weights)));
        let held = flight.lock().await;
        let waits = models.compile(&slow);
        tokio::pin!(waits);
        assert!(
            futures::poll!(&mut waits).is_pending(),
            "two compile the same"
        );
        let other = tokio::time::timeout(Duration::from_mins(1), models.compile(&quick)).await;
        assert!(other.expect("the other tenant waits").is_ok());
        drop(held);
        assert!(waits.await.is_ok());
    }
}
