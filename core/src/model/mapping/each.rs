//! The events that a payload tells of: one, or one for each element of a list.
//!
//! An element is bound to a name of the mapping's choice, beside the fields of the payload, which
//! it hides. All elements share the payload's budget, and each pays for the fields that are bound
//! anew for it.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::{EventMapping, NotedDraft, Run};
use crate::model::computed::json_of;
use crate::model::expression::{Expression, Outcome};
use crate::model::file::ForEach;
use crate::records::Violation;

/// How many events one mapping makes of a payload at most.
const MAX_EVENTS: usize = 500;

impl Run<'_> {
    /// The events of one mapping.
    pub(super) fn events(&mut self, mapping: &EventMapping, payload: &Json) -> Vec<NotedDraft> {
        let Some(ForEach { name, list }) = &mapping.for_each else {
            let made = self.event(mapping);
            return self.noted(made);
        };
        let Some(elements) = self.elements(list) else {
            return Vec::new();
        };
        let mut payload = payload.clone();
        // Only what is read of each element is bound anew.
        let read = mapping
            .expressions()
            .filter(|read| !std::ptr::eq(*read, list));
        let names = read.flat_map(Expression::bound_names).map(str::to_owned);
        let names = names.collect::<BTreeSet<String>>();
        let (path, mut drafts) = (self.path.clone(), Vec::with_capacity(elements.len()));
        for (index, element) in elements.into_iter().enumerate() {
            if let Json::Object(fields) = &mut payload {
                fields.insert(name.clone(), element);
            }
            let evaluated = self.payload.with_fields(&payload, &names);
            let mut run = Run {
                model: self.model,
                source: self.source,
                payload: &evaluated,
                path: format!("{path}.for_each[{index}]"),
                violations: std::mem::take(&mut self.violations),
                omissions: std::mem::take(&mut self.omissions),
                notes: std::mem::take(&mut self.notes),
                in_doubt: self.in_doubt,
            };
            let made = run.event(mapping);
            drafts.extend(run.noted(made));
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
            None => match self.evaluate(&FIELD, list) {
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
                self.fail(&FIELD, list, "must be a list");
                None
            }
        }
    }
}
