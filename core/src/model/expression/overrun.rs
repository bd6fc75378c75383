//! Evaluations that went over their budget: counted, and told in the log once for each expression.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::budget::Over;

/// Since the process began. A model is a value without a place for figures, so they are here.
static COUNT: AtomicU64 = AtomicU64::new(0);

/// How many evaluations went over their budget since the process began.
pub fn count() -> u64 {
    COUNT.load(Ordering::Relaxed)
}

/// Whether the log has it of an expression.
#[derive(Debug, Default)]
pub(super) struct Told(AtomicBool);

impl Told {
    pub(super) fn tell(&self, source: &str, over: Over) {
        // A caller who has gone says nothing about the expression.
        if over == Over::Time {
            return;
        }
        COUNT.fetch_add(1, Ordering::Relaxed);
        if !self.0.swap(true, Ordering::Relaxed) {
            let begin: String = source.chars().take(200).collect();
            tracing::warn!(
                expression = begin,
                "an expression {over}; where it decides, it has no result"
            );
        }
    }
}
