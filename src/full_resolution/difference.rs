//! What a model changes, told: counts of everything, and samples.

use std::collections::{BTreeMap, BTreeSet};

use profile_core::profile::Profile;
use profile_core::records::{Identifier, ProfileId, Record, RecordKey, Value};
use serde::{Deserialize, Serialize};

use super::{ProfileDiffs, TenantState, is_live};
use crate::store::{Changes, IdentityChange, ProfileRow, ProfileState};

/// How many samples of each kind are told.
const MAX_SAMPLES: usize = 10;
/// How many records of a move are told.
const MAX_RECORDS: usize = 5;
/// How many of the largest profiles are told.
const MAX_LARGEST: usize = 5;

/// What a model changes. Kept without the samples.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Difference {
    /// Live records, after.
    pub records: usize,
    /// Live profiles, before.
    pub profiles_before: usize,
    /// Live profiles, after.
    pub profiles_after: usize,
    /// Profiles that go into another.
    pub merged: usize,
    /// Profiles that come out of another.
    pub split: usize,
    /// Profiles of which nothing is left.
    pub deleted: usize,
    /// Profiles that keep their records and show something else.
    pub changed: usize,
    /// Records that come into another profile.
    pub moved: usize,
    /// Statements that are no longer taken.
    pub refused: usize,
    /// Statements that are taken from now on.
    pub accepted: usize,
    /// Identifiers that come into another form, or go.
    pub identifiers: usize,
    /// Search terms that come.
    pub added_terms: usize,
    /// Search terms that go.
    pub removed_terms: usize,
    /// The largest merges.
    #[serde(skip)]
    pub merges: Vec<Move>,
    /// The largest splits.
    #[serde(skip)]
    pub splits: Vec<Move>,
    /// Some profiles that keep their records and show something else.
    #[serde(skip)]
    pub changes: Vec<ProfileChange>,
    /// Some statements that are no longer taken.
    #[serde(skip)]
    pub refusals: Vec<Refusal>,
    /// Some records whose identifiers come into another form.
    #[serde(skip)]
    pub identifier_changes: Vec<IdentifierChange>,
    /// The largest profiles.
    #[serde(skip)]
    pub largest: Vec<Size>,
}

/// Records that come from one profile into another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// Out of this.
    pub from: ProfileId,
    /// Into this.
    pub into: ProfileId,
    /// How many.
    pub count: usize,
    /// Some of them, and what joins each to its new profile.
    pub records: Vec<(RecordKey, String)>,
}

/// A profile that shows something else.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfileChange {
    /// Which.
    pub profile: ProfileId,
    /// The traits that change, in order.
    pub traits: Vec<TraitChange>,
    /// Whether its identifiers change, or which of them may link.
    pub identifiers: bool,
}

/// A trait that changes.
#[derive(Debug, Clone, PartialEq)]
pub struct TraitChange {
    /// Its name.
    pub name: String,
    /// Its value before.
    pub before: Option<Value>,
    /// Its value after; the same if only the record changes that says it.
    pub after: Option<Value>,
}

/// A statement that is no longer taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// About which record.
    pub record: RecordKey,
    /// Why.
    pub description: String,
}

/// Identifiers of one type and record that come into another form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentifierChange {
    /// Which record.
    pub record: RecordKey,
    /// Which type.
    pub kind: String,
    /// The values before.
    pub before: Vec<String>,
    /// The values after.
    pub after: Vec<String>,
}

/// How large a profile is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Size {
    /// Which.
    pub profile: ProfileId,
    /// How many records it has after.
    pub records: usize,
    /// How many it has before.
    pub before: usize,
}

impl ProfileChange {
    /// What a reader sees differently; nothing: none.
    pub(super) fn between(profile: ProfileId, is: &Profile, becomes: &Profile) -> Option<Self> {
        let names: BTreeSet<&String> = is.traits.keys().chain(becomes.traits.keys()).collect();
        let traits = names.into_iter().filter_map(|name| {
            let (before, after) = (is.traits.get(name), becomes.traits.get(name));
            (before != after).then(|| TraitChange {
                name: name.clone(),
                before: before.map(|found| found.value.clone()),
                after: after.map(|found| found.value.clone()),
            })
        });
        let change = Self {
            profile,
            traits: traits.collect(),
            identifiers: is.identifiers != becomes.identifiers,
        };
        (change.identifiers || !change.traits.is_empty()).then_some(change)
    }
}

