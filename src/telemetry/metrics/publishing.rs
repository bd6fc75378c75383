//! Figures of publishing.

use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundCounter, Counter};

use super::{Builder, Metrics};

/// The instruments of publishing, one set for each kind of target.
#[derive(Debug)]
pub(super) struct Instruments([Publishing; 2]);

/// Events for one kind of target.
#[derive(Debug)]
struct Publishing {
    target: &'static str,
    published: BoundCounter<u64>,
    failed: BoundCounter<u64>,
    dead: BoundCounter<u64>,
}

impl Instruments {
    pub(super) fn new(build: &Builder<'_>) -> Self {
        // target: nats, webhook; outcome: published, failed (a try), dead_letter
        let events = build.counter(
            "customer_profile.publish.events",
            "{event}",
            "Events for other systems by outcome",
        );
        Self(["nats", "webhook"].map(|target| Publishing::new(target, &events)))
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

impl Metrics {
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
        self.publishing
            .0
            .iter()
            .find(|known| known.target == target)
    }

    /// Tells how far publishing by this server is behind whenever somebody collects: the age of the
    /// oldest change that waits.
    pub fn observe_publishing(&self, lag: impl Fn() -> u64 + Send + Sync + 'static) {
        let help = "Age of the oldest change that this server has to publish";
        self.gauge("customer_profile.publish.lag", "s", help, None, lag);
    }
}
