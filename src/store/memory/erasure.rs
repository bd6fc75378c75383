//! Erasure in memory.

use std::collections::BTreeSet;

use async_trait::async_trait;
use profile_core::records::{
    Event, EventKey, ProfileId, ProfileState, RecordKey, Sequence, TenantId,
};

use super::MemoryStore;
use super::data::Data;
use crate::store::erasure::{redact_change, redact_decision};
use crate::store::{
    ErasedPlace, Erasure, Erasures, Release, Result, StoredDecision, StoredErasure,
};

impl Data {
    /// Serves [`Transaction::erase`](crate::store::Transaction::erase): what is left of records
    /// whose changes are applied. Answers with the receipt, and the profiles that are nobody's now.
    pub(super) fn erase(
        &mut self,
        erasure: &Erasure,
        sequence: Sequence,
    ) -> (StoredErasure, BTreeSet<ProfileId>) {
        let erased: BTreeSet<RecordKey> = erasure.records.iter().cloned().collect();
        let (mut carried, writes) = self.traces(&erased);
        carried.insert(erasure.receipt.profile);
        let profiles = self.gone_profiles(&carried);
        self.profiles.retain(|id, _| !profiles.contains(id));
        let mut places = self.erase_states(&erased);
        places.extend(self.erase_events(&erased));
        places.push((ErasedPlace::Decisions, self.erase_decisions(&erased)));
        let changes = self.erase_identity_changes(&erased, &profiles, &writes);
        places.push((ErasedPlace::IdentityChanges, changes));
        let former = self.past.erase(&erased, &profiles);
        places.push((ErasedPlace::History, former));
        places.retain(|(_, rows)| *rows > 0);
        places.sort_unstable();
        let receipt = StoredErasure {
            sequence,
            places,
            ..erasure.receipt.clone()
        };
        self.tombstone_key = Some(erasure.key);
        for record in &erased {
            let tombstone = erasure.key.tombstone(record);
            self.tombstones.insert(tombstone, receipt.id.clone());
        }
        self.erasures.insert(receipt.id.clone(), receipt.clone());
        (receipt, profiles)
    }

    /// The ids of profiles that records carry, and the writes that concerned them.
    fn traces(&self, erased: &BTreeSet<RecordKey>) -> (BTreeSet<ProfileId>, BTreeSet<Sequence>) {
        let (mut carried, mut writes) = (BTreeSet::new(), BTreeSet::new());
        let memberships = self.memberships.values();
        let memberships = memberships.filter(|change| erased.contains(&change.record));
        writes.extend(memberships.map(|change| change.sequence));
        for record in erased.iter().filter_map(|key| self.records.get(key)) {
            carried.extend(record.membership.carries.iter().map(|carried| carried.id));
        }
        let statements = self.statements.values();
        let statements = statements.filter(|statement| erased.contains(&statement.key.record));
        writes.extend(statements.map(|statement| statement.sequence));
        let events = self.events.values();
        let events = events.filter(|event| erased.contains(&event.record));
        writes.extend(events.filter_map(|event| self.event_sequences.get(&event.key())));
        (carried, writes)
    }

    fn gone_profiles(&self, ids: &BTreeSet<ProfileId>) -> BTreeSet<ProfileId> {
        let state = |id: &ProfileId| self.profiles.get(id).map(|row| row.state);
        let is_deleted = |id: &ProfileId| state(id) == Some(ProfileState::Deleted);
        let is_gone = |id: &ProfileId| match state(id) {
            Some(ProfileState::MergedInto(into)) => ids.contains(&into) && is_deleted(&into),
            _ => is_deleted(id),
        };
        ids.iter().copied().filter(is_gone).collect()
    }

    fn erase_states(&mut self, erased: &BTreeSet<RecordKey>) -> Vec<(ErasedPlace, u64)> {
        let mut places = Vec::new();
        let before = (
            self.records.len(),
            self.statements.len(),
            self.memberships.len(),
        );
        self.records.retain(|key, _| !erased.contains(key));
        self.statements
            .retain(|key, _| !erased.contains(&key.record));
        self.memberships.retain(|(key, _), _| !erased.contains(key));
        for (place, gone) in [
            (ErasedPlace::Records, before.0 - self.records.len()),
            (ErasedPlace::Statements, before.1 - self.statements.len()),
            (ErasedPlace::Memberships, before.2 - self.memberships.len()),
        ] {
            places.push((place, gone as u64));
        }
        if let Some(recount) = &mut self.recount
            && erased.contains(&recount.position)
        {
            recount.position = RecordKey::new("", "");
        }
        places
    }

