use super::*;
use crate::records::{Draft, DraftEvent, RecordKey, Statement};

const MODEL: &str = "
sources: { s: }
events: { counted: { properties: { prices: list } } }
computed:
  spent: { sum: order_placed, value: 'products.map(p, p.price)' }
  mean: { average: order_placed, value: 'products.map(p, p.price)' }
  plain: { sum: counted, value: prices }
  favourite: { most_frequent: order_placed, value: 'products.map(p, p.sku)' }
  kinds: { distinct: order_placed, value: 'products.map(p, p.sku)' }
";

fn event(kind: &str, id: &str, properties: &[(&str, Value)]) -> Draft {
    let properties = properties.iter().cloned();
    Draft::Event(DraftEvent {
        record: RecordKey::new("s", "1"),
        attach: Vec::new(),
        event_id: id.to_owned(),
        kind: kind.to_owned(),
        event_time: None,
        properties: properties
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    })
}

fn line(sku: &str, cents: i64) -> Value {
    let price = Value::Decimal(rust_decimal::Decimal::new(cents, 2));
    Value::Map([("sku".to_owned(), sku.into()), ("price".to_owned(), price)].into())
}

#[test]
fn each_element_of_a_list_is_added_and_counts_once_among_different_values() {
    let model = Model::parse(MODEL).unwrap_or_else(|errors| panic!("{errors:#?}"));
    let now = Timestamp::from_micros(1_800_000_000_000_000);
    let mut record = Record::new(RecordKey::new("s", "1"), now);
    let lines = vec![
        line("a", 1_000),
        line("b", 1_000),
        line("a", 1_000),
        line("c", 550),
    ];
    let prices = vec![Value::Int(5), Value::Int(5), Value::Int(2)];
    let drafts = [
        event("order_placed", "1", &[("products", Value::List(lines))]),
        event("counted", "2", &[("prices", Value::List(prices))]),
    ];
    for (place, draft) in drafts.into_iter().enumerate() {
        let Ok(Statement::Event(event)) = model.check(draft, now) else {
            panic!("an event")
        };
        model.count(&mut record, &event, place == 0, now);
    }
    let answer = |name: &str| {
        let definition = &model.computed[name];
        let state = record.rollup.get(definition.id).expect("counted");
        let value = definition.answer(state, now).value;
        value.map_or("-".to_owned(), |value| value.to_string())
    };
    let names = ["spent", "mean", "plain", "favourite", "kinds"];
    let found = names.map(|name| (name, answer(name)));
    let expected = [
        ("spent", "35.50"),
        ("mean", "8.875"),
        ("plain", "12"),
        ("favourite", "a"),
        ("kinds", "3"),
    ];
    assert_eq!(
        found,
        expected.map(|(name, value)| (name, value.to_owned()))
    );
}
