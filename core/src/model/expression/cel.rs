//! The part of the expressions that needs CEL.
//!
//! Beyond CEL's own functions and its string extension (`split`, `replace`, `substring`, …) there
//! are the [conversions](Conversion), which replace CEL's `int`, `string` and `bool` so that one
//! name means one thing, `join_nonempty(separator, list)` and `sum(list)`. Operators, selection and
//! loops are those of [`operators`](super::operators), [`select`](super::select) and
//! [`elements`](super::elements).

mod failed;
mod nothing;
mod sum;
mod values;

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use cel::common::functions::Function;
use cel::common::types::{CelInt, CelList, CelNull, CelString, DYN_TYPE, INT_TYPE};
use cel::common::value::{CowVal, Val};
use cel::parser::PrattParser;
use cel::{
    Context, DeclarationError, Env, ExecutionError, IdedExpr, ParseErrors, Value as CelValue,
    extensions,
};
use regex::Regex;
use serde_json::Value as Json;

use super::elements::{self, LeftOut};
use super::operators::Called;
use super::path::PAYLOAD;
use super::{
    Allowance, Conversion, Fault, Outcome, budget, meter, names, number, operators, rewrite,
    select, text,
};
use crate::computation;
use crate::records::Value;
use failed::failed;
pub(super) use values::from_cel;
use values::{to_cel, value_to_cel};

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
/// The name that errors of ours go by.
pub(super) const OWN_FAULT: &str = "@fault";

/// Names of types are values too: `type(x) == string`.
pub(super) const TYPES: [&str; 12] = [
    "bool",
    "bytes",
    number::DECIMAL,
    "duration",
    "dyn",
    "int",
    "list",
    "map",
    "null_type",
    "string",
    "timestamp",
    "type",
];

/// Functions of CEL that would be a second way of saying something.
const SUPERSEDED: [(&str, &str); 2] = [("double", "decimal"), ("uint", "int")];

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
    operators::declare(env)?;
    select::declare(env)?;
    elements::declare(env)?;
    sum::declare(env)?;
    nothing::declare(env)
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
        if !unknown.is_empty() {
            unknown.sort_unstable();
            return Err(unknown.iter().map(|name| unknown_function(name)).collect());
        }
        let names = names::free(&program);
        rewrite::into_own(&mut program);
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
        let Run { outcome, taken, .. } = self.run_tree(trial, &context(&nothing, &names), most);
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

    /// Evaluates it on a budget of steps.
    pub(super) fn run(&self, context: &Context<'_, '_>, steps: u64) -> Run {
        if self.is_deep {
            computation::on_large_stack(|| self.run_here(context, steps))
        } else {
            self.run_here(context, steps)
        }
    }

    fn run_here(&self, context: &Context<'_, '_>, steps: u64) -> Run {
        self.run_tree(&self.tree, context, steps)
    }

    fn run_tree(&self, tree: &IdedExpr, context: &Context<'_, '_>, steps: u64) -> Run {
        let most = steps.min(budget::MAX_STEPS);
        let run = || CelValue::resolve_val(tree, context).map(|value| from_cel(value.as_ref()));
        let watched = || elements::watched(|| budget::metered(most, self.nodes, run));
        let ((result, taken, over), watched) = text::with_patterns(&self.patterns, watched);
        let outcome = match (over, result) {
            (Some(budget::Over::Steps), _) if steps < budget::MAX_STEPS => {
                Err(Fault::over(budget::Over::PayloadSteps))
            }
            (Some(over), _) => Err(Fault::over(over)),
            (None, Ok(result)) => result,
            (None, Err(error)) => match (failed(&error), watched.fault) {
                // A loop over nothings and an error ends with whichever was last.
                (Ok(_), Some(fault)) => Err(fault.into()),
                (outcome, _) => outcome,
            },
        };
        Run {
            outcome,
            taken,
            left_out: watched.left_out,
        }
    }
}

/// The result and the cost of one evaluation.
pub(super) struct Run {
    pub(super) outcome: Result<Outcome, Fault>,
    /// How many steps it took.
    pub(super) taken: u64,
    pub(super) left_out: LeftOut,
}

fn unknown_function(name: &str) -> String {
    match SUPERSEDED.iter().find(|(theirs, _)| *theirs == name) {
        Some((_, own)) => format!("calls `{name}`: numbers are whole or decimal, write `{own}`"),
        None => format!("calls `{name}`, which is no function"),
    }
}

/// Parses within the bounds of the parser.
pub(super) fn parse(source: &str) -> Result<IdedExpr, ParseErrors> {
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
            None => Box::new(CelNull),
        };
        context.add_variable_as_val(name, bound);
    }
    context
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

fn convert<'b, 'v>(conversion: Conversion, arguments: &[CowVal<'b, 'v>]) -> Called<'b, 'v> {
    let fault = |fault: Fault| operators::fault(&fault);
    match from_cel(arguments[0].as_ref()).map_err(fault)?.value() {
        None => Ok(operators::null()),
        Some(value) => {
            let value = conversion.apply(&value).map_err(fault)?;
            Ok(CowVal::Owned(value_to_cel(&value)))
        }
    }
}

fn join<'b, 'v>(arguments: &[CowVal<'b, 'v>]) -> Called<'b, 'v> {
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
            && let Value::String(text) = Conversion::String.apply(&value).map_err(fault)?
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
pub(super) fn knows(name: &str) -> bool {
    is_function(name)
}
