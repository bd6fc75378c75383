//! What the model file says of event types, and the built-in catalogue, which has the same form.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde_json::{Value as Json, json};

use super::forms::{
    Form, Located, entries, list, located, mapping, named, one_of, property_name, snake_case, text,
    then,
};
use super::keys::keys;
use super::reader::{At, Fields, Reader};
use super::schema::Definitions;
use super::tree;
use crate::model::event::{
    BUILT_IN, Catalogue, EventType, ObjectRef, Origin, Property, PropertyKind, PropertyType, Word,
};

/// How deep lists and maps may nest in a property.
const MAX_DEPTH: usize = 8;
/// What words must be.
const STATUS: &str = "a status is named in lower snake case (`in_transit`), in 1 to 64 bytes";
const CHANNEL: &str = "a channel is named in lower snake case (`in_transit`), in 1 to 64 bytes";

keys! {
    /// A type of event: what may be said of something that happened, and which object it is a state
    /// of. Under the name of a built-in type it takes its place, and adds to it where it extends
    /// it.
    pub(super) struct EventTypeKeys as "EventType" {
        /// Begins with all that another type says, built in or of this file; its own name stands
        /// for the built-in one. What is said here is added, or stands instead.
        extends: Option<Located<String>> = optional as located(text());
        /// What has happened.
        description: Option<String> = optional as text();
        /// What is known of its properties: a type, or more. Others are kept as they are.
        properties: BTreeMap<String, Property> = empty as properties();
        /// The object whose course it belongs to: its kind, in lower snake case, and the property
        /// with its id.
        object: Option<Located<References>> = optional as located(references());
        /// Other objects that it speaks of, by kind: the property with the id, or with a list of
        /// ids.
        relates: References = empty as references();
        /// The state that it puts its object in, in lower snake case: `delivered`.
        status: Option<String> = optional as snake_case(STATUS);
        /// The property with the state. `status` stands where it is not said.
        status_property: Option<Located<String>> = optional as located(text());
        /// The states of such objects in their order. Of two states at one time the later one in
        /// this list holds, so final states, such as `delivered`, come last.
        states: Option<Vec<String>> = optional as list(text());
        /// The way it went, in lower snake case: `chat`.
        channel: Option<String> = optional as snake_case(CHANNEL);
        /// The property with the channel. `channel` stands where it is not said.
        channel_property: Option<Located<String>> = optional as located(text());
    }

    /// What is known of a property.
    pub(super) struct PropertyKeys as "EventProperty" => Property: property {
        /// What its values are.
        kind("type"): PropertyType = required as one_of::<PropertyType>();
        /// What it says.
        description: String = empty as text();
        /// Of texts: the ones that there are. Default: any.
        one_of: Vec<String> = empty as list(text());
        /// Of lists: what their values are. Default: anything.
        of: Option<Property> = optional as Nested(AnyProperty);
        /// Of maps: what is known of their entries.
        properties: Option<BTreeMap<String, Property>> = optional as Nested(properties());
    }
}

/// Properties with the ids of objects, by kind of object.
type References = BTreeMap<String, Located<String>>;

fn references() -> impl Form<Value = References> {
    named("a kind of object", located(text()))
}

fn properties() -> impl Form<Value = BTreeMap<String, Property>> {
    then(entries(property_name(), AnyProperty), |all, _, _| {
        Some(all.into_iter().collect())
    })
}

/// What is known of a property: the name of a type, or a mapping that says more.
struct AnyProperty;

impl Form for AnyProperty {
    type Value = Property;

    fn read(&self, at: &At<'_>, reader: &mut Reader) -> Option<Property> {
        if at.as_text().is_none() {
            return mapping::<PropertyKeys>().read(at, reader);
        }
        let kind = one_of::<PropertyType>().read(at, reader)?;
        Some(Property::of(kind.into()))
    }

