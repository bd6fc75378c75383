//! Figures of caches.

use std::sync::Arc;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundCounter, Counter};

use super::{Builder, Cache, Metrics};

/// The size of a cache.
#[derive(Debug, Clone, Copy)]
pub struct CacheSize {
    /// Number of entries.
    pub entries: u64,
    /// Bytes of memory.
    pub bytes: u64,
    /// Entries that have left it since the start.
    pub left: u64,
}

/// The instruments of caches.
#[derive(Debug)]
pub(super) struct Instruments {
    lookups: [Lookups; Cache::ALL.len()],
    spot_checks: [BoundCounter<u64>; 2],
}

/// Look-ups in one cache.
#[derive(Debug)]
struct Lookups {
    hits: BoundCounter<u64>,
    negative_hits: BoundCounter<u64>,
    misses: BoundCounter<u64>,
}

impl Instruments {
    pub(super) fn new(build: &Builder<'_>) -> Self {
        // cache; outcome: hit, negative_hit (absence was known), miss
        let lookups = build.counter(
            "customer_profile.cache.lookups",
            "{lookup}",
            "Look-ups in the cache by outcome",
        );
        // outcome: consistent, inconsistent (a bug)
        let spot_checks = build.counter(
            "customer_profile.cache.spot_checks",
            "{check}",
            "Hits that were compared with the store",
        );
        Self {
            lookups: Cache::ALL.map(|cache| Lookups::new(cache.name(), &lookups)),
            spot_checks: ["inconsistent", "consistent"]
                .map(|outcome| spot_checks.bind(&[KeyValue::new("outcome", outcome)])),
        }
    }
}

impl Lookups {
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

impl Metrics {
    /// Something was looked up in the cache: whether the cache had the answer, and whether the
    /// answer is that there is nothing.
    pub fn cache_read(&self, cache: Cache, cached: bool, absent: bool) {
        let cache = &self.caches.lookups[cache as usize];
        match (cached, absent) {
            (false, _) => cache.misses.add(1),
            (true, false) => cache.hits.add(1),
            (true, true) => cache.negative_hits.add(1),
        }
    }

    /// A hit in the cache was compared with the store.
    pub fn spot_checked(&self, consistent: bool) {
        self.caches.spot_checks[usize::from(consistent)].add(1);
    }

    /// Tells the size of a cache whenever somebody collects.
    pub fn observe_cache(
        &self,
        name: &'static str,
        size: impl Fn() -> CacheSize + Send + Sync + 'static,
    ) {
        let label = KeyValue::new("cache", name);
        let size = Arc::new(size);
        let (entries, bytes, left) = (size.clone(), size.clone(), size);
        let (entries, bytes) = (move || entries().entries, move || bytes().bytes);
        self.gauge(
            "customer_profile.cache.entries",
            "{entry}",
            "Entries in the cache",
            Some(label.clone()),
            entries,
        );
        self.gauge(
            "customer_profile.cache.size",
            "By",
            "Memory of the entries in the cache",
            Some(label.clone()),
            bytes,
        );
        // The instrument lives in its meter; what is built here is only a handle.
        let _ = self
            .meter
            .u64_observable_counter("customer_profile.cache.evictions")
            .with_unit("{entry}")
            .with_description("Entries that have left the cache: evicted, not let in, or replaced")
            .with_callback(move |observer| {
                observer.observe(left().left, std::slice::from_ref(&label));
            })
            .build();
    }
}
