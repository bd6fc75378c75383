//! The facts about each object that events speak of: an order, an answer to a survey.
//!
//! Of each object the time at which it began is kept, and of each word about it the latest. The
//! earlier of two times and the later of two words are commutative, associative and idempotent: an
//! object is as it is now, however often and in whatever order its events came.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Placed, State};
use crate::heap_size::{heap_size, pack_map};
use crate::records::Timestamp;

/// Maximum number of objects of a record. Events about others are left out, and counted.
pub const MAX_OBJECTS: usize = 5_000;

/// Objects by their id.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Objects {
    #[serde(rename = "o")]
    known: BTreeMap<String, KnownObject>,
    /// How many events told of objects beyond those.
    #[serde(rename = "x", default, skip_serializing_if = "super::is_zero")]
    others: u64,
}

/// An object, as its latest events said it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct KnownObject {
    /// The time of the first event that begins such an object, if one has come.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<Timestamp>,
    /// The latest words, by what they are about.
    #[serde(rename = "w", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub words: BTreeMap<String, Placed>,
}

impl KnownObject {
    /// Adds that it began.
    pub fn begin(&mut self, time: Timestamp) {
        self.begun = Some(self.begun.map_or(time, |begun| begun.min(time)));
    }

    /// Adds a word, unless a later one is known.
    pub fn say(&mut self, about: &str, word: Placed) {
        match self.words.get_mut(about) {
            Some(known) => {
                if *known < word {
                    *known = word;
                }
            }
            None => drop(self.words.insert(about.to_owned(), word)),
        }
    }

    fn merge(&mut self, other: &Self) {
        if let Some(time) = other.begun {
            self.begin(time);
        }
        for (about, word) in &other.words {
            self.say(about, word.clone());
        }
    }
}

impl Objects {
    /// The object with an id, to be changed. `None`: there are too many.
    pub fn object(&mut self, id: &str) -> Option<&mut KnownObject> {
        if self.known.len() >= MAX_OBJECTS && !self.known.contains_key(id) {
            self.others += 1;
            return None;
        }
        Some(self.known.entry(id.to_owned()).or_default())
    }

    /// All of them, by id.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &KnownObject)> {
        self.known.iter().map(|(id, object)| (id.as_str(), object))
    }

    /// How many events told of objects beyond [`MAX_OBJECTS`].
    #[must_use]
    pub fn others(&self) -> u64 {
        self.others
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (id, object) in &other.known {
            self.known.entry(id.clone()).or_default().merge(object);
        }
        self.others += other.others;
    }

    pub(super) fn pack(&mut self) {
        for object in self.known.values_mut() {
            pack_map(&mut object.words);
        }
        pack_map(&mut self.known);
    }
}

impl State {
    /// The objects, of a definition that counts objects.
    #[must_use]
    pub fn objects(&self) -> Option<&Objects> {
        if let Self::Objects(objects) = self {
            Some(objects)
        } else {
            None
        }
    }
}

heap_size! {
    Objects { known, others }
    KnownObject { begun, words }
}
