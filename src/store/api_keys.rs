//! API keys: credentials that the command line makes, of which only a hash is kept.

use async_trait::async_trait;
use profile_core::records::{TenantId, Timestamp};

use super::Result;

/// The length of a secret's hash: SHA-256.
pub const HASH_BYTES: usize = 32;

/// An API key as it is stored. The secret is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredApiKey {
    /// Public: the first part of the key, by which it is found, logged and revoked.
    pub id: String,
    /// For people.
    pub name: String,
    /// SHA-256 of the secret.
    pub hash: [u8; HASH_BYTES],
    /// Tenants whose customers it may reach; at least one.
    pub tenants: Vec<TenantId>,
    /// Its scopes, by their names in the proto files.
    pub scopes: Vec<String>,
    /// The one purpose for which it may read.
    pub purpose: Option<String>,
    /// Its roles, as the models of its tenants declare them. Without any it sees everything.
    pub roles: Vec<String>,
    /// When it was made.
    pub create_time: Timestamp,
    /// When it ends by itself.
    pub expire_time: Option<Timestamp>,
    /// When it was revoked.
    pub revoke_time: Option<Timestamp>,
}

/// The store as keepers of API keys see it. Keys belong to the database, not to a tenant.
///
/// # Cancel safety
/// A write whose wait is dropped may be done or not. Each may be done again.
#[async_trait]
pub trait ApiKeys {
    /// All keys, revoked ones too, in order of creation, then of id.
    async fn list_api_keys(&self) -> Result<Vec<StoredApiKey>>;

    /// Stores a new key. Answers whether its id was free; if not, nothing was written.
    async fn record_api_key(&self, key: &StoredApiKey) -> Result<bool>;

    /// Revokes a key for ever. Answers whether there is one of this id; one that is revoked keeps
    /// the time of the first revocation.
    async fn revoke_api_key(&self, id: &str, time: Timestamp) -> Result<bool>;
}
