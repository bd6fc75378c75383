//! Support: where is my order, and what was said about it; from what a shop, a carrier and three
//! desks send to what an agent sees.

use std::sync::Arc;

use customer_profile::active_models::ModelFile;
use customer_profile::grpc::v1::{self, ChangeKind, watch_profiles_response::Event as Told};
use customer_profile::store::memory::MemoryStore;
use serde_json::json;

use crate::support::service::{Service, by_identifier};

/// What a shop of electronics, its carrier, and its call centre, chat and mailbox send.
const MODEL: &str = r#"
identifiers:
  customer_id: { priority: 1, belongs_to: person }
  email: { priority: 2, normalize: email }
  phone: { priority: 3, normalize: e164, default_region: DE }
traits: { name: { personal: true } }
sources:
  shop:
    records:
      customers: { key: id, identifiers: { customer_id: id, email: email, phone: phone }, traits: { name: name } }
    events:
      orders:
        type: "'order_' + state"
        id: number + '/' + state
        time: at
        record: customer
        properties:
          order_id: number
          total: decimal(total)
          currency: currency
          products: "lines.map(line, {'sku': line.sku, 'quantity': int(line.count), 'price': decimal(line.price)})"
      returns:
        type: "label == null ? 'return_requested' : 'return_label_created'"
        id: rma + '/' + at
        time: at
        record: customer
        properties:
          return_id: rma
          order_id: order
          reason: reason
          label_url: label
          label_prepaid: "label == null ? null : true"
  carrier:
    events:
      tracking:
        type: shipment_updated
        id: piece + '/' + scan
        time: at
        record: reference.customer
        properties:
          { shipment_id: piece, order_id: reference.order, carrier: "'DHL'", tracking_number: piece, status: lower(scan) }
    records:
      tracking: { key: reference.customer, time: at, mode: patch, identifiers: { customer_id: reference.customer } }
  callcentre:
    records:
      calls: { key: caller, time: ended, mode: patch, identifiers: { phone: caller } }
    events:
      calls:
        type: call_ended
        id: uuid
        time: ended
        record: caller
        properties: { call_id: uuid, agent: agent, topic: reason, order_id: about, duration_seconds: seconds, direction: "'inbound'" }
  chat:
    records:
      messages: { key: visitor, time: sent, mode: patch, identifiers: { customer_id: account } }
    events:
      messages:
        type: "event == 'handover' ? 'conversation_handed_over' : from == 'visitor' ? 'message_received' : 'message_sent'"
        id: id
        time: sent
        record: visitor
        properties:
          { conversation_id: chat, channel: "'chat'", order_id: order, text: text, agent: agent, assistant: bot, status: state }
  mailbox:
    records:
      mails: { key: from, time: date, mode: patch, identifiers: { email: from } }
    events:
      mails:
        type: message_received
        id: message_id
        time: date
        record: from
        properties: { conversation_id: thread, channel: "'email'", subject: subject, text: body, order_id: order }
"#;

async fn start() -> Service {
    let model = ModelFile::parse(MODEL).unwrap_or_else(|error| panic!("{error:?}"));
    let service = Service::start_by(Arc::new(MemoryStore::new()), model).await;
    let mara = json!({"id": "c7", "email": "mara@mail.example.com", "phone": "030 901820", "name": "Mara Weber"});
    service.say_payloads("shop", "customers", &[mara]).await;
    service
        .say_payloads("shop", "orders", &[order("placed", "2026-06-01T10:00:00Z")])
        .await;
    service
}

fn order(state: &str, at: &str) -> serde_json::Value {
    json!({
        "number": "1001", "state": state, "at": at, "customer": "c7", "total": "249.00", "currency": "EUR",
        "lines": [{"sku": "HP-2", "count": "1", "price": "249.00"}],
    })
}

fn scan(scan: &str, at: &str) -> serde_json::Value {
    json!({"piece": "JJD01", "scan": scan, "at": at, "reference": {"order": "1001", "customer": "c7"}})
}

