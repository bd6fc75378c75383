//! The part of the model file on event types, and the built-in catalogue, which has the same form.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::compile::named;
use super::reader::{At, Fields, Mistakes};
use super::tree;
use crate::model::check::{MAX_NAME_BYTES, is_snake_case};
use crate::model::event::{
    BUILT_IN, Catalogue, EventType, ObjectRef, Origin, Property, PropertyKind, Word,
};

/// How deep lists and maps may nest in a property.
const MAX_DEPTH: usize = 8;

/// The built-in catalogue.
pub(super) fn built_in() -> &'static Catalogue {
    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
        let mut mistakes = Mistakes::default();
        let root = tree::read(BUILT_IN)
            .unwrap_or_else(|errors| unreachable!("the built-in catalogue: {errors:?}"));
        let types = read(
            &At::root(&root),
            &Catalogue::new(),
            Origin::BuiltIn,
            &mut mistakes,
        );
        let errors = mistakes.into_errors();
        assert!(errors.is_empty(), "the built-in catalogue: {errors:?}");
        types
    });
    &CATALOGUE
}

/// Reads the section `events`: the built-in catalogue with the types of the file.
pub(super) fn catalogue(at: &At<'_>, mistakes: &mut Mistakes) -> Catalogue {
    read(at, built_in(), Origin::Model, mistakes)
}

/// The types of a section added to those that there are.
fn read(at: &At<'_>, there: &Catalogue, origin: Origin, mistakes: &mut Mistakes) -> Catalogue {
    let written = named(at, "an event type", mistakes, |at, _| Some(at.clone()));
    let mut reader = Reader {
        written: &written,
        open: Vec::new(),
        catalogue: there.clone(),
        there,
        origin,
    };
    for name in written.keys() {
        reader.resolve(name, mistakes);
    }
    reader.catalogue
}

/// Resolves what types extend, each once.
struct Reader<'a, 'n> {
    written: &'a BTreeMap<String, At<'n>>,
    /// The types that are being resolved, each for the one before.
    open: Vec<String>,
    catalogue: Catalogue,
    there: &'a Catalogue,
    origin: Origin,
}

impl Reader<'_, '_> {
    fn resolve(&mut self, name: &str, mistakes: &mut Mistakes) -> Option<Arc<EventType>> {
        if let Some(done) = self
            .catalogue
            .get(name)
            .filter(|kind| !self.is_there(name, kind))
        {
            return Some(Arc::clone(done));
        }
        let Some(at) = self.written.get(name) else {
            return self.there.get(name).cloned();
        };
        self.open.push(name.to_owned());
        let kind = Arc::new(self.event_type(name, at, mistakes));
        self.open.pop();
        self.catalogue.insert(name.to_owned(), Arc::clone(&kind));
        Some(kind)
    }

    fn is_there(&self, name: &str, kind: &Arc<EventType>) -> bool {
        self.there
            .get(name)
            .is_some_and(|there| Arc::ptr_eq(there, kind))
    }

    fn event_type(&mut self, name: &str, at: &At<'_>, mistakes: &mut Mistakes) -> EventType {
        let Some(mut fields) = at.fields(mistakes) else {
            return EventType::default();
        };
        let base = fields
            .get("extends")
            .and_then(|at| self.extended(name, &at, mistakes));
        let mut kind = base.map(|base| EventType::clone(&base)).unwrap_or_default();
        kind.origin = self.origin;
        if let Some(text) = fields.get("description").and_then(|at| at.text(mistakes)) {
            text.clone_into(&mut kind.description);
        }
        if let Some(at) = fields.get("properties") {
            kind.properties.extend(properties(&at, 0, mistakes));
        }
        if let Some(at) = fields.get("object") {
            let mut objects = references(&at, &kind, Ids::One, mistakes);
            if objects.len() != 1 {
                mistakes.add(
                    &at,
                    "an event is a state of one object: name one; `relates` may name several",
                );
            }
            kind.object = objects.pop();
        }
        if let Some(at) = fields.get("relates") {
            for added in references(&at, &kind, Ids::Several, mistakes) {
                kind.relates.retain(|known| known.kind != added.kind);
                kind.relates.push(added);
            }
        }
        word(
            &mut kind,
            |kind| &mut kind.status,
            ["status", "status_property"],
            &mut fields,
            mistakes,
        );
        word(
            &mut kind,
            |kind| &mut kind.channel,
            ["channel", "channel_property"],
            &mut fields,
            mistakes,
        );
        fields.finish(mistakes);
        kind
    }

    /// The type that another one begins with. Its own name stands for the one that it takes the
    /// place of.
    fn extended(
        &mut self,
        name: &str,
        at: &At<'_>,
        mistakes: &mut Mistakes,
    ) -> Option<Arc<EventType>> {
        let base = at.text(mistakes)?;
        let found = match base == name {
            true => self.there.get(name).cloned(),
            false if self.open.iter().any(|open| open == base) => {
                mistakes.add(
                    at,
                    format!("extends itself: {} → {base}", self.open.join(" → ")),
                );
                return None;
            }
            false => self.resolve(base, mistakes),
        };
        if found.is_none() {
            mistakes.add(
                at,
                format!("there is no event type `{base}`, in the model or built in"),
            );
        }
        found
    }
}

