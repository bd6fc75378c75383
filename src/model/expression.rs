//! Expressions of the model file, over the payload of a source.
//!
//! An expression is written in CEL, over the payload's fields as variables, and `payload` for the whole. Most are no more
//! than a name, and building an evaluation context costs more than all look-ups of a payload together. So:
//!
//! - A plain path (`email`, `customer.id`, `payload['First name']`, `lines[0].sku`) is compiled to a look-up, and a
//!   conversion of one (`decimal(total)`) to a look-up and a conversion. Neither needs CEL, and numbers keep each digit.
//! - Everything else is a CEL program. Its context is built at most once a payload, and binds only the fields that some
//!   expression names.
//!
//! **Missing is not wrong.** A field that is not there, is null or blank gives no value, and so does everything computed
//! from it, as NULL does in SQL. An expression fails only when a value is there and is not what is asked for. What a
//! failure says never quotes the value.

mod cel;
mod convert;
mod path;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

use convert::from_json;
pub(super) use convert::{Conversion, kind};
use path::Path;

use crate::profile::Value;

/// Why an expression has no result: words without personal data.
pub(super) type Fault = Cow<'static, str>;

/// A compiled expression.
#[derive(Clone)]
pub(super) struct Expression {
    source: String,
    plan: Plan,
}

#[derive(Clone)]
enum Plan {
    Path(Path),
    Convert(Conversion, Path),
    Program(Arc<cel::Program>),
}

/// What an expression gives.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    /// There is nothing.
    Missing,
    /// The source says that there is nothing.
    Null,
    /// This.
    Value(Value),
}

impl Outcome {
    pub(super) fn value(self) -> Option<Value> {
        match self {
            Self::Value(value) => Some(value),
            Self::Missing | Self::Null => None,
        }
    }
}

impl Expression {
    /// Compiles an expression.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(super) fn compile(source: &str) -> Result<Self, Vec<String>> {
        let plan = if let Some(path) = Path::parse(source) {
            Plan::Path(path)
        } else if let Some((conversion, path)) = conversion_of_path(source) {
            Plan::Convert(conversion, path)
        } else {
            Plan::Program(Arc::new(cel::Program::compile(source)?))
        };
        Ok(Self { source: source.to_owned(), plan })
    }

    /// As it was written.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// The names of the payload's fields that must be bound to evaluate it.
    pub(super) fn bound_names(&self) -> impl Iterator<Item = &str> {
        match &self.plan {
            Plan::Program(program) => program.names(),
            Plan::Path(_) | Plan::Convert(..) => &[],
        }
        .iter()
        .map(String::as_str)
    }

    pub(super) fn evaluate(&self, payload: &Payload<'_>) -> Result<Outcome, Fault> {
        match &self.plan {
            Plan::Path(path) => path.find(payload.json).map_or(Ok(Outcome::Missing), from_json),
            Plan::Convert(conversion, path) => match path.find(payload.json).map(from_json).transpose()? {
                Some(Outcome::Value(value)) => conversion.apply(&value).map(Outcome::Value),
                Some(nothing) => Ok(nothing),
                None => Ok(Outcome::Missing),
            },
            Plan::Program(program) => {
                program.run(payload.context.get_or_init(|| cel::context(payload.json, payload.names)))
            }
        }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.source)
    }
}

/// `decimal(order.total)`: the name of a conversion around a plain path.
fn conversion_of_path(source: &str) -> Option<(Conversion, Path)> {
    let (name, argument) = source.trim().strip_suffix(')')?.split_once('(')?;
    Some((Conversion::named(name.trim_end())?, Path::parse(argument)?))
}

/// A payload under evaluation.
pub(super) struct Payload<'a> {
    json: &'a Json,
    names: &'a BTreeSet<String>,
    context: OnceCell<::cel::Context<'static, 'static>>,
}

