//! Whether values are the same, and whether one is in a list.

use cel::ExecutionError;
use cel::common::types::{
    CelBool, CelDuration, CelList, CelMap, CelOptional, CelString, CelTimestamp, Kind,
};
use cel::common::value::{CowVal, Val};

use super::budget::{charge, charge_read};
use super::number::{Number, Unkept};
use super::numeral::{self, Unread};
use super::operators::{
    Called, as_time, boolean, fault, is_blank, is_null, kind, null, unfit, written_time,
};
use super::select::has_as_text;
use crate::model::flag;

pub(super) fn equality<'b, 'v>(
    operands: &[CowVal<'b, 'v>],
    operator: &str,
    expected: bool,
) -> Called<'b, 'v> {
    let [one, other] = operands else {
        return Err(ExecutionError::MissingArgumentOrTarget);
    };
    let (one, other) = (one.as_ref(), other.as_ref());
    if Number::of(one).is_none() {
        charge_read(one)?;
    }
    if Number::of(other).is_none() {
        charge_read(other)?;
    }
    let equal = equal(one, other);
    if !equal && misleads(one, other) {
        return Err(unfit(operator, one, other));
    }
    Ok(boolean(equal == expected))
}

/// Whether the "no" to two values would be wrong, or may be: a text reads as the number or the
/// boolean beside it, a number as the boolean, or a number has lost digits. In lists and maps it is
/// asked of what is at the same place.
fn misleads(one: &dyn Val, other: &dyn Val) -> bool {
    if let (Some(one), Some(other)) = (
        one.downcast_ref::<CelList<'_>>(),
        other.downcast_ref::<CelList<'_>>(),
    ) {
        let mut pairs = one.inner().iter().zip(other.inner());
        return pairs.any(|(one, other)| misleads(one.as_ref(), other.as_ref()));
    }
    if let (Some(one), Some(other)) = (
        one.downcast_ref::<CelMap<'_>>(),
        other.downcast_ref::<CelMap<'_>>(),
    ) {
        let other = other.inner();
        return one.inner().iter().any(|(key, value)| {
            let found = other.iter().find(|(name, _)| *name == key);
            found.is_some_and(|(_, other)| misleads(value.as_ref(), other.as_ref()))
        });
    }
    let is_number = |value: &dyn Val| Number::of(value).is_some() || is_unkept(value);
    if is_number(one) && is_number(other) {
        return is_unkept(one) || is_unkept(other);
    }
    let text = |value: &dyn Val| Some(value.downcast_ref::<CelString<'_>>()?.inner().to_owned());
    match (text(one), text(other)) {
        (Some(text), None) => reads_as(&text, other),
        (None, Some(text)) => reads_as(&text, one),
        (None, None) => is_pair_apart(one, other) || is_pair_apart(other, one),
        (Some(_), Some(_)) => false,
    }
}

/// Whether a text reads as a number or a boolean.
fn reads_as(text: &str, value: &dyn Val) -> bool {
    /// No number that can be kept is written longer.
    const MAX_BYTES: usize = 64;
    if text.len() > MAX_BYTES {
        return false;
    }
    if Number::of(value).is_some() || is_unkept(value) {
        matches!(
            numeral::read(text, None),
            Ok(_) | Err(Unread::Ambiguous | Unread::Comma | Unread::TooLong)
        )
    } else if value.downcast_ref::<CelBool>().is_some() {
        flag::read(text).is_some()
    } else {
        // JSON has no durations.
        value.downcast_ref::<CelDuration>().is_some()
    }
}

/// Whether one is a boolean and the other the number that means yes or no, or one is a time or a
/// duration and the other a number, which would be seconds.
fn is_pair_apart(one: &dyn Val, other: &dyn Val) -> bool {
    let is_time =
        one.downcast_ref::<CelTimestamp>().is_some() || one.downcast_ref::<CelDuration>().is_some();
    let is_flag = one.downcast_ref::<CelBool>().is_some();
    Number::of(other).is_some_and(|number| {
        let is = |whole| number.compare(Number::Whole(whole)).is_eq();
        is_time || is_flag && (is(0) || is(1))
    })
}

fn is_unkept(value: &dyn Val) -> bool {
    value.downcast_ref::<Unkept>().is_some()
}

/// Whether two values are the same.
pub(super) fn equal(one: &dyn Val, other: &dyn Val) -> bool {
    match (one.get_type().kind(), other.get_type().kind()) {
        (Kind::String, Kind::String) => {
            one.equals(other)
                || written_time(one)
                    .zip(written_time(other))
                    .is_some_and(|(one, other)| one.equals(&other))
        }
        (Kind::NullType, _) => is_null(other) || is_blank(other),
        (_, Kind::NullType) => is_blank(one),
        (Kind::Timestamp, Kind::String) => as_time(other).is_some_and(|other| one.equals(&other)),
        (Kind::String, Kind::Timestamp) => as_time(one).is_some_and(|one| other.equals(&one)),
        (Kind::String, _) | (_, Kind::String) => false,
        (Kind::List, Kind::List) => lists_equal(one, other).unwrap_or(false),
        (Kind::Map, Kind::Map) => maps_equal(one, other).unwrap_or(false),
        (Kind::Opaque, Kind::Opaque) => optionals_equal(one, other).unwrap_or(false),
        _ => match (Number::of(one), Number::of(other)) {
            (Some(one), Some(other)) => one.compare(other).is_eq(),
            _ => one.equals(other),
        },
    }
}

fn lists_equal(one: &dyn Val, other: &dyn Val) -> Option<bool> {
    let one = one.downcast_ref::<CelList<'_>>()?.inner();
    let other = other.downcast_ref::<CelList<'_>>()?.inner();
    let mut pairs = one.iter().zip(other);
    Some(one.len() == other.len() && pairs.all(|(one, other)| equal(one.as_ref(), other.as_ref())))
}

fn maps_equal(one: &dyn Val, other: &dyn Val) -> Option<bool> {
    let one = one.downcast_ref::<CelMap<'_>>()?.inner();
    let other = other.downcast_ref::<CelMap<'_>>()?.inner();
    let mut entries = one.iter();
    let same = entries.all(|(key, value)| {
        let other = other.iter().find(|(name, _)| *name == key);
        other.is_some_and(|(_, other)| equal(value.as_ref(), other.as_ref()))
    });
    Some(one.len() == other.len() && same)
}

fn optionals_equal(one: &dyn Val, other: &dyn Val) -> Option<bool> {
    let one = one.downcast_ref::<CelOptional<'_>>()?.option();
    let other = other.downcast_ref::<CelOptional<'_>>()?.option();
    Some(match (one, other) {
        (Some(one), Some(other)) => equal(one, other),
        (one, other) => one.is_none() && other.is_none(),
    })
}

pub(super) fn is_in<'b, 'v>(operands: &[CowVal<'b, 'v>]) -> Called<'b, 'v> {
    let [value, container] = operands else {
        return Err(ExecutionError::MissingArgumentOrTarget);
    };
    let (value, container) = (value.as_ref(), container.as_ref());
    charge_read(container)?;
    if let Some(list) = container.downcast_ref::<CelList<'_>>() {
        charge(list.inner().len() as u64, 0)?;
        let mut items = list.inner().iter().map(AsRef::as_ref);
        if items.any(|item| equal(item, value)) {
            return Ok(boolean(true));
        }
        let mut items = list.inner().iter().map(AsRef::as_ref);
        return match items.find(|item| misleads(*item, value)) {
            Some(item) => Err(unfit("in", value, item)),
            None => Ok(boolean(false)),
        };
    }
    if is_null(container) {
        return Ok(null());
    }
    if has_as_text(container, value) {
        return Err(unfit("in", value, container));
    }
    let keys = container
        .downcast_ref::<CelMap<'_>>()
        .and_then(Val::as_container);
    let found = keys.and_then(|keys| keys.contains(value).ok());
    found.map(boolean).ok_or_else(|| {
        let (value, container) = (kind(value), kind(container));
        let text = format!(
            "`in` takes a value and a list, or a text and a map, and is given {value} and {container}"
        );
        fault(&text.into())
    })
}
