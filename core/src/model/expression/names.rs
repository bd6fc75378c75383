//! The names that an expression takes from its payload, all but the variables of its loops; each
//! with the fields that are selected of it.

use std::collections::BTreeSet;

use cel::IdedExpr;
use cel::common::ast::{CallExpr, EntryExpr, Expr, LiteralValue, MapExpr, StructExpr, operators};

/// A free name, and the fields selected of it one after the other, as far as they are written out.
pub(in crate::model) type Selection = Vec<String>;

/// The free names, in order.
pub(super) fn free(program: &IdedExpr) -> Vec<String> {
    let first = |path: Vec<&str>| path.first().map(|name| (*name).to_owned());
    let names: BTreeSet<String> = paths(program).into_iter().filter_map(first).collect();
    names.into_iter().collect()
}

/// The free names of an expression with their fields, in order. None where it has faults of
/// syntax.
pub(in crate::model) fn selections(source: &str) -> BTreeSet<Selection> {
    let Ok(program) = super::cel::parse(source) else {
        return BTreeSet::new();
    };
    let owned = |path: Vec<&str>| path.into_iter().map(str::to_owned).collect();
    paths(&program).into_iter().map(owned).collect()
}

fn paths(program: &IdedExpr) -> BTreeSet<Vec<&str>> {
    let mut names = Names {
        found: BTreeSet::new(),
        bound: Vec::new(),
    };
    names.expression(program);
    names.found
}

struct Names<'e> {
    found: BTreeSet<Vec<&'e str>>,
    /// The variables of the loops around.
    bound: Vec<&'e str>,
}

impl<'e> Names<'e> {
    fn expression(&mut self, node: &'e IdedExpr) {
        let path = self.path(node);
        self.found.extend(path);
    }

    /// The path that ends at a node. `None`: it is none, and what it names is found.
    fn path(&mut self, node: &'e IdedExpr) -> Option<Vec<&'e str>> {
        let (base, field) = match &node.expr {
            Expr::Ident(name) => {
                let is_free = !name.starts_with('@') && !self.bound.contains(&name.as_str());
                return is_free.then(|| vec![name.as_str()]);
            }
            Expr::Select(select) => (self.path(&select.operand), Some(select.field.as_str())),
            Expr::Call(call) if let Some((operand, field)) = selected(call) => {
                (self.path(operand), text(field))
            }
            _ => {
                self.inner(node);
                return None;
            }
        };
        if let Some(field) = field {
            return base.map(|mut path| {
                path.push(field);
                path
            });
        }
        // An element, or a field whose name is computed.
        self.found.extend(base);
        if let Expr::Call(call) = &node.expr
            && let Some((_, field)) = selected(call)
        {
            self.expression(field);
        }
        None
    }

    /// What the parts of a node name.
    fn inner(&mut self, node: &'e IdedExpr) {
        match &node.expr {
            Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) => {}
            Expr::Select(select) => self.expression(&select.operand),
            Expr::Call(call) => {
                if let Some(target) = &call.target {
                    self.expression(target);
                }
                call.args
                    .iter()
                    .for_each(|argument| self.expression(argument));
            }
            Expr::List(list) => list
                .elements
                .iter()
                .for_each(|element| self.expression(element)),
            Expr::Map(MapExpr { entries }) | Expr::Struct(StructExpr { entries, .. }) => {
                for entry in entries {
                    match &entry.expr {
                        EntryExpr::StructField(field) => self.expression(&field.value),
                        EntryExpr::MapEntry(entry) => {
                            self.expression(&entry.key);
                            self.expression(&entry.value);
                        }
                    }
                }
            }
            Expr::Comprehension(all) => {
                self.expression(&all.iter_range);
                self.expression(&all.accu_init);
                self.bound.push(&all.iter_var);
                self.expression(&all.loop_cond);
                self.expression(&all.loop_step);
                self.bound.pop();
                self.expression(&all.result);
            }
        }
    }
}

/// What an index or an optional selection selects of, and what it selects.
fn selected(call: &CallExpr) -> Option<(&IdedExpr, &IdedExpr)> {
    let selects = [
        operators::INDEX,
        operators::OPT_INDEX,
        operators::OPT_SELECT,
    ];
    match call.args.as_slice() {
        [operand, field] if selects.contains(&call.func_name.as_str()) => Some((operand, field)),
        _ => None,
    }
}

fn text(node: &IdedExpr) -> Option<&str> {
    match &node.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}
