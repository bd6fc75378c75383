//! Audit logs in memory.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use async_trait::async_trait;
use profile_core::records::TenantId;

use super::MemoryStore;
use crate::store::{
    AuditAppend, AuditBatch, AuditHead, AuditLogs, AuditSpan, AuditTile, Result, TilePlace,
};

/// The logs by tenant.
pub(super) type Kept = BTreeMap<TenantId, Log>;

#[derive(Default)]
pub(super) struct Log {
    head: AuditHead,
    /// By the place of the first entry.
    batches: BTreeMap<u64, AuditBatch>,
    tiles: BTreeMap<TilePlace, Vec<u8>>,
}

impl MemoryStore {
    fn audit(&self) -> MutexGuard<'_, Kept> {
        self.audit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_audit<T: Default>(&self, tenant: &TenantId, read: impl FnOnce(&Log) -> T) -> T {
        self.audit().get(tenant).map(read).unwrap_or_default()
    }
}

#[async_trait]
impl AuditLogs for MemoryStore {
    async fn audit_head(&self, tenant: &TenantId) -> Result<AuditHead> {
        Ok(self.read_audit(tenant, |log| log.head.clone()))
    }

    async fn append_audit(&self, tenant: &TenantId, append: &AuditAppend) -> Result<bool> {
        let mut logs = self.audit();
        let log = logs.entry(tenant.clone()).or_default();
        if log.head.size != append.after {
            return Ok(false);
        }
        log.head = append.head.clone();
        let batches = append.batches.iter().cloned();
        log.batches
            .extend(batches.map(|batch| (batch.span.first, batch)));
        let tiles = append.tiles.iter().cloned();
        log.tiles
            .extend(tiles.map(|tile| (tile.place, tile.hashes)));
        Ok(true)
    }

    async fn audit_tiles(&self, tenant: &TenantId, places: &[TilePlace]) -> Result<Vec<AuditTile>> {
        Ok(self.read_audit(tenant, |log| {
            let tile = |place: &TilePlace| {
                let hashes = log.tiles.get(place)?.clone();
                let place = *place;
                Some(AuditTile { place, hashes })
            };
            places.iter().filter_map(tile).collect()
        }))
    }

    async fn audit_batches(
        &self,
        tenant: &TenantId,
        from: u64,
        before: u64,
    ) -> Result<Vec<AuditBatch>> {
        Ok(self.read_audit(tenant, |log| {
            let begun = log.batches.range(..before).map(|(_, batch)| batch);
            let reaching = begun.filter(|batch| batch.span.first + batch.span.count > from);
            reaching.cloned().collect()
        }))
    }

    async fn audit_spans(
        &self,
        tenant: &TenantId,
        before: u64,
        limit: usize,
    ) -> Result<Vec<AuditSpan>> {
        Ok(self.read_audit(tenant, |log| {
            let begun = log.batches.range(..before).rev().take(limit);
            begun.map(|(_, batch)| batch.span.clone()).collect()
        }))
    }
}
