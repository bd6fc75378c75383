//! Expressions of the model file, over the payload of a source.
//!
//! An expression is written in CEL, over the payload's fields as variables, and `payload` for the
//! whole. Most are no more than a name, and building an evaluation context costs more than all
//! look-ups of a payload together. So:
//!
//! - A plain path (`email`, `customer.id`, `payload['First name']`, `lines[0].sku`) is compiled to
//!   a look-up, and a conversion of one (`decimal(total)`) to a look-up and a conversion. Neither
//!   needs CEL, and numbers keep each digit.
//! - Everything else is a CEL program. Its context is built at most once a payload, and binds only
//!   the fields that some expression names.
//!
//! **Missing is not wrong.** A field that is not there, is null or blank gives no value, and so
//! does everything computed from it, as NULL does in SQL. An expression fails only when a value is
//! there and is not what is asked for. What a failure says never quotes the value.

mod budget;
mod cel;
mod convert;
mod copies;
mod elements;
mod equality;
pub(crate) mod failures;
mod fields;
mod format;
#[cfg(test)]
mod manual;
mod meter;
pub(super) mod names;
mod number;
mod numeral;
mod operators;
mod path;
mod payload;
mod rewrite;
mod select;
mod shadowed;
#[cfg(test)]
mod tests;
mod text;
pub(super) mod time;
pub(super) mod types;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

use convert::from_json;
pub(super) use convert::{Conversion, kind};
pub(super) use fields::FieldRead;
pub(super) use numeral::take_doubt;
use path::Path;
pub(super) use payload::Payload;

use budget::Over;

use super::pattern;
use crate::records::Value;

/// Why an expression has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// Words without personal data.
    text: Cow<'static, str>,
    over: Option<Over>,
}

impl Fault {
    fn over(over: Over) -> Self {
        Self {
            text: over.to_string().into(),
            over: Some(over),
        }
    }

    /// Words without personal data.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the budget was the reason, and not the value.
    pub(super) fn is_over_budget(&self) -> bool {
        self.over.is_some()
    }
}

impl From<&'static str> for Fault {
    fn from(text: &'static str) -> Self {
        Self {
            text: text.into(),
            over: None,
        }
    }
}

impl From<String> for Fault {
    fn from(text: String) -> Self {
        Self {
            text: text.into(),
            over: None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What compiling the expressions and patterns of a model may take together.
#[derive(Debug)]
pub(super) struct Allowance {
    /// What is left for regular expressions.
    pub(super) patterns: pattern::Budget,
    /// Steps over an empty payload.
    trial_steps: u64,
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            patterns: pattern::Budget::default(),
            trial_steps: budget::MAX_TRIAL_STEPS,
        }
    }
}

/// A compiled expression.
#[derive(Clone)]
pub(super) struct Expression {
    source: String,
    plan: Plan,
    told: Arc<failures::Told>,
}

#[derive(Clone)]
enum Plan {
    Path(Path),
    Convert(Conversion, Path),
    Program(Arc<cel::Program>),
}

/// What an expression gives.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    /// There is nothing.
    Missing,
    /// The source says that there is nothing.
    Null,
    /// A value of the payload, or computed from it.
    Value(Value),
}

impl Outcome {
    pub(super) fn value(self) -> Option<Value> {
        match self {
            Self::Value(value) => Some(value),
            Self::Missing | Self::Null => None,
        }
    }
}

