//! The server's clock against the database's.
//!
//! A server that starts under a wrong clock has nothing of its own to compare it with: times of
//! writes, ages and consents would be wrong, and nobody would know. PostgreSQL has a clock that all
//! servers share. While the server's differs from it by more than `database.max_clock_difference`,
//! nothing is written and the server is not ready; reads go on. Nor is anything written before the
//! first comparison. A file has no clock of its own, but
//! its newest write has a time: the log tells of a clock that is behind it. It is not refused
//! there, for it may as well have been the clock of that write that was wrong.

use std::sync::Arc;
use std::time::Duration;

use profile_core::records::Timestamp;

use crate::clock::Clock;
use crate::store::retry::jittered;
use crate::store::{Result, Store};
use crate::telemetry::Episode;

/// How often the clocks are compared.
pub(super) const INTERVAL: Duration = Duration::from_secs(30);
/// How soon the first comparison is tried again.
const RETRY: Duration = Duration::from_millis(200);
/// How many tenants' newest writes are looked at.
const TENANTS: usize = 1_000;

/// Compares the clocks.
pub(super) struct Comparison {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    /// How far they may differ.
    pub(super) limit: Duration,
    pub(super) episode: Arc<Episode>,
}

impl Comparison {
    /// Nothing is written until the clocks were compared for the first time.
    pub(super) fn hold_writes(&self) {
        let why = "the server's clock has not been compared with the database's yet";
        self.store
            .availability()
            .set_clock_refusal(Some(why.into()));
    }

    /// Compares the clocks at the start, or a file's newest write with the clock. Ends when that
    /// succeeded.
    pub(super) async fn begin(&self) {
        let mut told = false;
        while let Err(error) = self.compare_first().await {
            if !std::mem::replace(&mut told, true) {
                tracing::warn!(%error, "the clock could not be compared with the database's; trying again");
            }
            tokio::time::sleep(jittered(RETRY)).await;
        }
    }

    async fn compare_first(&self) -> Result<()> {
        if self.look().await? {
            return Ok(());
        }
        if let Some(newest) = self.newest_write().await? {
            let behind = seconds(newest, self.clock.now());
            if self.is_too_much(behind) {
                tracing::warn!(
                    behind_seconds = behind,
                    "the clock is behind the newest write: it is wrong, or was when that was written"
                );
            }
        }
        self.store.availability().set_clock_refusal(None);
        Ok(())
    }

    /// Compares the clocks. Answers whether the database has one.
    pub(super) async fn look(&self) -> Result<bool> {
        let before = self.clock.now();
        let Some(theirs) = self.store.time().await? else {
            return Ok(false);
        };
        let after = self.clock.now();
        // The database answered between the two.
        let (ahead, behind) = (seconds(before, theirs), seconds(theirs, after));
        let wrong = [(ahead, "ahead of"), (behind, "behind")]
            .into_iter()
            .find(|(by, _)| self.is_too_much(*by));
        let refusal = wrong.map(|(by, side)| {
            format!(
                "the server's clock is {by} s {side} the database's; `database.max_clock_difference` allows {} s; set the clock",
                self.limit.as_secs()
            )
        });
        match &refusal {
            Some(refusal) => drop(self.episode.failed(refusal)),
            None => drop(self.episode.succeeded()),
        }
        self.store
            .availability()
            .set_clock_refusal(refusal.map(Into::into));
        Ok(true)
    }

    async fn newest_write(&self) -> Result<Option<Timestamp>> {
        let mut newest = None;
        for tenant in self.store.list_tenants(None, TENANTS).await? {
            let write = self
                .store
                .write_at(&tenant, Timestamp::from_micros(i64::MAX))
                .await?;
            newest = newest.max(write.map(|write| write.time));
        }
        Ok(newest)
    }

    fn is_too_much(&self, seconds: i64) -> bool {
        seconds > i64::try_from(self.limit.as_secs()).unwrap_or(i64::MAX)
    }
}

/// Whole seconds from one time to a later one; negative where it is earlier.
fn seconds(later: Timestamp, earlier: Timestamp) -> i64 {
    later.as_micros().saturating_sub(earlier.as_micros()) / 1_000_000
}
