//! A queue for something of which there are a few: who can be served in time waits, callers take
//! turns.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tracing::Instrument;

use super::{Caller, Fair, Reason, Refusal, Shares};
use crate::spans::child_span;

/// How much the newest measurement counts for: the mean of about the last eight.
const NEWEST: u32 = 8;
/// So many times the estimate must fit into a deadline: under load service takes longer than was
/// measured before it, and a line that is just short enough would serve everybody a moment too
/// late.
const HEADROOM: u32 = 2;
/// The shortest and the longest time after which a refused call is told to come again.
const RETRY_AFTER: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(30));

/// A queue.
#[derive(Debug)]
pub struct Queue {
    name: &'static str,
    capacity: usize,
    inner: Mutex<Inner>,
    refused: [AtomicU64; Reason::ALL.len()],
    /// Is told each wait.
    waits: OnceLock<Box<dyn Figures>>,
}

/// Who is told how long was waited.
pub trait Figures: std::fmt::Debug + Send + Sync {
    /// A place was given after a wait.
    fn waited(&self, wait: Duration);
}

#[derive(Debug)]
struct Inner {
    running: usize,
    waiting: Fair<Waiter>,
    shares: Shares,
    next: u64,
    /// The mean time of service; zero: nothing was measured yet.
    service: Duration,
}

#[derive(Debug)]
struct Waiter {
    id: u64,
    caller: Caller,
    deadline: Option<Instant>,
    granted: oneshot::Sender<()>,
}

/// A place; given back when it is dropped.
#[derive(Debug)]
pub struct Permit {
    queue: Arc<Queue>,
    since: Instant,
}

