//! Orders, shipments and conversations: folded from their events, with their course, and on the
//! timeline.

use std::collections::BTreeSet;
use std::sync::Arc;

use customer_profile::active_models::ModelFile;
use customer_profile::grpc::v1::{self, ErrorReason, TimelineView, timeline_item::Item};
use customer_profile::store::memory::MemoryStore;
use tonic::{Code, Status};

use super::errors::{assert_failure, fields};
use crate::support::service::{Service, by_record, event, text, upsert};

const MODEL: &str = "
identifiers: { email: { priority: 1, normalize: email } }
sources: { shop: , carrier: , chat: }
purposes:
  service: { consent: not_needed, events: '*' }
  shipping: { consent: not_needed, events: [shipment_updated] }
  letters: { consent: not_needed, events: [letter_sent] }
  news: { consent: opt_in, events: '*' }
";

pub(super) async fn start() -> Service {
    Service::start_by(
        Arc::new(MemoryStore::new()),
        ModelFile::parse(MODEL).expect("a model"),
    )
    .await
}

/// An event at a second that says these texts.
pub(super) fn said(
    record: (&str, &str),
    kind: &str,
    second: i64,
    properties: &[(&str, &str)],
) -> v1::Statement {
    let mut statement = event(record, &format!("{kind}{second}"), kind, second);
    if let Some(v1::statement::Kind::RecordEvent(v1::RecordEvent { event: Some(event) })) =
        &mut statement.kind
    {
        event.properties = properties
            .iter()
            .map(|(name, said)| ((*name).to_owned(), text(said)))
            .collect();
    }
    statement
}

/// Amy's order and its parcel, from two systems; a chat of two messages; and an event without an
/// object.
pub(super) async fn amy(service: &Service) {
    let (shop, carrier, chat) = (("shop", "amy"), ("carrier", "77"), ("chat", "a"));
    let mail = [("email", "amy@shop.com")];
    service
        .say(vec![
            upsert(shop, &mail, &[], 1),
            upsert(carrier, &mail, &[], 1),
            upsert(chat, &mail, &[], 1),
            said(
                shop,
                "order_placed",
                10,
                &[("order_id", "1001"), ("currency", "EUR"), ("coupon", "A")],
            ),
            said(
                chat,
                "message_received",
                15,
                &[
                    ("conversation_id", "c"),
                    ("channel", "chat"),
                    ("text", "Wo?"),
                ],
            ),
            said(
                carrier,
                "shipment_created",
                20,
                &[
                    ("shipment_id", "9"),
                    ("order_id", "1001"),
                    ("carrier", "DHL"),
                ],
            ),
            said(shop, "product_viewed", 25, &[("name", "Mug")]),
            said(
                carrier,
                "shipment_updated",
                30,
                &[("shipment_id", "9"), ("status", "in_transit")],
            ),
            said(
                shop,
                "order_paid",
                40,
                &[("order_id", "1001"), ("coupon", "B")],
            ),
            said(
                chat,
                "message_sent",
                50,
                &[
                    ("conversation_id", "c"),
                    ("order_id", "1001"),
                    ("text", "Da."),
                ],
            ),
        ])
        .await;
}

fn key(kind: &str, id: &str) -> v1::ObjectKey {
    v1::ObjectKey {
        kind: kind.to_owned(),
        id: id.to_owned(),
    }
}

async fn get(
    service: &Service,
    request: v1::GetObjectRequest,
) -> Result<v1::GetObjectResponse, Status> {
    service
        .profiles()
        .get_object(request)
        .await
        .map(tonic::Response::into_inner)
}

fn of(kind: &str, id: &str) -> v1::GetObjectRequest {
    v1::GetObjectRequest {
        object: Some(key(kind, id)),
        ..Default::default()
    }
}

fn course(object: &v1::Object) -> Vec<&str> {
    object
        .events
        .iter()
        .map(|event| event.event_id.as_str())
        .collect()
}

#[tokio::test]
async fn an_order_is_what_its_events_said_last_and_its_course_has_those_that_speak_of_it() {
    let service = start().await;
    amy(&service).await;
    let answer = get(&service, of("order", "1001")).await.expect("an order");
    assert!(answer.profile.starts_with("profiles/") && answer.withheld.is_empty());
    let order = answer.object.expect("an order");
    assert_eq!(
        (order.key.as_ref(), order.status.as_str(), order.event_count),
        (Some(&key("order", "1001")), "paid", 4)
    );
    let fields: BTreeSet<&str> = order.fields.keys().map(String::as_str).collect();
    assert_eq!(fields, BTreeSet::from(["coupon", "currency", "order_id"]));
    assert_eq!(order.fields["coupon"], text("B"));
    assert_eq!(
        course(&order),
        [
            "order_placed10",
            "shipment_created20",
            "order_paid40",
            "message_sent50"
        ]
    );
    assert_eq!(
        order.related_objects,
        [key("conversation", "c"), key("shipment", "9")]
    );
    let first = &order.events[0];
    assert_eq!(
        (first.object.as_ref(), first.status.as_str()),
        (order.key.as_ref(), "placed")
    );

    let parcel = get(&service, of("shipment", "9"))
        .await
        .expect("a shipment")
        .object
        .expect("a shipment");
    assert_eq!(
        (parcel.status.as_str(), &parcel.fields["carrier"]),
        ("in_transit", &text("DHL"))
    );
    assert_eq!(
        course(&parcel),
        ["shipment_created20", "shipment_updated30"]
    );
}

