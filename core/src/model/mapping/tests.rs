//! What mappings make of payloads.

use proptest::prelude::*;
use serde_json::json;

use super::*;

mod again;
mod amounts;
mod attach;
mod limits;
mod reported;
mod several;
mod vendors;
mod written;

const MODEL: &str = r#"
identifiers:
  email: { priority: 1, normalize: email }
  account: { priority: 2 }
traits:
  given_name: {}
  tags: { keep: union }
  spent: {}
events: { page_view: {} }
sources:
  shop:
    records:
      customers:
        key: id
        version: version
        time: updated_at
        delete_when: deleted
        identifiers: { email: [email, other_emails], account: "'A-' + string(id)" }
        traits: { given_name: name, tags: tags, spent: decimal(spent) }
      changes:
        mode: patch
        key: id
        identifiers: { email: email }
        traits: { given_name: name, tags: tags }
      visits: { key: visitor, traits: { given_name: "trim(name)" } }
    events:
      visits: { type: "'page_' + action", id: id, time: at, record: visitor, properties: { page: page, seconds: decimal(seconds) } }
"#;

fn model() -> Model {
    Model::parse(MODEL).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

fn map(kind: &str, payload: &Json) -> Json {
    match model().map("shop", kind, payload) {
        Ok(drafts) => serde_json::to_value(drafts).expect("serializes"),
        Err(violations) => violations.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn a_payload_becomes_a_whole_record() {
    let payload = json!({
        "id": 7, "version": "3", "updated_at": "2026-01-31T08:00:00Z", "email": "Ann@x.com", "other_emails": ["a@y.com", null],
        "name": " ", "tags": ["a", "b"], "spent": "12.50", "more": {}
    });
    assert_eq!(
        map("customers", &payload),
        json!([{"upsert": {
            "record": {"source": "shop", "key": "7"},
            "identifiers": [
                {"type": "email", "value": "Ann@x.com"}, {"type": "email", "value": "a@y.com"},
                {"type": "account", "value": "A-7"}
            ],
            "traits": {"spent": {"d": "12.50"}, "tags": {"l": [{"s": "a"}, {"s": "b"}]}},
            "version": 3,
            "source_time": 1_769_846_400_000_000_i64
        }}])
    );
}

#[test]
fn a_deleted_record_says_no_more_than_its_key() {
    let payload = json!({"id": 7, "email": "ann@x.com", "deleted": "yes"});
    assert_eq!(
        map("customers", &payload),
        json!([{"delete": {"record": {"source": "shop", "key": "7"}, "version": 0}}])
    );
}

#[test]
fn in_a_patch_null_empties_and_what_is_missing_stays() {
    assert_eq!(
        map("changes", &json!({"id": "7", "email": null, "name": null})),
        json!([{"patch": {
            "record": {"source": "shop", "key": "7"}, "clear_identifier_types": ["email"], "clear_traits": ["given_name"],
            "version": 0
        }}])
    );
}

#[test]
fn one_payload_may_say_who_and_what() {
    let payload = json!({"visitor": "v", "name": " Ann ", "id": 1, "action": "view", "at": 1_769_846_400, "page": "/", "seconds": 2.5});
    assert_eq!(
        map("visits", &payload),
        json!([
            {"upsert": {"record": {"source": "shop", "key": "v"}, "traits": {"given_name": {"s": "Ann"}}, "version": 0}},
            {"event": {
                "record": {"source": "shop", "key": "v"}, "event_id": "1", "type": "page_view",
                "event_time": 1_769_846_400_000_000_i64, "properties": {"page": {"s": "/"}, "seconds": {"d": "2.5"}}
            }}
        ])
    );
}

#[test]
fn all_that_does_not_fit_is_told_without_quoting_it() {
    let payload = json!({"version": "ann@x.com", "updated_at": "ann@x.com", "email": {"is": "ann@x.com"}, "spent": "ann@x.com"});
    assert_eq!(
        map("customers", &payload),
        json!([
            "records.customers.key: `id`: the payload has no value there, and one is required",
            "records.customers.version: `version`: int() does not take this text: it is no number",
            "records.customers.time: `updated_at`: time() does not take this text: it takes RFC 3339, a date such as 2026-01-31, and seconds, milliseconds or microseconds since 1970, from 1980 to 2100",
            "records.customers.identifiers.email: `email`: must be a text or a number, and is a map",
            "records.customers.traits.spent: `decimal(spent)`: decimal() does not take this text: it is no number",
        ])
    );
    assert_eq!(
        map("visits", &json!({})),
        json!([
            "records.visits.key: `visitor`: the payload has no value there, and one is required",
            "events.visits.type: `'page_' + action`: the payload has no value there, and one is required",
            "events.visits.id: `id`: the payload has no value there, and one is required",
            "events.visits.record: `visitor`: the payload has no value there, and one is required",
        ])
    );
}

#[test]
fn what_the_model_does_not_map_is_not_declared() {
    let refused = |source: &str, kind: &str, payload: Json| {
        let violations = model().map(source, kind, &payload).expect_err("is refused");
        (violations[0].reason, violations[0].to_string())
    };
    assert_eq!(
        refused("shop", "orders", json!({})),
        (
            Reason::NotDeclared,
            "kind: the model has no mapping for the kind `orders`; it has: changes, customers, visits".into()
        )
    );
    assert_eq!(
        refused("web", "x", json!({})).1,
        "source: the model has no source `web`; it has: shop"
    );
    assert_eq!(
        refused("shop", "visits", json!([])).0,
        Reason::MappingFailed
    );
}

#[test]
fn the_built_in_model_maps_its_example_files() {
    let model = Model::built_in();
    let conversations = include_str!("../../../../examples/retail/conversations.ndjson");
    for line in conversations.lines() {
        let drafts = model
            .map(
                "helpdesk",
                "conversations",
                &serde_json::from_str(line).expect("JSON"),
            )
            .expect("fits");
        let [
            Draft::Patch(record),
            Draft::Preferences(wanted),
            Draft::Event(event),
        ] = drafts.as_slice()
        else {
            panic!("{drafts:?}")
        };
        assert!(wanted.preferences["language"].is_some());
        assert_eq!(record.traits["language"], Value::from("en"));
        assert_eq!(
            record.traits["topics"],
            Value::List(vec![event_topic(line)])
        );
        assert_eq!(event.properties["messages"], Value::Int(2));
        for draft in drafts {
            model
                .check(draft, Timestamp::from_micros(1_800_000_000_000_000))
                .expect("fits the model");
        }
    }
}

fn event_topic(line: &str) -> Value {
    let payload: Json = serde_json::from_str(line).expect("JSON");
    Value::from(payload["tags"][0].as_str().expect("a tag"))
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "SECRET[0-9.@-]{0,6}".prop_map(Json::from),
        "[0-9.-]{0,9}".prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map("[a-c]", inner, 0..4)
                .prop_map(|fields| Json::Object(fields.into_iter().collect())),
        ]
    })
}