    fn schema(&self, definitions: &mut Definitions) -> Json {
        definitions.reference("Property", |definitions| {
            let mut kind = definitions.choice::<PropertyType>();
            kind["description"] = json!("Its type.");
            let mut more = definitions.mapping::<PropertyKeys>();
            more["description"] = json!("Its type, and more.");
            json!({
                "description": "What is known of a property: the name of its type, or more.",
                "anyOf": [kind, more],
            })
        })
    }
}

/// A form within a property, so deep and no deeper.
struct Nested<F>(F);

impl<F: Form> Form for Nested<F> {
    type Value = F::Value;

    fn read(&self, at: &At<'_>, reader: &mut Reader) -> Option<F::Value> {
        if reader.depth == MAX_DEPTH {
            reader.error(
                at.place(),
                format!("nests deeper than the limit of {MAX_DEPTH}"),
            );
            return None;
        }
        reader.depth += 1;
        let value = self.0.read(at, reader);
        reader.depth -= 1;
        value
    }

    fn schema(&self, definitions: &mut Definitions) -> Json {
        self.0.schema(definitions)
    }
}

fn property(keys: PropertyKeys, fields: &Fields<'_>, reader: &mut Reader) -> Property {
    for (key, kind, name) in [
        ("one_of", PropertyType::Text, "text"),
        ("of", PropertyType::List, "list"),
        ("properties", PropertyType::Map, "map"),
    ] {
        if let (true, Some(place)) = (keys.kind != kind, fields.place_of(key)) {
            reader.error(place, format!("`{key}` goes with `type: {name}` only"));
        }
    }
    let kind = match (keys.of, keys.properties) {
        (Some(element), _) => PropertyKind::List(Box::new(element)),
        (None, Some(entries)) => PropertyKind::Map(entries),
        (None, None) => keys.kind.into(),
    };
    Property {
        description: keys.description,
        kind,
        one_of: keys.one_of,
    }
}

/// The built-in catalogue.
pub(super) fn built_in() -> &'static Catalogue {
    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
        let root = tree::read(BUILT_IN)
            .unwrap_or_else(|errors| unreachable!("the built-in catalogue: {errors:?}"));
        let mut reader = Reader::default();
        let types = read(
            &At::root(&root),
            &Catalogue::new(),
            Origin::BuiltIn,
            &mut reader,
        );
        let errors = reader.into_errors();
        assert!(errors.is_empty(), "the built-in catalogue: {errors:?}");
        types
    });
    &CATALOGUE
}

/// The form of the section `events`: the built-in catalogue with the types of the file.
pub(super) struct Types;

impl Form for Types {
    type Value = Catalogue;

    fn read(&self, at: &At<'_>, reader: &mut Reader) -> Option<Catalogue> {
        Some(read(at, built_in(), Origin::Model, reader))
    }

    fn schema(&self, definitions: &mut Definitions) -> Json {
        named("an event type", mapping::<EventTypeKeys>())
            .or_bare()
            .schema(definitions)
    }
}

/// The types of a section added to those that there are.
fn read(at: &At<'_>, there: &Catalogue, origin: Origin, reader: &mut Reader) -> Catalogue {
    let types = named("an event type", mapping::<EventTypeKeys>()).or_bare();
    let mut resolver = Resolver {
        written: types.read(at, reader).unwrap_or_default(),
        open: Vec::new(),
        catalogue: there.clone(),
        there,
        origin,
    };
    let names: Vec<String> = resolver.written.keys().cloned().collect();
    for name in names {
        resolver.resolve(&name, reader);
    }
    resolver.catalogue
}

/// Resolves what types extend, each once.
struct Resolver<'a> {
    written: BTreeMap<String, EventTypeKeys>,
    /// The types that are being resolved, each for the one before.
    open: Vec<String>,
    catalogue: Catalogue,
    there: &'a Catalogue,
    origin: Origin,
}

