//! Which tenant is written to next.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use profile_core::records::TenantId;
use tokio::time::Instant;

use super::Job;
use crate::lanes::Fair;

/// How long a tenant's callers that were just answered are waited for.
const LINGER: Duration = Duration::from_millis(1);
/// How many tenants for which nothing waits are remembered, with how many callers they had.
const MAX_IDLE: usize = 1_024;

/// The queue of each tenant. A tenant has one transaction at a time.
///
/// Callers that wait for their answers come in two shifts: while one shift's batch is written the
/// other one's waits, and each transaction takes half of what it could. So when callers were
/// answered while others waited, those are given a moment to come back, and both shifts become one.
/// A lone caller is never waited for.
#[derive(Default)]
pub(super) struct Turns {
    tenants: HashMap<TenantId, Waiting>,
    /// The tenants for which something waits and nothing is being written, longest wait first.
    due: VecDeque<TenantId>,
}

#[derive(Default)]
struct Waiting {
    jobs: Fair<Job>,
    is_writing: bool,
    /// The callers from whom the next transaction may come.
    callers: usize,
    /// The end of the wait for them, from the first one on.
    until: Option<Instant>,
}

impl Waiting {
    fn is_ready(&self, now: Instant, batch_statements: usize) -> bool {
        self.jobs.len() >= self.callers.min(batch_statements)
            || self.until.is_none_or(|until| until <= now)
    }
}

impl Turns {
    pub(super) fn push(&mut self, job: Job) {
        let tenant = job.tenant.clone();
        let waiting = self.tenants.entry(tenant.clone()).or_default();
        if waiting.jobs.len() == 0 && !waiting.is_writing {
            waiting.until = Some(Instant::now() + LINGER);
            self.due.push_back(tenant);
        }
        waiting.jobs.push(job.caller, job);
    }

    /// The tenant that is due, with about as much as one transaction takes.
    pub(super) fn next(&mut self, batch_statements: usize) -> Option<(TenantId, Vec<Job>)> {
        let now = Instant::now();
        let place = self.due.iter().position(|tenant| {
            let waiting = self.tenants.get(tenant);
            waiting.is_some_and(|waiting| waiting.is_ready(now, batch_statements))
        })?;
        let tenant = self.due.remove(place)?;
        let waiting = self.tenants.get_mut(&tenant)?;
        waiting.is_writing = true;
        let (mut jobs, mut statements) = (Vec::new(), 0);
        while statements < batch_statements
            && let Some(job) = waiting.jobs.pop()
        {
            statements += job.statements();
            jobs.push(job);
        }
        Some((tenant, jobs))
    }

    /// Ends a tenant's transaction, which answered this number of callers.
    pub(super) fn end(&mut self, tenant: TenantId, answered: usize) {
        let Some(waiting) = self.tenants.get_mut(&tenant) else {
            return;
        };
        waiting.is_writing = false;
        waiting.callers = waiting.jobs.len() + answered;
        if waiting.jobs.len() > 0 {
            waiting.until = Some(Instant::now() + LINGER);
            self.due.push_back(tenant);
        } else if answered <= 1 {
            self.tenants.remove(&tenant);
        } else if self.tenants.len() > MAX_IDLE {
            self.tenants
                .retain(|_, waiting| waiting.is_writing || waiting.jobs.len() > 0);
        }
    }

    /// When a tenant that waits for its callers is due all the same.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let waiting = self
            .due
            .iter()
            .filter_map(|tenant| self.tenants.get(tenant));
        waiting.filter_map(|waiting| waiting.until).min()
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;
    use tracing::Span;

    use super::*;
    use crate::ingest::Checked;
    use crate::ingest::room::AdmissionQueue;
    use crate::lanes::Caller;

    async fn job(tenant: &str) -> Job {
        let room = AdmissionQueue::new(1, 1 << 20);
        Job {
            tenant: TenantId::new(tenant).expect("a tenant"),
            caller: Caller::default(),
            deadline: None,
            checked: Checked {
                statements: Vec::new(),
                model: 1,
            },
            bytes: 0,
            answer: oneshot::channel().0,
            span: Span::none(),
            waiting: Span::none(),
            _place: room.take(&[]).await.expect("room"),
        }
    }

    /// The tenant that is due now, with how many of its jobs.
    fn next(turns: &mut Turns) -> Option<(String, usize)> {
        let (tenant, jobs) = turns.next(10)?;
        Some((tenant.as_str().to_owned(), jobs.len()))
    }

    fn end(turns: &mut Turns, tenant: &str, answered: usize) {
        turns.end(TenantId::new(tenant).expect("a tenant"), answered);
    }

    #[tokio::test(start_paused = true)]
    async fn tenants_take_turns_with_one_transaction_each() {
        let mut turns = Turns::default();
        for tenant in ["a", "a", "b"] {
            turns.push(job(tenant).await);
        }
        assert_eq!(next(&mut turns), Some(("a".to_owned(), 2)));
        turns.push(job("a").await);
        assert_eq!(next(&mut turns), Some(("b".to_owned(), 1)));
        assert_eq!(next(&mut turns), None, "a is being written");
        end(&mut turns, "b", 1);
        end(&mut turns, "a", 1);
        assert_eq!(next(&mut turns), None, "one of two callers has come back");
        tokio::time::advance(LINGER).await;
        assert_eq!(next(&mut turns), Some(("a".to_owned(), 1)));
    }

    #[tokio::test(start_paused = true)]
    async fn callers_that_were_answered_are_waited_for_a_moment_and_a_lone_one_never() {
        let mut turns = Turns::default();
        for number in 0..3 {
            turns.push(job("a").await);
            assert_eq!(next(&mut turns), Some(("a".to_owned(), 1)), "{number}");
            end(&mut turns, "a", 1);
        }
        for _ in 0..2 {
            turns.push(job("a").await);
        }
        assert_eq!(next(&mut turns), Some(("a".to_owned(), 2)));
        end(&mut turns, "a", 2);
        turns.push(job("a").await);
        assert_eq!(next(&mut turns), None);
        assert!(turns.next_due().is_some());
        turns.push(job("a").await);
        assert_eq!(next(&mut turns), Some(("a".to_owned(), 2)));
        assert!(turns.next_due().is_none());
    }
}
