//! The profiles that show something else under another model, even if their records stay.

use std::collections::{BTreeMap, BTreeSet};

use profile_core::model::Model;
use profile_core::profile::{Profile, StoredProfile, fold};
use profile_core::records::{ProfileId, Record, RecordKey, Timestamp};

use super::{ModelChange, ProfileChange, TenantState};

/// The changes of profiles, folded from the records that they had before.
pub(super) struct ProfileDiffs(pub(super) BTreeMap<ProfileId, ProfileChange>);

impl ProfileDiffs {
    pub(super) fn of(
        before: &TenantState,
        after: &BTreeMap<RecordKey, Record>,
        models: ModelChange<'_>,
    ) -> Self {
        let mut members: BTreeMap<ProfileId, Vec<&RecordKey>> = BTreeMap::new();
        for record in before.records.values() {
            if let Some(profile) = record.membership.profile {
                members.entry(profile).or_default().push(&record.key);
            }
        }
        let mut changes = BTreeMap::new();
        for (id, keys) in members {
            let old = fold_members(id, &keys, &before.records, models.from);
            let new = fold_members(id, &keys, after, models.to);
            if let Some(change) = ProfileChange::between(id, &old, &new) {
                changes.insert(id, change);
            }
        }
        Self(changes)
    }

    /// The records that a reader sees differently, whatever their profiles are after.
    pub(super) fn changed_records(
        &self,
        before: &TenantState,
        after: &BTreeMap<RecordKey, Record>,
    ) -> BTreeSet<RecordKey> {
        after
            .values()
            .filter(|record| self.shows_change(before, record))
            .map(|record| record.key.clone())
            .collect()
    }

    fn shows_change(&self, before: &TenantState, after: &Record) -> bool {
        let profile = after.membership.profile;
        profile.is_some_and(|profile| self.0.contains_key(&profile))
            || before
                .records
                .get(&after.key)
                .is_none_or(|before| !before.says_the_same(after))
    }
}

fn fold_members(
    id: ProfileId,
    keys: &[&RecordKey],
    records: &BTreeMap<RecordKey, Record>,
    model: &Model,
) -> Profile {
    let records = keys
        .iter()
        .filter_map(|key| records.get(*key))
        .filter(|record| record.exists())
        .cloned()
        .collect();
    let stored = StoredProfile {
        id,
        revision: 0,
        update_time: Timestamp::default(),
        records,
    };
    fold(stored, model)
}
