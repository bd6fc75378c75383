//! Answers that nobody takes.

use std::sync::Arc;
use std::time::Duration;

use customer_profile::grpc::v1;
use customer_profile::store::memory::MemoryStore;
use tokio::io::AsyncWriteExt;

use super::{GET_PROFILE, WINDOW, get_ann, read_ann, store_ann};
use crate::support::service::{Service, by_record};
use crate::support::wire::{Wire, read};

const BATCH: &str = "customer.profile.v1.ProfileService/BatchGetProfiles";
const WATCH: &str = "customer.profile.v1.ProfileService/WatchProfiles";

#[tokio::test]
async fn an_answer_that_nobody_takes_is_cut_off_and_holds_no_place_of_those_that_work() {
    let service = Service::start_with(Arc::new(MemoryStore::new()), |config| {
        config.grpc.max_concurrent_requests = 2;
        config.grpc.send_timeout = Duration::from_secs(1);
        config.grpc.default_deadline = Duration::from_mins(1);
    })
    .await;
    store_ann(&service).await;
    // Without a window the server can send heads and nothing else.
    let mut wire = Wire::connect(service.address, 0).await;
    let mut untaken = Vec::new();
    for _ in 0..20 {
        let call = wire.call(GET_PROFILE, &get_ann()).await;
        let answer = call.answer.await.expect("the head of an answer");
        assert!(
            !answer.headers().contains_key("grpc-status"),
            "it was let in"
        );
        untaken.push(answer.into_body());
    }
    read_ann(&service).await.expect("an answer");
    let watch = wire.call(WATCH, &v1::WatchProfilesRequest::default()).await;
    let watch = watch
        .answer
        .await
        .expect("the head of an answer")
        .into_body();
    for mut body in untaken.into_iter().chain([watch]) {
        body.data()
            .await
            .expect("an end")
            .expect_err("the stream is reset");
    }
}

#[tokio::test]
async fn a_deadline_ends_an_answer_that_nobody_takes() {
    let service = Service::start_with(Arc::new(MemoryStore::new()), |config| {
        config.grpc.max_deadline = Duration::from_millis(500);
        config.grpc.send_timeout = Duration::from_hours(1);
    })
    .await;
    store_ann(&service).await;
    let mut wire = Wire::connect(service.address, 0).await;
    let call = wire.call(GET_PROFILE, &get_ann()).await;
    let mut body = call
        .answer
        .await
        .expect("the head of an answer")
        .into_body();
    body.data()
        .await
        .expect("an end")
        .expect_err("the stream is reset");
}

#[tokio::test]
async fn the_bytes_of_untaken_answers_are_bounded() {
    let service = Service::start_with(Arc::new(MemoryStore::new()), |config| {
        config.grpc.max_answer_bytes_in_flight = 1 << 20;
    })
    .await;
    let long = "Ann".repeat(100);
    service
        .say(vec![crate::support::service::upsert(
            ("web", "1"),
            &[],
            &[("given_name", &long)],
            1,
        )])
        .await;
    // An answer of some hundred KiB.
    let batch = v1::BatchGetProfilesRequest {
        keys: vec![by_record("web", "1"); 400],
        ..Default::default()
    };
    let mut wire = Wire::connect(service.address, 1).await;
    let mut codes = Vec::new();
    let mut open = Vec::new();
    for _ in 0..12 {
        let call = wire.call(BATCH, &batch).await;
        let mut body = call
            .answer
            .await
            .expect("the head of an answer")
            .into_body();
        match tokio::time::timeout(Duration::from_secs(1), body.data()).await {
            // The first byte of a large answer.
            Ok(Some(Ok(data))) => {
                assert_eq!(data.len(), 1);
                open.push(body);
            }
            Ok(None) => codes.push(
                body.trailers().await.expect("trailers").expect("a status")["grpc-status"].clone(),
            ),
            other => panic!("{other:?}"),
        }
    }
    assert!(
        !open.is_empty() && !codes.is_empty(),
        "{} have room, {} have not",
        open.len(),
        codes.len()
    );
    assert!(codes.iter().all(|code| code == "8"), "{codes:?}");
    drop((open, wire));
    let mut wire = Wire::connect(service.address, WINDOW).await;
    let again = async {
        loop {
            let call = wire.call(BATCH, &batch).await;
            let (bytes, code) = read(call.answer).await.expect("an answer");
            if code == 0 {
                assert!(bytes > 100_000);
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), again)
        .await
        .expect("room again");
}

#[tokio::test]
async fn a_client_that_reads_nothing_of_its_socket_is_let_go() {
    let service = Service::start_with(Arc::new(MemoryStore::new()), |config| {
        config.grpc.send_timeout = Duration::from_secs(1);
    })
    .await;
    store_ann(&service).await;
    let mut stream = tokio::net::TcpStream::connect(service.address)
        .await
        .expect("a connection");
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .await
        .expect("a preface");
    // Pings, each of which wants an answer, until the server takes no more of them.
    let pings = [b"\0\0\x08\x06\0\0\0\0\0".as_slice(), b"12345678"]
        .concat()
        .repeat(1000);
    let flood = async { while stream.write_all(&pings).await.is_ok() {} };
    tokio::time::timeout(Duration::from_mins(1), flood)
        .await
        .expect("the server closes the connection");
}
