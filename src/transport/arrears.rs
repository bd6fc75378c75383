//! How far a client is behind with what it takes.
//!
//! A client that takes a byte now and then is never idle, and could hold an answer for ever. So the
//! time for which the server waits for a client adds up, and what the client takes pays it back at
//! [`MIN_BYTES_PER_SECOND`]. A client that is slower than that is cut off once it owes as much time
//! as a client that takes nothing may take.

use std::time::Duration;

/// The slowest rate at which a client may take an answer for long.
const MIN_BYTES_PER_SECOND: u32 = 1024;

/// The time that a client owes.
#[derive(Debug, Default)]
pub(super) struct Arrears(Duration);

impl Arrears {
    /// The client took this number of bytes after the server had waited this long.
    pub(super) fn took(&mut self, bytes: usize, waited: Duration) {
        let paid = Duration::from_secs(bytes as u64) / MIN_BYTES_PER_SECOND;
        self.0 = (self.0 + waited).saturating_sub(paid);
    }

    /// The time owed so far.
    pub(super) fn owed(&self) -> Duration {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_drips_is_in_arrears_and_a_slow_one_is_not() {
        let (mut drips, mut slow) = (Arrears::default(), Arrears::default());
        for _ in 0..10 {
            drips.took(1, Duration::from_secs(1));
            slow.took(2048, Duration::from_secs(1));
        }
        assert!(drips.owed() > Duration::from_secs(9), "{drips:?}");
        assert_eq!(slow.owed(), Duration::ZERO);
        drips.took(1 << 20, Duration::from_secs(1));
        assert_eq!(drips.owed(), Duration::ZERO, "what is taken pays back");
    }
}
