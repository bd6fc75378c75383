//! The second half of a write, pure: from the neighbourhood to the rows that change and the cache keys they concern.

use std::collections::{BTreeMap, BTreeSet};

use super::apply::Applied;
use super::neighbourhood::Neighbourhood;
use crate::identity::{Before, Context, Features, assign, cluster};
use crate::model::Model;
use crate::profile::{Identifier, ProfileId, Record, RecordKey, Sequence, TenantId, Timestamp, words};
use crate::store::{Changes, MembershipChange, ProfileRow, SearchTerm, StoredStatement};

/// What a write is to do.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// For the store.
    pub changes: Changes,
    /// For the cache: whose answers are old after the commit.
    pub touched: Touched,
    /// For the figures.
    pub identity: IdentityFigures,
    /// For the answers: where the batch's records are now.
    pub profiles: BTreeMap<RecordKey, ProfileId>,
}

/// Whose answers change by a write.
#[derive(Debug, Default)]
pub(super) struct Touched {
    /// Profile ids, redirecting ones too.
    pub profiles: BTreeSet<ProfileId>,
    /// Identifiers that lead to another profile, or to more or fewer.
    pub identifiers: BTreeSet<Identifier>,
    /// Records that are in another profile.
    pub records: BTreeSet<RecordKey>,
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
    /// Identifiers met that too many records hold.
    pub oversized: usize,
}

/// Where and when a write happens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn<'a> {
    /// Whose.
    pub tenant: &'a TenantId,
    /// Its number.
    pub sequence: Sequence,
    /// Its time.
    pub now: Timestamp,
}

/// Plans a write.
#[must_use]
pub(super) fn plan(turn: Turn<'_>, applied: &Applied<'_>, neighbourhood: Neighbourhood, model: &Model) -> Plan {
    let Neighbourhood { records: before, component, oversized, rows } = neighbourhood;
    let mut after = before.clone();
    let live: Vec<&Record> =
        component.iter().filter_map(|key| before.get(key)).filter(|record| record.exists()).collect();
    let features: Vec<Features> = live.iter().map(|record| Features::of(record, model)).collect();
    let known: Vec<(&Record, &Features)> = live.iter().copied().zip(&features).collect();
    let mut generic = Context::default();
    oversized.iter().for_each(|identifier| generic.exclude(identifier));
    let clusters = cluster(&known, &generic, &[], model).clusters;
    let changed = applied.changed();
    let mut concerned: BTreeMap<RecordKey, Record> =
        component.iter().filter_map(|key| Some((key.clone(), after.remove(key)?))).collect();
    let context = Before { tenant: turn.tenant, now: turn.now, rows: &rows, changed: &changed };
    let mut assignment = assign(&clusters, &mut concerned, &context);
    bump_unmoved(&changed, &before, &context, &mut assignment.rows);
    after.extend(concerned);

    let mut plan = Plan {
        identity: IdentityFigures {
            merges: assignment.merges,
            splits: assignment.splits,
            reclustered: live.len(),
            oversized: oversized.len(),
        },
        ..Plan::default()
    };
    (plan.changes.profiles, plan.changes.added_profiles) =
        assignment.rows.into_iter().partition(|row| rows.contains_key(&row.id));
    plan.changes.statements = statements(turn.sequence, applied);
    plan.changes.events = applied.events.iter().map(|&event| event.clone()).collect();
    for (key, record) in &after {
        let was = if applied.after.contains_key(key) { applied.before.get(key) } else { before.get(key) };
        plan.compare(turn, model, was, record);
        if let (Some(profile), true) = (record.membership.profile, applied.after.contains_key(key)) {
            plan.profiles.insert(key.clone(), profile);
        }
    }
    let rows = plan.changes.added_profiles.iter().chain(&plan.changes.profiles);
    plan.touched.profiles.extend(rows.map(|row| row.id));
    plan
}

/// Records that changed without moving leave their profile's members as they are; only its revision grows.
fn bump_unmoved(
    changed: &BTreeSet<RecordKey>,
    records: &BTreeMap<RecordKey, Record>,
    before: &Before<'_>,
    rows: &mut Vec<ProfileRow>,
) {
    let done: BTreeSet<ProfileId> = rows.iter().map(|row| row.id).collect();
    let profiles: BTreeSet<ProfileId> =
        changed.iter().filter_map(|key| records.get(key)?.membership.profile).filter(|id| !done.contains(id)).collect();
    let bump = |row: &ProfileRow| ProfileRow { revision: row.revision + 1, update_time: before.now, ..row.clone() };
    rows.extend(profiles.iter().filter_map(|id| before.rows.get(id)).map(bump));
}

fn statements(sequence: Sequence, applied: &Applied<'_>) -> Vec<StoredStatement> {
    let stored = |(ordinal, (key, statement)): (usize, &(_, &crate::profile::RecordStatement))| StoredStatement {
        key: Clone::clone(key),
        sequence,
        ordinal: i32::try_from(ordinal).unwrap_or(i32::MAX),
        receive_time: statement.receive_time,
        draft: statement.draft(),
    };
    applied.statements.iter().enumerate().map(stored).collect()
}

impl Plan {
    /// Finds what changes for one record.
    fn compare(&mut self, turn: Turn<'_>, model: &Model, before: Option<&Record>, after: &Record) {
        let same_profile = before.map(|record| record.membership.profile) == Some(after.membership.profile);
        if before == Some(after) {
            return;
        }
        let records = if before.is_some() { &mut self.changes.records } else { &mut self.changes.added_records };
        records.push(after.clone());
        let held: BTreeSet<Identifier> = before.into_iter().flat_map(Record::identifiers).collect();
        let holds: BTreeSet<Identifier> = after.identifiers().collect();
        let with_key = |identifier: &Identifier| (identifier.clone(), after.key.clone());
        self.changes.removed_identifiers.extend(held.difference(&holds).map(with_key));
        self.changes.added_identifiers.extend(holds.difference(&held).map(with_key));
        let had: BTreeSet<SearchTerm> = before.into_iter().flat_map(|record| terms(record, model)).collect();
        let has: BTreeSet<SearchTerm> = terms(after, model).collect();
        self.changes.removed_terms.extend(had.difference(&has).cloned());
        self.changes.added_terms.extend(has.difference(&had).cloned());
        if same_profile {
            self.touched.identifiers.extend(held.symmetric_difference(&holds).cloned());
            return;
        }
        self.touched.identifiers.extend(held.into_iter().chain(holds));
        self.touched.records.insert(after.key.clone());
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
fn terms<'a>(record: &'a Record, model: &'a Model) -> impl Iterator<Item = SearchTerm> + 'a {
    record
        .traits()
        .filter(|(name, ..)| model.traits.get(*name).is_some_and(|kind| kind.searchable))
        .flat_map(|(name, value, _)| words(&value.to_string()).into_iter().map(move |word| (name, word)))
        .map(|(name, term)| SearchTerm { term, kind: name.to_owned(), record: record.key.clone() })
}
