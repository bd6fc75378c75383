//! Which record the values of a group of traits come from.
//!
//! The street of one record and the postal code of another are an address that does not exist, so
//! the values of a group survive together. Records compete for the group as a whole:
//!
//! - Only those compete that have a value for the leading trait: the first of the group that any
//!   record has a value for. So a record that knows only a country does not take the street away.
//! - Among them the rule of the group decides, by the latest time of a record's values of the
//!   group, and by their total length or how many records have the same values. Ties go as for a
//!   single trait.
//!
//! A trait for which the winner has no value stays without one, whatever others say.

use std::collections::BTreeMap;

use super::survive::{Candidate, Contest};
use crate::model::{Survivorship, TraitGroup};
use crate::records::{RecordKey, Value};

/// The group of a trait, and the record that the group's values come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouping {
    /// Name of the group.
    pub group: String,
    /// Record of all its values.
    pub record: RecordKey,
}

/// The record that a group's values come from; `None` where no record has any.
pub(super) fn winner<'a>(
    group: &TraitGroup,
    contests: &BTreeMap<&'a str, Contest<'a>>,
) -> Option<&'a RecordKey> {
    let members = || {
        let members = group.traits.iter();
        members.filter_map(|name| contests.get(name.as_str()))
    };
    let mut rivals: BTreeMap<&RecordKey, Rival<'a>> = BTreeMap::new();
    for candidate in &members().next()?.candidates {
        rivals.insert(candidate.record, Rival::of(candidate));
    }
    for (place, contest) in members().enumerate() {
        for candidate in &contest.candidates {
            if let Some(rival) = rivals.get_mut(candidate.record) {
                rival.values.push((place, candidate.value));
                rival.as_one.time = rival.as_one.time.max(candidate.time);
            }
        }
    }
    let rivals: Vec<Rival<'a>> = rivals.into_values().collect();
    let as_one = Contest {
        rule: group.keep,
        grouping: None,
        candidates: measured(group.keep, &rivals),
    };
    as_one.best().map(|best| best.record)
}

/// The values of one record for a group.
struct Rival<'a> {
    /// The record's value for the leading trait, with what ranks the group as a whole.
    as_one: Candidate<'a>,
    /// By the place of the trait in the group.
    values: Vec<(usize, &'a Value)>,
}

impl<'a> Rival<'a> {
    fn of(leading: &Candidate<'a>) -> Self {
        Self {
            as_one: *leading,
            values: Vec::new(),
        }
    }
}

/// The rivals with what their rule looks at.
fn measured<'a>(rule: Survivorship, rivals: &[Rival<'a>]) -> Vec<Candidate<'a>> {
    let mut same: BTreeMap<&[(usize, &Value)], usize> = BTreeMap::new();
    if rule == Survivorship::MostFrequent {
        for rival in rivals {
            *same.entry(&rival.values).or_default() += 1;
        }
    }
    let measure = |rival: &Rival<'_>| match rule {
        Survivorship::MostFrequent => same[rival.values.as_slice()],
        Survivorship::Longest => {
            let values = rival.values.iter();
            values
                .map(|(_, value)| value.to_string().chars().count())
                .sum()
        }
        Survivorship::SourceTrust
        | Survivorship::MostRecent
        | Survivorship::Oldest
        | Survivorship::Union => 0,
    };
    let measured = |rival: &Rival<'a>| {
        let mut candidate = rival.as_one;
        candidate.measure = measure(rival);
        candidate
    };
    rivals.iter().map(measured).collect()
}

#[cfg(test)]
mod tests;
