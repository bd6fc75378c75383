//! Opening a database: addresses, pools, and every setting whose default would not do.
//!
//! Two pools, so that writers who wait for their turn never keep readers from a connection. On
//! SQLite the writers' pool is one connection, and its queue is the turn.

mod file;
mod postgres;
mod sqlite;

use std::path::PathBuf;
use std::sync::Arc;

use sea_orm::{ConnectOptions, DatabaseConnection};

pub(super) use file::DatabaseFile;
pub(super) use postgres::{
    Access, Limits, Setup, Trouble, is_multiplexed, is_refused_option, postgres, read_password,
    unfit,
};

use super::Options;
use super::statement::Dialect;
use crate::store::{Error, Result};

/// A database held open.
pub(super) struct Connected {
    pub(super) dialect: Dialect,
    pub(super) read: DatabaseConnection,
    pub(super) write: DatabaseConnection,
    /// One connection for whoever follows the log.
    pub(super) follow: DatabaseConnection,
    /// SQLite only: a connection that nobody else uses.
    pub(super) keeper: Option<DatabaseConnection>,
    /// SQLite only: the file, which is locked.
    pub(super) file: Option<DatabaseFile>,
    /// PostgreSQL only: how sessions are set up.
    pub(super) setup: Option<Arc<Setup>>,
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
        let path = url
            .strip_prefix("sqlite://")
            .or_else(|| url.strip_prefix("sqlite:"));
        match path {
            Some(path) if !path.is_empty() && path != ":memory:" && !path.contains('?') => {
                Ok(Self::Sqlite(PathBuf::from(path)))
            }
            _ => Err(Error::Open(
                "the address is neither sqlite://PATH nor postgres://…".to_owned(),
            )),
        }
    }
}

/// Opens the pools. SQLite's file is opened, and made if need be; PostgreSQL is not called before
/// it is needed, so that a server can start while its database is away.
pub(super) async fn connect(options: &Options) -> Result<Connected> {
    match Address::parse(&options.url)? {
        Address::Postgres => {
            if options.max_connections < FEWEST_CONNECTIONS {
                return Err(Error::Open(format!(
                    "database.max_connections is {}, and must be {FEWEST_CONNECTIONS} or more on PostgreSQL: one connection \
                     follows the change log, the others write and read",
                    options.max_connections
                )));
            }
            let Options {
                statement_timeout: statement,
                allow_unsafe_durability,
                ..
            } = *options;
            let setup = Arc::new(Setup::new(Limits {
                statement,
                allow_unsafe_durability,
            }));
            if let Some(path) = &options.password_file
                && let Ok(password) = read_password(path).await
            {
                setup.set_password(password);
            }
            connect_postgres(options, setup).await
        }
        Address::Sqlite(path) => {
            let file = DatabaseFile::claim(&path)?;
            super::backup::refuse_foreign_log(&file)?;
            let write = sqlite::pool(options, file.resolved(), sqlite::Role::Writer).await?;
            sqlite::refuse_old(&write).await?;
            let keeper = sqlite::pool(options, file.resolved(), sqlite::Role::Keeper).await?;
            let read = sqlite::pool(options, file.resolved(), sqlite::Role::Reader).await?;
            let follow =
                sqlite::pool(&follower(options), file.resolved(), sqlite::Role::Reader).await?;
            file.remember_log();
            let (keeper, file) = (Some(keeper), Some(file));
            Ok(Connected {
                dialect: Dialect::Sqlite,
                read,
                write,
                follow,
                keeper,
                file,
                setup: None,
            })
        }
    }
}

fn follower(options: &Options) -> Options {
    Options {
        max_connections: 1,
        ..options.clone()
    }
}

/// The connection to PostgreSQL for whoever follows the log.
pub(super) async fn follow_postgres(
    options: &Options,
    setup: &Arc<Setup>,
) -> Result<DatabaseConnection> {
    postgres(&follower(options), 1, setup).await
}

/// The connections to PostgreSQL for readers, and those for writers.
pub(super) async fn users_postgres(
    options: &Options,
    setup: &Arc<Setup>,
) -> Result<(DatabaseConnection, DatabaseConnection)> {
    let (readers, writers) = shares(options.max_connections, options.max_writers);
    Ok((
        postgres(options, readers, setup).await?,
        postgres(options, writers, setup).await?,
    ))
}

/// The pools of a PostgreSQL.
pub(super) async fn connect_postgres(options: &Options, setup: Arc<Setup>) -> Result<Connected> {
    let (read, write) = users_postgres(options, &setup).await?;
    Ok(Connected {
        dialect: Dialect::Postgres,
        read,
        write,
        follow: follow_postgres(options, &setup).await?,
        keeper: None,
        file: None,
        setup: Some(setup),
    })
}

/// The fewest connections to a PostgreSQL: one to follow the log, one to write, one to read.
const FEWEST_CONNECTIONS: u32 = 3;

/// Readers and writers, which with the one that follows the log are all connections.
pub(super) fn shares(connections: u32, max_writers: u32) -> (u32, u32) {
    let others = connections.saturating_sub(1);
    let writers = (others / 3).clamp(1, max_writers.max(1));
    (others.saturating_sub(writers).max(1), writers)
}

/// A writer's connection to a SQLite file for a migration: the driver's own transactions run on no
/// other.
pub(super) async fn sqlite_for_migration(
    options: &Options,
    file: &DatabaseFile,
) -> Result<DatabaseConnection> {
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
    fn all_uses_together_have_no_more_connections_than_are_configured() {
        for connections in FEWEST_CONNECTIONS..200 {
            let (readers, writers) = shares(connections, 4);
            assert_eq!(1 + readers + writers, connections);
            assert!(
                (1..=4).contains(&writers) && readers >= writers.min(4),
                "{connections}: {readers} {writers}"
            );
        }
        assert_eq!(shares(16, 4), (11, 4));
    }

    #[test]
    fn addresses_are_of_one_of_two_kinds() {
        for (url, path) in [
            ("sqlite:///var/lib/cp.db", "/var/lib/cp.db"),
            ("sqlite://cp.db", "cp.db"),
        ] {
            assert!(
                matches!(Address::parse(url), Ok(Address::Sqlite(found)) if found == Path::new(path)),
                "{url}"
            );
        }
        assert!(matches!(
            Address::parse("postgres://u@h/db"),
            Ok(Address::Postgres)
        ));
        for bad in [
            "",
            "mysql://h/db",
            "sqlite://",
            "sqlite::memory:",
            "/var/lib/cp.db",
            "sqlite://a?mode=ro",
        ] {
            assert!(matches!(Address::parse(bad), Err(Error::Open(_))), "{bad}");
        }
    }
}
