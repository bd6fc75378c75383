//! Walks an expression in the order of its text.

mod operands;

use cel::IdedExpr;
use cel::common::ast::{
    CallExpr, EntryExpr, Expr, ListExpr, LiteralValue, MapExpr, SelectExpr, operators,
};

use super::place::Places;
use super::{Kind, Mistake, Shape, constants, forms, functions, near};
use crate::model::expression::cel::TYPES;
use crate::model::expression::meter::NAMESPACES;
use crate::model::expression::number::literal_is_kept;
use crate::model::expression::path::PAYLOAD;
use crate::records::listed;
use operands::sign;

pub(super) struct Walk<'n> {
    pub(super) names: &'n Shape,
    /// The variables of the loops around.
    pub(super) bound: Vec<(String, Kind)>,
    pub(super) places: Places,
    pub(super) found: Vec<Mistake>,
}

impl<'n> Walk<'n> {
    pub(super) fn new(source: &str, names: &'n Shape) -> Self {
        let places = Places::of(source);
        let unkept = places
            .fractions()
            .filter(|(_, written)| !literal_is_kept(written))
            .map(|(at, written)| Mistake {
                at,
                message: format!(
                    "`{written}` has more digits than a literal keeps: write decimal('{written}')"
                ),
            });
        let found = unkept.collect();
        Self {
            names,
            bound: Vec::new(),
            places,
            found,
        }
    }

    pub(super) fn mistake(&mut self, at: usize, message: impl Into<String>) {
        let message = message.into();
        self.found.push(Mistake { at, message });
    }

