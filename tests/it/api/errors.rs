//! Every error reason is reached, with its code and details.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use customer_profile::grpc::DOMAIN;
use customer_profile::grpc::v1::StatementOutcome::{Duplicate, Rejected, Stored};
use customer_profile::grpc::v1::{self, ErrorReason, statement::Kind};
use customer_profile::store::Store;
use customer_profile::store::memory::MemoryStore;
use customer_profile::store::sql::{Options, SqlStore};
use futures::stream::{FuturesUnordered, StreamExt};
use profile_core::records::TenantId;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use crate::support::faulty::{Faulty, REFUSED, Reads, SECRET};
use crate::support::service::{
    Service, by_identifier, by_name, by_record, event, record, statement, text, upsert,
};

/// Checks code and reason, and that there is help where the code promises some.
pub(super) fn assert_failure(status: &Status, code: Code, reason: ErrorReason) {
    assert_eq!(status.code(), code, "{status:?}");
    let details = status.get_error_details();
    let info = details.error_info().expect("exactly one ErrorInfo");
    assert_eq!(info.domain, DOMAIN);
    assert_eq!(
        format!("ERROR_REASON_{}", info.reason),
        reason.as_str_name()
    );
    let retries = matches!(code, Code::Unavailable | Code::ResourceExhausted);
    assert_eq!(details.retry_info().is_some(), retries, "{status:?}");
}

/// The fields that a refused call names.
pub(super) fn fields(status: &Status) -> BTreeSet<String> {
    let details = status.get_error_details();
    let violations = details
        .bad_request()
        .map(|bad| bad.field_violations.clone())
        .unwrap_or_default();
    violations
        .into_iter()
        .map(|violation| violation.field)
        .collect()
}

async fn get_fails(service: &Service, request: v1::GetProfileRequest) -> Status {
    service
        .profiles()
        .get_profile(request)
        .await
        .expect_err("a failure")
}

/// The violations of one statement, as (field, reason).
async fn rejected(service: &Service, said: v1::Statement) -> Vec<(String, ErrorReason)> {
    let result = service.say(vec![said]).await.results.remove(0);
    assert_eq!(result.outcome(), Rejected);
    assert_eq!(result.profile, "");
    result
        .violations
        .iter()
        .map(|violation| (violation.field.clone(), violation.reason()))
        .collect()
}

#[tokio::test]
async fn a_call_without_its_required_fields_is_refused() {
    let service = Service::start().await;
    let status = get_fails(&service, v1::GetProfileRequest::default()).await;
    assert_failure(&status, Code::InvalidArgument, ErrorReason::Required);
    assert_eq!(fields(&status), BTreeSet::from(["key".to_owned()]));
    let empty = v1::IngestStatementsRequest::default();
    let status = service
        .ingest()
        .ingest_statements(empty)
        .await
        .expect_err("a failure");
    assert_failure(&status, Code::InvalidArgument, ErrorReason::Required);
    assert_eq!(fields(&status), BTreeSet::from(["statements".to_owned()]));
}

#[tokio::test]
async fn too_much_in_one_call_is_refused_with_both_numbers() {
    let service = Service::start().await;
    let statements = vec![event(("web", "1"), "e", "call", 0); 1_001];
    let request = v1::IngestStatementsRequest { statements };
    let status = service
        .ingest()
        .ingest_statements(request)
        .await
        .expect_err("a failure");
    assert_failure(&status, Code::InvalidArgument, ErrorReason::LimitExceeded);
    let details = status.get_error_details();
    let metadata = &details.error_info().expect("ErrorInfo").metadata;
    assert_eq!(
        (metadata["limit"].as_str(), metadata["actual"].as_str()),
        ("1000", "1001")
    );
    let keys = vec![by_name("profiles/x"); 501];
    let request = v1::BatchGetProfilesRequest {
        keys,
        ..Default::default()
    };
    let status = service
        .profiles()
        .batch_get_profiles(request)
        .await
        .expect_err("a failure");
    assert_failure(&status, Code::InvalidArgument, ErrorReason::LimitExceeded);
}

