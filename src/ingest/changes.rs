//! The second half of a write, pure: from the neighbourhood to the rows that change.

use std::collections::{BTreeMap, BTreeSet};

use profile_core::identity::{Before, BlockingKey, Features, assign};
use profile_core::model::Model;
use profile_core::records::{
    Identifier, ProfileId, ProfileState, Record, RecordKey, Sequence, TenantId, Timestamp, words,
};

use super::apply::Applied;
use super::log;
use crate::neighbourhood::Neighbourhood;
use crate::store::{
    Cause, Changes, IdentityChange, IdentityChangeKind, MembershipChange, ProfileRow, SearchTerm,
    StoredStatement,
};

/// What a write is to do.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// For the store.
    pub changes: Changes,
    /// For the figures.
    pub identity: IdentityFigures,
    /// For the answers: where the batch's records are now.
    pub profiles: BTreeMap<RecordKey, ProfileId>,
    /// All records that were loaded, as they are now.
    pub after: BTreeMap<RecordKey, Record>,
    /// The rows of their profiles, as they are now.
    pub rows: BTreeMap<ProfileId, ProfileRow>,
}

/// What identity did in a write.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct IdentityFigures {
    /// Profiles that went into another.
    pub merges: usize,
    /// Profiles that came out of another.
    pub splits: usize,
    /// Records that were clustered again.
    pub reclustered: usize,
    /// Records that were compared with another.
    pub compared: usize,
    /// Identifiers met that too many hold.
    pub generic_identifiers: usize,
    /// Match keys met that too many are under.
    pub generic_keys: usize,
}

/// Where and when a write happens.
#[derive(Debug, Clone, Copy)]
pub struct WriteContext<'a> {
    /// Whose.
    pub tenant: &'a TenantId,
    /// Its number.
    pub sequence: Sequence,
    /// Its time.
    pub now: Timestamp,
}

/// Plans a write.
#[must_use]
pub(super) fn plan(
    turn: WriteContext<'_>,
    applied: &Applied<'_>,
    neighbourhood: &Neighbourhood,
    cause: &dyn Fn(ProfileId) -> Cause,
    model: &Model,
) -> Plan {
    let clustering = neighbourhood.cluster(model);
    let Neighbourhood {
        records: before,
        component,
        rows,
        figures,
        ..
    } = neighbourhood;
    let mut after = before.clone();
    let changed = applied.changed();
    let mut concerned: BTreeMap<RecordKey, Record> = component
        .iter()
        .filter_map(|key| Some((key.clone(), after.remove(key)?)))
        .collect();
    let context = Before {
        tenant: turn.tenant,
        now: turn.now,
        rows,
        changed: &changed,
    };
    let mut assignment = assign(&clustering.clusters, &mut concerned, &context);
    bump_unmoved(&changed, before, &context, &mut assignment.rows);
    after.extend(concerned);

    let mut plan = Plan {
        identity: IdentityFigures {
            merges: assignment.merges,
            splits: assignment.splits,
            reclustered: component.len(),
            compared: figures.compared,
            generic_identifiers: figures.generic_identifiers,
            generic_keys: figures.generic_keys,
        },
        ..Plan::default()
    };
    let profile = |key: &RecordKey| after.get(key).and_then(|record| record.membership.profile);
    (plan.changes.removed_pairs, plan.changes.pairs) = neighbourhood.changed_pairs(profile);
    let states = component
        .iter()
        .filter_map(|key| Some((before.get(key)?, after.get(key)?)));
    plan.changes.identity_changes = identity_changes(turn, states, &assignment.rows, cause);
    (plan.changes.profiles, plan.changes.added_profiles) = assignment
        .rows
        .into_iter()
        .partition(|row| rows.contains_key(&row.id));
    plan.changes.statements = statements(turn.sequence, applied);
    plan.changes.events = applied.events.iter().map(|&event| event.clone()).collect();
    for (key, record) in &after {
        let was = if applied.after.contains_key(key) {
            applied.before.get(key)
        } else {
            before.get(key)
        };
        plan.compare(turn, model, was, record);
        if let (Some(profile), true) = (record.membership.profile, applied.after.contains_key(key))
        {
            plan.profiles.insert(key.clone(), profile);
        }
    }
    plan.rows.clone_from(rows);
    for row in plan
        .changes
        .added_profiles
        .iter()
        .chain(&plan.changes.profiles)
    {
        plan.rows.insert(row.id, row.clone());
    }
    plan.after = after;
    if plan.changes != Changes::default() {
        let was = |key: &RecordKey| {
            if applied.after.contains_key(key) {
                applied.before.get(key)
            } else {
                before.get(key)
            }
        };
        let home = |key: &RecordKey| {
            plan.after
                .get(key)
                .and_then(|record| record.membership.profile)
        };
        plan.changes.log = log::entry(
            turn,
            &log::Sides {
                before: &was,
                home: &home,
                rows,
            },
            &plan.changes,
        );
    }
    plan
}

/// Records that changed without moving leave their profile's members as they are; only its revision
/// grows.
fn bump_unmoved(
    changed: &BTreeSet<RecordKey>,
    records: &BTreeMap<RecordKey, Record>,
    before: &Before<'_>,
    rows: &mut Vec<ProfileRow>,
) {
    let done: BTreeSet<ProfileId> = rows.iter().map(|row| row.id).collect();
    let profiles: BTreeSet<ProfileId> = changed
        .iter()
        .filter_map(|key| records.get(key)?.membership.profile)
        .filter(|id| !done.contains(id))
        .collect();
    let bump = |row: &ProfileRow| ProfileRow {
        revision: row.revision + 1,
        update_time: before.now,
        ..row.clone()
    };
    rows.extend(
        profiles
            .iter()
            .filter_map(|id| before.rows.get(id))
            .map(bump),
    );
}

