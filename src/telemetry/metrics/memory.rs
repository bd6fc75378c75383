//! Figures of memory: of caches, and of the process.

use std::sync::Arc;

use opentelemetry::KeyValue;

use super::Metrics;
use crate::memory;

/// What a cache holds.
#[derive(Debug, Clone, Copy)]
pub struct CacheSize {
    /// Entries.
    pub entries: u64,
    /// Bytes of memory.
    pub bytes: u64,
    /// Entries that have left it since the start.
    pub left: u64,
}

impl Metrics {
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

    /// Tells the memory of this process whenever somebody collects, and its container's limit if
    /// there is one.
    pub fn observe_memory(&self, limit: Option<u64>) {
        let resident = || memory::resident_bytes().unwrap_or(0);
        self.gauge(
            "process.memory.usage",
            "By",
            "Resident memory of this process",
            None,
            resident,
        );
        if let Some(limit) = limit {
            self.gauge(
                "process.memory.limit",
                "By",
                "Memory limit of this process's container",
                None,
                move || limit,
            );
        }
    }
}
