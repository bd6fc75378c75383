//! A key that its source deleted and gave to somebody else: nothing of the former holder is the
//! next one's, in any order of arrival.

use customer_profile::active_models::ModelFile;
use customer_profile::grpc::v1::{self, NoteReason, statement::Kind};
use prost_types::Timestamp as WireTime;

use crate::support::service::{Service, by_record, delete, record, statement, text, upsert};
use crate::support::stores::{self, TestStore};

const MODEL: &str = "
identifiers: { email: { priority: 1, normalize: email } }
sources: { web: }
traits: { given_name: }
experience: {}
computed:
  orders: { count: order_placed }
  spent: { sum: order_placed, value: total }
segments:
  buyers: { when: computed.spent > 50 }
";

async fn start(kind: stores::Kind) -> (Service, TestStore) {
    let ground = TestStore::start(kind).await;
    let model = ModelFile::parse(MODEL).expect("a model");
    (Service::start_by(ground.store.clone(), model).await, ground)
}

/// A day of 2025.
fn day(day: i64) -> WireTime {
    WireTime {
        seconds: 1_735_689_600 + day * 86_400,
        nanos: 0,
    }
}

fn customer(key: &str, name: &str, said: i64) -> v1::Statement {
    let mail = format!("{name}-{key}@shop.com");
    dated(
        upsert(
            ("web", key),
            &[("email", &mail)],
            &[("given_name", name)],
            0,
        ),
        said,
    )
}

fn gone(key: &str, said: i64) -> v1::Statement {
    dated(delete(("web", key), 0), said)
}

/// The statement with its source's time in place of a version.
fn dated(mut said: v1::Statement, on: i64) -> v1::Statement {
    match &mut said.kind {
        Some(Kind::UpsertRecord(upsert)) => upsert.source_time = Some(day(on)),
        Some(Kind::DeleteRecord(delete)) => delete.source_time = Some(day(on)),
        other => panic!("{other:?}"),
    }
    said
}

fn order(key: &str, id: &str, total: i64, on: i64) -> v1::Statement {
    let total = v1::Value {
        kind: Some(v1::value::Kind::Int64Value(total)),
    };
    let properties = [("order_id", text(id)), ("total", total)];
    let event = v1::Event {
        record: Some(record("web", key)),
        event_id: id.to_owned(),
        r#type: "order_placed".to_owned(),
        event_time: Some(day(on)),
        properties: properties
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
        ..v1::Event::default()
    };
    statement(Kind::RecordEvent(v1::RecordEvent { event: Some(event) }))
}

/// Says statements, none of which is refused.
async fn stored(service: &Service, said: Vec<v1::Statement>) -> v1::IngestStatementsResponse {
    let answer = service.say(said).await;
    let mut outcomes = answer.results.iter().map(v1::StatementResult::outcome);
    let is_stored = |outcome| outcome == v1::StatementOutcome::Stored;
    assert!(outcomes.all(is_stored), "{answer:?}");
    answer
}

/// Everything about a customer: names, events, counts, segments, and former holders.
async fn told(service: &Service, key: &str) -> String {
    let by_key = || Some(by_record("web", key));
    let request = v1::GetProfileRequest {
        key: by_key(),
        ..v1::GetProfileRequest::default()
    };
    let answer = service.profiles().get_profile(request).await;
    let profile = answer.expect("a profile").into_inner().profile;
    let profile = profile.expect("a profile");
    let request = v1::ListTimelineRequest {
        key: by_key(),
        include_counts: true,
        ..v1::ListTimelineRequest::default()
    };
    let page = service.profiles().list_timeline(request).await;
    let page = page.expect("a timeline").into_inner();
    let events = page.events.iter().map(|event| event.event_id.as_str());
    let events: Vec<&str> = events.collect();
    let counts: i64 = page.type_counts.iter().map(|count| count.count).sum();
    let mut computed: Vec<String> = Vec::new();
    for (name, told) in &profile.computed {
        let kind = told.value.as_ref().and_then(|value| value.kind.as_ref());
        computed.push(format!("{name} {kind:?}"));
    }
    computed.sort();
    let explained = explain(service, &profile.name).await;
    format!(
        "{:?} {events:?} {counts} {computed:?} {:?} former {explained}",
        profile.traits["given_name"].value, profile.segments
    )
}

async fn explain(service: &Service, name: &str) -> String {
    let request = v1::ExplainProfileRequest {
        name: name.to_owned(),
    };
    let answer = service.identity().explain_profile(request).await;
    let records = answer.expect("an explanation").into_inner().records;
    let former = records
        .into_iter()
        .filter_map(|record| record.former_holder);
    let told = former.map(|former| format!("{} until {:?}", former.event_count, former.until_time));
    told.collect::<Vec<_>>().concat()
}