impl Expression {
    /// Compiles an expression that belongs to no model, over a payload.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(super) fn compile(source: &str) -> Result<Self, Vec<String>> {
        Self::compile_within(source, &[], &mut Allowance::default())
    }

    /// Compiles one of several expressions, which share an allowance. `subjects`: names that stand
    /// for maps.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(super) fn compile_within(
        source: &str,
        subjects: &[&str],
        allowance: &mut Allowance,
    ) -> Result<Self, Vec<String>> {
        if source.len() > budget::MAX_SOURCE_BYTES {
            let (length, most) = (source.len(), budget::MAX_SOURCE_BYTES);
            return Err(vec![format!(
                "has {length} bytes: an expression has at most {most}"
            )]);
        }
        let plan = if let Some(path) = Path::parse(source) {
            Plan::Path(path)
        } else if let Some((conversion, path)) = conversion_of_path(source) {
            Plan::Convert(conversion, path)
        } else {
            Plan::Program(Arc::new(cel::Program::compile(
                source, subjects, allowance,
            )?))
        };
        Ok(Self {
            source: source.to_owned(),
            plan,
            told: Arc::default(),
        })
    }

    /// As it was written.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// The names of the payload's fields that must be bound to evaluate it.
    pub(super) fn bound_names(&self) -> impl Iterator<Item = &str> {
        match &self.plan {
            Plan::Program(program) => program.names(),
            Plan::Path(_) | Plan::Convert(..) => &[],
        }
        .iter()
        .map(|name| shadowed::field(name))
    }

    /// The part of the payload that a plain path names, as it is.
    pub(super) fn find<'p>(&self, payload: &Payload<'p>) -> Option<&'p Json> {
        match &self.plan {
            // A fault is told where the path is evaluated.
            Plan::Path(path) => path.find(payload.json).ok().flatten(),
            Plan::Convert(..) | Plan::Program(_) => None,
        }
    }

    /// The number of the payload that it gives, as it is or as a text.
    pub(super) fn number_of<'p>(&self, payload: &Payload<'p>) -> Option<&'p serde_json::Number> {
        let path = match &self.plan {
            Plan::Path(path) | Plan::Convert(Conversion::String, path) => path,
            Plan::Convert(..) | Plan::Program(_) => return None,
        };
        match path.find(payload.json).ok().flatten()? {
            Json::Number(number) => Some(number),
            _ => None,
        }
    }

    /// Counts a result that is not of the kind that its place takes as a failure.
    pub(super) fn refuse_result(&self, reason: String) {
        self.told.fault(&self.source, &reason.into());
    }

    /// What became of its evaluations; none if all went well.
    pub(super) fn failures(&self) -> Option<failures::Failures> {
        self.told.failures()
    }

    pub(super) fn evaluate(&self, payload: &Payload<'_>) -> Result<Outcome, Fault> {
        self.evaluate_and_tell(payload, &mut |_| {})
    }

    /// The same, and tells why elements of lists were left out, if some were.
    pub(super) fn evaluate_and_tell(
        &self,
        payload: &Payload<'_>,
        left_out: &mut dyn FnMut(&str),
    ) -> Result<Outcome, Fault> {
        let outcome = self.evaluated(payload, left_out);
        if let Err(fault) = &outcome {
            self.told.fault(&self.source, fault);
        }
        outcome
    }

    fn evaluated(
        &self,
        payload: &Payload<'_>,
        left_out: &mut dyn FnMut(&str),
    ) -> Result<Outcome, Fault> {
        match &self.plan {
            Plan::Path(path) => path
                .find(payload.json)?
                .map_or(Ok(Outcome::Missing), from_json),
            Plan::Convert(conversion, path) => {
                match path.find(payload.json)?.map(from_json).transpose()? {
                    Some(Outcome::Value(value)) => {
                        let converted = conversion.apply(&value, &payload.zones)?;
                        Ok(converted.map_or(Outcome::Null, Outcome::Value))
                    }
                    Some(nothing) => Ok(nothing),
                    None => Ok(Outcome::Missing),
                }
            }
            Plan::Program(program) => {
                let run = payload
                    .run_over_nothing(program)
                    .unwrap_or_else(|| payload.run(program));
                self.told.left_out(&self.source, &run.left_out);
                run.left_out
                    .reason
                    .as_deref()
                    .into_iter()
                    .for_each(left_out);
                run.outcome
            }
        }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.source)
    }
}

/// `decimal(order.total)`: the name of a conversion around a plain path.
fn conversion_of_path(source: &str) -> Option<(Conversion, Path)> {
    let (name, argument) = source.trim().strip_suffix(')')?.split_once('(')?;
    Some((Conversion::named(name.trim_end())?, Path::parse(argument)?))
}
