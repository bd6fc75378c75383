//! Changes that the target does not take: a change is tried again after a wait, becomes a dead
//! letter, and is sent again when somebody asks for it.

use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use tracing::Instrument;

use super::event::{Event, Origin};
use super::runner::{Assignment, End, REPLAY_INTERVAL, Runner, end_span};
use super::spread;
use super::target::{self, Failure, Target};
use crate::store::{DeadLetter, DeadLetterPage, Progress};

/// The wait after the first failed try; it doubles with each.
const FIRST_BACKOFF: Duration = Duration::from_millis(200);
/// No wait is longer, unless the target asks for it.
const MAX_BACKOFF: Duration = Duration::from_mins(1);
/// How many dead letters are told again in one go.
const REPLAYED_AT_ONCE: usize = 100;

impl Runner {
    /// After a failed try: makes the change a dead letter, or waits.
    pub(super) async fn give_up_or_wait(
        &mut self,
        failure: &Failure,
    ) -> std::result::Result<(), End> {
        let failures = self.work_mut()?.progress.failures;
        let spent =
            target::max_attempts(&self.publication.target).is_some_and(|most| failures >= most);
        if failure.permanent || spent {
            return self.give_up(failure).await;
        }
        let doubled = FIRST_BACKOFF
            * 2_u32.saturating_pow(u32::try_from(failures - 1).unwrap_or(u32::MAX).min(20));
        let backoff = doubled
            .min(MAX_BACKOFF)
            .mul_f64(0.75 + 0.5 * spread(&self.owner, failures));
        let until = Instant::now() + backoff.max(failure.retry_after.unwrap_or_default());
        // How it goes is told at once, and the lease is kept.
        self.save().await?;
        while let Some(left) = until
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero())
        {
            tokio::time::sleep(left.min(self.beat())).await;
            self.save_if_due().await?;
        }
        Ok(())
    }

    /// Makes the next change a dead letter, and goes on after it.
    async fn give_up(&mut self, failure: &Failure) -> std::result::Result<(), End> {
        let shared = self.shared.clone();
        let Assignment { tenant, name, .. } = &self.assignment;
        let work = self.work.as_mut().ok_or(End::Lost)?;
        let Some(pending) = work.pending.front() else {
            return Ok(());
        };
        let origin = Origin {
            store: work.store_id,
            tenant,
            key: pending.key,
            time: pending.time,
        };
        let letter = DeadLetter {
            key: pending.key,
            time: shared.clock.now(),
            attempts: work.progress.failures,
            replay: false,
            reason: failure.reason.clone(),
            payload: Event::new(origin, &pending.change).payload(),
        };
        // Before the mark moves on: if we end in between, the change is tried again.
        shared
            .store
            .record_dead_letter(tenant, name, &letter)
            .await?;
        shared.metrics.dead_lettered(self.publication.target.kind());
        tracing::warn!(%tenant, publication = name, reason = failure.reason, "a change became a dead letter");
        work.progress = Progress {
            mark: pending.mark(),
            failures: 0,
            last_error: failure.reason.clone(),
        };
        work.pending.pop_front();
        work.marks.clear();
        work.settle();
        Ok(())
    }

    /// Tells dead letters again that are to be. Each is tried once.
    pub(super) async fn replay(&mut self, target: &mut dyn Target) -> std::result::Result<(), End> {
        let work = self.work_mut()?;
        if work
            .looked_for_replays_at
            .is_some_and(|at| at.elapsed() < REPLAY_INTERVAL)
        {
            return Ok(());
        }
        work.looked_for_replays_at = Some(Instant::now());
        let page = DeadLetterPage {
            to_replay: true,
            limit: REPLAYED_AT_ONCE,
            after: None,
        };
        let shared = self.shared.clone();
        let letters = {
            let Assignment { tenant, name, .. } = &self.assignment;
            shared.store.list_dead_letters(tenant, name, page).await?
        };
        for letter in letters {
            self.save_if_due().await?;
            let Assignment { tenant, name, .. } = &self.assignment;
            let event = [Event::again(tenant, letter.key, &letter.payload)];
            let span = self.span(1);
            let told = AtomicUsize::new(0);
            let result = target.tell(&event, &told).instrument(span.clone()).await;
            end_span(&span, &result);
            match result {
                Ok(()) => {
                    shared.metrics.published(self.publication.target.kind(), 1);
                    shared
                        .store
                        .remove_dead_letter(tenant, name, letter.key)
                        .await?;
                }
                Err(Failure { reason, .. }) => {
                    shared
                        .metrics
                        .publish_failed(self.publication.target.kind());
                    let (time, attempts) = (shared.clock.now(), letter.attempts + 1);
                    let letter = DeadLetter {
                        time,
                        attempts,
                        replay: false,
                        reason,
                        ..letter
                    };
                    shared
                        .store
                        .record_dead_letter(tenant, name, &letter)
                        .await?;
                }
            }
        }
        Ok(())
    }
}
