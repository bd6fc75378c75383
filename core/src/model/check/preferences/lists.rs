//! Preferences that are lists: channels, and who speaks for the customer.

use std::collections::{BTreeMap, BTreeSet};

use super::{MAX_AUTHORITY_BYTES, MAX_LISTED, MAX_TEXT_BYTES, Read, Remarks, text};
use crate::model::check::{MAX_NAME_BYTES, shown};
use crate::model::{Model, NoteReason};
use crate::records::{Representative, Value, listed};

/// The values of a list, or of a text with separators.
pub(super) fn elements(value: &Value) -> Vec<Value> {
    match value {
        Value::List(values) => values.clone(),
        Value::String(text) => {
            let parts = text.split([',', ';', '|']).map(str::trim);
            let parts = parts.filter(|part| !part.is_empty());
            parts.map(Value::from).collect()
        }
        single => vec![single.clone()],
    }
}

/// Whether a value stands for no value: blank, or a word such as `n/a`.
pub(super) fn is_nothing(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(crate::model::placeholder::is_nothing)
}

pub(super) const STANDS_FOR_NOTHING: &str = "stands for no value, so nothing is said";

/// Channels of the model, each once, without those that are none.
pub(super) fn channels(value: &Value, model: &Model, remarks: &mut Remarks) -> Option<Vec<String>> {
    let mut all: Vec<String> = Vec::new();
    for element in elements(value) {
        match channel(&element, model) {
            Ok(name) if all.contains(&name) => {}
            Ok(name) => all.push(name),
            Err(rule) => remarks.malformed(rule),
        }
    }
    if all.is_empty() && remarks.0.is_empty() {
        remarks.add(NoteReason::Placeholder, STANDS_FOR_NOTHING);
    }
    if all.len() > MAX_LISTED {
        remarks.malformed(format!(
            "has {} values, the limit is {MAX_LISTED}",
            all.len()
        ));
        all.truncate(MAX_LISTED);
    }
    (!all.is_empty()).then_some(all)
}

/// Words for all channels.
const EVERY: [&str; 7] = ["all", "any", "every", "*", "alle", "tous", "todos"];

/// Channels that are not to be used. A value that is no text and no list of texts may mean
/// any of them. Of a text that is more than a channel, each that it names is not to be used.
pub(super) fn forbidden(
    value: &Value,
    model: &Model,
    remarks: &mut Remarks,
) -> Option<Vec<String>> {
    let every = || model.channels.keys().cloned().collect::<Vec<_>>();
    let elements = elements(value);
    let is_every = |text: &str| EVERY.iter().any(|word| word.eq_ignore_ascii_case(text));
    if elements.iter().any(|it| it.as_str().is_some_and(is_every)) && !every().is_empty() {
        return Some(every());
    }
    let says_every = |text: &str| text.split_whitespace().any(is_every);
    let is_open = |element: &Value| element.as_str().is_none_or(says_every);
    if elements.iter().any(is_open) && !every().is_empty() {
        remarks.strictest("must be names of channels", "all channels are forbidden");
        return Some(every());
    }
    // No channel of the model is left out, however many there are.
    let mut all: Vec<String> = Vec::new();
    for element in &elements {
        match channel(element, model) {
            Ok(name) => all.push(name),
            Err(_) if is_nothing(element) => {
                remarks.add(NoteReason::Placeholder, STANDS_FOR_NOTHING);
            }
            Err(rule) => {
                let named = channels_within(element.as_str().unwrap_or_default(), model);
                if named.is_empty() {
                    remarks.malformed(format!("{rule}; no channel is forbidden by it"));
                } else {
                    let counts = "each channel that it names is forbidden";
                    remarks.strictest("must be names of channels", counts);
                }
                all.extend(named);
            }
        }
    }
    let mut seen = BTreeSet::new();
    all.retain(|name| seen.insert(name.clone()));
    if all.is_empty() && remarks.0.is_empty() {
        remarks.add(NoteReason::Placeholder, STANDS_FOR_NOTHING);
    }
    (!all.is_empty()).then_some(all)
}

/// The channels that a text names among other words: `sms/email`, `no sms please`.
fn channels_within(text: &str, model: &Model) -> Vec<String> {
    let words: Vec<&str> = text
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let named = (1..=3).flat_map(|count| words.windows(count));
    let named = named.filter_map(|words| channel(&Value::from(&*words.join(" ")), model).ok());
    named.collect()
}

/// A channel as the model writes it: `E-Mail` is `email`.
pub(super) fn channel(value: &Value, model: &Model) -> Read<String> {
    let name = text(value, MAX_NAME_BYTES)?;
    if model.channels.contains_key(&name) {
        return Ok(name);
    }
    let plain = |name: &str| -> String {
        let letters = name.chars().filter(|letter| letter.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect()
    };
    let mut alike = model
        .channels
        .keys()
        .filter(|declared| plain(declared) == plain(&name));
    if let (Some(only), None) = (alike.next(), alike.next()) {
        return Ok(only.clone());
    }
    let declared = listed(model.channels.keys().map(String::as_str));
    Err(format!(
        "the model declares no such channel; it has: {declared}"
    ))
}

pub(super) fn representative(value: &Value, remarks: &mut Remarks) -> Option<Representative> {
    let Value::Map(fields) = value else {
        remarks.malformed("must have a display_name");
        return None;
    };
    let known = ["display_name", "relationship", "contact_point", "authority"];
    other_fields(fields, &known, remarks);
    let mut field = |name: &str, max_bytes| {
        let read = fields.get(name).map(|value| text(value, max_bytes));
        let read = read.transpose().map_err(|rule| format!("{name} {rule}"));
        read.unwrap_or_else(|rule| {
            remarks.malformed(rule);
            None
        })
        .unwrap_or_default()
    };
    let said = Representative {
        display_name: field("display_name", MAX_TEXT_BYTES),
        relationship: field("relationship", MAX_TEXT_BYTES),
        contact_point: field("contact_point", MAX_TEXT_BYTES),
        authority: field("authority", MAX_AUTHORITY_BYTES),
    };
    if said.display_name.is_empty() {
        if !fields.contains_key("display_name") {
            remarks.malformed("display_name is required");
        }
        return None;
    }
    Some(said)
}

/// Remarks on fields that there are not.
pub(super) fn other_fields(
    fields: &BTreeMap<String, Value>,
    known: &[&str],
    remarks: &mut Remarks,
) {
    if let Some(name) = fields.keys().find(|name| !known.contains(&name.as_str())) {
        let (name, known) = (shown(name), known.join(", "));
        remarks.malformed(format!("has no `{name}`; there are {known}"));
    }
}
