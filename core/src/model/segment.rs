//! Segments: conditions over what is known of a customer.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::Model;
use super::computed::{json_of, no_condition};
use super::expression::names::{Selection, selections};
use super::expression::time::Zones;
use super::expression::types::{Mistake, Shape, Wanted, mistakes};
use super::expression::{Allowance, Expression, Outcome, Payload};
use super::scope;
use crate::records::{FrequencyCap, Preference, PreferenceKey, Preferences, Value};

/// A named condition over a profile.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Who is in it.
    pub(super) condition: Expression,
    /// All that it names.
    mentions: BTreeSet<Mention>,
    /// What it is, in words.
    pub description: String,
}

impl Segment {
    /// Reads a condition over these names.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub(super) fn parse(
        source: &str,
        description: String,
        names: &Shape,
        allowance: &mut Allowance,
    ) -> Result<Self, Vec<Mistake>> {
        let whole = |message| Mistake { at: 0, message };
        let condition = Expression::compile_within(source, &SUBJECTS, allowance)
            .map_err(|wrong| wrong.into_iter().map(whole).collect::<Vec<_>>())?;
        let mut wrong = mistakes(source, names, Wanted::Condition);
        let mentions = mentions_of(source);
        let names_needs = |named: &Mention| named.path.iter().any(|name| name == "accessibility");
        if mentions.iter().any(names_needs) {
            let message = "speaks of accessibility needs: nobody is chosen by what they need";
            wrong.retain(|mistake| !mistake.message.contains("`accessibility`"));
            wrong.push(whole(message.to_owned()));
        }
        if wrong.is_empty() {
            Ok(Self {
                condition,
                mentions,
                description,
            })
        } else {
            Err(wrong)
        }
    }

    /// All that the condition names of a customer.
    #[must_use]
    pub fn mentions(&self) -> &BTreeSet<Mention> {
        &self.mentions
    }

    /// Whether the condition speaks of metrics.
    #[must_use]
    pub fn measures(&self) -> bool {
        let mut mentions = self.mentions.iter();
        mentions.any(|named| named.subject == "experience")
    }

    /// The condition, as it was written.
    #[must_use]
    pub fn condition(&self) -> &str {
        self.condition.source()
    }

    /// Whether it holds. A condition that speaks of what is not known of a customer does not.
    ///
    /// # Errors
    /// The condition fails, in words.
    fn holds(&self, payload: &Payload<'_>) -> Result<bool, Undecided> {
        match self.condition.evaluate(payload).map(Outcome::value) {
            Ok(None) => Ok(false),
            Ok(Some(Value::Bool(holds))) => Ok(holds),
            Ok(Some(other)) => {
                let reason = no_condition(&other);
                self.condition.refuse_result(reason.clone());
                Err(Undecided {
                    over_budget: false,
                    reason,
                })
            }
            Err(fault) => Err(Undecided {
                over_budget: fault.is_over_budget(),
                reason: fault.to_string(),
            }),
        }
    }
}

/// The subjects of a condition.
pub(super) const SUBJECTS: [&str; 4] = ["traits", "computed", "preferences", "experience"];

/// Something of a customer that a condition names: `traits.tier`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mention {
    /// One of the subjects.
    pub subject: &'static str,
    /// The names selected in it, in order.
    pub path: Vec<String>,
}

/// All that an expression names of its subjects.
fn mentions_of(source: &str) -> BTreeSet<Mention> {
    let mention = |selection: Selection| {
        let mut path = selection.into_iter();
        let name = path.next()?;
        let subject = SUBJECTS.into_iter().find(|subject| *subject == name)?;
        let path = path.collect();
        Some(Mention { subject, path })
    };
    selections(source).into_iter().filter_map(mention).collect()
}

impl Model {
    /// A segment that the model may not have, to be tried.
    ///
    /// # Errors
    /// All that is wrong with the condition.
    pub fn candidate_segment(&self, condition: &str) -> Result<Segment, Vec<String>> {
        let computed = self.computed.iter();
        let computed = computed.map(|(name, definition)| (name.clone(), definition.kind()));
        let is_measured = self.experience.is_some();
        let names = scope::of_customers(self.traits.keys(), computed.collect(), is_measured);
        let allowance = &mut Allowance::default();
        Segment::parse(condition, String::new(), &names, allowance).map_err(|wrong| {
            let told = |Mistake { at, message }| match at {
                0 => message,
                at => format!("at character {at}, {message}"),
            };
            wrong.into_iter().map(told).collect()
        })
    }