impl Resolver<'_> {
    fn resolve(&mut self, name: &str, reader: &mut Reader) -> Option<Arc<EventType>> {
        let Some(keys) = self.written.remove(name) else {
            return self.catalogue.get(name).cloned();
        };
        self.open.push(name.to_owned());
        let base = keys
            .extends
            .as_ref()
            .and_then(|base| self.extended(name, base, reader));
        let kind = Arc::new(event_type(keys, base.as_deref(), self.origin, reader));
        self.open.pop();
        self.catalogue.insert(name.to_owned(), Arc::clone(&kind));
        Some(kind)
    }

    /// The type that another one begins with. Its own name stands for the one that it takes the
    /// place of.
    fn extended(
        &mut self,
        name: &str,
        base: &Located<String>,
        reader: &mut Reader,
    ) -> Option<Arc<EventType>> {
        let Located { value: base, place } = base;
        let found = if base == name {
            self.there.get(name).cloned()
        } else if self.open.contains(base) {
            let way = self.open.join(" → ");
            reader.error(place.clone(), format!("extends itself: {way} → {base}"));
            return None;
        } else {
            self.resolve(base, reader)
        };
        if found.is_none() {
            reader.error(
                place.clone(),
                format!("there is no event type `{base}`, in the model or built in"),
            );
        }
        found
    }
}

fn event_type(
    keys: EventTypeKeys,
    base: Option<&EventType>,
    origin: Origin,
    reader: &mut Reader,
) -> EventType {
    let mut kind = base.cloned().unwrap_or_default();
    kind.origin = origin;
    if let Some(text) = keys.description {
        kind.description = text;
    }
    kind.properties.extend(keys.properties);
    if let Some(Located { value, place }) = keys.object {
        if value.len() != 1 {
            let message = "an event is a state of one object: name one; `relates` may name several";
            reader.error(place, message);
        }
        kind.object = referred(value, &kind, Ids::One, reader).pop();
    }
    for added in referred(keys.relates, &kind, Ids::Several, reader) {
        kind.relates.retain(|known| known.kind != added.kind);
        kind.relates.push(added);
    }
    if let Some(states) = keys.states {
        kind.states = states;
    }
    for property in [&keys.status_property, &keys.channel_property] {
        check_word(property.as_ref(), &kind, reader);
    }
    kind.status = said(kind.status, keys.status, keys.status_property);
    kind.channel = said(kind.channel, keys.channel, keys.channel_property);
    kind
}

/// How many ids a property may have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ids {
    One,
    Several,
}

/// The objects that properties refer to. Each property is declared and an id, or a list of ids
/// where there may be several.
fn referred(
    references: References,
    kind: &EventType,
    ids: Ids,
    reader: &mut Reader,
) -> Vec<ObjectRef> {
    let is_id = |kind: &PropertyKind| matches!(kind, PropertyKind::Id | PropertyKind::Text);
    let mut objects = Vec::new();
    for (object, Located { value, place }) in references {
        let fits = match kind.properties.get(&value).map(|property| &property.kind) {
            Some(PropertyKind::List(element)) => ids == Ids::Several && is_id(&element.kind),
            known => known.is_some_and(is_id),
        };
        if !fits {
            reader.error(
                place,
                format!("must name a property of the type with an id: `{value}` is none"),
            );
        }
        objects.push(ObjectRef {
            kind: object,
            property: value,
        });
    }
    objects
}

fn check_word(property: Option<&Located<String>>, kind: &EventType, reader: &mut Reader) {
    let Some(Located { value, place }) = property else {
        return;
    };
    let known = kind.properties.get(value).map(|property| &property.kind);
    if known != Some(&PropertyKind::Text) {
        reader.error(
            place.clone(),
            format!("must name a property of the type with a text: `{value}` is none"),
        );
    }
}

fn said(base: Word, fixed: Option<String>, property: Option<Located<String>>) -> Word {
    Word {
        fixed: fixed.or(base.fixed),
        property: property.map(|property| property.value).or(base.property),
    }
}

#[cfg(test)]
mod tests;
