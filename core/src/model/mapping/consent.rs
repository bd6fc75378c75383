//! Statements of a payload about purposes.

use std::collections::BTreeMap;

use super::{ConsentMapping, RecordMapping, Run};
use crate::choices::Listed;
use crate::model::expression::{Conversion, Expression};
use crate::records::{ConsentStatus, Draft, DraftConsent, Identifier, RecordKey, Value};

impl ConsentMapping {
    pub(super) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let point = self.contact_point.iter().map(|(_, expression)| expression);
        point
            .chain(&self.when)
            .chain(self.fields.iter().map(|(_, expression)| expression))
    }
}

impl Run<'_> {
    /// What the payload says about purposes.
    pub(super) fn consents(&mut self, mapping: &RecordMapping, record: &RecordKey) -> Vec<Draft> {
        let record_in_doubt = self.in_doubt;
        let each = mapping.consents.iter().enumerate();
        each.filter_map(|(index, mapping)| {
            let made = self.consent(&format!("consents[{index}]"), mapping, record);
            self.in_doubt = record_in_doubt;
            made
        })
        .collect()
    }

    fn consent(
        &mut self,
        path: &str,
        mapping: &ConsentMapping,
        record: &RecordKey,
    ) -> Option<Draft> {
        let before = self.violations.len();
        if !self.is_wanted(&format!("{path}.when"), mapping.when.as_ref()) {
            if self.violations.len() == before {
                return None;
            }
            self.in_doubt = true;
        }
        let mut fields = BTreeMap::new();
        for (listed, expression) in &mapping.fields {
            let name = listed.key;
            if name == "status" && self.is_nobodys(expression) {
                return None;
            }
            let field = format!("{path}.{name}");
            // The check refuses a value that is not in the form of its field, or does without it.
            let value = self.evaluate(&field, expression).value();
            let value = value.and_then(|value| self.consent_field(listed, value));
            fields.extend(value.map(|value| (name.to_owned(), value)));
        }
        if !fields.contains_key("status") {
            self.omit(&format!("{path}.status"), "the payload says nothing");
            return None;
        }
        let contact_point = match &mapping.contact_point {
            None => None,
            Some((kind, expression)) => {
                let field = format!("{path}.contact_point.{kind}");
                let before = self.violations.len();
                let said = self.evaluate(&field, expression).value();
                let said = said.and_then(|value| self.text(&field, expression, &value));
                match said {
                    Some(text) => Some(Identifier::new(kind, text)),
                    // A refusal is for all of them.
                    None if refuses(&fields) => None,
                    None => {
                        if self.violations.len() == before {
                            let reason = "the payload says nothing, and the consent is for one";
                            self.omit(&format!("{path}.contact_point.{kind}"), reason);
                        }
                        return None;
                    }
                }
            }
        };
        Some(Draft::Consent(DraftConsent {
            record: record.clone(),
            purpose: mapping.purpose.clone(),
            contact_point,
            fields,
            from_list: mapping.from_list,
            version: 0,
            source_time: None,
        }))
    }
}

impl Run<'_> {
    /// The value of a field in its form, where it has that. A date that stands for none, such as
    /// the last of the calendar, is none.
    fn consent_field(
        &mut self,
        listed: &Listed<Option<Conversion>>,
        value: Value,
    ) -> Option<Value> {
        match listed.meaning {
            Some(Conversion::Time) => match self.read_time(&value) {
                Ok(Some(time)) => Some(Value::Time(time)),
                Ok(None) => {
                    self.note_no_date(&format!("consent.{}", listed.key));
                    None
                }
                Err(_) => Some(value),
            },
            meaning => match meaning
                .unwrap_or(Conversion::String)
                .apply(&value, self.payload.zones())
            {
                Ok(read) => read,
                Err(_) => Some(value),
            },
        }
    }
}

/// Whether a consent's status is a refusal or a withdrawal.
pub(super) fn refuses(fields: &BTreeMap<String, Value>) -> bool {
    let status = fields.get("status").and_then(Value::as_str);
    let status = status.and_then(ConsentStatus::read);
    matches!(
        status,
        Some(ConsentStatus::Denied | ConsentStatus::Withdrawn)
    )
}
