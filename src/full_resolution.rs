//! The whole of a tenant at once, pure: what a model makes of all that was said.
//!
//! The write path brings a tenant in line statement by statement, looking only at the neighbourhood
//! of what changed. This module looks at everything. It serves two ends:
//!
//! - **Another model**: what it changes on the data there is, to be told ([`Difference`]) and to be
//!   written ([`Changes`]).
//! - **The oracle**: after any history of writes, the model in force must find nothing to change.
//!
//! What is derived from records (who is one person, search terms) is computed under both models and
//! compared, so that what is written is no more than what differs. Records themselves differ where
//! the models do not take the same statements, or bring identifiers into other forms: then they are
//! built again from the statements as they were said ([`replay`]).
//!
//! It holds the tenant in memory, some kilobytes a record, and takes time in proportion to it.

mod alike;
mod difference;
pub mod replay;

use std::collections::{BTreeMap, BTreeSet};

use profile_core::identity::{Before, Context, Decision, Features, assign, cluster};
use profile_core::model::Model;
use profile_core::profile::{Profile, StoredProfile, fold};
use profile_core::records::{Identifier, ProfileId, Record, RecordKey, Timestamp};
use profile_core::records::{ProfileRow, ProfileState};

pub use difference::{
    Difference, IdentifierChange, Move, ProfileChange, Refusal, Size, TraitChange,
};

use crate::ingest::{WriteContext, identity_changes, log, terms};
use crate::store::{Cause, Changes, MatchPair, MembershipChange, SearchTerm};

/// All of a tenant that identity looks at.
#[derive(Debug, Clone, Default)]
pub struct TenantState {
    /// The records, those that are gone too.
    pub records: BTreeMap<RecordKey, Record>,
    /// The rows of all profiles that the records carry.
    pub rows: BTreeMap<ProfileId, ProfileRow>,
    /// Pairs of records that are alike.
    pub pairs: BTreeMap<(RecordKey, RecordKey), MatchPair>,
    /// What people decided, as far as it is in force.
    pub decisions: Vec<Decision>,
}

/// What a model changes.
#[derive(Debug, Clone, Default)]
pub struct Resolution {
    /// To be written.
    pub changes: Changes,
    /// To be told.
    pub difference: Difference,
}

/// Finds what changes when `to` comes into force after `from`, in a write of this `turn`. `said`
/// has what the records say under `to`; who they belong to is as before.
#[must_use]
pub fn resolve(
    turn: WriteContext<'_>,
    cause: &Cause,
    before: &TenantState,
    said: BTreeMap<RecordKey, Record>,
    (from, to): (&Model, &Model),
) -> Resolution {
    let mut after = said;
    let shown = ProfileDiffs::of(before, &after, from, to);
    let seen = seen_differently(before, &after, &shown);
    let features = features(&after, to);
    let whole = Seen::of(&after, &features, to);
    let clusters = cluster(&whole.records, &whole.context, &before.decisions, to).clusters;
    let context = Before {
        tenant: turn.tenant,
        now: turn.now,
        rows: &before.rows,
        changed: &seen,
    };
    let assignment = assign(&clusters, &mut after, &context);

    let mut changes = Changes::default();
    (changes.profiles, changes.added_profiles) = assignment
        .rows
        .into_iter()
        .partition(|row| before.rows.contains_key(&row.id));
    for record in after.values() {
        compare(
            turn,
            &mut changes,
            (before.records.get(&record.key), from),
            (record, to),
        );
    }
    let whole = Seen::of(&after, &features, to);
    let profile = |key: &RecordKey| after.get(key).and_then(|record| record.membership.profile);
    let pairs = alike::all(
        &whole.records,
        &whole.context,
        &before.decisions,
        to,
        profile,
    );
    (changes.removed_pairs, changes.pairs) = alike::difference(&before.pairs, pairs);
    let both = after
        .values()
        .filter_map(|record| Some((before.records.get(&record.key)?, record)));
    changes.identity_changes = identity_changes(turn, both, &changes.profiles, &|_| cause.clone());
    if changes != Changes::default() {
        let (was, home) = (|key: &RecordKey| before.records.get(key), profile);
        changes.log = log::entry(
            turn,
            &log::Sides {
                before: &was,
                home: &home,
                rows: &before.rows,
            },
            &changes,
        );
    }
    let moves = difference::moves(before, &after);
    let difference = difference::tell(before, &after, &shown, &changes, moves, assignment.splits);
    Resolution {
        changes,
        difference,
    }
}

/// What a model sees in records.
struct Seen<'a> {
    records: Vec<(&'a Record, &'a Features)>,
    context: Context,
}

