//! Frequencies that a server learns without being asked.

use std::sync::Arc;

use customer_profile::active_models::ActiveModels;
use customer_profile::background::learning::FrequencyLearner;
use customer_profile::changes::{LogFollower, Options};
use customer_profile::config::Config;
use customer_profile::grpc::v1;
use customer_profile::rollout::ModelRollout;
use customer_profile::telemetry::Telemetry;
use profile_core::records::{TenantId, Timestamp};

use super::{client, model};
use crate::support::service::{Service, upsert};
use crate::support::stores::{Kind, TestStore};

const MODEL: &str = "
identifiers:
  email: { priority: 1, normalize: email }
traits:
  given_name: { match: given_name }
  family_name: { match: family_name }
  city: { match: city }
sources:
  web: { trust: 80 }
  crm: { trust: 50 }
";

/// Customers of one region, of whom one in ten has a family name that no table knows.
fn customers(numbers: std::ops::Range<u32>) -> Vec<v1::Statement> {
    let customer = |number: u32| {
        let letter = |of: u32| char::from_u32(97 + of % 26).expect("a letter");
        let family = if number.is_multiple_of(10) {
            "Quilmbach".to_owned()
        } else {
            format!(
                "{}ar{}en{}",
                letter(number),
                letter(number / 26),
                letter(number / 7)
            )
        };
        let given = ["Ann", "Bob", "Carl", "Dora", "Emil"][number as usize % 5];
        let traits = [
            ("given_name", given),
            ("family_name", &*family),
            ("city", ["Aldorf", "Bestadt", "Cedorf"][number as usize % 3]),
        ];
        let email = format!("c{number}x{number}@shop.example");
        upsert(
            ("web", &number.to_string()),
            &[("email", &*email)],
            &traits,
            1,
        )
    };
    numbers.map(customer).collect()
}

/// Says them in calls of five hundred.
async fn say(service: &Service, numbers: std::ops::Range<u32>) {
    for statements in customers(numbers).chunks(500) {
        service.say(statements.to_vec()).await;
    }
}

/// A learner of its own, so that no test waits for the server's.
fn learner(test: &TestStore, file: &str) -> FrequencyLearner {
    let models = Arc::new(ActiveModels::new(test.store.clone(), model(file)));
    let telemetry = Telemetry::collect(&Config::defaults()).expect("figures");
    let follower = LogFollower::start(
        test.store.clone(),
        models.clone(),
        telemetry.metrics,
        Options::default(),
    );
    FrequencyLearner {
        rollout: ModelRollout {
            store: test.store.clone(),
            models,
            clock: Arc::new(Timestamp::from_micros(1_750_000_000_000_000)),
            follower,
        },
    }
}

/// The versions, each with where its weights come from, and its note.
async fn versions(service: &Service) -> Vec<(i64, v1::WeightsOrigin, String)> {
    let listed = client(service)
        .list_model_versions(v1::ListModelVersionsRequest::default())
        .await;
    let models = listed.expect("versions").into_inner().models;
    models
        .into_iter()
        .map(|model| (model.version, model.weights_origin(), model.note))
        .collect()
}

/// What the frequent name is worth under the version in force, in millibits.
async fn worth(test: &TestStore, learner: &FrequencyLearner) -> Option<u64> {
    let stored = test.store.model(&TenantId::default(), None).await;
    let stored = stored.expect("a read").expect("a model");
    let active = learner.rollout.models.compile(&stored).await;
    let weights = active.expect("compiles").model.matching.weights.clone();
    let families = &weights.frequencies()[&profile_core::model::matching::Field::FamilyName];
    families.values.get("quilmbach").copied()
}

