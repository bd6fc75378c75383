//! The second half of a write, pure: from the neighbourhood to the rows that change.

mod identity;
mod records;

use std::collections::{BTreeMap, BTreeSet};

use profile_core::identity::{Assignment, Before, assign};
use profile_core::model::Model;
use profile_core::profile::{Derived, Profile, StoredProfile, fold};
use profile_core::records::{
    ProfileId, ProfileRow, Record, RecordKey, Sequence, TenantId, Timestamp,
};

pub(crate) use identity::identity_changes;
pub(crate) use records::RecordDiff;

use super::apply::Applied;
use super::log;
use crate::neighbourhood::Neighbourhood;
use crate::store::{Cause, Changes, StoredStatement};

/// The rows that a write changes, and what its answer needs.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The rows for the store.
    pub changes: Changes,
    /// Counts for metrics.
    pub identity: IdentityFigures,
    /// The profiles of the batch's records after the write.
    pub profiles: BTreeMap<RecordKey, ProfileId>,
    /// The records that the write may have changed, after it.
    pub after: BTreeMap<RecordKey, Record>,
    /// The rows of their profiles after the write.
    pub rows: BTreeMap<ProfileId, ProfileRow>,
}

/// What identity did in a write.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct IdentityFigures {
    /// Profiles that were merged into another.
    pub merges: usize,
    /// Profiles that were split off another.
    pub splits: usize,
    /// Records that were clustered again.
    pub reclustered: usize,
    /// Records that were compared with another.
    pub compared: usize,
    /// Over-shared identifiers among those looked up.
    pub generic_identifiers: usize,
    /// Over-shared blocking keys among those looked up.
    pub generic_keys: usize,
}

/// The tenant, number and time of a write.
#[derive(Debug, Clone, Copy)]
pub struct WriteContext<'a> {
    /// The tenant that is written to.
    pub tenant: &'a TenantId,
    /// The number of the write.
    pub sequence: Sequence,
    /// The time of the write.
    pub now: Timestamp,
}

/// Plans a write.
#[must_use]
pub(super) fn plan(
    context: WriteContext<'_>,
    applied: &Applied<'_>,
    neighbourhood: &Neighbourhood,
    cause: &dyn Fn(ProfileId) -> Cause,
    model: &Model,
) -> Plan {
    let (after, assignment) = assign_profiles(context, applied, neighbourhood, model);
    let identity = figures(&assignment, neighbourhood);
    let before = |key: &RecordKey| record_before(applied, neighbourhood, key);
    let profile = |key: &RecordKey| {
        let record = after.get(key).or_else(|| neighbourhood.records.get(key));
        record?.membership.profile
    };

    let mut changes = Changes {
        statements: statements(context.sequence, applied),
        events: (applied.events.iter().copied())
            .chain(&applied.attached)
            .cloned()
            .collect(),
        corrected_events: applied.corrections.corrected(),
        corrections: applied.corrections.stored(context.sequence),
        identity_changes: identity_changes(
            context,
            component_states(neighbourhood, &after),
            &assignment.rows,
            cause,
        ),
        ..Changes::default()
    };
    (changes.removed_pairs, changes.pairs) = neighbourhood.changed_pairs(profile);
    (changes.profiles, changes.added_profiles) = assignment
        .rows
        .into_iter()
        .partition(|row| neighbourhood.rows.contains_key(&row.id));
    let diff = RecordDiff::within(context, model, neighbourhood);
    for (key, record) in &after {
        diff.add(&mut changes, before(key), record);
    }
    if changes != Changes::default() {
        let sides = log::Sides {
            before: &before,
            home: &profile,
            rows: &neighbourhood.rows,
        };
        changes.log = log::entry(context, &sides, &changes);
    }

    let mut rows = neighbourhood.rows.clone();
    let changed_rows = changes.added_profiles.iter().chain(&changes.profiles);
    rows.extend(changed_rows.map(|row| (row.id, row.clone())));
    let profiles = applied
        .after
        .keys()
        .filter_map(|key| Some((key.clone(), profile(key)?)))
        .collect();
    Plan {
        changes,
        identity,
        profiles,
        after,
        rows,
    }
}

