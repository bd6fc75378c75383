//! The past in memory: every state of every row, with the write that put it there; nothing is ever
//! taken out.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use profile_core::profile::StoredProfile;
use profile_core::records::rollup::Rollup;
use profile_core::records::{
    Event, EventKey, Identifier, ProfileId, Record, RecordKey, Sequence, TenantId, Timestamp,
};

use super::MemoryStore;
use crate::store::past::is_gap;
use crate::store::{Changes, Past, PastWrite, ProfileRow, ProfileState, Result, WriteMark};

/// What something was after each write that changed it.
type Log<T> = BTreeMap<Sequence, T>;

/// All that ever was of a tenant.
#[derive(Default, Clone)]
pub(super) struct PastData {
    writes: Vec<WriteMark>,
    records: BTreeMap<RecordKey, Log<Record>>,
    profiles: BTreeMap<ProfileId, Log<ProfileRow>>,
    /// Events by key; an event that was taken back has no state.
    events: BTreeMap<EventKey, Log<Option<Event>>>,
    /// Whether a record held an identifier.
    holders: BTreeMap<Identifier, BTreeMap<RecordKey, Log<bool>>>,
}

fn after<T>(log: &Log<T>, write: Sequence) -> Option<&T> {
    log.range(..=write).next_back().map(|(_, state)| state)
}

impl PastData {
    pub(super) fn last_time(&self) -> Timestamp {
        self.writes
            .last()
            .map_or(Timestamp::default(), |write| write.time)
    }

    /// Serves `correct_times`.
    pub(super) fn move_times(&mut self, now: Timestamp) -> u64 {
        let later = self.writes.partition_point(|write| write.time <= now);
        let later = &mut self.writes[later..];
        if !later.first().is_some_and(|first| is_gap(now, first.time)) {
            return 0;
        }
        for write in later.iter_mut() {
            write.time = now;
        }
        later.len() as u64
    }

    pub(super) fn keep(&mut self, write: WriteMark, changes: &Changes) {
        if self
            .writes
            .last()
            .is_none_or(|last| last.sequence < write.sequence)
        {
            self.writes.push(write);
        }
        for record in changes.added_records.iter().chain(&changes.records) {
            let mut kept = record.clone();
            kept.rollup = Rollup::default();
            self.records
                .entry(record.key.clone())
                .or_default()
                .insert(write.sequence, kept);
        }
        let told = changes.events.iter();
        let told = told.map(|event| (event.key(), Some(event.clone())));
        let corrected = changes
            .corrected_events
            .iter()
            .map(|corrected| &corrected.after);
        let corrected = corrected.map(|kept| (kept.key.clone(), kept.event.clone()));
        for (key, event) in told.chain(corrected) {
            let log = self.events.entry(key).or_default();
            log.insert(write.sequence, event);
        }
        for row in changes.added_profiles.iter().chain(&changes.profiles) {
            self.profiles
                .entry(row.id)
                .or_default()
                .insert(write.sequence, row.clone());
        }
        let removed = changes.removed_identifiers.iter().map(|held| (held, false));
        let added = changes.added_identifiers.iter().map(|held| (held, true));
        for ((identifier, record), held) in removed.chain(added) {
            let holders = self.holders.entry(identifier.clone()).or_default();
            holders
                .entry(record.clone())
                .or_default()
                .insert(write.sequence, held);
        }
    }

    /// Takes out all that ever was of records, and of profiles that are nobody's. Answers how many
    /// states that were.
    pub(super) fn erase(
        &mut self,
        erased: &BTreeSet<RecordKey>,
        profiles: &BTreeSet<ProfileId>,
    ) -> u64 {
        let mut states = 0;
        for record in erased {
            states += self.records.remove(record).map_or(0, |log| log.len());
            for holders in self.holders.values_mut() {
                states += holders.remove(record).map_or(0, |log| log.len());
            }
        }
        for profile in profiles {
            states += self.profiles.remove(profile).map_or(0, |log| log.len());
        }
        for log in self.events.values_mut() {
            log.retain(|_, event| {
                !event
                    .as_ref()
                    .is_some_and(|event| erased.contains(&event.record))
            });
        }
        self.holders.retain(|_, holders| !holders.is_empty());
        states as u64
    }

