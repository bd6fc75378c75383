//! Operators of expressions, in place of CEL's own.
//!
//! - Numbers are exact, and whole and decimal ones mix ([`super::number`]).
//! - What is computed from null is null, as in SQL; equality alone takes it, so that `x != null`
//!   asks whether there is an `x`. A blank text is null too.
//! - A text beside a time is read as a time: JSON has none.
//! - A text that reads as the number or the boolean beside it is not compared with it: the answer
//!   would be a false "no". That is an error.
//!
//! [`super::rewrite`] puts them into a program. Each charges the meter itself.

use std::cmp::Ordering;

use cel::common::types::{
    CelBool, CelDuration, CelInt, CelNull, CelString, CelTimestamp, CelType, DYN_TYPE, Type,
};
use cel::common::value::{CowVal, Val};
use cel::{DeclarationError, Env, ExecutionError};

use super::budget::{charge_made, charge_read};
use super::convert::Conversion;
use super::equality::{equality, is_in};
use super::number::{DECIMAL, DECIMAL_TYPE, Number, Operation};
use super::time::current;
use super::{Fault, elements};
use crate::records::Value;

pub(super) const ADD: &str = "@add";
pub(super) const SUBTRACT: &str = "@subtract";
pub(super) const MULTIPLY: &str = "@multiply";
pub(super) const DIVIDE: &str = "@divide";
pub(super) const REMAINDER: &str = "@remainder";
pub(super) const NEGATE: &str = "@negate";
pub(super) const EQUAL: &str = "@equal";
pub(super) const UNEQUAL: &str = "@unequal";
pub(super) const LESS: &str = "@less";
pub(super) const LESS_EQUAL: &str = "@less_equal";
pub(super) const GREATER: &str = "@greater";
pub(super) const GREATER_EQUAL: &str = "@greater_equal";
pub(super) const IN: &str = "@is_in";
pub(super) const TYPE: &str = "@type";

pub(super) type Called<'b, 'v> = Result<CowVal<'b, 'v>, ExecutionError>;
pub(super) type Function = for<'b, 'v> fn(Vec<CowVal<'b, 'v>>) -> Called<'b, 'v>;

/// The functions: name, number of arguments, implementation.
const OWN: [(&str, usize, Function); 14] = [
    (ADD, 2, |operands| {
        arithmetic(&operands, Operation::Add, "+")
    }),
    (SUBTRACT, 2, |operands| {
        arithmetic(&operands, Operation::Subtract, "-")
    }),
    (MULTIPLY, 2, |operands| {
        arithmetic(&operands, Operation::Multiply, "*")
    }),
    (DIVIDE, 2, |operands| {
        arithmetic(&operands, Operation::Divide, "/")
    }),
    (REMAINDER, 2, |operands| {
        arithmetic(&operands, Operation::Remainder, "%")
    }),
    (NEGATE, 1, |operands| {
        of_number(&operands, "-", |number| Ok(number.negated()))
    }),
    (EQUAL, 2, |operands| equality(&operands, "==", true)),
    (UNEQUAL, 2, |operands| equality(&operands, "!=", false)),
    (LESS, 2, |operands| {
        comparison(&operands, "<", Ordering::is_lt)
    }),
    (LESS_EQUAL, 2, |operands| {
        comparison(&operands, "<=", Ordering::is_le)
    }),
    (GREATER, 2, |operands| {
        comparison(&operands, ">", Ordering::is_gt)
    }),
    (GREATER_EQUAL, 2, |operands| {
        comparison(&operands, ">=", Ordering::is_ge)
    }),
    (IN, 2, |operands| is_in(&operands)),
    (TYPE, 1, |operands| Ok(type_of(operands[0].as_ref()))),
];

/// Functions of one number, beside the operators.
const OF_NUMBERS: [(&str, usize, Function); 5] = [
    ("abs", 1, |operands| {
        of_number(&operands, "abs()", |number| Ok(number.abs()))
    }),
    ("floor", 1, |operands| {
        of_number(&operands, "floor()", |number| Ok(number.floor()))
    }),
    ("ceil", 1, |operands| {
        of_number(&operands, "ceil()", |number| Ok(number.ceil()))
    }),
    ("round", 1, |operands| {
        of_number(&operands, "round()", |number| number.rounded(0))
    }),
    ("round", 2, |operands| rounded(&operands)),
];

/// The names that expressions may call.
#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    OF_NUMBERS.iter().map(|(name, ..)| *name)
}

