//! The end of a server, whoever is still connected.

use std::time::{Duration, Instant};

use customer_profile::grpc::v1;
use tempfile::TempDir;
use tonic_health::pb::HealthCheckRequest;

use super::{GET_PROFILE, HEALTH_WATCH, REFLECTION, STREAM_STATEMENTS, WINDOW};
use crate::support::server::TestServer;
use crate::support::wire::{Wire, framed, send};

/// Far less than the drain, which nobody here may use up.
const PROMPT: Duration = Duration::from_secs(45);

fn start(dir: &TempDir, more: &[&str]) -> TestServer {
    let database = format!("sqlite://{}", dir.path().join("cp.db").display());
    let server = TestServer::start_unready(&database, more);
    server.wait_for("ready");
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_clients_do_not_hold_up_the_end() {
    let dir = TempDir::new().expect("a directory");
    let server = start(
        &dir,
        &[
            "--set",
            "grpc.drain=2m",
            "--set",
            "grpc.handshake_timeout=5m",
        ],
    );
    let address = server
        .address
        .trim_start_matches("http://")
        .parse()
        .expect("an address");
    let operations = server.operations.parse().expect("an address");
    let mut wire = Wire::connect(address, WINDOW).await;
    let mut open = Vec::new();
    for path in [
        HEALTH_WATCH,
        REFLECTION,
        STREAM_STATEMENTS,
        "customer.profile.v1.ProfileService/WatchProfiles",
    ] {
        let mut call = wire.begin(path).await;
        if path == HEALTH_WATCH {
            call.body
                .send_data(framed(&HealthCheckRequest::default()), true)
                .expect("a request");
        } else if path.ends_with("WatchProfiles") {
            call.body
                .send_data(framed(&v1::WatchProfilesRequest::default()), true)
                .expect("a request");
        }
        (&mut call.answer).await.expect("an open stream");
        open.push(call);
    }
    let silent = send(address, b"").await;
    let half_preface = send(address, b"PRI * HT").await;
    // A client that never answers: neither settings nor pings.
    let frozen = send(
        address,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    )
    .await;
    let half_probe = send(operations, b"GET /livez HT").await;
    let began = Instant::now();
    let status = tokio::task::spawn_blocking(move || server.stop_and_read())
        .await
        .expect("the end");
    let took = began.elapsed();
    assert!(
        status.0.success() && took < PROMPT,
        "{took:?}: {}",
        status.1.join("\n")
    );
    let alarms: Vec<_> = status
        .1
        .iter()
        .filter(|line| line.contains("\"WARN\"") || line.contains("\"ERROR\""))
        .collect();
    assert!(alarms.is_empty(), "false alarms: {alarms:?}");
    drop((open, silent, half_preface, frozen, half_probe));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_at_the_end_of_the_drain_is_cut_off_and_told_as_what_it_is() {
    let dir = TempDir::new().expect("a directory");
    let settings = [
        "grpc.drain=1s",
        "grpc.message_timeout=5m",
        "grpc.default_deadline=5m",
        "grpc.max_deadline=5m",
    ];
    let settings: Vec<&str> = settings
        .iter()
        .flat_map(|setting| ["--set", *setting])
        .collect();
    let server = start(&dir, &settings);
    let address = server
        .address
        .trim_start_matches("http://")
        .parse()
        .expect("an address");
    let mut wire = Wire::connect(address, WINDOW).await;
    // A call whose request never comes, and batches whose last byte never comes.
    let half = wire.begin(GET_PROFILE).await;
    let mut stream = wire.begin(STREAM_STATEMENTS).await;
    stream
        .body
        .send_data(bytes::Bytes::from_static(b"\0\0\0\x10\0begun"), false)
        .expect("a beginning");
    (&mut stream.answer).await.expect("the server has both");
    let began = Instant::now();
    let (status, lines) = tokio::task::spawn_blocking(move || server.stop_and_read())
        .await
        .expect("the end");
    let took = began.elapsed();
    let told = lines.join("\n");
    assert!(status.success() && took < PROMPT, "{took:?}: {told}");
    assert!(told.contains("they are cut off"), "{told}");
    assert!(
        !told.contains("write queue") && !told.contains("writer did not end"),
        "{told}"
    );
    drop((half, stream));
}
