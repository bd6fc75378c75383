//! Many keys at once: what the cache does not have is gathered from the store set-wise. Then each
//! key is read by the path of a single read, which finds all of it gathered.

use std::collections::{BTreeMap, BTreeSet};

use super::cache::{Cached, Entry, EntryKey};
use super::key::lookup_key;
use super::{Answer, Error, Found, Key, Reader, Scope};
use crate::changes::CacheKey;
use crate::store;

/// What was found for the keys of a batch. Under an id is the profile itself, never a redirect.
/// Empty, it takes no memory: a single read has gathered nothing.
#[derive(Default)]
pub(super) struct Gathered(BTreeMap<CacheKey, Found>);

impl Gathered {
    pub(super) fn get(&self, key: &CacheKey) -> Option<&Found> {
        self.0.get(key)
    }

    /// The profiles that the look-ups lead to, where it is one.
    fn holders(&self) -> BTreeSet<CacheKey> {
        let holders = self.0.values().filter_map(|found| found.only_holder().ok());
        holders.map(CacheKey::Id).collect()
    }
}

impl Reader {
    /// Reads the profiles that keys lead to, in the order of the keys.
    pub(super) async fn read_keys(
        &self,
        scope: &Scope<'_>,
        keys: &[Key],
    ) -> Result<Vec<Result<Answer, Error>>, store::Error> {
        let wanted = keys
            .iter()
            .filter_map(|key| lookup_key(&scope.active.model, key).ok());
        let (mut ids, lookups): (BTreeSet<CacheKey>, BTreeSet<CacheKey>) =
            wanted.partition(|key| matches!(key, CacheKey::Id(_)));
        let mut gathered = Gathered::default();
        self.gather(scope, lookups, &mut gathered).await?;
        ids.append(&mut gathered.holders());
        self.gather(scope, ids, &mut gathered).await?;
        let mut answers = Vec::with_capacity(keys.len());
        for key in keys {
            answers.push(self.read_key(scope, key, &gathered).await);
        }
        Ok(answers)
    }

    /// Gathers the entries of keys: from the cache, or else from the store.
    async fn gather(
        &self,
        scope: &Scope<'_>,
        keys: BTreeSet<CacheKey>,
        gathered: &mut Gathered,
    ) -> Result<(), store::Error> {
        let mut missing: BTreeMap<CacheKey, EntryKey> = BTreeMap::new();
        for key in keys {
            let slot = self.slot(scope, key.clone());
            if let Some(entry) = self.cached(scope, &slot).await {
                let found = self.found(scope, &slot, entry, true).await;
                gathered.0.insert(key, found);
            } else {
                missing.insert(key, slot);
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        for (key, entry) in self.load(scope, missing.keys()).await? {
            let entry = scope.requirement.proven(entry)?;
            if let Some(slot) = missing.remove(&key) {
                let kept = entry.clone().under(&key);
                let found = self.found(scope, &slot, entry, false).await;
                self.cache.put(slot, kept).await;
                gathered.0.insert(key, found);
            }
        }
        Ok(())
    }

    /// The entry in a slot, if it meets the requirement; while the database is unavailable also a
    /// stale one. A redirect counts as missing: one read of the store has both steps.
    async fn cached(&self, scope: &Scope<'_>, slot: &EntryKey) -> Option<Entry> {
        let entry = match self.cache.peek(slot, &scope.requirement).await {
            None if !self.follower.is_there() => {
                self.cache.peek_stale(slot, &scope.requirement).await
            }
            entry => entry,
        };
        entry.filter(|entry| !matches!(entry.value, Cached::Redirect(_)))
    }
}
