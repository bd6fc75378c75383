//! Role × field × method, whole.

use std::collections::BTreeMap;

use customer_profile::auth::Scope;
use serde_json::{Value as Json, json};
use tonic::Code;

use super::{Answer, Scene, WORDS};
use crate::support::access::{methods, scope};

/// A request of each method that answers with what is known of customers, such that its answer
/// says as much as it can.
fn requests(profile: &str) -> BTreeMap<&'static str, Json> {
    let key = json!({"name": profile});
    let mut requests = other_requests(profile);
    requests.extend([
        (
            "GetProfile",
            json!({"key": key, "view": "PROFILE_VIEW_FULL"}),
        ),
        (
            "BatchGetProfiles",
            json!({"keys": [key], "view": "PROFILE_VIEW_FULL"}),
        ),
        ("ListTimeline", json!({"key": key, "includeCounts": true})),
        (
            "GetObject",
            json!({"key": key, "object": {"kind": "order", "id": "wordofobject"}}),
        ),
        ("SearchProfiles", json!({"query": "wordoftrait"})),
        (
            "WatchProfiles",
            json!({"keys": [key], "view": "PROFILE_VIEW_FULL"}),
        ),
        (
            "GetContext",
            json!({"key": key, "view": "desk", "purpose": "service", "includeText": true}),
        ),
        ("GetPreferences", json!({"key": key})),
        ("ListConsentHistory", json!({"key": key})),
        (
            "CheckContactPermission",
            json!({"key": key, "purpose": "service", "channel": "email"}),
        ),
        (
            "BatchCheckContactPermission",
            json!({"subjects": [{"key": key}], "purpose": "service", "channel": "email"}),
        ),
        ("GetExperienceMetrics", json!({"customer": key})),
    ]);
    requests
}

/// Those of the other services.
fn other_requests(profile: &str) -> BTreeMap<&'static str, Json> {
    let key = json!({"name": profile});
    let record = |source, key| json!({"source": source, "key": key});
    let (one, two) = (record("shop", "wordofkey"), record("till", "2"));
    let note = json!({"actor": "test", "note": "looks right"});
    BTreeMap::from([
        ("ExplainProfile", json!({"name": profile})),
        (
            "ExplainPair",
            json!({"left": {"record": one}, "right": {"record": two}}),
        ),
        (
            "ListMatchCandidates",
            json!({"minProbability": 0.0, "maxProbability": 1.0}),
        ),
        ("ListAuditEntries", json!({"customer": key})),
        ("GetAuditCheckpoint", json!({})),
        ("ExportAuditLog", json!({})),
        ("ListHousehold", json!({"name": profile})),
        (
            "PreviewMerge",
            json!({"target": profile, "sources": [profile]}),
        ),
        ("ListDecisions", json!({})),
        ("ListIdentityChanges", json!({"profile": profile})),
        ("ListSegments", json!({})),
        (
            "CheckMembership",
            json!({"keys": [key], "segments": ["wordofsegment"]}),
        ),
        ("ListMembers", json!({"segment": "wordofsegment"})),
        ("ListMemberships", json!({"key": key})),
        (
            "PreviewSegment",
            json!({"condition": "traits.nickname == 'Wordoftrait'"}),
        ),
        (
            "PlanModel",
            json!({"candidate": {"file": "sources: { shop: , till: }"}}),
        ),
        ("ExportProfile", json!({"name": profile})),
        ("ListWaitingEvents", json!({"source": "shop"})),
        ("ListDeadLetters", json!({"publication": "none"})),
        (
            "ReplayDeadLetters",
            json!({"publication": "none", "all": true}),
        ),
        ("ResetPublication", json!({"publication": "none"})),
        // They write, and answer with the customer.
        (
            "SplitProfile",
            json!({"name": profile, "records": [two], "note": note, "validateOnly": true}),
        ),
        (
            "DecideCandidate",
            json!({"left": one, "right": two, "verdict": "CANDIDATE_VERDICT_SAME", "note": note, "validateOnly": true}),
        ),
        (
            "SetPreferences",
            json!({"key": key, "preferences": {"preferredName": "wordofwish"}, "updateMask": "preferences.preferredName"}),
        ),
    ])
}

/// The words of an answer. A model is no secret: it names computed traits and segments, too.
fn words(method: &str, answer: &Answer) -> Vec<&'static str> {
    if matches!(method, "ListSegments" | "PlanModel") {
        return Vec::new();
    }
    let text = answer.shown().to_lowercase();
    let said = WORDS.iter().filter(|(_, word)| text.contains(word));
    said.map(|(kind, _)| *kind).collect()
}

/// The names of what is withheld, in the field of an answer and in its metadata.
fn withheld(answer: &Answer) -> String {
    let told = answer.json();
    let place = told.find("\"withheld\"").map_or("", |place| &told[place..]);
    format!("{place} {}", answer.withheld)
}

