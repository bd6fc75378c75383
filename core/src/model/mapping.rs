//! From a source's own payload to statements, by the model's mapping.
//!
//! A payload is all or nothing: if one field does not fit, none of its statements is made, and
//! every field that does not fit is told. A field of which the payload says nothing is left out;
//! only a record's key and an event's id, type and record must be there. In a patch an explicit
//! `null` empties the field; a missing or blank one leaves it as it is.
//!
//! What comes out is as the source said it: limits and normal forms are [`Model::check`]'s part.

mod fields;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

pub use fields::MappedFields;

use super::Model;
use super::expression::{Conversion, Expression, Outcome, Payload, kind};
pub(super) use super::file::{ConsentMapping, EventMapping, Mode, RecordMapping};
use crate::records::{
    Draft, DraftConsent, DraftEvent, DraftPreferences, DraftRecord, Identifier, Reason, RecordKey,
    Timestamp, Value, Violation, listed,
};

/// What type an event is of.
#[derive(Debug, Clone)]
pub(super) enum EventType {
    Always(String),
    From(Expression),
}

impl RecordMapping {
    fn expressions(&self) -> impl Iterator<Item = &Expression> {
        std::iter::once(&self.key)
            .chain(&self.version)
            .chain(&self.time)
            .chain(&self.delete_when)
            .chain(
                self.identifiers
                    .iter()
                    .flat_map(|(_, expressions)| expressions),
            )
            .chain(self.traits.iter().map(|(_, expression)| expression))
            .chain(self.preferences.iter().map(|(_, expression)| expression))
            .chain(self.consents.iter().flat_map(ConsentMapping::expressions))
    }
}

impl ConsentMapping {
    fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let point = self.contact_point.iter().map(|(_, expression)| expression);
        point.chain(self.fields.iter().map(|(_, expression)| expression))
    }
}

impl EventMapping {
    fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let kind = match &self.kind {
            EventType::From(expression) => Some(expression),
            EventType::Always(_) => None,
        };
        [&self.id, &self.record]
            .into_iter()
            .chain(kind)
            .chain(&self.time)
            .chain(self.properties.iter().map(|(_, expression)| expression))
    }
}

/// How payloads of one kind become statements: about a record, an event, or both.
#[derive(Debug, Clone, Default)]
pub struct Kind {
    pub(super) record: Option<RecordMapping>,
    pub(super) event: Option<EventMapping>,
    /// The fields that CEL programs of both name.
    pub(super) names: BTreeSet<String>,
}

impl Kind {
    /// Finds the names again, after a mapping was set.
    pub(super) fn bind(&mut self) {
        let names = self.expressions().flat_map(Expression::bound_names);
        self.names = names.map(str::to_owned).collect();
    }

    /// All of both mappings.
    pub(super) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let records = self.record.iter().flat_map(RecordMapping::expressions);
        let events = self.event.iter().flat_map(EventMapping::expressions);
        records.chain(events)
    }
}

impl Model {
    /// Whether there is a mapping for payloads of this kind from this source.
    ///
    /// # Errors
    /// The source or the kind is not declared.
    pub fn check_mapping(&self, source: &str, kind: &str) -> Result<(), Violation> {
        self.kind(source, kind).map(|_| ())
    }

    /// Makes the statements that a payload stands for, in this order: one about a record,
    /// preferences, words on purposes, and an event; as many of them as the mapping has and the
    /// payload says something of.
    ///
    /// # Errors
    /// Everything that does not fit, by the path in the model; values are not quoted.
    pub fn map(
        &self,
        source: &str,
        kind: &str,
        payload: &Json,
    ) -> Result<Vec<Draft>, Vec<Violation>> {
        let mapping = self
            .kind(source, kind)
            .map_err(|violation| vec![violation])?;
        if !payload.is_object() {
            return Err(vec![Violation::new(
                Reason::MappingFailed,
                "payload",
                "is not a JSON object",
            )]);
        }
        let payload = Payload::new(payload, &mapping.names);
        let mut run = Run {
            source,
            payload: &payload,
            path: String::new(),
            violations: Vec::new(),
        };
        let mut drafts = Vec::with_capacity(2);
        if let Some(record) = &mapping.record {
            run.path = format!("records.{kind}");
            drafts.extend(run.record(record));
        }
        if let Some(event) = &mapping.event {
            run.path = format!("events.{kind}");
            drafts.extend(run.event(event));
        }
        if run.violations.is_empty() {
            Ok(drafts)
        } else {
            Err(run.violations)
        }
    }

