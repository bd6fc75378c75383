//! The sizes of the pools, for metrics.

use sea_orm::DatabaseConnection;
use sea_orm::sqlx::{Database, Pool};

use super::{Dialect, Pools};
use crate::telemetry::metrics::PoolSize;

impl Pools {
    /// The pools as they are now.
    pub(in crate::store::sql) fn sizes(&self) -> Vec<PoolSize> {
        let current = self.current();
        [
            ("read", &current.read),
            ("write", &current.write),
            ("follow", &current.follow),
        ]
        .map(|(name, pool)| size_of(name, pool, self.dialect))
        .into()
    }
}

fn size_of(name: &'static str, pool: &DatabaseConnection, dialect: Dialect) -> PoolSize {
    match dialect {
        Dialect::Sqlite => size(name, pool.get_sqlite_connection_pool()),
        Dialect::Postgres => size(name, pool.get_postgres_connection_pool()),
    }
}

fn size<D: Database>(name: &'static str, pool: &Pool<D>) -> PoolSize {
    let idle = pool.num_idle() as u64;
    PoolSize {
        name,
        used: u64::from(pool.size()).saturating_sub(idle),
        idle,
        max: u64::from(pool.options().get_max_connections()),
    }
}
