//! A clock that does not follow a jump at once.
//!
//! **The problem.** A machine's clock is set by operators, by NTP, by hypervisors and by batteries
//! that run out. One write at a time ten years ahead outweighs all later statements without times
//! of their own, and what is too old by such a clock is thrown away for good. A jump that corrects
//! a wrong clock must be followed all the same.
//!
//! **The choice.** Between two readings the clock must have gone as far as the monotonic clock,
//! which nobody can set. If it has not, the time goes on by the monotonic clock, and the jump is
//! logged. When the clock stays on its new course for ten minutes, it is followed; when it comes
//! back, nothing has happened. Jumps that are followed at once: a clock that goes on where a
//! machine has slept (the time since boot says how long), one that shows a time before this program
//! was written, and one that goes back within ten minutes of the start or of another jump (then it
//! is the earlier course that was wrong).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use profile_core::records::Timestamp;

use super::settle::is_plausible;
use super::{Clock, SystemClock};
use crate::telemetry::Episode;

/// The smallest difference that is a jump. NTP slews smaller ones.
const JUMP: Duration = Duration::from_secs(10);
/// How fast clocks may drift apart, as a part of the time: NTP slews by 1/2000 at most.
const DRIFT: u32 = 1000;
/// How long a clock must stay on a new course until it is followed.
const PROBATION: Duration = Duration::from_mins(10);

/// What a guard compares.
pub trait TimeSource: Send + Sync + 'static {
    /// The machine's clock, which can be set.
    fn wall(&self) -> Timestamp;

    /// Time since any fixed point, by a clock that cannot be set. It may stand still while the
    /// machine sleeps.
    fn monotonic(&self) -> Duration;

    /// The same by a clock that goes on while the machine sleeps; `None` where there is none.
    fn since_boot(&self) -> Option<Duration>;
}

/// The clocks of this machine.
#[derive(Debug)]
pub struct MachineTime {
    started_at: Instant,
}

impl Default for MachineTime {
    fn default() -> Self {
        Self {
            started_at: Instant::now(),
        }
    }
}

impl TimeSource for MachineTime {
    fn wall(&self) -> Timestamp {
        SystemClock.now()
    }

    fn monotonic(&self) -> Duration {
        self.started_at.elapsed()
    }

    fn since_boot(&self) -> Option<Duration> {
        // Linux counts time asleep here.
        let text = std::fs::read_to_string("/proc/uptime").ok()?;
        let seconds: f64 = text.split_whitespace().next()?.parse().ok()?;
        Duration::try_from_secs_f64(seconds).ok()
    }
}

/// A clock that does not follow a jump at once.
#[derive(Debug)]
pub struct GuardedClock<S = MachineTime> {
    source: S,
    course: Mutex<Course>,
    is_suspected: AtomicBool,
    episode: Arc<Episode>,
}

/// The course that the clock is believed to be on.
#[derive(Debug)]
struct Course {
    /// The last time that was believed, and when that was.
    wall: Timestamp,
    monotonic: Duration,
    /// Time asleep since boot, if it can be told.
    asleep: Option<Duration>,
    /// When this course began, by the monotonic clock.
    began_at: Duration,
    suspect: Option<Suspect>,
}

/// Another course that the clock seems to be on.
#[derive(Debug, Clone, Copy)]
struct Suspect {
    /// Microseconds ahead of the believed course.
    ahead: i64,
    since: Duration,
}

impl Default for GuardedClock {
    fn default() -> Self {
        Self::new(MachineTime::default())
    }
}

impl<S: TimeSource> GuardedClock<S> {
    /// A guard that believes the first reading.
    #[must_use]
    pub fn new(source: S) -> Self {
        let (wall, monotonic) = (source.wall(), source.monotonic());
        let asleep = asleep(&source);
        let course = Course {
            wall,
            monotonic,
            asleep,
            began_at: monotonic,
            suspect: None,
        };
        let episode = Arc::new(Episode::new("system clock"));
        Self {
            source,
            course: Mutex::new(course),
            is_suspected: AtomicBool::new(false),
            episode,
        }
    }

