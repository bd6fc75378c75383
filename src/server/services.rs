//! The services put together, within their bounds, and what they work with.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tonic::service::Routes;
use tonic_health::pb::health_server::{Health, HealthServer};

use super::Parts;
use crate::active_models::ActiveModels;
use crate::audit::Journal;
use crate::background::analytics::AnalyticsRefresher;
use crate::background::backfill::Backfill;
use crate::background::learning::FrequencyLearner;
use crate::background::segments::Segments;
use crate::changes::LogFollower;
use crate::explain::Explainer;
use crate::grpc::{
    AuditApi, ContextApi, ExperienceApi, IdentityApi, IngestApi, ModelApi, PreferenceApi,
    PrivacyApi, ProfileApi, PublishApi, SegmentApi, Services, Watches,
};
use crate::ingest::{self, Ingest};
use crate::reader::Reader;
use crate::rollout::ModelRollout;
use crate::store::Store;
use crate::telemetry::Metrics;

/// Builds the services and starts what they work with: the write path and the background jobs.
pub(super) fn build(
    parts: &Parts,
    models: Arc<ActiveModels>,
    health: HealthServer<impl Health>,
    journal: Option<Arc<Journal>>,
) -> (Routes, JoinHandle<()>, [JoinHandle<()>; 3]) {
    let Parts {
        config,
        store,
        clock,
        metrics,
        ..
    } = parts;
    let Foundation {
        follower,
        ingest,
        writer,
    } = Foundation::start(parts, &models);
    let segments = Segments {
        store: store.clone(),
        models: models.clone(),
        clock: clock.clone(),
        follower: follower.clone(),
        turn: Arc::default(),
    };
    let counting = start_deriving(parts, &models, &follower, segments.clone());
    let rollout = ModelRollout {
        store: store.clone(),
        models: models.clone(),
        clock: clock.clone(),
        follower: follower.clone(),
    };
    let profile_api = profile_api(parts, &models, follower);
    let (context_api, experience_api, segment_api) = of_many_parts(&profile_api, segments);
    let measuring = tokio::spawn(
        experience_api
            .statistician
            .clone()
            .run(metrics.clone(), config.experience.refresh_interval),
    );
    let learner = FrequencyLearner {
        rollout: rollout.clone(),
    };
    let learning = tokio::spawn(learner.run(metrics.clone()));
    let services = Services {
        audit: audit_api(&profile_api, journal),
        context: context_api,
        experience: experience_api,
        identity: identity_api(parts, &models, &ingest),
        ingest: ingest_api(parts, &models, &ingest),
        model: ModelApi { rollout },
        privacy: privacy_api(&profile_api, &ingest, config.cache.max_staleness),
        preference: preference_api(&profile_api, ingest),
        profile: profile_api,
        publish: PublishApi {
            store: store.clone(),
            models,
            clock: clock.clone(),
        },
        segment: segment_api,
    };
    let routes = services.routes(&config.grpc, health);
    (routes, writer, [counting, measuring, learning])
}

/// Parts that several services share.
struct Foundation {
    follower: Arc<LogFollower>,
    ingest: Ingest,
    writer: JoinHandle<()>,
}

impl Foundation {
    fn start(parts: &Parts, models: &Arc<ActiveModels>) -> Self {
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
        Self {
            follower,
            ingest,
            writer,
        }
    }
}

fn profile_api(
    parts: &Parts,
    models: &Arc<ActiveModels>,
    follower: Arc<LogFollower>,
) -> ProfileApi {
    let Parts {
        config,
        store,
        clock,
        metrics,
        ..
    } = parts;
    ProfileApi {
        reader: Reader::new(
            store.clone(),
            models.clone(),
            follower.clone(),
            metrics.clone(),
            (clock.clone(), config.into()),
        ),
        store: store.clone(),
        watches: Watches::new(follower, config.watch.clone()),
        models: models.clone(),
        clock: clock.clone(),
    }
}

fn identity_api(parts: &Parts, models: &Arc<ActiveModels>, ingest: &Ingest) -> IdentityApi {
    let Parts { store, metrics, .. } = parts;
    IdentityApi {
        explainer: Explainer::new(store.clone(), models.clone(), metrics.clone()),
        ingest: ingest.clone(),
        store: store.clone(),
    }
}

fn ingest_api(parts: &Parts, models: &Arc<ActiveModels>, ingest: &Ingest) -> IngestApi {
    IngestApi {
        ingest: ingest.clone(),
        models: models.clone(),
        store: parts.store.clone(),
        max_statements: parts.config.ingest.max_statements_per_request,
        stream_batches_in_flight: parts.config.ingest.stream_batches_in_flight,
    }
}

fn audit_api(profiles: &ProfileApi, journal: Option<Arc<Journal>>) -> AuditApi {
    let ProfileApi { reader, store, .. } = profiles.clone();
    AuditApi {
        store,
        reader,
        journal,
    }
}

fn privacy_api(profiles: &ProfileApi, ingest: &Ingest, max_staleness: Duration) -> PrivacyApi {
    let ProfileApi {
        reader,
        store,
        clock,
        ..
    } = profiles.clone();
    PrivacyApi {
        ingest: ingest.clone(),
        store,
        clock,
        reader,
        max_staleness,
    }
}

fn preference_api(profiles: &ProfileApi, ingest: Ingest) -> PreferenceApi {
    let ProfileApi {
        reader,
        store,
        models,
        clock,
        ..
    } = profiles.clone();
    PreferenceApi {
        reader,
        ingest,
        models,
        store,
        clock,
    }
}

fn observe_store(store: &Arc<dyn Store>, metrics: &Metrics) {
    let availability = store.availability();
    metrics.observe_episode(&availability.writes);
    metrics.observe_episode(&availability.reads);
    // Whoever collects must not keep the database open.
    let store = Arc::downgrade(store);
    let pooled = store.clone();
    metrics.observe_pools(move || {
        pooled
            .upgrade()
            .map_or_else(Vec::new, |store| store.pools())
    });
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
    let statistician = AnalyticsRefresher::new(store.clone(), models.clone(), clock.clone());
    let context = ContextApi {
        reader: reader.clone(),
        store: store.clone(),
        models: models.clone(),
        statistician: statistician.clone(),
        clock: clock.clone(),
    };
    let experience = ExperienceApi {
        reader: reader.clone(),
        statistician,
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

fn start_deriving(
    parts: &Parts,
    models: &Arc<ActiveModels>,
    follower: &Arc<LogFollower>,
    segments: Segments,
) -> JoinHandle<()> {
    let backfill = Backfill {
        store: parts.store.clone(),
        models: models.clone(),
        clock: parts.clock.clone(),
        follower: follower.clone(),
    };
    let interval = parts.config.computed.check_interval;
    tokio::spawn(derive(backfill, segments, parts.metrics.clone(), interval))
}

/// Keeps up what is derived, until it is stopped.
async fn derive(recount: Backfill, segments: Segments, metrics: Arc<Metrics>, interval: Duration) {
    tokio::join!(
        recount.run(metrics.clone(), interval),
        segments.run(metrics, interval)
    );
}