async fn learned_once_and_again(kind: Kind) {
    let test = TestStore::start(kind).await;
    let service = Service::start_by(test.store.clone(), model(MODEL)).await;
    let (tenant, learner) = (TenantId::default(), learner(&test, MODEL));
    say(&service, 0..1_999).await;
    assert_eq!(learner.step(&tenant).await.expect("a look"), None);
    assert_eq!(worth(&test, &learner).await, None);
    say(&service, 1_999..2_000).await;
    assert_eq!(learner.step(&tenant).await.expect("learned"), Some(2));
    let shipped = v1::WeightsOrigin::Shipped;
    let by_itself = v1::WeightsOrigin::LearnedFrequencies;
    let note = "version 1 with frequencies learned from 2000 records";
    let listed = versions(&service).await;
    assert_eq!(listed[0], (2, by_itself, note.to_owned()));
    assert_eq!((listed[1].0, listed[1].1), (1, shipped));
    let in_force = test.store.model(&tenant, None).await.expect("a read");
    assert_eq!(in_force.expect("a model").model.version, 2);
    // Two hundred of two thousand people have it: a tenth.
    assert_eq!(worth(&test, &learner).await, Some(100_000_000));
    // Not before there are four times as many.
    say(&service, 2_000..2_100).await;
    assert_eq!(learner.step(&tenant).await.expect("a look"), None);
    assert_eq!(versions(&service).await.len(), 2);
    // Taken back, it is not learned anew.
    let back = v1::ApplyModelRequest {
        candidate: Some(super::training::version(1)),
        ..Default::default()
    };
    super::apply(&service, back).await.expect("applied");
    assert_eq!(learner.step(&tenant).await.expect("a look"), None);
    test.store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frequencies_are_learned_from_two_thousand_records_on_memory() {
    learned_once_and_again(Kind::Memory).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frequencies_are_learned_from_two_thousand_records_on_sqlite() {
    learned_once_and_again(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frequencies_are_learned_from_two_thousand_records_on_postgresql() {
    learned_once_and_again(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_servers_one_learns() {
    let test = TestStore::start(Kind::Memory).await;
    let service = Service::start_by(test.store.clone(), model(MODEL)).await;
    say(&service, 0..2_000).await;
    let tenant = TenantId::default();
    let (one, other) = (learner(&test, MODEL), learner(&test, MODEL));
    let (first, second) = tokio::join!(one.step(&tenant), other.step(&tenant));
    let versions: Vec<_> = [first, second]
        .into_iter()
        .filter_map(|learned| learned.expect("no error"))
        .collect();
    assert!(!versions.is_empty() && versions.iter().all(|version| *version == 2));
    let stored = test.store.list_models(&tenant, None, 10).await;
    assert_eq!(stored.expect("a list").len(), 2);
}

/// The same file without the rule that forbids it.
async fn allow(service: &Service) {
    let allowed = v1::ApplyModelRequest {
        candidate: Some(super::file(MODEL)),
        ..Default::default()
    };
    super::apply(service, allowed).await.expect("applied");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_can_forbid_it() {
    let file = format!("matching: {{ learn_frequencies: false }}{MODEL}");
    let test = TestStore::start(Kind::Memory).await;
    let service = Service::start_by(test.store.clone(), model(&file)).await;
    say(&service, 0..2_000).await;
    let tenant = TenantId::default();
    let forbidden = learner(&test, &file).step(&tenant).await;
    assert_eq!(forbidden.expect("a look"), None);
    allow(&service).await;
    let allowed = learner(&test, MODEL).step(&tenant).await;
    assert_eq!(allowed.expect("learned"), Some(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn weights_that_somebody_trained_stay() {
    let test = TestStore::start(Kind::Memory).await;
    let service = Service::start_by(test.store.clone(), model(MODEL)).await;
    say(&service, 0..100).await;
    super::training::train(&service, "").await.expect("weights");
    let trained = v1::ApplyModelRequest {
        candidate: Some(super::training::version(2)),
        ..Default::default()
    };
    super::apply(&service, trained).await.expect("applied");
    say(&service, 100..2_000).await;
    let learned = learner(&test, MODEL).step(&TenantId::default()).await;
    assert_eq!(learned.expect("a look"), None);
    assert_eq!(versions(&service).await[0].1, v1::WeightsOrigin::Trained);
}
