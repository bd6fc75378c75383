//! Clients that take a little of an answer now and then.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use customer_profile::grpc::v1;
use customer_profile::store::memory::MemoryStore;
use h2::RecvStream;

use super::{STREAM_STATEMENTS, WINDOW, store_ann};
use crate::support::service::{Service, by_record, upsert};
use crate::support::wire::{Wire, framed, read};

const BATCH: &str = "customer.profile.v1.ProfileService/BatchGetProfiles";
const WATCH: &str = "customer.profile.v1.ProfileService/WatchProfiles";
/// What a dripping client takes at once, and how often: far less than a KiB in a second.
const SIP: u32 = 64;
const PAUSE: Duration = Duration::from_millis(500);
/// Far more sips than it takes until such a client is cut off.
const SIPS: usize = 60;

async fn start() -> Service {
    let service = Service::start_with(Arc::new(MemoryStore::new()), |config| {
        config.grpc.send_timeout = Duration::from_secs(2);
        config.grpc.default_deadline = Duration::from_mins(10);
        config.grpc.max_deadline = Duration::from_mins(10);
    })
    .await;
    store_ann(&service).await;
    service
}

/// Takes what comes in sips; returns whether the stream was reset meanwhile.
async fn is_cut_while_it_drips(mut body: RecvStream) -> bool {
    for _ in 0..SIPS {
        match tokio::time::timeout(PAUSE, body.data()).await {
            Ok(Some(Ok(data))) => {
                tokio::time::sleep(PAUSE).await;
                // What is left is none of a window's business any more.
                drop(body.flow_control().release_capacity(data.len()));
            }
            Ok(Some(Err(_))) => return true,
            Ok(None) => return false,
            Err(_) => {}
        }
    }
    false
}

#[tokio::test]
async fn a_stream_of_statements_whose_acknowledgements_drip_is_cut_off() {
    let service = start().await;
    let mut wire = Wire::connect(service.address, SIP).await;
    let mut call = wire.begin(STREAM_STATEMENTS).await;
    let batch = |sequence: i64| {
        let statements = vec![upsert(
            ("web", &sequence.to_string()),
            &[],
            &[("given_name", "Bob")],
            1,
        )];
        framed(&v1::StreamStatementsRequest {
            sequence,
            statements,
        })
    };
    let batches: Vec<Bytes> = (1..400).map(batch).collect();
    call.body
        .send_data(Bytes::from(batches.concat()), false)
        .expect("batches");
    let body = call.answer.await.expect("an answer").into_body();
    assert!(is_cut_while_it_drips(body).await, "the stream is reset");
    drop(call.body);
}

#[tokio::test]
async fn a_watch_whose_client_drips_is_cut_off() {
    let service = start().await;
    let mut wire = Wire::connect(service.address, SIP).await;
    let watch = wire.call(WATCH, &v1::WatchProfilesRequest::default()).await;
    let body = watch.answer.await.expect("an answer").into_body();
    let writing = async {
        for version in 2..200 {
            service
                .say(vec![upsert(
                    ("web", "1"),
                    &[],
                    &[("given_name", &format!("Ann {version}"))],
                    version,
                )])
                .await;
            tokio::time::sleep(PAUSE / 4).await;
        }
        std::future::pending::<bool>().await
    };
    let cut = tokio::select! {
        cut = is_cut_while_it_drips(body) => cut,
        cut = writing => cut,
    };
    assert!(cut, "the stream is reset");
}

#[tokio::test]
async fn an_answer_that_drips_is_cut_off_and_one_that_is_taken_slowly_arrives() {
    let service = start().await;
    let long = "Ann".repeat(100);
    service
        .say(vec![upsert(("web", "1"), &[], &[("given_name", &long)], 2)])
        .await;
    // An answer of some hundred KiB.
    let batch = v1::BatchGetProfilesRequest {
        keys: vec![by_record("web", "1"); 400],
        ..Default::default()
    };
    let mut wire = Wire::connect(service.address, SIP).await;
    let call = wire.call(BATCH, &batch).await;
    let body = call.answer.await.expect("an answer").into_body();
    assert!(is_cut_while_it_drips(body).await, "the stream is reset");

    // In more time altogether than a client may take nothing, yet never stalled.
    let mut wire = Wire::connect(service.address, 32 * 1024).await;
    let call = wire.call(BATCH, &batch).await;
    let mut body = call.answer.await.expect("an answer").into_body();
    let mut taken = 0;
    while let Some(data) = body.data().await {
        let data = data.expect("a slow client is served");
        taken += data.len();
        tokio::time::sleep(Duration::from_millis(data.len() as u64 / 32)).await;
        drop(body.flow_control().release_capacity(data.len()));
    }
    assert!(taken > 100_000, "{taken}");
    let mut wire = Wire::connect(service.address, WINDOW).await;
    let call = wire.call(BATCH, &batch).await;
    let (whole, code) = read(call.answer).await.expect("an answer");
    // How old the answer is takes some bytes more or less.
    assert!(
        code == 0 && whole.abs_diff(taken) < 4_000,
        "{whole} and {taken}"
    );
}
