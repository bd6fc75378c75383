//! A payload from its JSON text.
//!
//! An object that has a key twice with two values says two things, and a reader that keeps one of
//! them guesses. RFC 8259 leaves open which one counts, so such a payload is refused.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value as Json};

/// The key by which `serde_json` hands over a number with all its digits.
const NUMBER_KEY: &str = "$serde_json::private::Number";

/// The fault of a text that is no payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is not JSON from this place on.
    NotJson {
        /// Line within the text, from 1.
        line: usize,
        /// Column within the line, from 1.
        column: usize,
    },
    /// An object has a key twice, with two values.
    TwoValues {
        /// Line within the text, from 1.
        line: usize,
        /// Column within the line, from 1: where the second value ends.
        column: usize,
    },
}

impl fmt::Display for Fault {
    /// The fault in words, to follow the name of the field.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, line, column) = match *self {
            Self::NotJson { line, column } => ("is not JSON: error in", line, column),
            Self::TwoValues { line, column } => (
                "has a key twice, with two values: the second ends in",
                line,
                column,
            ),
        };
        if line > 1 {
            write!(f, "{what} column {column} of its line {line}")
        } else {
            write!(f, "{what} column {column}")
        }
    }
}

/// Reads a payload.
///
/// # Errors
/// [`Fault`]: the text is not JSON, or says two values of one key.
pub fn parse(text: &str) -> Result<Json, Fault> {
    let error = match serde_json::from_str::<Unambiguous>(text) {
        Ok(Unambiguous(value)) => return Ok(value),
        Err(error) => error,
    };
    let (line, column) = (error.line(), error.column());
    // Nothing but a key that comes twice is refused by what the text says.
    if error.is_data() {
        Err(Fault::TwoValues { line, column })
    } else {
        Err(Fault::NotJson { line, column })
    }
}

/// A value whose objects have one value of each key.
struct Unambiguous(Json);

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Values).map(Self)
    }
}

struct Values;

impl<'de> Visitor<'de> for Values {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::String(value))
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(Unambiguous(element)) = elements.next_element()? {
            list.push(element);
        }
        Ok(Json::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            if object.is_empty() && key == NUMBER_KEY {
                let digits: String = members.next_value()?;
                return Number::from_str(&digits)
                    .map(Json::Number)
                    .map_err(de::Error::custom);
            }
            let Unambiguous(value) = members.next_value()?;
            let differs = |before: &Json| *before != value;
            if object.get(&key).is_some_and(differs) {
                return Err(de::Error::custom("a key comes twice"));
            }
            object.insert(key, value);
        }
        Ok(Json::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_read_as_it_is_said_or_refused() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for (text, expected) in [
            (r#"{"a":1,"b":[null,true,"x"]}"#, ""),
            // Digits stay as they are.
            ("12345678901234567890123", ""),
            ("[1.10,-0.0,1e+400,18446744073709551615]", ""),
            (r#"{"a":{"b":1},"c":{"b":2}}"#, ""),
            // The same said twice is one thing.
            (r#"{"a":1,"a":1}"#, r#"{"a":1}"#),
            (
                r#"{"id":"1","name":"Ann","name":"Bob"}"#,
                "! has a key twice, with two values: the second ends in column 36",
            ),
            (
                r#"{"id":1,"x":[{"a":1,"a":null}]}"#,
                "! has a key twice, with two values: the second ends in column 29",
            ),
            (
                "{\"a\": 1,\n \"a\": 1.0}",
                "! has a key twice, with two values: the second ends in column 10 of its line 2",
            ),
            (r#"{"a":NaN}"#, "! is not JSON: error in column 6"),
            (
                "{\"a\":\n",
                "! is not JSON: error in column 0 of its line 2",
            ),
            (r#""\ud83d""#, "! is not JSON: error in column 8"),
            (deep.as_str(), "! is not JSON: error in column 128"),
        ] {
            let read = match parse(text) {
                Ok(value) => value.to_string(),
                Err(fault) => format!("! {fault}"),
            };
            let expected = if expected.is_empty() { text } else { expected };
            assert_eq!(read, expected, "{text}");
        }
    }
}
