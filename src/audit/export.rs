//! Reading a whole log, tile after tile.

use profile_core::records::TenantId;

use super::batch::lines;
use super::tree::{HASH_BYTES, TILE_WIDTH};
use super::verify::Leaf;
use crate::store::{Result, Store, TilePlace};

/// Up to 256 entries, those under one tile of hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeafTile {
    /// The place of the first entry.
    pub first: u64,
    /// The hashes of the entries as they were written, 32 bytes each.
    pub hashes: Vec<u8>,
    /// The entries as they are now.
    pub leaves: Vec<Leaf>,
    /// The place of the next tile. `None`: this is the last one.
    pub next: Option<u64>,
}

/// Reads the tile that begins at a place, of a log of a size.
///
/// # Errors
/// Those of the store.
///
/// # Cancel safety
/// Nothing is lost.
pub async fn read_tile(
    store: &dyn Store,
    tenant: &TenantId,
    first: u64,
    size: u64,
) -> Result<LeafTile> {
    let end = size.min(first + TILE_WIDTH);
    let place = TilePlace {
        level: 0,
        number: first / TILE_WIDTH,
    };
    let tiles = store.audit_tiles(tenant, &[place]).await?;
    let hashes = tiles.into_iter().next().map(|tile| tile.hashes);
    let mut hashes = hashes.unwrap_or_default();
    // It may have become wider since.
    hashes.truncate(usize::try_from(end - first).unwrap_or_default() * HASH_BYTES);
    let mut leaves = Vec::new();
    for batch in store.audit_batches(tenant, first, end).await? {
        // A batch that cannot be read has no entries: the hashes tell.
        let numbered = (batch.span.first..).zip(lines(&batch).unwrap_or_default());
        let within = numbered.filter(|(index, _)| (first..end).contains(index));
        leaves.extend(within.map(|(index, line)| Leaf { index, line }));
    }
    Ok(LeafTile {
        first,
        hashes,
        leaves,
        next: (end < size).then_some(end),
    })
}
