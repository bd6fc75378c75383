//! Throws away what of the change log is too old, or too much.
//!
//! What was thrown away by a wrong clock would be gone for good. So nothing goes by its age until
//! the clock has gone evenly for an hour (or for as long as the log is kept, if that is less).
//!
//! Every server does, for all tenants of its database: what one has thrown away the others find
//! done. Whoever reads the log finds that it does not go on, and begins anew; nothing that was said
//! is lost by it.

use std::sync::Arc;
use std::time::Duration;

use profile_core::records::{TenantId, Timestamp};

use crate::clock::Clock;
use crate::config;
use crate::store::{LogRetention, Result, Store};
use crate::telemetry::Episode;

/// How many tenants are listed at once.
const PAGE: usize = 1_000;

/// How long the clock must have gone evenly.
const STEADY: Duration = Duration::from_hours(1);

/// Looks after the log, for ever.
pub async fn keep_short(store: Arc<dyn Store>, clock: Arc<dyn Clock>, bounds: config::Changes) {
    let trimming = Episode::new("trimming the change log");
    loop {
        tokio::time::sleep(bounds.trim_interval).await;
        // After a failure the next time does what this one did not.
        drop(trimming.watch(trim(&*store, &*clock, &bounds).await));
    }
}

/// Trims the logs of all tenants once. Answers how many parts of it went.
///
/// # Errors
/// Those of the store.
pub async fn trim(store: &dyn Store, clock: &dyn Clock, bounds: &config::Changes) -> Result<u64> {
    let age = i64::try_from(bounds.retention.as_micros()).unwrap_or(i64::MAX);
    let before = if clock.is_steady(bounds.retention.min(STEADY)) {
        Timestamp::from_micros(clock.now().as_micros().saturating_sub(age))
    } else {
        Timestamp::from_micros(i64::MIN)
    };
    let retention = LogRetention {
        before,
        max_bytes: bounds.max_bytes as u64,
    };
    let (mut last, mut gone): (Option<TenantId>, u64) = (None, 0);
    loop {
        let tenants = store.list_tenants(last.as_ref(), PAGE).await?;
        for tenant in &tenants {
            loop {
                match store.trim_log(tenant, retention).await? {
                    0 => break,
                    parts => gone += parts,
                }
            }
        }
        match tenants.into_iter().next_back() {
            Some(tenant) => last = Some(tenant),
            None => return Ok(gone),
        }
    }
}
