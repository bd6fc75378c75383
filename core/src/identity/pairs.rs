//! All pairs of a set that are worth a look: found by common keys, scored.

use std::collections::HashMap;

use super::compare::{MatchDecision, Score, Veto, score};
use super::context::Context;
use super::features::Features;
use super::keys::{BlockingKey, FieldSet, most};
use crate::model::{Matching, Model};
use crate::records::{Record, RecordKey};

/// Two records that may be of one person, or nearly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The lesser key.
    pub left: RecordKey,
    /// The greater key.
    pub right: RecordKey,
    /// The evidence.
    pub millibits: i32,
    /// What comes of it.
    pub verdict: MatchDecision,
    /// What forbids a link.
    pub veto: Option<Veto>,
}

/// All pairs that are to be linked or reviewed, that are a household, or that a veto keeps apart,
/// in order of keys.
#[must_use]
pub fn pairs(all: &[(&Record, &Features)], context: &Context, model: &Model) -> Vec<Pair> {
    let mut sorted = all.to_vec();
    sorted.sort_by(|(a, _), (b, _)| a.key.cmp(&b.key));
    let features: Vec<&Features> = sorted.iter().map(|(_, features)| *features).collect();
    let told = scored(&features, context, model)
        .into_iter()
        .filter_map(|(a, b, score)| {
            let verdict = score.verdict(model);
            let (left, right) = (sorted[a].0.key.clone(), sorted[b].0.key.clone());
            let pair = Pair {
                left,
                right,
                millibits: score.millibits,
                verdict,
                veto: score.veto,
            };
            (verdict != MatchDecision::Different).then_some(pair)
        });
    told.collect()
}

/// The pairs of a set that are compared, in order of keys: those that share a key.
#[must_use]
pub fn candidates<'a>(
    all: &[(&'a Record, &Features)],
    context: &Context,
    model: &Model,
) -> Vec<(&'a RecordKey, &'a RecordKey)> {
    let mut sorted = all.to_vec();
    sorted.sort_by(|(a, _), (b, _)| a.key.cmp(&b.key));
    let features: Vec<&Features> = sorted.iter().map(|(_, features)| *features).collect();
    let found = found(&features, context, &model.matching).into_iter();
    found
        .map(|(a, b, _)| (&sorted[a].0.key, &sorted[b].0.key))
        .collect()
}

/// Every pair that shares a key, with its score, by index in ascending order.
pub(super) fn scored(
    features: &[&Features],
    context: &Context,
    model: &Model,
) -> Vec<(usize, usize, Score)> {
    let weights = &model.matching.weights;
    let pairs = found(features, context, &model.matching);
    pairs
        .into_iter()
        .map(|(a, b, _)| (a, b, score(features[a], features[b], weights, context)))
        .collect()
}

/// Every pair that shares a key, by index in ascending order, with the fields of each key that it
/// shares.
pub(super) fn found(
    features: &[&Features],
    context: &Context,
    matching: &Matching,
) -> Vec<(usize, usize, Vec<FieldSet>)> {
    let mut holders: HashMap<BlockingKey, (FieldSet, Vec<usize>)> = HashMap::new();
    for (index, features) in features.iter().enumerate() {
        let mut keys = features.keys_with_fields();
        keys.dedup_by_key(|(key, _)| *key);
        for (key, fields) in keys.into_iter().filter(|(key, _)| context.finds(*key)) {
            holders
                .entry(key)
                .or_insert_with(|| (fields, Vec::new()))
                .1
                .push(index);
        }
    }
    let mut found: HashMap<(usize, usize), Vec<FieldSet>> = HashMap::new();
    for (fields, holders) in holders
        .into_values()
        .filter(|(fields, holders)| holders.len() <= most(*fields, matching))
    {
        for (place, &a) in holders.iter().enumerate() {
            for &b in &holders[place + 1..] {
                found.entry((a, b)).or_default().push(fields);
            }
        }
    }
    let mut pairs: Vec<_> = found
        .into_iter()
        .map(|((a, b), fields)| (a, b, fields))
        .collect();
    pairs.sort_unstable_by_key(|(a, b, _)| (*a, *b));
    pairs
}
