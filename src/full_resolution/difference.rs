//! The description of what a model changes: counts of everything, and samples.

mod moves;

use std::collections::{BTreeMap, BTreeSet};

use profile_core::profile::Profile;
use profile_core::records::{ProfileId, RecordKey, Value};
use serde::{Deserialize, Serialize};

use super::{ProfileDiffs, Transition};
use crate::store::{Changes, ProfileRow, ProfileState};
use moves::{largest, largest_moves, sizes};

/// Maximum number of samples of each kind.
const MAX_SAMPLES: usize = 10;
/// Maximum number of sampled records of a move.
const MAX_RECORDS: usize = 5;

/// What a model changes. It is stored without the samples.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Difference {
    /// Live records after the change.
    pub records: usize,
    /// Live profiles before the change.
    pub profiles_before: usize,
    /// Live profiles after the change.
    pub profiles_after: usize,
    /// Profiles that are merged into another.
    pub merged: usize,
    /// Profiles that are split off another.
    pub split: usize,
    /// Profiles that no record is left of.
    pub deleted: usize,
    /// Profiles that keep their records and show something else.
    pub changed: usize,
    /// Records that move to another profile.
    pub moved: usize,
    /// Statements that are no longer accepted.
    pub refused: usize,
    /// Statements that are accepted only after the change.
    pub accepted: usize,
    /// Identifiers that get another normalized form, or go.
    pub identifiers: usize,
    /// Search terms that are added.
    pub added_terms: usize,
    /// Search terms that are removed.
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
    /// Some statements that are no longer accepted.
    #[serde(skip)]
    pub refusals: Vec<Refusal>,
    /// Some records whose identifiers get another normalized form.
    #[serde(skip)]
    pub identifier_changes: Vec<IdentifierChange>,
    /// The largest profiles.
    #[serde(skip)]
    pub largest: Vec<Size>,
}

/// Records that move from one profile to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The profile they leave.
    pub from: ProfileId,
    /// The profile they enter.
    pub into: ProfileId,
    /// The number of records.
    pub count: usize,
    /// Some of the records, with the link that joins each to its new profile.
    pub records: Vec<(RecordKey, String)>,
}

/// A profile that shows something else.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfileChange {
    /// The profile.
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
    /// Its value after; the same as before if only the record that it comes from changes.
    pub after: Option<Value>,
}

/// A statement that is no longer accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The record that it is about.
    pub record: RecordKey,
    /// Why.
    pub description: String,
}

/// Identifiers of one type and record that get another normalized form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentifierChange {
    /// The record.
    pub record: RecordKey,
    /// The identifier's type.
    pub kind: String,
    /// The values before.
    pub before: Vec<String>,
    /// The values after.
    pub after: Vec<String>,
}

/// The size of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Size {
    /// The profile.
    pub profile: ProfileId,
    /// The number of its records after the change.
    pub records: usize,
    /// The number of its records before the change.
    pub before: usize,
}

impl ProfileChange {
    /// The change that a reader sees, if there is one.
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

impl Transition<'_> {
    /// The description of what changes. `splits` is the number of profiles split off others.
    pub(super) fn describe(
        &self,
        diffs: &ProfileDiffs,
        changes: &Changes,
        splits: usize,
    ) -> Difference {
        let mut rows = self.before.rows.clone();
        let changed_rows = changes.added_profiles.iter().chain(&changes.profiles);
        rows.extend(changed_rows.map(|row| (row.id, row.clone())));
        let sizes_before = sizes(self.before.records.values());
        let sizes_after = sizes(self.after.values());
        let moves = self.moves();
        let moved_records = moves.iter().map(|group| group.count).sum();
        let profile_changes = unmoved_changes(diffs, &moves, &rows);
        let (merge_moves, split_moves): (Vec<Move>, Vec<Move>) = moves
            .into_iter()
            .partition(|group| !is_live(&rows, group.from));
        Difference {
            records: sizes_after.values().sum(),
            profiles_before: sizes_before.len(),
            profiles_after: sizes_after.len(),
            merged: self.retired(&rows, |state| matches!(state, ProfileState::MergedInto(_))),
            split: splits,
            deleted: self.retired(&rows, |state| state == ProfileState::Deleted),
            changed: profile_changes.len(),
            moved: moved_records,
            identifiers: changes
                .removed_identifiers
                .len()
                .max(changes.added_identifiers.len()),
            added_terms: changes.added_terms.len(),
            removed_terms: changes.removed_terms.len(),
            merges: largest_moves(merge_moves),
            splits: largest_moves(split_moves),
            changes: samples(profile_changes),
            identifier_changes: self.identifier_changes(changes),
            largest: largest(&sizes_before, &sizes_after),
            ..Difference::default()
        }
    }
}

fn is_live(rows: &BTreeMap<ProfileId, ProfileRow>, id: ProfileId) -> bool {
    rows.get(&id)
        .is_some_and(|row| row.state == ProfileState::Live)
}

/// The changes of profiles that stay live and keep their records; changed traits come first.
fn unmoved_changes<'a>(
    diffs: &'a ProfileDiffs,
    moves: &[Move],
    rows: &BTreeMap<ProfileId, ProfileRow>,
) -> Vec<&'a ProfileChange> {
    let touched: BTreeSet<ProfileId> = moves
        .iter()
        .flat_map(|group| [group.from, group.into])
        .collect();
    let mut changes: Vec<&ProfileChange> = diffs
        .0
        .values()
        .filter(|change| is_live(rows, change.profile) && !touched.contains(&change.profile))
        .collect();
    changes.sort_by_key(|change| change.traits.is_empty());
    changes
}

fn samples(changes: Vec<&ProfileChange>) -> Vec<ProfileChange> {
    changes.into_iter().take(MAX_SAMPLES).cloned().collect()
}
