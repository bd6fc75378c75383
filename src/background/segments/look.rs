//! Looking at profiles again, each as it was after every write that changed it.
//!
//! Most profiles that a step looks at stay in their segments: one look at them as they are now
//! tells so. Only who went in or out, and was changed by several writes meanwhile, is looked at as
//! of each of these writes, for the times.

use std::collections::{BTreeMap, BTreeSet};

use profile_core::profile::{StoredProfile, fold};
use profile_core::records::{ProfileId, Sequence, TenantId, Timestamp};

use super::memberships::Stays;
use super::{STEP_PARTS, Segments};
use crate::active_models::ActiveModel;
use crate::compute::{self, Class};
use crate::counting::Counting;
use crate::store::{
    ChangeKind, Error, IdentityChangeKind, IdentityChangePage, LogCursor, LogEntry, LogPosition,
    ProfileChange, Result, SegmentChanges, SegmentMember, SegmentProgress,
};

/// How many profiles are evaluated at once on a thread for computations: others have their turn
/// between.
pub(super) const CHUNK_PROFILES: usize = 50;
/// Maximum number of writes of one profile that are looked at one by one; the latest.
const MAX_WRITES: usize = 100;
/// Maximum number of writes of all profiles that a step looks at one by one. A step with more is
/// part of a large import; who goes in or out in the rest of it does so at the last write of theirs
/// that the step has read.
const MAX_STEP_WRITES: usize = 50;
/// Maximum number of merges and splits of one profile that are looked through for the one that was
/// taken back; the latest.
const MAX_MERGES: usize = 100;

/// Why a profile is looked at again.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    /// The writes that changed it.
    writes: Vec<(Sequence, Timestamp)>,
    /// Since when time may have changed it, where no write did.
    due: Option<Timestamp>,
    /// It is new, or lives again.
    begins: bool,
    /// The profiles to which records went that it had.
    parted: BTreeSet<ProfileId>,
}

impl Asked {
    /// As its time has come.
    pub(super) fn due(time: Timestamp) -> Self {
        Self {
            due: Some(time),
            ..Self::default()
        }
    }

    /// As a write changed it. `None` where no condition sees a difference.
    pub(super) fn by(entry: &LogEntry, change: &ProfileChange) -> Option<Self> {
        let seen = change.kind != ChangeKind::SegmentsChanged;
        seen.then(|| Self {
            writes: vec![(entry.sequence, entry.time)],
            due: None,
            begins: change.kind == ChangeKind::Created,
            parted: change.split_into.iter().copied().collect(),
        })
    }

    pub(super) fn add(&mut self, later: Self) {
        self.writes.extend(later.writes);
        self.begins |= later.begins;
        self.parted.extend(later.parted);
        let excess = self.writes.len().saturating_sub(MAX_WRITES);
        self.writes.drain(..excess);
    }

    /// The last write, or the time that has come.
    fn last_time(&self) -> Timestamp {
        let last = self.writes.last().map(|(_, time)| *time);
        last.or(self.due).unwrap_or_default()
    }
}

/// The result of a look at profiles.
pub(super) struct Looked {
    changes: SegmentChanges,
    /// The profiles with known stays.
    known: BTreeSet<ProfileId>,
    turned: Vec<ProfileChange>,
}

impl Looked {
    /// The changes of the index and of the change log. `sparing` leaves out profiles of which
    /// nothing was kept and nothing is to be kept, as of most in a large import. (If only a time
    /// was kept, it stays until it comes, and goes then.)
    pub(super) fn into_changes(self, sparing: bool) -> (SegmentChanges, Vec<ProfileChange>) {
        let Self {
            mut changes,
            known,
            turned,
        } = self;
        if sparing {
            let members = changes.members.iter().map(|member| member.profile);
            let kept: BTreeSet<ProfileId> = members
                .chain(changes.due.iter().map(|(id, _)| *id))
                .chain(known)
                .collect();
            changes.profiles.retain(|id| kept.contains(id));
        }
        (changes, turned)
    }
}

/// A profile that is looked at.
struct Subject {
    id: ProfileId,
    revision: i64,
    asked: Asked,
    was: Stays,
    /// When the merge was made that was taken back.
    unmerged: Option<Timestamp>,
}

/// The stays of a profile after a look.
struct Verdict {
    subject: Subject,
    stays: Stays,
    due: Option<Timestamp>,
}