/// Tells what changes.
pub(super) fn tell(
    before: &TenantState,
    after: &BTreeMap<RecordKey, Record>,
    shown: &ProfileDiffs,
    changes: &Changes,
    all: Vec<Move>,
    split: usize,
) -> Difference {
    let mut rows = before.rows.clone();
    rows.extend(
        changes
            .added_profiles
            .iter()
            .chain(&changes.profiles)
            .map(|row| (row.id, row.clone())),
    );
    let (sizes_before, sizes_after) = (sizes(before.records.values()), sizes(after.values()));
    let touched: BTreeSet<ProfileId> = all
        .iter()
        .flat_map(|group| [group.from, group.into])
        .collect();
    let moved = all.iter().map(|group| group.count).sum();
    let (merges, splits): (Vec<Move>, Vec<Move>) = all
        .into_iter()
        .partition(|group| !is_live(&rows, group.from));
    let stays = |id: &&ProfileId| is_live(&rows, **id) && !touched.contains(*id);
    let mut other: Vec<&ProfileChange> = shown
        .0
        .iter()
        .filter(|(id, _)| stays(id))
        .map(|(_, change)| change)
        .collect();
    // What people read first: other values.
    other.sort_by_key(|change| change.traits.is_empty());
    let went = |state: fn(&ProfileRow) -> bool| {
        let live = before
            .rows
            .values()
            .filter(|row| row.state == ProfileState::Live);
        live.filter(|row| rows.get(&row.id).is_some_and(state))
            .count()
    };
    Difference {
        records: sizes_after.values().sum(),
        profiles_before: sizes_before.len(),
        profiles_after: sizes_after.len(),
        merged: went(|row| matches!(row.state, ProfileState::MergedInto(_))),
        split,
        deleted: went(|row| row.state == ProfileState::Deleted),
        changed: other.len(),
        moved,
        identifiers: changes
            .removed_identifiers
            .len()
            .max(changes.added_identifiers.len()),
        added_terms: changes.added_terms.len(),
        removed_terms: changes.removed_terms.len(),
        merges: largest_moves(merges),
        splits: largest_moves(splits),
        changes: other.into_iter().take(MAX_SAMPLES).cloned().collect(),
        identifier_changes: identifier_changes(before, after, changes),
        largest: largest(&sizes_before, &sizes_after),
        ..Difference::default()
    }
}

fn sizes<'a>(records: impl Iterator<Item = &'a Record>) -> BTreeMap<ProfileId, usize> {
    let mut sizes = BTreeMap::new();
    for profile in records.filter_map(|record| record.membership.profile) {
        *sizes.entry(profile).or_default() += 1;
    }
    sizes
}

/// Records that change their profile, by where from and where to.
pub(super) fn moves(before: &TenantState, after: &BTreeMap<RecordKey, Record>) -> Vec<Move> {
    let mut moves: BTreeMap<(ProfileId, ProfileId), Move> = BTreeMap::new();
    for record in after.values() {
        let was = before
            .records
            .get(&record.key)
            .and_then(|record| record.membership.profile);
        let (Some(from), Some(into)) = (was, record.membership.profile) else {
            continue;
        };
        if from == into {
            continue;
        }
        let group = moves.entry((from, into)).or_insert(Move {
            from,
            into,
            count: 0,
            records: Vec::new(),
        });
        group.count += 1;
        if group.records.len() < IdentityChange::MAX_MOVED {
            group
                .records
                .push((record.key.clone(), record.membership.reason.clone()));
        }
    }
    moves.into_values().collect()
}

fn largest_moves(mut moves: Vec<Move>) -> Vec<Move> {
    moves.sort_by_key(|moved| (std::cmp::Reverse(moved.count), moved.from, moved.into));
    moves.truncate(MAX_SAMPLES);
    for moved in &mut moves {
        moved.records.truncate(MAX_RECORDS);
    }
    moves
}

fn largest(before: &BTreeMap<ProfileId, usize>, after: &BTreeMap<ProfileId, usize>) -> Vec<Size> {
    let mut sizes: Vec<(&ProfileId, &usize)> = after.iter().collect();
    sizes.sort_by_key(|(id, size)| (std::cmp::Reverse(**size), **id));
    let size = |(profile, records): (&ProfileId, &usize)| Size {
        profile: *profile,
        records: *records,
        before: before.get(profile).copied().unwrap_or(0),
    };
    sizes.into_iter().take(MAX_LARGEST).map(size).collect()
}

fn identifier_changes(
    before: &TenantState,
    after: &BTreeMap<RecordKey, Record>,
    changes: &Changes,
) -> Vec<IdentifierChange> {
    let touched = changes
        .removed_identifiers
        .iter()
        .chain(&changes.added_identifiers);
    let touched: BTreeSet<(&RecordKey, &str)> = touched
        .map(|(held, key)| (key, held.kind.as_str()))
        .collect();
    let values = |record: Option<&Record>, kind: &str| {
        let held = record
            .into_iter()
            .flat_map(Record::identifiers)
            .filter(|held: &Identifier| held.kind == kind);
        held.map(|held| held.value).collect()
    };
    let change = |(key, kind): (&RecordKey, &str)| IdentifierChange {
        record: key.clone(),
        kind: kind.to_owned(),
        before: values(before.records.get(key), kind),
        after: values(after.get(key), kind),
    };
    touched.into_iter().take(MAX_SAMPLES).map(change).collect()
}
