//! The scale of evidence: thousandths of a bit, computed with integers so that they are the same on
//! every machine.

/// The binary logarithm of `numerator / denominator` in millibits, rounded towards zero to within
/// 2; zero where either is zero.
///
/// # Examples
/// ```
/// use profile_core::model::matching::log2_millibits;
/// assert_eq!(log2_millibits(8, 1), 3_000);
/// assert_eq!(log2_millibits(1, 1_024), -10_000);
/// assert!(log2_millibits(3, 2).abs_diff(585) <= 2);
/// ```
#[must_use]
pub fn log2_millibits(numerator: u64, denominator: u64) -> i32 {
    if numerator == 0 || denominator == 0 {
        return 0;
    }
    log2(numerator) - log2(denominator)
}

/// By repeated squaring: each square of the mantissa gives one binary digit of the logarithm.
fn log2(number: u64) -> i32 {
    let whole = number.ilog2();
    // 1 ≤ mantissa < 2, with 31 binary places.
    let mut mantissa = if whole > 31 {
        number >> (whole - 31)
    } else {
        number << (31 - whole)
    };
    let mut fraction = 0u32;
    for _ in 0..16 {
        mantissa = (mantissa * mantissa) >> 31;
        fraction <<= 1;
        if mantissa >= 1 << 32 {
            mantissa >>= 1;
            fraction |= 1;
        }
    }
    let millibits = whole * 1_000 + ((fraction * 1_000) >> 16);
    i32::try_from(millibits).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(
        clippy::cast_precision_loss,
        reason = "the test compares with floating point"
    )]
    fn the_logarithm_is_right_to_two_millibits() {
        for (a, b) in [
            (1u64, 3u64),
            (7, 2),
            (999_999_937, 1),
            (u64::MAX, 5),
            (123_456, 987_654_321),
        ] {
            let exact = ((a as f64).log2() - (b as f64).log2()) * 1_000.0;
            assert!(
                (f64::from(log2_millibits(a, b)) - exact).abs() < 2.1,
                "{a}/{b}"
            );
        }
    }
}
