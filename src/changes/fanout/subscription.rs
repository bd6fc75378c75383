//! What one watch is sent of the change log.

use std::sync::Arc;

use profile_core::records::Sequence;
use tokio::sync::mpsc;

use super::{Assembly, Fanout, PARTS, Write};
use crate::store::{self, LogCursor, LogPosition, Store};

/// A place among those who are told.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(super) fanout: Arc<Fanout>,
    pub(super) id: u64,
    pub(super) received: mpsc::Receiver<Sequence>,
}

impl Subscription {
    /// The next write that is of interest; none when this place was lost.
    pub(crate) async fn next(&mut self) -> Option<Sequence> {
        self.received.recv().await
    }

    /// The write after another one: as it is kept for all who watch, or from the log. None: the log
    /// does not reach back so far.
    pub(crate) async fn write_after(
        &self,
        after: Sequence,
        store: &dyn Store,
    ) -> store::Result<Option<Arc<Write>>> {
        let (tenant, recent) = (&self.fanout.tenant, &self.fanout.recent);
        let next = Sequence(after.0 + 1);
        if let Some(write) = recent.get(tenant, next) {
            return Ok(Some(write));
        }
        let _turn = recent.late().await;
        // Somebody else may have read it meanwhile.
        if let Some(write) = recent.get(tenant, next) {
            return Ok(Some(write));
        }
        let mut assembly = Assembly::default();
        let mut after = LogPosition::after(after);
        loop {
            let cursor = LogCursor {
                tenant: tenant.clone(),
                after,
            };
            let tail = store
                .read_log(&[cursor], PARTS)
                .await?
                .pop()
                .unwrap_or_default();
            if !tail.follows(after) || tail.entries.is_empty() {
                return Ok(None);
            }
            for entry in &tail.entries {
                after = entry.end();
                if let Some(write) = assembly.take(entry) {
                    return Ok(Some(recent.keep(tenant, write)));
                }
            }
        }
    }

    /// Takes interest in another key from now on; answers with the write up to which nothing will
    /// be told of it.
    pub(crate) fn add(&self, key: u64) -> Sequence {
        let mut inner = self.fanout.inner();
        inner.add(self.id, vec![key]);
        inner.told
    }

    /// The last write that was told to anybody, if all that is of interest here was received.
    pub(crate) fn told(&self) -> Option<Sequence> {
        let inner = self.fanout.inner();
        self.received.is_empty().then_some(inner.told)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.fanout.inner().remove(self.id);
    }
}
