//! How many lines of one kind are written.
//!
//! An overload or an outage makes thousands of equal lines a second, which push everything else out
//! of the log (a kubelet keeps 50 MiB of a container by default). Of each kind only some lines a
//! second are written; the rest is counted, and one line every ten seconds says how many were left
//! out. The kind of a line is the place in the code that writes it. Lines of calls are of many
//! kinds at one place and have a limit of their own, see [`crate::grpc`].

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use tracing::callsite::Identifier;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Event, Metadata};
use tracing_subscriber::layer::{Context, Filter};

/// The target of lines of calls.
pub(crate) const REQUESTS: &str = "customer_profile::requests";
/// The target of lines that say what was left out.
const LIMITS: &str = "customer_profile::log";

/// Counts lines of one kind.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    /// The second in the upper half, lines in it in the lower one.
    window: AtomicU64,
    left_out: AtomicU64,
}

impl Budget {
    /// Whether one more line may be written in this second (counted from any fixed point). If not,
    /// it is counted.
    pub(crate) fn admits(&self, second: u32, max: u32) -> bool {
        let count = |window: u64| {
            let used = if window >> 32 == u64::from(second) {
                window & 0xffff_ffff
            } else {
                0
            };
            (used < u64::from(max)).then_some(u64::from(second) << 32 | (used + 1))
        };
        let admitted = self
            .window
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, count)
            .is_ok();
        if !admitted {
            self.leave_out();
        }
        admitted
    }

    /// Counts a line that is not written for another reason.
    pub(crate) fn leave_out(&self) {
        self.left_out.fetch_add(1, Ordering::Relaxed);
    }

    /// Lines left out since this was last asked.
    pub(crate) fn take_left_out(&self) -> u64 {
        self.left_out.swap(0, Ordering::Relaxed)
    }
}

/// Limits lines by the place in the code that writes them.
#[derive(Debug)]
pub(crate) struct PlaceLimit {
    started_at: Instant,
    max_per_second: AtomicU32,
    places: RwLock<HashMap<Identifier, Arc<Place>>>,
    left_out: AtomicU64,
}

#[derive(Debug)]
struct Place {
    metadata: &'static Metadata<'static>,
    budget: Budget,
}

impl PlaceLimit {
    pub(crate) fn new(max_per_second: u32) -> Self {
        let (max_per_second, left_out) = (AtomicU32::new(max_per_second), AtomicU64::new(0));
        Self {
            started_at: Instant::now(),
            max_per_second,
            places: RwLock::default(),
            left_out,
        }
    }

    pub(crate) fn set_max_per_second(&self, max: u32) {
        self.max_per_second.store(max, Ordering::Relaxed);
    }

    /// Lines left out since the start.
    pub(crate) fn left_out(&self) -> u64 {
        self.left_out.load(Ordering::Relaxed)
    }

    /// Says which lines were left out since this was last called.
    pub(crate) fn report(&self) {
        // Copied out first: to log here is to come back here.
        let places: Vec<_> = self
            .places
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect();
        for place in places {
            let (left_out, metadata) = (place.budget.take_left_out(), place.metadata);
            if left_out > 0 {
                let (module, line) = (metadata.target(), metadata.line().unwrap_or_default());
                tracing::warn!(target: LIMITS, left_out, module, line, "lines of one kind were left out of the log");
            }
        }
    }

    fn admits(&self, metadata: &'static Metadata<'static>) -> bool {
        if [REQUESTS, LIMITS].contains(&metadata.target()) {
            return true;
        }
        let id = metadata.callsite();
        let known = self
            .places
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .cloned();
        let place = known.unwrap_or_else(|| {
            let new = || {
                Arc::new(Place {
                    metadata,
                    budget: Budget::default(),
                })
            };
            self.places
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(id)
                .or_insert_with(new)
                .clone()
        });
        let second = u32::try_from(self.started_at.elapsed().as_secs()).unwrap_or(u32::MAX);
        let admitted = place
            .budget
            .admits(second, self.max_per_second.load(Ordering::Relaxed));
        if !admitted {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
        admitted
    }
}

/// A [`PlaceLimit`] as the filter of a layer. OpenTelemetry's own lines, one for each try, do not
/// pass at all: the exporters are watched instead.
#[derive(Debug, Clone)]
pub(crate) struct LimitFilter(pub(crate) Arc<PlaceLimit>);

impl LimitFilter {
    fn passes(metadata: &Metadata<'_>) -> bool {
        !metadata.target().starts_with("opentelemetry")
    }
}

impl<S> Filter<S> for LimitFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        Self::passes(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        // Never "always": then an event would be looked at without being asked for first, and could
        // not be left out.
        if Self::passes(metadata) {
            Interest::sometimes()
        } else {
            Interest::never()
        }
    }

    // Without a hint, two filters together have none, and every `trace!` of every library would be
    // looked at.
    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::TRACE)
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        self.0.admits(event.metadata())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_renewed_each_second_and_counts_the_rest() {
        let budget = Budget::default();
        let admitted = |second| (0..5).filter(|_| budget.admits(second, 3)).count();
        assert_eq!(
            [admitted(0), admitted(0), admitted(1), admitted(7)],
            [3, 0, 3, 3]
        );
        assert_eq!([budget.take_left_out(), budget.take_left_out()], [11, 0]);
        assert!(!budget.admits(8, 0));
    }
}
