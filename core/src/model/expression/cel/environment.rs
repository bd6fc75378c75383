//! The environment of expressions: the types and functions that are declared.

use std::sync::{Arc, LazyLock};

use cel::common::functions::Function;
use cel::common::types::{DYN_TYPE, INT_TYPE};
use cel::{DeclarationError, Env, extensions};

use super::functions::{charge_pieces, convert, join, marked_decimal, metered, tick};
use super::{JOIN, nothing, sum};
use crate::model::expression::number::DECIMAL;
use crate::model::expression::{Conversion, budget, elements, meter, operators, select, text};

pub(super) static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib();
    // The names below clash neither with CEL's nor with each other, and each test of an expression
    // would show it.
    let declared = declare(&mut env);
    debug_assert!(declared.is_ok(), "{declared:?}");
    Arc::new(env)
});

fn declare(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_extension(extensions::strings)?;
    let conversions: [(&str, Function); 8] = [
        (DECIMAL, |arguments| {
            convert(Conversion::Decimal, &arguments)
        }),
        ("to_int", |arguments| convert(Conversion::Int, &arguments)),
        ("to_string", |arguments| {
            convert(Conversion::String, &arguments)
        }),
        ("to_bool", |arguments| convert(Conversion::Bool, &arguments)),
        ("time", |arguments| convert(Conversion::Time, &arguments)),
        ("lower", |arguments| convert(Conversion::Lower, &arguments)),
        ("upper", |arguments| convert(Conversion::Upper, &arguments)),
        ("trim", |arguments| convert(Conversion::Trim, &arguments)),
    ];
    for (name, function) in conversions {
        env.add_overload(name, &format!("{name}_any"), vec![DYN_TYPE], function)?;
    }
    env.add_overload(
        DECIMAL,
        "decimal_any_by",
        vec![DYN_TYPE, DYN_TYPE],
        |arguments| marked_decimal(&arguments),
    )?;
    env.add_overload(
        JOIN,
        "join_nonempty_any",
        vec![DYN_TYPE, DYN_TYPE],
        |arguments| join(&arguments),
    )?;
    let meters: [(&str, Vec<_>, Function); 4] = [
        (meter::TICK, vec![INT_TYPE, DYN_TYPE], tick),
        (meter::READ, vec![DYN_TYPE], |arguments| {
            metered(arguments, |value| budget::charge_read(value))
        }),
        (meter::MADE, vec![DYN_TYPE], |arguments| {
            metered(arguments, |value| budget::charge_made(value))
        }),
        (meter::PIECES, vec![DYN_TYPE], |arguments| {
            metered(arguments, charge_pieces)
        }),
    ];
    for (name, arguments, function) in meters {
        env.add_overload(name, name, arguments, function)?;
    }
    text::declare(env)?;
    operators::declare(env)?;
    select::declare(env)?;
    elements::declare(env)?;
    sum::declare(env)?;
    nothing::declare(env)
}
