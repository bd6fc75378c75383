//! Payloads that know an object and no customer, and lists with odd elements.

use serde_json::{Value as Json, json};

use crate::model::Model;
use crate::records::Draft;

const MODEL: &str = "
sources:
  s:
    events:
      scans: { type: shipment_updated, id: id, attach: [shipment, order],
        properties: { shipment_id: number, order_id: order } }
      charges: { type: payment_succeeded, id: id, record: customer, attach: payment, properties: { payment_id: intent } }
      orders: { type: order_placed, id: id, record: customer, properties: { order_id: id,
        products: \"lines.map(line, {'sku': line.sku, 'price': decimal(line.price)})\" } }
";

fn model() -> Model {
    Model::parse(MODEL).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

/// The record of the event of a payload, and the kinds by which it is attached.
fn home(kind: &str, payload: &Json) -> String {
    let drafts = model().map("s", kind, payload).expect("maps");
    match drafts.as_slice() {
        [Draft::Event(event)] => format!("{}|{}", event.record.key, event.attach.join(" ")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_event_names_its_record_or_is_attached_by_objects() {
    let scan = json!({"id": "1", "number": "1Z", "order": null});
    assert_eq!(home("scans", &scan), "|shipment order");
    let known = json!({"id": "1", "customer": "c1", "intent": "pi_1"});
    assert_eq!(home("charges", &known), "c1|");
    let guest = json!({"id": "1", "customer": null, "intent": "pi_1"});
    assert_eq!(home("charges", &guest), "|payment");
    let nobody = json!({"id": "1", "customer": null, "lines": []});
    let refused = model().map("s", "orders", &nobody);
    assert!(
        refused.is_err(),
        "a record is required where nothing else leads to one"
    );
}

#[test]
fn a_mapping_that_leads_to_no_customer_is_a_mistake() {
    let wrong = |event: &str| {
        let file = format!("sources: {{ s: {{ events: {{ e: {event} }} }} }}");
        let errors = Model::parse(&file).expect_err("is wrong");
        errors
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    };
    let neither = wrong("{ type: order_placed, id: id }");
    assert!(neither.contains("needs `record`"), "{neither}");
    let unknown = wrong("{ type: order_placed, id: id, attach: [order, parcel] }");
    assert!(
        unknown.contains("name no `parcel`; they name: "),
        "{unknown}"
    );
}

#[test]
fn elements_that_a_list_leaves_out_are_noted_with_the_statement() {
    let lines = json!([{"sku": "cup", "price": "1.10"}, {"sku": "pot", "price": "cheap"}]);
    let payload = json!({"id": "1", "customer": "c1", "lines": lines});
    let mapped = model()
        .map_in_part("s", "orders", &payload)
        .whole()
        .expect("maps");
    let notes = &mapped.drafts[0].notes.list;
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0].field, "properties.products");
    let told = &notes[0].description;
    assert!(
        told.starts_with("elements of a list are left out: "),
        "{told}"
    );
    assert!(!told.contains("cheap"), "no value is quoted: {told}");
    let whole = json!({"id": "1", "customer": "c1", "lines": [{"sku": "cup", "price": "1.10"}]});
    let mapped = model()
        .map_in_part("s", "orders", &whole)
        .whole()
        .expect("maps");
    assert!(mapped.drafts[0].notes.is_empty());
}
