//! What a receiver refuses, and what the log has lost.

use customer_profile::store::sql::{Migrate, Options, SqlStore};
use customer_profile::store::{LogRetention, Store};
use profile_core::records::{TenantId, Timestamp};
use serde_json::Value as Json;

use super::receiver::{Answer, Receiver};
use super::{Ground, check, ingest, revisions, until, until_told, write_round};
use crate::support::server::TestServer;
use crate::support::service::upsert;

/// Two customers, each told of twice.
async fn two_customers(server: &TestServer) {
    for version in [1, 2] {
        for key in ["poison", "1"] {
            let name = format!("name {version}");
            ingest(
                server,
                vec![upsert(("crm", key), &[], &[("name", &name)], version)],
            )
            .await;
        }
    }
}

/// The events in order, as profile and revision.
fn told(events: &[Json]) -> Vec<(String, String)> {
    let text = |value: &Json| value.as_str().expect("text").to_owned();
    events
        .iter()
        .map(|event| (text(&event["subject"]), text(&event["data"]["revision"])))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_is_a_dead_letter_until_it_is_told_again() {
    // The first change of all.
    let refused = |event: &Json| event["id"] == "default/1/0";
    let receiver = Receiver::start(move |_, event| {
        if refused(event) {
            Answer::Refuse(400)
        } else {
            Answer::Take
        }
    })
    .await;
    let ground = Ground::new(&format!("crm: {}", receiver.webhook("")));
    let server = ground.server(&ground.sqlite(), &[]);
    two_customers(&server).await;
    let status = until_told(&server).await;
    assert_eq!(status.dead_letter_count, 1);
    // Tried once: trying again is no use. The others come, also the next of the same profile.
    let poison = receiver.requests()[0].event()["subject"]
        .as_str()
        .expect("a profile")
        .to_owned();
    assert_eq!(receiver.requests().len(), 4);
    assert_eq!(
        told(&receiver.taken())
            .iter()
            .filter(|(profile, _)| *profile == poison)
            .count(),
        1
    );

    let letters = ground.cli(&server, "publish dead-letters crm");
    assert!(
        letters.contains("default/1/0") && letters.contains("HTTP 400: not like this"),
        "{letters}"
    );
    let letters: Json =
        serde_json::from_str(&ground.cli(&server, "publish dead-letters crm --output json"))
            .expect("JSON");
    let payload: Json = serde_json::from_str(
        letters["deadLetters"][0]["payload"]
            .as_str()
            .expect("a payload"),
    )
    .expect("JSON");
    assert_eq!(payload, receiver.requests()[0].event());

    // In vain once more; then it is taken, and gone.
    assert_eq!(
        ground.cli(&server, "publish replay crm default/1/0"),
        "1 to be published again\n"
    );
    while receiver.requests().len() < 5 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let again = || ground.cli(&server, "publish dead-letters crm");
    while again().contains("to be published again") {}
    assert!(again().contains("default/1/0"));
    receiver.behave(|_, _| Answer::Take);
    assert_eq!(
        ground.cli(&server, "publish replay crm --all"),
        "1 to be published again\n"
    );
    until(&server, |status| status.dead_letter_count == 0).await;
    assert_eq!(receiver.taken().last().expect("an event"), &payload);
    assert_eq!(again(), "no dead letters\n");
    receiver.verify();
    assert!(server.stop().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_too_often_is_a_dead_letter() {
    let receiver = Receiver::start(|_, event| {
        if event["id"] == "default/1/0" {
            Answer::Refuse(500)
        } else {
            Answer::Take
        }
    })
    .await;
    let ground = Ground::new(&format!("crm: {}", receiver.webhook(", max_attempts: 3")));
    let server = ground.server(&ground.sqlite(), &[]);
    two_customers(&server).await;
    assert_eq!(until_told(&server).await.dead_letter_count, 1);
    let tries: Vec<Json> = receiver
        .requests()
        .iter()
        .map(|request| request.event()["id"].clone())
        .collect();
    assert_eq!(tries[..3], ["default/1/0", "default/1/0", "default/1/0"]);
    assert_eq!(tries.len(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_log_has_lost_stops_a_publication_until_it_is_reset() {
    let receiver = Receiver::start(|_, _| Answer::Take).await;
    let ground = Ground::new(&format!("crm: {}", receiver.webhook("")));
    let server = ground.server(&ground.sqlite(), &[]);
    write_round(&server, 1).await;
    until_told(&server).await;
    assert!(server.stop().success());
    // Nobody publishes, and the log is thrown away meanwhile.
    let server = ground.server(&ground.sqlite(), &["--set", "publish.enabled=false"]);
    write_round(&server, 2).await;
    assert!(server.stop().success());
    let store = SqlStore::open(&Options::new(ground.sqlite()), Migrate::Auto)
        .await
        .expect("the database");
    let nothing = LogRetention {
        before: Timestamp::from_micros(i64::MAX),
        max_bytes: 0,
    };
    assert!(
        store
            .trim_log(&TenantId::default(), nothing)
            .await
            .expect("a trim")
            > 0
    );
    store.close().await;
    drop(store);

    let before = receiver.taken().len();
    let server = ground.server(&ground.sqlite(), &[]);
    let status = until(&server, |status| !status.last_error.is_empty()).await;
    assert!(
        status
            .last_error
            .starts_with("the change log does not reach back to write"),
        "{status:?}"
    );
    write_round(&server, 3).await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(
        receiver.taken().len(),
        before,
        "it does not go on by itself"
    );
    let head = until(&server, |_| true).await.head;
    assert_eq!(
        ground.cli(&server, "publish reset crm"),
        format!("continues after write {head}\n")
    );
    write_round(&server, 4).await;
    let status = until_told(&server).await;
    assert_eq!(status.last_error, "");
    let after: Vec<Json> = receiver.taken().split_off(before);
    assert!(!after.is_empty());
    // From there on nothing is missing.
    let revisions = revisions(&server).await;
    for (profile, revision) in told(&after)
        .into_iter()
        .rev()
        .collect::<std::collections::BTreeMap<_, _>>()
    {
        assert!(revision.parse::<i64>().expect("a number") <= revisions[&profile]);
    }
    let last: std::collections::BTreeMap<_, _> = told(&after).into_iter().collect();
    assert_eq!(last.len(), revisions.len());
    assert!(
        last.iter()
            .all(|(profile, revision)| revisions[profile].to_string() == *revision)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publication_that_is_added_begins_with_the_model_that_has_it() {
    let receiver = Receiver::start(|_, _| Answer::Take).await;
    let ground = Ground::new("");
    let server = ground.server(&ground.sqlite(), &[]);
    write_round(&server, 1).await;
    let publication = format!("publish: {{ crm: {} }}\n", receiver.webhook(""));
    let model = std::fs::read_to_string(ground.model())
        .expect("the model")
        .replace("publish:\n", &publication);
    std::fs::write(ground.model(), model).expect("the model");
    ground.cli(
        &server,
        &format!("model apply {}", ground.model().display()),
    );
    write_round(&server, 2).await;
    until(&server, |status| !status.owner.is_empty()).await;
    until_told(&server).await;
    let events = receiver.taken();
    assert!(
        events
            .iter()
            .any(|event| event["type"] == "customer.profile.v1.profile.merged")
    );
    assert!(
        events
            .iter()
            .all(|event| event["type"] != "customer.profile.v1.profile.created"),
        "that was before"
    );
    // It goes on where it was when it is taken out and comes back.
    let with = std::fs::read_to_string(ground.model()).expect("the model");
    std::fs::write(ground.model(), with.replace(&publication, "")).expect("the model");
    ground.cli(
        &server,
        &format!("model apply {}", ground.model().display()),
    );
    write_round(&server, 3).await;
    std::fs::write(ground.model(), with).expect("the model");
    ground.cli(
        &server,
        &format!("model apply {}", ground.model().display()),
    );
    until_told(&server).await;
    let all = receiver.taken();
    // With the beginning, which was before it, nothing is missing.
    let missing: Vec<Json> = events_before(&all);
    check(&[missing, all].concat(), &revisions(&server).await);
}

/// What a publication would have told before it began: for each profile one event up to where its
/// first begins.
fn events_before(events: &[Json]) -> Vec<Json> {
    let mut seen = std::collections::BTreeSet::new();
    let first = events
        .iter()
        .filter(|event| seen.insert(event["subject"].to_string()));
    first
        .map(|event| {
            let mut before = event.clone();
            before["id"] = format!("before {}", event["subject"]).into();
            before["data"]["revision"] = event["data"]["oldRevision"].clone();
            before["data"]
                .as_object_mut()
                .expect("an object")
                .remove("oldRevision");
            before
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_is_missing_is_told_and_nothing_is_lost() {
    let receiver = Receiver::start(|_, _| Answer::Take).await;
    let webhook = receiver
        .webhook("")
        .replace("PUBLISH_SECRET", "PUBLISH_NOTHING");
    let ground = Ground::new(&format!("crm: {webhook}"));
    let server = ground.server(&ground.sqlite(), &[]);
    write_round(&server, 1).await;
    let status = until(&server, |status| !status.last_error.is_empty()).await;
    assert_eq!(
        status.last_error,
        "the environment variable PUBLISH_NOTHING is not set on the server"
    );
    assert_eq!((status.position, status.failure_count), (0, 0));
    assert_eq!(receiver.requests().len(), 0);
}
