//! Values on their way into CEL and out of it.

use std::sync::Arc;

use cel::Value as CelValue;
use cel::objects::{Key, Opaque};
use rust_decimal::Decimal;
use serde_json::Value as Json;

use crate::model::expression::convert::{decimal, is_nothing};
use crate::model::expression::{Fault, Outcome};
use crate::records::{Timestamp, Value};

/// A decimal number on its way through CEL, which has none.
#[derive(Debug, PartialEq, Eq)]
struct OpaqueDecimal(Decimal);

impl Opaque for OpaqueDecimal {
    fn runtime_type_name(&self) -> &'static str {
        "decimal"
    }
}

/// A value of a payload as CEL has it.
pub(super) fn to_cel(json: &Json) -> CelValue {
    match json {
        Json::Null => CelValue::Null,
        Json::Bool(flag) => CelValue::Bool(*flag),
        Json::String(text) => text.as_str().into(),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => CelValue::Int(whole),
            (None, Some(fraction)) => CelValue::Float(fraction),
            (None, None) => CelValue::Null,
        },
        Json::Array(values) => CelValue::List(Arc::new(values.iter().map(to_cel).collect())),
        Json::Object(fields) => map(fields
            .iter()
            .map(|(name, json)| (name.as_str(), to_cel(json)))),
    }
}

/// A value of ours as CEL has it.
pub(super) fn value_to_cel(value: &Value) -> CelValue {
    match value {
        Value::String(text) => text.as_str().into(),
        Value::Int(number) => CelValue::Int(*number),
        Value::Decimal(number) => CelValue::Opaque(Arc::new(OpaqueDecimal(*number))),
        Value::Bool(flag) => CelValue::Bool(*flag),
        Value::Time(time) => chrono::DateTime::from_timestamp_micros(time.as_micros())
            .map_or(CelValue::Null, |time| {
                CelValue::Timestamp(time.fixed_offset())
            }),
        Value::List(values) => CelValue::List(Arc::new(values.iter().map(value_to_cel).collect())),
        Value::Map(entries) => map(entries
            .iter()
            .map(|(name, value)| (name.as_str(), value_to_cel(value)))),
    }
}

fn map<'a>(entries: impl Iterator<Item = (&'a str, CelValue)>) -> CelValue {
    let keyed = |(name, value): (&str, CelValue)| (Key::String(Arc::new(name.to_owned())), value);
    CelValue::Map(cel::objects::Map {
        map: Arc::new(entries.map(keyed).collect()),
    })
}

/// A result of CEL as a value of ours.
pub(super) fn from_cel(value: &CelValue) -> Result<Outcome, Fault> {
    let value = match value {
        CelValue::Null => return Ok(Outcome::Null),
        CelValue::String(text) => Value::String(text.as_ref().clone()),
        CelValue::Bool(flag) => Value::Bool(*flag),
        CelValue::Int(number) => Value::Int(*number),
        CelValue::UInt(number) => i64::try_from(*number)
            .map_or_else(|_| Value::Decimal(Decimal::from(*number)), Value::Int),
        // The shortest digits that mean this double.
        CelValue::Float(number) => match decimal(&format!("{number:?}")) {
            Some(number) => Value::Decimal(number),
            None => return Err("a number has more digits than can be kept".into()),
        },
        CelValue::Timestamp(time) => Value::Time(Timestamp::from_micros(time.timestamp_micros())),
        CelValue::Opaque(opaque) => match opaque.downcast_ref::<OpaqueDecimal>() {
            Some(OpaqueDecimal(number)) => Value::Decimal(*number),
            None => return Err("the result is no value".into()),
        },
        CelValue::List(values) => {
            let values = values.iter().map(from_cel);
            Value::List(
                values
                    .filter_map(|value| value.map(Outcome::value).transpose())
                    .collect::<Result<_, _>>()?,
            )
        }
        CelValue::Map(map) => {
            let entries = map
                .map
                .iter()
                .map(|(key, value)| Ok((key.to_string(), from_cel(value)?.value())));
            let held = |entry: Result<(String, Option<Value>), Fault>| match entry {
                Ok((name, value)) => value.map(|value| Ok((name, value))),
                Err(fault) => Some(Err(fault)),
            };
            Value::Map(entries.filter_map(held).collect::<Result<_, _>>()?)
        }
        _ => {
            return Err(
                "the result is no value: only texts, numbers, booleans, times, lists and maps are"
                    .into(),
            );
        }
    };
    Ok(if is_nothing(&value) {
        Outcome::Missing
    } else {
        Outcome::Value(value)
    })
}
