//! The writer at work: what waits, in which order it is taken, and what of it is not written any
//! more.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use profile_core::model::Notes;
use profile_core::records::{Statement, TenantId};
use tokio::sync::mpsc;
use tracing::{Instrument, Span};

use super::notes::NoteLog;
use super::write::{Batch, Writer, Written};
use super::{Answer, Job, Options, Outcome};
use crate::lanes::{Fair, Reason, Refusal};
use crate::telemetry::Metrics;

/// How long the writer waits for callers that were just answered to come back.
const LINGER: Duration = Duration::from_millis(1);
/// How much the newest transaction counts for in the mean: that of about the last eight.
const NEWEST: u64 = 8;

/// How much waits to be written, and how long that takes.
#[derive(Debug)]
pub(super) struct Backlog {
    statements: AtomicUsize,
    /// The mean time of a round of transactions, in microseconds; 0: nothing was measured yet.
    round_micros: AtomicU64,
    batch_statements: usize,
}

impl Backlog {
    pub(super) fn new(batch_statements: usize) -> Self {
        let (statements, round_micros) = (AtomicUsize::new(0), AtomicU64::new(0));
        Self {
            statements,
            round_micros,
            batch_statements: batch_statements.max(1),
        }
    }

    /// Refuses what could not be written by a deadline. Where nothing waits it is always tried.
    pub(super) fn admit(&self, deadline: Option<Instant>) -> Result<(), Refusal> {
        let waiting = self.statements.load(Ordering::Relaxed);
        if waiting == 0 {
            return Ok(());
        }
        let rounds = u64::try_from(waiting / self.batch_statements + 1).unwrap_or(u64::MAX);
        let wait = Duration::from_micros(
            self.round_micros
                .load(Ordering::Relaxed)
                .saturating_mul(rounds),
        );
        if deadline.is_none_or(|deadline| Instant::now() + wait <= deadline) {
            return Ok(());
        }
        Err(Refusal {
            queue: "write",
            reason: Reason::TooLate,
            retry_after: wait,
        })
    }

    pub(super) fn add(&self, statements: usize) {
        self.statements.fetch_add(statements, Ordering::Relaxed);
    }

    fn take(&self, statements: usize) {
        self.statements.fetch_sub(statements, Ordering::Relaxed);
    }

    fn measured(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
        let before = self.round_micros.load(Ordering::Relaxed);
        let mean = if before == 0 {
            took
        } else {
            (before.saturating_mul(NEWEST - 1).saturating_add(took)) / NEWEST
        };
        self.round_micros.store(mean, Ordering::Relaxed);
    }
}

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
    /// The writer: takes what waits, caller by caller, writes it tenant by tenant, answers.
    ///
    /// Callers that wait for their answers come in two shifts: while one shift's batch is written
    /// the other one's waits, and each transaction takes half of what it could. So when callers
    /// were answered while others waited, the writer gives those a moment to come back, and both
    /// shifts become one. A lone caller is never waited for.
    pub(super) async fn run(self, mut jobs: mpsc::UnboundedReceiver<Job>) {
        let mut waiting = Fair::default();
        let mut answered = 0;
        loop {
            let callers = waiting.len() + jobs.len() + answered;
            if !receive(&mut jobs, &mut waiting).await {
                return;
            }
            let until = tokio::time::Instant::now() + LINGER;
            while waiting.len() < callers.min(self.options.batch_statements) {
                match tokio::time::timeout_at(until, jobs.recv()).await {
                    Ok(Some(job)) => waiting.push(job.caller, job),
                    Ok(None) | Err(_) => break,
                }
            }
            let began = Instant::now();
            let round = self.round(&mut waiting);
            answered = round.values().map(Vec::len).sum();
            for (tenant, jobs) in round {
                for batch in batches(jobs, self.options) {
                    self.write_batch(&tenant, batch).await;
                }
            }
            self.backlog.measured(began.elapsed());
        }
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

    /// What is written next: of each tenant about as much as one transaction takes.
    fn round(&self, waiting: &mut Fair<Job>) -> BTreeMap<TenantId, Vec<Job>> {
        let mut tenants: BTreeMap<TenantId, Vec<Job>> = BTreeMap::new();
        let mut statements = 0;
        while statements < self.options.batch_statements * tenants.len().max(1)
            && let Some(job) = waiting.pop()
        {
            statements += job.statements();
            self.backlog.take(job.statements());
            tenants.entry(job.tenant.clone()).or_default().push(job);
        }
        tenants
    }
}

/// Puts what has come in among what waits; waits itself where there is nothing. Answers whether
/// there is anything.
async fn receive(jobs: &mut mpsc::UnboundedReceiver<Job>, waiting: &mut Fair<Job>) -> bool {
    if waiting.len() == 0 {
        let Some(job) = jobs.recv().await else {
            return false;
        };
        waiting.push(job.caller, job);
    }
    while let Ok(job) = jobs.try_recv() {
        waiting.push(job.caller, job);
    }
    true
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_refused_when_what_waits_takes_longer_than_its_deadline() {
        let backlog = Backlog::new(100);
        let soon = Some(Instant::now() + Duration::from_secs(5));
        backlog.measured(Duration::from_secs(2));
        assert!(backlog.admit(soon).is_ok(), "nothing waits");
        backlog.add(150);
        assert!(backlog.admit(soon).is_ok(), "four seconds");
        backlog.add(100);
        let refusal = backlog.admit(soon).expect_err("six seconds");
        assert_eq!(
            (refusal.reason, refusal.retry_after),
            (Reason::TooLate, Duration::from_secs(6))
        );
        assert!(backlog.admit(None).is_ok(), "who has no deadline waits");
        backlog.take(250);
        assert!(backlog.admit(soon).is_ok());
    }
}
