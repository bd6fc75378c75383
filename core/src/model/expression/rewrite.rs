//! Puts the operators, the selection and the loops of this module into a program, in place of
//! CEL's own: see [`operators`](super::operators), [`select`](super::select) and
//! [`elements`](super::elements). The meter goes in afterwards.

mod nodes;

use cel::IdedExpr;
use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, ListExpr, LiteralValue, MapExpr, SelectExpr,
    StructExpr, operators as cel_operators,
};
use cel::common::types::{CelBool, CelInt, CelString};

use super::{elements, operators, select};
use crate::model::flag;
use nodes::{call_around, called, literal, node, number, with_place};

/// CEL's operators and ours.
const OPERATORS: [(&str, &str); 14] = [
    (cel_operators::ADD, operators::ADD),
    (cel_operators::SUBSTRACT, operators::SUBTRACT),
    (cel_operators::MULTIPLY, operators::MULTIPLY),
    (cel_operators::DIVIDE, operators::DIVIDE),
    (cel_operators::MODULO, operators::REMAINDER),
    (cel_operators::NEGATE, operators::NEGATE),
    (cel_operators::EQUALS, operators::EQUAL),
    (cel_operators::NOT_EQUALS, operators::UNEQUAL),
    (cel_operators::LESS, operators::LESS),
    (cel_operators::LESS_EQUALS, operators::LESS_EQUAL),
    (cel_operators::GREATER, operators::GREATER),
    (cel_operators::GREATER_EQUALS, operators::GREATER_EQUAL),
    (cel_operators::IN, operators::IN),
    ("type", operators::TYPE),
];

/// Rewrites a program.
pub(super) fn into_own(program: &mut IdedExpr) {
    Rewriter { loops: 0 }.expression(program);
}

/// Whether a call is one of ours that charges the meter itself, or is not to be charged.
pub(super) fn charges_itself(name: &str) -> bool {
    let own = [
        elements::RANGE,
        elements::LOOP,
        elements::KEEP,
        elements::KEPT,
        elements::HOLDS,
        elements::HELD,
        elements::TRUE,
        select::GET,
        select::GET_STRICT,
        select::GET_OPTIONAL,
        select::HAS,
    ];
    own.contains(&name) || OPERATORS.iter().any(|(_, own)| *own == name)
}

struct Rewriter {
    /// How many loops there were so far.
    loops: i64,
}

impl Rewriter {
    fn expression(&mut self, node: &mut IdedExpr) {
        match &mut node.expr {
            Expr::Unspecified | Expr::Ident(_) => {}
            Expr::Literal(literal) => {
                // There is one kind of whole numbers.
                if let LiteralValue::UInt(number) = literal
                    && let Ok(number) = i64::try_from(*number.inner())
                {
                    *literal = LiteralValue::Int(CelInt::from(number));
                }
            }
            Expr::Select(_) => self.selection(node),
            Expr::Call(call) => {
                if [
                    cel_operators::INDEX,
                    cel_operators::OPT_INDEX,
                    cel_operators::OPT_SELECT,
                ]
                .contains(&call.func_name.as_str())
                {
                    self.selection(node);
                } else {
                    self.call(call);
                }
            }
            Expr::List(list) => list
                .elements
                .iter_mut()
                .for_each(|element| self.expression(element)),
            Expr::Map(MapExpr { entries }) | Expr::Struct(StructExpr { entries, .. }) => {
                for entry in entries {
                    match &mut entry.expr {
                        EntryExpr::StructField(field) => self.expression(&mut field.value),
                        EntryExpr::MapEntry(entry) => {
                            self.expression(&mut entry.key);
                            self.expression(&mut entry.value);
                        }
                    }
                }
            }
            Expr::Comprehension(all) => {
                let place = self.loops;
                self.loops += 1;
                self.comprehension(place, all);
                with_place(elements::LOOP, place, node);
            }
        }
    }

    fn call(&mut self, call: &mut CallExpr) {
        if let Some(target) = &mut call.target {
            self.expression(target);
        }
        call.args
            .iter_mut()
            .for_each(|argument| self.expression(argument));
        if call.target.is_some() || is_plain_equality(call) {
            return;
        }
        if let Some((_, own)) = OPERATORS
            .iter()
            .find(|(theirs, _)| *theirs == call.func_name)
        {
            (*own).clone_into(&mut call.func_name);
        }
    }