    /// Jumps of the clock.
    #[must_use]
    pub fn episode(&self) -> &Arc<Episode> {
        &self.episode
    }

    /// Whether the machine has slept for as long as the clock is ahead.
    fn has_slept(&self, course: &Course, ahead: i64) -> bool {
        let (Some(before), Some(now)) = (course.asleep, asleep(&self.source)) else {
            return false;
        };
        let slept = now.saturating_sub(before);
        slept > JUMP && ahead.abs_diff(micros(slept)) <= limit(Duration::ZERO)
    }

    /// Looks at a difference that is a jump. Returns whether it is to be followed.
    fn judge(&self, course: &mut Course, wall: Timestamp, monotonic: Duration, ahead: i64) -> bool {
        let elapsed = monotonic.saturating_sub(course.monotonic);
        let is_young = monotonic.saturating_sub(course.began_at) < PROBATION;
        if self.has_slept(course, ahead) {
            tracing::info!(seconds = ahead / 1_000_000, "the machine has slept");
            return true;
        }
        if !is_plausible(course.wall) || (ahead < 0 && is_young && is_plausible(wall)) {
            self.episode.failed(&format_args!(
                "it was set by {} s; the new time is believed",
                ahead / 1_000_000
            ));
            return true;
        }
        let same = |suspect: &Suspect| suspect.ahead.abs_diff(ahead) <= limit(elapsed);
        let Some(suspect) = course.suspect.filter(same) else {
            course.suspect = Some(Suspect {
                ahead,
                since: monotonic,
            });
            self.episode.failed(&format_args!(
                "it jumped by {} s; times go on by the monotonic clock, until it comes back or has stayed for {PROBATION:?}",
                ahead / 1_000_000
            ));
            return false;
        };
        // A time before this program was written is never followed.
        let is_over = monotonic.saturating_sub(suspect.since) >= PROBATION && is_plausible(wall);
        if is_over {
            tracing::warn!(
                seconds = ahead / 1_000_000,
                "the system clock stays on its new time; it is believed"
            );
        }
        is_over
    }
}

impl<S: TimeSource> Clock for GuardedClock<S> {
    fn now(&self) -> Timestamp {
        // Nothing panics between locking and unlocking.
        let mut course = self.course.lock().unwrap_or_else(PoisonError::into_inner);
        let (wall, monotonic) = (self.source.wall(), self.source.monotonic());
        let elapsed = monotonic.saturating_sub(course.monotonic);
        let expected = course.wall.as_micros().saturating_add(micros(elapsed));
        let ahead = wall.as_micros().saturating_sub(expected);
        let is_jump = ahead.unsigned_abs() > limit(elapsed);
        if is_jump && !self.judge(&mut course, wall, monotonic, ahead) {
            self.is_suspected.store(true, Ordering::Relaxed);
            return Timestamp::from_micros(expected);
        }
        if is_jump {
            course.began_at = monotonic;
            course.asleep = asleep(&self.source);
        }
        if is_jump || course.suspect.take().is_some() {
            course.suspect = None;
            self.is_suspected.store(false, Ordering::Relaxed);
            self.episode.succeeded();
        }
        (course.wall, course.monotonic) = (wall, monotonic);
        wall
    }

    fn is_steady(&self, period: Duration) -> bool {
        self.now();
        let course = self.course.lock().unwrap_or_else(PoisonError::into_inner);
        let steady = self.source.monotonic().saturating_sub(course.began_at);
        course.suspect.is_none() && steady >= period
    }
}

/// Time since boot that the monotonic clock has not counted: asleep, and before the point from
/// which it counts.
fn asleep(source: &impl TimeSource) -> Option<Duration> {
    source.since_boot()?.checked_sub(source.monotonic())
}

/// Microseconds that two clocks may differ after this time.
fn limit(elapsed: Duration) -> u64 {
    micros(JUMP + elapsed / DRIFT).unsigned_abs()
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
