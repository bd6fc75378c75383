//! The sum of a list of numbers, exact.

use cel::common::types::DYN_TYPE;
use cel::common::value::CowVal;
use cel::{DeclarationError, Env, ExecutionError, Value as CelValue};
use rust_decimal::Decimal;

use super::values::{from_cel, value_to_cel};
use super::{Called, Fault, answer, budget};
use crate::records::Value;

pub(super) const SUM: &str = "sum";

pub(super) fn declare(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_overload(SUM, "sum_any", vec![DYN_TYPE], |arguments| sum(&arguments))
}

/// Whole numbers give a whole number, others an exact decimal one. Nulls and blanks are left
/// out; the sum of no number is 0.
fn sum<'b, 'v>(arguments: &[CowVal<'b, 'v>]) -> Called<'b, 'v> {
    let fault = |fault: Fault| ExecutionError::function_error(SUM, fault.text());
    let list = match CelValue::try_from(arguments[0].as_ref())? {
        CelValue::List(list) => list,
        CelValue::Null => return answer(CelValue::Null),
        _ => return Err(fault("sum() takes a list".into())),
    };
    budget::charge(list.len() as u64, 0)?;
    let mut whole = Some(0_i64);
    let mut total = Decimal::ZERO;
    for element in list.iter() {
        let number = match from_cel(element).map_err(fault)?.value() {
            None => continue,
            Some(Value::Int(number)) => {
                whole = whole.and_then(|sum| sum.checked_add(number));
                Decimal::from(number)
            }
            Some(Value::Decimal(number)) => {
                whole = None;
                number
            }
            Some(_) => {
                let rule = "sum() takes numbers; decimal() makes one of a text";
                return Err(fault(rule.into()));
            }
        };
        total = total
            .checked_add(number)
            .ok_or_else(|| fault("sum(): a number grows too large".into()))?;
    }
    let sum = whole.map_or(Value::Decimal(total), Value::Int);
    answer(value_to_cel(&sum))
}
