//! Events that name no record: a carrier knows a parcel, a payment provider a payment. They find
//! their customer by an object that events of a record name.
//!
//! **The rule.** An event seeks objects, in an order of preference. An object belongs to the record
//! whose own events name it ([`Claim`]). Of several records those of the event's source count
//! first, then those with events that are states of the object, then the one that had begun to name
//! it last when the event happened: carriers give their numbers out again, and the scans of before
//! stay with whose parcel it was. Where none had begun, it is the one that begins first. An object
//! that no record claims belongs to the record that an event naming it was attached to: a carrier's
//! scan names a parcel, a warehouse's event the parcel and the order, a shop's event the order and
//! the customer. That goes step by step: what is nearer to a claim is attached first.
//!
//! All of it is a function of the set of events ([`place`]). So it does not matter what comes
//! first, and what is taken back attaches nothing any more. An event whose objects nobody claims
//! waits: its record has no key.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Event, EventKey, ObjectKey, RecordKey, Timestamp};
use crate::heap_size::heap_size;

/// How an event finds its customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The source that said it. Its record may be another source's.
    pub source: String,
    /// The kinds of objects to find the customer by, as they were said.
    pub kinds: Vec<String>,
    /// The objects of these kinds that it names, in order of preference.
    pub by: Vec<ObjectKey>,
}

/// A record whose events name an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The record that the events hang on.
    pub record: RecordKey,
    /// Whether one of the events is a state of the object.
    pub own: bool,
    /// The time of the first of the events.
    pub first: Timestamp,
    /// The time of the latest of the events.
    pub latest: Timestamp,
}

/// The greatest is chosen.
type Rank<'a> = (
    bool,
    bool,
    Option<Timestamp>,
    Reverse<Timestamp>,
    &'a RecordKey,
);

impl Claim {
    /// The claim of one event on an object that it names.
    #[must_use]
    pub fn of(event: &Event, own: bool) -> Self {
        Self {
            record: event.record.clone(),
            own,
            first: event.sort_time,
            latest: event.sort_time,
        }
    }

    /// Its place among the claims on an object, for an event of a source at a time.
    fn rank(&self, source: &str, time: Timestamp) -> Rank<'_> {
        let begun = Some(self.first).filter(|first| *first <= time);
        let is_same_source = self.record.source == source;
        (
            is_same_source,
            self.own,
            begun,
            Reverse(self.first),
            &self.record,
        )
    }
}

/// Adds a claim to those on an object: each record has one.
pub fn add_claim(claims: &mut Vec<Claim>, added: Claim) {
    let known = claims.iter_mut().find(|it| it.record == added.record);
    match known {
        Some(known) => {
            known.own |= added.own;
            known.first = known.first.min(added.first);
            known.latest = known.latest.max(added.latest);
        }
        None => claims.push(added),
    }
}

/// Where an event is attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The record that the event hangs on.
    pub record: RecordKey,
    /// The object that led to it.
    pub by: ObjectKey,
}

/// The records that events are attached to. Those that wait are left out. `claims` are those of
/// records' own events, by object; an object with an empty list belongs to nobody. `held_since`
/// tells since when a record's key is its present holder's, where others had it before: what they
/// said claims nothing.
#[must_use]
pub fn place<'a>(
    events: impl IntoIterator<Item = &'a Event>,
    claims: &BTreeMap<ObjectKey, Vec<Claim>>,
    held_since: &dyn Fn(&RecordKey) -> Option<Timestamp>,
) -> BTreeMap<EventKey, Place> {
    let mut held = claims.clone();
    for claims in held.values_mut() {
        for claim in claims.iter_mut() {
            claim.first = claim
                .first
                .max(held_since(&claim.record).unwrap_or(claim.first));
        }
        claims.retain(|claim| claim.first <= claim.latest);
    }
    let mut waiting: Vec<&Event> = events.into_iter().collect();
    let mut places = BTreeMap::new();
    loop {
        let (mut passed, mut left) = (BTreeMap::<ObjectKey, Vec<Claim>>::new(), Vec::new());
        let before = places.len();
        for event in waiting {
            let Some(place) = place_of(event, &held) else {
                left.push(event);
                continue;
            };
            let since = held_since(&place.record);
            let objects = event.meaning.objects();
            for (object, own) in objects.filter(|_| since.is_none_or(|it| it <= event.sort_time)) {
                if !claims.contains_key(object) && !held.contains_key(object) {
                    let claim = Claim {
                        record: place.record.clone(),
                        ..Claim::of(event, own)
                    };
                    add_claim(passed.entry(object.clone()).or_default(), claim);
                }
            }
            places.insert(event.key(), place);
        }
        if places.len() == before {
            return places;
        }
        held.extend(passed);
        waiting = left;
    }
}

/// The place of an event, by what is known of its objects.
fn place_of(event: &Event, held: &BTreeMap<ObjectKey, Vec<Claim>>) -> Option<Place> {
    let attachment = event.attachment.as_ref()?;
    let of_object = |object: &ObjectKey| {
        let claims = held.get(object)?.iter();
        let (source, time) = (&attachment.source, event.sort_time);
        let first =
            claims.max_by(|left, right| left.rank(source, time).cmp(&right.rank(source, time)))?;
        Some(Place {
            record: first.record.clone(),
            by: object.clone(),
        })
    };
    attachment.by.iter().find_map(of_object)
}

heap_size! {
    Attachment { source, kinds, by }
}

#[cfg(test)]
mod tests;
