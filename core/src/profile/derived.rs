//! What is derived from a profile at a time: computed traits, and the segments that it is in.
//!
//! A pure function of the profile, the model and the time. It tells how long it holds, so that it
//! is derived once and not for each read, and is right all the same when time passes without a
//! write.

use std::collections::{BTreeMap, BTreeSet};

use super::{Part, Profile, measures};
use crate::heap_size::{heap_size, pack_map, pack_set};
use crate::model::{Experience, Model, Subject};
use crate::records::{Timestamp, Value};

/// What is derived of a profile, and how long it holds.
#[derive(Debug, Clone, Default)]
pub struct Derived {
    /// Since when, at the latest.
    since: Timestamp,
    /// Until when; none: for ever.
    until: Option<Timestamp>,
    /// Computed traits by name.
    pub computed: BTreeMap<String, Computed>,
    /// The segments that it is in.
    pub segments: BTreeSet<String>,
    /// The segments whose condition failed: it is not known whether it is in them.
    pub undecided_segments: BTreeSet<String>,
}

/// What conditions see of a profile.
#[must_use]
pub fn subject(
    profile: &Profile,
    computed: &BTreeMap<String, Computed>,
    model: &Model,
    measured: &BTreeMap<&'static str, (Value, Part)>,
) -> Subject {
    let measured = measured.iter().map(|(name, (value, _))| (*name, value));
    let trait_of = |name: &str| profile.traits.get(name).map(|found| &found.value);
    model.subject(
        trait_of,
        computed
            .iter()
            .map(|(name, found)| (name, found.value.as_ref())),
        &profile.preferences,
        measured,
    )
}

/// When metrics change as time passes: with the next day, if anything is measured of the customer.
fn next_measured(profile: &Profile, model: &Model, now: Timestamp) -> Option<Timestamp> {
    let definitions = model.experience.iter().flat_map(Experience::definitions);
    let mut measured = definitions.filter(|definition| profile.rollup.get(definition.id).is_some());
    measured.next().map(|definition| definition.next_day(now))
}

/// A computed trait.
#[derive(Debug, Clone, PartialEq)]
pub struct Computed {
    /// Its value; none: nothing happened that would have one.
    pub value: Option<Value>,
    /// Not all events are counted yet: the definition is new.
    pub partial: bool,
    /// It is an estimate.
    pub approximate: bool,
}

/// Equal when the same is told, whenever it was derived.
impl PartialEq for Derived {
    fn eq(&self, other: &Self) -> bool {
        (&self.computed, &self.segments, &self.undecided_segments)
            == (&other.computed, &other.segments, &other.undecided_segments)
    }
}

impl Derived {
    /// What holds of a profile at a time.
    #[must_use]
    pub fn of(profile: &Profile, model: &Model, now: Timestamp) -> Self {
        let mut derived = Self {
            since: now,
            ..Self::default()
        };
        for (name, definition) in &model.computed {
            let answer = match profile.rollup.get(definition.id) {
                Some(state) => definition.answer(state, now),
                None => definition.answer(&definition.empty(), now),
            };
            derived.until = derived.until.into_iter().chain(answer.until).min();
            let partial = profile.uncounted.contains(&definition.id);
            let computed = Computed {
                value: answer.value,
                partial,
                approximate: answer.approximate,
            };
            derived.computed.insert(name.clone(), computed);
        }
        if !model.segments.is_empty() {
            let mut measured = BTreeMap::new();
            if model.segments_measure() {
                let tomorrow = next_measured(profile, model, now);
                derived.until = derived.until.into_iter().chain(tomorrow).min();
                measured = measures(profile, model, now);
            }
            let subject = subject(profile, &derived.computed, model, &measured);
            let found = model.segments_of(&subject);
            (derived.segments, derived.undecided_segments) = (found.members, found.undecided);
        }
        derived
    }

    /// Whether it holds at a time.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        self.since <= now && self.until.is_none_or(|until| now < until)
    }

    /// Until when it holds; none: for ever, unless something is said.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        self.until
    }

    /// Packs what is to be kept for long.
    pub fn pack(&mut self) {
        self.computed
            .values_mut()
            .filter_map(|computed| computed.value.as_mut())
            .for_each(Value::pack);
        pack_map(&mut self.computed);
        pack_set(&mut self.segments);
        pack_set(&mut self.undecided_segments);
    }
}

heap_size! {
    Computed { value, partial, approximate }
    Derived { since, until, computed, segments, undecided_segments }
}
