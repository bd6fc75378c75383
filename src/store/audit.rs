//! The audit logs of the tenants: batches of entries, the tiles of their Merkle trees, and the
//! latest checkpoints. The store keeps bytes; [`audit`](crate::audit) knows what they mean.

use async_trait::async_trait;
use profile_core::records::{TenantId, Timestamp};

use super::Result;

/// The greatest number of entries of one batch.
pub const MAX_BATCH_ENTRIES: usize = 256;

/// How far a log is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditHead {
    /// How many entries it has.
    pub size: u64,
    /// The checkpoint of all of them. Empty while there are none.
    pub checkpoint: String,
}

/// A summary of a batch of entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditSpan {
    /// The place of the first entry.
    pub first: u64,
    /// How many entries there are: at most [`MAX_BATCH_ENTRIES`].
    pub count: u64,
    /// The least time of an entry.
    pub begin_time: Timestamp,
    /// The greatest time of an entry.
    pub end_time: Timestamp,
    /// Fingerprints of the customers that the entries speak of, four bytes each, in order.
    pub customers: Vec<u8>,
}

/// A batch of entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditBatch {
    /// The summary of its entries.
    pub span: AuditSpan,
    /// The entries, compressed.
    pub body: Vec<u8>,
}

/// A tile of a Merkle tree: up to 256 hashes side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditTile {
    /// Its level, and its place there.
    pub place: TilePlace,
    /// The hashes, 32 bytes each.
    pub hashes: Vec<u8>,
}

/// The place of a tile in a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TilePlace {
    /// 0: hashes of entries. Each hash of a level is the root of a full tile of the level below.
    pub level: u8,
    /// Its place in its level, from 0.
    pub number: u64,
}

/// An addition to a log, written as a whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditAppend {
    /// The size of the log before.
    pub after: u64,
    /// How far it is then.
    pub head: AuditHead,
    /// The new entries, in order.
    pub batches: Vec<AuditBatch>,
    /// Tiles that are new or have become wider.
    pub tiles: Vec<AuditTile>,
}

/// The store as keepers of audit logs see it.
///
/// # Cancel safety
/// An append whose wait is dropped may be done or not; the head tells.
#[async_trait]
pub trait AuditLogs {
    /// How far the log of a tenant is.
    async fn audit_head(&self, tenant: &TenantId) -> Result<AuditHead>;

    /// Appends to a log. Answers whether it still had the size that it is appended after; if not,
    /// nothing was written.
    async fn append_audit(&self, tenant: &TenantId, append: &AuditAppend) -> Result<bool>;

    /// Tiles by place, in any order; those that do not exist are left out.
    async fn audit_tiles(&self, tenant: &TenantId, places: &[TilePlace]) -> Result<Vec<AuditTile>>;

    /// The batches that hold one of the entries from one place up to another one, without it, in
    /// order.
    async fn audit_batches(
        &self,
        tenant: &TenantId,
        from: u64,
        before: u64,
    ) -> Result<Vec<AuditBatch>>;

    /// Summaries of batches, the latest first: those that begin before a place, at most `limit`.
    async fn audit_spans(
        &self,
        tenant: &TenantId,
        before: u64,
        limit: usize,
    ) -> Result<Vec<AuditSpan>>;
}
