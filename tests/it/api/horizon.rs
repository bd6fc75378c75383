//! The log is kept for a while only: what runs out of it while a server runs, and what those are
//! told who come too late.

use std::sync::Arc;
use std::time::Duration;

use customer_profile::config;
use customer_profile::grpc::v1::{ErrorReason, WatchProfilesRequest};
use customer_profile::store::{LogCursor, LogEntry, LogPosition, Store};
use profile_core::records::{Sequence, TenantId};
use tonic::Code;

use super::errors::assert_failure;
use super::watch::{Watcher, person};
use crate::support::service::Service;
use crate::support::stores::{Kind, TestStore};

/// A server on SQLite that looks after its log all the time, with other bounds.
async fn server(bound: impl FnOnce(&mut config::Changes)) -> (TestStore, Service) {
    let test = TestStore::start(Kind::Sqlite).await;
    let service = Service::start_with(test.store.clone(), |config| {
        config.changes.trim_interval = Duration::from_millis(10);
        bound(&mut config.changes);
    });
    let service = service.await;
    (test, service)
}

/// What is left of the log.
async fn log(store: &Arc<dyn Store>) -> Vec<LogEntry> {
    let cursor = LogCursor {
        tenant: TenantId::default(),
        after: LogPosition::after(Sequence(0)),
    };
    store
        .read_log(&[cursor], 10_000)
        .await
        .expect("the log")
        .remove(0)
        .entries
}

async fn resume(service: &Service, token: &str) -> Watcher {
    let request = WatchProfilesRequest {
        resume_token: token.to_owned(),
        ..Default::default()
    };
    Watcher::begin(service, request).await.expect("a watch")
}

/// Watches from the beginning while so many writes are made, each after the one before was told.
/// Answers with what was told, and the token of each message.
async fn told(service: &Service, writes: i64) -> Vec<(String, String)> {
    let mut watcher = Watcher::of(service, Vec::new()).await;
    let mut told = vec![(watcher.next().await, watcher.token.clone())];
    for version in 1..=writes {
        person(service, "1", "ann@shop.com", version).await;
        told.push((watcher.next().await, watcher.token.clone()));
    }
    told
}

async fn is_behind_the_horizon(service: &Service, token: &str) {
    let status = resume(service, token)
        .await
        .message()
        .await
        .expect_err("it cannot go on");
    assert_failure(
        &status,
        Code::FailedPrecondition,
        ErrorReason::ResumeTokenExpired,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_old_goes_while_the_server_runs_and_who_resumes_before_it_is_told() {
    let (test, service) = server(|changes| changes.retention = Duration::from_millis(10)).await;
    let mut watcher = Watcher::of(&service, Vec::new()).await;
    watcher.next().await;
    for version in 1..=4 {
        person(&service, "1", "ann@shop.com", version).await;
    }
    // The last write stays: it tells where the log is.
    while log(&test.store).await.len() > 1 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(log(&test.store).await[0].sequence, Sequence(4));
    is_behind_the_horizon(&service, &watcher.token).await;
    // Who begins anew is told what comes.
    let mut anew = Watcher::of(&service, Vec::new()).await;
    assert_eq!(anew.next().await, "heartbeat");
    person(&service, "1", "ann@shop.com", 5).await;
    let told = anew.next().await;
    assert!(told.contains(" r4-5 updated traits.city"), "{told}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_much_goes_while_the_server_runs_and_the_latest_stays() {
    const WRITES: i64 = 60;
    const BYTES: usize = 4_000;
    let (test, service) = server(|changes| changes.max_bytes = BYTES).await;
    let told = told(&service, WRITES).await;
    let bytes = |log: &[LogEntry]| -> usize {
        log.iter()
            .map(|entry| serde_json::to_string(&entry.body).expect("JSON").len())
            .sum()
    };
    let mut left = log(&test.store).await;
    while bytes(&left) > BYTES {
        tokio::time::sleep(Duration::from_millis(10)).await;
        left = log(&test.store).await;
    }
    let first = usize::try_from(left[0].sequence.0).expect("small");
    assert!(first > 1, "nothing is gone");
    assert!(left.len() > 5, "as much as may stay stays: {left:?}");
    // Passes in the background may have written after it.
    assert!(left.last().expect("an entry").sequence >= Sequence(WRITES));
    // Message N tells write N; going on after it begins with that write, which may have more to
    // tell, or with the next one, if it was known already that there is no more.
    is_behind_the_horizon(&service, &told[0].1).await;
    is_behind_the_horizon(&service, &told[first - 2].1).await;
    let mut resumed = resume(&service, &told[first].1).await;
    for (message, _) in &told[first + 1..] {
        assert_eq!(resumed.next().await, *message);
    }
    service.stop().await;
}
