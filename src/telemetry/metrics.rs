//! Every metric of the service: its name, unit, help and attributes, in this file, `lanes` and
//! `observed`.
//!
//! The same instruments feed `/metrics` (Prometheus) and OTLP. Names follow OpenTelemetry's
//! conventions where there is one (`rpc.server.call.duration`); the service's own begin with
//! `customer_profile.`. Prometheus adds unit and `_total`.
//!
//! What every call touches is **bound**: the attribute set is looked up once for all, a measurement
//! is an atomic addition and allocates nothing. Sizes and depths are observed when somebody
//! collects, by a function of their owner.
//!
//! Attribute values are few and never personal: methods, status codes, names of caches, operations
//! and identifier types.

mod labels;
mod lanes;
mod memory;
mod observed;

use std::{
    collections::HashMap,
    sync::{
        Arc, OnceLock, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use opentelemetry::{
    KeyValue,
    metrics::{BoundCounter, BoundHistogram, Counter, Histogram, Meter, MeterProvider},
};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use tonic::Code;

pub use labels::{Cache, Job};
pub use memory::CacheSize;

/// Upper bounds of durations, in seconds. The convention's list begins at 5 ms, and a cached read
/// takes a hundredth of it.
const DURATION_BOUNDS: [f64; 18] = [
    0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75,
    1.0, 2.5, 5.0, 10.0,
];

/// Upper bounds of numbers of things.
const COUNT_BOUNDS: [f64; 12] = [
    1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 5000.0, 20_000.0,
];

/// `OK` … `UNAUTHENTICATED`: codes are 0 to 16.
const CODES: usize = 17;

/// An error with a kind, for a metric's label.
pub trait ErrorKind {
    /// The kind: one of a few.
    fn kind(&self) -> &'static str;
}

/// All instruments.
#[derive(Debug)]
pub struct Metrics {
    meter: Meter,
    call_duration: Histogram<f64>,
    calls: RwLock<HashMap<&'static str, Arc<Durations>>>,
    lanes: lanes::Instruments,
    bounded: Counter<u64>,
    store_duration: Histogram<f64>,
    store_conflicts: BoundCounter<u64>,
    log_poll_duration: Histogram<f64>,
    log_gaps: BoundCounter<u64>,
    audits: [BoundCounter<u64>; 2],
    publishing: [Publishing; 2],
    caches: [CacheLookups; Cache::ALL.len()],
    background_failures: [BoundCounter<u64>; Job::ALL.len()],
    waiting: Arc<AtomicU64>,
    stored: BoundCounter<u64>,
    duplicate: BoundCounter<u64>,
    rejected: BoundCounter<u64>,
    batch_size: BoundHistogram<u64>,
    batch_duration: BoundHistogram<f64>,
    merges: BoundCounter<u64>,
    splits: BoundCounter<u64>,
    reclustered: BoundHistogram<u64>,
    compared: BoundCounter<u64>,
    generic_identifiers: BoundCounter<u64>,
    generic_keys: BoundCounter<u64>,
}

/// The durations of one method's calls, by status code.
type Durations = [OnceLock<BoundHistogram<f64>>; CODES];

/// Events for one kind of target.
#[derive(Debug)]
struct Publishing {
    target: &'static str,
    published: BoundCounter<u64>,
    failed: BoundCounter<u64>,
    dead: BoundCounter<u64>,
}

/// Look-ups in one cache.
#[derive(Debug)]
struct CacheLookups {
    hits: BoundCounter<u64>,
    negative_hits: BoundCounter<u64>,
    misses: BoundCounter<u64>,
}

impl Metrics {
    /// Makes the instruments.
    #[must_use]
    pub fn new(provider: &SdkMeterProvider) -> Self {
        let meter = provider.meter("customer_profile");
        let counter = |name, unit, help| {
            meter
                .u64_counter(name)
                .with_unit(unit)
                .with_description(help)
                .build()
        };
        let duration = |name, help| {
            let bounds = DURATION_BOUNDS.to_vec();
            meter
                .f64_histogram(name)
                .with_unit("s")
                .with_description(help)
                .with_boundaries(bounds)
                .build()
        };
        let sizes = |name, unit, help| {
            let bounds = COUNT_BOUNDS.to_vec();
            meter
                .u64_histogram(name)
                .with_unit(unit)
                .with_description(help)
                .with_boundaries(bounds)
                .build()
        };
        // job
        let passes = counter(
            "customer_profile.background.failures",
            "{failure}",
            "Passes that failed for a tenant",
        );
        // cache; outcome: hit, negative_hit (that there is nothing was known), miss
        let lookups = counter(
            "customer_profile.cache.lookups",
            "{lookup}",
            "Look-ups in the cache by what was found",
        );
        // outcome: consistent, inconsistent (a bug)
        let audits = counter(
            "customer_profile.audits",
            "{audit}",
            "Hits that were compared with the store",
        );
        // outcome: stored, duplicate, rejected
        let said = counter(
            "customer_profile.ingest.statements",
            "{statement}",
            "Statements by what became of them",
        );
        // target: nats, webhook; outcome: published, failed (a try), dead_letter
        let told = counter(
            "customer_profile.publish.events",
            "{event}",
            "Events for other systems by what became of them",
        );
        let outcome = |outcome| said.bind(&[KeyValue::new("outcome", outcome)]);
        let metrics = Self {
            // rpc.method, rpc.response.status_code
            call_duration: duration(
                "rpc.server.call.duration",
                "Time from the head of a call to its answer",
            ),
            calls: RwLock::default(),
            lanes: lanes::Instruments::new(&meter),
            // bound: the one that was met
            bounded: counter(
                "customer_profile.rpc.bounded",
                "{call}",
                "Calls refused or ended at a bound other than that of calls in work",
            ),
            // operation, error.type (absent when it went well)
            store_duration: duration(
                "customer_profile.store.operation.duration",
                "Time of operations of the store",
            ),
            store_conflicts: counter(
                "customer_profile.store.conflicts",
                "{conflict}",
                "Writes begun again",
            )
            .bind(&[]),
            audits: ["inconsistent", "consistent"]
                .map(|outcome| audits.bind(&[KeyValue::new("outcome", outcome)])),
            // answered: whether the database did
            log_poll_duration: duration(
                "customer_profile.log.poll.duration",
                "Time of one read of the change log",
            ),
            log_gaps: counter(
                "customer_profile.log.gaps",
                "{gap}",
                "Times the change log did not go on",
            )
            .bind(&[]),
            publishing: ["nats", "webhook"].map(|target| Publishing::new(target, &told)),
            caches: Cache::ALL.map(|cache| CacheLookups::new(cache.name(), &lookups)),
            background_failures: Job::ALL
                .map(|job| passes.bind(&[KeyValue::new("job", job.name())])),
            waiting: Arc::default(),
            stored: outcome("stored"),
            duplicate: outcome("duplicate"),
            rejected: outcome("rejected"),
            batch_size: sizes(
                "customer_profile.ingest.batch.size",
                "{statement}",
                "Statements in one write",
            )
            .bind(&[]),
            batch_duration: duration(
                "customer_profile.ingest.batch.duration",
                "Time of one write",
            )
            .bind(&[]),
            merges: counter(
                "customer_profile.identity.merges",
                "{profile}",
                "Profiles that went into others",
            )
            .bind(&[]),
            splits: counter(
                "customer_profile.identity.splits",
                "{profile}",
                "Profiles that came out of others",
            )
            .bind(&[]),
            reclustered: sizes(
                "customer_profile.identity.reclustered",
                "{record}",
                "Records clustered anew by one write",
            )
            .bind(&[]),
            compared: counter(
                "customer_profile.identity.comparisons",
                "{pair}",
                "Pairs of records compared",
            )
            .bind(&[]),
            generic_identifiers: counter(
                "customer_profile.identity.generic_identifiers",
                "{identifier}",
                "Met, held by too many to link",
            )
            .bind(&[]),
            generic_keys: counter(
                "customer_profile.identity.generic_keys",
                "{key}",
                "Match keys met, of too many to compare",
            )
            .bind(&[]),
            meter,
        };
        let waiting = Arc::clone(&metrics.waiting);
        let waiting = move || waiting.load(Ordering::Relaxed);
        metrics.gauge(
            "customer_profile.ingest.queue",
            "{statement}",
            "Statements that wait",
            None,
            waiting,
        );
        metrics.totals();
        metrics
    }

    /// A call was answered, or its caller has gone (`CANCELLED`). `method` is
    /// `package.Service/Method`, or `_OTHER` for all that are not served: their names are the
    /// caller's word and would let anybody fill the memory.
    pub fn rpc_finished(&self, method: &'static str, code: Code, duration: Duration) {
        // A lock is poisoned only by a panic between these lines, and the map is whole then too.
        let known = self
            .calls
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(method)
            .cloned();
        let durations = known.unwrap_or_else(|| {
            Arc::clone(
                self.calls
                    .write()
                    .unwrap_or_else(PoisonError::into_inner)
                    .entry(method)
                    .or_default(),
            )
        });
        durations[code as usize]
            .get_or_init(|| {
                let status = KeyValue::new("rpc.response.status_code", name_of(code));
                self.call_duration
                    .bind(&[KeyValue::new("rpc.method", method), status])
            })
            .record(duration.as_secs_f64());
    }

    /// A call was refused or ended at a bound.
    pub fn rpc_bounded(&self, bound: &'static str) {
        self.bounded.add(1, &[KeyValue::new("bound", bound)]);
    }

    /// A background job failed for a tenant.
    pub fn background_failed(&self, job: Job) {
        self.background_failures[job as usize].add(1);
    }

    /// Something was looked up in the cache: whether the cache had the answer, and whether the
    /// answer is that there is nothing.
    pub fn cache_read(&self, cache: Cache, cached: bool, absent: bool) {
        let cache = &self.caches[cache as usize];
        match (cached, absent) {
            (false, _) => cache.misses.add(1),
            (true, false) => cache.hits.add(1),
            (true, true) => cache.negative_hits.add(1),
        }
    }

    /// Times an operation of the store, and counts how it ended.
    ///
    /// # Errors
    /// Those of the operation.
    ///
    /// # Cancel safety
    /// That of the operation; a dropped one is not counted.
    pub async fn store<T, E: ErrorKind>(
        &self,
        operation: &'static str,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let started = Instant::now();
        let result = work.await;
        let operation = KeyValue::new("operation", operation);
        let seconds = started.elapsed().as_secs_f64();
        match &result {
            Ok(_) => self.store_duration.record(seconds, &[operation]),
            Err(error) => self.store_duration.record(
                seconds,
                &[operation, KeyValue::new("error.type", error.kind())],
            ),
        }
        result
    }

    /// A hit in the cache was compared with the store.
    pub fn cache_audited(&self, consistent: bool) {
        self.audits[usize::from(consistent)].add(1);
    }

    /// The change log was read, or could not be.
    pub fn log_polled(&self, duration: Duration, answered: bool) {
        self.log_poll_duration.record(
            duration.as_secs_f64(),
            &[KeyValue::new("answered", answered)],
        );
    }

    /// The change log did not go on where it was left, so all that was cached of a tenant became
    /// old.
    pub fn log_gap(&self) {
        self.log_gaps.add(1);
    }

    /// So many events were taken by a target of the kind `nats` or `webhook`.
    pub fn published(&self, target: &'static str, events: usize) {
        if let Some(target) = self.publishing_to(target) {
            target.published.add(events as u64);
        }
    }

    /// An event was not taken, or the target could not be reached at all.
    pub fn publish_failed(&self, target: &'static str) {
        if let Some(target) = self.publishing_to(target) {
            target.failed.add(1);
        }
    }

    /// An event became a dead letter.
    pub fn dead_lettered(&self, target: &'static str) {
        if let Some(target) = self.publishing_to(target) {
            target.dead.add(1);
        }
    }

    fn publishing_to(&self, target: &'static str) -> Option<&Publishing> {
        self.publishing.iter().find(|known| known.target == target)
    }

    /// Tells how far publishing by this server is behind whenever somebody collects: the age of the
    /// oldest change that waits.
    pub fn observe_publishing(&self, lag: impl Fn() -> u64 + Send + Sync + 'static) {
        let help = "Age of the oldest change that this server has to publish";
        self.gauge("customer_profile.publish.lag", "s", help, None, lag);
    }

    /// A write was begun again so many times.
    pub fn store_conflicts(&self, times: u32) {
        self.store_conflicts.add(u64::from(times));
    }

    /// So many statements wait to be written.
    pub fn ingest_queued(&self, statements: usize) {
        self.waiting.fetch_add(statements as u64, Ordering::Relaxed);
    }

    /// So many statements, which waited, were written or failed together.
    pub fn ingest_written(&self, statements: usize, duration: Duration) {
        self.waiting.fetch_sub(statements as u64, Ordering::Relaxed);
        self.batch_size.record(statements as u64);
        self.batch_duration.record(duration.as_secs_f64());
    }

    /// So many statements were stored.
    pub fn ingest_stored(&self, statements: usize) {
        self.stored.add(statements as u64);
    }

    /// So many statements were said before.
    pub fn ingest_duplicate(&self, statements: usize) {
        self.duplicate.add(statements as u64);
    }

    /// So many statements will never be stored.
    pub fn ingest_rejected(&self, statements: usize) {
        self.rejected.add(statements as u64);
    }

    /// Profiles that went into others in one write, profiles that came out, records that were
    /// clustered anew.
    pub fn identity(&self, merges: usize, splits: usize, reclustered: usize) {
        self.merges.add(merges as u64);
        self.splits.add(splits as u64);
        self.reclustered.record(reclustered as u64);
    }

    /// Pairs of records that one write compared; identifiers and match keys it met that too many
    /// hold.
    pub fn matching(&self, compared: usize, generic_identifiers: usize, generic_keys: usize) {
        self.compared.add(compared as u64);
        self.generic_identifiers.add(generic_identifiers as u64);
        self.generic_keys.add(generic_keys as u64);
    }

    /// The number of statements that wait to be written.
    #[must_use]
    pub fn ingest_waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// Instruments that nobody collects.
impl Default for Metrics {
    fn default() -> Self {
        Self::new(&SdkMeterProvider::default())
    }
}

impl Publishing {
    fn new(target: &'static str, events: &Counter<u64>) -> Self {
        let bind = |outcome| {
            events.bind(&[
                KeyValue::new("target", target),
                KeyValue::new("outcome", outcome),
            ])
        };
        Self {
            target,
            published: bind("published"),
            failed: bind("failed"),
            dead: bind("dead_letter"),
        }
    }
}

impl CacheLookups {
    fn new(name: &'static str, lookups: &Counter<u64>) -> Self {
        let bind = |outcome| {
            lookups.bind(&[
                KeyValue::new("cache", name),
                KeyValue::new("outcome", outcome),
            ])
        };
        Self {
            hits: bind("hit"),
            negative_hits: bind("negative_hit"),
            misses: bind("miss"),
        }
    }
}

/// The code as the gRPC specification spells it.
#[must_use]
pub fn name_of(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::telemetry::{Episode, Telemetry};

    const GET: &str = "customer.profile.v1.ProfileService/GetProfile";

    fn telemetry() -> Telemetry {
        Telemetry::collect(&Config::defaults()).unwrap()
    }

    /// The lines of `/metrics` that begin so, without the durations' buckets and sums.
    fn printed(telemetry: &Telemetry, prefix: &str) -> Vec<String> {
        let text = prometheus::TextEncoder::new()
            .encode_to_string(&telemetry.registry.gather())
            .unwrap();
        let told = |line: &&str| {
            line.starts_with(prefix) && !line.contains("_bucket") && !line.contains("_sum")
        };
        text.lines().filter(told).map(str::to_owned).collect()
    }

    #[test]
    fn a_call_is_counted_by_method_and_status() {
        let telemetry = telemetry();
        let metrics = &telemetry.metrics;
        for (method, code) in [
            (GET, Code::Ok),
            (GET, Code::NotFound),
            (GET, Code::Ok),
            ("_OTHER", Code::Unimplemented),
        ] {
            metrics.rpc_finished(method, code, Duration::from_micros(80));
        }
        metrics.rpc_shed("read");
        metrics.observe_calls(|| vec![("read", 6)]);
        let counted = [
            printed(&telemetry, "rpc_"),
            printed(&telemetry, "customer_profile_rpc"),
        ]
        .concat();
        insta::assert_snapshot!(counted.join("\n"), @r#"
        rpc_server_active_calls{lane="read"} 6
        rpc_server_call_duration_seconds_count{rpc_method="_OTHER",rpc_response_status_code="UNIMPLEMENTED"} 1
        rpc_server_call_duration_seconds_count{rpc_method="customer.profile.v1.ProfileService/GetProfile",rpc_response_status_code="NOT_FOUND"} 1
        rpc_server_call_duration_seconds_count{rpc_method="customer.profile.v1.ProfileService/GetProfile",rpc_response_status_code="OK"} 2
        customer_profile_rpc_shed_total{lane="read"} 1
        "#);
    }

    #[test]
    fn codes_are_counted_each_in_its_own_place() {
        let places: std::collections::BTreeSet<_> =
            (0..17).map(|code| name_of(Code::from_i32(code))).collect();
        assert_eq!(
            (places.len(), Code::Unauthenticated as usize + 1),
            (17, CODES)
        );
    }

    #[test]
    fn caches_are_told_apart_by_a_label() {
        let telemetry = telemetry();
        let metrics = &telemetry.metrics;
        metrics.observe_cache("profiles", || CacheSize {
            entries: 3,
            bytes: 4096,
            left: 7,
        });
        metrics.observe_cache("lookups", || CacheSize {
            entries: 5,
            bytes: 512,
            left: 0,
        });
        for (cached, absent) in [
            (true, false),
            (true, false),
            (true, true),
            (false, false),
            (false, true),
        ] {
            metrics.cache_read(Cache::Profiles, cached, absent);
        }
        insta::assert_snapshot!(printed(&telemetry, "customer_profile_cache").join("\n"), @r#"
        customer_profile_cache_entries{cache="lookups"} 5
        customer_profile_cache_entries{cache="profiles"} 3
        customer_profile_cache_evictions_total{cache="lookups"} 0
        customer_profile_cache_evictions_total{cache="profiles"} 7
        customer_profile_cache_lookups_total{cache="lookups",outcome="hit"} 0
        customer_profile_cache_lookups_total{cache="lookups",outcome="miss"} 0
        customer_profile_cache_lookups_total{cache="lookups",outcome="negative_hit"} 0
        customer_profile_cache_lookups_total{cache="objects",outcome="hit"} 0
        customer_profile_cache_lookups_total{cache="objects",outcome="miss"} 0
        customer_profile_cache_lookups_total{cache="objects",outcome="negative_hit"} 0
        customer_profile_cache_lookups_total{cache="profiles",outcome="hit"} 2
        customer_profile_cache_lookups_total{cache="profiles",outcome="miss"} 2
        customer_profile_cache_lookups_total{cache="profiles",outcome="negative_hit"} 1
        customer_profile_cache_size_bytes{cache="lookups"} 512
        customer_profile_cache_size_bytes{cache="profiles"} 4096
        "#);
    }

    #[test]
    fn publishing_is_counted_by_target() {
        let telemetry = telemetry();
        let metrics = &telemetry.metrics;
        metrics.published("nats", 7);
        metrics.publish_failed("webhook");
        metrics.dead_lettered("webhook");
        metrics.observe_publishing(|| 12);
        insta::assert_snapshot!(printed(&telemetry, "customer_profile_publish").join("\n"), @r#"
        customer_profile_publish_events_total{outcome="dead_letter",target="nats"} 0
        customer_profile_publish_events_total{outcome="dead_letter",target="webhook"} 1
        customer_profile_publish_events_total{outcome="failed",target="nats"} 0
        customer_profile_publish_events_total{outcome="failed",target="webhook"} 1
        customer_profile_publish_events_total{outcome="published",target="nats"} 7
        customer_profile_publish_events_total{outcome="published",target="webhook"} 0
        customer_profile_publish_lag_seconds 12
        "#);
    }

    #[test]
    fn what_fails_is_shown_until_it_works_again() {
        let telemetry = telemetry();
        let episode = Arc::new(Episode::new("a disk"));
        telemetry.metrics.observe_episode(&episode);
        episode.failed(&"full");
        insta::assert_snapshot!(printed(&telemetry, "customer_profile_trouble").join("\n"), @r#"
        customer_profile_trouble_active{what="a disk"} 1
        customer_profile_trouble_failures_total{what="a disk"} 1
        "#);
        episode.succeeded();
        let active = printed(&telemetry, "customer_profile_trouble_active");
        assert_eq!(
            active,
            [r#"customer_profile_trouble_active{what="a disk"} 0"#]
        );
    }

    #[tokio::test]
    async fn the_write_path_is_counted() {
        let telemetry = telemetry();
        let metrics = &telemetry.metrics;
        metrics.ingest_queued(19);
        metrics.ingest_written(8, Duration::from_millis(3));
        metrics.ingest_stored(7);
        metrics.ingest_duplicate(1);
        metrics.ingest_rejected(2);
        let conflict = async { Err::<(), _>(crate::store::Error::Conflict(String::new())) };
        metrics
            .store("commit", async { Ok::<(), crate::store::Error>(()) })
            .await
            .unwrap();
        metrics.store("commit", conflict).await.unwrap_err();
        metrics.store_conflicts(4);
        metrics.identity(5, 1, 9);
        metrics.matching(12, 3, 2);
        let counted: Vec<_> = printed(&telemetry, "customer_profile")
            .into_iter()
            .filter(|line| {
                !["cache", "publish", "background", "expressions"]
                    .iter()
                    .any(|other| line.contains(other))
            })
            .collect();
        insta::assert_snapshot!(counted.join("\n"), @r#"
        customer_profile_audits_total{outcome="consistent"} 0
        customer_profile_audits_total{outcome="inconsistent"} 0
        customer_profile_identity_comparisons_total 12
        customer_profile_identity_generic_identifiers_total 3
        customer_profile_identity_generic_keys_total 2
        customer_profile_identity_merges_total 5
        customer_profile_identity_reclustered_count 1
        customer_profile_identity_splits_total 1
        customer_profile_ingest_batch_duration_seconds_count 1
        customer_profile_ingest_batch_size_count 1
        customer_profile_ingest_queue 11
        customer_profile_ingest_statements_total{outcome="duplicate"} 1
        customer_profile_ingest_statements_total{outcome="rejected"} 2
        customer_profile_ingest_statements_total{outcome="stored"} 7
        customer_profile_store_conflicts_total 4
        customer_profile_store_operation_duration_seconds_count{operation="commit"} 1
        customer_profile_store_operation_duration_seconds_count{error_type="conflict",operation="commit"} 1
        "#);
    }

    #[test]
    fn every_metric_has_help() {
        let telemetry = telemetry();
        telemetry
            .metrics
            .rpc_finished(GET, Code::Ok, Duration::from_micros(80));
        let families = telemetry.registry.gather();
        assert!(families.len() >= 2);
        for family in families {
            assert!(!family.help().is_empty(), "{}", family.name());
        }
    }
}
