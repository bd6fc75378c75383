//! All of a tenant resolved at once, pure: what a model makes of all statements.
//!
//! The write path keeps a tenant resolved statement by statement, and looks only at the
//! neighbourhood of what changed. This module looks at everything. It serves two ends:
//!
//! - **Another model**: what it changes in the stored data, to describe ([`Difference`]) and to
//!   write ([`Changes`]).
//! - **The oracle**: after any history of writes, the active model must find nothing to change.
//!
//! What is derived from records (who is one person, search terms) is computed under both models and
//! compared, so that no more is written than what differs. Records themselves differ where the
//! models accept other statements, or normalize identifiers in another way: then they are built
//! again from their statements ([`replay`]).
//!
//! It holds the tenant in memory, some kilobytes a record, and takes time in proportion to it.

mod alike;
mod difference;
mod profile_diffs;
pub mod replay;

use std::collections::BTreeMap;

use profile_core::identity::{Before, Context, Decision, Features, assign, cluster};
use profile_core::model::Model;
use profile_core::records::{ProfileId, ProfileRow, Record, RecordKey};

pub use difference::{
    Difference, IdentifierChange, Move, ProfileChange, Refusal, Size, TraitChange,
};
use profile_diffs::ProfileDiffs;

use crate::ingest::{RecordDiff, WriteContext, identity_changes, log};
use crate::store::{BackfillProgress, Cause, Changes, MatchPair};

/// All of a tenant that identity depends on.
#[derive(Debug, Clone, Default)]
pub struct TenantState {
    /// All records, deleted ones too.
    pub records: BTreeMap<RecordKey, Record>,
    /// The rows of all profiles whose ids the records carry.
    pub rows: BTreeMap<ProfileId, ProfileRow>,
    /// The stored pairs of records that are alike.
    pub pairs: BTreeMap<(RecordKey, RecordKey), MatchPair>,
    /// People's decisions that are not withdrawn.
    pub decisions: Vec<Decision>,
}

/// What a model changes.
#[derive(Debug, Clone, Default)]
pub struct Resolution {
    /// The rows to write.
    pub changes: Changes,
    /// The description for people.
    pub difference: Difference,
}

/// The active model, and the one that takes its place.
#[derive(Debug, Clone, Copy)]
pub struct ModelChange<'a> {
    /// The active model.
    pub from: &'a Model,
    /// The model after.
    pub to: &'a Model,
}

/// A tenant before and after a change of its model.
struct Transition<'a> {
    before: &'a TenantState,
    after: &'a BTreeMap<RecordKey, Record>,
    models: ModelChange<'a>,
}

/// Finds what changes in this write when another model takes the place of the active one.
/// `replayed` has the records as the other model accepts their statements, with their memberships
/// as before.
#[must_use]
pub fn resolve(
    context: WriteContext<'_>,
    cause: &Cause,
    before: &TenantState,
    replayed: BTreeMap<RecordKey, Record>,
    models: ModelChange<'_>,
) -> Resolution {
    let mut after = replayed;
    let diffs = ProfileDiffs::of(before, &after, models);
    let features = features(&after, models.to);
    let view = ComparisonView::of(&after, &features, models.to);
    let clusters = cluster(&view.records, &view.context, &before.decisions, models.to).clusters;
    let seen_differently = diffs.changed_records(before, &after);
    let identity = Before {
        tenant: context.tenant,
        now: context.now,
        rows: &before.rows,
        changed: &seen_differently,
    };
    let assignment = assign(&clusters, &mut after, &identity);

    let transition = Transition {
        before,
        after: &after,
        models,
    };
    let changes = transition.changes(context, cause, assignment.rows, &features);
    let difference = transition.describe(&diffs, &changes, assignment.splits);
    Resolution {
        changes,
        difference,
    }
}

impl Transition<'_> {
    /// The rows that differ.
    fn changes(
        &self,
        context: WriteContext<'_>,
        cause: &Cause,
        rows: Vec<ProfileRow>,
        features: &BTreeMap<RecordKey, Features>,
    ) -> Changes {
        let mut changes = Changes::default();
        (changes.profiles, changes.added_profiles) = rows
            .into_iter()
            .partition(|row| self.before.rows.contains_key(&row.id));
        let diff = RecordDiff::between(context, self.models.from, self.models.to);
        for (key, record) in self.after {
            diff.add(&mut changes, self.before.records.get(key), record);
        }
        (changes.removed_pairs, changes.pairs) =
            alike::difference(&self.before.pairs, self.pairs(features));
        let states = self
            .after
            .iter()
            .filter_map(|(key, record)| Some((self.before.records.get(key)?, record)));
        if self.counts_anew() {
            changes.recount = Some(BackfillProgress::none());
        }
        changes.identity_changes =
            identity_changes(context, states, &changes.profiles, &|_| cause.clone());
        if changes != Changes::default() {
            let sides = log::Sides {
                before: &|key| self.before.records.get(key),
                home: &|key| self.profile(key),
                rows: &self.before.rows,
            };
            changes.log = log::entry(context, &sides, &changes);
        }
        changes
    }

    /// Whether events of a record were a former holder's under one of the models alone.
    fn counts_anew(&self) -> bool {
        self.after.iter().any(|(key, record)| {
            let before = self.before.records.get(key).and_then(Record::reused_since);
            record.has_events && record.reused_since() != before
        })
    }

    /// All pairs of records that are alike after.
    fn pairs(&self, features: &BTreeMap<RecordKey, Features>) -> BTreeMap<alike::Ends, MatchPair> {
        let view = ComparisonView::of(self.after, features, self.models.to);
        let decisions = &self.before.decisions;
        alike::all(&view, decisions, self.models.to, |key| self.profile(key))
    }

    /// The profile of a record after.
    fn profile(&self, key: &RecordKey) -> Option<ProfileId> {
        self.after.get(key)?.membership.profile
    }
}

/// What a model compares: the records that exist, with their features, and the over-shared values.
struct ComparisonView<'a> {
    records: Vec<(&'a Record, &'a Features)>,
    context: Context,
}

impl<'a> ComparisonView<'a> {
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

/// The features of records that exist, by key.
fn features(records: &BTreeMap<RecordKey, Record>, model: &Model) -> BTreeMap<RecordKey, Features> {
    let live = records.values().filter(|record| record.exists());
    live.map(|record| (record.key.clone(), Features::of(record, model)))
        .collect()
}
