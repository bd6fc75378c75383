//! The part of the expressions that needs CEL.
//!
//! Beyond CEL's own functions and its string extension (`split`, `replace`, `substring`, …) there
//! are the [conversions](Conversion), which replace CEL's `int`, `string` and `bool` so that one
//! name means one thing, `join_nonempty(separator, list)` and `sum(list)`. Operators, selection and
//! loops are those of [`operators`](super::operators), [`select`](super::select) and
//! [`elements`](super::elements).

mod environment;
mod failed;
mod functions;
mod nothing;
mod sum;
mod values;

use std::sync::{Arc, OnceLock};

use cel::common::types::CelNull;
use cel::parser::PrattParser;
use cel::{Context, IdedExpr, ParseErrors, Value as CelValue};
use regex::Regex;
use serde_json::Value as Json;

use super::elements::{self, LeftOut};
use super::path::PAYLOAD;
use super::time::{self, Zones};
use super::{Allowance, Fault, Outcome, budget, meter, names, number, rewrite, shadowed, text};
use crate::computation;
use failed::failed;
use functions::{is_function, unknown_function};
pub(super) use values::from_cel;
use values::{is_null, to_cel};

use environment::ENV;
#[cfg(test)]
pub(super) use functions::knows;

/// A compiled program and the fields that it names.
#[derive(Debug)]
pub(super) struct Program {
    /// With its meter.
    tree: IdedExpr,
    nodes: u64,
    is_deep: bool,
    names: Vec<String>,
    patterns: Arc<[Regex]>,
    /// The run over a payload that has none of the fields.
    over_nothing: OnceLock<Run>,
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
        let asks_for_types = found.functions().into_iter().any(|name| name == "type");
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
        if !asks_for_types {
            shadowed::mark(&mut program);
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
            over_nothing: OnceLock::new(),
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
        let most = budget::MAX_STEPS_OVER_NOTHING.min(allowance.trial_steps);
        let Run { outcome, taken, .. } =
            self.run_tree(trial, &context(&nothing, &self.names), most);
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
    pub(super) fn run(&self, context: &Context<'_, '_>, steps: u64, zones: &Zones) -> Run {
        let run = || time::within(zones, || self.run_tree(&self.tree, context, steps));
        if self.is_deep {
            computation::on_large_stack(run)
        } else {
            run()
        }
    }

    /// The run over a payload of which no field that it names says anything: it is the same for all
    /// of them, so it is made once. `None` where something is said, or where it takes long.
    pub(super) fn run_over_nothing(&self, payload: &Json, zones: &Zones) -> Option<&Run> {
        let says_nothing = |name: &String| match payload.get(shadowed::field(name)) {
            None => name != PAYLOAD,
            Some(json) => is_null(json) && name != PAYLOAD && !is_defined(name),
        };
        if !self.names.iter().all(says_nothing) {
            return None;
        }
        if let Some(run) = self.over_nothing.get() {
            return Some(run);
        }
        let nothing = context(&Json::Null, &self.names);
        let run = self.run(&nothing, budget::MAX_INLINE_STEPS, zones);
        let is_over = matches!(&run.outcome, Err(fault) if fault.over.is_some());
        (!is_over).then(|| self.over_nothing.get_or_init(|| run))
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
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) outcome: Result<Outcome, Fault>,
    /// How many steps it took.
    pub(super) taken: u64,
    pub(super) left_out: LeftOut,
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

/// Whether a name means something where the payload has no such field.
fn is_defined(name: &str) -> bool {
    TYPES.contains(&name) || meter::NAMESPACES.contains(&name)
}

/// A context without any field.
pub(super) fn empty_context() -> Context<'static, 'static> {
    Context::with_env(Arc::clone(&ENV))
}

/// A context with these fields of a payload.
pub(super) fn context(payload: &Json, names: &[String]) -> Context<'static, 'static> {
    let mut context = empty_context();
    bind(&mut context, payload, names);
    context
}

/// Binds the named fields of a payload, those that are not bound yet. One that is not there is
/// null.
pub(super) fn bind(context: &mut Context<'static, 'static>, payload: &Json, names: &[String]) {
    for name in names {
        if context.get_variable(name).is_some() {
            continue;
        }
        let bound = match payload.get(shadowed::field(name)) {
            _ if name == PAYLOAD => to_cel(payload),
            Some(json) => to_cel(json),
            None if is_defined(name) => continue,
            None => Box::new(CelNull),
        };
        context.add_variable_as_val(name, bound);
    }
}
