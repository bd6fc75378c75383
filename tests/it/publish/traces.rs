//! Traces, as a collector, a receiver and a stream see them.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use customer_profile::grpc::v1;
use customer_profile::grpc::v1::profile_service_client::ProfileServiceClient;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Request, Response, Status};

use super::receiver::{Answer, Receiver};
use super::stream::NatsServer;
use super::{Ground, PATIENCE, channel, ingest};
use crate::support::server::TestServer;
use crate::support::service::{by_identifier, by_record, upsert};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const METHOD: &str = "customer.profile.v1.ProfileService/GetProfile";

/// A collector that keeps what it is sent.
#[derive(Clone, Default)]
struct Collector {
    spans: Arc<Mutex<Vec<Span>>>,
    /// The service's name and a header, of each message.
    senders: Arc<Mutex<Vec<(String, String)>>>,
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let header = request
            .metadata()
            .get("x-token")
            .map_or("", |value| value.to_str().expect("a header in ASCII"));
        let header = header.to_owned();
        for sent in request.into_inner().resource_spans {
            let resource = sent.resource.expect("a resource");
            let name = resource
                .attributes
                .iter()
                .find(|attribute| attribute.key == "service.name");
            let name = text(name.and_then(|name| name.value.as_ref()?.value.as_ref()));
            self.senders
                .lock()
                .expect("whole")
                .push((name, header.clone()));
            let spans = sent.scope_spans.into_iter().flat_map(|scope| scope.spans);
            self.spans.lock().expect("whole").extend(spans);
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        _: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

impl Collector {
    /// Begins to listen, and gives the endpoint.
    fn start() -> (Self, String) {
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().expect("an address"));
        let incoming = incoming.expect("a port");
        let address = incoming.local_addr().expect("its address");
        let collector = Self::default();
        let server = Server::builder()
            .add_service(TraceServiceServer::new(collector.clone()))
            .add_service(MetricsServiceServer::new(collector.clone()));
        tokio::spawn(server.serve_with_incoming(incoming));
        (collector, format!("http://{address}"))
    }

    /// Waits for a span that fits.
    async fn span(&self, what: &str, fits: impl Fn(&Span) -> bool) -> Span {
        let began_at = Instant::now();
        loop {
            let found = self
                .spans
                .lock()
                .expect("whole")
                .iter()
                .find(|span| fits(span))
                .cloned();
            if let Some(span) = found {
                return span;
            }
            let names = || -> Vec<String> {
                let spans = self.spans.lock().expect("whole");
                spans.iter().map(|span| span.name.clone()).collect()
            };
            assert!(
                began_at.elapsed() < PATIENCE,
                "no {what} among {:?}",
                names()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits for the span of this name that is a child of another one.
    async fn child(&self, parent: &Span, name: &str) -> Span {
        let fits = |span: &Span| span.parent_span_id == parent.span_id && span.name == name;
        let child = self.span(&format!("{name} in {}", parent.name), fits).await;
        assert_eq!(child.trace_id, parent.trace_id);
        child
    }
}

fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::StringValue(text)) => text.clone(),
        other => format!("{other:?}"),
    }
}

fn attribute(span: &Span, key: &str) -> String {
    let found = span
        .attributes
        .iter()
        .find(|attribute| attribute.key == key);
    found.map_or_else(String::new, |found| {
        text(found.value.as_ref().and_then(|value| value.value.as_ref()))
    })
}

fn status(span: &Span) -> i32 {
    span.status.as_ref().map_or(0, |status| status.code)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("text");
        text
    })
}

fn traced<T>(message: T, sampled: bool) -> Request<T> {
    let mut request = Request::new(message);
    let flags = if sampled { "01" } else { "00" };
    let parent = format!("00-{TRACE}-b7ad6b7169203331-{flags}");
    request
        .metadata_mut()
        .insert("traceparent", parent.parse().expect("ASCII"));
    request
}

fn get(key: v1::ProfileKey) -> v1::GetProfileRequest {
    v1::GetProfileRequest {
        key: Some(key),
        ..Default::default()
    }
}

