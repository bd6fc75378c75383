//! Spans: which calls are traced, how work within them gets spans of its own, and how a trace goes
//! on in other systems.
//!
//! **A call that is not traced has no span.** The decision is made from the caller's `traceparent`
//! and the sampler before a span exists, so a call that was not chosen costs one random number, and
//! the code below it one look at a thread's context where it does slow work. A cached read does not
//! even look. The SDK takes what it is given.
//!
//! `child_span!` makes a span only within a traced one, so that work of calls that are not traced
//! does not begin traces of its own.

use http::HeaderMap;
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{SpanContext, TraceContextExt};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::config::{Telemetry, TraceSampler};
use crate::transport::random;

/// A span within the current one; none where nothing is traced.
macro_rules! child_span {
    ($($span:tt)+) => {
        if $crate::spans::is_traced() {
            tracing::info_span!($($span)+)
        } else {
            tracing::Span::none()
        }
    };
}

pub(crate) use child_span;

/// Chooses the calls that are traced.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampler {
    kind: TraceSampler,
    ratio: f64,
}

impl Sampler {
    /// The sampler of a configuration. `None`: no spans are sent anywhere.
    #[must_use]
    pub fn of(config: &Telemetry) -> Option<Self> {
        let sends = config.export && config.otlp_endpoint.is_some();
        sends.then_some(Self {
            kind: config.trace_sampler,
            ratio: config.trace_sample_ratio,
        })
    }

    /// Whether work is traced that was begun by `parent`, or by nobody else.
    #[must_use]
    pub fn chooses(&self, parent: Option<&SpanContext>) -> bool {
        match (self.kind, parent) {
            (TraceSampler::AlwaysOn, _) | (TraceSampler::ParentOrOn, None) => true,
            (TraceSampler::AlwaysOff, _) | (TraceSampler::ParentOrOff, None) => false,
            (
                TraceSampler::ParentOrOn | TraceSampler::ParentOrOff | TraceSampler::ParentOrRatio,
                Some(parent),
            ) => parent.is_sampled(),
            // All servers choose the same traces.
            (TraceSampler::Ratio, Some(parent)) => {
                let low = u128::from_be_bytes(parent.trace_id().to_bytes()) & u128::from(u64::MAX);
                is_within(u64::try_from(low).unwrap_or_default(), self.ratio)
            }
            (TraceSampler::Ratio | TraceSampler::ParentOrRatio, None) => {
                is_within(random(), self.ratio)
            }
        }
    }
}

/// Whether a random number is among the chosen part. Source: OpenTelemetry's
/// `TraceIdRatioBased`, which looks at 63 bits.
#[expect(
    clippy::cast_precision_loss,
    reason = "53 bits are enough to compare with a ratio"
)]
fn is_within(number: u64, ratio: f64) -> bool {
    ((number >> 1) as f64) < ratio * (1_u64 << 63) as f64
}

/// Whether the current task works within a span that is sent somewhere.
#[must_use]
pub fn is_traced() -> bool {
    Context::map_current(|context| context.span().span_context().is_sampled())
}

/// The current span, if it is sent somewhere: to be the parent of work on another task.
#[must_use]
pub fn current() -> Span {
    if is_traced() {
        Span::current()
    } else {
        Span::none()
    }
}

/// The trace and the span that the current task works within.
#[must_use]
pub fn ids() -> Option<(String, String)> {
    Context::map_current(|context| {
        let span = context.span();
        let ids = span.span_context();
        ids.is_valid()
            .then(|| (ids.trace_id().to_string(), ids.span_id().to_string()))
    })
}

/// The headers that make what is asked of another system a part of the current trace (W3C
/// `traceparent` and `tracestate`); empty where nothing is traced.
#[must_use]
pub fn outgoing() -> Vec<(String, String)> {
    let mut headers = Outgoing(Vec::new());
    if is_traced() {
        TraceContextPropagator::new().inject_context(&Context::current(), &mut headers);
    }
    headers.0.retain(|(_, value)| !value.is_empty());
    headers.0
}

struct Outgoing(Vec<(String, String)>);

impl Injector for Outgoing {
    fn set(&mut self, key: &str, value: String) {
        self.0.push((key.to_owned(), value));
    }
}

/// The caller's trace, if it sent a valid `traceparent`.
#[must_use]
pub fn parent(headers: &HeaderMap) -> Option<Context> {
    if !headers.contains_key("traceparent") {
        return None;
    }
    let context =
        TraceContextPropagator::new().extract_with_context(&Context::new(), &Incoming(headers));
    context
        .span()
        .span_context()
        .is_valid()
        .then_some(context.clone())
}

/// Makes a span part of its caller's trace. A span takes its parent before it is entered, or not at
/// all.
pub fn set_parent(span: &Span, parent: Option<Context>) {
    if let Some(parent) = parent {
        // It fails where no traces are taken, which is no failure.
        let _ = span.set_parent(parent);
    }
}

struct Incoming<'a>(&'a HeaderMap);

impl Extractor for Incoming<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(traceparent: &str) -> HeaderMap {
        HeaderMap::from_iter([(
            http::HeaderName::from_static("traceparent"),
            traceparent.parse().expect("a header"),
        )])
    }

    fn chooses(kind: TraceSampler, ratio: f64, traceparent: Option<&str>) -> bool {
        let parent = traceparent.map(|text| parent(&headers(text)).expect("a parent"));
        let context = parent
            .as_ref()
            .map(|parent| parent.span().span_context().clone());
        Sampler { kind, ratio }.chooses(context.as_ref())
    }

    const SAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const NOT_SAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

    #[test]
    fn the_caller_decides_where_the_sampler_goes_by_the_parent() {
        use TraceSampler as S;
        for kind in [S::ParentOrOn, S::ParentOrOff, S::ParentOrRatio] {
            assert!(chooses(kind, 0.0, Some(SAMPLED)), "{kind:?}");
            assert!(!chooses(kind, 1.0, Some(NOT_SAMPLED)), "{kind:?}");
        }
        assert!(chooses(S::AlwaysOn, 0.0, Some(NOT_SAMPLED)));
        assert!(!chooses(S::AlwaysOff, 1.0, Some(SAMPLED)));
        assert!(chooses(S::ParentOrOn, 0.0, None) && !chooses(S::ParentOrOff, 1.0, None));
    }

    #[test]
    fn a_ratio_chooses_all_none_or_a_part() {
        use TraceSampler as S;
        let chosen = |kind, ratio| (0..1000).filter(|_| chooses(kind, ratio, None)).count();
        assert_eq!(chosen(S::ParentOrRatio, 0.0), 0);
        assert_eq!(chosen(S::Ratio, 1.0), 1000);
        let part = chosen(S::ParentOrRatio, 0.5);
        assert!((300..700).contains(&part), "{part}");
        // By the trace's own number: all servers choose the same.
        let chosen: Vec<bool> = (0..10)
            .map(|_| chooses(S::Ratio, 0.5, Some(SAMPLED)))
            .collect();
        assert!(chosen.iter().all(|one| *one == chosen[0]));
    }

    #[test]
    fn a_traceparent_that_is_not_valid_begins_no_trace() {
        for wrong in [
            "",
            "x",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        ] {
            assert!(parent(&headers(wrong)).is_none(), "{wrong}");
        }
        assert!(parent(&HeaderMap::new()).is_none());
    }

    #[test]
    fn nothing_is_traced_outside_of_a_span() {
        assert!(!is_traced() && outgoing().is_empty() && ids().is_none());
        assert!(current().is_none() && child_span!("work").is_none());
    }
}
