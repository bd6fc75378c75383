//! Every metric of the service: its name, unit, help and attributes, in this folder, a file for
//! each part of the server.
//!
//! The same instruments feed `/metrics` (Prometheus) and OTLP. Names follow OpenTelemetry's
//! conventions where there is one (`rpc.server.call.duration`); the service's own begin with
//! `customer_profile.`. Prometheus adds unit and `_total`.
//!
//! Instruments that every call touches are **bound**: the attribute set is looked up once for all,
//! a measurement is an atomic addition and allocates nothing. Sizes and depths are observed when
//! somebody collects, by a function of their owner.
//!
//! Attribute values are few and never personal: methods, status codes, names of caches, operations,
//! identifier types and fields of the model (at most 100).

mod audit;
mod caches;
mod calls;
mod identity;
mod ingest;
mod labels;
mod lanes;
mod observed;
mod pools;
mod process;
mod publishing;
mod store;

use opentelemetry::metrics::{Counter, Histogram, Meter, MeterProvider};
use opentelemetry_sdk::metrics::SdkMeterProvider;

pub use caches::CacheSize;
pub use calls::{error_type, name_of};
pub use labels::{Cache, Job};
pub use pools::PoolSize;

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

/// An error with a kind, for a metric's label.
pub trait ErrorKind {
    /// The kind: one of a few.
    fn kind(&self) -> &'static str;
}

/// All instruments.
#[derive(Debug)]
pub struct Metrics {
    meter: Meter,
    calls: calls::Instruments,
    lanes: lanes::Instruments,
    store: store::Instruments,
    publishing: publishing::Instruments,
    caches: caches::Instruments,
    ingest: ingest::Instruments,
    identity: identity::Instruments,
}

impl Metrics {
    /// Makes the instruments.
    #[must_use]
    pub fn new(provider: &SdkMeterProvider) -> Self {
        let meter = provider.meter("customer_profile");
        let build = Builder(&meter);
        let metrics = Self {
            calls: calls::Instruments::new(&build),
            lanes: lanes::Instruments::new(&meter),
            store: store::Instruments::new(&build),
            publishing: publishing::Instruments::new(&build),
            caches: caches::Instruments::new(&build),
            ingest: ingest::Instruments::new(&build),
            identity: identity::Instruments::new(&build),
            meter,
        };
        metrics.observe_ingest_queue();
        metrics.totals();
        metrics
    }
}

/// Instruments that nobody collects.
impl Default for Metrics {
    fn default() -> Self {
        Self::new(&SdkMeterProvider::default())
    }
}

/// Makes instruments with a unit and a help text.
struct Builder<'m>(&'m Meter);

impl Builder<'_> {
    fn counter(&self, name: &'static str, unit: &'static str, help: &'static str) -> Counter<u64> {
        self.0
            .u64_counter(name)
            .with_unit(unit)
            .with_description(help)
            .build()
    }

    fn durations(&self, name: &'static str, help: &'static str) -> Histogram<f64> {
        self.0
            .f64_histogram(name)
            .with_unit("s")
            .with_description(help)
            .with_boundaries(DURATION_BOUNDS.to_vec())
            .build()
    }

    fn sizes(&self, name: &'static str, unit: &'static str, help: &'static str) -> Histogram<u64> {
        self.0
            .u64_histogram(name)
            .with_unit(unit)
            .with_description(help)
            .with_boundaries(COUNT_BOUNDS.to_vec())
            .build()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tonic::Code;

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
        rpc_server_call_duration_seconds_count{rpc_method="customer.profile.v1.ProfileService/GetProfile",rpc_response_status_code="NOT_FOUND",rpc_system_name="grpc"} 1
        rpc_server_call_duration_seconds_count{rpc_method="customer.profile.v1.ProfileService/GetProfile",rpc_response_status_code="OK",rpc_system_name="grpc"} 2
        rpc_server_call_duration_seconds_count{error_type="UNIMPLEMENTED",rpc_method="_OTHER",rpc_response_status_code="UNIMPLEMENTED",rpc_system_name="grpc"} 1
        customer_profile_rpc_shed_total{lane="read"} 1
        "#);
    }

    #[test]
    fn only_errors_of_the_server_have_an_error_type() {
        let of_the_server: Vec<_> = (0..17)
            .filter_map(|code| error_type(Code::from_i32(code)))
            .collect();
        assert_eq!(
            of_the_server,
            [
                "UNKNOWN",
                "DEADLINE_EXCEEDED",
                "UNIMPLEMENTED",
                "INTERNAL",
                "UNAVAILABLE",
                "DATA_LOSS"
            ]
        );
    }

    #[test]
    fn codes_are_counted_each_in_its_own_place() {
        let places: std::collections::BTreeSet<_> =
            (0..17).map(|code| name_of(Code::from_i32(code))).collect();
        assert_eq!(
            (places.len(), Code::Unauthenticated as usize + 1),
            (17, calls::CODES)
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
        customer_profile_cache_spot_checks_total{outcome="consistent"} 0
        customer_profile_cache_spot_checks_total{outcome="inconsistent"} 0
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
        metrics.ingest_unread("traits.birth_date", "ambiguous", 3);
        metrics.ingest_unread("identifiers.phone", "malformed", 1);
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
        customer_profile_ingest_unread_total{field="identifiers.phone",reason="malformed"} 1
        customer_profile_ingest_unread_total{field="traits.birth_date",reason="ambiguous"} 3
        customer_profile_store_conflicts_total 4
        customer_profile_store_operation_duration_seconds_count{operation="commit"} 1
        customer_profile_store_operation_duration_seconds_count{error_type="conflict",operation="commit"} 1
        "#);
    }

    #[test]
    fn fields_whose_values_are_not_used_are_bounded() {
        let telemetry = telemetry();
        for field in 0..250 {
            telemetry
                .metrics
                .ingest_unread(&format!("traits.t{field}"), "malformed", 1);
        }
        let counted = printed(&telemetry, "customer_profile_ingest_unread");
        let other =
            r#"customer_profile_ingest_unread_total{field="_OTHER",reason="malformed"} 150"#;
        assert_eq!(counted.len(), 101);
        assert!(counted.iter().any(|line| line == other), "{counted:?}");
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
