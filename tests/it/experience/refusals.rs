//! What is refused, and what a purpose may see.

use std::sync::Arc;

use customer_profile::active_models::ModelFile;
use customer_profile::grpc::v1::{self, get_experience_metrics_request::Subject};
use customer_profile::store::memory::MemoryStore;
use serde_json::json;
use tonic::Code;

use super::ask;
use crate::support::clock::SetClock;
use crate::support::service::{Service, by_identifier};

const MODEL: &str = r#"
identifiers: { card: { priority: 1 } }
segments: { all: { when: "true" } }
experience: { ces: { events: [] } }
purposes:
  service: { consent: not_needed, experience: [nps, promises] }
  offers: { consent: not_needed }
sources:
  shop:
    records: { customers: { key: card, identifiers: { card: card } } }
    events: { orders: { type: order_placed, id: id, time: at, record: card, properties: { total: decimal(total) } } }
"#;

async fn start(model: &str) -> Service {
    let clock = Arc::new(SetClock::at("2026-11-22T08:00:00Z"));
    let service = Service::start_at(
        Arc::new(MemoryStore::new()),
        ModelFile::parse(model).expect("a model"),
        clock,
    )
    .await;
    service
        .say_payloads("shop", "customers", &[json!({"card": "7"})])
        .await;
    service
}

fn of_customer(purpose: &str) -> v1::GetExperienceMetricsRequest {
    let subject = Some(Subject::Customer(by_identifier("card", "7")));
    v1::GetExperienceMetricsRequest {
        subject,
        purpose: purpose.to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_request_is_refused_with_all_that_is_wrong_with_it() {
    let service = start(MODEL).await;
    let refused = async |request| {
        let status = ask(&service, request).await.expect_err("a refusal");
        assert_eq!(status.code(), Code::InvalidArgument);
        status.message().to_owned()
    };
    let nothing = v1::GetExperienceMetricsRequest {
        window_days: 4000,
        ..Default::default()
    };
    insta::assert_snapshot!(refused(nothing).await, @"subject: is required; window_days: must be from 1 to 3660");
    let segment = Some(Subject::Segment("some".to_owned()));
    let unknown = v1::GetExperienceMetricsRequest {
        subject: segment,
        purpose: "offers".to_owned(),
        ..Default::default()
    };
    insta::assert_snapshot!(refused(unknown).await, @"segment: the model declares no segment `some`; it has: all; purpose: goes with a customer only: a segment and a tenant are nobody's data");
    service.stop().await;

    let service = start(
        &MODEL
            .replace("experience: { ces: { events: [] } }\n", "")
            .replace("experience: [nps, promises]", ""),
    )
    .await;
    let status = ask(&service, of_customer("")).await.expect_err("a refusal");
    insta::assert_snapshot!(status.message(), @"subject: the model measures nothing: it has no section `experience`");
    service.stop().await;
}

#[tokio::test]
async fn a_purpose_sees_only_the_metrics_that_it_lists() {
    let service = start(MODEL).await;
    let all = ask(&service, of_customer(""))
        .await
        .expect("an answer")
        .metrics
        .expect("metrics");
    // What the model does not measure is not there.
    assert!(all.ces.is_none() && all.nps.is_some() && all.churn.is_some());

    let bound = ask(&service, of_customer("service"))
        .await
        .expect("an answer");
    let seen = bound.metrics.expect("metrics");
    assert!(
        seen.nps.is_some()
            && seen.promises.is_some()
            && seen.rfm.is_none()
            && seen.models.is_none()
    );
    let fields: Vec<&str> = bound
        .withheld
        .iter()
        .map(|withheld| withheld.field.as_str())
        .collect();
    insta::assert_snapshot!(fields.join("\n"), @r"
    experience.csat
    experience.rfm
    experience.lifetime_value
    experience.churn
    experience.contact_rate
    experience.first_contact_resolution
    ");

    // By default nothing is seen.
    let closed = ask(&service, of_customer("offers"))
        .await
        .expect("an answer");
    let seen = closed.metrics.expect("metrics");
    assert_eq!(
        seen,
        v1::ExperienceMetrics {
            compute_time: seen.compute_time,
            customer_count: 1,
            ..Default::default()
        }
    );
    service.stop().await;
}
