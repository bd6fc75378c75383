//! The store contract: what is kept, and what a write promises.
//!
//! One trait for reads ([`Store`]), one for a write ([`Transaction`]); memory, SQLite and
//! PostgreSQL implement both, and the suite in `tests/it/store` owns the contract. Decisions:
//!
//! - **Profiles are not stored, records are.** A profile row is a name, a revision and a redirect;
//!   what a reader sees is folded from the records that carry its id. So a merge or a split moves
//!   records and rewrites nothing else.
//! - **One write turn per tenant.** A transaction begins by taking the tenant's row lock and its
//!   next [`Sequence`], in one statement. Writers of one tenant, on any number of servers, follow
//!   one another; each sees all that the one before committed, and the numbers are in commit order
//!   without gaps. Group commit makes the turns few.
//! - **The turn is short.** Statements are written by an [`Attempt`]: it reads and computes without
//!   the turn, and takes it with the statement that writes, if no other write has touched what it
//!   read. No lock is held while this process computes.
//! - **History is append-only**: statements as they were said, every change of membership, and each
//!   row that a write replaced or removed. So every state that was ever committed can still be
//!   read: see [`Past`].

mod api_keys;
mod attachments;
mod attempt;
mod audit;
mod availability;
mod changes;
mod erasure;
mod error;
mod footprint;
mod history;
mod idempotency;
mod log;
mod matching;
pub mod memory;
mod model_version;
mod past;
mod publication;
pub mod retry;
mod search;
mod segments;
pub mod sql;
mod statistics;
mod tenant_register;
mod timeline;

use std::sync::Arc;

use async_trait::async_trait;
use profile_core::identity::{BlockingKey, Spelling};
use profile_core::profile::StoredProfile;
use profile_core::records::{
    ContentHash, EventKey, Identifier, KeptEvent, ProfileId, Record, RecordKey, Sequence, TenantId,
    Timestamp,
};
use uuid::Uuid;

pub use api_keys::{ApiKeys, HASH_BYTES, StoredApiKey};
pub use attachments::{Attachments, WaitingPage, WaitingPlace};
use attempt::Recorded;
pub use attempt::{Attempt, Committed, Held, WriteTurn};
pub use audit::{
    AuditAppend, AuditBatch, AuditHead, AuditLogs, AuditSpan, AuditTile, MAX_BATCH_ENTRIES,
    TilePlace,
};
pub use availability::Availability;
pub use changes::{BackfillProgress, Changes, CorrectedEvent};
pub use erasure::{
    ErasedPlace, Erasure, Erasures, Release, StoredErasure, Tombstone, TombstoneKey,
};
pub use error::Error;
pub use history::{
    CorrectionKey, MembershipChange, StatementKey, StoredCorrection, StoredStatement,
};
pub use idempotency::{EarlierAnswer, IdempotencyError, IdempotentRequest};
pub use log::{
    ChangeKind, LogBody, LogCursor, LogEntry, LogPosition, LogRetention, LogTail, ProfileChange,
    SegmentStay,
};
pub use matching::{
    Cause, IdentityChange, IdentityChangeKind, IdentityChangePage, KeyedRecord, MatchPair,
    QueuePage, StoredDecision, StoredRequest,
};
pub use model_version::{Activation, ModelVersion, StoredModel};
use past::WriteMark;
pub use past::{Past, PastWrite};
pub use profile_core::records::{ProfileRow, ProfileState};
pub use publication::{
    ChangeKey, DeadLetter, DeadLetterPage, Lease, Mark, Progress, Publications, StoredPublication,
};
pub use search::{Match, SearchTerm, TermHit, TermQuery, Way};
pub use segments::{SegmentChanges, SegmentIndex, SegmentMember, SegmentProgress};
pub use statistics::Population;
pub use tenant_register::{RegisteredTenant, TenantRegister};
pub use timeline::{EventFilter, EventPage, NamingEvent, ObjectPage, Timelines};

use crate::lanes::Lanes;
use crate::telemetry::metrics::PoolSize;

/// What every implementation answers with.
pub type Result<T> = std::result::Result<T, Error>;

