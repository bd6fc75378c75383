//! A write: its turn, what it loads, its commit.
//!
//! - **Begin** happens here and nowhere else, in a task of its own: a `BEGIN` that is dropped half-way would leave an open
//!   transaction on a pooled connection. Dropping the wait for it rolls back.
//! - **Commit** runs in a task of its own too: dropping the wait for it abandons the wait, never the commit.
//! - Both are tracked, so that closing the store waits for them.
//! - Nothing runs on any other connection while the transaction is open.

mod times;

use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, QueryResult, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::change::{self, statements};
use super::query;
use super::read::place;
use super::statement::{Dialect, Sql};
use crate::profile::{ContentHash, EventKey, Sequence, TenantId, Timestamp};
use crate::store::past::refuse_time;
use crate::store::{Changes, Error, Result, Snapshot, StatementKey, Transaction, Turn, WriteMark};

pub(super) struct SqlTransaction {
    pub(super) dialect: Dialect,
    pub(super) tenant: TenantId,
    /// Of a write.
    pub(super) turn: Turn,
    /// None once it is committed or rolled back.
    pub(super) open: Option<DatabaseTransaction>,
    pub(super) tasks: TaskTracker,
}

/// Takes the tenant's turn.
pub(super) async fn begin(
    db: &DatabaseConnection,
    dialect: Dialect,
    tenant: &TenantId,
    tasks: &TaskTracker,
) -> Result<SqlTransaction> {
    let (db, tenant, tracker) = (db.clone(), tenant.clone(), tasks.clone());
    let begun = tasks.spawn(async move {
        // Read committed is each PostgreSQL connection's default, set when it is made. The turn comes first, so whatever
        // is read afterwards sees all that the writers before committed. SQLite must ask for the write lock at once: a
        // transaction that reads first is refused it when another wrote meanwhile.
        let immediate = (dialect == Dialect::Sqlite).then_some(SqliteTransactionMode::Immediate);
        let options = TransactionOptions { sqlite_transaction_mode: immediate, ..TransactionOptions::default() };
        let open = db.begin_with_options(options).await?;
        let turn = Turn::default();
        let mut transaction = SqlTransaction { dialect, tenant, turn, open: Some(open), tasks: tracker };
        transaction.turn = transaction.take_turn().await?;
        Ok(transaction)
    });
    begun.await.unwrap_or_else(|panic| Err(Error::Internal(format!("begin: {panic}"))))
}

impl SqlTransaction {
    /// The lock on the tenant's row and what goes with it, in one statement. Rolled back, the number is free again. (All of
    /// it must be columns of the locked row: what else the statement read would be from before the wait for the lock.)
    async fn take_turn(&self) -> Result<Turn> {
        let mut sql = Sql::new(self.dialect);
        let tenant = sql.bind(self.tenant.as_str());
        let rows = self
            .rows(sql.statement(format!(
                "INSERT INTO tenant (id, sequence) VALUES ({tenant}, 1) \
                 ON CONFLICT (id) DO UPDATE SET sequence = tenant.sequence + 1 \
                 RETURNING sequence, model_version, write_time"
            )))
            .await?;
        let row = rows.first().ok_or_else(|| Error::Internal("no turn was given".to_owned()))?;
        let not_before = Timestamp::from_micros(row.try_get("", "write_time")?);
        let (sequence, model_version) = (Sequence(row.try_get("", "sequence")?), row.try_get("", "model_version")?);
        Ok(Turn { sequence, model_version, not_before })
    }

    pub(super) fn open(&self) -> Result<&DatabaseTransaction> {
        self.open.as_ref().ok_or_else(|| Error::Internal("the transaction is over".to_owned()))
    }

    pub(super) async fn rows(&self, statement: Statement) -> Result<Vec<QueryResult>> {
        Ok(self.open()?.query_all_raw(statement).await?)
    }
}

/// Rolls back at once, instead of whenever the connection is used next: others wait for the turn.
impl Drop for SqlTransaction {
    fn drop(&mut self) {
        if let (Some(open), Ok(runtime)) = (self.open.take(), tokio::runtime::Handle::try_current()) {
            let rollback = async move {
                if let Err(error) = open.rollback().await {
                    // The connection is broken, so the database has rolled back by itself.
                    tracing::debug!(%error, "rollback failed");
                }
            };
            self.tasks.spawn_on(rollback, &runtime);
        }
    }
}

async fn write(open: DatabaseTransaction, statements: Vec<Statement>) -> Result<()> {
    for statement in statements {
        if let Err(error) = open.execute_raw(statement).await {
            if let Err(error) = open.rollback().await {
                tracing::debug!(%error, "rollback failed");
            }
            return Err(error.into());
        }
    }
    Ok(open.commit().await?)
}

#[async_trait]
impl Transaction for SqlTransaction {
    fn sequence(&self) -> Sequence {
        self.turn.sequence
    }

    fn model_version(&self) -> i64 {
        self.turn.model_version
    }

    fn not_before(&self) -> Timestamp {
        self.turn.not_before
    }

    async fn correct_times(&mut self, now: Timestamp) -> Result<u64> {
        self.move_times(now).await
    }

    fn reads(&mut self) -> &mut dyn Snapshot {
        self
    }

    async fn known_statements(&mut self, statements: &[StatementKey]) -> Result<Vec<StatementKey>> {
        let asked = distinct(statements);
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.rows(query::known_statements(self.dialect, &self.tenant, &asked)?).await?;
        rows.iter().map(|row| Ok(question(&asked, row)?.clone())).collect()
    }

    async fn known_events(&mut self, events: &[EventKey]) -> Result<Vec<(EventKey, ContentHash)>> {
        let asked = distinct(events);
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.rows(query::known_events(self.dialect, &self.tenant, &asked)?).await?;
        let known = |row: &QueryResult| {
            let hash: Uuid = row.try_get("", "content_hash")?;
            Ok((question(&asked, row)?.clone(), ContentHash(hash.as_u128())))
        };
        rows.iter().map(known).collect()
    }

    async fn write(&mut self, changes: &Changes) -> Result<()> {
        changes.refuse_nul()?;
        for statement in change::ahead(self.dialect, &self.tenant, self.turn.sequence, changes)? {
            self.open()?.execute_raw(statement).await?;
        }
        Ok(())
    }

    async fn commit(mut self: Box<Self>, time: Timestamp, changes: &Changes) -> Result<()> {
        refuse_time(time, self.turn.not_before)?;
        changes.refuse_nul()?;
        let mark = WriteMark { sequence: self.turn.sequence, time };
        let statements = statements(self.dialect, &self.tenant, mark, changes)?;
        let open = self.open.take().ok_or_else(|| Error::Internal("the transaction is over".to_owned()))?;
        let written = self.tasks.spawn(write(open, statements)).await;
        written.unwrap_or_else(|panic| Err(Error::Internal(format!("commit: {panic}"))))
    }
}

pub(super) fn distinct<T: Clone + Ord>(asked: &[T]) -> Vec<T> {
    let mut asked = asked.to_vec();
    asked.sort_unstable();
    asked.dedup();
    asked
}

/// Which of the things asked for a row answers.
pub(super) fn question<'a, T>(asked: &'a [T], row: &QueryResult) -> Result<&'a T> {
    let place = place(row)?.and_then(|place| asked.get(place));
    place.ok_or_else(|| Error::Internal("an answer to nothing that was asked".to_owned()))
}
