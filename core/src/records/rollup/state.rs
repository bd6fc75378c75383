//! What is kept for one definition, and what it answers.

mod answer;
mod days;
mod objects;
mod size;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use objects::{KnownObject, MAX_OBJECTS, Objects};

use super::{Bucket, Buckets, Distinct};
use crate::records::{Timestamp, Value};

/// How many different values of a record are counted one by one for `most_frequent`; what comes
/// beyond is counted together.
pub const MAX_VALUES: usize = 256;

/// What is told of many events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    /// How many there were.
    Count,
    /// The sum of their values.
    Sum,
    /// The least value.
    Min,
    /// The greatest value.
    Max,
    /// The mean of their values.
    Average,
    /// The value of the first.
    First,
    /// The value of the last.
    Last,
    /// The value that most of them have; more than one: a list of so many, most frequent first.
    MostFrequent(u8),
    /// How many different values they have.
    Distinct,
    /// How many days ago the last one was, by the calendar.
    DaysSince,
    /// The objects that they tell of, each as it is now. Metrics read it; it answers nothing.
    Objects,
}

/// What is kept for one definition. A commutative monoid under [`merge`](State::merge).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum State {
    /// How many events.
    #[serde(rename = "c")]
    Count(Buckets<u64>),
    /// Sums of values.
    #[serde(rename = "s")]
    Amount(Buckets<Amount>),
    /// The least and the greatest value.
    #[serde(rename = "m")]
    Extremes(Buckets<(Value, Value)>),
    /// The first and the last event with its value.
    #[serde(rename = "e")]
    Ends(Buckets<(Placed, Placed)>),
    /// How often each value came.
    #[serde(rename = "v")]
    Values(Values),
    /// Different values.
    #[serde(rename = "d")]
    Distinct(Distinct),
    /// The time of the last event.
    #[serde(rename = "l")]
    Latest(Option<Timestamp>),
    /// Objects by id.
    #[serde(rename = "o")]
    Objects(Objects),
}

/// A sum of numbers, exact: in millionths, so that no order of adding makes a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(into = "(String, u32, u64)", try_from = "(String, u32, u64)")]
pub struct Amount {
    millionths: i128,
    /// How many digits after the point the values were written with, at most 6.
    scale: u32,
    count: u64,
}

/// A value with its place in time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Placed(pub Timestamp, pub String, pub String, pub Value);

/// How often each value came.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Values {
    #[serde(rename = "n", with = "counted")]
    counts: BTreeMap<Value, Buckets<u64>>,
    /// How many came of values beyond those that are counted one by one.
    #[serde(rename = "o", default, skip_serializing_if = "is_zero")]
    others: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What a state answers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// The value; none: nothing happened that would have one.
    pub value: Option<Value>,
    /// It is an estimate.
    pub approximate: bool,
    /// When time alone may change it; none: never.
    pub until: Option<Timestamp>,
}

const MILLIONTHS: u32 = 6;

impl Amount {
    /// A number, rounded to six digits after the point; none: the value is no number.
    #[must_use]
    pub fn of(value: &Value) -> Option<Self> {
        let (millionths, scale) = match value {
            Value::Int(number) => (i128::from(*number) * 1_000_000, 0),
            Value::Decimal(number) => {
                let rounded = number.round_dp(MILLIONTHS);
                let scale = rounded.scale();
                (
                    rounded
                        .mantissa()
                        .checked_mul(10_i128.pow(MILLIONTHS - scale))?,
                    scale,
                )
            }
            _ => return None,
        };
        Some(Self {
            millionths,
            scale,
            count: 1,
        })
    }

    /// The two together.
    pub fn add(&mut self, other: Self) {
        self.millionths = self.millionths.saturating_add(other.millionths);
        self.scale = self.scale.max(other.scale);
        self.count += other.count;
    }

    /// The sum in millionths.
    #[must_use]
    pub fn millionths(self) -> i128 {
        self.millionths
    }

    /// How many numbers were added.
    #[must_use]
    pub fn count(self) -> u64 {
        self.count
    }

    /// The sum, with as many digits after the point as the values had.
    #[must_use]
    pub fn total(self) -> Value {
        let mut total = decimal(self.millionths);
        total.rescale(self.scale);
        if self.scale == 0 {
            i64::try_from(self.millionths / 1_000_000).map_or(Value::Decimal(total), Value::Int)
        } else {
            Value::Decimal(total)
        }
    }

