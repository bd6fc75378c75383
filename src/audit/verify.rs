//! Verification: whether a log is what was written, and where it is not.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use super::checkpoint::Checkpoint;
use super::tree::{HASH_BYTES, LeafHash, TILE_WIDTH, Tree, leaf_hash};

/// The most findings that are kept; all are counted.
const MAX_FINDINGS: usize = 100;

/// An entry of a log as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// Its place in the log, from 0.
    pub index: u64,
    /// Its line of JSON, as it is stored.
    pub line: Vec<u8>,
}

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// An entry is not what was written at its place.
    Changed(u64),
    /// An entry is at the first place, and was written at the second one.
    Moved(u64, u64),
    /// There is no entry at this place.
    Missing(u64),
    /// Two entries are at one place, or one after the end.
    Superfluous(u64),
    /// The hashes of the entries from this place on are missing or cut off.
    HashesMissing(u64),
    /// The tree hash at this size is not that of the checkpoint of this size.
    OtherHash(u64),
    /// The log has fewer entries than a checkpoint covers.
    Shorter {
        /// How many it has.
        size: u64,
        /// How many the checkpoint covers.
        covered: u64,
    },
    /// A checkpoint is of another log.
    OtherLog(String),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(index) => write!(f, "entry {index} was changed"),
            Self::Moved(now, then) => write!(f, "entry {now} was written as entry {then}"),
            Self::Missing(index) => write!(f, "entry {index} is missing"),
            Self::Superfluous(index) => write!(f, "entry {index} was not written there"),
            Self::HashesMissing(index) => write!(f, "hashes from entry {index} on are missing"),
            Self::OtherHash(size) => {
                write!(
                    f,
                    "the first {size} entries are not those of the checkpoint"
                )
            }
            Self::Shorter { size, covered } => {
                write!(
                    f,
                    "it has {size} entries, and had {covered}: its end is cut off"
                )
            }
            Self::OtherLog(origin) => write!(f, "a checkpoint is of another log, `{origin}`"),
        }
    }
}

/// Verification of a log, which is read from its beginning to its end.
#[derive(Debug, Default)]
pub struct Verification {
    tree: Tree,
    /// Tree hashes that checkpoints name, by size.
    expected: BTreeMap<u64, Vec<LeafHash>>,
    origins: Vec<String>,
    findings: Vec<Finding>,
    count: u64,
    /// Hashes at places where another entry is now.
    displaced: HashMap<LeafHash, u64>,
    /// Entries that are not what was written at their places.
    foreign: Vec<(u64, LeafHash)>,
}

impl Verification {
    /// A verification against checkpoints that were kept elsewhere. Their signatures are the
    /// caller's part: see [`Keys::open`](super::Keys::open).
    #[must_use]
    pub fn new(kept: &[Checkpoint]) -> Self {
        let mut verification = Self::default();
        for checkpoint in kept {
            verification.expect(checkpoint);
        }
        verification
    }

    fn expect(&mut self, checkpoint: &Checkpoint) {
        let hashes = self.expected.entry(checkpoint.size).or_default();
        hashes.push(checkpoint.hash);
        self.origins.push(checkpoint.origin.clone());
    }

    /// Takes in the next tile: the hashes of its entries as they were written, and the entries as
    /// they are now. `is_last`: nothing follows.
    pub fn tile(&mut self, hashes: &[u8], leaves: &[Leaf], is_last: bool) {
        let first = self.tree.size();
        let (hashes, rest) = hashes.as_chunks::<HASH_BYTES>();
        let is_whole = rest.is_empty() && (is_last || hashes.len() as u64 == TILE_WIDTH);
        if !is_whole {
            self.find(Finding::HashesMissing(first + hashes.len() as u64));
        }
        let mut by_place: BTreeMap<u64, &Leaf> = BTreeMap::new();
        for leaf in leaves {
            let place = leaf.index.checked_sub(first);
            let is_within = place.is_some_and(|place| place < hashes.len() as u64);
            if !is_within || by_place.insert(leaf.index, leaf).is_some() {
                self.find(Finding::Superfluous(leaf.index));
            }
        }
        for (index, written) in (first..).zip(hashes) {
            match by_place.get(&index).map(|leaf| leaf_hash(&leaf.line)) {
                None => {
                    self.displaced.insert(*written, index);
                    self.find(Finding::Missing(index));
                }
                Some(hash) if hash != *written => {
                    self.displaced.insert(*written, index);
                    self.foreign.push((index, hash));
                }
                Some(_) => {}
            }
            self.tree.push(*written);
            if let Some(wanted) = self.expected.remove(&self.tree.size()) {
                self.compare(&wanted);
            }
        }
    }

    fn compare(&mut self, wanted: &[LeafHash]) {
        let hash = self.tree.hash();
        if wanted.iter().any(|wanted| *wanted != hash) {
            self.find(Finding::OtherHash(self.tree.size()));
        }
    }

    /// Ends with the checkpoint that the log has now. Answers how many entries were read, how much
    /// is wrong, and the first findings. No findings: the log is what was written.
    #[must_use]
    pub fn finish(mut self, now: Option<&Checkpoint>) -> (u64, u64, Vec<Finding>) {
        let size = self.tree.size();
        if let Some(now) = now {
            self.expect(now);
        }
        for (index, hash) in std::mem::take(&mut self.foreign) {
            let finding = match self.displaced.get(&hash) {
                Some(then) => Finding::Moved(index, *then),
                None => Finding::Changed(index),
            };
            self.find(finding);
        }
        for (covered, wanted) in std::mem::take(&mut self.expected) {
            if covered == size {
                self.compare(&wanted);
            } else if covered > size {
                self.find(Finding::Shorter { size, covered });
            }
        }
        // A server appends while it is read; of what a checkpoint covers nothing may be more.
        if now.is_some_and(|now| now.size < size) {
            self.find(Finding::Superfluous(now.map_or(0, |now| now.size)));
        }
        let origin = now
            .map(|now| now.origin.clone())
            .or_else(|| self.origins.first().cloned());
        for other in std::mem::take(&mut self.origins) {
            if Some(&other) != origin.as_ref() {
                self.find(Finding::OtherLog(other));
            }
        }
        (size, self.count, self.findings)
    }

    fn find(&mut self, finding: Finding) {
        self.count += 1;
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        }
    }
}

#[cfg(test)]
mod tests;
