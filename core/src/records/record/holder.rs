//! The holder of a record's key: it may be deleted and given out again.
//!
//! A source says no more than that it deleted the record, and speaks of it again. Nobody can tell
//! whether that is the same customer, so it is taken for another one.

use std::collections::BTreeMap;

use super::{Provenance, Record};
use crate::records::{RecordKey, Timestamp};

/// Since when the keys of records are their present holders', where others had them before.
#[must_use]
pub fn held_since(records: &[Record]) -> BTreeMap<RecordKey, Timestamp> {
    let since = |record: &Record| Some((record.key.clone(), record.reused_since()?));
    records.iter().filter_map(since).collect()
}

impl Record {
    /// Time of the deletion after which somebody else got the key, if it was given out again.
    #[must_use]
    pub fn reused_since(&self) -> Option<Timestamp> {
        self.deleted.filter(|_| self.is_said())
    }

    /// Whether its source deleted it, and has not given the key out again.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.deleted.is_some() && !self.is_said()
    }

    /// Whether a word was said by whoever had the key before it was deleted and given out again.
    #[must_use]
    pub(crate) fn is_of_former_holder(&self, said: &Provenance) -> bool {
        self.was_anothers(said.moment())
    }

    /// Whether the key was somebody else's at a time: before it was deleted and given out again.
    /// An event of that time is not this customer's.
    #[must_use]
    pub fn was_anothers(&self, time: Timestamp) -> bool {
        self.reused_since().is_some_and(|since| time < since)
    }
}
