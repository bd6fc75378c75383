//! What a plan tells.

use customer_profile::grpc::v1;
use tonic::Code;
use tonic_types::StatusExt;

use super::{BY_EMAIL, BY_PHONE, apply_file, client, code, model, plan, seen, town};
use crate::support::service::{Service, upsert};
use crate::support::stores::{Kind, TestStore};

const RECORDS: usize = 31;

async fn predicts(kind: Kind) {
    let test = TestStore::start(kind).await;
    let service = Service::start_by(test.store.clone(), model(BY_EMAIL)).await;
    service.say(town(RECORDS)).await;
    let before = seen(&service, RECORDS).await;
    let planned = plan(&service, BY_PHONE).await.expect("a plan");
    assert_eq!(
        seen(&service, RECORDS).await,
        before,
        "a plan changed something"
    );
    let applied = apply_file(&service, BY_PHONE).await;
    assert_eq!(
        applied.plan,
        Some(planned.clone()),
        "the plan is not what was done"
    );
    assert_eq!((planned.base_version, applied.version), (1, 2));

    let after = seen(&service, RECORDS).await;
    let count = |profiles: &std::collections::BTreeMap<usize, v1::Profile>| {
        let names: std::collections::BTreeSet<&String> =
            profiles.values().map(|profile| &profile.name).collect();
        i64::try_from(names.len()).expect("small")
    };
    assert_eq!(
        (planned.profile_count_before, planned.profile_count_after),
        (count(&before), count(&after))
    );
    let moved = (0..RECORDS)
        .filter(|number| before[number].name != after[number].name)
        .count();
    assert_eq!(
        planned.moved_record_count,
        i64::try_from(moved).expect("small")
    );
    assert!(
        planned.merged_profile_count > 0 && planned.split_profile_count > 0,
        "{planned:?}"
    );
    assert_eq!(
        planned.changed_identifier_count,
        i64::try_from(RECORDS).expect("small"),
        "{planned:?}"
    );
    assert!(
        planned.added_term_count > 0 && planned.removed_term_count > 0,
        "{planned:?}"
    );
    for change in &planned.merges {
        let moved = after
            .values()
            .find(|profile| profile.name == change.into)
            .expect("the profile is there");
        assert!(
            moved
                .records
                .iter()
                .any(|record| Some(&record.record) == change.records.first().map(|r| &r.record))
        );
    }
    assert!(plan(&service, BY_PHONE).await.expect("a plan").unchanged);
    test.store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_is_exactly_what_is_applied_on_sqlite() {
    predicts(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_is_exactly_what_is_applied_on_postgresql() {
    predicts(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mistake_of_a_file_is_told_with_its_place() {
    let service = Service::start().await;
    let status = plan(
        &service,
        "identifiers:\n  email: { priority: 0 }\n  phone: { normalise: x }\n",
    )
    .await;
    let status = status.expect_err("mistakes");
    assert_eq!(status.code(), Code::InvalidArgument);
    let details = status.get_error_details();
    let places: Vec<&str> = details
        .bad_request()
        .expect("violations")
        .field_violations
        .iter()
        .map(|v| v.field.as_str())
        .collect();
    assert!(
        places.len() >= 2
            && places
                .iter()
                .all(|place| place.starts_with("candidate.file:")),
        "{places:?}"
    );
    let nothing = v1::PlanModelRequest { candidate: None };
    assert_eq!(
        code(client(&service).plan_model(nothing).await),
        Code::InvalidArgument
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_that_the_candidate_refuses_are_told_and_come_back_with_the_old_file() {
    let service = Service::start_by(
        TestStore::start(Kind::Memory).await.store.clone(),
        model(BY_EMAIL),
    )
    .await;
    service.say(town(4)).await;
    let before = seen(&service, 4).await;
    let without_cities = BY_EMAIL.replace("  city: { keep: source_trust }\n", "");
    let planned = plan(&service, &without_cities).await.expect("a plan");
    assert_eq!(
        (
            planned.refused_statement_count,
            planned.deleted_profile_count
        ),
        (4, planned.profile_count_before)
    );
    assert!(
        planned.refusals[0]
            .description
            .contains("the model declares no trait `city`"),
        "{planned:?}"
    );
    assert_eq!(planned.record_count, 0);
    apply_file(&service, &without_cities).await;
    let refused = service
        .say(vec![upsert(("web", "9"), &[], &[("city", "Rome")], 1)])
        .await;
    assert_eq!(refused.results[0].outcome(), v1::StatementOutcome::Rejected);
    let back = plan(&service, BY_EMAIL).await.expect("a plan");
    assert_eq!(
        (back.accepted_statement_count, back.refused_statement_count),
        (4, 0)
    );
    apply_file(&service, BY_EMAIL).await;
    assert_eq!(seen(&service, 4).await, before);
}
