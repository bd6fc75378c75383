//! A state as it was kept by day: for those who ask for more than one answer of it.

use super::{Amount, Placed, State};
use crate::records::rollup::{Bucket, Buckets};
use crate::records::{Timestamp, Value};

impl State {
    /// How many events there were by day, of a count.
    pub fn counts_by_day(&self) -> impl Iterator<Item = (Bucket, u64)> {
        let buckets = if let Self::Count(buckets) = self {
            Some(buckets)
        } else {
            None
        };
        buckets
            .into_iter()
            .flat_map(all)
            .map(|(day, count)| (day, *count))
    }

    /// What their values came to by day, of a sum.
    pub fn amounts_by_day(&self) -> impl Iterator<Item = (Bucket, Amount)> {
        let buckets = if let Self::Amount(buckets) = self {
            Some(buckets)
        } else {
            None
        };
        buckets
            .into_iter()
            .flat_map(all)
            .map(|(day, amount)| (day, *amount))
    }

    /// How often each value came by day, of values that are counted one by one. In order of value.
    pub fn values_by_day(&self) -> impl Iterator<Item = (&Value, Bucket, u64)> {
        let counts = if let Self::Values(values) = self {
            Some(&values.counts)
        } else {
            None
        };
        let by_day = |(value, buckets)| all(buckets).map(move |(day, count)| (value, day, *count));
        counts.into_iter().flatten().flat_map(by_day)
    }

    /// How many came of values that are not counted one by one. Of which day is not known.
    #[must_use]
    pub fn uncounted_values(&self) -> u64 {
        if let Self::Values(values) = self {
            values.others
        } else {
            0
        }
    }

    /// When the last event was and its value, of first and last.
    #[must_use]
    pub fn last_of_all(&self) -> Option<(Timestamp, &Value)> {
        let Self::Ends(buckets) = self else {
            return None;
        };
        let Placed(time, .., value) = all(buckets).map(|(_, (_, last))| last).max()?;
        Some((*time, value))
    }
}

fn all<S>(buckets: &Buckets<S>) -> impl Iterator<Item = (Bucket, &S)> {
    buckets.within(&(Bucket::MIN..Bucket::MAX))
}
