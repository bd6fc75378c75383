//! Time as an argument: nothing in this crate asks the machine for the time except [`SystemClock`].
//!
//! A machine's clock can be wrong, and can be set while the server runs. A server goes by a [`GuardedClock`], which does not
//! follow a jump at once, and each write settles (`settle`) what a wrong clock has left behind.

mod guard;
mod settle;

use std::time::Duration;

use profile_core::records::Timestamp;

pub use guard::{GuardedClock, MachineTime, TimeSource};
pub(crate) use settle::settle;

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// The present instant.
    fn now(&self) -> Timestamp;

    /// Whether the clock has gone evenly for at least this long. What cannot be undone, such as throwing away what is old,
    /// waits for it.
    fn is_steady(&self, _period: Duration) -> bool {
        true
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
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
