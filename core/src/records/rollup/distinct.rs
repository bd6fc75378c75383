//! How many different values there were: exact up to a bound, from there on estimated.
//!
//! Kept are the hashes of values, the least ones: when there are more than [`MAX_KEPT`], the
//! greatest goes and bounds what is taken from then on. The least hashes of all are the least of
//! the least of each part, so the order of events and of merges does not matter. As hashes are
//! spread evenly, the share of all hashes that is below the bound tells how many there are in all,
//! with a standard error of about 1/√1024 = 3 %. (Bar-Yossef et al., *Counting distinct elements in
//! a data stream*, 2002, and Dasgupta et al., *A framework for estimating stream expression
//! cardinalities*, 2016.)

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

use super::Bucket;
use crate::heap_size::{heap_size, pack_map, pack_set};
use crate::records::Value;

/// How many hashes are kept: as many values are counted exactly.
const MAX_KEPT: usize = 1024;

/// Different values, with the buckets in which they were.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Distinct {
    /// Hashes from here on are not kept; none: all are.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    bound: Option<u64>,
    #[serde(rename = "h", with = "pairs")]
    seen: BTreeMap<u64, BTreeSet<Bucket>>,
}

impl Distinct {
    /// Adds a value.
    pub fn add(&mut self, bucket: Bucket, value: &Value) {
        let mut hasher = SipHasher13::new();
        // A value is written in one way only.
        hasher.write(serde_json::to_string(value).unwrap_or_default().as_bytes());
        let hash = hasher.finish();
        if self.bound.is_none_or(|bound| hash < bound) {
            self.seen.entry(hash).or_default().insert(bucket);
            self.shrink();
        }
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        self.bound = match (self.bound, other.bound) {
            (Some(bound), Some(other)) => Some(bound.min(other)),
            (bound, other) => bound.or(other),
        };
        for (hash, buckets) in &other.seen {
            self.seen.entry(*hash).or_default().extend(buckets);
        }
        if let Some(bound) = self.bound {
            drop(self.seen.split_off(&bound));
        }
        self.shrink();
    }

    fn shrink(&mut self) {
        while self.seen.len() > MAX_KEPT {
            self.bound = self.seen.pop_last().map(|(hash, _)| hash);
        }
    }

    /// How many different values were in a range, and whether that is an estimate.
    #[must_use]
    pub fn count(&self, range: &Range<Bucket>) -> (u64, bool) {
        let counts = |buckets: &&BTreeSet<Bucket>| buckets.range(range.clone()).next().is_some();
        let kept = self.seen.values().filter(counts).count() as u64;
        let Some(bound) = self.bound else {
            return (kept, false);
        };
        let all = u128::from(kept) * (u128::from(u64::MAX) + 1) / u128::from(bound.max(1));
        (u64::try_from(all).unwrap_or(u64::MAX), true)
    }

    /// The first bucket from one on in which there was a value.
    #[must_use]
    pub(crate) fn first_from(&self, bucket: Bucket) -> Option<Bucket> {
        self.seen
            .values()
            .filter_map(|buckets| buckets.range(bucket..).next().copied())
            .min()
    }

    /// Drops what was only before a bucket.
    pub(crate) fn drop_before(&mut self, bucket: Bucket) {
        self.seen.retain(|_, buckets| {
            *buckets = buckets.split_off(&bucket);
            !buckets.is_empty()
        });
    }

    /// Packs what is to be kept for long.
    pub(super) fn pack(&mut self) {
        self.seen.values_mut().for_each(pack_set);
        pack_map(&mut self.seen);
    }
}

heap_size! {
    Distinct { bound, seen }
}

/// A map whose keys are numbers, as a list.
mod pairs {
    use std::collections::{BTreeMap, BTreeSet};

    use serde::{Deserialize, Deserializer, Serializer};

    use super::Bucket;

    type Seen = BTreeMap<u64, BTreeSet<Bucket>>;

    pub(super) fn serialize<S: Serializer>(seen: &Seen, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(seen.iter())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Seen, D::Error> {
        Ok(Vec::<(u64, BTreeSet<Bucket>)>::deserialize(deserializer)?
            .into_iter()
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = i64>) -> Distinct {
        let mut distinct = Distinct::default();
        values
            .into_iter()
            .for_each(|value| distinct.add(0, &Value::Int(value)));
        distinct
    }

    #[test]
    fn up_to_the_bound_it_is_exact() {
        assert_eq!(of((0..1024).chain(0..1024)).count(&(0..1)), (1024, false));
    }

    #[test]
    fn beyond_the_bound_it_is_within_a_tenth() {
        for count in [1025, 5_000, 100_000] {
            let (told, approximate) = of(0..count).count(&(0..1));
            let off = told.abs_diff(count.unsigned_abs());
            assert!(
                approximate && off * 10 < count.unsigned_abs(),
                "{count}: {told}"
            );
        }
    }

    #[test]
    fn the_parts_in_any_order_are_the_whole() {
        let (a, b, c) = (of(0..900), of(500..3_000), of(2_500..2_600));
        let sum = |parts: [&Distinct; 3]| {
            let mut all = Distinct::default();
            for part in parts {
                all.merge(part);
            }
            all
        };
        assert_eq!(sum([&a, &b, &c]), of(0..3_000));
        assert_eq!(sum([&c, &b, &a]), of((0..3_000).rev()));
    }
}
