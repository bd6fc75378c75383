//! Figures of the write path.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundCounter, BoundHistogram};

use super::{Builder, Metrics};

/// The instruments of the write path.
#[derive(Debug)]
pub(super) struct Instruments {
    pub(super) waiting: Arc<AtomicU64>,
    stored: BoundCounter<u64>,
    duplicate: BoundCounter<u64>,
    rejected: BoundCounter<u64>,
    batch_size: BoundHistogram<u64>,
    batch_duration: BoundHistogram<f64>,
}

impl Instruments {
    pub(super) fn new(build: &Builder<'_>) -> Self {
        // outcome: stored, duplicate, rejected
        let statements = build.counter(
            "customer_profile.ingest.statements",
            "{statement}",
            "Statements by outcome",
        );
        let outcome = |outcome| statements.bind(&[KeyValue::new("outcome", outcome)]);
        Self {
            waiting: Arc::default(),
            stored: outcome("stored"),
            duplicate: outcome("duplicate"),
            rejected: outcome("rejected"),
            batch_size: build
                .sizes(
                    "customer_profile.ingest.batch.size",
                    "{statement}",
                    "Statements in one write",
                )
                .bind(&[]),
            batch_duration: build
                .durations(
                    "customer_profile.ingest.batch.duration",
                    "Time of one write",
                )
                .bind(&[]),
        }
    }
}

impl Metrics {
    /// Shows the number of statements that wait.
    pub(super) fn observe_ingest_queue(&self) {
        let waiting = Arc::clone(&self.ingest.waiting);
        self.gauge(
            "customer_profile.ingest.queue",
            "{statement}",
            "Statements that wait",
            None,
            move || waiting.load(Ordering::Relaxed),
        );
    }

    /// So many statements wait to be written.
    pub fn ingest_queued(&self, statements: usize) {
        self.ingest
            .waiting
            .fetch_add(statements as u64, Ordering::Relaxed);
    }

    /// So many statements, which waited, were written or failed together.
    pub fn ingest_written(&self, statements: usize, duration: Duration) {
        self.ingest
            .waiting
            .fetch_sub(statements as u64, Ordering::Relaxed);
        self.ingest.batch_size.record(statements as u64);
        self.ingest.batch_duration.record(duration.as_secs_f64());
    }

    /// So many statements were stored.
    pub fn ingest_stored(&self, statements: usize) {
        self.ingest.stored.add(statements as u64);
    }

    /// So many statements were said before.
    pub fn ingest_duplicate(&self, statements: usize) {
        self.ingest.duplicate.add(statements as u64);
    }

    /// So many statements will never be stored.
    pub fn ingest_rejected(&self, statements: usize) {
        self.ingest.rejected.add(statements as u64);
    }

    /// The number of statements that wait to be written.
    #[must_use]
    pub fn ingest_waiting(&self) -> u64 {
        self.ingest.waiting.load(Ordering::Relaxed)
    }
}
