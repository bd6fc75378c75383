//! Epochs: how a cache entry is known to be old.
//!
//! Each cache key has an epoch, a number outside the cache. A writer bumps it after its commit; a reader takes it
//! *before* it asks the store and looks up (key, epoch). So an entry that was loaded before a write can never be hit after
//! that write was answered, whatever loads, writes and evictions run at once: the key it was stored under is no longer
//! asked for, and it falls out of the cache unused. Removing entries from the cache instead would lose that race.
//!
//! Epochs are striped: keys of one stripe share a number, which costs a needless miss now and then, and bounds memory.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// How many stripes: 2 MiB of numbers. With a million cached keys, a write makes four of them load again.
const STRIPES: usize = 1 << 18;

/// The epochs of all cache keys of one process.
#[derive(Debug)]
pub struct Epochs {
    stripes: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl Default for Epochs {
    fn default() -> Self {
        Self { stripes: (0..STRIPES).map(|_| AtomicU64::new(0)).collect(), hasher: RandomState::new() }
    }
}

impl Epochs {
    /// The epoch of a key. Take it before reading the store.
    pub fn current(&self, key: &impl Hash) -> u64 {
        self.stripe(key).load(Ordering::SeqCst)
    }

    /// Makes all that is cached of a key old. Call it after the commit, before the write is answered.
    pub fn bump(&self, key: &impl Hash) {
        self.stripe(key).fetch_add(1, Ordering::SeqCst);
    }

    fn stripe(&self, key: &impl Hash) -> &AtomicU64 {
        let hash = self.hasher.hash_one(key);
        &self.stripes[usize::try_from(hash % STRIPES as u64).unwrap_or(0)]
    }
}
