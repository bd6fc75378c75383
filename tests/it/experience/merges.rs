//! Metrics follow who is who: of a merged profile they are those of all of its events, wherever
//! these were said.

use std::sync::Arc;

use customer_profile::active_models::ModelFile;
use customer_profile::grpc::v1::get_experience_metrics_request::Subject;
use serde_json::{Value as Json, json};

use super::metrics;
use crate::support::clock::SetClock;
use crate::support::service::{Service, by_identifier};
use crate::support::stores::{Kind, TestStore};

const MODEL: &str = r#"
identifiers:
  account: { priority: 1, belongs_to: person }
  email: { priority: 2, belongs_to: person, normalize: email }
experience: {}
sources:
  shop:
    records: { accounts: { key: account, identifiers: { account: account, email: email } } }
    events:
      orders: { type: order_placed, id: id, time: at, record: account, properties: { total: decimal(total), currency: "'EUR'" } }
      answers: { type: survey_response, id: id, time: at, record: account, properties: { metric: metric, score: int(score) } }
      calls: { type: call_started, id: id, time: at, record: account, properties: { direction: direction } }
"#;

/// What two accounts say, or one: the same events either way.
async fn say(service: &Service, [first, second]: [&str; 2]) {
    let at = |day: &str| format!("{day}T10:00:00Z");
    let order = |id: &str, account: &str, day: &str, total: &str| json!({"id": id, "account": account, "at": at(day), "total": total});
    let orders = [
        order("1", first, "2026-03-02", "20.10"),
        order("2", second, "2026-05-02", "30.20"),
        // On one day, in two shops: one purchase to models of buying, two to everybody else.
        order("3", first, "2026-09-01", "1.05"),
        order("4", second, "2026-09-01", "2.10"),
    ];
    service.say_payloads("shop", "orders", &orders).await;
    let answer = |id: &str, account: &str, day: &str, metric: &str, score: &str| json!({"id": id, "account": account, "at": at(day), "metric": metric, "score": score});
    let answers = [
        answer("5", first, "2026-09-03", "nps", "9"),
        answer("6", second, "2026-10-03", "nps", "3"),
        answer("7", second, "2026-10-03", "csat", "4"),
    ];
    service.say_payloads("shop", "answers", &answers).await;
    let call =
        |id: &str, account: &str, day: &str| json!({"id": id, "account": account, "at": at(day)});
    // Each account's one call resolved its matter, as far as that account tells.
    let calls: Vec<Json> = vec![
        call("8", first, "2026-10-01"),
        call("9", second, "2026-10-04"),
    ];
    service.say_payloads("shop", "calls", &calls).await;
}

async fn start(store: &TestStore) -> Service {
    let clock = Arc::new(SetClock::at("2026-11-22T08:00:00Z"));
    Service::start_at(
        store.store.clone(),
        ModelFile::parse(MODEL).expect("a model"),
        clock,
    )
    .await
}

fn account(service: &Service, account: &str, email: &str) -> impl Future<Output = ()> {
    let payload = json!({"account": account, "email": email});
    async move { service.say_payloads("shop", "accounts", &[payload]).await }
}

#[tokio::test]
async fn metrics_of_a_merged_profile_are_those_of_all_its_events() {
    for kind in [Kind::Memory, Kind::Sqlite, Kind::Postgres] {
        let (ground, other) = (TestStore::start(kind).await, TestStore::start(kind).await);
        let (merged, whole) = (start(&ground).await, start(&other).await);
        let ann = || Subject::Customer(by_identifier("account", "a"));

        account(&merged, "a", "ann@shop.com").await;
        account(&merged, "b", "anna@shop.com").await;
        say(&merged, ["a", "b"]).await;
        let alone = metrics(&merged, ann()).await;
        assert_eq!(alone.rfm.expect("measured").purchases, Some(2.0));
        assert_eq!(
            alone.first_contact_resolution.expect("measured").ratio,
            Some(1.0)
        );
        // The two turn out to be one.
        account(&merged, "b", "ann@shop.com").await;

        account(&whole, "a", "ann@shop.com").await;
        say(&whole, ["a", "a"]).await;

        let found = metrics(&merged, ann()).await;
        assert_eq!(found, metrics(&whole, ann()).await);
        assert_eq!(found.rfm.as_ref().expect("measured").purchases, Some(4.0));
        assert_eq!(found.rfm.expect("measured").monetary_value, Some(53.45));
        let inputs = found.churn.expect("measured").inputs.expect("purchases");
        assert_eq!(inputs.frequency, 2);
        let nps = found.nps.expect("measured");
        assert_eq!(
            (nps.score, nps.last.expect("an answer").score),
            (Some(0.0), 3)
        );
        // The second call followed the first within a week.
        assert_eq!(
            found.first_contact_resolution.expect("measured").ratio,
            Some(0.5)
        );
        merged.stop().await;
        whole.stop().await;
    }
}
