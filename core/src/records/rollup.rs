//! What a record's events add up to: the state from which computed traits are told. Pure.
//!
//! Each definition of the model has a [`State`] on each record: a commutative monoid. An event is
//! added once, when it is stored; a profile's state is the sum of its records' states, so merges
//! and splits rewrite nothing, and the sum of the parts is what would have come of all events at
//! once. (Beyond [`MAX_VALUES`] different values of a record this holds approximately, and the
//! answer says so.)
//!
//! A definition is known by what it counts and not by its name: see [`DefinitionId`]. A record's
//! rollup either has a state for it, which then is complete, or has none, because the events from
//! before the definition have not been gone through yet.
//!
//! Where a definition has a window, a state is kept by day or by hour ([`Buckets`]), so that time
//! passing changes the answer without a write. What no answer at or after the time of a write can
//! need is dropped by it.

mod buckets;
mod distinct;
mod state;
mod window;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::heap_size::{HeapSize, pack_map, plain_size};

pub use buckets::{Bucket, Buckets};
pub use distinct::Distinct;
pub use state::each;
pub use state::{
    Aggregate, Amount, Answer, KnownObject, MAX_OBJECTS, MAX_VALUES, Objects, Placed, State, Values,
};
pub use window::{Calendar, Period, Window, date};

/// A definition, by what it counts: the same events, taken the same way, have the same id under
/// every name and in every version of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DefinitionId(pub u64);

impl fmt::Display for DefinitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The states of one record, or of the records of one profile together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rollup(BTreeMap<DefinitionId, State>);

impl Rollup {
    /// Whether nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The state of a definition; none: it is not complete yet.
    #[must_use]
    pub fn get(&self, id: DefinitionId) -> Option<&State> {
        self.0.get(&id)
    }

    /// The state of a definition that is complete, to be added to.
    pub fn get_mut(&mut self, id: DefinitionId) -> Option<&mut State> {
        self.0.get_mut(&id)
    }

    /// Sets the state of a definition, which is complete from now on.
    pub fn set(&mut self, id: DefinitionId, state: State) {
        self.0.insert(id, state);
    }

    /// All states.
    pub fn into_states(self) -> impl Iterator<Item = (DefinitionId, State)> {
        self.0.into_iter()
    }

    /// The definitions that are complete.
    pub fn ids(&self) -> impl Iterator<Item = DefinitionId> {
        self.0.keys().copied()
    }

    /// Forgets the definitions that nobody asks for any more.
    pub fn retain(&mut self, asked: impl Fn(DefinitionId) -> bool) {
        self.0.retain(|id, _| asked(*id));
    }

    /// Packs what is to be kept for long.
    pub fn pack(&mut self) {
        self.0.values_mut().for_each(State::pack);
        pack_map(&mut self.0);
    }
}

plain_size!(DefinitionId);

impl HeapSize for Rollup {
    fn heap_bytes(&self) -> usize {
        self.0.heap_bytes()
    }
}
