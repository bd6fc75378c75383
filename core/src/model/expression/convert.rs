//! From JSON to values, and the conversions that expressions may call.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde_json::Value as Json;

use super::numeral::{self, Mark};
use super::time::{self, Read, Zones};
use super::{Fault, Outcome};
use crate::model::flag;
use crate::records::Value;

/// A function of one value. Nothing in, nothing out: a missing or blank value stays missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model) enum Conversion {
    /// An exact decimal number: `12.50`, `1,234.50`. See [`numeral`].
    Decimal,
    /// A whole number.
    Int,
    /// The value as text.
    String,
    /// `true`, `yes`, `y`, `on`, `1`, `ja`, `oui` and their opposites, in any case.
    Bool,
    /// RFC 3339 (`2026-01-31T08:00:00Z`), a local time or a date (`2026-01-31`, `20260131`) of the
    /// calendar in force, or the time since 1970 in the one unit that makes it a time of 1980 to
    /// 2100.
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

    /// Converts a value. `None`: it is a date that stands for none. `zones`: those of times that
    /// say none.
    pub(in crate::model) fn apply(
        self,
        value: &Value,
        zones: &Zones,
    ) -> Result<Option<Value>, Fault> {
        let converted = match self {
            Self::Decimal => to_decimal(value, None).map(Value::Decimal),
            Self::Int => to_int(value).map(Value::Int),
            Self::String => to_text(value).map(Value::String),
            Self::Bool => to_bool(value).map(Value::Bool),
            Self::Time => match time::read_in(value, zones) {
                Read::At(time) => Ok(Value::Time(time)),
                Read::Nothing => {
                    time::keep_no_date();
                    return Ok(None);
                }
                Read::Unread => Err(TIMES.into()),
            },
            Self::Lower => to_text(value).map(|text| Value::String(text.to_lowercase())),
            Self::Upper => to_text(value).map(|text| Value::String(text.to_uppercase())),
            Self::Trim => to_text(value).map(|text| Value::String(text.trim().to_owned())),
        };
        converted
            .map(Some)
            .map_err(|why| untaken(self, value, &why))
    }
}

/// Converts a value to a decimal number, by the sign that begins the fraction of a text.
pub(super) fn decimal_by(value: &Value, mark: Mark) -> Result<Value, Fault> {
    to_decimal(value, Some(mark))
        .map(Value::Decimal)
        .map_err(|why| untaken(Conversion::Decimal, value, &why))
}

/// Why a value is not converted, in words; empty where it is plain from the kind of the value.
type Why = Cow<'static, str>;

const TIMES: &str = "it takes RFC 3339, a date such as 2026-01-31, and seconds, milliseconds or \
    microseconds since 1970, from 1980 to 2100";
const FRACTION: &str = "it has a fraction";
const NOT_KEPT: &str = "it has more digits than can be kept";

fn untaken(conversion: Conversion, value: &Value, why: &str) -> Fault {
    let (name, kind) = (conversion.name(), kind(value));
    let colon = if why.is_empty() { "" } else { ": " };
    format!("{name}() does not take this {kind}{colon}{why}").into()
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

fn to_decimal(value: &Value, mark: Option<Mark>) -> Result<Decimal, Why> {
    match value {
        Value::Decimal(number) => Ok(*number),
        Value::Int(number) => Ok(Decimal::from(*number)),
        Value::String(text) => {
            if mark.is_none() {
                numeral::doubt(text);
            }
            numeral::read(text, mark).map_err(|unread| unread.to_string().into())
        }
        _ => Err("".into()),
    }
}

fn to_int(value: &Value) -> Result<i64, Why> {
    let number = match value {
        Value::Int(number) => return Ok(*number),
        Value::Bool(flag) => return Ok(i64::from(*flag)),
        _ => to_decimal(value, None)?,
    };
    if !number.is_integer() {
        return Err(FRACTION.into());
    }
    i64::try_from(number).map_err(|_| NOT_KEPT.into())
}

fn to_text(value: &Value) -> Result<String, Why> {
    match value {
        Value::List(_) | Value::Map(_) => Err("".into()),
        scalar => Ok(scalar.to_string()),
    }
}

fn to_bool(value: &Value) -> Result<bool, Why> {
    let read = match value {
        Value::Bool(flag) => return Ok(*flag),
        Value::Decimal(number) => flag::read(&number.normalize().to_string()),
        Value::Int(_) | Value::String(_) => flag::read(&value.to_string()),
        Value::Time(_) | Value::List(_) | Value::Map(_) => return Err("".into()),
    };
    read.ok_or_else(|| "it is neither yes nor no, in any word that is known".into())
}

/// A number of JSON or of a literal with all its digits, or none.
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

    fn told(conversion: Conversion, value: &Value) -> String {
        match conversion.apply(value, &Zones::UTC) {
            Ok(value) => value.map_or("-".to_owned(), |value| value.to_string()),
            Err(fault) => format!("! {fault}"),
        }
    }

    #[test]
    fn numbers_are_exact_or_refused_with_the_reason() {
        for (conversion, text, expected) in [
            (Conversion::Int, " 42 ", "42"),
            (Conversion::Int, "+42", "42"),
            (Conversion::Int, "2.0", "2"),
            (Conversion::Int, "1,234,567", "1234567"),
            (
                Conversion::Int,
                "42.5",
                "! int() does not take this text: it has a fraction",
            ),
            (
                Conversion::Int,
                "9223372036854775808",
                "! int() does not take this text: it has more digits than can be kept",
            ),
            (
                Conversion::Int,
                "4.479E+11",
                "! int() does not take this text: a spreadsheet shows a long number so and loses \
                 its last digits: export the column as text",
            ),
            (Conversion::Decimal, "11.70", "11.70"),
            (Conversion::Decimal, "1.5e-2", "0.015"),
            (
                Conversion::Decimal,
                "$11",
                "! decimal() does not take this text: there is more beside the number, such as a \
                 currency: take it off by replace()",
            ),
            (
                Conversion::Decimal,
                "n/a",
                "! decimal() does not take this text: it is no number",
            ),
        ] {
            assert_eq!(told(conversion, &Value::from(text)), expected, "{text}");
        }
        let decimal = |text: &str| Value::Decimal(text.parse().expect("a number"));
        assert_eq!(told(Conversion::Int, &decimal("3.00")), "3");
        assert_eq!(
            told(Conversion::Int, &decimal("3.50")),
            "! int() does not take this decimal number: it has a fraction"
        );
        assert_eq!(
            told(Conversion::Decimal, &Value::Bool(true)),
            "! decimal() does not take this boolean"
        );
    }

    #[test]
    fn yes_and_no_are_read_in_many_words_and_from_numbers() {
        let decimal = |text: &str| Value::Decimal(text.parse().expect("a number"));
        for (value, expected) in [
            (Value::from("Yes"), "true"),
            (Value::from("Oui"), "true"),
            (Value::from("nein"), "false"),
            (Value::Int(1), "true"),
            (Value::Int(0), "false"),
            (decimal("1.00"), "true"),
            (decimal("0.0"), "false"),
        ] {
            assert_eq!(told(Conversion::Bool, &value), expected, "{value:?}");
        }
        for value in [Value::from("maybe"), Value::Int(2), decimal("0.5")] {
            let found = told(Conversion::Bool, &value);
            assert!(found.contains("neither yes nor no"), "{found}");
        }
    }
}