fn server(ground: &Ground, endpoint: &str, more: &[(&str, &str)]) -> TestServer {
    let model = ground.model();
    let args = ["--model", model.to_str().expect("a plain path")];
    let mut environment = vec![
        ("PUBLISH_SECRET", super::SECRET),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
    ];
    environment.extend(more);
    let server = TestServer::start_unready_in(&ground.sqlite(), &args, &environment);
    server.wait_for("ready");
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_traced_call_has_a_span_for_each_part_of_its_work() {
    let (collector, endpoint) = Collector::start();
    let receiver = Receiver::start(|_, _| Answer::Take).await;
    let ground = Ground::new(&format!("crm: {}", receiver.webhook("")));
    let environment = [
        ("OTEL_SERVICE_NAME", "profiles-of-test"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-token=a%20secret"),
        ("OTEL_TRACES_SAMPLER", "parentbased_always_off"),
    ];
    let server = server(&ground, &endpoint, &environment);
    let mut ingesting =
        v1::ingest_service_client::IngestServiceClient::new(channel(&server.address));
    let statements = vec![upsert(("crm", "1"), &[], &[("name", "Ann")], 1)];
    let request = v1::IngestStatementsRequest { statements };
    ingesting
        .ingest_statements(traced(request, true))
        .await
        .expect("stored");
    let mut client = ProfileServiceClient::new(channel(&server.address));
    client
        .get_profile(traced(get(by_record("crm", "1")), true))
        .await
        .expect("a profile");

    let write = collector
        .span("IngestStatements", |span| {
            span.name.ends_with("/IngestStatements")
        })
        .await;
    assert_eq!(hex(&write.trace_id), TRACE);
    collector.child(&write, "queue wait").await;
    let batch = collector.child(&write, "write").await;
    collector.child(&batch, "store commit").await;

    let read = collector
        .span("GetProfile", |span| span.name == METHOD)
        .await;
    assert_eq!(hex(&read.parent_span_id), "b7ad6b7169203331");
    assert_eq!(read.kind, 2, "SERVER");
    for (key, value) in [
        ("rpc.system.name", "grpc"),
        ("rpc.method", METHOD),
        ("rpc.response.status_code", "OK"),
        ("error.type", ""),
    ] {
        assert_eq!(attribute(&read, key), value, "{key}");
    }
    assert_eq!(status(&read), 0);
    let is_profile = |span: &Span| {
        span.parent_span_id == read.span_id
            && span.name == "cache miss"
            && attribute(span, "cache") == "profiles"
    };
    let miss = collector.span("cache miss of profiles", is_profile).await;
    collector.child(&miss, "store profiles").await;
    collector.child(&miss, "fold").await;
    let senders = collector.senders.lock().expect("whole").clone();
    assert!(
        senders
            .iter()
            .all(|sender| *sender == ("profiles-of-test".into(), "a secret".into())),
        "{senders:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_its_caller_does_not_trace_has_no_span_and_what_fails_by_the_server_is_red() {
    let (collector, endpoint) = Collector::start();
    let ground = Ground::new("");
    let server = server(
        &ground,
        &endpoint,
        &[("OTEL_TRACES_SAMPLER", "parentbased_always_on")],
    );
    let mut client = ProfileServiceClient::new(channel(&server.address));
    let nobody = || get(by_identifier("email", "nobody@x.com"));
    let not_traced = client.get_profile(traced(nobody(), false)).await;
    assert_eq!(not_traced.expect_err("nobody").code(), Code::NotFound);
    let not_found = client.get_profile(traced(nobody(), true)).await;
    assert_eq!(not_found.expect_err("nobody").code(), Code::NotFound);
    let mut unknown = tonic::client::Grpc::new(channel(&server.address));
    unknown.ready().await.expect("a connection");
    let path = http::uri::PathAndQuery::from_static("/no.Such/Method");
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    let unimplemented = unknown.unary(Request::new(()), path, codec).await;
    assert_eq!(
        unimplemented.expect_err("no method").code(),
        Code::Unimplemented
    );

    let red = collector.span("_OTHER", |span| span.name == "_OTHER").await;
    assert_eq!(
        (status(&red), &*attribute(&red, "error.type")),
        (2, "UNIMPLEMENTED")
    );
    let answered = collector
        .span("GetProfile", |span| span.name == METHOD)
        .await;
    assert_eq!(
        attribute(&answered, "rpc.response.status_code"),
        "NOT_FOUND"
    );
    assert_eq!(
        (status(&answered), &*attribute(&answered, "error.type")),
        (0, "")
    );
    let line = loop {
        let line = server.wait_for_target("customer_profile::requests");
        if line["code"] == "NOT_FOUND" && !line["trace_id"].is_null() {
            break line;
        }
    };
    assert_eq!(line["trace_id"], TRACE);
    assert_eq!(line["span_id"], hex(&answered.span_id));
    // All are there by now: the spans of calls before it, and of the same trace.
    let spans = collector.spans.lock().expect("whole");
    let reads = spans.iter().filter(|span| span.name == METHOD).count();
    assert_eq!(reads, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receivers_are_sent_the_trace_of_what_they_are_told() {
    let (collector, endpoint) = Collector::start();
    let receiver = Receiver::start(|_, _| Answer::Take).await;
    let nats = NatsServer::start();
    nats.make_stream().await;
    let ground = Ground::new(&format!(
        "crm: {}\nbus: {}",
        receiver.webhook(""),
        nats.publication("")
    ));
    let server = server(&ground, &endpoint, &[("OTEL_TRACES_SAMPLER", "always_on")]);
    ingest(
        &server,
        vec![upsert(("crm", "1"), &[], &[("name", "Ann")], 1)],
    )
    .await;
    for name in ["publish crm", "publish bus"] {
        let span = collector.span(name, |span| span.name == name).await;
        assert_eq!((span.kind, status(&span)), (4, 0), "PRODUCER");
        let expected = format!("00-{}-{}-01", hex(&span.trace_id), hex(&span.span_id));
        let sent = match name {
            "publish crm" => receiver.requests()[0].headers["traceparent"].clone(),
            _ => nats.header("traceparent").await,
        };
        assert_eq!(sent, expected);
    }
}