/// How many ids a property may have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ids {
    One,
    Several,
}

/// `kind: property`, each property declared and an id, or a list of ids where there may be several.
fn references(at: &At<'_>, kind: &EventType, ids: Ids, mistakes: &mut Mistakes) -> Vec<ObjectRef> {
    let read = named(at, "a kind of object", mistakes, |at, mistakes| {
        let property = at.text(mistakes)?;
        let known = kind.properties.get(property).map(|property| &property.kind);
        let is_id = |kind: &PropertyKind| matches!(kind, PropertyKind::Id | PropertyKind::Text);
        let fits = match known {
            Some(PropertyKind::List(element)) => ids == Ids::Several && is_id(&element.kind),
            known => known.is_some_and(is_id),
        };
        if !fits {
            mistakes.add(
                at,
                format!("must name a property of the type with an id: `{property}` is none"),
            );
        }
        Some(property.to_owned())
    });
    read.into_iter()
        .map(|(kind, property)| ObjectRef { kind, property })
        .collect()
}

fn word(
    kind: &mut EventType,
    word: impl Fn(&mut EventType) -> &mut Word,
    [fixed, property]: [&'static str; 2],
    fields: &mut Fields<'_>,
    mistakes: &mut Mistakes,
) {
    if let Some(at) = fields.get(fixed) {
        let text = at.text(mistakes).unwrap_or_default();
        if !is_snake_case(text) {
            mistakes.add(
                &at,
                format!("a {fixed} is named in lower snake case (`in_transit`), in 1 to 64 bytes"),
            );
        }
        word(kind).fixed = Some(text.to_owned());
    }
    if let Some(at) = fields.get(property) {
        let name = at.text(mistakes).unwrap_or_default();
        if kind
            .properties
            .get(name)
            .is_none_or(|property| property.kind != PropertyKind::Text)
        {
            mistakes.add(
                &at,
                format!("must name a property of the type with a text: `{name}` is none"),
            );
        }
        word(kind).property = Some(name.to_owned());
    }
}

fn properties(at: &At<'_>, depth: usize, mistakes: &mut Mistakes) -> BTreeMap<String, Property> {
    let mut all = BTreeMap::new();
    for (entry, at) in at.entries(mistakes) {
        if entry.key.is_empty() || entry.key.len() > MAX_NAME_BYTES {
            mistakes.add_at_key(
                entry,
                at.path.clone(),
                format!("a property's name has 1 to {MAX_NAME_BYTES} bytes"),
            );
        }
        all.insert(entry.key.clone(), property(&at, depth, mistakes));
    }
    all
}

/// The name of a type, or a mapping that says more.
fn property(at: &At<'_>, depth: usize, mistakes: &mut Mistakes) -> Property {
    let mut property = Property::any();
    if at.text(&mut Mistakes::default()).is_some() {
        property.kind = kind(at, mistakes);
        return property;
    }
    let Some(mut fields) = at.fields(mistakes) else {
        return property;
    };
    if let Some(at) = fields.required("type", mistakes) {
        property.kind = kind(&at, mistakes);
    }
    if let Some(text) = fields.get("description").and_then(|at| at.text(mistakes)) {
        text.clone_into(&mut property.description);
    }
    if let Some(at) = fields.get("one_of") {
        property.one_of = at
            .list()
            .iter()
            .filter_map(|at| at.text(mistakes))
            .map(str::to_owned)
            .collect();
        belongs(
            &at,
            matches!(property.kind, PropertyKind::Text),
            "one_of",
            "text",
            mistakes,
        );
    }
    let (of, inner) = (fields.get("of"), fields.get("properties"));
    for at in of.iter().chain(&inner).filter(|_| depth == MAX_DEPTH) {
        mistakes.add(at, format!("nests deeper than the limit of {MAX_DEPTH}"));
    }
    if let Some(at) = of.filter(|_| depth < MAX_DEPTH) {
        belongs(
            &at,
            matches!(property.kind, PropertyKind::List(_)),
            "of",
            "list",
            mistakes,
        );
        property.kind = PropertyKind::List(Box::new(self::property(&at, depth + 1, mistakes)));
    }
    if let Some(at) = inner.filter(|_| depth < MAX_DEPTH) {
        belongs(
            &at,
            matches!(property.kind, PropertyKind::Map(_)),
            "properties",
            "map",
            mistakes,
        );
        property.kind = PropertyKind::Map(properties(&at, depth + 1, mistakes));
    }
    fields.finish(mistakes);
    property
}

fn kind(at: &At<'_>, mistakes: &mut Mistakes) -> PropertyKind {
    let kinds = PropertyKind::all();
    let names = kinds.each_ref().map(|(name, kind)| (*name, kind));
    at.choice(&names, mistakes)
        .cloned()
        .unwrap_or(PropertyKind::Any)
}

fn belongs(at: &At<'_>, fits: bool, key: &str, kind: &str, mistakes: &mut Mistakes) {
    if !fits {
        mistakes.add(at, format!("`{key}` goes with `type: {kind}` only"));
    }
}

#[cfg(test)]
mod tests;
