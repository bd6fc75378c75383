//! The part of the expressions that needs CEL.
//!
//! Beyond CEL's own functions and its string extension (`split`, `replace`, `substring`, …) there
//! are the [conversions](Conversion), which replace CEL's `int`, `string` and `bool` so that one
//! name means one thing, `join_nonempty(separator, list)` and `sum(list)`.
//!
//! Fractions are CEL doubles in here; a plain path or a conversion of one keeps each digit.

mod sum;
mod values;

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use cel::common::functions::Function;
use cel::common::types::{CelInt, DYN_TYPE, INT_TYPE};
use cel::common::value::{CowVal, Val};
use cel::parser::PrattParser;
use cel::{
    Context, DeclarationError, Env, ExecutionError, IdedExpr, ParseErrors, Value as CelValue,
    extensions,
};
use regex::Regex;
use serde_json::Value as Json;

use super::path::PAYLOAD;
use super::{Allowance, Conversion, Fault, Outcome, budget, meter, text};
use crate::computation;
use crate::records::Value;
use values::{from_cel, to_cel, value_to_cel};

/// A compiled program and the fields that it names.
#[derive(Debug)]
pub(super) struct Program {
    /// With its meter.
    tree: IdedExpr,
    nodes: u64,
    is_deep: bool,
    names: Vec<String>,
    patterns: Arc<[Regex]>,
}

/// Deeper programs run on a thread of their own: a level takes up to 20 KiB of stack in a build
/// without optimisation, and a thread of the runtime has 2 MiB.
const DEEP: usize = 24;

const JOIN: &str = "join_nonempty";

/// Names of types are values too: `type(x) == string`.
const TYPES: [&str; 13] = [
    "bool",
    "bytes",
    "double",
    "duration",
    "dyn",
    "int",
    "list",
    "map",
    "null_type",
    "string",
    "timestamp",
    "type",
    "uint",
];

static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib();
    // The names below clash neither with CEL's nor with each other, and each test of an expression
    // would show it.
    let declared = declare(&mut env);
    debug_assert!(declared.is_ok(), "{declared:?}");
    Arc::new(env)
});

fn declare(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_extension(extensions::strings)?;
    let conversions: [(&str, Function); 8] = [
        ("decimal", |arguments| {
            convert(Conversion::Decimal, &arguments)
        }),
        ("to_int", |arguments| convert(Conversion::Int, &arguments)),
        ("to_string", |arguments| {
            convert(Conversion::String, &arguments)
        }),
        ("to_bool", |arguments| convert(Conversion::Bool, &arguments)),
        ("time", |arguments| convert(Conversion::Time, &arguments)),
        ("lower", |arguments| convert(Conversion::Lower, &arguments)),
        ("upper", |arguments| convert(Conversion::Upper, &arguments)),
        ("trim", |arguments| convert(Conversion::Trim, &arguments)),
    ];
    for (name, function) in conversions {
        env.add_overload(name, &format!("{name}_any"), vec![DYN_TYPE], function)?;
    }
    env.add_overload(
        JOIN,
        "join_nonempty_any",
        vec![DYN_TYPE, DYN_TYPE],
        |arguments| join(&arguments),
    )?;
    let meters: [(&str, Vec<_>, Function); 4] = [
        (meter::TICK, vec![INT_TYPE, DYN_TYPE], tick),
        (meter::READ, vec![DYN_TYPE], |arguments| {
            metered(arguments, |value| budget::charge_read(value))
        }),
        (meter::MADE, vec![DYN_TYPE], |arguments| {
            metered(arguments, |value| budget::charge_made(value))
        }),
        (meter::PIECES, vec![DYN_TYPE], |arguments| {
            metered(arguments, charge_pieces)
        }),
    ];
    for (name, arguments, function) in meters {
        env.add_overload(name, name, arguments, function)?;
    }
    text::declare(env)?;
    sum::declare(env)?;
    Ok(())
}

impl Program {
    /// `subjects`: names that stand for maps.
    pub(super) fn compile(
        source: &str,
        subjects: &[&str],
        allowance: &mut Allowance,
    ) -> Result<Self, Vec<String>> {
        computation::on_large_stack(|| Self::compile_here(source, subjects, allowance))
    }

