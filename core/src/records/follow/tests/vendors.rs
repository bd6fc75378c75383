//! Payloads as Shopify and Stripe send them, by mappings.

use serde_json::{Value as Json, json};

use super::*;

const MODEL: &str = r#"
events:
  charge_updated:
    object: { charge: charge_id }
    relates: { payment: payment_id }
    status_property: status
    states: [pending, failed, succeeded, refunded]
    properties: { charge_id: id, payment_id: id, status: text }
  refund_updated:
    extends: refund_updated
    relates: { charge: charge_id }
    states: [requires_action, pending, succeeded, canceled, failed]
    properties: { charge_id: id }
objects:
  order: { follows: { all: shipment, are: delivered, status: delivered } }
  charge: { follows: { any: refund, are: succeeded, status: refunded } }
  payment: { follows: { any: refund, are: succeeded, status: refunded } }
sources:
  shopify:
    events:
      orders: { type: order_placed, id: string(id), record: customer.id, time: created_at, properties: { order_id: string(id) } }
      # fulfillments/create and fulfillments/update: the parcel as it is then.
      fulfillments:
        type: shipment_updated
        id: string(id) + ' ' + updated_at
        record: customer.id
        time: updated_at
        properties: { shipment_id: string(id), order_id: string(order_id), status: "shipment_status == null ? 'created' : shipment_status" }
  stripe:
    events:
      intents: { type: payment_succeeded, id: id, record: data.object.customer, time: created, properties: { payment_id: data.object.id } }
      charges:
        type: charge_updated
        id: id
        record: data.object.customer
        time: created
        properties: { charge_id: data.object.id, payment_id: data.object.payment_intent, status: data.object.status }
      refunds:
        type: refund_updated
        id: id
        record: data.object.metadata.customer
        time: created
        properties:
          refund_id: data.object.id
          charge_id: data.object.charge
          payment_id: data.object.payment_intent
          status: data.object.status
"#;

/// The events of payloads: source, kind, payload.
fn mapped(model: &Model, payloads: &[(&str, &str, Json)]) -> Vec<Event> {
    let mut events = Vec::new();
    for (source, kind, payload) in payloads {
        let drafts = model.map(source, kind, payload);
        let drafts = drafts.unwrap_or_else(|wrong| panic!("{payload}: {wrong:?}"));
        let drafts = drafts.into_iter().filter_map(|draft| match draft {
            Draft::Event(event) => Some(event),
            Draft::Replacement(replacement) => Some(replacement.event),
            _ => None,
        });
        events.extend(drafts.map(|draft| checked(model, draft)));
    }
    events
}

fn fulfillment(
    id: u64,
    hour: u32,
    shipment_status: Option<&str>,
) -> (&'static str, &'static str, Json) {
    let payload = json!({
        "id": id, "order_id": 820_982_911, "status": "success", "shipment_status": shipment_status,
        "tracking_company": "UPS", "tracking_number": format!("1Z{id}"),
        "created_at": "2026-01-05T08:00:00-05:00", "updated_at": format!("2026-01-05T{hour:02}:00:00-05:00"),
        "customer": { "id": "207119551" },
    });
    ("shopify", "fulfillments", payload)
}

#[test]
fn a_shopify_order_of_two_fulfilments_is_delivered_with_the_second() {
    let model = model_of();
    let order = json!({ "id": 820_982_911, "created_at": "2026-01-05T07:00:00-05:00", "customer": { "id": "207119551" } });
    let order = ("shopify", "orders", order);
    let mut told = vec![
        order,
        fulfillment(1, 8, None),
        fulfillment(2, 8, None),
        fulfillment(1, 12, Some("in_transit")),
        fulfillment(1, 15, Some("delivered")),
        fulfillment(2, 16, Some("attempted_delivery")),
    ];
    let order = ("order", "820982911");
    assert_eq!(status(&model, &mapped(&model, &told), order), "placed");
    told.push(fulfillment(2, 20, Some("delivered")));
    assert_eq!(status(&model, &mapped(&model, &told), order), "delivered");
    // The tracking page is changed afterwards: the same parcel, delivered still.
    told.push(fulfillment(1, 22, Some("delivered")));
    assert_eq!(status(&model, &mapped(&model, &told), order), "delivered");
}