/// The store as readers see it. Each method is one consistent read of committed data.
///
/// # Cancel safety
/// Every method may be dropped at any point; nothing is left behind.
#[async_trait]
pub trait Store:
    ApiKeys
    + AuditLogs
    + Erasures
    + Past
    + Population
    + Publications
    + SegmentIndex
    + TenantRegister
    + Timelines
    + Send
    + Sync
    + 'static
{
    /// Which database this is: chosen at random when it was made. Read tokens carry it. Asked of
    /// the database once.
    async fn id(&self) -> Result<Uuid>;

    /// Whether other processes may write to the same database.
    fn is_shared(&self) -> bool;

    /// Whether the database is there. While it is not, everything but [`check`](Store::check) and
    /// [`follow_log`](Store::follow_log) fails at once.
    fn availability(&self) -> &Availability;

    /// Takes new connections, since the database did not answer: those that there are may lead
    /// nowhere.
    async fn renew(&self) -> Result<()>;

    /// Takes new connections for all but the follower of the log, which has got an answer again.
    async fn recover(&self) -> Result<()>;

    /// Whether the store answers and has the schema that this version needs.
    ///
    /// # Errors
    /// [`Error::Unavailable`] while it cannot be reached, [`Error::Schema`] when it is to be
    /// migrated.
    async fn check(&self) -> Result<()>;

    /// Everything of a tenant as it is now, to look at from several sides; waits for nobody and
    /// hinders nobody.
    async fn snapshot(&self, tenant: &TenantId) -> Result<Box<dyn Snapshot>>;

    /// Takes the tenant's write turn; waits for the writers before.
    async fn begin(&self, tenant: &TenantId) -> Result<Box<dyn Transaction>>;

    /// Prepares a write without the tenant's turn; waits for nobody and hinders nobody.
    async fn attempt(&self, tenant: &TenantId) -> Result<Box<dyn Attempt>>;

    /// Profiles by id, in the order asked for; `None` where no live profile answers to the id.
    /// Follows redirects. Records are in order of key.
    async fn profiles(
        &self,
        tenant: &TenantId,
        ids: &[ProfileId],
    ) -> Result<AsOf<Vec<Option<StoredProfile>>>>;

    /// For each identifier the live profiles whose records hold it, in order of id; at most `limit`
    /// of each.
    async fn find_by_identifiers(
        &self,
        tenant: &TenantId,
        identifiers: &[Identifier],
        limit: usize,
    ) -> Result<AsOf<Vec<Vec<ProfileId>>>>;

    /// For each record the live profile that holds it; a record that is gone has none.
    async fn find_by_records(
        &self,
        tenant: &TenantId,
        records: &[RecordKey],
    ) -> Result<AsOf<Vec<Option<ProfileId>>>>;

    /// Profiles of which every word is found in one of its ways by some search term: of any of
    /// their records, each word by another one if need be. Without words there are none. In order
    /// of id.
    async fn find_by_terms(&self, tenant: &TenantId, query: &TermQuery) -> Result<Vec<TermHit>>;

    /// Words among the search terms that may be meant by a spelling: all that it is like, and
    /// perhaps others. Of those that sound alike, begin alike or end alike at most `limit` each.
    async fn find_words(
        &self,
        tenant: &TenantId,
        spelling: &Spelling,
        limit: usize,
    ) -> Result<Vec<String>>;

    /// All statements about a record, events apart, in the order in which they were stored.
    async fn list_statements(
        &self,
        tenant: &TenantId,
        record: &RecordKey,
    ) -> Result<Vec<StoredStatement>>;

    /// A version of the tenant's model: the one named, or the one in force.
    async fn model(&self, tenant: &TenantId, version: Option<i64>) -> Result<Option<StoredModel>>;

    /// The versions of the tenant's model, the latest first: less than `before`, at most `limit`.
    async fn list_models(
        &self,
        tenant: &TenantId,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<StoredModel>>;

    /// Every change of a record's membership, in order.
    async fn list_memberships(
        &self,
        tenant: &TenantId,
        record: &RecordKey,
    ) -> Result<Vec<MembershipChange>>;

    /// Pairs that wait for a person, strongest first, then in order of keys.
    async fn list_queue(&self, tenant: &TenantId, page: &QueuePage) -> Result<Vec<MatchPair>>;

    /// Merges and splits, newest first.
    async fn list_identity_changes(
        &self,
        tenant: &TenantId,
        page: &IdentityChangePage,
    ) -> Result<Vec<IdentityChange>>;

    /// Decisions, withdrawn ones too, newest first, those of one write by their ids; only those
    /// after a write and an id in this order, at most `limit`.
    async fn list_decisions(
        &self,
        tenant: &TenantId,
        after: Option<(Sequence, String)>,
        limit: usize,
    ) -> Result<Vec<StoredDecision>>;

    /// For each cursor how far its tenant is, and the log from there on, at most `limit` parts of
    /// each. Of one state.
    async fn read_log(&self, cursors: &[LogCursor], limit: usize) -> Result<Vec<LogTail>>;

    /// The same for the server's own follower of the log, which waits for nobody else: it tells
    /// whether the database is there, and keeps what is cached current.
    async fn follow_log(&self, cursors: &[LogCursor], limit: usize) -> Result<Vec<LogTail>> {
        self.read_log(cursors, limit).await
    }

    /// The lanes in which reads wait for the database, if they wait for it anywhere.
    fn lanes(&self) -> Option<&Arc<Lanes>> {
        None
    }

    /// The pools of connections to the database, as they are now; empty where there are none.
    fn pools(&self) -> Vec<PoolSize> {
        Vec::new()
    }

    /// Throws away what the retention does not keep of a tenant's log, oldest writes first, each as
    /// a whole. The last write stays. Answers how many parts went; it may be less than all, and is
    /// 0 when there is nothing more to do.
    async fn trim_log(&self, tenant: &TenantId, retention: LogRetention) -> Result<u64>;

    /// All tenants after one that have written and are not deleted, in order, at most `limit`.
    async fn list_tenants(&self, after: Option<&TenantId>, limit: usize) -> Result<Vec<TenantId>>;

    /// Ends all connections, after those in use are given back.
    async fn close(&self);
}

/// One state of a tenant's data, under any number of reads. Dropped, it leaves nothing behind.
#[async_trait]
pub trait Snapshot: Attachments + Send {
    /// The version of the model that is in force; 0: the tenant has none yet.
    async fn model_in_force(&mut self) -> Result<i64>;

    /// Records by key; those that do not exist are left out. In any order.
    async fn records(&mut self, keys: &[RecordKey]) -> Result<Vec<Record>>;

    /// The records of profiles, each by its membership. In any order.
    async fn members(&mut self, profiles: &[ProfileId]) -> Result<Vec<Record>>;

    /// The records that are in no profile, and were last in one of these. In any order.
    async fn former_members(&mut self, profiles: &[ProfileId]) -> Result<Vec<Record>>;

    /// All records after a key, in order of key, at most `limit`.
    async fn scan_records(
        &mut self,
        after: Option<&RecordKey>,
        limit: usize,
    ) -> Result<Vec<Record>>;

    /// The number of records, deleted ones too, up to `limit`.
    async fn count_records(&mut self, limit: usize) -> Result<usize>;

    /// For each identifier records that hold it, at most `limit + 1` of each, least keys first: one
    /// more than `limit` tells that there are more. In any order; a record stands once for each
    /// identifier it was found by.
    async fn holders(
        &mut self,
        identifiers: &[Identifier],
        limit: usize,
    ) -> Result<Vec<(Identifier, Record)>>;

    /// For each match key the records under it, at most `limit + 1` of each, least keys first. In
    /// any order.
    async fn keyed(&mut self, keys: &[BlockingKey], limit: usize) -> Result<Vec<KeyedRecord>>;

    /// All pairs with one of the records at either end, each once. In any order.
    async fn pairs(&mut self, records: &[RecordKey]) -> Result<Vec<MatchPair>>;

    /// The decisions in force that speak of one of the records, each once. In any order.
    async fn decisions_about(&mut self, records: &[RecordKey]) -> Result<Vec<StoredDecision>>;

    /// All decisions in force. In any order.
    async fn decisions(&mut self) -> Result<Vec<StoredDecision>>;

    /// A decision by id, withdrawn or not.
    async fn decision(&mut self, id: &str) -> Result<Option<StoredDecision>>;

    /// A request by the id that its caller gave it.
    async fn request(&mut self, request_id: &str) -> Result<Option<StoredRequest>>;

    /// Profile rows by id, redirected and deleted ones too; those that do not exist are left out.
    async fn profile_rows(&mut self, ids: &[ProfileId]) -> Result<Vec<ProfileRow>>;

    /// How far counting what was not counted has come; none: it has not begun.
    async fn recount_progress(&mut self) -> Result<Option<BackfillProgress>>;

    /// Those of the statements that are stored already.
    async fn known_statements(&mut self, statements: &[StatementKey]) -> Result<Vec<StatementKey>>;

    /// Those of the events that are stored already, with the hash of their content as they were
    /// told first; 0 where only a correction has come.
    async fn known_events(&mut self, events: &[EventKey]) -> Result<Vec<(EventKey, ContentHash)>>;

    /// What is kept under the keys of events, corrected ones too. Keys under which nothing is known
    /// are left out.
    async fn kept_events(&mut self, events: &[EventKey]) -> Result<Vec<KeptEvent>>;

    /// Those of the corrections that are stored already, in force or not.
    async fn known_corrections(
        &mut self,
        corrections: &[CorrectionKey],
    ) -> Result<Vec<CorrectionKey>>;

    /// Those of the records that were erased, by their tombstones.
    async fn erased(&mut self, tombstones: &[(Tombstone, RecordKey)]) -> Result<Vec<RecordKey>>;

    /// All statements about records, events apart: record by record, each in the order in which
    /// they were stored.
    async fn statements(&mut self, records: &[RecordKey]) -> Result<Vec<StoredStatement>>;
}

/// One write, from its turn to its commit. Dropped without [`commit`](Transaction::commit), it
/// leaves nothing.
#[async_trait]
pub trait Transaction: Send {
    /// The number of this write.
    fn sequence(&self) -> Sequence;

    /// The version of the model that is in force; 0: the tenant has none yet.
    fn model_version(&self) -> i64;

    /// The time of the write before: this one's may not be earlier. The epoch when there was none.
    fn not_before(&self) -> Timestamp;

    /// The key of the tenant's tombstones. `None`: nobody was erased.
    fn tombstone_key(&self) -> Option<TombstoneKey>;

    /// Gives the writes whose times lie after `now` the time `now`, and
    /// [`not_before`](Transaction::not_before) with them, if no write lies within an hour after
    /// `now`. Answers how many. It is a part of this write: dropped, nothing has changed.
    async fn correct_times(&mut self, now: Timestamp) -> Result<u64>;

    /// Reads: all that was committed before the turn began.
    fn reads(&mut self) -> &mut dyn Snapshot;

    /// Writes a part of the changes ahead of [`commit`](Transaction::commit), so that a large write
    /// need not be one statement. Nobody sees it before the commit. The transaction's own loads may
    /// or may not see it.
    ///
    /// # Errors
    /// Those of `commit`, at the latest there. Nothing is written; the transaction is over.
    async fn write(&mut self, changes: &Changes) -> Result<()>;

    /// Erases records, after changes were [written](Transaction::write) that leave them empty: all
    /// history of them, what was said of them, their events, and each place that names them goes
    /// with the commit. Keeps their tombstones and the receipt, and answers with it.
    ///
    /// # Errors
    /// Those of `commit`. Nothing is written; the transaction is over.
    async fn erase(&mut self, erasure: &Erasure) -> Result<StoredErasure>;

    /// Writes the index of segments with this write, if it is still at the revision before. Answers
    /// whether it was; if not, the transaction is to be dropped.
    async fn write_segments(&mut self, changes: &SegmentChanges) -> Result<bool>;

    /// Writes all changes and commits, the last part of the log's entry with them. What they
    /// replace or remove is kept for [`Past`]. `time` is the write's own.
    ///
    /// # Errors
    /// [`Error::Conflict`]: nothing was written, the whole transaction may be tried again.
    /// [`Error::Refused`]: some value is not to this database's liking; nothing was written.
    /// [`Error::Unavailable`]: it is **not known** whether the changes were written; saying the
    /// statements again is safe.
    async fn commit(self: Box<Self>, time: Timestamp, changes: &Changes) -> Result<()>;
}

/// A read with the sequence that it reflects: it sees every write up to it.
#[derive(Debug, Clone, PartialEq)]
pub struct AsOf<T> {
    /// The last write that was committed when it was read.
    pub sequence: Sequence,
    /// The version of the model that was in force then; 0: the tenant had none yet.
    pub model_version: i64,
    /// What was read.
    pub value: T,
}
