//! A write that is prepared while others write: reads that are statements of their own, on a
//! writer's connection outside of any transaction, and one statement that takes the turn and
//! writes.
//!
//! No lock of the database is held before that statement, so a server that is stopped in the middle
//! of its work keeps nobody from writing. On SQLite, which has one connection for all writers, each
//! read takes it for itself, and the transaction begins with that statement.

use std::sync::Arc;

use async_trait::async_trait;
use profile_core::records::{Sequence, TenantId, Timestamp};
use sea_orm::{QueryResult, Statement};
use tokio_util::task::TaskTracker;

use super::change;
use super::pools::Pools;
use super::session::{Purpose, Session};
use super::statement::{Dialect, Sql};
use super::write::{SqlTransaction, finish, turn};
use crate::store::footprint::Footprint;
use crate::store::past::refuse_time;
use crate::store::{
    Attempt, Changes, Committed, Error, Recorded, Result, Snapshot, WriteMark, WriteTurn,
};

/// How many writes that came between are looked through: after more it is cheaper to begin anew.
const MAX_BETWEEN: usize = 256;

pub(super) struct SqlAttempt {
    reads: Recorded<SqlTransaction>,
}

/// Begins at the tenant's last write: in a task of its own, since looking whether the file is in
/// its place may have to rescue what was in it.
pub(super) async fn begin(
    pools: &Arc<Pools>,
    tenant: &TenantId,
    tasks: &TaskTracker,
) -> Result<SqlAttempt> {
    let (pools, tenant, tracker) = (pools.clone(), tenant.clone(), tasks.clone());
    let begun = tasks.spawn(async move {
        let dialect = pools.dialect;
        let apart = dialect == Dialect::Sqlite;
        let session = pools.take_writer().await?;
        let mut reads = SqlTransaction {
            dialect,
            tenant,
            turn: WriteTurn::default(),
            open: (!apart).then_some(session),
            apart,
            went_ahead: false,
            pools,
            tasks: tracker,
        };
        let statement = last_write(dialect, &reads.tenant);
        let rows = reads.rows(statement).await?;
        reads.turn = rows.first().map_or(Ok(first_turn()), next_turn)?;
        Ok(SqlAttempt {
            reads: Recorded::new(reads),
        })
    });
    begun
        .await
        .unwrap_or_else(|panic| Err(Error::Internal(format!("attempt: {panic}"))))
}

impl SqlAttempt {
    /// Comes after the writes that came between, if none of them touched what was read. Answers
    /// whether it does.
    async fn catch_up(&mut self) -> Result<bool> {
        let tx = &mut self.reads.reads;
        let base = tx.turn.sequence.before();
        let rows = tx
            .rows(writes_after(tx.dialect, &tx.tenant, base, MAX_BETWEEN + 1))
            .await?;
        let Some(last) = rows.last() else {
            return Ok(true);
        };
        let turn = next_turn(last)?;
        let between = turn.sequence.before().0 - base.0;
        if between == 0 {
            return Ok(true);
        }
        if usize::try_from(between).ok() != Some(rows.len()) || rows.len() > MAX_BETWEEN {
            // Some of them are in the log no more.
            return Ok(false);
        }
        for row in &rows {
            let footprint: Vec<u8> = row.try_get("", "footprint")?;
            if self.reads.seen.meets(&Footprint::from_bytes(&footprint)) {
                return Ok(false);
            }
        }
        tx.turn = turn;
        Ok(true)
    }
}

fn first_turn() -> WriteTurn {
    WriteTurn {
        sequence: Sequence(1),
        ..WriteTurn::default()
    }
}

/// The turn after the last write.
fn next_turn(last: &QueryResult) -> Result<WriteTurn> {
    let sequence: i64 = last.try_get("", "sequence")?;
    turn(last, Sequence(sequence + 1))
}

/// Serves [`begin`], by `tenant_pk`.
fn last_write(dialect: Dialect, tenant: &TenantId) -> Statement {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    sql.statement(format!(
        "SELECT sequence, model_version, write_time, tombstone_key FROM tenant WHERE id = {tenant}"
    ))
}

