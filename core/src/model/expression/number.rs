//! Numbers of expressions: whole or decimal, and always exact.
//!
//! CEL has three kinds of numbers, which its operators do not mix, and its fractions are binary. An
//! amount of 600 and one of 600.00 would be of two kinds. Here every number of a payload and every
//! literal is whole or decimal, and the operators take both. A result with more digits than a
//! decimal holds is an error, never a rounded guess. Only a division that does not end is rounded,
//! and what is computed from it: `total / 1.19 * 0.19` has a value.

use std::any::Any;
use std::cmp::Ordering;

use cel::common::traits::Zeroer;
use cel::common::types::{CelDouble, CelInt, Type};
use cel::common::value::{CowVal, StaticVal, Val};
use rust_decimal::{Decimal, RoundingStrategy};

use super::Fault;
use super::convert::decimal;

/// The type's name in expressions and messages.
pub(super) const DECIMAL: &str = "decimal";
/// Maximum number of decimal places of a number.
const MAX_SCALE: u32 = Decimal::MAX_SCALE;

pub(super) static DECIMAL_TYPE: Type = Type::new_unspecified_type(DECIMAL);
static UNKEPT_TYPE: Type = Type::new_unspecified_type("number with more digits than can be kept");

/// A decimal number as CEL holds it.
#[derive(Debug, Clone, Copy)]
pub(super) struct CelDecimal(pub(super) Decimal);

/// A number of a payload that has more digits than a decimal holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unkept;

impl Val for CelDecimal {
    fn get_type(&self) -> &Type {
        &DECIMAL_TYPE
    }

    fn cel_type() -> &'static Type {
        &DECIMAL_TYPE
    }

    fn as_zeroer(&self) -> Option<&dyn Zeroer> {
        Some(self)
    }

    fn equals(&self, other: &dyn Val) -> bool {
        Number::of(other).is_some_and(|other| Number::Decimal(self.0).compare(other).is_eq())
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(*self)
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for CelDecimal {}

impl Zeroer for CelDecimal {
    fn is_zero_value(&self) -> bool {
        self.0.is_zero()
    }
}

impl Val for Unkept {
    fn get_type(&self) -> &Type {
        &UNKEPT_TYPE
    }

    fn cel_type() -> &'static Type {
        &UNKEPT_TYPE
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(*self)
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Unkept {}

/// A number of an expression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Whole(i64),
    Decimal(Decimal),
}

/// A function of two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Number {
    pub(super) fn of(value: &dyn Val) -> Option<Self> {
        if let Some(whole) = value.downcast_ref::<CelInt>() {
            return Some(Self::Whole(*whole.inner()));
        }
        if let Some(CelDecimal(number)) = value.downcast_ref() {
            return Some(Self::Decimal(*number));
        }
        let literal = value.downcast_ref::<CelDouble>()?;
        of_literal(*literal.inner()).map(Self::Decimal)
    }

    pub(super) fn into_cel<'b, 'v>(self) -> CowVal<'b, 'v> {
        match self {
            Self::Whole(number) => CowVal::owned(CelInt::from(number)),
            Self::Decimal(number) => CowVal::owned(CelDecimal(number)),
        }
    }

    fn decimal(self) -> Decimal {
        match self {
            Self::Whole(number) => number.into(),
            Self::Decimal(number) => number,
        }
    }

    pub(super) fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Whole(one), Self::Whole(other)) => one.cmp(&other),
            (one, other) => one.decimal().cmp(&other.decimal()),
        }
    }

    pub(super) fn negated(self) -> Self {
        match self {
            Self::Whole(number) => number
                .checked_neg()
                .map_or_else(|| Self::Decimal(-Decimal::from(number)), Self::Whole),
            Self::Decimal(number) => Self::Decimal(-number),
        }
    }

    pub(super) fn abs(self) -> Self {
        if self.decimal().is_sign_negative() {
            self.negated()
        } else {
            self
        }
    }

    /// Rounds to a number of decimal places, a half away from zero.
    pub(super) fn rounded(self, places: i64) -> Result<Self, Fault> {
        let places = u32::try_from(places)
            .ok()
            .filter(|places| *places <= MAX_SCALE);
        let places = places.ok_or("round() takes a number of places from 0 to 28")?;
        let strategy = RoundingStrategy::MidpointAwayFromZero;
        Ok(match self {
            Self::Whole(number) => Self::Whole(number),
            Self::Decimal(number) if places > 0 => {
                Self::Decimal(number.round_dp_with_strategy(places, strategy))
            }
            Self::Decimal(number) => whole(number.round_dp_with_strategy(0, strategy)),
        })
    }

    pub(super) fn floor(self) -> Self {
        match self {
            Self::Whole(number) => Self::Whole(number),
            Self::Decimal(number) => whole(number.floor()),
        }
    }

    pub(super) fn ceil(self) -> Self {
        match self {
            Self::Whole(number) => Self::Whole(number),
            Self::Decimal(number) => whole(number.ceil()),
        }
    }

    /// Applies an operator to two numbers. The result of whole ones is whole, where it can be.
    ///
    /// # Errors
    /// A division by zero; a result with more digits than can be kept.
    pub(super) fn combine(self, operation: Operation, other: Self) -> Result<Self, Fault> {
        use Operation as O;
        if matches!(operation, O::Divide | O::Remainder) && other.decimal().is_zero() {
            return Err("a division by zero".into());
        }
        if let (Self::Whole(one), Self::Whole(other)) = (self, other) {
            let result = match operation {
                O::Add => one.checked_add(other),
                O::Subtract => one.checked_sub(other),
                O::Multiply => one.checked_mul(other),
                O::Divide if one.checked_rem(other) != Some(0) => None,
                O::Divide => one.checked_div(other),
                O::Remainder => one.checked_rem(other),
            };
            if let Some(result) = result {
                return Ok(Self::Whole(result));
            }
        }
        let (one, other) = (self.decimal(), other.decimal());
        let exact = |one: Decimal, other: Decimal| match operation {
            O::Add => sum(one, other),
            O::Subtract => sum(one, -other),
            O::Multiply => product(one, other),
            O::Divide => one.checked_div(other),
            O::Remainder => one.checked_rem(other),
        };
        // Without trailing zeros there may be room.
        exact(one, other)
            .or_else(|| exact(one.normalize(), other.normalize()))
            .or_else(|| rounded(one, operation, other))
            .map(Self::Decimal)
            .ok_or_else(|| "a number has more digits than can be kept".into())
    }
}

