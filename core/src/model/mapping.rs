//! From a source's own payload to statements, by the model's mapping.
//!
//! A payload is all or nothing, but for what limits the company: if one field does not fit, all
//! that do not fit are named, and only refusals, withdrawals and limits are kept (see
//! [`Model::map_in_part`]). A field of which the payload says nothing is left out; only a record's
//! key and an event's id, type and record must be there. In a patch an explicit `null` empties the
//! field; a missing or blank one leaves it as it is.
//!
//! A statement with a condition (`when`) is made where it holds; one that gives nothing is refused,
//! as it would leave out statements without a word. One kind of payloads may make
//! several events: by several mappings, and one for each element of a list (`for_each`).
//!
//! What comes out is as the source said it: limits and normal forms are [`Model::check`]'s part.

mod consent;
mod each;
mod event;
mod fields;
mod key;
mod limits;
mod record;
#[cfg(test)]
mod tests;

use std::fmt::Display;

use serde_json::Value as Json;

pub use fields::MappedFields;
pub use limits::PartlyMapped;

use super::expression::time::{Zones, take_no_date};
use super::expression::{Conversion, Expression, Outcome, Payload, kind, take_doubt};
pub(super) use super::file::{
    ConsentMapping, EventMapping, MappedProperty, Mode, MoneyAmount, RecordMapping,
};
use super::{DateForm, DateOrder, Model, NoteReason, Notes};
use crate::records::{Draft, Reason, Timestamp, Value, Violation, listed};

/// What type an event is of.
#[derive(Debug, Clone)]
pub(super) enum EventType {
    Always(String),
    From(Expression),
}

/// How payloads of one kind become statements: about a record, events, or both.
#[derive(Debug, Clone, Default)]
pub struct Kind {
    pub(super) record: Option<RecordMapping>,
    pub(super) events: Vec<EventMapping>,
}

/// The statements that a mapping makes of a payload.
#[derive(Debug, Clone, Default)]
pub struct Mapped {
    /// The statements, in order.
    pub drafts: Vec<NotedDraft>,
    /// Statements that are left out, and why.
    pub omissions: Vec<Omission>,
}

/// A statement with what was noted when it was made.
#[derive(Debug, Clone, PartialEq)]
pub struct NotedDraft {
    /// The statement, as the source said it.
    pub draft: Draft,
    /// Notes on what of the payload is not in it.
    pub notes: Notes,
}

impl From<Draft> for NotedDraft {
    fn from(draft: Draft) -> Self {
        let notes = Notes::default();
        Self { draft, notes }
    }
}

/// A statement that a mapping does not make of a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Omission {
    /// Where the mapping says so: `events.orders.when`.
    pub field: String,
    /// Why, in words.
    pub reason: String,
}

impl Kind {
    /// All of both mappings.
    pub(super) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let records = self.record.iter().flat_map(RecordMapping::expressions);
        let events = self.events.iter().flat_map(EventMapping::expressions);
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
    /// preferences, words on purposes, and events; as many of them as the mapping has and the
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
        let mapped = self.map_in_part(source, kind, payload).whole()?;
        Ok(mapped.drafts.into_iter().map(|made| made.draft).collect())
    }

    /// The zones of the times of a source without one of their own, and its forms of dates. By
    /// default a day is that of the model's calendar, and a local time is in UTC.
    fn zones(&self, source: &str) -> Zones {
        let Some(source) = self.sources.get(source) else {
            return Zones::named(&self.time_zone, "");
        };
        let own = source.time_zone.as_str();
        let of_days = if own.is_empty() { &self.time_zone } else { own };
        let day_first = || source.country?.is_day_first();
        let order = source.dates.order.or_else(|| {
            let [day, month] = [DateOrder::DayFirst, DateOrder::MonthFirst];
            Some(if day_first()? { day } else { month })
        });
        let dates = DateForm {
            order,
            ..source.dates
        };
        Zones::named(of_days, own).with_dates(dates)
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
    model: &'a Model,
    source: &'a str,
    payload: &'a Payload<'a>,
    path: String,
    violations: Vec<Violation>,
    omissions: Vec<Omission>,
    /// Notes about the statement that is made next.
    notes: Notes,
    /// Whether the condition of the record is not known to hold.
    in_doubt: bool,
}

