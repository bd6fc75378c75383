//! What people decide, as its callers see it: merges, splits, candidates, second thoughts.

use customer_profile::grpc::v1::{
    self, CandidateVerdict, ErrorReason, IdentityChangeKind,
    identity_service_client::IdentityServiceClient,
};
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::support::service::{Service, by_name, by_record, record, upsert};

fn client(service: &Service) -> IdentityServiceClient<Channel> {
    IdentityServiceClient::new(service.channel.clone())
}

/// Ann in the shop and at the till, under two addresses; and her brother.
async fn people(service: &Service) -> [String; 3] {
    let mut profiles = Vec::new();
    // One after the other, so that the first is the oldest: in a merge it keeps its name.
    for person in [
        upsert(
            ("web", "1"),
            &[("email", "ann@example.com")],
            &[("given_name", "Ann"), ("family_name", "Lee")],
            1,
        ),
        upsert(
            ("pos", "7"),
            &[("email", "lee@work.example")],
            &[("given_name", "Anna"), ("city", "Boston")],
            1,
        ),
        upsert(
            ("web", "2"),
            &[("email", "bob@example.com")],
            &[("given_name", "Bob"), ("family_name", "Lee")],
            1,
        ),
    ] {
        profiles.push(service.say(vec![person]).await.results[0].profile.clone());
    }
    profiles.try_into().expect("three profiles")
}

fn merge(target: &str, source: &str, request_id: &str) -> v1::MergeProfilesRequest {
    v1::MergeProfilesRequest {
        target: target.to_owned(),
        sources: vec![source.to_owned()],
        note: Some(v1::DecisionNote {
            actor: "ann.agent".to_owned(),
            note: "she called".to_owned(),
        }),
        request_id: request_id.to_owned(),
        ..Default::default()
    }
}

async fn home(service: &Service, source: &str, key: &str) -> String {
    let request = v1::GetProfileRequest {
        key: Some(by_record(source, key)),
        ..Default::default()
    };
    let found = service
        .profiles()
        .get_profile(request)
        .await
        .expect("a profile")
        .into_inner();
    found.profile.expect("a profile").name
}

fn reason(status: &Status) -> String {
    status
        .get_error_details()
        .error_info()
        .expect("an error info")
        .reason
        .clone()
}

fn name_of(reason: ErrorReason) -> &'static str {
    reason.as_str_name().trim_start_matches("ERROR_REASON_")
}

async fn preview(
    client: &mut IdentityServiceClient<Channel>,
    ann: &str,
    till: &str,
) -> v1::PreviewMergeResponse {
    let preview = v1::PreviewMergeRequest {
        target: ann.to_owned(),
        sources: vec![till.to_owned()],
        override_rules: false,
    };
    let preview = client
        .preview_merge(preview)
        .await
        .expect("a preview")
        .into_inner();
    assert_eq!(
        preview.profile.as_ref().map(|profile| profile.record_count),
        Some(2)
    );
    preview
}

/// Says the merge again: under its id, another under its id, and the same under another id.
async fn merge_again(
    client: &mut IdentityServiceClient<Channel>,
    ann: &str,
    till: &str,
    merged: &v1::MergeProfilesResponse,
) {
    let again = client
        .merge_profiles(merge(ann, till, "r-1"))
        .await
        .expect("the same")
        .into_inner();
    assert_eq!(
        (&again.outcomes, &again.profile),
        (&merged.outcomes, &merged.profile)
    );
    let other = client
        .merge_profiles(merge(till, ann, "r-1"))
        .await
        .expect_err("another request");
    assert_eq!(
        (other.code(), reason(&other).as_str()),
        (Code::InvalidArgument, name_of(ErrorReason::RequestIdReused))
    );
    let same = client
        .merge_profiles(merge(ann, till, "r-2"))
        .await
        .expect("nothing to do")
        .into_inner();
    // Nothing is written; the token proves what is shown.
    assert_eq!(
        (
            same.outcomes[0].decision.as_str(),
            same.read_token.is_empty()
        ),
        ("", false)
    );
}

