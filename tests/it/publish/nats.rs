//! NATS JetStream.

use std::time::Duration;

use serde_json::Value as Json;

use super::stream::NatsServer;
use super::{Ground, check, ingest, revisions, until, until_told, write_round};
use crate::support::service::{event, upsert};

fn events(messages: Vec<(String, Json)>) -> Vec<Json> {
    messages.into_iter().map(|(_, event)| event).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_arrives_in_order_while_nats_is_killed() {
    let mut nats = NatsServer::start();
    nats.make_stream().await;
    let ground = Ground::new(&format!("bus: {}", nats.publication("")));
    let server = ground.server(&ground.sqlite(), &[]);
    for round in 1..=8 {
        if round % 2 == 0 {
            nats.kill();
        }
        write_round(&server, round).await;
        if round % 2 == 0 {
            nats.start_again();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    until_told(&server).await;
    let messages = nats.messages().await;
    for (subject, event) in &messages {
        let kind = event["type"]
            .as_str()
            .and_then(|kind| kind.rsplit('.').next())
            .expect("a type");
        assert_eq!(*subject, format!("customers.default.{kind}"));
    }
    check(&events(messages), &revisions(&server).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_arrives_in_order_while_the_server_is_killed() {
    let nats = NatsServer::start();
    nats.make_stream().await;
    let ground = Ground::new(&format!("bus: {}", nats.publication("")));
    let mut server = ground.server(&ground.sqlite(), &[]);
    for round in 1..=6 {
        write_round(&server, round).await;
        server.kill();
        server = ground.server(&ground.sqlite(), &[]);
    }
    until_told(&server).await;
    // The stream has dropped what came twice, by its id.
    assert_eq!(
        check(&events(nats.messages().await), &revisions(&server).await),
        0
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_is_not_taken_holds_back_the_next_of_its_profile() {
    let nats = NatsServer::start();
    nats.make_stream_for(1_000).await;
    let ground = Ground::new(&format!("bus: {}", nats.publication("")));
    // Nobody publishes while these are written, so that all are at hand at once.
    let server = ground.server(&ground.sqlite(), &["--set", "publish.enabled=false"]);
    for (version, events) in [(1, 0), (2, 20), (3, 0)] {
        let name = format!("name {version}");
        let mut statements = vec![upsert(("crm", "1"), &[], &[("name", &name)], version)];
        // Each type of event is named, in 50 letters.
        statements.extend((0..events).map(|number| {
            let kind = format!("{}_{number}", "a".repeat(50));
            event(("crm", "1"), &number.to_string(), &kind, number)
        }));
        ingest(&server, statements).await;
    }
    drop(server);
    let server = ground.server(&ground.sqlite(), &[]);
    let status = until(&server, |status| status.failure_count > 2).await;
    assert!(status.last_error.starts_with("NATS: "), "{status:?}");
    assert_eq!(nats.messages().await.len(), 1);
    nats.make_stream_for(-1).await;
    until_told(&server).await;
    let ids: Vec<String> = nats
        .messages()
        .await
        .iter()
        .map(|(_, event)| event["id"].to_string())
        .collect();
    assert_eq!(
        ids,
        ["\"default/1/0\"", "\"default/2/0\"", "\"default/3/0\""]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_missing_is_told_and_waited_for() {
    let nats = NatsServer::start_with(&["--user", "publisher", "--pass", "hunter2"]);
    let without = Ground::new(&format!("bus: {}", nats.publication("")));
    let server = without.server(&without.sqlite(), &[]);
    write_round(&server, 1).await;
    let refused = until(&server, |status| !status.last_error.is_empty()).await;
    assert!(refused.last_error.starts_with("NATS: "), "{refused:?}");
    drop(server);

    let nats = NatsServer::start();
    let ground = Ground::new(&format!("bus: {}", nats.publication("")));
    let server = ground.server(&ground.sqlite(), &[]);
    write_round(&server, 1).await;
    let status = until(&server, |status| !status.last_error.is_empty()).await;
    assert_eq!(
        status.last_error,
        "NATS: no JetStream stream takes the subject customers.default.{kind}; make one"
    );
    nats.make_stream().await;
    until_told(&server).await;
    check(&events(nats.messages().await), &revisions(&server).await);
}
