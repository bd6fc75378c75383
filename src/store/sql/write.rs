//! A write: its turn, what it loads, its commit. The one place where transactions that write begin
//! and end.
//!
//! - **Begin** runs in a task of its own: a `BEGIN` that is dropped half-way would leave an open
//!   transaction behind. Dropping the wait for it rolls back.
//! - **Commit** runs in a task of its own too: dropping the wait for it abandons the wait, never
//!   the commit.
//! - A transaction that is dropped is **rolled back** in a task of its own, at once.
//! - All are tracked, so that closing the store waits for them.
//! - A connection whose transaction did not end well is closed: see [`session`](super::session).
//!   What was committed is answered only while the database is known to have it: see
//!   [`witness`](super::witness).
//! - Nothing runs on any other connection while the transaction is open.

mod times;

use std::sync::Arc;

use async_trait::async_trait;
use profile_core::records::{Sequence, TenantId, Timestamp};
use sea_orm::{QueryResult, Statement};
use tokio_util::task::TaskTracker;

use super::SqlStore;
use super::change::{self, statements};
use super::pools::Pools;
use super::read::place;
use super::session::Session;
use super::statement::{Dialect, Sql};
use crate::store::footprint::Footprint;
use crate::store::past::refuse_time;
use crate::store::{
    Changes, Erasure, Error, Result, SegmentChanges, Snapshot, StoredErasure, TombstoneKey,
    Transaction, WriteMark, WriteTurn,
};

pub(super) struct SqlTransaction {
    pub(super) dialect: Dialect,
    pub(super) tenant: TenantId,
    /// That of a write; the default in a snapshot.
    pub(super) turn: WriteTurn,
    /// `None` once it is committed or rolled back, and for [`apart`](Self::apart).
    pub(super) open: Option<Session>,
    /// Whether each read takes the writer's connection for itself.
    pub(super) apart: bool,
    /// Whether a part of the changes went ahead of the commit.
    pub(super) went_ahead: bool,
    pub(super) pools: Arc<Pools>,
    pub(super) tasks: TaskTracker,
}

/// Takes the tenant's turn.
pub(super) async fn begin(
    pools: &Arc<Pools>,
    tenant: &TenantId,
    tasks: &TaskTracker,
) -> Result<SqlTransaction> {
    let (pools, tenant, tracker) = (pools.clone(), tenant.clone(), tasks.clone());
    let begun = tasks.spawn(async move {
        // The turn comes first, so whatever is read afterwards sees all that the writers before
        // committed.
        let open = Some(pools.begin_write().await?);
        let (dialect, turn) = (pools.dialect, WriteTurn::default());
        let mut transaction = SqlTransaction {
            dialect,
            tenant,
            turn,
            open,
            apart: false,
            went_ahead: false,
            pools,
            tasks: tracker,
        };
        transaction.turn = transaction.take_turn().await?;
        Ok(transaction)
    });
    begun
        .await
        .unwrap_or_else(|panic| Err(Error::Internal(format!("begin: {panic}"))))
}

impl SqlTransaction {
    /// The lock on the tenant's row and what goes with it, in one statement. Rolled back, the
    /// number is free again. (All of it must be columns of the locked row: what else the statement
    /// read would be from before the wait for the lock.)
    async fn take_turn(&mut self) -> Result<WriteTurn> {
        let mut sql = Sql::new(self.dialect);
        let tenant = sql.bind(self.tenant.as_str());
        let rows = self
            .rows(sql.statement(format!(
                "INSERT INTO tenant (id, sequence) VALUES ({tenant}, 1) \
                 ON CONFLICT (id) DO UPDATE SET sequence = tenant.sequence + 1 \
                 RETURNING sequence, model_version, write_time, tombstone_key"
            )))
            .await?;
        let row = rows
            .first()
            .ok_or_else(|| Error::Internal("no turn was given".to_owned()))?;
        let sequence = Sequence(row.try_get("", "sequence")?);
        turn(row, sequence)
    }

    fn open(&mut self) -> Result<&mut Session> {
        self.open
            .as_mut()
            .ok_or_else(|| Error::Internal("the transaction is over".to_owned()))
    }

    /// Runs a statement that writes. Answers how many rows it concerned.
    pub(super) async fn execute(&mut self, statement: Statement) -> Result<u64> {
        let written = self.open()?.execute(statement).await;
        written.inspect_err(|error| self.pools.note_failed_write(error))
    }

    pub(super) async fn rows(&mut self, statement: Statement) -> Result<Vec<QueryResult>> {
        let rows = if self.apart {
            self.rows_apart(statement).await
        } else {
            self.open()?.rows(statement).await
        };
        rows.inspect_err(|error| self.pools.note_failed_write(error))
    }

