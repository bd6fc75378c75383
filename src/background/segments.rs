//! The index of segments, which follows the change log and the clock.
//!
//! Whether a customer is in a segment is told from the profile itself, wherever that is read. The
//! index answers what one profile cannot: the members of a segment, their number, since when; and
//! it says in the change log who entered and who left. It is brought up to date in steps:
//!
//! 1. With another version of the model it is built anew: all profiles are gone through, in order
//!    of id.
//! 2. Then the change log is followed: profiles that changed are looked at again.
//! 3. Profiles whose memberships time alone may have changed are looked at again when their time
//!    has come; who went in or out meanwhile did so at the moment at which the condition changed,
//!    however much later that is noticed.
//!
//! **Times are those of the writes**, or of the moments at which time alone made a condition true.
//! A profile that changed several times since it was looked at is looked at as it was after each
//! of these writes, if it went in or out (see `look`). No stay ends before it begins.
//!
//! **A merge that is taken back leaves no trace**: who was in a segment only by the merge never
//! was, who was in it before and is in it still was all the time. The stays of a profile that was
//! merged are kept as they were. A stay that began after the merge by another write begins with
//! that write.
//!
//! Every server does so in the background, and before it answers from the index. Two that do it at
//! once do no harm: who comes second writes nothing (see
//! [`SegmentIndex`](crate::store::SegmentIndex)). A step in which somebody entered or left is a
//! write like others: it takes the tenant's turn, and appends to the change log in one transaction
//! with the index, so a change is in it once.

mod look;
mod memberships;
mod preview;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use profile_core::records::{ProfileId, Sequence, TenantId, Timestamp};

use crate::active_models::{ActiveModel, ActiveModels};
use crate::background::{self, Job, Part};
use crate::changes::{CacheKey, LogFollower};
use crate::clock::{Clock, settle};
use crate::compute::Class;
use crate::store::{
    Changes, LogCursor, LogEntry, LogPosition, LogTail, ProfileChange, Result, SegmentChanges,
    SegmentProgress, Store,
};
use crate::telemetry::Metrics;
use crate::telemetry::metrics::Job as Work;
use look::{Asked, Looked};
pub use preview::{Preview, PreviewBounds, PreviewError};

/// How many profiles a step looks at, at most; of the log, as many as its last part has more.
const STEP_PROFILES: usize = 500;
/// How many parts of the log a step reads.
const STEP_PARTS: usize = 200;
/// Keeps the index, and answers from it.
#[derive(Clone)]
pub struct Segments {
    /// Where it is kept.
    pub store: Arc<dyn Store>,
    /// The conditions.
    pub models: Arc<ActiveModels>,
    /// Memberships depend on the time.
    pub clock: Arc<dyn Clock>,
    /// To tell who entered and who left.
    pub follower: Arc<LogFollower>,
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
            let nothing = SegmentChanges::none(progress);
            let written = self.store.write_segments(tenant, &nothing).await;
            return written.map(|_| Step::More);
        };
        let mut progress = SegmentProgress {
            revision,
            ..progress
        };
        // Changes by time alone before the next write came before it.
        let next_write = tail.entries.first().map(|entry| entry.time);
        let until = next_write.map_or(now, |time| time.min(now));
        let due = if progress.built {
            self.store.list_due(tenant, until, STEP_PROFILES).await?
        } else {
            Vec::new()
        };
        let is_due = !due.is_empty();
        let (asked, rest) = if is_due {
            let due = due.into_iter().map(|(id, due)| (id, Asked::due(due)));
            (due.collect(), &tail.entries[..])
        } else if !progress.built {
            (
                self.next_to_build(tenant, &mut progress, now).await?,
                &[][..],
            )
        } else if tail.entries.is_empty() {
            return Ok(Step::UpToDate);
        } else {
            changed_profiles(&tail, &mut progress)
        };
        let looked = self
            .look_at(tenant, &running, (asked, rest), (progress, class))
            .await?;
        self.write(tenant, &running, looked, is_due).await
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
    ) -> Result<BTreeMap<ProfileId, Asked>> {
        let page = self
            .store
            .list_profiles(tenant, Some(progress.position), STEP_PROFILES)
            .await?;
        progress.built = page.len() < STEP_PROFILES;
        progress.position = page.last().copied().unwrap_or(progress.position);
        Ok(page.into_iter().map(|id| (id, Asked::due(now))).collect())
    }

    /// Writes a step. Where somebody entered or left, the change log tells it.
    async fn write(
        &self,
        tenant: &TenantId,
        running: &ActiveModel,
        looked: Looked,
        is_due: bool,
    ) -> Result<Step> {
        let (mut segments, turned) = looked.into_changes(!is_due);
        if turned.is_empty() {
            // If somebody else was faster, this is to be looked at again.
            let written = self.store.write_segments(tenant, &segments).await;
            return written.map(|_| Step::More);
        }
        let mut tx = self.store.begin(tenant).await?;
        let (sequence, version) = (tx.sequence(), tx.model_version());
        if version != running.version {
            drop(tx);
            self.models.adopt(tenant, version).await?;
            return Ok(Step::More);
        }
        settle(&mut *tx, &*self.clock, tenant).await?;
        let now = self.clock.now().max(tx.not_before());
        if segments.progress.log == LogPosition::after(sequence.before()) {
            // There is nothing to be looked at in what it writes itself.
            segments.progress.log = LogPosition::after(sequence);
        }
        if !tx.write_segments(&segments).await? {
            return Ok(Step::More);
        }
        let log = entry(tenant, (sequence, now), turned);
        let changes = Changes {
            log,
            ..Changes::default()
        };
        let commit = tx.commit(now, &changes);
        self.follower
            .commit(tenant, sequence, &changes.log, commit)
            .await?;
        Ok(Step::More)
    }
}

/// The entry of the change log about who entered and who left.
fn entry(
    tenant: &TenantId,
    (sequence, now): (Sequence, Timestamp),
    turned: Vec<ProfileChange>,
) -> Vec<LogEntry> {
    let keys = turned.iter().map(|change| CacheKey::Id(change.profile));
    let keys = keys.map(|key| key.digest(tenant)).collect();
    LogEntry::of_write(sequence, now, turned, keys)
}

/// The next profiles that changed, with the writes that changed them, and what follows in the log.
fn changed_profiles<'t>(
    tail: &'t LogTail,
    progress: &mut SegmentProgress,
) -> (BTreeMap<ProfileId, Asked>, &'t [LogEntry]) {
    let mut changed: BTreeMap<ProfileId, Asked> = BTreeMap::new();
    let mut read = 0;
    for entry in &tail.entries {
        if changed.len() >= STEP_PROFILES {
            break;
        }
        for change in &entry.body.changes {
            if let Some(asked) = Asked::by(entry, change) {
                changed.entry(change.profile).or_default().add(asked);
            }
        }
        progress.log = entry.end();
        read += 1;
    }
    (changed, &tail.entries[read..])
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
