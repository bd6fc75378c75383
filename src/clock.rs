//! Time as an argument: nothing in this crate asks the machine for the time except [`SystemClock`].
//!
//! A machine's clock can be wrong, and can be set while the server runs. A server goes by a
//! [`GuardedClock`], which does not follow a jump at once, and each write settles (`settle`) what a
//! wrong clock has left behind. What it cannot know by itself, that the clock was wrong from the
//! start, the server asks of the database (`database.max_clock_difference`).
//!
//! # Differences between clocks
//!
//! Each rule has a number of its own, since each asks another question:
//!
//! | difference | question | where |
//! |---|---|---|
//! | 10 s | Is it more than NTP's ordinary error, so that somebody has to look closer? | a jump in `guard`, times in the future in `settle` |
//! | 1 min | A reader asks for a time: are writes after the present his to see? Up to here their order is believed; beyond, a clock was ahead and the present is what the last write left. | `reader::as_of` |
//! | 5 min (a setting) | Is the server's clock so wrong that it must write nothing? | `server::time` |
//! | 10 min | For how long must a clock stay on a new course until it is followed? | `guard` |
//! | 1 h without a write | Which of two clocks was wrong, the one of earlier writes or the present one? No difference, but a gap: where writes go on through that hour, they are right. | `settle` |

mod guard;
mod settle;

use std::time::Duration;

use profile_core::records::Timestamp;

pub use guard::{GuardedClock, MachineTime, TimeSource};
pub(crate) use settle::{is_unsettled, settle};

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// The present instant.
    fn now(&self) -> Timestamp;

    /// Whether the clock has gone evenly for at least this long. What cannot be undone, such as
    /// throwing away what is old, waits for it.
    fn is_steady(&self, _period: Duration) -> bool {
        true
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the machine's clock"
        )]
        let now = jiff::Timestamp::now();
        Timestamp::from_micros(now.as_microsecond())
    }
}

/// A clock that stands still, for tests.
impl Clock for Timestamp {
    fn now(&self) -> Timestamp {
        *self
    }
}