    /// A read that takes the writer's connection for itself, in a task of its own: a read that was
    /// dropped half-way would close the connection, and a new one might open another file.
    async fn rows_apart(&self, statement: Statement) -> Result<Vec<QueryResult>> {
        let pools = self.pools.clone();
        let read = self.tasks.spawn(async move {
            let mut session = Session::take(&pools.write()).await?;
            let rows = session.rows(statement).await;
            session.give_back();
            rows
        });
        read.await
            .unwrap_or_else(|panic| Err(Error::Internal(format!("read: {panic}"))))
    }
}

/// Rolls back at once, instead of whenever the connection is used next: others wait for the turn.
impl Drop for SqlTransaction {
    fn drop(&mut self) {
        let open = self.open.take().filter(|open| !open.is_clean());
        if let (Some(open), Ok(runtime)) = (open, tokio::runtime::Handle::try_current()) {
            self.tasks.spawn_on(open.roll_back(), &runtime);
        }
    }
}

/// A turn, from the row of its tenant.
pub(super) fn turn(tenant: &QueryResult, sequence: Sequence) -> Result<WriteTurn> {
    let key: Option<Vec<u8>> = tenant.try_get("", "tombstone_key")?;
    Ok(WriteTurn {
        sequence,
        model_version: tenant.try_get("", "model_version")?,
        not_before: Timestamp::from_micros(tenant.try_get("", "write_time")?),
        tombstone_key: key.as_deref().and_then(TombstoneKey::from_bytes),
    })
}

/// Runs all statements and commits.
pub(super) async fn finish(mut open: Session, statements: Vec<Statement>) -> Result<()> {
    for statement in statements {
        if let Err(error) = open.execute(statement).await {
            open.roll_back().await;
            return Err(error);
        }
    }
    open.commit().await
}

impl SqlStore {
    /// Runs a transaction of statements, to its end whatever becomes of the caller. Answers how
    /// many rows the first one concerned; where it concerned none, the rest is not run.
    pub(super) async fn write_all(&self, first: Statement, rest: Vec<Statement>) -> Result<u64> {
        let pools = self.pools.clone();
        let written = self.tasks.spawn(async move {
            let written = run_all(&pools, first, rest).await;
            pools.settle(None, written).await
        });
        let written = async {
            written
                .await
                .unwrap_or_else(|panic| Err(Error::Internal(format!("write: {panic}"))))
        };
        self.pools.guard(written).await
    }

    /// Runs a statement that writes, as [`write_all`](Self::write_all) does.
    pub(super) async fn write_rows(&self, statement: Statement) -> Result<u64> {
        self.write_all(statement, Vec::new()).await
    }
}

async fn run_all(pools: &Pools, first: Statement, rest: Vec<Statement>) -> Result<u64> {
    if pools.dialect == Dialect::Postgres && rest.is_empty() {
        // A transaction by itself, in one round trip instead of three.
        let mut session = Session::take(&pools.write()).await?;
        let rows = session.execute(first).await;
        session.give_back();
        return rows;
    }
    let mut open = pools.begin_write().await?;
    let rows = match open.execute(first).await {
        Ok(rows) => rows,
        Err(error) => {
            open.roll_back().await;
            return Err(error);
        }
    };
    if rows == 0 {
        open.roll_back().await;
    } else {
        finish(open, rest).await?;
    }
    Ok(rows)
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

    fn tombstone_key(&self) -> Option<TombstoneKey> {
        self.turn.tombstone_key
    }

    async fn correct_times(&mut self, now: Timestamp) -> Result<u64> {
        self.move_times(now).await
    }

    fn reads(&mut self) -> &mut dyn Snapshot {
        self
    }

    async fn write(&mut self, changes: &Changes) -> Result<()> {
        changes.refuse_nul()?;
        self.went_ahead = true;
        for statement in change::ahead(self.dialect, &self.tenant, self.turn.sequence, changes)? {
            self.execute(statement).await?;
        }
        Ok(())
    }

    async fn erase(&mut self, erasure: &Erasure) -> Result<StoredErasure> {
        self.went_ahead = true;
        self.erase_records(erasure).await
    }

    async fn write_segments(&mut self, changes: &SegmentChanges) -> Result<bool> {
        self.replace_segments(changes).await
    }

    async fn commit(mut self: Box<Self>, time: Timestamp, changes: &Changes) -> Result<()> {
        refuse_time(time, self.turn.not_before)?;
        changes.refuse_nul()?;
        let mark = WriteMark {
            sequence: self.turn.sequence,
            time,
        };
        // Parts that went ahead are not looked through again.
        let footprint = if self.went_ahead {
            Footprint::Everything
        } else {
            Footprint::of(changes)
        };
        let all = (changes, &footprint);
        let statements = statements(self.dialect, &self.tenant, mark, all)?;
        let open = self
            .open
            .take()
            .ok_or_else(|| Error::Internal("the transaction is over".to_owned()))?;
        let (pools, tenant) = (self.pools.clone(), self.tenant.clone());
        let written = self.tasks.spawn(async move {
            let written = finish(open, statements).await;
            pools.settle(Some((&tenant, mark)), written).await
        });
        written
            .await
            .unwrap_or_else(|panic| Err(Error::Internal(format!("commit: {panic}"))))
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
