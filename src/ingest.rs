//! The write path: group commit.
//!
//! ```text
//! drafts → check → queue → the writer takes what a tenant has waiting → load, apply, cluster, diff → one transaction → answers
//! ```
//!
//! Batches form by themselves: what came in while the last transaction ran goes into the next. An
//! answer means durably committed. The queue is bounded by statements; a full queue refuses
//! ([`Error::Overloaded`]) or, for streams, makes the sender wait. A call that could not be written
//! within its deadline is refused at once ([`Error::Late`]); a batch whose caller has gone, or
//! whose deadline has passed, before the writer takes it is not written, none of it. Callers take
//! turns.

mod apply;
mod attach;
mod changes;
mod correct;
mod decide;
mod erase;
mod load;
pub(crate) mod log;
mod notes;
mod recount;
mod room;
mod ticket;
mod work;
mod write;

use std::sync::Arc;
use std::time::{Duration, Instant};

use profile_core::model::{NotedDraft, Notes, PartlyMapped};
use profile_core::records::{Statement, TenantId, Violation};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;
use tracing::Span;

pub use apply::Outcome;
pub use changes::WriteContext;
pub(crate) use changes::{RecordDiff, identity_changes};
pub use decide::{DecideError, Decided, DecisionRequest, MergeOutcome, Operation};
pub use erase::{EraseError, EraseRequest, Erased};
pub use ticket::{Receipt, StatementResult, Ticket};

use crate::active_models::ActiveModels;
use crate::changes::LogFollower;
use crate::clock::Clock;
use crate::config::Config;
use crate::lanes::{self, Caller, Refusal};
use crate::spans::{self, child_span};
use crate::store::{self, Store};
use crate::telemetry::Metrics;
use notes::{BatchNotes, NoteLog};
use room::{AdmissionQueue, CallAdmission, Permit, weigh};
use ticket::{Answer, Subject};
use work::{Backlog, Work};
use write::Writer;

/// The bounds of the write path.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How many statements of calls may wait or be written at once, and as many of streams.
    pub queue_statements: usize,
    /// How many bytes of them, by estimate.
    pub queue_bytes: usize,
    /// How many statements one transaction takes.
    pub batch_statements: usize,
    /// How many bytes of statements one transaction takes, by estimate.
    pub batch_bytes: usize,
    /// How many tenants are written to at once.
    pub tenants_at_once: usize,
    /// How long one step of a write may take: longer than the database's own bounds, for
    /// connections that died silently.
    pub step_timeout: Duration,
}

/// What a step of a write may take beyond the database's own bounds.
const STEP_MARGIN: Duration = Duration::from_secs(5);

impl From<&Config> for Options {
    fn from(config: &Config) -> Self {
        Self {
            queue_statements: config.ingest.queue_statements,
            queue_bytes: config.ingest.queue_bytes,
            batch_statements: config.ingest.batch_statements,
            batch_bytes: config.ingest.batch_bytes,
            tenants_at_once: config.ingest.tenants_at_once,
            step_timeout: config.database.acquire_timeout
                + config.database.statement_timeout
                + STEP_MARGIN,
        }
    }
}

/// What the write path runs on.
#[derive(Clone)]
pub struct Parts {
    /// Where to.
    pub store: Arc<dyn Store>,
    /// By which models.
    pub models: Arc<ActiveModels>,
    /// By whose time.
    pub clock: Arc<dyn Clock>,
    /// Whom to tell what is written.
    pub follower: Arc<LogFollower>,
    /// Whom to tell.
    pub metrics: Arc<Metrics>,
}

/// A draft, or what kept the input from being one; that is answered in its place.
pub type Intake<D = NotedDraft> = Result<D, Vec<Violation>>;

/// The drafts of a payload; of one that is refused those that limit the company, and last what is
/// wrong with it.
pub(crate) fn of_payload(made: PartlyMapped) -> Vec<Intake> {
    let refused = (!made.violations.is_empty()).then_some(Err(made.violations));
    let drafts = made.mapped.drafts.into_iter().map(Ok);
    drafts.chain(refused).collect()
}

