//! Metrics of the telemetry itself and of what surrounds the server, which others count: they are read when somebody collects.

use std::sync::Arc;

use opentelemetry::KeyValue;

use super::Metrics;
use crate::telemetry::Episode;

/// Name and help of what two parts count: lines of calls, and all others.
const LINES_LEFT_OUT: (&str, &str) =
    ("customer_profile.log.lines.left_out", "Log lines left out by sampling or by the limit of lines of one kind");

impl Metrics {
    /// Shows how many log lines the output did not take in time, and how many were left out by the limit of lines of one kind.
    pub fn observe_log(
        &self,
        lost: impl Fn() -> u64 + Send + Sync + 'static,
        left_out: impl Fn() -> u64 + Send + Sync + 'static,
    ) {
        let help = "Log lines that the output did not take in time";
        self.total("customer_profile.log.lines.lost", "{line}", help, None, lost);
        let kind = Some(KeyValue::new("kind", "other"));
        self.total(LINES_LEFT_OUT.0, "{line}", LINES_LEFT_OUT.1, kind, left_out);
    }

    /// Shows how many calls have no log line by the settings of the log.
    pub fn observe_call_log(&self, left_out: impl Fn() -> u64 + Send + Sync + 'static) {
        let kind = Some(KeyValue::new("kind", "call"));
        self.total(LINES_LEFT_OUT.0, "{line}", LINES_LEFT_OUT.1, kind, left_out);
    }

    /// Shows how many spans never reached the collector: those for which the queue had no room, and those that could not be
    /// sent or were refused.
    pub fn observe_lost_spans(
        &self,
        not_queued: impl Fn() -> u64 + Send + Sync + 'static,
        not_sent: impl Fn() -> u64 + Send + Sync + 'static,
    ) {
        let (name, help) = ("customer_profile.telemetry.spans.lost", "Spans that never reached the collector");
        let reason = |reason| Some(KeyValue::new("reason", reason));
        self.total(name, "{span}", help, reason("queue_full"), not_queued);
        self.total(name, "{span}", help, reason("export"), not_sent);
    }

    /// Shows whether something fails for a while, and how often it has failed.
    pub fn observe_episode(&self, episode: &Arc<Episode>) {
        let what = || KeyValue::new("what", episode.what());
        let (failing, failures) = (episode.clone(), episode.clone());
        let help = "Whether something around the server fails now (1) or works (0)";
        let read = move || u64::from(failing.is_failing());
        self.gauge("customer_profile.trouble.active", "{episode}", help, Some(what()), read);
        let help = "Failures of something around the server";
        let read = move || failures.failures();
        self.total("customer_profile.trouble.failures", "{failure}", help, Some(what()), read);
    }

    /// A counter that is kept elsewhere.
    fn total(
        &self,
        name: &'static str,
        unit: &'static str,
        help: &'static str,
        label: Option<KeyValue>,
        read: impl Fn() -> u64 + Send + Sync + 'static,
    ) {
        let _ = self
            .meter
            .u64_observable_counter(name)
            .with_unit(unit)
            .with_description(help)
            .with_callback(move |observer| observer.observe(read(), label.as_slice()))
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
