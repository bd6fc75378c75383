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
    /// A record and its customer's wishes, which are read first.
    pub(super) fn record(&mut self, mapping: &RecordMapping) -> Vec<Draft> {
        let before = self.violations.len();
        if !self.is_wanted("when", mapping.when.as_ref()) {
            if self.violations.len() == before {
                return Vec::new();
            }
            self.in_doubt = true;
        }
        let key = self.required_key("key", &mapping.key);
        let mut draft = DraftRecord::new(RecordKey::new(self.source, key.unwrap_or_default()));
        let (read, omitted) = (self.violations.len(), self.omissions.len());
        let mut wishes = self.preferences(mapping, &draft.record);
        wishes.extend(self.consents(mapping, &draft.record));
        let limits_wrong = read..self.violations.len();
        let gone = mapping
            .delete_when
            .as_ref()
            .is_some_and(|condition| self.condition("delete_when", condition));
        self.order(mapping, &mut draft);
        for wish in &mut wishes {
            date(wish, &draft);
        }
        if gone {
            // A deleted record says no more than its key, and no rest of it keeps it from that.
            self.note_violations(limits_wrong);
            self.omissions.truncate(omitted);
            let limits = wishes
                .into_iter()
                .filter_map(|wish| self.model.limit_of(wish));
            return std::iter::once(Draft::Delete(draft))
                .chain(limits)
                .collect();
        }
        self.identifiers(mapping, &mut draft);
        self.traits(mapping, &mut draft);
        let record = match mapping.mode {
            Mode::Whole => Some(Draft::Upsert(draft)),
            Mode::Patch if draft.says_nothing() && !wishes.is_empty() => None,
            Mode::Patch => Some(Draft::Patch(draft)),
        };
        record.into_iter().chain(wishes).collect()
    }

    /// The version and the time. A time beside a version that cannot be read might be an old one's.
    fn order(&mut self, mapping: &RecordMapping, draft: &mut DraftRecord) {
        let before = self.violations.len();
        let version = mapping.version.as_ref();
        let version = version.and_then(|version| self.version(version));
        draft.version = version.unwrap_or_default();
        let is_read = self.violations.len() == before;
        let time = mapping.time.as_ref().and_then(|time| self.time(time));
        draft.source_time = time.filter(|_| is_read);
    }

    fn traits(&mut self, mapping: &RecordMapping, draft: &mut DraftRecord) {
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
    }

    /// What the payload says of preferences; an explicit null clears one.
    fn preferences(&mut self, mapping: &RecordMapping, record: &RecordKey) -> Vec<Draft> {
        let mut preferences = BTreeMap::new();
        for (key, expression) in &mapping.preferences {
            if self.is_nobodys(expression) {
                continue;
            }
            match self.evaluate(&format_args!("preferences.{key}"), expression) {
                Outcome::Value(value) => drop(preferences.insert(key.to_string(), Some(value))),
                Outcome::Null => drop(preferences.insert(key.to_string(), None)),
                Outcome::Missing => {}
            }
        }
        if preferences.is_empty() {
            return Vec::new();
        }
        vec![Draft::Preferences(DraftPreferences {
            record: record.clone(),
            preferences,
            version: 0,
            source_time: None,
        })]
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

/// Gives a statement the place of its record's.
fn date(wish: &mut Draft, record: &DraftRecord) {
    let (version, source_time) = match wish {
        Draft::Preferences(said) => (&mut said.version, &mut said.source_time),
        Draft::Consent(said) => (&mut said.version, &mut said.source_time),
        _ => return,
    };
    (*version, *source_time) = (record.version, record.source_time);
}
