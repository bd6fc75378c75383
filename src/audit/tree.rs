//! The Merkle tree of a log, as far as appending needs it: the right edge.
//!
//! The tree is that of RFC 6962 over SHA-256, in tiles of 256 hashes side by side. A full tile
//! never changes again, and its root is one hash of the level above; so the tree hash and each
//! append need the last, unfinished tile of each level alone.

use tlog_tiles::{EMPTY_HASH, Error, Hash, HashReader, Tile, record_hash, tree_hash};

use crate::store::{AuditTile, TilePlace};

/// The height of tiles: 2⁸ hashes side by side.
const TILE_HEIGHT: u8 = 8;
/// The hashes of a full tile.
pub(super) const TILE_WIDTH: u64 = 256;
/// The bytes of a full tile.
const TILE_BYTES: usize = 256 * HASH_BYTES;
/// The length of a hash in bytes.
pub(super) const HASH_BYTES: usize = 32;

/// The hash of an entry, or of a tree.
pub type LeafHash = [u8; HASH_BYTES];

/// The tiles of a log do not belong to its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the hashes of the audit log are not complete: they were changed")]
pub struct TreeError;

/// The hash of an entry.
#[must_use]
pub fn leaf_hash(line: &[u8]) -> LeafHash {
    record_hash(line).0
}

/// The right edge of a tree.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    size: u64,
    /// The hashes of the unfinished tile of each level.
    edge: Vec<Vec<u8>>,
    /// Tiles that were finished since they were last taken.
    finished: Vec<AuditTile>,
}

impl Tree {
    /// The tiles that a tree of a size is opened with.
    pub(super) fn edge_places(size: u64) -> Vec<TilePlace> {
        (0..levels(size))
            .filter(|level| width(size, *level) > 0)
            .map(|level| place(size, level))
            .collect()
    }

    /// A tree of a size, of its tiles at [`edge_places`](Self::edge_places). Wider tiles are
    /// taken as far as they belong to it.
    pub(super) fn open(size: u64, tiles: &[AuditTile]) -> Result<Self, TreeError> {
        let mut edge = Vec::new();
        for level in 0..levels(size) {
            let wanted = usize::try_from(width(size, level)).map_err(|_| TreeError)? * HASH_BYTES;
            let at = place(size, level);
            let tile = tiles.iter().find(|tile| tile.place == at);
            let hashes = match (wanted, tile) {
                (0, _) => Vec::new(),
                (wanted, Some(tile)) => tile.hashes.get(..wanted).ok_or(TreeError)?.to_vec(),
                (_, None) => return Err(TreeError),
            };
            edge.push(hashes);
        }
        Ok(Self {
            size,
            edge,
            finished: Vec::new(),
        })
    }

    /// How many entries it has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends an entry by its hash.
    pub fn push(&mut self, leaf: LeafHash) {
        let mut hash = leaf;
        for level in 0_u8.. {
            let at = usize::from(level);
            if self.edge.len() <= at {
                self.edge.push(Vec::new());
            }
            let hashes = &mut self.edge[at];
            hashes.extend_from_slice(&hash);
            if hashes.len() < TILE_BYTES {
                break;
            }
            hash = Tile::subtree_hash(hashes).0;
            let place = place(self.size, level);
            let hashes = std::mem::take(hashes);
            self.finished.push(AuditTile { place, hashes });
        }
        self.size += 1;
    }

    /// The hash of the whole tree.
    #[must_use]
    pub fn hash(&self) -> LeafHash {
        // Every hash that is asked for is in the edge: it is one of a full subtree whose right
        // neighbour is not full.
        tree_hash(self.size, self).unwrap_or(EMPTY_HASH).0
    }

    /// The tiles that are new or wider since a size: those that were finished, and the edge.
    pub(super) fn take_changed(&mut self, since: u64) -> Vec<AuditTile> {
        let mut changed = std::mem::take(&mut self.finished);
        for (level, hashes) in (0_u8..).zip(&self.edge) {
            let has_changed = place(self.size, level) != place(since, level)
                || width(self.size, level) != width(since, level);
            if has_changed && !hashes.is_empty() {
                changed.push(AuditTile {
                    place: place(self.size, level),
                    hashes: hashes.clone(),
                });
            }
        }
        changed
    }
}

impl HashReader for Tree {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        let read = |index: &u64| {
            let tile = Tile::from_index(TILE_HEIGHT, *index);
            let hashes = self.edge.get(usize::from(tile.level()));
            let hashes =
                hashes.filter(|_| tile.level_index() == place(self.size, tile.level()).number);
            tile.hash_at_index(hashes.ok_or(Error::InvalidTile)?, *index)
        };
        indexes.iter().map(read).collect()
    }
}

/// How many levels a tree has.
fn levels(size: u64) -> u8 {
    (0_u8..8)
        .find(|level| above(size, *level) == 0)
        .unwrap_or(8)
}

/// The hashes of a level.
fn above(size: u64, level: u8) -> u64 {
    size.checked_shr(u32::from(level) * u32::from(TILE_HEIGHT))
        .unwrap_or(0)
}

/// The place of the unfinished tile of a level.
fn place(size: u64, level: u8) -> TilePlace {
    let number = above(size, level) / TILE_WIDTH;
    TilePlace { level, number }
}

/// How many hashes the unfinished tile of a level has.
fn width(size: u64, level: u8) -> u64 {
    above(size, level) % TILE_WIDTH
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// RFC 6962, section 2.1, as it is written there.
    fn by_definition(leaves: &[LeafHash]) -> LeafHash {
        match leaves {
            [] => EMPTY_HASH.0,
            [one] => *one,
            many => {
                let half = many.len().next_power_of_two() / 2;
                let (left, right) = many.split_at(half);
                let (left, right) = (Hash(by_definition(left)), Hash(by_definition(right)));
                tlog_tiles::node_hash(left, right).0
            }
        }
    }

    #[test]
    fn the_tree_hash_is_that_of_the_definition_at_every_size() {
        let leaves: Vec<_> = (0..700_u32).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        let mut tree = Tree::default();
        assert_eq!(tree.hash(), by_definition(&[]));
        for (before, leaf) in leaves.iter().enumerate() {
            tree.push(*leaf);
            assert_eq!(tree.hash(), by_definition(&leaves[..=before]), "{before}");
        }
    }

    #[test]
    fn a_tree_is_opened_from_the_tiles_that_appends_have_left() {
        let mut stored: BTreeMap<TilePlace, Vec<u8>> = BTreeMap::new();
        let mut tree = Tree::default();
        let mut size = 0;
        // Tiles and levels end within some of them, and with others.
        for count in [1, 254, 1, 1, 300, 65_000 - 557, 536, 1, 700] {
            (size..size + count).for_each(|n: u64| tree.push(leaf_hash(&n.to_be_bytes())));
            for tile in tree.take_changed(size) {
                stored.insert(tile.place, tile.hashes);
            }
            size += count;
            let tiles: Vec<_> = Tree::edge_places(size)
                .into_iter()
                .filter_map(|place| {
                    let hashes = stored.get(&place)?.clone();
                    Some(AuditTile { place, hashes })
                })
                .collect();
            let opened = Tree::open(size, &tiles).unwrap();
            assert_eq!(
                (opened.size(), opened.hash()),
                (size, tree.hash()),
                "{size}"
            );
            tree = opened;
        }
        assert_eq!(Tree::open(size, &[]).err(), Some(TreeError));
    }
}
