//! What a customer bought, by day, and the summary that models of buying take.
//!
//! The convention of Fader and Hardie, and of the package `lifetimes`: all purchases of a day are
//! one; the first day is when a customer begins and is not counted as a repeat; time runs from it.
//!
//! Source: P. Fader, B. Hardie, "Creating an RFM summary using Excel" (2008),
//! <http://www.brucehardie.com/notes/022/>.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{RfmValues, float};

/// A day: days since any one day, the same for all that is compared.
pub type Day = i32;

/// Amounts are kept in millionths of a currency unit.
const MICROS: f64 = 1e6;
const DAYS_OF_WEEK: f64 = 7.0;

/// What was spent on a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// How much, in millionths of a currency unit. All of one currency.
    pub micros: i128,
    /// In how many purchases.
    pub purchases: u64,
}

/// What a customer bought, by day. A day on which nothing was bought is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Purchases(BTreeMap<Day, Spent>);

/// How often and how long a customer has bought: all that models of buying know of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Buying {
    frequency: u32,
    recency: u32,
    age: u32,
}

/// Numbers that no purchases come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "frequency {frequency}, recency {recency} days, age {age} days: recency is at most age, frequency at most recency, \
     and recency is 0 only where frequency is 0"
)]
pub struct Impossible {
    /// Number of repeat purchases, as given.
    pub frequency: u32,
    /// Time of the last purchase since the first, as given.
    pub recency: u32,
    /// Time since the first purchase, as given.
    pub age: u32,
}

/// A customer's purchases up to the end of a day.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// How often and how long.
    pub buying: Buying,
    /// The first day with a purchase.
    pub first_day: Day,
    /// Day of the last purchase.
    pub last_day: Day,
    /// What a day with purchases was worth on average, in currency units, the first left out. None
    /// where there is no other.
    pub monetary_value: Option<f64>,
    /// The median of the days from each day with a purchase to the next. None where there was one
    /// day only.
    pub median_gap: Option<f64>,
}

impl Buying {
    /// From numbers that are there already.
    ///
    /// # Errors
    /// [`Impossible`]: no purchases come to that.
    pub fn new(frequency: u32, recency: u32, age: u32) -> Result<Self, Impossible> {
        if recency > age || frequency > recency || (frequency == 0 && recency > 0) {
            return Err(Impossible {
                frequency,
                recency,
                age,
            });
        }
        Ok(Self {
            frequency,
            recency,
            age,
        })
    }

    /// On how many days after the first something was bought: x.
    #[must_use]
    pub fn frequency(self) -> u32 {
        self.frequency
    }

    /// Weeks from the first purchase to the last: `t_x`.
    #[must_use]
    pub fn recency_weeks(self) -> f64 {
        f64::from(self.recency) / DAYS_OF_WEEK
    }

    /// Weeks from the first purchase to the end: T.
    #[must_use]
    pub fn age_weeks(self) -> f64 {
        f64::from(self.age) / DAYS_OF_WEEK
    }

    /// Days from the last purchase to the end.
    #[must_use]
    pub fn days_since_last(self) -> u32 {
        self.age - self.recency
    }
}

impl FromIterator<(Day, Spent)> for Purchases {
    /// A day may come more than once; what it says is added up.
    fn from_iter<I: IntoIterator<Item = (Day, Spent)>>(days: I) -> Self {
        let mut all: BTreeMap<Day, Spent> = BTreeMap::new();
        for (day, spent) in days {
            let sum = all.entry(day).or_default();
            sum.micros = sum.micros.saturating_add(spent.micros);
            sum.purchases = sum.purchases.saturating_add(spent.purchases);
        }
        all.retain(|_, spent| spent.purchases > 0);
        Self(all)
    }
}

impl Purchases {
    /// What was bought up to and with a day, in short; none: nothing.
    #[must_use]
    pub fn summary(&self, end: Day) -> Option<Summary> {
        let days = self.0.range(..=end);
        let (&first_day, _) = days.clone().next()?;
        let (&last_day, _) = days.clone().next_back()?;
        let repeats = days.clone().skip(1).map(|(_, spent)| spent.micros);
        let frequency = u32::try_from(repeats.clone().count()).unwrap_or(u32::MAX);
        let total = repeats.fold(0_i128, i128::saturating_add);
        let gaps = days
            .clone()
            .zip(days.skip(1))
            .map(|((day, _), (next, _))| next.abs_diff(*day))
            .collect();
        Some(Summary {
            buying: Buying {
                frequency,
                recency: last_day.abs_diff(first_day),
                age: end.abs_diff(first_day),
            },
            first_day,
            last_day,
            monetary_value: (frequency > 0).then(|| units(total) / f64::from(frequency)),
            median_gap: median(gaps),
        })
    }

    /// What RFM scores are given for, of the purchases up to and with a day; none: nothing was
    /// bought.
    #[must_use]
    pub fn rfm(&self, end: Day) -> Option<RfmValues> {
        let days = self.0.range(..=end);
        let (&last_day, _) = days.clone().next_back()?;
        Some(RfmValues {
            days_since_last: end.abs_diff(last_day),
            purchases: days
                .clone()
                .map(|(_, spent)| spent.purchases)
                .fold(0, u64::saturating_add),
            micros: days
                .map(|(_, spent)| spent.micros)
                .fold(0, i128::saturating_add),
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "an average is told as a float")]
fn units(micros: i128) -> f64 {
    micros as f64 / MICROS
}

fn median(mut values: Vec<u32>) -> Option<f64> {
    values.sort_unstable();
    let upper = *values.get(values.len() / 2)?;
    let lower = values[(values.len() - 1) / 2];
    Some(float(u64::from(upper) + u64::from(lower)) / 2.0)
}
