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

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use profile_core::model::{Model, Segment};
use profile_core::profile::{Derived, Profile, StoredProfile, fold, subject};
use profile_core::records::{ProfileId, TenantId, Timestamp};

use crate::active_models::{ActiveModel, ActiveModels};
use crate::background::{self, Job, Part};
use crate::clock::Clock;
use crate::compute::{self, Class};
use crate::store::{
    Error, LogCursor, LogPosition, Result, SegmentChanges, SegmentMember, SegmentProgress, Store,
};
use crate::telemetry::Metrics;
use crate::telemetry::metrics::Job as Work;

/// How many profiles a step looks at, at most; of the log, as many as its last part has more.
const STEP_PROFILES: usize = 500;
/// How many parts of the log a step reads.
const STEP_PARTS: usize = 200;
/// How often time alone changes a membership before the rest is taken as one change: an index that
/// was left for years.
const MAX_TURNS: usize = 1_000;
/// How many profiles are evaluated at once on a thread for computations: others have their turn
/// between.
const CHUNK_PROFILES: usize = 50;
/// How long a preview goes on, at most. What was not looked at until then is told as more.
const PREVIEW_TIME: Duration = Duration::from_secs(8);

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

/// How many profiles a condition holds of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preview {
    /// How many profiles were looked at.
    pub profiles: u64,
    /// Of so many it holds.
    pub members: u64,
    /// Some of them, in order of id.
    pub samples: Vec<ProfileId>,
    /// Whether there are more profiles than were looked at.
    pub more: bool,
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
        let after = before.map_or(
            LogPosition {
                sequence: profile_core::records::Sequence(0),
                part: 0,
            },
            |progress| progress.log,
        );
        let cursor = LogCursor {
            tenant: tenant.clone(),
            after,
        };
        let tail = self
            .store
            .read_log(&[cursor], STEP_PARTS)
            .await?
            .into_iter()
            .next()
            .unwrap_or_default();
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
        let (mut asked, mut is_due) = (BTreeMap::new(), false);
        if !progress.built {
            let page = self
                .store
                .list_profiles(tenant, Some(progress.position), STEP_PROFILES)
                .await?;
            progress.built = page.len() < STEP_PROFILES;
            progress.position = page.last().copied().unwrap_or(progress.position);
            asked.extend(page.into_iter().map(|id| (id, now)));
        } else if tail.entries.is_empty() {
            asked.extend(self.store.list_due(tenant, now, STEP_PROFILES).await?);
            is_due = true;
            if asked.is_empty() {
                return Ok(Step::UpToDate);
            }
        } else {
            for entry in &tail.entries {
                if asked.len() >= STEP_PROFILES {
                    break;
                }
                asked.extend(
                    entry
                        .body
                        .changes
                        .iter()
                        .map(|change| (change.profile, entry.time)),
                );
                progress.log = entry.end();
            }
        }
        let (mut changes, known) = self
            .look_at(tenant, &running, (progress, class), asked)
            .await?;
        if !is_due {
            // Of whom nothing was kept and nothing is to be kept, as of most in a large import,
            // nothing is written. (If only a time was kept, it stays until it comes, and goes
            // then.)
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
        self.write(tenant, changes).await
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
        (progress, class): (SegmentProgress, Class),
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
                    (id, turns(&fold(stored, &model), &model, was, (from, now)))
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

    /// How many profiles a condition would hold of, among the first so many, and those of the first
    /// `PREVIEW_TIME`.
    ///
    /// # Errors
    /// Those of the store; a condition that goes over its budget; too many computations that wait.
    ///
    /// # Cancel safety
    /// Dropped, it stops at the evaluation's next look.
    pub async fn preview(
        &self,
        tenant: &TenantId,
        candidate: &Arc<Segment>,
        bounds: PreviewBounds,
    ) -> std::result::Result<Preview, PreviewError> {
        let running = self.models.of(tenant).await?;
        let (now, began) = (self.clock.now(), Instant::now());
        let (mut preview, mut after) = (Preview::default(), None);
        loop {
            let page = self
                .store
                .list_profiles(tenant, after, STEP_PROFILES)
                .await?;
            let stored = self.store.profiles(tenant, &page).await?.value;
            let present = page
                .iter()
                .zip(stored)
                .filter_map(|(id, stored)| stored.filter(|stored| stored.id == *id));
            let mut present: Vec<StoredProfile> = present.collect();
            while !present.is_empty() {
                let left = usize::try_from(bounds.profiles.saturating_sub(preview.profiles))
                    .unwrap_or(usize::MAX);
                if left == 0 || began.elapsed() >= PREVIEW_TIME {
                    preview.more = true;
                    return Ok(preview);
                }
                let rest = present.split_off(present.len().min(CHUNK_PROFILES).min(left));
                let chunk = std::mem::replace(&mut present, rest);
                let (model, candidate) = (running.model.clone(), candidate.clone());
                let work = move || chunk_of(chunk, &model, &candidate, now);
                let Seen { profiles, members } = compute::run(Class::Call, None, work).await??;
                preview.profiles += profiles;
                preview.members += members.len() as u64;
                let room = bounds.samples.saturating_sub(preview.samples.len());
                preview.samples.extend(members.into_iter().take(room));
            }
            match page.last() {
                Some(last) if page.len() == STEP_PROFILES => after = Some(*last),
                _ => return Ok(preview),
            }
        }
    }
}

