//! Functions of CEL over null give null: `missing.startsWith('a')` is nothing, and the list
//! around it keeps its other values.

use cel::common::types::{DYN_TYPE, NULL_TYPE, STRING_TYPE, Type};
use cel::{DeclarationError, Env};

use crate::model::expression::operators::{Function, null};

const NOTHING: Function = |_| Ok(null());

/// Functions of one value.
const GLOBAL: [&str; 4] = ["size", "timestamp", "duration", "bytes"];
/// Methods, with the numbers of arguments that they take.
const MEMBERS: [(&str, &[usize]); 22] = [
    ("size", &[0]),
    ("startsWith", &[1]),
    ("endsWith", &[1]),
    ("contains", &[1]),
    ("charAt", &[1]),
    ("substring", &[1, 2]),
    ("split", &[1, 2]),
    ("lowerAscii", &[0]),
    ("upperAscii", &[0]),
    ("reverse", &[0]),
    ("trim", &[0]),
    ("format", &[1]),
    ("getFullYear", &[0, 1]),
    ("getMonth", &[0, 1]),
    ("getDate", &[0, 1]),
    ("getDayOfMonth", &[0, 1]),
    ("getDayOfWeek", &[0, 1]),
    ("getDayOfYear", &[0, 1]),
    ("getHours", &[0, 1]),
    ("getMinutes", &[0, 1]),
    ("getSeconds", &[0, 1]),
    ("getMilliseconds", &[0, 1]),
];
/// Methods of a text that is there, with an argument that is not.
const OF_TEXT: [&str; 6] = [
    "startsWith",
    "endsWith",
    "contains",
    "charAt",
    "substring",
    "split",
];

/// Adds them to an environment.
pub(super) fn declare(env: &mut Env) -> Result<(), DeclarationError> {
    for name in GLOBAL {
        env.add_overload(name, &format!("{name}_nothing"), vec![NULL_TYPE], NOTHING)?;
    }
    for (name, counts) in MEMBERS {
        for count in counts {
            let any: Vec<Type> = (0..*count).map(|_| DYN_TYPE).collect();
            let id = format!("{name}_of_nothing_{count}");
            env.add_member_overload(name, &id, NULL_TYPE, any, NOTHING)?;
        }
    }
    for name in OF_TEXT {
        let id = format!("{name}_with_nothing");
        env.add_member_overload(name, &id, STRING_TYPE, vec![NULL_TYPE], NOTHING)?;
    }
    Ok(())
}
