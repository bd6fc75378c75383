//! Nodes of a program that is rewritten.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr, LiteralValue};
use cel::common::types::CelInt;

pub(super) fn node(id: u64, expr: Expr) -> IdedExpr {
    IdedExpr { id, expr }
}

pub(super) fn literal(id: u64, value: LiteralValue) -> IdedExpr {
    node(id, Expr::Literal(value))
}

pub(super) fn number(id: u64, number: i64) -> IdedExpr {
    literal(id, LiteralValue::Int(CelInt::from(number)))
}

pub(super) fn called(function: &str, args: Vec<IdedExpr>) -> Expr {
    Expr::Call(CallExpr {
        func_name: function.to_owned(),
        target: None,
        args,
    })
}

pub(super) fn call_around(function: &str, inner: &mut IdedExpr) {
    let id = inner.id;
    let argument = std::mem::take(inner);
    *inner = node(id, called(function, vec![argument]));
}

pub(super) fn with_place(function: &str, place: i64, inner: &mut IdedExpr) {
    let id = inner.id;
    let argument = std::mem::take(inner);
    *inner = node(id, called(function, vec![number(id, place), argument]));
}
