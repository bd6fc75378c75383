//! The keys of cached answers: what a log entry says has changed.

use std::hash::Hasher;

use profile_core::records::{Identifier, ProfileId, RecordKey, TenantId};
use siphasher::sip::SipHasher13;

/// What a write makes stale, and answers are cached under.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CacheKey {
    /// A profile, or where its id redirects.
    Id(ProfileId),
    /// Which profiles hold an identifier.
    Identifier(Identifier),
    /// Which profile holds a record.
    Record(RecordKey),
    /// The latest objects of a profile: which of them, a number tells.
    Objects(ProfileId, u64),
}

impl CacheKey {
    /// A number for a tenant's key. It is the same on every server and in every version: servers
    /// tell each other by it whose answers are old, through the change log.
    #[must_use]
    pub fn digest(&self, tenant: &TenantId) -> u64 {
        // Each text with its end told, so that no two keys are written alike.
        let mut hasher = SipHasher13::new();
        let mut text = |text: &str| {
            hasher.write(&(text.len() as u64).to_le_bytes());
            hasher.write(text.as_bytes());
        };
        text(tenant.as_str());
        match self {
            // What makes a profile old makes its objects old.
            Self::Id(id) | Self::Objects(id, _) => hasher.write(id.0.as_bytes()),
            Self::Identifier(identifier) => {
                text("identifier");
                text(&identifier.kind);
                text(&identifier.value);
            }
            Self::Record(record) => {
                text("record");
                text(&record.source);
                text(&record.key);
            }
        }
        hasher.finish()
    }
}
