//! Retention: who is about to stay away, told the moment that it is asked, by what all customers
//! do.

use std::sync::Arc;

use customer_profile::active_models::ModelFile;
use customer_profile::grpc::v1::{self, get_experience_metrics_request::Subject};
use customer_profile::store::Store;
use customer_profile::store::memory::MemoryStore;
use serde_json::{Value as Json, json};

use crate::experience::{metrics, metrics_anew};
use crate::support::clock::{SetClock, instant};
use crate::support::service::{Service, by_identifier};

const MODEL: &str = r#"
time_zone: Europe/Vienna
identifiers:
  card: { priority: 1, belongs_to: person, unique: true }
computed:
  orders: { count: order_placed }
  days_since_order: { days_since: order_placed }
segments:
  staying_away: { when: computed.orders >= 3 && computed.days_since_order > 60 }
experience:
  purchases: { events: order_placed, value: total, where: total > 0 }
sources:
  shop:
    records: { customers: { key: card, identifiers: { card: card } } }
    events:
      orders:
        type: order_placed
        id: number
        time: at
        record: card
        properties: { total: decimal(total), currency: "'EUR'" }
"#;

const CUSTOMERS: u32 = 60;

fn order(card: u32, number: u32, at: &str, total: &str) -> Json {
    json!({"card": card.to_string(), "number": format!("{card}-{number}"), "at": at, "total": total})
}

/// Sixty customers: each third one ordered once, the others each so many weeks, the later ones for
/// longer.
fn orders() -> Vec<Json> {
    let mut all = Vec::new();
    for card in 1..=CUSTOMERS {
        let (weeks, times) = (1 + card % 7, if card % 3 == 0 { 1 } else { 2 + card % 11 });
        for number in 0..times {
            let days = number * weeks * 7 + card % 5;
            let date = jiff::civil::date(2026, 1, 5).saturating_add(jiff::Span::new().days(days));
            all.push(order(
                card,
                number,
                &format!("{date}T10:00:00Z"),
                &format!("{}.50", 10 + card),
            ));
        }
    }
    all
}

async fn start(store: Arc<dyn Store>, clock: Arc<SetClock>) -> Service {
    let model = ModelFile::parse(MODEL).expect("a model");
    let service = Service::start_at(store, model, clock).await;
    let cards: Vec<Json> = (1..=CUSTOMERS + 1)
        .map(|card| json!({"card": card.to_string()}))
        .collect();
    service.say_payloads("shop", "customers", &cards).await;
    service.say_payloads("shop", "orders", &orders()).await;
    service
}

fn card(number: u32) -> Subject {
    Subject::Customer(by_identifier("card", &number.to_string()))
}

/// What somebody sees who is to keep a customer.
fn shown(metrics: &v1::ExperienceMetrics) -> String {
    let rfm = metrics.rfm.as_ref().expect("measured");
    let (value, churn) = (
        metrics.lifetime_value.as_ref().expect("measured"),
        metrics.churn.as_ref().expect("measured"),
    );
    let number =
        |number: Option<f64>| number.map_or("-".to_owned(), |number| format!("{number:.2}"));
    format!(
        "RFM {}: {} days, {} orders, {} {}; so far {}, next year {}; alive {}, {} gaps",
        rfm.scores,
        number(rfm.days_since_last),
        number(rfm.purchases),
        number(rfm.monetary_value),
        rfm.currency,
        value.historic,
        number(value.predicted),
        number(churn.probability_alive),
        number(churn.gaps_since_last),
    )
}

#[tokio::test]
async fn who_is_about_to_stay_away_is_told_live() {
    let clock = Arc::new(SetClock::at("2026-05-04T08:00:00Z"));
    let service = start(Arc::new(MemoryStore::new()), clock.clone()).await;
    metrics_anew(&service, Subject::Tenant(true)).await;
    let ask = async |number| shown(&metrics(&service, card(number)).await);

    // A weekly customer who has not come for weeks; one who still comes; one who came once; one who
    // never did.
    insta::assert_snapshot!(ask(7).await, @"RFM 343: 61.00 days, 9.00 orders, 157.50 EUR; so far 157.5, next year 32.73; alive 0.12, 8.71 gaps");
    insta::assert_snapshot!(ask(20).await, @"RFM 554: 0.00 days, 11.00 orders, 335.50 EUR; so far 335.5, next year 567.91; alive 0.95, 0.00 gaps");
    insta::assert_snapshot!(ask(3).await, @"RFM 211: 116.00 days, 1.00 orders, 13.50 EUR; so far 13.5, next year 97.53; alive 1.00, - gaps");
    insta::assert_snapshot!(ask(61).await, @"RFM : - days, - orders, - ; so far 0, next year -; alive -, - gaps");

    // The moment that an order is placed it counts, though the models of all customers are those of
    // before.
    let before = metrics(&service, card(7)).await;
    service
        .say_payloads(
            "shop",
            "orders",
            &[order(7, 99, "2026-05-04T07:59:00Z", "80")],
        )
        .await;
    let after = metrics(&service, card(7)).await;
    insta::assert_snapshot!(shown(&after), @"RFM 554: 0.00 days, 10.00 orders, 237.50 EUR; so far 237.5, next year 347.10; alive 0.95, 0.00 gaps");
    assert_eq!(after.models, before.models);

    // And so does time, without a write: by the calendar of Vienna.
    clock.set(instant("2026-05-04T22:00:00Z"));
    let next_day = metrics(&service, card(7)).await;
    assert_eq!(next_day.churn.expect("measured").days_since_last, Some(1.0));
    service.stop().await;
}

#[tokio::test]
async fn a_segment_tells_what_is_at_stake() {
    let clock = Arc::new(SetClock::at("2026-05-04T08:00:00Z"));
    let service = start(Arc::new(MemoryStore::new()), clock).await;
    let all = metrics_anew(&service, Subject::Tenant(true)).await;
    let away = metrics(&service, Subject::Segment("staying_away".to_owned())).await;
    assert_eq!(
        (
            all.customer_count,
            all.rfm.as_ref().expect("measured").buyer_count
        ),
        (61, 60)
    );
    insta::assert_snapshot!(format!("{}\n{} of {}", shown(&away), away.customer_count, all.customer_count), @r"
    RFM : 81.75 days, 5.25 orders, 190.12 EUR; so far 1521, next year 619.42; alive 0.28, - gaps
    8 of 61
    ");
    // Those who stay away are less likely to come, and their recency scores are low.
    let alive = |metrics: &v1::ExperienceMetrics| {
        metrics
            .churn
            .as_ref()
            .and_then(|churn| churn.probability_alive)
    };
    assert!(alive(&away) < alive(&all));
    let scores = away.rfm.expect("measured").recency_score_counts;
    assert_eq!((scores[3], scores[4]), (0, 0), "{scores:?}");
    // One fifth each, but for those who ordered on the same day.
    assert_eq!(
        all.rfm
            .expect("measured")
            .recency_score_counts
            .iter()
            .sum::<i64>(),
        60
    );
    service.stop().await;
}
