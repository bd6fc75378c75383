//! The work at one publication: wait for the lease, read the log, tell, note how far it is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use profile_core::model::Publication;
use profile_core::records::{Sequence, TenantId, Timestamp};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use super::event::{Event, Origin};
use super::target::{self, Failure, Target};
use super::work::{Pending, Work};
use crate::clock::Clock;
use crate::spans::Sampler;
use crate::store::retry::jittered;
use crate::store::{Error, Lease, LogCursor, LogPosition, Store};
use crate::telemetry::Metrics;

/// How many parts of the log are read at once.
const PAGE: usize = 50;
/// How many events are given to a target at once.
const BATCH: usize = 256;
/// A failure of the store is followed by so long a wait.
pub(super) const STORE_WAIT: Duration = Duration::from_secs(1);
/// How far it is, is noted at least so often while there is something to tell.
pub(super) const SAVE_INTERVAL: Duration = Duration::from_millis(250);
/// How often it is looked for dead letters to be told again.
pub(super) const REPLAY_INTERVAL: Duration = Duration::from_secs(1);

/// What all runners of a server share.
pub(super) struct Shared {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) sampler: Option<Sampler>,
    /// How long a lease lasts.
    pub(super) lease: Duration,
    pub(super) behind: Arc<Behind>,
}

/// By publication the time of the oldest change that is not told yet.
pub(super) type Behind = Mutex<BTreeMap<(TenantId, String), Timestamp>>;

/// What to work at.
pub(super) struct Assignment {
    pub(super) tenant: TenantId,
    pub(super) name: String,
    /// How far the log is.
    pub(super) head: Sequence,
    /// The version of the model that has it.
    pub(super) model_version: i64,
}

/// Works at one publication.
pub(super) struct Runner {
    pub(super) shared: Arc<Shared>,
    pub(super) assignment: Assignment,
    pub(super) publication: Publication,
    pub(super) owner: String,
    pub(super) head: watch::Receiver<Sequence>,
    /// The lease as it was seen last, and since when it is like that.
    pub(super) seen: Option<(Lease, Instant)>,
    pub(super) work: Option<Work>,
}

