//! The audit log of a server: kept while it runs, written out when it ends.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{Error, Parts};
use crate::audit::{Journal, Keeper, Keys};
use crate::grpc::AuditTrail;

/// How long the last entries may take to be written.
const LAST_ENTRIES: Duration = Duration::from_secs(10);

/// The audit log, if one is kept.
pub(super) struct Audit {
    /// Where calls leave their entries.
    pub(super) trail: Option<AuditTrail>,
    keeping: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Audit {
    /// As the configuration says.
    ///
    /// # Errors
    /// The file of keys cannot be used.
    pub(super) fn begin(parts: &Parts) -> Result<Self, Error> {
        let config = &parts.config.audit;
        if !config.enabled && !parts.config.auth.insecure {
            tracing::info!("audit.enabled is false: nobody learns who reads and changes what");
        }
        if !config.enabled || parts.config.auth.insecure {
            return Ok(Self {
                trail: None,
                keeping: None,
            });
        }
        let keys = match &config.key_file {
            Some(path) => Keys::read_private(path)?,
            None => Keys::default(),
        };
        if !keys.signs() {
            tracing::info!(
                "audit.key_file is empty: the audit log is not signed, and whoever writes to the database can change it"
            );
        }
        let journal = Arc::new(Journal::new(config.max_waiting));
        let (waiting, written) = (journal.clone(), journal.clone());
        let metrics = &parts.metrics;
        metrics.observe_audit(move || waiting.count() as u64, move || written.total());
        let keeper = Keeper::new(journal.clone(), parts.store.clone(), keys);
        parts.metrics.observe_episode(keeper.episode());
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async move {
            // Also when the other end is dropped.
            let _ended = stopped.await;
        };
        let keeping = tokio::spawn(keeper.run(config.flush_interval, stopped));
        let clock = parts.clock.clone();
        Ok(Self {
            trail: Some(AuditTrail { journal, clock }),
            keeping: Some((stop, keeping)),
        })
    }

    /// The entries that are not written yet.
    pub(super) fn journal(&self) -> Option<Arc<Journal>> {
        let trail = self.trail.as_ref();
        trail.map(|trail| trail.journal.clone())
    }

    /// Writes the last entries.
    pub(super) async fn end(self) {
        let Some((stop, keeping)) = self.keeping else {
            return;
        };
        drop(stop);
        let ended = tokio::time::timeout(LAST_ENTRIES, keeping).await;
        let lost = self.trail.map_or(0, |trail| trail.journal.count());
        if ended.is_err() || lost > 0 {
            tracing::error!(
                entries = lost,
                "the audit log was not written to its end: these entries are lost"
            );
        }
    }
}
