//! What applying promises: all or nothing, nothing lost meanwhile, and a way back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use customer_profile::grpc::v1;
use tonic::Code;

use super::{BY_EMAIL, BY_PHONE, apply, apply_file, client, code, file, key_of, model, seen, town};
use crate::support::service::{Service, by_identifier, by_record, upsert};
use crate::support::stores::{Kind, TestStore};

const RECORDS: usize = 31;

async fn way_back(kind: Kind) {
    let test = TestStore::start(kind).await;
    let service = Service::start_by(test.store.clone(), model(BY_EMAIL)).await;
    service.say(town(RECORDS)).await;
    let never = seen(&service, RECORDS).await;
    for round in 0..2 {
        apply_file(&service, BY_PHONE).await;
        assert_ne!(seen(&service, RECORDS).await, never);
        let back = apply_file(&service, BY_EMAIL).await;
        assert_eq!(back.version, 3 + 2 * round);
        assert_eq!(seen(&service, RECORDS).await, never, "round {round}");
    }
    test.store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_old_file_gives_back_the_old_profiles_and_their_names_on_sqlite() {
    way_back(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_old_file_gives_back_the_old_profiles_and_their_names_on_postgresql() {
    way_back(Kind::Postgres).await;
}

/// How many records of late customers the profile by their number has.
async fn late_records(service: &Service) -> usize {
    let key = by_identifier("phone", "(555) 0001");
    let request = v1::GetProfileRequest {
        key: Some(key),
        view: v1::ProfileView::Full.into(),
        ..Default::default()
    };
    let found = service
        .profiles()
        .get_profile(request)
        .await
        .expect("a profile")
        .into_inner();
    let late = found.profile.expect("a profile").records;
    late.iter()
        .filter(|r| {
            r.record
                .as_ref()
                .is_some_and(|key| key.key.starts_with("late"))
        })
        .count()
}

/// Readers and writers of the same customers while models change all the time.
async fn beside_reads_and_writes(kind: Kind) {
    let test = TestStore::start(kind).await;
    let service = Arc::new(Service::start_by(test.store.clone(), model(BY_EMAIL)).await);
    service.say(town(RECORDS)).await;
    let (over, reads) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let reader = |number: usize| {
        let (service, over, reads) = (service.clone(), over.clone(), reads.clone());
        tokio::spawn(async move {
            while !over.load(Ordering::SeqCst) {
                let (source, key) = key_of(number % RECORDS);
                let request = v1::GetProfileRequest {
                    key: Some(by_record(source, &key)),
                    ..v1::GetProfileRequest::default()
                };
                service
                    .profiles()
                    .get_profile(request)
                    .await
                    .expect("a read fails");
                reads.fetch_add(1, Ordering::SeqCst);
            }
        })
    };
    let readers: Vec<_> = (0..3).map(|number| reader(number * 7)).collect();
    let writer = {
        let (service, over) = (service.clone(), over.clone());
        tokio::spawn(async move {
            let mut written = 0;
            while !over.load(Ordering::SeqCst) {
                let key = format!("late{written}");
                let said = upsert(
                    ("web", &key),
                    &[("phone", "555-0001")],
                    &[("name", "Late")],
                    1,
                );
                let receipt = service.say(vec![said]).await;
                assert_eq!(receipt.results[0].outcome(), v1::StatementOutcome::Stored);
                written += 1;
            }
            written
        })
    };
    for text in [BY_PHONE, BY_EMAIL, BY_PHONE, BY_EMAIL, BY_PHONE] {
        apply_file(&service, text).await;
    }
    over.store(true, Ordering::SeqCst);
    let written = writer.await.expect("a writer");
    for reader in readers {
        reader.await.expect("a reader");
    }
    assert!(reads.load(Ordering::SeqCst) > 0 && written > 0);
    // Whatever model a statement was checked under, all of them are in line with the one in force.
    let late = late_records(&service).await;
    assert_eq!(late, written, "a write during a switch is lost");
    test.store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_go_on_and_no_write_is_lost_while_a_model_is_applied_on_sqlite() {
    beside_reads_and_writes(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_go_on_and_no_write_is_lost_while_a_model_is_applied_on_postgresql() {
    beside_reads_and_writes(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_of_a_name_is_done_once() {
    let service = Service::start_by(
        TestStore::start(Kind::Memory).await.store.clone(),
        model(BY_EMAIL),
    )
    .await;
    service.say(town(RECORDS)).await;
    let named = |text| v1::ApplyModelRequest {
        candidate: Some(file(text)),
        request_id: "switch-1".to_owned(),
        ..v1::ApplyModelRequest::default()
    };
    let first = apply(&service, named(BY_PHONE)).await.expect("applied");
    apply_file(&service, BY_EMAIL).await;
    let again = apply(&service, named(BY_PHONE)).await.expect("answered");
    assert_eq!(
        (again.version, &again.read_token),
        (first.version, &first.read_token)
    );
    let (again, first) = (again.plan.expect("a plan"), first.plan.expect("a plan"));
    assert_eq!(again.moved_record_count, first.moved_record_count);
    assert_eq!(again.merges, []);
    assert_eq!(in_force(&service).await, 3, "it was done again");
    assert_eq!(
        code(apply(&service, named(BY_EMAIL)).await),
        Code::InvalidArgument
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_version_than_expected_is_left_in_force() {
    let service = Service::start_by(
        TestStore::start(Kind::Memory).await.store.clone(),
        model(BY_EMAIL),
    )
    .await;
    service.say(town(4)).await;
    let expecting = |version| v1::ApplyModelRequest {
        candidate: Some(file(BY_PHONE)),
        expected_version: version,
        ..v1::ApplyModelRequest::default()
    };
    assert_eq!(
        code(apply(&service, expecting(7)).await),
        Code::FailedPrecondition
    );
    assert_eq!(in_force(&service).await, 1);
    apply(&service, expecting(1)).await.expect("applied");
    let stored = v1::model_candidate::Content::Version(1);
    let version = v1::ModelCandidate {
        content: Some(stored),
        weights: None,
    };
    let request = v1::ApplyModelRequest {
        candidate: Some(version),
        ..v1::ApplyModelRequest::default()
    };
    assert_eq!(apply(&service, request).await.expect("applied").version, 3);
    let listed = client(&service)
        .list_model_versions(v1::ListModelVersionsRequest::default())
        .await;
    let listed = listed.expect("versions").into_inner().models;
    let told: Vec<(i64, bool, &str)> = listed
        .iter()
        .map(|m| (m.version, m.in_force, m.note.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (3, true, "version 1, applied again"),
            (2, false, "applied from a file"),
            (1, false, "configured when the first record came"),
        ]
    );
    let got = client(&service)
        .get_model(v1::GetModelRequest { version: 3 })
        .await
        .expect("a model")
        .into_inner();
    assert_eq!(got.model.expect("a model").file, BY_EMAIL);
    assert_eq!(
        code(
            client(&service)
                .get_model(v1::GetModelRequest { version: 4 })
                .await
        ),
        Code::NotFound
    );
}

async fn in_force(service: &Service) -> i64 {
    let got = client(service)
        .get_model(v1::GetModelRequest::default())
        .await
        .expect("a model")
        .into_inner();
    got.model.expect("a model").version
}