#[tokio::test]
async fn what_is_malformed_is_named() {
    let service = Service::start().await;
    let malformed = v1::GetProfileRequest {
        key: Some(by_name("profile/1")),
        ..Default::default()
    };
    let status = get_fails(&service, malformed).await;
    assert_failure(&status, Code::InvalidArgument, ErrorReason::Malformed);
    assert_eq!(fields(&status), BTreeSet::from(["key.name".to_owned()]));

    let mut request = Request::new(v1::GetProfileRequest::default());
    request
        .metadata_mut()
        .insert("x-tenant", "Not A Tenant".parse().expect("a value"));
    let status = service
        .profiles()
        .get_profile(request)
        .await
        .expect_err("a failure");
    assert_failure(&status, Code::InvalidArgument, ErrorReason::Malformed);
    assert_eq!(fields(&status), BTreeSet::from(["x-tenant".to_owned()]));

    let request = v1::SearchProfilesRequest {
        query: "x".to_owned(),
        page_size: -1,
        ..Default::default()
    };
    let status = service
        .profiles()
        .search_profiles(request)
        .await
        .expect_err("a failure");
    assert_failure(&status, Code::InvalidArgument, ErrorReason::Malformed);
}

#[tokio::test]
async fn an_unknown_view_and_an_unknown_mask_path_are_refused_together() {
    let service = Service::start().await;
    let request = v1::GetProfileRequest {
        key: Some(by_identifier("email", "ann@example.com")),
        view: 9,
        read_mask: Some(prost_types::FieldMask {
            paths: vec!["traits".into(), "shoe_size".into()],
        }),
        ..Default::default()
    };
    let status = get_fails(&service, request).await;
    assert_failure(
        &status,
        Code::InvalidArgument,
        ErrorReason::UnknownEnumValue,
    );
    assert_eq!(
        fields(&status),
        BTreeSet::from(["view".to_owned(), "read_mask.paths[1]".to_owned()])
    );
}

#[tokio::test]
async fn what_is_wrong_with_key_mask_and_types_is_told_together() {
    let service = Service::start().await;
    let request = v1::GetProfileRequest {
        key: Some(by_name("profile/1")),
        view: 9,
        ..Default::default()
    };
    let named = fields(&get_fails(&service, request).await);
    assert_eq!(
        named,
        BTreeSet::from(["key.name".to_owned(), "view".to_owned()])
    );
    let types = vec![
        "Order placed".to_owned(),
        "call".to_owned(),
        "a\0b".to_owned(),
    ];
    let request = v1::ListTimelineRequest {
        types,
        page_size: -1,
        ..Default::default()
    };
    let status = service
        .profiles()
        .list_timeline(request)
        .await
        .expect_err("a failure");
    assert_eq!(
        fields(&status),
        ["key", "page_size", "types[0]", "types[2]"]
            .map(str::to_owned)
            .into()
    );
    let request = v1::ListTimelineRequest {
        key: Some(by_record("web", "1")),
        types: vec!["call".to_owned(); 51],
        ..Default::default()
    };
    let status = service
        .profiles()
        .list_timeline(request)
        .await
        .expect_err("a failure");
    assert_failure(&status, Code::InvalidArgument, ErrorReason::LimitExceeded);
    assert_eq!(
        status
            .get_error_details()
            .error_info()
            .expect("ErrorInfo")
            .metadata["limit"],
        "50"
    );
}

#[tokio::test]
async fn what_is_malformed_and_what_does_not_fit_the_model_are_told_together() {
    let service = Service::start().await;
    let mut said = upsert(("shpo", "1"), &[], &[], 1);
    if let Some(Kind::UpsertRecord(upsert)) = &mut said.kind {
        let wrong = v1::Value {
            kind: Some(v1::value::Kind::DecimalValue("1e5".to_owned())),
        };
        upsert.traits.insert("city".to_owned(), wrong);
    }
    let violations = rejected(&service, said).await;
    let expected = [
        (
            "upsert_record.traits.city".to_owned(),
            ErrorReason::Malformed,
        ),
        (
            "upsert_record.record.source".to_owned(),
            ErrorReason::NotDeclared,
        ),
    ];
    assert_eq!(violations, expected);
}