const FIELDS: [&str; 15] = [
    "id",
    "version",
    "updated_at",
    "deleted",
    "email",
    "other_emails",
    "name",
    "tags",
    "spent",
    "visitor",
    "action",
    "at",
    "page",
    "seconds",
    "payload",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_payload_makes_it_panic_and_no_violation_quotes_one(
        fields in prop::collection::btree_map(prop::sample::select(FIELDS.to_vec()), any_json(), 0..10),
    ) {
        let model = model();
        let payload = Json::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
        for kind in ["customers", "changes", "visits"] {
            match model.map("shop", kind, &payload) {
                Ok(drafts) => {
                    prop_assert!(!drafts.is_empty());
                    prop_assert_eq!(model.map("shop", kind, &payload).ok(), Some(drafts));
                }
                Err(violations) => {
                    prop_assert!(!violations.is_empty());
                    for violation in violations {
                        prop_assert!(!violation.to_string().contains("SECRET"), "{}", violation);
                    }
                }
            }
        }
    }
}

/// The drafts of a payload of orders, or what is wrong, under a mapping of events.
fn orders(mapping: &str, payload: &Json) -> Result<Vec<Draft>, Vec<Violation>> {
    let yaml = format!("sources: {{ shop: {{ events: {{ orders: {{ {mapping} }} }} }} }}");
    let model = Model::parse(&yaml).expect("a model");
    model.map("shop", "orders", payload)
}

#[test]
fn a_payload_takes_an_event_back_or_replaces_it() {
    let mapping = "type: order_placed, id: id, record: customer, retract_when: test, \
                   replace_when: 'version > 1', version: version";
    let made = |payload: Json| {
        let mut drafts = orders(mapping, &payload).expect("drafts");
        drafts.pop().expect("one")
    };
    let told = made(serde_json::json!({ "id": "o", "customer": 1, "version": 1 }));
    assert!(matches!(told, Draft::Event(_)), "{told:?}");
    let edited = made(serde_json::json!({ "id": "o", "customer": 1, "version": 3 }));
    let Draft::Replacement(edited) = edited else {
        panic!("{edited:?}")
    };
    assert_eq!((edited.version, edited.event.event_id.as_str()), (3, "o"));
    // Nothing else need be there.
    let test = made(serde_json::json!({ "id": "o", "test": true, "version": 4 }));
    let Draft::Retraction(test) = test else {
        panic!("{test:?}")
    };
    assert_eq!((test.version, test.event.source.as_str()), (4, "shop"));
}
