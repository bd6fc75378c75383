//! Events of the catalogue: what may be said of them, and how the catalogue tells itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use customer_profile::active_models::ModelFile;
use customer_profile::grpc::v1::{
    self, ErrorReason, EventPropertyType, StatementOutcome, statement::Kind, value,
};
use customer_profile::store::memory::MemoryStore;

use crate::models::client;
use crate::support::service::{Service, event, text};

/// An event of a customer of the web shop that says more than its type.
pub(super) fn saying(
    event_id: &str,
    kind: &str,
    properties: &[(&str, v1::Value)],
) -> v1::Statement {
    let mut statement = event(("web", "1"), event_id, kind, 0);
    if let Some(Kind::RecordEvent(v1::RecordEvent { event: Some(event) })) = &mut statement.kind {
        let properties = properties
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()));
        event.properties = properties.collect::<BTreeMap<_, _>>();
    }
    statement
}

/// A whole number.
pub(super) fn number(number: i64) -> v1::Value {
    v1::Value {
        kind: Some(value::Kind::Int64Value(number)),
    }
}

async fn catalogue(service: &Service, page_size: i32) -> Vec<v1::EventType> {
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListEventTypesRequest {
            page_size,
            page_token,
        };
        let answer = client(service)
            .list_event_types(request)
            .await
            .expect("types")
            .into_inner();
        assert!(answer.event_types.len() <= usize::try_from(page_size).expect("small"));
        all.extend(answer.event_types);
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            return all;
        }
    }
}

#[tokio::test]
async fn a_property_of_the_wrong_type_is_refused_and_named_and_the_event_without_it_is_taken() {
    let service = Service::start().await;
    let currency = v1::Value {
        kind: Some(value::Kind::StringValue("dollars".to_owned())),
    };
    let answer = service
        .say(vec![saying("1", "order_placed", &[("currency", currency)])])
        .await;
    let result = &answer.results[0];
    assert_eq!(result.outcome(), StatementOutcome::Rejected);
    let told: Vec<_> = result
        .violations
        .iter()
        .map(|told| (told.field.as_str(), told.reason()))
        .collect();
    assert_eq!(
        told,
        [(
            "record_event.event.properties.currency",
            ErrorReason::Malformed
        )]
    );
    assert!(
        result.violations[0].description.contains("ISO 4217"),
        "{result:?}"
    );
    let answer = service
        .say(vec![saying(
            "1",
            "order_placed",
            &[("wrapping", text("red"))],
        )])
        .await;
    assert_eq!(answer.results[0].outcome(), StatementOutcome::Stored);
}

#[tokio::test]
async fn the_catalogue_in_force_has_the_built_in_types_and_the_models_own() {
    let file = "
events:
  mug_glazed:
    description: A mug was glazed.
    object: { mug: mug_id }
    status: glazed
    properties:
      mug_id: id
      layers: { type: list, of: { type: map, properties: { colour: { type: text, one_of: [blue, white] } } } }
sources: { web: }
";
    let model = ModelFile::parse(file).expect("a model");
    let service = Service::start_by(Arc::new(MemoryStore::new()), model).await;
    let all = catalogue(&service, 7).await;
    let names: Vec<&str> = all.iter().map(|kind| kind.name.as_str()).collect();
    assert!(
        names.is_sorted() && names.contains(&"order_placed"),
        "{names:?}"
    );
    assert_eq!(catalogue(&service, 500).await, all);
    let (own, built_in): (Vec<_>, Vec<_>) = all.into_iter().partition(|kind| !kind.built_in);
    assert!(built_in.len() > 50);
    let [glazed] = own.as_slice() else {
        panic!("{own:?}")
    };
    let object = glazed.object.clone().expect("an object");
    assert_eq!(
        (
            object.kind.as_str(),
            object.property.as_str(),
            glazed.status.as_str()
        ),
        ("mug", "mug_id", "glazed")
    );
    let [layers, mug_id] = glazed.properties.as_slice() else {
        panic!("{glazed:?}")
    };
    assert_eq!(
        (layers.r#type(), mug_id.r#type()),
        (EventPropertyType::List, EventPropertyType::Id)
    );
    let layer = layers.element.as_ref().expect("what its elements are");
    assert_eq!(layer.properties[0].one_of, ["blue", "white"]);
}
