//! The names that an expression takes from its payload: all but the variables of its loops.

use std::collections::BTreeSet;

use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr, MapExpr, StructExpr};

/// The free names, in order.
pub(super) fn free(program: &IdedExpr) -> Vec<String> {
    let mut names = Names {
        found: BTreeSet::new(),
        bound: Vec::new(),
    };
    names.expression(program);
    names.found.into_iter().map(str::to_owned).collect()
}

struct Names<'e> {
    found: BTreeSet<&'e str>,
    /// The variables of the loops around.
    bound: Vec<&'e str>,
}

impl<'e> Names<'e> {
    fn expression(&mut self, node: &'e IdedExpr) {
        match &node.expr {
            Expr::Unspecified | Expr::Literal(_) => {}
            Expr::Ident(name) => {
                if !name.starts_with('@') && !self.bound.contains(&name.as_str()) {
                    self.found.insert(name);
                }
            }
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
