//! Events that know an order, a parcel, a payment or a ticket and no customer, in the shape of the
//! webhooks that say them: they find their customer by the object, in either order of arrival.
//!
//! Sources of the shapes: `AfterShip` "Webhook Specifications" (`msg.tracking_number`, `msg.tag`),
//! `EasyPost` "Tracker" (`result.tracking_code`, `tracking_details`), DHL "Shipment Tracking -
//! Unified Push" (`id`, `status`), Shopify `fulfillments/create` and `refunds/create` (`order_id`),
//! Stripe `Charge` and `Refund` (`payment_intent`), Zendesk ticket events (`detail.id`).

use std::collections::BTreeMap;
use std::sync::Arc;

use customer_profile::active_models::ModelFile;
use customer_profile::grpc::v1::{self, NoteReason, StatementOutcome, statement::Kind};
use customer_profile::store::Store;
use customer_profile::store::memory::MemoryStore;
use customer_profile::store::sql::SqlStore;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::clock::SetClock;
use crate::support::postgres::Postgres;
use crate::support::service::{Service, by_record, delete, record, statement, text, upsert};
use crate::support::stores::{self, TestStore};
use crate::vendors::shuffle;

/// Number of orders of arrival for each history.
const ORDERS: u64 = 10;

const MODEL: &str = "
identifiers: { email: { priority: 1 } }
computed:
  orders: { count: order_placed }
  scans: { count: shipment_updated }
  refunded: { sum: refund_issued, value: amount }
