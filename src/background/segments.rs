//! Who is in which segment: an index that follows the change log and the clock.
//!
//! Whether a customer is in a segment is told from the profile itself, wherever that is read. The
//! index is for what cannot be told from one profile: who is in a segment, how many, since when. It
//! is brought up to date in steps, each a write of its own:
//!
//! 1. With another version of the model it is built anew: all profiles are gone through, in order
//!    of id.
//! 2. Then the change log is followed: profiles that changed are looked at again.
//! 3. Profiles whose memberships time alone may have changed are looked at again when their time
//!    has come; who went in or out meanwhile did so at the moment at which the condition changed,
//!    however much later that is noticed.
//!
//! Every server does so in the background, and before it answers from the index. Two that do it at
//! once do no harm: who comes second writes nothing (see
//! [`SegmentIndex`](crate::store::SegmentIndex)). What a merge takes away goes; the surviving
//! profile is in a segment since it was, or since the merge.

mod memberships;
mod preview;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use profile_core::profile::{StoredProfile, fold};
use profile_core::records::{ProfileId, Sequence, TenantId, Timestamp};

use crate::active_models::{ActiveModel, ActiveModels};
use crate::background::{self, Job, Part};
use crate::clock::Clock;
use crate::compute::{self, Class};
use crate::store::{
    Error, LogCursor, LogPosition, LogTail, Result, SegmentChanges, SegmentMember, SegmentProgress,
    Store,
};
use crate::telemetry::Metrics;
use crate::telemetry::metrics::Job as Work;
use memberships::memberships_until_now;
pub use preview::{Preview, PreviewBounds, PreviewError};

/// How many profiles a step looks at, at most; of the log, as many as its last part has more.
const STEP_PROFILES: usize = 500;
/// How many parts of the log a step reads.
const STEP_PARTS: usize = 200;
/// How many profiles are evaluated at once on a thread for computations: others have their turn
/// between.
const CHUNK_PROFILES: usize = 50;
/// Keeps the index, and answers from it.
#[derive(Clone)]
pub struct Segments {
    /// Where it is kept.
    pub store: Arc<dyn Store>,
    /// The conditions.
    pub models: Arc<ActiveModels>,
    /// Memberships depend on the time.
    pub clock: Arc<dyn Clock>,
    /// Within a process one step is done at a time: of two at once, one would be in vain.
    pub turn: Arc<tokio::sync::Mutex<()>>,
}

/// What a step has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing is left to do.
    UpToDate,
    /// There may be more to do.
    More,
}

impl Segments {
    /// Keeps the index of all tenants, for ever.
    pub async fn run(self, metrics: Arc<Metrics>, interval: Duration) {
        background::run(self.store.clone(), metrics, Indexing(self), interval).await;
    }

