//! What is kept for identity beside the records: match keys and scored pairs, which are derived
//! from records and the model; people's decisions and the log of merges and splits, which are not.

use profile_core::identity::{BlockingKey, Decision, MatchDecision};
use profile_core::records::{ContentHash, ProfileId, RecordKey, Sequence, Timestamp};
use serde::{Deserialize, Serialize};

/// Two records that were compared and found to be alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MatchPair {
    /// The lesser key.
    pub left: RecordKey,
    /// The greater key.
    pub right: RecordKey,
    /// What the comparison came to.
    pub verdict: MatchDecision,
    /// The evidence, in thousandths of a bit.
    pub millibits: i32,
    /// Whether it waits for a person: alike, and not in one profile.
    pub queued: bool,
}

/// A record under a match key.
pub type KeyedRecord = (BlockingKey, RecordKey);

/// A decision, with who made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredDecision {
    /// What was decided.
    pub decision: Decision,
    /// Who decided, in the caller's words.
    #[serde(default)]
    pub actor: String,
    /// Why, in the caller's words.
    #[serde(default)]
    pub note: String,
    /// The write that stored it.
    #[serde(skip)]
    pub sequence: Sequence,
    /// Whether it has been taken back.
    #[serde(skip)]
    pub withdrawn: bool,
}

/// A request that changed something, and what was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRequest {
    /// The caller's id of it.
    pub request_id: String,
    /// What was asked for, to tell another request under the same id.
    pub content: ContentHash,
    /// The write that it made.
    pub sequence: Sequence,
    /// What was answered, as a JSON document.
    pub answer: String,
}

/// What identity did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityChangeKind {
    /// `from` went into `into` and redirects to it.
    Merge,
    /// Records left `from` for `into`.
    Split,
}

/// What made identity do it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Statements: of these records, some of them.
    Statements(Vec<RecordKey>),
    /// A person's decision.
    Decision {
        /// Which.
        id: String,
        /// Who decided.
        actor: String,
        /// Why.
        note: String,
    },
    /// A decision was taken back.
    Withdrawal {
        /// Which.
        id: String,
        /// Who took it back.
        actor: String,
        /// Why.
        note: String,
    },
    /// Another model.
    Model {
        /// Its version.
        version: i64,
    },
    /// Another customer was erased.
    Erasure {
        /// The id of the erasure.
        id: String,
    },
}

/// A merge or a split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityChange {
    /// The write that did it.
    #[serde(skip)]
    pub sequence: Sequence,
    /// Its place within that write, from 0.
    #[serde(skip)]
    pub ordinal: i32,
    /// What was done.
    pub kind: IdentityChangeKind,
    /// The profile that records left.
    pub from: ProfileId,
    /// The profile that they went to.
    pub into: ProfileId,
    /// When.
    pub time: Timestamp,
    /// The records that moved, the first [`MAX_MOVED`](Self::MAX_MOVED) of them, with what ties
    /// each to its new profile.
    pub moved: Vec<(RecordKey, String)>,
    /// How many moved.
    pub moved_count: usize,
    /// What made it happen.
    pub cause: Cause,
}

impl IdentityChange {
    /// How many moved records are named.
    pub const MAX_MOVED: usize = 50;
}

/// Which changes of identity to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IdentityChangePage {
    /// Only those that concern this profile.
    pub profile: Option<ProfileId>,
    /// Only before this place: where the page before ended.
    pub before: Option<(Sequence, i32)>,
    /// At most so many.
    pub limit: usize,
}

/// Which pairs of the review queue to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueuePage {
    /// Only those of at least this weight.
    pub min_millibits: Option<i32>,
    /// Only those of less than this weight.
    pub max_millibits: Option<i32>,
    /// Only after this pair: where the page before ended.
    pub after: Option<(i32, RecordKey, RecordKey)>,
    /// At most so many.
    pub limit: usize,
}
