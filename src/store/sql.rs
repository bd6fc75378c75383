//! The store in a database: SQLite, where one file is enough, and PostgreSQL.
//!
//! Through sea-orm: connections, transactions, entities. Statements over whole sets are written
//! out, once for both databases, in `query` and `change`; what the databases differ in is in
//! `statement` and `connect`; their errors are sorted in `error`. A write batch takes a handful of
//! round trips, whatever its size: begin, turn, one for each kind of thing that is loaded, one for
//! each kind that changes, commit.
//!
//! Several servers may share one PostgreSQL. A SQLite file belongs to one process at a time.

mod api_keys;
mod attachments;
mod attempt;
mod audit;
mod backup;
mod change;
mod connect;
mod entity;
mod erasure;
mod error;
mod fitness;
mod log;
mod matching;
mod objects;
mod options;
mod past;
mod plans;
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
mod tenant_register;
mod timeline;
mod witness;
mod write;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use migrations::Schema;
use profile_core::identity::Spelling;
use profile_core::profile::StoredProfile;
use profile_core::records::{Identifier, ProfileId, RecordKey, Sequence, TenantId};
use sea_orm::DatabaseConnection;
use tokio::sync::OnceCell;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use self::connect::Address;
pub use self::options::{Migrate, Options};
pub use self::plans::Plan;
use self::pools::Pools;
use self::statement::Dialect;
use super::{
    AsOf, Attempt, Availability, Error, IdentityChange, IdentityChangePage, LogCursor,
    LogRetention, LogTail, MatchPair, MembershipChange, QueuePage, Result, Snapshot, Store,
    StoredDecision, StoredModel, StoredStatement, TermHit, TermQuery, Transaction,
};
use crate::lanes::Lanes;
use crate::telemetry::metrics::PoolSize;

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
}

async fn bring_up(dialect: Dialect, db: &DatabaseConnection) -> Result<()> {
    match migrations::schema(db).await? {
        Schema::Right => {}
        Schema::Newer(name) => return Err(newer(&name)),
        Schema::Missing | Schema::Older(_) => migrations::up(db).await?,
    }
    // Also what a run before did not come to.
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

    async fn recover(&self) -> Result<()> {
        self.pools.recover().await
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

    async fn attempt(&self, tenant: &TenantId) -> Result<Box<dyn Attempt>> {
        let Self { pools, tasks, .. } = self;
        pools.availability.may_write()?;
        let begun = attempt::begin(pools, tenant, tasks);
        Ok(Box::new(pools.guard(begun).await?))
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
        // The log of SQLite goes with its last connection: that is no loss to be found.
        self.pools.witness.closed.cancel();
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
