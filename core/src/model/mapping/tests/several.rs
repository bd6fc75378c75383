//! Conditions, several events of one payload, and remarks on what is left out.

use super::*;
use crate::records::DraftEvent;

const MODEL: &str = r#"
identifiers: { email: { priority: 1, normalize: email } }
traits: { name: {} }
purposes: { news: {}, offers: {} }
events:
  product_bought: { properties: { sku: text, price: decimal } }
sources:
  shop:
    records:
      orders:
        when: customer != null
        key: customer.id
        identifiers: { email: customer.email }
        consents:
          - { purpose: news, when: "source_name == 'web'", contact_point: { email: customer.email }, status: news }
          - { purpose: offers, status: offers }
    events:
      orders:
        - when: test != true
          type: order_placed
          id: "'placed-' + string(id)"
          record: customer.id
          properties: { order_id: string(id), total: "sum(line_items.map(line, decimal(line.price)))" }
        - for_each: { line: line_items }
          when: line.?gift_card.orValue(false) != true
          type: product_bought
          id: "string(id) + '-' + string(line.id)"
          record: customer.id
          properties: { sku: line.sku, price: decimal(line.price), order_id: string(id) }
        - for_each: { parcel: "fulfillments.filter(one, one.status == 'success')" }
          type: shipment_created
          id: parcel.id
          record: customer.id
      any: { type: payload.kind, id: id, record: who }
"#;