impl Run<'_> {
    fn evaluate(&mut self, field: &dyn Display, expression: &Expression) -> Outcome {
        let outcome = self.evaluate_date(field, expression);
        if take_no_date() {
            self.note_no_date(field);
        }
        outcome
    }

    /// The same, where the caller asks for dates that stand for none.
    fn evaluate_date(&mut self, field: &dyn Display, expression: &Expression) -> Outcome {
        let notes = &mut self.notes;
        let mut left_out = |reason: &str| {
            let description = format!("elements of a list are left out: {reason}");
            notes.remark(field.to_string(), NoteReason::Malformed, description.into());
        };
        take_doubt();
        take_no_date();
        let outcome = expression.evaluate_and_tell(self.payload, &mut left_out);
        self.tell_doubt(field);
        outcome.unwrap_or_else(|fault| {
            self.fail(field, expression, fault.text());
            Outcome::Missing
        })
    }

    /// Notes that a number was read of a text that may be another one.
    fn tell_doubt(&mut self, field: &dyn Display) {
        const WHY: &str = "may be a thousand and more, and is read as a little more than one: write \
            decimal(…, '.') or decimal(…, ',')";
        if take_doubt() {
            let reason = NoteReason::Ambiguous;
            self.notes.remark(field.to_string(), reason, WHY.into());
        }
    }

    /// Statements; the first of them has the notes.
    fn noted(&mut self, drafts: impl IntoIterator<Item = Draft>) -> Vec<NotedDraft> {
        let mut made: Vec<NotedDraft> = drafts.into_iter().map(NotedDraft::from).collect();
        let notes = std::mem::take(&mut self.notes);
        if let Some(first) = made.first_mut() {
            first.notes = notes;
        }
        made
    }

    /// A key or an id.
    fn required_key(&mut self, field: &str, expression: &Expression) -> Option<String> {
        let said = self.required_text(field, expression)?;
        self.key(field, expression, &said)
    }

    /// A key without what surrounds it in its field. One that a spreadsheet shows in place of the
    /// key would be the key of all whom it was lost of.
    fn key(&mut self, field: &str, expression: &Expression, said: &str) -> Option<String> {
        let number = expression.number_of(self.payload);
        if number.is_some_and(key::is_rounded) {
            let rule = "is a number in scientific notation, whose last digits may be lost: give it \
                        as a text or with all digits";
            self.fail(&field, expression, rule);
            return None;
        }
        let said = match number {
            Some(_) => key::without_zeros(said),
            None => said,
        };
        let bare = key::bare(said);
        if key::is_spreadsheets(bare) {
            let rule = "is what a spreadsheet shows in place of the value, which is lost: export it \
                        as a text";
            self.fail(&field, expression, rule);
            return None;
        }
        // A key of blanks alone stays, to be refused by name.
        Some(if bare.is_empty() { said } else { bare }.to_owned())
    }

    /// A key, an id or a type.
    fn required_text(&mut self, field: &str, expression: &Expression) -> Option<String> {
        let before = self.violations.len();
        let Some(value) = self.evaluate(&field, expression).value() else {
            if self.violations.len() == before {
                self.fail(
                    &field,
                    expression,
                    "the payload has no value there, and one is required",
                );
            }
            return None;
        };
        self.text(&field, expression, &value)
    }

    /// What names something: a text or a number.
    fn text(
        &mut self,
        field: &dyn Display,
        expression: &Expression,
        value: &Value,
    ) -> Option<String> {
        match value {
            Value::String(text) => Some(text.clone()),
            Value::Decimal(number) => Some(key::without_zeros(&number.to_string()).to_owned()),
            Value::Int(_) => Some(value.to_string()),
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
        self.time_of("time", expression)
    }

    fn time_of(&mut self, field: &str, expression: &Expression) -> Option<Timestamp> {
        let said = self.evaluate(&field, expression).value()?;
        match self.read_time(&said) {
            Ok(None) => {
                self.note_no_date(&field);
                None
            }
            Ok(time) => time,
            Err(fault) => {
                self.fail(&field, expression, &fault);
                None
            }
        }
    }

    /// A time in the zones of the source. `None`: a date that stands for none.
    fn read_time(&self, said: &Value) -> Result<Option<Timestamp>, String> {
        match Conversion::Time.apply(said, self.payload.zones()) {
            Ok(Some(Value::Time(time))) => Ok(Some(time)),
            Ok(_) => Ok(None),
            Err(fault) => Err(fault.text().to_owned()),
        }
    }

    /// Whether a statement is made: there is no condition, or it holds.
    fn is_wanted(&mut self, field: &str, when: Option<&Expression>) -> bool {
        let Some(when) = when else { return true };
        let before = self.violations.len();
        let held = self.convert(field, when, Conversion::Bool);
        match held {
            Some(Value::Bool(true)) => return true,
            Some(_) => self.omit(field, format!("`{}`: does not hold", when.source())),
            None if self.violations.len() > before => {}
            // Left out, it would be lost without a word.
            None => {
                let rule = "gives nothing, as a part of it is missing: say what counts then, such \
                            as `line.?gift_card.orValue(false)`";
                self.fail(&field, when, rule);
            }
        }
        false
    }

    /// Tells of a statement that is not made.
    fn omit(&mut self, field: &str, reason: impl Into<String>) {
        self.omissions.push(Omission {
            field: format!("{}.{field}", self.path),
            reason: reason.into(),
        });
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
        let value = self.evaluate(&field, expression).value()?;
        let converted = conversion.apply(&value, self.payload.zones());
        self.tell_doubt(&field);
        match converted {
            Ok(converted) => converted,
            Err(fault) => {
                self.fail(&field, expression, fault.text());
                None
            }
        }
    }

    /// Tells of a date that stands for none.
    fn note_no_date(&mut self, field: &dyn Display) {
        const WHY: &str = "stands for no date: systems give it where none is known";
        let reason = NoteReason::Placeholder;
        self.notes.remark(field.to_string(), reason, WHY.into());
    }

    fn fail(&mut self, field: &dyn Display, expression: &Expression, what: &str) {
        let field = format!("{}.{field}", self.path);
        let description = format!("`{}`: {what}", expression.source());
        self.violations
            .push(Violation::new(Reason::MappingFailed, field, description));
    }
}
