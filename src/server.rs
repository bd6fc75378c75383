//! The server: its parts put together, and its life from start to drain.
//!
//! It listens at once, so that probes are answered, and says `NOT_SERVING` until the store answers
//! with the right schema. From then on it says `SERVING` until it is told to stop, also while the
//! database is away: calls then fail fast with what to do, and what is cached is still answered;
//! taking every replica out of service would help nobody. Only a database that cannot be relied on
//! (its file was replaced, an answered write is missing) ends in `NOT_SERVING`, with the reason.
//!
//! At the end: `NOT_SERVING`, a lame-duck wait in which calls are still taken, no new connections,
//! a bounded wait for calls in work, after which all that is left is cut off, the rest of the write
//! queue, how far publishing is, then the telemetry.

mod connections;
mod time;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use profile_core::records::TenantId;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::codec::CompressionEncoding;
use tonic::service::{Routes, RoutesBuilder};
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tower::Layer;

use crate::active_models::{ActiveModels, ModelFile};
use crate::background::analytics::AnalyticsRefresher;
use crate::background::backfill::Backfill;
use crate::background::retention::keep_short;
use crate::background::segments::Segments;
use crate::changes::{LogFollower, PublisherParts, Publishers};
use crate::clock::Clock;
use crate::compute;
use crate::config::Config;
use crate::explain::Explainer;
use crate::grpc::v1::context_service_server::ContextServiceServer;
use crate::grpc::v1::experience_service_server::ExperienceServiceServer;
use crate::grpc::v1::identity_service_server::IdentityServiceServer;
use crate::grpc::v1::ingest_service_server::IngestServiceServer;
use crate::grpc::v1::model_service_server::ModelServiceServer;
use crate::grpc::v1::preference_service_server::PreferenceServiceServer;
use crate::grpc::v1::profile_service_server::ProfileServiceServer;
use crate::grpc::v1::publish_service_server::PublishServiceServer;
use crate::grpc::v1::segment_service_server::SegmentServiceServer;
use crate::grpc::{
    CallLayer, CallLimits, CallLog, ContextApi, ExperienceApi, IdentityApi, IngestApi, ModelApi,
    PreferenceApi, ProfileApi, PublishApi, Reflection, SegmentApi, Watches, service_names,
};
use crate::ingest::{self, Ingest};
use crate::reader::Reader;
use crate::rollout::ModelRollout;
use crate::store::Store;
use crate::store::retry::jittered;
use crate::telemetry::http::Readiness;
use crate::telemetry::{Episode, Metrics};
use crate::transport::Stops;

/// How often the store is asked whether it is right, until it is.
const CHECK_INTERVAL: Duration = Duration::from_millis(200);

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
    /// What a tenant's model begins with.
    pub model: ModelFile,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The figures.
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
}

