//! The request of a watch, and its events.

use std::collections::BTreeSet;
use std::time::Duration;

use profile_core::records::{Sequence, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::reader::{Answer, Key};
use crate::store::{self, ProfileChange};

/// Position of a watch: the events that were sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResumePosition {
    /// Everything of the writes up to this one,
    #[serde(rename = "s")]
    pub sequence: Sequence,
    /// and of the next one this number of changes, among all of its changes.
    #[serde(rename = "c", default)]
    pub changes: usize,
    /// Number of profiles that were shown as they were at the beginning; `None`: all were.
    #[serde(rename = "k", default)]
    pub snapshots: Option<usize>,
    /// Profiles were shown as they were after this write or before: whoever resumes is shown no
    /// less.
    #[serde(rename = "f", default)]
    pub shown: Sequence,
}

/// A request to watch.
#[derive(Debug, Clone)]
pub struct Request {
    /// The tenant whose profiles are watched.
    pub tenant: TenantId,
    /// Keys to watch. None at all watches the whole tenant.
    pub keys: Vec<Key>,
    /// Only updates of these fields. `None` takes all.
    pub fields: Option<BTreeSet<String>>,
    /// Whether changes are to come with the profile.
    pub include_profiles: bool,
    /// Where to go on.
    pub place: Option<ResumePosition>,
    /// How many writes may wait to be taken.
    pub max_pending: usize,
    /// Longest time without an event.
    pub heartbeat: Duration,
}

/// An event of a watch.
#[derive(Debug)]
pub enum WatchEvent {
    /// The profile that a key leads to.
    Snapshot {
        /// Which key.
        key: usize,
        /// The profile, or why there is none.
        profile: Result<Answer, crate::reader::Error>,
    },
    /// A change of a profile.
    Change {
        /// The change and its kind.
        change: Box<ProfileChange>,
        /// The time of the write.
        time: Timestamp,
        /// Which keys lead to it.
        keys: Vec<usize>,
        /// The profile afterwards, where it was asked for and is there.
        profile: Option<Answer>,
    },
    /// Nothing happened.
    Heartbeat,
}

/// Why a watch ends.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The log does not reach back so far.
    #[error("the change log does not reach back so far")]
    Expired,
    /// Too much is waiting.
    #[error("too much is waiting")]
    TooSlow,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}
