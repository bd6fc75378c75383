//! Another model on data there is: planned, applied, and taken back, through the real server.

mod apply;
mod frequencies;
mod mapping;
mod plan;
mod recount;
mod servers;
mod training;
mod watch;

use std::collections::BTreeMap;

use customer_profile::active_models::ModelFile;
use customer_profile::grpc::v1::{self, model_service_client::ModelServiceClient};
use tonic::{Code, Status};

use crate::support::service::{Service, by_record, upsert};

/// A model in which an e-mail address joins.
pub(crate) const BY_EMAIL: &str = "
identifiers:
  email: { priority: 1, normalize: email }
  phone: { priority: 2, max_records: 1 }
traits:
  name: { keep: most_recent, searchable: true }
  city: { keep: source_trust }
sources:
  web: { trust: 80 }
  crm: { trust: 50 }
";

/// A model in which only a telephone number joins, in any spelling; the other source is trusted
/// more; nobody speaks of cities.
pub(crate) const BY_PHONE: &str = "
identifiers:
  email: { priority: 2, normalize: email, max_records: 1 }
  phone: { priority: 1, normalize: digits }
traits:
  name: { keep: source_trust }
  city: { keep: source_trust, searchable: true }
sources:
  web: { trust: 50 }
  crm: { trust: 80 }
";

pub(crate) fn model(text: &str) -> ModelFile {
    ModelFile::parse(text).expect("a model")
}

/// A small town: who shares an address does not share a telephone.
pub(crate) fn town(service_records: usize) -> Vec<v1::Statement> {
    let record = |number: usize| {
        let (email, phone) = (
            format!("Mail{}@shop.com", number / 2),
            format!("555-{:04}", number.div_ceil(2)),
        );
        let source = if number.is_multiple_of(3) {
            "crm"
        } else {
            "web"
        };
        let spelt = if number.is_multiple_of(5) {
            phone.replace('-', " ")
        } else {
            phone
        };
        let (name, city) = (format!("Person{number}"), format!("City{}", number % 7));
        upsert(
            (source, &number.to_string()),
            &[("email", &email), ("phone", &spelt)],
            &[("name", &name), ("city", &city)],
            1 + i64::try_from(number).expect("small"),
        )
    };
    (0..service_records).map(record).collect()
}

pub(crate) fn key_of(number: usize) -> (&'static str, String) {
    (
        if number.is_multiple_of(3) {
            "crm"
        } else {
            "web"
        },
        number.to_string(),
    )
}

/// All that readers see of each record's profile, but for revision and time.
pub(crate) async fn seen(service: &Service, records: usize) -> BTreeMap<usize, v1::Profile> {
    let mut seen = BTreeMap::new();
    for number in 0..records {
        let (source, key) = key_of(number);
        let request = v1::GetProfileRequest {
            key: Some(by_record(source, &key)),
            view: v1::ProfileView::Full.into(),
            ..v1::GetProfileRequest::default()
        };
        let found = service
            .profiles()
            .get_profile(request)
            .await
            .expect("a profile")
            .into_inner();
        let profile = found.profile.expect("a profile");
        seen.insert(
            number,
            v1::Profile {
                revision: 0,
                update_time: None,
                ..profile
            },
        );
    }
    seen
}

pub(crate) fn file(text: &str) -> v1::ModelCandidate {
    let content = v1::model_candidate::Content::File(text.to_owned());
    v1::ModelCandidate {
        content: Some(content),
        weights: None,
    }
}

pub(crate) fn client(service: &Service) -> ModelServiceClient<tonic::transport::Channel> {
    ModelServiceClient::new(service.channel.clone())
}

/// The plan for a model file.
pub(crate) async fn plan(service: &Service, text: &str) -> Result<v1::ModelPlan, Status> {
    plan_of(service, file(text)).await
}

/// The plan for a candidate.
pub(crate) async fn plan_of(
    service: &Service,
    candidate: v1::ModelCandidate,
) -> Result<v1::ModelPlan, Status> {
    let request = v1::PlanModelRequest {
        candidate: Some(candidate),
    };
    let mut stream = client(service).plan_model(request).await?.into_inner();
    while let Some(answer) = stream.message().await? {
        if let Some(v1::plan_model_response::Message::Plan(plan)) = answer.message {
            assert!(
                stream.message().await?.is_none(),
                "something follows the plan"
            );
            return Ok(plan);
        }
    }
    panic!("a stream without a plan");
}

/// What applying came to.
pub(crate) async fn apply(
    service: &Service,
    request: v1::ApplyModelRequest,
) -> Result<v1::ApplyModelResult, Status> {
    let mut stream = client(service).apply_model(request).await?.into_inner();
    while let Some(answer) = stream.message().await? {
        if let Some(v1::apply_model_response::Message::Result(result)) = answer.message {
            assert!(
                stream.message().await?.is_none(),
                "something follows the result"
            );
            return Ok(result);
        }
    }
    panic!("a stream without a result");
}

pub(crate) async fn apply_file(service: &Service, text: &str) -> v1::ApplyModelResult {
    let request = v1::ApplyModelRequest {
        candidate: Some(file(text)),
        ..v1::ApplyModelRequest::default()
    };
    apply(service, request).await.expect("it is applied")
}

pub(crate) fn code<T>(result: Result<T, Status>) -> Code {
    result.err().expect("a failure").code()
}
