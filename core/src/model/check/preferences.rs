//! Checks what is said of preferences: each has its own form.

use std::collections::BTreeMap;

use super::{Check, MAX_FIELDS, MAX_NAME_BYTES, shown};
use crate::model::Model;
use crate::records::{
    Change, ContentHash, Draft, DraftPreferences, FrequencyCap, MAX_CONTACTS, Preference,
    PreferenceKey, QuietHours, Reason, RecordStatement, Representative, Statement, Timestamp,
    Value, listed,
};

/// The longest text of a preference, in bytes.
const MAX_TEXT_BYTES: usize = 256;
/// The longest text of what a representative may do, in bytes.
const MAX_AUTHORITY_BYTES: usize = 1_024;
/// The longest name of a topic, in bytes.
const MAX_TOPIC_BYTES: usize = 64;
/// How many channels, quiet hours or caps one preference may list.
const MAX_LISTED: usize = 20;
/// The longest span of a frequency cap, in seconds.
const MAX_WINDOW_SECONDS: i64 = 366 * 86_400;

impl Check<'_> {
    pub(super) fn preferences(
        &mut self,
        path: &str,
        draft: DraftPreferences,
        receive_time: Timestamp,
    ) -> Statement {
        self.about(path, &draft.record, draft.version, draft.source_time);
        if draft.preferences.is_empty() {
            self.add(
                Reason::Required,
                format!("{path}.preferences"),
                "at least one preference is said or cleared",
            );
        }
        self.limit(
            &format!("{path}.preferences"),
            draft.preferences.len(),
            MAX_FIELDS,
            "values",
        );
        let mut preferences = BTreeMap::new();
        for (name, value) in draft.preferences.iter().take(MAX_FIELDS) {
            let Ok(key) = name.parse::<PreferenceKey>() else {
                let names: Vec<&str> = PreferenceKey::NAMED.iter().map(|(name, _)| *name).collect();
                let rule = format!(
                    "is no preference; there are {}, topics.NAME",
                    names.join(", ")
                );
                self.add(
                    Reason::Malformed,
                    format!("{path}.preferences.{}", shown(name)),
                    rule,
                );
                continue;
            };
            let field = format!("{path}.{}", key.field());
            if let PreferenceKey::Topic(topic) = &key {
                self.text(&field, topic, MAX_TOPIC_BYTES);
            }
            let said = value.as_ref().map(|value| read(&key, value, self.model));
            match said.transpose() {
                Ok(said) => drop(preferences.insert(key, said)),
                Err(rule) => self.add(Reason::Malformed, field, rule),
            }
        }
        let dated = draft.version > 0 || draft.source_time.is_some();
        Statement::Record(RecordStatement {
            record: draft.record.clone(),
            change: Change::Prefer(preferences),
            order: dated.then(|| (draft.version, draft.source_time.unwrap_or_default())),
            source_time: draft.source_time,
            receive_time,
            content: ContentHash::of(&("preferences", &draft.preferences)),
            draft: Draft::Preferences(draft),
        })
    }
}

type Read<T> = Result<T, String>;

/// The preference that a value is, or what its form should be.
fn read(key: &PreferenceKey, value: &Value, model: &Model) -> Read<Preference> {
    use PreferenceKey as Key;
    Ok(match key {
        Key::PreferredName | Key::FormOfAddress | Key::Pronunciation => {
            Preference::Text(text(value, MAX_TEXT_BYTES)?)
        }
        Key::Language | Key::SignLanguage => {
            Preference::Text(language(&text(value, MAX_TEXT_BYTES)?)?)
        }
        Key::TimeZone => Preference::Text(time_zone(&text(value, MAX_TEXT_BYTES)?)?),
        Key::PreferredChannels | Key::ForbiddenChannels => {
            Preference::Channels(list(value, |value| channel(value, model))?)
        }
        Key::QuietHours => Preference::QuietHours(list(value, quiet_hours)?),
        Key::FrequencyCaps => {
            Preference::FrequencyCaps(list(value, |value| frequency_cap(value, model))?)
        }
        Key::Representative => Preference::Representative(Box::new(representative(value)?)),
        Key::DoNotContact
        | Key::ProcessingRestricted
        | Key::Topic(_)
        | Key::RelayService
        | Key::Interpreter
        | Key::LargePrint
        | Key::Braille
        | Key::EasyRead
        | Key::SpeakSlowly
        | Key::NoPhone
        | Key::WrittenConfirmation
        | Key::ExtraTime => match value {
            Value::Bool(flag) => Preference::Flag(*flag),
            _ => return Err("must be true or false".to_owned()),
        },
    })
}

