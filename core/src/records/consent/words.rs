//! Words for the status of a consent.

use super::ConsentStatus;

impl ConsentStatus {
    /// Words of systems that send newsletters and manage consent.
    const WORDS: [(&'static str, Self); 23] = [
        ("grant", Self::Granted),
        ("given", Self::Granted),
        ("accepted", Self::Granted),
        ("subscribed", Self::Granted),
        ("opt_in", Self::Granted),
        ("opted_in", Self::Granted),
        ("unconfirmed", Self::Pending),
        ("not_confirmed", Self::Pending),
        ("withdraw", Self::Withdrawn),
        ("revoke", Self::Withdrawn),
        ("revoked", Self::Withdrawn),
        ("unsubscribe", Self::Withdrawn),
        ("unsubscribed", Self::Withdrawn),
        ("opt_out", Self::Withdrawn),
        ("opted_out", Self::Withdrawn),
        ("optout", Self::Withdrawn),
        ("objected", Self::Withdrawn),
        ("deny", Self::Denied),
        ("declined", Self::Denied),
        ("rejected", Self::Denied),
        ("refused", Self::Denied),
        ("not_given", Self::Denied),
        ("disallowed", Self::Denied),
    ];

    /// The status that a word means, in any case, with blanks or hyphens.
    #[must_use]
    pub fn read(word: &str) -> Option<Self> {
        let plain = word.trim().to_ascii_lowercase().replace([' ', '-'], "_");
        let mut words = Self::ALL.iter().chain(&Self::WORDS);
        words
            .find(|(name, _)| *name == plain)
            .map(|(_, status)| *status)
    }
}
