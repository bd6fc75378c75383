//! Weights learned from the data that there is.

use customer_profile::grpc::v1;
use tonic::{Code, Status};

use super::{BY_EMAIL, apply, client, code, model, plan_of};
use crate::support::service::{Service, upsert};
use crate::support::stores::{Kind, TestStore};

const BY_NAME: &str = "
identifiers:
  email: { priority: 1, normalize: email }
traits:
  given_name: { match: given_name }
  family_name: { match: family_name }
  birth_date: { match: birth_date }
  city: { match: city }
sources:
  web: { trust: 80 }
  crm: { trust: 50 }
";

/// Two hundred people, each known to two systems; one of them mistypes.
fn people() -> Vec<v1::Statement> {
    let mut said = Vec::new();
    for number in 0..200_u32 {
        let given =
            ["Ann", "Bob", "Cleo", "Dan", "Eve", "Finn", "Gwen"][number as usize % 7].to_owned();
        let family = format!(
            "F{}son{}",
            ["al", "er", "il", "ol", "ud"][number as usize % 5],
            char::from_u32(97 + number / 8).expect("a letter")
        );
        let born = format!(
            "19{:02}-{:02}-{:02}",
            40 + number % 50,
            1 + number % 12,
            1 + number % 28
        );
        let city = format!("City{}", number % 9);
        for source in ["web", "crm"] {
            let family = if source == "crm" && number.is_multiple_of(3) {
                family.replace("son", "sno")
            } else {
                family.clone()
            };
            let traits = [
                ("given_name", &*given),
                ("family_name", &*family),
                ("birth_date", &*born),
                ("city", &*city),
            ];
            said.push(upsert((source, &number.to_string()), &[], &traits, 1));
        }
    }
    said
}

pub(super) async fn train(
    service: &Service,
    request_id: &str,
) -> Result<v1::TrainModelResult, Status> {
    let request = v1::TrainModelRequest {
        request_id: request_id.to_owned(),
    };
    let mut stream = client(service).train_model(request).await?.into_inner();
    while let Some(answer) = stream.message().await? {
        if let Some(v1::train_model_response::Message::Result(result)) = answer.message {
            return Ok(result);
        }
    }
    panic!("a stream without a result");
}

pub(super) fn version(version: i64) -> v1::ModelCandidate {
    v1::ModelCandidate {
        content: Some(v1::model_candidate::Content::Version(version)),
        weights: None,
    }
}

async fn origins(service: &Service) -> Vec<(i64, bool, v1::WeightsOrigin)> {
    let listed = client(service)
        .list_model_versions(v1::ListModelVersionsRequest::default())
        .await;
    let models = listed.expect("versions").into_inner().models;
    models
        .iter()
        .map(|model| (model.version, model.in_force, model.weights_origin()))
        .collect()
}

async fn learned_planned_applied(kind: Kind) {
    use v1::WeightsOrigin::{Shipped, Trained};
    let test = TestStore::start(kind).await;
    let service = Service::start_by(test.store.clone(), model(BY_NAME)).await;
    service.say(people()).await;
    let learned = train(&service, "nightly").await.expect("weights");
    assert_eq!((learned.version, learned.record_count), (2, 400));
    assert!(
        learned.report.contains("Learned from 400 records"),
        "{}",
        learned.report
    );
    assert_eq!(
        origins(&service).await,
        [(2, false, Trained), (1, true, Shipped)]
    );
    // The same request again learns nothing; the same records again teach the same.
    assert_eq!(train(&service, "nightly").await.expect("weights"), learned);
    let again = train(&service, "").await.expect("weights");
    assert_eq!((again.version, &again.report), (3, &learned.report));
    let weights = |number| test.store.model(&TENANT, Some(number));
    let [second, third] =
        [weights(2).await, weights(3).await].map(|found| found.expect("a read").expect("a model"));
    assert_eq!(second.model.weights, third.model.weights);

    let planned = plan_of(&service, version(2)).await.expect("a plan");
    let applied = apply(
        &service,
        v1::ApplyModelRequest {
            candidate: Some(version(2)),
            ..Default::default()
        },
    )
    .await;
    let applied = applied.expect("applied");
    assert_eq!((applied.version, applied.plan), (2, Some(planned)));
    assert_eq!(
        origins(&service).await,
        [(3, false, Trained), (2, true, Trained), (1, false, Shipped)]
    );

    // The weights stay when the file changes, unless others are asked for.
    let file = BY_NAME.replace("trust: 50", "trust: 51");
    let mut candidate = super::file(&file);
    let kept = v1::ApplyModelRequest {
        candidate: Some(candidate.clone()),
        ..Default::default()
    };
    assert_eq!(apply(&service, kept).await.expect("applied").version, 4);
    candidate.weights = Some(v1::model_candidate::Weights::ShippedWeights(true));
    let shipped = v1::ApplyModelRequest {
        candidate: Some(candidate),
        ..Default::default()
    };
    assert_eq!(apply(&service, shipped).await.expect("applied").version, 5);
    assert_eq!(
        origins(&service).await[..2],
        [(5, true, Shipped), (4, false, Trained)]
    );
    test.store.close().await;
}

static TENANT: std::sync::LazyLock<profile_core::records::TenantId> =
    std::sync::LazyLock::new(Default::default);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn weights_are_learned_planned_and_applied_on_sqlite() {
    learned_planned_applied(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn weights_are_learned_planned_and_applied_on_postgresql() {
    learned_planned_applied(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_learned_from_nothing() {
    let service = Service::start_by(
        TestStore::start(Kind::Memory).await.store.clone(),
        model(BY_EMAIL),
    )
    .await;
    assert_eq!(code(train(&service, "").await), Code::NotFound);
}
