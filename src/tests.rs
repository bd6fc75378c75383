//! A service in memory, for unit tests.

use std::sync::Arc;

use profile_core::records::{
    Draft, DraftRecord, Identifier, ProfileId, RecordKey, Sequence, TenantId, Timestamp,
};
use tokio::task::JoinHandle;

use crate::active_models::{ActiveModels, ModelFile};
use crate::changes::{LogFollower, Options};
use crate::clock::Clock;
use crate::config::Config;
use crate::ingest::{self, Ingest, Receipt};
use crate::reader::{Limits, Reader};
use crate::rollout::ModelRollout;
use crate::store::Store;
use crate::store::memory::MemoryStore;
use crate::telemetry::Telemetry;

/// The model of a [`World`]: accounts link records, cards too; a profile has three records at most.
pub(crate) const MODEL: &str = "
max_records_per_profile: 3
identifiers:
  account: { priority: 1 }
  card: { priority: 2 }
traits:
  nickname: {}
sources:
  shop:
    records:
      customers:
        key: id
        identifiers: { account: account, card: card }
        traits: { nickname: nickname }
";

/// The time of a [`World`], which stands still.
pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_750_000_000_000_000);

/// One tenant of a service.
pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) follower: Arc<LogFollower>,
    pub(crate) ingest: Ingest,
    pub(crate) writer: JoinHandle<()>,
    pub(crate) reader: Reader,
    pub(crate) rollout: ModelRollout,
    pub(crate) tenant: TenantId,
}

impl World {
    pub(crate) fn new() -> Self {
        let config = Config::defaults();
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let clock: Arc<dyn Clock> = Arc::new(NOW);
        let model = ModelFile::parse(MODEL).expect("a model");
        let models = Arc::new(ActiveModels::new(store.clone(), model));
        let metrics = Telemetry::collect(&config).expect("metrics").metrics;
        let follower = LogFollower::start(
            store.clone(),
            models.clone(),
            metrics.clone(),
            Options::default(),
        );
        let parts = ingest::Parts {
            store: store.clone(),
            models: models.clone(),
            clock: clock.clone(),
            follower: follower.clone(),
            metrics: metrics.clone(),
        };
        let (ingest, writer) = Ingest::start(parts, ingest::Options::from(&config));
        let reader = Reader::new(
            store.clone(),
            models.clone(),
            follower.clone(),
            metrics,
            (clock.clone(), Limits::from(&config)),
        );
        let rollout = ModelRollout {
            store: store.clone(),
            models,
            clock,
            follower: follower.clone(),
        };
        Self {
            store,
            follower,
            ingest,
            writer,
            reader,
            rollout,
            tenant: TenantId::default(),
        }
    }

    /// Writes a batch and waits for its answer.
    pub(crate) async fn write(&self, intake: Vec<ingest::Intake<Draft>>) -> Receipt {
        let ticket = self.ingest.push(&self.tenant, intake).await;
        ticket.expect("a ticket").wait().await.expect("a receipt")
    }

    /// Stores a record and returns its profile.
    pub(crate) async fn store(&self, draft: Draft) -> ProfileId {
        let receipt = self.write(vec![Ok(draft)]).await;
        receipt.results[0].profile.expect("stored")
    }

    /// The last write of the tenant.
    pub(crate) async fn head(&self) -> Sequence {
        let found = self.store.find_by_records(&self.tenant, &[]).await;
        found.expect("reads").sequence
    }
}

/// The key of a record of the shop.
pub(crate) fn key(id: &str) -> RecordKey {
    RecordKey::new("shop", id)
}

/// A whole record with one identifier.
pub(crate) fn record(id: &str, kind: &str, value: &str) -> Draft {
    let mut draft = DraftRecord::new(key(id));
    draft.identifiers.push(Identifier::new(kind, value));
    Draft::Upsert(draft)
}
