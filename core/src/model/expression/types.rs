//! The kinds of values of an expression, found without evaluating it.
//!
//! Checking a model reports mistakes at the place of the word: a name that there is not, an
//! operator over kinds that it does not take, a condition that is neither true nor false. Names of
//! a payload have any kind, because its fields are not declared; the properties of event types,
//! traits, computed traits and preferences are known.

mod constants;
mod forms;
mod functions;
mod loops;
mod near;
mod place;
mod walk;
mod words;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

pub(in crate::model) use near::near;
use walk::Walk;
pub(in crate::model) use words::Words;

/// The kind of a value, as far as it is known beforehand.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::model) enum Kind {
    Any,
    Nothing,
    Boolean,
    Number,
    Text,
    /// A text that is a time: JSON has no other.
    Moment,
    Time,
    Duration,
    List(Arc<Kind>),
    Map(Arc<Shape>),
}

/// The fields of a map.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::model) struct Shape {
    pub(in crate::model) fields: BTreeMap<String, Kind>,
    /// Where there are no other fields, how a message says so: `there is no trait`.
    pub(in crate::model) only: Option<String>,
    /// Of fields that are texts, the ones that they can be, where it is known.
    pub(in crate::model) words: BTreeMap<String, Words>,
}

impl Shape {
    /// A map that may hold anything.
    pub(in crate::model) fn open() -> Self {
        Self::default()
    }

    pub(in crate::model) fn closed(none: &str, fields: BTreeMap<String, Kind>) -> Self {
        Self {
            fields,
            only: Some(none.to_owned()),
            words: BTreeMap::new(),
        }
    }

    /// The same, with the texts that some fields can be.
    pub(in crate::model) fn with_words(mut self, words: BTreeMap<String, Words>) -> Self {
        self.words = words;
        self
    }
}

impl Kind {
    pub(in crate::model) fn list(of: Self) -> Self {
        Self::List(Arc::new(of))
    }

    pub(in crate::model) fn map(shape: Shape) -> Self {
        Self::Map(Arc::new(shape))
    }

    fn is_open(&self) -> bool {
        matches!(self, Self::Any | Self::Nothing)
    }

    /// The kind of a value that is of one kind or the other.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, kind) | (kind, Self::Nothing) => kind,
            (one, other) if one == other => one,
            _ => Self::Any,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "anything",
            Self::Nothing => "nothing",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Moment | Self::Time => "a time",
            Self::Duration => "a duration",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        })
    }
}

/// The kind that an expression has to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model) enum Wanted {
    Anything,
    Condition,
    Number,
    /// One, or a list of them.
    Numbers,
}

/// A mistake in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::model) struct Mistake {
    /// How many characters of the expression are before it.
    pub(in crate::model) at: usize,
    pub(in crate::model) message: String,
}

/// The mistakes in an expression over these names, besides its syntax.
pub(in crate::model) fn mistakes(source: &str, names: &Shape, wanted: Wanted) -> Vec<Mistake> {
    // Compiling it reports faults of syntax.
    let Ok(program) = super::cel::parse(source) else {
        return Vec::new();
    };
    let mut walk = Walk::new(source, names);
    let kind = walk.expression(&program);
    let (fits, what) = match wanted {
        Wanted::Anything => (true, ""),
        Wanted::Condition => (kind == Kind::Boolean || kind.is_open(), "true or false"),
        Wanted::Number => (kind == Kind::Number || kind.is_open(), "a number"),
        Wanted::Numbers => {
            let is_number = |kind: &Kind| *kind == Kind::Number || kind.is_open();
            let of_list = matches!(&kind, Kind::List(of) if is_number(of));
            (of_list || is_number(&kind), "a number")
        }
    };
    if !fits && walk.found.is_empty() {
        let message = format!("must be {what}, and is {kind}");
        walk.found.push(Mistake { at: 0, message });
    }
    walk.found
}

/// The kind of what an expression gives over a payload.
pub(in crate::model) fn kind_of(source: &str) -> Kind {
    let Ok(program) = super::cel::parse(source) else {
        return Kind::Any;
    };
    Walk::new(source, &Shape::open()).expression(&program)
}

/// The texts that an expression can give, as far as they are written out.
pub(in crate::model) fn written_results(source: &str) -> Vec<(usize, String)> {
    let Ok(program) = super::cel::parse(source) else {
        return Vec::new();
    };
    let shape = Shape::open();
    let mut walk = Walk::new(source, &shape);
    walk.written(&program)
}
