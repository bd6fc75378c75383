//! How far this server has followed one tenant.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use profile_core::records::{Sequence, TenantId};
use tokio::sync::OnceCell;

use super::fanout::{Fanout, Interest, Subscription};
use super::recent::Recent;
use crate::store::LogPosition;

/// How current this server's cache is for a tenant, at one moment. To be taken before the cache is
/// looked at.
#[derive(Debug, Clone, Copy)]
pub struct Watermark {
    /// What is cached of the tenant under the current epochs misses no write up to this one.
    pub position: Sequence,
    /// It misses no write that was answered before this moment.
    pub known_at: Instant,
    /// Changes when it is not known any more what is old: what was cached before does not count.
    pub generation: u64,
}

/// A tenant that is followed.
#[derive(Debug)]
pub struct TenantTail {
    /// Set by the first who knows how far the tenant is; there is nothing to be missed before.
    pub(super) begun: OnceCell<()>,
    position: AtomicI64,
    /// In microseconds after `epoch`.
    known_at: AtomicU64,
    used_at: AtomicU64,
    generation: AtomicU64,
    epoch: Instant,
    /// Whether other processes may write.
    shared: bool,
    /// Writes by this process that are beyond the position, because one before them is not known
    /// yet.
    own: Mutex<BTreeSet<i64>>,
    /// Who watches, and how far the log was read.
    pub(super) fanout: Arc<Fanout>,
    has_begun: AtomicBool,
    rests: AtomicBool,
}

impl TenantTail {
    pub(super) fn new(
        tenant: &TenantId,
        generation: u64,
        epoch: Instant,
        shared: bool,
        recent: &Arc<Recent>,
    ) -> Self {
        Self {
            begun: OnceCell::new(),
            position: AtomicI64::new(-1),
            known_at: AtomicU64::new(0),
            used_at: AtomicU64::new(0),
            generation: AtomicU64::new(generation),
            epoch,
            shared,
            own: Mutex::default(),
            fanout: Arc::new(Fanout::new(tenant.clone(), recent.clone())),
            has_begun: AtomicBool::new(false),
            rests: AtomicBool::new(false),
        }
    }

    /// How current the cache is.
    #[must_use]
    pub fn proof(&self) -> Watermark {
        // In this order: whoever moves them on makes answers old first, then moves the position,
        // then the time.
        let known_at = if self.shared {
            self.instant(&self.known_at)
        } else {
            Instant::now()
        };
        let position = Sequence(self.position.load(Ordering::SeqCst));
        Watermark {
            position,
            known_at,
            generation: self.generation.load(Ordering::SeqCst),
        }
    }

    /// Subscribes to writes that follow the last one known here. Answers that one too.
    pub(crate) fn watch(&self, interest: Interest, max_pending: usize) -> (Subscription, Sequence) {
        self.fanout
            .watch(interest, max_pending, self.proof().position)
    }

    /// Begins, at a write that the store was at when it was asked.
    pub(super) fn begin(&self, head: Sequence, asked_at: Instant) {
        let own = self.own();
        self.position.fetch_max(head.0, Ordering::SeqCst);
        self.advance(own);
        self.know(asked_at);
        self.has_begun.store(true, Ordering::SeqCst);
    }

    /// Whether it is not followed for now.
    #[must_use]
    pub fn rests(&self) -> bool {
        self.shared && self.rests.load(Ordering::SeqCst)
    }

    /// A write by this process is done, and all that it makes old is old.
    pub(super) fn wrote(&self, write: Sequence) {
        let mut own = self.own();
        own.insert(write.0);
        self.advance(own);
    }

    /// All that a write by another process makes old is old; it is the next one.
    pub(super) fn followed(&self, write: Sequence) {
        let own = self.own();
        self.position.fetch_max(write.0, Ordering::SeqCst);
        self.advance(own);
    }

