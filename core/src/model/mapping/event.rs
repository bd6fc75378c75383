//! Events of payloads, and corrections of events.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{EventMapping, EventType, MappedProperty, MoneyAmount, Run};
use crate::model::NoteReason;
use crate::model::expression::time::take_no_date;
use crate::model::expression::{Conversion, Expression};
use crate::records::{
    Draft, DraftEvent, DraftReplacement, DraftRetraction, EventKey, RecordKey, Timestamp, Value,
};

/// Times of events that a source can mean: from 1971 until 2200.
const PLAUSIBLE: std::ops::Range<Timestamp> =
    Timestamp::FIRST_PLAUSIBLE..Timestamp::from_micros(7_258_118_400_000_000);

impl EventMapping {
    pub(super) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let kind = match &self.kind {
            EventType::From(expression) => Some(expression),
            EventType::Always(_) => None,
        };
        std::iter::once(&self.id)
            .chain(&self.record)
            .chain(kind)
            .chain(&self.time)
            .chain(&self.when)
            .chain(self.for_each.iter().map(|each| &each.list))
            .chain(&self.retract_when)
            .chain(&self.replace_when)
            .chain(&self.version)
            .chain(&self.source_time)
            .chain(
                self.properties
                    .iter()
                    .flat_map(|(_, made)| made.expressions()),
            )
    }
}

impl Run<'_> {
    /// An event; or a correction of one, where the payload says so.
    pub(super) fn event(&mut self, mapping: &EventMapping) -> Option<Draft> {
        let holds = |run: &mut Self, field: &str, condition: &Option<Expression>| {
            let condition = condition.as_ref();
            condition.is_some_and(|condition| run.condition(field, condition))
        };
        if !self.is_wanted("when", mapping.when.as_ref()) {
            return None;
        }
        let retracts = holds(self, "retract_when", &mapping.retract_when);
        let version = mapping.version.as_ref();
        let version = version.and_then(|version| self.version(version));
        let source_time = mapping.source_time.as_ref();
        let source_time = source_time.and_then(|time| self.time_of("source_time", time));
        let version = version.unwrap_or_default();
        if retracts {
            let event_id = self.required_key("id", &mapping.id)?;
            let source = self.source.to_owned();
            return Some(Draft::Retraction(DraftRetraction {
                event: EventKey { source, event_id },
                version,
                source_time,
            }));
        }
        let replaces = holds(self, "replace_when", &mapping.replace_when);
        let event = self.told_event(mapping)?;
        Some(if replaces {
            Draft::Replacement(DraftReplacement {
                event,
                version,
                source_time,
            })
        } else {
            Draft::Event(event)
        })
    }

    /// An amount of money in the main unit of its currency.
    fn money(&mut self, field: &str, money: &MoneyAmount) -> Option<Value> {
        let amount = match self.convert(field, &money.money, Conversion::Decimal)? {
            Value::Decimal(amount) => amount,
            Value::Int(amount) => Decimal::from(amount),
            _ => return None,
        };
        let (Some(units), Some(currency)) = (money.minor, &money.currency) else {
            return Some(Value::Decimal(amount));
        };
        let said = self.evaluate(&field, currency).value();
        let code = said.as_ref().and_then(Value::as_str).map(str::trim);
        let Some(digits) = code.and_then(|code| units.digits(code)) else {
            let what = "is no currency by ISO 4217 whose minor unit is known";
            self.fail(&field, currency, what);
            return None;
        };
        if !amount.is_integer() {
            let what = "has a fraction, and is declared to be in minor units: an amount in the \
                        main unit needs `minor: false`";
            let reason = NoteReason::Ambiguous;
            self.notes.remark(field.to_owned(), reason, what.into());
        }
        let unit = Decimal::new(1, digits);
        let amount = amount.checked_mul(unit);
        if amount.is_none() {
            self.fail(&field, &money.money, "is too large an amount");
        }
        amount.map(Value::Decimal)
    }

    /// A type of the catalogue: what is none would be stored and mean nothing.
    fn known_type(&mut self, expression: &Expression) -> Option<String> {
        let found = self.required_text("type", expression)?;
        if self.model.events.contains_key(&found) {
            return Some(found);
        }
        let rule = "gives a type that is not in the catalogue; declare it under `events`, give \
                    another, or leave it out with `when`";
        self.fail(&"type", expression, rule);
        None
    }

    /// The record of an event, or the kinds of objects by which it finds one.
    fn home(&mut self, mapping: &EventMapping) -> Option<(RecordKey, Vec<String>)> {
        let source = self.source;
        let of_key = |key: String| (RecordKey::new(source, key), Vec::new());
        match &mapping.record {
            Some(record) if mapping.attach.is_empty() => {
                return self.required_key("record", record).map(of_key);
            }
            Some(record) => {
                let before = self.violations.len();
                let said = self.evaluate(&"record", record).value();
                if let Some(value) = said {
                    let text = self.text(&"record", record, &value)?;
                    return self.key("record", record, &text).map(of_key);
                }
                if self.violations.len() > before {
                    return None;
                }
            }
            None => {}
        }
        Some((RecordKey::new(self.source, ""), mapping.attach.clone()))
    }

    /// When it happened. A date that stands for none would make it an event of today.
    fn event_time(&mut self, expression: &Expression) -> Option<Timestamp> {
        const NO_DATE: &str =
            "stands for no date: leave the event out by `when`, or give another time";
        let before = self.violations.len();
        let Some(said) = self.evaluate_date(&"time", expression).value() else {
            if take_no_date() {
                self.fail(&"time", expression, NO_DATE);
            } else if self.violations.len() == before {
                let what = "is not in the payload: the time of receipt counts";
                let (field, reason) = ("time".to_owned(), NoteReason::Incomplete);
                self.notes.remark(field, reason, what.into());
            }
            return None;
        };
        match self.read_time(&said) {
            Ok(Some(time)) if PLAUSIBLE.contains(&time) => return Some(time),
            Ok(Some(_)) => {
                let rule = "is before 1971 or after 2200, so the event would be one of the time of \
                            receipt: leave it out by `when`, or give another time";
                self.fail(&"time", expression, rule);
            }
            Ok(None) => self.fail(&"time", expression, NO_DATE),
            Err(fault) => self.fail(&"time", expression, &fault),
        }
        None
    }

    fn told_event(&mut self, mapping: &EventMapping) -> Option<DraftEvent> {
        let kind = match &mapping.kind {
            EventType::Always(kind) => Some(kind.clone()),
            EventType::From(expression) => self.known_type(expression),
        };
        let event_id = self.required_key("id", &mapping.id);
        let home = self.home(mapping);
        let event_time = mapping.time.as_ref().and_then(|time| self.event_time(time));
        let mut properties = BTreeMap::new();
        for (name, made) in &mapping.properties {
            let field = format!("properties.{name}");
            let value = match made {
                MappedProperty::Value(expression) => self.evaluate(&field, expression).value(),
                MappedProperty::Money(money) => self.money(&field, money),
            };
            properties.extend(value.map(|value| (name.clone(), value)));
        }
        let (record, attach) = home?;
        Some(DraftEvent {
            record,
            attach,
            event_id: event_id?,
            kind: kind?,
            event_time,
            properties,
        })
    }
}
