//! The size of a program, found without recursion.

use cel::IdedExpr;
use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, MapExpr, StructExpr, operators,
};

/// Whether there is an `&&` or an `||`.
pub(super) fn has_guards(program: &IdedExpr) -> bool {
    let mut open = vec![program];
    while let Some(node) = open.pop() {
        if matches!(&node.expr, Expr::Call(call) if is_logical(call)) {
            return true;
        }
        children(node, &mut |child| open.push(child));
    }
    false
}

/// Whether a call is one.
pub(super) fn is_logical(call: &CallExpr) -> bool {
    [operators::LOGICAL_AND, operators::LOGICAL_OR].contains(&call.func_name.as_str())
        && call.target.is_none()
}

/// Number of nodes and depth, found without recursion.
pub(super) fn extent(program: &IdedExpr) -> (usize, usize) {
    let (mut nodes, mut deepest) = (0, 0);
    let mut open = vec![(program, 1)];
    while let Some((node, depth)) = open.pop() {
        nodes += 1;
        deepest = deepest.max(depth);
        children(node, &mut |child| open.push((child, depth + 1)));
    }
    (nodes, deepest)
}

/// Calls a function for each child of a node.
fn children<'e>(node: &'e IdedExpr, each: &mut impl FnMut(&'e IdedExpr)) {
    match &node.expr {
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => {}
        Expr::Select(select) => each(&select.operand),
        Expr::Call(call) => call
            .target
            .iter()
            .map(AsRef::as_ref)
            .chain(&call.args)
            .for_each(each),
        Expr::List(list) => list.elements.iter().for_each(each),
        Expr::Map(MapExpr { entries }) | Expr::Struct(StructExpr { entries, .. }) => {
            for entry in entries {
                match &entry.expr {
                    EntryExpr::StructField(field) => each(&field.value),
                    EntryExpr::MapEntry(entry) => {
                        [&entry.key, &entry.value].into_iter().for_each(&mut *each);
                    }
                }
            }
        }
        Expr::Comprehension(all) => {
            let ComprehensionExpr {
                iter_range,
                accu_init,
                loop_cond,
                loop_step,
                result,
                ..
            } = all.as_ref();
            [iter_range, accu_init, loop_cond, loop_step, result]
                .into_iter()
                .for_each(each);
        }
    }
}
