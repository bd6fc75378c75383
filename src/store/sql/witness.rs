//! Whether the database still has what this process has answered as stored.
//!
//! A commit that the database reports as done may be gone all the same: the writer's connection was
//! in another state than it was thought to be, a file was deleted or replaced, PostgreSQL failed
//! over to a standby that was behind. So the last write of each tenant is looked for **on another
//! connection** than the writers': once a second, and after each failure before the next write is
//! answered. Its row in `write_time` is looked for, by sequence and time, so that a write that
//! another server put in its place is not taken for it. On SQLite the files are looked at by name,
//! before and after each commit.
//!
//! When something is missing the store **refuses** reads and writes (see
//! [`Availability`](crate::store::Availability)).
//!
//! - A write that is missing ends in a refusal that lasts until the process is started again, by
//!   somebody who has looked.
//! - A file that is not in its place is refused as long as it is not; when that very file is back
//!   and no write is missing, the store goes on. Nothing was written or answered meanwhile.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use profile_core::records::TenantId;
use sea_orm::ConnectionTrait;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::connect::DatabaseFile;
use super::pools::Pools;
use super::read::place;
use super::session::{Purpose, Session};
use super::statement::{Column, Dialect, Sql};
use crate::store::past::WriteMark;
use crate::store::{Error, Result};

/// How often the last writes are looked for, and the files.
const INTERVAL: Duration = Duration::from_secs(1);

/// How many tenants' last writes are looked for; those of the latest writers.
const MAX_TENANTS: usize = 256;

/// What this process has answered, and what has gone wrong.
#[derive(Default)]
pub(super) struct Witness {
    pub(super) file: Option<Arc<DatabaseFile>>,
    last: Mutex<Last>,
    /// Whether something failed since a write was last looked for before it was answered.
    doubt: AtomicBool,
    lost: OnceLock<Arc<str>>,
    wake: Arc<Notify>,
    /// The store is closed: nothing is looked at any more.
    pub(super) closed: CancellationToken,
}

#[derive(Default)]
struct Last {
    marks: BTreeMap<TenantId, (u64, WriteMark)>,
    count: u64,
}

impl Witness {
    pub(super) fn new(file: Option<Arc<DatabaseFile>>) -> Self {
        Self {
            file,
            ..Self::default()
        }
    }

    /// Ends looking, and lets others have the file.
    pub(super) fn release(&self) {
        self.closed.cancel();
        if let Some(file) = &self.file {
            file.release();
        }
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, tenant: &TenantId, mark: WriteMark) {
        let mut last = self.last();
        last.count += 1;
        let count = last.count;
        let newest = last
            .marks
            .get(tenant)
            .is_none_or(|(_, known)| known.sequence < mark.sequence);
        if newest {
            last.marks.insert(tenant.clone(), (count, mark));
        }
        if last.marks.len() > MAX_TENANTS {
            let oldest = last
                .marks
                .iter()
                .min_by_key(|(_, (at, _))| *at)
                .map(|(tenant, _)| tenant.clone());
            oldest.and_then(|oldest| last.marks.remove(&oldest));
        }
    }

    /// Has the last writes looked for before the next one is answered, and soon in any case.
    pub(super) fn doubt(&self) {
        self.doubt.store(true, Ordering::SeqCst);
        self.wake.notify_one();
    }

    /// Why the files are not those that were opened; `None` if they are, or there are none.
    async fn gone(&self) -> Option<String> {
        let file = self.file.clone()?;
        // A disk may take its time.
        tokio::task::spawn_blocking(move || file.gone())
            .await
            .unwrap_or_default()
    }
}

impl Pools {
    /// Notes what became of a transaction that writes, and with a mark what is to be found from now
    /// on. What was committed is only answered as such if the database is known to have it.
    ///
    /// # Errors
    /// That of the transaction; [`Error::Unavailable`] when what it wrote cannot be relied on.
    pub(super) async fn settle<T>(
        &self,
        mark: Option<(&TenantId, WriteMark)>,
        written: Result<T>,
    ) -> Result<T> {
        let done = match written {
            Ok(done) => done,
            Err(error) => {
                self.note_failed_write(&error);
                return Err(error);
            }
        };
        if let Some((tenant, mark)) = mark {
            self.witness.remember(tenant, mark);
        }
        let doubted = mark.is_some() && self.witness.doubt.swap(false, Ordering::SeqCst);
        if doubted || self.witness.file.is_some() {
            let looked = self
                .look(if doubted { Look::Full } else { Look::Quick })
                .await;
            if looked.is_err() {
                self.witness.doubt();
            }
            looked?;
        }
        self.availability.writes.succeeded();
        Ok(done)
    }

    /// Notes a failure on a writer's connection.
    pub(super) fn note_failed_write(&self, error: &Error) {
        if matches!(error, Error::Unavailable(_) | Error::Internal(_)) {
            self.witness.doubt();
        }
        if matches!(error, Error::Unavailable(_)) && self.availability.is_there() {
            self.availability.writes.failed(error);
        }
    }

    /// Looks at the files, and for the last writes. Sets or clears the refusal.
    ///
    /// # Errors
    /// [`Error::Unavailable`] with the reason of a refusal; those of reading the last writes.
    pub(super) async fn look(&self, look: Look) -> Result<()> {
        let refusal = match self.witness.lost.get() {
            Some(lost) => Some(lost.clone()),
            None => self.find_refusal(look).await?,
        };
        if self.witness.closed.is_cancelled() {
            return Ok(());
        }
        if self.availability.set_refusal(refusal.clone()) {
            if let Some(reason) = &refusal {
                tracing::error!(%reason, "nothing is answered any more: the database cannot be relied on");
                self.rescue().await;
            } else {
                tracing::info!(
                    "the database is in its place again and no write is missing; answering again"
                );
            }
        }
        refusal.map_or(Ok(()), |reason| Err(Error::Unavailable(reason.to_string())))
    }