    /// `a.b['c'][0]` becomes one call.
    fn selection(&mut self, node: &mut IdedExpr) {
        let id = node.id;
        let (function, operand, step) = match std::mem::take(&mut node.expr) {
            Expr::Select(SelectExpr {
                operand,
                field,
                test,
            }) => {
                let step = literal(id, LiteralValue::String(CelString::from(field)));
                let function = if test { select::HAS } else { select::GET };
                (function, *operand, step)
            }
            Expr::Call(CallExpr {
                func_name,
                mut args,
                ..
            }) if args.len() == 2 => {
                let is_optional = func_name != cel_operators::INDEX;
                let function = if is_optional {
                    select::GET_OPTIONAL
                } else {
                    select::GET
                };
                let mut step = args.pop().unwrap_or_default();
                self.expression(&mut step);
                (function, args.pop().unwrap_or_default(), step)
            }
            other => {
                node.expr = other;
                return;
            }
        };
        let mut operand = operand;
        self.expression(&mut operand);
        let mut args = match operand.expr {
            Expr::Call(CallExpr {
                func_name,
                args,
                target: None,
            }) if func_name == select::GET && args.len() <= select::MAX_STEPS => args,
            expr => vec![IdedExpr {
                id: operand.id,
                expr,
            }],
        };
        args.push(step);
        node.expr = called(function, args);
    }

    fn comprehension(&mut self, place: i64, all: &mut ComprehensionExpr) {
        self.expression(&mut all.iter_range);
        with_place(elements::RANGE, place, &mut all.iter_range);
        let id = all.loop_step.id;
        let var = all.iter_var.clone();
        let Expr::Call(step) = &mut all.loop_step.expr else {
            return;
        };
        match step.func_name.as_str() {
            // `filter`, `map` with a condition, `exists_one`.
            cel_operators::CONDITIONAL => {
                let [condition, then, _] = step.args.as_mut_slice() else {
                    return;
                };
                self.expression(condition);
                if !matches!(then.expr, Expr::Call(CallExpr { ref args, .. }) if matches!(args.get(1), Some(IdedExpr { expr: Expr::List(_), .. })))
                {
                    call_around(elements::TRUE, condition);
                    return;
                }
                with_place(elements::HOLDS, place, condition);
                let held = node(id, called(elements::HELD, vec![number(id, place)]));
                let guard = std::mem::take(condition);
                *condition = node(id, called(cel_operators::LOGICAL_AND, vec![guard, held]));
                if let Some(keep) = self.appended(place, &var, then) {
                    let guard = std::mem::take(condition);
                    *condition = node(id, called(cel_operators::LOGICAL_AND, vec![guard, keep]));
                }
            }
            cel_operators::ADD => {
                if let Some(keep) = self.appended(place, &var, &mut all.loop_step) {
                    let then = std::mem::take(&mut all.loop_step);
                    let otherwise = node(id, Expr::Ident(all.accu_var.clone()));
                    let step = called(cel_operators::CONDITIONAL, vec![keep, then, otherwise]);
                    all.loop_step = node(id, step);
                }
            }
            // `exists` and `all`.
            _ => {
                if let Some(body) = step.args.get_mut(1) {
                    self.expression(body);
                }
            }
        }
    }

    /// Makes a step append what is kept of its body, unless that is the element as it is. Answers
    /// the condition that keeps it.
    fn appended(&mut self, place: i64, var: &str, step: &mut IdedExpr) -> Option<IdedExpr> {
        let id = step.id;
        let Expr::Call(CallExpr { args, .. }) = &mut step.expr else {
            return None;
        };
        let Some(Expr::List(ListExpr {
            elements,
            optional_indices,
        })) = args.get_mut(1).map(|list| &mut list.expr)
        else {
            return None;
        };
        let body = elements.first_mut()?;
        if matches!(&body.expr, Expr::Ident(name) if name == var) {
            return None;
        }
        self.expression(body);
        let mut keep = std::mem::take(body);
        with_place(elements::KEEP, place, &mut keep);
        *body = node(id, called(elements::KEPT, vec![number(id, place)]));
        optional_indices.push(0);
        let always = literal(id, LiteralValue::Boolean(CelBool::from(true)));
        Some(node(
            id,
            called(cel_operators::LOGICAL_OR, vec![keep, always]),
        ))
    }
}

/// Whether CEL's own equality is right: with a text that reads as nothing else, it is, and faster.
fn is_plain_equality(call: &CallExpr) -> bool {
    let is_equality =
        [cel_operators::EQUALS, cel_operators::NOT_EQUALS].contains(&call.func_name.as_str());
    let is_word = |argument: &IdedExpr| match &argument.expr {
        Expr::Literal(LiteralValue::String(text)) => {
            let text = text.inner();
            text.starts_with(char::is_alphabetic) && flag::read(text).is_none()
        }
        _ => false,
    };
    // The sum of a loop is a number, and the interpreter's.
    let is_sum =
        |argument: &IdedExpr| matches!(&argument.expr, Expr::Ident(name) if name.starts_with('@'));
    is_equality
        && call
            .args
            .iter()
            .any(|argument| is_word(argument) || is_sum(argument))
}
