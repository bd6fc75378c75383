//! Checks an event: its limits, and what its type says of its properties.
//!
//! Lenient where a source is incomplete: every property may be missing, those that the type does
//! not know are kept, and a type that is in no catalogue is taken as it is. Strict where it is
//! wrong: what is said must be what the type says.

mod attach;

use std::collections::BTreeMap;
use std::fmt::Display;

use super::{Check, MAX_ELEMENTS, MAX_EVENT_TYPE_BYTES, MAX_FIELDS, is_snake_case, shown};
use crate::model::Model;
use crate::model::currency::is_currency;
use crate::model::event::{EventType, Property, PropertyKind};
use crate::records::{
    ContentHash, Correction, DraftEvent, DraftReplacement, DraftRetraction, Event, EventChange,
    Meaning, Reason, Timestamp, Value, listed, plausible_time,
};

/// The longest state or channel, in bytes.
const MAX_WORD_BYTES: usize = 64;
/// How many other objects an event may speak of.
const MAX_RELATED: usize = 50;

impl Check<'_> {
    pub(super) fn event(
        &mut self,
        path: &str,
        draft: DraftEvent,
        receive_time: Timestamp,
    ) -> Event {
        if draft.attach.is_empty() {
            self.record_key(&format_args!("{path}.record"), &draft.record);
        } else {
            self.source(&format_args!("{path}.record.source"), &draft.record.source);
        }
        self.key(&format_args!("{path}.event_id"), &draft.event_id);
        if !is_snake_case(&draft.kind) {
            let rule = format!(
                "must be lower snake case (`order_placed`), 1 to {MAX_EVENT_TYPE_BYTES} bytes"
            );
            self.add(Reason::Malformed, format!("{path}.type"), rule);
        }
        self.time(&format_args!("{path}.event_time"), draft.event_time);
        self.note_time("event_time", draft.event_time, receive_time);
        self.limit(
            &format_args!("{path}.properties"),
            draft.properties.len(),
            MAX_FIELDS,
            "entries",
        );
        let kind = self.model.events.get(&draft.kind);
        let known = kind.map(|kind| &kind.properties);
        for (name, value) in draft.properties.iter().take(MAX_FIELDS) {
            let field = format_args!("{path}.properties.{}", shown(name));
            self.name(&field, name);
            self.value(&field, value, 0);
            if let Some(property) = known.and_then(|known| known.get(name)) {
                self.property(&field, property, value);
            }
        }
        let meaning = kind
            .map(|kind| self.meaning(path, kind, &draft))
            .unwrap_or_default();
        let content = ContentHash::of(&draft);
        let attachment = (!draft.attach.is_empty())
            .then(|| Box::new(self.attachment(path, kind.map(AsRef::as_ref), &draft, &meaning)));
        Event {
            sort_time: plausible_time(draft.event_time, receive_time),
            record: draft.record,
            event_id: draft.event_id,
            kind: draft.kind,
            event_time: draft.event_time,
            receive_time,
            properties: draft.properties,
            content,
            meaning,
            attachment,
        }
    }

    pub(super) fn retraction(
        &mut self,
        path: &str,
        draft: DraftRetraction,
        receive_time: Timestamp,
    ) -> Correction {
        self.source(&format_args!("{path}.source"), &draft.event.source);
        self.key(&format_args!("{path}.event_id"), &draft.event.event_id);
        self.order(path, (draft.version, draft.source_time), receive_time);
        Correction {
            change: EventChange::Retract,
            order: place(draft.version, draft.source_time),
            version: draft.version,
            source_time: draft.source_time,
            receive_time,
            content: ContentHash::of(&("retract", &draft.event)),
            key: draft.event,
        }
    }

    pub(super) fn replacement(
        &mut self,
        path: &str,
        draft: DraftReplacement,
        receive_time: Timestamp,
    ) -> Correction {
        let event = self.event(&format!("{path}.event"), draft.event, receive_time);
        self.order(path, (draft.version, draft.source_time), receive_time);
        Correction {
            key: event.key(),
            order: place(draft.version, draft.source_time),
            version: draft.version,
            source_time: draft.source_time,
            receive_time,
            content: ContentHash::of(&("replace", event.content)),
            change: EventChange::Replace(Box::new(event)),
        }
    }

    /// What its type makes of it. States and channels are words, to be looked for; of related
    /// objects there are not many.
    fn meaning(&mut self, path: &str, kind: &EventType, draft: &DraftEvent) -> Meaning {
        for name in kind.status.property.iter().chain(&kind.channel.property) {
            if let Some(Value::String(word)) = draft.properties.get(name) {
                self.limit(
                    &format_args!("{path}.properties.{name}"),
                    word.len(),
                    MAX_WORD_BYTES,
                    "bytes",
                );
            }
        }
        let meaning = kind.meaning(&draft.properties);
        self.limit(
            &format_args!("{path}.properties"),
            meaning.related.len(),
            MAX_RELATED,
            "related objects",
        );
        meaning
    }

    fn property(&mut self, field: &dyn Display, property: &Property, value: &Value) {
        use PropertyKind as Kind;
        match (&property.kind, value) {
            (Kind::Any, _)
            | (Kind::Id | Kind::Whole | Kind::Decimal | Kind::Money, Value::Int(_))
            | (Kind::Decimal | Kind::Money, Value::Decimal(_))
            | (Kind::Boolean, Value::Bool(_))
            | (Kind::Time, Value::Time(_)) => {}
            (Kind::Text, Value::String(text)) => self.known_text(field, &property.one_of, text),
            (Kind::Id, Value::String(id)) => self.key(field, id),
            (Kind::Currency, Value::String(code)) if is_currency(code) => {}
            (Kind::List(element), Value::List(values)) => {
                for (index, value) in values.iter().take(MAX_ELEMENTS).enumerate() {
                    self.property(&format_args!("{field}[{index}]"), element, value);
                }
            }
            (Kind::Map(known), Value::Map(entries)) => self.known_entries(field, known, entries),
            (kind @ Kind::Currency, Value::String(_)) => {
                let rule = format!("must be {kind}; it is no such code");
                self.add(Reason::Malformed, field.to_string(), rule);
            }
            (kind, value) => {
                let rule = format!("must be {kind}; it is {}", kind_of(value));
                self.add(Reason::Malformed, field.to_string(), rule);
            }
        }
    }

    fn known_text(&mut self, field: &dyn Display, texts: &[String], text: &str) {
        if !texts.is_empty() && !texts.iter().any(|known| known == text) {
            self.add(
                Reason::Malformed,
                field.to_string(),
                format!(
                    "must be one of {}",
                    listed(texts.iter().map(String::as_str))
                ),
            );
        }
    }

    fn known_entries(
        &mut self,
        field: &dyn Display,
        known: &BTreeMap<String, Property>,
        entries: &BTreeMap<String, Value>,
    ) {
        for (name, value) in entries.iter().take(MAX_ELEMENTS) {
            if let Some(property) = known.get(name) {
                self.property(&format_args!("{field}.{}", shown(name)), property, value);
            }
        }
    }
}

/// The place of a correction, if its source says version or time.
fn place(version: i64, source_time: Option<Timestamp>) -> Option<(i64, Timestamp)> {
    let dated = version > 0 || source_time.is_some();
    dated.then(|| (version, source_time.unwrap_or_default()))
}

/// Why an event with this value of a property is refused, if it is.
pub(in crate::model) fn refused(property: &Property, value: &Value) -> Option<String> {
    let mut check = Check {
        model: &Model::default(),
        violations: Vec::new(),
        notes: None,
        strict: true,
    };
    check.property(&"", property, value);
    let wrong = check.violations.into_iter().next()?;
    Some(wrong.description)
}

/// What a value is, in words, without quoting it.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Int(_) => "a whole number",
        Value::Decimal(_) => "a decimal number",
        Value::Bool(_) => "true or false",
        Value::Time(_) => "a time",
        Value::List(_) => "a list",
        Value::Map(_) => "a map",
    }
}

#[cfg(test)]
mod tests;
