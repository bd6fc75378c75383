//! Figures of the audit log.

use super::Metrics;

impl Metrics {
    /// Shows how many entries wait for the database, and how many it took.
    pub fn observe_audit(
        &self,
        waiting: impl Fn() -> u64 + Send + Sync + 'static,
        written: impl Fn() -> u64 + Send + Sync + 'static,
    ) {
        self.gauge(
            "customer_profile.audit.entries.waiting",
            "{entry}",
            "Entries of the audit log that are not written yet",
            None,
            waiting,
        );
        self.total(
            "customer_profile.audit.entries",
            "{entry}",
            "Entries of the audit log that this server wrote",
            Vec::new(),
            written,
        );
    }
}
