//! What customers answered and how they were served, by day: of one customer, or of many together.
//!
//! Courses add up, so a segment's is the sum of its customers', and any window of either is read
//! from the same days.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

use super::{Day, FirstContact, Scale, Share};

/// What happened, by day. A day on which nothing did is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InteractionHistory(BTreeMap<Day, Totals>);

/// What happened in some time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    /// How likely customers recommend us.
    #[serde(skip_serializing_if = "is_default")]
    pub nps: Scores,
    /// How satisfied they are.
    #[serde(skip_serializing_if = "is_default")]
    pub csat: Scores,
    /// How easy it was.
    #[serde(skip_serializing_if = "is_default")]
    pub ces: Scores,
    /// Number of contacts.
    #[serde(skip_serializing_if = "is_default")]
    pub contacts: u64,
    /// Which of them resolved what they were about.
    #[serde(skip_serializing_if = "is_default")]
    pub first_contact: FirstContact,
    /// Purchases, also those of no amount.
    #[serde(skip_serializing_if = "is_default")]
    pub orders: u64,
    /// Promises that were kept, of those that were made.
    #[serde(skip_serializing_if = "is_default")]
    pub kept: Share,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

const MILLION: i64 = 1_000_000;

/// How often each score was given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scores {
    /// Whole ones on the scale.
    pub counts: BTreeMap<i64, u64>,
    /// Those that were brought onto the scale and lie between, in millionths.
    #[serde(default, skip_serializing_if = "is_default")]
    pub between: BTreeMap<i64, u64>,
    /// How many were not: counted, and told, but in no metric.
    pub off_scale: u64,
}

impl Scores {
    /// Adds a score; none: one that is on no scale.
    pub fn add(&mut self, score: Option<Decimal>, scale: Scale) {
        let whole = score.filter(Decimal::is_integer);
        let whole = whole.and_then(|score| score.to_i64());
        let millionths = score.and_then(|score| (score * Decimal::from(MILLION)).to_i64());
        let (least, greatest) = (scale.min() * MILLION, scale.max() * MILLION);
        match (whole, millionths) {
            (Some(score), _) if scale.has(score) => *self.counts.entry(score).or_default() += 1,
            (None, Some(score)) if (least..=greatest).contains(&score) => {
                *self.between.entry(score).or_default() += 1;
            }
            _ => self.off_scale += 1,
        }
    }

    fn merge(&mut self, other: &Self) {
        for (score, count) in &other.counts {
            *self.counts.entry(*score).or_default() += count;
        }
        for (score, count) in &other.between {
            *self.between.entry(*score).or_default() += count;
        }
        self.off_scale += other.off_scale;
    }

    /// Those that lie between whole ones.
    pub fn fractions(&self) -> impl Iterator<Item = (f64, u64)> {
        #[expect(clippy::cast_precision_loss, reason = "scores are small")]
        let score = |millionths: i64| millionths as f64 / MILLION as f64;
        let between = self.between.iter();
        between.map(move |(millionths, count)| (score(*millionths), *count))
    }

    /// Whole ones, score by score.
    pub fn iter(&self) -> impl Iterator<Item = (i64, u64)> {
        self.counts.iter().map(|(score, count)| (*score, *count))
    }
}

impl Totals {
    /// Adds another.
    pub fn merge(&mut self, other: &Self) {
        self.nps.merge(&other.nps);
        self.csat.merge(&other.csat);
        self.ces.merge(&other.ces);
        self.contacts += other.contacts;
        self.first_contact = self.first_contact + other.first_contact;
        self.orders += other.orders;
        self.kept = self.kept + other.kept;
    }
}

impl InteractionHistory {
    /// A day, to be added to.
    pub fn day(&mut self, day: Day) -> &mut Totals {
        self.0.entry(day).or_default()
    }

    /// Adds another.
    pub fn merge(&mut self, other: &Self) {
        for (day, totals) in &other.0 {
            self.day(*day).merge(totals);
        }
    }

    /// What happened on some days.
    #[must_use]
    pub fn within(&self, days: RangeInclusive<Day>) -> Totals {
        let mut sum = Totals::default();
        if !days.is_empty() {
            self.0.range(days).for_each(|(_, totals)| sum.merge(totals));
        }
        sum
    }
}
