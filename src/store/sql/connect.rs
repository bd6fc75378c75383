//! Opening a database: addresses, pools, and every setting whose default would not do.
//!
//! Two pools, so that writers who wait for their turn never keep readers from a connection. On SQLite the writers' pool is
//! one connection, and its queue is the turn.

mod file;
mod postgres;
mod sqlite;

use std::path::PathBuf;

use sea_orm::{ConnectOptions, DatabaseConnection};

pub(super) use file::DatabaseFile;
pub(super) use postgres::postgres;

use super::Options;
use super::statement::Dialect;
use crate::store::{Error, Result};

/// A database held open.
pub(super) struct Connected {
    pub(super) dialect: Dialect,
    pub(super) read: DatabaseConnection,
    pub(super) write: DatabaseConnection,
    /// SQLite only: a connection that nobody else uses.
    pub(super) keeper: Option<DatabaseConnection>,
    /// SQLite only: the file, which is locked.
    pub(super) file: Option<DatabaseFile>,
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
                keeper: None,
                file: None,
            })
        }
        Address::Sqlite(path) => {
            let file = DatabaseFile::claim(&path)?;
            super::backup::refuse_foreign_log(&file)?;
            let write = sqlite::pool(options, file.resolved(), sqlite::Role::Writer).await?;
            sqlite::refuse_old(&write).await?;
            let keeper = sqlite::pool(options, file.resolved(), sqlite::Role::Keeper).await?;
            let read = sqlite::pool(options, file.resolved(), sqlite::Role::Reader).await?;
            file.remember_log();
            Ok(Connected { dialect: Dialect::Sqlite, read, write, keeper: Some(keeper), file: Some(file) })
        }
    }
}

/// A writer's connection to a SQLite file for a migration: the driver's own transactions run on no other.
pub(super) async fn sqlite_for_migration(options: &Options, file: &DatabaseFile) -> Result<DatabaseConnection> {
    sqlite::pool(options, file.resolved(), sqlite::Role::Writer).await
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

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