fn stripe(
    id: &str,
    created: u64,
    kind: &'static str,
    object: &Json,
) -> (&'static str, &'static str, Json) {
    let payload = json!({ "id": id, "object": "event", "created": created, "livemode": true, "data": { "object": object } });
    ("stripe", kind, payload)
}

#[test]
fn a_stripe_refund_names_its_charge_and_its_payment_intent() {
    let model = model_of();
    let charge = json!({ "id": "ch_1", "object": "charge", "amount": 1999, "customer": "cus_1", "payment_intent": "pi_1", "status": "succeeded" });
    let refund = |status: &str| {
        json!({
            "id": "re_1", "object": "refund", "amount": 1999, "charge": "ch_1", "payment_intent": "pi_1",
            "status": status, "metadata": { "customer": "cus_1" },
        })
    };
    let mut told = vec![
        stripe(
            "evt_1",
            1_767_600_000,
            "intents",
            &json!({ "id": "pi_1", "customer": "cus_1" }),
        ),
        stripe("evt_2", 1_767_600_000, "charges", &charge),
        stripe("evt_3", 1_767_700_000, "refunds", &refund("pending")),
    ];
    let both = |told: &[(&str, &str, Json)]| {
        let events = mapped(&model, told);
        ["charge", "payment"].map(|kind| {
            let id = if kind == "charge" { "ch_1" } else { "pi_1" };
            status(&model, &events, (kind, id))
        })
    };
    assert_eq!(both(&told), ["succeeded", "succeeded"]);
    told.push(stripe(
        "evt_4",
        1_767_700_000,
        "refunds",
        &refund("succeeded"),
    ));
    assert_eq!(both(&told), ["refunded", "refunded"]);
    // Stripe's charge remains `succeeded` when it is refunded, and says so again.
    told.push(stripe("evt_5", 1_767_800_000, "charges", &charge));
    assert_eq!(both(&told), ["refunded", "refunded"]);
    // The bank sends the money back days later.
    told.push(stripe("evt_6", 1_768_300_000, "refunds", &refund("failed")));
    assert_eq!(both(&told), ["succeeded", "succeeded"]);
}

fn model_of() -> Model {
    Model::parse(MODEL).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

#[test]
fn the_example_of_shopify_follows_the_parcels_of_an_order() {
    let model = Model::parse(include_str!("../../../../../examples/shopify/model.yaml"));
    let model = model.unwrap_or_else(|errors| panic!("{errors:#?}"));
    let order: Json = include_str!("../../../../../examples/shopify/order.json")
        .parse()
        .expect("JSON");
    let status_with = |parcels: &[Option<&str>]| {
        let mut order = order.clone();
        let parcel = order["fulfillments"][0].clone();
        let parcel = |(id, shipment_status): (u32, Option<&str>)| {
            let mut parcel = parcel.clone();
            parcel["id"] = json!(id);
            parcel["updated_at"] = json!("2026-11-22T08:00:00-05:00");
            parcel["shipment_status"] = json!(shipment_status);
            parcel
        };
        order["fulfillments"] = (801..).zip(parcels.iter().copied()).map(parcel).collect();
        let events = mapped(&model, &[("shopify", "orders", order)]);
        status(&model, &events, ("order", "5001"))
    };
    assert_eq!(status_with(&[]), "placed");
    assert_eq!(status_with(&[None]), "placed");
    assert_eq!(status_with(&[Some("delivered"), None]), "placed");
    assert_eq!(
        status_with(&[Some("delivered"), Some("in_transit")]),
        "placed"
    );
    assert_eq!(status_with(&[Some("delivered"); 2]), "delivered");
}