/// Why work ends.
pub(super) enum End {
    /// The lease is somebody else's, or may be.
    Lost,
    /// The store failed.
    Store(Error),
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl Runner {
    pub(super) fn new(
        shared: Arc<Shared>,
        assignment: Assignment,
        publication: Publication,
        owner: String,
        head: watch::Receiver<Sequence>,
    ) -> Self {
        Self {
            shared,
            assignment,
            publication,
            owner,
            head,
            seen: None,
            work: None,
        }
    }

    /// Works until it is stopped; then notes how far it is and gives the lease back.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.work_for_ever() => {}
        }
        self.settle();
        self.be_behind(None);
        if let Err(error) = self.leave().await {
            tracing::debug!(%error, "a lease was not given back; it is over when it is not renewed");
        }
    }

    async fn work_for_ever(&mut self) {
        // Whoever tells how far the log is may have ended without a word.
        while self.head.has_changed().is_ok() {
            let ended = match self.contend().await {
                Ok(true) => self.work().await,
                Ok(false) => {
                    // Whoever has the lease knows.
                    self.be_behind(None);
                    tokio::time::sleep(self.beat()).await;
                    continue;
                }
                Err(error) => Err(End::Store(error)),
            };
            match ended {
                Ok(()) => {
                    // The target could not be made ready: another server may know better.
                    if let Err(error) = self.leave().await {
                        tracing::debug!(%error, "a lease was not given back; it is over when it is not renewed");
                    }
                    tokio::time::sleep(self.beat()).await;
                }
                Err(End::Lost) => {
                    tracing::debug!(publication = self.assignment.name, "the lease is lost");
                }
                Err(End::Store(error)) => {
                    tracing::debug!(publication = self.assignment.name, %error, "publishing waits for the database");
                    tokio::time::sleep(jittered(STORE_WAIT)).await;
                }
            }
            self.work = None;
        }
    }

    /// Works for as long as the lease is held. Ends well when the target cannot be made ready.
    async fn work(&mut self) -> std::result::Result<(), End> {
        // First, so that it is known how far it is behind, also where the target cannot be reached.
        self.read().await?;
        let clock = self.shared.clock.clone();
        let connecting =
            target::connect(&self.publication.target, &self.assignment.tenant, clock).await;
        let mut target = match connecting {
            Ok(target) => target,
            Err(failure) => {
                // No change was tried.
                self.note(&failure);
                return Ok(());
            }
        };
        if let Some(work) = self
            .work
            .as_mut()
            .filter(|work| work.progress.failures == 0)
        {
            work.progress.last_error.clear();
        }
        loop {
            self.save_if_due().await?;
            self.replay(&mut *target).await?;
            if self.work_mut()?.pending.is_empty() && !self.read().await? {
                self.idle().await?;
                continue;
            }
            let told = self.tell(&mut *target).await?;
            if let Err(failure) = told {
                self.fail(&failure);
                self.give_up_or_wait(&failure).await?;
            }
        }
    }

    pub(super) fn work_mut(&mut self) -> std::result::Result<&mut Work, End> {
        self.work.as_mut().ok_or(End::Lost)
    }

    /// Reads what is new. Answers whether there is something to tell.
    async fn read(&mut self) -> std::result::Result<bool, End> {
        let head = *self.head.borrow_and_update();
        let cursor = self.work_mut()?.cursor;
        if cursor >= LogPosition::after(head) {
            return Ok(false);
        }
        let cursors = [LogCursor {
            tenant: self.assignment.tenant.clone(),
            after: cursor,
        }];
        let tail = self
            .shared
            .store
            .read_log(&cursors, PAGE)
            .await?
            .pop()
            .unwrap_or_default();
        if !tail.follows(cursor) {
            self.be_behind(tail.entries.first().map(|entry| entry.time));
            return self.wait_for_reset().await;
        }
        let (publication, work) = (&self.publication, self.work.as_mut().ok_or(End::Lost)?);
        for entry in tail.entries {
            work.take(entry, publication);
        }
        work.settle();
        let oldest = work.pending.front().map(|pending| pending.time);
        self.be_behind(oldest);
        Ok(oldest.is_some())
    }

    /// Waits for more, no longer than until something else is due.
    async fn idle(&mut self) -> std::result::Result<(), End> {
        self.be_behind(None);
        let cursor = self.work_mut()?.cursor;
        if cursor < LogPosition::after(*self.head.borrow()) {
            return Ok(());
        }
        let unsaved = self.work_mut().map(|work| work.progress != work.saved.0)?;
        let most = if unsaved {
            SAVE_INTERVAL
        } else {
            self.beat().min(REPLAY_INTERVAL)
        };
        // Whether there is more, or nobody who would say so: the next look tells.
        if let Ok(Err(_)) = tokio::time::timeout(most, self.head.changed()).await {
            return Err(End::Lost);
        }
        Ok(())
    }

    /// The log does not go on where the mark is: says so, and waits until the publication is reset.
    async fn wait_for_reset(&mut self) -> std::result::Result<bool, End> {
        let work = self.work_mut()?;
        let mark = work.progress.mark.sequence.0;
        let reason = format!(
            "the change log does not reach back to write {mark}; what was between is lost to this publication: reset it to \
             go on from now"
        );
        self.note(&Failure::passing(reason));
        loop {
            self.save().await?;
            tokio::time::sleep(self.beat()).await;
        }
    }

    /// Gives the next events to the target, and shows itself meanwhile.
    async fn tell(
        &mut self,
        target: &mut dyn Target,
    ) -> std::result::Result<std::result::Result<(), Failure>, End> {
        let tenant = self.assignment.tenant.clone();
        let work = self.work_mut()?;
        let store = work.store_id;
        let event = |pending: &Pending| {
            Event::new(
                Origin {
                    store,
                    tenant: &tenant,
                    key: pending.key,
                    time: pending.time,
                },
                &pending.change,
            )
        };
        let batch: Vec<Event> = work.pending.iter().take(BATCH).map(event).collect();
        work.marks = work.pending.iter().take(BATCH).map(Pending::mark).collect();
        let told = work.told.clone();
        let span = self.span(batch.len());
        let telling = target.tell(&batch, &told).instrument(span.clone());
        tokio::pin!(telling);
        loop {
            let result = tokio::time::timeout(SAVE_INTERVAL, &mut telling).await;
            self.settle();
            match result {
                Ok(result) => {
                    end_span(&span, &result);
                    return Ok(result);
                }
                Err(_) => self.save_if_due().await?,
            }
        }
    }

    /// The span of a batch, a trace of its own; none where it is not traced. Receivers find its
    /// context in what they are sent.
    pub(super) fn span(&self, events: usize) -> Span {
        if !self
            .shared
            .sampler
            .is_some_and(|sampler| sampler.chooses(None))
        {
            return Span::none();
        }
        let Assignment { tenant, name, .. } = &self.assignment;
        tracing::info_span!(
            parent: None,
            "publish",
            otel.name = format!("publish {name}"),
            otel.kind = "producer",
            otel.status_code = Empty,
            "error.type" = Empty,
            messaging.operation.name = "publish",
            "messaging.operation.type" = "send",
            messaging.system = self.publication.target.kind(),
            messaging.batch.message_count = events,
            %tenant,
            publication = name
        )
    }

    /// Moves on over what the target has taken.
    fn settle(&mut self) {
        let Some(work) = &mut self.work else { return };
        let failed = work.progress.failures > 0;
        let told = work.settle();
        self.shared
            .metrics
            .published(self.publication.target.kind(), told);
        let oldest = work.pending.front().map(|pending| pending.time);
        if failed && work.progress.failures == 0 {
            let Assignment { tenant, name, .. } = &self.assignment;
            tracing::info!(%tenant, publication = name, "publishing goes on");
        }
        self.be_behind(oldest);
    }

    /// Notes that a change was tried, and not taken.
    fn fail(&mut self, failure: &Failure) {
        self.note(failure);
        if let Some(work) = &mut self.work {
            work.progress.failures += 1;
        }
    }

    /// Notes what is wrong.
    fn note(&mut self, failure: &Failure) {
        self.shared
            .metrics
            .publish_failed(self.publication.target.kind());
        let Assignment { tenant, name, .. } = &self.assignment;
        let Some(work) = &mut self.work else { return };
        if work.progress.last_error != failure.reason {
            tracing::warn!(%tenant, publication = name, reason = failure.reason, "publishing is held up");
        }
        work.progress.last_error.clone_from(&failure.reason);
    }

    fn be_behind(&self, oldest: Option<Timestamp>) {
        let name = (self.assignment.tenant.clone(), self.assignment.name.clone());
        let mut behind = self
            .shared
            .behind
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match oldest {
            Some(oldest) => behind.insert(name, oldest),
            None => behind.remove(&name),
        };
    }
}

/// Writes on the span of a batch that it failed.
pub(super) fn end_span(span: &Span, result: &std::result::Result<(), Failure>) {
    if result.is_err() {
        span.record("error.type", "_OTHER");
        span.record("otel.status_code", "ERROR");
    }
}
