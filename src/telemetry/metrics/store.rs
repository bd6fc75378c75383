//! Figures of the store and of the change log.

use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundCounter, Histogram};
use tracing::Instrument;
use tracing::field::Empty;

use super::{Builder, ErrorKind, Job, Metrics};
use crate::spans::child_span;

/// The instruments of the store.
#[derive(Debug)]
pub(super) struct Instruments {
    duration: Histogram<f64>,
    conflicts: BoundCounter<u64>,
    log_poll_duration: Histogram<f64>,
    log_gaps: BoundCounter<u64>,
    background_failures: [BoundCounter<u64>; Job::ALL.len()],
}

impl Instruments {
    pub(super) fn new(build: &Builder<'_>) -> Self {
        let passes = build.counter(
            "customer_profile.background.failures",
            "{failure}",
            "Passes that failed for a tenant",
        );
        Self {
            // operation, error.type (absent when it went well)
            duration: build.durations(
                "customer_profile.store.operation.duration",
                "Time of operations of the store",
            ),
            conflicts: conflicts(build),
            // answered: whether the database did
            log_poll_duration: build.durations(
                "customer_profile.log.poll.duration",
                "Time of one read of the change log",
            ),
            log_gaps: gaps(build),
            // job
            background_failures: Job::ALL
                .map(|job| passes.bind(&[KeyValue::new("job", job.name())])),
        }
    }
}

fn conflicts(build: &Builder<'_>) -> BoundCounter<u64> {
    let (name, help) = ("customer_profile.store.conflicts", "Writes begun again");
    build.counter(name, "{conflict}", help).bind(&[])
}

fn gaps(build: &Builder<'_>) -> BoundCounter<u64> {
    let (name, help) = (
        "customer_profile.log.gaps",
        "Times the change log had a gap",
    );
    build.counter(name, "{gap}", help).bind(&[])
}

impl Metrics {
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
        let span = child_span!(
            "store",
            otel.name = format!("store {operation}"),
            otel.kind = "client",
            otel.status_code = Empty,
            "error.type" = Empty,
            operation
        );
        let result = work.instrument(span.clone()).await;
        if let Err(error) = &result {
            span.record("error.type", error.kind());
            span.record("otel.status_code", "ERROR");
        }
        drop(span);
        let operation = KeyValue::new("operation", operation);
        let seconds = started.elapsed().as_secs_f64();
        match &result {
            Ok(_) => self.store.duration.record(seconds, &[operation]),
            Err(error) => self.store.duration.record(
                seconds,
                &[operation, KeyValue::new("error.type", error.kind())],
            ),
        }
        result
    }

    /// A write was begun again this often.
    pub fn store_conflicts(&self, times: u32) {
        self.store.conflicts.add(u64::from(times));
    }

    /// The change log was read, or could not be.
    pub fn log_polled(&self, duration: Duration, answered: bool) {
        self.store.log_poll_duration.record(
            duration.as_secs_f64(),
            &[KeyValue::new("answered", answered)],
        );
    }

    /// The change log did not go on where it was left, so all that was cached of a tenant became
    /// old.
    pub fn log_gap(&self) {
        self.store.log_gaps.add(1);
    }

    /// A background job failed for a tenant.
    pub fn background_failed(&self, job: Job) {
        self.store.background_failures[job as usize].add(1);
    }
}
