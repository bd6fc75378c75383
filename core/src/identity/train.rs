//! Learns weights from records without labels.
//!
//! - **u** from random pairs, which are almost all of two people.
//! - **m** by expectation and maximisation over the pairs that match keys find, with u fixed. A
//!   field does not learn from pairs that were found by keys of that field alone: they agree in it
//!   because they were looked for so.
//! - Pairs that a veto keeps apart are of two people: or else *lives in the same house* would be
//!   learned as *is the same person*.
//! - The shipped weights are the prior, worth a number of pairs: a small set changes little.
//! - A level that agrees less is not worth more than one that agrees better.
//! - **Placeholders** are values that far more people have than can be.
//! - **Frequencies** count each value of a name or town once for each group of records that are
//!   alike, not for each record: duplicates make a value no more common among people.
//!
//! The same records in any order give the same weights.

mod frequency;
mod report;
mod sample;

use std::collections::BTreeMap;

pub use report::Report;

use super::compare::{Score, score};
use super::context::Context;
use super::features::Features;
use super::keys::{FieldSet, bit};
use super::pairs::found;
use crate::model::Model;
use crate::model::matching::{AgreementLevel, Field, LearnedFrom, MuProbability, Subject, Weights};
use crate::records::Record;

/// What came of training.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The weights.
    pub weights: Weights,
    /// How they came about.
    pub report: Report,
}

/// How far training is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Random pairs are compared: so many.
    Sampling(usize),
    /// Pairs that share a key are compared: so many.
    Comparing(usize),
    /// This round of expectation and maximisation.
    Round(usize),
}

/// How many random pairs tell how often two people agree.
const RANDOM_PAIRS: usize = 1_000_000;
/// Rounds of expectation and maximisation; more change little.
const ROUNDS: usize = 8;
/// As many pairs of one person the shipped chances count for.
const PRIOR_MATCHES: f64 = 400.0;
/// As many random pairs they count for.
const PRIOR_RANDOM: f64 = 100_000.0;

/// Trains weights on records, with the features made by the same model.
#[must_use]
pub fn train(
    records: &[(&Record, &Features)],
    context: &Context,
    model: &Model,
    subject: Subject,
    progress: &mut dyn FnMut(Progress),
) -> Trained {
    let shipped = Weights::shipped();
    let mut sorted = records.to_vec();
    sorted.sort_by(|(a, _), (b, _)| a.key.cmp(&b.key));
    let all: Vec<&Features> = sorted.iter().map(|(_, features)| *features).collect();
    let pairs = found(&all, context, &model.matching);
    progress(Progress::Comparing(pairs.len()));
    let scored: Vec<Learned> = pairs
        .into_iter()
        .map(|(a, b, fields)| Learned {
            pair: (a, b),
            score: score(all[a], all[b], &shipped, context),
            fields,
        })
        .collect();
    let people = frequency::People::of(&all, &scored, model);
    let weights = shipped.with_frequencies(people.frequencies(&all, &shipped));
    let (weights, matches) = match subject {
        Subject::Frequencies => {
            let (_, matches) = expect(&scored, &all, &weights, context);
            let prior = prior(matches, all.len(), MIN_RECORDS_OF_FREQUENCIES);
            (weights.with_prior(prior), matches)
        }
        Subject::Everything => {
            progress(Progress::Sampling(RANDOM_PAIRS));
            let random = sample::random_levels(&all, &shipped, context, RANDOM_PAIRS);
            maximise(&scored, &all, &random, weights, context, progress)
        }
    };
    let origin = LearnedFrom {
        subject,
        records: records.len(),
    };
    let weights = weights
        .with_placeholders(people.placeholders(&all))
        .with_origin(origin);
    let report = Report::new(records.len(), scored.len(), matches, &weights);
    Trained { weights, report }
}

/// How often records agree: u from random pairs, m by expectation and maximisation.
fn maximise(
    scored: &[Learned],
    all: &[&Features],
    random: &Counts,
    mut weights: Weights,
    context: &Context,
    progress: &mut dyn FnMut(Progress),
) -> (Weights, f64) {
    let shipped = Weights::shipped();
    let u = shares(
        random,
        |field| chances(&shipped, field, |chance| chance.u),
        PRIOR_RANDOM,
    );
    weights = combine(&shipped, &u, None, weights.frequencies().clone());
    let mut matches = 0.0;
    for round in 1..=ROUNDS {
        progress(Progress::Round(round));
        let (counts, sum) = expect(scored, all, &weights, context);
        matches = sum;
        let m = shares(
            &counts,
            |field| chances(&shipped, field, |chance| chance.m),
            PRIOR_MATCHES,
        );
        weights = combine(&shipped, &u, Some(&m), weights.frequencies().clone());
        weights = weights.with_prior(prior(matches, all.len(), MIN_RECORDS));
    }
    (weights, matches)
}

