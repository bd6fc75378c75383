//! Words for errors of CEL, without quoting values.

use cel::{ExecutionError, Value as CelValue};

use super::OWN_FAULT;
use crate::model::expression::{Fault, Outcome};

/// A computation from nothing gives nothing; the rest is an error.
pub(super) fn failed(error: &ExecutionError) -> Result<Outcome, Fault> {
    use ExecutionError as E;
    match error {
        nothing if is_of_nothing(nothing) => Ok(Outcome::Missing),
        E::UnsupportedBinaryOperator(operator, left, right) => Err(format!(
            "`{operator}` does not take {} and {}",
            left.type_of(),
            right.type_of()
        )
        .into()),
        E::NoSuchOverload(overload) => {
            let types: Vec<&str> = overload
                .argument_types()
                .iter()
                .map(|kind| word(kind))
                .collect();
            let function = overload.function();
            Err(match function {
                "_&&_" | "_||_" | "!_" => format!(
                    "`{}` takes true or false, and is given {}",
                    function.trim_matches('_'),
                    types.join(" and ")
                ),
                _ => format!("{function}() does not take {}", types.join(", ")),
            }
            .into())
        }
        E::FunctionError { function, message } if function == OWN_FAULT => {
            Err(message.clone().into())
        }
        E::FunctionError { function, .. } => {
            Err(format!("{function}() does not take this value").into())
        }
        E::UnexpectedType { got, want } if want == "bool" => {
            let what = word(got);
            Err(format!("a condition is true or false, and here a {what}").into())
        }
        E::UnexpectedType { got, want } => {
            let (got, want) = (word(got), word(want));
            Err(format!("a function takes {want}, and is given {got}").into())
        }
        E::DivisionByZero(_) | E::RemainderByZero(_) => Err("a division by zero".into()),
        E::Overflow(..) => Err("a number or a time grows too large".into()),
        E::InvalidArgumentCount { expected, actual } => {
            Err(format!("a function takes {expected} arguments and is given {actual}").into())
        }
        // All names are bound, so it is that of a function.
        E::UndeclaredReference(name) => {
            Err(format!("`{name}` is called in a form that it does not have").into())
        }
        E::DuplicateKey(_) => Err("a map has a key twice".into()),
        _ => Err("the expression does not take this value".into()),
    }
}

/// A type's name in our words.
fn word(kind: &str) -> &str {
    match kind {
        "string" => "text",
        "int" | "uint" | "double" | "decimal" => "number",
        "bool" => "boolean",
        "google.protobuf.Timestamp" => "time",
        "google.protobuf.Duration" => "duration",
        "null_type" => "nothing",
        "optional_type" => "optional",
        other => other,
    }
}

/// A name that is not there, or a function of null.
fn is_of_nothing(error: &ExecutionError) -> bool {
    use ExecutionError as E;
    match error {
        E::NoSuchKey(_) | E::IndexOutOfBounds(_) => true,
        E::NoSuchOverload(overload) => overload
            .argument_types()
            .iter()
            .any(|kind| kind == "null_type"),
        E::UnsupportedTargetType { target } | E::NotSupportedAsMethod { target, .. } => {
            *target == CelValue::Null
        }
        // A choice by nothing.
        E::UnexpectedType { got, .. } => got == "null_type",
        _ => false,
    }
}
