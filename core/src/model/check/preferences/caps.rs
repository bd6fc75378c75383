//! Limits on the number of contacts.
//!
//! A part that is not understood is the strictest: one contact, the longest window, all channels
//! together.

use std::collections::BTreeMap;

use super::lists::{STANDS_FOR_NOTHING, channel, is_nothing, other_fields};
use super::{MAX_LISTED, Remarks};
use crate::model::{Model, NoteReason};
use crate::records::{FrequencyCap, MAX_CONTACTS, Value};

/// The longest span of a frequency cap, in seconds.
const MAX_WINDOW_SECONDS: i64 = 366 * DAY_SECONDS;
const DAY_SECONDS: i64 = 86_400;

/// Spans by name. Of those that differ in length, the longest.
const SPANS: [(&[&str], i64); 5] = [
    (&["hour", "hourly"], 3_600),
    (&["day", "daily"], DAY_SECONDS),
    (&["week", "weekly"], 7 * DAY_SECONDS),
    (&["month", "monthly"], 31 * DAY_SECONDS),
    (&["year", "yearly"], MAX_WINDOW_SECONDS),
];

/// All caps that a value says.
pub(super) fn read(
    value: &Value,
    model: &Model,
    remarks: &mut Remarks,
) -> Option<Vec<FrequencyCap>> {
    let elements = match value {
        Value::List(values) => values.as_slice(),
        single => std::slice::from_ref(single),
    };
    if elements.iter().all(is_nothing) {
        remarks.add(NoteReason::Placeholder, STANDS_FOR_NOTHING);
        return None;
    }
    let mut all = Vec::new();
    for element in elements.iter().filter(|element| !is_nothing(element)) {
        let cap = one(element, model, remarks);
        if !all.contains(&cap) {
            all.push(cap);
        }
    }
    if all.len() > MAX_LISTED {
        let rule = format!("has {} values, the limit is {MAX_LISTED}", all.len());
        remarks.strictest(&rule, "one contact in 366 days counts");
        all = vec![strictest()];
    }
    Some(all)
}

fn strictest() -> FrequencyCap {
    FrequencyCap {
        channel: None,
        max_count: 1,
        window_seconds: MAX_WINDOW_SECONDS,
    }
}

fn one(value: &Value, model: &Model, remarks: &mut Remarks) -> FrequencyCap {
    let Value::Map(fields) = value else {
        let rule = "must have a max_count and a window";
        remarks.strictest(rule, "one contact in 366 days counts");
        return strictest();
    };
    other_fields(fields, &["channel", "max_count", "window"], remarks);
    let channel = fields.get("channel").map(|value| channel(value, model));
    let channel = channel.transpose().unwrap_or_else(|rule| {
        remarks.strictest(&rule, "the cap counts for all channels together");
        None
    });
    FrequencyCap {
        channel,
        max_count: max_count(fields, remarks),
        window_seconds: window_seconds(fields, remarks),
    }
}

fn max_count(fields: &BTreeMap<String, Value>, remarks: &mut Remarks) -> usize {
    let said = fields.get("max_count").map(Value::to_string);
    let said = said.as_deref().map(str::trim);
    let count = said.and_then(|text| text.strip_suffix(".0").unwrap_or(text).parse().ok());
    let rule = || format!("max_count must be 1 to {MAX_CONTACTS}");
    match count {
        Some(count) if (1..=MAX_CONTACTS).contains(&count) => count,
        // No contact at all.
        Some(0) => {
            remarks.strictest(&rule(), "no contact is allowed");
            0
        }
        Some(_) => {
            remarks.strictest(&rule(), &format!("{MAX_CONTACTS} counts"));
            MAX_CONTACTS
        }
        None => {
            remarks.strictest(&rule(), "one contact counts");
            1
        }
    }
}

/// Whole seconds, or a text such as `7d`, `PT36H` or `week`.
fn window_seconds(fields: &BTreeMap<String, Value>, remarks: &mut Remarks) -> i64 {
    let said = match fields.get("window") {
        Some(Value::Int(seconds)) => Some(*seconds),
        Some(Value::String(text)) => seconds(text.trim()),
        _ => None,
    };
    said.filter(|seconds| (1..=MAX_WINDOW_SECONDS).contains(seconds))
        .unwrap_or_else(|| {
            let rule = "window must be 1 second to 366 days: whole seconds, or a text such as 7d";
            remarks.strictest(rule, "366 days count");
            MAX_WINDOW_SECONDS
        })
}

fn seconds(text: &str) -> Option<i64> {
    let named = SPANS
        .iter()
        .find(|(names, _)| names.iter().any(|name| name.eq_ignore_ascii_case(text)));
    if let Some((_, seconds)) = named {
        return Some(*seconds);
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    let span: jiff::Span = text.parse().ok()?;
    let total = span
        .to_duration(jiff::SpanRelativeTo::days_are_24_hours())
        .ok()?;
    (total.subsec_nanos() == 0).then_some(total.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_told_in_seconds_or_in_words() {
        assert_eq!(seconds("7d"), Some(604_800));
        assert_eq!(seconds("604800"), Some(604_800));
        assert_eq!(seconds("Week"), Some(604_800));
        assert_eq!(seconds("monthly"), Some(31 * 86_400));
        assert_eq!(seconds("PT36H"), Some(129_600));
        assert_eq!(seconds("1mo"), None, "a month has no length of its own");
        assert_eq!(seconds("1500ms"), None);
        assert_eq!(seconds(""), None);
    }
}
