//! Waiting before a try again.

use std::time::Duration;

use crate::transport::random;

/// A time within a quarter of the given one, another each time, so that those who failed together
/// do not come back together.
#[must_use]
pub fn jittered(time: Duration) -> Duration {
    let random = u32::try_from(random() >> 32).unwrap_or_default();
    time.mul_f64(0.75 + 0.5 * f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_differ_and_stay_within_a_quarter() {
        let waits: Vec<Duration> = (0..100).map(|_| jittered(Duration::from_secs(4))).collect();
        assert!(
            waits
                .iter()
                .all(|wait| (3.0..=5.0).contains(&wait.as_secs_f64())),
            "{waits:?}"
        );
        assert!(waits.iter().any(|wait| *wait != waits[0]), "{waits:?}");
    }
}
