//! Many profiles at once: what the cache does not have is asked of the store set-wise, one query
//! for each kind of key.

use std::collections::BTreeMap;
use std::time::Instant;

use profile_core::records::{Identifier, ProfileId, RecordKey, TenantId};

use super::cache::{Cached, Entry, EntryKey};
use super::{
    Answer, Error, Found, Freshness, Holders, Key, Lookup, MAX_HOLDERS, Reader, Scope, lookup_key,
};
use crate::changes::CacheKey;
use crate::store;
use crate::telemetry::metrics::Cache as Looked;

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
        let mut scope = self.scope(tenant, freshness).await?;
        loop {
            let found = self.profiles_within(&scope, keys).await;
            let now = self.models.of(tenant).await?;
            if now.version <= scope.running.version {
                return found;
            }
            scope = self.scope(tenant, freshness).await?;
        }
    }

    async fn profiles_within(
        &self,
        scope: &Scope<'_>,
        keys: &[Key],
    ) -> Result<Vec<Result<Answer, Error>>, store::Error> {
        let lookups: Vec<Result<CacheKey, Error>> = keys
            .iter()
            .map(|key| lookup_key(&scope.running.model, key))
            .collect();
        let holders = self.lookups(scope, lookups.iter().flatten()).await?;
        let ids: Vec<Result<(ProfileId, Option<Lookup>), Error>> = lookups
            .into_iter()
            .map(|key| match key? {
                CacheKey::Id(id) => Ok((id, None)),
                key => match holders.get(&key) {
                    Some((holders, lookup)) => Ok((Holders(holders.clone()).one()?, Some(*lookup))),
                    None => Err(Error::NotFound),
                },
            })
            .collect();
        let entries = self
            .entries(scope, ids.iter().flatten().map(|(id, _)| *id))
            .await?;
        let found = |id: Result<(ProfileId, Option<Lookup>), Error>| {
            let (id, lookup) = id?;
            let found = entries.get(&id).cloned().ok_or(Error::NotFound)?;
            Ok(match lookup {
                Some(lookup) => found.through(lookup),
                None => found,
            })
        };
        let mut answers = Vec::with_capacity(keys.len());
        for (found, key) in ids.into_iter().map(found).zip(keys) {
            let wanted = lookup_key(&scope.running.model, key);
            answers.push(match (found, wanted) {
                (Ok(found), Ok(wanted)) if found.answers_to(&wanted) => self.answer(found, key),
                // Gone elsewhere between the two look-ups: rare, and then read by itself, at least
                // as current as what was seen.
                (Ok(found), Ok(_)) => {
                    let mut scope = scope.clone();
                    scope.need.sequence = scope.need.sequence.max(found.currency.shown);
                    self.profile_within(&scope, key).await
                }
                (Err(error), _) | (_, Err(error)) => Err(error),
            });
        }
        Ok(answers)
    }

    /// The profiles that identifiers and records lead to.
    async fn lookups<'a>(
        &self,
        scope: &Scope<'_>,
        keys: impl Iterator<Item = &'a CacheKey>,
    ) -> Result<BTreeMap<CacheKey, (Vec<ProfileId>, Lookup)>, store::Error> {
        let mut found = BTreeMap::new();
        let mut identifiers: Vec<(Identifier, EntryKey)> = Vec::new();
        let mut records: Vec<(RecordKey, EntryKey)> = Vec::new();
        for key in keys.filter(|key| !matches!(key, CacheKey::Id(_))) {
            let slot = self.slot(scope, key.clone());
            let entry = self
                .cached(scope, &slot)
                .await
                .map(|entry| scope.found(entry, true));
            if let Some(entry) = entry
                && let Cached::Holders(holders) = &entry.entry.value
            {
                self.metrics
                    .cache_read(Looked::Lookups, true, holders.is_empty());
                found.insert(key.clone(), (holders.clone(), entry.lookup()));
                continue;
            }
            self.metrics.cache_read(Looked::Lookups, false, false);
            match key {
                CacheKey::Identifier(identifier) => identifiers.push((identifier.clone(), slot)),
                CacheKey::Record(record) => records.push((record.clone(), slot)),
                CacheKey::Id(_) | CacheKey::Objects(..) => {}
            }
        }
        let (tenant, read_at) = (scope.tenant, Instant::now());
        let mut loaded = Vec::new();
        if !identifiers.is_empty() {
            let wanted: Vec<_> = identifiers
                .iter()
                .map(|(identifier, _)| identifier.clone())
                .collect();
            let answer = self
                .metrics
                .store(
                    "find_by_identifiers",
                    self.store.find_by_identifiers(tenant, &wanted, MAX_HOLDERS),
                )
                .await?;
            self.models
                .told(tenant, answer.model_version, &scope.running)
                .await?;
            let slots = identifiers.into_iter().map(|(_, slot)| slot);
            loaded.extend(
                slots
                    .zip(answer.value)
                    .map(|(slot, holders)| (slot, holders, answer.sequence)),
            );
        }
        if !records.is_empty() {
            let wanted: Vec<_> = records.iter().map(|(record, _)| record.clone()).collect();
            let answer = self
                .metrics
                .store(
                    "find_by_records",
                    self.store.find_by_records(tenant, &wanted),
                )
                .await?;
            self.models
                .told(tenant, answer.model_version, &scope.running)
                .await?;
            let slots = records.into_iter().map(|(_, slot)| slot);
            let holders = answer.value.into_iter().map(Vec::from_iter);
            loaded.extend(
                slots
                    .zip(holders)
                    .map(|(slot, holders)| (slot, holders, answer.sequence)),
            );
        }
        for (slot, holders, sequence) in loaded {
            let entry = Entry::as_of(Cached::Holders(holders.clone()), sequence, read_at);
            let entry = scope.need.proven(entry)?;
            self.cache.put(slot.clone(), entry.clone()).await;
            found.insert(slot.key, (holders, Found::now(entry).lookup()));
        }
        Ok(found)
    }

    /// What is in a slot, if it will do; while the database is away also if it is stale.
    async fn cached(&self, scope: &Scope<'_>, slot: &EntryKey) -> Option<Entry> {
        match self.cache.peek(slot, &scope.need).await {
            None if !self.follower.is_there() => self.cache.peek_stale(slot, &scope.need).await,
            found => found,
        }
    }

    /// The profiles under ids. Redirects are followed.
    async fn entries(
        &self,
        scope: &Scope<'_>,
        ids: impl Iterator<Item = ProfileId>,
    ) -> Result<BTreeMap<ProfileId, Found>, store::Error> {
        let mut found = BTreeMap::new();
        let mut missing: BTreeMap<ProfileId, EntryKey> = BTreeMap::new();
        for id in ids {
            let slot = self.slot(scope, CacheKey::Id(id));
            let entry = self.cached(scope, &slot).await;
            // A redirect is asked of the store like a missing entry: one read has both steps.
            if let Some(entry) = entry.filter(|entry| !matches!(entry.value, Cached::Redirect(_))) {
                self.metrics.cache_read(
                    Looked::Profiles,
                    true,
                    matches!(entry.value, Cached::Absent),
                );
                let entry = self.up_to_date(scope, &slot, entry).await;
                found.insert(id, scope.found(entry, true));
            } else {
                self.metrics.cache_read(Looked::Profiles, false, false);
                missing.insert(id, slot);
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        let read_at = Instant::now();
        let wanted: Vec<ProfileId> = missing.keys().copied().collect();
        let loaded = self
            .metrics
            .store("profiles", self.store.profiles(scope.tenant, &wanted))
            .await?;
        let running = self
            .models
            .told(scope.tenant, loaded.model_version, &scope.running)
            .await?;
        for ((id, slot), stored) in missing.into_iter().zip(loaded.value) {
            let value = match stored {
                Some(stored) => self.folded(stored, &running.model),
                None => Cached::Absent,
            };
            let entry = scope
                .need
                .proven(Entry::as_of(value, loaded.sequence, read_at))?;
            self.cache.put(slot, entry.clone().under(id)).await;
            found.insert(id, Found::now(entry));
        }
        Ok(found)
    }
}