pub(super) fn text(value: &Value, max_bytes: usize) -> Read<String> {
    match value {
        Value::String(text) if text.contains('\0') => Err("must not contain U+0000".to_owned()),
        Value::String(text) if text.trim().is_empty() => {
            Err("must not be empty; a word is cleared by name".to_owned())
        }
        Value::String(text) if text.len() > max_bytes => Err(format!(
            "has {} bytes, the limit is {max_bytes}",
            text.len()
        )),
        Value::String(text) => Ok(text.clone()),
        _ => Err("must be a text".to_owned()),
    }
}

/// A language by BCP 47, in its canonical spelling.
pub(super) fn language(tag: &str) -> Read<String> {
    let tag = tag
        .parse::<icu_locale_core::Locale>()
        .ok()
        .filter(|tag| !tag.id.language.is_unknown());
    tag.map(|tag| tag.to_string())
        .ok_or_else(|| "must be a language by BCP 47, such as de-CH".to_owned())
}

fn time_zone(name: &str) -> Read<String> {
    let zone = jiff::tz::TimeZone::get(name);
    let name = zone
        .ok()
        .and_then(|zone| zone.iana_name().map(str::to_owned));
    name.ok_or_else(|| {
        "must be a name of the IANA time zone database, such as Europe/Zurich".to_owned()
    })
}

fn list<T: Ord>(value: &Value, read: impl Fn(&Value) -> Read<T>) -> Read<Vec<T>> {
    let values = match value {
        Value::List(values) => values.as_slice(),
        single => std::slice::from_ref(single),
    };
    if values.len() > MAX_LISTED {
        return Err(format!(
            "has {} values, the limit is {MAX_LISTED}",
            values.len()
        ));
    }
    let mut all: Vec<T> = Vec::new();
    for (index, value) in values.iter().enumerate() {
        let value = read(value).map_err(|rule| format!("value {}: {rule}", index + 1))?;
        if !all.contains(&value) {
            all.push(value);
        }
    }
    Ok(all)
}

fn channel(value: &Value, model: &Model) -> Read<String> {
    let name = text(value, MAX_NAME_BYTES)?;
    if model.channels.contains_key(&name) {
        return Ok(name);
    }
    let declared = listed(model.channels.keys().map(String::as_str));
    Err(format!(
        "the model declares no channel `{}`; it has: {declared}",
        shown(&name)
    ))
}

/// `22:00-07:00`, or the fields of the API.
fn quiet_hours(value: &Value) -> Read<QuietHours> {
    const RULE: &str = "must be a text such as 22:00-07:00, or have a start_time, an end_time and perhaps days (1 to 7)";
    match value {
        Value::String(text) => {
            let (start, end) = text.split_once('-').ok_or(RULE)?;
            Ok(QuietHours {
                days: QuietHours::EVERY_DAY,
                start: minute(start)?,
                end: minute(end)?,
            })
        }
        Value::Map(fields) => {
            refuse_others(fields, &["days", "start_time", "end_time"])?;
            let at = |name: &str| fields.get(name).and_then(Value::as_str).ok_or(RULE);
            let days = fields.get("days").map_or(Ok(QuietHours::EVERY_DAY), days)?;
            Ok(QuietHours {
                days,
                start: minute(at("start_time")?)?,
                end: minute(at("end_time")?)?,
            })
        }
        _ => Err(RULE.to_owned()),
    }
}

fn days(value: &Value) -> Read<u8> {
    let rule = || "days must be 1 (Monday) to 7 (Sunday)".to_owned();
    let Value::List(days) = value else {
        return Err(rule());
    };
    let bit = |day: &Value| match day {
        Value::Int(day @ 1..=7) => Ok(1_u8 << (day - 1)),
        _ => Err(rule()),
    };
    let days = days.iter().map(bit).collect::<Read<Vec<u8>>>()?;
    Ok(if days.is_empty() {
        QuietHours::EVERY_DAY
    } else {
        days.into_iter().fold(0, |all, day| all | day)
    })
}