    pub(super) fn expression(&mut self, node: &IdedExpr) -> Kind {
        match &node.expr {
            Expr::Unspecified | Expr::Struct(_) => Kind::Any,
            Expr::Ident(name) => self.name(name),
            Expr::Literal(literal) => self.literal(literal),
            Expr::Select(SelectExpr { operand, field, .. }) => {
                let kind = self.expression(operand);
                let at = self.places.pass(field);
                let kind = self.field(&kind, field, at);
                match &node.expr {
                    Expr::Select(select) if select.test => Kind::Boolean,
                    _ => kind,
                }
            }
            Expr::Call(call) => self.call(call),
            Expr::List(ListExpr { elements, .. }) => {
                let kinds: Vec<Kind> = elements.iter().map(|node| self.expression(node)).collect();
                Kind::list(kinds.into_iter().reduce(Kind::or).unwrap_or(Kind::Any))
            }
            Expr::Map(MapExpr { entries }) => {
                let mut shape = Shape::open();
                for entry in entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        self.expression(&entry.key);
                        let kind = self.expression(&entry.value);
                        if let Expr::Literal(LiteralValue::String(key)) = &entry.key.expr {
                            shape.fields.insert(key.inner().to_owned(), kind);
                        }
                    }
                }
                Kind::map(shape)
            }
            Expr::Comprehension(all) => self.comprehension(all),
        }
    }

    fn literal(&mut self, literal: &LiteralValue) -> Kind {
        match literal {
            LiteralValue::Boolean(_) => Kind::Boolean,
            LiteralValue::Int(_) | LiteralValue::UInt(_) | LiteralValue::Double(_) => Kind::Number,
            LiteralValue::String(text) => {
                self.places.pass(text.inner());
                Kind::Text
            }
            LiteralValue::Null => Kind::Nothing,
            LiteralValue::Bytes(_) => Kind::Any,
        }
    }

    fn name(&mut self, name: &str) -> Kind {
        if name.starts_with('@') {
            return Kind::Any;
        }
        let at = self.places.pass(name);
        if let Some((_, kind)) = self.bound.iter().rev().find(|(bound, _)| bound == name) {
            return kind.clone();
        }
        if let Some(kind) = self.names.fields.get(name) {
            return kind.clone();
        }
        let is_known = name == PAYLOAD || TYPES.contains(&name) || NAMESPACES.contains(&name);
        if let (Some(noun), false) = (&self.names.only, is_known) {
            let message = unknown(name, noun, &self.names.fields);
            self.mistake(at, message);
        }
        Kind::Any
    }

    fn field(&mut self, kind: &Kind, name: &str, at: usize) -> Kind {
        match kind {
            Kind::Map(shape) => match (shape.fields.get(name), &shape.only) {
                (Some(kind), _) => kind.clone(),
                (None, Some(noun)) => {
                    let message = unknown(name, noun, &shape.fields);
                    self.mistake(at, message);
                    Kind::Any
                }
                (None, None) => Kind::Any,
            },
            kind if kind.is_open() => Kind::Any,
            other => {
                self.mistake(
                    at,
                    format!("`{name}` is asked of {other}, which has no fields"),
                );
                Kind::Any
            }
        }
    }

    fn call(&mut self, call: &CallExpr) -> Kind {
        if let Some(target) = &call.target {
            return self.method(target, call);
        }
        match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::INDEX, [operand, step]) => self.index(operand, step),
            (operators::OPT_INDEX | operators::OPT_SELECT, args) => {
                for argument in args {
                    self.expression(argument);
                }
                Kind::Any
            }
            (operators::CONDITIONAL, [condition, then, otherwise]) => {
                let kind = self.expression(condition);
                let at = self.places.pass("?");
                self.condition("? :", &kind, at);
                let then = self.expression(then);
                then.or(self.expression(otherwise))
            }
            (operators::LOGICAL_NOT, [operand]) => {
                let at = self.places.pass("!");
                let kind = self.expression(operand);
                self.condition("!", &kind, at);
                Kind::Boolean
            }
            (operators::NEGATE, [operand]) => {
                let at = self.places.pass("-");
                let kind = self.expression(operand);
                if kind != Kind::Number && !kind.is_open() {
                    self.mistake(at, format!("`-` takes a number, and is given {kind}"));
                }
                Kind::Number
            }
            (operators::IN, [value, container]) => {
                let value_kind = self.expression(value);
                let at = self.places.pass("in");
                let container_kind = self.expression(container);
                self.membership(&value_kind, &container_kind, at);
                self.known_texts(value, container, at);
                Kind::Boolean
            }
            (name, [one, other]) if let Some(sign) = sign(name) => self.signed(sign, one, other),
            (name, args) => {
                let at = self.places.pass(name);
                let wrong = forms::mistake(name, false, args.len());
                if let Some(message) = wrong.or_else(|| constants::fault(name, args)) {
                    self.mistake(at, message);
                }
                let kinds: Vec<Kind> = args.iter().map(|node| self.expression(node)).collect();
                let wanted = functions::argument(name);
                if let (Some(wanted), Some(kind)) = (wanted, kinds.first())
                    && *kind != wanted
                    && !kind.is_open()
                {
                    self.mistake(at, format!("{name}() takes {wanted}, and is given {kind}"));
                }
                functions::result(name)
            }
        }
    }

    fn method(&mut self, target: &IdedExpr, call: &CallExpr) -> Kind {
        let name = call.func_name.as_str();
        let is_namespace =
            matches!(&target.expr, Expr::Ident(space) if NAMESPACES.contains(&space.as_str()));
        let kind = self.expression(target);
        let at = self.places.pass(name);
        let wrong = forms::mistake(name, true, call.args.len()).filter(|_| !is_namespace);
        if let Some(message) = wrong {
            self.mistake(at, message);
            return Kind::Any;
        }
        if let (Some(wanted), false) = (functions::target(name), is_namespace) {
            let fits = match (&wanted, &kind) {
                (_, kind) if kind.is_open() => true,
                (Kind::Time, Kind::Duration)
                | (Kind::List(_), Kind::List(_))
                | (Kind::Text, Kind::Moment) => true,
                (wanted, kind) => wanted == kind,
            };
            if !fits {
                let advice = if wanted == Kind::Time && kind == Kind::Moment {
                    ": write time(…) around it"
                } else {
                    ""
                };
                self.mistake(
                    at,
                    format!(
                        "{name}() is of {wanted}, and not of {}{advice}",
                        written(&kind)
                    ),
                );
            }
        }
        for argument in &call.args {
            self.expression(argument);
        }
        functions::result(name)
    }

    /// The texts that an expression can give, where they are written out.
    pub(super) fn written(&mut self, node: &IdedExpr) -> Vec<(usize, String)> {
        match &node.expr {
            Expr::Literal(LiteralValue::String(text)) => {
                let text = text.inner();
                vec![(self.places.pass(text), text.to_owned())]
            }
            Expr::Call(call) if call.func_name == operators::CONDITIONAL => {
                let [condition, then, otherwise] = call.args.as_slice() else {
                    return Vec::new();
                };
                self.expression(condition);
                let mut found = self.written(then);
                found.extend(self.written(otherwise));
                found
            }
            _ => {
                self.expression(node);
                Vec::new()
            }
        }
    }
}

fn unknown(name: &str, none: &str, known: &std::collections::BTreeMap<String, Kind>) -> String {
    let words = || known.keys().map(String::as_str);
    match near(name, words()) {
        Some(near) => format!("{none} `{name}`; did you mean `{near}`?"),
        None if none.ends_with("property") => {
            let all = listed(words());
            format!("{none} `{name}`: declare it under `events`; there are: {all}")
        }
        None if known.is_empty() => format!("{none} `{name}`, and none at all"),
        None => format!("{none} `{name}`; there are: {}", listed(words())),
    }
}

fn written(kind: &Kind) -> String {
    match kind {
        Kind::Moment => "a text".to_owned(),
        other => other.to_string(),
    }
}

fn plural(kind: &Kind) -> String {
    format!("{}s", kind.to_string().trim_start_matches("a "))
}
