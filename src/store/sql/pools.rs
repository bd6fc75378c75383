//! The connections of a store, and what becomes of them when the database goes away.
//!
//! A connection whose other end has vanished is never given back: whoever waits for its answer waits until the network gives
//! up, and a caller who does not wait that long may leave the pool's place taken for good. So when the database is back all
//! pools are made anew, with all their places; what is left of the old ones ends whenever it ends.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use sea_orm::{DatabaseConnection, DbErr};

use super::Options;
use super::connect::{self, Connected};
use super::statement::Dialect;
use super::witness::Witness;
use crate::store::{Availability, Error, Result};

/// How long the connection that follows the log may wait to be made.
const FOLLOW_ACQUIRE_TIMEOUT: Duration = Duration::from_millis(500);

/// The pools of a store.
pub(super) struct Pools {
    pub(super) dialect: Dialect,
    pub(super) options: Options,
    current: RwLock<Current>,
    /// SQLite's connection for [`witness`](super::witness). It stays open, and with it the log.
    keeper: Option<DatabaseConnection>,
    pub(super) availability: Availability,
    pub(super) witness: Witness,
}

#[derive(Clone)]
struct Current {
    read: DatabaseConnection,
    write: DatabaseConnection,
    /// One connection of its own for whoever follows the log: it tells whether the database is there, so it must not wait
    /// in line with others.
    follow: DatabaseConnection,
}

impl Pools {
    pub(super) async fn new(options: &Options, connected: Connected) -> Result<Self> {
        let Connected { dialect, read, write, keeper, file } = connected;
        let follow = match dialect {
            Dialect::Sqlite => read.clone(),
            Dialect::Postgres => follow(options).await?,
        };
        let current = RwLock::new(Current { read, write, follow });
        let (options, availability) = (options.clone(), Availability::default());
        Ok(Self { dialect, options, current, keeper, availability, witness: Witness::new(file.map(Arc::new)) })
    }

    fn current(&self) -> Current {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn read(&self) -> DatabaseConnection {
        self.current().read
    }

    pub(super) fn write(&self) -> DatabaseConnection {
        self.current().write
    }

    pub(super) fn follow(&self) -> DatabaseConnection {
        self.current().follow
    }

    /// Another connection than the writers'.
    pub(super) fn witness_connection(&self) -> DatabaseConnection {
        self.keeper.clone().unwrap_or_else(|| self.read())
    }

    /// One read, refused at once while the database is away.
    pub(super) async fn reading<T, W>(&self, work: impl FnOnce(DatabaseConnection) -> W) -> Result<T>
    where
        W: Future<Output = std::result::Result<T, DbErr>>,
    {
        let work = work(self.read());
        let read = self.availability.guard(async { work.await.map_err(Error::from) }).await;
        match &read {
            Err(error @ Error::Unavailable(_)) if self.availability.is_there() => {
                self.availability.reads.failed(error);
            }
            Err(_) => {}
            Ok(_) => {
                self.availability.reads.succeeded();
            }
        }
        read
    }

    /// Makes all pools anew. They connect when they are used.
    pub(super) async fn renew(&self) -> Result<()> {
        let timeout = Some(self.options.statement_timeout);
        let renewed = Current {
            read: connect::postgres(&self.options, self.options.max_connections, timeout).await?,
            write: connect::postgres(&self.options, self.options.max_writers, timeout).await?,
            follow: follow(&self.options).await?,
        };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = renewed;
        // It may be another server than before, which is behind.
        self.witness.doubt();
        Ok(())
    }

    pub(super) async fn close(&self) {
        let Current { read, write, follow } = self.current();
        if self.dialect == Dialect::Sqlite && self.availability.refusal().is_some() {
            // SQLite's last connection would write its log into whichever file is there, and remove the log under that name.
            std::mem::forget((read, write, follow, self.keeper.clone()));
            return;
        }
        for pool in [write, read, follow].into_iter().chain(self.keeper.clone()) {
            if let Err(error) = pool.close_by_ref().await {
                // Nothing is lost: what was answered is committed.
                tracing::debug!(%error, "closing a pool failed");
            }
        }
    }
}

async fn follow(options: &Options) -> Result<DatabaseConnection> {
    let acquire_timeout = options.acquire_timeout.min(FOLLOW_ACQUIRE_TIMEOUT);
    connect::postgres(&Options { acquire_timeout, ..options.clone() }, 1, Some(options.statement_timeout)).await
}
