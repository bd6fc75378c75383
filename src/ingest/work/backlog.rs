//! How much waits to be written, and how long that takes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use profile_core::records::TenantId;

use crate::ingest::Options;
use crate::lanes::{Reason, Refusal};

/// The weight of the newest round in the mean: one of about the last eight.
const NEWEST: u64 = 8;

/// The statements that wait, by tenant: a slow tenant refuses nobody else's.
#[derive(Debug)]
pub(in crate::ingest) struct Backlog {
    batch_statements: usize,
    tenants_at_once: usize,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    /// The tenants for which something waits.
    tenants: HashMap<TenantId, OfTenant>,
    /// The mean time of a round of any tenant, in microseconds; 0 before the first.
    round_micros: u64,
}

#[derive(Debug)]
struct OfTenant {
    statements: usize,
    /// The mean time of a round of this tenant, in microseconds; 0 before the first.
    round_micros: u64,
}

impl Backlog {
    pub(in crate::ingest) fn new(options: Options) -> Self {
        Self {
            batch_statements: options.batch_statements.max(1),
            tenants_at_once: options.tenants_at_once.max(1),
            waiting: Mutex::default(),
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses what could not be written by a deadline. Where nothing of the tenant waits it is
    /// always tried.
    pub(in crate::ingest) fn admit(
        &self,
        tenant: &TenantId,
        deadline: Option<Instant>,
    ) -> Result<(), Refusal> {
        let waiting = self.waiting();
        let Some(of_tenant) = waiting.tenants.get(tenant) else {
            return Ok(());
        };
        let rounds = of_tenant.statements / self.batch_statements + 1;
        let turns = waiting.tenants.len().div_ceil(self.tenants_at_once);
        let rounds = u64::try_from(rounds * turns).unwrap_or(u64::MAX);
        let wait = Duration::from_micros(of_tenant.round_micros.saturating_mul(rounds));
        if deadline.is_none_or(|deadline| Instant::now() + wait <= deadline) {
            return Ok(());
        }
        Err(Refusal {
            queue: "write",
            reason: Reason::TooLate,
            retry_after: wait,
        })
    }

    pub(in crate::ingest) fn add(&self, tenant: &TenantId, statements: usize) {
        let mut waiting = self.waiting();
        let round_micros = waiting.round_micros;
        if let Some(of_tenant) = waiting.tenants.get_mut(tenant) {
            of_tenant.statements += statements;
            return;
        }
        let of_tenant = OfTenant {
            statements,
            round_micros,
        };
        waiting.tenants.insert(tenant.clone(), of_tenant);
    }

    pub(super) fn take(&self, tenant: &TenantId, statements: usize) {
        let mut waiting = self.waiting();
        if let Some(of_tenant) = waiting.tenants.get_mut(tenant) {
            of_tenant.statements = of_tenant.statements.saturating_sub(statements);
            if of_tenant.statements == 0 {
                waiting.tenants.remove(tenant);
            }
        }
    }

    pub(super) fn measured(&self, tenant: &TenantId, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
        let mut waiting = self.waiting();
        waiting.round_micros = mean(waiting.round_micros, took);
        if let Some(of_tenant) = waiting.tenants.get_mut(tenant) {
            of_tenant.round_micros = mean(of_tenant.round_micros, took);
        }
    }
}

fn mean(before: u64, newest: u64) -> u64 {
    if before == 0 {
        return newest;
    }
    before.saturating_mul(NEWEST - 1).saturating_add(newest) / NEWEST
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(name: &str) -> TenantId {
        TenantId::new(name).expect("a tenant")
    }

    fn backlog() -> Backlog {
        Backlog::new(Options {
            queue_statements: 1_000,
            queue_bytes: 1 << 20,
            batch_statements: 100,
            batch_bytes: 1 << 20,
            tenants_at_once: 1,
            step_timeout: Duration::from_secs(1),
        })
    }

    #[test]
    fn a_call_is_refused_when_what_waits_takes_longer_than_its_deadline() {
        let (backlog, shop) = (backlog(), tenant("shop"));
        let soon = Some(Instant::now() + Duration::from_secs(5));
        backlog.measured(&shop, Duration::from_secs(2));
        assert!(backlog.admit(&shop, soon).is_ok(), "nothing waits");
        backlog.add(&shop, 150);
        assert!(backlog.admit(&shop, soon).is_ok(), "four seconds");
        backlog.add(&shop, 100);
        let refusal = backlog.admit(&shop, soon).expect_err("six seconds");
        assert_eq!(
            (refusal.reason, refusal.retry_after),
            (Reason::TooLate, Duration::from_secs(6))
        );
        assert!(
            backlog.admit(&shop, None).is_ok(),
            "who has no deadline waits"
        );
        backlog.take(&shop, 250);
        assert!(backlog.admit(&shop, soon).is_ok());
    }

    #[test]
    fn what_waits_for_one_tenant_refuses_nobody_of_another() {
        let (backlog, slow, quick) = (backlog(), tenant("slow"), tenant("quick"));
        let soon = Some(Instant::now() + Duration::from_secs(5));
        backlog.add(&slow, 1_000);
        backlog.measured(&slow, Duration::from_mins(1));
        assert!(backlog.admit(&slow, soon).is_err());
        assert!(backlog.admit(&quick, soon).is_ok());
    }
}
