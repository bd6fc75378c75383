//! Many profiles at once: what the cache does not have is asked of the store set-wise, one query for each kind of key.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::cache::{Cached, Entry};
use super::{Answer, CacheKey, Error, Freshness, Holders, Key, MAX_HOLDERS, Reader, answer};
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
        let lookups: Vec<Result<CacheKey, Error>> = keys.iter().map(|key| self.lookup_key(key)).collect();
        let holders = self.lookups(tenant, lookups.iter().flatten(), freshness).await?;
        let ids: Vec<Result<ProfileId, Error>> = lookups
            .into_iter()
            .map(|key| match key? {
                CacheKey::Id(id) => Ok(id),
                key => Holders(holders.get(&key).cloned().unwrap_or_default()).one(),
            })
            .collect();
        let entries = self.entries(tenant, ids.iter().flatten().copied(), freshness).await?;
        let found = |(id, key): (Result<ProfileId, Error>, &Key)| {
            let (entry, cached) = entries.get(&id?).ok_or(Error::NotFound)?;
            answer(entry, *cached, key)
        };
        Ok(ids.into_iter().zip(keys).map(found).collect())
    }

    fn lookup_key(&self, key: &Key) -> Result<CacheKey, Error> {
        Ok(match key {
            Key::Id(id) => CacheKey::Id(*id),
            Key::Identifier(identifier) => CacheKey::Identifier(self.normalized(identifier)?),
            Key::Record(record) => CacheKey::Record(record.clone()),
        })
    }

    /// The profiles that identifiers and records lead to.
    async fn lookups<'a>(
        &self,
        tenant: &TenantId,
        keys: impl Iterator<Item = &'a CacheKey>,
        freshness: Freshness,
    ) -> Result<BTreeMap<CacheKey, Vec<ProfileId>>, store::Error> {
        let mut found = BTreeMap::new();
        let mut identifiers: Vec<(Identifier, u64)> = Vec::new();
        let mut records: Vec<(RecordKey, u64)> = Vec::new();
        for key in keys.filter(|key| !matches!(key, CacheKey::Id(_))) {
            let epoch = self.epochs.current(&(tenant, key));
            let entry = self.cache.peek(tenant, key.clone(), epoch, freshness).await;
            if let Some(Cached::Holders(holders)) = entry.map(|entry| entry.value) {
                self.metrics.cache_read("lookups", true, holders.is_empty());
                found.insert(key.clone(), holders);
                continue;
            }
            self.metrics.cache_read("lookups", false, false);
            match key {
                CacheKey::Identifier(identifier) => identifiers.push((identifier.clone(), epoch)),
                CacheKey::Record(record) => records.push((record.clone(), epoch)),
                CacheKey::Id(_) => {}
            }
        }
        let read_at = Instant::now();
        let mut loaded = Vec::new();
        if !identifiers.is_empty() {
            let wanted: Vec<_> = identifiers.iter().map(|(identifier, _)| identifier.clone()).collect();
            let answer = self
                .metrics
                .store("find_by_identifiers", self.store.find_by_identifiers(tenant, &wanted, MAX_HOLDERS))
                .await?;
            let keys = identifiers.into_iter().map(|(identifier, epoch)| (CacheKey::Identifier(identifier), epoch));
            loaded.extend(keys.zip(answer.value).map(|(key, holders)| (key, holders, answer.sequence)));
        }
        if !records.is_empty() {
            let wanted: Vec<_> = records.iter().map(|(record, _)| record.clone()).collect();
            let answer = self.metrics.store("find_by_records", self.store.find_by_records(tenant, &wanted)).await?;
            let keys = records.into_iter().map(|(record, epoch)| (CacheKey::Record(record), epoch));
            let holders = answer.value.into_iter().map(Vec::from_iter);
            loaded.extend(keys.zip(holders).map(|(key, holders)| (key, holders, answer.sequence)));
        }
        for ((key, epoch), holders, sequence) in loaded {
            let entry = Entry { value: Cached::Holders(holders.clone()), sequence, read_at }.proven(freshness)?;
            self.cache.put(tenant, key.clone(), epoch, entry).await;
            found.insert(key, holders);
        }
        Ok(found)
    }

    /// The profiles under ids, and whether they were in the cache. Redirects are followed.
    async fn entries(
        &self,
        tenant: &TenantId,
        ids: impl Iterator<Item = ProfileId>,
        freshness: Freshness,
    ) -> Result<BTreeMap<ProfileId, (Entry, bool)>, store::Error> {
        let mut found = BTreeMap::new();
        let mut missing: BTreeMap<ProfileId, u64> = BTreeMap::new();
        for id in ids {
            let key = CacheKey::Id(id);
            let epoch = self.epochs.current(&(tenant, &key));
            let entry = self.cache.peek(tenant, key, epoch, freshness).await;
            // A redirect is asked of the store like a missing entry: one read has both steps.
            if let Some(entry) = entry.filter(|entry| !matches!(entry.value, Cached::Redirect(_))) {
                self.metrics.cache_read("profiles", true, matches!(entry.value, Cached::Absent));
                found.insert(id, (entry, true));
            } else {
                self.metrics.cache_read("profiles", false, false);
                missing.insert(id, epoch);
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        let read_at = Instant::now();
        let wanted: Vec<ProfileId> = missing.keys().copied().collect();
        let loaded = self.metrics.store("profiles", self.store.profiles(tenant, &wanted)).await?;
        for ((id, epoch), stored) in missing.into_iter().zip(loaded.value) {
            let value = match stored {
                Some(stored) => Cached::Profile(Arc::new(fold(stored, &self.model))),
                None => Cached::Absent,
            };
            let entry = Entry { value, sequence: loaded.sequence, read_at }.proven(freshness)?;
            self.cache.put(tenant, CacheKey::Id(id), epoch, entry.clone().under(id)).await;
            found.insert(id, (entry, false));
        }
        Ok(found)
    }
}
