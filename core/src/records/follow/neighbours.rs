//! The objects that one follows, and those that they follow.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::amounts::Amounts;
use super::course::{self, Course, Turns};
use super::{Follow, Follows, MAX_FOLLOWED, MAX_FOLLOWED_EVENTS, Share, Which};
use crate::records::object::own_events;
use crate::records::{Event, Object, ObjectKey, Timestamp};

/// An object and those that it follows, step by step.
pub(super) struct Neighbours<'a> {
    rules: &'a Follows,
    of: BTreeMap<&'a ObjectKey, Neighbour<'a>>,
    /// All of them, those that are followed last.
    found: Vec<&'a ObjectKey>,
    /// Those whose events were not read.
    pub(super) unread: BTreeSet<ObjectKey>,
}

struct Neighbour<'a> {
    /// The events that name it, in order of time.
    events: Vec<&'a Event>,
    /// The objects that it follows. `None`: they are too many.
    related: Option<BTreeSet<&'a ObjectKey>>,
}

impl<'a> Neighbours<'a> {
    /// Those of an object, as far as their events were read.
    pub(super) fn of(
        object: &'a Object,
        rules: &'a Follows,
        events: &'a BTreeMap<ObjectKey, Vec<Event>>,
    ) -> Self {
        let mut all = Self {
            rules,
            of: BTreeMap::new(),
            found: Vec::new(),
            unread: BTreeSet::new(),
        };
        let mut seen = BTreeSet::from([&object.key]);
        let mut next = VecDeque::from([&object.key]);
        while let Some(key) = next.pop_front() {
            let naming: Vec<&Event> = if *key == object.key {
                object.events.iter().collect()
            } else if let Some(naming) = events.get(key) {
                latest(naming)
            } else {
                all.unread.insert(key.clone());
                continue;
            };
            let related = related(key, &naming, all.rules_of(key));
            let added: Vec<&ObjectKey> = related.difference(&seen).copied().collect();
            let has_room = seen.len() + added.len() <= MAX_FOLLOWED + 1;
            if has_room {
                seen.extend(&added);
                next.extend(added);
            }
            all.found.push(key);
            let neighbour = Neighbour {
                events: naming,
                related: has_room.then_some(related),
            };
            all.of.insert(key, neighbour);
        }
        all
    }

    fn rules_of(&self, key: &ObjectKey) -> &'a [Follow] {
        self.rules.get(&key.kind).map_or(&[], Vec::as_slice)
    }

    /// The status of one of them. `None`: it has none.
    pub(super) fn status(&self, key: &ObjectKey) -> Option<&'a str> {
        let mut courses: BTreeMap<&ObjectKey, Course<'a>> = BTreeMap::new();
        let mut left = self.found.clone();
        left.reverse();
        // A course needs those of the objects that it follows. As kinds follow each other in no
        // circle, each pass finds more of them, in at most as many passes as a chain has kinds.
        loop {
            let before = left.len();
            left.retain(|key| {
                let course = self.course(key, &courses);
                let is_open = course.is_none();
                courses.extend(course.map(|course| (*key, course)));
                is_open
            });
            if left.len() == before {
                return courses.get(key)?.last()?.status;
            }
        }
    }

    /// The course of one of them, if those of all that it follows are there.
    fn course(
        &self,
        key: &ObjectKey,
        courses: &BTreeMap<&ObjectKey, Course<'a>>,
    ) -> Option<Course<'a>> {
        let neighbour = self.of.get(key)?;
        let related = neighbour.related.iter().flatten();
        let read = related.filter(|other| self.of.contains_key(*other));
        if !read.into_iter().all(|other| courses.contains_key(*other)) {
            return None;
        }
        let rules = self.rules_of(key).iter();
        let turns = rules.map(|rule| (rule, self.turns(key, neighbour, rule, courses)));
        let own = course::own(&own_events(key, neighbour.events.iter().copied()));
        Some(course::with(own, &turns.collect::<Vec<_>>()))
    }

    /// When a rule of one of them begins and ends to hold.
    fn turns(
        &self,
        key: &ObjectKey,
        neighbour: &Neighbour<'a>,
        rule: &Follow,
        courses: &BTreeMap<&ObjectKey, Course<'a>>,
    ) -> Turns {
        let related = neighbour.related.iter().flatten();
        let related = related.filter(|other| other.kind == rule.kind);
        let mut counted: Vec<&ObjectKey> = related
            .filter(|other| !self.names_one(other, &rule.without))
            .copied()
            .collect();
        if rule.which == Which::Latest {
            let latest = counted.iter().filter_map(|key| self.begin(key)).max();
            counted.retain(|key| self.begin(key) == latest);
        }
        let of_each = counted.iter();
        let of_each = of_each.map(|key| courses.get(*key).map_or(&[][..], Vec::as_slice));
        let amounts = match rule.share {
            Share::Any => Amounts::default(),
            Share::Whole | Share::Part => self.amounts(key, &counted),
        };
        course::turns(rule, &of_each.collect::<Vec<_>>(), amounts)
    }

    /// The amounts of one of them and of those that count for it.
    fn amounts(&self, key: &ObjectKey, counted: &[&ObjectKey]) -> Amounts {
        let own = |key: &ObjectKey| {
            let events = self.of.get(key).map_or(&[][..], |it| &it.events);
            own_events(key, events.iter().copied())
        };
        let begin = counted.iter().filter_map(|key| self.begin(key)).min();
        let related: Vec<Vec<&Event>> = counted.iter().map(|key| own(key)).collect();
        Amounts::of(&own(key), begin, &related)
    }

    /// The time of the first event that names one of them.
    fn begin(&self, key: &ObjectKey) -> Option<Timestamp> {
        Some(self.of.get(key)?.events.first()?.sort_time)
    }

    /// Whether an object's own events name one of these kinds.
    fn names_one(&self, key: &ObjectKey, kinds: &BTreeSet<String>) -> bool {
        let events = self.of.get(key).map_or(&[][..], |it| &it.events);
        let own = events.iter();
        let mut own = own.filter(|event| event.meaning.object.as_ref() == Some(key));
        own.any(|event| {
            let named = &event.meaning.related;
            named.iter().any(|named| kinds.contains(&named.kind))
        })
    }
}

/// The latest events, in order of time.
pub(super) fn latest(events: &[Event]) -> Vec<&Event> {
    let mut events: Vec<&Event> = events.iter().collect();
    events.sort_by_cached_key(|event| event.position());
    events.split_off(events.len().saturating_sub(MAX_FOLLOWED_EVENTS))
}

/// The objects that rules follow: those that the object's own events name, and those whose own
/// events name it.
fn related<'a>(key: &ObjectKey, naming: &[&'a Event], rules: &[Follow]) -> BTreeSet<&'a ObjectKey> {
    let mut related = BTreeSet::new();
    for event in naming {
        let Some(own) = &event.meaning.object else {
            continue;
        };
        if own == key {
            related.extend(&event.meaning.related);
        } else {
            related.insert(own);
        }
    }
    related.retain(|other| rules.iter().any(|rule| rule.kind == other.kind));
    related
}
