//! What sources say: a [`Draft`] as it was said, a [`Statement`] once it is checked against the
//! model.

mod limits;
mod size;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Consent, Correction, Event, EventKey, Identifier, IdentifierValue, Preference, PreferenceKey,
    RecordKey, Timestamp, Value,
};
use crate::heap_size::HeapSize;

/// A statement as a source said it: nothing checked, nothing normalised. This is what history
/// keeps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Draft {
    /// This is the whole record.
    Upsert(DraftRecord),
    /// These fields of the record changed.
    Patch(DraftRecord),
    /// The record is gone; only its key, version and time count.
    Delete(DraftRecord),
    /// Something happened.
    Event(DraftEvent),
    /// The customer wants to be treated so.
    Preferences(DraftPreferences),
    /// The customer said this about a purpose.
    Consent(DraftConsent),
    /// An event did not happen.
    Retraction(DraftRetraction),
    /// An event was otherwise.
    Replacement(DraftReplacement),
}

impl Draft {
    /// The record that it is about. `None`: it takes an event back, wherever that hangs, or tells
    /// one that finds its record by an object.
    #[must_use]
    pub fn record(&self) -> Option<&RecordKey> {
        let record = match self {
            Self::Upsert(said) | Self::Patch(said) | Self::Delete(said) => &said.record,
            Self::Event(said) => &said.record,
            Self::Preferences(said) => &said.record,
            Self::Consent(said) => &said.record,
            Self::Replacement(said) => &said.event.record,
            Self::Retraction(_) => return None,
        };
        let attaches = match self {
            Self::Event(said) => !said.attach.is_empty(),
            Self::Replacement(said) => !said.event.attach.is_empty(),
            _ => false,
        };
        (!attaches).then_some(record)
    }

    /// The source that says it.
    #[must_use]
    pub fn source(&self) -> &str {
        match self {
            Self::Upsert(said) | Self::Patch(said) | Self::Delete(said) => &said.record.source,
            Self::Event(said) => &said.record.source,
            Self::Preferences(said) => &said.record.source,
            Self::Consent(said) => &said.record.source,
            Self::Replacement(said) => &said.event.record.source,
            Self::Retraction(said) => &said.event.source,
        }
    }
}

/// A source takes an event back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DraftRetraction {
    /// Source and id of the event.
    pub event: EventKey,
    /// The source's version; 0 when it has none.
    #[serde(default)]
    pub version: i64,
    /// When the source said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_time: Option<Timestamp>,
}

/// A source puts an event in the place of an earlier one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DraftReplacement {
    /// The event as it is now, under the id that it has.
    pub event: DraftEvent,
    /// The source's version; 0 when it has none.
    #[serde(default)]
    pub version: i64,
    /// When the source said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_time: Option<Timestamp>,
}

/// What a source says of how a customer wants to be treated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DraftPreferences {
    /// Record that the statement is about.
    pub record: RecordKey,
    /// By the name of the preference; none: cleared.
    #[serde(default)]
    pub preferences: BTreeMap<String, Option<Value>>,
    /// The source's version; 0 when it has none.
    #[serde(default)]
    pub version: i64,
    /// When the source said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_time: Option<Timestamp>,
}

/// What a source says that a customer said about a purpose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DraftConsent {
    /// Record that the statement is about.
    pub record: RecordKey,
    /// Name of the purpose.
    pub purpose: String,
    /// For which contact point, as the source has it; none: for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_point: Option<Identifier>,
    /// `status`, `effective_time` and all else, by the names of the API.
    #[serde(default)]
    pub fields: BTreeMap<String, Value>,
    /// Whether it is read off a list, which says again what was said before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub from_list: bool,
    /// The source's version; 0 when it has none.
    #[serde(default)]
    pub version: i64,
    /// When the source said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_time: Option<Timestamp>,
}

/// What a source says of a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DraftRecord {
    /// Record that the statement is about.
    pub record: RecordKey,
    /// (type, value) as the source has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<super::Identifier>,
    /// Traits by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub traits: BTreeMap<String, Value>,
    /// Patches only: identifier types to empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clear_identifier_types: Vec<String>,
    /// Patches only: traits to empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clear_traits: Vec<String>,
    /// The source's version; 0 when it has none.
    #[serde(default)]
    pub version: i64,
    /// When the source said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_time: Option<Timestamp>,
}

impl DraftRecord {
    /// Says nothing of a record yet.
    #[must_use]
    pub fn new(record: RecordKey) -> Self {
        Self {
            record,
            identifiers: Vec::new(),
            traits: BTreeMap::new(),
            clear_identifier_types: Vec::new(),
            clear_traits: Vec::new(),
            version: 0,
            source_time: None,
        }
    }

    /// Whether it names no field.
    #[must_use]
    pub(crate) fn says_nothing(&self) -> bool {
        self.identifiers.is_empty()
            && self.traits.is_empty()
            && self.clear_identifier_types.is_empty()
            && self.clear_traits.is_empty()
    }
}

/// What a source says has happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DraftEvent {
    /// Record that the statement is about. Without a key where `attach` finds it.
    pub record: RecordKey,
    /// The kinds of objects by which the event finds its record, in order of preference.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attach: Vec<String>,
    /// The source's id of the event.
    pub event_id: String,
    /// Type of the event.
    #[serde(rename = "type")]
    pub kind: String,
    /// When, in the source's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_time: Option<Timestamp>,
    /// What is known of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, Value>,
}

/// A statement that is well-formed and fits the model. Made by
/// [`Model::check`](crate::model::Model::check).
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    /// About a record.
    Record(RecordStatement),
    /// About something that happened.
    Event(Event),
    /// About an event: it did not happen, or was otherwise.
    Correction(Correction),
}

