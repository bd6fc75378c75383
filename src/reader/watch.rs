//! Watching profiles: first as they are, then each change.
//!
//! Changes come from the log, from this server's one reading of it; what was before that, or was
//! missed, is read from the store. Which profile a key leads to is followed through merges and
//! splits by what the log tells; what a key led to at a write in the past is asked of the past. So
//! what is told depends on the log alone: a watch that is broken off at any place and resumed tells
//! what an unbroken one would have told.

mod event;
mod keys;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use profile_core::records::{ProfileId, Sequence, Timestamp};
use tokio::time::Instant;

use super::{Answer, Freshness, Key, Reader};
use crate::changes::{Interest, LogFollower, Subscription, TenantTail, Write};
use crate::store::retry::jittered;
use crate::store::{self, ChangeKind, LogCursor, LogPosition, ProfileChange, Store};

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

/// A watch.
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
    /// Of the write after `read` so many changes were told before.
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

    /// Whether the place among those who are told was lost because the log does not go on, or by
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

    /// Finds what is to be told of a write, and where the keys lead after it.
    async fn look_at(&mut self, write: &Write) -> Result<(), Error> {
        if write.sequence <= self.read {
            return Ok(());
        }
        let skip = if write.sequence.0 == self.read.0 + 1 {
            std::mem::take(&mut self.skip)
        } else {
            0
        };
        if self.keys.is_empty() {
            let some = self.some_of(write, skip);
            self.pending.extend(some);
        }
        for (index, change) in write
            .changes
            .iter()
            .enumerate()
            .skip(skip)
            .filter(|_| !self.keys.is_empty())
        {
            let keys: Vec<usize> = (0..self.keys.len())
                .filter(|key| self.keys[*key].leads_to(change.profile))
                .collect();
            if !keys.is_empty() && self.wants(change) {
                self.pending
                    .push_back((write.sequence, Pending::change(write, index, keys)));
            }
        }
        for index in 0..self.keys.len() {
            self.follow(index, write).await?;
        }
        self.read = write.sequence;
        Ok(())
    }

    /// For a watch of all: some of what a write changed, from one change on, and where the rest
    /// begins.
    fn some_of(&self, write: &Write, from: usize) -> Vec<(Sequence, Pending)> {
        let mut wanted =
            (from..write.changes.len()).filter(|index| self.wants(&write.changes[*index]));
        let some = wanted
            .by_ref()
            .take(SOME)
            .map(|index| Pending::change(write, index, Vec::new()));
        let mut some: Vec<Pending> = some.collect();
        some.extend(wanted.next().map(|from| Pending::Rest { from }));
        some.into_iter()
            .map(|pending| (write.sequence, pending))
            .collect()
    }

    fn wants(&self, change: &ProfileChange) -> bool {
        if self
            .shown
            .get(&change.profile)
            .is_some_and(|shown| change.revision > change.old_revision && change.revision <= *shown)
        {
            return false;
        }
        self.request
            .fields
            .as_ref()
            .is_none_or(|fields| change.concerns(fields))
    }

    /// Makes what is to be told out of what was found.
    async fn tell(
        &mut self,
        sequence: Sequence,
        pending: Pending,
    ) -> Result<Option<(WatchEvent, ResumePosition)>, Error> {
        Ok(Some(match pending {
            Pending::Begin => (WatchEvent::Heartbeat, self.place(sequence, 0, None)),
            Pending::Snapshot(key) => {
                let asked = self.request.keys[key].clone();
                let profile = self.read_profile(&asked, sequence).await?;
                if let Ok(answer) = &profile {
                    self.shown
                        .insert(answer.profile.id, answer.profile.revision);
                }
                let left = self
                    .pending
                    .iter()
                    .any(|(_, pending)| matches!(pending, Pending::Snapshot(_)));
                let snapshots = left.then_some(key + 1);
                (
                    WatchEvent::Snapshot { key, profile },
                    self.place(sequence, 0, snapshots),
                )
            }
            Pending::Rest { from } => {
                let write = self.write_after(sequence.before()).await?;
                for pending in self.some_of(&write, from).into_iter().rev() {
                    self.pending.push_front(pending);
                }
                return Ok(None);
            }
            Pending::Change {
                change,
                time,
                index,
                keys,
            } => self.change(sequence, change, time, index, keys).await?,
        }))
    }

    fn place(
        &self,
        sequence: Sequence,
        changes: usize,
        snapshots: Option<usize>,
    ) -> ResumePosition {
        ResumePosition {
            sequence,
            changes,
            snapshots,
            shown: self.floor,
        }
    }

    /// A change of a write, with the profile where it was asked for.
    async fn change(
        &mut self,
        write: Sequence,
        change: Box<ProfileChange>,
        time: Timestamp,
        index: usize,
        keys: Vec<usize>,
    ) -> Result<(WatchEvent, ResumePosition), Error> {
        let is_live = !matches!(change.kind, ChangeKind::Merged(_) | ChangeKind::Deleted);
        let profile = if self.request.include_profiles && is_live {
            self.read_profile(&Key::Id(change.profile), write)
                .await?
                .ok()
        } else {
            None
        };
        let profile = profile.filter(|answer| answer.merged_from.is_none());
        let place = self.place(write.before(), index + 1, None);
        Ok((
            WatchEvent::Change {
                change,
                time,
                keys,
                profile,
            },
            place,
        ))
    }

    /// Reads a profile as it is after a write or later, and no earlier than what this watch has
    /// shown. A database that is away is waited for.
    async fn read_profile(
        &mut self,
        key: &Key,
        write: Sequence,
    ) -> Result<Result<Answer, super::Error>, Error> {
        loop {
            let freshness = Freshness::AtLeast(write.max(self.floor));
            match self
                .reader
                .profile(&self.request.tenant, key, freshness)
                .await
            {
                Err(super::Error::Store(
                    store::Error::Unavailable(_) | store::Error::Overloaded(_),
                )) => {
                    tokio::time::sleep(jittered(AWAY_WAIT)).await;
                }
                Err(super::Error::Store(error)) => return Err(error.into()),
                found => {
                    let shown = found
                        .as_ref()
                        .map_or(Sequence::default(), |answer| answer.currency.shown);
                    self.floor = self.floor.max(shown);
                    return Ok(found);
                }
            }
        }
    }
}
