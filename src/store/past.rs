//! Reads of the past: what was true after an earlier write.
//!
//! **The problem.** "What would have been answered then?" has to be answered to the letter: who was
//! one person, under which name, with which revision, by which reasons. Folding again the
//! statements known then does not give that: what identity decided depends on the model of the day,
//! and on decisions and limits that no statement of the record tells.
//!
//! **The choice.** Rows are kept, not recomputed. Each row of a record, a profile's name or a held
//! identifier says since which write it holds, and what a write replaces or removes is copied to
//! history first, with the write until which it held. A state is then a cut through these spans by
//! the number of a write. A row that never changes costs nothing more than its number.
//!
//! **Times are looked up once**, as the last write at or before ([`Past::write_at`]); from there on
//! everything goes by the write's number. What counts is when a statement was *stored*: it may have
//! waited in a queue after it came in. Times of writes never go backwards within a tenant, whatever
//! the servers' clocks do; those of a clock that was far ahead are [moved
//! back](super::Transaction::correct_times) as soon as a clock is right. A write takes its time
//! while it has the turn, some milliseconds before anyone can see it.
//!
//! What is true after a write never changes, so reads with the same number go together however many
//! statements they take.

use async_trait::async_trait;
use profile_core::profile::StoredProfile;
use profile_core::records::{Identifier, ProfileId, RecordKey, Sequence, TenantId, Timestamp};

use super::{Error, Result};

/// A write of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastWrite {
    /// Its number.
    pub sequence: Sequence,
    /// Its time.
    pub time: Timestamp,
    /// The version of the model that was in force after it; 0: the tenant had none yet.
    pub model_version: i64,
}

/// When a write is, by number and by time.
#[derive(Debug, Clone, Copy)]
pub(super) struct WriteMark {
    pub(super) sequence: Sequence,
    pub(super) time: Timestamp,
}

/// Refuses a write whose time is before that of the write before it: times would not tell writes
/// apart any more.
pub(super) fn refuse_time(time: Timestamp, not_before: Timestamp) -> Result<()> {
    if time < not_before {
        return Err(Error::Internal(
            "a write's time is before that of the write before it".to_owned(),
        ));
    }
    Ok(())
}

/// Whether the first write after a time is so late that there was none for an hour.
pub(super) fn is_gap(time: Timestamp, next: Timestamp) -> bool {
    const HOUR_MICROS: i64 = 3_600_000_000;
    next.as_micros().saturating_sub(time.as_micros()) > HOUR_MICROS
}

/// The store as it was after some write.
///
/// # Cancel safety
/// Every method may be dropped at any point; nothing is left behind.
#[async_trait]
pub trait Past {
    /// What time it is by the database's own clock; `None` where the database has none, as it is a
    /// file of this machine.
    ///
    /// # Errors
    /// Those of reading.
    async fn time(&self) -> Result<Option<Timestamp>> {
        Ok(None)
    }

    /// The last write at or before a time; none when the tenant had not written yet.
    async fn write_at(&self, tenant: &TenantId, time: Timestamp) -> Result<Option<PastWrite>>;

    /// [`Store::profiles`](super::Store::profiles) for one id, after a write. Follows the redirect
    /// that held then.
    async fn profile_after(
        &self,
        tenant: &TenantId,
        id: ProfileId,
        write: Sequence,
    ) -> Result<Option<StoredProfile>>;

    /// [`Store::find_by_identifiers`](super::Store::find_by_identifiers) for one identifier, after
    /// a write.
    async fn find_by_identifier_after(
        &self,
        tenant: &TenantId,
        identifier: &Identifier,
        write: Sequence,
        limit: usize,
    ) -> Result<Vec<ProfileId>>;

    /// [`Store::find_by_records`](super::Store::find_by_records) for one record, after a write.
    async fn find_by_record_after(
        &self,
        tenant: &TenantId,
        record: &RecordKey,
        write: Sequence,
    ) -> Result<Option<ProfileId>>;
}
