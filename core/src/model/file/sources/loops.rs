//! The loop of a mapping: `for_each` and the name of its element.

use super::ForEach;
use crate::model::check::is_snake_case;
use crate::model::expression::Expression;
use crate::model::file::forms::Located;
use crate::model::file::reader::{At, Reader};
use crate::model::file::tree::Entry;

/// A name that expressions can speak of.
pub(super) fn loop_name(entry: &Entry, at: &At<'_>, reader: &mut Reader) -> Option<String> {
    let is_name = is_snake_case(&entry.key) && !RESERVED_NAMES.contains(&entry.key.as_str());
    if !is_name {
        let message = "an element has a name in lower snake case that is no word of expressions";
        reader.error(entry.place(at.path.clone()), message);
    }
    is_name.then(|| entry.key.clone())
}

/// Names that mean something else in expressions.
const RESERVED_NAMES: [&str; 11] = [
    "payload",
    "bool",
    "bytes",
    "double",
    "duration",
    "int",
    "list",
    "map",
    "string",
    "timestamp",
    "type",
];

pub(super) fn for_each(
    named: Vec<(String, Located<Expression>)>,
    at: &At<'_>,
    reader: &mut Reader,
) -> Option<ForEach> {
    if let Some((_, second)) = named.get(1) {
        let message = "events are for each element of one list";
        reader.error(second.place.clone(), message);
    }
    let Some((name, list)) = named.into_iter().next() else {
        reader.error(
            at.place(),
            "names an element and its list: `{ line: line_items }`",
        );
        return None;
    };
    Some(ForEach {
        name,
        list: list.value,
    })
}
