//! Rows that are only ever appended: statements as they were made, and changes of membership.

use profile_core::records::{
    Draft, EventKey, ProfileId, RecordKey, Sequence, Timestamp, VersionStamp,
};

/// Names a statement about a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatementKey {
    /// The record.
    pub record: RecordKey,
    /// The statement's place.
    pub stamp: VersionStamp,
}

/// A statement in history.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredStatement {
    /// Its name.
    pub key: StatementKey,
    /// The write that stored it.
    pub sequence: Sequence,
    /// Its place within that write, from 0.
    pub ordinal: i32,
    /// When it came in.
    pub receive_time: Timestamp,
    /// As it was said.
    pub draft: Draft,
}

/// Names a correction of an event, or an event that came after a correction of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CorrectionKey {
    /// Source and id of the event.
    pub event: EventKey,
    /// The correction's place; that of the event itself is [`CorrectionKey::ORIGINAL`].
    pub stamp: VersionStamp,
}

impl CorrectionKey {
    /// The version that stands for the event itself: it is older than all corrections.
    pub const ORIGINAL: i64 = -1;
}

/// A correction in history.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredCorrection {
    /// The event and the correction's place.
    pub key: CorrectionKey,
    /// The write that stored it.
    pub sequence: Sequence,
    /// Its place among the corrections of that write, from 0.
    pub ordinal: i32,
    /// When it came in.
    pub receive_time: Timestamp,
    /// As it was said.
    pub draft: Draft,
}

/// A change of a record's membership.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembershipChange {
    /// The record.
    pub record: RecordKey,
    /// The write that changed it. A record changes at most once a write.
    pub sequence: Sequence,
    /// From now on in this profile; none: gone.
    pub profile: Option<ProfileId>,
    /// When.
    pub time: Timestamp,
    /// Why: `alone`, `shared:email`, `deleted`.
    pub reason: String,
}
