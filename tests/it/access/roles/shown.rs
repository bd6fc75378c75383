//! Answers to callers with roles, and what these say is withheld.

use serde_json::{Value as Json, json};
use tonic::Code;

use super::{Scene, method};

const MORE: &str = "
  desk: { traits: '*', masked_traits: [town], identifiers: [email], record_keys: true }
  other: { events: '*' }
";

fn parsed(text: &str) -> Json {
    serde_json::from_str(text).expect("JSON")
}

#[tokio::test]
async fn each_thing_that_is_withheld_is_told_with_its_rule() {
    let mut scene = Scene::start(MORE).await;
    let key = scene.key(&["desk"]).await;
    let request = json!({"key": {"name": scene.profile}, "view": "PROFILE_VIEW_FULL"});
    let answer = scene.ask("GetProfile", &request, &key).await;
    let answer = parsed(&answer.json());
    let told = answer["withheld"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|withheld| {
            assert_eq!(withheld["rule"], "role desk");
            let field = withheld["field"].as_str().expect("a field");
            format!("{field} {}", withheld["reason"].as_str().expect("a reason"))
        });
    let (not, masked) = ("WITHHELD_REASON_NOT_FOR_ROLE", "WITHHELD_REASON_MASKED");
    let expected = [
        format!("accessibility {not}"),
        format!("computed.wordofsum {not}"),
        format!("identifiers.phone {not}"),
        format!("preferences {not}"),
        format!("segments {not}"),
        format!("traits.town {masked}"),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
    let profile = &answer["profile"];
    assert_eq!(
        profile["traits"]["town"]["value"],
        json!({"stringValue": "***"})
    );
    assert_eq!(profile["identifiers"].as_array().map(Vec::len), Some(1));
    assert_eq!(profile["recordCount"], 2);
}

#[tokio::test]
async fn an_answer_without_a_field_for_it_tells_it_in_its_metadata() {
    let mut scene = Scene::start(MORE).await;
    let key = scene.key(&["desk"]).await;
    let request = json!({"name": scene.profile});
    let answer = scene.ask("ExplainProfile", &request, &key).await;
    assert!(
        method("ExplainProfile")
            .output()
            .get_field_by_name("withheld")
            .is_none()
    );
    assert_eq!(answer.withheld, "traits.town");
}

#[tokio::test]
async fn a_second_role_adds_what_it_sees() {
    let mut scene = Scene::start(MORE).await;
    let (one, both) = (
        scene.key(&["desk"]).await,
        scene.key(&["desk", "other"]).await,
    );
    let request = json!({"key": {"name": scene.profile}});
    let events = |text: &str| parsed(text)["events"].as_array().map_or(0, Vec::len);
    let answer = scene.ask("ListTimeline", &request, &one).await;
    assert_eq!(events(&answer.json()), 0);
    assert!(
        answer.json().contains("events.order_placed"),
        "{}",
        answer.json()
    );
    let answer = scene.ask("ListTimeline", &request, &both).await;
    assert_eq!(events(&answer.json()), 1);
}

/// Another model, another view: also of those whose credential is older.
#[tokio::test]
async fn a_role_sees_by_the_model_in_force() {
    let mut scene = Scene::start(MORE).await;
    let (key, free) = (scene.key(&["desk"]).await, scene.free.clone());
    let request = json!({"key": {"name": scene.profile}});
    let answer = scene.ask("GetProfile", &request, &key).await;
    assert!(answer.json().contains("Wordoftrait"));
    let file = super::model(&MORE.replace("traits: '*', masked_traits: [town]", "traits: [town]"));
    let apply = json!({"candidate": {"file": file.text.as_ref()}, "requestId": "7e0c6f4e-0000-4000-8000-000000000001"});
    let applied = scene.ask("ApplyModel", &apply, &free).await;
    assert_eq!(applied.code, Code::Ok, "{}", applied.json());
    let answer = scene.ask("GetProfile", &request, &key).await;
    assert!(!answer.json().contains("Wordoftrait"), "{}", answer.json());
    assert!(answer.json().contains("Ulm"), "{}", answer.json());
}
