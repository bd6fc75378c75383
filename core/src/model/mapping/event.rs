//! The events that a payload tells of: one, or one for each element of a list.
//!
//! An element is bound to a name of the mapping's choice, beside the fields of the payload, which
//! it hides. All elements share the payload's budget, and each pays for the fields that are bound
//! anew for it.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{EventMapping, EventType, Run};
use crate::model::computed::json_of;
use crate::model::expression::{Expression, Outcome};
use crate::model::file::ForEach;
use crate::records::{Draft, DraftEvent, RecordKey, Violation};

/// How many events one mapping makes of a payload at most.
const MAX_EVENTS: usize = 500;

impl EventMapping {
    pub(super) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let kind = match &self.kind {
            EventType::From(expression) => Some(expression),
            EventType::Always(_) => None,
        };
        [&self.id, &self.record]
            .into_iter()
            .chain(kind)
            .chain(&self.time)
            .chain(&self.when)
            .chain(self.for_each.iter().map(|each| &each.list))
            .chain(self.properties.iter().map(|(_, expression)| expression))
    }
}

impl Run<'_> {
    /// The events of one mapping.
    pub(super) fn events(&mut self, mapping: &EventMapping, payload: &Json) -> Vec<Draft> {
        let Some(ForEach { name, list }) = &mapping.for_each else {
            return self.event(mapping).into_iter().collect();
        };
        let Some(elements) = self.elements(list) else {
            return Vec::new();
        };
        let mut payload = payload.clone();
        let (path, mut drafts) = (self.path.clone(), Vec::with_capacity(elements.len()));
        for (index, element) in elements.into_iter().enumerate() {
            if let Json::Object(fields) = &mut payload {
                fields.insert(name.clone(), element);
            }
            let evaluated = self.payload.with_fields(&payload);
            let mut run = Run {
                source: self.source,
                catalogue: self.catalogue,
                payload: &evaluated,
                path: format!("{path}.for_each[{index}]"),
                violations: std::mem::take(&mut self.violations),
                omissions: std::mem::take(&mut self.omissions),
            };
            drafts.extend(run.event(mapping));
            let Run {
                violations,
                omissions,
                ..
            } = run;
            (self.violations, self.omissions) = (violations, omissions);
            self.payload.take_steps_from(&evaluated);
            if self.payload.is_exhausted() {
                break;
            }
        }
        drafts
    }

    /// The elements of a list; `None`: there is no list.
    fn elements(&mut self, list: &Expression) -> Option<Vec<Json>> {
        const FIELD: &str = "for_each";
        let found = match list.find(self.payload) {
            Some(json) => json.clone(),
            None => match self.evaluate(FIELD, list) {
                Outcome::Value(value) => json_of(&value),
                Outcome::Missing | Outcome::Null => Json::Null,
            },
        };
        match found {
            Json::Array(elements) if elements.len() > MAX_EVENTS => {
                self.violations.push(Violation::limit(
                    format!("{}.{FIELD}", self.path),
                    elements.len(),
                    MAX_EVENTS,
                    "elements",
                ));
                None
            }
            Json::Array(elements) => Some(elements),
            Json::Null => {
                self.omit(FIELD, format!("`{}`: there is no list", list.source()));
                None
            }
            _ => {
                self.fail(FIELD, list, "must be a list");
                None
            }
        }
    }

    /// A type of the catalogue: what is none would be stored and mean nothing.
    fn known_type(&mut self, expression: &Expression) -> Option<String> {
        let found = self.required_text("type", expression)?;
        if self.catalogue.get(&found).is_some() {
            return Some(found);
        }
        let rule = "gives a type that is not in the catalogue; declare it under `events`, give \
                    another, or leave it out with `when`";
        self.fail("type", expression, rule);
        None
    }

    fn event(&mut self, mapping: &EventMapping) -> Option<Draft> {
        if !self.is_wanted("when", mapping.when.as_ref()) {
            return None;
        }
        let kind = match &mapping.kind {
            EventType::Always(kind) => Some(kind.clone()),
            EventType::From(expression) => self.known_type(expression),
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
}
