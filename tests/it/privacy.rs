//! Erasure, as a caller sees it: a customer of whom everything is known that can be known, and
//! nothing of whom is left, in whatever table.

mod everything;
mod export;
mod tables;

use std::sync::Arc;

use customer_profile::active_models::ModelFile;
use customer_profile::grpc::v1::{self, ErrorReason, StatementOutcome};
use customer_profile::store::Store;
use customer_profile::store::memory::MemoryStore;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::support::service::{Service, by_name, by_record};
use everything::{Customer, MODEL};

async fn start(store: Arc<dyn Store>) -> Service {
    let model = ModelFile::parse(MODEL).unwrap_or_else(|errors| panic!("{errors:#?}"));
    Service::start_by(store, model).await
}

fn request(name: &str, request_id: &str) -> v1::EraseProfileRequest {
    v1::EraseProfileRequest {
        name: name.to_owned(),
        note: Some(v1::DecisionNote {
            actor: "a clerk".to_owned(),
            note: "case 7".to_owned(),
        }),
        request_id: request_id.to_owned(),
        ..v1::EraseProfileRequest::default()
    }
}

async fn erase(service: &Service, name: &str) -> v1::EraseProfileResponse {
    let erased = service.privacy().erase_profile(request(name, "r-1")).await;
    erased.expect("an erasure").into_inner()
}

fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    details.error_info().expect("an error info").reason.clone()
}

fn name_of(reason: ErrorReason) -> &'static str {
    reason.as_str_name().trim_start_matches("ERROR_REASON_")
}

async fn get(service: &Service, key: v1::ProfileKey) -> Result<v1::Profile, Status> {
    let request = v1::GetProfileRequest {
        key: Some(key),
        ..v1::GetProfileRequest::default()
    };
    let answer = service.profiles().get_profile(request).await?;
    Ok(answer.into_inner().profile.expect("a profile"))
}

/// The reason of each refused statement; nothing for the others.
fn refusals(answer: &v1::IngestStatementsResponse) -> Vec<String> {
    let refused = answer
        .results
        .iter()
        .filter(|result| result.outcome() == StatementOutcome::Rejected);
    let errors = refused.flat_map(|result| &result.violations);
    errors
        .map(|violation| violation.reason().as_str_name().to_owned())
        .collect()
}

#[tokio::test]
async fn an_erased_customer_is_found_by_nothing() {
    let service = start(Arc::new(MemoryStore::new())).await;
    let customer = Customer::new(&service).await;
    let before = customer.answers(&service).await;
    assert!(before.iter().all(Result::is_ok), "{before:?}");
    let other = get(&service, by_record("web", "neighbour")).await;
    let other = other.expect("the neighbour");
    let receipt = erase(&service, &customer.name).await.erasure;
    let receipt = receipt.expect("a receipt");
    assert_eq!(receipt.profile, customer.name);
    // One of them its source had deleted before.
    assert_eq!(receipt.record_count, 4);
    for answer in customer.answers(&service).await {
        let refused = answer.expect_err("nobody");
        assert_eq!(refused.code(), Code::NotFound, "{refused:?}");
    }
    assert_eq!(customer.hits(&service).await, 0);
    let still = get(&service, by_record("web", "neighbour")).await;
    assert_eq!(still.expect("the neighbour"), other);
    let places: Vec<&str> = receipt.places.iter().map(|it| it.place.as_str()).collect();
    let all = [
        "records",
        "statements",
        "events",
        "corrections",
        "memberships",
        "history",
        "decisions",
        "identity_changes",
        "segments",
    ];
    for place in all {
        assert!(places.contains(&place), "{place} is not in {places:?}");
    }
}

