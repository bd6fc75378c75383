use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::model::{Model, Notes};
use crate::records::{Draft, DraftEvent, RecordKey, Timestamp, Value};

fn model(events: &str) -> Arc<Model> {
    let yaml = format!("sources: {{ shop: }}\nevents: {events}\n");
    Arc::new(Model::parse(&yaml).unwrap_or_else(|errors| panic!("{errors:#?}")))
}

/// What is wrong with an event of a type, a line for each violation.
fn wrong(model: &Model, kind: &str, properties: &[(&str, Value)]) -> String {
    let draft = Draft::Event(DraftEvent {
        record: RecordKey::new("shop", "1"),
        attach: Vec::new(),
        event_id: "1".to_owned(),
        kind: kind.to_owned(),
        event_time: None,
        properties: properties
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
    });
    let violations = model
        .check(draft, Timestamp::from_micros(0))
        .err()
        .unwrap_or_default();
    violations
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(BTreeMap::from(
        entries.map(|(name, value)| (name.to_owned(), value)),
    ))
}

#[test]
fn properties_of_the_right_type_unknown_ones_and_none_at_all_are_taken() {
    let model = model("");
    let line = map([
        ("sku", Value::Int(7)),
        ("price", Value::Decimal(Decimal::new(1990, 2))),
        ("glaze", "blue".into()),
    ]);
    let properties = [
        ("order_id", Value::Int(1001)),
        ("total", Value::Int(20)),
        ("tax", Value::Decimal(Decimal::new(319, 2))),
        ("currency", "DEM".into()),
        ("gift", Value::Bool(false)),
        (
            "estimated_delivery_time",
            Value::Time(Timestamp::from_micros(0)),
        ),
        ("products", Value::List(vec![line])),
        ("wrapping", Value::List(vec![])),
    ];
    assert_eq!(wrong(&model, "order_placed", &properties), "");
    assert_eq!(wrong(&model, "order_placed", &[]), "");
}

#[test]
fn a_known_property_of_the_wrong_type_is_named_with_what_it_must_be() {
    let line = map([("sku", Value::Bool(true)), ("price", "19.90".into())]);
    let properties = [
        ("order_id", "a\u{7}".into()),
        ("total", "19.90".into()),
        ("tax", Value::Bool(true)),
        ("currency", "us$".into()),
        ("coupon", Value::Int(7)),
        ("gift", "yes".into()),
        ("estimated_delivery_time", "tomorrow".into()),
        ("products", Value::List(vec![line, "mug".into()])),
        ("store_id", "".into()),
    ];
    insta::assert_snapshot!(wrong(&model(""), "order_placed", &properties), @r"
    record_event.event.properties.coupon: must be a text; it is a whole number
    record_event.event.properties.currency: must be a currency by ISO 4217: three letters, such as USD; it is no such code
    record_event.event.properties.estimated_delivery_time: must be a time; it is a text
    record_event.event.properties.gift: must be true or false; it is a text
    record_event.event.properties.order_id: must not contain control characters
    record_event.event.properties.products[0].price: must be an amount of money: a decimal or whole number; it is a text
    record_event.event.properties.products[0].sku: must be an id: a text or a whole number; it is true or false
    record_event.event.properties.products[1]: must be a map; it is a text
    record_event.event.properties.store_id: is required
    record_event.event.properties.tax: must be an amount of money: a decimal or whole number; it is true or false
    record_event.event.properties.total: must be an amount of money: a decimal or whole number; it is a text
    ");
}

#[test]
fn a_property_with_listed_texts_has_one_of_them() {
    let told = wrong(
        &model(""),
        "survey_response",
        &[("metric", "NPS".into()), ("score", Value::Int(9))],
    );
    assert_eq!(
        told,
        "record_event.event.properties.metric: must be one of nps, csat, ces, text"
    );
}

#[test]
fn a_type_in_no_catalogue_is_taken_as_it_is() {
    assert_eq!(
        wrong(&model(""), "mug_broken", &[("total", "a lot".into())]),
        ""
    );
}

#[test]
fn a_type_of_the_model_is_checked_like_a_built_in_one() {
    let model = model(
        "{ mug_broken: { properties: { cost: money } }, order_placed: { properties: { total: text } } }",
    );
    let told = wrong(&model, "mug_broken", &[("cost", "a lot".into())]);
    assert_eq!(
        told,
        "record_event.event.properties.cost: must be an amount of money: a decimal or whole number; it is a text"
    );
    assert_eq!(
        wrong(&model, "order_placed", &[("total", "a lot".into())]),
        "",
        "the model takes the built-in one's place"
    );
}

/// The notes about an event of a time, received in November 2023.
fn noted(event_time: i64) -> Vec<String> {
    let draft = Draft::Event(DraftEvent {
        record: RecordKey::new("shop", "1"),
        attach: Vec::new(),
        event_id: "1".to_owned(),
        kind: "order_placed".to_owned(),
        event_time: Some(Timestamp::from_micros(event_time * 1_000_000)),
        properties: BTreeMap::new(),
    });
    let (mut notes, received) = (Notes::default(), 1_700_000_000_000_000);
    let checked = model("{}").check_and_note(
        draft,
        Timestamp::from_micros(received),
        &mut notes,
        crate::identity::unread,
    );
    assert!(checked.is_ok(), "{checked:?}");
    notes.list.iter().map(ToString::to_string).collect()
}

#[test]
fn a_time_that_counts_as_the_receipt_is_noted() {
    let (early, late) = ("event_time: is before 1971", "event_time: is later than");
    for (seconds, expected) in [
        (1_699_999_999, None),
        (1_700_000_060, None),
        (31_536_000, None),
        (31_535_999, Some(early)),
        (-2_000_000_000, Some(early)),
        // Nine hours: local time of Tokyo taken for UTC.
        (1_700_032_400, Some(late)),
        (4_000_000_000, Some(late)),
        (250_000_000_000, Some(late)),
    ] {
        let notes = noted(seconds);
        let begins = |begin| notes.len() == 1 && notes[0].starts_with(begin);
        assert!(
            expected.map_or(notes.is_empty(), begins),
            "{seconds}: {notes:?}"
        );
    }
}
