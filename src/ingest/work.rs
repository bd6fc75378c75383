//! The writer at work: what waits, in which order it is taken, and what of it is not written any
//! more.

mod backlog;
mod turns;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use profile_core::model::Notes;
use profile_core::records::{Statement, TenantId};
use tokio::sync::mpsc;
use tokio::task::{self, JoinSet};
use tracing::{Instrument, Span};

use super::notes::NoteLog;
use super::write::{Batch, Writer, Written};
use super::{Answer, Job, Options, Outcome};
use crate::lanes::Reason;
use crate::telemetry::Metrics;
pub(super) use backlog::Backlog;
use turns::Turns;

impl Job {
    fn statements(&self) -> usize {
        self.checked.statements.len()
    }

    /// Whether anybody still waits for it. What nobody waits for is not begun.
    fn is_wanted(&self, metrics: &Metrics) -> bool {
        let wanted = !self.answer.is_closed()
            && self
                .deadline
                .is_none_or(|deadline| Instant::now() < deadline);
        if !wanted {
            metrics.ingest_abandoned(self.statements());
        }
        wanted
    }
}

/// What the writer works with.
pub(super) struct Work {
    pub(super) writer: Writer,
    pub(super) metrics: Arc<Metrics>,
    pub(super) note_log: Arc<NoteLog>,
    pub(super) options: Options,
    pub(super) backlog: Arc<Backlog>,
}

impl Work {
    /// The writer: takes what waits, caller by caller, and writes it, several tenants at once, each
    /// in a transaction of its own: a tenant whose turn another server holds keeps nobody else.
    ///
    /// # Panics
    /// When a write does.
    pub(super) async fn run(self, mut jobs: mpsc::UnboundedReceiver<Job>) {
        let work = Arc::new(self);
        let mut turns = Turns::default();
        let mut writing = Writing::default();
        let mut is_open = true;
        loop {
            while writing.tasks.len() < work.options.tenants_at_once
                && let Some((tenant, jobs)) = turns.next(work.options.batch_statements)
            {
                writing.start(&work, tenant, jobs);
            }
            let may_begin = writing.tasks.len() < work.options.tenants_at_once;
            let due = turns.next_due().filter(|_| may_begin);
            tokio::select! {
                job = jobs.recv(), if is_open => match job {
                    Some(job) => {
                        turns.push(job);
                        while let Ok(job) = jobs.try_recv() {
                            turns.push(job);
                        }
                    }
                    None => is_open = false,
                },
                Some((tenant, answered)) = writing.end(), if !writing.tasks.is_empty() => {
                    turns.end(tenant, answered);
                }
                () = tokio::time::sleep_until(due.unwrap_or_else(tokio::time::Instant::now)), if due.is_some() => {}
                else => return,
            }
        }
    }

    /// Writes what was taken of a tenant.
    async fn write(&self, tenant: &TenantId, jobs: Vec<Job>) {
        let began = Instant::now();
        for job in &jobs {
            self.backlog.take(tenant, job.statements());
        }
        for batch in batches(jobs, self.options) {
            self.write_batch(tenant, batch).await;
        }
        self.backlog.measured(tenant, began.elapsed());
    }

    async fn write_batch(&self, tenant: &TenantId, mut jobs: Vec<Job>) {
        let (writer, metrics) = (&self.writer, &*self.metrics);
        jobs.retain(|job| job.is_wanted(metrics));
        if jobs.is_empty() {
            return;
        }
        let sizes: Vec<usize> = jobs
            .iter()
            .map(|job| job.checked.statements.len())
            .collect();
        let model = jobs.first().map(|job| job.checked.model);
        let model = model.filter(|first| jobs.iter().all(|job| job.checked.model == *first));
        let statements: Vec<Statement> = jobs
            .iter_mut()
            .flat_map(|job| job.checked.statements.drain(..))
            .collect();
        let started = Instant::now();
        let batch = Batch {
            statements: &statements,
            model,
        };
        let span = span_of(&mut jobs, statements.len());
        let written = writer.write(tenant, batch).instrument(span).await;
        metrics.ingest_written(statements.len(), started.elapsed());
        match written {
            Ok(written) => {
                report(&written, metrics);
                for (statement, outcome) in statements.iter().zip(&written.outcomes) {
                    if let Outcome::StoredWith(note) = outcome {
                        let notes = Notes::default().with(note.clone());
                        self.note_log
                            .take(tenant, statement.source(), &notes, metrics);
                    }
                }
                let profiles = Arc::new(written.profiles);
                let places = Arc::new(written.places);
                let mut outcomes = written.outcomes.into_iter();
                for (job, size) in jobs.into_iter().zip(sizes) {
                    let outcomes = outcomes.by_ref().take(size).collect();
                    let answer = Answer {
                        outcomes,
                        profiles: profiles.clone(),
                        places: places.clone(),
                        sequence: written.sequence,
                    };
                    // The caller may have gone; the statements are stored all the same.
                    drop(job.answer.send(Ok(answer)));
                }
            }
            Err(error) => {
                tracing::error!(%tenant, statements = statements.len(), %error, "a batch could not be written");
                for job in jobs {
                    drop(job.answer.send(Err(error.clone().into())));
                }
            }
        }
    }
}

