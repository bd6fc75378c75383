//! What is told of a customer by a view, to a purpose: as a message, and as sentences that each
//! cite the records they rest on.

use std::collections::{BTreeMap, BTreeSet};

use profile_core::model::{ContextField, ContextView, Model};
use profile_core::permission::clearance::Clearance;
use profile_core::permission::view::View;
use profile_core::profile::{Part, Profile, definition_of, measures};
use profile_core::records::{Object, Timestamp, Value};

use crate::grpc::encode::{Sight, value};
use crate::grpc::preferences::encode::{accessibility, preferences, withheld};
use crate::grpc::v1;
use crate::reader::LatestObjects;

mod cited;
mod permissions;
mod spoken;
mod worded;

use spoken::Spoken as _;
use worded::{shown, words};

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
    now: Timestamp,
    /// Metrics of the customer by name.
    measured: BTreeMap<&'static str, (Value, Part)>,
    sight: Sight<'a>,
    /// What the caller's roles see. The message is restricted when it is answered; here it bounds
    /// the sentences.
    clearance: Option<&'a Clearance>,
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
        ((seen, clearance), now): ((View<'a>, Option<&'a Clearance>), Timestamp),
        lines: Option<Vec<Line>>,
    ) -> Self {
        let metrics = |(_, fields): &(String, Vec<ContextField>)| {
            let mut fields = fields.iter();
            fields.any(|field| matches!(field, ContextField::Experience(_)))
        };
        let measured = if view.sections.iter().any(metrics) {
            measures(profile, model, now)
        } else {
            BTreeMap::new()
        };
        let sight = Sight::new(Some(seen));
        let hidden = sight.hidden_keys(profile);
        Self {
            profile,
            view,
            model,
            now,
            measured,
            sight,
            clearance,
            hidden,
            lines,
        }
    }

    /// Adds what all customers together say of this one.
    pub(super) fn predicted(
        mut self,
        predictions: impl IntoIterator<Item = (&'static str, Value)>,
    ) -> Self {
        let of_purchases = predictions
            .into_iter()
            .map(|(name, value)| (name, (value, Part::Purchases)));
        self.measured.extend(of_purchases);
        self
    }

    /// Puts all of it into an answer. Answers with the sentences.
    pub(super) fn into_answer(
        mut self,
        latest: &LatestObjects,
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
        self.permissions(answer);
        if latest.hides_some {
            self.sight.withhold_events();
        }
        self.objects(&latest.objects, answer);
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
                let is_seen = |sees: &Clearance| {
                    if needs {
                        sees.sees_accessibility()
                    } else {
                        sees.sees_preferences()
                    }
                };
                if !self.clearance.is_none_or(is_seen) {
                    continue;
                }
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
                let records = self.counted(self.model.computed.get(name).map(AsRef::as_ref));
                (found.value.clone()?, records, Some(found.partial))
            }
            ContextField::Experience(name) => {
                let (value, part) = self.measured.get(name.as_str())?.clone();
                let experience = self.model.experience.as_ref()?;
                let definition = definition_of(experience, part);
                let partial = definition.is_some_and(|it| self.profile.uncounted.contains(&it.id));
                (value, self.counted(definition), Some(partial))
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
            ContextField::Experience(name) => {
                let metric = name.split('.').next().unwrap_or_default();
                self.sight.sees_experience(metric)
            }
        };
        if !seen {
            return None;
        }
        let so_far = if partial == Some(true) { " so far" } else { "" };
        if let Some(told) = self.spoken(field, &found) {
            let sentence = || format!("{}: {told}{so_far}", words(field.name()));
            self.line(|| format!("{section}.{field}"), None, sentence, &records);
        }
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
            if self.clearance.is_some_and(|sees| !sees.sees_segment(name)) {
                continue;
            }
            let description = self
                .model
                .segments
                .get(name)
                .map_or("", |segment| segment.description.as_str());
            let records = self.rested_on(name);
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

    /// The latest objects. Their lists and maps, such as the lines of an order, only where the view
    /// wants them.
    fn objects(&mut self, objects: &[Object], answer: &mut v1::GetContextResponse) {
        let clearance = self.clearance;
        for (index, object) in objects.iter().enumerate() {
            let plain = |value: &Value| !matches!(value, Value::List(_) | Value::Map(_));
            let fields = || object.fields.iter();
            let events = object.events.iter().rev();
            let records = self.cited(events.map(|event| &event.record));
            let status = object.status.as_deref().unwrap_or_default();
            let sentence = || {
                let told = fields()
                    .filter(|(_, value)| plain(value))
                    .filter_map(|(name, value)| {
                        Some((name, clearance.spoken_property(name, value)?))
                    })
                    .map(|(name, value)| format!("; {}: {value}", name.replace('_', " ")));
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
            if clearance.is_none_or(|sees| sees.sees_object(&object.key.kind)) {
                self.line(|| "objects".to_owned(), Some(index), sentence, &records);
            }
            let is_told = |value: &Value| self.view.object_lists || plain(value);
            answer.objects.push(v1::ContextObject {
                kind: object.key.kind.clone(),
                id: object.key.id.clone(),
                status: status.to_owned(),
                fields: fields()
                    .filter(|(_, found)| is_told(found))
                    .map(|(name, found)| (name.clone(), value(found)))
                    .collect(),
                records,
            });
        }
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
        let sees_keys = self.clearance.is_none_or(Clearance::sees_record_keys);
        let cited = records.iter().map(|record| match record.key.as_str() {
            key if sees_keys && !key.is_empty() => format!("{}/{key}", record.source),
            _ => record.source.clone(),
        });
        let mut names: Vec<String> = Vec::new();
        for name in cited {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let cited = names.join(", ");
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