/// The features of records that exist, by key.
fn features(records: &BTreeMap<RecordKey, Record>, model: &Model) -> BTreeMap<RecordKey, Features> {
    let live = records.values().filter(|record| record.exists());
    live.map(|record| (record.key.clone(), Features::of(record, model)))
        .collect()
}

impl<'a> Seen<'a> {
    fn of(
        records: &'a BTreeMap<RecordKey, Record>,
        features: &'a BTreeMap<RecordKey, Features>,
        model: &Model,
    ) -> Self {
        let records: Vec<_> = features
            .iter()
            .filter_map(|(key, features)| Some((records.get(key)?, features)))
            .collect();
        let context = Context::of(&records, model);
        Self { records, context }
    }
}

/// Profiles that show something else although their records may stay.
struct ProfileDiffs(BTreeMap<ProfileId, ProfileChange>);

impl ProfileDiffs {
    fn of(
        before: &TenantState,
        after: &BTreeMap<RecordKey, Record>,
        from: &Model,
        to: &Model,
    ) -> Self {
        let mut members: BTreeMap<ProfileId, Vec<&RecordKey>> = BTreeMap::new();
        for record in before.records.values() {
            if let Some(profile) = record.membership.profile {
                members.entry(profile).or_default().push(&record.key);
            }
        }
        let change = |(id, keys): (ProfileId, Vec<&RecordKey>)| {
            let is = folded(id, &keys, &before.records, from);
            let becomes = folded(id, &keys, after, to);
            ProfileChange::between(id, &is, &becomes).map(|change| (id, change))
        };
        Self(members.into_iter().filter_map(change).collect())
    }
}

fn folded(
    id: ProfileId,
    keys: &[&RecordKey],
    records: &BTreeMap<RecordKey, Record>,
    model: &Model,
) -> Profile {
    let records = keys
        .iter()
        .filter_map(|key| records.get(*key))
        .filter(|record| record.exists())
        .cloned()
        .collect();
    fold(
        StoredProfile {
            id,
            revision: 0,
            update_time: Timestamp::default(),
            records,
        },
        model,
    )
}

/// The records of which a reader sees something else, wherever they belong.
fn seen_differently(
    before: &TenantState,
    after: &BTreeMap<RecordKey, Record>,
    shown: &ProfileDiffs,
) -> BTreeSet<RecordKey> {
    let changed = |record: &&Record| {
        let is = before.records.get(&record.key);
        record
            .membership
            .profile
            .is_some_and(|profile| shown.0.contains_key(&profile))
            || is.is_none_or(|is| !is.says_the_same(record))
    };
    after
        .values()
        .filter(changed)
        .map(|record| record.key.clone())
        .collect()
}

/// Finds what changes for one record.
fn compare(
    turn: WriteContext<'_>,
    changes: &mut Changes,
    (before, from): (Option<&Record>, &Model),
    (after, to): (&Record, &Model),
) {
    let had: BTreeSet<SearchTerm> = before
        .into_iter()
        .flat_map(|record| terms(record, from))
        .collect();
    let has: BTreeSet<SearchTerm> = terms(after, to).collect();
    changes.removed_terms.extend(had.difference(&has).cloned());
    changes.added_terms.extend(has.difference(&had).cloned());
    let keys = |record: &Record, model| {
        Features::of(record, model)
            .match_keys()
            .into_iter()
            .collect::<BTreeSet<_>>()
    };
    let was = before.map(|record| keys(record, from)).unwrap_or_default();
    let is = keys(after, to);
    changes
        .removed_keys
        .extend(was.difference(&is).map(|key| (*key, after.key.clone())));
    changes
        .added_keys
        .extend(is.difference(&was).map(|key| (*key, after.key.clone())));
    if before == Some(after) {
        return;
    }
    changes.records.push(after.clone());
    let held: BTreeSet<Identifier> = before.into_iter().flat_map(Record::identifiers).collect();
    let holds: BTreeSet<Identifier> = after.identifiers().collect();
    let with_key = |identifier: &Identifier| (identifier.clone(), after.key.clone());
    changes
        .removed_identifiers
        .extend(held.difference(&holds).map(with_key));
    changes
        .added_identifiers
        .extend(holds.difference(&held).map(with_key));
    if before.map(|record| record.membership.profile) != Some(after.membership.profile) {
        changes.memberships.push(MembershipChange {
            record: after.key.clone(),
            sequence: turn.sequence,
            profile: after.membership.profile,
            time: turn.now,
            reason: after.membership.reason.clone(),
        });
    }
}

/// The profiles that are live after some rows have changed.
fn is_live(rows: &BTreeMap<ProfileId, ProfileRow>, id: ProfileId) -> bool {
    rows.get(&id)
        .is_some_and(|row| row.state == ProfileState::Live)
}
