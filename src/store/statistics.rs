//! What the store keeps of a population: what was computed of all customers.
//!
//! Statistics are told by nothing else and can be computed anew at any time, so they are written
//! beside the tenant's turn: whoever writes last is right.

use async_trait::async_trait;
use profile_core::records::TenantId;

use super::Result;

/// The store as those see it who compute something of all customers.
///
/// # Cancel safety
/// A write whose wait is dropped may be done or not. It may be done again.
#[async_trait]
pub trait Population {
    /// The statistics that were kept last, as they were written.
    async fn statistics(&self, tenant: &TenantId) -> Result<Option<String>>;

    /// Keeps statistics, in place of those before.
    async fn keep_statistics(&self, tenant: &TenantId, body: &str) -> Result<()>;
}
