//! The review queue, households, decisions, and what identity did.

use std::sync::Arc;

use customer_profile::grpc::v1::{
    self, CandidateVerdict, IdentityChangeKind, MatchVerdict, identity_change::Cause as Told,
};
use customer_profile::store::memory::MemoryStore;
use customer_profile::store::{Cause, Changes, IdentityChange, Store, StoredDecision};
use profile_core::identity::{Decision, DecisionKind};
use profile_core::records::{ProfileId, RecordKey, Sequence, TenantId, Timestamp};
use tonic::{Code, Response, Status};
use uuid::Uuid;

use super::told::{key, score};
use super::{explain, family, named, of_record, pair, reason, start, start_on};
use crate::support::service::{Service, record, upsert};

/// People who may be Ann; each in another profile.
async fn alike(service: &Service) -> Vec<String> {
    let person = |key: &str, given: &str, family: &str, city: &str| {
        let traits = [
            ("given_name", given),
            ("family_name", family),
            ("city", city),
        ];
        upsert(
            ("web", key),
            &[],
            &traits[..if city.is_empty() { 2 } else { 3 }],
            1,
        )
    };
    let said = vec![
        person("1", "Ann", "Featherstone", "Salem"),
        person("2", "Annie", "Featherstone", ""),
        person("3", "Ann", "Featherston", "Salem"),
    ];
    service
        .say(said)
        .await
        .results
        .into_iter()
        .map(|result| result.profile)
        .collect()
}

async fn candidates(
    service: &Service,
    request: v1::ListMatchCandidatesRequest,
) -> v1::ListMatchCandidatesResponse {
    service
        .identity()
        .list_match_candidates(request)
        .await
        .expect("a page")
        .into_inner()
}

