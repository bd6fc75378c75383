//! From JSON to values, and the conversions that expressions may call.

use rust_decimal::Decimal;
use serde_json::Value as Json;

use super::time::{self, Read};
use super::{Fault, Outcome};
use crate::records::Value;

/// A function of one value. Nothing in, nothing out: a missing or blank value stays missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model) enum Conversion {
    /// An exact decimal number: `12.50`.
    Decimal,
    /// A whole number.
    Int,
    /// The value as text.
    String,
    /// `true`, `yes`, `y`, `on`, `1` and their opposites, in any case.
    Bool,
    /// RFC 3339 (`2026-01-31T08:00:00Z`), without offset meaning UTC, a date (`2026-01-31` or
    /// `20260131`), or the time since 1970 in the one unit that makes it a time of 1980 to 2100.
    Time,
    /// Text in lower case.
    Lower,
    /// Text in upper case.
    Upper,
    /// Text without white space around.
    Trim,
}

impl Conversion {
    pub(super) const ALL: [Self; 8] = [
        Self::Decimal,
        Self::Int,
        Self::String,
        Self::Bool,
        Self::Time,
        Self::Lower,
        Self::Upper,
        Self::Trim,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Decimal => "decimal",
            Self::Int => "int",
            Self::String => "string",
            Self::Bool => "bool",
            Self::Time => "time",
            Self::Lower => "lower",
            Self::Upper => "upper",
            Self::Trim => "trim",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|conversion| conversion.name() == name)
    }

    /// Converts a value. `None`: it is a date that stands for none.
    pub(in crate::model) fn apply(self, value: &Value) -> Result<Option<Value>, Fault> {
        let converted = match self {
            Self::Decimal => to_decimal(value).map(Value::Decimal),
            Self::Int => to_int(value).map(Value::Int),
            Self::String => to_text(value).map(Value::String),
            Self::Bool => to_bool(value).map(Value::Bool),
            Self::Time => match time::read(value) {
                Read::At(time) => Some(Value::Time(time)),
                Read::Nothing => return Ok(None),
                Read::Unread => None,
            },
            Self::Lower => to_text(value).map(|text| Value::String(text.to_lowercase())),
            Self::Upper => to_text(value).map(|text| Value::String(text.to_uppercase())),
            Self::Trim => to_text(value).map(|text| Value::String(text.trim().to_owned())),
        };
        converted.map(Some).ok_or_else(|| {
            let (name, kind, forms) = (self.name(), kind(value), self.forms());
            format!("{name}() does not take this {kind}{forms}").into()
        })
    }

    /// Which forms it takes, where that is not plain from its name.
    fn forms(self) -> &'static str {
        match self {
            Self::Time => {
                ": it takes RFC 3339, a date such as 2026-01-31, and seconds, milliseconds or \
                 microseconds since 1970, from 1980 to 2100"
            }
            _ => "",
        }
    }
}

/// What a value is, for messages.
pub(in crate::model) fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "text",
        Value::Int(_) => "whole number",
        Value::Decimal(_) => "decimal number",
        Value::Bool(_) => "boolean",
        Value::Time(_) => "time",
        Value::List(_) => "list",
        Value::Map(_) => "map",
    }
}

fn to_decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Decimal(number) => Some(*number),
        Value::Int(number) => Some(Decimal::from(*number)),
        Value::String(text) => decimal(text.trim()),
        _ => None,
    }
}

fn to_int(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        Value::Decimal(number) if number.is_integer() => i64::try_from(*number).ok(),
        Value::Bool(flag) => Some(i64::from(*flag)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn to_text(value: &Value) -> Option<String> {
    match value {
        Value::List(_) | Value::Map(_) => None,
        scalar => Some(scalar.to_string()),
    }
}

fn to_bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Int(0) => Some(false),
        Value::Int(1) => Some(true),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
            "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A decimal number with all its digits, or none.
pub(super) fn decimal(text: &str) -> Option<Decimal> {
    match text.split_once(['e', 'E']) {
        None => Decimal::from_str_exact(text).ok(),
        Some((digits, exponent)) => {
            let (digits, exponent) = (
                Decimal::from_str_exact(digits).ok()?,
                exponent.parse::<i32>().ok()?,
            );
            let power = 10_i128.checked_pow(exponent.unsigned_abs())?;
            if exponent >= 0 {
                digits
                    .checked_mul(Decimal::try_from_i128_with_scale(power, 0).ok()?)
                    .map(|number| number.normalize())
            } else {
                let mut number = digits;
                number
                    .set_scale(digits.scale().checked_add(exponent.unsigned_abs())?)
                    .ok()?;
                Some(number)
            }
        }
    }
}

/// A JSON value as it was written. Nulls within lists and objects are left out.
///
/// # Errors
/// A number has more digits than can be kept.
pub(in crate::model) fn from_json(json: &Json) -> Result<Outcome, Fault> {
    let value = match json {
        Json::Null => return Ok(Outcome::Null),
        Json::Bool(flag) => Value::Bool(*flag),
        Json::String(text) => Value::String(text.clone()),
        Json::Number(number) => self::number(number)?,
        Json::Array(values) => Value::List(inner(values.iter().map(from_json))?),
        Json::Object(fields) => {
            let named = |(name, json): (&String, &Json)| {
                Ok(from_json(json)?.value().map(|value| (name.clone(), value)))
            };
            Value::Map(
                fields
                    .iter()
                    .map(named)
                    .filter_map(Result::transpose)
                    .collect::<Result<_, Fault>>()?,
            )
        }
    };
    Ok(if is_nothing(&value) {
        Outcome::Missing
    } else {
        Outcome::Value(value)
    })
}

/// Blank text, and lists and maps without anything in them.
pub(super) fn is_nothing(value: &Value) -> bool {
    value.is_blank() || matches!(value, Value::Map(entries) if entries.is_empty())
}

fn inner(values: impl Iterator<Item = Result<Outcome, Fault>>) -> Result<Vec<Value>, Fault> {
    values
        .filter_map(|outcome| outcome.map(Outcome::value).transpose())
        .collect()
}

fn number(number: &serde_json::Number) -> Result<Value, Fault> {
    if let Some(whole) = number.as_i64() {
        return Ok(Value::Int(whole));
    }
    decimal(number.as_str())
        .map(Value::Decimal)
        .ok_or_else(|| "a number has more digits than can be kept".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_booleans_are_read_from_text() {
        let apply = |conversion: Conversion, text: &str| {
            conversion.apply(&Value::from(text)).ok().flatten()
        };
        assert_eq!(apply(Conversion::Int, " 42 "), Some(Value::Int(42)));
        assert_eq!(apply(Conversion::Int, "42.5"), None);
        assert_eq!(
            apply(Conversion::Decimal, "11.70"),
            Some(Value::Decimal(Decimal::new(1170, 2)))
        );
        assert_eq!(
            apply(Conversion::Decimal, "1.5e-2"),
            Some(Value::Decimal(Decimal::new(15, 3)))
        );
        assert_eq!(apply(Conversion::Decimal, "1e400"), None);
        assert_eq!(apply(Conversion::Decimal, "$11"), None);
        assert_eq!(apply(Conversion::Bool, "Yes"), Some(Value::Bool(true)));
        assert_eq!(apply(Conversion::Bool, "maybe"), None);
    }
}
