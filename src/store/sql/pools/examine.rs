//! Whether the connections to a PostgreSQL are sound, and who has to wait until that is known.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use sea_orm::DatabaseConnection;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, Postgres};
use tokio::sync::Mutex;

use super::super::connect::{self, Access, Setup, Trouble};
use super::super::error::of_connection;
use super::{Current, Pools};
use crate::store::retry::jittered;
use crate::store::{Error, Result};

/// How often the file with the password is read.
const PASSWORD_INTERVAL: Duration = Duration::from_millis(250);

/// What stands before all work with a PostgreSQL.
pub(super) struct Gate {
    setup: Arc<Setup>,
    /// Whether statements may be sent.
    is_sound: AtomicBool,
    /// The last examination that found trouble, and when it ended.
    examined: Mutex<Option<(Instant, Error)>>,
}

impl Gate {
    pub(super) fn new(setup: Arc<Setup>) -> Self {
        Self {
            setup,
            is_sound: AtomicBool::new(false),
            examined: Mutex::default(),
        }
    }

    pub(super) fn setup(&self) -> &Arc<Setup> {
        &self.setup
    }

    /// Waits until a connection turns out to be unfit.
    async fn trouble(&self) -> Error {
        let mut trouble = self.setup.trouble();
        let found = trouble
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|found| found.clone());
        Error::Unavailable(match found {
            Some(Trouble::Unfit(what)) => what,
            Some(Trouble::Pooler(_)) | None => {
                "its connections lead elsewhere than before".to_owned()
            }
        })
    }
}

impl Pools {
    /// [`guard`](Self::guard) for those who find out whether the database is there.
    pub(in crate::store::sql) async fn fit<T>(
        &self,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let Some(gate) = &self.gate else {
            return work.await;
        };
        if !gate.is_sound.load(Ordering::SeqCst) {
            Box::pin(self.examine(gate)).await?;
        }
        tokio::select! {
            biased;
            error = gate.trouble() => {
                gate.is_sound.store(false, Ordering::SeqCst);
                Err(error)
            }
            done = work => done,
        }
    }

    /// Has the connections examined before they are used again, as if nothing was known of them.
    pub(super) fn doubt_connections(&self, gate: &Gate) -> Result<()> {
        gate.setup.set_access(Access::Direct);
        self.use_options(&gate.setup)?;
        gate.is_sound.store(false, Ordering::SeqCst);
        Ok(())
    }

    /// Finds out whether the connections are sound. Everybody who asks meanwhile shares the result.
    async fn examine(&self, gate: &Gate) -> Result<()> {
        let asked_at = Instant::now();
        let mut examined = gate.examined.lock().await;
        if gate.is_sound.load(Ordering::SeqCst) {
            return Ok(());
        }
        if let Some((ended_at, error)) = &*examined
            && *ended_at > asked_at
        {
            return Err(error.clone());
        }
        let found = self.examine_now(&gate.setup).await;
        match &found {
            Ok(()) => {
                *examined = None;
                gate.is_sound.store(true, Ordering::SeqCst);
            }
            Err(error) => *examined = Some((Instant::now(), error.clone())),
        }
        found
    }

    async fn examine_now(&self, setup: &Setup) -> Result<()> {
        self.read_password(setup).await?;
        loop {
            setup.forget_trouble();
            match (self.acquire(setup, &self.follow()).await?, setup.access()) {
                (Ok(one), Access::Unproven(pooler)) => {
                    self.prove_session_pooling(setup, pooler, one).await?;
                    setup.set_access(Access::SessionPooler);
                    tracing::info!(
                        pooler,
                        "a connection pooler stands before the database; it pools sessions"
                    );
                }
                (Ok(mut one), Access::Direct | Access::SessionPooler) => {
                    let faults = setup.verify(&mut one).await.map_err(of_connection)?;
                    return faults.map_or(Ok(()), |faults| Err(Error::Unavailable(faults)));
                }
                (Err(pooler), _) => setup.set_access(Access::Unproven(pooler)),
            }
            self.use_options(setup)?;
        }
    }

