//! OpenTelemetry over OTLP (gRPC): exporters and resource.
//!
//! The way of spans and metrics is [watched](exports), since the SDK reports losses to nobody.

mod exports;
mod headers;

use std::fs;

use opentelemetry::KeyValue;
use opentelemetry_otlp::{MetricExporter, SpanExporter, WithExportConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::PeriodicReader;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tonic::transport::{Certificate, ClientTlsConfig};

use super::Error;
use crate::config::Telemetry;

use exports::WatchedMetrics;
pub(super) use exports::{Exports, refusals};
use headers::OwnHeaders;

/// The resource that all telemetry belongs to. `OTEL_RESOURCE_ATTRIBUTES` adds to it.
pub(super) fn resource(config: &Telemetry) -> Resource {
    Resource::builder()
        .with_service_name(config.service_name.clone())
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build()
}

pub(super) fn metrics(
    endpoint: &str,
    config: &Telemetry,
    exports: &Exports,
) -> Result<PeriodicReader<WatchedMetrics<MetricExporter>>, Error> {
    let builder = MetricExporter::builder().with_tonic();
    let exporter = reach(builder, endpoint, config)?
        .build()
        .map_err(Error::of("OTLP metrics"))?;
    Ok(PeriodicReader::builder(exports.watch_metrics(exporter))
        .with_interval(config.metric_interval)
        .build())
}

/// How the collector is reached: its address, with TLS where that begins with `https`, the headers
/// of every message and the time that one may take.
fn reach<B: WithExportConfig + WithTonicConfig>(
    builder: B,
    endpoint: &str,
    config: &Telemetry,
) -> Result<B, Error> {
    let builder = builder
        .with_endpoint(endpoint)
        .with_timeout(config.otlp_timeout)
        .with_interceptor(OwnHeaders::new(&config.otlp_headers, std::env::vars_os())?);
    if !endpoint.starts_with("https:") {
        return Ok(builder);
    }
    let mut tls = ClientTlsConfig::new().with_enabled_roots();
    if let Some(file) = &config.otlp_certificate {
        let authority = fs::read(file).map_err(Error::of("telemetry.otlp_certificate"))?;
        tls = tls.ca_certificate(Certificate::from_pem(authority));
    }
    Ok(builder.with_tls_config(tls))
}

pub(super) fn traces(
    endpoint: &str,
    config: &Telemetry,
    resource: Resource,
    exports: &Exports,
) -> Result<SdkTracerProvider, Error> {
    let builder = SpanExporter::builder().with_tonic();
    let exporter = reach(builder, endpoint, config)?
        .build()
        .map_err(Error::of("OTLP traces"))?;
    let processor = exports.watch_spans(exporter);
    Ok(SdkTracerProvider::builder()
        .with_resource(resource)
        // `spans` chose the calls that are traced before they had a span.
        .with_sampler(Sampler::AlwaysOn)
        .with_span_processor(processor)
        .build())
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry_proto::tonic::collector::{
        metrics::v1::{
            ExportMetricsServiceRequest, ExportMetricsServiceResponse,
            metrics_service_server::{MetricsService, MetricsServiceServer},
        },
        trace::v1::{
            ExportTraceServiceRequest, ExportTraceServiceResponse,
            trace_service_server::{TraceService, TraceServiceServer},
        },
    };
    use tokio::sync::mpsc;
    use tonic::{
        Request, Response, Status,
        transport::{Server, server::TcpIncoming},
    };
    use tracing_subscriber::layer::SubscriberExt;

    use std::time::Duration;

    use crate::{config::Config, spans, telemetry};

    /// A collector that passes on what it is sent.
    #[derive(Clone)]
    struct Collector {
        traces: mpsc::UnboundedSender<ExportTraceServiceRequest>,
        metrics: mpsc::UnboundedSender<ExportMetricsServiceRequest>,
    }

    #[tonic::async_trait]
    impl TraceService for Collector {
        async fn export(
            &self,
            request: Request<ExportTraceServiceRequest>,
        ) -> Result<Response<ExportTraceServiceResponse>, Status> {
            self.traces.send(request.into_inner()).unwrap();
            Ok(Response::new(ExportTraceServiceResponse::default()))
        }
    }

    #[tonic::async_trait]
    impl MetricsService for Collector {
        async fn export(
            &self,
            request: Request<ExportMetricsServiceRequest>,
        ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
            self.metrics.send(request.into_inner()).unwrap();
            Ok(Response::new(ExportMetricsServiceResponse::default()))
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_last_trace_and_the_metrics_reach_the_collector_at_shutdown() {
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let endpoint = format!("http://{}", incoming.local_addr().unwrap());
        let ((traces, mut got_traces), (metrics, mut got_metrics)) =
            (mpsc::unbounded_channel(), mpsc::unbounded_channel());
        let collector = Collector { traces, metrics };
        let server = Server::builder()
            .add_service(TraceServiceServer::new(collector.clone()))
            .add_service(MetricsServiceServer::new(collector));
        tokio::spawn(server.serve_with_incoming(incoming));

        let mut config = Config::defaults();
        config.telemetry.otlp_endpoint = Some(endpoint);
        let telemetry = telemetry::Telemetry::collect(&config).unwrap();
        let test_tracer = telemetry.guard.traces.as_ref().unwrap().tracer("test");
        let subscriber = tracing_subscriber::registry()
            .with(tracing_opentelemetry::layer().with_tracer(test_tracer));
        tracing::subscriber::with_default(subscriber, || {
            let mut headers = HeaderMap::new();
            let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
            headers.insert("traceparent", parent.parse().unwrap());
            let span = tracing::info_span!("GetProfile");
            spans::set_parent(&span, spans::parent(&headers));
            span.in_scope(|| {});
        });
        telemetry.guard.shutdown().await;

        let sent = got_traces.recv().await.unwrap();
        let span = &sent.resource_spans[0].scope_spans[0].spans[0];
        assert_eq!(span.name, "GetProfile");
        // It is the caller's trace.
        assert_eq!(
            span.trace_id,
            0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes()
        );
        assert_eq!(span.parent_span_id, 0xb7ad_6b71_6920_3331_u64.to_be_bytes());
        let sent = got_metrics.recv().await.unwrap();
        let names: Vec<_> = sent.resource_metrics[0].scope_metrics[0]
            .metrics
            .iter()
            .map(|metric| &metric.name)
            .collect();
        assert!(
            names
                .iter()
                .any(|name| *name == "customer_profile.ingest.queue"),
            "{names:?}"
        );
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_collector_that_is_away_holds_the_end_up_no_longer_than_the_bound() {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .unwrap();
        let mut config = Config::defaults();
        // It takes the connection and never answers.
        config.telemetry.otlp_endpoint = Some(format!("http://{}", listener.local_addr().unwrap()));
        config.telemetry.flush_timeout = Duration::from_millis(200);
        let telemetry = telemetry::Telemetry::collect(&config).unwrap();
        let patience = Duration::from_secs(3);
        tokio::time::timeout(patience, telemetry.guard.shutdown())
            .await
            .unwrap();
    }
}
