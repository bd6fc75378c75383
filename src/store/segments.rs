//! Who is in which segment, as of the last time it was looked at: an index, kept up by
//! [`Segments`](crate::background::segments::Segments).
//!
//! It is derived from profiles, the model and the time, and can be thrown away. Its writers read
//! how far it is and write if nobody else has written since: whoever comes second writes nothing,
//! and looks again.

use async_trait::async_trait;
use profile_core::records::{ProfileId, TenantId, Timestamp};

use super::{LogPosition, Result};

/// How far a tenant's index is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentProgress {
    /// Grows with each write of the index; 0: there was none.
    pub revision: i64,
    /// The version of the model by which it is made.
    pub model_version: i64,
    /// All of the change log up to here is in it.
    pub log: LogPosition,
    /// While it is built: all profiles up to this one, in order of id, are in it.
    pub position: ProfileId,
    /// Whether all profiles are in it.
    pub built: bool,
}

/// A stay of a profile in a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentMember {
    /// Who.
    pub profile: ProfileId,
    /// In which.
    pub segment: String,
    /// Since when.
    pub enter_time: Timestamp,
    /// Until when; none: still.
    pub exit_time: Option<Timestamp>,
}

/// A write of the index.
#[derive(Debug, Clone)]
pub struct SegmentChanges {
    /// How far it is now; its revision is one more than the one that was read.
    pub progress: SegmentProgress,
    /// All that is known of these profiles is replaced
    pub profiles: Vec<ProfileId>,
    /// by these memberships
    pub members: Vec<SegmentMember>,
    /// and these times at which time alone may change them.
    pub due: Vec<(ProfileId, Timestamp)>,
}

/// The store as segments see it.
#[async_trait]
pub trait SegmentIndex {
    /// How far the tenant's index is; none: it has not begun.
    async fn segment_progress(&self, tenant: &TenantId) -> Result<Option<SegmentProgress>>;

    /// Writes, if the index is still at the revision before. Answers whether it was.
    async fn write_segments(&self, tenant: &TenantId, changes: &SegmentChanges) -> Result<bool>;

    /// All stays of profiles, past ones too, in order of profile, segment and time. Those of a
    /// profile that was merged are as they were then, for when the merge is taken back.
    async fn memberships(
        &self,
        tenant: &TenantId,
        profiles: &[ProfileId],
    ) -> Result<Vec<SegmentMember>>;

    /// The profiles whose memberships time may have changed by then, the earliest first, at most
    /// `limit`.
    async fn list_due(
        &self,
        tenant: &TenantId,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<(ProfileId, Timestamp)>>;

    /// The live profiles in a segment after one, in order of id, at most `limit`.
    async fn list_members(
        &self,
        tenant: &TenantId,
        segment: &str,
        after: Option<ProfileId>,
        limit: usize,
    ) -> Result<Vec<SegmentMember>>;

    /// How many live profiles are in each segment that has any.
    async fn count_members(&self, tenant: &TenantId) -> Result<Vec<(String, u64)>>;

    /// Live profiles after one, in order of id, at most `limit`.
    async fn list_profiles(
        &self,
        tenant: &TenantId,
        after: Option<ProfileId>,
        limit: usize,
    ) -> Result<Vec<ProfileId>>;
}
