//! Lanes: who waits for what, so that one kind of work cannot keep another from being done.
//!
//! **The problem.** A limit on calls in work says nothing about what they wait for. A thousand
//! searches that wait for ten connections fill such a limit, and a read that the cache could answer
//! in 50 µs is refused because of them. A queue with a timeout is no better: whoever waits is
//! served when nobody waits for the answer any more, so an overloaded server works at full load and
//! answers nobody.
//!
//! **The choice.**
//! - At the *door* each lane ([`Lane`]) has its own number of calls ([`Doors`]): heavy calls fill
//!   theirs, never that of reads.
//! - At the *scarce thing*, the connections of the database, there is one queue a kind of work
//!   ([`Lanes`]): statements of light calls, heavy calls as a whole, and the server's own passes.
//!   Each has connections that the others cannot take. The follower of the change log has a
//!   connection of its own and waits in none of them.
//! - A call waits only if it can be served within its deadline, by the measured time of service and
//!   by those before it; else it is refused at once, with the time to wait ([`Refusal`]). A call
//!   that is left by its caller leaves the queue.
//! - Callers (tenant and connection) take turns in each queue; in a full one room is kept for those
//!   that hold less than their share (`Shares`).
//!
//! What is in the cache needs no connection, so it never waits here.
//!
//! Sources: Site Reliability Engineering, chapter 21 "Handling Overload"; "Using load shedding to
//! avoid overload", Amazon Builders' Library; Nagle, RFC 970 (a queue for each source, served in
//! turn).

mod doors;
mod fair;
mod queue;
mod shares;

use std::hash::Hasher;
use std::sync::Arc;
use std::time::{Duration, Instant};

use siphasher::sip::SipHasher13;
use tokio::sync::OnceCell;

pub use doors::{Door, Doors, Entered, Outside};
pub(crate) use fair::Fair;
pub use queue::{Figures, Permit, Queue};
pub(crate) use shares::Shares;

/// The kind of a call, by what it costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Reads of single customers: mostly cached, else a few statements by key.
    Read,
    /// Searches, previews, lists over many customers, explanations, analytics.
    Heavy,
    /// Whatever goes through the write path.
    Write,
}

impl Lane {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Read, Self::Heavy, Self::Write];

    /// The name in metrics and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Heavy => "heavy",
            Self::Write => "write",
        }
    }
}

/// Whose call it is, as far as fairness goes: a tenant, and a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Caller {
    tenant: u64,
    connection: u64,
}

impl Caller {
    /// The caller of a tenant on a connection, by its number; `None` where the connection is not
    /// known.
    #[must_use]
    pub fn new(tenant: &str, connection: Option<u64>) -> Self {
        let mut hasher = SipHasher13::new();
        hasher.write(tenant.as_bytes());
        Self {
            tenant: hasher.finish(),
            connection: connection.unwrap_or_default(),
        }
    }
}

/// Why a call is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The queue or the door has no room, or none for this caller.
    Full,
    /// It could not be served within its deadline.
    TooLate,
    /// Its deadline passed while it waited.
    Expired,
    /// Its caller left while it waited. Nobody is told.
    Gone,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Full, Self::TooLate, Self::Expired, Self::Gone];

    /// The name in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::TooLate => "too_late",
            Self::Expired => "expired",
            Self::Gone => "gone",
        }
    }
}

/// A call is refused, for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server has too much to do ({queue}: {})", reason.name())]
pub struct Refusal {
    /// The queue or door that refused it.
    pub queue: &'static str,
    /// Why.
    pub reason: Reason,
    /// When it may be tried again with some hope. Without jitter: whoever tells it adds some.
    pub retry_after: Duration,
}

/// A call in work, as the lanes know it.
#[derive(Debug)]
pub struct Call {
    lane: Lane,
    caller: Caller,
    deadline: Option<Instant>,
    /// Its place among the calls in work.
    entered: Option<Arc<Entered>>,
    /// A heavy call's permit, from its first statement to its end.
    permit: OnceCell<Permit>,
}

tokio::task_local! {
    static CALL: Arc<Call>;
}

impl Call {
    /// A call that waits for nothing yet.
    #[must_use]
    pub fn new(
        lane: Lane,
        caller: Caller,
        deadline: Option<Instant>,
        entered: Option<Arc<Entered>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            lane,
            caller,
            deadline,
            entered,
            permit: OnceCell::new(),
        })
    }

    /// Whose it is.
    #[must_use]
    pub fn caller(&self) -> Caller {
        self.caller
    }

    /// When its caller stops waiting.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Does work on behalf of the call: what it waits for is waited for in the call's lane. Tasks
    /// that the work spawns are the server's own, unless they are put into a scope themselves.
    pub async fn scope<F: Future>(self: Arc<Self>, work: F) -> F::Output {
        CALL.scope(self, work).await
    }
}