/// Merges and splits, from where records were and are: a profile that redirects to another went
/// into it; any other that records left was split.
pub(crate) fn identity_changes<'a>(
    turn: WriteContext<'_>,
    states: impl Iterator<Item = (&'a Record, &'a Record)>,
    rows: &[ProfileRow],
    cause: &dyn Fn(ProfileId) -> Cause,
) -> Vec<IdentityChange> {
    let mut groups: BTreeMap<(ProfileId, ProfileId), Vec<(RecordKey, String)>> = BTreeMap::new();
    for (before, after) in states {
        let (Some(from), Some(into)) = (before.membership.profile, after.membership.profile) else {
            continue;
        };
        if from != into {
            let record = (after.key.clone(), after.membership.reason.clone());
            groups.entry((from, into)).or_default().push(record);
        }
    }
    let into = |row: &ProfileRow| match row.state {
        ProfileState::MergedInto(into) => Some((row.id, into)),
        ProfileState::Live | ProfileState::Deleted => None,
    };
    let merged: BTreeSet<(ProfileId, ProfileId)> = rows.iter().filter_map(into).collect();
    let change =
        |(ordinal, ((from, into), mut moved)): (usize, ((ProfileId, ProfileId), Vec<_>))| {
            let moved_count = moved.len();
            moved.truncate(IdentityChange::MAX_MOVED);
            let kind = if merged.contains(&(from, into)) {
                IdentityChangeKind::Merge
            } else {
                IdentityChangeKind::Split
            };
            IdentityChange {
                sequence: turn.sequence,
                ordinal: i32::try_from(ordinal).unwrap_or(i32::MAX),
                kind,
                from,
                into,
                time: turn.now,
                moved,
                moved_count,
                cause: cause(from),
            }
        };
    groups.into_iter().enumerate().map(change).collect()
}

fn statements(sequence: Sequence, applied: &Applied<'_>) -> Vec<StoredStatement> {
    let stored =
        |(ordinal, (key, statement)): (usize, &(_, &profile_core::records::RecordStatement))| {
            StoredStatement {
                key: Clone::clone(key),
                sequence,
                ordinal: i32::try_from(ordinal).unwrap_or(i32::MAX),
                receive_time: statement.receive_time,
                draft: statement.draft.clone(),
            }
        };
    applied.statements.iter().enumerate().map(stored).collect()
}

impl Plan {
    /// Finds the match keys that change for one record.
    fn compare_keys(&mut self, model: &Model, before: Option<&Record>, after: &Record) {
        if before.is_some_and(|before| before.says_the_same(after)) {
            return;
        }
        let keys = |record: &Record| {
            Features::of(record, model)
                .match_keys()
                .into_iter()
                .collect::<BTreeSet<BlockingKey>>()
        };
        let (was, is) = (before.map(keys).unwrap_or_default(), keys(after));
        let under = |key: &BlockingKey| (*key, after.key.clone());
        self.changes
            .removed_keys
            .extend(was.difference(&is).map(under));
        self.changes
            .added_keys
            .extend(is.difference(&was).map(under));
    }

    /// Finds what changes for one record.
    fn compare(
        &mut self,
        turn: WriteContext<'_>,
        model: &Model,
        before: Option<&Record>,
        after: &Record,
    ) {
        let same_profile =
            before.map(|record| record.membership.profile) == Some(after.membership.profile);
        if before.is_some_and(|before| before.is_kept_as(after)) {
            if before.is_some_and(|before| before.rollup != after.rollup) {
                self.changes
                    .rollups
                    .push((after.key.clone(), after.rollup.clone()));
            }
            return;
        }
        let records = if before.is_some() {
            &mut self.changes.records
        } else {
            &mut self.changes.added_records
        };
        records.push(after.clone());
        let held: BTreeSet<Identifier> = before.into_iter().flat_map(Record::identifiers).collect();
        let holds: BTreeSet<Identifier> = after.identifiers().collect();
        let with_key = |identifier: &Identifier| (identifier.clone(), after.key.clone());
        self.changes
            .removed_identifiers
            .extend(held.difference(&holds).map(with_key));
        self.changes
            .added_identifiers
            .extend(holds.difference(&held).map(with_key));
        self.compare_keys(model, before, after);
        let had: BTreeSet<SearchTerm> = before
            .into_iter()
            .flat_map(|record| terms(record, model))
            .collect();
        let has: BTreeSet<SearchTerm> = terms(after, model).collect();
        self.changes
            .removed_terms
            .extend(had.difference(&has).cloned());
        self.changes
            .added_terms
            .extend(has.difference(&had).cloned());
        if same_profile {
            return;
        }
        let was = before.and_then(|record| record.membership.profile);
        if was.is_some() || after.membership.profile.is_some() {
            self.changes.memberships.push(MembershipChange {
                record: after.key.clone(),
                sequence: turn.sequence,
                profile: after.membership.profile,
                time: turn.now,
                reason: after.membership.reason.clone(),
            });
        }
    }
}

/// The search terms of a record: the words of its searchable traits.
pub(crate) fn terms<'a>(
    record: &'a Record,
    model: &'a Model,
) -> impl Iterator<Item = SearchTerm> + 'a {
    record
        .traits()
        .filter(|(name, ..)| model.traits.get(*name).is_some_and(|kind| kind.searchable))
        .flat_map(|(name, value, _)| {
            words(&value.to_string())
                .into_iter()
                .map(move |word| (name, word))
        })
        .map(|(name, term)| SearchTerm {
            term,
            kind: name.to_owned(),
            record: record.key.clone(),
        })
}
