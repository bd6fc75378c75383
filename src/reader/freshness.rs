//! How fresh a read must be, and what that requires of a cached entry.

use std::time::{Duration, Instant};

use profile_core::records::Sequence;

use super::Reader;
use super::cache::{Limits, Requirement};
use crate::changes::TenantTail;

/// How long a read waits for an overdue read of the change log before it asks the store itself.
const PROOF_WAIT: Duration = Duration::from_millis(250);

/// How fresh a read must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Freshness {
    /// As fresh as what this server's cache counts as current.
    #[default]
    MinimizeLatency,
    /// At least this write, by whichever server.
    AtLeast(Sequence),
    /// Every write that was answered this long ago or longer.
    MaxStaleness(Duration),
    /// Every write that was answered.
    Full,
}

impl Freshness {
    /// The write that an answer must reflect.
    fn sequence(self) -> Sequence {
        match self {
            Self::AtLeast(sequence) => sequence,
            Self::MinimizeLatency | Self::MaxStaleness(_) | Self::Full => Sequence(0),
        }
    }

    /// The age up to which an entry counts as current; first with the store available, then without
    /// it. `None` allows no cached entry.
    fn max_age(self, limits: Limits) -> Option<(Duration, Duration)> {
        match self {
            Self::MinimizeLatency | Self::AtLeast(_) => {
                Some((limits.max_staleness, limits.max_staleness_when_away))
            }
            Self::MaxStaleness(staleness) => Some((staleness, staleness)),
            Self::Full => None,
        }
    }
}

impl Reader {
    /// What a cached entry must meet now. If the cache is not current enough for that, the change
    /// log is read first.
    pub(super) async fn requirement(&self, tail: &TenantTail, freshness: Freshness) -> Requirement {
        let now = Instant::now();
        // A process that is younger than the age has no entry that is too old.
        let since = |age: Duration| now.checked_sub(age).unwrap_or(now);
        let max_age = freshness.max_age(self.limits);
        let known_since = max_age.map(|(age, _)| since(age));
        let stale_since = max_age.map(|(_, age)| since(age));
        let mut proof = tail.proof();
        let overdue = known_since.is_some_and(|since| proof.known_at < since || tail.rests());
        if overdue && self.follower.is_there() {
            proof = self.follower.prove(tail, PROOF_WAIT).await;
        }
        Requirement {
            proof,
            sequence: freshness.sequence(),
            known_since,
            stale_since,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn each_level_bounds_the_age_of_what_is_cached() {
        let limits = Limits::from(&Config::defaults());
        let usual = Some((limits.max_staleness, limits.max_staleness_when_away));
        let second = Duration::from_secs(1);
        for (freshness, max_age, sequence) in [
            (Freshness::MinimizeLatency, usual, 0),
            (Freshness::AtLeast(Sequence(7)), usual, 7),
            // The caller's bound holds whether or not the database is there.
            (Freshness::MaxStaleness(second), Some((second, second)), 0),
            (
                Freshness::MaxStaleness(Duration::ZERO),
                Some((Duration::ZERO, Duration::ZERO)),
                0,
            ),
            (Freshness::Full, None, 0),
        ] {
            assert_eq!(freshness.max_age(limits), max_age, "{freshness:?}");
            assert_eq!(freshness.sequence(), Sequence(sequence), "{freshness:?}");
        }
        assert!(limits.max_staleness <= limits.max_staleness_when_away);
    }
}
