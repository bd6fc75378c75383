//! The log lines of calls: which calls get one.
//!
//! A line of each call is worth having at ten calls a second, and harmful at thousands: it pushes
//! everything else out of the log. So successes can be sampled, and get no line above a rate;
//! failures of one kind (method and status) have a rate of their own, so that an overload of one
//! kind hides no other. Lines that were left out are counted, and reported by one line for each
//! status every ten seconds.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tonic::Code;

use crate::config::{Log, RequestLog};
use crate::telemetry::Metrics;
use crate::telemetry::log::{Budget, REQUESTS};
use crate::telemetry::metrics::name_of;

/// The time between two lines about what was left out.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// Writes a line about each call that gets one.
#[derive(Debug)]
pub struct CallLog {
    policy: RwLock<Policy>,
    started_at: Instant,
    /// Calls answered `OK`, for sampling.
    succeeded: AtomicU64,
    successes: Budget,
    failures: RwLock<HashMap<(&'static str, i32), Arc<Budget>>>,
    left_out: Arc<AtomicU64>,
}

/// Settings that decide which calls get a line.
#[derive(Debug, Clone, Copy)]
struct Policy {
    requests: RequestLog,
    success_ratio: f64,
    max_successes: u32,
    max_failures: u32,
}

/// A call that was answered.
pub(super) struct Answered<'a> {
    pub(super) method: &'static str,
    pub(super) code: Code,
    pub(super) took: Duration,
    pub(super) tenant: &'a str,
    pub(super) request_id: &'a str,
}

impl CallLog {
    /// A log by these settings.
    #[must_use]
    pub fn new(config: &Log, metrics: &Metrics) -> Self {
        let left_out = Arc::new(AtomicU64::new(0));
        let counted = left_out.clone();
        metrics.observe_call_log(move || counted.load(Ordering::Relaxed));
        Self {
            policy: RwLock::new(Policy::of(config)),
            started_at: Instant::now(),
            succeeded: AtomicU64::new(0),
            successes: Budget::default(),
            failures: RwLock::default(),
            left_out,
        }
    }

    /// Goes by other settings from now on.
    pub fn set(&self, config: &Log) {
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = Policy::of(config);
    }

    /// Writes the line of a call, if it gets one.
    pub(super) fn write(&self, call: &Answered<'_>) {
        if !tracing::enabled!(target: REQUESTS, tracing::Level::INFO)
            || !self.admits(call.method, call.code)
        {
            return;
        }
        tracing::info!(
            target: REQUESTS,
            method = call.method,
            code = name_of(call.code),
            duration_us = u64::try_from(call.took.as_micros()).unwrap_or(u64::MAX),
            tenant = call.tenant,
            request_id = call.request_id,
        );
    }

    fn admits(&self, method: &'static str, code: Code) -> bool {
        let policy = *self.policy.read().unwrap_or_else(PoisonError::into_inner);
        let second = u32::try_from(self.started_at.elapsed().as_secs()).unwrap_or(u32::MAX);
        let admitted = match (policy.requests, code) {
            // Asked for: nothing is left out that was wanted.
            (RequestLog::None, _) | (RequestLog::Errors, Code::Ok) => return false,
            (_, Code::Ok) => {
                let number = self.succeeded.fetch_add(1, Ordering::Relaxed);
                if is_sampled(number, policy.success_ratio) {
                    self.successes.admits(second, policy.max_successes)
                } else {
                    self.successes.leave_out();
                    false
                }
            }
            (_, code) => self
                .failures_of(method, code)
                .admits(second, policy.max_failures),
        };
        if !admitted {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
        admitted
    }

    fn failures_of(&self, method: &'static str, code: Code) -> Arc<Budget> {
        // Methods are those that are served, so there are few.
        let kind = (method, code as i32);
        let known = self
            .failures
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&kind)
            .cloned();
        known.unwrap_or_else(|| {
            self.failures
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(kind)
                .or_default()
                .clone()
        })
    }

