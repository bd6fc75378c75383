//! Readiness: what the health service and `/readyz` say.

use std::sync::Arc;
use std::time::Duration;

use profile_core::records::TenantId;
use tokio::sync::watch;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use super::time;
use crate::active_models::ActiveModels;
use crate::grpc::service_names;
use crate::store::retry::jittered;
use crate::telemetry::http::Readiness;

/// How often the store is asked whether it is right, until it is.
const CHECK_INTERVAL: Duration = Duration::from_millis(200);

/// Asks the store until it is right and the API keys are known, then says so. From then on says
/// when the database or the clock cannot be relied on, and why.
pub(super) async fn become_ready(
    clocks: time::Comparison,
    models: Arc<ActiveModels>,
    health: HealthReporter,
    ready: watch::Sender<Readiness>,
    keys_known: impl Future<Output = ()> + Send,
) {
    let store = clocks.store.clone();
    let mut told = String::new();
    while let Err(error) = store.check().await {
        let error = error.to_string();
        if error != told {
            ready.send_replace(Readiness::NotReady(error.clone().into()));
            tracing::warn!(%error, "not ready yet");
            told = error;
        }
        tokio::time::sleep(jittered(CHECK_INTERVAL)).await;
    }
    clocks.begin().await;
    // Whoever reads them reports failures.
    keys_known.await;
    let mut reason = store.availability().reason();
    say(reason.as_deref(), &health, &ready).await;
    if reason.is_none() {
        tracing::info!("ready");
    }
    if let Err(error) = models.compare_with_configured(&TenantId::default()).await {
        tracing::warn!(%error, "whether the configured model file is the model in force could not be found out");
    }
    loop {
        tokio::select! {
            other = store.availability().reason_after(reason.clone()) => {
                reason = other;
                say(reason.as_deref(), &health, &ready).await;
            }
            // Whoever follows the change log reports failures.
            () = tokio::time::sleep(time::INTERVAL) => drop(clocks.look().await),
        }
    }
}

/// Says that the server is ready, or why not.
async fn say(reason: Option<&str>, health: &HealthReporter, ready: &watch::Sender<Readiness>) {
    let (status, readiness) = match reason {
        Some(reason) => (
            ServingStatus::NotServing,
            Readiness::NotReady(reason.to_owned().into()),
        ),
        None => (ServingStatus::Serving, Readiness::Ready),
    };
    set_health(health, status).await;
    ready.send_replace(readiness);
}

/// Says the same of every service.
pub(super) async fn set_health(health: &HealthReporter, status: ServingStatus) {
    for service in std::iter::once("").chain(service_names()) {
        health.set_service_status(service, status).await;
    }
}
