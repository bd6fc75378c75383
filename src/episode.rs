//! Failures that last: one log line when they begin, one when they are over.
//!
//! A collector, a disk, a pool or a listener that fails does so on every try, thousands of times.
//! An [`Episode`] logs the first failure and the end, with the duration and the number of failures
//! in between, and counts all of them. Register it with
//! [`Metrics::observe_episode`](crate::telemetry::Metrics::observe_episode) so that `/metrics`
//! shows it.
//!
//! Every method may be called from any thread and costs one atomic read while all is well.

use std::borrow::Cow;
use std::fmt::Display;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Something that can fail for a while.
#[derive(Debug)]
pub struct Episode {
    /// What fails, as log lines and the label `what` name it.
    what: Cow<'static, str>,
    /// Minimum time without a failure before an episode ends.
    calm: Duration,
    /// Failures since the start of the process.
    failures: AtomicU64,
    failing: AtomicBool,
    current: Mutex<Option<Current>>,
}

/// An episode that is not over.
#[derive(Debug)]
struct Current {
    began_at: Instant,
    last_failure_at: Instant,
    failures: u64,
}

impl Episode {
    /// An episode of `what`, for example `"OTLP export of traces"`. The first success ends it.
    #[must_use]
    pub const fn new(what: &'static str) -> Self {
        Self::with_calm(what, Duration::ZERO)
    }

    /// The same for what fails and succeeds in turns: only a success at least `calm` after the last
    /// failure ends the episode, so that a flapping dependency does not log two lines per flap.
    #[must_use]
    pub const fn with_calm(what: &'static str, calm: Duration) -> Self {
        let (failures, failing, current) =
            (AtomicU64::new(0), AtomicBool::new(false), Mutex::new(None));
        Self {
            what: Cow::Borrowed(what),
            calm,
            failures,
            failing,
            current,
        }
    }

    /// The same under a name that is made when the program runs.
    #[must_use]
    pub fn named(what: String, calm: Duration) -> Self {
        Self {
            what: Cow::Owned(what),
            ..Self::with_calm("", calm)
        }
    }

    /// Records a failure. Logs a warning with its reason when it is the first of an episode.
    /// Returns whether it is.
    ///
    /// `reason` must not hold personal data or credentials.
    pub fn failed(&self, reason: &dyn Display) -> bool {
        self.failures.fetch_add(1, Ordering::Relaxed);
        let mut current = self.lock();
        let now = Instant::now();
        if let Some(current) = &mut *current {
            current.failures += 1;
            current.last_failure_at = now;
            return false;
        }
        *current = Some(Current {
            began_at: now,
            last_failure_at: now,
            failures: 1,
        });
        self.failing.store(true, Ordering::Release);
        drop(current);
        tracing::warn!(what = %self.what, %reason, "began to fail; further failures are counted, not logged");
        true
    }

    /// Records a success. Logs the end of an episode, if there is one. Returns whether it ended.
    pub fn succeeded(&self) -> bool {
        if !self.is_failing() {
            return false;
        }
        let ended = self
            .lock()
            .take_if(|current| current.last_failure_at.elapsed() >= self.calm);
        let Some(Current {
            began_at, failures, ..
        }) = ended
        else {
            return false;
        };
        self.failing.store(false, Ordering::Release);
        let lasted_ms = u64::try_from(began_at.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(what = %self.what, failures, lasted_ms, "works again");
        true
    }

    /// Records the end of one try, and passes it on.
    ///
    /// # Errors
    /// That of the try.
    pub fn watch<T, E: Display>(&self, result: Result<T, E>) -> Result<T, E> {
        match &result {
            Ok(_) => self.succeeded(),
            Err(error) => self.failed(error),
        };
        result
    }

    /// Whether it fails now.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Acquire)
    }

    /// Failures since the start of the process.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// What fails.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    fn lock(&self) -> MutexGuard<'_, Option<Current>> {
        // No code between locking and unlocking panics.
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_episode_begins_once_and_ends_once() {
        let episode = Episode::new("a disk");
        assert_eq!((episode.succeeded(), episode.is_failing()), (false, false));
        assert_eq!(
            [
                episode.failed(&"full"),
                episode.failed(&"full"),
                episode.is_failing()
            ],
            [true, false, true]
        );
        assert_eq!(
            [
                episode.succeeded(),
                episode.succeeded(),
                episode.is_failing()
            ],
            [true, false, false]
        );
        assert_eq!((episode.failed(&"full"), episode.failures()), (true, 3));
    }

    #[test]
    fn a_success_amid_failures_does_not_end_the_episode() {
        let episode = Episode::with_calm("a disk", Duration::from_hours(1));
        episode.failed(&"full");
        assert_eq!(
            [
                episode.succeeded(),
                episode.failed(&"full"),
                episode.is_failing()
            ],
            [false, false, true]
        );
    }

    #[test]
    fn a_try_is_passed_on() {
        let episode = Episode::new("a disk");
        assert_eq!(episode.watch(Err::<(), _>("full")), Err("full"));
        assert_eq!(
            (episode.watch(Ok::<_, &str>(7)), episode.failures()),
            (Ok(7), 1)
        );
    }
}
