//! Collectors that fail in each way: one line when it begins, one when it is over, counts in
//! between, and nothing else suffers.

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
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
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

/// A collector that does as it is told.
#[derive(Clone)]
struct Collector(Arc<AtomicU8>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        _: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        match self.0.load(Ordering::SeqCst) {
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

fn collect(incoming: TcpIncoming) -> Arc<AtomicU8> {
    let mode = Arc::new(AtomicU8::new(WELL));
    let collector = Collector(mode.clone());
    let server = Server::builder()
        .add_service(TraceServiceServer::new(collector.clone()))
        .add_service(MetricsServiceServer::new(collector));
    tokio::spawn(server.serve_with_incoming(incoming));
    mode
}

fn start(dir: &TempDir, port: u16, queue: &str) -> TestServer {
    let endpoint = format!("telemetry.otlp_endpoint=http://127.0.0.1:{port}");
    let url = format!("sqlite://{}", dir.path().join("cp.db").display());
    let mut args = vec!["--set", &endpoint];
    args.extend([
        "--set",
        "telemetry.trace_sample_ratio=1",
        "--set",
        "telemetry.flush_timeout=500ms",
    ]);
    let environment = [
        ("OTEL_BSP_SCHEDULE_DELAY", "200"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", queue),
    ];
    TestServer::start_unready_in(&url, &args, &environment)
}

/// Waits for a line about one thing, with calls meanwhile, so that there are spans.
async fn wait_for(server: &TestServer, message: &str, what: &str) -> Json {
    let mut client = ProfileServiceClient::connect(server.address.clone())
        .await
        .expect("a connection");
    let calling = tokio::spawn(async move {
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
    });
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
    let mode = collect(TcpIncoming::bind(address).expect("the port"));
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