#[tokio::test]
async fn no_method_shows_what_a_role_does_not_see_and_each_shows_all_else() {
    let mut scene = Scene::start("").await;
    let requests = requests(&scene.profile);
    for method in methods() {
        let scope = Scope::of_name(&scope(&method)).expect("a scope");
        let name = method.name();
        assert!(
            !scope.reads_customers() || requests.contains_key(name),
            "{name} is not tried"
        );
    }
    let free = scene.free.clone();
    let mut said = BTreeMap::new();
    for (method, request) in &requests {
        let answer = scene.ask(method, request, &free).await;
        said.insert(*method, words(method, &answer));
    }
    // Each kind is said by some method, and by several where several say it.
    for (kind, least) in WORDS
        .map(|(kind, _)| kind)
        .into_iter()
        .zip([6, 4, 6, 3, 3, 3, 3, 3, 3, 3])
    {
        let count = said.values().filter(|kinds| kinds.contains(&kind)).count();
        assert!(count >= least, "{kind} is said by {count}: {said:#?}");
    }
    let (mut hidden, mut refused) = (0, 0);
    for (kind, word) in WORDS {
        let key = scene.key(&[&format!("without_{kind}")]).await;
        for (method, request) in &requests {
            let answer = scene.ask(method, request, &key).await;
            let text = answer.json().to_lowercase();
            let case = format!("{method} without {kind}: {text}");
            let seen = words(method, &answer);
            assert!(!seen.contains(&kind), "{case}");
            if answer.code == Code::PermissionDenied {
                refused += 1;
                continue;
            }
            if !said[method].contains(&kind) {
                continue;
            }
            hidden += 1;
            assert!(
                !withheld(&answer).trim().is_empty(),
                "nothing is told: {case}"
            );
            // Nothing else vanishes, but what is within it: an object, its fields and its events.
            let within: &[&str] = match kind {
                "events" => &["properties", "objects", "record_keys"],
                "objects" => &["properties", "events", "record_keys"],
                // Its id is a property of its event.
                "properties" => &["objects"],
                _ => &[],
            };
            for other in said[method]
                .iter()
                .filter(|other| **other != kind && !within.contains(other))
            {
                assert!(
                    seen.contains(other),
                    "{other} has vanished, and {word} should: {case}"
                );
            }
        }
    }
    assert!(hidden >= 40, "{hidden}");
    assert!(refused >= 30, "{refused}");
}

#[tokio::test]
async fn a_role_that_sees_everything_is_answered_like_a_credential_without_roles() {
    let mut scene = Scene::start("").await;
    let (free, whole) = (scene.free.clone(), scene.key(&["nobody", "whole"]).await);
    for (method, request) in requests(&scene.profile) {
        let plain = scene.ask(method, &request, &free).await;
        let seen = scene.ask(method, &request, &whole).await;
        assert_eq!(
            (plain.code, words(method, &plain)),
            (seen.code, words(method, &seen)),
            "{method}"
        );
        assert_eq!(withheld(&seen).trim(), "", "{method}");
    }
}

#[tokio::test]
async fn a_role_that_sees_nothing_learns_no_word_from_any_method() {
    let mut scene = Scene::start("").await;
    let key = scene.key(&["nobody"]).await;
    for (method, request) in requests(&scene.profile) {
        let answer = scene.ask(method, &request, &key).await;
        assert_eq!(
            words(method, &answer),
            [""; 0],
            "{method}: {}",
            answer.json()
        );
    }
}

#[tokio::test]
async fn what_is_masked_is_there_and_says_little() {
    let mut scene = Scene::start("").await;
    for (kind, masked, methods) in [
        (
            "traits",
            "\"***\"",
            [
                "GetProfile",
                "ExplainProfile",
                "WatchProfiles",
                "GetContext",
            ],
        ),
        (
            "identifiers",
            "w***@example.com",
            [
                "GetProfile",
                "BatchGetProfiles",
                "WatchProfiles",
                "GetContext",
            ],
        ),
        (
            "properties",
            "\"***\"",
            ["ListTimeline", "GetObject", "GetContext", "ListTimeline"],
        ),
    ] {
        let key = scene.key(&[&format!("masked_{kind}")]).await;
        for method in methods {
            let request = requests(&scene.profile).remove(method).expect("a request");
            let answer = scene.ask(method, &request, &key).await;
            let text = answer.json();
            assert!(!words(method, &answer).contains(&kind), "{method}: {text}");
            assert!(text.contains(masked), "{method}, {masked}: {text}");
            let told = withheld(&answer);
            let is_told = told.contains("MASKED") || answer.withheld.contains(&kind[..4]);
            assert!(is_told, "{method}: {text} {}", answer.withheld);
        }
        for method in requests(&scene.profile).keys() {
            let request = &requests(&scene.profile)[method];
            let answer = scene.ask(method, request, &key).await;
            assert!(
                !words(method, &answer).contains(&kind),
                "{method}: {}",
                answer.json()
            );
        }
    }
}
