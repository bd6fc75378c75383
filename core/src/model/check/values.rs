//! Checks of keys, names, texts, times and values: their form and their size.
//!
//! The name of a field is written only where a violation names it.

use std::fmt::Display;

use super::{Check, MAX_DEPTH, MAX_ELEMENTS, MAX_NAME_BYTES, TIMES, shown};
use super::{MAX_KEY_BYTES, MAX_TEXT_BYTES};
use crate::records::{Reason, Timestamp, Value, Violation};

impl Check<'_> {
    pub(super) fn key(&mut self, field: &dyn Display, key: &str) {
        if key.is_empty() {
            self.violations.push(Violation::required(field.to_string()));
        } else if key.chars().any(char::is_control) {
            self.add(
                Reason::Malformed,
                field.to_string(),
                "must not contain control characters",
            );
        } else {
            self.limit(field, key.len(), MAX_KEY_BYTES, "bytes");
        }
    }

    pub(super) fn name(&mut self, field: &dyn Display, name: &str) {
        if name.is_empty() {
            self.add(Reason::Required, field.to_string(), "the name is empty");
        } else {
            self.text(field, name, MAX_NAME_BYTES);
        }
    }

    pub(super) fn value(&mut self, field: &dyn Display, value: &Value, depth: usize) {
        match value {
            Value::String(text) => {
                self.text(field, text, MAX_TEXT_BYTES);
            }
            Value::Time(time) => self.time(field, Some(*time)),
            Value::Int(_) | Value::Decimal(_) | Value::Bool(_) => {}
            Value::List(_) | Value::Map(_) if depth == MAX_DEPTH => {
                self.add(
                    Reason::LimitExceeded,
                    field.to_string(),
                    format!("nests deeper than the limit of {MAX_DEPTH}"),
                );
            }
            Value::List(values) => {
                self.limit(field, values.len(), MAX_ELEMENTS, "values");
                for (index, value) in values.iter().take(MAX_ELEMENTS).enumerate() {
                    self.value(&format_args!("{field}[{index}]"), value, depth + 1);
                }
            }
            Value::Map(entries) => {
                self.limit(field, entries.len(), MAX_ELEMENTS, "entries");
                for (name, value) in entries.iter().take(MAX_ELEMENTS) {
                    let field = format_args!("{field}.{}", shown(name));
                    self.name(&field, name);
                    self.value(&field, value, depth + 1);
                }
            }
        }
    }

    /// PostgreSQL refuses U+0000 in text, so no store is given one.
    pub(super) fn text(&mut self, field: &dyn Display, text: &str, max_bytes: usize) -> bool {
        if text.contains('\0') {
            self.add(
                Reason::Malformed,
                field.to_string(),
                "must not contain U+0000",
            );
            return false;
        }
        self.limit(field, text.len(), max_bytes, "bytes")
    }

    pub(super) fn time(&mut self, field: &dyn Display, time: Option<Timestamp>) {
        if time.is_some_and(|time| !TIMES.contains(&time.as_micros())) {
            self.add(
                Reason::Malformed,
                field.to_string(),
                "must lie between the years 1 and 9999",
            );
        }
    }

    pub(super) fn limit(
        &mut self,
        field: &dyn Display,
        actual: usize,
        limit: usize,
        unit: &str,
    ) -> bool {
        if actual > limit {
            self.violations
                .push(Violation::limit(field.to_string(), actual, limit, unit));
        }
        actual <= limit
    }
}
