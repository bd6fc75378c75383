//! Telemetry: log lines, traces, metrics.
//!
//! - Log lines go to standard error or a file, pretty or JSON, through `tracing`. They never block
//!   whoever writes them; what the output does not take in time is lost and counted.
//! - Metrics are all in [`metrics`]; Prometheus reads them from `/metrics` ([`http`]).
//! - When an OTLP endpoint is configured, traces and the same metrics are also sent there.
//!
//! # Never logged, never a label, never in a span
//!
//! Identifiers and their values, traits, preferences, record keys, event ids and properties,
//! payloads, query texts, credentials, URLs with passwords, metadata sent by callers. What may be:
//! tenant, source, method, status, reason, counts, sizes, durations, profile ids, sequences,
//! request ids.
//!
//! # Ending
//!
//! A dropped provider flushes nothing, and a flush can wait for a collector that is away. So the
//! providers live in a [`Guard`], which is shut down **after** the server (so that the last calls
//! are told) and within a bound.

pub mod http;
pub(crate) mod log;
pub mod metrics;
mod otlp;

use std::{sync::Arc, time::Duration};

use opentelemetry_sdk::{metrics::SdkMeterProvider, trace::SdkTracerProvider};

use crate::config::Config;

pub use crate::episode::Episode;
pub use metrics::{ErrorKind, Metrics};

/// Telemetry that could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("telemetry cannot be set up ({what}): {cause}")]
pub struct Error {
    what: &'static str,
    cause: Box<dyn std::error::Error + Send + Sync>,
}

/// Running telemetry.
#[derive(Debug)]
pub struct Telemetry {
    /// Instruments of all parts of the server.
    pub metrics: Arc<Metrics>,
    /// The registry that `/metrics` prints.
    pub registry: prometheus::Registry,
    /// To be shut down after the server.
    pub guard: Guard,
}

/// Starts telemetry and takes over the process's log lines.
///
/// To be called inside a tokio runtime, which carries the connection to the collector.
///
/// # Errors
/// When the process has a subscriber already, or the exporters cannot be made.
pub fn start(config: &Config) -> Result<Telemetry, Error> {
    let telemetry = Telemetry::collect(config)?;
    log::install(
        &config.log,
        telemetry.guard.traces.as_ref(),
        &telemetry.metrics,
    )?;
    Ok(telemetry)
}

/// Puts the settings of the log in force that can be changed while the process runs (`log.filter`,
/// `log.file`, `log.max_lines_per_second`), or changes nothing. The log file is opened again by its
/// name.
///
/// # Errors
/// Why the log file cannot be opened.
pub fn reload_log(config: &Config) -> Result<(), String> {
    log::reload(&config.log)
}

impl Telemetry {
    /// Makes the instruments and exporters, and leaves the process's log lines alone.
    ///
    /// # Errors
    /// When the exporters cannot be made.
    pub fn collect(config: &Config) -> Result<Self, Error> {
        let registry = prometheus::Registry::new();
        let scraped = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .scope_info_enabled(false)
            .build()
            .map_err(Error::of("Prometheus exporter"))?;
        let resource = otlp::resource(&config.telemetry);
        let mut meters = SdkMeterProvider::builder()
            .with_resource(resource.clone())
            .with_reader(scraped);
        let (mut traces, exports) = (None, otlp::Exports::new());
        let endpoint = config.telemetry.otlp_endpoint.as_ref();
        if let Some(endpoint) = endpoint.filter(|_| config.telemetry.export) {
            meters = meters.with_reader(otlp::metrics(endpoint, &config.telemetry, &exports)?);
            traces = Some(otlp::traces(
                endpoint,
                &config.telemetry,
                resource,
                &exports,
            )?);
        }
        let meters = meters.build();
        let metrics = Arc::new(Metrics::new(&meters));
        if traces.is_some() {
            exports.observe(&metrics);
        }
        let guard = Guard {
            meters,
            traces,
            bound: config.telemetry.flush_timeout,
        };
        Ok(Self {
            metrics,
            registry,
            guard,
        })
    }
}

/// Holds the providers; without [`shutdown`](Guard::shutdown) the last traces and metrics are lost.
#[derive(Debug)]
pub struct Guard {
    meters: SdkMeterProvider,
    traces: Option<SdkTracerProvider>,
    bound: Duration,
}

impl Guard {
    /// Sends what is left, within the configured bound. Says in the log when that was too short.
    ///
    /// # Cancel safety
    /// Dropped early, the rest may be lost, nothing else.
    pub async fn shutdown(self) {
        let Self {
            meters,
            traces,
            bound,
        } = self;
        let flush = tokio::task::spawn_blocking(move || {
            let traces = traces.map_or(Ok(()), |traces| traces.shutdown_with_timeout(bound));
            traces.and(meters.shutdown_with_timeout(bound))
        });
        match tokio::time::timeout(bound, flush).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::warn!(%error, "the last telemetry was not sent"),
            Ok(Err(_)) | Err(_) => {
                tracing::warn!(?bound, "the last telemetry was not sent in time");
            }
        }
    }
}

impl Error {
    fn of<E: std::error::Error + Send + Sync + 'static>(
        what: &'static str,
    ) -> impl FnOnce(E) -> Self {
        move |cause| Self {
            what,
            cause: Box::new(cause),
        }
    }
}
