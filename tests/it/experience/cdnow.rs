//! The CDNOW sample through the service: purchases as orders over the API, and metrics of each
//! customer against the published summary, and of all against the published parameters.
//!
//! Source: P. Fader, B. Hardie, <http://www.brucehardie.com/datasets/>;
//! `tests/data/cdnow/README.md` has the whole story. The parameters are those of "Counting your
//! customers the easy way" (2005), table 2 (BG/NBD), and of note 025 (gamma-gamma).

use std::collections::BTreeSet;
use std::sync::Arc;

use customer_profile::active_models::ModelFile;
use customer_profile::grpc::v1::{self, get_experience_metrics_request::Subject};
use customer_profile::store::memory::MemoryStore;
use serde_json::{Value as Json, json};

use super::{metrics, metrics_anew};
use crate::support::clock::SetClock;
use crate::support::service::{Service, by_identifier};

const PURCHASES: &str = include_str!("../../data/cdnow/CDNOW_sample.txt");
const SUMMARY: &str =
    include_str!("../../data/cdnow/cdnow_customers_summary_with_transactions.csv");
/// The published summary is of the first 39 weeks.
const END: &str = "1997-09-30T12:00:00Z";
const LAST_DAY: &str = "19970930";
/// As many payloads as a request may have.
const BATCH: usize = 1_000;

const MODEL: &str = r#"
identifiers:
  customer: { priority: 1, belongs_to: person, unique: true }
segments:
  everybody: { when: "true" }
experience: {}
sources:
  shop:
    records: { customers: { key: customer, identifiers: { customer: customer } } }
    events:
      orders:
        type: order_placed
        id: number
        time: day
        record: customer
        properties: { total: decimal(total), currency: "'USD'" }
"#;

/// The purchases of the first 39 weeks as a shop would tell them, of all customers.
fn orders() -> Vec<Json> {
    let order = |(number, line): (usize, &str)| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let [_, customer, day, _, dollars] = columns[..] else {
            panic!("{line}")
        };
        let order = json!({"number": number.to_string(), "customer": customer, "day": day, "total": dollars});
        (day <= LAST_DAY).then_some(order)
    };
    PURCHASES.lines().enumerate().filter_map(order).collect()
}

/// The service at the end of the 39 weeks, with all purchases in it.
async fn start() -> Service {
    let model = ModelFile::parse(MODEL).expect("a model");
    let service = Service::start_at(
        Arc::new(MemoryStore::new()),
        model,
        Arc::new(SetClock::at(END)),
    )
    .await;
    let orders = orders();
    let customers: BTreeSet<&str> = orders
        .iter()
        .filter_map(|order| order["customer"].as_str())
        .collect();
    let customers: Vec<Json> = customers
        .into_iter()
        .map(|customer| json!({"customer": customer}))
        .collect();
    assert_eq!(customers.len(), 2357);
    for batch in customers.chunks(BATCH) {
        service.say_payloads("shop", "customers", batch).await;
    }
    for batch in orders.chunks(BATCH) {
        service.say_payloads("shop", "orders", batch).await;
    }
    service
}

fn customer(id: &str) -> Subject {
    Subject::Customer(by_identifier("customer", &format!("{id:0>4}")))
}

#[track_caller]
fn assert_within(found: f64, published: f64, part: f64) {
    assert!(
        (found - published).abs() <= part * published.abs(),
        "{found} is not {published}"
    );
}

#[tokio::test]
async fn every_customer_of_cdnow_is_summed_up_as_published() {
    let service = start().await;
    let mut compared = 0;
    for line in SUMMARY.lines().skip(1) {
        let columns: Vec<&str> = line.trim().split(',').collect();
        let [id, x, t_x, age, zbar] = columns[..] else {
            panic!("{line}")
        };
        let found = metrics(&service, customer(id))
            .await
            .lifetime_value
            .and_then(|value| value.inputs);
        let found = found.expect("purchases");
        assert_eq!(found.frequency.to_string(), x, "{line}");
        // Published to two decimals.
        let pairs = [
            (found.recency_weeks, t_x),
            (found.age_weeks, age),
            (found.monetary_value.unwrap_or_default(), zbar),
        ];
        for (found, published) in pairs {
            let published: f64 = published.parse().expect("a number");
            assert!((found - published).abs() < 0.005_01, "{line}: {found}");
        }
        compared += 1;
    }
    assert_eq!(compared, 2357);
    service.stop().await;
}

#[tokio::test]
async fn models_of_buying_have_the_published_parameters() {
    let service = start().await;
    let all = metrics_anew(&service, Subject::Tenant(true)).await;
    assert_eq!(all.customer_count, 2357);
    let v1::BuyingModels {
        bg_nbd,
        gamma_gamma,
        notes,
        ..
    } = all.models.clone().expect("models");
    assert_eq!(notes, Vec::<String>::new());
    let (buying, spending) = (bg_nbd.expect("BG/NBD"), gamma_gamma.expect("gamma-gamma"));
    for (found, published) in [
        (buying.r, 0.2426),
        (buying.alpha, 4.4135),
        (buying.a, 0.7929),
        (buying.b, 2.4258),
        (spending.p, 6.249),
        (spending.q, 3.745),
        (spending.v, 15.448),
    ] {
        assert_within(found, published, 0.01);
    }
    assert_within(buying.ln_likelihood, -9582.4, 1e-5);
    assert_eq!(
        (buying.customer_count, spending.customer_count),
        (2357, 946)
    );

    // What a customer is worth over twelve months, by `lifetimes` 0.11.3: told of each as soon as
    // the models are there.
    let first = metrics(&service, customer("1")).await;
    let value = first.lifetime_value.expect("measured");
    assert_within(value.predicted.expect("a prediction"), 36.274, 0.01);
    assert_within(value.expected_spend.expect("a prediction"), 24.6586, 0.01);
    assert_eq!(
        (value.currency.as_str(), value.historic.as_str()),
        ("USD", "74.02")
    );

    // A segment of everybody is the tenant, and the sum of what its customers are told.
    let everybody = metrics(&service, Subject::Segment("everybody".to_owned())).await;
    assert_eq!(everybody, all);
    let mut sum = 0.0;
    for id in 1..=2357 {
        let found = metrics(&service, customer(&id.to_string())).await;
        sum += found
            .lifetime_value
            .expect("measured")
            .predicted
            .expect("a prediction");
    }
    assert_within(
        all.lifetime_value
            .expect("measured")
            .predicted
            .expect("a prediction"),
        sum,
        1e-9,
    );
    service.stop().await;
}
