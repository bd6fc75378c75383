//! Events that are taken back and replaced: what everybody sees of them, in either order of
//! arrival, then and now.

use std::sync::Arc;

use customer_profile::active_models::ModelFile;
use customer_profile::clock::Clock;
use customer_profile::grpc::v1::get_experience_metrics_request::Subject;
use customer_profile::grpc::v1::{self, NoteReason, StatementOutcome, statement::Kind};
use prost_types::Timestamp as WireTime;

use super::events::{number, saying};
use crate::experience::metrics;
use crate::support::clock::SetClock;
use crate::support::service::{Service, by_record, record, statement, text};
use crate::support::stores::{self, TestStore};

const MODEL: &str = "
sources: { web: }
experience: {}
computed:
  orders: { count: order_placed }
  spent: { sum: order_placed, value: total }
  greatest: { max: order_placed, value: total }
  last_day: { days_since: order_placed }
segments:
  big: { when: computed.greatest >= 50 }
";

async fn start() -> (Service, TestStore) {
    let ground = TestStore::start(stores::Kind::Sqlite).await;
    let model = ModelFile::parse(MODEL).expect("a model");
    (Service::start_by(ground.store.clone(), model).await, ground)
}

/// An order of a customer of the web shop.
fn order(key: &str, event_id: &str, total: i64) -> v1::Event {
    let properties = [("order_id", text(event_id)), ("total", number(total))];
    let told = saying(event_id, "order_placed", &properties);
    let Some(Kind::RecordEvent(v1::RecordEvent { event: Some(event) })) = told.kind else {
        panic!("an event")
    };
    v1::Event {
        record: Some(record("web", key)),
        ..event
    }
}

fn placed(key: &str, event_id: &str, total: i64) -> v1::Statement {
    let event = Some(order(key, event_id, total));
    statement(Kind::RecordEvent(v1::RecordEvent { event }))
}

fn retract(event_id: &str) -> v1::Statement {
    statement(Kind::RetractEvent(v1::RetractEvent {
        source: "web".to_owned(),
        event_id: event_id.to_owned(),
        ..v1::RetractEvent::default()
    }))
}

fn replace(event: v1::Event) -> v1::Statement {
    statement(Kind::ReplaceEvent(v1::ReplaceEvent {
        event: Some(event),
        ..v1::ReplaceEvent::default()
    }))
}

/// The ids and totals of a customer's events, newest first.
async fn timeline(service: &Service, key: &str, as_of: Option<WireTime>) -> Vec<String> {
    let request = v1::ListTimelineRequest {
        key: Some(by_record("web", key)),
        as_of_time: as_of,
        ..v1::ListTimelineRequest::default()
    };
    let answer = service.profiles().list_timeline(request).await;
    let events = answer.map_or_else(|_| Vec::new(), |answer| answer.into_inner().events);
    events
        .into_iter()
        .map(|event| format!("{} {}", event.event_id, total(&event)))
        .collect()
}

fn total(event: &v1::Event) -> i64 {
    match event.properties.get("total").and_then(|it| it.kind.clone()) {
        Some(v1::value::Kind::Int64Value(total)) => total,
        other => panic!("{other:?}"),
    }
}

/// A customer's computed traits and segments.
async fn derived(service: &Service, key: &str) -> String {
    let request = v1::GetProfileRequest {
        key: Some(by_record("web", key)),
        ..v1::GetProfileRequest::default()
    };
    let Ok(answer) = service.profiles().get_profile(request).await else {
        return "nobody".to_owned();
    };
    let profile = answer.into_inner().profile.expect("a profile");
    let value = |name: &str| {
        let value = profile.computed.get(name).and_then(|it| it.value.clone());
        match value.and_then(|value| value.kind) {
            Some(v1::value::Kind::Int64Value(number)) => number.to_string(),
            None => "-".to_owned(),
            other => format!("{other:?}"),
        }
    };
    let computed = ["orders", "spent", "greatest"].map(value).join(" ");
    format!("{computed} {}", profile.segments.join(","))
}

async fn order_of(service: &Service, id: &str) -> String {
    let request = v1::GetObjectRequest {
        object: Some(v1::ObjectKey {
            kind: "order".to_owned(),
            id: id.to_owned(),
        }),
        ..v1::GetObjectRequest::default()
    };
    match service.profiles().get_object(request).await {
        Ok(answer) => {
            let object = answer.into_inner().object.expect("an object");
            format!("{} {}", object.event_count, total(&object.events[0]))
        }
        Err(status) => format!("{:?}", status.code()),
    }
}

fn notes(result: &v1::StatementResult) -> Vec<NoteReason> {
    result.notes.iter().map(v1::Note::reason).collect()
}

#[tokio::test]
async fn an_event_that_is_taken_back_is_nowhere_and_counts_nowhere() {
    let (service, _ground) = start().await;
    let told = [placed("1", "a", 60), placed("1", "b", 20)];
    service.say(told.to_vec()).await;
    assert_eq!(derived(&service, "1").await, "2 80 60 big");
    let answer = service.say(vec![retract("a")]).await;
    assert_eq!(answer.results[0].outcome(), StatementOutcome::Stored);
    assert_eq!(notes(&answer.results[0]), []);
    assert_eq!(derived(&service, "1").await, "1 20 20 ");
    assert_eq!(timeline(&service, "1", None).await, ["b 20"]);
    assert_eq!(order_of(&service, "a").await, "NotFound");
    // Neither comes back by being said again.
    let again = service.say(vec![placed("1", "a", 60), retract("a")]).await;
    let outcomes: Vec<_> = again
        .results
        .iter()
        .map(v1::StatementResult::outcome)
        .collect();
    assert_eq!(outcomes, [StatementOutcome::Duplicate; 2]);
    service.say(vec![retract("b")]).await;
    assert_eq!(derived(&service, "1").await, "nobody");
}

