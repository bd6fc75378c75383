//! How much memory a state takes.

use super::{Amount, Placed, State, Values};
use crate::heap_size::{HeapSize, heap_size, pack_map, plain_size};
use crate::records::rollup::Buckets;

plain_size!(Amount);

heap_size! {
    Values { counts, others }
}

impl HeapSize for Placed {
    fn heap_bytes(&self) -> usize {
        let Self(_, source, event_id, value) = self;
        source.heap_bytes() + event_id.heap_bytes() + value.heap_bytes()
    }
}

impl HeapSize for State {
    fn heap_bytes(&self) -> usize {
        match self {
            Self::Count(buckets) => buckets.heap_bytes(),
            Self::Amount(buckets) => buckets.heap_bytes(),
            Self::Extremes(buckets) => buckets.heap_bytes(),
            Self::Ends(buckets) => buckets.heap_bytes(),
            Self::Values(values) => values.heap_bytes(),
            Self::Distinct(distinct) => distinct.heap_bytes(),
            Self::Latest(_) => 0,
            Self::Objects(objects) => objects.heap_bytes(),
        }
    }
}

impl State {
    /// Packs what is to be kept for long.
    pub(crate) fn pack(&mut self) {
        match self {
            Self::Count(buckets) => buckets.pack(),
            Self::Amount(buckets) => buckets.pack(),
            Self::Extremes(buckets) => buckets.pack(),
            Self::Ends(buckets) => buckets.pack(),
            Self::Values(values) => {
                values.counts.values_mut().for_each(Buckets::pack);
                pack_map(&mut values.counts);
            }
            Self::Distinct(distinct) => distinct.pack(),
            Self::Latest(_) => {}
            Self::Objects(objects) => objects.pack(),
        }
    }
}