async fn holds(service: &Service, order: &str) -> Option<String> {
    let request = v1::GetObjectRequest {
        object: Some(v1::ObjectKey {
            kind: "order".to_owned(),
            id: order.to_owned(),
        }),
        ..v1::GetObjectRequest::default()
    };
    let answer = service.profiles().get_object(request).await.ok()?;
    Some(answer.into_inner().profile)
}

fn permutations(left: &[usize]) -> Vec<Vec<usize>> {
    if left.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (at, first) in left.iter().enumerate() {
        let mut rest = left.to_vec();
        rest.remove(at);
        for mut tail in permutations(&rest) {
            tail.insert(0, *first);
            all.push(tail);
        }
    }
    all
}

/// Ann, her order, her deletion, Ben, his order; in one call or one after the other.
async fn in_any_order(kind: stores::Kind, every: usize) {
    let (service, _ground) = start(kind).await;
    let mut expected = None;
    for (number, permutation) in permutations(&[0, 1, 2, 3, 4]).iter().enumerate() {
        if number % every != 0 {
            continue;
        }
        let key = number.to_string();
        let (anns, bens) = (format!("ann-{key}"), format!("ben-{key}"));
        let said = [
            customer(&key, "ann", 0),
            order(&key, &anns, 99, 1),
            gone(&key, 2),
            customer(&key, "ben", 3),
            order(&key, &bens, 7, 4),
        ];
        let said: Vec<_> = permutation.iter().map(|at| said[*at].clone()).collect();
        for batch in said.chunks(1 + number % 3) {
            stored(&service, batch.to_vec()).await;
        }
        let found = told(&service, &key).await.replace(&bens, "ben's");
        assert_eq!(
            expected.get_or_insert(found.clone()),
            &found,
            "{permutation:?}"
        );
        assert_eq!(holds(&service, &anns).await, None, "{permutation:?}");
        assert!(holds(&service, &bens).await.is_some(), "{permutation:?}");
    }
    let of_ben = "Some(Value { kind: Some(StringValue(\"ben\")) }) [\"ben's\"] 1 \
                  [\"orders Some(Int64Value(1))\", \"spent Some(Int64Value(7))\"] [] \
                  former 1 until Some(Timestamp { seconds: 1735862400, nanos: 0 })";
    assert_eq!(expected.as_deref(), Some(of_ben));
}

#[tokio::test]
async fn a_former_holders_events_are_nobodys_in_any_order_in_memory() {
    in_any_order(stores::Kind::Memory, 1).await;
}

#[tokio::test]
async fn a_former_holders_events_are_nobodys_in_any_order_on_sqlite() {
    in_any_order(stores::Kind::Sqlite, 5).await;
}

#[tokio::test]
async fn a_key_that_is_given_out_again_and_what_is_late_are_told() {
    let (service, _ground) = start(stores::Kind::Memory).await;
    let said = [
        customer("1", "ann", 0),
        order("1", "a", 99, 1),
        gone("1", 2),
        customer("1", "ben", 3),
        order("1", "late", 5, 1),
        order("1", "b", 7, 4),
    ];
    let mut notes = Vec::new();
    for one in said {
        let answer = stored(&service, vec![one]).await;
        let told = answer.results.iter().flat_map(|result| &result.notes);
        let told = told.map(|note| (note.field.clone(), note.reason()));
        notes.push(told.collect::<Vec<_>>());
    }
    let former = |field: &str| vec![(field.to_owned(), NoteReason::FormerHolder)];
    let (none, key, time) = (vec![], former("record.key"), former("event_time"));
    assert_eq!(
        notes,
        [none.clone(), none.clone(), none.clone(), key, time, none]
    );
}

/// Versions without times: what counts as before the deletion is what was received before it.
#[tokio::test]
async fn a_deletion_without_a_time_counts_from_its_receipt() {
    let (service, _ground) = start(stores::Kind::Memory).await;
    let customer =
        |name: &'static str, version| upsert(("web", "1"), &[], &[("given_name", name)], version);
    stored(&service, vec![customer("ann", 1), order("1", "a", 99, 1)]).await;
    stored(&service, vec![delete(("web", "1"), 2)]).await;
    stored(&service, vec![customer("ben", 3)]).await;
    let found = told(&service, "1").await;
    assert!(found.contains(" [] 0 "), "{found}");
    assert_eq!(holds(&service, "a").await, None);
}
