//! SQLite: its pools, and the settings of each connection.

use std::path::Path;
use std::time::Duration;

use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement};

use super::super::Options;
use crate::store::sql::statement::Dialect;
use crate::store::{Error, Result};

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Writer,
    Reader,
    /// To look for what was written, and to keep the log from being removed by the last one that is
    /// closed.
    Keeper,
}

/// The pool of a role.
pub(super) async fn pool(options: &Options, path: &Path, role: Role) -> Result<DatabaseConnection> {
    let connections = if role == Role::Reader {
        options.max_connections
    } else {
        1
    };
    // The address serves to choose the driver; the path is set below, as it is.
    let mut pool = super::pool(options, "sqlite://file", connections);
    if role != Role::Reader {
        // Opened now, so that the file is in WAL mode, and its log is there, before the first
        // reader.
        pool.connect_lazy(false)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None);
    }
    let (path, named, busy) = (path.to_owned(), path.to_owned(), options.acquire_timeout);
    let pages = cache_size(options, role);
    pool.map_sqlx_sqlite_opts(move |connection| {
        settings(connection, &path, busy, role).pragma("cache_size", pages.clone())
    });
    Database::connect(pool)
        .await
        .map_err(|error| match Error::from(error) {
            Error::Unavailable(what) => Error::Open(format!("{}: {what}", named.display())),
            other => other,
        })
}

/// The pages that a connection keeps in memory: the writer has three quarters of all, the readers
/// share the rest. In a large database each match key, identifier and profile of a record is on a
/// page of its own, some ten of 4 KiB, and a page that is not here is read from the file. Also,
/// what a transaction changes must fit, or it is spilled to the log before the commit. Negative: in
/// KiB. Filled as needed: this is the most that it takes.
fn cache_size(options: &Options, role: Role) -> String {
    let readers = options.page_cache_bytes / 4;
    let bytes = match role {
        Role::Writer => options.page_cache_bytes - readers,
        Role::Keeper => 0,
        Role::Reader => {
            readers / usize::try_from(options.max_connections.max(1)).unwrap_or(usize::MAX)
        }
    };
    format!("-{}", (bytes / 1024).max(64))
}

/// How many pages the log may have before they are written to their places in the file: 64 MiB, the
/// log's size on the disk between bursts. With the 1,000 of SQLite's own each write of 500 records
/// would pay for that, most pages again and again.
const CHECKPOINT_PAGES: &str = "16384";

fn settings(
    connection: SqliteConnectOptions,
    path: &Path,
    busy: Duration,
    role: Role,
) -> SqliteConnectOptions {
    let connection = connection
        .filename(path)
        // It was made when it was locked. Another one is never to be made in its place.
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        // An answered write survives a loss of power.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(busy)
        .foreign_keys(false)
        // Truncate the log after a burst; in bytes.
        .pragma("journal_size_limit", "67108864");
    match role {
        Role::Writer => connection
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
            // Each statement over a set copies the pages that it changes, to be able to take itself
            // back: in memory, not in a file. (So does sorting: a migration that makes an index of
            // a large table sets it to FILE meanwhile.)
            .pragma("temp_store", "MEMORY"),
        Role::Reader | Role::Keeper => connection.pragma("query_only", "ON"),
    }
}

/// Until 3.51.2 a database in WAL mode could be corrupted. Source: <https://sqlite.org/wal.html>,
/// "The WAL-Reset Bug".
const FIRST_SOUND_SQLITE: [u32; 3] = [3, 51, 3];

pub(super) async fn refuse_old(db: &DatabaseConnection) -> Result<()> {
    let query = Statement::from_string(
        Dialect::Sqlite.backend(),
        "SELECT sqlite_version() AS version",
    );
    let row = db
        .query_one_raw(query)
        .await?
        .ok_or_else(|| Error::Open("SQLite tells no version".to_owned()))?;
    let version: String = row.try_get("", "version")?;
    if is_sound(&version) {
        return Ok(());
    }
    Err(Error::Open(format!(
        "SQLite {version} may corrupt databases; 3.51.3 or later is needed"
    )))
}

fn is_sound(version: &str) -> bool {
    let numbers: Vec<u32> = version
        .split('.')
        .filter_map(|part| part.parse().ok())
        .collect();
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
}
