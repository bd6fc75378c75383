//! Plain paths: the part of CEL that is a look-up.

use serde_json::Value as Json;

use super::Fault;

/// The name of the whole payload.
pub(super) const PAYLOAD: &str = "payload";

/// What CEL reads as something else than a field.
const RESERVED: [&str; 4] = ["true", "false", "null", "in"];

/// From the payload to one of its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Field(String),
    Element(usize),
}

impl Path {
    /// Reads `a.b`, `a['b c']`, `a[0]`; `None` for anything that is more than that.
    pub(super) fn parse(source: &str) -> Option<Self> {
        let (first, mut rest) = identifier(source.trim())?;
        if RESERVED.contains(&first) {
            return None;
        }
        let mut steps = if first == PAYLOAD {
            Vec::new()
        } else {
            vec![Step::Field(first.to_owned())]
        };
        while !rest.is_empty() {
            let step;
            (step, rest) = if let Some(after) = rest.strip_prefix('.') {
                let (name, after) = identifier(after)?;
                (Step::Field(name.to_owned()), after)
            } else {
                let (inside, after) = rest.strip_prefix('[')?.split_once(']')?;
                (element(inside.trim())?, after)
            };
            steps.push(step);
        }
        Some(Self(steps))
    }

    /// The field of the payload that it begins with.
    pub(super) fn first_field(&self) -> Option<&str> {
        match self.0.first()? {
            Step::Field(name) => Some(name),
            Step::Element(_) => None,
        }
    }

    /// The value at its end; none where there is none, however deep.
    ///
    /// # Errors
    /// It leads into a value without fields or elements: a text, a number, a boolean; or asks a
    /// list for a field.
    pub(super) fn find<'p>(&self, payload: &'p Json) -> Result<Option<&'p Json>, Fault> {
        let mut value = payload;
        for step in &self.0 {
            let found = match (value, step) {
                (Json::Object(fields), Step::Field(name)) => fields.get(name),
                (Json::Array(values), Step::Element(index)) => values.get(*index),
                (Json::Object(fields), Step::Element(index))
                    if fields.contains_key(&index.to_string()) =>
                {
                    return Err("the keys of a map are texts: write ['1']".into());
                }
                (Json::Null | Json::Object(_), _) => None,
                // Sources write these for an object that is not there.
                (Json::String(text), _) if text.trim().is_empty() => None,
                (Json::Array(values), _) if values.is_empty() => None,
                (other, step) => return Err(unfit(other, step)),
            };
            let Some(found) = found else {
                return Ok(None);
            };
            value = found;
        }
        Ok(Some(value))
    }
}

fn unfit(value: &Json, step: &Step) -> Fault {
    let kind = match value {
        Json::String(_) => "text",
        Json::Number(_) => "number",
        Json::Bool(_) => "boolean",
        _ => "list",
    };
    match step {
        Step::Field(name) => format!("a {kind} has no field `{name}`").into(),
        Step::Element(index) => format!("a {kind} has no element {index}").into(),
    }
}

fn identifier(text: &str) -> Option<(&str, &str)> {
    let end = text
        .find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
        .then_some((name, rest))
}

fn element(inside: &str) -> Option<Step> {
    let quoted = |quote: char| inside.strip_prefix(quote)?.strip_suffix(quote);
    match quoted('\'').or_else(|| quoted('"')) {
        Some(name) if name.contains(['\\', '\'', '"']) => None,
        Some(name) => Some(Step::Field(name.to_owned())),
        None if inside.bytes().all(|byte| byte.is_ascii_digit()) => {
            inside.parse().ok().map(Step::Element)
        }
        None => None,
    }
}
