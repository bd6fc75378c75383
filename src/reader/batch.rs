//! Many profiles at once: what the cache does not have is asked of the store set-wise, one query for each kind of key.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::cache::{Cached, Entry, Slot};
use super::{Answer, CacheKey, Error, Freshness, Holders, Key, MAX_HOLDERS, Reader, Scope, answer};
use crate::profile::{Identifier, ProfileId, RecordKey, TenantId, fold};
use crate::store;

impl Reader {
    /// Reads profiles, each with its own result, in the order of the keys.
    ///
    /// # Errors
    /// Those of the store; they concern all keys.
    pub async fn profiles(
        &self,
        tenant: &TenantId,
        keys: &[Key],
        freshness: Freshness,
    ) -> Result<Vec<Result<Answer, Error>>, store::Error> {
        let mut scope = self.scope(tenant).await?;
        loop {
            let found = self.profiles_within(&scope, keys, freshness).await;
            let now = self.scope(tenant).await?;
            if now.running.version <= scope.running.version {
                return found;
            }
            scope = now;
        }
    }

    async fn profiles_within(
        &self,
        scope: &Scope<'_>,
        keys: &[Key],
        freshness: Freshness,
    ) -> Result<Vec<Result<Answer, Error>>, store::Error> {
        let lookups: Vec<Result<CacheKey, Error>> = keys.iter().map(|key| scope.lookup_key(key)).collect();
        let holders = self.lookups(scope, lookups.iter().flatten(), freshness).await?;
        let ids: Vec<Result<ProfileId, Error>> = lookups
            .into_iter()
            .map(|key| match key? {
                CacheKey::Id(id) => Ok(id),
                key => Holders(holders.get(&key).cloned().unwrap_or_default()).one(),
            })
            .collect();
        let entries = self.entries(scope, ids.iter().flatten().copied(), freshness).await?;
        let found = |(id, key): (Result<ProfileId, Error>, &Key)| {
            let (entry, cached) = entries.get(&id?).ok_or(Error::NotFound)?;
            answer(entry, *cached, key)
        };
        Ok(ids.into_iter().zip(keys).map(found).collect())
    }

    /// The profiles that identifiers and records lead to.
    async fn lookups<'a>(
        &self,
        scope: &Scope<'_>,
        keys: impl Iterator<Item = &'a CacheKey>,
        freshness: Freshness,
    ) -> Result<BTreeMap<CacheKey, Vec<ProfileId>>, store::Error> {
        let mut found = BTreeMap::new();
        let mut identifiers: Vec<(Identifier, Slot)> = Vec::new();
        let mut records: Vec<(RecordKey, Slot)> = Vec::new();
        for key in keys.filter(|key| !matches!(key, CacheKey::Id(_))) {
            let slot = self.slot(scope, key.clone());
            let entry = self.cache.peek(&slot, freshness).await;
            if let Some(Cached::Holders(holders)) = entry.map(|entry| entry.value) {
                self.metrics.cache_read("lookups", true, holders.is_empty());
                found.insert(key.clone(), holders);
                continue;
            }
            self.metrics.cache_read("lookups", false, false);
            match key {
                CacheKey::Identifier(identifier) => identifiers.push((identifier.clone(), slot)),
                CacheKey::Record(record) => records.push((record.clone(), slot)),
                CacheKey::Id(_) => {}
            }
        }
        let (tenant, read_at) = (scope.tenant, Instant::now());
        let mut loaded = Vec::new();
        if !identifiers.is_empty() {
            let wanted: Vec<_> = identifiers.iter().map(|(identifier, _)| identifier.clone()).collect();
            let answer = self
                .metrics
                .store("find_by_identifiers", self.store.find_by_identifiers(tenant, &wanted, MAX_HOLDERS))
                .await?;
            self.models.told(tenant, answer.model_version, &scope.running).await?;
            let slots = identifiers.into_iter().map(|(_, slot)| slot);
            loaded.extend(slots.zip(answer.value).map(|(slot, holders)| (slot, holders, answer.sequence)));
        }
        if !records.is_empty() {
            let wanted: Vec<_> = records.iter().map(|(record, _)| record.clone()).collect();
            let answer = self.metrics.store("find_by_records", self.store.find_by_records(tenant, &wanted)).await?;
            self.models.told(tenant, answer.model_version, &scope.running).await?;
            let slots = records.into_iter().map(|(_, slot)| slot);
            let holders = answer.value.into_iter().map(Vec::from_iter);
            loaded.extend(slots.zip(holders).map(|(slot, holders)| (slot, holders, answer.sequence)));
        }
        for (slot, holders, sequence) in loaded {
            let entry = Entry { value: Cached::Holders(holders.clone()), sequence, read_at }.proven(freshness)?;
            found.insert(slot.key.clone(), holders);
            self.cache.put(slot, entry).await;
        }
        Ok(found)
    }

    /// The profiles under ids, and whether they were in the cache. Redirects are followed.
    async fn entries(
        &self,
        scope: &Scope<'_>,
        ids: impl Iterator<Item = ProfileId>,
        freshness: Freshness,
    ) -> Result<BTreeMap<ProfileId, (Entry, bool)>, store::Error> {
        let mut found = BTreeMap::new();
        let mut missing: BTreeMap<ProfileId, Slot> = BTreeMap::new();
        for id in ids {
            let slot = self.slot(scope, CacheKey::Id(id));
            let entry = self.cache.peek(&slot, freshness).await;
            // A redirect is asked of the store like a missing entry: one read has both steps.
            if let Some(entry) = entry.filter(|entry| !matches!(entry.value, Cached::Redirect(_))) {
                self.metrics.cache_read("profiles", true, matches!(entry.value, Cached::Absent));
                found.insert(id, (entry, true));
            } else {
                self.metrics.cache_read("profiles", false, false);
                missing.insert(id, slot);
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        let read_at = Instant::now();
        let wanted: Vec<ProfileId> = missing.keys().copied().collect();
        let loaded = self.metrics.store("profiles", self.store.profiles(scope.tenant, &wanted)).await?;
        let running = self.models.told(scope.tenant, loaded.model_version, &scope.running).await?;
        for ((id, slot), stored) in missing.into_iter().zip(loaded.value) {
            let value = match stored {
                Some(stored) => Cached::Profile(Arc::new(fold(stored, &running.model))),
                None => Cached::Absent,
            };
            let entry = Entry { value, sequence: loaded.sequence, read_at }.proven(freshness)?;
            self.cache.put(slot, entry.clone().under(id)).await;
            found.insert(id, (entry, false));
        }
        Ok(found)
    }
}
