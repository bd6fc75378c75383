//! How a database is opened.

use std::path::PathBuf;
use std::time::Duration;

/// Where the database is, and how it is used.
#[derive(Clone, PartialEq, Eq)]
pub struct Options {
    /// `sqlite://PATH` or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, with the driver's
    /// parameters after `?` (`sslmode`, `host` for a socket's directory, …).
    pub url: String,
    /// The file that holds the password, read anew while the store is open. PostgreSQL only; the
    /// URL's password otherwise.
    pub password_file: Option<PathBuf>,
    /// Maximum number of connections over all uses (PostgreSQL), or of connections for reads
    /// (SQLite). Default: 10.
    pub max_connections: u32,
    /// Maximum number of these for writes; a writer that waits for its turn holds one. SQLite has
    /// one. Default: 4.
    pub max_writers: u32,
    /// PostgreSQL only: age at which a connection is replaced, give or take a tenth. Default: 30
    /// min.
    pub max_connection_lifetime: Duration,
    /// PostgreSQL only: a connection that was idle for so long is closed. Default: 10 min.
    pub idle_timeout: Duration,
    /// PostgreSQL only: whether a server is accepted that a crash of its machine can damage
    /// (`fsync`, `full_page_writes`). Default: no.
    pub allow_unsafe_durability: bool,
    /// SQLite only: memory for pages, over all connections, in bytes. Default: 256 MiB.
    pub page_cache_bytes: usize,
    /// How long to wait for a connection, and on SQLite for another process's lock. Default: 5 s.
    pub acquire_timeout: Duration,
    /// PostgreSQL only: how long a statement may run, the wait for the write turn included.
    /// Default: 30 s.
    pub statement_timeout: Duration,
}

impl Options {
    /// The defaults, for a database.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            password_file: None,
            max_connections: 10,
            max_writers: 4,
            max_connection_lifetime: Duration::from_mins(30),
            idle_timeout: Duration::from_mins(10),
            allow_unsafe_durability: false,
            page_cache_bytes: 256 << 20,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
        }
    }
}

/// The URL may hold a password.
impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}

/// Whether opening a store may change its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Migrate {
    /// SQLite is migrated; PostgreSQL is not, since a server is to need no more rights than to read
    /// and write.
    Auto,
    /// Nothing is changed; [`Store::check`](crate::store::Store::check) tells the schema's state.
    Check,
}
