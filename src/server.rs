//! The server: its parts put together, and its life from start to drain.
//!
//! It listens at once, so that probes are answered, and says `NOT_SERVING` until the store answers
//! with the right schema. From then on it says `SERVING` until a signal stops it, also while the
//! database is away: calls then fail fast with what to do, and what is cached is still answered;
//! taking every replica out of service would help nobody. Only a database that cannot be relied on
//! (its file was replaced, an answered write is missing) ends in `NOT_SERVING`, with the reason.
//!
//! At the end: `NOT_SERVING`, a lame-duck wait in which calls are still taken, no new connections,
//! a bounded wait for calls in work, after which all that is left is cut off, the rest of the write
//! queue, how far publishing is, then the telemetry.

mod access;
mod audit;
mod connections;
mod readiness;
mod services;
mod time;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic_health::ServingStatus;
use tower::Layer;

use self::access::Access;
use self::readiness::{become_ready, set_health};
use self::services::build;
use crate::active_models::{ActiveModels, ModelFile};
use crate::audit::KeyError;
use crate::auth::IssuerError;
use crate::background::retention::keep_short;
use crate::changes::{PublisherParts, Publishers};
use crate::clock::Clock;
use crate::compute;
use crate::config::Config;
use crate::grpc::{CallLayer, CallLimits, CallLog};
use crate::spans::Sampler;
use crate::store::Store;
use crate::telemetry::http::Readiness;
use crate::telemetry::{Episode, Metrics};
use crate::transport::Stops;
use crate::transport::tls;

/// How long the rest of the write queue may take at the end.
const WRITER_BOUND: Duration = Duration::from_secs(10);
/// How long background work may take to notice that it was cut off.
const BACKGROUND_BOUND: Duration = Duration::from_secs(1);

/// What a server runs on. Listeners and time come from outside, so that tests need no fixed ports
/// and no clocks.
pub struct Parts {
    /// All bounds.
    pub config: Config,
    /// Where records are kept.
    pub store: Arc<dyn Store>,
    /// The model that new tenants begin with.
    pub model: ModelFile,
    /// Source of the current time.
    pub clock: Arc<dyn Clock>,
    /// Sink of all figures.
    pub metrics: Arc<Metrics>,
    /// The log lines of calls.
    pub call_log: Arc<CallLog>,
    /// Tells whether the server is ready, for `/readyz`.
    pub ready: watch::Sender<Readiness>,
}

/// Why a server ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Accepting connections failed. A bug; the log has the panic.
    #[error("accepting connections has failed; nobody can connect")]
    Listener,
    /// The write path failed. A bug; the log has the panic.
    #[error("the write path has failed; nothing more can be written")]
    Writer,
    /// The files of TLS cannot be used.
    #[error("TLS: {0}")]
    Tls(#[from] tls::Error),
    /// The file of issuers cannot be used.
    #[error("issuers: {0}")]
    Issuers(#[from] IssuerError),
    /// The file of keys of the audit log cannot be used.
    #[error("audit.key_file: {0}")]
    Audit(#[from] KeyError),
}

/// Runs a server until `shutdown`, then drains it.
///
/// # Errors
/// When the files of TLS or of issuers cannot be used, at once; when accepting connections or
/// writing fails by a bug.
pub async fn serve(
    parts: Parts,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Error> {
    compute::install();
    let access = Access::begin(&parts)?;
    let (health, health_service) = tonic_health::server::health_reporter();
    set_health(&health, ServingStatus::NotServing).await;
    let stops = Stops::default();
    let clocks = clocks(&parts);
    clocks.hold_writes();
    let models = Arc::new(ActiveModels::new(parts.store.clone(), parts.model.clone()));
    let (services, mut writer, behind) = build(
        &parts,
        models.clone(),
        health_service,
        access.audit.journal(),
    );
    let tidying = tidy(&parts);
    let publishers = publishers(&parts, models.clone());
    let checks = tokio::spawn(become_ready(
        clocks,
        models.clone(),
        health.clone(),
        parts.ready.clone(),
        access.known(),
    ));

    let calls = CallLayer::new(
        CallLimits::of(&parts.config),
        parts.metrics.clone(),
        parts.call_log.clone(),
        (access.authenticator.clone(), access.audit.trail.clone()),
        models.clone(),
    );
    let call_reports = tokio::spawn(parts.call_log.clone().report_for_ever());
    let service = calls.layer(services.prepare());
    let accepting = connections::accept(
        (listener, access.tls.clone()),
        parts.config.clone(),
        parts.metrics.clone(),
        service,
        stops.clone(),
    );
    let mut accepting = tokio::spawn(accepting);
    let result = tokio::select! {
        _ = &mut accepting => Err(Error::Listener),
        // By a panic: the queue and all handles to it live as long as the services. Whoever watches
        // the process starts it again; a server that takes no writes and says that it is well would
        // help nobody.
        _ = &mut writer => return Err(Error::Writer),
        () = shutdown => {
            tracing::info!("stopping: no longer ready, calls are still taken");
            checks.abort();
            set_health(&health, ServingStatus::NotServing).await;
            parts.ready.send_replace(Readiness::NotReady("stopping".into()));
            tokio::time::sleep(parts.config.grpc.lame_duck).await;
            Ok(())
        }
    };
    connections::drain(&stops, parts.config.grpc.drain).await;
    tidying.abort();
    call_reports.abort();
    parts.call_log.report();
    access.end().await;
    end(behind).await;
    finish(writer, publishers, &parts).await;
    result
}

/// Keeps the change log short.
fn tidy(parts: &Parts) -> JoinHandle<()> {
    let (store, clock) = (parts.store.clone(), parts.clock.clone());
    tokio::spawn(keep_short(store, clock, parts.config.changes.clone()))
}

fn publishers(parts: &Parts, models: Arc<ActiveModels>) -> Publishers {
    Publishers::start(PublisherParts {
        store: parts.store.clone(),
        models,
        clock: parts.clock.clone(),
        metrics: parts.metrics.clone(),
        sampler: Sampler::of(&parts.config.telemetry),
        options: parts.config.publish.clone(),
    })
}

fn clocks(parts: &Parts) -> time::Comparison {
    let clocks = time::Comparison {
        store: parts.store.clone(),
        clock: parts.clock.clone(),
        limit: parts.config.database.max_clock_difference,
        episode: Arc::new(Episode::new("clock compared with the database's")),
    };
    parts.metrics.observe_episode(&clocks.episode);
    clocks
}

/// Ends background work before the store is closed: cut off, or by a panic that the log has.
async fn end(behind: [JoinHandle<()>; 3]) {
    for work in behind {
        work.abort();
        if tokio::time::timeout(BACKGROUND_BOUND, work).await.is_err() {
            tracing::warn!(
                "background work is busy and cannot be cut off; it ends with the process"
            );
        }
    }
}

/// Waits for the writer, which ends when the queue is empty and the last service is gone, and for
/// the publishers.
async fn finish(writer: JoinHandle<()>, publishers: Publishers, parts: &Parts) {
    if tokio::time::timeout(WRITER_BOUND, writer).await.is_err() {
        match parts.metrics.ingest_waiting() {
            0 => tracing::warn!("the writer did not end in time; no statement was waiting"),
            statements => tracing::warn!(
                statements,
                "the write queue was not empty in time; what was not answered may not be stored"
            ),
        }
    }
    publishers.stop().await;
    parts.store.close().await;
}