/// The call on whose behalf this task works; `None` for the server's own work.
#[must_use]
pub fn current() -> Option<Arc<Call>> {
    CALL.try_with(Arc::clone).ok()
}

/// Does work that is heavy, within a call of whatever lane.
pub async fn heavy<F: Future>(work: F) -> F::Output {
    match current() {
        Some(call) if call.lane != Lane::Heavy => {
            Call::new(
                Lane::Heavy,
                call.caller,
                call.deadline,
                call.entered.clone(),
            )
            .scope(work)
            .await
        }
        _ => work.await,
    }
}

/// The queues for the read connections of a database.
#[derive(Debug)]
pub struct Lanes {
    light: Arc<Queue>,
    heavy: Arc<Queue>,
    background: Arc<Queue>,
}

/// Of so many connections heavy work has at most three, background work one.
const PARTS: usize = 8;
/// How many statements of light calls may wait.
const MAX_WAITING_LIGHT: usize = 512;
/// How many heavy calls may wait, if their deadlines allow it.
const MAX_WAITING_HEAVY: usize = 8_192;

impl Lanes {
    /// Queues for so many connections. `processors`: where statements run in this process, how many
    /// may do so with profit.
    #[must_use]
    pub fn new(connections: usize, processors: Option<usize>) -> Arc<Self> {
        let heavy = (connections * 3 / PARTS).clamp(1, processors.unwrap_or(usize::MAX).max(1));
        let background = (connections / PARTS).max(1);
        let light = connections.saturating_sub(heavy + background).max(1);
        Arc::new(Self {
            light: Queue::new("light", light, MAX_WAITING_LIGHT),
            heavy: Queue::new("heavy", heavy, MAX_WAITING_HEAVY),
            background: Queue::new("background", background, usize::MAX),
        })
    }

    /// Waits until a statement may be run. `None`: the call has a place already, which it keeps to
    /// its end.
    ///
    /// # Errors
    /// [`Refusal`], at once where the wait would be in vain.
    ///
    /// # Cancel safety
    /// Dropped, the place in the queue is given up.
    pub async fn enter(&self) -> Result<Option<Permit>, Refusal> {
        let Some(call) = current() else {
            return self
                .background
                .enter(Caller::default(), None)
                .await
                .map(Some);
        };
        match call.lane {
            Lane::Read | Lane::Write => {
                // What waits here is no reason to refuse what need not wait.
                let _outside = call.entered.as_deref().map(Entered::step_out);
                self.light.enter(call.caller, call.deadline).await.map(Some)
            }
            Lane::Heavy => {
                call.permit
                    .get_or_try_init(|| self.heavy.enter(call.caller, call.deadline))
                    .await?;
                Ok(None)
            }
        }
    }

    /// Waits for the place of a heavy call before it begins something that others may wait for,
    /// such as a load of the cache that light calls share.
    ///
    /// # Errors
    /// As [`enter`](Self::enter).
    ///
    /// # Cancel safety
    /// As [`enter`](Self::enter).
    pub async fn be_ready(&self) -> Result<(), Refusal> {
        let is_ready = |call: &Arc<Call>| call.lane != Lane::Heavy || call.permit.initialized();
        if CALL.try_with(is_ready).unwrap_or(true) {
            return Ok(());
        }
        self.enter().await.map(drop)
    }

    /// The queues, for their figures.
    #[must_use]
    pub fn queues(&self) -> [&Arc<Queue>; 3] {
        [&self.light, &self.heavy, &self.background]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_work_has_connections_of_its_own() {
        let sizes = |connections, processors| {
            Lanes::new(connections, processors)
                .queues()
                .map(|queue| queue.capacity())
        };
        assert_eq!(sizes(16, None), [8, 6, 2]);
        assert_eq!(sizes(16, Some(2)), [12, 2, 2]);
        assert_eq!(sizes(4, None), [2, 1, 1]);
        assert_eq!(
            sizes(1, None),
            [1, 1, 1],
            "they share one connection, whose own queue is short then"
        );
    }

    #[tokio::test]
    async fn a_heavy_call_takes_one_place_for_all_of_its_statements() {
        let lanes = Lanes::new(8, Some(1));
        let call = || Call::new(Lane::Heavy, Caller::default(), None, None);
        call()
            .scope(async {
                for _ in 0..3 {
                    assert!(lanes.enter().await.expect("a place").is_none());
                }
                assert_eq!(lanes.heavy.running(), 1);
            })
            .await;
        assert_eq!(lanes.heavy.running(), 0, "it is given back with the call");
        let light = Call::new(Lane::Read, Caller::default(), None, None);
        light
            .scope(heavy(async {
                lanes.enter().await.expect("a place");
                assert_eq!((lanes.heavy.running(), lanes.light.running()), (1, 0));
            }))
            .await;
        assert_eq!(lanes.heavy.running(), 0);
    }
}
