//! The store in memory: ordered maps, and nothing clever.
//!
//! It is the oracle that the databases are compared with, so each method is the contract's sentence written as a loop;
//! some look at everything there is. Nothing outlives the process.

mod past;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;
use tokio::sync::{Mutex, OwnedMutexGuard};
use uuid::Uuid;

use super::{
    Activation, AsOf, Changes, Error, EventPage, MembershipChange, ModelVersion, PrefixHit, ProfileRow, ProfileState,
    Result, SearchTerm, StatementKey, Store, StoredModel, StoredStatement, Transaction, Turn, WriteMark,
    past::refuse_time,
};
use crate::profile::{
    ContentHash, Event, EventKey, Identifier, ProfileId, Record, RecordKey, Sequence, StoredProfile, TenantId,
    Timestamp,
};
use past::PastData;

/// A store in memory.
pub struct MemoryStore {
    id: Uuid,
    /// Held by the one transaction that is open, whatever its tenant.
    turn: Arc<Mutex<()>>,
    tenants: Arc<Tenants>,
}

#[derive(Default)]
struct Tenants(RwLock<BTreeMap<TenantId, Data>>);

impl Tenants {
    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<TenantId, Data>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<TenantId, Data>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what is committed of a tenant; nothing of one that never wrote.
    fn of<T>(&self, tenant: &TenantId, read: impl FnOnce(&Data) -> T) -> T {
        read(self.read().get(tenant).unwrap_or(&Data::default()))
    }
}