sources:
  shop:
    records:
      customers: { key: string(id), identifiers: { email: email } }
    events:
      orders: { type: order_placed, id: \"'o' + string(id)\", time: created_at, record: string(customer.id),
        properties: { order_id: string(id), total: decimal(total_price) } }
      fulfillments: { for_each: { number: tracking_numbers }, type: shipment_created, id: \"string(id) + '-' + number\",
        time: created_at, attach: order, properties: { shipment_id: number, order_id: string(order_id), carrier: tracking_company } }
      refunds: { type: refund_issued, id: \"'r' + string(id)\", time: created_at, attach: [order],
        properties: { refund_id: string(id), order_id: string(order_id), amount: 'sum(transactions.map(one, decimal(one.amount)))' } }
  aftership:
    events:
      trackings: { type: shipment_updated, id: event_id, time: ts, attach: shipment,
        properties: { shipment_id: msg.tracking_number, carrier: msg.slug,
          status: \"{'InTransit': 'in_transit', 'OutForDelivery': 'out_for_delivery', 'Delivered': 'delivered'}[msg.tag]\" } }
  easypost:
    events:
      trackers: { for_each: { scan: result.tracking_details }, type: shipment_updated, id: \"result.id + scan.datetime\",
        time: scan.datetime, attach: shipment, properties: { shipment_id: result.tracking_code, status: scan.status } }
  dhl:
    events:
      shipments: { type: shipment_updated, id: \"id + status.timestamp\", time: status.timestamp, attach: shipment,
        properties: { shipment_id: id, status: \"status.statusCode == 'transit' ? 'in_transit' : status.statusCode\" } }
  stripe:
    minor: true
    events:
      payment_intents: { type: payment_requested, id: id, time: created, record: data.object.customer,
        properties: { payment_id: data.object.id, amount: data.object.amount, currency: upper(data.object.currency) } }
      charges: { type: payment_succeeded, id: id, time: created, record: data.object.customer, attach: payment,
        properties: { payment_id: data.object.payment_intent, amount: data.object.amount, currency: upper(data.object.currency) } }
      refunds: { type: refund_issued, id: id, time: created, attach: payment,
        properties: { refund_id: data.object.id, payment_id: data.object.payment_intent, amount: data.object.amount,
          currency: upper(data.object.currency) } }
  zendesk:
    events:
      tickets: { type: conversation_started, id: \"'t' + string(id)\", time: created_at, record: string(requester_id),
        properties: { conversation_id: string(id), channel: via.channel } }
      ticket_events: { type: \"detail.status == 'CLOSED' ? 'conversation_closed' : 'conversation_updated'\", id: id, time: time,
        attach: conversation, properties: { conversation_id: detail.id } }
";

/// A source, a kind of payloads and a payload.
type Told = (&'static str, &'static str, Value);

async fn start(store: Arc<dyn Store>) -> Service {
    let model = ModelFile::parse(MODEL).unwrap_or_else(|errors| panic!("{errors:#?}"));
    let clock = Arc::new(SetClock::at("2026-11-25T12:00:00Z"));
    Service::start_at(store, model, clock).await
}

async fn in_memory() -> Service {
    start(Arc::new(MemoryStore::new())).await
}

async fn tell(service: &Service, (source, kind, payload): &Told) -> Vec<v1::StatementResult> {
    let request = v1::IngestPayloadsRequest {
        source: (*source).to_owned(),
        kind: (*kind).to_owned(),
        payloads: vec![payload.to_string().into()],
    };
    let answer = service.ingest().ingest_payloads(request).await;
    let results = answer.expect("a receipt").into_inner().results;
    let results: Vec<v1::StatementResult> = results.into_iter().flat_map(|it| it.results).collect();
    for result in &results {
        assert_ne!(result.outcome(), StatementOutcome::Rejected, "{result:?}");
    }
    results
}

/// The events of a customer, oldest first, each as `type id of source`; and computed traits.
async fn seen(service: &Service, (source, key): (&str, &str)) -> Vec<String> {
    let request = v1::ListTimelineRequest {
        key: Some(by_record(source, key)),
        page_size: 100,
        ..Default::default()
    };
    let Ok(answer) = service.profiles().list_timeline(request).await else {
        return vec!["nobody".to_owned()];
    };
    let events = answer.into_inner().events.into_iter().rev();
    let mut lines: Vec<String> = events
        .map(|event| format!("{} {} of {}", event.r#type, event.event_id, event.source))
        .collect();
    let request = v1::GetProfileRequest {
        key: Some(by_record(source, key)),
        ..Default::default()
    };
    let answer = service.profiles().get_profile(request).await;
    let profile = answer.expect("a profile").into_inner().profile;
    let computed: BTreeMap<_, _> = profile.expect("a profile").computed.into_iter().collect();
    lines.extend(computed.into_iter().map(|(name, found)| {
        let value = found.value.and_then(|value| value.kind);
        format!("{name} {value:?}")
    }));
    lines
}

async fn waiting(service: &Service, source: &str) -> Vec<String> {
    let mut page_token = String::new();
    let mut found = Vec::new();
    loop {
        let request = v1::ListWaitingEventsRequest {
            source: source.to_owned(),
            page_size: 2,
            page_token,
        };
        let answer = service.ingest().list_waiting_events(request).await;
        let answer = answer.expect("a page").into_inner();
        found.extend(answer.events.into_iter().map(|event| event.event_id));
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            return found;
        }
    }
}

async fn status(service: &Service, kind: &str, id: &str) -> String {
    let request = v1::GetObjectRequest {
        object: Some(v1::ObjectKey {
            kind: kind.to_owned(),
            id: id.to_owned(),
        }),
        ..Default::default()
    };
    let answer = service.profiles().get_object(request).await;
    answer.map_or_else(
        |error| format!("{:?}", error.code()),
        |answer| answer.into_inner().object.expect("an object").status,
    )
}

fn order(id: u32, customer: u32) -> Told {
    let order = json!({"id": id, "created_at": "2026-11-20T10:00:00Z", "total_price": "20.00", "customer": {"id": customer}});
    ("shop", "orders", order)
}

fn fulfillment(id: u32, order: u32, numbers: &[&str]) -> Told {
    let told = json!({"id": id, "order_id": order, "status": "success", "created_at": "2026-11-20T11:00:00Z",
        "tracking_company": "UPS", "tracking_numbers": numbers});
    ("shop", "fulfillments", told)
}

fn scan(id: &str, number: &str, hour: u32, tag: &str) -> Told {
    let told = json!({"event": "tracking_update", "event_id": id, "ts": format!("2026-11-21T{hour:02}:00:00Z"),
        "msg": {"id": "5b7658cec7c33c0e007de3c5", "tracking_number": number, "slug": "ups", "tag": tag, "order_id": null}});
    ("aftership", "trackings", told)
}

fn stripe(id: &str, kind: &'static str, seconds: u32, object: &Value) -> Told {
    let told = json!({"id": id, "created": 1_795_651_200 + seconds, "data": {"object": object}});
    ("stripe", kind, told)
}

fn history() -> Vec<Told> {
    let tracker = json!({"description": "tracker.updated", "result": {"id": "trk_1", "tracking_code": "EZ1", "carrier": "USPS",
        "shipment_id": null, "tracking_details": [{"status": "in_transit", "datetime": "2026-11-21T08:00:00Z"},
            {"status": "delivered", "datetime": "2026-11-22T08:00:00Z"}]}});
    let dhl = json!({"id": "JD01", "service": "parcel-de", "status": {"timestamp": "2026-11-22T09:00:00Z", "statusCode": "transit"}});
    let money = |more: &Value| {
        let mut object = json!({"amount": 1999, "currency": "eur"});
        for (name, value) in more.as_object().expect("fields") {
            object[name] = value.clone();
        }
        object
    };
    let ticket_event = |id: &str, minute: u32, status: &str| {
        let told = json!({"id": id, "time": format!("2026-11-20T10:{minute}:00Z"), "type": "zen:event-type:ticket.status_changed",
            "detail": {"id": "77", "status": status}});
        ("zendesk", "ticket_events", told)
    };
    let ticket = json!({"id": 77, "created_at": "2026-11-20T10:00:00Z", "requester_id": 1, "via": {"channel": "web"}});
    vec![
        order(5001, 1),
        order(5002, 2),
        fulfillment(801, 5001, &["1Z1", "EZ1"]),
        fulfillment(802, 5002, &["JD01"]),
        scan("a1", "1Z1", 8, "InTransit"),
        scan("a2", "1Z1", 9, "Delivered"),
        scan("a3", "1Z-of-nobody", 9, "Delivered"),
        ("easypost", "trackers", tracker),
        ("dhl", "shipments", dhl),
        (
            "shop",
            "refunds",
            json!({"id": 901, "order_id": 5002, "created_at": "2026-11-23T10:00:00Z", "transactions": [{"amount": "6.00"}, {"amount": "4.00"}]}),
        ),
        stripe(
            "evt_1",
            "payment_intents",
            0,
            &money(&json!({"id": "pi_1", "customer": "1"})),
        ),
        stripe(
            "evt_2",
            "charges",
            1,
            &money(&json!({"id": "ch_1", "payment_intent": "pi_1", "customer": null})),
        ),
        stripe(
            "evt_3",
            "refunds",
            60,
            &money(&json!({"id": "re_1", "payment_intent": "pi_1", "charge": "ch_1"})),
        ),
        ("zendesk", "tickets", ticket),
        ticket_event("z1", 10, "OPEN"),
        ticket_event("z2", 20, "CLOSED"),
    ]
}

const FIRST: [&str; 9] = [
    "order_placed o5001 of shop",
    "shipment_created 801-1Z1 of shop",
    "shipment_created 801-EZ1 of shop",
    "shipment_updated a1 of aftership",
    "shipment_updated trk_12026-11-21T08:00:00Z of easypost",
    "shipment_updated a2 of aftership",
    "shipment_updated trk_12026-11-22T08:00:00Z of easypost",
    "orders Some(Int64Value(1))",
    "scans Some(Int64Value(4))",
];
const SECOND: [&str; 7] = [
    "order_placed o5002 of shop",
    "shipment_created 802-JD01 of shop",
    "shipment_updated JD012026-11-22T09:00:00Z of dhl",
    "refund_issued r901 of shop",
    "orders Some(Int64Value(1))",
    "refunded Some(DecimalValue(\"10.00\"))",
    "scans Some(Int64Value(1))",
];

async fn assert_whole(service: &Service, seed: u64) {
    let mut first = seen(service, ("shop", "1")).await;
    first.retain(|line| !line.starts_with("refunded"));
    let mut expected: Vec<&str> = FIRST.to_vec();
    // Two of one time are in the order of their sources.
    expected[3..7].sort_unstable();
    first[3..7].sort_unstable();
    assert_eq!(first, expected, "{seed}");
    assert_eq!(seen(service, ("shop", "2")).await, SECOND, "{seed}");
    let paid = seen(service, ("stripe", "1")).await;
    let expected = [
        "payment_requested evt_1 of stripe",
        "payment_succeeded evt_2 of stripe",
        "refund_issued evt_3 of stripe",
    ];
    assert_eq!(paid[..3], expected, "{seed}");
    assert!(
        paid.contains(&"refunded Some(DecimalValue(\"19.99\"))".to_owned()),
        "{paid:?}"
    );
    let asked = seen(service, ("zendesk", "1")).await;
    let expected = [
        "conversation_started t77 of zendesk",
        "conversation_updated z1 of zendesk",
        "conversation_closed z2 of zendesk",
    ];
    assert_eq!(asked[..3], expected, "{seed}");
    assert_eq!(waiting(service, "").await, ["a3"], "{seed}");
    for (kind, id, expected) in [
        ("shipment", "1Z1", "delivered"),
        ("shipment", "EZ1", "delivered"),
        ("shipment", "JD01", "in_transit"),
        ("conversation", "77", "closed"),
        ("payment", "pi_1", "succeeded"),
        ("shipment", "1Z-of-nobody", "NotFound"),
    ] {
        assert_eq!(
            status(service, kind, id).await,
            expected,
            "{seed} {kind} {id}"
        );
    }
}

/// Tells a history in an order that a seed gives, each payload twice.
async fn replay(service: &Service, told: &[Told], seed: u64) {
    let mut told: Vec<&Told> = told.iter().chain(told).collect();
    shuffle(&mut told, seed);
    for told in told {
        tell(service, told).await;
    }
}

#[tokio::test]
async fn what_knows_only_its_object_finds_its_customer_in_any_order() {
    for seed in 0..ORDERS {
        let service = in_memory().await;
        replay(&service, &history(), seed).await;
        assert_whole(&service, seed).await;
        service.stop().await;
    }
}

/// One server takes the first half of a history, the next one on its database the second.
async fn on_a_database(seed: u64, open: impl AsyncFn() -> SqlStore) {
    let mut told = history();
    shuffle(&mut told, seed);
    let (before, after) = told.split_at(told.len() / 2);
    let service = start(Arc::new(open().await)).await;
    replay(&service, before, seed).await;
    service.stop().await;
    let service = start(Arc::new(open().await)).await;
    replay(&service, after, seed).await;
    assert_whole(&service, seed).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_too_and_after_a_restart() {
    for seed in 0..2 {
        let dir = TempDir::with_prefix("cp-attach-").expect("a temporary directory");
        on_a_database(seed, async || stores::sqlite(&dir).await).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_too_and_after_a_restart() {
    for seed in 0..2 {
        let server = Postgres::start();
        on_a_database(seed, async || stores::postgres(&server).await).await;
    }
}

#[tokio::test]
async fn what_waits_is_told() {
    let service = in_memory().await;
    let told = tell(&service, &scan("a1", "1Z1", 8, "InTransit")).await;
    assert_eq!(told[0].outcome(), StatementOutcome::Stored);
    assert_eq!(told[0].profile, "");
    let note = &told[0].notes[0];
    assert_eq!(
        (note.field.as_str(), note.reason()),
        ("attach", NoteReason::Waiting)
    );
    let again = tell(&service, &scan("a1", "1Z1", 8, "InTransit")).await;
    assert_eq!(again[0].outcome(), StatementOutcome::Duplicate);
    assert_eq!(waiting(&service, "aftership").await, ["a1"]);
    assert_eq!(waiting(&service, "dhl").await, Vec::<String>::new());
    let found = seen(&service, ("aftership", "1Z1")).await;
    assert_eq!(found, ["nobody"], "no record is invented");

    tell(&service, &fulfillment(801, 5001, &["1Z1"])).await;
    assert_eq!(waiting(&service, "").await, ["a1", "801-1Z1"]);
    let placed = tell(&service, &order(5001, 1)).await;
    assert_eq!(waiting(&service, "").await, Vec::<String>::new());
    let at_once = tell(&service, &scan("a2", "1Z1", 9, "Delivered")).await;
    assert!(at_once[0].notes.is_empty());
    assert_eq!(at_once[0].profile, placed[0].profile);
    service.stop().await;
}

#[tokio::test]
async fn an_object_that_everybody_names_is_nobodys_and_that_is_told() {
    for (customers, expected) in [(100, None), (101, Some("more than 100 records"))] {
        let service = in_memory().await;
        let placed = (0..customers).map(|customer| {
            let event = v1::Event {
                record: Some(record("shop", &customer.to_string())),
                event_id: format!("e{customer}"),
                r#type: "order_placed".to_owned(),
                properties: [("order_id".to_owned(), text("5001"))].into(),
                ..Default::default()
            };
            statement(Kind::RecordEvent(v1::RecordEvent { event: Some(event) }))
        });
        service.say(placed.collect()).await;
        let refund = json!({"id": 901, "order_id": 5001, "created_at": "2026-11-23T10:00:00Z", "transactions": [{"amount": "6.00"}]});
        let told = tell(&service, &("shop", "refunds", refund)).await;
        let note = &told[0].notes[0];
        assert_eq!(
            note.reason() == NoteReason::Waiting,
            expected.is_some(),
            "{note:?}"
        );
        assert!(
            note.description.contains(expected.unwrap_or_default()),
            "{note:?}"
        );
        service.stop().await;
    }
}

fn retract(event_id: &str) -> v1::Statement {
    statement(Kind::RetractEvent(v1::RetractEvent {
        source: "shop".to_owned(),
        event_id: event_id.to_owned(),
        ..Default::default()
    }))
}

fn replaced(customer: &str) -> v1::Statement {
    let event = v1::Event {
        record: Some(record("shop", customer)),
        event_id: "o5001".to_owned(),
        r#type: "order_placed".to_owned(),
        properties: [("order_id".to_owned(), text("5001"))].into(),
        ..Default::default()
    };
    statement(Kind::ReplaceEvent(v1::ReplaceEvent {
        event: Some(event),
        ..Default::default()
    }))
}

#[tokio::test]
async fn what_is_taken_back_attaches_nothing_any_more() {
    for kind in [stores::Kind::Memory, stores::Kind::Sqlite] {
        let ground = TestStore::start(kind).await;
        let service = start(ground.store.clone()).await;
        for told in [
            scan("a1", "1Z1", 8, "InTransit"),
            order(5001, 1),
            order(5002, 1),
            fulfillment(801, 5001, &["1Z1"]),
        ] {
            tell(&service, &told).await;
        }
        let counted = |line: &str| format!("scans Some(Int64Value({line}))");
        assert!(seen(&service, ("shop", "1")).await.contains(&counted("1")));
        service.say(vec![retract("o5001")]).await;
        let left = seen(&service, ("shop", "1")).await;
        assert_eq!(left[0], "order_placed o5002 of shop");
        assert!(left.contains(&counted("0")), "{left:?}");
        assert_eq!(waiting(&service, "").await, ["a1", "801-1Z1"]);
        // The order was another customer's.
        service.say(vec![replaced("2")]).await;
        let moved = seen(&service, ("shop", "2")).await;
        assert!(moved.contains(&counted("1")), "{moved:?}");
        assert_eq!(waiting(&service, "").await, Vec::<String>::new());
        assert!(seen(&service, ("shop", "1")).await.contains(&counted("0")));
        service.stop().await;
    }
}

#[tokio::test]
async fn a_scan_is_not_a_later_holders_of_the_customers_key() {
    let service = in_memory().await;
    let known = upsert(("shop", "1"), &[("email", "ann@example.com")], &[], 1);
    service.say(vec![known]).await;
    tell(&service, &order(5001, 1)).await;
    tell(&service, &fulfillment(801, 5001, &["1Z1"])).await;
    service.say(vec![delete(("shop", "1"), 2)]).await;
    let other = upsert(("shop", "1"), &[("email", "ben@example.com")], &[], 3);
    service.say(vec![other]).await;
    let late = tell(&service, &scan("a1", "1Z1", 9, "Delivered")).await;
    assert_eq!(late[0].notes[0].reason(), NoteReason::Waiting);
    let seen = seen(&service, ("shop", "1")).await;
    assert!(
        !seen.iter().any(|line| line.starts_with("shipment")),
        "{seen:?}"
    );
    service.stop().await;
}

#[tokio::test]
async fn an_object_of_two_customers_is_told() {
    let service = in_memory().await;
    tell(&service, &order(5001, 1)).await;
    let event = v1::Event {
        record: Some(record("shop", "2")),
        event_id: "other".to_owned(),
        r#type: "order_placed".to_owned(),
        properties: [("order_id".to_owned(), text("5001"))].into(),
        ..Default::default()
    };
    let event = Some(event);
    service
        .say(vec![statement(Kind::RecordEvent(v1::RecordEvent {
            event,
        }))])
        .await;
    let told = tell(&service, &fulfillment(801, 5001, &["1Z1"])).await;
    assert_eq!(told[0].notes[0].reason(), NoteReason::Ambiguous);
    assert_eq!(told[0].notes[0].field, "attach");
    service.stop().await;
}

#[tokio::test]
async fn what_could_never_find_its_customer_is_refused() {
    let service = in_memory().await;
    let event = |key: &str, attach: &[&str], order: &str| {
        let event = v1::Event {
            record: Some(record("shop", key)),
            event_id: "e".to_owned(),
            r#type: "shipment_updated".to_owned(),
            properties: [("order_id".to_owned(), text(order))].into(),
            attach: attach.iter().map(|kind| (*kind).to_owned()).collect(),
            ..Default::default()
        };
        let event = Some(event);
        statement(Kind::RecordEvent(v1::RecordEvent { event }))
    };
    for (said, expected) in [
        (
            event("1", &["order"], "7"),
            "must be empty where the record has a key",
        ),
        (
            event("", &["cart"], "7"),
            "they name: shipment, order, return",
        ),
        (event("", &["shipment"], "7"), "say shipment_id"),
        (event("", &["order"], "N/A"), "say order_id"),
        (event("", &["order"], "0"), "say order_id"),
        (event("", &[], "7"), "required"),
    ] {
        let answer = service.say(vec![said]).await;
        let result = &answer.results[0];
        assert_eq!(result.outcome(), StatementOutcome::Rejected);
        let told = format!("{:?}", result.violations);
        assert!(told.contains(expected), "{told}");
    }
    assert_eq!(waiting(&service, "").await, Vec::<String>::new());
    service.stop().await;
}