/// The result of an operator over a quotient that was rounded, rounded too. `None`: neither number
/// is one, or the result is too great.
fn rounded(one: Decimal, operation: Operation, other: Decimal) -> Option<Decimal> {
    /// The least number of 28 digits: a quotient that does not end has as many.
    const FULL: u128 = 10_u128.pow(27);
    let is_full = |number: Decimal| number.scale() > 0 && number.mantissa().unsigned_abs() >= FULL;
    if !is_full(one) && !is_full(other) {
        return None;
    }
    match operation {
        Operation::Add => one.checked_add(other),
        Operation::Subtract => one.checked_sub(other),
        Operation::Multiply => one.checked_mul(other),
        Operation::Divide | Operation::Remainder => None,
    }
}

/// A decimal without fraction as a whole number, where it is one.
fn whole(number: Decimal) -> Number {
    i64::try_from(number).map_or(Number::Decimal(number), Number::Whole)
}

fn sum(one: Decimal, other: Decimal) -> Option<Decimal> {
    let scale = one.scale().max(other.scale());
    let scaled = |number: Decimal| {
        let power = 10_i128.checked_pow(scale - number.scale())?;
        number.mantissa().checked_mul(power)
    };
    let sum = scaled(one)?.checked_add(scaled(other)?)?;
    Decimal::try_from_i128_with_scale(sum, scale).ok()
}

fn product(one: Decimal, other: Decimal) -> Option<Decimal> {
    let product = one.mantissa().checked_mul(other.mantissa())?;
    Decimal::try_from_i128_with_scale(product, one.scale() + other.scale()).ok()
}

/// The number that a literal with a fraction is: the fewest digits that mean this double.
pub(super) fn of_literal(literal: f64) -> Option<Decimal> {
    /// Below it a whole double has neighbours of its own in 16 digits.
    const EXACT: f64 = 1e15;
    let mut power = 1.0;
    for scale in 0..6 {
        let scaled = literal * power;
        if scaled.fract() == 0.0 && scaled.abs() < EXACT {
            #[expect(clippy::cast_possible_truncation, reason = "whole, and below 10^15")]
            let mantissa = scaled as i64;
            #[expect(
                clippy::cast_precision_loss,
                clippy::float_cmp,
                reason = "below 10^15; it is to be the same double"
            )]
            if (mantissa as f64) / power == literal {
                return Some(Decimal::new(mantissa, scale));
            }
        }
        power *= 10.0;
    }
    decimal(&format!("{literal:?}"))
}

