//! Streams of statements: acknowledged in order, bounded in flight.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use customer_profile::grpc::v1::{self, StatementOutcome, statement::Kind};
use customer_profile::store::Store;
use customer_profile::store::memory::MemoryStore;
use profile_core::records::TenantId;
use tokio_stream::StreamExt;

use crate::support::service::{Service, event, text};

/// A batch of one event of about 160 KiB.
fn batch(sequence: i64) -> v1::StreamStatementsRequest {
    let mut statement = event(("web", "1"), &sequence.to_string(), "call", sequence);
    if let Some(Kind::RecordEvent(v1::RecordEvent { event: Some(event) })) = &mut statement.kind {
        event.properties = (0..20)
            .map(|number| (format!("p{number}"), text(&"x".repeat(8 * 1024))))
            .collect();
    }
    v1::StreamStatementsRequest {
        sequence,
        statements: vec![statement],
    }
}

/// Lets everything else run until a number has not changed for a long time.
async fn settled(number: &AtomicI64) -> i64 {
    let (mut last, mut same) = (0, 0);
    while same < 20_000 {
        tokio::task::yield_now().await;
        let now = number.load(Ordering::SeqCst);
        same = if now == last { same + 1 } else { 0 };
        last = now;
    }
    last
}

#[tokio::test]
async fn a_server_that_cannot_write_slows_the_sender_and_acknowledges_all_in_order() {
    const BATCHES: i64 = 300;
    let store = Arc::new(MemoryStore::new());
    let turn = store
        .begin(&TenantId::default())
        .await
        .expect("the write turn");
    let service = Service::start_with(store, |_| {}).await;
    let sent = Arc::new(AtomicI64::new(0));
    let counted = sent.clone();
    let sender = tokio_stream::iter(0..BATCHES).map(move |sequence| {
        counted.fetch_add(1, Ordering::SeqCst);
        batch(sequence)
    });
    let mut acks = service
        .ingest()
        .stream_statements(sender)
        .await
        .expect("a stream")
        .into_inner();
    // Nothing can be committed, so what was taken from the sender is in flight, or on the wire.
    let in_flight = settled(&sent).await;
    assert!(
        in_flight < BATCHES / 5,
        "{in_flight} batches of 160 KiB were taken while nothing was written"
    );
    drop(turn);
    for sequence in 0..BATCHES {
        let ack = acks
            .message()
            .await
            .expect("no failure")
            .expect("an acknowledgement");
        assert_eq!(ack.sequence, sequence);
        assert_eq!(ack.results[0].outcome(), StatementOutcome::Stored);
        assert!(!ack.read_token.is_empty());
    }
    assert!(
        acks.message().await.expect("no failure").is_none(),
        "the stream ends with its sender"
    );
}

#[tokio::test]
async fn a_batch_that_fails_as_a_whole_ends_the_stream_and_those_before_it_are_acknowledged() {
    let service = Service::start().await;
    let empty = v1::StreamStatementsRequest {
        sequence: 1,
        statements: Vec::new(),
    };
    let sender = tokio_stream::iter([batch(0), empty, batch(2)]);
    let mut acks = service
        .ingest()
        .stream_statements(sender)
        .await
        .expect("a stream")
        .into_inner();
    assert_eq!(
        acks.message()
            .await
            .expect("no failure")
            .expect("an acknowledgement")
            .sequence,
        0
    );
    let status = acks.message().await.expect_err("an empty batch");
    assert_eq!(status.code(), tonic::Code::InvalidArgument);
}
