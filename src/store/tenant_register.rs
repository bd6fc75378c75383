//! The register of tenants: those that somebody has created. Servers that ask for credentials serve
//! no other one, so a mistyped name makes no tenant.

use async_trait::async_trait;
use profile_core::records::{TenantId, Timestamp};

use super::Result;

/// A tenant that somebody has created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredTenant {
    /// The name by which calls choose it.
    pub id: TenantId,
    /// When it was created; the last time, if its name was used before.
    pub create_time: Timestamp,
    /// When it was deleted. `None`: it is served.
    pub delete_time: Option<Timestamp>,
}

impl RegisteredTenant {
    /// Whether it is not deleted.
    #[must_use]
    pub fn is_served(&self) -> bool {
        self.delete_time.is_none()
    }
}

/// The store as keepers of tenants see it.
///
/// # Cancel safety
/// A write whose wait is dropped may be done or not. Each may be done again.
#[async_trait]
pub trait TenantRegister {
    /// All tenants of the register, deleted ones too, in order of name.
    async fn list_registered_tenants(&self) -> Result<Vec<RegisteredTenant>>;

    /// Creates a tenant, or one whose name was deleted. Answers whether it was not there.
    async fn create_tenant(&self, tenant: &TenantId, time: Timestamp) -> Result<bool>;

    /// Marks a tenant as deleted: servers refuse its calls from then on. Answers whether it was
    /// there.
    async fn mark_tenant_deleted(&self, tenant: &TenantId, time: Timestamp) -> Result<bool>;

    /// Deletes all that is known of a tenant's customers, its models and its settings, part by
    /// part. Its audit log stays, and the numbers and times of its writes: a tenant that is created
    /// again goes on from there. Answers how many rows went of which table; nothing once all have
    /// gone.
    async fn purge_tenant(&self, tenant: &TenantId) -> Result<Option<(String, u64)>>;
}
