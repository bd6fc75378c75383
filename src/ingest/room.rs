//! Room in the queue: bounded by statements and by bytes, so that neither many small nor a few
//! large ones fill the memory.
//!
//! Calls and streams have a queue's room each. A stream waits for room, and whoever waits is served
//! before whoever only tries: in one room a few busy streams would keep every single call out. When
//! the room of calls is full, some more is kept for callers that hold less than their share.

use std::sync::{Arc, Mutex, PoisonError};

use profile_core::records::Statement;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::lanes::{Caller, Shares};

/// Bytes are counted by so many, to stay within a semaphore's numbers.
const GRAIN_BYTES: usize = 1024;

#[derive(Clone)]
pub(super) struct AdmissionQueue {
    statements: Bound,
    bytes: Bound,
}

/// A place in the queue; given back when it is dropped.
#[derive(Debug)]
pub(super) enum Permit {
    /// Of a stream.
    Stream {
        _statements: OwnedSemaphorePermit,
        _bytes: OwnedSemaphorePermit,
    },
    /// Of a call.
    Call(#[expect(dead_code, reason = "it is there to be dropped")] Held),
}

impl AdmissionQueue {
    pub(super) fn new(statements: usize, bytes: usize) -> Self {
        Self {
            statements: Bound::new(statements),
            bytes: Bound::new(bytes / GRAIN_BYTES),
        }
    }

    /// A place, as soon as there is one; none when the queue is closed.
    pub(super) async fn take(&self, statements: &[Statement]) -> Option<Permit> {
        let statements_place = self.statements.take(statements.len()).await?;
        let bytes_place = self.bytes.take(weigh(statements) / GRAIN_BYTES).await?;
        Some(Permit::Stream {
            _statements: statements_place,
            _bytes: bytes_place,
        })
    }
}

/// The room of calls.
#[derive(Clone)]
pub(super) struct CallAdmission(Arc<Mutex<Taken>>);

#[derive(Debug)]
struct Taken {
    statements: Shares,
    bytes: Shares,
}

/// What one call has taken.
#[derive(Debug)]
pub(super) struct Held {
    room: Arc<Mutex<Taken>>,
    caller: Caller,
    statements: usize,
    bytes: usize,
}

impl CallAdmission {
    pub(super) fn new(statements: usize, bytes: usize) -> Self {
        let (statements, bytes) = (Shares::new(statements), Shares::new(bytes / GRAIN_BYTES));
        Self(Arc::new(Mutex::new(Taken { statements, bytes })))
    }

    /// A place for a caller, if there is one now.
    pub(super) fn try_take(&self, caller: Caller, statements: &[Statement]) -> Option<Permit> {
        let (count, bytes) = (statements.len(), weigh(statements).div_ceil(GRAIN_BYTES));
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !taken.statements.try_take(caller, count) {
            return None;
        }
        if !taken.bytes.try_take(caller, bytes) {
            taken.statements.give_back(caller, count);
            return None;
        }
        drop(taken);
        Some(Permit::Call(Held {
            room: self.0.clone(),
            caller,
            statements: count,
            bytes,
        }))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut taken = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        taken.statements.give_back(self.caller, self.statements);
        taken.bytes.give_back(self.caller, self.bytes);
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
        Self {
            free: Arc::new(Semaphore::new(all)),
            all,
        }
    }

    /// What is larger than the whole bound takes all of it, and goes alone.
    fn permits(&self, wanted: usize) -> u32 {
        u32::try_from(wanted.clamp(1, self.all)).unwrap_or(u32::MAX)
    }

    async fn take(&self, wanted: usize) -> Option<OwnedSemaphorePermit> {
        self.free
            .clone()
            .acquire_many_owned(self.permits(wanted))
            .await
            .ok()
    }
}
