//! Which records are alike, over everything: the rows of pairs as they must be.

use std::collections::BTreeMap;

use profile_core::identity::{Context, Decision, DecisionKind, Features, MatchDecision, Pair, pairs};
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
    let apart = CannotLink::of(decisions);
    let row = |pair: Pair| {
        let one = profile(&pair.left) == profile(&pair.right);
        let alike = matches!(pair.verdict, MatchDecision::Review | MatchDecision::Link);
        let queued = alike && !one && !apart.has(&pair.left, &pair.right);
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
    pairs(records, context, model).into_iter().map(row).collect()
}

/// Who was decided to be different people.
struct CannotLink<'a>(BTreeMap<&'a RecordKey, Vec<(usize, bool)>>);

impl<'a> CannotLink<'a> {
    fn of(decisions: &'a [Decision]) -> Self {
        let mut sides: BTreeMap<&RecordKey, Vec<(usize, bool)>> = BTreeMap::new();
        let kept = decisions.iter().filter(|decision| decision.kind == DecisionKind::CannotLink);
        for (number, decision) in kept.enumerate() {
            let left = decision.left.iter().map(|key| (key, true));
            for (key, is_left) in left.chain(decision.right.iter().map(|key| (key, false))) {
                sides.entry(key).or_default().push((number, is_left));
            }
        }
        Self(sides)
    }

    fn has(&self, a: &RecordKey, b: &RecordKey) -> bool {
        let (Some(of_a), Some(of_b)) = (self.0.get(a), self.0.get(b)) else { return false };
        of_a.iter().any(|(number, is_left)| of_b.contains(&(*number, !is_left)))
    }
}

/// The rows that go, and those that are new or changed.
pub(super) fn difference(
    stored: &BTreeMap<Ends, MatchPair>,
    now: BTreeMap<Ends, MatchPair>,
) -> (Vec<MatchPair>, Vec<MatchPair>) {
    let removed = stored.iter().filter(|(ends, _)| !now.contains_key(*ends)).map(|(_, pair)| pair.clone()).collect();
    let changed = now.into_iter().filter(|(ends, pair)| stored.get(ends) != Some(pair)).map(|(_, pair)| pair);
    (removed, changed.collect())
}
