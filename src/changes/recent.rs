//! The latest writes that were read from the log, for those who watch: kept once for all of them,
//! bounded in bytes.
//!
//! What waits for a watcher are numbers of writes. Who is so late that a write is no longer here
//! reads it from the store, [one after the other](Recent::late), and the others who are late find
//! it here. So watchers who do not keep up cost numbers, however much is written meanwhile.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use profile_core::heap_size::shared_bytes;
use profile_core::records::{Sequence, TenantId};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::fanout::Write;

/// Memory for the latest writes, of all tenants together.
const MAX_BYTES: usize = 8 << 20;
/// How many who are late read from the store at once.
const LATE_READS: usize = 2;

/// The latest writes.
#[derive(Debug)]
pub(super) struct Recent {
    max_bytes: usize,
    kept: Mutex<Kept>,
    late: Semaphore,
}

/// A tenant's write.
type Place = (TenantId, Sequence);

#[derive(Debug, Default)]
struct Kept {
    by_place: HashMap<Place, Arc<Write>>,
    /// In the order in which they came, with their size.
    order: VecDeque<(Place, usize)>,
    bytes: usize,
}

impl Default for Recent {
    fn default() -> Self {
        Self::new(MAX_BYTES)
    }
}

impl Recent {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            kept: Mutex::default(),
            late: Semaphore::new(LATE_READS),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a write for a while; the last one at least until the next comes.
    pub(super) fn keep(&self, tenant: &TenantId, write: Write) -> Arc<Write> {
        let place = (tenant.clone(), write.sequence);
        let bytes = shared_bytes(&write);
        let write = Arc::new(write);
        let mut kept = self.kept();
        if kept.by_place.insert(place.clone(), write.clone()).is_some() {
            return write;
        }
        kept.order.push_back((place, bytes));
        kept.bytes += bytes;
        while kept.bytes > self.max_bytes && kept.order.len() > 1 {
            if let Some((place, bytes)) = kept.order.pop_front() {
                kept.by_place.remove(&place);
                kept.bytes -= bytes;
            }
        }
        write
    }

    /// A write that is kept.
    pub(super) fn get(&self, tenant: &TenantId, sequence: Sequence) -> Option<Arc<Write>> {
        self.kept()
            .by_place
            .get(&(tenant.clone(), sequence))
            .cloned()
    }

    /// Forgets a tenant's writes: its log does not go on from them.
    pub(super) fn forget(&self, tenant: &TenantId) {
        let mut kept = self.kept();
        let gone: usize = kept
            .order
            .iter()
            .filter(|((of, _), _)| of == tenant)
            .map(|(_, bytes)| bytes)
            .sum();
        kept.order.retain(|((of, _), _)| of != tenant);
        kept.by_place.retain(|(of, _), _| of != tenant);
        kept.bytes -= gone;
    }

    /// The turn to read a write that is no longer kept. What is read at once for all who are late
    /// is bounded by it.
    pub(super) async fn late(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.late.acquire().await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use profile_core::records::Timestamp;

    #[test]
    fn only_the_latest_writes_are_kept_and_the_last_one_always() {
        let (recent, tenant) = (Recent::new(4096), TenantId::default());
        let write = |sequence, keys| {
            let (sequence, time) = (Sequence(sequence), Timestamp::from_micros(0));
            drop(recent.keep(
                &tenant,
                Write {
                    sequence,
                    time,
                    changes: Vec::new(),
                    keys: vec![0; keys],
                },
            ));
        };
        let there = |sequence| recent.get(&tenant, Sequence(sequence)).is_some();
        (0..100).for_each(|sequence| write(sequence, 100));
        assert_eq!(
            (0..100)
                .filter(|sequence| there(*sequence))
                .collect::<Vec<_>>(),
            [96, 97, 98, 99]
        );
        write(99, 100);
        write(100, 10_000);
        assert!(there(100) && !(0..100).any(there));
        recent.forget(&tenant);
        assert!(!there(100) && recent.kept().bytes == 0);
    }
}
