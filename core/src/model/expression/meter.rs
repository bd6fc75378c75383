//! Puts the [meter](super::budget) into a program, by rewriting its syntax tree.
//!
//! Three calls are put in, each around an expression whose value it hands on:
//!
//! - `@tick(n, x)` in each loop, at a place that is evaluated once a turn: `n` is the number of
//!   nodes of the loop.
//! - `@read(x)` around what a function reads as a whole: its arguments, the range of a loop.
//! - `@made(x)` around what is made or copied: results of functions, elements of lists, entries of
//!   maps.
//!
//! Operators charge the meter themselves ([`super::operators`]).
//!
//! The interpreter recognises the loops of `map` and `filter` by their shape and appends to one
//! list instead of copying it at each turn, and the loops of `all` and `exists` to absorb errors;
//! those shapes are kept.
//!
//! Functions whose own implementation has no bound (`replace` makes a text as long as the product
//! of two) are replaced by those of [`super::text`].

mod comprehension;
mod extent;
mod nodes;

use cel::IdedExpr;
use cel::common::ast::{
    CallExpr, EntryExpr, Expr, ListExpr, LiteralValue, MapExpr, StructExpr, operators,
};
use cel::common::types::CelInt;
use regex::Regex;

use super::budget::{MAX_DEPTH, MAX_NODES, MAX_PATTERNS};
use super::rewrite::charges_itself;
use super::{select, text};
use crate::model::pattern;
use extent::{extent, has_guards, is_logical};
use nodes::{is_namespace, wrap, wrap_unless_literal};

pub(super) const TICK: &str = "@tick";
pub(super) const READ: &str = "@read";
pub(super) const MADE: &str = "@made";
/// Charges for a text that is about to be cut into pieces.
pub(super) const PIECES: &str = "@pieces";

/// CEL's own conversions under their other names; CEL allows nobody else to use the first.
const REPLACED: [(&str, &str); 3] = [
    ("int", "to_int"),
    ("string", "to_string"),
    ("bool", "to_bool"),
];

/// First parts of names of functions: `optional.of(x)` is no call of `of` on `optional`.
pub(super) const NAMESPACES: [&str; 2] = ["optional", "strings"];

/// A program with its meter.
pub(super) struct Metered {
    /// Number of nodes before the meter was put in.
    pub(super) nodes: usize,
    /// Depth before the meter was put in.
    pub(super) depth: usize,
    /// The patterns that are written out. Calls name them by their place.
    pub(super) patterns: Vec<Regex>,
    /// The program that is tried over an empty payload, if it is another one: see
    /// [`Rewriter::guard`].
    pub(super) trial: Option<IdedExpr>,
}

/// Puts the meter into a program.
///
/// # Errors
/// The program is too large or too deep, or a pattern in it is.
pub(super) fn put_into(
    program: &mut IdedExpr,
    budget: &mut pattern::Budget,
) -> Result<Metered, Vec<String>> {
    let (nodes, depth) = extent(program);
    if nodes > MAX_NODES {
        return Err(vec![format!(
            "has {nodes} parts (names, literals and operators): at most {MAX_NODES} are allowed"
        )]);
    }
    if depth > MAX_DEPTH {
        return Err(vec![format!(
            "is {depth} levels deep (each operator of a chain is one): at most {MAX_DEPTH} are allowed"
        )]);
    }
    let mut trial = has_guards(program).then(|| program.clone());
    let mut meter = Rewriter {
        is_trial: false,
        patterns: Vec::new(),
        wrong: Vec::new(),
        budget,
    };
    meter.expression(program);
    if meter.patterns.len() > MAX_PATTERNS {
        meter.wrong.push(format!(
            "has more than {MAX_PATTERNS} patterns: at most {MAX_PATTERNS} are allowed"
        ));
    }
    if !meter.wrong.is_empty() {
        return Err(meter.wrong);
    }
    meter.is_trial = true;
    if let Some(trial) = &mut trial {
        meter.expression(trial);
    }
    Ok(Metered {
        nodes,
        depth,
        patterns: meter.patterns,
        trial,
    })
}

struct Rewriter<'b> {
    /// The program is only tried over an empty payload.
    is_trial: bool,
    patterns: Vec<Regex>,
    wrong: Vec<String>,
    budget: &'b mut pattern::Budget,
}

