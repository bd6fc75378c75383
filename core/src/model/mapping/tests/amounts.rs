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