    /// What conditions see of a customer: declared traits, computed traits and preferences, null
    /// where nothing is known. Needs are not among them: nobody is chosen by them.
    pub fn subject<'a>(
        &self,
        trait_of: impl Fn(&str) -> Option<&'a Value>,
        computed: impl Iterator<Item = (&'a String, Option<&'a Value>)>,
        stated: &Preferences,
        measured: impl Iterator<Item = (&'a str, &'a Value)>,
    ) -> Subject {
        let known = |value: Option<&Value>| value.map_or(Json::Null, json_of);
        let traits = self
            .traits
            .keys()
            .map(|name| (name.clone(), known(trait_of(name))))
            .collect();
        let computed = computed
            .map(|(name, value)| (name.clone(), known(value)))
            .collect();
        let known = of_parts([traits, computed, preferences(stated), experience(measured)]);
        Subject(known, Zones::named(&self.time_zone, ""))
    }

    /// Whether a condition speaks of metrics.
    #[must_use]
    pub fn segments_measure(&self) -> bool {
        self.segments.values().any(Segment::measures)
    }

    /// Which of the model's segments a customer is in.
    #[must_use]
    pub(crate) fn segments_of(&self, subject: &Subject) -> Memberships {
        let payload = subject.payload();
        let mut found = Memberships::default();
        for (name, segment) in &self.segments {
            match segment.holds(&payload) {
                Ok(true) => drop(found.members.insert(name.clone())),
                Ok(false) => {}
                Err(_) => drop(found.undecided.insert(name.clone())),
            }
        }
        found
    }
}

impl Segment {
    /// Whether a customer is in it.
    ///
    /// # Errors
    /// The condition fails on what is known of the customer.
    pub fn includes(&self, subject: &Subject) -> Result<bool, Undecided> {
        self.holds(&subject.payload())
    }
}

/// Why a condition says neither yes nor no of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecided {
    /// It goes over its budget; else it does not take a value.
    pub over_budget: bool,
    /// In words, without quoting a value.
    pub reason: String,
}

/// What conditions see of a customer, and the calendar of days among it.
#[derive(Debug)]
pub struct Subject(Json, Zones);

impl Subject {
    fn payload(&self) -> Payload<'_> {
        Payload::of_zones(&self.0, self.1.clone())
    }
}

/// The segments that a customer is in.
#[derive(Debug, Default)]
pub struct Memberships {
    /// Those whose condition holds, in order.
    pub members: BTreeSet<String>,
    /// Those whose condition failed: it is not known whether it holds.
    pub undecided: BTreeSet<String>,
}

/// Metrics by name, each a map of its values.
fn experience<'a>(measured: impl Iterator<Item = (&'a str, &'a Value)>) -> Map<String, Json> {
    let mut metrics = Map::new();
    for (name, value) in measured {
        let Some((metric, name)) = name.split_once('.') else {
            continue;
        };
        let values = metrics
            .entry(metric.to_owned())
            .or_insert_with(|| Json::Object(Map::new()));
        if let Json::Object(values) = values {
            values.insert(name.to_owned(), json_of(value));
        }
    }
    metrics
}

fn of_parts(parts: [Map<String, Json>; 4]) -> Json {
    let named = SUBJECTS
        .iter()
        .zip(parts)
        .map(|(name, part)| ((*name).to_owned(), Json::Object(part)));
    Json::Object(named.collect())
}

/// Preferences by name, null where nothing is said, topics as a map of their own: texts, yes or no,
/// lists of channels, quiet hours as texts, frequency caps as maps.
fn preferences(stated: &Preferences) -> Map<String, Json> {
    let (mut plain, mut topics) = (Map::new(), Map::new());
    let named = PreferenceKey::NAMED.iter();
    let unsaid = named.filter(|(_, key)| !key.is_accessibility());
    plain.extend(unsaid.map(|(name, _)| ((*name).to_owned(), Json::Null)));
    for (key, stated) in stated.iter().filter(|(key, _)| !key.is_accessibility()) {
        let value = match &stated.value {
            Preference::Text(text) => Json::String(text.clone()),
            Preference::Flag(flag) => Json::Bool(*flag),
            Preference::Channels(channels) => Json::from(channels.clone()),
            Preference::QuietHours(hours) => hours.iter().map(ToString::to_string).collect(),
            Preference::FrequencyCaps(caps) => caps.iter().map(cap).collect(),
            Preference::Representative(_) => continue,
        };
        match key {
            PreferenceKey::Topic(name) => topics.insert(name.clone(), value),
            key => plain.insert(key.to_string(), value),
        };
    }
    plain.insert("topics".to_owned(), Json::Object(topics));
    plain
}

fn cap(cap: &FrequencyCap) -> Json {
    serde_json::json!({
        "channel": cap.channel,
        "max_count": cap.max_count,
        "window_seconds": cap.window_seconds,
    })
}

#[cfg(test)]
mod tests;
