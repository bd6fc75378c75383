//! A clock that is set by hand.

use std::sync::atomic::{AtomicI64, Ordering};

use profile_core::records::Timestamp;

use customer_profile::clock::Clock;

/// A clock that is set by hand.
#[derive(Default)]
pub(crate) struct SetClock(AtomicI64);

impl SetClock {
    /// Set to a time in RFC 3339.
    pub(crate) fn at(text: &str) -> Self {
        let clock = Self::default();
        clock.set(instant(text));
        clock
    }

    pub(crate) fn set(&self, time: Timestamp) {
        self.0.store(time.as_micros(), Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// A time in RFC 3339.
pub(crate) fn instant(text: &str) -> Timestamp {
    Timestamp::from_micros(
        text.parse::<jiff::Timestamp>()
            .expect("a time")
            .as_microsecond(),
    )
}
