//! A shop, a payment service and a help desk: their webhooks replayed in random orders, each twice.
//! In the end it is what the vendor's own screen would show.

use std::sync::Arc;

use customer_profile::active_models::ModelFile;
use customer_profile::grpc::v1::experience_service_client::ExperienceServiceClient;
use customer_profile::grpc::v1::{self, get_experience_metrics_request::Subject};
use customer_profile::store::memory::MemoryStore;
use serde_json::{Value, json};

use crate::support::clock::SetClock;
use crate::support::service::{Service, by_record};

/// Number of orders for each history.
const ORDERS: u64 = 12;

/// An example's model, with metrics.
async fn start(vendor: &str) -> Service {
    let path = format!(
        "{}/examples/{vendor}/model.yaml",
        env!("CARGO_MANIFEST_DIR")
    );
    let model = std::fs::read_to_string(&path).expect("the example's model");
    let model = format!("{model}\nexperience: {{ purchases: {{ events: order_placed }} }}\n");
    let model = ModelFile::parse(&model).unwrap_or_else(|errors| panic!("{errors:#?}"));
    let clock = Arc::new(SetClock::at("2026-11-25T12:00:00Z"));
    Service::start_at(Arc::new(MemoryStore::new()), model, clock).await
}

/// Puts things into an order that a seed gives: Fisher and Yates' shuffle by `SplitMix64`.
pub(crate) fn shuffle<T>(things: &mut [T], seed: u64) {
    let mut state = seed;
    let mut next = move || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    };
    for last in (1..things.len()).rev() {
        let other = usize::try_from(next() % (last as u64 + 1)).expect("a place");
        things.swap(last, other);
    }
}

/// Says payloads in an order that a seed gives, each twice. None may be refused.
async fn replay(service: &Service, source: &str, told: &[(&str, Value)], seed: u64) {
    let mut told: Vec<&(&str, Value)> = told.iter().chain(told).collect();
    shuffle(&mut told, seed);
    for (kind, payload) in told {
        let request = v1::IngestPayloadsRequest {
            source: source.to_owned(),
            kind: (*kind).to_owned(),
            payloads: vec![payload.to_string().into()],
        };
        let answer = service.ingest().ingest_payloads(request).await;
        let answer = answer.expect("a receipt").into_inner();
        for result in answer.results.iter().flat_map(|payload| &payload.results) {
            let outcome = result.outcome();
            assert_ne!(
                outcome,
                v1::StatementOutcome::Rejected,
                "{seed}: {result:?}"
            );
        }
    }
}

async fn metrics(service: &Service, key: v1::ProfileKey) -> v1::ExperienceMetrics {
    let request = v1::GetExperienceMetricsRequest {
        subject: Some(Subject::Customer(key)),
        ..Default::default()
    };
    let mut client = ExperienceServiceClient::new(service.channel.clone());
    let answer = client.get_experience_metrics(request).await;
    answer
        .expect("metrics")
        .into_inner()
        .metrics
        .expect("metrics")
}

async fn object(service: &Service, kind: &str, id: &str) -> v1::Object {
    let request = v1::GetObjectRequest {
        object: Some(v1::ObjectKey {
            kind: kind.to_owned(),
            id: id.to_owned(),
        }),
        ..Default::default()
    };
    let answer = service.profiles().get_object(request).await;
    answer
        .expect("an object")
        .into_inner()
        .object
        .expect("an object")
}

fn order(id: u32, total: &str, minute: u32, more: &Value) -> (&'static str, Value) {
    let mut order = json!({
        "id": id, "test": false, "email": "ann@example.com", "phone": null, "currency": "EUR",
        "created_at": "2026-11-20T10:00:00Z", "updated_at": format!("2026-11-20T10:{minute:02}:00Z"),
        "total_price": total, "total_tax": "0.00", "cancelled_at": null, "cancel_reason": null,
        "customer": {"id": 7001, "email": "ann@example.com"}, "line_items": [], "fulfillments": [], "refunds": []
    });
    for (name, value) in more.as_object().expect("fields") {
        order[name] = value.clone();
    }
    ("orders", order)
}

#[expect(clippy::too_many_lines, reason = "a history")]
#[tokio::test]
async fn a_shop_with_guests_refunds_edits_and_two_parcels() {
    let parcel = |id: u32, minute: u32, number: Value| {
        json!({"id": id, "status": "success", "created_at": "2026-11-20T10:20:00Z",
            "updated_at": format!("2026-11-20T10:{minute}:00Z"), "tracking_number": number, "tracking_company": "UPS"})
    };
    let back = json!([{"id": 901, "created_at": "2026-11-20T10:40:00Z", "note": "broken", "transactions": [
        {"id": 1, "kind": "refund", "status": "success", "amount": "6.00"},
        {"id": 2, "kind": "refund", "status": "success", "amount": "4.00"},
        {"id": 3, "kind": "refund", "status": "failure", "amount": "10.00"}]}]);
    let first = parcel(801, 20, Value::Null);
    let both = json!([parcel(801, 25, json!("1Z1")), parcel(802, 20, json!("1Z2"))]);
    let told = [
        order(5001, "100.00", 0, &json!({})),
        // A line was taken out.
        order(5001, "80.00", 10, &json!({})),
        order(5001, "80.00", 20, &json!({"fulfillments": [first]})),
        order(5001, "80.00", 25, &json!({"fulfillments": both})),
        order(
            5001,
            "80.00",
            40,
            &json!({"fulfillments": both, "refunds": back}),
        ),
        order(5002, "20.00", 0, &json!({"customer": null})),
        order(5003, "50.00", 0, &json!({})),
        order(
            5003,
            "50.00",
            30,
            &json!({"cancelled_at": "2026-11-20T10:30:00Z", "cancel_reason": "customer"}),
        ),
        order(5004, "999.00", 0, &json!({"test": true})),
    ];
    for seed in 0..ORDERS {
        let service = start("shopify").await;
        replay(&service, "shopify", &told, seed).await;
        let metrics = metrics(&service, by_record("shopify", "7001")).await;
        let value = metrics.lifetime_value.expect("a value");
        assert_eq!(
            (value.historic.as_str(), value.currency.as_str()),
            ("90", "EUR"),
            "{seed}"
        );
        let purchases = metrics.rfm.expect("purchases").purchases;
        assert_eq!(
            purchases,
            Some(2.0),
            "{seed}: the guest's too, the cancelled one not"
        );
        let order = object(&service, "order", "5001").await;
        let total = order.fields["total"].kind.clone();
        let total = total.expect("a total");
        assert_eq!(
            total,
            v1::value::Kind::DecimalValue("80.00".into()),
            "{seed}"
        );
        let related = order.related_objects.iter();
        let related: Vec<String> = related.map(|it| format!("{} {}", it.kind, it.id)).collect();
        assert_eq!(
            related,
            ["refund 901", "shipment 801", "shipment 802"],
            "{seed}"
        );
        let parcel = object(&service, "shipment", "801").await;
        assert!(parcel.fields.contains_key("tracking_number"), "{seed}");
        assert_eq!(
            object(&service, "order", "5003").await.status,
            "cancelled",
            "{seed}"
        );
        service.stop().await;
    }
}

