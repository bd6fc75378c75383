//! Segments in memory.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use profile_core::records::{ProfileId, TenantId, Timestamp};

use super::MemoryStore;
use crate::store::{
    ProfileState, Result, SegmentChanges, SegmentIndex, SegmentMember, SegmentProgress,
};

/// A tenant's index.
#[derive(Default)]
pub(super) struct Index {
    progress: Option<SegmentProgress>,
    members: BTreeMap<(ProfileId, String, Timestamp), SegmentMember>,
    due: BTreeMap<ProfileId, Timestamp>,
}

impl Index {
    /// Whether changes are those after what it has.
    pub(super) fn is_before(&self, changes: &SegmentChanges) -> bool {
        self.progress.map_or(0, |progress| progress.revision) + 1 == changes.progress.revision
    }

    /// Serves [`SegmentIndex::write_segments`].
    pub(super) fn replace(&mut self, changes: &SegmentChanges) -> bool {
        if !self.is_before(changes) {
            return false;
        }
        self.progress = Some(changes.progress);
        self.members
            .retain(|(profile, ..), _| !changes.profiles.contains(profile));
        self.due
            .retain(|profile, _| !changes.profiles.contains(profile));
        let members = changes.members.iter().map(|member| {
            let key = (member.profile, member.segment.clone(), member.enter_time);
            (key, member.clone())
        });
        self.members.extend(members);
        self.due.extend(changes.due.iter().copied());
        true
    }
}

impl Index {
    /// How many stays profiles have.
    pub(super) fn count_stays(&self, profiles: &BTreeSet<ProfileId>) -> u64 {
        let stays = self.members.keys();
        stays.filter(|(id, ..)| profiles.contains(id)).count() as u64
    }

    /// Takes profiles out; whoever is about to write has to look again.
    pub(super) fn erase(&mut self, profiles: &BTreeSet<ProfileId>) {
        self.members.retain(|(id, ..), _| !profiles.contains(id));
        self.due.retain(|id, _| !profiles.contains(id));
        if let Some(progress) = &mut self.progress {
            progress.revision += 1;
        }
    }
}

/// The indexes of all tenants.
#[derive(Default)]
pub(super) struct Indexes(Mutex<HashMap<TenantId, Index>>);

impl Indexes {
    pub(super) fn of<T>(&self, tenant: &TenantId, work: impl FnOnce(&mut Index) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(all.entry(tenant.clone()).or_default())
    }
}

impl MemoryStore {
    fn index<T>(&self, tenant: &TenantId, work: impl FnOnce(&mut Index) -> T) -> T {
        self.segments.of(tenant, work)
    }

    fn live(&self, tenant: &TenantId) -> impl Fn(&ProfileId) -> bool {
        let live: BTreeSet<ProfileId> = self.tenants.of(tenant, |data| {
            data.profiles
                .values()
                .filter(|row| row.state == ProfileState::Live)
                .map(|row| row.id)
                .collect()
        });
        move |id| live.contains(id)
    }
}

#[async_trait]
impl SegmentIndex for MemoryStore {
    async fn segment_progress(&self, tenant: &TenantId) -> Result<Option<SegmentProgress>> {
        Ok(self.index(tenant, |index| index.progress))
    }

    async fn write_segments(&self, tenant: &TenantId, changes: &SegmentChanges) -> Result<bool> {
        Ok(self.index(tenant, |index| index.replace(changes)))
    }

    async fn memberships(
        &self,
        tenant: &TenantId,
        profiles: &[ProfileId],
    ) -> Result<Vec<SegmentMember>> {
        let asked = |member: &&SegmentMember| profiles.contains(&member.profile);
        Ok(self.index(tenant, |index| {
            index.members.values().filter(asked).cloned().collect()
        }))
    }

    async fn list_due(
        &self,
        tenant: &TenantId,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<(ProfileId, Timestamp)>> {
        let mut due: Vec<(ProfileId, Timestamp)> = self.index(tenant, |index| {
            index.due.iter().map(|(id, due)| (*id, *due)).collect()
        });
        due.retain(|(_, due)| *due <= until);
        due.sort_unstable_by_key(|(id, due)| (*due, *id));
        due.truncate(limit);
        Ok(due)
    }

    async fn list_members(
        &self,
        tenant: &TenantId,
        segment: &str,
        after: Option<ProfileId>,
        limit: usize,
    ) -> Result<Vec<SegmentMember>> {
        let live = self.live(tenant);
        let of = |member: &&SegmentMember| {
            member.segment == segment
                && member.exit_time.is_none()
                && after.is_none_or(|after| member.profile > after)
                && live(&member.profile)
        };
        Ok(self.index(tenant, |index| {
            index
                .members
                .values()
                .filter(of)
                .take(limit)
                .cloned()
                .collect()
        }))
    }

    async fn count_members(&self, tenant: &TenantId) -> Result<Vec<(String, u64)>> {
        let live = self.live(tenant);
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        self.index(tenant, |index| {
            for member in index
                .members
                .values()
                .filter(|member| member.exit_time.is_none() && live(&member.profile))
            {
                *counts.entry(member.segment.clone()).or_default() += 1;
            }
        });
        Ok(counts.into_iter().collect())
    }

    async fn list_profiles(
        &self,
        tenant: &TenantId,
        after: Option<ProfileId>,
        limit: usize,
    ) -> Result<Vec<ProfileId>> {
        let later = |id: &ProfileId| after.is_none_or(|after| *id > after);
        Ok(self.tenants.of(tenant, |data| {
            let live = data
                .profiles
                .values()
                .filter(|row| row.state == ProfileState::Live)
                .map(|row| row.id);
            live.filter(later).take(limit).collect()
        }))
    }
}
