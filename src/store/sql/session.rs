//! One connection, taken from its pool for a transaction, whose state is known.
//!
//! The driver counts savepoints to guess whether a connection is within a transaction, and the
//! guess goes wrong where the database ends a transaction by itself: after a full disk SQLite has
//! rolled back, the driver's own rollback fails, its count stays at one, and from then on each
//! "begin" is a savepoint of a transaction that nobody commits. So nothing here rests on that
//! count:
//!
//! - A transaction is a plain `BEGIN`, and a plain `COMMIT` or `ROLLBACK`; there are no savepoints.
//!   On SQLite `BEGIN` fails within a transaction; a connection that is found within one is closed,
//!   and the next one is taken.
//! - Only a connection whose `COMMIT` or `ROLLBACK` succeeded goes back to its pool. **Every other
//!   one is closed**, whatever happened to it; the database rolls back what a closed connection
//!   leaves. On SQLite a failed statement is enough for that, since some errors (disk full, I/O,
//!   memory) end the transaction and others do not.
//! - A transaction with a failed statement is never committed: PostgreSQL answers such a `COMMIT`
//!   without an error.

use sea_orm::{DatabaseConnection, DbBackend, QueryResult, Statement, Values};
use sea_query_sqlx::SqlxValues;
use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, Postgres, Sqlite};

use super::error::of_connection;
use super::statement::Dialect;
use crate::store::{Error, Result};

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To write. On SQLite the write lock is taken at once: a transaction that reads first is
    /// refused it when another connection wrote meanwhile. On PostgreSQL each statement sees all
    /// that was committed before it.
    Write,
    /// To read one state. On SQLite that of the first read.
    Snapshot,
}

impl Purpose {
    /// Everything is named, so that no default of the database or of a pooler in between counts;
    /// but for writing to a PostgreSQL that an operator, or a provider whose storage is used up,
    /// has made read-only.
    fn begin(self, dialect: Dialect) -> &'static str {
        match (dialect, self) {
            (Dialect::Sqlite, Self::Write) => "BEGIN IMMEDIATE",
            (Dialect::Sqlite, Self::Snapshot) => "BEGIN DEFERRED",
            (Dialect::Postgres, Self::Write) => "BEGIN ISOLATION LEVEL READ COMMITTED",
            (Dialect::Postgres, Self::Snapshot) => {
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
            }
        }
    }
}

/// A connection that is held. Dropped before its transaction has ended well, it is closed.
pub(super) struct Session {
    connection: Held,
    /// Whether the connection is outside of any transaction and nothing has gone wrong on it.
    clean: bool,
    /// Whether a statement of the transaction failed.
    failed: bool,
}

enum Held {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

impl Session {
    /// Takes a connection and begins a transaction on it.
    ///
    /// # Cancel safety
    /// Dropped, it closes the connection.
    pub(super) async fn begin(db: &DatabaseConnection, purpose: Purpose) -> Result<Self> {
        let mut session = Self::take(db).await?;
        let begin = purpose.begin(session.dialect());
        session.clean = false;
        if let Err(error) = session.plain(begin).await {
            // Within a transaction already, or broken: closed either way. The next connection is a
            // new one.
            tracing::debug!(%error, "a connection could not begin a transaction and is closed");
            session.close();
            if error.is_conflict() {
                return Err(error);
            }
            session = Self::take(db).await?;
            session.clean = false;
            session.plain(begin).await?;
        }
        Ok(session)
    }

    /// Takes a connection for statements of their own.
    pub(super) async fn take(db: &DatabaseConnection) -> Result<Self> {
        let connection = match db.get_database_backend() {
            DbBackend::Sqlite => Held::Sqlite(
                db.get_sqlite_connection_pool()
                    .acquire()
                    .await
                    .map_err(of_connection)?,
            ),
            _ => Held::Postgres(
                db.get_postgres_connection_pool()
                    .acquire()
                    .await
                    .map_err(of_connection)?,
            ),
        };
        Ok(Self {
            connection,
            clean: true,
            failed: false,
        })
    }

