//! The types of operators, indexes and conditions.

use cel::IdedExpr;
use cel::common::ast::{Expr, LiteralValue, operators};

use super::{Walk, plural};
use crate::model::expression::types::Kind;
use crate::model::expression::types::constants::is_zero;

const SIGNS: [(&str, &str); 13] = [
    (operators::ADD, "+"),
    (operators::SUBSTRACT, "-"),
    (operators::MULTIPLY, "*"),
    (operators::DIVIDE, "/"),
    (operators::MODULO, "%"),
    (operators::EQUALS, "=="),
    (operators::NOT_EQUALS, "!="),
    (operators::LESS, "<"),
    (operators::LESS_EQUALS, "<="),
    (operators::GREATER, ">"),
    (operators::GREATER_EQUALS, ">="),
    (operators::LOGICAL_AND, "&&"),
    (operators::LOGICAL_OR, "||"),
];

/// The sign of an operator of two operands.
pub(super) fn sign(name: &str) -> Option<&'static str> {
    let found = SIGNS.iter().find(|(operator, _)| *operator == name);
    found.map(|(_, sign)| *sign)
}

impl Walk<'_> {
    pub(super) fn signed(&mut self, sign: &str, one: &IdedExpr, other: &IdedExpr) -> Kind {
        let one_kind = self.expression(one);
        let at = self.places.pass(sign);
        let other_kind = self.expression(other);
        let kind = self.operator(sign, &one_kind, &other_kind, at);
        if matches!(sign, "==" | "!=") {
            self.known_texts(one, other, at);
        }
        if matches!(sign, "/" | "%") && is_zero(other) {
            self.mistake(at, "a division by zero");
        }
        kind
    }

    pub(super) fn index(&mut self, operand: &IdedExpr, step: &IdedExpr) -> Kind {
        let kind = self.expression(operand);
        if let Expr::Literal(LiteralValue::String(name)) = &step.expr {
            let at = self.places.pass(name.inner());
            return self.field(&kind, name.inner(), at);
        }
        self.expression(step);
        match kind {
            Kind::List(of) => of.as_ref().clone(),
            _ => Kind::Any,
        }
    }

    pub(in crate::model::expression::types) fn condition(
        &mut self,
        sign: &str,
        kind: &Kind,
        at: usize,
    ) {
        if *kind != Kind::Boolean && !kind.is_open() {
            self.mistake(
                at,
                format!("`{sign}` takes true or false, and is given {kind}"),
            );
        }
    }

    pub(super) fn operator(&mut self, sign: &str, one: &Kind, other: &Kind, at: usize) -> Kind {
        use Kind as K;
        let is_time = |kind: &Kind| matches!(kind, K::Time | K::Moment);
        match sign {
            "&&" | "||" => {
                self.condition(sign, one, at);
                self.condition(sign, other, at);
                return K::Boolean;
            }
            "==" | "!=" | "<" | "<=" | ">" | ">=" => {
                let is_equality =
                    sign.ends_with('=') && sign.len() == 2 && !sign.starts_with(['<', '>']);
                if !comparable(one, other, is_equality) {
                    self.unfit(sign, one, other, at);
                }
                return K::Boolean;
            }
            _ => {}
        }
        match (sign, one, other) {
            (_, one, other) if one.is_open() && other.is_open() => K::Any,
            (_, K::Number, K::Number) => K::Number,
            (_, K::Number, kind) | (_, kind, K::Number) if kind.is_open() => K::Number,
            ("+", K::Text | K::Moment, K::Text | K::Moment) => K::Text,
            ("+", K::Text, kind) | ("+", kind, K::Text) if kind.is_open() => K::Text,
            ("+", K::List(one), K::List(other)) => {
                K::list(one.as_ref().clone().or(other.as_ref().clone()))
            }
            ("+" | "-", K::Duration, K::Duration) => K::Duration,
            ("+" | "-", time, K::Duration) if is_time(time) => K::Time,
            ("+", K::Duration, time) if is_time(time) => K::Time,
            ("-", one, other) if is_time(one) && is_time(other) => K::Duration,
            ("+" | "-", kind, _) | ("+" | "-", _, kind) if kind.is_open() => K::Any,
            _ => {
                self.unfit(sign, one, other, at);
                K::Any
            }
        }
    }

    fn unfit(&mut self, sign: &str, one: &Kind, other: &Kind, at: usize) {
        let advice = match (one, other) {
            (Kind::Text, Kind::Number) | (Kind::Number, Kind::Text) => {
                ": write decimal(…) around the text"
            }
            _ => "",
        };
        self.mistake(
            at,
            format!("`{sign}` does not take {one} and {other}{advice}"),
        );
    }

    pub(super) fn membership(&mut self, value: &Kind, container: &Kind, at: usize) {
        match container {
            Kind::List(of) if !comparable(value, of, true) => {
                self.mistake(
                    at,
                    format!("`in` looks for {value} in a list of {}", plural(of)),
                );
            }
            Kind::List(_) | Kind::Map(_) | Kind::Any | Kind::Nothing => {}
            Kind::Text => self.mistake(at, "`in` takes a list: of a text, write x.contains(y)"),
            other => self.mistake(
                at,
                format!("`in` takes a list or a map, and is given {other}"),
            ),
        }
    }
}

fn comparable(one: &Kind, other: &Kind, is_equality: bool) -> bool {
    use Kind as K;
    match (one, other) {
        (one, other) if one.is_open() || other.is_open() => true,
        (K::Moment | K::Time | K::Text, K::Moment | K::Time | K::Text) => true,
        (K::List(_), K::List(_)) | (K::Map(_), K::Map(_)) => is_equality,
        (one, other) => one == other,
    }
}