    /// The mean; none: of nothing.
    #[must_use]
    pub fn mean(self) -> Option<Value> {
        let mean = decimal(self.millionths).checked_div(Decimal::from(self.count))?;
        Some(Value::Decimal(mean.round_dp(MILLIONTHS).normalize()))
    }
}

/// Beyond 28 digits the last ones go.
fn decimal(millionths: i128) -> Decimal {
    Decimal::try_from_i128_with_scale(millionths, MILLIONTHS)
        .or_else(|_| Decimal::try_from_i128_with_scale(millionths / 1_000_000, 0))
        .unwrap_or(if millionths < 0 {
            Decimal::MIN
        } else {
            Decimal::MAX
        })
}

impl From<Amount> for (String, u32, u64) {
    fn from(amount: Amount) -> Self {
        (amount.millionths.to_string(), amount.scale, amount.count)
    }
}

impl TryFrom<(String, u32, u64)> for Amount {
    type Error = std::num::ParseIntError;

    fn try_from((millionths, scale, count): (String, u32, u64)) -> Result<Self, Self::Error> {
        Ok(Self {
            millionths: millionths.parse()?,
            scale: scale.min(MILLIONTHS),
            count,
        })
    }
}

/// Numbers of one kind, so that greater ones come after lesser ones.
fn comparable(value: &Value) -> Value {
    match value {
        Value::Int(number) => Value::Decimal(Decimal::from(*number)),
        other => other.clone(),
    }
}

/// Numbers in one form, so that those that are equal are one value.
fn one_form(value: &Value) -> Value {
    match comparable(value) {
        Value::Decimal(number) => Value::Decimal(number.normalize()),
        other => other,
    }
}

/// A number as a reader expects it: whole where it has no digits after the point.
fn plain(value: &Value) -> Value {
    match value {
        Value::Decimal(number) if number.scale() == 0 => {
            i64::try_from(*number).map_or_else(|_| value.clone(), Value::Int)
        }
        other => other.clone(),
    }
}

fn extremes(sum: &mut (Value, Value), other: (Value, Value)) {
    if other.0 < sum.0 {
        sum.0 = other.0;
    }
    if other.1 > sum.1 {
        sum.1 = other.1;
    }
}

fn ends(sum: &mut (Placed, Placed), other: (Placed, Placed)) {
    if other.0 < sum.0 {
        sum.0 = other.0;
    }
    if other.1 > sum.1 {
        sum.1 = other.1;
    }
}

impl Values {
    fn add(&mut self, bucket: Bucket, value: Value) {
        if self.counts.len() >= MAX_VALUES && !self.counts.contains_key(&value) {
            self.others += 1;
            return;
        }
        self.counts
            .entry(value)
            .or_default()
            .add(bucket, 1, |sum, one| *sum += one);
    }

    fn merge(&mut self, other: &Self) {
        for (value, buckets) in &other.counts {
            self.counts
                .entry(value.clone())
                .or_default()
                .merge(buckets, |sum, more| *sum += more);
        }
        self.others += other.others;
    }

    /// How often each value came in a range, in order of value.
    pub fn counts(&self, range: &Range<Bucket>) -> impl Iterator<Item = (Value, u64)> {
        let counted =
            |(value, buckets): (&Value, &Buckets<u64>)| (plain(value), sum(buckets, range));
        self.counts
            .iter()
            .map(counted)
            .filter(|(_, count)| *count > 0)
    }

    /// The most frequent values, the lesser first where they came equally often.
    fn most_frequent(&self, range: &Range<Bucket>) -> Vec<Value> {
        let mut counts: Vec<(Value, u64)> = self.counts(range).collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts.into_iter().map(|(value, _)| value).collect()
    }
}

fn sum(buckets: &Buckets<u64>, range: &Range<Bucket>) -> u64 {
    buckets.within(range).map(|(_, count)| count).sum()
}

impl State {
    /// That of no event.
    #[must_use]
    pub fn empty(aggregate: Aggregate) -> Self {
        match aggregate {
            Aggregate::Count => Self::Count(Buckets::default()),
            Aggregate::Sum | Aggregate::Average => Self::Amount(Buckets::default()),
            Aggregate::Min | Aggregate::Max => Self::Extremes(Buckets::default()),
            Aggregate::First | Aggregate::Last => Self::Ends(Buckets::default()),
            Aggregate::MostFrequent(_) => Self::Values(Values::default()),
            Aggregate::Distinct => Self::Distinct(Distinct::default()),
            Aggregate::DaysSince => Self::Latest(None),
            Aggregate::Objects => Self::Objects(Objects::default()),
        }
    }