#[tokio::test]
async fn what_waits_for_a_person_is_listed_strongest_first_and_paged() {
    let service = start().await;
    let profiles = alike(&service).await;
    let all = candidates(&service, v1::ListMatchCandidatesRequest::default()).await;
    assert_eq!(all.next_page_token, "");
    let shown: Vec<String> = all
        .candidates
        .iter()
        .map(|one| {
            let told = score(one.score.as_ref().expect("a score"));
            format!(
                "{} {} {told}",
                key(one.left.as_ref()),
                key(one.right.as_ref())
            )
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
    let first = &all.candidates[0];
    let homes = [&first.left, &first.right].map(|end| {
        end.as_ref()
            .expect("a record")
            .key
            .parse::<usize>()
            .expect("1…")
    });
    let homes = homes.map(|number| profiles[number - 1].clone());
    assert_eq!(
        [first.left_profile.clone(), first.right_profile.clone()],
        homes
    );

    let mut request = v1::ListMatchCandidatesRequest {
        page_size: 1,
        ..Default::default()
    };
    let mut paged = Vec::new();
    loop {
        let mut page = candidates(&service, request.clone()).await;
        assert!(page.candidates.len() <= 1);
        paged.append(&mut page.candidates);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(paged, all.candidates);
    let other = v1::ListMatchCandidatesRequest {
        min_probability: 0.1,
        ..request
    };
    let status = service
        .identity()
        .list_match_candidates(other)
        .await
        .expect_err("a failure");
    assert_eq!(
        (status.code(), reason(&status)),
        (Code::InvalidArgument, "PAGE_TOKEN_INVALID".to_owned())
    );
}

#[tokio::test]
async fn the_queue_is_cut_by_probability_and_by_profile() {
    let service = start().await;
    let profiles = alike(&service).await;
    let all = candidates(&service, v1::ListMatchCandidatesRequest::default())
        .await
        .candidates;
    assert!(all.len() > 1);
    let probability = all[0].score.as_ref().expect("a score").probability;
    let strongest = v1::ListMatchCandidatesRequest {
        min_probability: probability,
        ..Default::default()
    };
    assert_eq!(candidates(&service, strongest).await.candidates, all[..1]);
    let others = v1::ListMatchCandidatesRequest {
        max_probability: probability,
        ..Default::default()
    };
    assert_eq!(
        candidates(&service, others.clone()).await.candidates,
        all[1..]
    );
    for profile in &profiles {
        let of_one = v1::ListMatchCandidatesRequest {
            profile: profile.clone(),
            ..Default::default()
        };
        let expected: Vec<_> = all
            .iter()
            .filter(|one| [&one.left_profile, &one.right_profile].contains(&profile))
            .cloned()
            .collect();
        assert_eq!(candidates(&service, of_one).await.candidates, expected);
        let of_one = v1::ListMatchCandidatesRequest {
            profile: profile.clone(),
            page_size: 1,
            ..Default::default()
        };
        let page = candidates(&service, of_one.clone()).await;
        let (first, rest) = expected.split_first().expect("one at least");
        assert_eq!(
            (page.candidates.as_slice(), page.next_page_token.is_empty()),
            (&[first.clone()][..], rest.is_empty())
        );
        if !rest.is_empty() {
            let next = v1::ListMatchCandidatesRequest {
                page_token: page.next_page_token,
                ..of_one
            };
            assert_eq!(candidates(&service, next).await.candidates, rest[..1]);
        }
    }
    let wrong = v1::ListMatchCandidatesRequest {
        min_probability: 1.5,
        max_probability: f64::NAN,
        page_size: -1,
        profile: "Ann".to_owned(),
        ..Default::default()
    };
    let status = service
        .identity()
        .list_match_candidates(wrong)
        .await
        .expect_err("a failure");
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(
        named(&status),
        "max_probability min_probability page_size profile"
    );
}

#[tokio::test]
async fn a_household_is_a_relation_of_profiles() {
    let service = start().await;
    let (ann, bob) = family(&service).await;
    for (name, other, left) in [(&ann, &bob, "pos/7"), (&bob, &ann, "web/2")] {
        let request = v1::ListHouseholdRequest { name: name.clone() };
        let found = service
            .identity()
            .list_household(request)
            .await
            .expect("a household")
            .into_inner();
        let [member] = found.members.as_slice() else {
            panic!("one member: {found:?}")
        };
        assert_eq!(
            (&member.profile, key(member.left.as_ref()).as_str()),
            (other, left)
        );
        let compared = member.score.as_ref().expect("a score");
        assert_eq!(
            (compared.verdict(), compared.veto.as_str()),
            (MatchVerdict::Household, "given_names_differ")
        );
        assert_ne!(member.left, member.right);
    }
}

fn decision(
    id: &str,
    kind: DecisionKind,
    left: &[&str],
    right: &[&str],
    sequence: i64,
) -> StoredDecision {
    let keys = |keys: &[&str]| keys.iter().map(|key| RecordKey::new("web", *key)).collect();
    let time = Timestamp::from_micros(1_000_000 * sequence);
    let decision = Decision {
        id: id.to_owned(),
        kind,
        left: keys(left),
        right: keys(right),
        time,
    };
    let (actor, note) = (format!("{id}'s maker"), format!("{id}'s reason"));
    StoredDecision {
        decision,
        actor,
        note,
        sequence: Sequence(sequence),
        withdrawn: false,
    }
}

async fn write(store: &dyn Store, changes: &Changes) {
    let turn = store.begin(&TenantId::default()).await.expect("a turn");
    let time = turn.not_before();
    turn.commit(time, changes).await.expect("a commit");
}

/// Two decisions in force, and one that was withdrawn.
async fn three_decisions(store: &dyn Store) {
    let same = decision("d1", DecisionKind::MustLink, &["1"], &["2"], 2);
    let different = decision("d2", DecisionKind::CannotLink, &["1"], &["3", "4"], 2);
    write(
        store,
        &Changes {
            added_decisions: vec![same, different],
            ..Changes::default()
        },
    )
    .await;
    let later = decision("d3", DecisionKind::MustLink, &["8"], &["9"], 3);
    write(
        store,
        &Changes {
            added_decisions: vec![later.clone()],
            ..Changes::default()
        },
    )
    .await;
    let withdrawn = StoredDecision {
        withdrawn: true,
        ..later
    };
    write(
        store,
        &Changes {
            withdrawn_decisions: vec![withdrawn],
            ..Changes::default()
        },
    )
    .await;
}

async fn list_decisions(
    service: &Service,
    page_size: i32,
    page_token: String,
) -> v1::ListDecisionsResponse {
    let request = v1::ListDecisionsRequest {
        page_size,
        page_token,
    };
    service
        .identity()
        .list_decisions(request)
        .await
        .expect("a page")
        .into_inner()
}

fn tells_that_they_differ(second: v1::Decision) {
    assert_eq!(second.verdict(), CandidateVerdict::Different);
    assert_eq!(
        (second.left, second.right),
        (
            vec![record("web", "1")],
            vec![record("web", "3"), record("web", "4")]
        )
    );
    assert_eq!(second.create_time.expect("a time").seconds, 2);
    let note = second.note.expect("a note");
    assert_eq!(
        (note.actor.as_str(), note.note.as_str()),
        ("d2's maker", "d2's reason")
    );
}

#[tokio::test]
async fn decisions_are_told_and_are_reasons() {
    let store = Arc::new(MemoryStore::new());
    let service = start_on(store.clone()).await;
    let email = &[("email", "ann@example.org")];
    let person = |key: &str, identifiers, version| upsert(("web", key), identifiers, &[], version);
    service
        .say(vec![
            person("1", &[], 1),
            person("2", &[], 1),
            person("3", email, 1),
        ])
        .await;
    three_decisions(&*store).await;

    let all = list_decisions(&service, 0, String::new()).await;
    assert_eq!(all.next_page_token, "");
    let names: Vec<(&str, bool)> = all
        .decisions
        .iter()
        .map(|one| (one.name.as_str(), one.withdrawn))
        .collect();
    assert_eq!(
        names,
        [
            ("decisions/d3", true),
            ("decisions/d2", false),
            ("decisions/d1", false)
        ]
    );
    tells_that_they_differ(all.decisions[1].clone());
    assert_eq!(all.decisions[2].verdict(), CandidateVerdict::Same);
    let (mut paged, mut token) = (Vec::new(), String::new());
    loop {
        let mut page = list_decisions(&service, 1, token).await;
        paged.append(&mut page.decisions);
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(paged, all.decisions);

    // What they say of it is known; that they say it makes it so.
    let results = service
        .say(vec![person("1", email, 2), person("2", &[], 2)])
        .await
        .results;
    assert_eq!(results[0].profile, results[1].profile);
    let told = explain(&service, &results[0].profile).await;
    let link = told.records[0].link.as_ref().expect("a link");
    let decided = v1::match_link::Evidence::Decision("decisions/d1".to_owned());
    assert_eq!(
        (link.record.clone(), link.evidence.clone()),
        (Some(record("web", "2")), Some(decided))
    );
    assert_eq!(told.refused_links[0].refused_by, "decision:d2");
    assert_eq!(
        pair(&service, of_record("web", "2"), of_record("web", "3"))
            .await
            .refused_by,
        "decision:d2"
    );
}

async fn profile_of(service: &Service, said: v1::Statement) -> String {
    service.say(vec![said]).await.results.remove(0).profile
}

async fn list_changes(
    service: &Service,
    profile: &str,
    page_size: i32,
    page_token: &str,
) -> Result<v1::ListIdentityChangesResponse, Status> {
    let request = v1::ListIdentityChangesRequest {
        profile: profile.to_owned(),
        page_size,
        page_token: page_token.to_owned(),
    };
    let answer = service.identity().list_identity_changes(request).await;
    answer.map(Response::into_inner)
}

#[tokio::test]
async fn merges_and_splits_by_statements_are_listed_newest_first() {
    let service = start().await;
    let person =
        |key: &str, email: &str, version| upsert(("web", key), &[("email", email)], &[], version);
    let older = profile_of(&service, person("1", "amy@shop.com", 1)).await;
    let younger = profile_of(&service, person("2", "bob@shop.com", 1)).await;
    service.say(vec![person("2", "amy@shop.com", 2)]).await;
    service.say(vec![person("2", "bob@shop.com", 3)]).await;
    let other = profile_of(&service, person("3", "eve@shop.com", 1)).await;
    let list = async |profile: &str| list_changes(&service, profile, 0, "").await;
    let all = list("").await.expect("a page");
    assert_eq!(all.next_page_token, "");
    let [split, merge] = all.changes.as_slice() else {
        panic!("two changes: {all:?}")
    };
    assert_eq!(
        (split.kind(), &split.from, &split.into),
        (IdentityChangeKind::Split, &older, &younger)
    );
    assert_eq!(
        (merge.kind(), &merge.from, &merge.into),
        (IdentityChangeKind::Merge, &younger, &older)
    );
    assert!(merge.change_time.is_some());
    let moved = |change: &v1::IdentityChange| (change.moved[0].clone(), change.moved_count);
    let two = |reason: &str| v1::MovedRecord {
        record: Some(record("web", "2")),
        reason: reason.to_owned(),
    };
    assert_eq!(
        (moved(merge), moved(split)),
        ((two("shared:email"), 1), (two("alone"), 1))
    );
    let statements = Told::Statements(v1::StatementCause {
        records: vec![record("web", "2")],
    });
    assert_eq!(merge.cause, Some(statements));

    for name in [&older, &younger] {
        assert_eq!(list(name).await.expect("a page").changes, all.changes);
    }
    assert_eq!(list(&other).await.expect("a page").changes, []);
    let first = list_changes(&service, &older, 1, "").await.expect("a page");
    let token = first.next_page_token;
    let second = list_changes(&service, &older, 1, &token).await;
    let second = second.expect("a page");
    assert_eq!([first.changes, second.changes].concat(), all.changes);
    assert_eq!(second.next_page_token, "");
    let status = list_changes(&service, &other, 1, &token).await;
    let status = status.expect_err("of another query");
    assert_eq!(reason(&status), "PAGE_TOKEN_INVALID");
    let nobody = list("profiles/00000000-0000-0000-0000-000000000001").await;
    assert_eq!(nobody.expect_err("nobody").code(), Code::NotFound);
}

#[tokio::test]
async fn merges_and_splits_tell_who_made_them_happen() {
    let store = Arc::new(MemoryStore::new());
    let (actor, note, id) = ("ann".to_owned(), "they called".to_owned(), "d1".to_owned());
    let causes = [
        Cause::Decision {
            id: id.clone(),
            actor: actor.clone(),
            note: note.clone(),
        },
        Cause::Withdrawal {
            id,
            actor: actor.clone(),
            note: note.clone(),
        },
        Cause::Model { version: 7 },
    ];
    let change = |(ordinal, cause): (i32, Cause)| IdentityChange {
        sequence: Sequence(1),
        ordinal,
        kind: customer_profile::store::IdentityChangeKind::Split,
        from: ProfileId(Uuid::from_u128(1)),
        into: ProfileId(Uuid::from_u128(2)),
        time: Timestamp::from_micros(1_500_000),
        moved: vec![(RecordKey::new("web", "1"), "match".to_owned())],
        moved_count: 60,
        cause,
    };
    let identity_changes = (0..).zip(causes).map(change).collect();
    write(
        &*store,
        &Changes {
            identity_changes,
            ..Changes::default()
        },
    )
    .await;
    let service = start_on(store).await;
    let request = v1::ListIdentityChangesRequest::default();
    let listed = service
        .identity()
        .list_identity_changes(request)
        .await
        .expect("a page")
        .into_inner()
        .changes;
    let told: Vec<Told> = listed
        .iter()
        .filter_map(|change| change.cause.clone())
        .collect();
    let note = Some(v1::DecisionNote { actor, note });
    let decided = v1::DecisionCause {
        decision: "decisions/d1".to_owned(),
        note,
    };
    assert_eq!(
        told,
        [
            Told::ModelVersion(7),
            Told::Withdrawal(decided.clone()),
            Told::Decision(decided)
        ]
    );
    assert_eq!(listed[0].moved_count, 60);
    assert_eq!(
        listed[0].change_time,
        Some(prost_types::Timestamp {
            seconds: 1,
            nanos: 500_000_000
        })
    );
}