/// Serves [`SqlAttempt::catch_up`], by `tenant_pk` and `change_log_pk`: the last write, once for
/// each write after `base` that the log has.
pub(super) fn writes_after(
    dialect: Dialect,
    tenant: &TenantId,
    base: Sequence,
    limit: usize,
) -> Statement {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let (base, limit) = (sql.bind(base.0), sql.limit(limit));
    let entry = format!("c.tenant = {tenant} AND c.sequence > {base} AND c.last = 1");
    let entry = dialect.look_up("change_log", "c", &entry);
    sql.statement(format!(
        "SELECT t.sequence, t.model_version, t.write_time, t.tombstone_key, c.footprint FROM tenant AS t {entry} \
         WHERE t.id = {tenant} ORDER BY c.sequence LIMIT {limit}"
    ))
}

/// Writes if the turn is the tenant's next one. Answers whether it was, and the connection of the
/// attempt if it is not.
async fn write_next(
    pools: &Pools,
    open: Option<Session>,
    statements: Vec<Statement>,
) -> Result<Outcome> {
    let mut statements = statements.into_iter();
    let first = statements
        .next()
        .ok_or_else(|| Error::Internal("a write of no statement".to_owned()))?;
    // On PostgreSQL a statement is a transaction by itself.
    let is_whole = open.is_some() && statements.len() == 0;
    let is_kept = open.is_some();
    let mut session = match open {
        Some(mut session) => {
            if !is_whole {
                session.open(Purpose::Write).await?;
            }
            session
        }
        None => pools.begin_write().await?,
    };
    match take_turn(&mut session, first).await {
        Ok(true) if is_whole => Ok(Outcome::Written),
        Ok(true) => {
            finish(session, statements.collect()).await?;
            Ok(Outcome::Written)
        }
        Ok(false) => {
            if !is_whole {
                session.undo().await?;
            }
            Ok(Outcome::NotNext(is_kept.then_some(session)))
        }
        Err(error) => {
            session.roll_back().await;
            Err(error)
        }
    }
}

/// The outcome of a write that takes the tenant's next turn.
enum Outcome {
    Written,
    /// With the connection of the attempt, if it has one.
    NotNext(Option<Session>),
}

/// Runs the statement that takes the turn. Answers whether it was taken.
async fn take_turn(session: &mut Session, statement: Statement) -> Result<bool> {
    if session.dialect() == Dialect::Sqlite {
        return Ok(session.execute(statement).await? > 0);
    }
    let rows = session.rows(statement).await?;
    let turns: i64 = match rows.first() {
        Some(row) => row.try_get("", "turns")?,
        None => 0,
    };
    Ok(turns > 0)
}

#[async_trait]
impl Attempt for SqlAttempt {
    fn turn(&self) -> WriteTurn {
        self.reads.reads.turn
    }

    fn reads(&mut self) -> &mut dyn Snapshot {
        &mut self.reads
    }

    async fn commit(mut self: Box<Self>, time: Timestamp, changes: &Changes) -> Result<Committed> {
        let tx = &mut self.reads.reads;
        refuse_time(time, tx.turn.not_before)?;
        changes.refuse_nul()?;
        let mark = WriteMark {
            sequence: tx.turn.sequence,
            time,
        };
        let statements = change::next_write(tx.dialect, &tx.tenant, mark, changes)?;
        let open = tx.open.take();
        let (pools, tenant) = (tx.pools.clone(), tx.tenant.clone());
        let written = tx.tasks.spawn(async move {
            let written = write_next(&pools, open, statements).await;
            // Only what was written is to be found from now on.
            let is_written = matches!(written, Ok(Outcome::Written));
            let mark = is_written.then_some((&tenant, mark));
            pools.settle(mark, written).await
        });
        let written = written
            .await
            .unwrap_or_else(|panic| Err(Error::Internal(format!("commit: {panic}"))));
        let Outcome::NotNext(open) = written? else {
            return Ok(Committed::Done);
        };
        self.reads.reads.open = open;
        Ok(Committed::NotNext(self))
    }

    async fn follow(mut self: Box<Self>) -> Result<Option<Box<dyn Attempt>>> {
        Ok(if self.catch_up().await? {
            Some(self)
        } else {
            None
        })
    }
}