/// The merge's decision, which is listed, and is the cause of the one identity change.
async fn told_decision(
    client: &mut IdentityServiceClient<Channel>,
    ann: &str,
    till: &str,
) -> v1::Decision {
    let listed = client
        .list_decisions(v1::ListDecisionsRequest::default())
        .await
        .expect("a list")
        .into_inner();
    let [decision] = listed.decisions.as_slice() else {
        panic!("one decision: {listed:?}")
    };
    assert_eq!(decision.verdict(), CandidateVerdict::Same);
    let changes = v1::ListIdentityChangesRequest {
        profile: till.to_owned(),
        ..Default::default()
    };
    let changes = client
        .list_identity_changes(changes)
        .await
        .expect("a list")
        .into_inner()
        .changes;
    let [change] = changes.as_slice() else {
        panic!("one change: {changes:?}")
    };
    assert_eq!(
        (change.kind(), change.from.as_str(), change.into.as_str()),
        (IdentityChangeKind::Merge, till, ann)
    );
    let Some(v1::identity_change::Cause::Decision(cause)) = &change.cause else {
        panic!("{change:?}")
    };
    assert_eq!(
        cause.note.as_ref().map(|note| note.actor.as_str()),
        Some("ann.agent")
    );
    decision.clone()
}

async fn old_name(service: &Service, name: &str) -> String {
    let old = v1::GetProfileRequest {
        key: Some(by_name(name)),
        ..Default::default()
    };
    let answer = service.profiles().get_profile(old).await;
    answer.expect("a redirect").into_inner().merged_from
}

#[tokio::test]
async fn a_merge_is_previewed_made_once_told_of_and_taken_back() {
    let service = Service::start().await;
    let [ann, till, _] = people(&service).await;
    let mut client = client(&service);

    let preview = preview(&mut client, &ann, &till).await;
    assert_ne!(
        home(&service, "pos", "7").await,
        ann,
        "a preview changes nothing"
    );

    let merged = client
        .merge_profiles(merge(&ann, &till, "r-1"))
        .await
        .expect("a merge")
        .into_inner();
    let outcome = &merged.outcomes[0];
    assert_eq!(
        (
            outcome.source.as_str(),
            outcome.status.as_ref().expect("a status").code
        ),
        (till.as_str(), 0)
    );
    assert_eq!(
        merged.profile,
        preview.profile.map(|profile| v1::Profile {
            update_time: merged.profile.as_ref().expect("a profile").update_time,
            ..profile
        })
    );
    assert!(!merged.read_token.is_empty());
    assert_eq!(home(&service, "pos", "7").await, ann);
    assert_eq!(old_name(&service, &till).await, till);

    merge_again(&mut client, &ann, &till, &merged).await;
    let decision = told_decision(&mut client, &ann, &till).await;
    assert_eq!(decision.name, outcome.decision);

    let withdraw = v1::WithdrawDecisionRequest {
        name: decision.name.clone(),
        request_id: "r-3".to_owned(),
        ..Default::default()
    };
    let withdrawn = client
        .withdraw_decision(withdraw)
        .await
        .expect("it is taken back")
        .into_inner();
    assert_eq!(
        withdrawn
            .profiles
            .iter()
            .map(|profile| profile.name.as_str())
            .collect::<Vec<_>>(),
        [&ann, &till]
    );
    assert_eq!(
        home(&service, "pos", "7").await,
        till,
        "under its old name, for readers with a cache too"
    );
    service.stop().await;
}

#[tokio::test]
async fn a_rule_refuses_by_name_and_can_be_overridden() {
    let service = Service::start().await;
    let [ann, _, bob] = people(&service).await;
    let mut client = client(&service);
    let refused = client
        .merge_profiles(merge(&ann, &bob, "r-1"))
        .await
        .expect("an answer")
        .into_inner();
    assert_eq!(refused.outcomes[0].refused_by, "given_names_differ");
    let status = refused.outcomes[0].status.clone().expect("a status");
    assert_eq!(status.code, i32::from(Code::FailedPrecondition));
    assert_eq!(home(&service, "web", "2").await, bob);

    let candidate = v1::DecideCandidateRequest {
        left: Some(record("web", "1")),
        right: Some(record("web", "2")),
        verdict: CandidateVerdict::Same.into(),
        request_id: "r-2".to_owned(),
        ..Default::default()
    };
    let status = client
        .decide_candidate(candidate.clone())
        .await
        .expect_err("a rule refuses");
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::FailedPrecondition, name_of(ErrorReason::RuleRefused))
    );
    let overridden = v1::DecideCandidateRequest {
        override_rules: true,
        ..candidate.clone()
    };
    let decided = client
        .decide_candidate(overridden)
        .await
        .expect("a decision")
        .into_inner();
    assert_eq!(
        (decided.profiles.len(), home(&service, "web", "2").await),
        (1, ann.clone())
    );

    // The newer decision counts; and what was refused by a decision says by which.
    let different = v1::DecideCandidateRequest {
        verdict: CandidateVerdict::Different.into(),
        request_id: "r-3".to_owned(),
        ..candidate
    };
    let apart = client
        .decide_candidate(different)
        .await
        .expect("a decision")
        .into_inner();
    assert_eq!(
        (apart.profiles.len(), home(&service, "web", "2").await),
        (2, bob.clone())
    );
    let refused = client
        .merge_profiles(merge(&ann, &bob, "r-4"))
        .await
        .expect("an answer")
        .into_inner();
    assert_eq!(
        refused.outcomes[0].refused_by,
        apart.decision.replace("decisions/", "decision:")
    );
    service.stop().await;
}

