//! API keys in memory.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use async_trait::async_trait;
use profile_core::records::Timestamp;

use super::MemoryStore;
use crate::store::{ApiKeys, Result, StoredApiKey};

/// All keys by id.
pub(super) type Kept = BTreeMap<String, StoredApiKey>;

impl MemoryStore {
    fn api_keys(&self) -> MutexGuard<'_, Kept> {
        self.api_keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ApiKeys for MemoryStore {
    async fn list_api_keys(&self) -> Result<Vec<StoredApiKey>> {
        let mut keys: Vec<_> = self.api_keys().values().cloned().collect();
        keys.sort_by_key(|key| key.create_time);
        Ok(keys)
    }

    async fn record_api_key(&self, key: &StoredApiKey) -> Result<bool> {
        let mut keys = self.api_keys();
        let is_free = !keys.contains_key(&key.id);
        if is_free {
            keys.insert(key.id.clone(), key.clone());
        }
        Ok(is_free)
    }

    async fn revoke_api_key(&self, id: &str, time: Timestamp) -> Result<bool> {
        Ok(self
            .api_keys()
            .get_mut(id)
            .map(|key| key.revoke_time.get_or_insert(time))
            .is_some())
    }
}
