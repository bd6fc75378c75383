//! The sum of a list of numbers, exact.

use cel::common::types::{CelList, DYN_TYPE};
use cel::common::value::CowVal;
use cel::{DeclarationError, Env};

use super::super::operators::{self, Called};
use super::values::from_cel;
use super::{Fault, budget};
use crate::model::expression::elements;
use crate::model::expression::number::{Number, Operation};
use crate::records::Value;

pub(super) const SUM: &str = "sum";

pub(super) fn declare(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_overload(SUM, "sum_any", vec![DYN_TYPE], |arguments| sum(&arguments))?;
    env.add_member_overload(SUM, "sum_of_any", DYN_TYPE, Vec::new(), |arguments| {
        sum(&arguments)
    })
}

/// Nulls and blanks are left out; the sum of no number is 0. Of a list that lacks the elements on
/// which its loop failed there is no sum.
fn sum<'b, 'v>(arguments: &[CowVal<'b, 'v>]) -> Called<'b, 'v> {
    let fault = |fault: Fault| operators::fault(&fault);
    let list = arguments[0].as_ref();
    if operators::is_null(list) {
        return Ok(operators::null());
    }
    let Some(list) = list.downcast_ref::<CelList<'_>>() else {
        return Err(fault("sum() takes a list".into()));
    };
    if let Some(reason) = elements::reason_left_out() {
        return Err(fault(reason.into()));
    }
    budget::charge(list.inner().len() as u64, 0)?;
    let mut total = Number::Whole(0);
    for element in list.inner() {
        let number = match from_cel(element.as_ref()).map_err(fault)?.value() {
            None => continue,
            Some(Value::Int(number)) => Number::Whole(number),
            Some(Value::Decimal(number)) => Number::Decimal(number),
            Some(_) => {
                let rule = "sum() takes numbers; decimal() makes one of a text";
                return Err(fault(rule.into()));
            }
        };
        total = total.combine(Operation::Add, number).map_err(fault)?;
    }
    Ok(total.into_cel())
}