    async fn find_refusal(&self, look: Look) -> Result<Option<Arc<str>>> {
        if let Some(gone) = self.witness.gone().await {
            return Ok(Some(gone.into()));
        }
        if look == Look::Quick && self.availability.refusal().is_none() {
            return Ok(None);
        }
        let Some((tenant, mark)) = self.missing().await? else {
            return Ok(None);
        };
        let sequence = mark.sequence.0;
        let lost = format!(
            "write {sequence} of tenant {tenant} was answered as stored and is not in the database; \
             start the server again once it is known what else is missing"
        );
        Ok(Some(self.witness.lost.get_or_init(|| lost.into()).clone()))
    }

    /// A write that was answered and is not there.
    async fn missing(&self) -> Result<Option<(TenantId, WriteMark)>> {
        let marks: Vec<(TenantId, WriteMark)> = self
            .witness
            .last()
            .marks
            .iter()
            .map(|(tenant, (_, mark))| (tenant.clone(), *mark))
            .collect();
        if marks.is_empty() {
            return Ok(None);
        }
        let mut sql = Sql::new(self.dialect);
        let columns = vec![
            (
                "tenant",
                Column::text(marks.iter().map(|(tenant, _)| tenant.as_str())),
            ),
            (
                "sequence",
                Column::Int(marks.iter().map(|(_, mark)| mark.sequence.0).collect()),
            ),
            (
                "time",
                Column::Int(
                    marks
                        .iter()
                        .map(|(_, mark)| mark.time.as_micros())
                        .collect(),
                ),
            ),
        ];
        let asked = sql.rows("asked", columns)?;
        let row = "w.tenant = asked.tenant AND w.time = asked.time AND w.sequence = asked.sequence";
        let found = self.dialect.look_up("write_time", "w", row);
        let statement = sql.statement(format!("SELECT asked.ord FROM {asked} {found}"));
        let found = async { Ok(self.witness_connection().query_all_raw(statement).await?) };
        let rows = self.fit(found).await?;
        let mut there = vec![false; marks.len()];
        for row in rows {
            if let Some(there) = place(&row)?.and_then(|place| there.get_mut(place)) {
                *there = true;
            }
        }
        Ok(marks
            .into_iter()
            .zip(there)
            .find(|(_, there)| !there)
            .map(|(mark, _)| mark))
    }

    /// Copies what is only in a deleted log into the database file: it can still be read here, and
    /// nowhere else.
    async fn rescue(&self) {
        let Some(file) = self.witness.file.clone() else {
            return;
        };
        if self.dialect != Dialect::Sqlite || !file.is_only_without_log() {
            return;
        }
        let copied = async {
            let mut session = Session::take(&self.write()).await?;
            let checkpoint = sea_orm::Statement::from_string(
                self.dialect.backend(),
                "PRAGMA wal_checkpoint(FULL)",
            );
            session.rows(checkpoint).await?;
            session.give_back();
            Ok::<(), Error>(())
        };
        match copied.await {
            Ok(()) => tracing::warn!(
                "what was in the deleted log is copied into the database file; nothing is lost"
            ),
            Err(error) => {
                tracing::error!(%error, "what was in the deleted log could not be copied into the file");
            }
        }
    }
}

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// At the files; for the last writes only while the store is refused.
    Quick,
    /// At everything.
    Full,
}

/// Looks once a second, and after each failure, until the store is closed or gone.
pub(super) async fn watch(pools: Weak<Pools>) {
    loop {
        // Not held while it waits.
        let Some(store) = pools.upgrade() else { return };
        let (wake, closed) = (store.witness.wake.clone(), store.witness.closed.clone());
        if let Err(error) = store.look(Look::Full).await {
            // A refusal is told where it begins; a database that does not answer is told by whoever
            // follows the log.
            tracing::debug!(%error, "whether the last writes are there could not be seen, or they are not");
        }
        drop(store);
        tokio::select! {
            () = closed.cancelled() => return,
            _ = tokio::time::timeout(INTERVAL, wake.notified()) => {}
        }
    }
}

impl Pools {
    /// A writer's connection within a transaction.
    ///
    /// # Errors
    /// Those of [`take_writer`](Self::take_writer).
    pub(super) async fn begin_write(&self) -> Result<Session> {
        self.look_for_file().await?;
        let begun = Session::begin(&self.write(), Purpose::Write).await;
        begun.inspect_err(|error| self.note_failed_write(error))
    }

    /// A writer's connection.
    ///
    /// # Errors
    /// [`Error::Unavailable`], also where the file is not in its place, with the reason.
    pub(super) async fn take_writer(&self) -> Result<Session> {
        self.look_for_file().await?;
        let taken = Session::take(&self.write()).await;
        taken.inspect_err(|error| self.note_failed_write(error))
    }

    /// Nothing is written to a file that is not in its place.
    async fn look_for_file(&self) -> Result<()> {
        if self.witness.file.is_some() && self.witness.gone().await.is_some() {
            self.look(Look::Quick).await?;
        }
        Ok(())
    }
}