    fn erase_events(&mut self, erased: &BTreeSet<RecordKey>) -> Vec<(ErasedPlace, u64)> {
        let is_theirs = |event: &Event| erased.contains(&event.record);
        let theirs = self.events.values().filter(|event| is_theirs(event));
        let mut keys: BTreeSet<EventKey> = theirs.map(Event::key).collect();
        // Events that were taken back are nobody's.
        let former = self.past.former_events(erased);
        let is_anothers = |key: &EventKey| self.events.get(key).and_then(Event::home).is_some();
        keys.extend(former.into_iter().filter(|key| !is_anothers(key)));
        let before = self.corrections.len();
        self.corrections.retain(|key, _| !keys.contains(&key.event));
        let corrections = before - self.corrections.len();
        for key in &keys {
            self.events.remove(key);
            self.corrected.remove(key);
            self.event_sequences.remove(key);
            self.past.forget_event(key);
        }
        vec![
            (ErasedPlace::Events, keys.len() as u64),
            (ErasedPlace::Corrections, corrections as u64),
        ]
    }

    fn erase_decisions(&mut self, erased: &BTreeSet<RecordKey>) -> u64 {
        let concerns = |stored: &StoredDecision| {
            let mut records = stored.decision.left.iter().chain(&stored.decision.right);
            records.any(|record| erased.contains(record))
        };
        let named = self.decisions.values().filter(|stored| concerns(stored));
        let named: Vec<_> = named.cloned().collect();
        for stored in &named {
            let id = stored.decision.id.clone();
            match redact_decision(stored, erased) {
                Some(redacted) => drop(self.decisions.insert(id, redacted)),
                None => drop(self.decisions.remove(&id)),
            }
        }
        let before = self.requests.len();
        let keys: Vec<String> = erased
            .iter()
            .filter_map(|record| serde_json::to_string(record).ok())
            .collect();
        self.requests
            .retain(|_, request| !keys.iter().any(|key| request.answer.contains(key)));
        (named.len() + before - self.requests.len()) as u64
    }

    fn erase_identity_changes(
        &mut self,
        erased: &BTreeSet<RecordKey>,
        profiles: &BTreeSet<ProfileId>,
        writes: &BTreeSet<Sequence>,
    ) -> u64 {
        let before = self.identity_changes.len();
        self.identity_changes.retain(|(sequence, _), change| {
            let ends = [change.from, change.into];
            if !writes.contains(sequence) && !ends.iter().any(|id| profiles.contains(id)) {
                return true;
            }
            match redact_change(change, erased, profiles) {
                Some(redacted) => {
                    *change = redacted;
                    true
                }
                None => false,
            }
        });
        (before - self.identity_changes.len()) as u64
    }
}

#[async_trait]
impl Erasures for MemoryStore {
    async fn list_erasures(
        &self,
        tenant: &TenantId,
        after: Option<(Sequence, String)>,
        limit: usize,
    ) -> Result<Vec<StoredErasure>> {
        let place = |stored: &StoredErasure| (stored.sequence, stored.id.clone());
        let mut erasures: Vec<StoredErasure> = self
            .tenants
            .of(tenant, |data| data.erasures.values().cloned().collect());
        erasures.retain(|it| after.as_ref().is_none_or(|after| place(it) < *after));
        erasures.sort_by_key(|stored| std::cmp::Reverse(place(stored)));
        erasures.truncate(limit);
        Ok(erasures)
    }

    async fn erasure(&self, tenant: &TenantId, id: &str) -> Result<Option<StoredErasure>> {
        Ok(self
            .tenants
            .of(tenant, |data| data.erasures.get(id).cloned()))
    }

    async fn release_erasure(&self, tenant: &TenantId, id: &str, release: &Release) -> Result<()> {
        let mut tenants = self.tenants.write();
        let data = tenants.entry(tenant.clone()).or_default();
        if let Some(stored) = data.erasures.get_mut(id)
            && stored.release.is_none()
        {
            stored.release = Some(release.clone());
            data.tombstones.retain(|_, erasure| erasure != id);
        }
        Ok(())
    }
}