    fn compile_here(
        source: &str,
        subjects: &[&str],
        allowance: &mut Allowance,
    ) -> Result<Self, Vec<String>> {
        let mut program = parse(source).map_err(|errors| {
            errors
                .errors
                .iter()
                .map(syntax_error)
                .take(1)
                .collect::<Vec<_>>()
        })?;
        let found = program.references();
        let mut unknown: Vec<String> = found
            .functions()
            .into_iter()
            .filter(|name| !is_function(name))
            .map(str::to_owned)
            .collect();
        let mut names: Vec<String> = found.variables().into_iter().map(str::to_owned).collect();
        if !unknown.is_empty() {
            unknown.sort_unstable();
            return Err(unknown
                .into_iter()
                .map(|name| format!("calls `{name}`, which is no function"))
                .collect());
        }
        names.sort_unstable();
        let meter::Metered {
            nodes,
            depth,
            patterns,
            trial,
        } = meter::put_into(&mut program, &mut allowance.patterns)?;
        let patterns = patterns.into();
        let program = Self {
            tree: program,
            nodes: nodes as u64,
            is_deep: depth > DEEP,
            names,
            patterns,
        };
        program.over_nothing(trial.as_ref().unwrap_or(&program.tree), subjects, allowance)?;
        Ok(program)
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Tries it over a payload without any field: what it takes there depends on nothing that a
    /// payload says. The trial evaluates no side of `&&` and `||` whose guard has no answer there.
    fn over_nothing(
        &self,
        trial: &IdedExpr,
        subjects: &[&str],
        allowance: &mut Allowance,
    ) -> Result<(), Vec<String>> {
        let empty = || Json::Object(serde_json::Map::new());
        let nothing = Json::Object(
            subjects
                .iter()
                .map(|name| ((*name).to_owned(), empty()))
                .collect(),
        );
        let names = self.names.iter().cloned().collect();
        let most = budget::MAX_STEPS_OVER_NOTHING.min(allowance.trial_steps);
        let (outcome, taken) = self.run_tree(trial, &context(&nothing, &names), most);
        allowance.trial_steps = allowance.trial_steps.saturating_sub(taken);
        let over = outcome.err().and_then(|fault| fault.over);
        Err(vec![match over {
            None => return Ok(()),
            Some(budget::Over::Time) => "was not tried: its caller's time is over".to_owned(),
            Some(budget::Over::Bytes) => {
                format!(
                    "produces more than {} bytes over an empty payload",
                    budget::MAX_BYTES
                )
            }
            Some(_) if most < budget::MAX_STEPS_OVER_NOTHING => format!(
                "is one too many: all expressions of a model together may take {} steps over an empty payload",
                budget::MAX_TRIAL_STEPS
            ),
            Some(_) => format!("takes more than {most} steps over an empty payload"),
        }])
    }

    /// Evaluates it on a budget of steps. Answers also how many it took.
    pub(super) fn run(
        &self,
        context: &Context<'_, '_>,
        steps: u64,
    ) -> (Result<Outcome, Fault>, u64) {
        if self.is_deep {
            computation::on_large_stack(|| self.run_here(context, steps))
        } else {
            self.run_here(context, steps)
        }
    }

    fn run_here(&self, context: &Context<'_, '_>, steps: u64) -> (Result<Outcome, Fault>, u64) {
        self.run_tree(&self.tree, context, steps)
    }

    fn run_tree(
        &self,
        tree: &IdedExpr,
        context: &Context<'_, '_>,
        steps: u64,
    ) -> (Result<Outcome, Fault>, u64) {
        let most = steps.min(budget::MAX_STEPS);
        let run = || CelValue::resolve(tree, context);
        let metered = || budget::metered(most, self.nodes, run);
        let (result, taken, over) = text::with_patterns(&self.patterns, metered);
        let outcome = match (over, result) {
            (Some(budget::Over::Steps), _) if steps < budget::MAX_STEPS => {
                Err(Fault::over(budget::Over::PayloadSteps))
            }
            (Some(over), _) => Err(Fault::over(over)),
            (None, Ok(result)) => from_cel(&result),
            (None, Err(error)) => failed(&error),
        };
        (outcome, taken)
    }
}

/// Parses within the bounds of the parser.
fn parse(source: &str) -> Result<IdedExpr, ParseErrors> {
    PrattParser::new()
        .max_recursion_depth(budget::MAX_NESTING)
        .enable_optional_syntax(true)
        .parse(source)
}

/// Without the list of everything that might have stood there.
fn syntax_error(error: &cel::ParseError) -> String {
    let message = error
        .msg
        .split(" expecting ")
        .next()
        .unwrap_or_default()
        .trim_start_matches("Syntax error: ");
    format!("is not CEL: at character {}, {message}", error.pos.1)
}

/// Tries a function with one argument, as a function and as a method: only one that does not exist
/// is undeclared.
fn is_function(name: &str) -> bool {
    if !name.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
        return true;
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

/// Binds the named fields of a payload. One that is not there is null.
pub(super) fn context(payload: &Json, names: &BTreeSet<String>) -> Context<'static, 'static> {
    let mut context = Context::with_env(Arc::clone(&ENV));
    for name in names {
        let bound = match payload.get(name) {
            _ if name == PAYLOAD => to_cel(payload),
            Some(json) => to_cel(json),
            None if TYPES.contains(&name.as_str())
                || meter::NAMESPACES.contains(&name.as_str()) =>
            {
                continue;
            }
            None => CelValue::Null,
        };
        context.add_variable_from_value(name.clone(), bound);
    }
    context
}

/// What is computed from nothing is nothing; the rest is told without quoting values.
fn failed(error: &ExecutionError) -> Result<Outcome, Fault> {
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
            let types = overload.argument_types().join(", ");
            Err(format!("`{}` does not take {types}", overload.function()).into())
        }
        E::FunctionError { function, message } if is_own(function) => Err(message.clone().into()),
        E::FunctionError { function, .. } => {
            Err(format!("{function}() does not take this value").into())
        }
        E::DivisionByZero(_) | E::RemainderByZero(_) => Err("a division by zero".into()),
        E::Overflow(..) => Err("a number grows too large".into()),
        E::InvalidArgumentCount { expected, actual } => {
            Err(format!("a function takes {expected} arguments and is given {actual}").into())
        }
        _ => Err("the expression does not take this value".into()),
    }
}

