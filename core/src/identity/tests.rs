//! Clustering and naming by example; `tests/it/invariants` has the properties.

mod people;
mod shared;

use std::collections::{BTreeMap, BTreeSet};

use super::{Before, Context, Features, assign, cluster};
use crate::model::{BelongsTo, IdentifierType, Model, Normalization, Source, TraitType};
use crate::records::{
    Draft, DraftRecord, Identifier, ProfileId, ProfileRow, ProfileState, Record, RecordKey,
    Statement, TenantId, Timestamp,
};

const NOW: Timestamp = Timestamp::from_micros(1_750_000_000_000_000);

fn model() -> Model {
    let kind = |priority, max_per_profile, max_profiles, max_records| IdentifierType {
        priority,
        normalization: Normalization::Trim,
        max_per_profile,
        max_profiles,
        max_records,
        blocked: Vec::new(),
        shared: Vec::new(),
        placeholders: crate::model::Placeholders::default(),
        belongs_to: BelongsTo::Household,
        exclusive: false,
    };
    let names = |names: &[&str]| {
        names
            .iter()
            .map(|&name| name.to_owned())
            .collect::<Vec<_>>()
    };
    let trait_type = TraitType {
        keep: crate::model::Survivorship::MostRecent,
        personal: false,
        searchable: false,
        role: None,
        placeholders: crate::model::Placeholders::default(),
    };
    Model {
        identifiers: BTreeMap::from([
            ("card".to_owned(), kind(1, Some(1), None, None)),
            ("email".to_owned(), kind(2, None, None, Some(4))),
            ("device".to_owned(), kind(9, None, Some(2), Some(4))),
        ]),
        traits: names(&["name"])
            .into_iter()
            .map(|name| (name, trait_type.clone()))
            .collect(),
        sources: names(&["shop"])
            .into_iter()
            .map(|name| (name, Source::default()))
            .collect(),
        max_records_per_profile: 5,
        ..Model::default()
    }
}

/// A record of the shop with identifiers, as `key card:1 email:a`.
fn record(text: &str) -> Record {
    let mut parts = text.split(' ');
    let key = RecordKey::new("shop", parts.next().unwrap_or_default());
    let identifiers = parts
        .filter_map(|part| part.split_once(':'))
        .map(|(kind, value)| Identifier::new(kind, value));
    let draft = DraftRecord {
        identifiers: identifiers.collect(),
        version: 1,
        ..DraftRecord::new(key.clone())
    };
    let mut record = Record::new(key, NOW);
    match model().check(Draft::Upsert(draft), NOW) {
        Ok(Statement::Record(statement)) => record.apply(&statement),
        other => panic!("not a record: {other:?}"),
    }
    record
}