/// All that is kept of a tenant.
#[derive(Default)]
struct Data {
    sequence: Sequence,
    statements: BTreeMap<StatementKey, StoredStatement>,
    records: BTreeMap<RecordKey, Record>,
    /// Derived from the records.
    members: BTreeSet<(ProfileId, RecordKey)>,
    identifiers: BTreeSet<(Identifier, RecordKey)>,
    terms: BTreeSet<SearchTerm>,
    events: BTreeMap<EventKey, Event>,
    profiles: BTreeMap<ProfileId, ProfileRow>,
    memberships: BTreeMap<(RecordKey, Sequence), MembershipChange>,
    models: BTreeMap<i64, ModelVersion>,
    activations: BTreeMap<i64, Activation>,
    past: PastData,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "a new database's id is random")]
        let id = Uuid::new_v4();
        Self { id, turn: Arc::default(), tenants: Arc::default() }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Data {
    fn as_of<T>(&self, value: T) -> AsOf<T> {
        AsOf { sequence: self.sequence, model_version: self.model_version(), value }
    }

    /// Versions come into force in order.
    fn model_version(&self) -> i64 {
        self.activations.keys().next_back().copied().unwrap_or(0)
    }

    fn stored_model(&self, version: i64) -> Option<StoredModel> {
        let model = self.models.get(&version)?.clone();
        Some(StoredModel { model, activation: self.activations.get(&version).copied() })
    }

    fn profile_of(&self, record: &RecordKey) -> Option<ProfileId> {
        self.records.get(record)?.membership.profile
    }

    fn holders<'a>(&'a self, identifier: &'a Identifier) -> impl Iterator<Item = &'a RecordKey> {
        let least = (identifier.clone(), RecordKey::new("", ""));
        self.identifiers.range(least..).take_while(move |(held, _)| held == identifier).map(|(_, record)| record)
    }

    /// Follows the redirect, if there is one.
    fn live(&self, id: ProfileId) -> Option<&ProfileRow> {
        let row = self.profiles.get(&id)?;
        match row.state {
            ProfileState::Live => Some(row),
            ProfileState::MergedInto(survivor) => {
                self.profiles.get(&survivor).filter(|row| row.state == ProfileState::Live)
            }
            ProfileState::Deleted => None,
        }
    }

    fn stored_profile(&self, id: ProfileId) -> Option<StoredProfile> {
        let row = self.live(id)?;
        let members = self.members.range((row.id, RecordKey::new("", ""))..);
        let records: Vec<Record> = members
            .take_while(|(profile, _)| *profile == row.id)
            .filter_map(|(_, key)| self.records.get(key).cloned())
            .collect();
        let profile = StoredProfile { id: row.id, revision: row.revision, update_time: row.update_time, records };
        (!profile.records.is_empty()).then_some(profile)
    }

    /// The profiles with a term that begins so, and the traits in which it stands.
    fn begin_with(&self, prefix: &str) -> BTreeMap<ProfileId, BTreeSet<String>> {
        let mut found: BTreeMap<ProfileId, BTreeSet<String>> = BTreeMap::new();
        for term in self.terms.iter().filter(|term| term.term.starts_with(prefix)) {
            if let Some(profile) = self.profile_of(&term.record) {
                found.entry(profile).or_default().insert(term.kind.clone());
            }
        }
        found
    }

    /// What a database's primary keys would not let in.
    fn refuse(&self, changes: &Changes) -> Result<()> {
        let refused = |what: &str| Err(Error::Refused(what.to_owned()));
        changes.refuse_nul()?;
        if changes.statements.iter().any(|statement| self.statements.contains_key(&statement.key)) {
            return refused("a statement is stored already");
        }
        if changes.events.iter().any(|event| self.events.contains_key(&event.key())) {
            return refused("an event is stored already");
        }
        if changes.memberships.iter().any(|m| self.memberships.contains_key(&(m.record.clone(), m.sequence))) {
            return refused("a membership is stored already");
        }
        if changes.added_records.iter().any(|record| self.records.contains_key(&record.key)) {
            return refused("a record is stored already");
        }
        if changes.added_profiles.iter().any(|row| self.profiles.contains_key(&row.id)) {
            return refused("a profile is stored already");
        }
        if changes.added_identifiers.iter().any(|held| self.identifiers.contains(held)) {
            return refused("an identifier is stored already");
        }
        if changes.added_terms.iter().any(|term| self.terms.contains(term)) {
            return refused("a search term is stored already");
        }
        if changes.models.iter().any(|model| self.models.contains_key(&model.version)) {
            return refused("a version of the model is stored already");
        }
        if changes.activation.is_some_and(|activation| self.activations.contains_key(&activation.version)) {
            return refused("a version of the model was in force already");
        }
        Ok(())
    }

    fn apply(&mut self, changes: &Changes) {
        self.statements.extend(changes.statements.iter().map(|s| (s.key.clone(), s.clone())));
        for record in changes.added_records.iter().chain(&changes.records) {
            let before = self.records.insert(record.key.clone(), record.clone());
            if let Some(profile) = before.and_then(|record| record.membership.profile) {
                self.members.remove(&(profile, record.key.clone()));
            }
            self.members.extend(record.membership.profile.map(|profile| (profile, record.key.clone())));
        }
        for removed in &changes.removed_identifiers {
            self.identifiers.remove(removed);
        }
        self.identifiers.extend(changes.added_identifiers.iter().cloned());
        for removed in &changes.removed_terms {
            self.terms.remove(removed);
        }
        self.terms.extend(changes.added_terms.iter().cloned());
        self.events.extend(changes.events.iter().map(|event| (event.key(), event.clone())));
        self.profiles.extend(changes.added_profiles.iter().chain(&changes.profiles).map(|row| (row.id, row.clone())));
        self.memberships.extend(changes.memberships.iter().map(|m| ((m.record.clone(), m.sequence), m.clone())));
        self.models.extend(changes.models.iter().map(|model| (model.version, model.clone())));
        self.activations.extend(changes.activation.map(|activation| (activation.version, activation)));
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn id(&self) -> Result<Uuid> {
        Ok(self.id)
    }

    async fn check(&self) -> Result<()> {
        Ok(())
    }

    async fn begin(&self, tenant: &TenantId) -> Result<Box<dyn Transaction>> {
        let guard = Arc::clone(&self.turn).lock_owned().await;
        let turn_of = |data: &Data| Turn {
            sequence: Sequence(data.sequence.0 + 1),
            model_version: data.model_version(),
            not_before: data.past.last_time(),
        };
        let turn = self.tenants.of(tenant, turn_of);
        let tenants = Arc::clone(&self.tenants);
        Ok(Box::new(MemoryTransaction { tenant: tenant.clone(), turn, tenants, _guard: guard }))
    }

    async fn profiles(&self, tenant: &TenantId, ids: &[ProfileId]) -> Result<AsOf<Vec<Option<StoredProfile>>>> {
        Ok(self.tenants.of(tenant, |data| data.as_of(ids.iter().map(|id| data.stored_profile(*id)).collect())))
    }

    async fn find_by_identifiers(
        &self,
        tenant: &TenantId,
        identifiers: &[Identifier],
        limit: usize,
    ) -> Result<AsOf<Vec<Vec<ProfileId>>>> {
        let find = |data: &Data, identifier| -> Vec<ProfileId> {
            let profiles: BTreeSet<_> = data.holders(identifier).filter_map(|key| data.profile_of(key)).collect();
            profiles.into_iter().take(limit).collect()
        };
        Ok(self.tenants.of(tenant, |data| data.as_of(identifiers.iter().map(|i| find(data, i)).collect())))
    }

    async fn find_by_records(&self, tenant: &TenantId, records: &[RecordKey]) -> Result<AsOf<Vec<Option<ProfileId>>>> {
        Ok(self.tenants.of(tenant, |data| data.as_of(records.iter().map(|key| data.profile_of(key)).collect())))
    }

    async fn find_by_prefixes(
        &self,
        tenant: &TenantId,
        prefixes: &[String],
        after: Option<ProfileId>,
        limit: usize,
    ) -> Result<Vec<PrefixHit>> {
        let Some((first, rest)) = prefixes.split_first() else { return Ok(Vec::new()) };
        Ok(self.tenants.of(tenant, |data| {
            let mut hits = data.begin_with(first);
            for prefix in rest {
                let mut found = data.begin_with(prefix);
                hits.retain(|profile, traits| found.remove(profile).map(|more| traits.extend(more)).is_some());
            }
            let hits = hits.into_iter().filter(|(profile, _)| after.is_none_or(|after| *profile > after));
            let hits = hits.map(|(profile, traits)| PrefixHit { profile, traits: traits.into_iter().collect() });
            hits.take(limit).collect()
        }))
    }

    async fn list_events(&self, tenant: &TenantId, records: &[RecordKey], page: &EventPage) -> Result<Vec<Event>> {
        let matches = |event: &&Event| {
            records.contains(&event.record)
                && (page.kinds.is_empty() || page.kinds.contains(&event.kind))
                && page.start.is_none_or(|start| event.sort_time >= start)
                && page.end.is_none_or(|end| event.sort_time < end)
                && page.after.as_ref().is_none_or(|after| event.position() < *after)
        };
        let mut events: Vec<Event> =
            self.tenants.of(tenant, |data| data.events.values().filter(matches).cloned().collect());
        events.sort_by_key(|event| std::cmp::Reverse(event.position()));
        events.truncate(page.limit);
        Ok(events)
    }

    async fn list_statements(&self, tenant: &TenantId, record: &RecordKey) -> Result<Vec<StoredStatement>> {
        let mut statements: Vec<StoredStatement> = self.tenants.of(tenant, |data| {
            data.statements.values().filter(|statement| statement.key.record == *record).cloned().collect()
        });
        statements.sort_by_key(|statement| (statement.sequence, statement.ordinal));
        Ok(statements)
    }

    async fn model(&self, tenant: &TenantId, version: Option<i64>) -> Result<Option<StoredModel>> {
        Ok(self.tenants.of(tenant, |data| data.stored_model(version.unwrap_or(data.model_version()))))
    }

    async fn list_models(&self, tenant: &TenantId, before: Option<i64>, limit: usize) -> Result<Vec<StoredModel>> {
        Ok(self.tenants.of(tenant, |data| {
            let versions = data.models.range(..before.unwrap_or(i64::MAX)).rev().take(limit);
            versions.filter_map(|(version, _)| data.stored_model(*version)).collect()
        }))
    }

    async fn list_memberships(&self, tenant: &TenantId, record: &RecordKey) -> Result<Vec<MembershipChange>> {
        Ok(self
            .tenants
            .of(tenant, |data| data.memberships.values().filter(|change| change.record == *record).cloned().collect()))
    }

    async fn close(&self) {}
}

/// Nothing changes before the commit; the guard gives the turn back in any case.
struct MemoryTransaction {
    tenant: TenantId,
    turn: Turn,
    tenants: Arc<Tenants>,
    _guard: OwnedMutexGuard<()>,
}

#[async_trait]
impl Transaction for MemoryTransaction {
    fn sequence(&self) -> Sequence {
        self.turn.sequence
    }

    fn model_version(&self) -> i64 {
        self.turn.model_version
    }

    fn not_before(&self) -> Timestamp {
        self.turn.not_before
    }

    async fn records(&mut self, keys: &[RecordKey]) -> Result<Vec<Record>> {
        let keys: BTreeSet<_> = keys.iter().collect();
        Ok(self
            .tenants
            .of(&self.tenant, |data| keys.into_iter().filter_map(|key| data.records.get(key)).cloned().collect()))
    }

    async fn holders(&mut self, identifiers: &[Identifier], limit: usize) -> Result<Vec<(Identifier, Record)>> {
        let identifiers: BTreeSet<_> = identifiers.iter().collect();
        Ok(self.tenants.of(&self.tenant, |data| {
            let of_one = |identifier| {
                let records = data.holders(identifier).take(limit + 1).filter_map(|key| data.records.get(key));
                records.map(|record| (Identifier::clone(identifier), record.clone()))
            };
            identifiers.into_iter().flat_map(of_one).collect()
        }))
    }

    async fn known_statements(&mut self, statements: &[StatementKey]) -> Result<Vec<StatementKey>> {
        let asked: BTreeSet<_> = statements.iter().collect();
        Ok(self.tenants.of(&self.tenant, |data| {
            asked.into_iter().filter(|key| data.statements.contains_key(key)).cloned().collect()
        }))
    }

    async fn known_events(&mut self, events: &[EventKey]) -> Result<Vec<(EventKey, ContentHash)>> {
        let asked: BTreeSet<_> = events.iter().collect();
        Ok(self.tenants.of(&self.tenant, |data| {
            asked.into_iter().filter_map(|key| Some((key.clone(), data.events.get(key)?.content))).collect()
        }))
    }

    async fn profile_rows(&mut self, ids: &[ProfileId]) -> Result<Vec<ProfileRow>> {
        let ids: BTreeSet<_> = ids.iter().collect();
        Ok(self
            .tenants
            .of(&self.tenant, |data| ids.into_iter().filter_map(|id| data.profiles.get(id)).cloned().collect()))
    }

    async fn commit(self: Box<Self>, time: Timestamp, changes: &Changes) -> Result<()> {
        refuse_time(time, self.turn.not_before)?;
        let mut tenants = self.tenants.write();
        let data = tenants.entry(self.tenant.clone()).or_default();
        data.refuse(changes)?;
        data.apply(changes);
        data.past.keep(WriteMark { sequence: self.turn.sequence, time }, changes);
        data.sequence = self.turn.sequence;
        Ok(())
    }
}