/// Why there is no preview.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PreviewError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
    /// There is no thread for it.
    #[error(transparent)]
    Compute(#[from] compute::Error),
    /// The condition goes over its budget for one of the profiles.
    #[error("{0}")]
    OverBudget(String),
}

/// What a chunk of profiles has come to.
struct Seen {
    profiles: u64,
    members: Vec<ProfileId>,
}

/// Evaluates a candidate over some profiles.
fn chunk_of(
    chunk: Vec<StoredProfile>,
    model: &Model,
    candidate: &Segment,
    now: Timestamp,
) -> std::result::Result<Seen, PreviewError> {
    let mut seen = Seen {
        profiles: 0,
        members: Vec::new(),
    };
    for stored in chunk {
        if profile_core::computation::is_cancelled() {
            break;
        }
        let profile = fold(stored, model);
        let computed = Derived::of(&profile, model, now).computed;
        seen.profiles += 1;
        if candidate
            .includes(&subject(&profile, &computed, model))
            .map_err(PreviewError::OverBudget)?
        {
            seen.members.push(profile.id);
        }
    }
    Ok(seen)
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

/// How much of a preview there is to be.
#[derive(Debug, Clone, Copy)]
pub struct PreviewBounds {
    /// So many profiles are looked at, at most.
    pub profiles: u64,
    /// So many samples are told, at most.
    pub samples: usize,
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

/// The memberships of a profile after all that time has changed, and when it may change them next.
fn turns(
    profile: &Profile,
    model: &Model,
    was: Vec<SegmentMember>,
    (from, now): (Timestamp, Timestamp),
) -> (Vec<SegmentMember>, Option<Timestamp>) {
    let known = was
        .into_iter()
        .filter(|member| model.segments.contains_key(&member.segment));
    let mut members: BTreeMap<String, SegmentMember> = known
        .map(|member| (member.segment.clone(), member))
        .collect();
    let (mut time, mut count) = (from, 0);
    loop {
        let derived = Derived::of(profile, model, time);
        turn(profile.id, &mut members, &derived, time);
        count += 1;
        match derived.until() {
            Some(until) if until <= now => time = if count < MAX_TURNS { until } else { now },
            until => return (members.into_values().collect(), until),
        }
    }
}

/// Who is in a segment at a time, and was not, has entered; who was, and is not, has left. Where it
/// cannot be decided, nothing changes.
fn turn(
    id: ProfileId,
    members: &mut BTreeMap<String, SegmentMember>,
    derived: &Derived,
    time: Timestamp,
) {
    for segment in &derived.segments {
        let entered = || SegmentMember {
            profile: id,
            segment: segment.clone(),
            enter_time: time,
            exit_time: None,
        };
        match members.get_mut(segment) {
            Some(member) if member.exit_time.is_none() => {}
            Some(member) => *member = entered(),
            None => drop(members.insert(segment.clone(), entered())),
        }
    }
    let left = members.values_mut().filter(|member| {
        member.exit_time.is_none()
            && !derived.segments.contains(&member.segment)
            && !derived.undecided_segments.contains(&member.segment)
    });
    left.for_each(|member| member.exit_time = Some(time));
}
