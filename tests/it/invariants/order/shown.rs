//! All profiles of a tenant as readers see them, as text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use customer_profile::reader::{Freshness, Key};
use profile_core::model::Model;
use profile_core::profile::Profile;
use profile_core::records::{About, Identifier, Origin, RecordKey, effective};

use super::super::cases::at_day;
use super::super::derived::told;
use super::super::whole::everything;
use super::super::world::World;

/// Profiles by their records: each value as a line.
#[derive(Debug, PartialEq)]
pub(super) struct Shown(BTreeMap<Vec<RecordKey>, Vec<String>>);

/// Everything that readers see of a tenant.
pub(super) async fn shown(world: &World) -> Shown {
    let records = everything(world).await.records;
    let active = world.models.of(&world.tenant).await.expect("a model");
    let mut left: BTreeSet<RecordKey> = records.into_keys().collect();
    let mut profiles = BTreeMap::new();
    while let Some(key) = left.pop_first() {
        let key = Key::Record(key);
        let freshness = Freshness::MinimizeLatency;
        let read = world.reader.profile(&world.tenant, &key, freshness).await;
        let Ok(answer) = read else { continue };
        let members = answer.profile.records.iter();
        let members: Vec<RecordKey> = members.map(|record| record.key.clone()).collect();
        left.retain(|key| !members.contains(key));
        profiles.insert(members, lines(&answer.profile, &active.model));
    }
    Shown(profiles)
}

fn lines(profile: &Profile, model: &Model) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, found) in &profile.traits {
        lines.push(format!("{name}={} {}", found.value, who(&found.origins)));
    }
    for held in &profile.identifiers {
        let Identifier { kind, value } = &held.identifier;
        let who = who(std::slice::from_ref(&held.origin));
        lines.push(format!("{kind}:{value} {} {who}", held.linkable));
    }
    for (key, stated) in &profile.preferences {
        let value = serde_json::to_string(&stated.value).expect("a preference");
        lines.push(format!("{key}={value} {}", who(&stated.origins)));
    }
    for record in &profile.records {
        let key = &record.key;
        let joined = &record.membership.reason;
        lines.push(format!("{}/{} {joined}", key.source, key.key));
    }
    lines.extend(consents(profile, model));
    lines.extend(told(profile, model));
    lines
}

fn who(origins: &[Origin]) -> String {
    let each = origins.iter().map(|origin| {
        let RecordKey { source, key } = &origin.record;
        format!("{source}/{key}")
    });
    each.collect::<Vec<_>>().join(",")
}

/// What counts for each purpose, as such and for each contact point.
fn consents(profile: &Profile, model: &Model) -> Vec<String> {
    let points = profile
        .identifiers
        .iter()
        .map(|held| Some(&held.identifier));
    let points: Vec<Option<&Identifier>> = points.chain([None]).collect();
    let mut lines = Vec::new();
    for purpose in model.purposes.keys() {
        for &contact_point in &points {
            let about = About {
                purpose,
                contact_point,
            };
            if let Some(found) = effective(&profile.records, about, at_day(1)) {
                let RecordKey { source, key } = found.record;
                let point = contact_point.map_or("", |point| &point.value);
                lines.push(format!(
                    "{purpose} {point} {:?} {source}/{key}",
                    found.state
                ));
            }
        }
    }
    lines
}

impl Shown {
    /// How many records are elsewhere, and how many values are other, with samples.
    pub(super) fn difference(&self, found: &Self) -> Option<String> {
        if self == found {
            return None;
        }
        let elsewhere = self
            .0
            .keys()
            .filter(|members| !found.0.contains_key(*members));
        let elsewhere: Vec<&Vec<RecordKey>> = elsewhere.collect();
        let records: usize = elsewhere.iter().map(|members| members.len()).sum();
        let (mut values, mut samples) = (0, Vec::new());
        for (members, lines) in &self.0 {
            let others = found.0.get(members).into_iter().flatten();
            let others: BTreeSet<&String> = others.collect();
            if !others.is_empty() {
                let missing: Vec<_> = lines.iter().filter(|line| !others.contains(line)).collect();
                values += missing.len();
                samples.extend(missing);
            }
        }
        samples.truncate(5);
        let keys = |members: &&Vec<RecordKey>| {
            let each = members
                .iter()
                .map(|key| format!("{}/{}", key.source, key.key));
            each.collect::<Vec<_>>().join(" ")
        };
        let elsewhere: Vec<String> = elsewhere.iter().take(5).map(keys).collect();
        Some(format!(
            "{records} records elsewhere, {values} values other; {elsewhere:#?} {samples:#?}"
        ))
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let records: usize = self.0.keys().map(Vec::len).sum();
        let values: usize = self.0.values().map(Vec::len).sum();
        let profiles = self.0.len();
        write!(f, "{records} records, {profiles} profiles, {values} values")
    }
}