async fn object(service: &Service, kind: &str, id: &str) -> v1::Object {
    let key = v1::ObjectKey {
        kind: kind.to_owned(),
        id: id.to_owned(),
    };
    let request = v1::GetObjectRequest {
        object: Some(key),
        ..Default::default()
    };
    let answer = service
        .profiles()
        .get_object(request)
        .await
        .expect("an object")
        .into_inner();
    answer.object.expect("an object")
}

fn types(object: &v1::Object) -> Vec<&str> {
    object
        .events
        .iter()
        .map(|event| event.r#type.as_str())
        .collect()
}

fn caller() -> v1::ProfileKey {
    by_identifier("phone", "+49 30 901820")
}

/// Asks for a return, and gets its prepaid label.
async fn sends_it_back(service: &Service) {
    let rma = |label: Option<&str>, at: &str| json!({"rma": "R5", "order": "1001", "customer": "c7", "reason": "too heavy", "label": label, "at": at});
    let asked = [
        rma(None, "2026-06-04T09:00:00Z"),
        rma(Some("https://dhl.example/R5.pdf"), "2026-06-04T09:05:00Z"),
    ];
    service.say_payloads("shop", "returns", &asked).await;
    let order = object(service, "order", "1001").await;
    assert_eq!(
        types(&order),
        [
            "order_placed",
            "shipment_updated",
            "shipment_updated",
            "return_requested",
            "return_label_created"
        ]
    );
    let sent_back = object(service, "return", "R5").await;
    assert_eq!(sent_back.status, "label_created");
    let said = |name: &str| sent_back.fields[name].kind.clone();
    assert_eq!(
        said("label_prepaid"),
        Some(v1::value::Kind::BoolValue(true))
    );
    assert_eq!(
        said("label_url"),
        Some(v1::value::Kind::StringValue(
            "https://dhl.example/R5.pdf".to_owned()
        ))
    );
    assert_eq!(
        said("reason"),
        Some(v1::value::Kind::StringValue("too heavy".to_owned()))
    );
}

/// The shipment's state changes at the carrier; the agent's open screen is told; the return and its
/// prepaid label stand on the order's course.
#[tokio::test]
async fn where_is_my_order_and_how_do_i_send_it_back() {
    let service = start().await;
    service
        .say_payloads(
            "carrier",
            "tracking",
            &[scan("IN_TRANSIT", "2026-06-02T08:00:00Z")],
        )
        .await;
    let watch = v1::WatchProfilesRequest {
        keys: vec![caller()],
        ..Default::default()
    };
    let mut screen = service
        .profiles()
        .watch_profiles(watch)
        .await
        .expect("a stream")
        .into_inner();
    let snapshot = screen
        .message()
        .await
        .expect("a message")
        .and_then(|message| message.event);
    assert!(matches!(snapshot, Some(Told::Snapshot(_))), "{snapshot:?}");
    let parcel = object(&service, "shipment", "JJD01").await;
    assert_eq!(
        (
            parcel.status.as_str(),
            parcel.related_objects[0].id.as_str()
        ),
        ("in_transit", "1001")
    );

    service
        .say_payloads(
            "carrier",
            "tracking",
            &[scan("DELIVERED", "2026-06-03T11:00:00Z")],
        )
        .await;
    let told = screen
        .message()
        .await
        .expect("a message")
        .and_then(|message| message.event);
    let Some(Told::Change(v1::WatchChange {
        change: Some(change),
        ..
    })) = told
    else {
        panic!("{told:?}")
    };
    assert_eq!(
        (change.kind(), change.event_types.as_slice()),
        (
            ChangeKind::Updated,
            ["shipment_updated".to_owned()].as_slice()
        )
    );
    assert_eq!(
        object(&service, "shipment", "JJD01").await.status,
        "delivered"
    );

    sends_it_back(&service).await;
}

/// A chat, then a call, then an e-mail, all about one order.
async fn say_contacts(service: &Service) {
    let chat = |id: &str, at: &str, said: serde_json::Value| {
        let mut message = json!({"id": id, "chat": "ch1", "visitor": "v9", "account": "c7", "sent": at, "order": "1001"});
        message
            .as_object_mut()
            .expect("an object")
            .extend(said.as_object().expect("an object").clone());
        message
    };
    let messages = [
        chat(
            "m1",
            "2026-06-02T09:00:00Z",
            json!({"event": "message", "from": "visitor", "text": "Where is it?"}),
        ),
        chat(
            "m2",
            "2026-06-02T09:00:05Z",
            json!({"event": "message", "from": "bot", "bot": "Robi", "text": "Let me look."}),
        ),
        chat(
            "m3",
            "2026-06-02T09:01:00Z",
            json!({"event": "handover", "from": "bot", "agent": "Ines"}),
        ),
        chat(
            "m4",
            "2026-06-02T09:02:00Z",
            json!({"event": "message", "from": "agent", "text": "On its way.", "state": "solved"}),
        ),
    ];
    service.say_payloads("chat", "messages", &messages).await;
    let call = json!({"uuid": "k1", "caller": "+4930901820", "ended": "2026-06-03T10:00:00Z", "agent": "Tom",
                      "reason": "delivery", "about": "1001", "seconds": 95});
    service.say_payloads("callcentre", "calls", &[call]).await;
    let mail = json!({"message_id": "<1@x>", "thread": "t1", "from": "Mara@mail.example.com", "date": "2026-06-03T12:00:00Z",
                      "subject": "Late", "body": "Order 1001 is late.", "order": 1001});
    service.say_payloads("mailbox", "mails", &[mail]).await;
}

/// The courses of the chat and of the order.
async fn courses_are_told(service: &Service) {
    let chat = object(service, "conversation", "ch1").await;
    assert_eq!(
        types(&chat),
        [
            "message_received",
            "message_sent",
            "conversation_handed_over",
            "message_sent"
        ]
    );
    let statuses: Vec<&str> = chat
        .events
        .iter()
        .map(|event| event.status.as_str())
        .collect();
    assert_eq!(statuses, ["", "", "handed_over", "solved"]);
    let order = object(service, "order", "1001").await;
    assert_eq!(order.event_count, 7, "its own, and all that was said of it");
    let related: Vec<String> = order
        .related_objects
        .iter()
        .map(|key| format!("{} {}", key.kind, key.id))
        .collect();
    assert_eq!(related, ["call k1", "conversation ch1", "conversation t1"]);
    let channels: Vec<&str> = order
        .events
        .iter()
        .map(|event| event.channel.as_str())
        .collect();
    assert_eq!(
        channels,
        ["", "chat", "chat", "chat", "chat", "phone", "email"]
    );
}

/// A call, a chat and an e-mail from three systems on one timeline, with the order that they speak
/// of.
#[tokio::test]
async fn a_call_a_chat_and_a_mail_are_one_conversation() {
    let service = start().await;
    say_contacts(&service).await;

    // The phone rings.
    let request = v1::ListTimelineRequest {
        key: Some(caller()),
        view: v1::TimelineView::Objects.into(),
        include_counts: true,
        ..Default::default()
    };
    let page = service
        .profiles()
        .list_timeline(request.clone())
        .await
        .expect("a page")
        .into_inner();
    let shown: Vec<String> = page.items.iter().map(told).collect();
    assert_eq!(
        shown,
        [
            "conversation t1 ",
            "call k1 ended",
            "conversation ch1 solved",
            "order 1001 placed"
        ]
    );
    let counts: i64 = page.type_counts.iter().map(|count| count.count).sum();
    assert_eq!(counts, 7);
    let written = v1::ListTimelineRequest {
        channels: vec!["chat".to_owned(), "email".to_owned()],
        text: "late".to_owned(),
        ..request
    };
    let page = service
        .profiles()
        .list_timeline(written)
        .await
        .expect("a page")
        .into_inner();
    assert_eq!(
        page.items.iter().map(told).collect::<Vec<_>>(),
        ["conversation t1 "]
    );
    courses_are_told(&service).await;
}

fn told(item: &v1::TimelineItem) -> String {
    match &item.item {
        Some(v1::timeline_item::Item::Object(object)) => {
            let key = object.key.clone().expect("a key");
            format!("{} {} {}", key.kind, key.id, object.status)
        }
        other => panic!("{other:?}"),
    }
}
