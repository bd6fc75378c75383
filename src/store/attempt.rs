//! A write that is prepared while others write.
//!
//! It begins at the tenant's last write, reads what is committed, and remembers what it has read.
//! Its commit takes the turn and writes in one step, if it still comes right after the write that
//! it began at. If others came between, their [footprints](super::footprint) tell whether they
//! touched what was read: where they did not, the attempt comes after them and all that was
//! computed from its reads holds; where they did, it is over and is to be made anew.

mod recorded;

use async_trait::async_trait;
use profile_core::records::{Sequence, Timestamp};

pub(super) use self::recorded::Recorded;
use super::{Changes, Result, Snapshot, TombstoneKey, Transaction};

/// The place of a write among those of its tenant.
#[derive(Debug, Clone, Copy, Default)]
pub struct WriteTurn {
    /// The number of the write.
    pub sequence: Sequence,
    /// The version of the model that is in force; 0: the tenant has none yet.
    pub model_version: i64,
    /// The time of the write before: this one's may not be earlier.
    pub not_before: Timestamp,
    /// The key of the tenant's tombstones. `None`: nobody was erased.
    pub tombstone_key: Option<TombstoneKey>,
}

/// A write that holds no turn before it commits. Dropped, it leaves nothing.
#[async_trait]
pub trait Attempt: Send {
    /// The turn that it has if no other write comes between.
    fn turn(&self) -> WriteTurn;

    /// Reads: committed data, all of it from the write before [`turn`](Attempt::turn) or touched by
    /// a later one.
    fn reads(&mut self) -> &mut dyn Snapshot;

    /// Writes all changes and commits, as [`Transaction::commit`] does, if the turn is still the
    /// tenant's next one.
    ///
    /// # Errors
    /// Those of [`Transaction::commit`].
    async fn commit(self: Box<Self>, time: Timestamp, changes: &Changes) -> Result<Committed>;

    /// Comes after all writes that came between. `None`: one of them touched what was read, and the
    /// write is to be prepared anew.
    ///
    /// # Errors
    /// Those of reading.
    async fn follow(self: Box<Self>) -> Result<Option<Box<dyn Attempt>>>;
}

/// The outcome of a commit.
pub enum Committed {
    /// The changes are durable.
    Done,
    /// Nothing was written: others came between.
    NotNext(Box<dyn Attempt>),
}

/// A write that has its turn from the beginning: nobody comes between.
pub struct Held(pub Box<dyn Transaction>);

#[async_trait]
impl Attempt for Held {
    fn turn(&self) -> WriteTurn {
        WriteTurn {
            sequence: self.0.sequence(),
            model_version: self.0.model_version(),
            not_before: self.0.not_before(),
            tombstone_key: self.0.tombstone_key(),
        }
    }

    fn reads(&mut self) -> &mut dyn Snapshot {
        self.0.reads()
    }

    async fn commit(self: Box<Self>, time: Timestamp, changes: &Changes) -> Result<Committed> {
        self.0.commit(time, changes).await?;
        Ok(Committed::Done)
    }

    async fn follow(self: Box<Self>) -> Result<Option<Box<dyn Attempt>>> {
        Ok(Some(self))
    }
}