/// Clusters the component and gives its records their profiles: these and the records of the batch
/// after the write, and the profile rows that change.
fn assign_profiles(
    context: WriteContext<'_>,
    applied: &Applied<'_>,
    neighbourhood: &Neighbourhood,
    model: &Model,
) -> (BTreeMap<RecordKey, Record>, Assignment) {
    let clustering = neighbourhood.cluster(model);
    let changed = applied.changed();
    let before = Before {
        tenant: context.tenant,
        now: context.now,
        rows: &neighbourhood.rows,
        changed: &changed,
    };
    // Those that were only compared stay as they are.
    let loaded = |key: &RecordKey| {
        let record = neighbourhood.records.get(key)?;
        Some((key.clone(), record.clone()))
    };
    let unmoved = applied.after.keys();
    let unmoved = unmoved.filter(|key| !neighbourhood.component.contains(*key));
    let mut after: BTreeMap<RecordKey, Record> = unmoved.filter_map(loaded).collect();
    let mut component: BTreeMap<RecordKey, Record> =
        neighbourhood.component.iter().filter_map(loaded).collect();
    let mut assignment = assign(&clustering.clusters, &mut component, &before);
    bump_unmoved(&before, &neighbourhood.records, &mut assignment.rows);
    after.extend(component);
    (after, assignment)
}

/// Gives the profiles of records that changed without moving their next revision.
fn bump_unmoved(
    before: &Before<'_>,
    records: &BTreeMap<RecordKey, Record>,
    rows: &mut Vec<ProfileRow>,
) {
    let done: BTreeSet<ProfileId> = rows.iter().map(|row| row.id).collect();
    let unmoved: BTreeSet<ProfileId> = before
        .changed
        .iter()
        .filter_map(|key| profile_of(records, key))
        .filter(|id| !done.contains(id))
        .collect();
    let unmoved = unmoved.iter().filter_map(|id| before.rows.get(id));
    rows.extend(unmoved.map(|row| ProfileRow {
        revision: row.revision + 1,
        update_time: before.now,
        ..row.clone()
    }));
}

/// The state of a record before the write. The neighbourhood has the batch's records as they are
/// after it.
fn record_before<'a>(
    applied: &'a Applied<'_>,
    neighbourhood: &'a Neighbourhood,
    key: &RecordKey,
) -> Option<&'a Record> {
    if applied.after.contains_key(key) {
        applied.before.get(key)
    } else {
        neighbourhood.records.get(key)
    }
}

fn profile_of(records: &BTreeMap<RecordKey, Record>, key: &RecordKey) -> Option<ProfileId> {
    records.get(key)?.membership.profile
}

/// The records of the component, before and after they were clustered.
fn component_states<'a>(
    neighbourhood: &'a Neighbourhood,
    after: &'a BTreeMap<RecordKey, Record>,
) -> impl Iterator<Item = (&'a Record, &'a Record)> {
    neighbourhood
        .component
        .iter()
        .filter_map(|key| Some((neighbourhood.records.get(key)?, after.get(key)?)))
}

fn figures(assignment: &Assignment, neighbourhood: &Neighbourhood) -> IdentityFigures {
    IdentityFigures {
        merges: assignment.merges,
        splits: assignment.splits,
        reclustered: neighbourhood.component.len(),
        compared: neighbourhood.figures.compared,
        generic_identifiers: neighbourhood.figures.generic_identifiers,
        generic_keys: neighbourhood.figures.generic_keys,
    }
}

fn statements(sequence: Sequence, applied: &Applied<'_>) -> Vec<StoredStatement> {
    let numbered = applied.statements.iter().enumerate();
    numbered
        .map(|(ordinal, (key, statement))| StoredStatement {
            key: key.clone(),
            sequence,
            ordinal: i32::try_from(ordinal).unwrap_or(i32::MAX),
            receive_time: statement.receive_time,
            draft: statement.draft.clone(),
        })
        .collect()
}

impl Plan {
    /// Adds the records that the write did not change.
    pub(super) fn add_unchanged(&mut self, neighbourhood: &Neighbourhood) {
        for (key, record) in &neighbourhood.records {
            if !self.after.contains_key(key) {
                self.after.insert(key.clone(), record.clone());
            }
        }
    }

    /// The profiles of records after the write, each once, in the order of the records.
    pub(super) fn fold_profiles(
        &self,
        records: &[RecordKey],
        model: &Model,
        now: Timestamp,
    ) -> Vec<Profile> {
        let mut seen = BTreeSet::new();
        records
            .iter()
            .filter_map(|key| profile_of(&self.after, key))
            .filter(|id| seen.insert(*id))
            .filter_map(|id| self.stored_profile(id))
            .map(|stored| {
                let mut profile = fold(stored, model);
                profile.derived = Derived::of(&profile, model, now);
                profile
            })
            .collect()
    }

    fn stored_profile(&self, id: ProfileId) -> Option<StoredProfile> {
        let row = self.rows.get(&id)?;
        let members = self
            .after
            .values()
            .filter(|record| record.membership.profile == Some(id));
        Some(StoredProfile {
            id,
            revision: row.revision,
            update_time: row.update_time,
            records: members.cloned().collect(),
        })
    }
}
