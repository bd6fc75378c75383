//! Recency, frequency and monetary value as scores from 1 to 5, by quintiles of a population.
//!
//! The limits between scores are computed of a population once; a customer's scores follow from the
//! limits alone. Equal values have equal scores, so where many values are equal some scores are
//! given to nobody.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a customer is scored for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RfmValues {
    /// Days since the last purchase.
    pub days_since_last: u32,
    /// How many purchases.
    pub purchases: u64,
    /// What they came to, in millionths of a currency unit.
    pub micros: i128,
}

/// From 1 to 5, 5 being best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RfmScores {
    /// 5: bought most recently.
    pub recency: u8,
    /// 5: bought most often.
    pub frequency: u8,
    /// 5: spent most.
    pub monetary: u8,
}

impl fmt::Display for RfmScores {
    /// As in `555`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.recency, self.frequency, self.monetary)
    }
}

/// The limits between the fifths of a population: each is the least value that so many fifths do
/// not exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quintiles<T>([T; 4]);

impl<T: Ord + Copy> Quintiles<T> {
    /// Of a population; none of nobody.
    #[must_use]
    pub fn of(mut values: Vec<T>) -> Option<Self> {
        values.sort_unstable();
        let last = values.len().checked_sub(1)?;
        let limit = |fifths: usize| {
            values[(values.len() * fifths)
                .div_ceil(5)
                .saturating_sub(1)
                .min(last)]
        };
        Some(Self([limit(1), limit(2), limit(3), limit(4)]))
    }

    /// From 1 for the lowest fifth to 5 for the highest.
    #[must_use]
    pub fn score(&self, value: T) -> u8 {
        self.0
            .iter()
            .fold(1, |score, limit| score + u8::from(value > *limit))
    }
}

/// The limits between scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RfmScale {
    /// Of the days since the last purchase: the fewer, the higher the score.
    pub days_since_last: Quintiles<u32>,
    /// Of the number of purchases.
    pub purchases: Quintiles<u64>,
    /// Of what they came to.
    pub micros: Quintiles<i128>,
}

impl RfmScale {
    /// Of a population; none of nobody.
    ///
    /// # Examples
    /// ```
    /// use profile_core::analytics::{RfmScale, RfmValues};
    ///
    /// let customer = |rank: u32| RfmValues {
    ///     days_since_last: 100 - rank,
    ///     purchases: rank.into(),
    ///     micros: i128::from(rank) * 10_000_000,
    /// };
    /// let population: Vec<RfmValues> = (1..=50).map(customer).collect();
    /// let scale = RfmScale::of(&population).expect("somebody");
    /// assert_eq!(scale.scores(customer(50)).to_string(), "555");
    /// assert_eq!(scale.scores(customer(1)).to_string(), "111");
    /// ```
    #[must_use]
    pub fn of(population: &[RfmValues]) -> Option<Self> {
        Some(Self {
            days_since_last: Quintiles::of(
                population
                    .iter()
                    .map(|values| values.days_since_last)
                    .collect(),
            )?,
            purchases: Quintiles::of(population.iter().map(|values| values.purchases).collect())?,
            micros: Quintiles::of(population.iter().map(|values| values.micros).collect())?,
        })
    }

    /// The scores of a customer, who need not be of the population.
    #[must_use]
    pub fn scores(&self, customer: RfmValues) -> RfmScores {
        RfmScores {
            recency: 6 - self.days_since_last.score(customer.days_since_last),
            frequency: self.purchases.score(customer.purchases),
            monetary: self.micros.score(customer.micros),
        }
    }
}
