//! Items that a collector rejects of a message that it takes. The exporter says it in an event
//! alone.

use std::fmt;

use super::REFUSED;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Items of a message that a collector rejected.
#[derive(Debug, Default)]
pub(super) struct Refused {
    pub(super) count: u64,
    why: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the collector rejected {} items: {}",
            self.count, self.why
        )
    }
}

impl Visit for Refused {
    fn record_i64(&mut self, field: &Field, value: i64) {
        if field.name().starts_with("rejected_") {
            self.count = u64::try_from(value).unwrap_or_default();
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "error_message" {
            // The collector's own text, as far as it is short and harmless to a terminal.
            self.why = value
                .chars()
                .filter(|letter| !letter.is_control())
                .take(200)
                .collect();
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

struct Refusals;

impl<S: Subscriber> Layer<S> for Refusals {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().name().ends_with(".PartialSuccess") {
            let mut refused = Refused::default();
            event.record(&mut refused);
            REFUSED.set(Some(refused));
        }
    }
}

/// Catches what the exporters say of messages that were taken in part.
pub(in crate::telemetry) fn refusals<S>() -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    Refusals.with_filter(Targets::new().with_target("opentelemetry-otlp", Level::WARN))
}
