//! Collectors that fail in each way: one line when it begins, one when it is over, counts in
//! between, and nothing else suffers.

mod tls;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
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
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use serde_json::Value as Json;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tonic::metadata::MetadataMap;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Identity, Server, ServerTlsConfig};
use tonic::{Code, Request, Response, Status};

use crate::support::server::TestServer;
use crate::support::service::by_identifier;

const BEGAN: &str = "began to fail; further failures are counted, not logged";
const OVER: &str = "works again";
const TRACES: &str = "OTLP export of traces";

/// Far more than it takes.
const PATIENCE: Duration = Duration::from_mins(1);

const WELL: u8 = 0;
const REFUSES: u8 = 1;
const TAKES_A_PART: u8 = 2;

/// A collector that does as it is told, and passes on the headers of each message.
#[derive(Clone)]
struct Collector {
    mode: Arc<AtomicU8>,
    headers: mpsc::UnboundedSender<Vec<String>>,
}

impl Collector {
    fn note(&self, metadata: &MetadataMap) {
        let mut headers: Vec<String> = metadata
            .clone()
            .into_headers()
            .iter()
            .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
            .collect();
        headers.sort_unstable();
        // A test that does not look at headers does not listen.
        drop(self.headers.send(headers));
    }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.note(request.metadata());
        match self.mode.load(Ordering::SeqCst) {
            REFUSES => Err(Status::unauthenticated("who are you?")),
            TAKES_A_PART => {
                let error_message = "too many attributes".to_owned();
                let part = ExportTracePartialSuccess {
                    rejected_spans: 1,
                    error_message,
                };
                Ok(Response::new(ExportTraceServiceResponse {
                    partial_success: Some(part),
                }))
            }
            _ => Ok(Response::new(ExportTraceServiceResponse::default())),
        }
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

/// Serves a collector: what it does, and the headers that it is sent.
fn collect(
    incoming: TcpIncoming,
    tls: Option<Identity>,
) -> (Arc<AtomicU8>, mpsc::UnboundedReceiver<Vec<String>>) {
    let mode = Arc::new(AtomicU8::new(WELL));
    let (headers, got) = mpsc::unbounded_channel();
    let collector = Collector {
        mode: mode.clone(),
        headers,
    };
    let mut server = Server::builder();
    if let Some(identity) = tls {
        let tls = ServerTlsConfig::new().identity(identity);
        server = server.tls_config(tls).expect("TLS");
    }
    let server = server
        .add_service(TraceServiceServer::new(collector.clone()))
        .add_service(MetricsServiceServer::new(collector));
    tokio::spawn(server.serve_with_incoming(incoming));
    (mode, got)
}

fn start(dir: &TempDir, port: u16, queue: &str) -> TestServer {
    let endpoint = format!("telemetry.otlp_endpoint=http://127.0.0.1:{port}");
    start_with(
        dir,
        &["--set", &endpoint],
        &[("OTEL_BSP_MAX_QUEUE_SIZE", queue)],
    )
}

/// A server that traces every call.
fn start_with(dir: &TempDir, more: &[&str], environment: &[(&str, &str)]) -> TestServer {
    let url = format!("sqlite://{}", dir.path().join("cp.db").display());
    let mut args = vec![
        "--set",
        "telemetry.trace_sample_ratio=1",
        "--set",
        "telemetry.flush_timeout=500ms",
    ];
    args.extend(more);
    let mut variables = vec![("OTEL_BSP_SCHEDULE_DELAY", "200")];
    variables.extend(environment);
    TestServer::start_unready_in(&url, &args, &variables)
}

/// Calls the server without end, so that there are spans.
async fn call(server: &TestServer) -> JoinHandle<()> {
    let mut client = ProfileServiceClient::connect(server.address.clone())
        .await
        .expect("a connection");
    tokio::spawn(async move {
        loop {
            let key = Some(by_identifier("email", "nobody@shop.com"));
            let answered = client
                .get_profile(v1::GetProfileRequest {
                    key,
                    ..Default::default()
                })
                .await;
            assert!(
                [Code::NotFound, Code::Unavailable].contains(&answered.expect_err("nobody").code())
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
}

/// Waits for a line about one thing, with calls meanwhile.
async fn wait_for(server: &TestServer, message: &str, what: &str) -> Json {
    let calling = call(server).await;
    let line = tokio::task::block_in_place(|| {
        let began_at = Instant::now();
        loop {
            let line = server.wait_for(message);
            if line["what"] == what {
                return line;
            }
            assert!(began_at.elapsed() < PATIENCE, "no `{message}` of {what}");
        }
    });
    calling.abort();
    line
}

fn metric(server: &TestServer, name: &str) -> u64 {
    let (_, text) = server.http("/metrics");
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    value.unwrap_or_else(|| panic!("no {name} in\n{text}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn each_trouble_with_a_collector_is_told_when_it_begins_and_when_it_is_over() {
    let dir = TempDir::new().expect("a directory");
    let absent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = absent.local_addr().expect("its address");
    drop(absent);
    let server = start(&dir, address.port(), "2048");

    let began = wait_for(&server, BEGAN, TRACES).await;
    assert!(
        began["reason"]
            .as_str()
            .expect("why")
            .contains("Unavailable"),
        "{began}"
    );
    let (mode, _) = collect(TcpIncoming::bind(address).expect("the port"), None);
    let over = wait_for(&server, OVER, TRACES).await;
    assert!(over["failures"].as_u64() >= Some(1), "{over}");
    assert!(
        metric(
            &server,
            "customer_profile_telemetry_spans_lost_total{reason=\"export\"}"
        ) > 0
    );

    for (trouble, why) in [
        (REFUSES, "Unauthenticated"),
        (TAKES_A_PART, "rejected 1 items: too many attributes"),
    ] {
        mode.store(trouble, Ordering::SeqCst);
        let began = wait_for(&server, BEGAN, TRACES).await;
        assert!(
            began["reason"].as_str().expect("why").contains(why),
            "{began}"
        );
        assert_eq!(
            metric(
                &server,
                &format!("customer_profile_trouble_active{{what=\"{TRACES}\"}}")
            ),
            1
        );
        mode.store(WELL, Ordering::SeqCst);
        wait_for(&server, OVER, TRACES).await;
    }
    assert!(server.stop().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_collector_that_never_answers_costs_spans_and_nothing_else() {
    let dir = TempDir::new().expect("a directory");
    // It takes connections and never answers.
    let hole = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let server = start(&dir, hole.local_addr().expect("its address").port(), "16");
    wait_for(&server, BEGAN, "OTLP queue of spans").await;
    wait_for(&server, BEGAN, TRACES).await;
    assert!(
        metric(
            &server,
            "customer_profile_telemetry_spans_lost_total{reason=\"queue_full\"}"
        ) > 0
    );
    assert_eq!(server.http("/readyz").0, 200);
    assert!(server.stop().success());
}
