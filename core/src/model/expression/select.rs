//! Fields of maps and elements of lists, in place of CEL's own selection.
//!
//! What is not there is null, however deep: a field of null, an element after the end. A field of a
//! text or a number is an error; of a blank text and an empty list it is null, because sources
//! write those for objects that are not there.

use cel::common::types::{CelBool, CelInt, CelList, CelMap, CelOptional, CelString, DYN_TYPE};
use cel::common::value::{CowVal, Val};
use cel::{DeclarationError, Env, ExecutionError};

use super::budget::charge_made;
use super::equality::equal;
use super::number::Number;
use super::operators::{Called, boolean, fault, is_null, kind, null};

/// The value at the end of a path: `@get(customer, 'address', 'city')`.
pub(super) const GET: &str = "@get";
/// Whether there is one.
pub(super) const HAS: &str = "@has";
/// The same as an optional.
pub(super) const GET_OPTIONAL: &str = "@get_optional";
/// The same as [`GET`], where what is not there is an error: over an empty payload, which says
/// nothing of what a field would be.
pub(super) const GET_STRICT: &str = "@get_strict";
/// Maximum number of steps of one path; a longer one is cut.
pub(super) const MAX_STEPS: usize = 8;

/// Adds the functions to an environment.
pub(super) fn declare(env: &mut Env) -> Result<(), DeclarationError> {
    for steps in 1..=MAX_STEPS {
        let any = || (0..=steps).map(|_| DYN_TYPE).collect();
        env.add_overload(GET, &format!("{GET}_{steps}"), any(), found)?;
        env.add_overload(
            GET_STRICT,
            &format!("{GET_STRICT}_{steps}"),
            any(),
            |path| {
                let found = found(path)?;
                if is_null(found.as_ref()) {
                    return Err(ExecutionError::NoSuchKey(std::sync::Arc::default()));
                }
                Ok(found)
            },
        )?;
        env.add_overload(HAS, &format!("{HAS}_{steps}"), any(), |path| {
            let found = found(path)?;
            Ok(boolean(!equal(found.as_ref(), null().as_ref())))
        })?;
        env.add_overload(
            GET_OPTIONAL,
            &format!("{GET_OPTIONAL}_{steps}"),
            any(),
            |path| {
                let found = found(path)?;
                Ok(match found.downcast_ref::<CelOptional<'_>>() {
                    Some(_) => found,
                    None if equal(found.as_ref(), null().as_ref()) => {
                        CowVal::owned(CelOptional::none())
                    }
                    None => {
                        charge_made(found.as_ref())?;
                        CowVal::owned(CelOptional::of(found.into_owned()))
                    }
                })
            },
        )?;
    }
    Ok(())
}

fn found<'b, 'v>(path: Vec<CowVal<'b, 'v>>) -> Called<'b, 'v> {
    let mut steps = path.into_iter();
    let mut value = steps
        .next()
        .ok_or(ExecutionError::MissingArgumentOrTarget)?;
    for step in steps {
        value = at(value, step.as_ref())?;
    }
    Ok(value)
}

/// The value that a step leads to.
fn at<'b, 'v>(value: CowVal<'b, 'v>, step: &dyn Val) -> Called<'b, 'v> {
    if let Some(optional) = value.downcast_ref::<CelOptional<'_>>() {
        let Some(inner) = optional.option() else {
            return Ok(value);
        };
        let inner = at(CowVal::Owned(inner.clone_as_boxed()), step)?;
        return Ok(CowVal::owned(if is_null(inner.as_ref()) {
            CelOptional::none()
        } else {
            CelOptional::of(inner.into_owned())
        }));
    }
    if is_null(value.as_ref()) || is_null(step) {
        return Ok(null());
    }
    let whole = whole(step);
    let step = whole.as_ref().map_or(step, |whole| whole);
    if !fits(value.as_ref(), step)? {
        return Ok(null());
    }
    let found = match value {
        CowVal::Borrowed(value) => value
            .as_indexer()
            .and_then(|indexer| indexer.get(step).ok()),
        CowVal::Owned(value) => value
            .into_indexer()
            .and_then(|indexer| indexer.steal(step).ok())
            .map(CowVal::Owned),
    };
    Ok(found.unwrap_or_else(null))
}

/// Whether a map has a number or a boolean among its keys as a text only: the keys of JSON are
/// texts.
pub(super) fn has_as_text(map: &dyn Val, key: &dyn Val) -> bool {
    let text = match (Number::of(key), key.downcast_ref::<CelBool>()) {
        (Some(Number::Whole(number)), _) => number.to_string(),
        (Some(Number::Decimal(number)), _) => number.normalize().to_string(),
        (None, Some(flag)) => flag.inner().to_string(),
        (None, None) => return false,
    };
    let keys = map.downcast_ref::<CelMap<'_>>().and_then(Val::as_container);
    let has = |key: &dyn Val| keys.is_some_and(|keys| keys.contains(key).unwrap_or(false));
    !has(key) && has(&CelString::from(text))
}

/// A decimal index without fraction is whole.
fn whole(step: &dyn Val) -> Option<CelInt> {
    match Number::of(step)? {
        Number::Decimal(number) if number.is_integer() => {
            i64::try_from(number).ok().map(CelInt::from)
        }
        Number::Whole(_) | Number::Decimal(_) => None,
    }
}

/// Whether a value has what the step asks for, as far as its kind tells.
///
/// # Errors
/// It has fields or elements of another kind, or none at all.
fn fits(value: &dyn Val, step: &dyn Val) -> Result<bool, ExecutionError> {
    let index = step.downcast_ref::<CelInt>();
    let is_index = index.is_some();
    if value.downcast_ref::<CelMap<'_>>().is_some() {
        if has_as_text(value, step) {
            return Err(fault(&"the keys of a map are texts: write ['1']".into()));
        }
        return Ok(true);
    }
    if let Some(list) = value.downcast_ref::<CelList<'_>>() {
        if index.is_some_and(|index| *index.inner() < 0) && !list.inner().is_empty() {
            let wrong = "a list has no element before its first: the last is x[size(x) - 1]";
            return Err(fault(&wrong.into()));
        }
        if is_index || list.inner().is_empty() {
            return Ok(is_index);
        }
    } else if let Some(text) = value.downcast_ref::<CelString<'_>>()
        && text.inner().trim().is_empty()
    {
        return Ok(false);
    }
    let what = match step.downcast_ref::<CelString<'_>>() {
        // Its name may be a value of the payload.
        Some(_) => "field of that name".to_owned(),
        None if is_index => "elements".to_owned(),
        None => format!("element at a {}", kind(step)),
    };
    Err(fault(&format!("a {} has no {what}", kind(value)).into()))
}
