//! How right a partition is, against the true one.
//!
//! Pairwise: of the pairs of records that are together, how many should be (precision), and of
//! those that should be, how many are (recall). B-cubed: the same asked of each record's own
//! cluster, on average over the records, so that large clusters do not count for more than their
//! records.

use std::collections::HashMap;

/// The figures of one partition.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Figures {
    pub(crate) pairwise: Agreement,
    pub(crate) b_cubed: Agreement,
    pub(crate) largest: usize,
    pub(crate) clusters: usize,
}

/// Precision and recall.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Agreement {
    pub(crate) precision: f64,
    pub(crate) recall: f64,
}

impl Agreement {
    /// The harmonic mean of both.
    pub(crate) fn f1(self) -> f64 {
        match self.precision + self.recall {
            0.0 => 0.0,
            sum => 2.0 * self.precision * self.recall / sum,
        }
    }
}

/// A record: which cluster it was found to be in, which it is in in truth, and, where only pairs of
/// records of different sources count, its source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed<'a> {
    pub(crate) found: &'a str,
    pub(crate) truth: &'a str,
    pub(crate) source: &'a str,
}

/// The figures of a partition; with `across`, pairs within a source do not count.
pub(crate) fn measure(records: &[Placed<'_>], across: bool) -> Figures {
    let found = sizes(records.iter().map(|record| record.found));
    let truth = sizes(records.iter().map(|record| record.truth));
    let both = sizes(records.iter().map(|record| (record.found, record.truth)));
    let mut pairs = [
        count_pairs(both.values()),
        count_pairs(found.values()),
        count_pairs(truth.values()),
    ];
    if across {
        let source = |record: &Placed<'_>| record.source.to_owned();
        let within = [
            count_pairs(sizes(records.iter().map(|r| (r.found, r.truth, source(r)))).values()),
            count_pairs(sizes(records.iter().map(|r| (r.found, source(r)))).values()),
            count_pairs(sizes(records.iter().map(|r| (r.truth, source(r)))).values()),
        ];
        for (all, within) in pairs.iter_mut().zip(within) {
            *all -= within;
        }
    }
    let [right, together, wanted] = pairs;
    let mean = |of: &dyn Fn(&Placed<'_>) -> f64| {
        records.iter().map(of).sum::<f64>() / float(records.len().max(1))
    };
    let common = |record: &Placed<'_>| float(both[&(record.found, record.truth)]);
    Figures {
        pairwise: Agreement {
            precision: share(right, together),
            recall: share(right, wanted),
        },
        b_cubed: Agreement {
            precision: mean(&|record| common(record) / float(found[record.found])),
            recall: mean(&|record| common(record) / float(truth[record.truth])),
        },
        largest: found.values().copied().max().unwrap_or(0),
        clusters: found.len(),
    }
}

fn sizes<K: Eq + std::hash::Hash>(keys: impl Iterator<Item = K>) -> HashMap<K, usize> {
    let mut sizes = HashMap::new();
    for key in keys {
        *sizes.entry(key).or_default() += 1;
    }
    sizes
}

fn count_pairs<'a>(sizes: impl Iterator<Item = &'a usize>) -> usize {
    sizes.map(|size| size * (size - 1) / 2).sum()
}

/// Nothing said is nothing wrong.
pub(crate) fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        1.0
    } else {
        float(part) / float(whole)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of records and pairs are far below 2^52"
)]
pub(crate) fn float(count: usize) -> f64 {
    count as f64
}
