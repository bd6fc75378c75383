//! Figures of the write path.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundCounter, BoundHistogram, Counter};

use super::{Builder, Metrics};

/// Maximum number of fields that are counted by themselves; the others are `_OTHER`.
const MAX_FIELDS: usize = 100;

/// The instruments of the write path.
#[derive(Debug)]
pub(super) struct Instruments {
    pub(super) waiting: Arc<AtomicU64>,
    stored: BoundCounter<u64>,
    duplicate: BoundCounter<u64>,
    rejected: BoundCounter<u64>,
    unread: Counter<u64>,
    attached: Counter<u64>,
    /// The fields that are counted by themselves.
    unread_fields: Mutex<BTreeSet<String>>,
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
            // field: `identifiers.phone`; reason: malformed, ambiguous, incomplete, impossible,
            // placeholder, blocked
            unread: build.counter(
                "customer_profile.ingest.unread",
                "{value}",
                "Values that are stored as they were said and not used",
            ),
            unread_fields: Mutex::default(),
            // when: at_once, waiting, later, moved
            attached: build.counter(
                "customer_profile.ingest.attached",
                "{event}",
                "Events that find their customer by an object: at once, waiting, after waiting, moved",
            ),
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

    /// So many values of a field are stored and not used.
    pub fn ingest_unread(&self, field: &str, reason: &'static str, values: usize) {
        let fields = self.ingest.unread_fields.lock();
        let mut fields = fields.unwrap_or_else(PoisonError::into_inner);
        let is_counted =
            fields.contains(field) || fields.len() < MAX_FIELDS && fields.insert(field.to_owned());
        drop(fields);
        let field = if is_counted { field } else { "_OTHER" };
        let labels = [
            KeyValue::new("field", field.to_owned()),
            KeyValue::new("reason", reason),
        ];
        self.ingest.unread.add(values as u64, &labels);
    }

    /// So many events found their customer by an object, or wait for one.
    pub fn ingest_attached(&self, when: &'static str, events: usize) {
        if events > 0 {
            let labels = [KeyValue::new("when", when)];
            self.ingest.attached.add(events as u64, &labels);
        }
    }

    /// The number of statements that wait to be written.
    #[must_use]
    pub fn ingest_waiting(&self) -> u64 {
        self.ingest.waiting.load(Ordering::Relaxed)
    }
}