#[tokio::test]
async fn records_are_taken_out_for_good() {
    let service = Service::start().await;
    let [ann, ..] = people(&service).await;
    let shared = upsert(
        ("callcentre", "3"),
        &[("email", "ann@example.com")],
        &[("given_name", "Ann")],
        1,
    );
    assert_eq!(service.say(vec![shared]).await.results[0].profile, ann);
    let mut client = client(&service);
    let split = |records: Vec<v1::RecordKey>, id: &str, validate_only| v1::SplitProfileRequest {
        name: ann.clone(),
        records,
        request_id: id.to_owned(),
        validate_only,
        ..Default::default()
    };
    for (records, expected) in [
        (vec![record("web", "2")], ErrorReason::RecordNotInProfile),
        (
            vec![record("web", "1"), record("callcentre", "3")],
            ErrorReason::NothingStays,
        ),
    ] {
        let status = client
            .split_profile(split(records, "r-0", false))
            .await
            .expect_err("refused");
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::FailedPrecondition, name_of(expected))
        );
    }
    let tried = client
        .split_profile(split(vec![record("callcentre", "3")], "", true))
        .await
        .expect("a trial");
    assert_eq!(
        (
            tried.get_ref().decision.as_str(),
            tried.get_ref().profiles.len()
        ),
        ("", 2)
    );
    assert_eq!(home(&service, "callcentre", "3").await, ann);
    let done = client
        .split_profile(split(vec![record("callcentre", "3")], "r-1", false))
        .await
        .expect("a split");
    assert_eq!(done.get_ref().profiles[0].name, ann);
    let out = home(&service, "callcentre", "3").await;
    assert_ne!(out, ann);
    // The source says again what had joined them: it stays apart.
    let again = [("email", "ann@example.com"), ("phone", "+12125551142")];
    let said = service
        .say(vec![upsert(
            ("callcentre", "3"),
            &again,
            &[("given_name", "Ann")],
            2,
        )])
        .await;
    assert_eq!(said.results[0].profile, out);
    service.stop().await;
}

#[tokio::test]
async fn what_is_not_there_or_not_said_is_told_by_its_field() {
    let service = Service::start().await;
    let [ann, till, _] = people(&service).await;
    let mut client = client(&service);
    let nobody = format!("profiles/{}", uuid::Uuid::nil());
    let status = client
        .merge_profiles(merge(&nobody, &ann, "r"))
        .await
        .expect_err("no target");
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::NotFound, name_of(ErrorReason::ProfileNotFound))
    );
    let answer = client
        .merge_profiles(merge(&ann, &nobody, "r"))
        .await
        .expect("an answer")
        .into_inner();
    assert_eq!(
        answer.outcomes[0].status.as_ref().map(|status| status.code),
        Some(i32::from(Code::NotFound))
    );
    let status = client
        .merge_profiles(merge("ann", &till, ""))
        .await
        .expect_err("no name, no id");
    for field in ["target", "request_id"] {
        assert!(status.message().contains(field), "{}", status.message());
    }
    let candidate = v1::DecideCandidateRequest {
        left: Some(record("web", "1")),
        right: Some(record("web", "1")),
        request_id: "x".repeat(200),
        ..Default::default()
    };
    let status = client
        .decide_candidate(candidate)
        .await
        .expect_err("much is wrong");
    for field in ["right", "verdict", "request_id"] {
        assert!(status.message().contains(field), "{}", status.message());
    }
    let withdraw = v1::WithdrawDecisionRequest {
        name: "decisions/1".to_owned(),
        request_id: "r".to_owned(),
        ..Default::default()
    };
    let status = client
        .withdraw_decision(withdraw)
        .await
        .expect_err("no decision");
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::NotFound, name_of(ErrorReason::DecisionNotFound))
    );
    service.stop().await;
}
