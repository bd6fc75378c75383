//! Metrics of customer experience: what customers buy, how likely they buy again, what they think,
//! how they are served.
//!
//! Pure functions of plain numbers. Days are numbers, counted from any one day; nothing here knows
//! what day it is. What a metric is computed from, and of which window, is the caller's to choose
//! and to tell. Where there is nothing to compute from there is no value, never zero.
//!
//! - [`Purchases`]: what was bought by day, and [`Buying`], what models of buying need to know of
//!   it.
//! - [`BgNbd`]: purchases to come, and whether a customer is still there; [`GammaGamma`]: what a
//!   purchase is worth; [`lifetime_value`]: both over months. They are fitted to a population once
//!   and asked for each customer.
//! - [`ChurnSignal`], [`RfmScale`]: the same history as simple signals.
//! - [`InteractionHistory`]: what customers answered and how they were served by day, of one or of
//!   many.
//! - [`nps`], [`csat`], [`ces`]: surveys. [`FirstContact`], [`Share`]: service.

mod bg_nbd;
mod churn;
mod course;
mod gamma_gamma;
mod minimise;
mod purchases;
mod rfm;
mod service;
mod survey;

pub use bg_nbd::BgNbd;
pub use churn::ChurnSignal;
pub use course::{InteractionHistory, Scores, Totals};
pub use gamma_gamma::{GammaGamma, Horizon, lifetime_value};
pub use purchases::{Buying, Day, Impossible, Purchases, Spent, Summary};
pub use rfm::{Quintiles, RfmScale, RfmScores, RfmValues};
pub use service::{FirstContact, contacts_per_order};
pub use survey::{Ces, Csat, Nps, NpsClass, Scale, SurveyError, ces, ces_of, csat, csat_of, nps};

use serde::{Deserialize, Serialize};

/// A model fitted to a population.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Fit<M> {
    /// The fitted model.
    pub model: M,
    /// How many customers it was fitted to.
    pub customers: u64,
    /// How well it fits them: the natural logarithm of their likelihood, summed.
    pub ln_likelihood: f64,
}

/// Why a model could not be fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FitError {
    /// Too few customers bought again for their parameters to mean anything.
    #[error("{found} customers bought on more than one day; at least {MIN_REPEATERS} are needed")]
    TooFew {
        /// How many did.
        found: u64,
    },
    /// The amounts are so uneven that they have no mean under the model.
    #[error("the amounts have no mean: a few are worth far more than all others (q is at most 1)")]
    NoMean,
    /// No best parameters were found.
    #[error("the fit did not converge")]
    Diverged,
}

/// A model is fitted to no fewer customers with repeat purchases: eight for each of four
/// parameters.
pub const MIN_REPEATERS: u64 = 32;

/// A part of a whole, such as deliveries that were on time. Shares of customers add up to that of a
/// segment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// How many of them.
    pub part: u64,
    /// Of how many.
    pub whole: u64,
}

impl Share {
    /// From 0 to 1; none of nothing.
    #[must_use]
    pub fn ratio(self) -> Option<f64> {
        ratio(self.part, self.whole)
    }
}

impl std::ops::Add for Share {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            part: self.part.saturating_add(other.part),
            whole: self.whole.saturating_add(other.whole),
        }
    }
}

impl std::iter::Sum for Share {
    fn sum<I: Iterator<Item = Self>>(shares: I) -> Self {
        shares.fold(Self::default(), std::ops::Add::add)
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| float(part) / float(whole))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts beyond 2^53 do not occur, and would lose nothing that counts"
)]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
