//! Checks what is said of preferences: each has its own form.
//!
//! **The problem.** A payload says a language that is none, and that its customer is not to be
//! contacted. Refused as a whole, it leaves the customer open to contact.
//!
//! **The choice.** Each preference is read by itself, and what cannot be read gets a remark. Of a
//! source's statement the remarks become notes, and the rest is kept; a statement of which nothing
//! can be read is refused. A limit with a value that is not understood counts as the strictest that
//! it may mean ([`NoteReason::Strictest`]): `do_not_contact: maybe` is a yes. A direct call of the
//! API can be mended at once, so there each remark refuses it ([`Model::check_strictly`]).

mod caps;
mod flags;
mod lists;
mod quiet;

use std::collections::BTreeMap;

use super::{Check, MAX_FIELDS, shown};
use crate::model::{Model, NoteReason, language};
use crate::records::{
    Change, ContentHash, Draft, DraftPreferences, Preference, PreferenceKey, Reason,
    RecordStatement, Statement, Timestamp, Value, Violation,
};
use crate::time_zone;
use lists::{channels, forbidden, representative};

/// The longest text of a preference, in bytes.
const MAX_TEXT_BYTES: usize = 256;
/// The longest text of what a representative may do, in bytes.
const MAX_AUTHORITY_BYTES: usize = 1_024;
/// The longest name of a topic, in bytes.
const MAX_TOPIC_BYTES: usize = 64;
/// How many channels, quiet hours or caps one preference may list.
const MAX_LISTED: usize = 20;

/// Remarks on what of a value is not understood, and what counts instead.
#[derive(Debug, Default)]
pub(super) struct Remarks(Vec<(NoteReason, String)>);

impl Remarks {
    pub(super) fn add(&mut self, reason: NoteReason, rule: impl Into<String>) {
        self.0.push((reason, rule.into()));
    }

    fn malformed(&mut self, rule: impl Into<String>) {
        self.add(NoteReason::Malformed, rule);
    }

    /// A limit that is not understood, what it should be, and what counts.
    fn strictest(&mut self, rule: &str, counts: &str) {
        self.add(NoteReason::Strictest, format!("{rule}; {counts}"));
    }
}

impl Check<'_> {
    pub(super) fn preferences(
        &mut self,
        path: &str,
        draft: DraftPreferences,
        receive_time: Timestamp,
    ) -> Statement {
        let order = (draft.version, draft.source_time);
        self.about(path, &draft.record, order, receive_time);
        if draft.preferences.is_empty() {
            self.add(
                Reason::Required,
                format!("{path}.preferences"),
                "at least one preference is said or cleared",
            );
        }
        self.limit(
            &format_args!("{path}.preferences"),
            draft.preferences.len(),
            MAX_FIELDS,
            "values",
        );
        let mut preferences = BTreeMap::new();
        let mut remarked = Vec::new();
        for (name, value) in draft.preferences.iter().take(MAX_FIELDS) {
            let mut remarks = Remarks::default();
            let key = preference_key(name, &mut remarks);
            let field = key.as_ref().map_or_else(
                || format!("preferences.{}", shown(name)),
                PreferenceKey::field,
            );
            if let Some(key) = key {
                let said = match value {
                    None => Some(None),
                    Some(value) => read(&key, value, self.model, &mut remarks).map(Some),
                };
                preferences.extend(said.map(|said| (key, said)));
            }
            remarked.extend(remarks.0.into_iter().map(|remark| (field.clone(), remark)));
        }
        let is_kept = !preferences.is_empty();
        self.remarks(path, remarked, is_kept);
        let change = Change::Prefer(preferences);
        // A limit of a time that cannot be right would be the oldest word, and be lost.
        let said = draft.source_time;
        let source_time =
            said.filter(|time| *time >= Timestamp::FIRST_PLAUSIBLE || !change.limits());
        let dated = draft.version > 0 || source_time.is_some();
        Statement::Record(RecordStatement {
            record: draft.record.clone(),
            change,
            order: dated.then(|| (draft.version, source_time.unwrap_or_default())),
            source_time,
            receive_time,
            content: ContentHash::of(&("preferences", &draft.preferences)),
            draft: Draft::Preferences(draft),
        })
    }

    /// Notes remarks about fields of a statement of which something is kept; otherwise, and for who
    /// wants all or nothing, they are violations.
    pub(super) fn remarks(
        &mut self,
        path: &str,
        remarked: Vec<(String, (NoteReason, String))>,
        is_kept: bool,
    ) {
        for (field, (reason, rule)) in remarked {
            if self.strict || !is_kept {
                self.violations.push(Violation::new(
                    Reason::Malformed,
                    format!("{path}.{field}"),
                    rule,
                ));
            } else if let Some((notes, _)) = &mut self.notes {
                notes.remark(field, reason, rule.into());
            }
        }
    }
}

impl Model {
    /// Whether a word on a preference limits how the customer may be contacted or used.
    pub(in crate::model) fn is_limit(&self, name: &str, said: Option<&Value>) -> bool {
        let mut remarks = Remarks::default();
        let key = preference_key(name, &mut remarks);
        key.zip(said).is_some_and(|(key, said)| {
            let word = read(&key, said, self, &mut remarks);
            word.is_some_and(|word| key.limits(&word))
        })
    }
}

fn preference_key(name: &str, remarks: &mut Remarks) -> Option<PreferenceKey> {
    let Ok(key) = name.parse::<PreferenceKey>() else {
        let names: Vec<&str> = PreferenceKey::NAMED.iter().map(|(name, _)| *name).collect();
        let names = names.join(", ");
        remarks.malformed(format!("is no preference; there are {names}, topics.NAME"));
        return None;
    };
    if let PreferenceKey::Topic(topic) = &key
        && (topic.len() > MAX_TOPIC_BYTES || topic.contains('\0'))
    {
        remarks.malformed(format!(
            "the name of a topic has at most {MAX_TOPIC_BYTES} bytes and no U+0000"
        ));
        return None;
    }
    Some(key)
}

type Read<T> = Result<T, String>;

/// The preference that a value is, as far as it is understood.
fn read(
    key: &PreferenceKey,
    value: &Value,
    model: &Model,
    remarks: &mut Remarks,
) -> Option<Preference> {
    use PreferenceKey as Key;
    let text = |of: fn(&str) -> Read<String>| {
        let text = text(value, MAX_TEXT_BYTES)?;
        of(&text).map(Preference::Text)
    };
    let read = match key {
        Key::PreferredName | Key::FormOfAddress | Key::Pronunciation => {
            text(|text| Ok(text.to_owned()))
        }
        Key::Language | Key::SignLanguage => text(language),
        Key::TimeZone => text(|name| time_zone::read(name).map_err(|unread| unread.to_string())),
        Key::PreferredChannels => {
            return channels(value, model, remarks).map(Preference::Channels);
        }
        Key::ForbiddenChannels => {
            return forbidden(value, model, remarks).map(Preference::Channels);
        }
        Key::QuietHours => return quiet::read(value, remarks).map(Preference::QuietHours),
        Key::FrequencyCaps => {
            return caps::read(value, model, remarks).map(Preference::FrequencyCaps);
        }
        Key::Representative => {
            let read = representative(value, remarks)?;
            return Some(Preference::Representative(Box::new(read)));
        }
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
        | Key::ExtraTime => return flags::read(key, value, remarks).map(Preference::Flag),
    };
    read.map_err(|rule| remarks.malformed(rule)).ok()
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
pub(super) fn language(text: &str) -> Read<String> {
    language::read(text).map_err(str::to_owned)
}

#[cfg(test)]
mod tests;