    /// Says how many lines were left out since this was last called.
    pub fn report(&self) {
        let mut left_out = BTreeMap::from([(Code::Ok as i32, self.successes.take_left_out())]);
        for ((_, code), budget) in &*self.failures.read().unwrap_or_else(PoisonError::into_inner) {
            *left_out.entry(*code).or_default() += budget.take_left_out();
        }
        for (code, left_out) in left_out.into_iter().filter(|(_, left_out)| *left_out > 0) {
            let code = name_of(Code::from_i32(code));
            tracing::info!(target: REQUESTS, code, left_out, "calls were left out of the log");
        }
    }

    /// Reports for ever.
    ///
    /// # Cancel safety
    /// Dropped, it ends; call [`report`](Self::report) for the rest.
    pub async fn report_for_ever(self: Arc<Self>) {
        loop {
            tokio::time::sleep(REPORT_INTERVAL).await;
            self.report();
        }
    }
}

impl Policy {
    fn of(config: &Log) -> Self {
        let rate = |lines: usize| u32::try_from(lines).unwrap_or(u32::MAX);
        Self {
            requests: config.requests,
            success_ratio: config.success_sample_ratio,
            max_successes: rate(config.max_success_lines_per_second),
            max_failures: rate(config.max_lines_per_second),
        }
    }
}

/// Whether the call with this number is among the sampled ones, which are spread evenly.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::cast_possible_truncation,
    reason = "above 2^53 calls the samples are a little less even"
)]
fn is_sampled(number: u64, ratio: f64) -> bool {
    let sampled_before = |number: u64| (number as f64 * ratio) as u64;
    sampled_before(number + 1) > sampled_before(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const GET: &str = "customer.profile.v1.ProfileService/GetProfile";
    const INGEST: &str = "customer.profile.v1.IngestService/Ingest";

    fn log(change: impl FnOnce(&mut Log)) -> CallLog {
        let mut config = Config::defaults().log;
        change(&mut config);
        CallLog::new(&config, &Metrics::default())
    }

    fn admitted(log: &CallLog, method: &'static str, code: Code) -> usize {
        (0..1000).filter(|_| log.admits(method, code)).count()
    }

    #[test]
    fn successes_above_a_rate_get_no_line() {
        let log = log(|log| log.max_success_lines_per_second = 7);
        // A second may end in between.
        let lines = admitted(&log, GET, Code::Ok);
        assert!([7, 14].contains(&lines), "{lines}");
        assert_eq!(log.left_out.load(Ordering::Relaxed), 1000 - lines as u64);
    }

    #[test]
    fn a_flood_of_one_kind_of_failure_hides_no_other() {
        let log = log(|log| log.max_lines_per_second = 5);
        let flood = admitted(&log, GET, Code::ResourceExhausted);
        assert!([5, 10].contains(&flood), "{flood}");
        assert!(log.admits(INGEST, Code::ResourceExhausted) && log.admits(GET, Code::Internal));
    }

    #[test]
    fn successes_are_sampled_evenly() {
        let log = log(|log| {
            (log.success_sample_ratio, log.max_success_lines_per_second) = (0.1, 1_000_000);
        });
        assert_eq!(admitted(&log, GET, Code::Ok), 100);
        assert_eq!(
            (0..10).filter(|number| is_sampled(*number, 1.0)).count(),
            10
        );
        assert_eq!((0..10).filter(|number| is_sampled(*number, 0.0)).count(), 0);
    }

    #[test]
    fn calls_that_should_have_no_line_are_not_counted_as_left_out() {
        let log = log(|log| log.requests = RequestLog::Errors);
        assert_eq!(
            (log.admits(GET, Code::Ok), log.admits(GET, Code::NotFound)),
            (false, true)
        );
        let mut config = Config::defaults().log;
        config.requests = RequestLog::None;
        log.set(&config);
        assert!(!log.admits(GET, Code::NotFound));
        assert_eq!(log.left_out.load(Ordering::Relaxed), 0);
    }
}