    /// The events that were of these records at some time.
    pub(super) fn former_events(&self, records: &BTreeSet<RecordKey>) -> BTreeSet<EventKey> {
        let is_theirs = |event: &Option<Event>| {
            event
                .as_ref()
                .is_some_and(|event| records.contains(&event.record))
        };
        let of_records = self
            .events
            .iter()
            .filter(|(_, log)| log.values().any(is_theirs));
        of_records.map(|(key, _)| key.clone()).collect()
    }

    /// Takes out all that ever was of an event.
    pub(super) fn forget_event(&mut self, key: &EventKey) {
        self.events.remove(key);
    }

    /// The events that held after a write.
    pub(super) fn events(&self, write: Sequence) -> impl Iterator<Item = &Event> {
        let then = self.events.values();
        then.filter_map(move |log| after(log, write)?.as_ref())
    }

    /// The profile that a record was in last.
    pub(super) fn last_home(&self, record: &RecordKey) -> Option<ProfileId> {
        let mut states = self.records.get(record)?.values().rev();
        states.find_map(|state| state.membership.profile)
    }

    fn home(&self, record: &RecordKey, write: Sequence) -> Option<ProfileId> {
        after(self.records.get(record)?, write)?.membership.profile
    }

    fn live(&self, id: ProfileId, write: Sequence) -> Option<&ProfileRow> {
        let row = after(self.profiles.get(&id)?, write)?;
        match row.state {
            ProfileState::Live => Some(row),
            ProfileState::MergedInto(survivor) => after(self.profiles.get(&survivor)?, write)
                .filter(|row| row.state == ProfileState::Live),
            ProfileState::Deleted => None,
        }
    }

    fn profile(&self, id: ProfileId, write: Sequence) -> Option<StoredProfile> {
        let row = self.live(id, write)?;
        let records = self.records.values().filter_map(|log| after(log, write));
        let records: Vec<Record> = records
            .filter(|record| record.membership.profile == Some(row.id))
            .cloned()
            .collect();
        let profile = StoredProfile {
            id: row.id,
            revision: row.revision,
            update_time: row.update_time,
            records,
        };
        (!profile.records.is_empty()).then_some(profile)
    }

    fn holders(&self, identifier: &Identifier, write: Sequence) -> BTreeSet<ProfileId> {
        let ever = self.holders.get(identifier).into_iter().flatten();
        let then = ever.filter(|(_, log)| after(log, write) == Some(&true));
        then.filter_map(|(record, _)| self.home(record, write))
            .collect()
    }
}

#[async_trait]
impl Past for MemoryStore {
    async fn write_at(&self, tenant: &TenantId, time: Timestamp) -> Result<Option<PastWrite>> {
        Ok(self.tenants.of(tenant, |data| {
            let WriteMark { sequence, time } =
                *data.past.writes.iter().rfind(|write| write.time <= time)?;
            let activations = data
                .activations
                .values()
                .filter(|activation| activation.sequence <= sequence);
            let model_version = activations
                .map(|activation| activation.version)
                .max()
                .unwrap_or(0);
            Some(PastWrite {
                sequence,
                time,
                model_version,
            })
        }))
    }

    async fn profile_after(
        &self,
        tenant: &TenantId,
        id: ProfileId,
        write: Sequence,
    ) -> Result<Option<StoredProfile>> {
        Ok(self.tenants.of(tenant, |data| data.past.profile(id, write)))
    }

    async fn find_by_identifier_after(
        &self,
        tenant: &TenantId,
        identifier: &Identifier,
        write: Sequence,
        limit: usize,
    ) -> Result<Vec<ProfileId>> {
        Ok(self.tenants.of(tenant, |data| {
            data.past
                .holders(identifier, write)
                .into_iter()
                .take(limit)
                .collect()
        }))
    }

    async fn find_by_record_after(
        &self,
        tenant: &TenantId,
        record: &RecordKey,
        write: Sequence,
    ) -> Result<Option<ProfileId>> {
        Ok(self
            .tenants
            .of(tenant, |data| data.past.home(record, write)))
    }
}