/// Why a batch failed as a whole. Nothing is known to be stored of it; saying it again is safe.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// More is waiting than the queue takes.
    #[error("{limit} statements are waiting already")]
    Overloaded {
        /// The bound of the queue.
        limit: usize,
    },
    /// As many events wait for their customer as may.
    #[error(
        "{limit} events wait for their customer already, the most that may: say first the events \
         that name their objects"
    )]
    NoRoom {
        /// The bound of events that wait.
        limit: usize,
    },
    /// What waits already would take longer than the call's deadline allows, or did.
    #[error(transparent)]
    Late(Refusal),
    /// The write path has ended.
    #[error("the server is stopping")]
    Stopping,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Takes batches in. Clones share one queue; the writer ends when all are dropped and the queue is
/// empty.
#[derive(Clone)]
pub struct Ingest {
    models: Arc<ActiveModels>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    options: Options,
    calls: CallAdmission,
    streams: AdmissionQueue,
    backlog: Arc<Backlog>,
    note_log: Arc<NoteLog>,
    queue: mpsc::UnboundedSender<Job>,
    writer: Writer,
    /// Held while a decision is made.
    deciding: Arc<Mutex<()>>,
}

/// Statements that fit a model.
struct Checked {
    statements: Vec<Statement>,
    /// The version of the model that they were checked under.
    model: i64,
}

struct Job {
    tenant: TenantId,
    caller: Caller,
    deadline: Option<Instant>,
    checked: Checked,
    bytes: usize,
    answer: oneshot::Sender<Result<Answer, Error>>,
    /// The span of the call; none where it is not traced.
    span: Span,
    /// The span of the time in the queue.
    waiting: Span,
    _place: Permit,
}

impl Ingest {
    /// Starts the writer. It ends, after all that is queued, when every `Ingest` is dropped.
    #[must_use]
    pub fn start(parts: Parts, options: Options) -> (Self, JoinHandle<()>) {
        let (queue, jobs) = mpsc::unbounded_channel();
        let Parts {
            store,
            models,
            clock,
            follower,
            metrics,
        } = parts;
        let step_timeout = options.step_timeout;
        let (own_models, own_clock, own_metrics) = (models.clone(), clock.clone(), metrics.clone());
        let writer = Writer {
            store,
            models,
            clock,
            follower,
            metrics: metrics.clone(),
            step_timeout,
        };
        let backlog = Arc::new(Backlog::new(options));
        let note_log = Arc::<NoteLog>::default();
        let ingest = Self {
            backlog: backlog.clone(),
            note_log: note_log.clone(),
            models: own_models,
            clock: own_clock,
            metrics: own_metrics,
            options,
            calls: CallAdmission::new(options.queue_statements, options.queue_bytes),
            streams: AdmissionQueue::new(options.queue_statements, options.queue_bytes),
            queue,
            writer: writer.clone(),
            deciding: Arc::default(),
        };
        let work = Work {
            writer,
            metrics,
            note_log,
            options,
            backlog,
        };
        (ingest, tokio::spawn(work.run(jobs)))
    }

    /// Decides, or with `validate_only` tells what would be. Decisions follow one another and take
    /// their turns beside the batches.
    ///
    /// # Errors
    /// All of [`DecideError`].
    ///
    /// # Cancel safety
    /// Dropped before it is its turn, nothing is decided; after that the decision is made all the
    /// same.
    pub async fn decide(
        &self,
        tenant: &TenantId,
        request: DecisionRequest,
        validate_only: bool,
    ) -> Result<Decided, DecideError> {
        let turn = self.deciding.clone().lock_owned().await;
        // A clone, so that the server does not end before.
        let (ingest, tenant) = (self.clone(), tenant.clone());
        let deciding = tokio::spawn(async move {
            let _turn = turn;
            let decided = ingest.writer.decide(&tenant, &request, validate_only);
            Box::pin(ingest.writer.store.availability().guard(decided)).await
        });
        deciding.await.unwrap_or(Err(DecideError::Stopping))
    }

