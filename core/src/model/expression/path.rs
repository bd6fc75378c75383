//! Plain paths: the part of CEL that is a look-up.

use serde_json::Value as Json;

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

    pub(super) fn find<'p>(&self, payload: &'p Json) -> Option<&'p Json> {
        self.0.iter().try_fold(payload, |value, step| match step {
            Step::Field(name) => value.get(name),
            Step::Element(index) => value.get(index),
        })
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