#[tokio::test]
async fn an_object_that_several_customers_have_is_asked_for_with_its_customer() {
    let service = start().await;
    amy(&service).await;
    let status = get(&service, of("order", "1002"))
        .await
        .expect_err("no such order");
    assert_failure(&status, Code::NotFound, ErrorReason::ObjectNotFound);
    service
        .say(vec![said(
            ("shop", "bob"),
            "order_placed",
            70,
            &[("order_id", "1001")],
        )])
        .await;
    let status = get(&service, of("order", "1001"))
        .await
        .expect_err("two orders");
    assert_failure(
        &status,
        Code::FailedPrecondition,
        ErrorReason::ObjectAmbiguous,
    );
    let bobs = v1::GetObjectRequest {
        key: Some(by_record("shop", "bob")),
        ..of("order", "1001")
    };
    assert_eq!(
        course(
            &get(&service, bobs)
                .await
                .expect("his")
                .object
                .expect("an order")
        ),
        ["order_placed70"]
    );
    let not_his = v1::GetObjectRequest {
        key: Some(by_record("shop", "bob")),
        ..of("shipment", "9")
    };
    let status = get(&service, not_his).await.expect_err("Amy's");
    assert_failure(&status, Code::NotFound, ErrorReason::ObjectNotFound);
    let status = get(&service, of("Order", ""))
        .await
        .expect_err("no such name");
    assert_eq!(
        fields(&status),
        BTreeSet::from(["object.kind", "object.id"].map(str::to_owned))
    );
}

/// A page's items, newest first: objects with their status, events by their ids.
pub(super) fn shown(page: &v1::ListTimelineResponse) -> Vec<String> {
    let item = |item: &v1::TimelineItem| match item.item.clone().expect("an item") {
        Item::Event(event) => event.event_id,
        Item::Object(object) => {
            assert!(
                object.events.is_empty(),
                "the course is asked for by itself"
            );
            let key = object.key.expect("a key");
            format!(
                "{}/{} {} {}",
                key.kind, key.id, object.status, object.event_count
            )
        }
    };
    page.items.iter().map(item).collect()
}

fn objects(purpose: &str) -> v1::ListTimelineRequest {
    v1::ListTimelineRequest {
        key: Some(by_record("shop", "amy")),
        view: TimelineView::Objects.into(),
        purpose: purpose.to_owned(),
        ..Default::default()
    }
}

pub(super) async fn page(
    service: &Service,
    request: v1::ListTimelineRequest,
) -> v1::ListTimelineResponse {
    service
        .profiles()
        .list_timeline(request)
        .await
        .expect("a page")
        .into_inner()
}

#[tokio::test]
async fn a_timeline_of_objects_has_each_once_at_its_latest_event() {
    let service = start().await;
    amy(&service).await;
    let all = [
        "conversation/c  2",
        "order/1001 paid 4",
        "shipment/9 in_transit 2",
        "product_viewed25",
    ];
    let whole = page(&service, objects("")).await;
    assert_eq!(shown(&whole), all);
    assert!(
        whole.events.is_empty()
            && whole.next_page_token.is_empty()
            && whole.previous_page_token.is_empty()
    );
    let one = v1::ListTimelineRequest {
        page_size: 1,
        ..objects("")
    };
    let mut pages = vec![page(&service, one.clone()).await];
    while !pages[pages.len() - 1].next_page_token.is_empty() {
        let page_token = pages[pages.len() - 1].next_page_token.clone();
        pages.push(
            page(
                &service,
                v1::ListTimelineRequest {
                    page_token,
                    ..one.clone()
                },
            )
            .await,
        );
    }
    assert_eq!(pages.iter().flat_map(shown).collect::<Vec<_>>(), all);
    // The filter says which events count; what is shown of an object is all of it.
    let placed = v1::ListTimelineRequest {
        types: vec!["order_placed".to_owned()],
        ..objects("")
    };
    assert_eq!(shown(&page(&service, placed).await), ["order/1001 paid 4"]);
}

#[tokio::test]
async fn a_purpose_sees_of_an_object_what_its_events_say() {
    let service = start().await;
    amy(&service).await;
    let told = |withheld: &[v1::Withheld]| {
        withheld
            .iter()
            .map(|said| said.field.clone())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        shown(&page(&service, objects("shipping")).await),
        ["shipment/9 in_transit 1"]
    );
    assert_eq!(shown(&page(&service, objects("letters")).await), [""; 0]);
    let none = page(&service, objects("news")).await;
    assert_eq!(
        (shown(&none).len(), told(&none.withheld)),
        (0, "*".to_owned())
    );
    for (purpose, course_of, withheld) in [
        ("", Some(2), ""),
        ("service", Some(2), ""),
        ("shipping", Some(1), "events"),
        ("letters", None, "events"),
        ("news", None, "*"),
    ] {
        let request = v1::GetObjectRequest {
            purpose: purpose.to_owned(),
            ..of("shipment", "9")
        };
        let answer = get(&service, request).await.expect("an answer");
        let count = answer.object.as_ref().map(|object| object.events.len());
        assert_eq!(
            (count, told(&answer.withheld)),
            (course_of, withheld.to_owned()),
            "{purpose}"
        );
    }
    let unknown = v1::GetObjectRequest {
        purpose: "spying".to_owned(),
        ..of("shipment", "9")
    };
    let status = get(&service, unknown).await.expect_err("no such purpose");
    assert_failure(&status, Code::InvalidArgument, ErrorReason::NotDeclared);
}