/// The clusters as text: keys in order, clusters in order.
fn clusters(records: &[&str]) -> Vec<String> {
    let records: Vec<Record> = records.iter().map(|text| record(text)).collect();
    let features: Vec<Features> = records
        .iter()
        .map(|record| Features::of(record, &model()))
        .collect();
    let all: Vec<(&Record, &Features)> = records.iter().zip(&features).collect();
    let clustering = cluster(&all, &Context::of(&all, &model()), &[], &model());
    clustering
        .clusters
        .iter()
        .map(|cluster| {
            cluster
                .members
                .iter()
                .map(|member| member.record.key.as_str())
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect()
}

#[test]
fn a_shared_identifier_joins_also_over_others() {
    assert_eq!(
        clusters(&["a email:1", "b email:1 device:9", "c device:9", "d email:2"]),
        ["a b c", "d"]
    );
}

#[test]
fn two_cards_keep_two_people_apart_whatever_else_they_share() {
    assert_eq!(
        clusters(&["a card:1 email:1 device:9", "b card:2 email:1 device:9"]),
        ["a", "b"]
    );
}

#[test]
fn a_chain_stops_where_two_cards_would_meet() {
    // c could go either way; the stable order of keys decides, not the order of arrival.
    assert_eq!(
        clusters(&["a card:1 email:1", "b card:2 email:2", "c email:1 email:2"]),
        ["a c", "b"]
    );
    assert_eq!(
        clusters(&["c email:1 email:2", "b card:2 email:2", "a card:1 email:1"]),
        ["a c", "b"]
    );
}

#[test]
fn stronger_types_link_first() {
    // By e-mail c belongs to a; the device would have tied it to b, and cannot undo that.
    assert_eq!(
        clusters(&[
            "a card:1 email:1",
            "b card:2 device:9",
            "c email:1 device:9"
        ]),
        ["a c", "b"]
    );
}

#[test]
fn records_that_say_nothing_else_are_of_one_person_however_many() {
    assert_eq!(
        clusters(&["a device:9", "b device:9", "c device:9"]),
        ["a b c"]
    );
    assert_eq!(
        clusters(&["a device:9 email:1", "b device:9 email:1", "c device:9"]),
        ["a b c"]
    );
}

#[test]
fn an_identifier_of_too_many_records_joins_none_of_them() {
    assert_eq!(
        clusters(&["a email:1", "b email:1", "c email:1", "d email:1"]),
        ["a b c d"]
    );
    assert_eq!(
        clusters(&[
            "a email:1",
            "b email:1",
            "c email:1",
            "d email:1",
            "e email:1"
        ]),
        ["a", "b", "c", "d", "e"]
    );
}

#[test]
fn a_profile_does_not_grow_beyond_its_bound() {
    let six = [
        "a card:1", "b card:1", "c card:1", "d card:1", "e card:1", "f card:1",
    ];
    assert_eq!(clusters(&six), ["a b c d e", "f"]);
}

/// A small world that is named again and again.
#[derive(Default)]
struct Town {
    records: BTreeMap<RecordKey, Record>,
    rows: BTreeMap<ProfileId, ProfileRow>,
}

impl Town {
    fn say(&mut self, texts: &[&str], seconds: i64) {
        let now = Timestamp::from_micros(NOW.as_micros() + seconds * 1_000_000);
        let mut changed = BTreeSet::new();
        for text in texts {
            let mut new = record(text);
            if let Some(old) = self.records.get(&new.key) {
                new.membership = old.membership.clone();
                new.first_seen = old.first_seen;
            } else {
                new.first_seen = now;
            }
            changed.insert(new.key.clone());
            self.records.insert(new.key.clone(), new);
        }
        self.name(&changed, now);
    }

    fn forget(&mut self, key: &str, seconds: i64) {
        let key = RecordKey::new("shop", key);
        let gone = self.records.get_mut(&key).expect("a record");
        let membership = gone.membership.clone();
        *gone = Record::new(key.clone(), gone.first_seen);
        gone.membership = membership;
        self.name(
            &BTreeSet::from([key]),
            Timestamp::from_micros(NOW.as_micros() + seconds * 1_000_000),
        );
    }

    fn name(&mut self, changed: &BTreeSet<RecordKey>, now: Timestamp) {
        let tenant = TenantId::default();
        let copy = self.records.clone();
        let live: Vec<&Record> = copy.values().filter(|record| record.exists()).collect();
        let features: Vec<Features> = live
            .iter()
            .map(|record| Features::of(record, &model()))
            .collect();
        let all: Vec<(&Record, &Features)> = live.iter().copied().zip(&features).collect();
        let clusters = cluster(&all, &Context::of(&all, &model()), &[], &model()).clusters;
        let before = Before {
            tenant: &tenant,
            now,
            rows: &self.rows,
            changed,
        };
        let assignment = assign(&clusters, &mut self.records, &before);
        self.rows
            .extend(assignment.rows.into_iter().map(|row| (row.id, row)));
    }

    fn home(&self, key: &str) -> Option<ProfileId> {
        self.records[&RecordKey::new("shop", key)]
            .membership
            .profile
    }

    fn state(&self, id: ProfileId) -> ProfileState {
        self.rows[&id].state
    }
}

#[test]
fn the_older_name_stays_and_the_younger_comes_back() {
    let mut town = Town::default();
    town.say(&["b email:1"], 1);
    town.say(&["a email:2"], 2);
    let (older, younger) = (
        town.home("b").expect("a home"),
        town.home("a").expect("a home"),
    );
    town.say(&["a email:1"], 3);
    assert_eq!(
        (town.home("a"), town.state(younger)),
        (Some(older), ProfileState::MergedInto(older))
    );
    let merged = town.rows[&older].revision;
    town.say(&["a email:2"], 4);
    assert_eq!(
        (town.home("a"), town.home("b")),
        (Some(younger), Some(older))
    );
    assert!(
        town.rows[&younger].revision > merged,
        "who read the merged profile sees no revision go back"
    );
}

#[test]
fn a_part_that_never_had_a_name_gets_one_of_its_own() {
    let mut town = Town::default();
    town.say(&["a email:1", "b email:1"], 1);
    let name = town.home("a").expect("a home");
    town.say(&["b email:2"], 2);
    assert_eq!(town.home("a"), Some(name));
    assert!(town.home("b").is_some_and(|home| home != name));
}

#[test]
fn redirects_lead_straight_to_the_living() {
    let mut town = Town::default();
    town.say(&["a email:1"], 1);
    town.say(&["b email:2"], 2);
    town.say(&["c email:3"], 3);
    let names = ["a", "b", "c"].map(|key| town.home(key).expect("a home"));
    town.say(&["c email:2"], 4);
    town.say(&["b email:2 email:1"], 5);
    assert_eq!(town.state(names[1]), ProfileState::MergedInto(names[0]));
    assert_eq!(town.state(names[2]), ProfileState::MergedInto(names[0]));
}

#[test]
fn a_gone_record_leaves_its_names_to_who_stays() {
    let mut town = Town::default();
    town.say(&["a email:1"], 1);
    town.say(&["b email:1"], 2);
    let name = town.home("a").expect("a home");
    town.forget("a", 3);
    assert_eq!(
        (town.home("a"), town.home("b")),
        (None, Some(name)),
        "the profile keeps its name"
    );
    town.forget("b", 4);
    assert_eq!(town.state(name), ProfileState::Deleted);
    town.say(&["b email:1"], 5);
    assert_eq!(
        (town.home("b"), town.state(name)),
        (Some(name), ProfileState::Live),
        "and comes back under it"
    );
    // The first one returns as well: it joins, and has no claim on what it left.
    town.say(&["a email:1"], 6);
    assert_eq!(town.home("a"), Some(name));
}