/// Whether a literal means the digits that it is written with.
pub(super) fn literal_is_kept(written: &str) -> bool {
    let read: Option<f64> = written.parse().ok();
    let kept = read.and_then(of_literal);
    kept.is_some() && kept == decimal(written)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> Number {
        let whole = text.parse().ok().map(Number::Whole);
        whole.unwrap_or_else(|| Number::Decimal(decimal(text).expect(text)))
    }

    fn told(one: &str, operation: Operation, other: &str) -> String {
        match number(one).combine(operation, number(other)) {
            Ok(Number::Whole(number)) => number.to_string(),
            Ok(Number::Decimal(number)) => number.to_string(),
            Err(fault) => fault.to_string(),
        }
    }

    #[test]
    fn arithmetic_keeps_every_digit_or_refuses() {
        use Operation as O;
        for (one, operation, other, expected) in [
            ("17.99", O::Subtract, "1.28", "16.71"),
            ("12.50", O::Subtract, "2.50", "10.00"),
            ("0.1", O::Add, "0.2", "0.3"),
            ("600", O::Divide, "2", "300"),
            ("600.00", O::Divide, "2", "300.00"),
            ("1999", O::Divide, "100", "19.99"),
            ("1999", O::Remainder, "100", "99"),
            ("-7", O::Remainder, "2", "-1"),
            ("7.5", O::Remainder, "2", "1.5"),
            ("2", O::Divide, "3", "0.6666666666666666666666666667"),
            ("9223372036854775807", O::Add, "1", "9223372036854775808"),
            (
                "9223372036854775807",
                O::Multiply,
                "10",
                "92233720368547758070",
            ),
            ("1", O::Divide, "0.00", "a division by zero"),
            ("0", O::Remainder, "0", "a division by zero"),
            (
                "79228162514264337593543950335",
                O::Add,
                "0.1",
                "a number has more digits than can be kept",
            ),
            (
                "0.123456789012345",
                O::Multiply,
                "0.123456789012345",
                "a number has more digits than can be kept",
            ),
            (
                "0.100000000000000",
                O::Multiply,
                "0.100000000000000",
                "0.01",
            ),
        ] {
            assert_eq!(
                told(one, operation, other),
                expected,
                "{one} {operation:?} {other}"
            );
        }
    }

    #[test]
    fn rounding_is_half_away_from_zero() {
        for (text, places, expected) in [
            ("2.345", 2, Number::Decimal(Decimal::new(235, 2))),
            ("-2.345", 2, Number::Decimal(Decimal::new(-235, 2))),
            ("2.5", 0, Number::Whole(3)),
            ("7", 2, Number::Whole(7)),
        ] {
            assert_eq!(number(text).rounded(places), Ok(expected), "{text}");
        }
        assert!(number("1.5").rounded(-1).is_err() && number("1.5").rounded(29).is_err());
        assert_eq!(number("-1.5").floor(), Number::Whole(-2));
        assert_eq!(number("-1.5").ceil(), Number::Whole(-1));
        assert_eq!(number("-1.5").abs(), number("1.5"));
        assert_eq!(
            number("-9223372036854775808").abs(),
            number("9223372036854775808")
        );
    }

    proptest! {
        #[test]
        fn a_literal_is_the_number_that_is_written(mantissa in -999_999_999_999_999_i64..999_999_999_999_999, scale in 0_u32..12) {
            let written = Decimal::new(mantissa, scale);
            let text = if scale == 0 { format!("{written}.0") } else { written.to_string() };
            prop_assert!(literal_is_kept(&text), "{}", text);
        }

        #[test]
        fn what_is_added_can_be_taken_away(one in any::<i64>(), a in 0_u32..9, other in any::<i64>(), b in 0_u32..9) {
            let (one, other) = (Number::Decimal(Decimal::new(one, a)), Number::Decimal(Decimal::new(other, b)));
            let sum = one.combine(Operation::Add, other).expect("has room");
            let back = sum.combine(Operation::Subtract, other).expect("has room");
            prop_assert!(back.compare(one).is_eq());
        }
    }
}
