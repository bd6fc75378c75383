//! Statuses that follow related objects: an order is delivered when all its parcels are.
//!
//! **The rule.** A model declares, by kind of object, statuses that follow from those of related
//! objects ([`Follow`]). Two objects are related when an event of one names the other. The status
//! that an object came into last holds, be it its own or one that follows; a status that is said
//! again is no change.
//!
//! All of it is a function of the set of events: it does not matter what comes first, and what is
//! taken back has no effect. It is worked out when an object is read, from its events and those of
//! the objects that it follows ([`unread`] names them). The time that it takes is linear in the
//! number of these events, up to sorting, and bounded by [`MAX_FOLLOWED`] and
//! [`MAX_FOLLOWED_EVENTS`]. Kinds that follow each other in a circle are no model.

mod amounts;
mod course;
mod neighbours;

use std::collections::{BTreeMap, BTreeSet};

use super::object::own_events;
use super::{Event, Object, ObjectKey, Value};
use crate::choices::choices;
use neighbours::Neighbours;

/// Maximum number of objects that one follows, those that they follow included. A rule that needs
/// more does not hold.
pub const MAX_FOLLOWED: usize = 50;
/// Maximum number of events of each of them, the latest.
pub const MAX_FOLLOWED_EVENTS: usize = 100;

/// Rules by the kind of object whose status follows, in the order of the model.
pub type Follows = BTreeMap<String, Vec<Follow>>;

/// A status that follows from those of related objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Follow {
    /// The status that the object has while the rule holds.
    pub status: String,
    /// The place of that status among those of such objects, from 1. A status that is in no list
    /// has the greatest.
    pub rank: u32,
    /// Which of the related objects must have one of the statuses.
    pub which: Which,
    /// The kind of the related objects.
    pub kind: String,
    /// The statuses that they must have.
    pub are: Vec<String>,
    /// Kinds of objects. A related object that names one does not count.
    pub without: BTreeSet<String>,
    /// How much of the object's amount those that have one of the statuses must come to.
    pub share: Share,
}

choices! {
    /// How much of an object's amount the amounts of related objects come to together.
    pub enum Share as "Share" {
        /// However much: amounts do not count.
        Any = "any",
        /// All of it, or an amount that is not known.
        Whole = "whole",
        /// Less than all of it.
        Part = "part",
    }
}

/// Which of the related objects must have a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All of them, and there is one.
    All,
    /// At least one.
    Any,
    /// The one whose first event is the latest. Where several begin at that time, all of these.
    Latest,
}

impl Follow {
    /// Whether a related object of this status is as the rule wants it.
    fn fits(&self, status: Option<&str>) -> bool {
        let is = |status: &str| self.are.iter().any(|are| are.eq_ignore_ascii_case(status));
        status.is_some_and(is)
    }
}

/// The objects whose events are still to be read before the statuses of `objects` are known.
/// `events` are those that were read, by the object that they name. The caller asks again with
/// more of them, until nothing is left to read.
#[must_use]
pub fn unread<'a>(
    follows: &Follows,
    objects: impl IntoIterator<Item = &'a Object>,
    events: &BTreeMap<ObjectKey, Vec<Event>>,
) -> BTreeSet<ObjectKey> {
    let following = objects.into_iter();
    let following = following.filter(|object| follows.contains_key(&object.key.kind));
    following
        .flat_map(|object| Neighbours::of(object, follows, events).unread)
        .collect()
}

/// Gives an object the status that follows, where one does. `events` are those of the objects that
/// [`unread`] named, by object.
pub fn follow(object: &mut Object, follows: &Follows, events: &BTreeMap<ObjectKey, Vec<Event>>) {
    if !follows.contains_key(&object.key.kind) {
        return;
    }
    let neighbours = Neighbours::of(object, follows, events);
    let Some(status) = neighbours.status(&object.key).map(str::to_owned) else {
        return;
    };
    let own = own_events(&object.key, &object.events);
    let mut own = own.iter().rev();
    let said_by = own.find_map(|event| event.meaning.status_property.as_ref());
    if let Some(field) = said_by.and_then(|name| object.fields.get_mut(name)) {
        *field = Value::from(status.as_str());
    }
    object.status = Some(status);
}

#[cfg(test)]
mod tests;
