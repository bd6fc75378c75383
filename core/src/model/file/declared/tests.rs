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
