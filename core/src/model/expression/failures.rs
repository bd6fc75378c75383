//! Evaluations that failed: counted, kept by expression, and told in the log once for each.
//!
//! A condition that fails on a value says neither yes nor no. Where it decides about a customer or
//! an event, no caller waits for an error: so it is counted here, for `model status`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::Fault;
use super::budget::Over;
use super::elements::LeftOut;

/// Since the process began. A model is a value without a place for figures, so they are here.
static OVER_BUDGET: AtomicU64 = AtomicU64::new(0);
static FAILED: AtomicU64 = AtomicU64::new(0);

/// How many evaluations went over their budget since the process began.
pub fn over_budget() -> u64 {
    OVER_BUDGET.load(Ordering::Relaxed)
}

/// How many evaluations failed on a value since the process began, or left out an element of a list
/// that they failed on.
pub fn failed() -> u64 {
    FAILED.load(Ordering::Relaxed)
}

/// The failures of one expression since this process read the model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failures {
    /// How many gave no result.
    pub failed: u64,
    /// How many elements of lists were left out.
    pub left_out: u64,
    /// The first reason, which quotes no value.
    pub reason: String,
}

/// The counts of one expression.
#[derive(Debug, Default)]
pub(super) struct Told {
    failed: AtomicU64,
    left_out: AtomicU64,
    reason: Mutex<Option<String>>,
}

impl Told {
    pub(super) fn fault(&self, source: &str, fault: &Fault) {
        match fault.over {
            // A caller who has gone says nothing about the expression.
            Some(Over::Time) => return,
            Some(_) => OVER_BUDGET.fetch_add(1, Ordering::Relaxed),
            None => FAILED.fetch_add(1, Ordering::Relaxed),
        };
        self.failed.fetch_add(1, Ordering::Relaxed);
        self.tell(source, fault.text());
    }

    pub(super) fn left_out(&self, source: &str, left_out: &LeftOut) {
        if left_out.count > 0 {
            FAILED.fetch_add(left_out.count, Ordering::Relaxed);
            self.left_out.fetch_add(left_out.count, Ordering::Relaxed);
            let reason = left_out.reason.as_deref().unwrap_or_default();
            self.tell(
                source,
                &format!("an element of a list is left out: {reason}"),
            );
        }
    }

    /// Keeps the first reason, and logs it.
    fn tell(&self, source: &str, reason: &str) {
        let mut kept = self.reason.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_none() {
            *kept = Some(reason.to_owned());
            let begin: String = source.chars().take(200).collect();
            tracing::warn!(
                expression = begin,
                reason,
                "an expression failed; where it decides, it has no result"
            );
        }
    }

    /// The failures so far; none if all went well.
    pub(super) fn failures(&self) -> Option<Failures> {
        let reason = self.reason.lock().unwrap_or_else(PoisonError::into_inner);
        Some(Failures {
            reason: reason.clone()?,
            failed: self.failed.load(Ordering::Relaxed),
            left_out: self.left_out.load(Ordering::Relaxed),
        })
    }
}