#[tokio::test]
async fn payments_refunds_and_a_subscription_that_changes_within_a_second() {
    let event = |id: &str, kind: &str, seconds: u32, object: Value| json!({"id": id, "type": kind, "created": 1_795_651_200 + seconds, "livemode": true, "data": {"object": object}});
    let charge = |amount: u32| json!({"id": "ch_1", "amount": amount, "currency": "eur", "customer": "cus_1", "failure_message": null});
    let subscription = |status: &str| json!({"id": "sub_1", "customer": "cus_1", "status": status});
    let refund = json!({"id": "re_1", "charge": "ch_1", "amount": 500, "currency": "eur", "metadata": {"customer": "cus_1"}});
    let told = [
        // Ids are random: the order of their letters says nothing.
        ("charges", event("evt_9", "charge.failed", 0, charge(1999))),
        (
            "charges",
            event("evt_1", "charge.succeeded", 0, charge(1999)),
        ),
        (
            "refunds",
            event("evt_2", "refund.created", 60, refund.clone()),
        ),
        ("refunds", event("evt_3", "refund.updated", 90, refund)),
        (
            "subscriptions",
            event(
                "evt_8",
                "customer.subscription.created",
                5,
                subscription("trialing"),
            ),
        ),
        (
            "subscriptions",
            event(
                "evt_7",
                "customer.subscription.updated",
                5,
                subscription("active"),
            ),
        ),
        (
            "subscriptions",
            event(
                "evt_4",
                "customer.subscription.deleted",
                5,
                subscription("canceled"),
            ),
        ),
    ];
    for seed in 0..ORDERS {
        let service = start("stripe").await;
        replay(&service, "stripe", &told, seed).await;
        let subscription = object(&service, "subscription", "sub_1").await;
        assert_eq!(subscription.status, "cancelled", "{seed}");
        let payment = object(&service, "payment", "ch_1").await;
        assert_eq!(payment.status, "succeeded", "{seed}");
        let amount = payment.fields["amount"].kind.clone().expect("an amount");
        assert_eq!(
            amount,
            v1::value::Kind::DecimalValue("19.99".into()),
            "{seed}"
        );
        let refund = object(&service, "refund", "re_1").await;
        assert_eq!(refund.event_count, 2, "{seed}");
        service.stop().await;
    }
}

#[tokio::test]
async fn a_help_desk_with_merged_tickets_and_changed_ratings() {
    let ticket = |id: u32, minute: u32, status: &str, tags: &[&str], rating: &str| {
        let rating = json!({"id": 1, "score": rating, "comment": null});
        let ticket = json!({"id": id, "status": status, "subject": "Parcel", "priority": "high", "requester_id": 20,
            "tags": tags, "created_at": "2026-11-20T10:00:00Z", "updated_at": format!("2026-11-20T10:{minute:02}:00Z"),
            "via": {"channel": "web"}, "custom_fields": null, "satisfaction_rating": rating});
        ("tickets", ticket)
    };
    let told = [
        ticket(1, 0, "open", &[], "unoffered"),
        ticket(1, 5, "closed", &["closed_by_merge"], "unoffered"),
        ticket(2, 0, "open", &[], "unoffered"),
        ticket(2, 10, "solved", &[], "offered"),
        ticket(2, 20, "solved", &[], "good"),
        ticket(2, 30, "solved", &[], "bad"),
        ticket(2, 40, "closed", &[], "good"),
    ];
    for seed in 0..ORDERS {
        let service = start("zendesk").await;
        replay(&service, "zendesk", &told, seed).await;
        let metrics = metrics(&service, by_record("zendesk", "20")).await;
        let csat = metrics.csat.expect("a rating");
        assert_eq!(csat.response_count, 1, "{seed}: one ticket, one rating");
        assert_eq!(csat.last.expect("a rating").score, 5, "{seed}");
        let contacts = metrics.contact_rate.expect("contacts").contact_count;
        assert_eq!(
            contacts, 1,
            "{seed}: a merged ticket is no contact of its own"
        );
        let merged = object(&service, "conversation", "1").await;
        assert_eq!(merged.status, "closed", "{seed}");
        assert_eq!(
            object(&service, "conversation", "2").await.status,
            "closed",
            "{seed}"
        );
        service.stop().await;
    }
}
