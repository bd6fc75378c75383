//! Which fields of a payload an expression reads.

use super::path::{PAYLOAD, Path};
use super::shadowed::field;
use super::{Expression, Plan};

/// A field of the payload, at its top, that an expression reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::model) enum FieldRead {
    /// A field that must be there.
    Required(String),
    /// A field that may be missing.
    Optional(String),
    /// Any: the payload as a whole.
    Whole,
}

impl Expression {
    /// Top-level fields that the expression depends on.
    pub(in crate::model) fn fields_read(&self) -> Vec<FieldRead> {
        match &self.plan {
            Plan::Path(path) | Plan::Convert(_, path) => vec![of_path(path)],
            Plan::Program(program) => {
                let names = program.names().iter().filter(|name| *name != PAYLOAD);
                let fields = names.map(|name| FieldRead::Required(field(name).to_owned()));
                fields.chain(of_payload(&self.source)).collect()
            }
        }
    }
}

fn of_path(path: &Path) -> FieldRead {
    match path.first_field() {
        Some(name) => FieldRead::Required(name.to_owned()),
        None => FieldRead::Whole,
    }
}

/// Fields that a program reads of `payload`: `payload.x`, `payload['x']`, `has(payload.x)`,
/// `payload.?x`.
fn of_payload(source: &str) -> Vec<FieldRead> {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut found = Vec::new();
    for (at, _) in source.match_indices(PAYLOAD) {
        let (before, after) = (&source[..at], &source[at + PAYLOAD.len()..]);
        if before.ends_with(|letter: char| is_word(letter) || letter == '.')
            || after.starts_with(is_word)
        {
            continue;
        }
        let asked = before.trim_end().ends_with("has(");
        let after = after.trim_start();
        let selected = after
            .strip_prefix(".?")
            .or_else(|| after.strip_prefix("[?"))
            .map(|rest| (rest, true))
            .or_else(|| Some((after.strip_prefix(['.', '['])?, asked)));
        let name = selected.and_then(|(rest, optional)| Some((name(rest)?, optional)));
        found.push(match name {
            Some((name, true)) => FieldRead::Optional(name),
            Some((name, false)) => FieldRead::Required(name),
            None => FieldRead::Whole,
        });
    }
    found
}

/// The name that a selection begins with, quoted or not.
fn name(rest: &str) -> Option<String> {
    let rest = rest.trim_start();
    for quote in ['\'', '"'] {
        if let Some(quoted) = rest.strip_prefix(quote) {
            let (name, _) = quoted.split_once(quote)?;
            return (!name.contains('\\')).then(|| name.to_owned());
        }
    }
    let end = rest
        .find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .unwrap_or(rest.len());
    let name = &rest[..end];
    name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
        .then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_an_expression_are_known() {
        let required = |name: &str| FieldRead::Required(name.to_owned());
        let optional = |name: &str| FieldRead::Optional(name.to_owned());
        for (source, expected) in [
            ("email", vec![required("email")]),
            ("payload['First Name']", vec![required("First Name")]),
            ("decimal(order.total)", vec![required("order")]),
            ("lower(a) + b.c", vec![required("a"), required("b")]),
            ("lower(payload.x)", vec![required("x")]),
            ("payload[\"a b\"] + ''", vec![required("a b")]),
            ("payload.?x.orValue('')", vec![optional("x")]),
            (
                "has(payload.x) ? payload.x : ''",
                vec![optional("x"), required("x")],
            ),
            ("size(payload)", vec![FieldRead::Whole]),
            ("lines.map(line, line.sku)", vec![required("lines")]),
            ("'US'", vec![]),
        ] {
            let expression =
                Expression::compile(source).unwrap_or_else(|e| panic!("{source}: {e:?}"));
            assert_eq!(expression.fields_read(), expected, "{source}");
        }
    }
}
