//! Calls put around the nodes of a program.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr, LiteralValue};
use cel::common::types::CelInt;

use super::{NAMESPACES, TICK};

pub(super) fn is_namespace(target: &IdedExpr) -> bool {
    matches!(&target.expr, Expr::Ident(name) if NAMESPACES.contains(&name.as_str()))
}

pub(super) fn is_literal(node: &IdedExpr) -> bool {
    matches!(node.expr, Expr::Literal(_))
}

pub(super) fn wrap_unless_literal(function: &str, node: &mut IdedExpr) {
    if !is_literal(node) {
        wrap(function, node);
    }
}

pub(super) fn wrap(function: &str, node: &mut IdedExpr) {
    call(function, Vec::new(), node);
}

pub(super) fn tick(steps: usize, node: &mut IdedExpr) {
    let steps = i64::try_from(steps).unwrap_or(i64::MAX);
    let steps = IdedExpr {
        id: node.id,
        expr: Expr::Literal(LiteralValue::Int(CelInt::from(steps))),
    };
    call(TICK, vec![steps], node);
}

/// Makes an expression the last argument of a call.
pub(super) fn call(function: &str, mut args: Vec<IdedExpr>, node: &mut IdedExpr) {
    let id = node.id;
    args.push(std::mem::take(node));
    *node = IdedExpr {
        id,
        expr: Expr::Call(CallExpr {
            func_name: function.to_owned(),
            target: None,
            args,
        }),
    };
}