    /// A prepared connection, or the pooler that was found instead.
    async fn acquire(
        &self,
        setup: &Setup,
        pool: &DatabaseConnection,
    ) -> Result<std::result::Result<PoolConnection<Postgres>, &'static str>> {
        let mut trouble = setup.trouble();
        let bound = self.options.acquire_timeout;
        let acquired = tokio::select! {
            biased;
            _ = trouble.wait_for(Option::is_some) => None,
            acquired = tokio::time::timeout(bound, pool.get_postgres_connection_pool().acquire()) => Some(acquired),
        };
        let found = setup.trouble().borrow().clone();
        match (acquired, found) {
            (_, Some(Trouble::Unfit(what))) => Err(Error::Unavailable(what)),
            (_, Some(Trouble::Pooler(pooler))) => Ok(Err(pooler)),
            (Some(Ok(Ok(connection))), None) => Ok(Ok(connection)),
            (Some(Ok(Err(error))), None) => match connect::is_refused_option(&error) {
                Some(pooler) if setup.access() == Access::Direct => Ok(Err(pooler)),
                _ => Err(of_connection(error)),
            },
            (Some(Err(_)) | None, None) => Err(Error::Unavailable(format!(
                "no connection was to be had within {bound:?} (database.acquire_timeout)"
            ))),
        }
    }

    /// Refuses a pooler that does not keep one session for each connection.
    async fn prove_session_pooling(
        &self,
        setup: &Setup,
        pooler: &'static str,
        mut one: PoolConnection<Postgres>,
    ) -> Result<()> {
        // They are not set up: never used again, also when this is dropped half-way.
        one.close_on_drop();
        let Ok(mut other) = self.acquire(setup, &self.write()).await? else {
            return Ok(());
        };
        other.close_on_drop();
        let bound = self.options.acquire_timeout;
        let shared =
            tokio::time::timeout(bound, connect::is_multiplexed(&mut one, &mut other)).await;
        drop((one.close().await, other.close().await));
        match shared {
            Ok(Ok(false)) => Ok(()),
            Ok(Ok(true)) => Err(Error::Unavailable(format!(
                "{pooler} stands before it and pools transactions or statements: settings would be lost, and statements of \
                 other connections would be run; use session pooling (PgBouncer: `pool_mode = session`) or connect to \
                 PostgreSQL itself"
            ))),
            Ok(Err(error)) => Err(of_connection(error)),
            Err(_) => Err(Error::Unavailable(format!(
                "{pooler} stands before it and gave no second session within {bound:?}: its pool must have \
                 database.max_connections places for each server"
            ))),
        }
    }

    async fn read_password(&self, setup: &Setup) -> Result<()> {
        let Some(path) = &self.options.password_file else {
            return Ok(());
        };
        if setup.set_password(connect::read_password(path).await?) {
            self.use_options(setup)?;
            tracing::info!(file = %Path::display(path), "the password of the database was read anew");
        }
        Ok(())
    }

    /// Has future connections made with the options of now.
    fn use_options(&self, setup: &Setup) -> Result<()> {
        let Current {
            read,
            write,
            follow,
        } = self.current();
        let options: PgConnectOptions = self
            .options
            .url
            .parse()
            .map_err(|error: sqlx::Error| Error::Open(error.to_string()))?;
        for pool in [read, write, follow] {
            pool.get_postgres_connection_pool()
                .set_connect_options(setup.connect_options(options.clone()));
        }
        Ok(())
    }
}

/// Reads the password's file again and again, as long as there are pools.
pub(in crate::store::sql) async fn keep_password(pools: Weak<Pools>) {
    loop {
        tokio::time::sleep(jittered(PASSWORD_INTERVAL)).await;
        let Some(pools) = pools.upgrade() else { return };
        let Some(gate) = &pools.gate else { return };
        if let Err(error) = pools.read_password(&gate.setup).await {
            // Connections go on with the password of before; a new one that is refused is told
            // where it is needed.
            tracing::debug!(%error, "the password was not read");
        }
    }
}
