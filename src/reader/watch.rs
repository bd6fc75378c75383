//! Watching profiles: first as they are, then each change.
//!
//! Changes come from the log, from this server's one reading of it; what was before that, or was
//! missed, is read from the store. Which profile a key leads to is followed through merges and
//! splits by what the log tells; what a key led to at a write in the past is asked of the past. So
//! the events depend on the log alone: a watch that is broken off at any place and resumed tells
//! what an unbroken one would have told.

mod event;
mod keys;
mod look;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use profile_core::records::{ProfileId, Sequence, Timestamp};
use tokio::time::Instant;

use super::Reader;
use crate::changes::{Interest, LogFollower, Subscription, TenantTail, Write};
use crate::store::retry::jittered;
use crate::store::{self, LogCursor, LogPosition, ProfileChange, Store};

pub use event::{Error, Request, ResumePosition, WatchEvent};
use keys::WatchedKey;

/// How many changes of a write a watch of all holds at once.
const SOME: usize = 32;
/// How long to wait before a database that is away is asked again.
const AWAY_WAIT: Duration = Duration::from_millis(200);

enum Pending {
    /// The beginning, where there is nothing to show.
    Begin,
    Snapshot(usize),
    Change {
        change: Box<ProfileChange>,
        time: Timestamp,
        /// Its place among the changes of the write.
        index: usize,
        keys: Vec<usize>,
    },
    /// Of a watch of all: what a write changed, from one change on. The write itself is not held: a
    /// watcher takes its time.
    Rest {
        from: usize,
    },
}

impl Pending {
    fn change(write: &Write, index: usize, keys: Vec<usize>) -> Self {
        Self::Change {
            change: Box::new(write.changes[index].clone()),
            time: write.time,
            index,
            keys,
        }
    }
}

/// A watch of profiles.
pub struct Watch {
    reader: Reader,
    store: Arc<dyn Store>,
    request: Request,
    keys: Vec<WatchedKey>,
    _tail: Arc<TenantTail>,
    subscription: Subscription,
    /// Everything up to this write was looked at.
    read: Sequence,
    /// Up to this write nothing comes by the subscription.
    behind: Sequence,
    /// Whether the log was seen to reach back to `read`.
    is_within_horizon: bool,
    /// Number of changes of the write after `read` that were sent before.
    skip: usize,
    /// The last write of which a profile showed something.
    floor: Sequence,
    /// Revisions that snapshots had: what led to them is not told again.
    shown: HashMap<ProfileId, i64>,
    pending: VecDeque<(Sequence, Pending)>,
}

impl Watch {
    /// Begins to watch.
    ///
    /// # Errors
    /// [`super::Error::UnknownIdentifierType`], and those of the store.
    pub async fn begin(
        follower: &LogFollower,
        reader: Reader,
        store: Arc<dyn Store>,
        request: Request,
    ) -> Result<Self, super::Error> {
        let tail = follower.follow(&request.tenant).await?;
        let mut keys = Vec::new();
        for key in &request.keys {
            let key = reader.cache_key(&request.tenant, key).await?;
            keys.push(WatchedKey {
                digest: key.digest(&request.tenant),
                key,
                current: None,
            });
        }
        let interest = if keys.is_empty() {
            Interest::All
        } else {
            Interest::Keys(keys.iter().map(|watched| watched.digest).collect())
        };
        let (subscription, told) = tail.watch(interest, request.max_pending);
        let first = ResumePosition {
            sequence: told,
            changes: 0,
            snapshots: Some(0),
            shown: Sequence::default(),
        };
        let place = request.place.unwrap_or(first);
        let mut watch = Self {
            reader,
            store,
            keys,
            _tail: tail,
            subscription,
            read: place.sequence,
            behind: told,
            is_within_horizon: false,
            skip: place.changes,
            floor: place.shown,
            shown: HashMap::new(),
            pending: VecDeque::new(),
            request,
        };
        for index in 0..watch.keys.len() {
            let found = watch.find(index, watch.read).await?;
            watch.lead(index, found);
        }
        if watch.keys.is_empty() && watch.request.place.is_none() {
            watch.pending.push_back((watch.read, Pending::Begin));
        } else if let Some(sent) = place.snapshots {
            watch
                .pending
                .extend((sent..watch.keys.len()).map(|key| (watch.read, Pending::Snapshot(key))));
        }
        Ok(watch)
    }

    /// The next thing to tell, with the place after it.
    ///
    /// # Errors
    /// All of [`Error`]. The watch is over then.
    pub async fn next(&mut self) -> Result<(WatchEvent, ResumePosition), Error> {
        let heartbeat_at = Instant::now() + self.request.heartbeat;
        loop {
            if let Some((sequence, pending)) = self.pending.pop_front() {
                if let Some(told) = self.tell(sequence, pending).await? {
                    return Ok(told);
                }
                continue;
            }
            if self.read < self.behind {
                if !std::mem::replace(&mut self.is_within_horizon, true) {
                    self.check_horizon().await?;
                }
                // It does not come by the subscription. The rest can wait in the store.
                let write = self.write_after(self.read).await?;
                self.look_at(&write).await?;
                continue;
            }
            match tokio::time::timeout_at(heartbeat_at, self.subscription.next()).await {
                Ok(Some(write)) if write <= self.read => {}
                // Those in between do not concern it.
                Ok(Some(write)) => {
                    let write = self.write_after(write.before()).await?;
                    self.look_at(&write).await?;
                }
                Ok(None) => return Err(self.cut_off().await),
                Err(_) => {
                    if let Some(told) = self.subscription.told() {
                        self.read = self.read.max(told);
                    }
                    return Ok((
                        WatchEvent::Heartbeat,
                        self.place(self.read, self.skip, None),
                    ));
                }
            }
        }
    }

    /// Whether the place among the watchers was lost because the log does not go on, or by
    /// being too slow.
    async fn cut_off(&self) -> Error {
        match self.check_horizon().await {
            Err(Error::Expired) => Error::Expired,
            _ => Error::TooSlow,
        }
    }

    /// The write after another one. A database that is away is waited for.
    async fn write_after(&self, after: Sequence) -> Result<Arc<Write>, Error> {
        loop {
            match self.subscription.write_after(after, &*self.store).await {
                Err(store::Error::Unavailable(_) | store::Error::Overloaded(_)) => {
                    tokio::time::sleep(jittered(AWAY_WAIT)).await;
                }
                found => return found?.ok_or(Error::Expired),
            }
        }
    }

    /// Checks that the log reaches back to where this watch is, whatever is still kept in memory. A
    /// database that is away is waited for.
    async fn check_horizon(&self) -> Result<(), Error> {
        let after = LogPosition::after(self.read);
        let cursor = LogCursor {
            tenant: self.request.tenant.clone(),
            after,
        };
        loop {
            match self.store.read_log(std::slice::from_ref(&cursor), 1).await {
                Err(store::Error::Unavailable(_) | store::Error::Overloaded(_)) => {
                    tokio::time::sleep(jittered(AWAY_WAIT)).await;
                }
                tails => {
                    let reaches = tails?.pop().unwrap_or_default().follows(after);
                    return if reaches { Ok(()) } else { Err(Error::Expired) };
                }
            }
        }
    }
}
