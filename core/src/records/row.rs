//! The row of a profile: its name, its revision and what it stands for. All else is folded from
//! records.

use super::{ProfileId, Timestamp};

/// What is stored of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileRow {
    /// Id of the profile.
    pub id: ProfileId,
    /// Grows with every change.
    pub revision: i64,
    /// When it last changed.
    pub update_time: Timestamp,
    /// What the id stands for now.
    pub state: ProfileState,
}

/// What a profile id stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileState {
    /// A profile.
    Live,
    /// Another, live profile: always directly, never by a chain.
    MergedInto(ProfileId),
    /// Nothing: all its records are gone. Lives again if one comes back.
    Deleted,
}