/// Runs a server until `shutdown`, then drains it.
///
/// # Errors
/// When accepting connections or writing fails by a bug.
pub async fn serve(
    parts: Parts,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Error> {
    compute::install();
    let (health, health_service) = tonic_health::server::health_reporter();
    set_health(&health, ServingStatus::NotServing).await;
    let stops = Stops::default();
    let models = Arc::new(ActiveModels::new(parts.store.clone(), parts.model.clone()));
    let (services, mut writer, behind) = build(&parts, models.clone(), health_service);
    let tidying = tokio::spawn(keep_short(
        parts.store.clone(),
        parts.clock.clone(),
        parts.config.changes.clone(),
    ));
    let publishers = Publishers::start(PublisherParts {
        store: parts.store.clone(),
        models: models.clone(),
        clock: parts.clock.clone(),
        metrics: parts.metrics.clone(),
        options: parts.config.publish.clone(),
    });
    let clocks = time::Comparison {
        store: parts.store.clone(),
        clock: parts.clock.clone(),
        limit: parts.config.database.max_clock_difference,
        episode: Arc::new(Episode::new("clock compared with the database's")),
    };
    parts.metrics.observe_episode(&clocks.episode);
    let checks = tokio::spawn(become_ready(
        clocks,
        models,
        health.clone(),
        parts.ready.clone(),
    ));

    let grpc = &parts.config.grpc;
    let calls = CallLayer::new(
        CallLimits::of(&parts.config),
        parts.metrics.clone(),
        parts.call_log.clone(),
    );
    let call_reports = tokio::spawn(parts.call_log.clone().report_for_ever());
    let service = calls.layer(services.prepare());
    let accepting = connections::accept(
        listener,
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
            tokio::time::sleep(grpc.lame_duck).await;
            Ok(())
        }
    };
    connections::drain(&stops, grpc.drain).await;
    tidying.abort();
    call_reports.abort();
    parts.call_log.report();
    for work in behind {
        work.abort();
        // Ended before the store is closed: cut off, or by a panic that was told.
        if tokio::time::timeout(BACKGROUND_BOUND, work).await.is_err() {
            tracing::warn!(
                "background work is busy and cannot be cut off; it ends with the process"
            );
        }
    }
    finish(writer, publishers, &parts).await;
    result
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

/// A generated service within the configured bounds. (Generated services have no trait in common.)
macro_rules! bounded {
    ($service:expr, $grpc:expr) => {{
        let service = $service
            .max_decoding_message_size($grpc.max_receive_bytes)
            .max_encoding_message_size($grpc.max_send_bytes)
            .accept_compressed(CompressionEncoding::Gzip);
        if $grpc.compress_answers {
            service.send_compressed(CompressionEncoding::Gzip)
        } else {
            service
        }
    }};
}

fn build<H>(
    parts: &Parts,
    models: Arc<ActiveModels>,
    health: H,
) -> (Routes, JoinHandle<()>, [JoinHandle<()>; 2])
where
    H: tower::Service<
            http::Request<tonic::body::Body>,
            Response = http::Response<tonic::body::Body>,
            Error = std::convert::Infallible,
        > + tonic::server::NamedService
        + Clone
        + Send
        + Sync
        + 'static,
    H::Future: Send + 'static,
{
    let Parts {
        config,
        store,
        clock,
        metrics,
        ..
    } = parts;
    if let Some(lanes) = store.lanes() {
        metrics.observe_lanes(lanes);
    }
    observe_store(store, metrics);
    let follower = LogFollower::start(
        store.clone(),
        models.clone(),
        metrics.clone(),
        config.into(),
    );
    let (ingest, writer) = Ingest::start(
        ingest::Parts {
            store: store.clone(),
            models: models.clone(),
            clock: clock.clone(),
            follower: follower.clone(),
            metrics: metrics.clone(),
        },
        config.into(),
    );
    let rollout = ModelRollout {
        store: store.clone(),
        models: models.clone(),
        clock: clock.clone(),
        follower: follower.clone(),
    };
    let backfill = Backfill {
        store: store.clone(),
        models: models.clone(),
        clock: clock.clone(),
        follower: follower.clone(),
    };
    let segments = Segments {
        store: store.clone(),
        models: models.clone(),
        clock: clock.clone(),
        turn: Arc::default(),
    };
    let counting = tokio::spawn(derive(
        backfill,
        segments.clone(),
        metrics.clone(),
        config.computed.check_interval,
    ));
    let explainer = Explainer::new(store.clone(), models.clone(), metrics.clone());
    let reader = Reader::new(
        store.clone(),
        models.clone(),
        follower.clone(),
        metrics.clone(),
        (clock.clone(), config.into()),
    );
    let watches = Watches::new(follower, config.watch.clone());
    let profile_api = ProfileApi {
        reader: reader.clone(),
        store: store.clone(),
        watches,
        models: models.clone(),
        clock: clock.clone(),
    };
    let (context_api, experience_api, segment_api) = of_many_parts(&profile_api, segments);
    let measuring = tokio::spawn(
        experience_api
            .statistician
            .clone()
            .run(metrics.clone(), config.experience.refresh_interval),
    );
    let preference_api = PreferenceApi {
        reader,
        ingest: ingest.clone(),
        models: models.clone(),
        store: store.clone(),
        clock: clock.clone(),
    };
    let publish_api = PublishApi {
        store: store.clone(),
        models: models.clone(),
        clock: clock.clone(),
    };
    let identity_api = IdentityApi {
        explainer,
        ingest: ingest.clone(),
        store: store.clone(),
    };
    let ingest_api = IngestApi {
        ingest,
        models,
        store: store.clone(),
        max_statements: config.ingest.max_statements_per_request,
        stream_batches_in_flight: config.ingest.stream_batches_in_flight,
    };
    let grpc = &config.grpc;
    let mut routes = RoutesBuilder::default();
    routes
        .add_service(bounded!(ContextServiceServer::new(context_api), grpc))
        .add_service(bounded!(ExperienceServiceServer::new(experience_api), grpc))
        .add_service(bounded!(IdentityServiceServer::new(identity_api), grpc))
        .add_service(bounded!(IngestServiceServer::new(ingest_api), grpc))
        .add_service(bounded!(
            ModelServiceServer::new(ModelApi { rollout }),
            grpc
        ))
        .add_service(bounded!(PreferenceServiceServer::new(preference_api), grpc))
        .add_service(bounded!(ProfileServiceServer::new(profile_api), grpc))
        .add_service(bounded!(PublishServiceServer::new(publish_api), grpc))
        .add_service(bounded!(SegmentServiceServer::new(segment_api), grpc))
        .add_service(health)
        .add_service(Reflection::v1())
        // Older grpcurl asks for this one only.
        .add_service(Reflection::v1alpha());
    (routes.routes(), writer, [counting, measuring])
}

fn observe_store(store: &Arc<dyn Store>, metrics: &Metrics) {
    let availability = store.availability();
    metrics.observe_episode(&availability.writes);
    metrics.observe_episode(&availability.reads);
    // Whoever collects must not keep the database open.
    let store = Arc::downgrade(store);
    metrics.observe_refusal(move || {
        store
            .upgrade()
            .is_some_and(|store| store.availability().refusal().is_some())
    });
}

/// The services whose answers are put together from what others read.
fn of_many_parts(
    profiles: &ProfileApi,
    segments: Segments,
) -> (ContextApi, ExperienceApi, SegmentApi) {
    let ProfileApi {
        reader,
        store,
        models,
        clock,
        ..
    } = profiles.clone();
    let context = ContextApi {
        reader: reader.clone(),
        store: store.clone(),
        models: models.clone(),
        clock: clock.clone(),
    };
    let experience = ExperienceApi {
        reader: reader.clone(),
        statistician: AnalyticsRefresher::new(store.clone(), models.clone(), clock.clone()),
        models: models.clone(),
        store: store.clone(),
        clock: clock.clone(),
    };
    (
        context,
        experience,
        SegmentApi {
            reader,
            segments,
            store,
            models,
            clock,
        },
    )
}

/// Keeps up what is derived, until it is stopped.
async fn derive(recount: Backfill, segments: Segments, metrics: Arc<Metrics>, interval: Duration) {
    tokio::join!(
        recount.run(metrics.clone(), interval),
        segments.run(metrics, interval)
    );
}

/// Asks the store until it is right, then says so. From then on says when the database or the clock
/// cannot be relied on, and why.
async fn become_ready(
    clocks: time::Comparison,
    models: Arc<ActiveModels>,
    health: HealthReporter,
    ready: watch::Sender<Readiness>,
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
    let mut reason = store.availability().reason();
    say(reason.as_deref(), &health, &ready).await;
    if reason.is_none() {
        tracing::info!("ready");
    }
    if let Err(error) = models.compare_with_configured(&TenantId::default()).await {
        tracing::warn!(%error, "whether the configured model file is the model in force could not be told");
    }
    loop {
        tokio::select! {
            other = store.availability().reason_after(reason.clone()) => {
                reason = other;
                say(reason.as_deref(), &health, &ready).await;
            }
            // A failure is told by whoever follows the change log.
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

async fn set_health(health: &HealthReporter, status: ServingStatus) {
    for service in std::iter::once("").chain(service_names()) {
        health.set_service_status(service, status).await;
    }
}
