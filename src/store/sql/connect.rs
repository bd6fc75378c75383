//! Opening a database: addresses, pools, and every setting whose default would not do.
//!
//! Two pools, so that writers who wait for their turn never keep readers from a connection. On SQLite the writers' pool is
//! one connection, and its queue is the turn.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement};

use super::Options;
use super::statement::Dialect;
use crate::store::{Error, Result};

/// A database held open.
pub(super) struct Connected {
    pub(super) dialect: Dialect,
    pub(super) read: DatabaseConnection,
    pub(super) write: DatabaseConnection,
    /// SQLite only: what keeps other processes off the file.
    pub(super) lock: Option<File>,
}

/// A checked address.
pub(super) enum Address {
    Postgres,
    Sqlite(PathBuf),
}

impl Address {
    pub(super) fn parse(url: &str) -> Result<Self> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres);
        }
        let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"));
        match path {
            Some(path) if !path.is_empty() && path != ":memory:" && !path.contains('?') => {
                Ok(Self::Sqlite(PathBuf::from(path)))
            }
            _ => Err(Error::Open("the address is neither sqlite://PATH nor postgres://…".to_owned())),
        }
    }
}

/// Opens the pools. SQLite's file is opened, and made if need be; PostgreSQL is not called before it is needed, so that a
/// server can start while its database is away.
pub(super) async fn connect(options: &Options) -> Result<Connected> {
    match Address::parse(&options.url)? {
        Address::Postgres => {
            let (timeout, readers) = (Some(options.statement_timeout), options.max_connections);
            Ok(Connected {
                dialect: Dialect::Postgres,
                read: postgres(options, readers, timeout).await?,
                write: postgres(options, options.max_writers, timeout).await?,
                lock: None,
            })
        }
        Address::Sqlite(path) => {
            let lock = lock(&path)?;
            let write = sqlite(options, &path, Role::Writer).await?;
            refuse_old_sqlite(&write).await?;
            let read = sqlite(options, &path, Role::Reader).await?;
            Ok(Connected { dialect: Dialect::Sqlite, read, write, lock: Some(lock) })
        }
    }
}

fn pool(options: &Options, url: &str, connections: u32) -> ConnectOptions {
    let mut pool = ConnectOptions::new(url);
    pool.max_connections(connections.max(1))
        .min_connections(0)
        .acquire_timeout(options.acquire_timeout)
        .connect_lazy(true)
        // Values are not logged, but statements are many; spans would carry their texts.
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .test_before_acquire(false);
    pool
}

/// A pool of PostgreSQL connections. `timeout`: of a statement; none for migrations.
pub(super) async fn postgres(
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Writer,
    Reader,
}

async fn sqlite(options: &Options, path: &Path, role: Role) -> Result<DatabaseConnection> {
    let connections = if role == Role::Writer { 1 } else { options.max_connections };
    // The address serves to choose the driver; the path is set below, as it is.
    let mut pool = pool(options, "sqlite://file", connections);
    if role == Role::Writer {
        // Opened now, so that the file is there, in WAL mode, before the first reader.
        pool.connect_lazy(false);
    }
    let (path, busy) = (path.to_owned(), options.acquire_timeout);
    pool.map_sqlx_sqlite_opts(move |connection| sqlite_settings(connection, &path, busy, role));
    Ok(Database::connect(pool).await?)
}

/// The pages that writers keep in memory. In a large database each match key, identifier and profile of a record is on a page
/// of its own, some ten of 4 KiB, and a page that is not here is read from the file. Also, what a transaction changes must
/// fit, or it is spilled to the log before the commit. Negative: in KiB. Filled as needed: this is the most that it takes.
const WRITER_CACHE_KIB: &str = "-262144";

/// How many pages the log may have before they are written to their places in the file: 64 MiB, the log's size on the disk
/// between bursts. With the 1,000 of SQLite's own each write of 500 records would pay for that, most pages again and again.
const CHECKPOINT_PAGES: &str = "16384";

fn sqlite_settings(connection: SqliteConnectOptions, path: &Path, busy: Duration, role: Role) -> SqliteConnectOptions {
    let connection = connection
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // An answered write survives a loss of power.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(busy)
        .foreign_keys(false)
        // Truncate the log after a burst; in bytes.
        .pragma("journal_size_limit", "67108864");
    match role {
        Role::Writer => connection
            .pragma("cache_size", WRITER_CACHE_KIB)
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
            // Each statement over a set copies the pages that it changes, to be able to take itself back: in memory, not
            // in a file. (So does sorting: a migration that makes an index of a large table sets it to FILE meanwhile.)
            .pragma("temp_store", "MEMORY"),
        Role::Reader => connection.pragma("cache_size", "-4096").pragma("query_only", "ON"),
    }
}

/// Takes `PATH.lock` for this process. Two processes at one file would be correct, but each would serve its cache
/// without knowing of the other's writes.
pub(super) fn lock(path: &Path) -> Result<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let failed = |error: std::io::Error| Error::Open(format!("{}: {error}", Path::new(&name).display()));
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&name).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(Error::Open("another process is using this database; use --server to ask that process".to_owned()))
        }
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Until 3.51.2 a database in WAL mode could be corrupted. Source: <https://sqlite.org/wal.html>, "The WAL-Reset Bug".
const FIRST_SOUND_SQLITE: [u32; 3] = [3, 51, 3];

async fn refuse_old_sqlite(db: &DatabaseConnection) -> Result<()> {
    let query = Statement::from_string(Dialect::Sqlite.backend(), "SELECT sqlite_version() AS version");
    let row = db.query_one_raw(query).await?.ok_or_else(|| Error::Open("SQLite tells no version".to_owned()))?;
    let version: String = row.try_get("", "version")?;
    if is_sound(&version) {
        return Ok(());
    }
    Err(Error::Open(format!("SQLite {version} may corrupt databases; 3.51.3 or later is needed")))
}

fn is_sound(version: &str) -> bool {
    let numbers: Vec<u32> = version.split('.').filter_map(|part| part.parse().ok()).collect();
    numbers.as_slice() >= FIRST_SOUND_SQLITE.as_slice()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sqlite_with_the_wal_bug_is_told_apart() {
        for sound in ["3.51.3", "3.52.0", "4.0.0"] {
            assert!(is_sound(sound), "{sound}");
        }
        for unsound in ["3.51.2", "3.40.1", "2.99.99", ""] {
            assert!(!is_sound(unsound), "{unsound}");
        }
    }

    #[test]
    fn addresses_are_of_one_of_two_kinds() {
        for (url, path) in [("sqlite:///var/lib/cp.db", "/var/lib/cp.db"), ("sqlite://cp.db", "cp.db")] {
            assert!(matches!(Address::parse(url), Ok(Address::Sqlite(found)) if found == Path::new(path)), "{url}");
        }
        assert!(matches!(Address::parse("postgres://u@h/db"), Ok(Address::Postgres)));
        for bad in ["", "mysql://h/db", "sqlite://", "sqlite::memory:", "/var/lib/cp.db", "sqlite://a?mode=ro"] {
            assert!(matches!(Address::parse(bad), Err(Error::Open(_))), "{bad}");
        }
    }
}
