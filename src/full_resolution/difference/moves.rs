//! Records that move between profiles, profiles that grow or end, and identifiers that change.

use std::collections::{BTreeMap, BTreeSet};

use profile_core::records::{Identifier, ProfileId, Record, RecordKey};

use super::{IdentifierChange, MAX_RECORDS, MAX_SAMPLES, Move, Size};
use crate::full_resolution::Transition;
use crate::store::{Changes, IdentityChange, ProfileRow, ProfileState};

/// Maximum number of the largest profiles listed.
const MAX_LARGEST: usize = 5;

impl Transition<'_> {
    /// The number of profiles that were live and now have such a state.
    pub(super) fn retired(
        &self,
        rows: &BTreeMap<ProfileId, ProfileRow>,
        state: fn(ProfileState) -> bool,
    ) -> usize {
        let before = self.before.rows.values();
        before
            .filter(|row| row.state == ProfileState::Live)
            .filter(|row| rows.get(&row.id).is_some_and(|row| state(row.state)))
            .count()
    }

    /// Records that change their profile, grouped by the profiles they leave and enter.
    pub(super) fn moves(&self) -> Vec<Move> {
        let mut moves: BTreeMap<(ProfileId, ProfileId), Move> = BTreeMap::new();
        for (key, record) in self.after {
            let before = self.before.records.get(key);
            let from = before.and_then(|record| record.membership.profile);
            let (Some(from), Some(into)) = (from, record.membership.profile) else {
                continue;
            };
            if from == into {
                continue;
            }
            let group = moves.entry((from, into)).or_insert(Move {
                from,
                into,
                count: 0,
                records: Vec::new(),
            });
            group.count += 1;
            if group.records.len() < IdentityChange::MAX_MOVED {
                group
                    .records
                    .push((key.clone(), record.membership.reason.clone()));
            }
        }
        moves.into_values().collect()
    }

    /// Samples of the records whose identifiers change.
    pub(super) fn identifier_changes(&self, changes: &Changes) -> Vec<IdentifierChange> {
        let touched: BTreeSet<(&RecordKey, &str)> = changes
            .removed_identifiers
            .iter()
            .chain(&changes.added_identifiers)
            .map(|(identifier, key)| (key, identifier.kind.as_str()))
            .collect();
        touched
            .into_iter()
            .take(MAX_SAMPLES)
            .map(|(key, kind)| IdentifierChange {
                record: key.clone(),
                kind: kind.to_owned(),
                before: identifier_values(self.before.records.get(key), kind),
                after: identifier_values(self.after.get(key), kind),
            })
            .collect()
    }
}

pub(super) fn sizes<'a>(records: impl Iterator<Item = &'a Record>) -> BTreeMap<ProfileId, usize> {
    let mut sizes = BTreeMap::new();
    for profile in records.filter_map(|record| record.membership.profile) {
        *sizes.entry(profile).or_default() += 1;
    }
    sizes
}

pub(super) fn largest_moves(mut moves: Vec<Move>) -> Vec<Move> {
    moves.sort_by_key(|moved| (std::cmp::Reverse(moved.count), moved.from, moved.into));
    moves.truncate(MAX_SAMPLES);
    for moved in &mut moves {
        moved.records.truncate(MAX_RECORDS);
    }
    moves
}

pub(super) fn largest(
    before: &BTreeMap<ProfileId, usize>,
    after: &BTreeMap<ProfileId, usize>,
) -> Vec<Size> {
    let mut sizes: Vec<(&ProfileId, &usize)> = after.iter().collect();
    sizes.sort_by_key(|(id, size)| (std::cmp::Reverse(**size), **id));
    sizes
        .into_iter()
        .take(MAX_LARGEST)
        .map(|(profile, records)| Size {
            profile: *profile,
            records: *records,
            before: before.get(profile).copied().unwrap_or(0),
        })
        .collect()
}

fn identifier_values(record: Option<&Record>, kind: &str) -> Vec<String> {
    record
        .into_iter()
        .flat_map(Record::identifiers)
        .filter(|identifier: &Identifier| identifier.kind == kind)
        .map(|identifier| identifier.value)
        .collect()
}
