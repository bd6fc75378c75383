//! How the keys of a mapping are declared: each key once.
//!
//! `keys!` declares a struct. Each field is a key: its text, its name, its type, what holds where
//! the file does not say it, and its [`Form`]. The reader, the list of known keys and the JSON
//! Schema all come from that one line:
//!
//! ```text
//! /// Trust in the source; the higher is believed first.
//! trust: u32 = "50" as whole(0, 100);
//! ```
//!
//! After `=` comes one of:
//!
//! - a literal: the default, as one would write it in the file;
//! - `required`: without the key there is no value, and that is a mistake;
//! - `optional`: the field is an `Option`;
//! - `empty`: the field is empty by [`Default`];
//! - `{ value }`: the field is this, and the schema names no default;
//! - `inline`: the form reads keys of this same mapping (see [`Inline`]).
//!
//! `role("match")` gives a key a name that the field cannot have. `=> Type: function` after the
//! struct's title compiles what was read, or checks its keys against each other.

use serde_json::{Value as Json, json};

use super::forms::Form;
use super::reader::{At, Fields, Reader};
use super::schema::{Definitions, Properties};
use super::tree::{Content, Node};
use crate::choices::Listed;

/// A mapping that `keys!` declares.
pub(super) trait Keys: Sized {
    /// What the mapping becomes.
    type Compiled;
    /// Name of the mapping in the JSON Schema.
    const TITLE: &'static str;
    /// Lines of its text.
    const ABOUT: &'static [&'static str];

    /// Reads the keys. Every mistake is noted; `None` where a required key has no value.
    fn read(fields: &mut Fields<'_>, reader: &mut Reader) -> Option<Self>;

    /// Compiles what was read.
    fn compile(self, fields: &Fields<'_>, reader: &mut Reader) -> Option<Self::Compiled>;

    /// Adds the keys to a schema.
    fn describe(properties: &mut Properties, definitions: &mut Definitions);
}

/// A form of several keys of a mapping, or of keys that another declaration has.
pub(super) trait Inline {
    type Value;
    fn read(&self, fields: &mut Fields<'_>, reader: &mut Reader) -> Option<Self::Value>;
    fn describe(&self, properties: &mut Properties, definitions: &mut Definitions);
}

macro_rules! keys {
    ($(
        $(#[doc = $about:literal])+
        $(#[derive($($derived:ident),+)])?
        $vis:vis struct $Name:ident as $title:literal $(=> $Compiled:ty: $compile:path)? {$(
            $(#[doc = $text:literal])+
            $key:ident $(($written:literal))?: $kind:ty = $absence:tt as $form:expr;
        )+}
    )+) => {$(
        $(#[doc = $about])+
        $(#[derive($($derived),+)])?
        $vis struct $Name {$(
            $(#[doc = $text])+
            $vis $key: $kind,
        )+}

        impl $crate::model::file::keys::Keys for $Name {
            type Compiled = keys!(@compiled $($Compiled)?);
            const TITLE: &'static str = $title;
            const ABOUT: &'static [&'static str] = &[$($about),+];

            fn read(
                fields: &mut $crate::model::file::reader::Fields<'_>,
                reader: &mut $crate::model::file::reader::Reader,
            ) -> Option<Self> {
                // Every key is read before a missing one ends the mapping: all mistakes count.
                $(let $key = keys!(@read $absence, fields, keys!(@name $key $($written)?), &$form, reader);)+
                Some(Self { $($key: $key?),+ })
            }

            fn compile(
                self,
                fields: &$crate::model::file::reader::Fields<'_>,
                reader: &mut $crate::model::file::reader::Reader,
            ) -> Option<Self::Compiled> {
                keys!(@compile self, fields, reader $(, $compile)?)
            }

            fn describe(
                properties: &mut $crate::model::file::schema::Properties,
                definitions: &mut $crate::model::file::schema::Definitions,
            ) {
                $(keys!(@describe $absence, properties, definitions, keys!(@name $key $($written)?), &[$($text),+], &$form);)+
            }
        }
    )+};

    (@name $key:ident) => { stringify!($key) };
    (@name $key:ident $written:literal) => { $written };

    (@compiled) => { Self };
    (@compiled $Compiled:ty) => { $Compiled };

    (@compile $this:ident, $fields:ident, $reader:ident) => {{
        let _ = ($fields, $reader);
        Some($this)
    }};
    (@compile $this:ident, $fields:ident, $reader:ident, $compile:path) => {
        // Its answer may be an `Option`.
        $compile($this, $fields, $reader).into()
    };

    (@read required, $fields:ident, $key:expr, $form:expr, $reader:ident) => {
        $crate::model::file::keys::required($fields, $key, $form, $reader)
    };
    (@read optional, $fields:ident, $key:expr, $form:expr, $reader:ident) => {
        Some($crate::model::file::keys::optional($fields, $key, $form, $reader))
    };
    (@read empty, $fields:ident, $key:expr, $form:expr, $reader:ident) => {
        Some($crate::model::file::keys::optional($fields, $key, $form, $reader).unwrap_or_default())
    };
    (@read inline, $fields:ident, $key:expr, $form:expr, $reader:ident) => {
        $crate::model::file::keys::Inline::read($form, $fields, $reader)
    };
    (@read { $value:expr }, $fields:ident, $key:expr, $form:expr, $reader:ident) => {
        Some($crate::model::file::keys::optional($fields, $key, $form, $reader).unwrap_or_else(|| $value))
    };
    (@read $default:literal, $fields:ident, $key:expr, $form:expr, $reader:ident) => {
        $crate::model::file::keys::or_default($fields, $key, $form, $default, $reader)
    };

    (@describe required, $properties:ident, $definitions:ident, $key:expr, $text:expr, $form:expr) => {
        $properties.required($key, $text, $crate::model::file::forms::Form::schema($form, $definitions))
    };
    (@describe inline, $properties:ident, $definitions:ident, $key:expr, $text:expr, $form:expr) => {
        $crate::model::file::keys::Inline::describe($form, $properties, $definitions)
    };
    (@describe $default:literal, $properties:ident, $definitions:ident, $key:expr, $text:expr, $form:expr) => {
        $properties.defaulted($key, $text, $default, $crate::model::file::forms::Form::schema($form, $definitions))
    };
    (@describe $absence:tt, $properties:ident, $definitions:ident, $key:expr, $text:expr, $form:expr) => {
        $properties.optional($key, $text, $crate::model::file::forms::Form::schema($form, $definitions))
    };
}

pub(super) use keys;

pub(super) fn required<F: Form>(
    fields: &mut Fields<'_>,
    key: &'static str,
    form: &F,
    reader: &mut Reader,
) -> Option<F::Value> {
    let at = fields.required(key, reader)?;
    form.read(&at, reader)
}

pub(super) fn optional<F: Form>(
    fields: &mut Fields<'_>,
    key: &'static str,
    form: &F,
    reader: &mut Reader,
) -> Option<F::Value> {
    let at = fields.get(key)?;
    form.read(&at, reader)
}

/// The value of a key, or else its default, which is read by the same form.
pub(super) fn or_default<F: Form>(
    fields: &mut Fields<'_>,
    key: &'static str,
    form: &F,
    default: &'static str,
    reader: &mut Reader,
) -> Option<F::Value> {
    optional(fields, key, form, reader).or_else(|| {
        let node = Node {
            line: 0,
            column: 0,
            content: Content::Scalar {
                text: default.to_owned(),
                plain: true,
            },
        };
        let value = form.read(&At::root(&node), &mut Reader::default());
        debug_assert!(value.is_some(), "the default of `{key}` does not fit");
        value
    })
}

/// What a mapping that says nothing becomes.
///
/// # Panics
/// Never, for a mapping without required keys whose defaults fit; a test reads them.
pub(super) fn defaults<T: Keys>() -> T::Compiled {
    let node = Node::NOTHING;
    let reader = &mut Reader::default();
    let read = At::root(&node)
        .fields(reader)
        .and_then(|mut fields| T::read(&mut fields, reader)?.compile(&fields, reader));
    match read {
        Some(compiled) => compiled,
        None => unreachable!("the defaults of `{}` fit", T::TITLE),
    }
}

/// The form of the keys of a table: those that are there, with what they mean.
pub(super) struct Table<T: 'static, F> {
    table: &'static [Listed<T>],
    form: F,
}

pub(super) fn table<T, F: Form>(table: &'static [Listed<T>], form: F) -> Table<T, F> {
    Table { table, form }
}

impl<T, F: Form> Inline for Table<T, F> {
    type Value = Vec<(&'static Listed<T>, F::Value)>;

    fn read(&self, fields: &mut Fields<'_>, reader: &mut Reader) -> Option<Self::Value> {
        let mut found = Vec::new();
        for listed in self.table {
            let at = if listed.required {
                fields.required(listed.key, reader)
            } else {
                fields.get(listed.key)
            };
            let value = at.and_then(|at| self.form.read(&at, reader));
            found.extend(value.map(|value| (listed, value)));
        }
        Some(found)
    }

    fn describe(&self, properties: &mut Properties, definitions: &mut Definitions) {
        for Listed {
            key,
            required,
            text,
            ..
        } in self.table
        {
            let schema = self.form.schema(definitions);
            if *required {
                properties.required(key, &[text], schema);
            } else {
                properties.optional(key, &[text], schema);
            }
        }
    }
}

/// The schema of a mapping with these keys.
pub(super) fn schema<T: Keys>(definitions: &mut Definitions) -> Json {
    let mut properties = Properties::default();
    T::describe(&mut properties, definitions);
    let mut schema = properties.into_schema();
    schema["description"] = json!(super::schema::prose(T::ABOUT));
    schema
}
