//! The store in memory: ordered maps, and nothing clever.
//!
//! It is the oracle that the databases are compared with, so each method is the contract's sentence
//! written as a loop; some look at everything there is. Nothing outlives the process.

mod api_keys;
mod attachments;
mod attempt;
mod audit;
mod data;
mod erasure;
mod past;
mod publication;
mod segments;
mod statistics;
mod tenant_register;
mod timeline;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Arc, Mutex as SyncMutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;
use profile_core::identity::Spelling;
use profile_core::profile::StoredProfile;
use profile_core::records::{Identifier, ProfileId, RecordKey, Sequence, TenantId};
use tokio::sync::Mutex;
use uuid::Uuid;

use self::attempt::MemoryAttempt;
use self::data::Data;
use self::view::{MemoryTransaction, View};
use super::{
    AsOf, Attempt, Availability, IdentityChange, IdentityChangePage, LogCursor, LogRetention,
    LogTail, Match, MatchPair, MembershipChange, QueuePage, Result, Snapshot, Store,
    StoredDecision, StoredModel, StoredStatement, TermHit, TermQuery, Transaction, Way,
};

/// A store in memory.
pub struct MemoryStore {
    id: Uuid,
    /// Held by the one transaction that is open, whatever its tenant.
    turn: Arc<Mutex<()>>,
    tenants: Arc<Tenants>,
    publications: SyncMutex<publication::Kept>,
    segments: Arc<segments::Indexes>,
    statistics: SyncMutex<BTreeMap<TenantId, String>>,
    api_keys: SyncMutex<api_keys::Kept>,
    audit: SyncMutex<audit::Kept>,
    register: SyncMutex<tenant_register::Kept>,
    availability: Availability,
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

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "a new database's id is random")]
        let id = Uuid::new_v4();
        Self {
            id,
            turn: Arc::default(),
            tenants: Arc::default(),
            publications: SyncMutex::default(),
            segments: Arc::default(),
            statistics: SyncMutex::default(),
            api_keys: SyncMutex::default(),
            audit: SyncMutex::default(),
            register: SyncMutex::new(tenant_register::new()),
            availability: Availability::default(),
        }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn is_shared(&self) -> bool {
        false
    }

    fn availability(&self) -> &Availability {
        &self.availability
    }

    async fn renew(&self) -> Result<()> {
        Ok(())
    }

    async fn recover(&self) -> Result<()> {
        Ok(())
    }

    async fn id(&self) -> Result<Uuid> {
        Ok(self.id)
    }

    async fn check(&self) -> Result<()> {
        Ok(())
    }

    async fn begin(&self, tenant: &TenantId) -> Result<Box<dyn Transaction>> {
        let guard = Arc::clone(&self.turn).lock_owned().await;
        let turn = self.tenants.of(tenant, Data::next_turn);
        let tenants = Arc::clone(&self.tenants);
        let view = View::Live(Arc::clone(&tenants), tenant.clone());
        let (tenant, ahead, erasure) = (tenant.clone(), Vec::new(), None);
        let (index, segments) = (Arc::clone(&self.segments), None);
        Ok(Box::new(MemoryTransaction {
            index,
            segments,
            view,
            tenant,
            turn,
            tenants,
            ahead,
            erasure,
            _guard: guard,
        }))
    }

    async fn attempt(&self, tenant: &TenantId) -> Result<Box<dyn Attempt>> {
        let attempt = MemoryAttempt::new(&self.tenants, tenant, &self.turn);
        Ok(Box::new(attempt))
    }

    async fn snapshot(&self, tenant: &TenantId) -> Result<Box<dyn Snapshot>> {
        Ok(Box::new(View::Frozen(Box::new(
            self.tenants.of(tenant, Data::clone),
        ))))
    }

    async fn profiles(
        &self,
        tenant: &TenantId,
        ids: &[ProfileId],
    ) -> Result<AsOf<Vec<Option<StoredProfile>>>> {
        Ok(self.tenants.of(tenant, |data| {
            data.as_of(ids.iter().map(|id| data.stored_profile(*id)).collect())
        }))
    }

    async fn find_by_identifiers(
        &self,
        tenant: &TenantId,
        identifiers: &[Identifier],
        limit: usize,
    ) -> Result<AsOf<Vec<Vec<ProfileId>>>> {
        let find = |data: &Data, identifier| -> Vec<ProfileId> {
            let profiles: BTreeSet<_> = data
                .holders(identifier)
                .filter_map(|key| data.profile_of(key))
                .collect();
            profiles.into_iter().take(limit).collect()
        };
        Ok(self.tenants.of(tenant, |data| {
            data.as_of(identifiers.iter().map(|i| find(data, i)).collect())
        }))
    }

    async fn find_by_records(
        &self,
        tenant: &TenantId,
        records: &[RecordKey],
    ) -> Result<AsOf<Vec<Option<ProfileId>>>> {
        Ok(self.tenants.of(tenant, |data| {
            data.as_of(records.iter().map(|key| data.profile_of(key)).collect())
        }))
    }

    async fn find_by_terms(&self, tenant: &TenantId, query: &TermQuery) -> Result<Vec<TermHit>> {
        if query.words.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.tenants.of(tenant, |data| {
            let said = |ways: &Vec<Way>| {
                let mut found = data.said(ways);
                if let Some(traits) = &query.traits {
                    for by in found.values_mut() {
                        by.retain(|name, _| traits.contains(name));
                    }
                    found.retain(|_, by| !by.is_empty());
                }
                found
            };
            let words: Vec<_> = query.words.iter().map(said).collect();
            let profiles: BTreeSet<ProfileId> =
                words.iter().flat_map(BTreeMap::keys).copied().collect();
            let hit = |profile: ProfileId| {
                let found = words
                    .iter()
                    .map(|word| word.get(&profile))
                    .collect::<Option<Vec<_>>>()?;
                // How sure it is of the word that is least sure.
                let least = found
                    .iter()
                    .filter_map(|traits| traits.values().min())
                    .max()?;
                let ways = found
                    .iter()
                    .flat_map(|traits| traits.iter().map(|(name, way)| (name.clone(), *way)));
                let all: BTreeSet<(String, Match)> = ways.collect();
                (*least >= query.least).then(|| TermHit {
                    profile,
                    found: all.into_iter().collect(),
                })
            };
            let rest = profiles
                .into_iter()
                .filter(|profile| query.after.is_none_or(|after| *profile > after));
            rest.filter_map(hit).take(query.limit).collect()
        }))
    }

    async fn find_words(
        &self,
        tenant: &TenantId,
        spelling: &Spelling,
        limit: usize,
    ) -> Result<Vec<String>> {
        Ok(self.tenants.of(tenant, |data| {
            let words: BTreeSet<&String> = data.terms.iter().map(|term| &term.term).collect();
            words
                .into_iter()
                .filter(|word| spelling.likeness(word).is_some())
                .take(limit)
                .cloned()
                .collect()
        }))
    }

    async fn list_statements(
        &self,
        tenant: &TenantId,
        record: &RecordKey,
    ) -> Result<Vec<StoredStatement>> {
        let mut statements: Vec<StoredStatement> = self.tenants.of(tenant, |data| {
            data.statements
                .values()
                .filter(|statement| statement.key.record == *record)
                .cloned()
                .collect()
        });
        statements.sort_by_key(|statement| (statement.sequence, statement.ordinal));
        Ok(statements)
    }

    async fn model(&self, tenant: &TenantId, version: Option<i64>) -> Result<Option<StoredModel>> {
        Ok(self.tenants.of(tenant, |data| {
            data.stored_model(version.unwrap_or(data.model_version()))
        }))
    }

    async fn list_models(
        &self,
        tenant: &TenantId,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<StoredModel>> {
        Ok(self.tenants.of(tenant, |data| {
            let versions = data
                .models
                .range(..before.unwrap_or(i64::MAX))
                .rev()
                .take(limit);
            versions
                .filter_map(|(version, _)| data.stored_model(*version))
                .collect()
        }))
    }

    async fn list_memberships(
        &self,
        tenant: &TenantId,
        record: &RecordKey,
    ) -> Result<Vec<MembershipChange>> {
        Ok(self.tenants.of(tenant, |data| {
            data.memberships
                .values()
                .filter(|change| change.record == *record)
                .cloned()
                .collect()
        }))
    }

    async fn list_queue(&self, tenant: &TenantId, page: &QueuePage) -> Result<Vec<MatchPair>> {
        let place = |pair: &MatchPair| {
            (
                std::cmp::Reverse(pair.millibits),
                pair.left.clone(),
                pair.right.clone(),
            )
        };
        let after = page
            .after
            .clone()
            .map(|(weight, left, right)| (std::cmp::Reverse(weight), left, right));
        let wanted = |pair: &&MatchPair| {
            pair.queued
                && page.min_millibits.is_none_or(|min| pair.millibits >= min)
                && page.max_millibits.is_none_or(|max| pair.millibits < max)
                && after.as_ref().is_none_or(|after| place(pair) > *after)
        };
        let mut pairs: Vec<MatchPair> = self.tenants.of(tenant, |data| {
            data.pairs.values().filter(wanted).cloned().collect()
        });
        pairs.sort_by_key(place);
        pairs.truncate(page.limit);
        Ok(pairs)
    }

    async fn list_identity_changes(
        &self,
        tenant: &TenantId,
        page: &IdentityChangePage,
    ) -> Result<Vec<IdentityChange>> {
        let wanted = |change: &&IdentityChange| {
            page.profile
                .is_none_or(|profile| [change.from, change.into].contains(&profile))
                && page
                    .before
                    .is_none_or(|before| (change.sequence, change.ordinal) < before)
        };
        let list = |data: &Data| {
            data.identity_changes
                .values()
                .rev()
                .filter(wanted)
                .take(page.limit)
                .cloned()
                .collect()
        };
        Ok(self.tenants.of(tenant, list))
    }

    async fn list_decisions(
        &self,
        tenant: &TenantId,
        after: Option<(Sequence, String)>,
        limit: usize,
    ) -> Result<Vec<StoredDecision>> {
        let place = |stored: &StoredDecision| (stored.sequence, stored.decision.id.clone());
        let wanted =
            |stored: &&StoredDecision| after.as_ref().is_none_or(|after| place(stored) < *after);
        let mut decisions: Vec<StoredDecision> = self.tenants.of(tenant, |data| {
            data.decisions.values().filter(wanted).cloned().collect()
        });
        decisions.sort_by_key(|stored| std::cmp::Reverse(place(stored)));
        decisions.truncate(limit);
        Ok(decisions)
    }

    async fn read_log(&self, cursors: &[LogCursor], limit: usize) -> Result<Vec<LogTail>> {
        let tail = |cursor: &LogCursor, data: &Data| LogTail {
            head: data.sequence,
            model_version: data.model_version(),
            entries: data
                .log
                .range((Bound::Excluded(cursor.after), Bound::Unbounded))
                .map(|(_, entry)| entry.clone())
                .take(limit)
                .collect(),
        };
        let tenants = self.tenants.read();
        let nothing = Data::default();
        Ok(cursors
            .iter()
            .map(|cursor| tail(cursor, tenants.get(&cursor.tenant).unwrap_or(&nothing)))
            .collect())
    }

    async fn trim_log(&self, tenant: &TenantId, retention: LogRetention) -> Result<u64> {
        let mut tenants = self.tenants.write();
        let Some(data) = tenants.get_mut(tenant) else {
            return Ok(0);
        };
        let (mut sum, mut keep_from) = (0, data.sequence);
        for entry in data.log.values().rev() {
            sum += serde_json::to_string(&entry.body).map_or(0, |body| body.len() as u64);
            if entry.sequence < data.sequence
                && (entry.time < retention.before || sum > retention.max_bytes)
            {
                break;
            }
            keep_from = entry.sequence;
        }
        let before = data.log.len();
        data.log.retain(|place, _| place.sequence >= keep_from);
        Ok((before - data.log.len()) as u64)
    }

    async fn list_tenants(&self, after: Option<&TenantId>, limit: usize) -> Result<Vec<TenantId>> {
        let later = |tenant: &&TenantId| {
            after.is_none_or(|after| *tenant > after) && !self.is_deleted(tenant)
        };
        Ok(self
            .tenants
            .read()
            .keys()
            .filter(later)
            .take(limit)
            .cloned()
            .collect())
    }

    async fn close(&self) {}
}