#[tokio::test]
async fn nobody_brings_the_erased_back_until_they_are_released() {
    let service = start(Arc::new(MemoryStore::new())).await;
    let customer = Customer::new(&service).await;
    let receipt = erase(&service, &customer.name).await.erasure;
    let receipt = receipt.expect("a receipt");
    let answer = service.say(customer.statements.clone()).await;
    let refused = refusals(&answer);
    assert_eq!(refused.len(), customer.about_records(), "{answer:?}");
    let expected = ErrorReason::RecordErased.as_str_name();
    assert!(
        refused.iter().all(|reason| reason == expected),
        "{refused:?}"
    );
    let found = get(&service, by_record("web", &customer.key)).await;
    assert_eq!(found.expect_err("nobody").code(), Code::NotFound);
    // A record that was never erased is somebody new, whatever it says.
    let stored = service.say(vec![Customer::newcomer()]).await;
    assert_eq!(stored.results[0].outcome(), StatementOutcome::Stored);
    assert_ne!(stored.results[0].profile, customer.name);

    let release = v1::ReleaseErasureRequest {
        name: receipt.name.clone(),
        note: None,
    };
    for _ in 0..2 {
        let released = service.privacy().release_erasure(release.clone()).await;
        let released = released.expect("released").into_inner().erasure;
        assert!(released.expect("a receipt").release_time.is_some());
    }
    let answer = service.say(customer.statements.clone()).await;
    assert_eq!(refusals(&answer), Vec::<String>::new());
    let back = get(&service, by_record("web", &customer.key)).await;
    assert_eq!(back.expect("they are back").record_count, 4);
    let unknown = v1::ReleaseErasureRequest {
        name: "erasures/unknown".to_owned(),
        note: None,
    };
    let unknown = service.privacy().release_erasure(unknown).await;
    let unknown = unknown.expect_err("refused");
    assert_eq!(reason(&unknown), name_of(ErrorReason::ErasureNotFound));
}

#[tokio::test]
async fn what_would_be_erased_is_told_before() {
    let service = start(Arc::new(MemoryStore::new())).await;
    let customer = Customer::new(&service).await;
    let tried = v1::EraseProfileRequest {
        validate_only: true,
        ..request(&customer.name, "")
    };
    let tried = service.privacy().erase_profile(tried).await;
    let tried = tried.expect("tried").into_inner();
    let tried_receipt = tried.erasure.expect("a receipt");
    assert_eq!(
        (tried_receipt.name.as_str(), tried.read_token.as_str()),
        ("", "")
    );
    let before = customer.answers(&service).await;
    assert!(before.iter().all(Result::is_ok), "{before:?}");
    let erased = erase(&service, &customer.name).await;
    let receipt = erased.erasure.expect("a receipt");
    assert_eq!(receipt.places, tried_receipt.places);
    // The same request again: the same receipt.
    let again = erase(&service, &customer.name).await;
    assert_eq!(again.erasure.as_ref(), Some(&receipt));
    assert_eq!(again.read_token, erased.read_token);
    let listed = service
        .privacy()
        .list_erasures(v1::ListErasuresRequest::default())
        .await;
    assert_eq!(listed.expect("a list").into_inner().erasures, [receipt]);
}

#[tokio::test]
async fn an_erasure_that_cannot_be_is_refused_with_its_reason() {
    let service = start(Arc::new(MemoryStore::new())).await;
    let customer = Customer::new(&service).await;
    let revision = get(&service, by_name(&customer.name)).await;
    let revision = revision.expect("a profile").revision;
    let of_revision = |expected_revision| v1::EraseProfileRequest {
        expected_revision,
        ..request(&customer.name, "r-2")
    };
    let nobody = "profiles/00000000-0000-4000-8000-000000000000";
    let long = v1::EraseProfileRequest {
        note: Some(v1::DecisionNote {
            actor: "a".repeat(257),
            note: String::new(),
        }),
        ..request(&customer.name, "r-2")
    };
    let cases = [
        (request("ann", "r-2"), ErrorReason::Malformed),
        (request(&customer.name, ""), ErrorReason::Required),
        (long, ErrorReason::LimitExceeded),
        (of_revision(-1), ErrorReason::Malformed),
        (of_revision(revision + 1), ErrorReason::RevisionChanged),
        (request(nobody, "r-2"), ErrorReason::ProfileNotFound),
    ];
    for (request, expected) in cases {
        let refused = service.privacy().erase_profile(request.clone()).await;
        let refused = refused.expect_err("refused");
        assert_eq!(reason(&refused), name_of(expected), "{request:?}");
    }
    let before = customer.answers(&service).await;
    assert!(before.iter().all(Result::is_ok), "{before:?}");
    let right = service.privacy().erase_profile(of_revision(revision)).await;
    right.expect("an erasure");
    let other = service
        .privacy()
        .erase_profile(request(&customer.neighbour, "r-2"))
        .await;
    let other = other.expect_err("refused");
    assert_eq!(reason(&other), name_of(ErrorReason::RequestIdReused));
}