    /// Brings a tenant's index up to date, in so many steps at most. Answers whether it is: all
    /// that was committed before, and all that time has changed, is in it.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn catch_up(&self, tenant: &TenantId, steps: usize) -> Result<bool> {
        for _ in 0..steps {
            if self.step_for(tenant, Class::Call).await? == Step::UpToDate {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Does the next step for a tenant.
    ///
    /// # Errors
    /// Those of the store. Nothing of the step is written then.
    pub async fn step(&self, tenant: &TenantId) -> Result<Step> {
        self.step_for(tenant, Class::Background).await
    }

    async fn step_for(&self, tenant: &TenantId, class: Class) -> Result<Step> {
        let known = self.models.of(tenant).await?;
        if known.model.segments.is_empty() {
            return Ok(Step::UpToDate);
        }
        let _turn = self.turn.lock().await;
        let before = self.store.segment_progress(tenant).await?;
        let tail = self.log_after(tenant, before).await?;
        let running = self.models.told(tenant, tail.model_version, &known).await?;
        let now = self.clock.now();
        let revision = before.map_or(0, |progress| progress.revision) + 1;
        let built_by = |progress: &SegmentProgress| {
            progress.model_version == running.version && tail.follows(progress.log)
        };
        let Some(progress) = before.filter(built_by) else {
            let progress = SegmentProgress {
                revision,
                model_version: running.version,
                log: LogPosition::after(tail.head),
                position: ProfileId(uuid::Uuid::nil()),
                built: false,
            };
            return self.write(tenant, SegmentChanges::none(progress)).await;
        };
        let mut progress = SegmentProgress {
            revision,
            ..progress
        };
        let is_due = progress.built && tail.entries.is_empty();
        let asked = if is_due {
            let due = self.store.list_due(tenant, now, STEP_PROFILES).await?;
            if due.is_empty() {
                return Ok(Step::UpToDate);
            }
            due.into_iter().collect()
        } else if progress.built {
            changed_profiles(&tail, &mut progress)
        } else {
            self.next_to_build(tenant, &mut progress, now).await?
        };
        let (mut changes, known) = self
            .look_at(tenant, &running, progress, class, asked)
            .await?;
        if !is_due {
            leave_out_untouched(&mut changes, &known);
        }
        self.write(tenant, changes).await
    }

    /// The change log after what is in the index.
    async fn log_after(
        &self,
        tenant: &TenantId,
        before: Option<SegmentProgress>,
    ) -> Result<LogTail> {
        let start = LogPosition {
            sequence: Sequence(0),
            part: 0,
        };
        let cursor = LogCursor {
            tenant: tenant.clone(),
            after: before.map_or(start, |progress| progress.log),
        };
        let tails = self.store.read_log(&[cursor], STEP_PARTS).await?;
        Ok(tails.into_iter().next().unwrap_or_default())
    }

    /// The next profiles of an index that is built anew, each as from now.
    async fn next_to_build(
        &self,
        tenant: &TenantId,
        progress: &mut SegmentProgress,
        now: Timestamp,
    ) -> Result<BTreeMap<ProfileId, Timestamp>> {
        let page = self
            .store
            .list_profiles(tenant, Some(progress.position), STEP_PROFILES)
            .await?;
        progress.built = page.len() < STEP_PROFILES;
        progress.position = page.last().copied().unwrap_or(progress.position);
        Ok(page.into_iter().map(|id| (id, now)).collect())
    }

    async fn write(&self, tenant: &TenantId, changes: SegmentChanges) -> Result<Step> {
        // If somebody else was faster, this is to be looked at again.
        self.store
            .write_segments(tenant, &changes)
            .await
            .map(|_| Step::More)
    }

    /// Looks at profiles again, each as from a time. Answers also of whom memberships were known.
    async fn look_at(
        &self,
        tenant: &TenantId,
        running: &ActiveModel,
        progress: SegmentProgress,
        class: Class,
        asked: BTreeMap<ProfileId, Timestamp>,
    ) -> Result<(SegmentChanges, BTreeSet<ProfileId>)> {
        let profiles: Vec<ProfileId> = asked.keys().copied().collect();
        let mut was: BTreeMap<ProfileId, Vec<SegmentMember>> = BTreeMap::new();
        for member in self.store.memberships(tenant, &profiles).await? {
            was.entry(member.profile).or_default().push(member);
        }
        let known: BTreeSet<ProfileId> = was.keys().copied().collect();
        let stored = self.store.profiles(tenant, &profiles).await?.value;
        let mut changes = SegmentChanges::none(progress);
        let now = self.clock.now();
        // One that is merged away answers as the other, which is looked at by itself.
        let present = profiles
            .iter()
            .zip(stored)
            .filter_map(|(id, stored)| stored.filter(|stored| stored.id == *id));
        let mut present: Vec<StoredProfile> = present.collect();
        while !present.is_empty() {
            let rest = present.split_off(present.len().min(CHUNK_PROFILES));
            let chunk: Vec<_> = std::mem::replace(&mut present, rest)
                .into_iter()
                .map(|stored| {
                    let from = asked.get(&stored.id).copied().unwrap_or(now).min(now);
                    let was = was.remove(&stored.id).unwrap_or_default();
                    (stored, was, from)
                })
                .collect();
            let model = running.model.clone();
            let work = move || {
                let turned = chunk.into_iter().map(|(stored, was, from)| {
                    let id = stored.id;
                    (
                        id,
                        memberships_until_now(&fold(stored, &model), &model, was, from, now),
                    )
                });
                turned.collect::<Vec<_>>()
            };
            let turned = compute::run(class, None, work)
                .await
                .map_err(|error| Error::Internal(error.to_string()))?;
            for (id, (members, due)) in turned {
                changes.members.extend(members);
                changes.due.extend(due.map(|due| (id, due)));
            }
        }
        changes.profiles = profiles;
        Ok((changes, known))
    }
}

/// The next profiles that changed, each as from its change, and how far the log is read then.
fn changed_profiles(
    tail: &LogTail,
    progress: &mut SegmentProgress,
) -> BTreeMap<ProfileId, Timestamp> {
    let mut changed = BTreeMap::new();
    for entry in &tail.entries {
        if changed.len() >= STEP_PROFILES {
            break;
        }
        changed.extend(
            entry
                .body
                .changes
                .iter()
                .map(|change| (change.profile, entry.time)),
        );
        progress.log = entry.end();
    }
    changed
}

/// Leaves out profiles of which nothing was kept and nothing is to be kept, as of most in a large
/// import. (If only a time was kept, it stays until it comes, and goes then.)
fn leave_out_untouched(changes: &mut SegmentChanges, known: &BTreeSet<ProfileId>) {
    let kept: BTreeSet<ProfileId> = changes
        .members
        .iter()
        .map(|member| member.profile)
        .collect();
    let due: BTreeSet<ProfileId> = changes.due.iter().map(|(id, _)| *id).collect();
    changes
        .profiles
        .retain(|id| known.contains(id) || kept.contains(id) || due.contains(id));
}

/// The pass over all tenants.
struct Indexing(Segments);

#[tonic::async_trait]
impl Job for Indexing {
    const JOB: Work = Work::Segments;

    async fn part(&mut self, tenant: &TenantId) -> Result<Part> {
        Ok(match self.0.step(tenant).await? {
            Step::More => Part::More,
            Step::UpToDate => Part::Done,
        })
    }
}

impl SegmentChanges {
    /// A step that changes no membership.
    fn none(progress: SegmentProgress) -> Self {
        Self {
            progress,
            profiles: Vec::new(),
            members: Vec::new(),
            due: Vec::new(),
        }
    }
}
