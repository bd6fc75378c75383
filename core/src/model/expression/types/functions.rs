//! The kinds that functions take and give.

use super::Kind;

/// The kind of a method's target, if only one kind has the method.
pub(super) fn target(name: &str) -> Option<Kind> {
    Some(match name {
        "startsWith" | "endsWith" | "contains" | "matches" | "indexOf" | "lastIndexOf"
        | "charAt" | "substring" | "replace" | "split" | "lowerAscii" | "upperAscii"
        | "reverse" | "trim" | "format" => Kind::Text,
        "join" => Kind::list(Kind::Any),
        _ if name.starts_with("get") => Kind::Time,
        _ => return None,
    })
}

/// The kind of a function's first argument, if it takes only one kind.
pub(super) fn argument(name: &str) -> Option<Kind> {
    match name {
        "round" | "floor" | "ceil" | "abs" => Some(Kind::Number),
        _ => None,
    }
}

/// The kind of a function's result.
pub(super) fn result(name: &str) -> Kind {
    match name {
        "decimal" | "int" | "round" | "floor" | "ceil" | "abs" | "sum" | "size" | "indexOf"
        | "lastIndexOf" => Kind::Number,
        "string" | "lower" | "upper" | "trim" | "join_nonempty" | "join" | "charAt"
        | "substring" | "replace" | "lowerAscii" | "upperAscii" | "reverse" | "format" => {
            Kind::Text
        }
        "bool" | "startsWith" | "endsWith" | "contains" | "matches" | "hasValue" => Kind::Boolean,
        "time" | "timestamp" => Kind::Time,
        "duration" => Kind::Duration,
        "split" => Kind::list(Kind::Text),
        _ if name.starts_with("get") => Kind::Number,
        _ => Kind::Any,
    }
}
