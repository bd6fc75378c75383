//! Which records are alike, over everything: the rows of pairs as they must be.

use std::collections::BTreeMap;

use profile_core::identity::{
    Context, Decision, Features, MatchDecision, Pair, Separations, pairs,
};
use profile_core::model::Model;
use profile_core::records::{ProfileId, Record, RecordKey};

use crate::store::MatchPair;

/// Two records, lesser key first.
pub(super) type Ends = (RecordKey, RecordKey);

/// All pairs that are to be kept. `profile` tells where a record is.
pub(super) fn all(
    records: &[(&Record, &Features)],
    context: &Context,
    decisions: &[Decision],
    model: &Model,
    profile: impl Fn(&RecordKey) -> Option<ProfileId>,
) -> BTreeMap<Ends, MatchPair> {
    let separations = Separations::of(decisions);
    let row = |pair: Pair| {
        let one = profile(&pair.left) == profile(&pair.right);
        let alike = matches!(pair.verdict, MatchDecision::Review | MatchDecision::Link);
        let queued = alike && !one && !separations.separate(&pair.left, &pair.right);
        let (left, right) = (pair.left, pair.right);
        let row = MatchPair {
            left: left.clone(),
            right: right.clone(),
            verdict: pair.verdict,
            millibits: pair.millibits,
            queued,
        };
        ((left, right), row)
    };
    pairs(records, context, model)
        .into_iter()
        .map(row)
        .collect()
}

/// The rows that go, and those that are new or changed.
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
