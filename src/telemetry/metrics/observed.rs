//! Metrics of the telemetry itself and of what surrounds the server, which others count: they are
//! read when somebody collects.

use std::sync::Arc;

use opentelemetry::KeyValue;
use profile_core::model::{evaluations_failed, evaluations_over_budget};

use super::Metrics;
use crate::telemetry::Episode;
use crate::transport::{Closed, Tally};

/// Name and help of what two parts count: lines of calls, and all others.
const LINES_LEFT_OUT: (&str, &str) = (
    "customer_profile.log.lines.left_out",
    "Log lines left out by sampling or by the limit of lines of one kind",
);

impl Metrics {
    /// Shows how many log lines the output did not take in time, and how many were left out by the
    /// limit of lines of one kind.
    pub fn observe_log(
        &self,
        lost: impl Fn() -> u64 + Send + Sync + 'static,
        left_out: impl Fn() -> u64 + Send + Sync + 'static,
    ) {
        let help = "Log lines that the output did not take in time";
        self.total(
            "customer_profile.log.lines.lost",
            "{line}",
            help,
            Vec::new(),
            lost,
        );
        let kind = vec![KeyValue::new("kind", "other")];
        self.total(LINES_LEFT_OUT.0, "{line}", LINES_LEFT_OUT.1, kind, left_out);
    }

    /// Shows how many calls have no log line by the settings of the log.
    pub fn observe_call_log(&self, left_out: impl Fn() -> u64 + Send + Sync + 'static) {
        let kind = vec![KeyValue::new("kind", "call")];
        self.total(LINES_LEFT_OUT.0, "{line}", LINES_LEFT_OUT.1, kind, left_out);
    }

    /// Shows how many spans never reached the collector: those for which the queue had no room, and
    /// those that could not be sent or were refused.
    pub fn observe_lost_spans(
        &self,
        not_queued: impl Fn() -> u64 + Send + Sync + 'static,
        not_sent: impl Fn() -> u64 + Send + Sync + 'static,
    ) {
        let (name, help) = (
            "customer_profile.telemetry.spans.lost",
            "Spans that never reached the collector",
        );
        let reason = |reason| vec![KeyValue::new("reason", reason)];
        self.total(name, "{span}", help, reason("queue_full"), not_queued);
        self.total(name, "{span}", help, reason("export"), not_sent);
    }

    /// Shows whether something fails for a while, and how often it has failed.
    pub fn observe_episode(&self, episode: &Arc<Episode>) {
        let what = || KeyValue::new("what", episode.what().to_owned());
        let (failing, failures) = (episode.clone(), episode.clone());
        let help = "Whether something around the server fails now (1) or works (0)";
        let read = move || u64::from(failing.is_failing());
        self.gauge(
            "customer_profile.trouble.active",
            "{episode}",
            help,
            Some(what()),
            read,
        );
        let help = "Failures of something around the server";
        let read = move || failures.failures();
        self.total(
            "customer_profile.trouble.failures",
            "{failure}",
            help,
            vec![what()],
            read,
        );
    }

    /// Observes the number of calls that wait for their callers, by kind.
    pub fn observe_waiting(
        &self,
        kind: &'static str,
        waiting: impl Fn() -> u64 + Send + Sync + 'static,
    ) {
        let help = "Calls that wait for their callers";
        self.gauge(
            "customer_profile.rpc.waiting",
            "{call}",
            help,
            Some(KeyValue::new("kind", kind)),
            waiting,
        );
    }

    /// Observes the bytes of requests or answers in memory.
    pub fn observe_bytes_in_flight(
        &self,
        of: &'static str,
        bytes: impl Fn() -> u64 + Send + Sync + 'static,
    ) {
        let help = "Bytes of requests and answers in memory, without small ones";
        self.gauge(
            "customer_profile.rpc.in_flight",
            "By",
            help,
            Some(KeyValue::new("of", of)),
            bytes,
        );
    }

    /// Observes the connections of a port: how many there are and may be, and how many the server
    /// closed, by reason.
    pub fn observe_connections(&self, port: &'static str, limit: usize, tally: &Arc<Tally>) {
        let label = || Some(KeyValue::new("port", port));
        let (open, failures) = (tally.clone(), tally.clone());
        self.gauge(
            "customer_profile.connections.open",
            "{connection}",
            "Open connections",
            label(),
            move || open.open(),
        );
        let help = "Maximum number of connections, within the limit of file descriptors";
        self.gauge(
            "customer_profile.connections.limit",
            "{connection}",
            help,
            label(),
            move || limit as u64,
        );
        let help = "Times that no connection could be accepted";
        let labels = vec![KeyValue::new("port", port)];
        self.total(
            "customer_profile.connections.accept_failures",
            "{failure}",
            help,
            labels,
            move || failures.failures(),
        );
        for reason in Closed::ALL {
            let tally = tally.clone();
            let labels = vec![
                KeyValue::new("port", port),
                KeyValue::new("reason", reason.name()),
            ];
            let help = "Connections closed by the server";
            self.total(
                "customer_profile.connections.closed",
                "{connection}",
                help,
                labels,
                move || tally.closed(reason),
            );
        }
    }

    /// Shows how often a new certificate was taken into use.
    pub fn observe_tls(&self, reloads: impl Fn() -> u64 + Send + Sync + 'static) {
        self.total(
            "customer_profile.tls.reloads",
            "{reload}",
            "Times that a new certificate was taken into use",
            Vec::new(),
            reloads,
        );
    }

    /// Tells whether the database is refused whenever somebody collects.
    pub fn observe_refusal(&self, refused: impl Fn() -> bool + Send + Sync + 'static) {
        let help = "1 while nothing is answered because the database cannot be relied on: its file was replaced, or a write \
                    that was answered is not there";
        self.gauge(
            "customer_profile.store.refused",
            "{store}",
            help,
            None,
            move || u64::from(refused()),
        );
    }

    /// Counts of code that has no place for instruments.
    pub(super) fn totals(&self) {
        let help = "Evaluations of expressions that went over their budget";
        self.total(
            "customer_profile.expressions.over_budget",
            "{evaluation}",
            help,
            Vec::new(),
            evaluations_over_budget,
        );
        self.total(
            "customer_profile.expressions.failed",
            "{evaluation}",
            "Evaluations of expressions that failed on a value, and elements of lists that were left out",
            Vec::new(),
            evaluations_failed,
        );
    }

    /// A counter that is kept elsewhere.
    pub(super) fn total(
        &self,
        name: &'static str,
        unit: &'static str,
        help: &'static str,
        labels: Vec<KeyValue>,
        read: impl Fn() -> u64 + Send + Sync + 'static,
    ) {
        // The instrument lives in its meter; what is built here is only a handle.
        let _ = self
            .meter
            .u64_observable_counter(name)
            .with_unit(unit)
            .with_description(help)
            .with_callback(move |observer| observer.observe(read(), &labels))
            .build();
    }

    pub(super) fn gauge(
        &self,
        name: &'static str,
        unit: &'static str,
        help: &'static str,
        label: Option<KeyValue>,
        read: impl Fn() -> u64 + Send + Sync + 'static,
    ) {
        // The instrument lives in its meter; what is built here is only a handle.
        let _ = self
            .meter
            .u64_observable_gauge(name)
            .with_unit(unit)
            .with_description(help)
            .with_callback(move |observer| observer.observe(read(), label.as_slice()))
            .build();
    }
}
