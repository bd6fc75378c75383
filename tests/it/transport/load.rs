//! A server among a thousand quiet streams, a thousand silent connections, and conditions that take
//! all they may.
//!
//! The long form measures, with an optimised program and no other load on the machine:
//!
//! ```sh
//! cargo build --release
//! CUSTOMER_PROFILE_PROGRAM=$PWD/target/release/customer-profile CUSTOMER_PROFILE_TEST_SCALE=10 \
//!   cargo nextest run --test it -E 'test(transport::load)' --no-capture
//! ```

use std::time::{Duration, Instant};

use customer_profile::grpc::v1::{self, segment_service_client::SegmentServiceClient};
use customer_profile::transport::descriptors;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tonic::Code;
use tonic::transport::Endpoint;

use super::{GET_PROFILE, REFLECTION, STREAM_STATEMENTS, WINDOW, get_ann};
use crate::support::scale;
use crate::support::server::TestServer;
use crate::support::service::upsert;
use crate::support::wire::{Wire, WireCall, read};

const STREAMS_PER_CONNECTION: usize = 128;

/// So many streams that say nothing, half of them of a library's service.
async fn quiet(address: std::net::SocketAddr, streams: usize) -> Vec<(Wire, Vec<WireCall>)> {
    let mut all = Vec::new();
    for first in (0..streams).step_by(STREAMS_PER_CONNECTION) {
        let mut wire = Wire::connect(address, WINDOW).await;
        let mut open = Vec::new();
        for number in first..(first + STREAMS_PER_CONNECTION).min(streams) {
            let mut call = wire
                .begin(if number % 2 == 0 {
                    STREAM_STATEMENTS
                } else {
                    REFLECTION
                })
                .await;
            (&mut call.answer).await.expect("an open stream");
            open.push(call);
        }
        all.push((wire, open));
    }
    all
}

/// Ten callers who have a condition tried that goes over its budget, again and again.
fn costly(address: &str) -> Vec<JoinHandle<()>> {
    let channel = Endpoint::from_shared(address.to_owned())
        .expect("an address")
        .connect_lazy();
    let around = |inner, level| format!("[1,2,3,4,5,6,7,8,9,0].all(x{level}, {inner})");
    let nested = (0..10).rev().fold("true".to_owned(), around);
    let condition = format!("traits.given_name == 'Ann' && {nested}");
    let call = |_| {
        let mut client = SegmentServiceClient::new(channel.clone());
        let request = v1::PreviewSegmentRequest {
            condition: condition.clone(),
            ..Default::default()
        };
        tokio::spawn(async move {
            loop {
                let status = client
                    .preview_segment(request.clone())
                    .await
                    .expect_err("over its budget");
                assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
            }
        })
    };
    (0..10).map(call).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_are_fast_and_the_end_is_prompt_among_quiet_streams_and_silent_connections() {
    let long = scale() > 1;
    let (streams, silent, reads) = if long {
        (1024, 1000, 20_000)
    } else {
        (256, 100, 500)
    };
    let _ = descriptors::raise_limit();
    let dir = TempDir::new().expect("a directory");
    let database = format!("sqlite://{}", dir.path().join("cp.db").display());
    // Silent connections must still be there at the end.
    let server = TestServer::start_unready(&database, &["--set", "grpc.handshake_timeout=10m"]);
    server.wait_for("ready");
    let address = server
        .address
        .trim_start_matches("http://")
        .parse()
        .expect("an address");
    let mut wire = Wire::connect(address, WINDOW).await;
    let statements = vec![upsert(
        ("web", "1"),
        &[("email", "ann@shop.com")],
        &[("given_name", "Ann")],
        1,
    )];
    let request = customer_profile::grpc::v1::IngestStatementsRequest { statements };
    let call = wire
        .call(
            "customer.profile.v1.IngestService/IngestStatements",
            &request,
        )
        .await;
    assert_eq!(read(call.answer).await.expect("an answer").1, 0);

    let open = quiet(address, streams).await;
    let mut mute = Vec::new();
    for _ in 0..silent {
        mute.push(TcpStream::connect(address).await.expect("a connection"));
    }
    let costly = costly(&server.address);
    let mut took = Vec::with_capacity(reads);
    for _ in 0..reads {
        let began = Instant::now();
        let call = wire.call(GET_PROFILE, &get_ann()).await;
        let (_, code) = read(call.answer).await.expect("an answer");
        assert_eq!(code, 0, "no read is refused");
        took.push(began.elapsed());
    }
    for caller in &costly {
        assert!(
            !caller.is_finished(),
            "each was refused for its budget alone"
        );
        caller.abort();
    }
    took.sort_unstable();
    let share = |percent: usize| took[(took.len() - 1) * percent / 100];
    let began = Instant::now();
    let status = tokio::task::spawn_blocking(move || server.stop())
        .await
        .expect("the end");
    let end = began.elapsed();
    println!(
        "{streams} quiet streams, {silent} silent connections, 10 costly conditions, {reads} reads: p50 {:?}, p99 {:?}, max {:?}; \
         from SIGTERM to exit (without the lame-duck wait): {end:?}",
        share(50),
        share(99),
        share(100)
    );
    assert!(status.success());
    // A clock is only looked at in the long form.
    assert!(!long || (share(99) < Duration::from_millis(20) && end < Duration::from_secs(5)));
    drop((open, mute));
}
