//! Passes over all tenants in the background: one loop for every job.
//!
//! Each job (counting what was before a computed trait, the index of segments, metrics of all customers) does a bounded part
//! for one tenant and then the next tenant has its turn. What holds for all:
//!
//! - A tenant for whom it fails (a model that does not compile, a row that cannot be true, a panic) is told in the log once,
//!   counted, and tried again at the next pass. The others have their turn.
//! - A database that is away fails for all of them, so the pass ends and the next one begins anew.
//! - After each part the job pauses for as long as the part took, up to `MAX_PAUSE`: it has half of a thread at most.
//! - What is work for the processor runs on the threads for it ([`crate::compute`]), after what callers wait for.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::FutureExt;

use crate::store::{Error, Result, Store};
use profile_core::records::TenantId;

/// How many tenants are listed at once.
const TENANTS: usize = 1_000;
/// How many parts of a tenant's work are done before the next tenant has its turn.
const PARTS: usize = 20;
/// The longest pause after a part.
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// The jobs, as metrics name them.
pub(crate) const JOBS: [&str; 3] = ["recount", "segments", "statistics"];
static FAILURES: [AtomicU64; 3] = [const { AtomicU64::new(0) }; 3];

/// How often a job has failed for a tenant since the process began.
pub(crate) fn failures(job: usize) -> u64 {
    FAILURES.get(job).map_or(0, |count| count.load(Ordering::Relaxed))
}

/// Whether a tenant has more to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Nothing is left to do.
    Done,
    /// There may be more.
    More,
}

/// Something that is done for every tenant.
#[tonic::async_trait]
pub trait Job: Send {
    /// Its name in the log and in metrics: one of the known jobs.
    const NAME: &'static str;

    /// Does a bounded part of a tenant's work.
    ///
    /// # Errors
    /// Those of the store. [`Error::Unavailable`] ends the pass over all tenants; any other one is this tenant's.
    async fn part(&mut self, tenant: &TenantId) -> Result<Part>;
}

/// Does a job for all tenants, for ever.
pub async fn run(store: Arc<dyn Store>, mut job: impl Job, interval: Duration) {
    let mut troubles = Troubles::default();
    let mut is_away = false;
    loop {
        match pass(&*store, &mut job, &mut troubles).await {
            Ok(Part::More) => continue,
            Ok(Part::Done) => is_away = false,
            // Told once; the next pass tries again.
            Err(error) if !is_away => {
                is_away = true;
                // An outage is told by whoever follows the change log, a schema that is not right by readiness.
                if store.availability().is_there() && !matches!(error, Error::Schema(_)) {
                    tracing::warn!(job = name_of(&job), %error, "a background pass over all tenants ended early");
                }
            }
            Err(_) => {}
        }
        tokio::time::sleep(interval).await;
    }
}

fn name_of<J: Job>(_: &J) -> &'static str {
    J::NAME
}

/// Goes through all tenants once. Answers whether one of them has more to do.
async fn pass<J: Job>(store: &dyn Store, job: &mut J, troubles: &mut Troubles) -> Result<Part> {
    let (mut last, mut more) = (None, Part::Done);
    loop {
        let tenants = store.list_tenants(last.as_ref(), TENANTS).await?;
        for tenant in &tenants {
            match parts(job, tenant).await {
                Ok(part) => {
                    troubles.over(J::NAME, tenant);
                    more = if part == Part::More { part } else { more };
                }
                Err(error @ Error::Unavailable(_)) => return Err(error),
                Err(error) => troubles.begin(J::NAME, tenant, &error),
            }
        }
        match tenants.into_iter().next_back() {
            Some(tenant) => last = Some(tenant),
            None => return Ok(more),
        }
    }
}

/// Does some parts of a tenant's work, each with its pause.
async fn parts<J: Job>(job: &mut J, tenant: &TenantId) -> Result<Part> {
    for _ in 0..PARTS {
        let began = Instant::now();
        let part = AssertUnwindSafe(job.part(tenant)).catch_unwind().await;
        let part = part.unwrap_or_else(|_| Err(Error::Internal(format!("a panic in {}", J::NAME))))?;
        if part == Part::Done {
            return Ok(Part::Done);
        }
        tokio::time::sleep(began.elapsed().min(MAX_PAUSE)).await;
    }
    Ok(Part::More)
}

/// The tenants for whom a job fails, with what the log has of it.
#[derive(Default)]
struct Troubles(HashMap<TenantId, String>);

impl Troubles {
    fn begin(&mut self, job: &'static str, tenant: &TenantId, error: &Error) {
        if let Some(count) = JOBS.iter().position(|name| *name == job).and_then(|index| FAILURES.get(index)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let error = error.to_string();
        if self.0.get(tenant) != Some(&error) {
            tracing::warn!(job, %tenant, %error, "a background pass fails for this tenant; the others go on");
            self.0.insert(tenant.clone(), error);
        }
    }

    fn over(&mut self, job: &'static str, tenant: &TenantId) {
        if self.0.remove(tenant).is_some() {
            tracing::info!(job, %tenant, "the background pass works again for this tenant");
        }
    }
}