impl<'a> Payload<'a> {
    /// `names`: the [bound names](Expression::bound_names) of all expressions that will be evaluated.
    pub(super) fn new(json: &'a Json, names: &'a BTreeSet<String>) -> Self {
        Self { json, names, context: OnceCell::new() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn evaluate(source: &str, payload: &Json) -> Result<Outcome, Fault> {
        let expression = Expression::compile(source).expect(source);
        let names = expression.bound_names().map(str::to_owned).collect();
        expression.evaluate(&Payload::new(payload, &names))
    }

    /// The result as a person reads it; `-` for none.
    fn shown(source: &str, payload: &Json) -> String {
        match evaluate(source, payload) {
            Ok(outcome) => outcome.value().map_or("-".to_owned(), |value| value.to_string()),
            Err(fault) => format!("! {fault}"),
        }
    }

    #[test]
    fn paths_and_their_conversions_need_no_cel() {
        let is_program = |source| matches!(Expression::compile(source).expect(source).plan, Plan::Program(_));
        for plain in
            ["email", "customer.id", "payload", "payload['First name']", "a[0].b", "decimal( total )", "lower(a.b)"]
        {
            assert!(!is_program(plain), "{plain}");
        }
        for program in ["a + b", "'text'", "true", "1", "decimal(a + b)", "size(a)", "a.size()"] {
            assert!(is_program(program), "{program}");
        }
    }

    #[test]
    fn fields_are_variables_and_the_payload_is_one_too() {
        let payload = json!({"first": "Ann", "customer": {"id": 7, "tags": ["a", "b"]}, "First name": "Bea"});
        for (source, expected) in [
            ("first", "Ann"),
            ("customer.id", "7"),
            ("payload.customer.tags[1]", "b"),
            ("payload['First name']", "Bea"),
            ("customer", "id: 7, tags: a, b"),
            ("first + '-' + string(customer.id)", "Ann-7"),
            ("customer.tags.exists(tag, tag == 'b')", "true"),
            ("customer.tags.map(tag, upper(tag))", "A, B"),
            ("payload.first == first ? 'same' : 'other'", "same"),
            ("has(payload.last)", "false"),
            ("join_nonempty(' ', [first, middle, 'Lee'])", "Ann Lee"),
            ("'a;b'.split(';')", "a, b"),
        ] {
            assert_eq!(shown(source, &payload), expected, "{source}");
        }
    }

    #[test]
    fn what_is_computed_from_nothing_is_nothing() {
        let payload = json!({"null": null, "blank": " ", "empty": [], "map": {}, "text": "x", "none": null});
        for source in [
            "missing",
            "blank",
            "empty",
            "map.deeper",
            "text.deeper",
            "empty[0]",
            "missing + 'x'",
            "lower(missing)",
            "lower(missing) + 'x'",
            "lower(none)",
            "map.deeper + 'x'",
            "empty[0] + 'x'",
            "missing.split(';')",
            "int(blank)",
            "1 + int(blank)",
            "join_nonempty(' ', [missing, none])",
            "none",
            "decimal(none)",
            "missing > 3",
        ] {
            assert_eq!(shown(source, &payload), "-", "{source}");
        }
        assert_eq!(evaluate("none", &payload), Ok(Outcome::Null));
        assert_eq!(evaluate("missing", &payload), Ok(Outcome::Missing));
    }

    #[test]
    fn numbers_are_exact() {
        let text =
            r#"{"big": 9007199254740993, "huge": 18446744073709551616, "price": 0.10, "exp": 1.5e3, "text": "12.50"}"#;
        let payload: Json = serde_json::from_str(text).expect("parses");
        for (source, expected) in [
            ("big", "9007199254740993"),
            ("big + 1", "9007199254740994"),
            ("huge", "18446744073709551616"),
            ("price", "0.10"),
            ("decimal(text)", "12.50"),
            ("[decimal(text)]", "12.50"),
            ("exp", "1500"),
            ("price * 3.0", "0.30000000000000004"),
        ] {
            assert_eq!(shown(source, &payload), expected, "{source}");
        }
        let payload: Json = serde_json::from_str(r#"{"long": 0.1234567890123456789012345678901}"#).expect("parses");
        assert!(shown("long", &payload).starts_with("! a number"), "{}", shown("long", &payload));
    }

    #[test]
    fn a_failure_names_types_but_no_values() {
        let payload = json!({"secret": "ann@example.com", "n": 0, "list": ["ann@example.com"]});
        for source in [
            "decimal(secret)",
            "secret + n",
            "int(secret)",
            "time(secret)",
            "1 / n",
            "-secret",
            "duration(secret)",
            "timestamp(secret)",
            "double(secret)",
            "upper(list)",
            "secret.matches('[')",
            "{secret: 1, secret: 2}",
        ] {
            let shown = shown(source, &payload);
            assert!(shown.starts_with("! ") && !shown.contains("ann"), "{source}: {shown}");
        }
    }

    #[test]
    fn unknown_functions_and_broken_syntax_do_not_compile() {
        for source in ["", "a +", "nope(a)", "a.nope()", "a b", "'open", "upper(a, b) + nope(1)", "((("] {
            assert!(Expression::compile(source).is_err(), "{source}");
        }
    }

    proptest! {
        #[test]
        fn no_expression_makes_it_panic(source in "[a-c0-9'\\[\\](){}.+*/<>=!&|?:, -]{0,24}", number in any::<i64>()) {
            let payload = json!({"a": number, "b": "text", "c": {"a": [1, null]}});
            if let Ok(expression) = Expression::compile(&source) {
                let names = expression.bound_names().map(str::to_owned).collect();
                let _ = expression.evaluate(&Payload::new(&payload, &names));
            }
        }
    }
}
