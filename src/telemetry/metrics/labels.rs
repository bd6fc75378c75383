//! Values of labels that counters are made from: what is counted by one of them has its counter.

/// Kinds of cache entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cache {
    /// Profiles by id.
    Profiles,
    /// Which profiles hold an identifier or a record.
    Lookups,
    /// The latest objects of a profile.
    Objects,
}

impl Cache {
    /// All of them, in order of their numbers.
    pub(super) const ALL: [Self; 3] = [Self::Profiles, Self::Lookups, Self::Objects];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Profiles => "profiles",
            Self::Lookups => "lookups",
            Self::Objects => "objects",
        }
    }
}

/// Jobs that go over all tenants in the background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Rollups of records.
    Backfill,
    /// The index of segments.
    Segments,
    /// Statistics over all customers.
    Statistics,
    /// Frequencies of names and places.
    Frequencies,
}

impl Job {
    /// All of them, in order of their numbers.
    pub(super) const ALL: [Self; 4] = [
        Self::Backfill,
        Self::Segments,
        Self::Statistics,
        Self::Frequencies,
    ];

    /// The name in the log and in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Backfill => "recount",
            Self::Segments => "segments",
            Self::Statistics => "statistics",
            Self::Frequencies => "frequencies",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_at_its_number() {
        assert!(
            Cache::ALL
                .iter()
                .enumerate()
                .all(|(at, cache)| *cache as usize == at)
        );
        assert!(
            Job::ALL
                .iter()
                .enumerate()
                .all(|(at, job)| *job as usize == at)
        );
    }
}
