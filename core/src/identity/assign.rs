//! Names for clusters: profile ids that stay.
//!
//! Every id is *carried* by one record and goes where that record goes. A cluster is called by the
//! oldest id that its records carry; its other ids redirect to that one. From this rule alone
//! follows what users expect:
//!
//! - a merge keeps the older profile's id, the other redirects for as long as they are one;
//! - a split gives each part that had an id of its own that id back, without any log of the merge;
//! - a part that never had one founds one, from its oldest record.
//!
//! A record that goes leaves its ids to the oldest record that stays in its profile (its events, if
//! it has any, stay with it, on a profile of their own). If none stays, the profile is deleted, the
//! gone record keeps the ids, and they live again when it comes back.

use std::collections::{BTreeMap, BTreeSet};

use super::Cluster;
use crate::records::{
    CarriedId, ProfileId, ProfileRow, ProfileState, Record, RecordKey, TenantId, Timestamp,
};

/// What was, for naming and numbering what is.
#[derive(Debug, Clone, Copy)]
pub struct Before<'a> {
    /// The tenant.
    pub tenant: &'a TenantId,
    /// The time of the write.
    pub now: Timestamp,
    /// The rows of all ids that the records carry or were in.
    pub rows: &'a BTreeMap<ProfileId, ProfileRow>,
    /// The records whose own state changes in this write, in a way that a reader can see.
    pub changed: &'a BTreeSet<RecordKey>,
}

/// What the records and the profile rows become.
#[derive(Debug, Default)]
pub struct Assignment {
    /// Profile rows that change.
    pub rows: Vec<ProfileRow>,
    /// How many profiles went into another.
    pub merges: usize,
    /// How many profiles came out of another.
    pub splits: usize,
}

/// Names clusters and updates the membership of their records, in place. `records` holds every
/// member, and the records that were in a profile with one of them before.
pub fn assign(
    clusters: &[Cluster],
    records: &mut BTreeMap<RecordKey, Record>,
    before: &Before<'_>,
) -> Assignment {
    let mut members_before: BTreeMap<ProfileId, Vec<RecordKey>> = BTreeMap::new();
    for record in records.values() {
        if let Some(profile) = record.membership.profile {
            members_before
                .entry(profile)
                .or_default()
                .push(record.key.clone());
        }
    }
    inherit(records, &members_before, before.changed);
    let mut naming = Naming {
        before,
        members_before,
        assignment: Assignment::default(),
    };
    for cluster in clusters {
        naming.name(cluster, records);
    }
    naming.retire(records);
    naming.assignment
}

/// Passes the ids of records that go now to the oldest that stays of the same profile.
fn inherit(
    records: &mut BTreeMap<RecordKey, Record>,
    members: &BTreeMap<ProfileId, Vec<RecordKey>>,
    changed: &BTreeSet<RecordKey>,
) {
    for members in members.values() {
        let (stay, gone): (Vec<_>, Vec<_>) =
            members.iter().partition(|&key| records[key].is_said());
        let Some(heir) = stay
            .into_iter()
            .min_by_key(|&key| (records[key].first_seen, key))
        else {
            continue;
        };
        let mut estate = Vec::new();
        // One that went before and is here by a decision keeps its own.
        for key in gone.into_iter().filter(|&key| changed.contains(key)) {
            estate.extend(
                records
                    .get_mut(key)
                    .map(|record| std::mem::take(&mut record.membership.carries)),
            );
        }
        if let (false, Some(heir)) = (estate.is_empty(), records.get_mut(heir)) {
            heir.membership.carries.extend(estate.into_iter().flatten());
            heir.membership.carries.sort();
        }
    }
}

struct Naming<'a> {
    before: &'a Before<'a>,
    members_before: BTreeMap<ProfileId, Vec<RecordKey>>,
    assignment: Assignment,
}

impl Naming<'_> {
    fn name(&mut self, cluster: &Cluster, records: &mut BTreeMap<RecordKey, Record>) {
        let mut carried: Vec<CarriedId> = cluster
            .members
            .iter()
            .filter_map(|member| records.get(&member.record))
            .flat_map(|record| record.membership.carries.iter().copied())
            .collect();
        if carried.is_empty() {
            carried.extend(self.found(cluster, records));
        }
        let Some(name) = carried.iter().min().map(|carried| carried.id) else {
            return;
        };
        let mut visible = false;
        let mut stayed = 0;
        let mut from = BTreeSet::from([name]);
        for member in &cluster.members {
            let Some(record) = records.get_mut(&member.record) else {
                continue;
            };
            let was = record.membership.profile;
            from.extend(was);
            stayed += usize::from(was == Some(name));
            let reason = member.evidence.reason();
            visible |= was != Some(name) || record.membership.reason != reason;
            visible |= self.before.changed.contains(&member.record);
            record.membership.profile = Some(name);
            record.membership.reason = reason;
        }
        visible |= self
            .members_before
            .get(&name)
            .is_some_and(|members| members.len() > stayed);
        let was_live = self.state(name) == Some(ProfileState::Live);
        self.assignment.splits += usize::from(!was_live && from.len() > 1);
        if visible || !was_live {
            let revision = from.iter().map(|id| self.revision(*id)).max().unwrap_or(0) + 1;
            self.put(name, revision, ProfileState::Live);
        }
        for other in carried
            .iter()
            .map(|carried| carried.id)
            .filter(|id| *id != name)
        {
            if self.state(other) != Some(ProfileState::MergedInto(name)) {
                self.assignment.merges +=
                    usize::from(self.state(other) == Some(ProfileState::Live));
                self.put(
                    other,
                    self.revision(other) + 1,
                    ProfileState::MergedInto(name),
                );
            }
        }
    }

    /// A first id, founded by the cluster's oldest record.
    fn found(
        &self,
        cluster: &Cluster,
        records: &mut BTreeMap<RecordKey, Record>,
    ) -> Option<CarriedId> {
        let members = cluster
            .members
            .iter()
            .filter_map(|member| records.get(&member.record));
        let oldest = members
            .min_by_key(|record| (record.first_seen, &record.key))?
            .key
            .clone();
        let record = records.get_mut(&oldest)?;
        let id = ProfileId::founded_by(self.before.tenant, &oldest, record.membership.minted);
        let carried = CarriedId {
            create_time: self.before.now,
            id,
        };
        record.membership.minted += 1;
        record.membership.carries.push(carried);
        Some(carried)
    }

    /// Takes gone records out of their profiles, and deletes the profiles of which nothing is left.
    fn retire(&mut self, records: &mut BTreeMap<RecordKey, Record>) {
        for record in records.values_mut().filter(|record| !record.exists()) {
            if record.membership.profile.take().is_some() {
                "deleted".clone_into(&mut record.membership.reason);
            }
            for carried in &record.membership.carries {
                if self.state(carried.id) != Some(ProfileState::Deleted) {
                    self.put(
                        carried.id,
                        self.revision(carried.id) + 1,
                        ProfileState::Deleted,
                    );
                }
            }
        }
    }

    fn revision(&self, id: ProfileId) -> i64 {
        self.before.rows.get(&id).map_or(0, |row| row.revision)
    }

    fn state(&self, id: ProfileId) -> Option<ProfileState> {
        self.before.rows.get(&id).map(|row| row.state)
    }

    fn put(&mut self, id: ProfileId, revision: i64, state: ProfileState) {
        self.assignment.rows.push(ProfileRow {
            id,
            revision,
            update_time: self.before.now,
            state,
        });
    }
}
