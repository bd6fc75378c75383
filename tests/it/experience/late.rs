//! A model that begins to measure says so, until what happened before is counted too.

use std::sync::Arc;
use std::time::Duration;

use customer_profile::grpc::v1::{
    Completeness, ExperienceMetrics, get_experience_metrics_request::Subject,
};
use customer_profile::store::memory::MemoryStore;
use serde_json::json;

use super::{metrics, metrics_anew};
use crate::models::apply_file;
use crate::support::service::{Service, by_identifier};

const BEFORE: &str = r"
identifiers: { card: { priority: 1 } }
sources:
  shop:
    records: { customers: { key: card, identifiers: { card: card } } }
    events: { orders: { type: order_placed, id: id, time: at, record: card, properties: { total: decimal(total) } } }
";

fn purchases(metrics: &ExperienceMetrics) -> (Option<f64>, Completeness) {
    let rfm = metrics.rfm.as_ref().expect("measured");
    (
        rfm.purchases,
        rfm.basis.as_ref().expect("a basis").completeness(),
    )
}

#[tokio::test]
async fn what_happened_before_is_counted_and_until_then_the_answer_is_partial() {
    let store = Arc::new(MemoryStore::new());
    // A server that never counts what was before.
    let service = Service::start_with(store.clone(), |config| {
        config.computed.check_interval = Duration::from_hours(1);
    })
    .await;
    apply_file(&service, BEFORE).await;
    let order =
        |id: &str| json!({"id": id, "card": "7", "at": "2026-01-01T08:00:00Z", "total": "5"});
    service
        .say_payloads(
            "shop",
            "customers",
            &[json!({"card": "7"}), json!({"card": "8"})],
        )
        .await;
    service
        .say_payloads("shop", "orders", &[order("1"), order("2")])
        .await;
    apply_file(&service, &format!("{BEFORE}experience: {{}}\n")).await;
    service.say_payloads("shop", "orders", &[order("3")]).await;

    let customer = |card: &str| Subject::Customer(by_identifier("card", card));
    assert_eq!(
        purchases(&metrics(&service, customer("7")).await),
        (None, Completeness::Partial)
    );
    // Nothing ever happened with the other one.
    assert_eq!(
        purchases(&metrics(&service, customer("8")).await),
        (None, Completeness::Complete)
    );
    let all = metrics_anew(&service, Subject::Tenant(true)).await;
    assert_eq!(purchases(&all), (None, Completeness::Partial));
    service.stop().await;

    let service = Service::start_with(store, |config| {
        config.computed.check_interval = Duration::from_millis(10);
    })
    .await;
    let counted = async {
        while purchases(&metrics(&service, customer("7")).await)
            != (Some(3.0), Completeness::Complete)
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), counted)
        .await
        .expect("all is counted");
    let all = metrics_anew(&service, Subject::Tenant(true)).await;
    assert_eq!(purchases(&all), (Some(3.0), Completeness::Complete));
    service.stop().await;
}
