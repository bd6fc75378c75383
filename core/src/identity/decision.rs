//! What people decided about records: these are one person, these are not.
//!
//! A later decision outweighs an earlier one that says otherwise: decisions are taken newest first, and one that cannot be
//! kept beside the newer ones has no effect. (It has effect again when the newer one is taken back.)

use serde::{Deserialize, Serialize};

use crate::records::{RecordKey, Timestamp};

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionKind {
    /// The first live record of each side are one person, whatever guards say.
    MustLink,
    /// No record of one side is the same person as one of the other.
    CannotLink,
}

/// A decision by a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Names it; of two at the same time the greater id is the newer.
    pub id: String,
    /// What was decided.
    pub kind: DecisionKind,
    /// The records of one side, in order.
    pub left: Vec<RecordKey>,
    /// The records of the other.
    pub right: Vec<RecordKey>,
    /// When.
    pub time: Timestamp,
}
