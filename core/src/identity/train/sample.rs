//! Random pairs, the same ones for the same number of records.

use super::Counts;
use crate::identity::compare::score;
use crate::identity::context::Context;
use crate::identity::features::Features;
use crate::model::matching::{AgreementLevel, Field, Weights};

/// How often random pairs meet each level.
pub(super) fn random_levels(
    all: &[&Features],
    weights: &Weights,
    context: &Context,
    most: usize,
) -> Counts {
    let mut counts: Counts = [[0.0; AgreementLevel::COUNT]; Field::ALL.len()];
    if all.len() < 2 {
        return counts;
    }
    let possible = all.len() * (all.len() - 1) / 2;
    let mut random = Random(0x5eed);
    for _ in 0..most.min(possible) {
        let (a, b) = (random.below(all.len()), random.below(all.len()));
        if a == b {
            continue;
        }
        let score = score(all[a], all[b], weights, context);
        // A set has records of one person, which say nothing of two.
        let of_two = 1.0 - super::probability(score.millibits);
        for field in Field::ALL {
            counts[field as usize][score.level(field) as usize] += of_two;
        }
    }
    for field in &mut counts {
        field[AgreementLevel::Missing as usize] = 0.0;
    }
    counts
}

/// `SplitMix64`: small, and the same on every machine.
///
/// Source: Steele, Lea, Flood, *Fast splittable pseudorandom number generators*, 2014.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX);
        usize::try_from(self.next() % bound).unwrap_or(0)
    }
}
