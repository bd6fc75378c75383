//! Reads that are bound to a purpose: the matrix of purposes, consents and fields.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;

use customer_profile::active_models::ModelFile;
use customer_profile::grpc::v1::{self, ConsentStatus, ErrorReason, ProfileView, WithheldReason};
use customer_profile::store::memory::MemoryStore;
use tonic::Code;

use super::errors::assert_failure;
use crate::support::service::{
    Service, by_name, consent, event, record, record_consent, statement, upsert,
};

/// Purposes by the rule of consent, by whether they sell, and by what they may see.
fn model() -> ModelFile {
    let mut model = "identifiers: { email: { priority: 1 }, phone: { priority: 2 } }\ntraits: { name: , city: }\n\
                     channels: { email: { contact_point: email } }\nsources: { web: }\npurposes:\n"
        .to_owned();
    for consent in ["opt_in", "opt_out", "not_needed"] {
        for (kind, keys) in [
            ("plain", ""),
            ("sells", ", marketing: true"),
            ("keeps", ", under_restriction: true"),
            ("blind", ", preferences: false, accessibility: false"),
        ] {
            for (sight, lists) in [
                ("all", r#", traits: "*", identifiers: "*", events: "*""#),
                (
                    "some",
                    ", traits: [name], identifiers: email, events: [order_placed]",
                ),
                ("none", ""),
            ] {
                writeln!(
                    model,
                    "  {consent}_{kind}_{sight}: {{ consent: {consent}{keys}{lists} }}"
                )
                .expect("text");
            }
        }
    }
    ModelFile::parse(&model).expect("a model")
}

fn purposes() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let rules = ["opt_in", "opt_out", "not_needed"].into_iter();
    let kinds =
        rules.flat_map(|rule| ["plain", "sells", "keeps", "blind"].map(|kind| (rule, kind)));
    kinds.flat_map(|(rule, kind)| ["all", "some", "none"].map(|sight| (rule, kind, sight)))
}

/// What a customer may have said, and what is withheld for it of a purpose that asks.
const WORDS: [(Option<ConsentStatus>, bool, WithheldReason); 6] = [
    (None, false, WithheldReason::ConsentMissing),
    (
        Some(ConsentStatus::Granted),
        false,
        WithheldReason::Unspecified,
    ),
    (
        Some(ConsentStatus::Granted),
        true,
        WithheldReason::ConsentExpired,
    ),
    (
        Some(ConsentStatus::Pending),
        false,
        WithheldReason::ConsentPending,
    ),
    (
        Some(ConsentStatus::Denied),
        false,
        WithheldReason::ConsentDenied,
    ),
    (
        Some(ConsentStatus::Withdrawn),
        false,
        WithheldReason::ConsentWithdrawn,
    ),
];

fn needs() -> v1::Statement {
    statement(v1::statement::Kind::StatePreferences(
        v1::StatePreferences {
            record: Some(record("web", "1")),
            preferences: Some(v1::Preferences {
                language: "de".into(),
                ..Default::default()
            }),
            accessibility: Some(v1::Accessibility {
                large_print: Some(true),
                ..Default::default()
            }),
            ..Default::default()
        },
    ))
}

fn word(purpose: &str, (status, expired): (Option<ConsentStatus>, bool)) -> Option<v1::Statement> {
    let seconds = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let said = consent(purpose, None, status?);
    let over = v1::Consent {
        effective_time: seconds(1_000),
        expire_time: seconds(2_000),
        ..said.clone()
    };
    Some(record_consent(
        ("web", "1"),
        if expired { over } else { said },
    ))
}

