//! Who and when: the names of tenants, records, profiles, identifiers and events, and instants.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::heap_size::{heap_size, plain_size};

/// An instant in microseconds since 1970-01-01T00:00:00Z: what every store keeps without loss.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Before this, a source's clock was not set: 1971-01-01T00:00:00Z.
    pub(crate) const FIRST_PLAUSIBLE: Self = Self(365 * 24 * 3600 * 1_000_000);

    /// From microseconds since the epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(time) => write!(f, "{time}"),
            Err(_) => write!(f, "{} µs", self.0),
        }
    }
}

/// Takes a source's word for a time, unless its clock cannot be right: missing, before 1971, or
/// after the receipt.
#[must_use]
pub fn plausible_time(said: Option<Timestamp>, received: Timestamp) -> Timestamp {
    said_time(said, received).unwrap_or(received)
}

/// The time that a source says, in so far as it can be right: one after the receipt counts as the
/// receipt, one before 1971 as none. `None` is no time at all: where values compete, the receipt
/// does not stand in for it, since it tells of the way to here and not of the customer.
#[must_use]
pub(crate) fn said_time(said: Option<Timestamp>, received: Timestamp) -> Option<Timestamp> {
    said.filter(|time| *time >= Timestamp::FIRST_PLAUSIBLE)
        .map(|time| time.min(received))
}

/// An isolated set of customers; leads every key. 1 to 63 characters of `a-z 0-9 - _`, beginning
/// with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TenantId(String);

impl TenantId {
    /// The longest name, in bytes: that of a DNS label.
    pub const MAX_BYTES: usize = 63;

    /// Checks a name. `None` when it is not of the form above.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let well_formed = (1..=Self::MAX_BYTES).contains(&name.len())
            && letter(name.as_bytes()[0])
            && name
                .bytes()
                .all(|byte| letter(byte) || byte == b'-' || byte == b'_');
        well_formed.then(|| Self(name.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for TenantId {
    fn default() -> Self {
        Self("default".to_owned())
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names one source's record of one customer. The key may be personal data, so `Debug` hides it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordKey {
    /// The source's name.
    pub source: String,
    /// The source's own key.
    pub key: String,
}

impl RecordKey {
    /// Names a record.
    pub fn new(source: impl Into<String>, key: impl Into<String>) -> Self {
        Self {
            source: source.into(),
            key: key.into(),
        }
    }
}

impl fmt::Debug for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/…", self.source)
    }
}

/// A normalised value that points to a person. Personal data, so `Debug` hides the value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identifier {
    /// The identifier type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The value, normalised by its type.
    pub value: String,
}

impl Identifier {
    /// An identifier whose value is normalised already.
    pub fn new(kind: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            value: value.into(),
        }
    }

    /// The name under which those are looked up who held it before. (No type of a model has a colon
    /// in its name.)
    #[must_use]
    pub fn as_former(&self) -> Self {
        Self::new(format!("former:{}", self.kind), &self.value)
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:…", self.kind)
    }
}

/// A profile's id. Opaque to users; written `profiles/{uuid}` in the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProfileId(pub Uuid);

impl ProfileId {
    /// The id that a record gives to the profile it founds: a function of the record, so that
    /// writers that meet the record at the same time agree. `mint` counts the ids that the record
    /// has founded before.
    #[must_use]
    pub fn founded_by(tenant: &TenantId, record: &RecordKey, mint: u32) -> Self {
        let mut hash = Sha256::new();
        for part in [tenant.as_str(), &record.source, &record.key] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        hash.update(mint.to_be_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize()[..16]);
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }
}

impl fmt::Display for ProfileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Names an event: unique within its source.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EventKey {
    /// The source's name.
    pub source: String,
    /// The source's own id of the event.
    pub event_id: String,
}

impl fmt::Debug for EventKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/…", self.source)
    }
}

/// Where a tenant's history stands: grows by one with every committed batch.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Sequence(pub i64);

impl Sequence {
    /// The one before.
    #[must_use]
    pub fn before(self) -> Self {
        Self(self.0 - 1)
    }
}

plain_size!(Timestamp, ProfileId, Sequence);

impl crate::heap_size::HeapSize for TenantId {
    fn heap_bytes(&self) -> usize {
        self.0.heap_bytes()
    }
}

heap_size! {
    RecordKey { source, key }
    Identifier { kind, value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_cannot_be_right_gives_way_to_the_receipt() {
        let received = Timestamp::from_micros(1_800_000_000_000_000);
        let earlier = Timestamp::from_micros(1_700_000_000_000_000);
        let later = Timestamp::from_micros(1_900_000_000_000_000);
        assert_eq!(plausible_time(Some(earlier), received), earlier);
        assert_eq!(plausible_time(Some(later), received), received);
        assert_eq!(
            plausible_time(Some(Timestamp::from_micros(0)), received),
            received
        );
        assert_eq!(plausible_time(None, received), received);
        assert_eq!(said_time(Some(earlier), received), Some(earlier));
        assert_eq!(said_time(Some(later), received), Some(received));
        assert_eq!(said_time(Some(Timestamp::from_micros(0)), received), None);
        assert_eq!(said_time(None, received), None);
    }

    #[test]
    fn tenant_names_are_dns_like() {
        for good in ["default", "a", "shop-1", "0_x"] {
            assert!(TenantId::new(good).is_some(), "{good}");
        }
        for bad in ["", "-a", "_a", "A", "a b", "ä", &"a".repeat(64)] {
            assert!(TenantId::new(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn personal_data_does_not_appear_in_debug_output() {
        let shown = format!(
            "{:?} {:?}",
            RecordKey::new("shop", "ann@x.com"),
            Identifier::new("email", "ann@x.com")
        );
        assert_eq!(shown, "shop/… email:…");
    }
}
