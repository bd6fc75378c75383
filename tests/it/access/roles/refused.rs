//! Look-ups, searches and methods that would tell what is not seen.

use serde_json::{Value as Json, json};
use tonic::Code;

use super::Scene;

const MORE: &str = "
  desk:
    traits: [town]
    identifiers: [email]
    masked_identifiers: [phone]
    lookup_identifiers: [phone]
    objects: [order]
    events: [order_placed]
    properties: [order_id]
  bound: { purposes: [service], traits: '*' }
";

fn by(kind: &str, value: &str) -> Json {
    json!({"identifier": {"type": kind, "value": value}})
}

#[tokio::test]
async fn customers_are_looked_up_only_by_what_a_role_may_look_up_by() {
    let mut scene = Scene::start(MORE).await;
    let key = scene.key(&["desk"]).await;
    let mail = by("email", "wordofmail@example.com");
    let phone = by("phone", "+493090182417");
    let unknown = by("email", "nobody@example.com");
    for (method, wrap) in [
        (
            "GetProfile",
            (|key| json!({"key": key})) as fn(Json) -> Json,
        ),
        ("BatchGetProfiles", |key| json!({"keys": [key]})),
        ("ListTimeline", |key| json!({"key": key})),
        ("WatchProfiles", |key| json!({"keys": [key]})),
        ("GetPreferences", |key| json!({"key": key})),
        ("ListMemberships", |key| json!({"key": key})),
        ("CheckMembership", |key| json!({"keys": [key]})),
        (
            "BatchCheckContactPermission",
            |key| json!({"subjects": [{"key": key}], "purpose": "service", "channel": "email"}),
        ),
        ("GetExperienceMetrics", |key| json!({"customer": key})),
    ] {
        // Whether there is such a customer is not told either.
        for refused in [&mail, &unknown] {
            let answer = scene.ask(method, &wrap(refused.clone()), &key).await;
            assert_eq!(answer.code, Code::PermissionDenied, "{method}");
        }
        let answer = scene.ask(method, &wrap(phone.clone()), &key).await;
        assert_ne!(answer.code, Code::PermissionDenied, "{method}");
    }
}

#[tokio::test]
async fn a_search_finds_nobody_by_what_a_role_may_not_search_by() {
    let mut scene = Scene::start(MORE).await;
    let (desk, free) = (scene.key(&["desk"]).await, scene.free.clone());
    for (query, found) in [
        ("ulm", true),
        ("wordofobject", true),
        ("+493090182417", true),
        ("wordoftrait", false),
        ("wordoftra", false),
        ("wordoftrayt", false),
        // Each word must be found by itself.
        ("ulm wordoftrait", false),
        ("wordofmail@example.com", false),
    ] {
        let request = json!({"query": query});
        let all = scene.ask("SearchProfiles", &request, &free).await.json();
        assert!(all.contains(&scene.profile), "{query}: {all}");
        let some = scene.ask("SearchProfiles", &request, &desk).await.json();
        assert_eq!(some.contains(&scene.profile), found, "{query}: {some}");
    }
}

#[tokio::test]
async fn what_answers_everything_or_nothing_is_refused() {
    let mut scene = Scene::start(MORE).await;
    let (desk, whole) = (scene.key(&["desk"]).await, scene.key(&["whole"]).await);
    let key = json!({"name": scene.profile});
    for (method, request) in [
        ("ExportProfile", json!({"name": scene.profile})),
        (
            "PreviewSegment",
            json!({"condition": "traits.nickname == 'Wordoftrait'"}),
        ),
        (
            "PlanModel",
            json!({"candidate": {"file": "sources: { shop: , till: }"}}),
        ),
        ("ListMembers", json!({"segment": "wordofsegment"})),
        (
            "CheckMembership",
            json!({"keys": [key], "segments": ["wordofsegment"]}),
        ),
        ("GetExperienceMetrics", json!({"segment": "wordofsegment"})),
        (
            "ListTimeline",
            json!({"key": key, "text": "wordofproperty"}),
        ),
        (
            "GetObject",
            json!({"object": {"kind": "ticket", "id": "1"}}),
        ),
    ] {
        let answer = scene.ask(method, &request, &desk).await;
        assert_eq!(
            answer.code,
            Code::PermissionDenied,
            "{method}: {}",
            answer.json()
        );
        let answer = scene.ask(method, &request, &whole).await;
        assert_ne!(answer.code, Code::PermissionDenied, "{method}");
    }
}

#[tokio::test]
async fn a_role_that_the_model_does_not_declare_sees_nothing() {
    let mut scene = Scene::start(MORE).await;
    let unknown = scene.key(&["desk", "chief"]).await;
    let request = json!({"key": {"name": scene.profile}});
    let answer = scene.ask("GetProfile", &request, &unknown).await;
    assert_eq!(answer.code, Code::PermissionDenied);
}

#[tokio::test]
async fn a_role_reads_for_its_purposes_alone() {
    let mut scene = Scene::start(MORE).await;
    let bound = scene.key(&["bound"]).await;
    let name = scene.profile.clone();
    let of = |purpose: &str| json!({"key": {"name": name}, "purpose": purpose});
    for (purpose, code) in [
        // The only one is meant where none is named.
        ("", Code::Ok),
        ("service", Code::Ok),
        ("other", Code::PermissionDenied),
    ] {
        let request = of(purpose);
        let answer = scene.ask("GetProfile", &request, &bound).await;
        assert_eq!(answer.code, code, "{purpose}");
    }
    let answer = scene
        .ask("SearchProfiles", &json!({"query": "ulm"}), &bound)
        .await;
    assert_eq!(
        answer.code,
        Code::PermissionDenied,
        "a search takes no purpose"
    );
}
