//! The kinds of values that loops run over and give.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, ListExpr, operators};

use super::Kind;
use super::walk::Walk;

const LOOPS: [&str; 6] = ["all", "exists", "exists_one", "existsOne", "filter", "map"];

impl Walk<'_> {
    pub(super) fn comprehension(&mut self, all: &ComprehensionExpr) -> Kind {
        let range = self.expression(&all.iter_range);
        let at = LOOPS
            .iter()
            .map(|name| self.places_of(name))
            .min()
            .unwrap_or(0);
        let element = match &range {
            Kind::List(of) => of.as_ref().clone(),
            Kind::Map(_) => Kind::Text,
            kind if kind.is_open() => Kind::Any,
            other => {
                self.mistake(
                    at,
                    format!("a loop runs over a list or a map, and not over {other}"),
                );
                Kind::Any
            }
        };
        self.places.pass(&all.iter_var);
        self.bound.push((all.iter_var.clone(), element));
        let kind = match &all.loop_step.expr {
            Expr::Call(step) => self.step(step, at),
            _ => Kind::Any,
        };
        self.bound.pop();
        kind
    }

    fn places_of(&self, name: &str) -> usize {
        self.places.ahead(name).unwrap_or(usize::MAX)
    }

    fn step(&mut self, step: &CallExpr, at: usize) -> Kind {
        match (step.func_name.as_str(), step.args.as_slice()) {
            (operators::CONDITIONAL, [condition, then, _]) => {
                let kind = self.expression(condition);
                self.condition("a condition of a loop", &kind, at);
                match &then.expr {
                    Expr::Call(then) => self.appended(then),
                    _ => Kind::Any,
                }
            }
            (operators::ADD, _) => self.appended(step),
            (_, [_, body]) => {
                let kind = self.expression(body);
                self.condition("a condition of a loop", &kind, at);
                Kind::Boolean
            }
            _ => Kind::Any,
        }
    }

    fn appended(&mut self, step: &CallExpr) -> Kind {
        match step.args.get(1).map(|node| &node.expr) {
            Some(Expr::List(ListExpr { elements, .. })) => {
                let kind = match elements.first() {
                    // A filter: the text names its element once.
                    Some(IdedExpr {
                        expr: Expr::Ident(name),
                        ..
                    }) if self.bound.last().is_some_and(|(bound, _)| bound == name) => self
                        .bound
                        .last()
                        .map_or(Kind::Any, |(_, kind)| kind.clone()),
                    Some(body) => self.expression(body),
                    None => Kind::Any,
                };
                Kind::list(kind)
            }
            // `exists_one`.
            _ => Kind::Boolean,
        }
    }
}
