//! The store in a database: SQLite, where one file is enough, and PostgreSQL.
//!
//! Through sea-orm: connections, transactions, entities. Statements over whole sets are written
//! out, once for both databases, in `query` and `change`; what the databases differ in is in
//! `statement` and `connect`; their errors are sorted in `error`. A write batch takes a handful of
//! round trips, whatever its size: begin, turn, one for each kind of thing that is loaded, one for
//! each kind that changes, commit.
//!
//! Several servers may share one PostgreSQL. A SQLite file belongs to one process at a time.

mod backup;
mod change;
mod connect;
mod entity;
mod error;
mod fitness;
mod log;
mod matching;
mod past;
mod pools;
mod publication;
mod query;
mod read;
mod search;
mod segments;
mod session;
mod snapshot;
mod statement;
mod statistics;
mod timeline;
mod witness;
mod write;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use migrations::Schema;
use profile_core::identity::{BlockingKey, Spelling};
use profile_core::profile::StoredProfile;
use profile_core::records::{
    ContentHash, EventKey, Identifier, ProfileId, RecordKey, Sequence, TenantId, Timestamp,
    VersionStamp,
};
use sea_orm::{DatabaseConnection, Statement};
use tokio::sync::OnceCell;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use self::connect::Address;
use self::pools::Pools;
use self::statement::Dialect;
use super::{
    AsOf, Availability, Error, IdentityChange, IdentityChangePage, LogCursor, LogPosition,
    LogRetention, LogTail, MatchPair, MembershipChange, QueuePage, Result, Snapshot, StatementKey,
    Store, StoredDecision, StoredModel, StoredStatement, TermHit, TermQuery, Transaction,
};
use crate::lanes::Lanes;
use crate::telemetry::metrics::PoolSize;

/// Where the database is, and how it is used.
#[derive(Clone, PartialEq, Eq)]
pub struct Options {
    /// `sqlite://PATH` or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, with the driver's
    /// parameters after `?` (`sslmode`, `host` for a socket's directory, …).
    pub url: String,
    /// The file that holds the password, read anew while the store is open. PostgreSQL only; the
    /// URL's password otherwise.
    pub password_file: Option<PathBuf>,
    /// Maximum number of connections over all uses (PostgreSQL), or of connections for reads
    /// (SQLite). Default: 10.
    pub max_connections: u32,
    /// Maximum number of these for writes; a writer that waits for its turn holds one. SQLite has
    /// one. Default: 4.
    pub max_writers: u32,
    /// PostgreSQL only: age at which a connection is replaced, give or take a tenth. Default: 30
    /// min.
    pub max_connection_lifetime: Duration,
    /// PostgreSQL only: a connection that was idle for so long is closed. Default: 10 min.
    pub idle_timeout: Duration,
    /// PostgreSQL only: whether a server is accepted that a crash of its machine can damage
    /// (`fsync`, `full_page_writes`). Default: no.
    pub allow_unsafe_durability: bool,
    /// SQLite only: memory for pages, over all connections, in bytes. Default: 256 MiB.
    pub page_cache_bytes: usize,
    /// How long to wait for a connection, and on SQLite for another process's lock. Default: 5 s.
    pub acquire_timeout: Duration,
    /// PostgreSQL only: how long a statement may run, the wait for the write turn included.
    /// Default: 30 s.
    pub statement_timeout: Duration,
}

impl Options {
    /// The defaults, for a database.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            password_file: None,
            max_connections: 10,
            max_writers: 4,
            max_connection_lifetime: Duration::from_mins(30),
            idle_timeout: Duration::from_mins(10),
            allow_unsafe_durability: false,
            page_cache_bytes: 256 << 20,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
        }
    }
}

/// The URL may hold a password.
impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}

/// Whether opening a store may change its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Migrate {
    /// SQLite is migrated; PostgreSQL is not, since a server is to need no more rights than to read
    /// and write.
    Auto,
    /// Nothing is changed; [`Store::check`] tells how the schema stands.
    Check,
}

/// How long what is still at work may take to end.
const CLOSE_BOUND: Duration = Duration::from_secs(10);

/// A store in SQLite or PostgreSQL.
pub struct SqlStore {
    dialect: Dialect,
    pools: Arc<Pools>,
    id: OnceCell<Uuid>,
    /// Everything that outlives the call which started it.
    tasks: TaskTracker,
}

/// The plan of one of the store's queries, as the database tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The method that the query serves.
    pub method: &'static str,
    /// The plan, in the database's own form.
    pub text: String,
}