/// Adds the functions to an environment.
pub(super) fn declare(env: &mut Env) -> Result<(), DeclarationError> {
    for (name, count, function) in OWN.into_iter().chain(OF_NUMBERS) {
        let any = (0..count).map(|_| DYN_TYPE).collect();
        env.add_overload(name, &format!("{name}_{count}"), any, function)?;
    }
    env.add_type(Type::new_unspecified_type(DECIMAL))
}

/// An error in our own words.
pub(super) fn fault(fault: &Fault) -> ExecutionError {
    elements::note(fault.text());
    ExecutionError::function_error(super::cel::OWN_FAULT, fault.text())
}

pub(super) fn null<'b, 'v>() -> CowVal<'b, 'v> {
    CowVal::Borrowed(&CelNull)
}

pub(super) fn boolean<'b, 'v>(flag: bool) -> CowVal<'b, 'v> {
    CowVal::owned(CelBool::from(flag))
}

pub(super) fn is_null(value: &dyn Val) -> bool {
    value.downcast_ref::<CelNull>().is_some()
}

pub(super) fn is_blank(value: &dyn Val) -> bool {
    value
        .downcast_ref::<CelString<'_>>()
        .is_some_and(|text| text.inner().trim().is_empty())
}

/// The name of a value's kind, for messages.
pub(super) fn kind(value: &dyn Val) -> String {
    if Number::of(value).is_some() {
        return "number".to_owned();
    }
    match value.get_type().name() {
        "string" => "text",
        "bool" => "boolean",
        "google.protobuf.Timestamp" => "time",
        "google.protobuf.Duration" => "duration",
        "null_type" => "null",
        "optional_type" => "optional",
        other => return other.to_owned(),
    }
    .to_owned()
}

pub(super) fn unfit(operator: &str, one: &dyn Val, other: &dyn Val) -> ExecutionError {
    let (one, other) = (kind(one), kind(other));
    let advice = match (operator, one.as_str(), other.as_str()) {
        ("+", "text", "number") | ("+", "number", "text") => {
            ": write string(…) to join texts, decimal(…) to add"
        }
        (_, "text", "number") | (_, "number", "text") => ": write decimal(…) around the text",
        _ => "",
    };
    fault(&format!("`{operator}` does not take {one} and {other}{advice}").into())
}

/// A text beside a time is a time.
pub(super) fn as_time(value: &dyn Val) -> Option<CelTimestamp> {
    let text = value.downcast_ref::<CelString<'_>>()?;
    let time = Conversion::Time
        .apply(&Value::from(text.inner()), &current())
        .ok()??;
    let Value::Time(time) = time else { return None };
    let time = chrono::DateTime::from_timestamp_micros(time.as_micros())?;
    Some(CelTimestamp::from(time.fixed_offset()))
}

/// The time of a text that begins with a date. Two such texts are times, whose zones may differ.
pub(super) fn written_time(value: &dyn Val) -> Option<CelTimestamp> {
    let text = value.downcast_ref::<CelString<'_>>()?.inner().as_bytes();
    let is_date = text.get(4) == Some(&b'-') && text[..4].iter().all(u8::is_ascii_digit);
    is_date.then(|| as_time(value)).flatten()
}

fn is_time(value: &dyn Val) -> bool {
    value.downcast_ref::<CelTimestamp>().is_some()
}

fn is_duration(value: &dyn Val) -> bool {
    value.downcast_ref::<CelDuration>().is_some()
}

fn arithmetic<'b, 'v>(
    operands: &[CowVal<'b, 'v>],
    operation: Operation,
    operator: &str,
) -> Called<'b, 'v> {
    let [one, other] = operands else {
        return Err(ExecutionError::MissingArgumentOrTarget);
    };
    let (one, other) = (one.as_ref(), other.as_ref());
    if is_null(one) || is_null(other) {
        return Ok(null());
    }
    if let (Some(one), Some(other)) = (Number::of(one), Number::of(other)) {
        return one
            .combine(operation, other)
            .map(Number::into_cel)
            .map_err(|wrong| fault(&wrong));
    }
    let unfit = || unfit(operator, one, other);
    if [one, other]
        .iter()
        .any(|value| is_time(*value) || is_duration(*value))
    {
        return of_times(one, other, operation).ok_or_else(unfit);
    }
    // Texts, lists and bytes.
    let same = one.get_type() == other.get_type();
    let adder = one
        .as_adder()
        .filter(|_| same && operation == Operation::Add);
    charge_made(one)?;
    charge_made(other)?;
    let sum = adder.ok_or_else(unfit)?.add(other).map_err(|_| unfit())?;
    Ok(CowVal::Owned(sum.into_owned()))
}