#[tokio::test]
async fn a_correction_that_comes_first_holds_and_says_that_nothing_is_known_yet() {
    let (service, _ground) = start().await;
    let corrections = vec![retract("a"), replace(order("2", "b", 5))];
    let answer = service.say(corrections).await;
    for result in &answer.results {
        assert_eq!(result.outcome(), StatementOutcome::Stored);
        assert_eq!(notes(result), [NoteReason::UnknownEvent]);
    }
    let told = [placed("1", "a", 60), placed("1", "b", 20)];
    let answer = service.say(told.to_vec()).await;
    for result in &answer.results {
        assert_eq!(result.outcome(), StatementOutcome::Stored);
        assert_eq!(notes(result), [NoteReason::Superseded]);
    }
    assert_eq!(derived(&service, "1").await, "nobody");
    assert_eq!(derived(&service, "2").await, "1 5 5 ");
    assert_eq!(timeline(&service, "2", None).await, ["b 5"]);
}

#[tokio::test]
async fn an_order_moves_to_another_customer_and_those_who_look_back_see_it_where_it_was() {
    let ground = TestStore::start(stores::Kind::Sqlite).await;
    let clock = Arc::new(SetClock::default());
    let at = |seconds: i64| {
        clock.set(profile_core::records::Timestamp::from_micros(
            1_750_000_000_000_000 + seconds * 1_000_000,
        ));
        let seconds = 1_750_000_000 + seconds;
        WireTime { seconds, nanos: 0 }
    };
    let begin = at(0);
    let model = ModelFile::parse(MODEL).expect("a model");
    let ticking: Arc<dyn Clock> = clock.clone();
    let service = Service::start_at(ground.store.clone(), model, ticking).await;
    service.say(vec![placed("1", "a", 60)]).await;
    at(100);
    service.say(vec![replace(order("2", "a", 70))]).await;
    at(200);
    let now = (
        timeline(&service, "1", None).await,
        timeline(&service, "2", None).await,
    );
    assert_eq!(now, (vec![], vec!["a 70".to_owned()]));
    assert_eq!(derived(&service, "1").await, "nobody");
    assert_eq!(derived(&service, "2").await, "1 70 70 big");
    assert_eq!(order_of(&service, "a").await, "1 70");
    let then = timeline(&service, "1", Some(begin)).await;
    assert_eq!(then, ["a 60"]);
    assert_eq!(timeline(&service, "2", Some(begin)).await, [""; 0]);
}

/// Number and sum of a customer's purchases, and what was left out.
async fn bought(service: &Service, key: &str) -> String {
    let subject = Subject::Customer(by_record("web", key));
    let metrics = metrics(service, subject).await;
    let value = metrics.lifetime_value.expect("measured");
    let purchases = metrics.rfm.and_then(|rfm| rfm.purchases);
    let notes = value.basis.expect("a basis").notes;
    let left_out: Vec<&str> = notes
        .iter()
        .filter_map(|note| note.strip_prefix("not counted: "))
        .collect();
    format!("{purchases:?} {} {}", value.historic, left_out.join(", "))
}

#[tokio::test]
async fn metrics_count_orders_as_they_are_now() {
    let (service, _ground) = start().await;
    let said =
        |id: &str, kind: &str, properties: &[(&str, v1::Value)]| saying(id, kind, properties);
    service
        .say(vec![placed("1", "a", 100), placed("1", "b", 50)])
        .await;
    assert_eq!(bought(&service, "1").await, "Some(2.0) 150 ");
    let edited = said(
        "a2",
        "order_updated",
        &[("order_id", text("a")), ("total", number(80))],
    );
    let refund = [
        ("order_id", text("a")),
        ("refund_id", text("r")),
        ("amount", number(30)),
    ];
    service
        .say(vec![edited, said("r1", "refund_issued", &refund)])
        .await;
    assert_eq!(bought(&service, "1").await, "Some(2.0) 100 ");
    let cancelled = said("b2", "order_cancelled", &[("order_id", text("b"))]);
    service.say(vec![cancelled]).await;
    let one = "Some(1.0) 50 1 purchases that were cancelled";
    assert_eq!(bought(&service, "1").await, one);
    // The refund is taken back, and the cancellation too.
    service.say(vec![retract("r1"), retract("b2")]).await;
    assert_eq!(bought(&service, "1").await, "Some(2.0) 130 ");
}

#[tokio::test]
async fn a_watch_and_the_log_name_the_types_that_were_taken_back() {
    let (service, _ground) = start().await;
    service
        .say(vec![placed("1", "a", 60), placed("1", "b", 5)])
        .await;
    let request = v1::WatchProfilesRequest {
        keys: vec![by_record("web", "1")],
        ..v1::WatchProfilesRequest::default()
    };
    let watch = service.profiles().watch_profiles(request).await;
    let mut watch = watch.expect("a watch").into_inner();
    service.say(vec![retract("a")]).await;
    let change = loop {
        let message = watch.message().await.expect("a message").expect("goes on");
        if let Some(v1::watch_profiles_response::Event::Change(change)) = message.event {
            break change.change.expect("a change");
        }
    };
    assert_eq!(change.retracted_event_types, ["order_placed"]);
    assert_eq!(change.event_types, [""; 0]);
    assert_eq!(change.changed_fields, ["computed", "timeline"]);
}
