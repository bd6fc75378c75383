//! PostgreSQL: its pools, and the settings of each session.

use std::time::Duration;

use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::{Database, DatabaseConnection};

use super::super::Options;
use super::pool;
use crate::store::Result;

/// A pool of PostgreSQL connections. `timeout`: of a statement; none for migrations.
pub(in crate::store::sql) async fn postgres(
    options: &Options,
    connections: u32,
    timeout: Option<Duration>,
) -> Result<DatabaseConnection> {
    let mut pool = pool(options, &options.url, connections);
    // No ping on a connection in use; one on a connection that may have died meanwhile.
    pool.test_before_acquire_if_idle_for(Duration::from_secs(1));
    pool.map_sqlx_postgres_opts(move |connection| settings(connection, timeout));
    Ok(Database::connect(pool).await?)
}

/// What each PostgreSQL session runs with.
fn settings(connection: PgConnectOptions, timeout: Option<Duration>) -> PgConnectOptions {
    let timeout = timeout.map_or(0, |timeout| timeout.as_millis());
    let connection = connection.application_name("customer-profile").options([
        ("default_transaction_isolation", "read committed"),
        // A plan is made once a connection and kept. Made while a table was small, it would read the whole table, or the
        // whole tenant, and go on doing so when it has grown. Each of our queries is meant to go by an index, row by row:
        // with the other ways closed that is the plan from the first row on, and a test looks that it is.
        ("enable_seqscan", "off"),
        ("enable_bitmapscan", "off"),
        ("enable_hashjoin", "off"),
        ("enable_mergejoin", "off"),
        ("enable_material", "off"),
        // Compiling would take longer than any of our queries.
        ("jit", "off"),
    ]);
    let idle = if timeout == 0 { 0 } else { IDLE_IN_TRANSACTION.as_millis() };
    connection.options([
        ("statement_timeout", timeout.to_string()),
        ("idle_in_transaction_session_timeout", idle.to_string()),
    ])
}

/// A writer computes for milliseconds between its statements. One that is silent for so long is lost, and its turn is to
/// be given to others.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(30);
