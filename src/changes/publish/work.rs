//! What is at work: what was read of the log and is not told, and how far it is.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use profile_core::model::Publication;
use profile_core::records::Timestamp;
use uuid::Uuid;

use super::event::is_wanted;
use crate::store::{ChangeKey, LogEntry, LogPosition, Mark, ProfileChange, Progress};

/// The work of who holds the lease.
pub(super) struct Work {
    pub(super) store_id: Uuid,
    pub(super) progress: Progress,
    /// What was stored last, and when.
    pub(super) saved: (Progress, Instant),
    /// The lease was ours then.
    pub(super) held_at: Instant,
    /// What was read and is not told, in order.
    pub(super) pending: VecDeque<Pending>,
    /// From here on the log is read; the changes of this write that are before it.
    pub(super) cursor: LogPosition,
    pub(super) index: i64,
    /// Where the mark is when all that is pending is told.
    pub(super) end: Mark,
    /// How many of the events that are with the target are told.
    pub(super) told: Arc<AtomicUsize>,
    /// Where the mark is after each of them.
    pub(super) marks: Vec<Mark>,
    pub(super) looked_for_replays_at: Option<Instant>,
}

/// A change that is wanted.
pub(super) struct Pending {
    pub(super) key: ChangeKey,
    pub(super) time: Timestamp,
    pub(super) change: ProfileChange,
}

impl Pending {
    pub(super) fn mark(&self) -> Mark {
        Mark {
            sequence: self.key.sequence.before(),
            changes: self.key.change + 1,
        }
    }
}

impl Work {
    pub(super) fn new(store_id: Uuid, progress: Progress, held_at: Instant) -> Self {
        Self {
            store_id,
            saved: (progress.clone(), held_at),
            held_at,
            pending: VecDeque::new(),
            cursor: LogPosition::after(progress.mark.sequence),
            index: 0,
            end: progress.mark,
            told: Arc::default(),
            marks: Vec::new(),
            looked_for_replays_at: None,
            progress,
        }
    }

    /// Takes a part of the log.
    pub(super) fn take(&mut self, entry: LogEntry, publication: &Publication) {
        let from = self.progress.mark;
        let end = entry.end();
        let LogEntry {
            sequence,
            last,
            time,
            body,
            ..
        } = entry;
        for change in body.changes {
            let key = ChangeKey {
                sequence,
                change: self.index,
            };
            self.index += 1;
            let pending = Pending { key, time, change };
            if pending.mark() > from && is_wanted(publication, &pending.change) {
                self.pending.push_back(pending);
            }
        }
        self.end = Mark {
            sequence: sequence.before(),
            changes: self.index,
        };
        if last {
            (self.end, self.index) = (Mark::after(sequence), 0);
        }
        self.cursor = end;
    }

    /// Moves the mark over what the target has taken. Answers how much that was.
    pub(super) fn settle(&mut self) -> usize {
        let told = self.told.swap(0, Ordering::SeqCst).min(self.marks.len());
        if let Some(mark) = told.checked_sub(1).and_then(|last| self.marks.get(last)) {
            self.progress = Progress {
                mark: *mark,
                failures: 0,
                last_error: String::new(),
            };
            self.pending.drain(..told);
            self.marks.drain(..told);
        }
        if self.pending.is_empty() {
            self.progress.mark = self.progress.mark.max(self.end);
        }
        told
    }
}