    fn kind(&self, source: &str, kind: &str) -> Result<&Kind, Violation> {
        let unknown = |field: &str, what: &str, name: &str, declared: Vec<&String>| {
            let declared = listed(declared.into_iter().map(String::as_str));
            let name: String = name
                .chars()
                .filter(|letter| !letter.is_control())
                .take(64)
                .collect();
            Violation::new(
                Reason::NotDeclared,
                field,
                format!("the model has no {what} `{name}`; it has: {declared}"),
            )
        };
        let kinds = match self.sources.get(source) {
            Some(source) => &source.kinds,
            None => {
                return Err(unknown(
                    "source",
                    "source",
                    source,
                    self.sources.keys().collect(),
                ));
            }
        };
        kinds
            .get(kind)
            .ok_or_else(|| unknown("kind", "mapping for the kind", kind, kinds.keys().collect()))
    }
}

/// One payload under its mapping.
struct Run<'a> {
    source: &'a str,
    payload: &'a Payload<'a>,
    path: String,
    violations: Vec<Violation>,
}

impl Run<'_> {
    fn record(&mut self, mapping: &RecordMapping) -> Vec<Draft> {
        let key = self.required_text("key", &mapping.key);
        let gone = mapping
            .delete_when
            .as_ref()
            .is_some_and(|condition| self.condition("delete_when", condition));
        let mut draft = DraftRecord::new(RecordKey::new(self.source, key.unwrap_or_default()));
        draft.version = mapping
            .version
            .as_ref()
            .and_then(|version| self.version(version))
            .unwrap_or_default();
        draft.source_time = mapping.time.as_ref().and_then(|time| self.time(time));
        if gone {
            return vec![Draft::Delete(draft)];
        }
        self.identifiers(mapping, &mut draft);
        for (name, expression) in &mapping.traits {
            match self.evaluate(&format!("traits.{name}"), expression) {
                Outcome::Value(value) => {
                    draft.traits.insert(name.clone(), value);
                }
                Outcome::Null if mapping.mode == Mode::Patch => {
                    draft.clear_traits.push(name.clone());
                }
                Outcome::Null | Outcome::Missing => {}
            }
        }
        let wanted: Vec<Draft> = self
            .preferences(mapping, &draft)
            .into_iter()
            .chain(self.consents(mapping, &draft))
            .collect();
        let record = match mapping.mode {
            Mode::Whole => Some(Draft::Upsert(draft)),
            Mode::Patch if draft.says_nothing() && !wanted.is_empty() => None,
            Mode::Patch => Some(Draft::Patch(draft)),
        };
        record.into_iter().chain(wanted).collect()
    }

    /// What the payload says of preferences; an explicit null clears one.
    fn preferences(&mut self, mapping: &RecordMapping, draft: &DraftRecord) -> Option<Draft> {
        let mut preferences = BTreeMap::new();
        for (key, expression) in &mapping.preferences {
            match self.evaluate(&format!("preferences.{key}"), expression) {
                Outcome::Value(value) => drop(preferences.insert(key.to_string(), Some(value))),
                Outcome::Null => drop(preferences.insert(key.to_string(), None)),
                Outcome::Missing => {}
            }
        }
        let DraftRecord {
            record,
            version,
            source_time,
            ..
        } = draft.clone();
        let said = DraftPreferences {
            record,
            preferences,
            version,
            source_time,
        };
        (!said.preferences.is_empty()).then_some(Draft::Preferences(said))
    }

    /// What the payload says about purposes.
    fn consents(&mut self, mapping: &RecordMapping, draft: &DraftRecord) -> Vec<Draft> {
        let each = mapping.consents.iter().enumerate();
        each.filter_map(|(index, mapping)| {
            self.consent(&format!("consents[{index}]"), mapping, draft)
        })
        .collect()
    }

    fn consent(
        &mut self,
        path: &str,
        mapping: &ConsentMapping,
        draft: &DraftRecord,
    ) -> Option<Draft> {
        let mut fields = BTreeMap::new();
        for (listed, expression) in &mapping.fields {
            let name = listed.key;
            let field = format!("{path}.{name}");
            let value = if let Some(conversion) = listed.meaning {
                self.convert(&field, expression, conversion)
            } else {
                let value = self.evaluate(&field, expression).value();
                value
                    .and_then(|value| self.text(&field, expression, &value))
                    .map(Value::String)
            };
            fields.extend(value.map(|value| (name.to_owned(), value)));
        }
        if !fields.contains_key("status") {
            return None;
        }
        let contact_point = match &mapping.contact_point {
            None => None,
            Some((kind, expression)) => {
                let field = format!("{path}.contact_point.{kind}");
                let value = self.evaluate(&field, expression).value()?;
                Some(Identifier::new(
                    kind,
                    self.text(&field, expression, &value)?,
                ))
            }
        };
        let (record, purpose) = (draft.record.clone(), mapping.purpose.clone());
        let (version, source_time) = (draft.version, draft.source_time);
        Some(Draft::Consent(DraftConsent {
            record,
            purpose,
            contact_point,
            fields,
            from_list: mapping.from_list,
            version,
            source_time,
        }))
    }

    fn identifiers(&mut self, mapping: &RecordMapping, draft: &mut DraftRecord) {
        for (name, expressions) in &mapping.identifiers {
            let (before, mut emptied) = (draft.identifiers.len(), false);
            for expression in expressions {
                let field = format!("identifiers.{name}");
                match self.evaluate(&field, expression) {
                    Outcome::Value(Value::List(values)) => {
                        let texts = values
                            .iter()
                            .filter_map(|value| self.text(&field, expression, value));
                        draft
                            .identifiers
                            .extend(texts.map(|text| Identifier::new(name, text)));
                    }
                    Outcome::Value(value) => {
                        let text = self.text(&field, expression, &value);
                        draft
                            .identifiers
                            .extend(text.map(|text| Identifier::new(name, text)));
                    }
                    Outcome::Null => emptied = true,
                    Outcome::Missing => {}
                }
            }
            if emptied && mapping.mode == Mode::Patch && draft.identifiers.len() == before {
                draft.clear_identifier_types.push(name.clone());
            }
        }
    }

    fn event(&mut self, mapping: &EventMapping) -> Option<Draft> {
        let kind = match &mapping.kind {
            EventType::Always(kind) => Some(kind.clone()),
            EventType::From(expression) => self.required_text("type", expression),
        };
        let event_id = self.required_text("id", &mapping.id);
        let key = self.required_text("record", &mapping.record);
        let event_time = mapping.time.as_ref().and_then(|time| self.time(time));
        let mut properties = BTreeMap::new();
        for (name, expression) in &mapping.properties {
            if let Outcome::Value(value) = self.evaluate(&format!("properties.{name}"), expression)
            {
                properties.insert(name.clone(), value);
            }
        }
        let record = RecordKey::new(self.source, key?);
        Some(Draft::Event(DraftEvent {
            record,
            event_id: event_id?,
            kind: kind?,
            event_time,
            properties,
        }))
    }

    fn evaluate(&mut self, field: &str, expression: &Expression) -> Outcome {
        expression.evaluate(self.payload).unwrap_or_else(|fault| {
            self.fail(field, expression, fault.text());
            Outcome::Missing
        })
    }

    /// A key, an id or a type.
    fn required_text(&mut self, field: &str, expression: &Expression) -> Option<String> {
        let before = self.violations.len();
        let Some(value) = self.evaluate(field, expression).value() else {
            if self.violations.len() == before {
                self.fail(
                    field,
                    expression,
                    "the payload has no value there, and one is required",
                );
            }
            return None;
        };
        self.text(field, expression, &value)
    }

    /// What names something: a text or a number.
    fn text(&mut self, field: &str, expression: &Expression, value: &Value) -> Option<String> {
        match value {
            Value::String(text) => Some(text.clone()),
            Value::Int(_) | Value::Decimal(_) => Some(value.to_string()),
            other => {
                self.fail(
                    field,
                    expression,
                    &format!("must be a text or a number, and is a {}", kind(other)),
                );
                None
            }
        }
    }

    fn version(&mut self, expression: &Expression) -> Option<i64> {
        match self.convert("version", expression, Conversion::Int)? {
            Value::Int(version) => Some(version),
            _ => None,
        }
    }

    fn time(&mut self, expression: &Expression) -> Option<Timestamp> {
        match self.convert("time", expression, Conversion::Time)? {
            Value::Time(time) => Some(time),
            _ => None,
        }
    }

    fn condition(&mut self, field: &str, expression: &Expression) -> bool {
        self.convert(field, expression, Conversion::Bool) == Some(Value::Bool(true))
    }

    fn convert(
        &mut self,
        field: &str,
        expression: &Expression,
        conversion: Conversion,
    ) -> Option<Value> {
        let value = self.evaluate(field, expression).value()?;
        let converted = conversion.apply(&value);
        converted
            .map_err(|fault| self.fail(field, expression, fault.text()))
            .ok()
    }

    fn fail(&mut self, field: &str, expression: &Expression, what: &str) {
        let field = format!("{}.{field}", self.path);
        let description = format!("`{}`: {what}", expression.source());
        self.violations
            .push(Violation::new(Reason::MappingFailed, field, description));
    }
}