impl SqlStore {
    /// Opens a store without changing its schema. A PostgreSQL that is away does not hinder it.
    ///
    /// # Errors
    /// [`Error::Open`] for an address that makes no sense, or a file that another process has.
    pub async fn connect(options: &Options) -> Result<Self> {
        let pools = Arc::new(Pools::new(options, connect::connect(options).await?));
        tokio::spawn(witness::watch(Arc::downgrade(&pools)));
        if options.password_file.is_some() {
            tokio::spawn(pools::keep_password(Arc::downgrade(&pools)));
        }
        Ok(Self {
            dialect: pools.dialect,
            pools,
            id: OnceCell::new(),
            tasks: TaskTracker::new(),
        })
    }

    /// Opens a store as a server does.
    ///
    /// # Errors
    /// Those of [`connect`](Self::connect), and on SQLite those of [`migrate`](Self::migrate).
    pub async fn open(options: &Options, migrate: Migrate) -> Result<Self> {
        let store = Self::connect(options).await?;
        if migrate == Migrate::Auto && store.dialect == Dialect::Sqlite {
            store.pools.migrate_file().await?;
        }
        Ok(store)
    }

    /// Brings the schema of a database up to date.
    ///
    /// # Errors
    /// [`Error::Schema`] when a later version has migrated it; [`Error::Unavailable`];
    /// [`Error::Open`].
    pub async fn migrate(options: &Options) -> Result<()> {
        match Address::parse(&options.url)? {
            Address::Sqlite(_) => {
                let store = Self::open(options, Migrate::Auto).await?;
                store.close().await;
                Ok(())
            }
            Address::Postgres => {
                // Building an index of a large table takes as long as it takes.
                let store = Self::connect(&Options {
                    statement_timeout: Duration::ZERO,
                    ..options.clone()
                })
                .await?;
                let migrated = store
                    .pools
                    .fit(async { bring_up(store.dialect, &store.pools.write()).await })
                    .await;
                store.close().await;
                migrated
            }
        }
    }

    /// How the database would go about each query of the hot paths: for operators, and for the test
    /// that each goes by the index that was made for it.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn plans(&self, tenant: &TenantId) -> Result<Vec<Plan>> {
        let mut plans = Vec::new();
        for (method, mut statement) in self.hot_queries(tenant)? {
            let prefix = if self.dialect == Dialect::Postgres {
                "EXPLAIN "
            } else {
                "EXPLAIN QUERY PLAN "
            };
            statement.sql.insert_str(0, prefix);
            let column = if self.dialect == Dialect::Postgres {
                "QUERY PLAN"
            } else {
                "detail"
            };
            let rows = self.rows(statement).await?;
            let lines = rows
                .iter()
                .map(|row| row.try_get::<String>("", column))
                .collect::<std::result::Result<Vec<_>, _>>();
            plans.push(Plan {
                method,
                text: lines?.join("\n"),
            });
        }
        Ok(plans)
    }

    fn hot_queries(&self, tenant: &TenantId) -> Result<Vec<(&'static str, Statement)>> {
        let dialect = self.dialect;
        // As many as a batch asks for: the plan must not change with the number.
        let keys: Vec<String> = (0..50).map(|number| number.to_string()).collect();
        let records: Vec<RecordKey> = keys
            .iter()
            .map(|key| RecordKey::new("source", key))
            .collect();
        let ids: Vec<ProfileId> = (1..=50)
            .map(|number| ProfileId(Uuid::from_u128(number)))
            .collect();
        let identifiers: Vec<Identifier> = keys
            .iter()
            .map(|key| Identifier::new("type", key))
            .collect();
        let stamp = VersionStamp {
            version: 0,
            time: Timestamp::default(),
            content: ContentHash(0),
        };
        let statements: Vec<StatementKey> = records
            .iter()
            .map(|record| StatementKey {
                record: record.clone(),
                stamp,
            })
            .collect();
        let events: Vec<EventKey> = keys
            .iter()
            .map(|key| EventKey {
                source: "source".to_owned(),
                event_id: key.clone(),
            })
            .collect();
        let match_keys: Vec<BlockingKey> = (0..50).map(BlockingKey).collect();
        let records = records.as_slice();
        let mut queries = vec![
            ("profiles", query::profiles(dialect, tenant, &ids)?),
            (
                "find_by_identifiers",
                query::find_by_identifiers(dialect, tenant, &identifiers, 10)?,
            ),
            (
                "find_by_records",
                query::find_by_records(dialect, tenant, records)?,
            ),
            ("records", query::records(dialect, tenant, records)?),
            (
                "holders",
                query::holders(dialect, tenant, &identifiers, 10)?,
            ),
            (
                "known_statements",
                query::known_statements(dialect, tenant, &statements)?,
            ),
            (
                "known_events",
                query::known_events(dialect, tenant, &events)?,
            ),
            ("profile_rows", query::profile_rows(dialect, tenant, &ids)?),
            ("members", matching::members(dialect, tenant, &ids)?),
            ("keyed", matching::keyed(dialect, tenant, &match_keys, 10)?),
            ("pairs", matching::pairs(dialect, tenant, records)?),
            (
                "decisions_about",
                matching::decisions_about(dialect, tenant, records)?,
            ),
            (
                "remove identifiers",
                change::identifier_removal(dialect, tenant, &identifiers, records)?,
            ),
        ];
        let after = LogPosition::after(Sequence(7));
        let cursors: Vec<LogCursor> = vec![
            LogCursor {
                tenant: tenant.clone(),
                after
            };
            2
        ];
        queries.push(("read_log", log::read_log(dialect, &cursors, 10)?));
        queries.extend([
            ("memberships", segments::memberships(dialect, tenant, &ids)?),
            (
                "list_members",
                segments::list_members(dialect, tenant, "segment", None, 10),
            ),
            (
                "list_due",
                segments::list_due(dialect, tenant, Timestamp::default(), 10),
            ),
            (
                "list_profiles",
                segments::list_profiles(dialect, tenant, None, 10),
            ),
        ]);
        queries.extend(search::hot_queries(dialect, tenant)?);
        queries.extend(timeline::hot_queries(dialect, tenant, records)?);
        queries.extend(past::hot_queries(dialect, tenant));
        Ok(queries)
    }
}

