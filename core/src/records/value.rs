//! Values as sources said them, kept exactly.

use std::collections::BTreeMap;
use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::Timestamp;
use crate::heap_size::{HeapSize, pack_map};

/// One value. There is no floating-point kind: numbers are whole or decimal. Ordered so that ties
/// have one answer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Value {
    /// Text.
    #[serde(rename = "s")]
    String(String),
    /// A whole number.
    #[serde(rename = "i")]
    Int(i64),
    /// A decimal number; trailing zeros are kept.
    #[serde(rename = "d")]
    Decimal(Decimal),
    /// True or false.
    #[serde(rename = "b")]
    Bool(bool),
    /// An instant in time.
    #[serde(rename = "t")]
    Time(Timestamp),
    /// Values in order.
    #[serde(rename = "l")]
    List(Vec<Value>),
    /// Values by name.
    #[serde(rename = "m")]
    Map(BTreeMap<String, Value>),
}

impl Value {
    /// The text, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Packs what is to be kept for long.
    pub fn pack(&mut self) {
        match self {
            Self::List(values) => values.iter_mut().for_each(Self::pack),
            Self::Map(entries) => pack_values(entries),
            Self::String(_) | Self::Int(_) | Self::Decimal(_) | Self::Bool(_) | Self::Time(_) => {}
        }
    }

    /// Says nothing: an empty text or list.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match self {
            Self::String(text) => text.trim().is_empty(),
            Self::List(values) => values.is_empty(),
            _ => false,
        }
    }
}

/// Packs named values.
pub(super) fn pack_values(values: &mut BTreeMap<String, Value>) {
    values.values_mut().for_each(Value::pack);
    pack_map(values);
}

impl HeapSize for Value {
    fn heap_bytes(&self) -> usize {
        match self {
            Self::String(text) => text.heap_bytes(),
            Self::List(values) => values.heap_bytes(),
            Self::Map(entries) => entries.heap_bytes(),
            Self::Int(_) | Self::Decimal(_) | Self::Bool(_) | Self::Time(_) => 0,
        }
    }
}

impl fmt::Display for Value {
    /// As a person reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => f.write_str(text),
            Self::Int(number) => number.fmt(f),
            Self::Decimal(number) => number.fmt(f),
            Self::Bool(flag) => flag.fmt(f),
            Self::Time(time) => time.fmt(f),
            Self::List(values) => {
                for (index, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if index == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
            Self::Map(entries) => {
                for (index, (name, value)) in entries.iter().enumerate() {
                    write!(f, "{}{name}: {value}", if index == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Debug for Value {
    /// Hides the content, which may be personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String(_) => "String(…)",
            Self::Int(_) => "Int(…)",
            Self::Decimal(_) => "Decimal(…)",
            Self::Bool(_) => "Bool(…)",
            Self::Time(_) => "Time(…)",
            Self::List(_) => "List(…)",
            Self::Map(_) => "Map(…)",
        })
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_their_stored_form() {
        let value = Value::List(vec![
            Value::from("ß"),
            Value::Int(i64::MAX),
            Value::Decimal(Decimal::new(1990, 2)),
            Value::Bool(false),
            Value::Time(Timestamp::from_micros(-1)),
            Value::Map(BTreeMap::from([("a".to_owned(), Value::List(vec![]))])),
        ]);
        let stored = serde_json::to_string(&value).expect("serializes");
        assert_eq!(
            serde_json::from_str::<Value>(&stored).expect("parses"),
            value
        );
        assert!(stored.contains(r#"{"d":"19.90"}"#), "{stored}");
    }
}
