//! Who wants to be told what, of one tenant.
//!
//! The log is read once for all who watch. Each is found by the cache keys that a write makes old
//! and by the profiles that it changes, so a write costs what it concerns, not what is watched.
//! Nobody is waited for: who does not take what is told is cut off when too much is waiting, and
//! goes on from the log.

mod subscription;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use profile_core::heap_size::heap_size;
use profile_core::records::{Sequence, TenantId, Timestamp};
use tokio::sync::mpsc;

use super::key::CacheKey;
use super::recent::Recent;
use crate::store::{LogEntry, LogPosition, ProfileChange};

pub(crate) use subscription::Subscription;

/// How many parts of the log are read at once for a watcher that is late.
const PARTS: usize = 4;

/// All that one write changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Write {
    /// The write.
    pub sequence: Sequence,
    /// When it was.
    pub time: Timestamp,
    /// What changed, profile by profile.
    pub changes: Vec<ProfileChange>,
    /// The cache keys that it made old.
    pub keys: Vec<u64>,
}

heap_size! {
    Write { sequence, time, changes, keys }
}

/// Puts the parts of writes together.
#[derive(Debug, Default)]
pub(super) struct Assembly(Option<Write>);

impl Assembly {
    /// Takes the next part; answers with the write when that was its last.
    pub(super) fn take(&mut self, entry: &LogEntry) -> Option<Write> {
        let new = || Write {
            sequence: entry.sequence,
            time: entry.time,
            changes: Vec::new(),
            keys: Vec::new(),
        };
        let write = self.0.get_or_insert_with(new);
        write.changes.extend_from_slice(&entry.body.changes);
        write.keys.extend_from_slice(&entry.body.keys);
        if entry.last { self.0.take() } else { None }
    }
}

/// What a watcher is interested in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Interest {
    All,
    /// Digests of cache keys.
    Keys(Vec<u64>),
}

/// Who watches a tenant, and how far the log was read for them.
#[derive(Debug)]
pub(super) struct Fanout {
    tenant: TenantId,
    recent: Arc<Recent>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    cursor: Option<LogPosition>,
    assembly: Assembly,
    told: Sequence,
    next: u64,
    watchers: HashMap<u64, Watcher>,
    all: HashSet<u64>,
    by_key: HashMap<u64, HashSet<u64>>,
}

#[derive(Debug)]
struct Watcher {
    writes: mpsc::Sender<Sequence>,
    keys: Vec<u64>,
}

impl Fanout {
    pub(super) fn new(tenant: TenantId, recent: Arc<Recent>) -> Self {
        Self {
            tenant,
            recent,
            inner: Mutex::default(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_watched(&self) -> bool {
        !self.inner().watchers.is_empty()
    }

    /// From where on the log is to be read. While nobody watches, what is known up to `position`
    /// need not be read.
    pub(super) fn cursor(&self, position: Sequence) -> LogPosition {
        let mut inner = self.inner();
        let position = LogPosition::after(position);
        match inner.cursor {
            Some(cursor) if !inner.watchers.is_empty() || cursor >= position => cursor,
            _ => {
                inner.restart(position);
                position
            }
        }
    }

    /// Tells what was read.
    pub(super) fn tell(&self, entry: &LogEntry) {
        let mut inner = self.inner();
        inner.cursor = Some(entry.end());
        if let Some(write) = inner.assembly.take(entry) {
            inner.told = write.sequence;
            inner.dispatch(&self.tenant, &self.recent, write);
        }
    }

    /// The log does not go on: whoever watches has missed something.
    pub(super) fn lose(&self, head: Sequence) {
        self.recent.forget(&self.tenant);
        let mut inner = self.inner();
        *inner = Inner {
            next: inner.next,
            ..Inner::default()
        };
        inner.restart(LogPosition::after(head));
    }

    /// Watches from now on, and answers with the write up to which nothing will be told.
    /// `position`: what is known already.
    pub(super) fn watch(
        self: &Arc<Self>,
        interest: Interest,
        bound: usize,
        position: Sequence,
    ) -> (Subscription, Sequence) {
        let (writes, received) = mpsc::channel(bound);
        let mut inner = self.inner();
        if inner.watchers.is_empty() && inner.cursor < Some(LogPosition::after(position)) {
            inner.restart(LogPosition::after(position));
        }
        let id = inner.next;
        inner.next += 1;
        inner.watchers.insert(
            id,
            Watcher {
                writes,
                keys: Vec::new(),
            },
        );
        match interest {
            Interest::All => {
                inner.all.insert(id);
            }
            Interest::Keys(keys) => inner.add(id, keys),
        }
        (
            Subscription {
                fanout: self.clone(),
                id,
                received,
            },
            inner.told,
        )
    }
}

impl Inner {
    fn restart(&mut self, at: LogPosition) {
        self.cursor = Some(at);
        self.told = at.sequence;
        self.assembly = Assembly::default();
    }

    fn add(&mut self, id: u64, keys: Vec<u64>) {
        for key in &keys {
            self.by_key.entry(*key).or_default().insert(id);
        }
        if let Some(watcher) = self.watchers.get_mut(&id) {
            watcher.keys.extend(keys);
        }
    }

    fn remove(&mut self, id: u64) {
        self.all.remove(&id);
        let Some(watcher) = self.watchers.remove(&id) else {
            return;
        };
        for key in watcher.keys {
            if let Some(ids) = self.by_key.get_mut(&key) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.by_key.remove(&key);
                }
            }
        }
    }

    fn dispatch(&mut self, tenant: &TenantId, recent: &Recent, write: Write) {
        let mut concerned = self.all.clone();
        if !self.by_key.is_empty() {
            let ids = write
                .changes
                .iter()
                .map(|change| CacheKey::Id(change.profile).digest(tenant));
            let found = ids
                .chain(write.keys.iter().copied())
                .filter_map(|key| self.by_key.get(&key));
            concerned.extend(found.flatten().copied());
        }
        if concerned.is_empty() {
            return;
        }
        let sequence = write.sequence;
        drop(recent.keep(tenant, write));
        for id in concerned {
            // Full, or nobody there: whoever it was reads on from the log.
            let told = self
                .watchers
                .get(&id)
                .is_some_and(|watcher| watcher.writes.try_send(sequence).is_ok());
            if !told {
                self.remove(id);
            }
        }
    }
}