/// A set grows, and what is learned from a small one is used on it when it has grown: the odds are
/// those of this many records at least.
const MIN_RECORDS: f64 = 10_000.0;
/// The same where only frequencies are learned. How often records agree is general knowledge then,
/// so doubt is greater: on labelled sets a lesser number found more pairs and joined twice as many
/// wrongly.
const MIN_RECORDS_OF_FREQUENCIES: f64 = 200_000.0;

/// The odds that two records are of one person, in millibits, among `least` records or more.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a logarithm is small"
)]
fn prior(matches: f64, records: usize, least: f64) -> i32 {
    let records = records as f64;
    let each = 2.0 * matches.max(1.0) / records.max(1.0);
    ((each / records.max(least)).log2() * 1_000.0) as i32
}

/// A pair that is learned from.
pub(super) struct Learned {
    pair: (usize, usize),
    score: Score,
    fields: Vec<FieldSet>,
}

/// How often each level of each field was met.
type Counts = [[f64; AgreementLevel::COUNT]; Field::ALL.len()];

fn expect(
    pairs: &[Learned],
    all: &[&Features],
    weights: &Weights,
    context: &Context,
) -> (Counts, f64) {
    let mut counts: Counts = [[0.0; AgreementLevel::COUNT]; Field::ALL.len()];
    let mut sum = 0.0;
    for learned in pairs {
        let (a, b) = learned.pair;
        let score = score(all[a], all[b], weights, context);
        let likely = if score.veto.is_some() {
            0.0
        } else {
            probability(score.millibits)
        };
        if likely < 0.001 {
            continue;
        }
        sum += likely;
        for field in Field::ALL {
            let level = score.level(field);
            let independent = learned.fields.iter().any(|fields| fields & bit(field) == 0);
            if level != AgreementLevel::Missing && independent {
                counts[field as usize][level as usize] += likely;
            }
        }
    }
    (counts, sum)
}

/// The probability of odds in millibits.
fn probability(millibits: i32) -> f64 {
    1.0 / (1.0 + (-f64::from(millibits) / 1_000.0).exp2())
}

fn chances(
    weights: &Weights,
    field: Field,
    part: impl Fn(&MuProbability) -> u64,
) -> BTreeMap<AgreementLevel, f64> {
    let levels = weights.chances().get(&field).into_iter().flatten();
    levels
        .map(|(level, chance)| (*level, to_share(part(chance))))
        .collect()
}

const WHOLE: f64 = 1e9;

#[expect(clippy::cast_precision_loss, reason = "parts per thousand million fit")]
fn to_share(parts: u64) -> f64 {
    parts as f64 / WHOLE
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share is between 0 and 1"
)]
fn to_parts(share: f64) -> u64 {
    ((share * WHOLE).round() as u64).max(1)
}

/// Counts and what is known before, in shares.
fn shares(
    counts: &Counts,
    known: impl Fn(Field) -> BTreeMap<AgreementLevel, f64>,
    worth: f64,
) -> BTreeMap<Field, BTreeMap<AgreementLevel, f64>> {
    let of = |field: Field| {
        let known = known(field);
        let total: f64 = counts[field as usize].iter().sum();
        let share = |level: AgreementLevel, known: f64| {
            (counts[field as usize][level as usize] + known * worth) / (total + worth)
        };
        known
            .into_iter()
            .map(|(level, known)| (level, share(level, known)))
            .collect()
    };
    Field::ALL
        .into_iter()
        .map(|field| (field, of(field)))
        .collect()
}

/// Weights from shares; m as shipped where none is given yet.
fn combine(
    shipped: &Weights,
    u: &BTreeMap<Field, BTreeMap<AgreementLevel, f64>>,
    m: Option<&BTreeMap<Field, BTreeMap<AgreementLevel, f64>>>,
    frequencies: BTreeMap<Field, crate::model::matching::Frequencies>,
) -> Weights {
    let mut chances = shipped.chances().clone();
    for (field, levels) in &mut chances {
        for (level, chance) in levels.iter_mut() {
            chance.u = to_parts(u[field][level]);
            if let Some(m) = m {
                chance.m = to_parts(m[field][level]);
            }
        }
        monotone(levels);
    }
    Weights::new(shipped.prior(), chances, frequencies, BTreeMap::new())
}

/// No level is worth more than exact agreement, none less than none: where the data say so, they
/// are few.
fn monotone(levels: &mut BTreeMap<AgreementLevel, MuProbability>) {
    let ratio = |chance: &MuProbability| to_share(chance.m) / to_share(chance.u);
    let (Some(exact), Some(different)) = (
        levels.get(&AgreementLevel::Exact).map(ratio),
        levels.get(&AgreementLevel::Different).map(ratio),
    ) else {
        return;
    };
    for (level, chance) in levels.iter_mut() {
        if !matches!(level, AgreementLevel::Exact | AgreementLevel::Different) {
            let bounded = ratio(chance).clamp(different.min(exact), exact);
            chance.m = to_parts(to_share(chance.u) * bounded);
        }
    }
}
