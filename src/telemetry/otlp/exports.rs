//! Spans and metrics on their way to the collector, and their losses.
//!
//! The SDK throws away what it cannot send and tells nobody. Here each exporter is wrapped, so that
//! its failures are an [`Episode`]: a collector that is absent, takes the connection and never
//! answers, has a name that does not resolve, refuses the caller, or rejects a part. So is the
//! queue before it, which is of bounded size and drops spans when it is full.
//!
//! A collector that rejects a part of a message answers `OK` all the same. The exporter says so by
//! a `tracing` event alone, on the thread that exports; [`refusals`] catches it there.

mod refused;

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor,
};

use crate::telemetry::{Episode, Metrics};
use refused::Refused;

pub(in crate::telemetry) use refused::refusals;

/// Spans that wait for the collector, unless `OTEL_BSP_MAX_QUEUE_SIZE` says otherwise
/// (OpenTelemetry's default).
const QUEUE_SPANS: usize = 2048;
/// A queue that was not full for this time is no longer full now and then.
const QUEUE_CALM: Duration = Duration::from_secs(10);

thread_local! {
    /// Items that the collector rejected of the message that this thread sends.
    static REFUSED: Cell<Option<Refused>> = const { Cell::new(None) };
}

/// Counts and episodes.
#[derive(Debug, Clone)]
pub(in crate::telemetry) struct Exports {
    traces: Arc<Episode>,
    metrics: Arc<Episode>,
    queue: Arc<Episode>,
    queued: Arc<AtomicUsize>,
    not_queued: Arc<AtomicU64>,
    not_sent: Arc<AtomicU64>,
}

impl Exports {
    pub(in crate::telemetry) fn new() -> Self {
        Self {
            traces: Arc::new(Episode::new("OTLP export of traces")),
            metrics: Arc::new(Episode::new("OTLP export of metrics")),
            queue: Arc::new(Episode::with_calm("OTLP queue of spans", QUEUE_CALM)),
            queued: Arc::default(),
            not_queued: Arc::default(),
            not_sent: Arc::default(),
        }
    }

    /// Shows them in metrics.
    pub(in crate::telemetry) fn observe(&self, metrics: &Metrics) {
        for episode in [&self.traces, &self.metrics, &self.queue] {
            metrics.observe_episode(episode);
        }
        let (not_queued, not_sent) = (self.not_queued.clone(), self.not_sent.clone());
        metrics.observe_lost_spans(
            move || not_queued.load(Ordering::Relaxed),
            move || not_sent.load(Ordering::Relaxed),
        );
    }

    /// A queue before an exporter of spans.
    pub(super) fn watch_spans<E: SpanExporter + 'static>(&self, exporter: E) -> SpanQueue {
        let said = std::env::var("OTEL_BSP_MAX_QUEUE_SIZE")
            .ok()
            .and_then(|said| said.parse().ok());
        let capacity = said.filter(|capacity| *capacity > 0).unwrap_or(QUEUE_SPANS);
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(capacity)
            .build();
        let exporter = WatchedSpans {
            exporter,
            exports: self.clone(),
        };
        let processor = BatchSpanProcessor::builder(exporter)
            .with_batch_config(config)
            .build();
        SpanQueue {
            processor,
            capacity,
            exports: self.clone(),
        }
    }

    /// An exporter of metrics.
    pub(super) fn watch_metrics<E>(&self, exporter: E) -> WatchedMetrics<E> {
        WatchedMetrics {
            exporter,
            episode: self.metrics.clone(),
        }
    }
}

/// The SDK's queue, which keeps no count of what it drops that could be read.
#[derive(Debug)]
pub(super) struct SpanQueue {
    processor: BatchSpanProcessor,
    capacity: usize,
    exports: Exports,
}

impl SpanProcessor for SpanQueue {
    fn on_start(&self, span: &mut Span, context: &opentelemetry::Context) {
        self.processor.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        let Exports {
            queue,
            queued,
            not_queued,
            ..
        } = &self.exports;
        if queued.fetch_add(1, Ordering::Relaxed) >= self.capacity {
            queued.fetch_sub(1, Ordering::Relaxed);
            not_queued.fetch_add(1, Ordering::Relaxed);
            queue.failed(&format_args!(
                "{} spans wait already; spans are lost",
                self.capacity
            ));
        } else {
            queue.succeeded();
            self.processor.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.processor.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.processor.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.processor.set_resource(resource);
    }
}

#[derive(Debug)]
struct WatchedSpans<E> {
    exporter: E,
    exports: Exports,
}

impl<E: SpanExporter> SpanExporter for WatchedSpans<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let Exports {
            traces,
            queued,
            not_sent,
            ..
        } = &self.exports;
        let count = batch.len();
        queued.fetch_sub(count, Ordering::Relaxed);
        REFUSED.take();
        let result = self.exporter.export(batch).await;
        let lost = match (&result, REFUSED.take()) {
            (Err(error), _) => {
                traces.failed(error);
                count as u64
            }
            (Ok(()), Some(refused)) => {
                traces.failed(&refused);
                refused.count
            }
            (Ok(()), None) => {
                traces.succeeded();
                0
            }
        };
        not_sent.fetch_add(lost, Ordering::Relaxed);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.exporter.shutdown()
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// An exporter of metrics whose failures are an episode.
#[derive(Debug)]
pub(in crate::telemetry) struct WatchedMetrics<E> {
    exporter: E,
    episode: Arc<Episode>,
}

impl<E: PushMetricExporter> PushMetricExporter for WatchedMetrics<E> {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        REFUSED.take();
        let result = self.exporter.export(metrics).await;
        match (&result, REFUSED.take()) {
            (Err(error), _) => self.episode.failed(error),
            (Ok(()), Some(refused)) => self.episode.failed(&refused),
            (Ok(()), None) => self.episode.succeeded(),
        };
        result
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.exporter.shutdown()
    }

    fn temporality(&self) -> Temporality {
        self.exporter.temporality()
    }
}
