//! The names that expressions of a file speak of, found before its sections are read.

use std::collections::{BTreeMap, BTreeSet};

use super::computed;
use super::events::{Types, built_in};
use super::forms::{Form as _, Located};
use super::reader::{At, Fields, Reader};
use crate::model::check::is_snake_case;
use crate::model::check::refused;
use crate::model::event::{Catalogue, PropertyKind};
use crate::model::expression::types::{
    Kind, Mistake, Wanted, kind_of, mistakes, near, written_results,
};
use crate::model::expression::{Expression, Payload};
use crate::model::scope::{Mapped, of_aggregate, of_events};
use crate::records::Value;

/// The kinds of computed traits, by name.
pub(super) fn computed(file: &mut Fields<'_>) -> BTreeMap<String, Kind> {
    let ignored = &mut Reader::default();
    let Some(section) = file.get("computed") else {
        return BTreeMap::new();
    };
    let mut kinds = BTreeMap::new();
    for (entry, at) in section.entries(ignored) {
        let kind = at.fields(ignored).map_or(Kind::Any, |mut keys| {
            let of_time = keys.get("value").is_none();
            let named = computed::AGGREGATES.iter();
            named
                .filter(|listed| keys.get(listed.key).is_some())
                .map(|listed| of_aggregate(listed.meaning, of_time))
                .next()
                .unwrap_or(Kind::Any)
        });
        kinds.insert(entry.key.clone(), kind);
    }
    kinds
}

/// The types of events, built in and of the file.
pub(super) fn events(file: &mut Fields<'_>) -> Catalogue {
    let section = file.get("events");
    section
        .and_then(|at| Types.read(&at, &mut Reader::default()))
        .unwrap_or_else(|| built_in().clone())
}

/// The properties that mappings give events, by type.
pub(super) fn mapped(file: &mut Fields<'_>) -> Mapped {
    let ignored = &mut Reader::default();
    let mut mapped = Mapped::new();
    let Some(sources) = file.get("sources") else {
        return mapped;
    };
    for (_, source) in sources.entries(ignored) {
        let events = source
            .fields(ignored)
            .and_then(|mut keys| keys.get("events"));
        for (_, mapping) in events
            .iter()
            .flat_map(|events| events.entries(&mut Reader::default()))
        {
            let Some(mut keys) = mapping.fields(ignored) else {
                continue;
            };
            let kind = keys
                .get("type")
                .and_then(|at| at.as_text().map(str::to_owned));
            let properties = keys.get("properties");
            let properties = properties.map(|at| at.entries(ignored)).unwrap_or_default();
            if let Some(kind) = kind.filter(|kind| is_snake_case(kind)) {
                let known = mapped.entry(kind).or_default();
                known.extend(properties.iter().map(|(entry, _)| entry.key.clone()));
            }
        }
    }
    mapped
}

impl Reader {
    /// Notes the mistakes in an expression over events of these types.
    pub(super) fn check_over_events(
        &mut self,
        expression: Option<&Located<Expression>>,
        types: &BTreeSet<String>,
        wanted: Wanted,
    ) {
        let Some(Located { value, place }) = expression else {
            return;
        };
        let known = types.iter().map(|name| {
            (
                name.as_str(),
                self.declared.events.get(name).map(AsRef::as_ref),
            )
        });
        let all = self.declared.events.keys();
        let names = of_events(known, &self.declared.mapped, all);
        let wrong = mistakes(value.source(), &names, wanted);
        self.mistakes(place, value.source(), wrong);
    }
}

/// Notes types and properties of events that mappings name and that there are not, and constants
/// for which every event would be refused.
pub(super) fn check_mapped_events(root: &At<'_>, reader: &mut Reader) {
    let ignored = &mut Reader::default();
    let sources = root
        .fields(ignored)
        .and_then(|mut file| file.get("sources"));
    for (_, source) in sources
        .iter()
        .flat_map(|sources| sources.entries(&mut Reader::default()))
    {
        let events = source
            .fields(ignored)
            .and_then(|mut keys| keys.get("events"));
        for (_, mapping) in events
            .iter()
            .flat_map(|events| events.entries(&mut Reader::default()))
        {
            if let Some(keys) = mapping.fields(ignored) {
                mapped_event(keys, reader);
            }
        }
    }
}

fn mapped_event(mut keys: Fields<'_>, reader: &mut Reader) {
    let Some(at) = keys.get("type") else { return };
    let Some(written) = at.as_text() else { return };
    if !is_snake_case(written) {
        for (begin, name) in written_results(written) {
            let known = reader.declared.events.contains_key(&name);
            if let (false, Some(message)) = (known, reader.unknown_event_type(&name)) {
                reader.mistakes(&at.place(), written, vec![Mistake { at: begin, message }]);
            }
        }
        return;
    }
    reader.check_event_type(written, at.place());
    let Some(kind) = reader.declared.events.get(written).cloned() else {
        return;
    };
    let ignored = &mut Reader::default();
    let entries = keys
        .get("properties")
        .map(|at| at.entries(ignored))
        .unwrap_or_default();
    let said: Vec<&str> = entries
        .iter()
        .map(|(entry, _)| entry.key.as_str())
        .collect();
    for (entry, at) in &entries {
        let name = entry.key.as_str();
        let Some(property) = kind.properties.get(name) else {
            // Others are kept as they are; one that is nearly known is a slip.
            let unsaid = kind.properties.keys().map(String::as_str);
            if let Some(meant) = near(name, unsaid.filter(|known| !said.contains(known))) {
                let message =
                    format!("`{written}` has no property `{name}`; did you mean `{meant}`?");
                reader.error(entry.place(at.path.clone()), message);
            }
            continue;
        };
        let constant = at.as_text().and_then(constant);
        let wrong = constant.and_then(|value| refused(property, &value));
        let wrong = wrong.or_else(|| of_another_kind(&property.kind, at.as_text()?));
        if let Some(wrong) = wrong {
            reader.error(at.place(), format!("every event would be refused: {wrong}"));
        }
    }
}

/// Why what an expression gives is never a value of a property, if its kind tells.
fn of_another_kind(property: &PropertyKind, source: &str) -> Option<String> {
    use PropertyKind as P;
    let kind = kind_of(source);
    let fits = matches!(
        (property, &kind),
        (_, Kind::Any | Kind::Nothing)
            | (P::Any, _)
            | (P::Text | P::Currency | P::Id, Kind::Text)
            | (P::Id | P::Whole | P::Decimal | P::Money, Kind::Number)
            | (P::Boolean, Kind::Boolean)
            | (P::Time, Kind::Time)
            | (P::List(_), Kind::List(_))
            | (P::Map(_), Kind::Map(_))
    );
    (!fits).then(|| format!("must be {property}; it is {kind}"))
}

/// The value of an expression that reads nothing.
fn constant(source: &str) -> Option<Value> {
    let expression = Expression::compile(source).ok()?;
    if !expression.fields_read().is_empty() {
        return None;
    }
    let nothing = serde_json::json!({});
    let outcome = expression.evaluate(&Payload::new(&nothing)).ok()?;
    outcome.value()
}

#[cfg(test)]
mod tests;
