//! Each kind of store, made for one test.

use std::sync::Arc;

use customer_profile::store::Store;
use customer_profile::store::memory::MemoryStore;
use customer_profile::store::sql::{Migrate, Options, SqlStore};
use tempfile::TempDir;

use super::postgres::Postgres;

/// The kinds of stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// In memory.
    Memory,
    /// In a file.
    Sqlite,
    /// In a server.
    Postgres,
}

/// An empty store, with what it stands on.
pub(crate) struct TestStore {
    /// The store.
    pub(crate) store: Arc<dyn Store>,
    _ground: Ground,
}

enum Ground {
    Nothing,
    Dir { _dir: TempDir },
    Server { _server: Postgres },
}

impl TestStore {
    /// Makes an empty store.
    pub(crate) async fn start(kind: Kind) -> Self {
        match kind {
            Kind::Memory => Self {
                store: Arc::new(MemoryStore::new()),
                _ground: Ground::Nothing,
            },
            Kind::Sqlite => {
                let dir = TempDir::with_prefix("cp-sqlite-").expect("a temporary directory");
                let store = Arc::new(sqlite(&dir).await);
                Self {
                    store,
                    _ground: Ground::Dir { _dir: dir },
                }
            }
            Kind::Postgres => {
                let server = Postgres::start();
                let store = Arc::new(postgres(&server).await);
                Self {
                    store,
                    _ground: Ground::Server { _server: server },
                }
            }
        }
    }
}

/// A SQLite store in a directory.
pub(crate) async fn sqlite(dir: &TempDir) -> SqlStore {
    SqlStore::open(&sqlite_options(dir), Migrate::Auto)
        .await
        .expect("the store opens")
}

/// How [`sqlite`] opens it.
pub(crate) fn sqlite_options(dir: &TempDir) -> Options {
    Options::new(format!("sqlite://{}", dir.path().join("test.db").display()))
}

/// How [`postgres`] opens it. Tests' servers do without `fsync`.
pub(crate) fn postgres_options(server: &Postgres) -> Options {
    Options {
        allow_unsafe_durability: true,
        ..Options::new(server.url())
    }
}

/// A store in a server's database.
pub(crate) async fn postgres(server: &Postgres) -> SqlStore {
    let options = postgres_options(server);
    SqlStore::migrate(&options)
        .await
        .expect("the schema is made");
    SqlStore::connect(&options).await.expect("the store opens")
}
