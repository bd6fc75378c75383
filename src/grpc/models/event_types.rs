//! Event types on the wire.

use std::collections::BTreeMap;
use std::ops::Bound;

use profile_core::model::event::{Catalogue, EventType, ObjectRef, Origin, Property, PropertyKind};

use crate::grpc::checked::page_size;
use crate::grpc::error::ApiError;
use crate::grpc::{token, v1};

/// A page of a catalogue, in order of name.
pub(super) fn page(
    catalogue: &Catalogue,
    request: &v1::ListEventTypesRequest,
) -> Result<v1::ListEventTypesResponse, ApiError> {
    let limit = page_size(request.page_size, 100, 500)?;
    let after: Option<String> = token::parse_page_token(&request.page_token, &())?;
    let first = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    let mut rest = catalogue.range::<str, _>((first, Bound::Unbounded));
    let event_types: Vec<_> = rest
        .by_ref()
        .take(limit)
        .map(|(name, kind)| event_type(name, kind))
        .collect();
    let last = event_types.last().filter(|_| rest.next().is_some());
    let next_page_token = last
        .map(|last| token::page_token(&last.name, &()))
        .unwrap_or_default();
    Ok(v1::ListEventTypesResponse {
        event_types,
        next_page_token,
    })
}

fn event_type(name: &str, kind: &EventType) -> v1::EventType {
    v1::EventType {
        name: name.to_owned(),
        description: kind.description.clone(),
        object: kind.object.as_ref().map(reference),
        relates: kind.relates.iter().map(reference).collect(),
        status: kind.status.fixed.clone().unwrap_or_default(),
        status_property: kind.status.property.clone().unwrap_or_default(),
        channel: kind.channel.fixed.clone().unwrap_or_default(),
        channel_property: kind.channel.property.clone().unwrap_or_default(),
        properties: properties(&kind.properties),
        built_in: kind.origin == Origin::BuiltIn,
    }
}

fn reference(reference: &ObjectRef) -> v1::ObjectReference {
    v1::ObjectReference {
        kind: reference.kind.clone(),
        property: reference.property.clone(),
    }
}

fn properties(all: &BTreeMap<String, Property>) -> Vec<v1::EventProperty> {
    all.iter()
        .map(|(name, known)| property(name, known))
        .collect()
}

fn property(name: &str, known: &Property) -> v1::EventProperty {
    use v1::EventPropertyType as Wire;
    let (kind, element, properties) = match &known.kind {
        PropertyKind::Any => (Wire::Any, None, Vec::new()),
        PropertyKind::Text => (Wire::Text, None, Vec::new()),
        PropertyKind::Id => (Wire::Id, None, Vec::new()),
        PropertyKind::Whole => (Wire::Whole, None, Vec::new()),
        PropertyKind::Decimal => (Wire::Decimal, None, Vec::new()),
        PropertyKind::Money => (Wire::Money, None, Vec::new()),
        PropertyKind::Currency => (Wire::Currency, None, Vec::new()),
        PropertyKind::Boolean => (Wire::Boolean, None, Vec::new()),
        PropertyKind::Time => (Wire::Time, None, Vec::new()),
        PropertyKind::List(element) => (
            Wire::List,
            Some(Box::new(property("", element))),
            Vec::new(),
        ),
        PropertyKind::Map(entries) => (Wire::Map, None, properties(entries)),
    };
    v1::EventProperty {
        name: name.to_owned(),
        description: known.description.clone(),
        r#type: kind.into(),
        one_of: known.one_of.clone(),
        element,
        properties,
    }
}
