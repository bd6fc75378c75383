//! What is told of a customer by a view, to a purpose: as a message, and as sentences that each
//! cite the records they rest on.

use std::collections::BTreeSet;

use profile_core::model::{ContextField, ContextView, Model};
use profile_core::permission::view::View;
use profile_core::profile::Profile;
use profile_core::records::{Object, Preference, RecordKey, StatedPreference, Value};

use crate::grpc::encode::{Sight, key, value};
use crate::grpc::preferences::encode::{accessibility, preferences, withheld};
use crate::grpc::v1;

/// How many records are cited for one thing.
const MAX_RECORDS: usize = 5;

/// A sentence.
pub(super) struct Line {
    /// What it is about, as the list of what was left out names it.
    pub(super) field: String,
    /// Of an object: its place among them.
    pub(super) object_index: Option<usize>,
    /// The sentence with its records.
    pub(super) text: String,
}

/// What is told of a customer.
pub(super) struct Telling<'a> {
    profile: &'a Profile,
    view: &'a ContextView,
    model: &'a Model,
    sight: Sight<'a>,
    /// Keys of records that are not to be told: they are identifiers that the purpose may not see.
    hidden: BTreeSet<String>,
    /// None: nobody asked for sentences.
    lines: Option<Vec<Line>>,
}

impl<'a> Telling<'a> {
    /// `lines`: to be filled, if sentences are asked for.
    pub(super) fn of(
        profile: &'a Profile,
        (view, model): (&'a ContextView, &'a Model),
        seen: View<'a>,
        lines: Option<Vec<Line>>,
    ) -> Self {
        let sight = Sight::new(Some(seen));
        let hidden = sight.hidden_keys(profile);
        Self {
            profile,
            view,
            model,
            sight,
            hidden,
            lines,
        }
    }

    /// Puts all of it into an answer. Answers with the sentences.
    pub(super) fn into_answer(
        mut self,
        objects: &[Object],
        answer: &mut v1::GetContextResponse,
    ) -> Vec<Line> {
        self.treatment(answer);
        for (name, fields) in &self.view.sections {
            let fields: Vec<v1::ContextField> = fields
                .iter()
                .filter_map(|field| self.field(name, field))
                .collect();
            if !fields.is_empty() {
                answer.sections.push(v1::ContextSection {
                    section: name.clone(),
                    fields,
                });
            }
        }
        self.segments(answer);
        self.objects(objects, answer);
        answer.withheld = self
            .sight
            .into_withheld()
            .into_iter()
            .map(withheld)
            .collect();
        self.lines.unwrap_or_default()
    }

