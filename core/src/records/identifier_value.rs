//! Values of identifiers in both forms: the normal form, by which records are compared and looked
//! up, and the original one, which a person recognises and mail is sent to.

use std::fmt;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::heap_size::{HeapSize, heap_size};

/// A value of an identifier. Personal data, so `Debug` hides it.
///
/// In JSON it is the value alone where the source wrote the normal form, else a pair.
#[derive(Clone, PartialEq, Eq)]
pub struct IdentifierValue {
    /// The normal form of its type.
    pub value: String,
    /// The value as the source wrote it, without what surrounds it in the field. `None`: in the
    /// normal form.
    pub original: Option<Box<str>>,
}

impl IdentifierValue {
    /// A value with what the source wrote.
    #[must_use]
    pub fn new(value: impl Into<String>, written: &str) -> Self {
        let value = value.into();
        let original = (value != written).then(|| written.into());
        Self { value, original }
    }

    /// A value that is written in the normal form.
    #[must_use]
    pub fn normal(value: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            original: None,
        }
    }

    /// The value as the source wrote it.
    #[must_use]
    pub fn written(&self) -> &str {
        self.original.as_deref().unwrap_or(&self.value)
    }
}

impl fmt::Debug for IdentifierValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Serialize for IdentifierValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.original {
            None => serializer.serialize_str(&self.value),
            Some(original) => (&self.value, original).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for IdentifierValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrPair)
    }
}

struct TextOrPair;

impl<'de> Visitor<'de> for TextOrPair {
    type Value = IdentifierValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, or a pair of texts")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<IdentifierValue, E> {
        Ok(IdentifierValue::normal(text))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<IdentifierValue, E> {
        Ok(IdentifierValue::normal(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut pair: A) -> Result<IdentifierValue, A::Error> {
        let missing = |place| de::Error::invalid_length(place, &self);
        let value = pair.next_element()?.ok_or_else(|| missing(0))?;
        let original = pair.next_element()?.ok_or_else(|| missing(1))?;
        Ok(IdentifierValue {
            value,
            original: Some(original),
        })
    }
}

impl HeapSize for Box<str> {
    fn heap_bytes(&self) -> usize {
        crate::heap_size::allocated(self.len())
    }
}

heap_size! {
    IdentifierValue { value, original }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_stored_with_its_original_only_where_they_differ() {
        for (value, written, json) in [
            ("ann@x.com", "ann@x.com", r#""ann@x.com""#),
            ("ann@x.com", "Ann@X.com", r#"["ann@x.com","Ann@X.com"]"#),
        ] {
            let held = IdentifierValue::new(value, written);
            assert_eq!(serde_json::to_string(&held).unwrap(), json);
            let again: IdentifierValue = serde_json::from_str(json).unwrap();
            assert_eq!((again.written(), &again), (written, &held));
        }
        assert!(serde_json::from_str::<IdentifierValue>(r#"["ann@x.com"]"#).is_err());
    }
}
