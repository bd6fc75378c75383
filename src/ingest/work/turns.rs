//! Which tenant is written to next.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use profile_core::records::TenantId;
use tokio::time::Instant;

use super::{Job, Options};
use crate::lanes::Fair;

/// How long a tenant's callers that were just answered are waited for.
const LINGER: Duration = Duration::from_millis(1);
/// How many tenants for which nothing waits are remembered, with how many callers they had.
const MAX_IDLE: usize = 1_024;

/// How many batches of a tenant are under way: one is written, the next one prepared.
const BATCHES: usize = 2;

/// The queue of each tenant.
///
/// Callers that wait for their answers come in two shifts: while one shift's batch is written the
/// other one's waits, and each transaction takes half of what it could. So when callers were
/// answered while others waited, those are given a moment to come back, and both shifts become one.
/// A lone caller is never waited for.
#[derive(Default)]
pub(super) struct Turns {
    tenants: HashMap<TenantId, Waiting>,
    /// The tenants for which something waits and another batch may begin, longest wait first.
    due: VecDeque<TenantId>,
}

#[derive(Default)]
struct Waiting {
    jobs: Fair<Job>,
    /// How many batches are under way.
    batches: usize,
    is_due: bool,
    /// The callers from whom the next transaction may come.
    callers: usize,
    /// The end of the wait for them, from the first one on.
    until: Option<Instant>,
}

impl Waiting {
    /// Whether a batch may begin beside so many others of all tenants.
    fn has_place(&self, options: Options, running: usize) -> bool {
        let places = options.tenants_at_once;
        if self.batches == 0 {
            running < places
        } else {
            running + 1 < places
        }
    }

    fn is_ready(&self, now: Instant, batch_statements: usize) -> bool {
        self.jobs.len() >= self.callers.min(batch_statements)
            || self.until.is_none_or(|until| until <= now)
    }
}

impl Turns {
    pub(super) fn push(&mut self, job: Job) {
        let tenant = job.tenant.clone();
        let waiting = self.tenants.entry(tenant.clone()).or_default();
        waiting.jobs.push(job.caller, job);
        self.make_due(tenant);
    }

    /// Has a tenant written to next, if something waits and another batch may begin.
    fn make_due(&mut self, tenant: TenantId) {
        if let Some(waiting) = self.tenants.get_mut(&tenant)
            && waiting.jobs.len() > 0
            && waiting.batches < BATCHES
            && !waiting.is_due
        {
            waiting.is_due = true;
            waiting.until = Some(Instant::now() + LINGER);
            self.due.push_back(tenant);
        }
    }

    /// The tenant that is due, with about as much as one transaction takes, where so many batches of
    /// all tenants run.
    pub(super) fn next(
        &mut self,
        options: Options,
        running: usize,
    ) -> Option<(TenantId, Vec<Job>)> {
        let now = Instant::now();
        let most = options.batch_statements;
        let place = self.due.iter().position(|tenant| {
            let waiting = self.tenants.get(tenant);
            waiting.is_some_and(|waiting| {
                waiting.has_place(options, running) && waiting.is_ready(now, most)
            })
        })?;
        let tenant = self.due.remove(place)?;
        let waiting = self.tenants.get_mut(&tenant)?;
        waiting.batches += 1;
        waiting.is_due = false;
        let (mut jobs, mut statements) = (Vec::new(), 0);
        while statements < most
            && let Some(job) = waiting.jobs.pop()
        {
            statements += job.statements();
            jobs.push(job);
        }
        self.make_due(tenant.clone());
        Some((tenant, jobs))
    }

    /// Ends a tenant's batch, which answered this number of callers.
    pub(super) fn end(&mut self, tenant: TenantId, answered: usize) {
        let Some(waiting) = self.tenants.get_mut(&tenant) else {
            return;
        };
        waiting.batches -= 1;
        waiting.callers = waiting.jobs.len() + answered;
        waiting.until = Some(Instant::now() + LINGER);
        if waiting.jobs.len() > 0 {
            self.make_due(tenant);
        } else if answered <= 1 && waiting.batches == 0 {
            self.tenants.remove(&tenant);
        } else if self.tenants.len() > MAX_IDLE {
            self.tenants
                .retain(|_, waiting| waiting.batches > 0 || waiting.jobs.len() > 0);
        }
    }

    /// When a tenant that waits for its callers, and for nothing else, is due all the same.
    pub(super) fn next_due(&self, options: Options, running: usize) -> Option<Instant> {
        let waiting = self
            .due
            .iter()
            .filter_map(|tenant| self.tenants.get(tenant));
        let waiting = waiting.filter(|waiting| waiting.has_place(options, running));
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

    fn options(tenants_at_once: usize) -> Options {
        Options {
            queue_statements: 10,
            queue_bytes: 10,
            batch_statements: 10,
            batch_bytes: 10,
            tenants_at_once,
            step_timeout: Duration::ZERO,
        }
    }

    /// The tenant that is due now where so many batches run, with how many of its jobs.
    fn next(turns: &mut Turns, running: usize) -> Option<(String, usize)> {
        let (tenant, jobs) = turns.next(options(3), running)?;
        Some((tenant.as_str().to_owned(), jobs.len()))
    }

    fn end(turns: &mut Turns, tenant: &str, answered: usize) {
        turns.end(TenantId::new(tenant).expect("a tenant"), answered);
    }

    fn due(tenant: &str, jobs: usize) -> Option<(String, usize)> {
        Some((tenant.to_owned(), jobs))
    }

    #[tokio::test(start_paused = true)]
    async fn a_tenant_has_two_batches_under_way_and_leaves_one_place_to_others() {
        let mut turns = Turns::default();
        turns.push(job("a").await);
        assert_eq!(next(&mut turns, 0), due("a", 1));
        turns.push(job("a").await);
        assert_eq!(next(&mut turns, 2), None, "the last place is for others");
        assert_eq!(next(&mut turns, 1), due("a", 1));
        turns.push(job("a").await);
        tokio::time::advance(LINGER).await;
        assert_eq!(next(&mut turns, 0), None, "two are under way");
        turns.push(job("b").await);
        assert_eq!(next(&mut turns, 3), None, "all places are taken");
        assert_eq!(next(&mut turns, 2), due("b", 1));
        end(&mut turns, "a", 1);
        tokio::time::advance(LINGER).await;
        assert_eq!(next(&mut turns, 1), due("a", 1));
    }

    #[tokio::test(start_paused = true)]
    async fn callers_that_were_answered_are_waited_for_a_moment_and_a_lone_one_never() {
        let mut turns = Turns::default();
        for number in 0..3 {
            turns.push(job("a").await);
            assert_eq!(next(&mut turns, 0), due("a", 1), "{number}");
            end(&mut turns, "a", 1);
        }
        for _ in 0..2 {
            turns.push(job("a").await);
        }
        assert_eq!(next(&mut turns, 0), due("a", 2));
        end(&mut turns, "a", 2);
        turns.push(job("a").await);
        assert_eq!(next(&mut turns, 0), None);
        assert!(turns.next_due(options(3), 0).is_some());
        turns.push(job("a").await);
        assert_eq!(next(&mut turns, 0), due("a", 2));
        assert!(turns.next_due(options(3), 0).is_none());
    }
}
