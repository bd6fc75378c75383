//! The pairs of records that are alike, among all of a tenant.

use std::collections::BTreeMap;

use profile_core::identity::{Decision, MatchDecision, Separations, pairs};
use profile_core::model::Model;
use profile_core::records::{ProfileId, RecordKey};

use super::ComparisonView;
use crate::store::MatchPair;

/// Two records, lesser key first.
pub(super) type Ends = (RecordKey, RecordKey);

/// All pairs of records that are alike. `profile` is the profile of a record.
pub(super) fn all(
    view: &ComparisonView<'_>,
    decisions: &[Decision],
    model: &Model,
    profile: impl Fn(&RecordKey) -> Option<ProfileId>,
) -> BTreeMap<Ends, MatchPair> {
    let separations = Separations::of(decisions);
    let mut rows = BTreeMap::new();
    for pair in pairs(&view.records, &view.context, model) {
        let (left, right) = (pair.left, pair.right);
        let alike = matches!(pair.verdict, MatchDecision::Review | MatchDecision::Link);
        let queued =
            alike && profile(&left) != profile(&right) && !separations.separate(&left, &right);
        let row = MatchPair {
            left: left.clone(),
            right: right.clone(),
            verdict: pair.verdict,
            millibits: pair.millibits,
            queued,
        };
        rows.insert((left, right), row);
    }
    rows
}

/// The stored rows that are no longer pairs, and the rows that are new or changed.
pub(super) fn difference(
    stored: &BTreeMap<Ends, MatchPair>,
    now: BTreeMap<Ends, MatchPair>,
) -> (Vec<MatchPair>, Vec<MatchPair>) {
    let removed = stored
        .iter()
        .filter(|(ends, _)| !now.contains_key(*ends))
        .map(|(_, pair)| pair.clone())
        .collect();
    let changed = now
        .into_iter()
        .filter(|(ends, pair)| stored.get(ends) != Some(pair))
        .map(|(_, pair)| pair);
    (removed, changed.collect())
}
