//! Statements that limit us: in doubt they win.

use super::Change;
use crate::records::ConsentStatus;

impl Change {
    /// Whether it limits how the customer may be contacted or used: a refusal, a withdrawal, or a
    /// preference that does.
    pub(crate) fn limits(&self) -> bool {
        match self {
            Self::Consent(consent) => consent.status >= ConsentStatus::Withdrawn,
            Self::Prefer(said) => said
                .iter()
                .any(|(key, word)| word.as_ref().is_some_and(|word| key.limits(word))),
            Self::Replace(_) | Self::Patch { .. } | Self::Delete => false,
        }
    }
}