async fn bring_up(dialect: Dialect, db: &DatabaseConnection) -> Result<()> {
    match migrations::schema(db).await? {
        Schema::Right => {}
        Schema::Newer(name) => return Err(newer(&name)),
        Schema::Missing | Schema::Older(_) => migrations::up(db).await?,
    }
    // Also what a run before did not come to.
    search::fill_in(dialect, db).await?;
    backup::give_missing_id(dialect, db).await
}

impl Pools {
    /// Brings a SQLite file up to date, and looks from another connection whether it is.
    async fn migrate_file(&self) -> Result<()> {
        let Some(file) = &self.witness.file else {
            return Ok(());
        };
        let db = connect::sqlite_for_migration(&self.options, file).await?;
        let migrated = bring_up(self.dialect, &db).await;
        db.close().await?;
        migrated?;
        match migrations::schema(&self.witness_connection()).await? {
            Schema::Right => Ok(()),
            other => Err(Error::Schema(format!(
                "it was migrated, and is found as it was: {other:?}"
            ))),
        }
    }
}

fn newer(migration: &str) -> Error {
    Error::Schema(format!(
        "a later version of customer-profile has migrated it ({migration}); start that version or a later one, or restore a \
         backup of before: a schema is never taken back"
    ))
}

#[async_trait]
impl Store for SqlStore {
    fn is_shared(&self) -> bool {
        self.dialect == Dialect::Postgres
    }

    fn availability(&self) -> &Availability {
        &self.pools.availability
    }

    async fn renew(&self) -> Result<()> {
        self.pools.renew().await
    }

    async fn id(&self) -> Result<Uuid> {
        self.id.get_or_try_init(|| self.read_id()).await.copied()
    }

    async fn check(&self) -> Result<()> {
        // First, since a role that may not read the list of migrations would find none.
        if self.dialect == Dialect::Postgres {
            self.pools
                .fit(async { fitness::check(&self.pools.read()).await })
                .await?;
        }
        let schema = async { Ok(migrations::schema(&self.pools.read()).await?) };
        match self.pools.fit(schema).await? {
            Schema::Right => self.id().await.map(drop),
            Schema::Missing => Err(Error::Schema(
                "it is missing; `customer-profile migrate` makes it".to_owned(),
            )),
            Schema::Older(count) => Err(Error::Schema(format!(
                "{count} migrations are to be applied; `customer-profile migrate` applies them"
            ))),
            Schema::Newer(name) => Err(newer(&name)),
        }
    }