/// A field that is not there, or an operation on null.
fn is_of_nothing(error: &ExecutionError) -> bool {
    use ExecutionError as E;
    match error {
        E::NoSuchKey(_) | E::UndeclaredReference(_) | E::IndexOutOfBounds(_) => true,
        E::NoSuchOverload(overload) => overload
            .argument_types()
            .iter()
            .any(|kind| kind == "null_type"),
        E::UnsupportedBinaryOperator(_, left, right)
        | E::ValuesNotComparable(left, right)
        | E::UnsupportedIndex(left, right) => [left, right].contains(&&CelValue::Null),
        E::UnsupportedTargetType { target } | E::NotSupportedAsMethod { target, .. } => {
            *target == CelValue::Null
        }
        // A loop over nothing, a choice by nothing.
        E::UnexpectedType { got, .. } => got == "null_type",
        _ => false,
    }
}

fn tick<'b, 'v>(mut arguments: Vec<CowVal<'b, 'v>>) -> Called<'b, 'v> {
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
fn metered<'b, 'v>(
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
fn charge_pieces(value: &dyn Val) -> Result<(), ExecutionError> {
    const BYTES_PER_LETTER: usize = 32;
    match value.downcast_ref::<cel::common::types::CelString<'_>>() {
        Some(text) => budget::charge_text(text.inner().len().saturating_mul(BYTES_PER_LETTER)),
        None => Ok(()),
    }
}

fn is_own(function: &str) -> bool {
    [JOIN, sum::SUM].contains(&function) || Conversion::named(function).is_some()
}

type Called<'b, 'v> = Result<CowVal<'b, 'v>, ExecutionError>;

fn convert<'b, 'v>(conversion: Conversion, arguments: &[CowVal<'b, 'v>]) -> Called<'b, 'v> {
    let fault = |fault: Fault| ExecutionError::function_error(conversion.name(), fault.text());
    let argument = CelValue::try_from(arguments[0].as_ref())?;
    match from_cel(&argument).map_err(fault)?.value() {
        None => answer(CelValue::Null),
        Some(value) => answer(value_to_cel(&conversion.apply(&value).map_err(fault)?)),
    }
}

fn join<'b, 'v>(arguments: &[CowVal<'b, 'v>]) -> Called<'b, 'v> {
    let fault = |fault: Fault| ExecutionError::function_error(JOIN, fault.text());
    let (separator, list) = (
        CelValue::try_from(arguments[0].as_ref())?,
        CelValue::try_from(arguments[1].as_ref())?,
    );
    let (CelValue::String(separator), CelValue::List(list)) = (separator, list) else {
        return Err(fault("join_nonempty() takes a text and a list".into()));
    };
    let (mut parts, mut bytes) = (Vec::new(), 0_usize);
    for part in list.iter() {
        if let Some(value) = from_cel(part).map_err(fault)?.value()
            && let Value::String(text) = Conversion::String.apply(&value).map_err(fault)?
        {
            let text = text.trim();
            bytes = bytes
                .saturating_add(text.len())
                .saturating_add(separator.len());
            parts.push(text.to_owned());
        }
    }
    budget::charge_text(bytes)?;
    answer(if parts.is_empty() {
        CelValue::Null
    } else {
        parts.join(separator.as_str()).into()
    })
}

fn answer<'b, 'v>(value: CelValue) -> Called<'b, 'v> {
    Ok(CowVal::Owned(Box::<dyn Val>::try_from(value)?))
}

#[cfg(test)]
pub(super) fn knows(name: &str) -> bool {
    is_function(name)
}