#[tokio::test]
async fn all_violations_of_a_statement_are_told_at_once() {
    let service = Service::start().await;
    let mut said = upsert(
        ("shpo", ""),
        &[("emial", "x"), ("email", " ")],
        &[("shoe_size", "9")],
        -1,
    );
    if let Some(Kind::UpsertRecord(upsert)) = &mut said.kind {
        upsert.traits.insert("given_name".to_owned(), text("a\0b"));
        upsert
            .traits
            .insert("family_name".to_owned(), text(&"x".repeat(8 * 1024 + 1)));
        upsert.source_time = Some(prost_types::Timestamp {
            seconds: i64::MAX,
            nanos: 0,
        });
    }
    let violations: BTreeSet<_> = rejected(&service, said)
        .await
        .into_iter()
        .map(|(field, reason)| (field, reason.as_str_name()))
        .collect();
    let expected = [
        ("upsert_record.record.source", ErrorReason::NotDeclared),
        ("upsert_record.record.key", ErrorReason::Required),
        ("upsert_record.version", ErrorReason::Malformed),
        ("upsert_record.source_time", ErrorReason::Malformed),
        (
            "upsert_record.identifiers[0].type",
            ErrorReason::NotDeclared,
        ),
        ("upsert_record.identifiers[1].value", ErrorReason::Required),
        (
            "upsert_record.traits.family_name",
            ErrorReason::LimitExceeded,
        ),
        ("upsert_record.traits.given_name", ErrorReason::Malformed),
        ("upsert_record.traits.shoe_size", ErrorReason::NotDeclared),
    ];
    assert_eq!(
        violations,
        expected
            .map(|(field, reason)| (field.to_owned(), reason.as_str_name()))
            .into()
    );
}

#[tokio::test]
async fn a_statement_that_is_no_statement_is_rejected_and_its_neighbours_are_stored() {
    let service = Service::start().await;
    let good = upsert(("web", "1"), &[], &[("given_name", "Ann")], 1);
    let mut oversized = upsert(("web", "2"), &[], &[], 1);
    if let Some(Kind::UpsertRecord(upsert)) = &mut oversized.kind {
        let name = |index| format!("t{index}");
        upsert.traits = (0..40)
            .map(|index| (name(index), text(&"x".repeat(8 * 1024))))
            .collect();
    }
    let mut empty_value = upsert(("web", "3"), &[], &[], 1);
    if let Some(Kind::UpsertRecord(upsert)) = &mut empty_value.kind {
        upsert
            .traits
            .insert("city".to_owned(), v1::Value::default());
        let wrong = v1::Value {
            kind: Some(v1::value::Kind::DecimalValue("1e5".to_owned())),
        };
        upsert.traits.insert("state".to_owned(), wrong);
    }
    let answer = service
        .say(vec![
            v1::Statement::default(),
            good.clone(),
            oversized,
            empty_value,
            good,
        ])
        .await;
    let outcomes: Vec<_> = answer
        .results
        .iter()
        .map(v1::StatementResult::outcome)
        .collect();
    assert_eq!(outcomes, [Rejected, Stored, Rejected, Rejected, Duplicate]);
    assert_eq!(
        answer.results[0].violations[0].reason(),
        ErrorReason::Required
    );
    assert_eq!(
        answer.results[2].violations[0].reason(),
        ErrorReason::LimitExceeded
    );
    let fields: BTreeSet<_> = answer.results[3]
        .violations
        .iter()
        .map(|violation| violation.field.as_str())
        .collect();
    assert_eq!(
        fields,
        BTreeSet::from(["upsert_record.traits.city", "upsert_record.traits.state"])
    );
    assert_eq!(answer.results[1].profile, answer.results[4].profile);
}

#[tokio::test]
async fn other_content_under_a_used_event_id_is_rejected() {
    let service = Service::start().await;
    service
        .say(vec![event(("web", "1"), "17", "order_placed", 0)])
        .await;
    let again = rejected(&service, event(("web", "1"), "17", "order_placed", 1)).await;
    assert_eq!(
        again,
        [(
            "record_event.event.event_id".to_owned(),
            ErrorReason::EventIdReused
        )]
    );
    let answer = service
        .say(vec![event(("web", "1"), "17", "order_placed", 0)])
        .await;
    assert_eq!(answer.results[0].outcome(), Duplicate);
}

