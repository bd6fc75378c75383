//! The latest writes that were read from the log, for those who watch: kept once for all of them, bounded in bytes.
//!
//! What waits for a watcher are notices, each with a weak reference to its write. Who is so late that the write is no longer
//! here reads it from the store. So watchers who do not keep up cost notices, however much is written meanwhile.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use profile_core::heap_size::shared_bytes;

use super::hub::Write;

/// Memory for the latest writes, of all tenants together.
const MAX_BYTES: usize = 8 << 20;

/// The latest writes.
#[derive(Debug)]
pub(super) struct Recent {
    max_bytes: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    writes: VecDeque<(Arc<Write>, usize)>,
    bytes: usize,
}

impl Default for Recent {
    fn default() -> Self {
        Self::new(MAX_BYTES)
    }
}

impl Recent {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { max_bytes, kept: Mutex::default() }
    }

    /// Keeps a write for a while; the last one at least until the next comes.
    pub(super) fn keep(&self, write: Write) -> Arc<Write> {
        let bytes = shared_bytes(&write);
        let write = Arc::new(write);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.writes.push_back((write.clone(), bytes));
        kept.bytes += bytes;
        while kept.bytes > self.max_bytes && kept.writes.len() > 1 {
            kept.bytes -= kept.writes.pop_front().map_or(0, |(_, bytes)| bytes);
        }
        write
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use profile_core::records::{Sequence, Timestamp};

    #[test]
    fn only_the_latest_writes_are_kept_and_the_last_one_always() {
        let recent = Recent::new(4096);
        let write = |sequence, keys| {
            let (sequence, time) = (Sequence(sequence), Timestamp::from_micros(0));
            Arc::downgrade(&recent.keep(Write { sequence, time, changes: Vec::new(), keys: vec![0; keys] }))
        };
        let writes: Vec<_> = (0..100).map(|sequence| write(sequence, 100)).collect();
        let there = writes.iter().filter(|write| write.upgrade().is_some()).count();
        assert_eq!(there, 4);
        let large = write(100, 10_000);
        assert!(large.upgrade().is_some() && writes.iter().all(|write| write.upgrade().is_none()));
    }
}