/// The transactions that run, one a tenant.
#[derive(Default)]
struct Writing {
    tasks: JoinSet<()>,
    /// Whose each is, and how many callers it answers.
    tenants: HashMap<task::Id, (TenantId, usize)>,
}

impl Writing {
    fn start(&mut self, work: &Arc<Work>, tenant: TenantId, jobs: Vec<Job>) {
        let (work, of, callers) = (work.clone(), tenant.clone(), jobs.len());
        let task = self
            .tasks
            .spawn(async move { Box::pin(work.write(&of, jobs)).await });
        self.tenants.insert(task.id(), (tenant, callers));
    }

    /// The next one that ends.
    async fn end(&mut self) -> Option<(TenantId, usize)> {
        let id = match self.tasks.join_next_with_id().await? {
            Ok((id, ())) => id,
            Err(error) => {
                let id = error.id();
                if let Ok(panic) = error.try_into_panic() {
                    std::panic::resume_unwind(panic);
                }
                id
            }
        };
        self.tenants.remove(&id)
    }
}

/// Cuts a tenant's jobs into transactions. A job is never cut; one that is larger than the bounds
/// goes alone.
fn batches(jobs: Vec<Job>, options: Options) -> Vec<Vec<Job>> {
    let mut batches: Vec<Vec<Job>> = Vec::new();
    let (mut statements, mut bytes) = (0, 0);
    for job in jobs {
        statements += job.checked.statements.len();
        bytes += job.bytes;
        match batches.last_mut() {
            Some(batch)
                if statements <= options.batch_statements && bytes <= options.batch_bytes =>
            {
                batch.push(job);
            }
            _ => {
                (statements, bytes) = (job.checked.statements.len(), job.bytes);
                batches.push(vec![job]);
            }
        }
    }
    batches
}

/// The span of a write: within the first traced call that it is done for, with links to the others.
fn span_of(jobs: &mut [Job], statements: usize) -> Span {
    for job in &mut *jobs {
        // The job waits no longer.
        job.waiting = Span::none();
    }
    let mut traced = jobs
        .iter()
        .map(|job| &job.span)
        .filter(|span| !span.is_none());
    let Some(first) = traced.next() else {
        return Span::none();
    };
    let span = tracing::info_span!(parent: first, "write", statements);
    for other in traced {
        span.follows_from(other);
    }
    span
}

fn report(written: &Written, metrics: &Metrics) {
    let count = |wanted: fn(&Outcome) -> bool| {
        written
            .outcomes
            .iter()
            .filter(|outcome| wanted(outcome))
            .count()
    };
    metrics.ingest_stored(count(|outcome| {
        matches!(outcome, Outcome::Stored | Outcome::StoredWith(_))
    }));
    metrics.ingest_duplicate(count(|outcome| matches!(outcome, Outcome::Duplicate)));
    metrics.ingest_rejected(count(|outcome| matches!(outcome, Outcome::Rejected(_))));
    if count(|outcome| matches!(outcome, Outcome::NoRoom)) > 0 {
        metrics.ingest_refused(Reason::Full);
    }
    let attached = written.attached;
    metrics.ingest_attached("at_once", attached.at_once);
    metrics.ingest_attached("waiting", attached.waiting);
    metrics.ingest_attached("later", attached.later);
    metrics.ingest_attached("moved", attached.moved);
    metrics.store_conflicts(written.conflicts);
    let identity = written.identity;
    metrics.identity(identity.merges, identity.splits, identity.reclustered);
    metrics.matching(
        identity.compared,
        identity.generic_identifiers,
        identity.generic_keys,
    );
}
