//! Whether values are the same, and whether one is in a list.

use cel::ExecutionError;
use cel::common::types::{CelBool, CelList, CelMap, CelOptional, CelString, Kind};
use cel::common::value::{CowVal, Val};

use super::budget::{charge, charge_read};
use super::number::Number;
use super::numeral::{self, Unread};
use super::operators::{Called, as_time, boolean, fault, is_blank, is_null, kind, null, unfit};

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

/// Whether a text reads as the number or the boolean beside it would be written.
fn misleads(one: &dyn Val, other: &dyn Val) -> bool {
    /// No number that can be kept is written longer.
    const MAX_BYTES: usize = 64;
    let (text, other) = match (
        one.downcast_ref::<CelString<'_>>(),
        other.downcast_ref::<CelString<'_>>(),
    ) {
        (Some(text), None) => (text.inner(), other),
        (None, Some(text)) => (text.inner(), one),
        _ => return false,
    };
    if text.len() > MAX_BYTES {
        return false;
    }
    if Number::of(other).is_some() {
        matches!(
            numeral::read(text, None),
            Ok(_) | Err(Unread::Ambiguous | Unread::Comma)
        )
    } else {
        other.downcast_ref::<CelBool>().is_some() && matches!(text.trim(), "true" | "false")
    }
}

/// Whether two values are the same.
pub(super) fn equal(one: &dyn Val, other: &dyn Val) -> bool {
    match (one.get_type().kind(), other.get_type().kind()) {
        (Kind::String, Kind::String) => one.equals(other),
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
