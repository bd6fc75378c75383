//! Room in the queue: bounded by statements and by bytes, so that neither many small nor a few large ones fill the memory.
//!
//! Calls and streams have a queue's room each. A stream waits for room, and whoever waits is served before whoever only
//! tries: in one room a few busy streams would keep every single call out.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::profile::Statement;

/// Bytes are counted by so many, to stay within a semaphore's numbers.
const GRAIN_BYTES: usize = 1024;

#[derive(Clone)]
pub(super) struct Room {
    statements: Bound,
    bytes: Bound,
}

/// A place in the queue; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    _statements: OwnedSemaphorePermit,
    _bytes: OwnedSemaphorePermit,
}

impl Room {
    pub(super) fn new(statements: usize, bytes: usize) -> Self {
        Self { statements: Bound::new(statements), bytes: Bound::new(bytes / GRAIN_BYTES) }
    }

    /// A place, if there is one now.
    pub(super) fn try_take(&self, statements: &[Statement]) -> Option<Place> {
        let statements_place = self.statements.try_take(statements.len())?;
        let bytes_place = self.bytes.try_take(weigh(statements) / GRAIN_BYTES)?;
        Some(Place { _statements: statements_place, _bytes: bytes_place })
    }

    /// A place, as soon as there is one; none when the queue is closed.
    pub(super) async fn take(&self, statements: &[Statement]) -> Option<Place> {
        let statements_place = self.statements.take(statements.len()).await?;
        let bytes_place = self.bytes.take(weigh(statements) / GRAIN_BYTES).await?;
        Some(Place { _statements: statements_place, _bytes: bytes_place })
    }
}

/// The size of statements in memory, in bytes.
pub(super) fn weigh(statements: &[Statement]) -> usize {
    statements.iter().map(Statement::size_bytes).sum()
}

#[derive(Clone)]
struct Bound {
    free: Arc<Semaphore>,
    all: usize,
}

impl Bound {
    fn new(all: usize) -> Self {
        let all = all.clamp(1, Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(all)), all }
    }

    /// What is larger than the whole bound takes all of it, and goes alone.
    fn permits(&self, wanted: usize) -> u32 {
        u32::try_from(wanted.clamp(1, self.all)).unwrap_or(u32::MAX)
    }

    fn try_take(&self, wanted: usize) -> Option<OwnedSemaphorePermit> {
        self.free.clone().try_acquire_many_owned(self.permits(wanted)).ok()
    }

    async fn take(&self, wanted: usize) -> Option<OwnedSemaphorePermit> {
        self.free.clone().acquire_many_owned(self.permits(wanted)).await.ok()
    }
}
