//! Statements of a payload about a record, with preferences and consents.

use std::collections::BTreeMap;

use super::{ConsentMapping, Mode, RecordMapping, Run};
use crate::model::expression::{Expression, Outcome};
use crate::records::{Draft, DraftPreferences, DraftRecord, Identifier, RecordKey, Value};

impl RecordMapping {
    pub(super) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        std::iter::once(&self.key)
            .chain(&self.version)
            .chain(&self.time)
            .chain(&self.delete_when)
            .chain(&self.when)
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

impl Run<'_> {
    pub(super) fn record(&mut self, mapping: &RecordMapping) -> Vec<Draft> {
        if !self.is_wanted("when", mapping.when.as_ref()) {
            return Vec::new();
        }
        let key = self.required_key("key", &mapping.key);
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
            match self.evaluate(&format_args!("traits.{name}"), expression) {
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
            match self.evaluate(&format_args!("preferences.{key}"), expression) {
                Outcome::Value(value) => drop(preferences.insert(key.to_string(), Some(value))),
                Outcome::Null => drop(preferences.insert(key.to_string(), None)),
                Outcome::Missing => {}
            }
        }
        (!preferences.is_empty()).then(|| {
            Draft::Preferences(DraftPreferences {
                record: draft.record.clone(),
                preferences,
                version: draft.version,
                source_time: draft.source_time,
            })
        })
    }

    fn identifiers(&mut self, mapping: &RecordMapping, draft: &mut DraftRecord) {
        for (name, expressions) in &mapping.identifiers {
            let (before, mut emptied) = (draft.identifiers.len(), false);
            for expression in expressions {
                let field = format_args!("identifiers.{name}");
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
}
