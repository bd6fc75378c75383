//! What can go wrong in a store, by what the caller can do about it.

use crate::lanes::Refusal;
use crate::telemetry::ErrorKind;

/// An error of the store. Driver text is for the log, never for a caller.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The database cannot be reached, or did not answer in time. Try again later.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// The server's clock differs too much from the database's: what is written would have wrong
    /// times. Reads go on.
    #[error("nothing is written: {0}")]
    Clock(String),
    /// Too much waits for the database; nothing was asked of it. Try again when the refusal says.
    #[error(transparent)]
    Overloaded(#[from] Refusal),
    /// Another writer was in the way; nothing was written. Try again at once.
    #[error("another writer was in the way: {0}")]
    Conflict(String),
    /// The database refuses a value of this write; nothing was written. Trying again is no use.
    #[error("the database refuses a value: {0}")]
    Refused(String),
    /// The schema is missing, older or newer than this version needs. The text says what to do.
    #[error("the database schema is not right: {0}")]
    Schema(String),
    /// The store cannot be opened as it was asked for: no such kind of address, or another process
    /// has the file.
    #[error("the database cannot be opened: {0}")]
    Open(String),
    /// A row that cannot be true. A bug, or a hand in the database.
    #[error("inconsistent data in table {table}, column {column}, row {key}: {what}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row, without personal data.
        key: String,
        /// What is wrong.
        what: String,
    },
    /// A stored model that this version of the service cannot compile, or that is over a bound.
    /// Another one has to be put in force.
    #[error("version {version} of the model cannot be used: {what}")]
    Model {
        /// The version.
        version: i64,
        /// The first mistake.
        what: String,
    },
    /// Anything else. A bug.
    #[error("the store failed: {0}")]
    Internal(String),
}

impl Error {
    /// Whether the same write may be tried again at once.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        match self {
            Self::Conflict(_) => true,
            Self::Unavailable(_)
            | Self::Clock(_)
            | Self::Overloaded(_)
            | Self::Refused(_)
            | Self::Schema(_)
            | Self::Open(_)
            | Self::Inconsistent { .. }
            | Self::Model { .. }
            | Self::Internal(_) => false,
        }
    }
}

impl ErrorKind for Error {
    fn kind(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "unavailable",
            Self::Clock(_) => "clock",
            Self::Overloaded(_) => "overloaded",
            Self::Open(_) => "open",
            Self::Conflict(_) => "conflict",
            Self::Refused(_) => "refused",
            Self::Schema(_) => "schema",
            Self::Inconsistent { .. } => "inconsistent",
            Self::Model { .. } => "model",
            Self::Internal(_) => "internal",
        }
    }
}