/// The rest of the change log.
struct Rest {
    /// The write up to which it was read before. `None` in the middle of one.
    before: Option<Sequence>,
    /// The profiles that are changed in it, each for the first time.
    changed: BTreeMap<ProfileId, Timestamp>,
}

impl Segments {
    /// Looks at profiles again, before what is left of the log.
    pub(super) async fn look_at(
        &self,
        tenant: &TenantId,
        running: &ActiveModel,
        (mut asked, rest): (BTreeMap<ProfileId, Asked>, &[LogEntry]),
        (progress, class): (SegmentProgress, Class),
    ) -> Result<Looked> {
        let profiles: Vec<ProfileId> = asked.keys().copied().collect();
        let mut was: BTreeMap<ProfileId, Vec<SegmentMember>> = BTreeMap::new();
        for member in self.store.memberships(tenant, &profiles).await? {
            was.entry(member.profile).or_default().push(member);
        }
        let mut looked = Looked {
            known: was.keys().copied().collect(),
            turned: Vec::new(),
            changes: SegmentChanges::none(progress),
        };
        let stored = self.store.profiles(tenant, &profiles).await?.value;
        let rest = self.rest(tenant, progress.log, rest).await?;
        let mut present = Vec::new();
        for (id, stored) in profiles.iter().zip(stored) {
            let known = was.remove(id).unwrap_or_default();
            match stored {
                // One that is merged away answers as the other, which is looked at by itself.
                Some(stored) if stored.id != *id => looked.changes.members.extend(known),
                Some(stored) => {
                    let asked = asked.remove(id).unwrap_or_default();
                    let was = Stays::new(*id, known, &running.model);
                    let unmerged = self.unmerged(tenant, *id, &asked).await?;
                    let revision = stored.revision;
                    let subject = Subject {
                        id: *id,
                        revision,
                        asked,
                        was,
                        unmerged,
                    };
                    present.push((subject, stored));
                }
                None => {}
            }
        }
        let mut left = MAX_STEP_WRITES;
        while !present.is_empty() {
            let next = present.split_off(present.len().min(CHUNK_PROFILES));
            let chunk = std::mem::replace(&mut present, next);
            for verdict in self.evaluate(running, chunk, (&rest, class)).await? {
                let moments = verdict.moments(&rest);
                if moments.len() > left {
                    looked.take(verdict);
                    continue;
                }
                left -= moments.len();
                let context = (moments, &rest, class);
                looked.take(self.exact(tenant, running, verdict, context).await?);
            }
        }
        looked.changes.profiles = profiles;
        Ok(looked)
    }

    /// The later changes of profiles, also those that came while they were read.
    async fn rest(&self, tenant: &TenantId, read: LogPosition, rest: &[LogEntry]) -> Result<Rest> {
        let after = rest.last().map_or(read, LogEntry::end);
        let cursor = LogCursor {
            tenant: tenant.clone(),
            after,
        };
        let tails = self.store.read_log(&[cursor], STEP_PARTS).await?;
        let newer = tails.iter().flat_map(|tail| &tail.entries);
        let mut changed = BTreeMap::new();
        for entry in rest.iter().chain(newer) {
            for change in &entry.body.changes {
                if Asked::by(entry, change).is_some() {
                    changed.entry(change.profile).or_insert(entry.time);
                }
            }
        }
        let before = (read == LogPosition::after(read.sequence)).then_some(read.sequence);
        Ok(Rest { before, changed })
    }

    /// When the merge was made of which a write took a part back.
    async fn unmerged(
        &self,
        tenant: &TenantId,
        profile: ProfileId,
        asked: &Asked,
    ) -> Result<Option<Timestamp>> {
        if asked.parted.is_empty() {
            return Ok(None);
        }
        let page = IdentityChangePage {
            profile: Some(profile),
            limit: MAX_MERGES,
            ..IdentityChangePage::default()
        };
        let changes = self.store.list_identity_changes(tenant, &page).await?;
        let merges = changes.iter().filter(|change| {
            change.kind == IdentityChangeKind::Merge
                && change.into == profile
                && asked.parted.contains(&change.from)
        });
        Ok(merges.map(|merge| merge.time).min())
    }

