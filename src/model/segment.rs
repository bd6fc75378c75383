//! Segments: conditions over what is known of a customer.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::Model;
use super::computed::json_of;
use super::expression::{Expression, Payload};
use crate::profile::{Computed, Preference, PreferenceKey, Preferences, Profile, Value};

/// A named condition over a profile.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Who is in it.
    pub(super) condition: Expression,
    /// What it is, in words.
    pub description: String,
}

impl Segment {
    /// The condition, as it was written.
    #[must_use]
    pub fn condition(&self) -> &str {
        self.condition.source()
    }
}

/// What a condition may speak of.
pub(super) const SUBJECTS: [&str; 3] = ["traits", "computed", "preferences"];

impl Model {
    /// The segments that a profile is in, given its computed traits, in order. A condition that speaks of what is not known of a
    /// customer does not hold.
    #[must_use]
    pub fn segments_of(&self, profile: &Profile, computed: &BTreeMap<String, Computed>) -> BTreeSet<String> {
        if self.segments.is_empty() {
            return BTreeSet::new();
        }
        let subject = self.subject(profile, computed);
        let names = SUBJECTS.iter().map(|name| (*name).to_owned()).collect();
        let payload = Payload::new(&subject, &names);
        let holds = |segment: &Segment| {
            segment.condition.evaluate(&payload).ok().and_then(super::expression::Outcome::value)
                == Some(Value::Bool(true))
        };
        self.segments.iter().filter(|(_, segment)| holds(segment)).map(|(name, _)| name.clone()).collect()
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
