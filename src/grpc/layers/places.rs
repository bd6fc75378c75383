//! How many calls wait for their callers. Calls in work have [doors](crate::lanes::Doors).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::telemetry::Metrics;

/// Kinds of calls that are bounded in number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It is a stream, which mostly waits.
    Stream,
    /// It belongs to the health service.
    Health,
    /// Its request is not complete.
    Receiving,
    /// Its answer is not taken.
    Answering,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Stream, Self::Health, Self::Receiving, Self::Answering];

    /// The kind as a metric's label.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Stream => "streams",
            Self::Health => "health",
            Self::Receiving => "incomplete_requests",
            Self::Answering => "untaken_answers",
        }
    }
}

/// Calls by what they do, with the bound of each kind.
#[derive(Debug)]
pub(super) struct Permits {
    counts: [AtomicUsize; 4],
    limit: usize,
}

impl Permits {
    pub(super) fn new(limit: usize, metrics: &Metrics) -> Arc<Self> {
        let places = Arc::new(Self {
            counts: Default::default(),
            limit,
        });
        for kind in Kind::ALL {
            let places = places.clone();
            metrics.observe_waiting(kind.name(), move || places.count(kind) as u64);
        }
        places
    }

    /// The number of calls of a kind.
    pub(super) fn count(&self, kind: Kind) -> usize {
        self.counts[kind as usize].load(Ordering::Relaxed)
    }

    /// The maximum of each kind.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Whether more than half of a kind's places are taken, so that those who hold them must hurry.
    pub(super) fn is_pressed(&self, kind: Kind) -> bool {
        self.count(kind) > self.limit / 2
    }

    /// A place, if there is one.
    pub(super) fn enter(self: &Arc<Self>, kind: Kind) -> Option<Permit> {
        let count = &self.counts[kind as usize];
        let place = Permit {
            places: self.clone(),
            kind,
        };
        (count.fetch_add(1, Ordering::Relaxed) < self.limit).then_some(place)
    }
}

/// A place; free again when it is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    places: Arc<Permits>,
    kind: Kind,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.places.counts[self.kind as usize].fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_do_not_take_each_others_places() {
        let places = Permits::new(4, &Metrics::default());
        let streams: Vec<_> = (0..4).filter_map(|_| places.enter(Kind::Stream)).collect();
        assert_eq!(
            (
                streams.len(),
                places.is_pressed(Kind::Stream),
                places.is_pressed(Kind::Health)
            ),
            (4, true, false)
        );
        assert!(places.enter(Kind::Stream).is_none() && places.enter(Kind::Health).is_some());
        drop(streams);
        assert_eq!(
            [Kind::Stream, Kind::Health].map(|kind| places.count(kind)),
            [0, 0]
        );
    }
}
