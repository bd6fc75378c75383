//! Requests that are begun and not finished.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use customer_profile::grpc::v1;
use customer_profile::store::memory::MemoryStore;
use tonic::Code;

use super::{GET_PROFILE, STREAM_STATEMENTS, WINDOW, get_ann, read_ann, store_ann};
use crate::support::service::Service;
use crate::support::wire::{Wire, WireCall, framed, read};

const INGEST: &str = "customer.profile.v1.IngestService/IngestStatements";

/// Announces a message of this many bytes and sends a few of them.
fn announce(call: &mut WireCall, bytes: u32) {
    let head = [&[0], &bytes.to_be_bytes()[..], b"some"].concat();
    call.body
        .send_data(Bytes::from(head), false)
        .expect("the beginning of a message");
}

#[tokio::test]
async fn a_message_that_is_not_complete_in_time_ends_its_call() {
    let service = Service::start_with(Arc::new(MemoryStore::new()), |config| {
        config.grpc.message_timeout = Duration::from_millis(300);
        config.grpc.max_deadline = Duration::from_mins(1);
        config.grpc.default_deadline = Duration::from_mins(1);
    })
    .await;
    let mut wire = Wire::connect(service.address, WINDOW).await;
    for path in [GET_PROFILE, STREAM_STATEMENTS] {
        let mut call = wire.begin(path).await;
        announce(&mut call, 1000);
        let (_, code) = read(call.answer).await.expect("an answer");
        assert_eq!(code, Code::DeadlineExceeded as i32, "{path}");
    }
    // A head without any message, too, where one is expected at once.
    let call = wire.begin(GET_PROFILE).await;
    let (_, code) = read(call.answer).await.expect("an answer");
    assert_eq!(code, Code::DeadlineExceeded as i32);
}

#[tokio::test]
async fn incomplete_requests_take_no_places_of_calls_that_work() {
    let service = Service::start_with(Arc::new(MemoryStore::new()), |config| {
        config.grpc.max_concurrent_requests = 2;
    })
    .await;
    store_ann(&service).await;
    let mut wire = Wire::connect(service.address, WINDOW).await;
    let mut begun = Vec::new();
    for _ in 0..20 {
        let mut call = wire.begin(GET_PROFILE).await;
        announce(&mut call, 1000);
        begun.push(call);
    }
    // What this connection sends now comes after all of that.
    let call = wire.call(GET_PROFILE, &get_ann()).await;
    let (_, code) = read(call.answer).await.expect("an answer");
    assert_eq!(code, Code::Ok as i32);
    read_ann(&service).await.expect("an answer");
}

#[tokio::test]
async fn the_bytes_of_all_requests_are_bounded_and_small_ones_always_come_through() {
    let service = Service::start_with(Arc::new(MemoryStore::new()), |config| {
        config.grpc.max_request_bytes_in_flight = 10 << 20;
    })
    .await;
    store_ann(&service).await;
    let mut wire = Wire::connect(service.address, WINDOW).await;
    let mut refused = 0;
    let mut begun = Vec::new();
    for path in [INGEST, STREAM_STATEMENTS, INGEST, STREAM_STATEMENTS] {
        let mut call = wire.begin(path).await;
        announce(&mut call, 4 << 20);
        begun.push(call);
    }
    // Two of 4 MiB have room; the others are refused at once, long before they could be complete.
    for call in begun {
        let answered = tokio::time::timeout(Duration::from_secs(1), read_or_keep(call)).await;
        refused +=
            i32::from(matches!(answered, Ok(Some(code)) if code == Code::ResourceExhausted as i32));
    }
    assert_eq!(refused, 2);
    read_ann(&service).await.expect("an answer");
    let statements = vec![crate::support::service::upsert(
        ("web", "2"),
        &[],
        &[("given_name", "Bob")],
        1,
    )];
    let call = wire
        .call(INGEST, &v1::IngestStatementsRequest { statements })
        .await;
    assert_eq!(read(call.answer).await.expect("an answer").1, 0);
}

/// The code of an answer, while the request stays open.
async fn read_or_keep(call: WireCall) -> Option<i32> {
    let WireCall { answer, body } = call;
    let code = read(answer).await.ok().map(|(_, code)| code);
    drop(body);
    code
}

#[tokio::test]
async fn messages_in_pieces_and_several_at_once_are_understood() {
    let service = Service::start().await;
    store_ann(&service).await;
    let mut wire = Wire::connect(service.address, WINDOW).await;
    let mut call = wire.begin(GET_PROFILE).await;
    let message = framed(&get_ann());
    for byte in &message[..message.len() - 1] {
        call.body
            .send_data(Bytes::copy_from_slice(&[*byte]), false)
            .expect("a byte");
    }
    call.body
        .send_data(message.slice(message.len() - 1..), true)
        .expect("the last byte");
    assert_eq!(read(call.answer).await.expect("an answer").1, 0);

    let mut call = wire.begin(STREAM_STATEMENTS).await;
    let batch = |sequence: i64| {
        let key = sequence.to_string();
        let statements = vec![crate::support::service::upsert(
            ("web", &key),
            &[],
            &[("given_name", "Bob")],
            1,
        )];
        framed(&v1::StreamStatementsRequest {
            sequence,
            statements,
        })
    };
    let bytes = [batch(2), batch(3), batch(4)].concat();
    let (first, rest) = bytes.split_at(bytes.len() / 2);
    call.body
        .send_data(Bytes::copy_from_slice(first), false)
        .expect("a part");
    call.body
        .send_data(Bytes::copy_from_slice(rest), true)
        .expect("the rest");
    assert_eq!(read(call.answer).await.expect("an answer").1, 0);
    for key in ["2", "3", "4"] {
        let request = v1::GetProfileRequest {
            key: Some(crate::support::service::by_record("web", key)),
            ..v1::GetProfileRequest::default()
        };
        service
            .profiles()
            .get_profile(request)
            .await
            .expect("all batches are stored");
    }
}
