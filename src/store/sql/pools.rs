//! The connections of a store, and what becomes of them when the database goes away.
//!
//! - **`max_connections` is the sum** over all uses of one PostgreSQL: one connection follows the
//!   change log, a part is for writes, the rest for reads. Nothing connects beside these pools.
//! - **Nothing is asked before the connections are found sound** ([`examine`]): which pooler stands
//!   in between, if any, and whether the server is as it must be. Trouble found on a later
//!   connection closes the gate again, until it is over.
//!
//! A connection whose other end has vanished is never given back: whoever waits for its answer
//! waits until the network gives up, and a caller who does not wait that long may leave the pool's
//! place taken for good. So when the database is back all pools are made anew, with all their
//! places; what is left of the old ones ends whenever it ends.

mod examine;
mod sizes;

use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use sea_orm::{DatabaseConnection, DbErr};

use self::examine::Gate;
pub(super) use self::examine::keep_password;

use super::Options;
use super::connect::{self, Connected};
use super::statement::Dialect;
use super::witness::Witness;
use crate::lanes::Lanes;
use crate::store::{Availability, Error, Result};

/// The pools of a store.
pub(super) struct Pools {
    pub(super) dialect: Dialect,
    pub(super) options: Options,
    current: RwLock<Current>,
    /// SQLite's connection for [`witness`](super::witness). It stays open, and with it the log.
    keeper: Option<DatabaseConnection>,
    /// PostgreSQL only.
    gate: Option<Gate>,
    pub(super) availability: Availability,
    /// Who waits for the connections of `read`.
    pub(super) lanes: Arc<Lanes>,
    pub(super) witness: Witness,
}

#[derive(Clone)]
struct Current {
    read: DatabaseConnection,
    write: DatabaseConnection,
    /// One connection of its own for whoever follows the log: it tells whether the database is
    /// there, so it must not wait in line with others.
    follow: DatabaseConnection,
}

impl Pools {
    pub(super) fn new(options: &Options, connected: Connected) -> Self {
        let Connected {
            dialect,
            read,
            write,
            follow,
            keeper,
            file,
            setup,
        } = connected;
        // On SQLite statements run in this process, and more of them at once than there are
        // processors are no faster.
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let processors = (dialect == Dialect::Sqlite).then_some(processors);
        let readers = match dialect {
            Dialect::Sqlite => options.max_connections,
            Dialect::Postgres => connect::shares(options.max_connections, options.max_writers).0,
        };
        let lanes = Lanes::new(readers as usize, processors);
        let current = RwLock::new(Current {
            read,
            write,
            follow,
        });
        let (options, availability, gate) = (
            options.clone(),
            Availability::default(),
            setup.map(Gate::new),
        );
        let witness = Witness::new(file.map(Arc::new));
        Self {
            dialect,
            options,
            current,
            keeper,
            gate,
            availability,
            lanes,
            witness,
        }
    }

    fn current(&self) -> Current {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
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

    /// One read, in the lane of whoever asks for it; refused at once while the database is away.
    pub(super) async fn reading<T, W>(
        &self,
        work: impl FnOnce(DatabaseConnection) -> W,
    ) -> Result<T>
    where
        W: Future<Output = std::result::Result<T, DbErr>>,
    {
        // Boxed: it would be part of every caller's future several times.
        let read = Box::pin(async {
            let _place = self.lanes.enter().await?;
            work(self.read()).await.map_err(Error::from)
        });
        let read = self.guard(read).await;
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

    /// Work with the database, refused at once while it is away, and given up when its connections
    /// turn out to be unfit.
    ///
    /// # Cancel safety
    /// That of the work, which is dropped in both cases.
    pub(super) async fn guard<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        self.availability.guard(self.fit(work)).await
    }

    /// Makes pools anew after the database did not answer. They connect when they are used. While
    /// the database is there, what reads and writes is left alone: a slow answer must not double
    /// the connections.
    pub(super) async fn renew(&self) -> Result<()> {
        let Some(gate) = &self.gate else {
            return Ok(());
        };
        // Whoever waits for the old connection must not keep others from the new one.
        drop(self.follow().get_postgres_connection_pool().close());
        if !self.availability.is_away() {
            self.change_pools().follow =
                connect::follow_postgres(&self.options, gate.setup()).await?;
            return Ok(());
        }
        let Connected {
            read,
            write,
            follow,
            ..
        } = connect::connect_postgres(&self.options, gate.setup().clone()).await?;
        *self.change_pools() = Current {
            read,
            write,
            follow,
        };
        // It may be another server by now, or lie behind a pooler.
        self.doubt_connections(gate)?;
        // It may be another server than before, which is behind.
        self.witness.doubt();
        Ok(())
    }

    /// Makes the pools of readers and writers anew after the database has answered again. The
    /// connection that follows the log stays: it has answered, and where connecting takes long,
    /// a new one would be silent again.
    pub(super) async fn recover(&self) -> Result<()> {
        let Some(gate) = &self.gate else {
            return Ok(());
        };
        let (read, write) = connect::users_postgres(&self.options, gate.setup()).await?;
        let mut current = self.change_pools();
        (current.read, current.write) = (read, write);
        drop(current);
        self.witness.doubt();
        Ok(())
    }

    fn change_pools(&self) -> RwLockWriteGuard<'_, Current> {
        self.current.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn close(&self) {
        let Current {
            read,
            write,
            follow,
        } = self.current();
        if self.dialect == Dialect::Sqlite && self.availability.refusal().is_some() {
            // SQLite's last connection would write its log into whichever file is there, and remove
            // the log under that name.
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