    /// Adds a value of an event; to a count, the event itself.
    pub fn add(&mut self, bucket: Bucket, at: (Timestamp, &str, &str), value: &Value) {
        match self {
            Self::Count(buckets) => buckets.add(bucket, 1, |sum, one| *sum += one),
            Self::Amount(buckets) => {
                if let Some(amount) = Amount::of(value) {
                    buckets.add(bucket, amount, Amount::add);
                }
            }
            Self::Extremes(buckets) => {
                buckets.add(bucket, (comparable(value), comparable(value)), extremes);
            }
            Self::Ends(buckets) => {
                let placed = Placed(at.0, at.1.to_owned(), at.2.to_owned(), value.clone());
                buckets.add(bucket, (placed.clone(), placed), ends);
            }
            Self::Values(values) => values.add(bucket, one_form(value)),
            Self::Distinct(distinct) => distinct.add(bucket, &one_form(value)),
            Self::Latest(latest) => *latest = Some(latest.map_or(at.0, |latest| latest.max(at.0))),
            // An object is more than a value.
            Self::Objects(_) => {}
        }
    }

    /// Adds all of another state of the same definition.
    pub fn merge(&mut self, other: &Self) {
        match (self, other) {
            (Self::Count(sum), Self::Count(other)) => sum.merge(other, |sum, more| *sum += more),
            (Self::Amount(sum), Self::Amount(other)) => sum.merge(other, Amount::add),
            (Self::Extremes(sum), Self::Extremes(other)) => sum.merge(other, extremes),
            (Self::Ends(sum), Self::Ends(other)) => sum.merge(other, ends),
            (Self::Values(sum), Self::Values(other)) => sum.merge(other),
            (Self::Distinct(sum), Self::Distinct(other)) => sum.merge(other),
            (Self::Latest(sum), Self::Latest(other)) => *sum = (*sum).max(*other),
            (Self::Objects(sum), Self::Objects(other)) => sum.merge(other),
            // Definitions that keep something else have another id.
            (_, _) => {}
        }
    }

    /// Drops what is before a bucket.
    pub(crate) fn drop_before(&mut self, bucket: Bucket) {
        match self {
            Self::Count(buckets) => buckets.drop_before(bucket),
            Self::Amount(buckets) => buckets.drop_before(bucket),
            Self::Extremes(buckets) => buckets.drop_before(bucket),
            Self::Ends(buckets) => buckets.drop_before(bucket),
            Self::Values(values) => values.counts.retain(|_, buckets| {
                buckets.drop_before(bucket);
                !buckets.is_empty()
            }),
            Self::Distinct(distinct) => distinct.drop_before(bucket),
            Self::Latest(_) | Self::Objects(_) => {}
        }
    }

    /// The first bucket from one on in which something happened.
    fn first_from(&self, bucket: Bucket) -> Option<Bucket> {
        fn first<S>(buckets: &Buckets<S>, from: Bucket) -> Option<Bucket> {
            buckets
                .within(&(from..Bucket::MAX))
                .next()
                .map(|(bucket, _)| bucket)
        }
        match self {
            Self::Count(buckets) => first(buckets, bucket),
            Self::Amount(buckets) => first(buckets, bucket),
            Self::Extremes(buckets) => first(buckets, bucket),
            Self::Ends(buckets) => first(buckets, bucket),
            Self::Values(values) => values
                .counts
                .values()
                .filter_map(|buckets| first(buckets, bucket))
                .min(),
            Self::Distinct(distinct) => distinct.first_from(bucket),
            Self::Latest(_) | Self::Objects(_) => None,
        }
    }
}

/// The values of a list, or the one value.
#[must_use]
pub fn each(value: Value) -> Vec<Value> {
    match value {
        Value::List(values) => values
            .into_iter()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
        one => vec![one],
    }
}

/// A map whose keys are values, as a list.
mod counted {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Buckets, Value};

    type Counts = BTreeMap<Value, Buckets<u64>>;

    pub(super) fn serialize<S: Serializer>(
        counts: &Counts,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(counts.iter())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Counts, D::Error> {
        Ok(Vec::<(Value, Buckets<u64>)>::deserialize(deserializer)?
            .into_iter()
            .collect())
    }
}
