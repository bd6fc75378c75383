//! A connection as its streams see it, and what ends it.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::random;

/// Why the streams of a connection are to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The server stops.
    Draining,
    /// The connection has reached its maximum age.
    Aged,
}

/// What ends the connections of a server. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Stops {
    /// Asks all connections to go: no new calls, streams end, calls in work go on.
    pub draining: CancellationToken,
    /// Cuts off everything that is left.
    pub cut: CancellationToken,
    /// The tasks of connections and streams.
    pub tasks: TaskTracker,
}

/// One connection.
#[derive(Debug)]
pub struct Connection {
    id: u64,
    ending: CancellationToken,
    why: AtomicU8,
    /// Ends the tasks of the connection's streams.
    pub(super) cut: CancellationToken,
    streams: AtomicUsize,
    /// When the connection last had no stream anymore.
    idle_since: Mutex<Instant>,
}

impl Connection {
    pub(super) fn new(stops: &Stops) -> Self {
        Self {
            id: random(),
            ending: CancellationToken::new(),
            why: AtomicU8::new(Ended::Draining as u8),
            cut: stops.cut.child_token(),
            streams: AtomicUsize::new(0),
            idle_since: Mutex::new(Instant::now()),
        }
    }

    /// A number that no other connection has.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Waits until the streams of the connection are to end.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn ended(&self) -> Ended {
        self.ending.cancelled().await;
        if self.why.load(Ordering::Relaxed) == Ended::Aged as u8 {
            Ended::Aged
        } else {
            Ended::Draining
        }
    }

    pub(super) fn end(&self, why: Ended) {
        self.why.store(why as u8, Ordering::Relaxed);
        self.ending.cancel();
    }

    /// Since when the connection has had no stream; `None` while it has one.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let idle = self.streams.load(Ordering::Acquire) == 0;
        idle.then(|| {
            *self
                .idle_since
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        })
    }

    pub(super) fn stream_began(&self) {
        self.streams.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn stream_ended(&self) {
        *self
            .idle_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.streams.fetch_sub(1, Ordering::AcqRel);
    }
}
