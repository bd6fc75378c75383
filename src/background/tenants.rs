//! Passes over all tenants in the background: one loop for every job.
//!
//! Each job (counting what was before a computed trait, the index of segments, metrics of all
//! customers) does a bounded part for one tenant and then the next tenant has its turn. What holds
//! for all:
//!
//! - A tenant for whom it fails (a model that does not compile, a row that cannot be true, a panic)
//!   is told in the log once, counted, and tried again at the next pass. The others have their
//!   turn.
//! - A database that is away fails for all of them, so the pass ends and the next one begins anew.
//! - After each part the job pauses for as long as the part took, up to `MAX_PAUSE`: it has half of
//!   a thread at most.
//! - What is work for the processor runs on the threads for it ([`crate::compute`]), after what
//!   callers wait for.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use profile_core::records::TenantId;

use crate::store::{Error, Result, Store};
use crate::telemetry::{Episode, Metrics, metrics};

/// How many tenants are listed at once.
const TENANTS: usize = 1_000;
/// How many parts of a tenant's work are done before the next tenant has its turn.
const PARTS: usize = 20;
/// The longest pause after a part.
const MAX_PAUSE: Duration = Duration::from_secs(1);

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
    /// Which one it is, in the log and in metrics.
    const JOB: metrics::Job;

    /// Does a bounded part of a tenant's work.
    ///
    /// # Errors
    /// Those of the store. [`Error::Unavailable`] and [`Error::Clock`] end the pass over all
    /// tenants; any other one is this tenant's.
    async fn part(&mut self, tenant: &TenantId) -> Result<Part>;
}

/// Does a job for all tenants, for ever.
pub async fn run(
    store: Arc<dyn Store>,
    metrics: Arc<Metrics>,
    mut job: impl Job,
    interval: Duration,
) {
    let mut troubles = Troubles::default();
    let mut is_away = false;
    loop {
        match pass(&*store, &metrics, &mut job, &mut troubles).await {
            Ok(Part::More) => continue,
            Ok(Part::Done) => is_away = false,
            // Told once; the next pass tries again.
            Err(error) if !is_away => {
                is_away = true;
                // An outage is told by whoever follows the change log, a schema or a clock that is
                // not right by readiness.
                if store.availability().is_there()
                    && !matches!(error, Error::Schema(_) | Error::Clock(_))
                {
                    tracing::warn!(job = name_of(&job), %error, "a background pass over all tenants ended early");
                }
            }
            Err(_) => {}
        }
        tokio::time::sleep(interval).await;
    }
}

fn name_of<J: Job>(_: &J) -> &'static str {
    J::JOB.name()
}

/// Goes through all tenants once. Answers whether one of them has more to do.
async fn pass<J: Job>(
    store: &dyn Store,
    metrics: &Metrics,
    job: &mut J,
    troubles: &mut Troubles,
) -> Result<Part> {
    let (mut last, mut more) = (None, Part::Done);
    loop {
        let tenants = store.list_tenants(last.as_ref(), TENANTS).await?;
        for tenant in &tenants {
            match parts(job, tenant).await {
                Ok(part) => {
                    troubles.over(tenant);
                    more = if part == Part::More { part } else { more };
                }
                Err(error @ (Error::Unavailable(_) | Error::Clock(_))) => return Err(error),
                Err(error) => {
                    metrics.background_failed(J::JOB);
                    troubles.begin(J::JOB, tenant, &error);
                }
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
        let part =
            part.unwrap_or_else(|_| Err(Error::Internal(format!("a panic in {}", J::JOB.name()))))?;
        if part == Part::Done {
            return Ok(Part::Done);
        }
        tokio::time::sleep(began.elapsed().min(MAX_PAUSE)).await;
    }
    Ok(Part::More)
}

/// The tenants for whom a job fails.
#[derive(Default)]
struct Troubles(HashMap<TenantId, Episode>);

impl Troubles {
    fn begin(&mut self, job: metrics::Job, tenant: &TenantId, error: &Error) {
        let what = || {
            format!(
                "background pass `{}` for tenant {tenant}; the others go on",
                job.name()
            )
        };
        self.0
            .entry(tenant.clone())
            .or_insert_with(|| Episode::named(what(), Duration::ZERO))
            .failed(error);
    }

    fn over(&mut self, tenant: &TenantId) {
        if let Some(trouble) = self.0.remove(tenant) {
            trouble.succeeded();
        }
    }
}