impl Queue {
    /// A queue for `capacity` places in which at most so many wait.
    #[must_use]
    pub fn new(name: &'static str, capacity: usize, max_waiting: usize) -> Arc<Self> {
        let (waiting, shares) = (Fair::default(), Shares::new(max_waiting));
        let inner = Inner {
            running: 0,
            waiting,
            shares,
            next: 0,
            service: Duration::ZERO,
        };
        Arc::new(Self {
            name,
            capacity: capacity.max(1),
            inner: Mutex::new(inner),
            refused: std::array::from_fn(|_| AtomicU64::new(0)),
            waits: OnceLock::new(),
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place, now or after a wait.
    ///
    /// # Errors
    /// [`Refusal`].
    ///
    /// # Cancel safety
    /// Dropped, the place in the queue is given up.
    pub async fn enter(
        self: &Arc<Self>,
        caller: Caller,
        deadline: Option<Instant>,
    ) -> Result<Permit, Refusal> {
        let began = Instant::now();
        let mut waiting = match self.line_up(caller, deadline, began)? {
            Ok(permit) => {
                self.waited(Duration::ZERO);
                return Ok(permit);
            }
            Err(waiting) => waiting,
        };
        let span = child_span!("queue wait", queue = self.name);
        let granted = (&mut waiting.granted).instrument(span).await;
        waiting.over = true;
        match granted {
            Ok(()) => {
                self.waited(began.elapsed());
                Ok(Permit {
                    queue: self.clone(),
                    since: Instant::now(),
                })
            }
            Err(_) => Err(self.refuse(Reason::Expired, Duration::ZERO)),
        }
    }

    /// A place, if one is free, or a place in the line.
    fn line_up(
        self: &Arc<Self>,
        caller: Caller,
        deadline: Option<Instant>,
        now: Instant,
    ) -> Result<Result<Permit, Waiting>, Refusal> {
        let mut inner = self.inner();
        if inner.running < self.capacity && inner.waiting.len() == 0 {
            inner.running += 1;
            return Ok(Ok(Permit {
                queue: self.clone(),
                since: now,
            }));
        }
        let wait = self.wait_of(&inner, inner.waiting.before(caller));
        let needed = wait.saturating_add(inner.service).saturating_mul(HEADROOM);
        if deadline.is_some_and(|deadline| deadline.saturating_duration_since(now) < needed) {
            return Err(self.refuse(Reason::TooLate, wait));
        }
        if !inner.shares.try_take(caller, 1) {
            let wait = self.wait_of(&inner, inner.waiting.len());
            return Err(self.refuse(Reason::Full, wait));
        }
        let (granted, receiver) = oneshot::channel();
        let id = inner.next;
        inner.next += 1;
        inner.waiting.push(
            caller,
            Waiter {
                id,
                caller,
                deadline,
                granted,
            },
        );
        Ok(Err(Waiting {
            queue: self.clone(),
            caller,
            id,
            granted: receiver,
            over: false,
        }))
    }

    /// How long whoever has so many before them waits: a place becomes free each
    /// `service / capacity`.
    fn wait_of(&self, inner: &Inner, before: usize) -> Duration {
        let places = u32::try_from(before + 1).unwrap_or(u32::MAX);
        inner.service.saturating_mul(places) / u32::try_from(self.capacity).unwrap_or(u32::MAX)
    }

    fn refuse(&self, reason: Reason, wait: Duration) -> Refusal {
        self.refused[reason as usize].fetch_add(1, Ordering::Relaxed);
        let retry_after = wait.clamp(RETRY_AFTER.0, RETRY_AFTER.1);
        Refusal {
            queue: self.name,
            reason,
            retry_after,
        }
    }

    /// A place is free: it goes to the next who still waits and can be served within their
    /// deadline. Work that is begun too late for that would be cut off half-way, and done in vain.
    fn give_back(&self, inner: &mut Inner) {
        inner.running -= 1;
        let now = Instant::now();
        while inner.running < self.capacity
            && let Some(waiter) = inner.waiting.pop()
        {
            inner.shares.give_back(waiter.caller, 1);
            let in_time = waiter
                .deadline
                .is_none_or(|deadline| deadline.saturating_duration_since(now) > inner.service);
            // Dropped, or not taken: whoever it was hears of it, or has gone.
            if in_time && waiter.granted.send(()).is_ok() {
                inner.running += 1;
            }
        }
    }

    fn waited(&self, wait: Duration) {
        if let Some(waits) = self.waits.get() {
            waits.waited(wait);
        }
    }

    /// From now on each wait is told. Only the first who asks for it is.
    pub fn report_to(&self, figures: Box<dyn Figures>) {
        // A second server on one store, as in tests: its figures are those of the first.
        drop(self.waits.set(figures));
    }

    /// The name in metrics.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// How many places there are.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// How many places are taken.
    #[must_use]
    pub fn running(&self) -> usize {
        self.inner().running
    }

    /// How many wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.inner().waiting.len()
    }

    /// How many were refused for a reason.
    #[must_use]
    pub fn refused(&self, reason: Reason) -> u64 {
        self.refused[reason as usize].load(Ordering::Relaxed)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let took = self.since.elapsed();
        let mut inner = self.queue.inner();
        inner.service = if inner.service.is_zero() {
            took
        } else {
            (inner.service * (NEWEST - 1) + took) / NEWEST
        };
        self.queue.give_back(&mut inner);
    }
}

/// A place in the line.
struct Waiting {
    queue: Arc<Queue>,
    caller: Caller,
    id: u64,
    granted: oneshot::Receiver<()>,
    over: bool,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        self.queue.refused[Reason::Gone as usize].fetch_add(1, Ordering::Relaxed);
        let mut inner = self.queue.inner();
        if inner
            .waiting
            .remove(self.caller, |waiter| waiter.id == self.id)
            .is_some()
        {
            inner.shares.give_back(self.caller, 1);
        } else if self.granted.try_recv().is_ok() {
            // Given and left at the same moment.
            self.queue.give_back(&mut inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(number: u16) -> Caller {
        Caller::new("shop", Some(number.into()))
    }

    /// A queue whose service takes a known time.
    fn queue(capacity: usize, max_waiting: usize, service: Duration) -> Arc<Queue> {
        let queue = Queue::new("test", capacity, max_waiting);
        queue.inner().service = service;
        queue
    }

    async fn refused(queue: &Arc<Queue>, caller: Caller, deadline: Option<Instant>) -> Reason {
        queue
            .enter(caller, deadline)
            .await
            .expect_err("refused")
            .reason
    }

    #[tokio::test]
    async fn who_cannot_be_served_in_time_is_refused_at_once_and_told_when_to_come_again() {
        let queue = queue(1, 10, Duration::from_secs(10));
        let soon = Some(Instant::now() + Duration::from_secs(5));
        let running = queue
            .enter(caller(1), soon)
            .await
            .expect("a free place is given whatever was measured");
        let refusal = queue
            .enter(caller(2), soon)
            .await
            .expect_err("ten seconds are more than five");
        assert_eq!(
            (refusal.reason, refusal.retry_after),
            (Reason::TooLate, Duration::from_secs(10))
        );
        assert_eq!(queue.refused(Reason::TooLate), 1);
        drop(running);
        queue
            .enter(caller(2), soon)
            .await
            .expect("it is free again");
    }

    #[tokio::test]
    async fn who_has_gone_or_is_too_late_is_not_served() {
        let queue = queue(1, 10, Duration::ZERO);
        let running = queue.enter(caller(1), None).await.expect("a place");
        let gone = tokio::spawn({
            let queue = queue.clone();
            async move { queue.enter(caller(2), None).await.map(drop) }
        });
        let late = tokio::spawn({
            let (queue, deadline) = (queue.clone(), Instant::now() + Duration::from_millis(1));
            async move { queue.enter(caller(3), Some(deadline)).await.map(drop) }
        });
        while queue.waiting() < 2 {
            tokio::task::yield_now().await;
        }
        gone.abort();
        while queue.waiting() > 1 {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
        drop(running);
        assert_eq!(
            late.await.expect("no panic").expect_err("too late").reason,
            Reason::Expired
        );
        assert_eq!(
            (
                queue.running(),
                queue.waiting(),
                queue.refused(Reason::Gone)
            ),
            (0, 0, 1)
        );
    }

    #[tokio::test]
    async fn a_caller_that_fills_the_queue_keeps_no_other_out_and_is_not_served_first() {
        let queue = queue(1, 4, Duration::ZERO);
        let running = queue.enter(caller(1), None).await.expect("a place");
        let served = Arc::new(Mutex::new(Vec::new()));
        let enter = |number: u16| {
            let (queue, served) = (queue.clone(), served.clone());
            tokio::spawn(async move {
                let permit = queue.enter(caller(number), None).await.expect("a place");
                served.lock().expect("no panic").push(number);
                drop(permit);
            })
        };
        let mut calls: Vec<_> = (0..4).map(|_| enter(1)).collect();
        while queue.waiting() < 4 {
            tokio::task::yield_now().await;
        }
        assert_eq!(refused(&queue, caller(1), None).await, Reason::Full);
        calls.push(enter(2));
        while queue.waiting() < 5 {
            tokio::task::yield_now().await;
        }
        drop(running);
        for call in calls {
            call.await.expect("served");
        }
        assert_eq!(*served.lock().expect("no panic"), [1, 2, 1, 1, 1]);
        assert_eq!((queue.running(), queue.waiting()), (0, 0));
    }

    #[tokio::test]
    async fn a_place_that_is_given_to_one_who_leaves_goes_to_the_next() {
        let queue = queue(1, 10, Duration::ZERO);
        for _ in 0..200 {
            let running = queue.enter(caller(1), None).await.expect("a place");
            let mut leaving = Box::pin(queue.enter(caller(2), None));
            assert!(futures::poll!(&mut leaving).is_pending());
            drop(running);
            drop(leaving);
            assert_eq!((queue.running(), queue.waiting()), (0, 0));
        }
    }
}
