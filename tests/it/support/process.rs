//! What reads and writes in a server, put together without its network.

use std::sync::Arc;

use profile_core::records::{Draft, TenantId};

use customer_profile::active_models::{ActiveModels, ModelFile};
use customer_profile::changes::{LogFollower, Options};
use customer_profile::clock::SystemClock;
use customer_profile::config::Config;
use customer_profile::ingest::{self, Ingest, Receipt};
use customer_profile::reader::{Limits, Reader};
use customer_profile::rollout::ModelRollout;
use customer_profile::store::Store;
use customer_profile::telemetry::Telemetry;

/// A server's inside, with a cache of its own.
#[derive(Clone)]
pub(crate) struct Process {
    pub(crate) ingest: Ingest,
    pub(crate) reader: Reader,
    pub(crate) switch: ModelRollout,
    pub(crate) follower: Arc<LogFollower>,
}

impl Process {
    pub(crate) fn start(
        store: Arc<dyn Store>,
        model: ModelFile,
        options: Options,
        limits: Limits,
    ) -> Self {
        let (clock, models) = (
            Arc::new(SystemClock),
            Arc::new(ActiveModels::new(store.clone(), model)),
        );
        let metrics = Telemetry::collect(&Config::defaults())
            .expect("figures")
            .metrics;
        let follower = LogFollower::start(store.clone(), models.clone(), metrics.clone(), options);
        let parts = ingest::Parts {
            store: store.clone(),
            models: models.clone(),
            clock: clock.clone(),
            follower: follower.clone(),
            metrics: metrics.clone(),
        };
        let (ingest, _writer) = Ingest::start(parts, ingest::Options::from(&Config::defaults()));
        let reader = Reader::new(
            store.clone(),
            models.clone(),
            follower.clone(),
            metrics,
            (clock.clone(), limits),
        );
        let switch = ModelRollout {
            store,
            models,
            clock,
            follower: follower.clone(),
        };
        Self {
            ingest,
            reader,
            switch,
            follower,
        }
    }

    /// Says drafts and waits for the answer.
    pub(crate) async fn say(&self, tenant: &TenantId, drafts: Vec<Draft>) -> Receipt {
        let intake = drafts.into_iter().map(Ok).collect();
        let ticket = self.ingest.push(tenant, intake).await.expect("a ticket");
        ticket.wait().await.expect("a receipt")
    }
}
