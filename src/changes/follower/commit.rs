//! A commit of this server and what it makes old.

use std::time::{Duration, Instant};

use profile_core::records::{Sequence, TenantId};

use super::LogFollower;
use crate::changes::tail::{TenantTail, Watermark};
use crate::store::{LogEntry, Result};

/// A commit that may or may not have happened. Dropped unsettled, it invalidates what the commit
/// concerns, in case it did.
struct Unsettled<'a> {
    follower: &'a LogFollower,
    log: &'a [LogEntry],
    settled: bool,
}

impl Drop for Unsettled<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.follower.invalidate(self.log);
            self.follower.wake.notify_one();
        }
    }
}

impl LogFollower {
    /// Commits a write by this process, and makes old what it concerns before the write can be
    /// answered. Whoever in this process commits does it through here.
    ///
    /// # Errors
    /// Those of the commit, which may have happened all the same: its answer may be what was lost.
    ///
    /// # Cancel safety
    /// Dropped, the commit counts as one that may have happened.
    pub async fn commit(
        &self,
        tenant: &TenantId,
        write: Sequence,
        log: &[LogEntry],
        commit: impl Future<Output = Result<()>>,
    ) -> Result<()> {
        let mut unsettled = Unsettled {
            follower: self,
            log,
            settled: false,
        };
        // The turn is held until the commit, so the writes before this one are in the log already.
        let before = write.before();
        let (committed, ()) = futures::future::join(commit, self.see(tenant, before)).await;
        committed?;
        unsettled.settled = true;
        self.invalidate(log);
        if let Some(followed) = self.known(tenant) {
            followed.wrote(write);
            if followed.fanout.is_watched() {
                self.wake.notify_one();
            }
        }
        // For a tenant that somebody began to follow meanwhile.
        self.see(tenant, before).await;
        Ok(())
    }

    /// Waits until the log has been read once more, at most for a while. Everybody who waits shares
    /// that read.
    pub async fn prove(&self, followed: &TenantTail, at_most: Duration) -> Watermark {
        let asked_at = Instant::now();
        let mut rounds = self.rounds.subscribe();
        let proven = async {
            while followed.proof().known_at < asked_at && self.is_there() {
                self.wake.notify_one();
                if rounds.changed().await.is_err() {
                    return;
                }
            }
        };
        // Late or not, the answer is what is known then.
        drop(tokio::time::timeout(at_most, proven).await);
        followed.proof()
    }

    pub(super) fn invalidate<'a>(&self, log: impl IntoIterator<Item = &'a LogEntry>) {
        for digest in log.into_iter().flat_map(|entry| &entry.body.keys) {
            self.epochs.bump(*digest);
        }
    }
}
