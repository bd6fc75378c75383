//! Times that a wrong clock has left in a database.
//!
//! Times of writes never go back, or the past could not be told by time. So one write at a time
//! years ahead would give every later write that time, and `as_of_time: now` would answer the state
//! before it, for years. Here the next write at a right time moves such times back to its own: the
//! writes keep their order, and what was true at any time before and after the wrong clock is
//! answered rightly.

use std::time::Duration;

use profile_core::records::{TenantId, Timestamp};

use super::Clock;
use crate::store::{Result, Transaction};

/// How far clocks of servers may differ without anybody looking closer.
const SKEW: Duration = Duration::from_secs(10);
/// The oldest time that is not a mistake: this program was not there before (2026-01-01,
/// microseconds since 1970).
const FLOOR: i64 = 1_767_225_600_000_000;

/// Whether a clock can show this time.
pub(super) fn is_plausible(time: Timestamp) -> bool {
    time.as_micros() >= FLOOR
}

/// Moves times of earlier writes that lie in the future back to the present, if they come from a
/// clock that was ahead. To be called before a write takes its time from `clock` and
/// [`Transaction::not_before`].
///
/// They come from a clock that was ahead if there is an hour without any write after the present.
/// If it is the present clock that is behind, the writes of that hour are there, and it is they
/// that are right: then nothing is moved, and this write takes the time of the last one.
///
/// # Errors
/// Those of the store.
pub(crate) async fn settle(
    tx: &mut dyn Transaction,
    clock: &dyn Clock,
    tenant: &TenantId,
) -> Result<()> {
    let now = clock.now();
    let Some(ahead) = ahead(tx.not_before(), now) else {
        return Ok(());
    };
    let writes = tx.correct_times(now).await?;
    let ahead_seconds = ahead / 1_000_000;
    if writes > 0 {
        tracing::warn!(%tenant, writes, ahead_seconds, "times of writes lay in the future; they are now the present");
    } else {
        tracing::warn!(%tenant, ahead_seconds, "the clock is behind the last write, which lends its time to this one");
    }
    Ok(())
}

/// Whether the time of the last write lies so far in the future that it is to be [settled](settle).
pub(crate) fn is_unsettled(last_write: Timestamp, clock: &dyn Clock) -> bool {
    ahead(last_write, clock.now()).is_some()
}

/// How far the time of the last write is ahead, in microseconds, if it is further than clocks may
/// differ.
fn ahead(last_write: Timestamp, now: Timestamp) -> Option<i64> {
    let ahead = last_write.as_micros().saturating_sub(now.as_micros());
    let skew = i64::try_from(SKEW.as_micros()).unwrap_or(i64::MAX);
    (ahead > skew && is_plausible(now)).then_some(ahead)
}
