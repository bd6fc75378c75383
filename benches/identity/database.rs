//! A new database for each run: durable, with the defaults of the server; PostgreSQL with memory
//! for a large database.

use clap::ValueEnum;
use tempfile::TempDir;

use crate::postgres::Postgres;

/// Which database to measure on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A file in a temporary directory.
    Sqlite,
    /// A server of one's own, as installed on the machine.
    Postgres,
}

/// An empty database; removed when dropped.
pub(crate) enum Database {
    Sqlite(TempDir),
    Postgres(Postgres),
}

/// What an installation for a million customers sets (PostgreSQL manual, 19.4 and 28.5): the
/// default of 128 MiB of pages and 1 GiB of log are for the smallest machines.
const POSTGRES: [&str; 3] = ["fsync=on", "shared_buffers=4GB", "max_wal_size=8GB"];

impl Database {
    pub(crate) fn start(kind: Kind) -> anyhow::Result<Self> {
        Ok(match kind {
            Kind::Sqlite => Self::Sqlite(TempDir::with_prefix("identity-")?),
            Kind::Postgres => Self::Postgres(Postgres::start_with(&POSTGRES)),
        })
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite://{}", folder.path().join("db").display()),
            Self::Postgres(postgres) => postgres.url(),
        }
    }
}
