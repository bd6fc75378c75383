//! A model that counts something new: of what happened before it too, in the background, and said
//! so until then.

use std::time::Duration;

use customer_profile::grpc::v1::{self, Completeness};

use super::{BY_EMAIL, apply_file, client};
use crate::support::service::{Service, by_record, event, upsert};
use crate::support::stores::{Kind, TestStore};

async fn calls(service: &Service, key: &str) -> (Completeness, Option<i64>) {
    let request = v1::GetProfileRequest {
        key: Some(by_record("web", key)),
        ..Default::default()
    };
    let profile = service
        .profiles()
        .get_profile(request)
        .await
        .expect("a profile")
        .into_inner()
        .profile;
    let calls = profile
        .expect("a profile")
        .computed
        .remove("calls")
        .expect("computed");
    let number = match calls.value.as_ref().and_then(|value| value.kind.as_ref()) {
        Some(v1::value::Kind::Int64Value(number)) => Some(*number),
        _ => None,
    };
    (calls.completeness(), number)
}

async fn progress(service: &Service) -> (Completeness, i64) {
    let answer = client(service)
        .get_model(v1::GetModelRequest::default())
        .await
        .expect("the model");
    let recount = answer.into_inner().recount.expect("something is counted");
    (recount.completeness(), recount.record_count)
}

async fn start(test: &TestStore, check_interval: Duration) -> Service {
    Service::start_with(test.store.clone(), |config| {
        config.computed.check_interval = check_interval;
    })
    .await
}

async fn counted_afterwards(kind: Kind) {
    let test = TestStore::start(kind).await;
    let service = start(&test, Duration::from_hours(1)).await;
    apply_file(&service, BY_EMAIL).await;
    let people =
        (0..450).map(|number: u32| upsert(("web", &number.to_string()), &[], &[("name", "N")], 1));
    service.say(people.collect()).await;
    let before = (0..900).map(|number: u32| {
        event(
            ("web", &(number % 300).to_string()),
            &format!("e{number}"),
            "call",
            7,
        )
    });
    service.say(before.collect()).await;
    let counting =
        format!("{BY_EMAIL}\nevents: {{ call: }}\ncomputed: {{ calls: {{ count: call }} }}\n");
    apply_file(&service, &counting).await;
    service
        .say(vec![
            event(("web", "1"), "later", "call", 7),
            event(("web", "400"), "first", "call", 7),
        ])
        .await;
    assert_eq!(calls(&service, "1").await.0, Completeness::Partial);
    assert_eq!(progress(&service).await, (Completeness::Partial, 0));
    // Whose first event comes under the model that counts it lacks nothing.
    assert_eq!(
        calls(&service, "400").await,
        (Completeness::Complete, Some(1))
    );
    assert_eq!(
        calls(&service, "449").await,
        (Completeness::Complete, Some(0))
    );

    // Another server of the database does it.
    let service = start(&test, Duration::from_millis(10)).await;
    for key in 0..300 {
        let expected = if key == 1 { 4 } else { 3 };
        while calls(&service, &key.to_string()).await.0 == Completeness::Partial {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(
            calls(&service, &key.to_string()).await,
            (Completeness::Complete, Some(expected)),
            "{key}"
        );
    }
    while progress(&service).await.0 == Completeness::Partial {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(progress(&service).await, (Completeness::Complete, 300));
    assert_eq!(
        calls(&service, "400").await,
        (Completeness::Complete, Some(1))
    );
    service
        .say(vec![event(("web", "1"), "last", "call", 7)])
        .await;
    assert_eq!(
        calls(&service, "1").await,
        (Completeness::Complete, Some(5))
    );
    service.stop().await;
    test.store.close().await;
}

#[tokio::test]
async fn events_of_before_are_counted_once_in_memory() {
    counted_afterwards(Kind::Memory).await;
}

#[tokio::test]
async fn events_of_before_are_counted_once_on_sqlite() {
    counted_afterwards(Kind::Sqlite).await;
}

#[tokio::test]
async fn events_of_before_are_counted_once_on_postgresql() {
    counted_afterwards(Kind::Postgres).await;
}