    /// Erases a customer, or with `validate_only` tells what that would take. Takes its turn as a
    /// decision does.
    ///
    /// # Errors
    /// All of [`EraseError`].
    ///
    /// # Cancel safety
    /// As [`decide`](Self::decide).
    pub async fn erase(
        &self,
        tenant: &TenantId,
        request: EraseRequest,
        validate_only: bool,
    ) -> Result<Erased, EraseError> {
        let turn = self.deciding.clone().lock_owned().await;
        let (ingest, tenant) = (self.clone(), tenant.clone());
        let erasing = tokio::spawn(async move {
            let _turn = turn;
            let erased = ingest.writer.erase(&tenant, &request, validate_only);
            Box::pin(ingest.writer.store.availability().guard(erased)).await
        });
        erasing.await.unwrap_or(Err(EraseError::Stopping))
    }

    /// Checks a batch and queues it, if there is room now.
    ///
    /// # Errors
    /// [`Error::Overloaded`], [`Error::Late`], [`Error::Stopping`]; [`Error::Store`] when the
    /// tenant's model is not known yet and cannot be read.
    ///
    /// # Cancel safety
    /// Dropped while it waits, nothing is queued.
    pub async fn offer(
        &self,
        tenant: &TenantId,
        intake: Vec<Intake<impl Into<NotedDraft>>>,
    ) -> Result<Ticket, Error> {
        let (ticket, checked) = self.check(tenant, intake).await?;
        if checked.statements.is_empty() {
            return Ok(ticket);
        }
        let (caller, deadline) = lanes::current().map_or_else(
            || (Caller::new(tenant.as_str(), None), None),
            |call| (call.caller(), call.deadline()),
        );
        if let Err(refusal) = self.backlog.admit(tenant, deadline) {
            self.metrics.ingest_refused(refusal.reason);
            return Err(Error::Late(refusal));
        }
        let Some(place) = self.calls.try_take(caller, &checked.statements) else {
            self.metrics.ingest_refused(lanes::Reason::Full);
            return Err(Error::Overloaded {
                limit: self.options.queue_statements,
            });
        };
        self.enqueue((tenant, caller, deadline), ticket, checked, place)
    }

    /// Checks a batch and queues it, waiting for room.
    ///
    /// # Errors
    /// [`Error::Stopping`]; [`Error::Store`] as [`offer`](Self::offer).
    ///
    /// # Cancel safety
    /// Dropped while it waits, nothing is queued.
    pub async fn push(
        &self,
        tenant: &TenantId,
        intake: Vec<Intake<impl Into<NotedDraft>>>,
    ) -> Result<Ticket, Error> {
        let (ticket, checked) = self.check(tenant, intake).await?;
        if checked.statements.is_empty() {
            return Ok(ticket);
        }
        let place = self
            .streams
            .take(&checked.statements)
            .await
            .ok_or(Error::Stopping)?;
        let caller = lanes::current()
            .map_or_else(|| Caller::new(tenant.as_str(), None), |call| call.caller());
        self.enqueue((tenant, caller, None), ticket, checked, place)
    }