    async fn begin(&self, tenant: &TenantId) -> Result<Box<dyn Transaction>> {
        let Self { pools, tasks, .. } = self;
        pools.availability.may_write()?;
        Ok(Box::new(
            pools.guard(write::begin(pools, tenant, tasks)).await?,
        ))
    }

    async fn snapshot(&self, tenant: &TenantId) -> Result<Box<dyn Snapshot>> {
        let Self { pools, tasks, .. } = self;
        let begun = async {
            let _place = pools.lanes.enter().await?;
            snapshot::begin(pools, tenant, tasks).await
        };
        Ok(Box::new(pools.guard(begun).await?))
    }

    async fn profiles(
        &self,
        tenant: &TenantId,
        ids: &[ProfileId],
    ) -> Result<AsOf<Vec<Option<StoredProfile>>>> {
        self.read_profiles(tenant, ids).await
    }

    async fn find_by_identifiers(
        &self,
        tenant: &TenantId,
        identifiers: &[Identifier],
        limit: usize,
    ) -> Result<AsOf<Vec<Vec<ProfileId>>>> {
        self.read_by_identifiers(tenant, identifiers, limit).await
    }

    async fn find_by_records(
        &self,
        tenant: &TenantId,
        records: &[RecordKey],
    ) -> Result<AsOf<Vec<Option<ProfileId>>>> {
        self.read_by_records(tenant, records).await
    }

    async fn find_by_terms(&self, tenant: &TenantId, query: &TermQuery) -> Result<Vec<TermHit>> {
        self.read_by_terms(tenant, query).await
    }

    async fn find_words(
        &self,
        tenant: &TenantId,
        spelling: &Spelling,
        limit: usize,
    ) -> Result<Vec<String>> {
        self.read_words(tenant, spelling, limit).await
    }

    async fn list_statements(
        &self,
        tenant: &TenantId,
        record: &RecordKey,
    ) -> Result<Vec<StoredStatement>> {
        self.read_statements(tenant, record).await
    }

    async fn model(&self, tenant: &TenantId, version: Option<i64>) -> Result<Option<StoredModel>> {
        self.read_model(tenant, version).await
    }

    async fn list_models(
        &self,
        tenant: &TenantId,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<StoredModel>> {
        self.read_models(tenant, before, limit).await
    }

    async fn list_memberships(
        &self,
        tenant: &TenantId,
        record: &RecordKey,
    ) -> Result<Vec<MembershipChange>> {
        self.read_memberships(tenant, record).await
    }

    async fn list_queue(&self, tenant: &TenantId, page: &QueuePage) -> Result<Vec<MatchPair>> {
        self.read_queue(tenant, page).await
    }

    async fn list_identity_changes(
        &self,
        tenant: &TenantId,
        page: &IdentityChangePage,
    ) -> Result<Vec<IdentityChange>> {
        self.read_identity_changes(tenant, page).await
    }

    async fn list_decisions(
        &self,
        tenant: &TenantId,
        after: Option<(Sequence, String)>,
        limit: usize,
    ) -> Result<Vec<StoredDecision>> {
        self.read_decisions(tenant, after, limit).await
    }

    async fn read_log(&self, cursors: &[LogCursor], limit: usize) -> Result<Vec<LogTail>> {
        self.read_tails(cursors, limit).await
    }

    async fn follow_log(&self, cursors: &[LogCursor], limit: usize) -> Result<Vec<LogTail>> {
        self.follow_tails(cursors, limit).await
    }

    fn lanes(&self) -> Option<&Arc<Lanes>> {
        Some(&self.pools.lanes)
    }

    fn pools(&self) -> Vec<PoolSize> {
        self.pools.sizes()
    }

    async fn trim_log(&self, tenant: &TenantId, retention: LogRetention) -> Result<u64> {
        self.trim_tail(tenant, retention).await
    }

    async fn list_tenants(&self, after: Option<&TenantId>, limit: usize) -> Result<Vec<TenantId>> {
        self.read_tenants(after, limit).await
    }

    async fn close(&self) {
        self.tasks.close();
        if tokio::time::timeout(CLOSE_BOUND, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("a transaction did not end; the database ends it");
        }
        if tokio::time::timeout(CLOSE_BOUND, self.pools.close())
            .await
            .is_err()
        {
            tracing::warn!("a connection could not be closed; the database closes it");
        }
        self.pools.witness.release();
    }
}

impl Drop for SqlStore {
    fn drop(&mut self) {
        self.pools.witness.release();
    }
}
