//! The JSON Schema of the model file, for editors: made from the declarations of the keys.

use serde_json::{Map, Value as Json, json};

use super::keys::{self, Keys};
use crate::choices::Choice;
use crate::model::Model;

/// The JSON Schema of the model file (draft 2020-12).
#[must_use]
pub fn schema() -> Json {
    let mut definitions = Definitions::default();
    let mut schema = keys::schema::<Model>(&mut definitions);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!(Model::TITLE);
    schema["$defs"] = Json::Object(definitions.0);
    schema
}

/// The named parts of a schema.
#[derive(Debug, Default)]
pub(super) struct Definitions(Map<String, Json>);

impl Definitions {
    /// Refers to a part, which is made if it is not there yet.
    pub(super) fn reference(&mut self, title: &str, make: impl FnOnce(&mut Self) -> Json) -> Json {
        if !self.0.contains_key(title) {
            // A part may refer to itself.
            self.0.insert(title.to_owned(), Json::Null);
            let schema = make(self);
            self.0.insert(title.to_owned(), schema);
        }
        json!({ "$ref": format!("#/$defs/{title}") })
    }

    pub(super) fn mapping<T: Keys>(&mut self) -> Json {
        self.reference(T::TITLE, keys::schema::<T>)
    }

    pub(super) fn choice<T: Choice>(&mut self) -> Json {
        self.reference(T::TITLE, |_| {
            let variants = T::NAMED.iter().zip(T::TEXTS);
            let variants = variants.map(|((name, _), text)| {
                json!({ "type": "string", "const": name, "description": prose(text) })
            });
            json!({ "description": prose(T::ABOUT), "oneOf": variants.collect::<Vec<_>>() })
        })
    }
}

/// The keys of a mapping.
#[derive(Debug, Default)]
pub(super) struct Properties {
    properties: Map<String, Json>,
    required: Vec<&'static str>,
}

impl Properties {
    pub(super) fn required(&mut self, key: &'static str, text: &[&str], schema: Json) {
        self.required.push(key);
        self.add(key, prose(text), schema);
    }

    pub(super) fn optional(&mut self, key: &'static str, text: &[&str], schema: Json) {
        self.add(key, prose(text), or_null(schema));
    }

    pub(super) fn defaulted(
        &mut self,
        key: &'static str,
        text: &[&str],
        default: &str,
        schema: Json,
    ) {
        let value = serde_json::from_str(default).unwrap_or_else(|_| json!(default));
        let shown = match &value {
            Json::String(name) => format!("`{name}`"),
            other => other.to_string(),
        };
        let mut schema = or_null(schema);
        schema["default"] = value;
        self.add(key, format!("{} Default {shown}.", prose(text)), schema);
    }

    fn add(&mut self, key: &'static str, description: String, mut schema: Json) {
        schema["description"] = Json::String(description);
        let before = self.properties.insert(key.to_owned(), schema);
        debug_assert!(before.is_none(), "`{key}` is declared twice");
    }

    pub(super) fn into_schema(self) -> Json {
        let mut schema = json!({
            "type": "object",
            "additionalProperties": false,
            "properties": self.properties,
        });
        if !self.required.is_empty() {
            schema["required"] = json!(self.required);
        }
        schema
    }
}

/// What a schema allows, or nothing.
pub(super) fn or_null(mut schema: Json) -> Json {
    match schema.get("type") {
        Some(Json::String(kind)) => {
            schema["type"] = json!([kind, "null"]);
            schema
        }
        _ => json!({ "anyOf": [schema, { "type": "null" }] }),
    }
}

/// Lines of a doc comment as text: a blank line separates paragraphs.
pub(super) fn prose(lines: &[&str]) -> String {
    let mut text = String::new();
    for line in lines.iter().map(|line| line.trim()) {
        let separator = match text.as_bytes().last() {
            None | Some(b'\n') => "",
            Some(_) if line.is_empty() => "\n\n",
            Some(_) => " ",
        };
        text.push_str(separator);
        text.push_str(line);
    }
    text
}

#[cfg(test)]
mod tests;
