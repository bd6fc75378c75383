//! The functions that CEL calls: which there are, and how they charge their steps.

use std::sync::Arc;

use cel::common::types::{CelInt, CelList, CelString};
use cel::common::value::{CowVal, Val};
use cel::{Context, ExecutionError, Value as CelValue};

use super::values::{from_cel, value_to_cel};
use super::{ENV, SUPERSEDED, parse};
use crate::model::expression::convert::decimal_by;
use crate::model::expression::numeral::Mark;
use crate::model::expression::operators::{self, Called};
use crate::model::expression::time::{self, Zones};
use crate::model::expression::{Conversion, Fault, budget, meter};
use crate::records::Value;

pub(super) fn unknown_function(name: &str) -> String {
    match SUPERSEDED.iter().find(|(theirs, _)| *theirs == name) {
        Some((_, own)) => format!("calls `{name}`: numbers are whole or decimal, write `{own}`"),
        None => format!("calls `{name}`, which is no function"),
    }
}

/// Tries a function with one argument, as a function and as a method: only one that does not exist
/// is undeclared.
pub(super) fn is_function(name: &str) -> bool {
    if !name.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
        return true;
    }
    if SUPERSEDED.iter().any(|(theirs, _)| *theirs == name) {
        return false;
    }
    let context = Context::with_env(Arc::clone(&ENV));
    let qualified = meter::NAMESPACES.map(|namespace| format!("{namespace}.{name}(1)"));
    let mut calls = [format!("{name}(1)"), format!("''.{name}(1)")]
        .into_iter()
        .chain(qualified);
    calls.any(|call| match parse(&call) {
        Ok(program) => !matches!(
            CelValue::resolve(&program, &context),
            Err(ExecutionError::UndeclaredReference(_))
        ),
        // A macro that takes other arguments.
        Err(_) => true,
    })
}

pub(super) fn tick<'b, 'v>(mut arguments: Vec<CowVal<'b, 'v>>) -> Called<'b, 'v> {
    let steps = arguments
        .first()
        .and_then(|steps| steps.downcast_ref::<CelInt>())
        .map_or(1, |steps| *steps.inner());
    budget::charge(u64::try_from(steps).unwrap_or(1), 0)?;
    arguments
        .pop()
        .ok_or(ExecutionError::MissingArgumentOrTarget)
}

/// Hands on a value that was charged.
pub(super) fn metered<'b, 'v>(
    mut arguments: Vec<CowVal<'b, 'v>>,
    charge: impl FnOnce(&dyn Val) -> Result<(), ExecutionError>,
) -> Called<'b, 'v> {
    let value = arguments
        .pop()
        .ok_or(ExecutionError::MissingArgumentOrTarget)?;
    charge(value.as_ref())?;
    Ok(value)
}

/// A text can be cut into as many pieces as it has letters, each of which takes more than its
/// letter.
pub(super) fn charge_pieces(value: &dyn Val) -> Result<(), ExecutionError> {
    const BYTES_PER_LETTER: usize = 32;
    match value.downcast_ref::<cel::common::types::CelString<'_>>() {
        Some(text) => budget::charge_text(text.inner().len().saturating_mul(BYTES_PER_LETTER)),
        None => Ok(()),
    }
}

pub(super) fn convert<'b, 'v>(
    conversion: Conversion,
    arguments: &[CowVal<'b, 'v>],
) -> Called<'b, 'v> {
    let fault = |fault: Fault| operators::fault(&fault);
    match from_cel(arguments[0].as_ref()).map_err(fault)?.value() {
        None => Ok(operators::null()),
        Some(value) => {
            let converted = conversion.apply(&value, &time::current());
            let converted = converted.map_err(fault)?;
            Ok(converted.map_or_else(operators::null, |value| CowVal::Owned(value_to_cel(&value))))
        }
    }
}

/// `decimal(total, ',')`: a text whose fraction begins with a sign that is declared.
pub(super) fn marked_decimal<'b, 'v>(arguments: &[CowVal<'b, 'v>]) -> Called<'b, 'v> {
    let fault = |fault: Fault| operators::fault(&fault);
    let mark = arguments[1].downcast_ref::<CelString<'_>>();
    let mark = mark.and_then(|mark| Mark::named(mark.inner()));
    let mark = mark.ok_or_else(|| {
        fault("decimal() takes '.' or ',' after the value: what its fraction begins with".into())
    })?;
    let value = from_cel(arguments[0].as_ref()).map_err(fault)?.value();
    let Some(value) = value else {
        return Ok(operators::null());
    };
    let number = decimal_by(&value, mark).map_err(fault)?;
    Ok(CowVal::Owned(value_to_cel(&number)))
}

pub(super) fn join<'b, 'v>(arguments: &[CowVal<'b, 'v>]) -> Called<'b, 'v> {
    let fault = |fault: Fault| operators::fault(&fault);
    let (separator, list) = (arguments[0].as_ref(), arguments[1].as_ref());
    if operators::is_null(list) {
        return Ok(operators::null());
    }
    let (Some(separator), Some(list)) = (
        separator.downcast_ref::<CelString<'_>>(),
        list.downcast_ref::<CelList<'_>>(),
    ) else {
        return Err(fault("join_nonempty() takes a text and a list".into()));
    };
    let (mut parts, mut bytes) = (Vec::new(), 0_usize);
    for part in list.inner() {
        if let Some(value) = from_cel(part.as_ref()).map_err(fault)?.value()
            && let Some(Value::String(text)) = Conversion::String
                .apply(&value, &Zones::UTC)
                .map_err(fault)?
        {
            let text = text.trim();
            bytes = bytes
                .saturating_add(text.len())
                .saturating_add(separator.inner().len());
            parts.push(text.to_owned());
        }
    }
    budget::charge_text(bytes)?;
    Ok(if parts.is_empty() {
        operators::null()
    } else {
        CowVal::owned(CelString::from(parts.join(separator.inner())))
    })
}

#[cfg(test)]
pub(in crate::model::expression) fn knows(name: &str) -> bool {
    is_function(name)
}