    /// The statements of a batch, and a ticket that knows already what is refused.
    async fn check(
        &self,
        tenant: &TenantId,
        intake: Vec<Intake<impl Into<NotedDraft>>>,
    ) -> Result<(Ticket, Checked), Error> {
        let running = self.models.of(tenant).await?;
        let now = self.clock.now();
        let mut ticket = Ticket {
            outcomes: Vec::new(),
            subjects: Vec::new(),
            notes: BatchNotes::default(),
            answer: None,
        };
        let mut statements = Vec::with_capacity(intake.len());
        for (place, draft) in intake.into_iter().enumerate() {
            let mut notes = Notes::default();
            let checked = draft.and_then(|made| {
                let made = made.into();
                notes = made.notes;
                running.model.check_and_note(
                    made.draft,
                    now,
                    &mut notes,
                    profile_core::identity::unread,
                )
            });
            let (outcome, subject) = match checked {
                Ok(statement) => {
                    let subject = Subject::of(&statement);
                    if !notes.is_empty() {
                        let source = statement.source();
                        self.note_log.take(tenant, source, &notes, &self.metrics);
                        ticket.notes.add(place, notes);
                    }
                    statements.push(statement);
                    (None, subject)
                }
                Err(violations) => (Some(Outcome::Rejected(violations)), None),
            };
            ticket.outcomes.push(outcome);
            ticket.subjects.push(subject);
        }
        self.metrics
            .ingest_rejected(ticket.outcomes.iter().flatten().count());
        Ok((
            ticket,
            Checked {
                statements,
                model: running.version,
            },
        ))
    }

    fn enqueue(
        &self,
        (tenant, caller, deadline): (&TenantId, Caller, Option<Instant>),
        mut ticket: Ticket,
        checked: Checked,
        place: Permit,
    ) -> Result<Ticket, Error> {
        let (answer, receiver) = oneshot::channel();
        self.metrics.ingest_queued(checked.statements.len());
        let bytes = weigh(&checked.statements);
        self.backlog.add(tenant, checked.statements.len());
        let job = Job {
            tenant: tenant.clone(),
            caller,
            deadline,
            checked,
            bytes,
            answer,
            span: spans::current(),
            waiting: child_span!("queue wait", queue = "write"),
            _place: place,
        };
        self.queue.send(job).map_err(|_| Error::Stopping)?;
        ticket.answer = Some(receiver);
        Ok(ticket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{World, key, record};
    use profile_core::records::{Draft, DraftRecord, Reason, RecordKey, Sequence};

    fn unknown_source() -> Draft {
        Draft::Upsert(DraftRecord::new(RecordKey::new("nowhere", "1")))
    }

    #[tokio::test]
    async fn each_statement_of_a_batch_is_answered_in_its_place() {
        let world = World::new();
        let malformed = Violation::new(Reason::Malformed, "upsert", "is malformed");
        let receipt = world
            .write(vec![
                Err(vec![malformed.clone()]),
                Ok(record("1", "account", "a")),
                Ok(unknown_source()),
                Ok(record("1", "account", "a")),
            ])
            .await;
        let outcomes: Vec<&Outcome> = receipt.results.iter().map(|r| &r.outcome).collect();
        assert_eq!(outcomes[0], &Outcome::Rejected(vec![malformed]));
        assert_eq!(outcomes[1], &Outcome::Stored);
        assert!(matches!(outcomes[2], Outcome::Rejected(_)));
        assert_eq!(outcomes[3], &Outcome::Duplicate);
        assert_eq!(receipt.results[1].profile, receipt.results[3].profile);
        assert_eq!(receipt.results[2].profile, None);
    }

    #[tokio::test]
    async fn a_batch_of_rejected_statements_writes_nothing() {
        let world = World::new();
        let receipt = world.write(vec![Ok(unknown_source())]).await;
        assert_eq!(receipt.sequence, None);
        assert_eq!(world.head().await, Sequence(0));
    }

    #[tokio::test]
    async fn the_writer_ends_only_after_all_that_is_queued() {
        let World {
            ingest,
            writer,
            store,
            tenant,
            ..
        } = World::new();
        let intake = vec![Ok(record("1", "account", "a"))];
        let ticket = ingest.push(&tenant, intake).await.expect("a ticket");
        drop(ingest);
        writer.await.expect("ends");
        let found = store.find_by_records(&tenant, &[key("1")]).await;
        let stored = found.expect("reads").value;
        assert!(stored[0].is_some(), "the queued record is lost");
        assert!(ticket.wait().await.is_ok());
    }
}