    /// Evaluates profiles as they are, as from the last thing that happened to them.
    async fn evaluate(
        &self,
        running: &ActiveModel,
        chunk: Vec<(Subject, StoredProfile)>,
        (rest, class): (&Rest, Class),
    ) -> Result<Vec<Verdict>> {
        let (model, now) = (running.model.clone(), self.clock.now());
        let chunk: Vec<_> = chunk
            .into_iter()
            .map(|(subject, stored)| {
                let to = rest.changed.get(&subject.id).copied().unwrap_or(now);
                (subject, stored, to)
            })
            .collect();
        let work = move || {
            let verdict = |(subject, stored, to): (Subject, StoredProfile, Timestamp)| {
                let (profile, from) = (fold(stored, &model), subject.asked.last_time());
                let mut stays = subject.was.clone();
                let span = (subject.unmerged, (from.min(to), to));
                let due = stays.unmerge_and_pass(&profile, &model, span);
                Verdict {
                    subject,
                    stays,
                    due,
                }
            };
            chunk.into_iter().map(verdict).collect()
        };
        compute::run(class, None, work)
            .await
            .map_err(|error| Error::Internal(error.to_string()))
    }

    /// The same, as of each of some writes.
    async fn exact(
        &self,
        tenant: &TenantId,
        running: &ActiveModel,
        verdict: Verdict,
        (moments, rest, class): (Vec<(Sequence, Timestamp)>, &Rest, Class),
    ) -> Result<Verdict> {
        if moments.is_empty() {
            return Ok(verdict);
        }
        let Subject { id, was, .. } = &verdict.subject;
        let changes_later = rest.changed.get(id).copied();
        let to = changes_later.unwrap_or_else(|| self.clock.now());
        let (mut stays, mut due) = (was.clone(), verdict.due);
        for (index, (write, time)) in moments.iter().enumerate() {
            let next = moments.get(index + 1).map_or(to, |(_, next)| *next);
            let then = self.store.profile_after(tenant, *id, *write).await?;
            let Some(mut then) = then.filter(|then| then.id == *id) else {
                continue;
            };
            let counting = Counting {
                model: running.model.clone(),
                now: *time,
                as_of: Some(*write),
                class,
            };
            counting.complete(&*self.store, tenant, &mut then).await?;
            let (model, span) = (running.model.clone(), (*time, next.max(*time)));
            let is_last = index + 1 == moments.len();
            let unmerged = verdict.subject.unmerged.filter(|_| is_last);
            let work = move || {
                let due = stays.unmerge_and_pass(&fold(then, &model), &model, (unmerged, span));
                (stays, due)
            };
            let passed = compute::run(class, None, work).await;
            (stays, due) = passed.map_err(|error| Error::Internal(error.to_string()))?;
        }
        Ok(Verdict {
            stays,
            due,
            ..verdict
        })
    }
}

impl Verdict {
    /// The writes to look at one by one, as the times depend on them: none where one look tells.
    fn moments(&self, rest: &Rest) -> Vec<(Sequence, Timestamp)> {
        let Subject { id, asked, was, .. } = &self.subject;
        let is_seen = asked.writes.len() <= 1 && !rest.changed.contains_key(id);
        if is_seen || self.stays == *was {
            return Vec::new();
        }
        let mut moments = asked.writes.clone();
        if let (Some(due), Some(before)) = (asked.due, rest.before) {
            moments.push((before, due));
        }
        moments
    }
}

impl Looked {
    fn take(&mut self, verdict: Verdict) {
        let Verdict {
            subject,
            stays,
            due,
        } = verdict;
        let id = subject.id;
        self.changes.due.extend(due.map(|due| (id, due)));
        // A profile that was merged away had no stays for anybody.
        let before = if subject.asked.begins {
            Stays::none(id)
        } else {
            subject.was
        };
        let turned = stays.turned_since(&before, subject.asked.last_time());
        if !turned.is_empty() {
            let mut fields: Vec<String> = turned
                .iter()
                .map(|stay| format!("segments.{}", stay.segment))
                .collect();
            fields.dedup();
            self.turned.push(ProfileChange {
                kind: ChangeKind::SegmentsChanged,
                fields,
                segments: turned,
                ..ProfileChange::unchanged(id, subject.revision)
            });
        }
        self.changes.members.extend(stays.into_members());
    }
}

impl SegmentChanges {
    /// A step that changes no membership.
    pub(super) fn none(progress: SegmentProgress) -> Self {
        Self {
            progress,
            profiles: Vec::new(),
            members: Vec::new(),
            due: Vec::new(),
        }
    }
}
