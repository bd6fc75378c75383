//! Amounts of money as payloads have them.

use super::*;

#[test]
fn amounts_with_a_comma_are_read_where_it_is_declared_and_refused_elsewhere() {
    let total = |expression: &str, amount: &str| {
        let mapping = format!(
            "type: order_placed, id: id, record: id, properties: {{ total: \"{expression}\" }}"
        );
        let payload = serde_json::json!({ "id": 1, "amount": amount });
        match orders(&mapping, &payload) {
            Ok(drafts) => match drafts.first() {
                Some(Draft::Event(event)) => event.properties["total"].to_string(),
                other => panic!("{other:?}"),
            },
            Err(wrong) => wrong[0].to_string(),
        }
    };
    for (expression, amount, expected) in [
        ("decimal(amount, ',')", "1.234,50", "1234.50"),
        ("decimal(amount, ',')", "1.234", "1234"),
        ("decimal(amount, '.')", "1,234", "1234"),
        ("decimal(amount)", "1,234.50", "1234.50"),
        ("decimal(amount)", "1,234", "write decimal(…, '.')"),
        ("decimal(amount)", "12,50", "write decimal(…, ',')"),
        (
            "decimal(amount, ',')",
            "12.50",
            "the groups of digits that are declared",
        ),
        (
            "decimal(amount, ';')",
            "12.50",
            "decimal() takes '.' or ','",
        ),
        ("decimal(amount)", "1_234.50", "it is no number"),
        ("decimal(amount)", "1.23E+11", "a spreadsheet shows"),
        (
            "decimal(amount)",
            "€ 12.50",
            "there is more beside the number",
        ),
    ] {
        let found = total(expression, amount);
        assert!(found.contains(expected), "{expression} {amount}: {found}");
    }
}

#[test]
fn minor_units_are_those_of_the_currency() {
    let mapping = "type: order_placed, id: id, record: customer, \
                   properties: { total: { money: amount, minor: true, currency: currency } }";
    let total = |amount: Json, currency: &str| {
        let payload = serde_json::json!({
            "id": 1, "customer": 2, "amount": amount, "currency": currency
        });
        match orders(mapping, &payload).map(|mut drafts| drafts.pop()) {
            Ok(Some(Draft::Event(event))) => event.properties["total"].to_string(),
            Ok(other) => panic!("{other:?}"),
            Err(wrong) => wrong[0].to_string(),
        }
    };
    assert_eq!(total(1999.into(), "usd"), "19.99");
    assert_eq!(total(1999.into(), "JPY"), "1999");
    assert_eq!(total("1999".into(), "KWD"), "1.999");
    assert_eq!(total(1999.into(), "HRK"), "19.99");
    for code in ["US$", "", "XAU", "XTS", "ITL"] {
        let told = total(1999.into(), code);
        assert!(
            told.contains("by ISO 4217 whose minor unit is known"),
            "{code}: {told}"
        );
    }
    let lacking = "sources: { s: { events: { o: { type: order_placed, id: id, record: r, \
                   properties: { total: { money: a, minor: true } } } } } }";
    let wrong = Model::parse(lacking).expect_err("no currency");
    assert!(wrong[0].message.contains("needs `currency`"), "{wrong:?}");
}

#[test]
fn minor_units_are_those_of_a_service_where_the_mapping_names_it() {
    let total = |units: &str, currency: &str| {
        let mapping = format!(
            "type: order_placed, id: id, record: id, \
             properties: {{ total: {{ money: '1999', minor: {units}, currency: \"'{currency}'\" }} }}"
        );
        let drafts = orders(&mapping, &serde_json::json!({ "id": 1 })).expect("drafts");
        let Some(Draft::Event(event)) = drafts.first() else {
            panic!("{drafts:?}")
        };
        event.properties["total"].to_string()
    };
    for (units, currency, expected) in [
        ("true", "ISK", "1999"),
        ("iso", "ISK", "1999"),
        ("stripe", "ISK", "19.99"),
        ("stripe", "MGA", "1999"),
        ("adyen", "CLP", "19.99"),
        ("sumup", "HUF", "1999"),
        ("false", "EUR", "1999"),
    ] {
        assert_eq!(total(units, currency), expected, "{units} {currency}");
    }
    let model = Model::parse(
        "sources: { shop: { events: { orders: { type: order_placed, id: id, record: id, \
         properties: { total: { money: total, minor: true, currency: \"'EUR'\" } } } } } }",
    )
    .expect("a model");
    let payload = serde_json::json!({ "id": 1, "total": "19.99" });
    let mapped = model
        .map_in_part("shop", "orders", &payload)
        .whole()
        .expect("drafts");
    let notes = &mapped.drafts[0].notes.list;
    assert!(
        notes.len() == 1
            && notes[0]
                .to_string()
                .starts_with("properties.total: has a fraction"),
        "{notes:?}"
    );
    let whole: Json = serde_json::from_str(r#"{"id": 1, "total": 1999.0}"#).expect("JSON");
    let mapped = model
        .map_in_part("shop", "orders", &whole)
        .whole()
        .expect("drafts");
    assert!(mapped.drafts[0].notes.list.is_empty());
    let unknown = "sources: { s: { minor: cents } }";
    let wrong = Model::parse(unknown).expect_err("no such unit");
    assert!(wrong[0].message.contains("stripe"), "{wrong:?}");
}
