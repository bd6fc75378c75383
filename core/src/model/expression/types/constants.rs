//! Calls of constants that fail whatever a payload says.

use cel::IdedExpr;
use cel::common::ast::{Expr, LiteralValue};

use crate::model::expression::{Expression, Json, Payload};

/// Functions that take only some texts. Of `time` a source may declare forms of its own.
const OF_TEXTS: [&str; 5] = ["bool", "decimal", "duration", "int", "timestamp"];

/// Why a call of a function over constants fails. `None`: it does not, or is of something else.
pub(super) fn fault(name: &str, arguments: &[IdedExpr]) -> Option<String> {
    if !OF_TEXTS.contains(&name) {
        return None;
    }
    let [argument] = arguments else { return None };
    let Expr::Literal(LiteralValue::String(text)) = &argument.expr else {
        return None;
    };
    let escaped = text.inner().replace('\\', "\\\\").replace('\'', "\\'");
    let expression = Expression::compile(&format!("[{name}('{escaped}')].size()")).ok()?;
    let nothing = Json::Object(serde_json::Map::new());
    let outcome = expression.evaluate(&Payload::new(&nothing));
    outcome.err().map(|fault| fault.to_string())
}

/// Whether a node is the number zero.
pub(super) fn is_zero(node: &IdedExpr) -> bool {
    match &node.expr {
        Expr::Literal(LiteralValue::Int(number)) => *number.inner() == 0,
        Expr::Literal(LiteralValue::UInt(number)) => *number.inner() == 0,
        Expr::Literal(LiteralValue::Double(number)) => *number.inner() == 0.0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Shape, Wanted, mistakes};

    #[test]
    fn a_constant_that_fails_on_every_payload_is_a_mistake() {
        for (source, at, expected) in [
            (
                "at > timestamp('2026-01-01')",
                5,
                "timestamp() does not take this value",
            ),
            (
                "at > timestamp('soon')",
                5,
                "timestamp() does not take this value",
            ),
            (
                "at + duration('1 day') > at",
                5,
                "duration() does not take this value",
            ),
            (
                "at + duration('P1D') > at",
                5,
                "duration() does not take this value",
            ),
            (
                "a == decimal('x')",
                5,
                "decimal() does not take this text: it is no number",
            ),
            (
                "a == decimal('1,234')",
                5,
                "decimal() does not take this text: its comma",
            ),
            (
                "a == int('1.5')",
                5,
                "int() does not take this text: it has a fraction",
            ),
            ("b == bool('maybe')", 5, "bool() does not take this text"),
            ("a > 1 / 0", 6, "a division by zero"),
            ("a % 0 == 1", 2, "a division by zero"),
            ("a / 0.0 == 1", 2, "a division by zero"),
        ] {
            let found = mistakes(source, &Shape::open(), Wanted::Anything);
            let [mistake] = found.as_slice() else {
                panic!("{source}: {found:?}")
            };
            assert_eq!(mistake.at, at, "{source}");
            assert!(mistake.message.starts_with(expected), "{source}: {found:?}");
        }
        for source in [
            "at > timestamp('2026-01-01T00:00:00Z')",
            "at > time('2026-01-01')",
            "at > time('31/01/2026')",
            "at + duration('24h') > at",
            "a == decimal('1.5')",
            "a == decimal('1.234,5', ',')",
            "a == int('2.0')",
            "b == bool('yes')",
            "decimal('') == null",
            "a / 10 > 0",
            "it == decimal('1\\'000')",
        ] {
            let found = mistakes(source, &Shape::open(), Wanted::Anything);
            assert!(found.is_empty(), "{source}: {found:?}");
        }
    }
}
