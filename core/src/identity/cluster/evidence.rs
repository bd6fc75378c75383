//! Why records are where they are, and why they are not elsewhere.

use super::Guard;
use crate::records::RecordKey;

/// What speaks for two records being one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// They hold the same identifier.
    SharedIdentifier {
        /// Its type.
        kind: String,
    },
    /// One holds an identifier that the other held before, or both held it.
    FormerIdentifier {
        /// The type of the identifier.
        kind: String,
    },
    /// They are alike.
    Match {
        /// The score.
        millibits: i32,
    },
    /// A person said so.
    Decision {
        /// Its name.
        id: String,
    },
}

impl Reason {
    /// As it is kept in history and shown in answers: `shared:email`, `former:email`, `match`,
    /// `decision`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::SharedIdentifier { kind } => format!("shared:{kind}"),
            Self::FormerIdentifier { kind } => format!("former:{kind}"),
            Self::Match { .. } => "match".to_owned(),
            Self::Decision { .. } => "decision".to_owned(),
        }
    }
}

/// Why a record is in its cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// Nothing joins it to another.
    Alone,
    /// It is linked with another record of the cluster; these links span the cluster.
    Linked {
        /// What speaks for it.
        reason: Reason,
        /// With which record.
        with: RecordKey,
    },
}

impl Evidence {
    /// As it is kept in history and shown in answers: `alone`, or as [`Reason::name`].
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Alone => "alone".to_owned(),
            Self::Linked { reason, .. } => reason.name(),
        }
    }
}

/// A link that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// One record.
    pub left: RecordKey,
    /// The other.
    pub right: RecordKey,
    /// What spoke for it.
    pub reason: Reason,
    /// What forbade it.
    pub guard: Guard,
}
