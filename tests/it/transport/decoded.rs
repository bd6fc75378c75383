//! Requests that are small on the wire and large in memory.

use std::io::Write;

use bytes::Bytes;
use customer_profile::grpc::v1;
use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;
use tonic::Code;

use super::STREAM_STATEMENTS;
use crate::support::server::TestServer;
use crate::support::wire::{Wire, read};

const INGEST: &str = "customer.profile.v1.IngestService/IngestStatements";
const BATCH: &str = "customer.profile.v1.ProfileService/BatchGetProfiles";
/// What such requests may take beside what is configured for one.
const BESIDES: u64 = 48 << 20;

/// The most memory that a process has had, in bytes.
fn peak(server: &TestServer) -> u64 {
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", server.id())).expect("a process");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("a figure");
    line.trim()
        .trim_end_matches(" kB")
        .parse::<u64>()
        .expect("a number")
        << 10
}

/// A field with this number and content.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    prost::encode_length_delimiter(content.len(), &mut bytes).expect("room");
    bytes.extend_from_slice(content);
    bytes
}

fn framed(flag: u8, content: &[u8]) -> Bytes {
    let length = u32::try_from(content.len())
        .expect("a length")
        .to_be_bytes();
    [&[flag], &length[..], content].concat().into()
}

/// As many of these as make almost 4 MiB.
fn many(element: &[u8]) -> Vec<u8> {
    element.repeat(((4 << 20) - 100) / element.len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_large_once_decoded_is_refused_before_it_takes_memory() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let dir = TempDir::new().expect("a directory");
    let database = format!("sqlite://{}", dir.path().join("cp.db").display());
    let server = TestServer::start(&database);
    let address = server
        .address
        .trim_start_matches("http://")
        .parse()
        .expect("an address");
    let mut wire = Wire::connect(address, 65_535).await;
    let nested = field(1, &field(1, &field(3, &field(2, b""))));
    let messages = [
        // Empty statements; empty keys; statements with an identifier; with a trait; with a list in
        // a trait.
        (INGEST, many(&field(1, b""))),
        (BATCH, many(&field(1, b""))),
        (INGEST, many(&field(1, &field(1, &field(2, b""))))),
        (INGEST, many(&nested)),
        (INGEST, field(1, &field(1, &many(&field(3, b""))))),
        (STREAM_STATEMENTS, many(&field(2, b""))),
    ];
    let before = peak(&server);
    for (index, (path, message)) in messages.iter().enumerate() {
        let mut call = wire.begin(path).await;
        call.body
            .send_data(framed(0, message), true)
            .expect("a request");
        let (_, code) = read(call.answer).await.expect("an answer");
        assert_eq!(code, Code::InvalidArgument as i32, "message {index}");
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&messages[0].1).expect("is packed");
    let packed = framed(1, &encoder.finish().expect("is packed"));
    let mut calls = Vec::new();
    for _ in 0..8 {
        let mut call = wire
            .begin_with(INGEST, |request| request.header("grpc-encoding", "gzip"))
            .await;
        call.body
            .send_data(packed.clone(), true)
            .expect("a request");
        calls.push(call);
    }
    for call in calls {
        assert_eq!(
            read(call.answer).await.expect("an answer").1,
            Code::InvalidArgument as i32
        );
    }
    let grown = peak(&server) - before;
    println!("the server grew by {} MiB", grown >> 20);
    assert!(grown < BESIDES, "the server grew by {} MiB", grown >> 20);
    let statements = vec![crate::support::service::upsert(
        ("web", "1"),
        &[],
        &[("given_name", "Ann")],
        1,
    )];
    let call = wire
        .call(INGEST, &v1::IngestStatementsRequest { statements })
        .await;
    assert_eq!(read(call.answer).await.expect("an answer").1, 0);
    assert!(server.stop().success());
}