    /// Begins a transaction on a connection that was taken.
    pub(super) async fn open(&mut self, purpose: Purpose) -> Result<()> {
        self.clean = false;
        self.plain(purpose.begin(self.dialect())).await
    }

    /// Rolls back, and keeps the connection.
    pub(super) async fn undo(&mut self) -> Result<()> {
        self.plain("ROLLBACK").await?;
        self.clean = true;
        Ok(())
    }

    /// Whether it is outside of any transaction, and nothing has gone wrong on it.
    pub(super) fn is_clean(&self) -> bool {
        self.clean && !self.failed
    }

    pub(super) fn dialect(&self) -> Dialect {
        match self.connection {
            Held::Sqlite(_) => Dialect::Sqlite,
            Held::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs a statement without values that belongs to no transaction's content.
    async fn plain(&mut self, sql: &'static str) -> Result<()> {
        match &mut self.connection {
            Held::Sqlite(connection) => sqlx::raw_sql(sql)
                .execute(&mut **connection)
                .await
                .map(drop)?,
            Held::Postgres(connection) => sqlx::raw_sql(sql)
                .execute(&mut **connection)
                .await
                .map(drop)?,
        }
        Ok(())
    }

    /// Runs a statement. Answers how many rows it concerned.
    pub(super) async fn execute(&mut self, statement: Statement) -> Result<u64> {
        let (sql, values) = parts(statement);
        // Dropped half-way, the connection is closed.
        let clean = std::mem::take(&mut self.clean);
        let done = match &mut self.connection {
            Held::Sqlite(connection) => {
                let done = sqlx::query_with::<Sqlite, _>(AssertSqlSafe(sql), values)
                    .execute(&mut **connection)
                    .await;
                done.map(|done| done.rows_affected())
            }
            Held::Postgres(connection) => {
                let done = sqlx::query_with::<Postgres, _>(AssertSqlSafe(sql), values)
                    .execute(&mut **connection)
                    .await;
                done.map(|done| done.rows_affected())
            }
        };
        self.failed |= done.is_err();
        self.clean = clean;
        Ok(done?)
    }

    /// Runs a statement that answers rows.
    pub(super) async fn rows(&mut self, statement: Statement) -> Result<Vec<QueryResult>> {
        let (sql, values) = parts(statement);
        let clean = std::mem::take(&mut self.clean);
        let rows = match &mut self.connection {
            Held::Sqlite(connection) => {
                let rows = sqlx::query_with::<Sqlite, _>(AssertSqlSafe(sql), values)
                    .fetch_all(&mut **connection)
                    .await;
                rows.map(|rows| rows.into_iter().map(QueryResult::from).collect())
            }
            Held::Postgres(connection) => {
                let rows = sqlx::query_with::<Postgres, _>(AssertSqlSafe(sql), values)
                    .fetch_all(&mut **connection)
                    .await;
                rows.map(|rows| rows.into_iter().map(QueryResult::from).collect())
            }
        };
        self.failed |= rows.is_err();
        self.clean = clean;
        Ok(rows?)
    }

    /// Commits, and gives the connection back.
    ///
    /// # Errors
    /// Those of the database; the connection is closed then, and it is not known whether it was
    /// committed.
    pub(super) async fn commit(mut self) -> Result<()> {
        let committed = if self.failed {
            Err(Error::Internal(
                "a transaction with a failed statement is not committed".to_owned(),
            ))
        } else {
            self.plain("COMMIT").await
        };
        match committed {
            Ok(()) => self.clean = true,
            Err(error) => {
                self.close();
                return Err(error);
            }
        }
        Ok(())
    }

    /// Rolls back, and gives the connection back; where that fails, or on SQLite anything failed
    /// before, closes it instead.
    pub(super) async fn roll_back(mut self) {
        if self.failed && self.dialect() == Dialect::Sqlite {
            return self.close();
        }
        match self.plain("ROLLBACK").await {
            Ok(()) => (self.clean, self.failed) = (true, false),
            Err(error) => {
                tracing::debug!(%error, "a rollback failed; its connection is closed");
                self.close();
            }
        }
    }

    /// Gives back a connection on which statements of their own went well; closes any other.
    pub(super) fn give_back(self) {
        if self.failed {
            self.close();
        }
    }

    fn close(mut self) {
        self.clean = false;
        // Closed by the pool, which waits for it and then makes room for a new one.
        drop(self);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.is_clean() {
            return;
        }
        match &mut self.connection {
            Held::Sqlite(connection) => connection.close_on_drop(),
            Held::Postgres(connection) => connection.close_on_drop(),
        }
    }
}

fn parts(statement: Statement) -> (String, SqlxValues) {
    (
        statement.sql,
        SqlxValues(statement.values.unwrap_or(Values(Vec::new()))),
    )
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectOptions, ConnectionTrait, Database};

    use super::*;

    /// A pool of one connection, as the writers have.
    async fn one(dir: &tempfile::TempDir) -> DatabaseConnection {
        let mut options = ConnectOptions::new(format!(
            "sqlite://{}?mode=rwc",
            dir.path().join("db").display()
        ));
        options.max_connections(1);
        let db = Database::connect(options).await.expect("a connection");
        db.execute_unprepared("CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY)")
            .await
            .expect("a table");
        db
    }

    fn insert(number: i64) -> Statement {
        Statement::from_string(
            DbBackend::Sqlite,
            format!("INSERT INTO t (n) VALUES ({number})"),
        )
    }

    async fn numbers(dir: &tempfile::TempDir) -> Vec<i64> {
        let db = one(dir).await;
        let rows = db
            .query_all_raw(Statement::from_string(
                DbBackend::Sqlite,
                "SELECT n FROM t ORDER BY n",
            ))
            .await;
        rows.expect("a read")
            .iter()
            .map(|row| row.try_get("", "n").expect("a number"))
            .collect()
    }

    /// What is left of a transaction that nobody ended must not swallow those that follow.
    #[tokio::test]
    async fn a_connection_that_is_found_within_a_transaction_is_replaced() {
        let dir = tempfile::tempdir().expect("a directory");
        let db = one(&dir).await;
        db.execute_unprepared("BEGIN IMMEDIATE")
            .await
            .expect("a transaction that nobody ends");
        let mut session = Session::begin(&db, Purpose::Write)
            .await
            .expect("a transaction on a new connection");
        session.execute(insert(1)).await.expect("a row");
        session.commit().await.expect("a commit");
        assert_eq!(numbers(&dir).await, [1]);
    }

    #[tokio::test]
    async fn after_a_failed_statement_nothing_is_committed_and_the_next_transaction_is_whole() {
        let dir = tempfile::tempdir().expect("a directory");
        let db = one(&dir).await;
        let mut session = Session::begin(&db, Purpose::Write)
            .await
            .expect("a transaction");
        session.execute(insert(1)).await.expect("a row");
        session
            .execute(insert(1))
            .await
            .expect_err("the row is there");
        session.commit().await.expect_err("not committed");
        let mut session = Session::begin(&db, Purpose::Write)
            .await
            .expect("a transaction");
        session.execute(insert(2)).await.expect("a row");
        session.commit().await.expect("a commit");
        assert_eq!(numbers(&dir).await, [2]);
    }

    #[tokio::test]
    async fn what_is_dropped_or_rolled_back_leaves_nothing() {
        let dir = tempfile::tempdir().expect("a directory");
        let db = one(&dir).await;
        let mut session = Session::begin(&db, Purpose::Write)
            .await
            .expect("a transaction");
        session.execute(insert(1)).await.expect("a row");
        drop(session);
        let mut session = Session::begin(&db, Purpose::Write)
            .await
            .expect("a transaction");
        session.execute(insert(2)).await.expect("a row");
        session.roll_back().await;
        let mut session = Session::begin(&db, Purpose::Write)
            .await
            .expect("a transaction");
        session.execute(insert(3)).await.expect("a row");
        session.commit().await.expect("a commit");
        assert_eq!(numbers(&dir).await, [3]);
    }
}
