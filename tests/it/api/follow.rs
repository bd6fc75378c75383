//! Statuses that follow related objects: asked for, on the timeline, in a context, then and now,
//! whatever came in first.

use std::sync::Arc;

use customer_profile::active_models::ModelFile;
use customer_profile::clock::Clock;
use customer_profile::grpc::v1::{self, TimelineView, statement::Kind};
use prost_types::Timestamp as WireTime;

use super::objects::{page, said, shown};
use crate::support::clock::SetClock;
use crate::support::service::{Service, by_record, statement, upsert};
use crate::support::stores::{self, TestStore};

const MODEL: &str = "
identifiers: { email: { priority: 1, normalize: email } }
sources: { shop: , carrier: }
objects:
  order:
    follows:
      - { any: shipment, are: delivered, status: partly_delivered }
      - { all: shipment, are: delivered, status: delivered }
views: { desk: { objects: { order: 1 } } }
purposes:
  service: { consent: not_needed, events: '*' }
  orders: { consent: not_needed, events: [order_placed] }
";

/// The time of the clock after the beginning.
fn at(clock: &SetClock, seconds: i64) -> WireTime {
    let begin = 1_750_000_000;
    let micros = (begin + seconds) * 1_000_000;
    clock.set(profile_core::records::Timestamp::from_micros(micros));
    WireTime {
        seconds: begin + seconds,
        nanos: 0,
    }
}

async fn start() -> (Service, TestStore, Arc<SetClock>) {
    let ground = TestStore::start(stores::Kind::Sqlite).await;
    let clock = Arc::new(SetClock::default());
    at(&clock, 0);
    let ticking: Arc<dyn Clock> = clock.clone();
    let model = ModelFile::parse(MODEL).expect("a model");
    let service = Service::start_at(ground.store.clone(), model, ticking).await;
    (service, ground, clock)
}

/// An order with two parcels, of which the shop tells, and the scans of a carrier that knows the
/// parcels alone.
fn story() -> Vec<v1::Statement> {
    let (shop, carrier) = (("shop", "amy"), ("carrier", "77"));
    let mail = [("email", "amy@shop.com")];
    let parcel = |second, id| {
        let said_of = [("shipment_id", id), ("order_id", "1001")];
        said(shop, "shipment_created", second, &said_of)
    };
    let scan = |second, id| {
        said(
            carrier,
            "shipment_delivered",
            second,
            &[("shipment_id", id)],
        )
    };
    vec![
        upsert(shop, &mail, &[], 1),
        upsert(carrier, &mail, &[], 1),
        said(shop, "order_placed", 10, &[("order_id", "1001")]),
        parcel(20, "A"),
        parcel(21, "B"),
        scan(30, "A"),
        scan(40, "B"),
    ]
}

/// The status of Amy's order.
async fn order(service: &Service, purpose: &str, as_of_time: Option<WireTime>) -> String {
    let request = v1::GetObjectRequest {
        key: Some(by_record("shop", "amy")),
        object: Some(v1::ObjectKey {
            kind: "order".to_owned(),
            id: "1001".to_owned(),
        }),
        purpose: purpose.to_owned(),
        as_of_time,
        ..Default::default()
    };
    let answer = service.profiles().get_object(request).await;
    let answer = answer.expect("an answer").into_inner();
    answer.object.expect("an order").status
}

#[tokio::test]
async fn an_order_follows_its_parcels_whatever_comes_in_first() {
    for is_reversed in [false, true] {
        let (service, _ground, _) = start().await;
        let mut story = story();
        if is_reversed {
            story.reverse();
        }
        for statement in story {
            service.say(vec![statement]).await;
        }
        assert_eq!(order(&service, "", None).await, "delivered");
        let objects = v1::ListTimelineRequest {
            key: Some(by_record("shop", "amy")),
            view: TimelineView::Objects.into(),
            ..Default::default()
        };
        let objects = shown(&page(&service, objects).await);
        assert_eq!(
            objects,
            [
                "shipment/B delivered 2",
                "shipment/A delivered 2",
                "order/1001 delivered 3"
            ]
        );
        let context = v1::GetContextRequest {
            key: Some(by_record("shop", "amy")),
            purpose: "service".to_owned(),
            view: "desk".to_owned(),
            ..Default::default()
        };
        let context = service.contexts().get_context(context).await;
        let context = context.expect("a context").into_inner();
        assert_eq!(context.objects[0].status, "delivered");
        // A purpose that sees no parcels sees what the order's own events say.
        assert_eq!(order(&service, "orders", None).await, "placed");
    }
}

#[tokio::test]
async fn a_scan_that_is_taken_back_has_no_effect_and_had_one_then() {
    let (service, _ground, clock) = start().await;
    service.say(story()).await;
    let then = at(&clock, 100);
    at(&clock, 200);
    let retraction = Kind::RetractEvent(v1::RetractEvent {
        source: "carrier".to_owned(),
        event_id: "shipment_delivered40".to_owned(),
        ..Default::default()
    });
    service.say(vec![statement(retraction)]).await;
    assert_eq!(order(&service, "", None).await, "partly_delivered");
    assert_eq!(order(&service, "", Some(then)).await, "delivered");
}

#[tokio::test]
async fn parcels_of_another_customer_with_the_same_numbers_do_not_count() {
    let (service, _ground, _) = start().await;
    let mut story = story();
    story.truncate(5);
    service.say(story).await;
    let bobs =
        |kind, second, said_of: &[(&str, &str)]| said(("shop", "bob"), kind, second, said_of);
    service
        .say(vec![
            bobs("order_placed", 50, &[("order_id", "1001")]),
            bobs(
                "shipment_delivered",
                60,
                &[("shipment_id", "A"), ("order_id", "1001")],
            ),
        ])
        .await;
    assert_eq!(order(&service, "", None).await, "placed");
}
