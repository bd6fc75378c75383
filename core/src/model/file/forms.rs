//! The forms that values of keys have: how each is read, and what the JSON Schema says of it.

mod later;
mod many;
mod numbers;

use std::marker::PhantomData;

use serde_json::{Value as Json, json};

use super::keys::{Inline, Keys};
use super::reader::{At, Fields, Reader, Section};
use super::schema::{Definitions, Properties};
use crate::choices::Choice;
use crate::model::check::is_snake_case;
use crate::model::expression::Expression;
use crate::model::expression::types::{Shape, Wanted, mistakes};

pub(super) use later::{Deferred, Located, deferred, located, set, then};
pub(super) use many::{
    declared_key, entries, list, list_as, named, property_name, seen, snake_case_key,
};

pub(super) use numbers::{probability, rate, whole};

/// How a value is written.
pub(super) trait Form {
    type Value;

    /// Reads a value. `None` where it is wrong, which is noted.
    fn read(&self, at: &At<'_>, reader: &mut Reader) -> Option<Self::Value>;

    /// The form in the JSON Schema.
    fn schema(&self, definitions: &mut Definitions) -> Json;
}

/// `true` or `false`.
pub(super) struct Flag;

impl Form for Flag {
    type Value = bool;

    fn read(&self, at: &At<'_>, reader: &mut Reader) -> Option<bool> {
        let flag = at.as_plain().and_then(|text| text.parse().ok());
        if flag.is_none() {
            reader.error(at.place(), "must be true or false");
        }
        flag
    }

    fn schema(&self, _: &mut Definitions) -> Json {
        json!({ "type": "boolean" })
    }
}

/// A text that a function reads.
pub(super) struct TextBy<T> {
    read: fn(&str, &At<'_>, &mut Reader) -> Option<T>,
    pattern: Option<&'static str>,
}

pub(super) fn text_by<T>(read: fn(&str, &At<'_>, &mut Reader) -> Option<T>) -> TextBy<T> {
    TextBy {
        read,
        pattern: None,
    }
}

impl<T> TextBy<T> {
    /// Says in the schema which pattern fits.
    pub(super) fn matching(self, pattern: &'static str) -> Self {
        Self {
            pattern: Some(pattern),
            ..self
        }
    }
}

impl<T> Form for TextBy<T> {
    type Value = T;

    fn read(&self, at: &At<'_>, reader: &mut Reader) -> Option<T> {
        let text = at.text(reader)?;
        (self.read)(text, at, reader)
    }

    fn schema(&self, _: &mut Definitions) -> Json {
        let mut schema = json!({ "type": "string" });
        if let Some(pattern) = self.pattern {
            schema["pattern"] = json!(pattern);
        }
        schema
    }
}

/// Any text.
pub(super) fn text() -> TextBy<String> {
    text_by(|text, _, _| Some(text.to_owned()))
}

/// An expression over the fields of a payload or an event.
pub(super) fn expression() -> TextBy<Expression> {
    text_by(expression_of)
}

pub(super) fn expression_of(source: &str, at: &At<'_>, reader: &mut Reader) -> Option<Expression> {
    let compiled = Expression::compile_within(source, &[], &mut reader.allowance)
        .map_err(|wrong| reader.errors(at, wrong))
        .ok()?;
    let wrong = mistakes(source, &Shape::open(), Wanted::Anything);
    reader.mistakes(&at.place(), source, wrong);
    Some(compiled)
}

/// A name in lower snake case.
pub(super) struct SnakeCase {
    /// What is wrong with another one.
    message: &'static str,
}

pub(super) fn snake_case(message: &'static str) -> SnakeCase {
    SnakeCase { message }
}

/// An event type by name: built in, or declared under `events`.
pub(super) fn event_type() -> impl Form<Value = String> {
    const MESSAGE: &str = "must be an event type in lower snake case, such as order_placed";
    then(snake_case(MESSAGE), |name, at, reader| {
        if is_snake_case(&name) {
            reader.check_event_type(&name, at.place());
        }
        Some(name)
    })
}

impl Form for SnakeCase {
    type Value = String;

    fn read(&self, at: &At<'_>, reader: &mut Reader) -> Option<String> {
        let name = at.text(reader)?;
        if !is_snake_case(name) {
            reader.error(at.place(), self.message);
        }
        Some(name.to_owned())
    }

    fn schema(&self, _: &mut Definitions) -> Json {
        json!({ "type": "string" })
    }
}

/// The name of an entry of another section.
pub(super) struct Declared(Section);

pub(super) fn declared(section: Section) -> Declared {
    Declared(section)
}

impl Form for Declared {
    type Value = String;

    fn read(&self, at: &At<'_>, reader: &mut Reader) -> Option<String> {
        let name = at.text(reader)?;
        reader.check_declared(self.0, name, at.place());
        Some(name.to_owned())
    }

    fn schema(&self, _: &mut Definitions) -> Json {
        json!({ "type": "string" })
    }
}

/// One of the variants of an enumeration.
pub(super) struct OneOf<T>(PhantomData<T>);

pub(super) fn one_of<T: Choice>() -> OneOf<T> {
    OneOf(PhantomData)
}

impl<T: Choice> Form for OneOf<T> {
    type Value = T;

    fn read(&self, at: &At<'_>, reader: &mut Reader) -> Option<T> {
        at.choice(T::NAMED, reader).copied()
    }

    fn schema(&self, definitions: &mut Definitions) -> Json {
        definitions.choice::<T>()
    }
}

/// A mapping whose keys are declared.
pub(super) struct Mapping<T>(PhantomData<T>);

pub(super) fn mapping<T: Keys>() -> Mapping<T> {
    Mapping(PhantomData)
}

impl<T: Keys> Form for Mapping<T> {
    type Value = T::Compiled;

    fn read(&self, at: &At<'_>, reader: &mut Reader) -> Option<T::Compiled> {
        let mut fields = at.fields(reader)?;
        let read = T::read(&mut fields, reader);
        let compiled = read.and_then(|keys| keys.compile(&fields, reader));
        fields.finish(reader);
        compiled
    }

    fn schema(&self, definitions: &mut Definitions) -> Json {
        definitions.mapping::<T>()
    }
}

/// The keys of one mapping within another.
impl<T: Keys> Inline for Mapping<T> {
    type Value = T::Compiled;

    fn read(&self, fields: &mut Fields<'_>, reader: &mut Reader) -> Option<T::Compiled> {
        T::read(fields, reader)?.compile(fields, reader)
    }

    fn describe(&self, properties: &mut Properties, definitions: &mut Definitions) {
        T::describe(properties, definitions);
    }
}

#[cfg(test)]
mod tests;
