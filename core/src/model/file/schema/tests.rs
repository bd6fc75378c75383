use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::*;
use crate::model::Model;
use crate::model::file::BUILT_IN;
use crate::model::file::tree::{self, Content, Node};

fn validator() -> jsonschema::Validator {
    jsonschema::validator_for(&schema()).expect("is a JSON Schema")
}

fn json(yaml: &str) -> Json {
    json_of(&tree::read(yaml).expect("is YAML"))
}

/// A node as an editor's schema validator sees it.
fn json_of(node: &Node) -> Json {
    match &node.content {
        Content::Null => Json::Null,
        Content::Scalar { text, plain: true } => {
            serde_json::from_str(text).unwrap_or_else(|_| json!(text))
        }
        Content::Scalar { text, .. } => json!(text),
        Content::Sequence(values) => values.iter().map(json_of).collect(),
        Content::Mapping(entries) => entries
            .iter()
            .map(|entry| (entry.key.clone(), json_of(&entry.value)))
            .collect(),
    }
}

#[test]
fn every_example_fits_the_schema() {
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut checked = 0;
    for folder in std::fs::read_dir(examples).expect("examples") {
        let Ok(yaml) = std::fs::read_to_string(folder.expect("folder").path().join("model.yaml"))
        else {
            continue;
        };
        let errors: Vec<String> = validator()
            .iter_errors(&json(&yaml))
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
        Model::parse(&yaml).expect("compiles");
        checked += 1;
    }
    assert!(checked > 0);
}

#[test]
fn every_default_fits_its_key() {
    let mut checked = 0;
    let schema = schema();
    let definitions = schema["$defs"].as_object().expect("definitions");
    for mapping in std::iter::once(&schema).chain(definitions.values()) {
        for (key, of) in mapping["properties"].as_object().into_iter().flatten() {
            let Some(default) = of.get("default") else {
                continue;
            };
            let mut of = of.clone();
            of["$defs"] = schema["$defs"].clone();
            assert!(jsonschema::is_valid(&of, default), "{key}: {default}");
            checked += 1;
        }
    }
    assert!(checked > 20, "{checked}");
    let yaml = "sources: { a: }\nmatching: {}\nexperience: {}\ntraits: { t: }\nchannels: { c: }
identifiers: { i: { priority: 1 } }\npurposes: { p: }\nviews: { v: }\nobjects: { order: }";
    Model::parse(yaml).expect("all defaults fit");
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    for (right, wrong) in [
        ("trust: 70", "trust: 170"),
        ("priority: 1,", "priority: 0,"),
        ("keep: longest", "keep: newest"),
        ("mode: patch", "mode: some"),
        ("personal: true", "personal: very"),
        ("newsletter:\n    trust", "newsletter:\n    thrust"),
        ("sources:", "source:"),
        ("unique: true", "unicorn: true"),
        ("id: order_id", "ids: order_id"),
    ] {
        let yaml = BUILT_IN.replacen(right, wrong, 1);
        assert_ne!(yaml, BUILT_IN, "{right}");
        assert!(!validator().is_valid(&json(&yaml)), "{wrong}");
        assert!(Model::parse(&yaml).is_err(), "{wrong}");
    }
}

/// The keys that the reader names when it meets one that it does not know.
fn read_keys(yaml: &str) -> BTreeSet<String> {
    let errors = Model::parse(yaml).expect_err("has an unknown key");
    let keys = errors
        .iter()
        .find_map(|error| error.message.split_once("there are "))
        .expect("unknown key")
        .1;
    keys.split(", ").map(str::to_owned).collect()
}

fn schema_keys(definition: Option<&str>) -> BTreeSet<String> {
    let schema = schema();
    let object = definition.map_or(&schema, |name| &schema["$defs"][name]);
    object["properties"]
        .as_object()
        .expect("properties")
        .keys()
        .cloned()
        .collect()
}

#[test]
fn the_schema_and_the_reader_know_the_same_keys() {
    for (definition, yaml) in [
        (None, "zzz: 1"),
        (Some("Matching"), "matching: { zzz: 1 }"),
        (Some("Identifier"), "identifiers: { a: { zzz: 1 } }"),
        (Some("Trait"), "traits: { a: { zzz: 1 } }"),
        (Some("Publication"), "publish: { a: { zzz: 1 } }"),
        (Some("Nats"), "publish: { a: { nats: { zzz: 1 } } }"),
        (Some("Webhook"), "publish: { a: { webhook: { zzz: 1 } } }"),
        (Some("Source"), "sources: { a: { zzz: 1 } }"),
        (Some("Channel"), "channels: { a: { zzz: 1 } }"),
        (Some("Computed"), "computed: { a: { zzz: 1 } }"),
        (Some("Segment"), "segments: { a: { zzz: 1 } }"),
        (Some("View"), "views: { a: { zzz: 1 } }"),
        (Some("Experience"), "experience: { zzz: 1 }"),
        (Some("Measured"), "experience: { nps: { zzz: 1 } }"),
        (Some("Scored"), "experience: { csat: { zzz: 1 } }"),
        (Some("Purpose"), "purposes: { a: { zzz: 1 } }"),
        (Some("EventType"), "events: { a: { zzz: 1 } }"),
        (Some("ObjectKind"), "objects: { order: { zzz: 1 } }"),
        (
            Some("Follow"),
            "objects: { order: { follows: { zzz: 1 } } }",
        ),
        (
            Some("EventProperty"),
            "events: { a: { properties: { b: { type: text, zzz: 1 } } } }",
        ),
        (
            Some("Consent"),
            "sources: { a: { records: { b: { consents: { zzz: 1 } } } } }",
        ),
        (
            Some("Record"),
            "sources: { a: { records: { b: { zzz: 1 } } } }",
        ),
        (
            Some("Event"),
            "sources: { a: { events: { b: { zzz: 1 } } } }",
        ),
    ] {
        assert_eq!(read_keys(yaml), schema_keys(definition), "{definition:?}");
    }
}
