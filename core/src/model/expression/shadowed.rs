//! Fields that have the name of a type: `type`, `duration`, `list`.
//!
//! CEL knows its types by name, so a field of that name that is not in a payload would be the type:
//! `duration == null` would be false where there is none. In a program that does not ask for types
//! by `type(…)` the name is a field's alone. It gets another name, under which it is bound.

use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr, MapExpr, StructExpr};

use super::cel::TYPES;

/// What is behind the name of such a field: no identifier has it.
const MARK: char = ' ';

/// The name of the field that is bound under a name.
pub(super) fn field(name: &str) -> &str {
    name.trim_end_matches(MARK)
}

/// Marks the fields of a program that have the name of a type.
pub(super) fn mark(program: &mut IdedExpr) {
    let mut bound = Vec::new();
    Marker { bound: &mut bound }.expression(program);
}

struct Marker<'b> {
    /// The variables of the loops around.
    bound: &'b mut Vec<String>,
}

impl Marker<'_> {
    fn expression(&mut self, node: &mut IdedExpr) {
        match &mut node.expr {
            Expr::Unspecified | Expr::Literal(_) => {}
            Expr::Ident(name) => {
                if TYPES.contains(&name.as_str()) && !self.bound.contains(name) {
                    name.push(MARK);
                }
            }
            Expr::Select(select) => self.expression(&mut select.operand),
            Expr::Call(call) => {
                if let Some(target) = &mut call.target {
                    self.expression(target);
                }
                self.all(&mut call.args);
            }
            Expr::List(list) => self.all(&mut list.elements),
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
                self.expression(&mut all.iter_range);
                self.expression(&mut all.accu_init);
                self.bound.push(all.iter_var.clone());
                self.expression(&mut all.loop_cond);
                self.expression(&mut all.loop_step);
                self.bound.pop();
                self.expression(&mut all.result);
            }
        }
    }

    fn all(&mut self, nodes: &mut [IdedExpr]) {
        for node in nodes {
            self.expression(node);
        }
    }
}
