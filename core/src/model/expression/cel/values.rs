//! Values on their way into CEL and out of it.

use std::collections::HashMap;

use cel::common::types::{
    CelBool, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString, CelTimestamp,
};
use cel::common::value::Val;
use rust_decimal::Decimal;
use serde_json::Value as Json;

use crate::model::expression::convert::{decimal, is_nothing};
use crate::model::expression::number::{CelDecimal, Number, Unkept};
use crate::model::expression::{Fault, Outcome};
use crate::records::{Timestamp, Value};

/// Whether a value of a payload is null in CEL.
pub(super) fn is_null(json: &Json) -> bool {
    match json {
        Json::Null => true,
        Json::String(text) => text.trim().is_empty(),
        _ => false,
    }
}

/// A value of a payload as CEL has it. A blank text is null.
pub(super) fn to_cel(json: &Json) -> Box<dyn Val> {
    match json {
        Json::Null => Box::new(CelNull),
        Json::String(_) if is_null(json) => Box::new(CelNull),
        Json::Bool(flag) => Box::new(CelBool::from(*flag)),
        Json::String(text) => Box::new(CelString::from(text.clone())),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Box::new(CelInt::from(whole)),
            None => match decimal(number.as_str()) {
                Some(number) => Box::new(CelDecimal(number)),
                None => Box::new(Unkept),
            },
        },
        Json::Array(values) => {
            let values: Vec<Box<dyn Val>> = values.iter().map(to_cel).collect();
            Box::new(CelList::from(values))
        }
        Json::Object(fields) => map(fields
            .iter()
            .map(|(name, json)| (name.clone(), to_cel(json)))),
    }
}

/// A value of ours as CEL has it.
pub(super) fn value_to_cel(value: &Value) -> Box<dyn Val> {
    match value {
        Value::String(text) => Box::new(CelString::from(text.clone())),
        Value::Int(number) => Box::new(CelInt::from(*number)),
        Value::Decimal(number) => Box::new(CelDecimal(*number)),
        Value::Bool(flag) => Box::new(CelBool::from(*flag)),
        Value::Time(time) => match chrono::DateTime::from_timestamp_micros(time.as_micros()) {
            Some(time) => Box::new(CelTimestamp::from(time.fixed_offset())),
            None => Box::new(CelNull),
        },
        Value::List(values) => {
            let values: Vec<Box<dyn Val>> = values.iter().map(value_to_cel).collect();
            Box::new(CelList::from(values))
        }
        Value::Map(entries) => map(entries
            .iter()
            .map(|(name, value)| (name.clone(), value_to_cel(value)))),
    }
}

fn map(entries: impl Iterator<Item = (String, Box<dyn Val>)>) -> Box<dyn Val> {
    let entries: HashMap<CelMapKey<'static>, Box<dyn Val>> =
        entries.map(|(name, value)| (name.into(), value)).collect();
    Box::new(CelMap::from(entries))
}

/// A result of CEL as a value of ours.
pub(in crate::model::expression) fn from_cel(value: &dyn Val) -> Result<Outcome, Fault> {
    let value = if value.downcast_ref::<CelNull>().is_some() {
        return Ok(Outcome::Null);
    } else if let Some(text) = value.downcast_ref::<CelString<'_>>() {
        Value::String(text.inner().to_owned())
    } else if let Some(flag) = value.downcast_ref::<CelBool>() {
        Value::Bool(*flag.inner())
    } else if let Some(number) = Number::of(value) {
        match number {
            Number::Whole(number) => Value::Int(number),
            Number::Decimal(number) => Value::Decimal(number),
        }
    } else if let Some(number) = value.downcast_ref::<cel::common::types::CelUInt>() {
        Value::Decimal(Decimal::from(*number.inner()))
    } else if value.downcast_ref::<Unkept>().is_some() {
        return Err("a number has more digits than can be kept".into());
    } else if let Some(time) = value.downcast_ref::<CelTimestamp>() {
        Value::Time(Timestamp::from_micros(time.inner().timestamp_micros()))
    } else if let Some(list) = value.downcast_ref::<CelList<'_>>() {
        let values = list.inner().iter().map(|value| from_cel(value.as_ref()));
        Value::List(
            values
                .filter_map(|value| value.map(Outcome::value).transpose())
                .collect::<Result<_, _>>()?,
        )
    } else if let Some(map) = value.downcast_ref::<CelMap<'_>>() {
        let entries = map.inner().iter().map(|(key, value)| {
            let value = from_cel(value.as_ref())?.value();
            Ok(value.map(|value| (named(key), value)))
        });
        Value::Map(
            entries
                .filter_map(Result::transpose)
                .collect::<Result<_, Fault>>()?,
        )
    } else {
        return Err(
            "the result is no value: only texts, numbers, booleans, times, lists and maps are"
                .into(),
        );
    };
    Ok(if is_nothing(&value) {
        Outcome::Missing
    } else {
        Outcome::Value(value)
    })
}

fn named(key: &CelMapKey<'_>) -> String {
    match key {
        CelMapKey::Bool(key) => key.inner().to_string(),
        CelMapKey::Int(key) => key.inner().to_string(),
        CelMapKey::UInt(key) => key.inner().to_string(),
        CelMapKey::String(key) => key.inner().to_owned(),
    }
}
