//! The loop that reads the change log, and finds out whether the database answers.

use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};

use profile_core::records::{Sequence, TenantId};

use super::{LogFollower, MAX_ENTRIES};
use crate::changes::tail::TenantTail;
use crate::store::retry::jittered;
use crate::store::{Error, LogCursor, LogEntry, LogPosition, LogTail, Result};

/// Time without a read after which a tenant is not followed any more.
const IDLE: Duration = Duration::from_mins(10);
/// Time without a read after which a tenant rests: its next read has the log read first.
const RESTING: Duration = Duration::from_secs(2);
/// Interval of finding out whether the database answers while all tenants rest.
const RESTING_INTERVAL: Duration = Duration::from_millis(200);
/// Interval of trying a database that is away.
const AWAY_INTERVAL: Duration = Duration::from_millis(200);
/// Interval of trying a database that does not answer, but does not count as away yet.
const SILENT_INTERVAL: Duration = Duration::from_millis(20);
/// How long a database that is away may take to answer.
const MAX_PATIENCE: Duration = Duration::from_secs(10);
/// Pause between reads of the log, in multiples of the time that the last one took.
const REST: u32 = 4;

/// A tenant to read the log of.
struct ActiveTenant {
    tenant: TenantId,
    tail: Arc<TenantTail>,
    /// The position to read on from.
    after: LogPosition,
}

impl LogFollower {
    /// Reads the log of all followed tenants once. Returns the time until the next read.
    async fn poll(&self, answered_at: Instant) -> Result<Duration> {
        let tenants = self.active_tenants();
        let asked_at = Instant::now();
        let tails = self.read_log(&tenants, answered_at).await?;
        let mut more = false;
        for (active, tail) in tenants.iter().zip(&tails) {
            match self.take(active, tail, asked_at).await {
                Ok(goes_on) => more |= goes_on,
                Err(error @ Error::Unavailable(_)) => return Err(error),
                // A tenant whose model cannot be read is not proven current; the others are.
                Err(error) => {
                    let tenant = &active.tenant;
                    tracing::warn!(%tenant, %error, "a tenant's change log could not be followed");
                }
            }
        }
        Ok(match (more, self.store.is_shared(), tenants.is_empty()) {
            (true, ..) => Duration::ZERO,
            (false, true, false) => self.options.poll_interval.max(asked_at.elapsed() * REST),
            (false, true, true) => RESTING_INTERVAL.max(self.options.poll_interval),
            (false, false, _) => self.options.alone_interval,
        })
    }

    /// Reads the log of tenants after their positions. Without tenants it only finds out whether
    /// the database answers.
    async fn read_log(
        &self,
        tenants: &[ActiveTenant],
        answered_at: Instant,
    ) -> Result<Vec<LogTail>> {
        let mut cursors: Vec<LogCursor> = tenants
            .iter()
            .map(|active| LogCursor {
                tenant: active.tenant.clone(),
                after: active.after,
            })
            .collect();
        if cursors.is_empty() {
            cursors.push(LogCursor {
                tenant: TenantId::default(),
                after: LogPosition::after(Sequence(i64::MAX)),
            });
        }
        let read = self.store.follow_log(&cursors, MAX_ENTRIES);
        if !self.store.is_shared() {
            // A database in this process is not away because it is slow: it is there, or says what
            // is wrong.
            return read.await;
        }
        // The longer it was silent, the longer it may take: where a connection is made more slowly
        // than an answer may be late, it would never be back.
        let silent = answered_at.elapsed().min(MAX_PATIENCE);
        let within = silent.max(self.options.away_after);
        tokio::time::timeout(within, read)
            .await
            .unwrap_or_else(|_| {
                let what = format!("the log was not read within {within:?}");
                Err(Error::Unavailable(what))
            })
    }

    /// The tenants to follow now. Those that were not used lately rest, or are dropped.
    fn active_tenants(&self) -> Vec<ActiveTenant> {
        let now = Instant::now();
        let (mut active, mut idle) = (Vec::new(), Vec::new());
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        for (tenant, tail) in tenants.iter() {
            let unused = now.saturating_duration_since(tail.used_at());
            let Some(after) = tail.cursor() else {
                continue;
            };
            if tail.fanout.is_watched() || unused < RESTING {
                active.push(ActiveTenant {
                    tenant: tenant.clone(),
                    tail: tail.clone(),
                    after,
                });
            } else if unused < IDLE {
                tail.rest();
            } else {
                idle.push(tenant.clone());
            }
        }
        drop(tenants);
        if !idle.is_empty() {
            let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
            for tenant in idle {
                tenants.remove(&tenant);
            }
        }
        active
    }

    /// Takes in what was read of a tenant's log. Returns whether there may be more.
    async fn take(&self, active: &ActiveTenant, log: &LogTail, asked_at: Instant) -> Result<bool> {
        let ActiveTenant {
            tenant,
            tail,
            after,
        } = active;
        if log.model_version > 0 {
            let known = self.models.of(tenant).await?;
            self.models.told(tenant, log.model_version, &known).await?;
        }
        if !log.follows(*after) {
            tracing::warn!(%tenant, after = after.sequence.0, head = log.head.0, "the change log does not go on");
            self.metrics.log_gap();
            tail.lost(log.head, self.generation());
            return Ok(true);
        }
        self.take_entries(tail, log);
        for entry in &log.entries {
            tail.fanout.tell(entry);
        }
        if log.entries.last().map_or(*after, LogEntry::end) < LogPosition::after(log.head) {
            return Ok(true);
        }
        tail.know(asked_at);
        Ok(false)
    }

    /// Notes that the database answered; reconnects if it was away.
    async fn database_answered(&self, answered_at: Instant) {
        let availability = self.store.availability();
        if availability.is_away() && self.store.recover().await.is_ok() {
            let away = answered_at.elapsed();
            if availability.set(true) {
                tracing::info!(?away, "the database is back");
            }
        }
    }

    /// Notes that the log could not be read. Returns the time until the next try.
    async fn read_failed(&self, error: Error, answered_at: Instant) -> Duration {
        if !matches!(error, Error::Unavailable(_)) {
            tracing::debug!(%error, "the change log could not be read");
            return jittered(AWAY_INTERVAL);
        }
        let availability = self.store.availability();
        let silent = answered_at.elapsed();
        if silent >= self.options.away_after && availability.set(false) {
            tracing::error!(%error, ?silent, "the database is away; what is cached is still answered");
        }
        // The connection may lead nowhere.
        drop(self.store.renew().await);
        jittered(if availability.is_away() {
            AWAY_INTERVAL
        } else {
            SILENT_INTERVAL
        })
    }
}

/// Follows the log until the follower is dropped.
pub(super) async fn run(follower: Weak<LogFollower>) {
    let mut answered_at = Instant::now();
    loop {
        let Some(follower) = follower.upgrade() else {
            return;
        };
        let began_at = Instant::now();
        let polled = follower.poll(answered_at).await;
        follower
            .metrics
            .log_polled(began_at.elapsed(), polled.is_ok());
        let wait = match polled {
            Ok(wait) => {
                follower.database_answered(answered_at).await;
                answered_at = Instant::now();
                wait
            }
            Err(error) => follower.read_failed(error, answered_at).await,
        };
        follower.rounds.send_modify(|round| *round += 1);
        // Until then, or until it is woken.
        drop(tokio::time::timeout(wait, follower.wake.notified()).await);
    }
}