/// All that an answer shows, and all that it withholds.
fn told(answer: &v1::GetProfileResponse) -> (BTreeSet<String>, BTreeSet<(String, WithheldReason)>) {
    let profile = answer.profile.clone().expect("a profile");
    let mut shown: BTreeSet<String> = profile
        .traits
        .keys()
        .map(|name| format!("traits.{name}"))
        .collect();
    let kind = |held: &v1::Identifier| format!("identifiers.{}", held.r#type);
    shown.extend(
        profile
            .identifiers
            .iter()
            .filter_map(|held| held.identifier.as_ref())
            .map(kind),
    );
    // What a record says is shown under the same rule.
    for record in &profile.records {
        let said: BTreeSet<String> = record
            .traits
            .keys()
            .map(|name| format!("traits.{name}"))
            .chain(record.identifiers.iter().map(kind))
            .collect();
        assert!(said.is_subset(&shown), "{said:?}");
    }
    shown.extend(profile.preferences.map(|_| "preferences".to_owned()));
    shown.extend(profile.accessibility.map(|_| "accessibility".to_owned()));
    (
        shown,
        answer
            .withheld
            .iter()
            .map(|withheld| (withheld.field.clone(), withheld.reason()))
            .collect(),
    )
}

/// What must be shown and withheld, by the rules in words.
fn expected(
    (rule, kind, sight): (&str, &str, &str),
    (status, expired, reason): (Option<ConsentStatus>, bool, WithheldReason),
    restricted: bool,
) -> (BTreeSet<String>, BTreeSet<(String, WithheldReason)>) {
    let everything = |reason| (BTreeSet::new(), BTreeSet::from([("*".to_owned(), reason)]));
    if restricted && kind != "keeps" {
        return everything(WithheldReason::ProcessingRestricted);
    }
    let admitted = match rule {
        "opt_in" => status == Some(ConsentStatus::Granted) && !expired,
        "opt_out" => !matches!(
            status,
            Some(ConsentStatus::Denied | ConsentStatus::Withdrawn)
        ),
        _ => true,
    };
    if !admitted {
        return everything(reason);
    }
    let (mut shown, mut withheld) = (BTreeSet::new(), BTreeSet::new());
    for (field, listed) in [
        ("traits.name", true),
        ("traits.city", false),
        ("identifiers.email", true),
        ("identifiers.phone", false),
    ] {
        if sight == "all" || (sight == "some" && listed) {
            shown.insert(field.to_owned());
        } else {
            withheld.insert((field.to_owned(), WithheldReason::NotForPurpose));
        }
    }
    match kind {
        "blind" => {
            let both = ["preferences", "accessibility"].map(str::to_owned);
            withheld.extend(both.map(|field| (field, WithheldReason::NotForPurpose)));
        }
        // Not even that there are needs.
        "sells" => drop(shown.insert("preferences".to_owned())),
        _ => shown.extend(["preferences", "accessibility"].map(str::to_owned)),
    }
    (shown, withheld)
}

async fn read(service: &Service, name: &str, purpose: &str) -> v1::GetProfileResponse {
    let request = v1::GetProfileRequest {
        key: Some(by_name(name)),
        view: ProfileView::Full.into(),
        purpose: purpose.to_owned(),
        ..Default::default()
    };
    service
        .profiles()
        .get_profile(request)
        .await
        .expect("an answer")
        .into_inner()
}

/// 36 purposes, each under six words and with and without restriction, and every field: 432
/// answers.
#[tokio::test]
async fn every_purpose_sees_what_it_lists_if_the_customers_word_allows_it() {
    let mut asked = 0;
    for restricted in [false, true] {
        for word_said in WORDS {
            let service = Service::start_by(Arc::new(MemoryStore::new()), model()).await;
            let traits = [("name", "Ann"), ("city", "Ulm")];
            let said = upsert(
                ("web", "1"),
                &[("email", "ann@x.com"), ("phone", "1")],
                &traits,
                1,
            );
            let mut all = vec![said, needs()];
            all.extend(purposes().filter_map(|(rule, kind, sight)| {
                word(
                    &format!("{rule}_{kind}_{sight}"),
                    (word_said.0, word_said.1),
                )
            }));
            if restricted {
                all.push(statement(v1::statement::Kind::StatePreferences(
                    v1::StatePreferences {
                        record: Some(record("web", "1")),
                        preferences: Some(v1::Preferences {
                            processing_restricted: Some(true),
                            ..Default::default()
                        }),
                        ..Default::default()
                    },
                )));
            }
            let answer = service.say(all).await;
            assert!(
                answer
                    .results
                    .iter()
                    .all(|result| result.violations.is_empty()),
                "{answer:?}"
            );
            for purpose in purposes() {
                let (rule, kind, sight) = purpose;
                let answer = read(
                    &service,
                    &answer.results[0].profile,
                    &format!("{rule}_{kind}_{sight}"),
                )
                .await;
                assert_eq!(
                    told(&answer),
                    expected(purpose, word_said, restricted),
                    "{purpose:?} {word_said:?}"
                );
                asked += 1;
            }
        }
    }
    assert_eq!(asked, 36 * 6 * 2);
}

#[tokio::test]
async fn needs_are_refused_to_what_sells_and_unknown_purposes_to_everybody() {
    let service = Service::start_by(Arc::new(MemoryStore::new()), model()).await;
    let name = service
        .say(vec![
            upsert(("web", "1"), &[("email", "a")], &[], 1),
            needs(),
        ])
        .await
        .results[0]
        .profile
        .clone();
    let mask = |path: &str| {
        Some(prost_types::FieldMask {
            paths: vec![path.to_owned()],
        })
    };
    let request = |purpose: &str, path: &str| v1::GetProfileRequest {
        key: Some(by_name(&name)),
        purpose: purpose.to_owned(),
        read_mask: mask(path),
        ..Default::default()
    };
    let sells = request("not_needed_sells_all", "accessibility");
    let status = service
        .profiles()
        .get_profile(sells)
        .await
        .expect_err("it is refused");
    assert_failure(&status, Code::InvalidArgument, ErrorReason::NotForPurpose);
    let plain = request("not_needed_plain_all", "accessibility");
    let answer = service
        .profiles()
        .get_profile(plain)
        .await
        .expect("an answer")
        .into_inner();
    assert_eq!(
        answer
            .profile
            .expect("a profile")
            .accessibility
            .expect("needs")
            .large_print,
        Some(true)
    );
    let status = service
        .profiles()
        .get_profile(request("spam", "traits"))
        .await
        .expect_err("it is refused");
    assert_failure(&status, Code::InvalidArgument, ErrorReason::NotDeclared);
    // Only what was asked for is told as withheld.
    let answer = service
        .profiles()
        .get_profile(request("not_needed_plain_none", "revision"))
        .await
        .expect("an answer");
    assert_eq!(answer.into_inner().withheld, []);
}

#[tokio::test]
async fn consents_for_contact_points_are_seen_by_purposes_that_see_those() {
    let service = Service::start_by(Arc::new(MemoryStore::new()), model()).await;
    let said = |kind, value| {
        record_consent(
            ("web", "1"),
            consent(
                "opt_in_plain_all",
                Some((kind, value)),
                ConsentStatus::Granted,
            ),
        )
    };
    let name = service
        .say(vec![said("email", "a"), said("phone", "1")])
        .await
        .results[0]
        .profile
        .clone();
    for (purpose, shown, withheld) in [
        ("not_needed_plain_all", 2, ""),
        ("not_needed_plain_some", 1, "identifiers.phone"),
        (
            "not_needed_plain_none",
            0,
            "identifiers.email identifiers.phone",
        ),
    ] {
        let request = v1::GetPreferencesRequest {
            key: Some(by_name(&name)),
            purpose: purpose.into(),
            consistency: None,
        };
        let answer = service
            .preferences()
            .get_preferences(request)
            .await
            .expect("an answer")
            .into_inner();
        let fields: Vec<&str> = answer
            .withheld
            .iter()
            .map(|withheld| withheld.field.as_str())
            .collect();
        assert_eq!(
            (answer.consents.len(), fields.join(" ")),
            (shown, withheld.to_owned()),
            "{purpose}"
        );
    }
}

#[tokio::test]
async fn a_timeline_shows_the_events_of_the_purpose_and_tells_what_it_does_not() {
    let service = Service::start_by(Arc::new(MemoryStore::new()), model()).await;
    let events = [("1", "order_placed"), ("2", "call"), ("3", "order_placed")];
    let events =
        events.map(|(id, kind)| event(("web", "1"), id, kind, id.parse().expect("a number")));
    let name = service.say(events.to_vec()).await.results[0]
        .profile
        .clone();
    service
        .say(vec![record_consent(
            ("web", "1"),
            consent("opt_in_plain_all", None, ConsentStatus::Denied),
        )])
        .await;
    let list = async |purpose: &str, types: &[&str]| {
        let request = v1::ListTimelineRequest {
            key: Some(by_name(&name)),
            types: types.iter().map(|name| (*name).to_owned()).collect(),
            purpose: purpose.to_owned(),
            ..Default::default()
        };
        let answer = service
            .profiles()
            .list_timeline(request)
            .await
            .expect("a page")
            .into_inner();
        let withheld: Vec<_> = answer
            .withheld
            .into_iter()
            .map(|withheld| withheld.field)
            .collect();
        (
            answer
                .events
                .into_iter()
                .map(|event| event.event_id)
                .collect::<String>(),
            withheld.join(" "),
        )
    };
    let told = |events: &str, withheld: &str| (events.to_owned(), withheld.to_owned());
    assert_eq!(list("", &[]).await, told("321", ""));
    assert_eq!(list("not_needed_plain_all", &[]).await, told("321", ""));
    assert_eq!(
        list("not_needed_plain_some", &[]).await,
        told("31", "events")
    );
    assert_eq!(
        list("not_needed_plain_some", &["call", "order_placed"]).await,
        told("31", "events.call")
    );
    assert_eq!(
        list("not_needed_plain_some", &["call"]).await,
        told("", "events.call")
    );
    assert_eq!(list("not_needed_plain_none", &[]).await, told("", "events"));
    assert_eq!(list("opt_in_plain_all", &[]).await, told("", "*"));

    // Nothing is withheld of a customer who does not have it.
    let only_orders = vec![event(("web", "2"), "4", "order_placed", 4)];
    let name = service.say(only_orders).await.results[0].profile.clone();
    for types in [vec![], vec!["call".to_owned()]] {
        let request = v1::ListTimelineRequest {
            key: Some(by_name(&name)),
            types,
            purpose: "not_needed_plain_some".to_owned(),
            ..Default::default()
        };
        let answer = service.profiles().list_timeline(request).await;
        assert_eq!(answer.expect("a page").into_inner().withheld, []);
    }
}
