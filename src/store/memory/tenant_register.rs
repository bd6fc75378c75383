//! The register of tenants in memory.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use async_trait::async_trait;
use profile_core::records::{Sequence, TenantId, Timestamp};

use super::MemoryStore;
use super::data::Data;
use crate::store::{RegisteredTenant, Result, TenantRegister};

/// The register by name.
pub(super) type Kept = BTreeMap<TenantId, RegisteredTenant>;

/// The register of a new store.
pub(super) fn new() -> Kept {
    let default = RegisteredTenant {
        id: TenantId::default(),
        create_time: Timestamp::default(),
        delete_time: None,
    };
    BTreeMap::from([(default.id.clone(), default)])
}

impl MemoryStore {
    fn register(&self) -> MutexGuard<'_, Kept> {
        self.register.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_deleted(&self, tenant: &TenantId) -> bool {
        let register = self.register();
        let known = register.get(tenant);
        known.is_some_and(|known| !known.is_served())
    }
}

#[async_trait]
impl TenantRegister for MemoryStore {
    async fn list_registered_tenants(&self) -> Result<Vec<RegisteredTenant>> {
        Ok(self.register().values().cloned().collect())
    }

    async fn create_tenant(&self, tenant: &TenantId, time: Timestamp) -> Result<bool> {
        let mut register = self.register();
        if (register.get(tenant)).is_some_and(RegisteredTenant::is_served) {
            return Ok(false);
        }
        let created = RegisteredTenant {
            id: tenant.clone(),
            create_time: time,
            delete_time: None,
        };
        register.insert(tenant.clone(), created);
        Ok(true)
    }

    async fn mark_tenant_deleted(&self, tenant: &TenantId, time: Timestamp) -> Result<bool> {
        let mut register = self.register();
        let known = register.get_mut(tenant);
        let known = known.filter(|known| known.is_served());
        Ok(known.map(|known| known.delete_time = Some(time)).is_some())
    }

    async fn purge_tenant(&self, tenant: &TenantId) -> Result<Option<(String, u64)>> {
        let mut tenants = self.tenants.write();
        let data = tenants.get_mut(tenant);
        let data = data.filter(|data| data.model_version() != 0);
        let gone = data.map(|data| {
            let sequence = Sequence(data.sequence.0 + 1);
            *data = Data {
                sequence,
                ..Data::default()
            };
        });
        drop(tenants);
        let statistics = self.statistics.lock();
        statistics
            .unwrap_or_else(PoisonError::into_inner)
            .remove(tenant);
        Ok(gone.map(|()| ("tenant".to_owned(), 1)))
    }
}
