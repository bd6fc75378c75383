//! A write from the view of one watch: which of its profiles changed, and the events of that.

use profile_core::records::{Sequence, Timestamp};

use super::event::{Error, ResumePosition, WatchEvent};
use super::{AWAY_WAIT, Pending, SOME, Watch};
use crate::changes::Write;
use crate::reader::{Answer, Error as ReadError, Freshness, Key};
use crate::store::retry::jittered;
use crate::store::{self, ChangeKind, ProfileChange};

impl Watch {
    /// Finds the events of a write, and where the keys lead after it.
    pub(super) async fn look_at(&mut self, write: &Write) -> Result<(), Error> {
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

    /// Makes an event of what was found.
    pub(super) async fn tell(
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

    pub(super) fn place(
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
    pub(super) async fn change(
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
    ) -> Result<Result<Answer, ReadError>, Error> {
        loop {
            let freshness = Freshness::AtLeast(write.max(self.floor));
            match self
                .reader
                .profile(&self.request.tenant, key, freshness)
                .await
            {
                Err(ReadError::Store(
                    store::Error::Unavailable(_) | store::Error::Overloaded(_),
                )) => {
                    tokio::time::sleep(jittered(AWAY_WAIT)).await;
                }
                Err(ReadError::Store(error)) => return Err(error.into()),
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
