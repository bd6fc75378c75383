//! Segments: conditions over what is known of a customer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value as Json};

use super::Model;
use super::computed::json_of;
use super::expression::{Allowance, Expression, Payload};
use crate::profile::{Computed, Preference, PreferenceKey, Preferences, Profile, Value, listed};

/// A named condition over a profile.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Who is in it.
    pub(super) condition: Expression,
    /// What it is, in words.
    pub description: String,
}

impl Segment {
    /// Reads a condition. `declared`: what there is of each subject that has to be declared.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub(super) fn parse(
        source: &str,
        description: String,
        declared: &[(&str, &[String]); 2],
        allowance: &mut Allowance,
    ) -> Result<Self, Vec<String>> {
        let condition = Expression::compile_within(source, &SUBJECTS, allowance)?;
        let wrong = unfit(source, &condition, declared);
        if wrong.is_empty() { Ok(Self { condition, description }) } else { Err(wrong) }
    }

    /// The condition, as it was written.
    #[must_use]
    pub fn condition(&self) -> &str {
        self.condition.source()
    }

    /// None: the condition goes over its budget.
    fn holds(&self, payload: &Payload<'_>) -> Option<bool> {
        match self.condition.evaluate(payload) {
            Ok(outcome) => Some(outcome.value() == Some(Value::Bool(true))),
            Err(fault) if fault.is_over_budget() => None,
            Err(_) => Some(false),
        }
    }
}

fn names() -> BTreeSet<String> {
    SUBJECTS.iter().map(|name| (*name).to_owned()).collect()
}

/// What a condition may speak of.
pub(super) const SUBJECTS: [&str; 3] = ["traits", "computed", "preferences"];

impl Model {
    /// A segment that the model may not have, to be tried.
    ///
    /// # Errors
    /// All that is wrong with the condition.
    pub fn candidate_segment(&self, condition: &str) -> Result<Segment, Vec<String>> {
        let (traits, computed) =
            (self.traits.keys().cloned().collect::<Vec<_>>(), self.computed.keys().cloned().collect::<Vec<_>>());
        let declared: [(&str, &[String]); 2] = [(SUBJECTS[0], &traits), (SUBJECTS[1], &computed)];
        Segment::parse(condition, String::new(), &declared, &mut Allowance::default())
    }

    /// The segments that a profile is in, given its computed traits, and those whose conditions go over their budget. A condition
    /// that speaks of what is not known of a customer does not hold.
    #[must_use]
    pub fn segments_of(
        &self,
        profile: &Profile,
        computed: &BTreeMap<String, Computed>,
    ) -> (BTreeSet<String>, BTreeSet<String>) {
        let (mut holding, mut undecided) = (BTreeSet::new(), BTreeSet::new());
        if self.segments.is_empty() {
            return (holding, undecided);
        }
        let subject = self.subject(profile, computed);
        let names = names();
        let payload = Payload::new(&subject, &names);
        for (name, segment) in &self.segments {
            match segment.holds(&payload) {
                Some(true) => drop(holding.insert(name.clone())),
                Some(false) => {}
                None => drop(undecided.insert(name.clone())),
            }
        }
        (holding, undecided)
    }

    /// Whether a profile is in a segment, of the model or not.
    ///
    /// # Errors
    /// The condition goes over its budget, in words.
    pub fn try_holds(
        &self,
        segment: &Segment,
        profile: &Profile,
        computed: &BTreeMap<String, Computed>,
    ) -> Result<bool, String> {
        match segment.condition.evaluate(&Payload::new(&self.subject(profile, computed), &names())) {
            Ok(outcome) => Ok(outcome.value() == Some(Value::Bool(true))),
            Err(fault) if fault.is_over_budget() => Err(fault.to_string()),
            Err(_) => Ok(false),
        }
    }

    /// What conditions see: declared traits and computed traits, null where nothing is known, and preferences. Needs are not
    /// among them: nobody is chosen by them.
    fn subject(&self, profile: &Profile, computed: &BTreeMap<String, Computed>) -> Json {
        let of_trait = |name: &String| profile.traits.get(name).map_or(Json::Null, |found| json_of(&found.value));
        let traits: Map<String, Json> = self.traits.keys().map(|name| (name.clone(), of_trait(name))).collect();
        let value = |found: &Computed| found.value.as_ref().map_or(Json::Null, json_of);
        let computed: Map<String, Json> = computed.iter().map(|(name, found)| (name.clone(), value(found))).collect();
        let subjects = [traits, computed, preferences(&profile.preferences)];
        let named = SUBJECTS.iter().zip(subjects).map(|(name, subject)| ((*name).to_owned(), Json::Object(subject)));
        Json::Object(named.collect())
    }
}

/// Preferences by name, topics as a map of their own: texts, yes or no, and lists of channels.
fn preferences(stated: &Preferences) -> Map<String, Json> {
    let (mut plain, mut topics) = (Map::new(), Map::new());
    for (key, stated) in stated.iter().filter(|(key, _)| !key.is_accessibility()) {
        let value = match &stated.value {
            Preference::Text(text) => Json::String(text.clone()),
            Preference::Flag(flag) => Json::Bool(*flag),
            Preference::Channels(channels) => Json::from(channels.clone()),
            _ => continue,
        };
        match key {
            PreferenceKey::Topic(name) => topics.insert(name.clone(), value),
            key => plain.insert(key.to_string(), value),
        };
    }
    plain.insert("topics".to_owned(), Json::Object(topics));
    plain
}

/// What a condition speaks of that it may not, or that there is not.
fn unfit(source: &str, condition: &Expression, declared: &[(&str, &[String]); 2]) -> Vec<String> {
    let mut wrong = Vec::new();
    if mentions("accessibility", source) {
        wrong.push("speaks of accessibility needs: nobody is chosen by what they need".to_owned());
    }
    for name in condition.bound_names().filter(|name| !SUBJECTS.contains(name) && *name != "accessibility") {
        wrong.push(format!("speaks of `{name}`: a condition is over {}", SUBJECTS.join(", ")));
    }
    for (subject, names) in declared {
        for name in named_in(subject, source).into_iter().filter(|name| !names.contains(name)) {
            let all = if names.is_empty() { "none".to_owned() } else { listed(names.iter().map(String::as_str)) };
            wrong.push(format!("speaks of `{subject}.{name}`, which the model does not declare; it has: {all}"));
        }
    }
    wrong
}

fn mentions(word: &str, source: &str) -> bool {
    source.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|found| found == word)
}

/// The names after `traits.` or within `traits['…']`.
fn named_in(subject: &str, source: &str) -> BTreeSet<String> {
    static NAMED: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"\b(\w+)\s*(?:\.\s*(\w+)|\[\s*['"](\w+)['"]\s*\])"#).ok());
    let Some(pattern) = NAMED.as_ref() else { return BTreeSet::new() };
    let found = pattern.captures_iter(source).filter(|found| found.get(1).is_some_and(|name| name.as_str() == subject));
    found.filter_map(|found| found.get(2).or(found.get(3)).map(|name| name.as_str().to_owned())).collect()
}
