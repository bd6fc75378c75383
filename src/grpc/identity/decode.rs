//! From the wire: sides of a pair, and bounds of a probability.

use profile_core::records::{Reason, Violation};

use crate::explain::Side;
use crate::grpc::checked::Checked;
use crate::grpc::decode;
use crate::grpc::v1;

/// A side of a pair.
pub(super) fn side(side: Option<v1::PairSide>, field: &str) -> Checked<Side> {
    match side.and_then(|side| side.side) {
        None => Err(vec![Violation::required(field)]),
        Some(v1::pair_side::Side::Profile(name)) => {
            decode::profile(&name, &format!("{field}.profile")).map(Side::Profile)
        }
        Some(v1::pair_side::Side::Record(key)) => {
            decode::record(key, &format!("{field}.record")).map(Side::Record)
        }
    }
}

/// The least probability wanted, as evidence; 0 is none.
pub(super) fn min(probability: f64) -> Checked<Option<i32>> {
    bound("min_probability", probability)
}

/// The probability that is too much, as evidence; 0 is none.
pub(super) fn max(probability: f64) -> Checked<Option<i32>> {
    bound("max_probability", probability)
}

fn bound(field: &str, probability: f64) -> Checked<Option<i32>> {
    if !(0.0..=1.0).contains(&probability) {
        return Err(vec![Violation::new(
            Reason::Malformed,
            field,
            "must lie between 0 and 1",
        )]);
    }
    Ok((probability > 0.0).then(|| millibits(probability)))
}

/// The logarithm of the odds in thousandths of a bit.
#[expect(
    clippy::cast_possible_truncation,
    reason = "what is too large becomes the largest: Rust's casts saturate"
)]
fn millibits(probability: f64) -> i32 {
    ((probability / (1.0 - probability)).log2() * 1_000.0).round() as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::identity::encode::probability;

    #[test]
    fn the_probability_that_a_pair_is_told_with_bounds_it() {
        for weight in [-30_000, -1, 0, 1, 4_248, 20_000, 33_333] {
            assert_eq!(min(probability(weight)), Ok(Some(weight)));
        }
        assert_eq!((min(0.0), max(1.0)), (Ok(None), Ok(Some(i32::MAX))));
        for wrong in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert!(min(wrong).is_err() && max(wrong).is_err());
        }
    }
}
