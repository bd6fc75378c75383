//! Counts of one port's connections.

use std::sync::atomic::{AtomicU64, Ordering};

/// Why the server closed a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// The port had its maximum number of connections.
    Refused,
    /// The client sent no HTTP in time.
    Silent,
    /// The TLS handshake failed.
    Handshake,
    /// The connection carried no call for long.
    Idle,
    /// The client took nothing of what was written to it.
    Deaf,
    /// The connection reached its maximum age.
    Aged,
    /// A newer connection took its place.
    Displaced,
    /// Calls were still running at the end of the grace.
    CutOff,
}

impl Closed {
    /// All reasons.
    pub const ALL: [Self; 8] = [
        Self::Refused,
        Self::Silent,
        Self::Handshake,
        Self::Idle,
        Self::Deaf,
        Self::Aged,
        Self::Displaced,
        Self::CutOff,
    ];

    /// The reason as a metric's label.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Silent => "silent",
            Self::Handshake => "handshake",
            Self::Idle => "idle",
            Self::Deaf => "deaf",
            Self::Aged => "aged",
            Self::Displaced => "displaced",
            Self::CutOff => "cut_off",
        }
    }
}

/// The number of open connections of a port, and of those that the server closed, by reason.
#[derive(Debug, Default)]
pub struct Tally {
    open: AtomicU64,
    failures: AtomicU64,
    closed: [AtomicU64; Closed::ALL.len()],
}

impl Tally {
    /// The number of open connections.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    /// The number of times that no connection could be accepted.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// The number of connections that the server closed for a reason.
    #[must_use]
    pub fn closed(&self, reason: Closed) -> u64 {
        self.closed[reason as usize].load(Ordering::Relaxed)
    }

    /// Counts a connection that the server closes.
    pub fn count(&self, reason: Closed) {
        self.closed[reason as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn opened(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn gone(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }
}
