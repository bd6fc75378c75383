//! Figures of the pools of database connections. Names: OpenTelemetry, "Semantic conventions for
//! database client metrics".

use std::sync::Arc;

use opentelemetry::KeyValue;

use super::Metrics;
const POOL: &str = "db.client.connection.pool.name";
const STATE: &str = "db.client.connection.state";

/// The size of a pool of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolSize {
    /// The use of its connections: `read`, `write` or `follow`.
    pub name: &'static str,
    /// Connections in use.
    pub used: u64,
    /// Open connections that wait for work.
    pub idle: u64,
    /// Maximum number of connections.
    pub max: u64,
}

impl Metrics {
    /// Shows the pools of database connections whenever somebody collects.
    pub fn observe_pools(&self, pools: impl Fn() -> Vec<PoolSize> + Send + Sync + 'static) {
        let pools = Arc::new(pools);
        let counted = pools.clone();
        self.gauges(
            "db.client.connection.count",
            "{connection}",
            "Connections to the database, by pool and state",
            move || counted().into_iter().flat_map(counts).collect(),
        );
        self.gauges(
            "db.client.connection.max",
            "{connection}",
            "Maximum number of connections of a pool",
            move || {
                let max = |pool: PoolSize| (vec![KeyValue::new(POOL, pool.name)], pool.max);
                pools().into_iter().map(max).collect()
            },
        );
    }
}

fn counts(pool: PoolSize) -> [(Vec<KeyValue>, u64); 2] {
    [("used", pool.used), ("idle", pool.idle)].map(|(state, count)| {
        let labels = vec![KeyValue::new(POOL, pool.name), KeyValue::new(STATE, state)];
        (labels, count)
    })
}
