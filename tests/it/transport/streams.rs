//! Streams that have nothing to say.

use std::sync::Arc;
use std::time::Duration;

use customer_profile::grpc::v1::WatchProfilesRequest;
use customer_profile::grpc::v1::watch_profiles_response::Event;
use customer_profile::store::memory::MemoryStore;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_types::StatusExt;

use super::{HEALTH_WATCH, REFLECTION, STREAM_STATEMENTS, WINDOW, read_ann, store_ann};
use crate::support::service::Service;
use crate::support::wire::{Wire, framed, read};

fn reason(status: &tonic::Status) -> String {
    status.get_details_error_info().expect("a reason").reason
}

#[tokio::test]
async fn quiet_streams_take_no_places_of_calls_that_work() {
    let service = Service::start_with(Arc::new(MemoryStore::new()), |config| {
        config.grpc.max_concurrent_requests = 4;
        config.grpc.max_waiting_calls = 40;
    })
    .await;
    store_ann(&service).await;
    let mut wire = Wire::connect(service.address, WINDOW).await;
    let mut open = Vec::new();
    for path in [STREAM_STATEMENTS, REFLECTION].repeat(20) {
        let mut call = wire.begin(path).await;
        (&mut call.answer).await.expect("an open stream");
        open.push(call);
    }
    let mut watch = wire.begin(HEALTH_WATCH).await;
    watch
        .body
        .send_data(framed(&HealthCheckRequest::default()), true)
        .expect("a request");
    (&mut watch.answer)
        .await
        .expect("health watches are counted by themselves");
    read_ann(&service).await.expect("an answer");
    // One stream too many is refused, and calls that work are not.
    let (_, code) = read(wire.begin(STREAM_STATEMENTS).await.answer)
        .await
        .expect("an answer");
    assert_eq!(code, Code::ResourceExhausted as i32);
    read_ann(&service).await.expect("an answer");
    drop(open);
    let again = async {
        loop {
            let mut call = wire.begin(STREAM_STATEMENTS).await;
            let refused = (&mut call.answer)
                .await
                .expect("an answer")
                .headers()
                .contains_key("grpc-status");
            if !refused {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), again)
        .await
        .expect("places of streams that are gone are free");
}

#[tokio::test]
async fn a_stream_without_a_message_is_ended_and_is_told_how_to_go_on() {
    let service = Service::start_with(Arc::new(MemoryStore::new()), |config| {
        config.grpc.stream_idle_timeout = Duration::from_millis(300);
    })
    .await;
    let quiet = tokio_stream::pending();
    let mut acks = service
        .ingest()
        .stream_statements(quiet)
        .await
        .expect("a stream")
        .into_inner();
    let status = acks.message().await.expect_err("the stream ends");
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::Unavailable, "STREAM_IDLE"),
        "{status:?}"
    );
    let mut reflection = ServerReflectionClient::new(service.channel.clone());
    let quiet = tokio_stream::pending::<ServerReflectionRequest>();
    let mut answers = reflection
        .server_reflection_info(quiet)
        .await
        .expect("a stream")
        .into_inner();
    let status = answers.message().await.expect_err("the stream ends");
    assert_eq!(reason(&status), "STREAM_IDLE");
}

#[tokio::test]
async fn streams_end_with_the_age_of_their_connection() {
    let service = Service::start_with(Arc::new(MemoryStore::new()), |config| {
        config.grpc.max_connection_age = Duration::from_secs(1);
    })
    .await;
    let request = WatchProfilesRequest::default();
    let watch = service.profiles().watch_profiles(request).await;
    let mut watch = watch.expect("a watch").into_inner();
    let first = watch.message().await.expect("no failure");
    let first = first.expect("a message");
    let mut health = HealthClient::new(service.channel.clone());
    let mut healthy = health
        .watch(HealthCheckRequest::default())
        .await
        .expect("a watch")
        .into_inner();
    healthy
        .message()
        .await
        .expect("no failure")
        .expect("a state");
    let mut acks = service
        .ingest()
        .stream_statements(tokio_stream::pending())
        .await
        .expect("a stream")
        .into_inner();
    for (name, ended) in [
        ("WatchProfiles", watch.message().await.expect_err("it ends")),
        (
            "Health.Watch",
            healthy.message().await.expect_err("it ends"),
        ),
        (
            "StreamStatements",
            acks.message().await.expect_err("it ends"),
        ),
    ] {
        assert_eq!(
            (ended.code(), reason(&ended).as_str()),
            (Code::Unavailable, "CONNECTION_AGE"),
            "{name}"
        );
    }
    // The same channel opens another connection, and the watch goes on from its token, as often as
    // that takes.
    store_ann(&service).await;
    let mut resume_token = first.resume_token;
    let changed = async {
        loop {
            let resumed = WatchProfilesRequest {
                resume_token: resume_token.clone(),
                ..Default::default()
            };
            let Ok(answer) = service.profiles().watch_profiles(resumed).await else {
                continue;
            };
            let mut watch = answer.into_inner();
            while let Ok(Some(message)) = watch.message().await {
                if matches!(message.event, Some(Event::Change(_))) {
                    return;
                }
                resume_token = message.resume_token;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), changed)
        .await
        .expect("the change");
}

#[tokio::test]
async fn a_deadline_ends_the_answer_and_not_only_its_head() {
    let service = Service::start().await;
    // No client's own timer is in the way: what is seen is the server's answer.
    let mut wire = Wire::connect(service.address, WINDOW).await;
    for path in [HEALTH_WATCH, STREAM_STATEMENTS] {
        let mut call = wire.begin_within(path, "300m").await;
        if path == HEALTH_WATCH {
            call.body
                .send_data(framed(&HealthCheckRequest::default()), true)
                .expect("a request");
        }
        let (_, code) = read(call.answer).await.expect("an answer");
        assert_eq!(code, Code::DeadlineExceeded as i32, "{path}");
    }
}
