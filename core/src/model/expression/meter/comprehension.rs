//! Metering of comprehensions: each round is charged, and lists grow in place.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, operators};

use super::extent::extent;
use super::nodes::{is_literal, tick, wrap_unless_literal};
use super::{READ, Rewriter};

impl Rewriter<'_> {
    pub(super) fn comprehension(&mut self, all: &mut ComprehensionExpr) {
        self.expression(&mut all.iter_range);
        wrap_unless_literal(READ, &mut all.iter_range);
        self.expression(&mut all.accu_init);
        let turn = extent(&all.loop_cond).0 + extent(&all.loop_step).0;
        if !is_literal(&all.loop_cond) {
            self.expression(&mut all.loop_cond);
            self.expression(&mut all.loop_step);
            tick(turn, &mut all.loop_cond);
        } else if let Expr::Call(CallExpr {
            func_name,
            args,
            target: None,
        }) = &mut all.loop_step.expr
            && func_name == operators::CONDITIONAL
            && let [guard, step, _] = args.as_mut_slice()
        {
            self.expression(guard);
            tick(turn, guard);
            self.append(step);
        } else {
            self.append(&mut all.loop_step);
            match appended(&mut all.loop_step) {
                Some([first, ..]) => tick(turn, first),
                _ => tick(turn, &mut all.loop_step),
            }
        }
        self.expression(&mut all.result);
    }

    /// A step of a loop that may append to a list: the sum itself is neither read nor made.
    fn append(&mut self, step: &mut IdedExpr) {
        match appended(step) {
            Some(elements) => elements.iter_mut().for_each(|element| self.kept(element)),
            None => self.expression(step),
        }
    }
}

/// The elements of the list in `accumulator + [elements]`.
fn appended(step: &mut IdedExpr) -> Option<&mut [IdedExpr]> {
    let Expr::Call(CallExpr {
        func_name,
        args,
        target: None,
    }) = &mut step.expr
    else {
        return None;
    };
    match args.as_mut_slice() {
        [
            IdedExpr {
                expr: Expr::Ident(_),
                ..
            },
            IdedExpr {
                expr: Expr::List(list),
                ..
            },
        ] if func_name == operators::ADD => Some(&mut list.elements),
        _ => None,
    }
}