/// The minute of the day that a time such as `22:00` names.
fn minute(text: &str) -> Read<u16> {
    let parts = text
        .trim()
        .split_once(':')
        .filter(|(hours, minutes)| (1..=2).contains(&hours.len()) && minutes.len() == 2);
    let number = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| text.parse::<u16>().ok())
            .flatten()
    };
    parts
        .and_then(|(hours, minutes)| Some((number(hours)?, number(minutes)?)))
        .filter(|(hours, minutes)| *hours < 24 && *minutes < 60)
        .map(|(hours, minutes)| hours * 60 + minutes)
        .ok_or_else(|| "times must be such as 22:00".to_owned())
}

/// The fields of the API; the window in seconds, or as a text such as `7d`.
fn frequency_cap(value: &Value, model: &Model) -> Read<FrequencyCap> {
    let Value::Map(fields) = value else {
        return Err("must have a max_count and a window".to_owned());
    };
    refuse_others(fields, &["channel", "max_count", "window"])?;
    let channel = fields
        .get("channel")
        .map(|value| channel(value, model))
        .transpose()?;
    let max_count = match fields.get("max_count") {
        Some(Value::Int(count)) => usize::try_from(*count)
            .ok()
            .filter(|count| (1..=MAX_CONTACTS).contains(count)),
        _ => None,
    };
    let max_count = max_count.ok_or_else(|| format!("max_count must be 1 to {MAX_CONTACTS}"))?;
    let window_seconds = match fields.get("window") {
        Some(Value::Int(seconds)) => Some(*seconds),
        Some(Value::String(text)) => seconds(text),
        _ => None,
    };
    let window_seconds =
        window_seconds.filter(|seconds| (1..=MAX_WINDOW_SECONDS).contains(seconds));
    let rule =
        || "window must be 1 second to 366 days: whole seconds, or a text such as 7d".to_owned();
    Ok(FrequencyCap {
        channel,
        max_count,
        window_seconds: window_seconds.ok_or_else(rule)?,
    })
}

fn seconds(text: &str) -> Option<i64> {
    let span: jiff::Span = text.parse().ok()?;
    let total = span
        .to_duration(jiff::SpanRelativeTo::days_are_24_hours())
        .ok()?;
    (total.subsec_nanos() == 0).then_some(total.as_secs())
}

fn representative(value: &Value) -> Read<Representative> {
    let Value::Map(fields) = value else {
        return Err("must have a display_name".to_owned());
    };
    refuse_others(
        fields,
        &["display_name", "relationship", "contact_point", "authority"],
    )?;
    let field = |name: &str, max_bytes| match fields.get(name) {
        None => Ok(String::new()),
        Some(value) => text(value, max_bytes).map_err(|rule| format!("{name} {rule}")),
    };
    let said = Representative {
        display_name: field("display_name", MAX_TEXT_BYTES)?,
        relationship: field("relationship", MAX_TEXT_BYTES)?,
        contact_point: field("contact_point", MAX_TEXT_BYTES)?,
        authority: field("authority", MAX_AUTHORITY_BYTES)?,
    };
    if said.display_name.is_empty() {
        Err("display_name is required".to_owned())
    } else {
        Ok(said)
    }
}

fn refuse_others(fields: &BTreeMap<String, Value>, known: &[&str]) -> Read<()> {
    match fields.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(format!(
            "has no `{}`; there are {}",
            shown(name),
            known.join(", ")
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_and_time_zones_come_into_their_canonical_spelling() {
        assert_eq!(language("DE-ch").as_deref(), Ok("de-CH"));
        assert_eq!(language("ase").as_deref(), Ok("ase"));
        assert!(
            language("german").is_err() && language("und").is_err() && language("de_CH@x").is_err()
        );
        assert_eq!(time_zone("europe/zurich").as_deref(), Ok("Europe/Zurich"));
        assert!(time_zone("Europe/Atlantis").is_err() && time_zone("+02:00").is_err());
    }

    #[test]
    fn windows_are_told_in_seconds_or_in_words() {
        assert_eq!(seconds("7d"), Some(604_800));
        assert_eq!(seconds("PT36H"), Some(129_600));
        assert_eq!(seconds("1mo"), None, "a month has no length of its own");
        assert_eq!(seconds("1500ms"), None);
    }

    #[test]
    fn times_of_the_day_have_one_form() {
        assert_eq!(minute("22:05"), Ok(22 * 60 + 5));
        assert_eq!(minute("7:00"), Ok(420));
        for wrong in ["24:00", "7", "07:5", "-1:00", "07:60", "+7:00", ""] {
            assert!(minute(wrong).is_err(), "{wrong}");
        }
    }
}