#[tokio::test]
async fn payloads_that_cannot_be_mapped_are_rejected_each_by_itself() {
    let service = Service::start().await;
    let send = async |kind: &str, payloads: &[&'static str]| {
        let payloads = payloads
            .iter()
            .map(|payload| payload.as_bytes().into())
            .collect();
        let request = v1::IngestPayloadsRequest {
            source: "web".into(),
            kind: kind.into(),
            payloads,
        };
        service.ingest().ingest_payloads(request).await
    };
    let status = send("customrs", &["{}"])
        .await
        .expect_err("an unknown kind");
    assert_failure(&status, Code::InvalidArgument, ErrorReason::NotDeclared);
    let good = r#"{"record_id": "1", "first_name": "Ann", "email": "ann@example.com"}"#;
    let answer = send("customers", &[r#"{"first_name": "Ann"}"#, "{", good, "[]"])
        .await
        .expect("results")
        .into_inner();
    let results: Vec<_> = answer
        .results
        .iter()
        .map(|payload| &payload.results[0])
        .collect();
    assert_eq!(
        results[0].violations[0].reason(),
        ErrorReason::MappingFailed
    );
    assert_eq!(results[1].violations[0].reason(), ErrorReason::Malformed);
    assert_eq!(results[2].outcome(), Stored);
    assert_eq!(
        results[3].violations[0].reason(),
        ErrorReason::MappingFailed
    );
}

#[tokio::test]
async fn nobody_and_several_are_different_failures() {
    let service = Service::start().await;
    let by_phone = || v1::GetProfileRequest {
        key: Some(by_identifier("phone", "+12125551142")),
        ..Default::default()
    };
    assert_failure(
        &get_fails(&service, by_phone()).await,
        Code::NotFound,
        ErrorReason::ProfileNotFound,
    );
    let unknown = v1::GetProfileRequest {
        key: Some(by_identifier("fax", "1")),
        ..Default::default()
    };
    assert_failure(
        &get_fails(&service, unknown).await,
        Code::InvalidArgument,
        ErrorReason::NotDeclared,
    );
    // Two cards keep two people apart who share a telephone.
    let person = |key, card| {
        upsert(
            ("loyalty", key),
            &[("loyalty_id", card), ("phone", "212 555 1142")],
            &[],
            1,
        )
    };
    let said = service
        .say(vec![person("1", "77001"), person("2", "77002")])
        .await;
    let status = get_fails(&service, by_phone()).await;
    assert_failure(
        &status,
        Code::FailedPrecondition,
        ErrorReason::IdentifierAmbiguous,
    );
    let details = status.get_error_details();
    let named: BTreeSet<&str> = details.error_info().expect("ErrorInfo").metadata["profiles"]
        .split(',')
        .collect();
    assert_eq!(
        named,
        said.results
            .iter()
            .map(|result| result.profile.as_str())
            .collect()
    );
}

#[tokio::test]
async fn foreign_and_damaged_tokens_are_refused() {
    let (here, there) = (Service::start().await, Service::start().await);
    let said = upsert(("web", "1"), &[("email", "ann@example.com")], &[], 1);
    here.say(vec![said.clone()]).await;
    let foreign = there.say(vec![said]).await.read_token;
    for (token, reason) in [
        (foreign, ErrorReason::ReadTokenForeign),
        ("x".to_owned(), ErrorReason::ReadTokenInvalid),
    ] {
        let requirement = Some(v1::consistency::Requirement::AtLeastAsFresh(token));
        let request = v1::GetProfileRequest {
            key: Some(by_identifier("email", "ann@example.com")),
            consistency: Some(v1::Consistency { requirement }),
            ..Default::default()
        };
        assert_failure(
            &get_fails(&here, request).await,
            Code::InvalidArgument,
            reason,
        );
    }
    let request = v1::ListTimelineRequest {
        key: Some(by_identifier("email", "ann@example.com")),
        page_token: "x".to_owned(),
        ..Default::default()
    };
    let status = here
        .profiles()
        .list_timeline(request)
        .await
        .expect_err("a damaged token");
    assert_failure(
        &status,
        Code::InvalidArgument,
        ErrorReason::PageTokenInvalid,
    );
}

#[tokio::test]
async fn more_statements_than_the_queue_takes_are_refused_at_once() {
    let store = Arc::new(MemoryStore::new());
    let turn = store
        .begin(&TenantId::default())
        .await
        .expect("the write turn");
    let service = Service::start_with(store, |config| config.ingest.queue_statements = 2).await;
    let mut calls: FuturesUnordered<_> = ["a", "b", "c"]
        .into_iter()
        .map(|id| {
            let statements = vec![event(("web", "1"), id, "call", 0)];
            let mut client = service.ingest();
            async move {
                client
                    .ingest_statements(v1::IngestStatementsRequest { statements })
                    .await
            }
        })
        .collect();
    // Two wait for the turn, whichever they are; so what is answered first is the third.
    let status = calls.next().await.expect("an answer").expect_err("no room");
    assert_failure(&status, Code::ResourceExhausted, ErrorReason::Overloaded);
    drop(turn);
    while let Some(answer) = calls.next().await {
        assert_eq!(
            answer.expect("a receipt").into_inner().results[0].outcome(),
            Stored
        );
    }
}

#[tokio::test]
async fn more_calls_than_the_limit_are_shed_but_health_is_answered() {
    let store = Arc::new(MemoryStore::new());
    let turn = store
        .begin(&TenantId::default())
        .await
        .expect("the write turn");
    let service =
        Service::start_with(store, |config| config.grpc.max_concurrent_requests = 1).await;
    // One write, which waits for its turn, holds the only place of writes.
    let (mut ingest, statements) = (service.ingest(), vec![upsert(("web", "1"), &[], &[], 1)]);
    let write = tokio::spawn(async move {
        ingest
            .ingest_statements(v1::IngestStatementsRequest { statements })
            .await
    });
    let status = loop {
        let request = v1::IngestStatementsRequest::default();
        let status = service
            .ingest()
            .ingest_statements(request)
            .await
            .expect_err("refused in any case");
        // Until the write is there, the call is let in, and refused for what it asks.
        if status.code() != Code::InvalidArgument {
            break status;
        }
    };
    assert_failure(&status, Code::ResourceExhausted, ErrorReason::Overloaded);
    // Reads have places of their own.
    let status = get_fails(&service, v1::GetProfileRequest::default()).await;
    assert_failure(&status, Code::InvalidArgument, ErrorReason::Required);
    let mut health = tonic_health::pb::health_client::HealthClient::new(service.channel.clone());
    health
        .check(tonic_health::pb::HealthCheckRequest::default())
        .await
        .expect("health is exempt");
    drop(turn);
    write.await.expect("no panic").expect("the write ends");
}

#[tokio::test]
async fn a_passed_deadline_is_answered_as_such_and_the_write_is_kept() {
    let store = Arc::new(MemoryStore::new());
    let turn = store
        .begin(&TenantId::default())
        .await
        .expect("the write turn");
    let bound = Duration::from_millis(50);
    let service = Service::start_with(store, |config| config.grpc.max_deadline = bound).await;
    let said = upsert(("web", "1"), &[("email", "ann@example.com")], &[], 1);
    let request = v1::IngestStatementsRequest {
        statements: vec![said.clone()],
    };
    let status = service
        .ingest()
        .ingest_statements(request)
        .await
        .expect_err("no turn in time");
    assert_failure(
        &status,
        Code::DeadlineExceeded,
        ErrorReason::DeadlineExceeded,
    );
    drop(turn);
    // The turn was given back; the write that nobody waits for is done before this one.
    let again = loop {
        let request = v1::IngestStatementsRequest {
            statements: vec![said.clone()],
        };
        if let Ok(answer) = service.ingest().ingest_statements(request).await {
            break answer.into_inner();
        }
    };
    assert_eq!(
        again.results[0].outcome(),
        Duplicate,
        "the first call's write was kept"
    );
}

#[tokio::test]
async fn a_database_that_is_away_is_unavailable_with_a_time_to_wait() {
    let nobody_listens = Options::new("postgres://nobody@127.0.0.1:1/none".to_owned());
    let store = Arc::new(
        SqlStore::connect(&nobody_listens)
            .await
            .expect("connects when it must"),
    );
    let service = Service::start_unready(store, |_| {}).await;
    let request = v1::GetProfileRequest {
        key: Some(by_identifier("email", "ann@example.com")),
        ..Default::default()
    };
    assert_failure(
        &get_fails(&service, request).await,
        Code::Unavailable,
        ErrorReason::StoreUnavailable,
    );
    let statements = vec![event(("web", "1"), "a", "call", 0)];
    let status = service
        .ingest()
        .ingest_statements(v1::IngestStatementsRequest { statements })
        .await;
    let status = status.expect_err("no database");
    assert_failure(&status, Code::Unavailable, ErrorReason::StoreUnavailable);
    assert!(
        !status.message().contains("127.0.0.1"),
        "driver text never leaves: {status:?}"
    );
    let mut health = tonic_health::pb::health_client::HealthClient::new(service.channel.clone());
    let answer = health
        .check(tonic_health::pb::HealthCheckRequest::default())
        .await
        .expect("an answer")
        .into_inner();
    assert_eq!(
        answer.status(),
        tonic_health::pb::health_check_response::ServingStatus::NotServing
    );
}

#[tokio::test]
async fn patches_that_change_nothing_or_contradict_themselves_are_rejected() {
    let service = Service::start().await;
    let patch = |patch: v1::PatchRecord| {
        statement(Kind::PatchRecord(v1::PatchRecord {
            record: Some(record("web", "1")),
            ..patch
        }))
    };
    let nothing = rejected(&service, patch(v1::PatchRecord::default())).await;
    assert_eq!(
        nothing,
        [("patch_record".to_owned(), ErrorReason::Required)]
    );
    let both = v1::PatchRecord {
        traits: [("city".to_owned(), text("Boston"))].into(),
        clear_traits: vec!["city".to_owned(), "shoe_size".to_owned()],
        ..Default::default()
    };
    let both = rejected(&service, patch(both)).await;
    assert_eq!(
        both[0],
        (
            "patch_record.clear_traits[0]".to_owned(),
            ErrorReason::Malformed
        )
    );
    assert_eq!(
        both[1],
        (
            "patch_record.clear_traits[1]".to_owned(),
            ErrorReason::NotDeclared
        )
    );
}

#[tokio::test]
async fn what_the_database_refuses_is_rejected_alone_and_a_bug_is_internal() {
    let service = Service::start_with(Arc::new(Faulty::new(Reads::Fail)), |_| {}).await;
    let person = |key: &str| upsert(("web", key), &[], &[("given_name", "Ann")], 1);
    let answer = service
        .say(vec![
            person("1"),
            person("2"),
            person(REFUSED),
            person("3"),
            person("4"),
        ])
        .await;
    let outcomes: Vec<_> = answer
        .results
        .iter()
        .map(v1::StatementResult::outcome)
        .collect();
    assert_eq!(outcomes, [Stored, Stored, Rejected, Stored, Stored]);
    assert_eq!(
        answer.results[2].violations[0].reason(),
        ErrorReason::StoreRefused
    );

    let name = answer.results[0].profile.clone();
    let status = get_fails(
        &service,
        v1::GetProfileRequest {
            key: Some(by_name(&name)),
            ..Default::default()
        },
    )
    .await;
    assert_failure(&status, Code::Internal, ErrorReason::Internal);
    assert!(
        !status.message().contains(SECRET),
        "driver text never leaves: {status:?}"
    );
    let details = status.get_error_details();
    let request_id = &details.error_info().expect("ErrorInfo").metadata["request_id"];
    assert_eq!(
        status
            .metadata()
            .get("x-request-id")
            .expect("the header")
            .as_bytes(),
        request_id.as_bytes()
    );
}

#[tokio::test]
async fn a_stream_is_sent_elsewhere_when_the_server_stops() {
    let service = Service::start().await;
    let (batches, sent) = tokio::sync::mpsc::channel(1);
    let stream = tokio_stream::wrappers::ReceiverStream::new(sent);
    let mut acks = service
        .ingest()
        .stream_statements(stream)
        .await
        .expect("a stream")
        .into_inner();
    let statements = vec![event(("web", "1"), "a", "call", 0)];
    batches
        .send(v1::StreamStatementsRequest {
            sequence: 7,
            statements,
        })
        .await
        .expect("sent");
    assert_eq!(
        acks.message()
            .await
            .expect("no failure")
            .expect("an acknowledgement")
            .sequence,
        7
    );
    service.begin_stop();
    let status = acks.message().await.expect_err("the end");
    assert_failure(&status, Code::Unavailable, ErrorReason::Draining);
    service.stop().await;
}
