//! Epochs: how a cache entry is known to be old.
//!
//! Each cache key has an epoch, a number outside the cache. A writer bumps it after its commit; a
//! reader takes it *before* it asks the store and looks up (key, epoch). So an entry that was
//! loaded before a write can never be hit after that write was answered, whatever loads, writes and
//! evictions run at once: the key it was stored under is no longer asked for, and it falls out of
//! the cache unused. Removing entries from the cache instead would lose that race.
//!
//! Epochs are striped: keys of one stripe share a number, which costs a needless miss now and then,
//! and bounds memory.

use std::sync::atomic::{AtomicU64, Ordering};

/// How many stripes: 2 MiB of numbers. With a million cached keys, a write makes four of them load
/// again.
const STRIPES: usize = 1 << 18;

/// The epochs of all cache keys of one process.
#[derive(Debug)]
pub struct Epochs {
    stripes: Box<[AtomicU64]>,
}

impl Default for Epochs {
    fn default() -> Self {
        Self {
            stripes: (0..STRIPES).map(|_| AtomicU64::new(0)).collect(),
        }
    }
}

impl Epochs {
    /// The epoch of the key with this [digest](super::CacheKey::digest). Take it before reading the
    /// store.
    #[must_use]
    pub fn current(&self, digest: u64) -> u64 {
        self.stripe(digest).load(Ordering::SeqCst)
    }

    /// Makes all that is cached of a key old. Call it after the commit, before the write is
    /// answered.
    pub fn bump(&self, digest: u64) {
        self.stripe(digest).fetch_add(1, Ordering::SeqCst);
    }

    fn stripe(&self, digest: u64) -> &AtomicU64 {
        &self.stripes[usize::try_from(digest % STRIPES as u64).unwrap_or(0)]
    }
}