impl Rewriter<'_> {
    fn expression(&mut self, node: &mut IdedExpr) {
        match &mut node.expr {
            Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => {}
            Expr::Select(select) => self.expression(&mut select.operand),
            Expr::Call(call) => {
                if self.call(call) {
                    wrap(MADE, node);
                }
            }
            Expr::List(list) => self.list(list),
            Expr::Map(MapExpr { entries }) | Expr::Struct(StructExpr { entries, .. }) => {
                for entry in entries {
                    match &mut entry.expr {
                        EntryExpr::StructField(field) => self.kept(&mut field.value),
                        EntryExpr::MapEntry(entry) => {
                            self.kept(&mut entry.key);
                            self.kept(&mut entry.value);
                        }
                    }
                }
            }
            Expr::Comprehension(all) => self.comprehension(all),
        }
    }

    /// Something that is copied into a list or a map.
    fn kept(&mut self, node: &mut IdedExpr) {
        self.expression(node);
        wrap_unless_literal(MADE, node);
    }

    fn list(&mut self, list: &mut ListExpr) {
        list.elements
            .iter_mut()
            .for_each(|element| self.kept(element));
    }

    /// Answers whether the result is to be charged.
    fn call(&mut self, call: &mut CallExpr) -> bool {
        let qualified = call
            .target
            .as_ref()
            .is_some_and(|target| is_namespace(target));
        if let Some(target) = call.target.as_mut().filter(|_| !qualified) {
            self.expression(target);
        }
        call.args
            .iter_mut()
            .for_each(|argument| self.expression(argument));
        if self.is_trial && is_logical(call) {
            Self::guard(call);
        } else if self.is_trial && call.func_name == select::GET {
            select::GET_STRICT.clone_into(&mut call.func_name);
        }
        match call.func_name.as_str() {
            operators::CONDITIONAL
            | operators::LOGICAL_AND
            | operators::LOGICAL_OR
            | operators::LOGICAL_NOT
            | operators::NOT_STRICTLY_FALSE
            | operators::INDEX
            | operators::OPT_INDEX
            | operators::OPT_SELECT
            | operators::EQUALS
            | operators::NOT_EQUALS
            | operators::ADD => false,
            name if charges_itself(name) => false,
            _ => {
                self.function(call, qualified);
                true
            }
        }
    }

    /// In the trial the left side of `&&` and `||` decides also where it has no answer. CEL
    /// evaluates the right side then; over an empty payload that says nothing of payloads with the
    /// fields that the left side asks for.
    fn guard(call: &mut CallExpr) {
        let Some(left) = call.args.first_mut() else {
            return;
        };
        // The sum of a loop is no guard: the interpreter knows loops by their shape.
        if matches!(&left.expr, Expr::Ident(name) if name.starts_with('@')) {
            return;
        }
        let is_and = call.func_name == operators::LOGICAL_AND;
        if is_and {
            wrap(operators::LOGICAL_NOT, left);
        }
        wrap(operators::NOT_STRICTLY_FALSE, left);
        if is_and {
            wrap(operators::LOGICAL_NOT, left);
        }
    }

    fn function(&mut self, call: &mut CallExpr, qualified: bool) {
        let replaced = REPLACED.iter().find(|(name, _)| *name == call.func_name);
        if let Some((_, own)) = replaced.filter(|_| call.target.is_none() && call.args.len() == 1) {
            (*own).clone_into(&mut call.func_name);
        }
        if let Some(target) = call.target.as_mut().filter(|_| !qualified) {
            wrap_unless_literal(
                if call.func_name == "split" {
                    PIECES
                } else {
                    READ
                },
                target,
            );
        }
        call.args
            .iter_mut()
            .for_each(|argument| wrap_unless_literal(READ, argument));
        let arguments = call.args.len() + usize::from(call.target.is_some());
        let is_own = (call.target.is_some() || call.func_name == text::MATCHES) && !qualified;
        if let (true, Some(own)) = (is_own, text::own_name(&call.func_name, arguments)) {
            own.clone_into(&mut call.func_name);
            call.args
                .splice(0..0, call.target.take().map(|target| *target));
            self.pattern(call);
        }
    }

    /// A pattern that is written out is compiled now, once. The call then names it by its place.
    fn pattern(&mut self, call: &mut CallExpr) {
        let [
            _,
            IdedExpr {
                id,
                expr: Expr::Literal(LiteralValue::String(written)),
            },
        ] = call.args.as_slice()
        else {
            return;
        };
        if call.func_name != text::OWN_MATCHES || self.patterns.len() > MAX_PATTERNS {
            return;
        }
        let known = self
            .patterns
            .iter()
            .position(|pattern| pattern.as_str() == written.inner());
        let place = match known.map_or_else(
            || self.budget.compile(written.inner()).map(Err),
            |place| Ok(Ok(place)),
        ) {
            Ok(Ok(place)) => place,
            Ok(Err(pattern)) => {
                self.patterns.push(pattern);
                self.patterns.len() - 1
            }
            Err(wrong) => {
                self.wrong
                    .push(format!("matches() has a pattern that is refused: {wrong}"));
                return;
            }
        };
        let (id, place) = (*id, i64::try_from(place).unwrap_or(i64::MAX));
        call.args.push(IdedExpr {
            id,
            expr: Expr::Literal(LiteralValue::Int(CelInt::from(place))),
        });
        text::OWN_MATCHES_WRITTEN.clone_into(&mut call.func_name);
    }
}
