//! Webhooks.

use std::time::Duration;

use super::receiver::{Answer, Receiver};
use super::{Ground, check, ingest, revisions, until, until_told, write_round};
use crate::support::service::upsert;

/// Fails in every way there is, each now and then.
fn moody(count: usize) -> Answer {
    match count % 11 {
        2 => Answer::Refuse(503),
        5 => Answer::TakeAndFail,
        7 => Answer::Refuse(429),
        9 => Answer::Refuse(408),
        _ => Answer::Take,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_arrives_in_order_while_the_receiver_fails() {
    let mut receiver = Receiver::start(|count, _| moody(count)).await;
    let ground = Ground::new(&format!("crm: {}", receiver.webhook("")));
    let server = ground.server(&ground.sqlite(), &[]);
    for round in 1..=4 {
        write_round(&server, round).await;
        receiver.stop().await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        receiver.start_again().await;
    }
    until_told(&server).await;
    let doubles = check(&receiver.taken(), &revisions(&server).await);
    assert!(
        doubles > 0,
        "what was taken and not acknowledged came again"
    );
    let first = &receiver.requests()[0];
    assert_eq!(
        first.headers["content-type"],
        "application/cloudevents+json; charset=utf-8"
    );
    assert_eq!(
        first.headers["webhook-id"],
        first.event()["id"].as_str().expect("an id")
    );
    receiver.verify();
    let (_, metrics) = server.http("/metrics");
    for counted in ["outcome=\"published\",", "outcome=\"failed\","] {
        let line = metrics
            .lines()
            .find(|line| line.contains(counted) && line.contains("target=\"webhook\""));
        assert!(line.is_some_and(|line| !line.ends_with(" 0")), "{line:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_arrives_in_order_while_the_server_is_killed() {
    let receiver = Receiver::start(|count, _| {
        if count % 7 == 3 {
            Answer::TakeAndFail
        } else {
            Answer::TakeSlowly
        }
    })
    .await;
    let ground = Ground::new(&format!("crm: {}", receiver.webhook("")));
    let mut server = ground.server(&ground.sqlite(), &[]);
    for round in 1..=6 {
        write_round(&server, round).await;
        // At once, and at any place in what is to be told.
        server.kill();
        server = ground.server(&ground.sqlite(), &[]);
    }
    until_told(&server).await;
    check(&receiver.taken(), &revisions(&server).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_in_peace_tells_nothing_twice() {
    let receiver = Receiver::start(|_, _| Answer::Take).await;
    let ground = Ground::new(&format!("crm: {}", receiver.webhook("")));
    let mut server = ground.server(&ground.sqlite(), &[]);
    for round in 1..=3 {
        write_round(&server, round).await;
        assert!(server.stop().success());
        server = ground.server(&ground.sqlite(), &[]);
    }
    until_told(&server).await;
    // At most the one request that was under way at each end.
    assert!(check(&receiver.taken(), &revisions(&server).await) <= 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_never_answers_does_not_keep_a_server_from_ending() {
    let receiver = Receiver::start(|_, _| Answer::Hang).await;
    // The server would wait for it much longer than anybody waits for the server.
    let ground = Ground::new(&format!(
        "crm: {}",
        receiver.webhook(", timeout_seconds: 60")
    ));
    let server = ground.server(&ground.sqlite(), &[]);
    ingest(
        &server,
        vec![upsert(("crm", "1"), &[], &[("name", "Ann")], 1)],
    )
    .await;
    while receiver.requests().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(server.stop().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_says_when_to_come_again() {
    let receiver = Receiver::start(|count, _| {
        if count == 0 {
            Answer::RefuseFor(429, 2)
        } else {
            Answer::Take
        }
    })
    .await;
    let ground = Ground::new(&format!("crm: {}", receiver.webhook("")));
    let server = ground.server(&ground.sqlite(), &[]);
    ingest(
        &server,
        vec![upsert(("crm", "1"), &[], &[("name", "Ann")], 1)],
    )
    .await;
    until_told(&server).await;
    let requests = receiver.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests[1].at - requests[0].at >= Duration::from_secs(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_tells_how_far_it_is_behind_and_why() {
    let receiver = Receiver::start(|_, _| Answer::Refuse(503)).await;
    let ground = Ground::new(&format!("crm: {}", receiver.webhook("")));
    let server = ground.server(&ground.sqlite(), &[]);
    write_round(&server, 1).await;
    let behind = until(&server, |status| status.failure_count >= 3).await;
    assert_eq!((behind.lag_writes, behind.position), (behind.head, 0));
    assert_eq!(behind.last_error, "HTTP 503: not like this");
    assert!(behind.lag.is_some() && !behind.owner.is_empty());
    let told = ground.cli(&server, "publish status");
    for part in [
        "crm",
        "/hooks",
        &format!("0 of {}", behind.head),
        "HTTP 503",
        "attempts",
    ] {
        assert!(told.contains(part), "{part}:\n{told}");
    }
    assert!(!told.contains("whsec"), "{told}");
    // In whole seconds, so that it takes one to be there.
    let lag = || {
        let (_, metrics) = server.http("/metrics");
        let lag = metrics
            .lines()
            .find_map(|line| line.strip_prefix("customer_profile_publish_lag_seconds "));
        lag.expect("a lag").to_owned()
    };
    while lag() == "0" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    receiver.behave(|_, _| Answer::Take);
    let after = until_told(&server).await;
    assert_eq!(
        (after.last_error.as_str(), after.failure_count, after.lag),
        ("", 0, None)
    );
    check(&receiver.taken(), &revisions(&server).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_kinds_and_fields_that_are_wanted_are_told() {
    let receiver = Receiver::start(|_, _| Answer::Take).await;
    let webhook = receiver.webhook("");
    let publication = format!(
        "{}, kinds: [created, updated], fields: traits.name }}",
        webhook.trim_end_matches(" }")
    );
    // The braces of the target stay.
    let publication = publication.replace("PUBLISH_SECRET,", "PUBLISH_SECRET },");
    let ground = Ground::new(&format!("crm: {publication}"));
    let server = ground.server(&ground.sqlite(), &[]);
    ingest(
        &server,
        vec![upsert(
            ("crm", "1"),
            &[("email", "ann@x.com")],
            &[("name", "Ann")],
            1,
        )],
    )
    .await;
    ingest(
        &server,
        vec![upsert(
            ("crm", "1"),
            &[("email", "bea@x.com")],
            &[("name", "Ann")],
            2,
        )],
    )
    .await;
    ingest(
        &server,
        vec![upsert(
            ("crm", "1"),
            &[("email", "bea@x.com")],
            &[("name", "Anna")],
            3,
        )],
    )
    .await;
    until_told(&server).await;
    let told: Vec<String> = receiver
        .taken()
        .iter()
        .map(|event| event["type"].as_str().expect("a type").to_owned())
        .collect();
    assert_eq!(
        told,
        [
            "customer.profile.v1.profile.created",
            "customer.profile.v1.profile.updated"
        ]
    );
}
