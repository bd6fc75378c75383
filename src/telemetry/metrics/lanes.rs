//! The figures of the lanes: calls in work, who waits for the connections of the database, what is
//! not written.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundCounter, BoundHistogram, Counter, Histogram, Meter};

use super::{DURATION_BOUNDS, Metrics};
use crate::lanes::{Figures, Lanes, Queue, Reason};

/// The instruments of lanes.
#[derive(Debug)]
pub(super) struct Instruments {
    shed: Counter<u64>,
    waits: Histogram<f64>,
    refused_writes: Counter<u64>,
    abandoned: BoundCounter<u64>,
}

impl Instruments {
    pub(super) fn new(meter: &Meter) -> Self {
        let counter = |name, unit, help| {
            meter
                .u64_counter(name)
                .with_unit(unit)
                .with_description(help)
                .build()
        };
        // lane
        let waits = meter
            .f64_histogram("customer_profile.lane.wait.duration")
            .with_unit("s");
        let waits = waits.with_description("Time for which work waited in its lane");
        let abandoned = "Statements that were not written because their callers had gone before it was their turn";
        Self {
            // lane
            shed: counter(
                "customer_profile.rpc.shed",
                "{call}",
                "Calls refused at the limit of calls in work",
            ),
            waits: waits.with_boundaries(DURATION_BOUNDS.to_vec()).build(),
            // reason: full, too_late
            refused_writes: counter(
                "customer_profile.ingest.refused",
                "{call}",
                "Writes refused for what waits already",
            ),
            abandoned: counter(
                "customer_profile.ingest.abandoned",
                "{statement}",
                abandoned,
            )
            .bind(&[]),
        }
    }
}

impl Metrics {
    /// A call was refused at the limit of calls in work in its lane.
    pub fn rpc_shed(&self, lane: &'static str) {
        self.lanes.shed.add(1, &[KeyValue::new("lane", lane)]);
    }

    /// Tells how many calls of each lane are in work whenever somebody collects.
    pub fn observe_calls(
        &self,
        active: impl Fn() -> Vec<(&'static str, u64)> + Send + Sync + 'static,
    ) {
        self.gauges(
            "rpc.server.active_calls",
            "{call}",
            "Calls in work",
            move || {
                active()
                    .into_iter()
                    .map(|(lane, calls)| (vec![KeyValue::new("lane", lane)], calls))
                    .collect()
            },
        );
    }

    /// A write was refused for what waits already.
    pub fn ingest_refused(&self, reason: Reason) {
        self.lanes
            .refused_writes
            .add(1, &[KeyValue::new("reason", reason.name())]);
    }

    /// So many statements, which waited, are not written: nobody waits for them any more.
    pub fn ingest_abandoned(&self, statements: usize) {
        self.ingest
            .waiting
            .fetch_sub(statements as u64, Ordering::Relaxed);
        self.lanes.abandoned.add(statements as u64);
    }

    /// Tells of the queues for the connections of the database: `light`, `heavy`, `background`.
    pub fn observe_lanes(&self, lanes: &Arc<Lanes>) {
        let of_each = |read: fn(&Queue) -> u64| {
            let lanes = lanes.clone();
            let of =
                move |queue: &Arc<Queue>| (vec![KeyValue::new("lane", queue.name())], read(queue));
            move || lanes.queues().into_iter().map(of).collect()
        };
        let in_use = of_each(|queue| queue.running() as u64);
        let waiting = of_each(|queue| queue.waiting() as u64);
        let places = of_each(|queue| queue.capacity() as u64);
        self.gauges(
            "customer_profile.lane.in_use",
            "{place}",
            "Places of a lane that are taken",
            in_use,
        );
        self.gauges(
            "customer_profile.lane.places",
            "{place}",
            "Places of a lane",
            places,
        );
        self.gauges(
            "customer_profile.lane.waiting",
            "{call}",
            "Calls that wait in a lane",
            waiting,
        );
        // reason: full, too_late, expired, gone
        let refused = lanes.clone();
        let _ = self
            .meter
            .u64_observable_counter("customer_profile.lane.refused")
            .with_unit("{call}")
            .with_description("Calls that were not served in their lane, by why")
            .with_callback(move |observer| {
                for (queue, reason) in refused
                    .queues()
                    .into_iter()
                    .flat_map(|queue| Reason::ALL.map(|why| (queue, why)))
                {
                    let labels = [
                        KeyValue::new("lane", queue.name()),
                        KeyValue::new("reason", reason.name()),
                    ];
                    observer.observe(queue.refused(reason), &labels);
                }
            })
            .build();
        for queue in lanes.queues() {
            queue.report_to(Box::new(Waits(
                self.lanes
                    .waits
                    .bind(&[KeyValue::new("lane", queue.name())]),
            )));
        }
    }

    /// The same with several values, each with its attributes.
    pub(super) fn gauges(
        &self,
        name: &'static str,
        unit: &'static str,
        help: &'static str,
        read: impl Fn() -> Vec<(Vec<KeyValue>, u64)> + Send + Sync + 'static,
    ) {
        let _ = self
            .meter
            .u64_observable_gauge(name)
            .with_unit(unit)
            .with_description(help)
            .with_callback(move |observer| {
                for (labels, value) in read() {
                    observer.observe(value, &labels);
                }
            })
            .build();
    }
}

/// The waits of one lane.
#[derive(Debug)]
struct Waits(BoundHistogram<f64>);

impl Figures for Waits {
    fn waited(&self, wait: Duration) {
        self.0.record(wait.as_secs_f64());
    }
}
