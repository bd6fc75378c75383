//! A model with many deliberate mistakes: each is reported, at its word.

use crate::model::Model;

#[test]
fn each_mistake_of_a_model_is_told_with_line_and_column() {
    let errors = Model::parse(include_str!("mistakes.yaml")).expect_err("has mistakes");
    let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert!(errors.len() >= 30, "{told:#?}");
    assert_eq!(told.join("\n") + "\n", include_str!("mistakes.txt"));
}

#[test]
fn what_is_right_is_no_mistake() {
    let yaml = r#"
traits: { topics: { keep: union }, tier: , age: }
events: { app_opened: { properties: { seconds: whole } }, viewed: }
sources:
  shop:
    events:
      orders: { type: order_placed, id: id, record: c, properties: { currency: "'USD'", total: "decimal(total)", colour: c } }
      parcels: { type: "late ? 'shipment_delivered' : 'shipment_created'", id: id, record: c }
      views: { type: viewed, id: id, record: c, properties: { page: p } }
computed:
  spent: { sum: order_placed, value: "total - tax / 2", where: "colour == 'red' || currency in ['USD', 'EUR']" }
  pages: { distinct: viewed, value: page, where: "page.startsWith('/shop') && event.hour >= 9" }
  skus: { most_frequent: order_placed, value: "products.filter(p, p.quantity > 1).map(p, p.sku)" }
  late: { count: shipment_delivered, where: "time(delivery_time) > time(estimated_delivery_time)" }
  last_order: { last: order_placed }
  long: { sum: app_opened, value: "decimal(seconds) / 60" }
segments:
  news: { when: "traits.topics.exists(x, x == 'news')" }
  recent: { when: "computed.last_order > timestamp('2026-01-01T00:00:00Z')" }
  rich: { when: "computed.spent / 2 > 100.0 && preferences.do_not_contact != true" }
  adult: { when: "int(traits.age) >= 18 || traits.tier in ['gold', 'silver']" }
  topics: { when: "preferences.topics.news == true && 'sms' in preferences.preferred_channels" }
  simple: { when: "preferences.do_not_contact" }
"#;
    let errors = Model::parse(yaml).err().unwrap_or_default();
    let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{told:#?}");
}

#[test]
fn an_expression_of_another_kind_than_its_property_is_a_mistake() {
    let told = |property: &str, expression: &str| {
        let yaml = format!(
            "sources: {{ s: {{ events: {{ o: {{ type: order_placed, id: id, record: r, \
             properties: {{ {property}: \"{expression}\" }} }} }} }} }}"
        );
        let errors = Model::parse(&yaml).err().unwrap_or_default();
        let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
        told.join("; ")
    };
    for (property, expression, kind) in [
        ("total", "upper(x)", "it is a text"),
        ("total", "string(x)", "it is a text"),
        ("total", "a + ' EUR'", "it is a text"),
        ("total", "decimal(x) > 5", "it is a boolean"),
        ("total", "time(x)", "it is a time"),
        (
            "total",
            "lines.map(line, decimal(line.price))",
            "it is a list",
        ),
        ("quantity", "x.split(',')", "it is a list"),
        ("currency", "decimal(x)", "it is a number"),
        ("status", "size(x)", "it is a number"),
        ("gift", "string(x)", "it is a text"),
        ("gift", "int(x)", "it is a number"),
        ("estimated_delivery_time", "string(x)", "it is a text"),
        ("products", "join_nonempty(',', x)", "it is a text"),
        ("products", "size(x)", "it is a number"),
        ("order_id", "x == 1", "it is a boolean"),
    ] {
        let found = told(property, expression);
        let begin = format!("properties.{property}: every event would be refused: must be ");
        assert!(found.contains(&begin), "{property} {expression}: {found}");
        assert!(found.ends_with(kind), "{property} {expression}: {found}");
    }
    for (property, expression) in [
        ("total", "x"),
        ("total", "decimal(x) * 2"),
        ("total", "sum(lines.map(line, decimal(line.price)))"),
        ("total", "flag ? decimal(x) : y"),
        ("currency", "upper(x)"),
        ("status", "string(x)"),
        ("gift", "bool(x)"),
        ("gift", "x == 'yes'"),
        ("estimated_delivery_time", "time(x)"),
        ("estimated_delivery_time", "time(x) + duration('24h')"),
        ("products", "lines.map(line, { 'sku': line.sku })"),
        ("order_id", "string(x)"),
        ("order_id", "int(x)"),
        ("colour", "size(x)"),
    ] {
        let found = told(property, expression);
        assert_eq!(found, "", "{property} {expression}");
    }
}
