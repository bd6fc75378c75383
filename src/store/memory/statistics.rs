//! Statistics in memory.

use std::sync::PoisonError;

use async_trait::async_trait;
use profile_core::records::TenantId;

use super::MemoryStore;
use crate::store::{Population, Result};

#[async_trait]
impl Population for MemoryStore {
    async fn statistics(&self, tenant: &TenantId) -> Result<Option<String>> {
        Ok(self
            .statistics
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(tenant)
            .cloned())
    }

    async fn keep_statistics(&self, tenant: &TenantId, body: &str) -> Result<()> {
        self.statistics
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(tenant.clone(), body.to_owned());
        Ok(())
    }
}
