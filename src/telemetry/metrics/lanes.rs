//! The figures of the lanes: who waits for the connections of the database.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::BoundHistogram;

use super::Metrics;
use crate::lanes::{Figures, Lanes, Queue, Reason};

impl Metrics {
    /// Tells of the queues for the connections of the database: `light`, `heavy`, `background`.
    pub fn observe_lanes(&self, lanes: &Arc<Lanes>) {
        let of_each = |read: fn(&Queue) -> u64| {
            let lanes = lanes.clone();
            let of = move |queue: &Arc<Queue>| (vec![KeyValue::new("lane", queue.name())], read(queue));
            move || lanes.queues().into_iter().map(of).collect()
        };
        let in_use = of_each(|queue| queue.running() as u64);
        let waiting = of_each(|queue| queue.waiting() as u64);
        let places = of_each(|queue| queue.capacity() as u64);
        self.gauges("customer_profile.lane.in_use", "{place}", "Places of a lane that are taken", in_use);
        self.gauges("customer_profile.lane.places", "{place}", "Places of a lane", places);
        self.gauges("customer_profile.lane.waiting", "{call}", "Calls that wait in a lane", waiting);
        // reason: full, too_late, expired, gone
        let refused = lanes.clone();
        let _ = self
            .meter
            .u64_observable_counter("customer_profile.lane.refused")
            .with_unit("{call}")
            .with_description("Calls that were not served in their lane, by why")
            .with_callback(move |observer| {
                for (queue, reason) in
                    refused.queues().into_iter().flat_map(|queue| Reason::ALL.map(|why| (queue, why)))
                {
                    let labels = [KeyValue::new("lane", queue.name()), KeyValue::new("reason", reason.name())];
                    observer.observe(queue.refused(reason), &labels);
                }
            })
            .build();
        for queue in lanes.queues() {
            queue.report_to(Box::new(Waits(self.lane_waits.bind(&[KeyValue::new("lane", queue.name())]))));
        }
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