/// Times and durations added and subtracted.
fn of_times<'b, 'v>(
    one: &dyn Val,
    other: &dyn Val,
    operation: Operation,
) -> Option<CowVal<'b, 'v>> {
    let time = |value: &dyn Val| match value.downcast_ref::<CelTimestamp>() {
        Some(time) => Some(*time.inner()),
        None => as_time(value).map(CelTimestamp::into_inner),
    };
    let duration = |value: &dyn Val| {
        value
            .downcast_ref::<CelDuration>()
            .map(|duration| *duration.inner())
    };
    let of_time = |time: Option<chrono::DateTime<_>>| {
        time.map(|time| CowVal::owned(CelTimestamp::from(time)))
    };
    let of_duration = |duration: Option<chrono::Duration>| {
        duration.map(|duration| CowVal::owned(CelDuration::from(duration)))
    };
    match (operation, duration(one), duration(other)) {
        (Operation::Add, Some(one), Some(other)) => of_duration(one.checked_add(&other)),
        (Operation::Subtract, Some(one), Some(other)) => of_duration(one.checked_sub(&other)),
        (Operation::Add, None, Some(other)) => of_time(time(one)?.checked_add_signed(other)),
        (Operation::Subtract, None, Some(other)) => of_time(time(one)?.checked_sub_signed(other)),
        (Operation::Add, Some(one), None) => of_time(time(other)?.checked_add_signed(one)),
        (Operation::Subtract, None, None) => {
            of_duration(Some(time(one)?.signed_duration_since(time(other)?)))
        }
        _ => None,
    }
}

fn of_number<'b, 'v>(
    operands: &[CowVal<'b, 'v>],
    name: &str,
    result: impl FnOnce(Number) -> Result<Number, Fault>,
) -> Called<'b, 'v> {
    let operand = operands[0].as_ref();
    if is_null(operand) {
        return Ok(null());
    }
    let number = Number::of(operand)
        .ok_or_else(|| fault(&format!("`{name}` does not take a {}", kind(operand)).into()))?;
    result(number)
        .map(Number::into_cel)
        .map_err(|wrong| fault(&wrong))
}

fn rounded<'b, 'v>(operands: &[CowVal<'b, 'v>]) -> Called<'b, 'v> {
    let places = operands[1].as_ref();
    if is_null(places) {
        return Ok(null());
    }
    let places = places
        .downcast_ref::<CelInt>()
        .map_or(-1, |places| *places.inner());
    of_number(operands, "round()", |number| number.rounded(places))
}

fn comparison<'b, 'v>(
    operands: &[CowVal<'b, 'v>],
    operator: &str,
    holds: fn(Ordering) -> bool,
) -> Called<'b, 'v> {
    let [one, other] = operands else {
        return Err(ExecutionError::MissingArgumentOrTarget);
    };
    let (one, other) = (one.as_ref(), other.as_ref());
    if is_null(one) || is_null(other) {
        return Ok(null());
    }
    if let (Some(one), Some(other)) = (Number::of(one), Number::of(other)) {
        return Ok(boolean(holds(one.compare(other))));
    }
    charge_read(one)?;
    charge_read(other)?;
    let unfit = || unfit(operator, one, other);
    let ordering = if is_time(other) && !is_time(one) {
        let time = as_time(one).ok_or_else(unfit)?;
        compared(&time, other)
    } else if is_time(one) && !is_time(other) {
        let time = as_time(other).ok_or_else(unfit)?;
        compared(one, &time)
    } else if let (Some(one), Some(other)) = (written_time(one), written_time(other)) {
        compared(&one, &other)
    } else {
        compared(one, other)
    };
    ordering
        .map(|ordering| boolean(holds(ordering)))
        .ok_or_else(unfit)
}

fn compared(one: &dyn Val, other: &dyn Val) -> Option<Ordering> {
    let comparer = one
        .as_comparer()
        .filter(|_| one.get_type() == other.get_type())?;
    comparer.compare(other).ok()
}

fn type_of<'b, 'v>(value: &dyn Val) -> CowVal<'b, 'v> {
    let is_fraction = Number::of(value).is_some() && value.downcast_ref::<CelInt>().is_none();
    CowVal::owned(CelType::from(if is_fraction {
        &DECIMAL_TYPE
    } else {
        value.get_type()
    }))
}
