//! `'%s: %d'.format([name, count])`, over exact numbers.

use cel::ExecutionError;
use cel::common::types::{CelInt, CelList, CelString};
use cel::common::value::{CowVal, Val};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::budget::charge_text;
use super::cel::from_cel;
use super::number::Number;
use super::operators::{Called, fault, is_null, kind, null};

/// Maximum number of decimal places that a clause may ask for.
const MAX_PLACES: usize = 28;
/// Decimal places of `%f` and `%e` that name none.
const PLACES: usize = 6;

/// Puts the values of a list into a text. A value that is nothing makes the text nothing.
pub(super) fn formatted<'b, 'v>(arguments: &[CowVal<'b, 'v>]) -> Called<'b, 'v> {
    if arguments.iter().any(|argument| is_null(argument.as_ref())) {
        return Ok(null());
    }
    let (Some(text), Some(list)) = (
        arguments[0].downcast_ref::<CelString<'_>>(),
        arguments[1].downcast_ref::<CelList<'_>>(),
    ) else {
        return Err(wrong("format() is a method of a text and takes a list"));
    };
    let (mut rest, mut out, mut bytes) = (text.inner(), String::new(), 0);
    let mut values = list.inner().iter();
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let value = values
            .next()
            .ok_or_else(|| wrong("format() has fewer values than clauses"))?;
        let (places, after) = places(after)?;
        let mut letters = after.chars();
        let letter = letters.next().unwrap_or(' ');
        rest = letters.as_str();
        let Some(shown) = clause(letter, places, value.as_ref())? else {
            return Ok(null());
        };
        bytes += shown.len();
        charge_text(shown.len())?;
        out.push_str(&shown);
    }
    out.push_str(rest);
    charge_text(out.len().saturating_sub(bytes))?;
    Ok(CowVal::owned(CelString::from(out)))
}

fn wrong(text: &str) -> ExecutionError {
    fault(&text.to_owned().into())
}

/// `.2` before the letter.
fn places(clause: &str) -> Result<(usize, &str), ExecutionError> {
    let Some(rest) = clause.strip_prefix('.') else {
        return Ok((PLACES, clause));
    };
    let end = rest.find(|letter: char| !letter.is_ascii_digit());
    let (digits, rest) = rest.split_at(end.unwrap_or(rest.len()));
    let places = digits.parse().ok().filter(|places| *places <= MAX_PLACES);
    let places = places.ok_or_else(|| wrong("format() takes at most 28 decimal places"))?;
    Ok((places, rest))
}

/// One value; nothing for null.
fn clause(letter: char, places: usize, value: &dyn Val) -> Result<Option<String>, ExecutionError> {
    if is_null(value) {
        return Ok(None);
    }
    let whole = value.downcast_ref::<CelInt>().map(|number| *number.inner());
    let number = Number::of(value);
    let shown = match (letter, number, whole) {
        ('s', ..) => {
            let value = from_cel(value).map_err(|wrong| fault(&wrong))?.value();
            return Ok(value.map(|value| value.to_string()));
        }
        ('d', Some(number), _) => exact(number).to_string(),
        ('f', Some(number), _) => {
            let digits = i64::try_from(places).unwrap_or(0);
            let rounded = number.rounded(digits).map_err(|wrong| fault(&wrong))?;
            format!("{:.places$}", exact(rounded))
        }
        ('e', Some(number), _) => {
            format!("{:.places$e}", exact(number).to_f64().unwrap_or_default())
        }
        ('b', _, Some(whole)) => signed(whole, &format!("{:b}", whole.unsigned_abs())),
        ('o', _, Some(whole)) => signed(whole, &format!("{:o}", whole.unsigned_abs())),
        ('x', _, Some(whole)) => signed(whole, &format!("{:x}", whole.unsigned_abs())),
        ('X', _, Some(whole)) => signed(whole, &format!("{:X}", whole.unsigned_abs())),
        _ => {
            let what = kind(value);
            return Err(wrong(&format!("format() has no `%{letter}` of a {what}")));
        }
    };
    Ok(Some(shown))
}

fn exact(number: Number) -> Decimal {
    match number {
        Number::Whole(number) => number.into(),
        Number::Decimal(number) => number,
    }
}

fn signed(number: i64, digits: &str) -> String {
    format!("{}{digits}", if number < 0 { "-" } else { "" })
}