    /// Needs, then preferences.
    fn treatment(&mut self, answer: &mut v1::GetContextResponse) {
        let stated = &*self.sight.preferences(&self.profile.preferences);
        for needs in [true, false] {
            let wanted = if needs {
                self.view.accessibility
            } else {
                self.view.preferences
            };
            let known = stated.keys().any(|key| key.is_accessibility() == needs);
            let seen = |sight: &mut Sight<'_>| {
                if needs {
                    sight.sees_accessibility()
                } else {
                    sight.sees_preferences()
                }
            };
            if !wanted || !known || !seen(&mut self.sight) {
                continue;
            }
            if needs {
                answer.accessibility = accessibility(stated);
            } else {
                answer.preferences = preferences(stated);
            }
            for (key, stated) in stated
                .iter()
                .filter(|(key, _)| key.is_accessibility() == needs)
            {
                let records = self.cited(stated.origins.iter().map(|origin| &origin.record));
                let sentence = || {
                    let what = if needs { "Need" } else { "Preference" };
                    let name = key.to_string();
                    let name = name
                        .strip_prefix("accessibility.")
                        .unwrap_or(&name)
                        .replace('.', " ");
                    format!("{what}: {}: {}", words(&name), shown(stated))
                };
                self.line(|| key.field(), None, sentence, &records);
            }
        }
    }

    fn field(&mut self, section: &str, field: &ContextField) -> Option<v1::ContextField> {
        let (found, records, partial) = match field {
            ContextField::Trait(name) => {
                let found = self.profile.traits.get(name)?;
                let records = self.cited(found.origins.iter().map(|origin| &origin.record));
                (found.value.clone(), records, None)
            }
            ContextField::Computed(name) => {
                let found = self.profile.derived.computed.get(name)?;
                let records = self.counted();
                (found.value.clone()?, records, Some(found.partial))
            }
            ContextField::Identifier(kind) => {
                let held = || {
                    self.profile
                        .identifiers
                        .iter()
                        .filter(|held| held.identifier.kind == *kind)
                };
                let mut values: Vec<Value> = held()
                    .map(|held| Value::from(held.contact_value(self.model)))
                    .collect();
                let records = self.cited(held().map(|held| &held.origin.record));
                let one = (values.len() == 1).then(|| values.pop()).flatten();
                (
                    one.or_else(|| (!values.is_empty()).then_some(Value::List(values)))?,
                    records,
                    None,
                )
            }
        };
        let seen = match field {
            ContextField::Trait(name) => self.sight.sees_trait(name),
            ContextField::Computed(name) => self.sight.sees_computed(name),
            ContextField::Identifier(kind) => self.sight.sees_identifier(kind),
        };
        if !seen {
            return None;
        }
        let so_far = if partial == Some(true) { " so far" } else { "" };
        let sentence = || format!("{}: {found}{so_far}", words(field.name()));
        self.line(|| format!("{section}.{field}"), None, sentence, &records);
        let completeness = match partial {
            None => v1::Completeness::Unspecified,
            Some(true) => v1::Completeness::Partial,
            Some(false) => v1::Completeness::Complete,
        };
        Some(v1::ContextField {
            field: field.to_string(),
            value: Some(value(&found)),
            records,
            completeness: completeness.into(),
        })
    }

    fn segments(&mut self, answer: &mut v1::GetContextResponse) {
        for name in self
            .profile
            .derived
            .segments
            .iter()
            .filter(|name| self.view.segments.has(name))
        {
            if !self.sight.sees_segment(name) {
                continue;
            }
            answer.segments.push(name.clone());
            let description = self
                .model
                .segments
                .get(name)
                .map_or("", |segment| segment.description.as_str());
            let records = self.cited(self.profile.records.iter().map(|record| &record.key));
            let sentence = || {
                let told = if description.is_empty() {
                    String::new()
                } else {
                    format!(" ({description})")
                };
                format!("Segment: {}{told}", words(name))
            };
            self.line(|| format!("segments.{name}"), None, sentence, &records);
        }
        let undecided = self
            .profile
            .derived
            .undecided_segments
            .iter()
            .filter(|name| self.view.segments.has(name));
        answer.undecided_segments = undecided
            .filter(|name| self.sight.sees_segment(name))
            .cloned()
            .collect();
    }

    /// The latest objects. Lists and maps of theirs, such as the lines of an order, are for who
    /// reads the object itself.
    fn objects(&mut self, objects: &[Object], answer: &mut v1::GetContextResponse) {
        if !self.view.objects.is_empty() && !self.sight.sees_all_events() {
            self.sight.withhold_events();
        }
        for (index, object) in objects.iter().enumerate() {
            let plain = |value: &&Value| !matches!(value, Value::List(_) | Value::Map(_));
            let fields = || object.fields.iter().filter(|(_, value)| plain(value));
            let records = self.cited(object.events.iter().map(|event| &event.record));
            let status = object.status.as_deref().unwrap_or_default();
            let sentence = || {
                let told =
                    fields().map(|(name, value)| format!("; {}: {value}", name.replace('_', " ")));
                let is = if status.is_empty() {
                    String::new()
                } else {
                    format!(": {status}")
                };
                format!(
                    "{} {}{is}{}",
                    words(&object.key.kind),
                    object.key.id,
                    told.collect::<String>()
                )
            };
            self.line(|| "objects".to_owned(), Some(index), sentence, &records);
            answer.objects.push(v1::ContextObject {
                kind: object.key.kind.clone(),
                id: object.key.id.clone(),
                status: status.to_owned(),
                fields: fields()
                    .map(|(name, found)| (name.clone(), value(found)))
                    .collect(),
                records,
            });
        }
    }

    /// The records whose events are counted.
    fn counted(&self) -> Vec<v1::RecordKey> {
        self.cited(
            self.profile
                .records
                .iter()
                .filter(|record| record.has_events)
                .map(|record| &record.key),
        )
    }

    fn cited<'k>(&self, records: impl Iterator<Item = &'k RecordKey>) -> Vec<v1::RecordKey> {
        let records: BTreeSet<&RecordKey> = records.collect();
        let told = |record: &RecordKey| {
            let mut told = key(record);
            if self.hidden.contains(&told.key) {
                told.key.clear();
            }
            told
        };
        records.into_iter().take(MAX_RECORDS).map(told).collect()
    }

    /// A sentence, if any are asked for; of an object, its place among them.
    fn line(
        &mut self,
        field: impl FnOnce() -> String,
        object_index: Option<usize>,
        sentence: impl FnOnce() -> String,
        records: &[v1::RecordKey],
    ) {
        let Some(lines) = &mut self.lines else { return };
        let cited = records.iter().map(|record| match record.key.as_str() {
            "" => record.source.clone(),
            key => format!("{}/{key}", record.source),
        });
        let cited = cited
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect::<Vec<_>>()
            .join(", ");
        // A sentence is one line, whatever a source put into it.
        let told: String = sentence()
            .chars()
            .map(|letter| if letter.is_control() { ' ' } else { letter })
            .collect();
        lines.push(Line {
            field: field(),
            object_index,
            text: format!("{told} [{cited}]"),
        });
    }
}

/// `loyalty_tier` as a person writes it: `Loyalty tier`.
fn words(name: &str) -> String {
    let plain = name.replace('_', " ");
    let mut letters = plain.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// A preference as a person reads it.
fn shown(stated: &StatedPreference) -> String {
    let all = |texts: Vec<String>| texts.join(", ");
    match &stated.value {
        Preference::Text(text) => text.clone(),
        Preference::Flag(true) => "yes".to_owned(),
        Preference::Flag(false) => "no".to_owned(),
        Preference::Channels(channels) => channels.join(", "),
        Preference::QuietHours(hours) => all(hours.iter().map(ToString::to_string).collect()),
        Preference::FrequencyCaps(caps) => all(caps
            .iter()
            .map(|cap| {
                let channel = cap
                    .channel
                    .as_deref()
                    .map(|channel| format!(" by {channel}"))
                    .unwrap_or_default();
                format!(
                    "at most {}{channel} in {} seconds",
                    cap.max_count, cap.window_seconds
                )
            })
            .collect()),
        Preference::Representative(somebody) => somebody.display_name.clone(),
    }
}
