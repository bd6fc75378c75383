//! States by day, by hour, or of all time.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::heap_size::{HeapSize, pack_map};

/// A day since 1970-01-01 on the model's calendar, or an hour since 1970 (UTC); 0 for all time.
pub type Bucket = i32;

/// A state for each bucket in which something happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    from = "Vec<(Bucket, S)>",
    into = "Vec<(Bucket, S)>",
    bound = "S: Clone + Serialize + serde::de::DeserializeOwned"
)]
pub struct Buckets<S>(BTreeMap<Bucket, S>);

impl<S> Default for Buckets<S> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<S> From<Vec<(Bucket, S)>> for Buckets<S> {
    fn from(pairs: Vec<(Bucket, S)>) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl<S> From<Buckets<S>> for Vec<(Bucket, S)> {
    fn from(buckets: Buckets<S>) -> Self {
        buckets.0.into_iter().collect()
    }
}

impl<S> Buckets<S> {
    /// Adds to a bucket; `sum` puts two states together.
    pub fn add(&mut self, bucket: Bucket, state: S, sum: impl FnOnce(&mut S, S)) {
        match self.0.entry(bucket) {
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(state);
            }
            std::collections::btree_map::Entry::Occupied(mut place) => sum(place.get_mut(), state),
        }
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self, sum: impl Fn(&mut S, S))
    where
        S: Clone,
    {
        for (bucket, state) in &other.0 {
            self.add(*bucket, state.clone(), &sum);
        }
    }

    /// The buckets of a range, in order.
    #[must_use]
    pub fn within(&self, range: &Range<Bucket>) -> impl DoubleEndedIterator<Item = (Bucket, &S)> {
        // A range that ends before it starts has nothing in it; the map's own would panic.
        let end = range.end.max(range.start);
        self.0
            .range(range.start..end)
            .map(|(bucket, state)| (*bucket, state))
    }

    /// Whether nothing has happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Drops what is before a bucket.
    pub(crate) fn drop_before(&mut self, bucket: Bucket) {
        if self
            .0
            .first_key_value()
            .is_some_and(|(first, _)| *first < bucket)
        {
            self.0 = self.0.split_off(&bucket);
        }
    }

    /// Packs what is to be kept for long.
    pub(super) fn pack(&mut self) {
        pack_map(&mut self.0);
    }
}

impl<S: HeapSize> HeapSize for Buckets<S> {
    fn heap_bytes(&self) -> usize {
        self.0.heap_bytes()
    }
}