    /// It is not known what is old, up to a write. The write may be an earlier one than was known:
    /// a backup was put in the database's place, or a standby took over that was behind; then
    /// nothing beyond it is claimed any more.
    pub(super) fn lost(&self, head: Sequence, generation: u64) {
        if head.0 < self.position.load(Ordering::SeqCst) {
            tracing::warn!(
                head = head.0,
                "the database went back to an earlier state; nothing that is cached counts"
            );
            let mut own = self.own();
            own.clear();
            self.position.store(head.0, Ordering::SeqCst);
        }
        self.forget(head, generation);
        self.fanout.lose(head);
    }

    /// Whether something may be cached from before a write.
    pub(super) fn misses(&self, write: Sequence) -> bool {
        let position = self.position.load(Ordering::SeqCst);
        position >= 0 && position < write.0
    }

    /// It is not known what is old, up to a write; those who watch go on from where they are in the
    /// log.
    pub(super) fn forget(&self, write: Sequence, generation: u64) {
        self.generation.store(generation, Ordering::SeqCst);
        self.followed(write);
    }

    /// All that was answered before a moment is known.
    pub(super) fn know(&self, at: Instant) {
        self.known_at.fetch_max(self.micros(at), Ordering::SeqCst);
        self.rests.store(false, Ordering::SeqCst);
    }

    /// It is not followed for now: the next read has the log read first.
    pub(super) fn rest(&self) {
        self.rests.store(true, Ordering::SeqCst);
    }

    pub(super) fn use_now(&self) {
        self.used_at
            .store(self.micros(Instant::now()), Ordering::Relaxed);
    }

    pub(super) fn used_at(&self) -> Instant {
        self.instant(&self.used_at)
    }

    /// From where on the follower reads; none before it has begun.
    pub(super) fn cursor(&self) -> Option<LogPosition> {
        if !self.has_begun.load(Ordering::SeqCst) {
            return None;
        }
        Some(
            self.fanout
                .cursor(Sequence(self.position.load(Ordering::SeqCst))),
        )
    }

    fn own(&self) -> MutexGuard<'_, BTreeSet<i64>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the position over the writes that are known one after the other.
    fn advance(&self, mut own: MutexGuard<'_, BTreeSet<i64>>) {
        let mut position = self.position.load(Ordering::SeqCst);
        if position < 0 {
            return;
        }
        while own.remove(&(position + 1)) {
            position += 1;
        }
        *own = own.split_off(&position);
        self.position.fetch_max(position, Ordering::SeqCst);
    }

    fn micros(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.epoch).as_micros()).unwrap_or(u64::MAX)
    }

    fn instant(&self, micros: &AtomicU64) -> Instant {
        self.epoch + Duration::from_micros(micros.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn positions(steps: &[(&str, i64)]) -> Vec<i64> {
        let followed = TenantTail::new(
            &TenantId::default(),
            0,
            Instant::now(),
            true,
            &Arc::default(),
        );
        let step = |(what, write): &(&str, i64)| {
            match *what {
                "begin" => followed.begin(Sequence(*write), Instant::now()),
                "wrote" => followed.wrote(Sequence(*write)),
                "lost" => followed.lost(Sequence(*write), 1),
                _ => followed.followed(Sequence(*write)),
            }
            followed.proof().position.0
        };
        steps.iter().map(step).collect()
    }

    #[test]
    fn own_writes_move_the_position_on_as_soon_as_none_is_missing_before_them() {
        assert_eq!(
            positions(&[("begin", 4), ("wrote", 5), ("wrote", 7), ("followed", 6)]),
            [4, 5, 5, 7]
        );
    }

    #[test]
    fn after_a_database_went_back_nothing_beyond_its_state_is_claimed() {
        assert_eq!(
            positions(&[("begin", 9), ("wrote", 11), ("lost", 4), ("followed", 5)]),
            [9, 9, 4, 5]
        );
    }

    #[test]
    fn a_write_that_is_done_while_following_begins_is_not_forgotten() {
        assert_eq!(
            positions(&[("wrote", 5), ("wrote", 6), ("begin", 4)]),
            [-1, -1, 6]
        );
        assert_eq!(
            positions(&[("wrote", 4), ("begin", 4), ("wrote", 5)]),
            [-1, 4, 5]
        );
    }
}