fn model() -> Model {
    Model::parse(MODEL).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

fn order() -> Json {
    json!({
        "id": 1001, "test": false, "source_name": "web", "news": "granted",
        "customer": {"id": 7, "email": "ann@example.com"},
        "line_items": [
            {"id": 1, "sku": "cup", "price": "10.10"}, {"id": 2, "sku": "pot", "price": "20"},
            {"id": 3, "sku": "card", "price": "5.00", "gift_card": true}, {"id": 4, "price": "0.01"},
        ],
        "fulfillments": [{"id": "p1", "status": "success"}, {"id": "p2", "status": "open"}, {"id": "p3", "status": "success"}],
    })
}

/// The statements of a payload in short, and those that are left out.
fn told(kind: &str, payload: &Json) -> (Vec<String>, Vec<String>) {
    let mapped = model().map_in_part("shop", kind, payload).whole();
    let mapped = mapped.unwrap_or_else(|violations| panic!("{violations:?}"));
    let short = |made: &NotedDraft| match &made.draft {
        Draft::Event(event) => format!("{} {}", event.kind, event.event_id),
        Draft::Upsert(record) => format!("record {}", record.record.key),
        Draft::Consent(consent) => format!("consent {}", consent.purpose),
        _ => panic!("another statement"),
    };
    let omitted = mapped.omissions.iter();
    let omitted = omitted.map(|omission| format!("{}: {}", omission.field, omission.reason));
    (mapped.drafts.iter().map(short).collect(), omitted.collect())
}

fn refused(payload: &Json) -> Vec<String> {
    let violations = model()
        .map("shop", "orders", payload)
        .expect_err("is refused");
    violations.iter().map(ToString::to_string).collect()
}

fn events(payload: &Json) -> Vec<DraftEvent> {
    let drafts = model()
        .map("shop", "orders", payload)
        .expect("maps")
        .into_iter();
    let events = drafts.filter_map(|draft| match draft {
        Draft::Event(event) => Some(event),
        _ => None,
    });
    events.collect()
}

#[test]
fn one_payload_makes_an_event_for_each_element_and_tells_what_it_leaves_out() {
    let (made, omitted) = told("orders", &order());
    assert_eq!(
        made,
        [
            "record 7",
            "consent news",
            "order_placed placed-1001",
            "product_bought 1001-1",
            "product_bought 1001-2",
            "product_bought 1001-4",
            "shipment_created p1",
            "shipment_created p3",
        ]
    );
    assert_eq!(
        omitted,
        [
            "records.orders.consents[1].status: the payload says nothing",
            "events.orders[1].for_each[2].when: `line.?gift_card.orValue(false) != true`: does not hold",
        ]
    );
    let events = events(&order());
    assert_eq!(events[0].properties["total"].to_string(), "35.11");
    assert_eq!(events[1].properties["sku"].to_string(), "cup");
    assert!(!events[3].properties.contains_key("sku"), "of another line");
}

#[test]
fn a_statement_is_made_only_where_its_condition_holds() {
    let mut payload = order();
    payload["test"] = json!(true);
    payload["source_name"] = json!("till");
    payload["line_items"] = json!([]);
    payload["fulfillments"] = Json::Null;
    let (made, omitted) = told("orders", &payload);
    assert_eq!(made, ["record 7"]);
    assert_eq!(
        omitted,
        [
            "records.orders.consents[0].when: `source_name == 'web'`: does not hold",
            "records.orders.consents[1].status: the payload says nothing",
            "events.orders[0].when: `test != true`: does not hold",
            "events.orders[2].for_each: `fulfillments.filter(one, one.status == 'success')`: there is no list",
        ]
    );
}

#[test]
fn a_condition_that_gives_nothing_is_refused_and_leaves_out_nothing_in_silence() {
    for condition in ["'!paid'", "customer.is_new", "line_items[0].gift_card"] {
        let model = MODEL.replace("when: test != true", &format!("when: {condition}"));
        let model = Model::parse(&model).expect("a model");
        let refused = model.map("shop", "orders", &order()).expect_err(condition);
        assert_eq!(refused.len(), 1);
        let told = refused[0].to_string();
        assert!(
            told.starts_with("events.orders[0].when: `") && told.contains("orValue"),
            "{told}"
        );
    }
}

#[test]
fn a_refusal_without_its_contact_point_is_for_all_and_a_grant_is_not_said() {
    let points = |status: &str| {
        let mut payload = order();
        payload["customer"]["email"] = Json::Null;
        payload["news"] = json!(status);
        let drafts = model().map("shop", "orders", &payload).expect("maps");
        let consents = drafts.into_iter().filter_map(|draft| match draft {
            Draft::Consent(consent) => Some(consent.contact_point),
            _ => None,
        });
        consents.collect::<Vec<_>>()
    };
    for refusal in ["withdrawn", "denied", "Withdrawn"] {
        assert_eq!(points(refusal), [None], "{refusal}");
    }
    for grant in ["granted", "pending"] {
        assert!(points(grant).is_empty(), "{grant}");
    }
}

#[test]
fn what_is_wrong_with_an_element_is_told_with_its_place() {
    let mut payload = order();
    payload["line_items"][1]["price"] = json!("20 €");
    payload["fulfillments"] = json!([{"status": "success"}]);
    assert_eq!(
        refused(&payload),
        [
            "events.orders[0].properties.total: `sum(line_items.map(line, decimal(line.price)))`: decimal() does not take this text: there is more beside the number, such as a currency: take it off by replace()",
            "events.orders[1].for_each[1].properties.price: `decimal(line.price)`: decimal() does not take this text: there is more beside the number, such as a currency: take it off by replace()",
            "events.orders[2].for_each[0].id: `parcel.id`: the payload has no value there, and one is required",
        ]
    );
    payload = order();
    payload["line_items"] = json!({"1": {}});
    assert!(refused(&payload)[0].contains("`sum("));
    payload["line_items"] = json!("none");
    assert!(
        refused(&payload)
            .iter()
            .any(|told| told.ends_with("`line_items`: must be a list"))
    );
    payload["line_items"] = (0..501).map(|id| json!({"id": id, "price": 1})).collect();
    assert!(
        refused(&payload)[0].contains("500"),
        "{:?}",
        refused(&payload)
    );
}

#[test]
fn elements_share_the_budget_of_their_payload_and_pay_for_what_is_bound_anew() {
    // The first takes steps for each line, the second next to none; all of the payload is bound.
    for sku in [
        "string(size(line_items.map(l, l.sku)))",
        "'a' + string(payload.id)",
    ] {
        let model = MODEL.replace("sku: line.sku", &format!("sku: \"{sku}\""));
        let model = Model::parse(&model).expect("a model");
        let lines = |count: usize| {
            let mut payload = order();
            let one = |id| json!({"id": id, "price": 1, "sku": "x".repeat(480)});
            payload["line_items"] = (0..count).map(one).collect();
            model.map("shop", "orders", &payload)
        };
        assert!(lines(50).is_ok(), "{sku}");
        let violations = lines(500).expect_err("is over the budget");
        let told = violations[0].to_string();
        assert!(told.contains("steps"), "{sku}: {told}");
    }
}

#[test]
fn a_type_from_an_expression_is_one_of_the_catalogue() {
    let said = |kind: &str| json!({"kind": kind, "id": 1, "who": "a"});
    for known in ["order_placed", "product_bought"] {
        let (made, _) = told("any", &said(known));
        assert_eq!(made, [format!("{known} 1")]);
    }
    let model = model();
    for unknown in ["conversation_ended", "Order placed", "x"] {
        let refused = model.map("shop", "any", &said(unknown)).expect_err(unknown);
        assert!(
            refused[0].to_string().contains("catalogue"),
            "{:?}",
            refused[0]
        );
        assert!(
            !refused[0].to_string().contains(unknown),
            "{:?}",
            refused[0]
        );
    }
}

#[test]
fn an_element_is_no_column_of_a_file() {
    let fields = model().mapped_fields("shop", "orders").expect("a mapping");
    let names = [
        "customer",
        "fulfillments",
        "id",
        "line_items",
        "news",
        "offers",
        "source_name",
        "test",
    ];
    assert_eq!(
        Vec::from_iter(&fields.required),
        names.iter().collect::<Vec<_>>()
    );
}
