//! A new database for each run: durable, with the defaults of the server or of PostgreSQL.

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

impl Database {
    pub(crate) fn start(kind: Kind) -> anyhow::Result<Self> {
        Ok(match kind {
            Kind::Sqlite => Self::Sqlite(TempDir::with_prefix("identity-")?),
            Kind::Postgres => Self::Postgres(Postgres::start_with(&["fsync=on"])),
        })
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite://{}", folder.path().join("db").display()),
            Self::Postgres(postgres) => postgres.url(),
        }
    }
}
