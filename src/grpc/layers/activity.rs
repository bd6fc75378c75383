//! When a stream last carried a message.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// The time of a stream's last message, in either direction.
#[derive(Debug)]
pub(super) struct Activity {
    began: Instant,
    last_ms: AtomicU64,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            last_ms: AtomicU64::new(0),
        }
    }

    /// A message came or went.
    pub(super) fn note(&self) {
        let ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_ms.store(ms, Ordering::Relaxed);
    }

    /// Waits until there has been no message for this long.
    pub(super) async fn idle_for(&self, limit: Duration) {
        loop {
            let due =
                self.began + Duration::from_millis(self.last_ms.load(Ordering::Relaxed)) + limit;
            if due <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(due).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_message_begins_the_time_anew() {
        let activity = Activity::new();
        let limit = Duration::from_mins(1);
        tokio::time::advance(Duration::from_secs(50)).await;
        activity.note();
        tokio::time::timeout(Duration::from_secs(59), activity.idle_for(limit))
            .await
            .expect_err("not idle yet");
        tokio::time::timeout(Duration::from_secs(2), activity.idle_for(limit))
            .await
            .expect("idle");
    }
}