impl Statement {
    /// Its size in memory, in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        size_of::<Self>() + self.heap_bytes()
    }

    /// As it was said, to be checked again.
    #[must_use]
    pub fn draft(&self) -> Draft {
        match self {
            Self::Record(statement) => statement.draft.clone(),
            Self::Event(event) => Draft::Event(event.draft()),
            Self::Correction(correction) => correction.draft(),
        }
    }

    /// When it came in.
    #[must_use]
    pub fn receive_time(&self) -> Timestamp {
        match self {
            Self::Record(statement) => statement.receive_time,
            Self::Event(event) => event.receive_time,
            Self::Correction(correction) => correction.receive_time,
        }
    }

    /// The record that it is about. `None`: it takes an event back, wherever that hangs, or tells
    /// one that finds its record by an object.
    #[must_use]
    pub fn record(&self) -> Option<&RecordKey> {
        match self {
            Self::Record(statement) => Some(&statement.record),
            Self::Event(event) => event.home(),
            Self::Correction(correction) => correction.event()?.home(),
        }
    }

    /// The event that it tells, new or in the place of another one.
    #[must_use]
    pub fn event(&self) -> Option<&Event> {
        match self {
            Self::Record(_) => None,
            Self::Event(event) => Some(event),
            Self::Correction(correction) => correction.event(),
        }
    }

    /// The source that says it.
    #[must_use]
    pub fn source(&self) -> &str {
        match self {
            Self::Record(statement) => &statement.record.source,
            Self::Event(event) => event.source(),
            Self::Correction(correction) => &correction.key.source,
        }
    }
}

/// A checked statement about a record.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordStatement {
    /// Record that the statement is about.
    pub record: RecordKey,
    /// What changes in the record.
    pub change: Change,
    /// Its place among the statements about the record. `None`: after all that came before.
    pub order: Option<(i64, Timestamp)>,
    /// When the source said so.
    pub source_time: Option<Timestamp>,
    /// When it came in.
    pub receive_time: Timestamp,
    /// Of the content, without version and times.
    pub content: ContentHash,
    /// As it was said, for history.
    pub draft: Draft,
}

/// What a statement changes in a record. Identifier values are normalised.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// All fields are these.
    Replace(Fields),
    /// These fields change; an emptied field is named with no value.
    Patch {
        /// New values by identifier type; no values: emptied.
        identifiers: BTreeMap<String, Vec<IdentifierValue>>,
        /// New values by trait; none: emptied.
        traits: BTreeMap<String, Option<Value>>,
    },
    /// The record is gone.
    Delete,
    /// These preferences are said; none: no word on it any more.
    Prefer(BTreeMap<PreferenceKey, Option<Preference>>),
    /// This is said about a purpose.
    Consent(Box<Consent>),
}

/// The fields of a record.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fields {
    /// Values by identifier type, sorted by their normal form, without repetition.
    pub identifiers: BTreeMap<String, Vec<IdentifierValue>>,
    /// Values by trait.
    pub traits: BTreeMap<String, Value>,
}

/// The first 128 bits of the SHA-256 of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ContentHash(pub u128);

/// The bytes that most contents have fewer than.
const USUAL_BYTES: usize = 1_024;

impl ContentHash {
    /// Of anything that serialises to JSON in one way.
    #[must_use]
    pub fn of(content: &impl Serialize) -> Self {
        use sha2::{Digest, Sha256};
        let mut json = Vec::with_capacity(USUAL_BYTES);
        if serde_json::to_writer(&mut json, content).is_err() {
            json.clear();
        }
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&Sha256::digest(&json)[..16]);
        Self(u128::from_be_bytes(bytes))
    }
}

impl std::fmt::Display for ContentHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl std::str::FromStr for ContentHash {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match parse_digits(text) {
            Some(hash) => Ok(Self(hash)),
            None => u128::from_str_radix(text, 16).map(Self),
        }
    }
}

/// The form in which hashes are written: 32 hexadecimal digits in lower case.
fn digits(hash: u128) -> [u8; 32] {
    let mut digits = [0; 32];
    for (two, byte) in digits.chunks_exact_mut(2).zip(hash.to_be_bytes()) {
        for (digit, value) in two.iter_mut().zip([byte >> 4, byte & 15]) {
            *digit = b"0123456789abcdef"[usize::from(value)];
        }
    }
    digits
}

/// Reads that form.
fn parse_digits(text: &str) -> Option<u128> {
    let digits: &[u8; 32] = text.as_bytes().try_into().ok()?;
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; 16];
    for (byte, two) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(two[0])? << 4 | value(two[1])?;
    }
    Some(u128::from_be_bytes(bytes))
}

impl Serialize for ContentHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&digits(self.0)).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for ContentHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Written)
    }
}

struct Written;

impl serde::de::Visitor<'_> for Written {
    type Value = ContentHash;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a hash in hexadecimal digits")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<ContentHash, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn hashes_survive_their_written_form(number: u128, small: u8) {
            for number in [number, u128::from(small)] {
                let hash = ContentHash(number);
                let written = hash.to_string();
                prop_assert_eq!(serde_json::to_string(&hash).unwrap(), format!("\"{written}\""));
                prop_assert_eq!(written.parse(), Ok(hash));
                prop_assert_eq!(written.to_uppercase().parse(), Ok(hash));
            }
        }

        #[test]
        fn what_is_no_hash_is_refused(text in "[+0-9a-g]{31,33}") {
            let read = u128::from_str_radix(&text, 16).map(ContentHash);
            prop_assert_eq!(text.parse::<ContentHash>(), read);
        }
    }
}
