//! Gamma-gamma: what a customer's purchases are worth, and with [`BgNbd`] what a customer is worth.
//!
//! The value of purchases varies at random about a mean of the customer's own; means follow a
//! distribution over customers. A customer's expected value lies between what was seen of the
//! customer and the mean of all, the nearer to the customer the more was seen. How often somebody
//! buys is taken to tell nothing of how much.
//!
//! Source: P. Fader, B. Hardie, "The gamma-gamma model of monetary value" (2013),
//! <http://www.brucehardie.com/notes/025/>; equations by their numbers there.

use libm::lgamma;
use serde::{Deserialize, Serialize};

use super::minimise::minimise;
use super::{BgNbd, Fit, FitError, MIN_REPEATERS, Summary, float};

/// The model. All parameters are above zero.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GammaGamma {
    /// Shape of the distribution of a customer's purchases.
    pub p: f64,
    /// Shape of the distribution of customers.
    pub q: f64,
    /// Its scale, in currency units.
    pub v: f64,
}

/// Parameters are looked for between e^-12 and e^12.
const MAX_LN: f64 = 12.0;
/// As by the package `lifetimes`.
const WEEKS_OF_MONTH: f64 = 4.345;

/// Customers who bought alike.
struct Row {
    x: f64,
    mean: f64,
    weight: f64,
}

impl GammaGamma {
    /// The model under which the monetary values of a population are most likely: equation 1a.
    /// Customers without repeat purchases, or whose repeat purchases came to nothing or less, say
    /// nothing and are left out; [`Fit::customers`] counts those that remain. The order makes no
    /// difference.
    ///
    /// # Errors
    /// [`FitError`].
    pub fn fit<'a>(
        customers: impl IntoIterator<Item = &'a Summary>,
    ) -> Result<Fit<Self>, FitError> {
        let rows = grouped(customers);
        let weight: f64 = rows.iter().map(|row| row.weight).sum();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a sum of counts"
        )]
        let found = weight as u64;
        if found < MIN_REPEATERS {
            return Err(FitError::TooFew { found });
        }
        let mean = rows.iter().map(|row| row.mean * row.weight).sum::<f64>() / weight;
        let loss = |ln: &[f64; 3]| {
            if ln[..2].iter().any(|ln| ln.abs() > MAX_LN) || (ln[2] - mean.ln()).abs() > MAX_LN {
                return f64::INFINITY;
            }
            -Self::from_ln(ln).ln_likelihood(&rows) / weight
        };
        let (ln, loss) = minimise([0.0, 1.0, mean.ln()], loss).ok_or(FitError::Diverged)?;
        let model = Self::from_ln(&ln);
        if model.mean_spend().is_none() {
            return Err(FitError::NoMean);
        }
        Ok(Fit {
            model,
            customers: found,
            ln_likelihood: -loss * weight,
        })
    }

    fn from_ln(ln: &[f64; 3]) -> Self {
        let [p, q, v] = ln.map(f64::exp);
        Self { p, q, v }
    }

    fn ln_likelihood(&self, rows: &[Row]) -> f64 {
        let Self { p, q, v } = *self;
        let (mut of_x, mut same) = (0.0, 0.0);
        let each = |Row { x, mean, weight }: &Row| {
            if of_x < *x {
                of_x = *x;
                same = lgamma(p * x + q) - lgamma(p * x) - lgamma(q) + q * v.ln() + p * x * x.ln();
            }
            (same + (p * x - 1.0) * mean.ln() - (p * x + q) * (x * mean + v).ln()) * weight
        };
        rows.iter().map(each).sum()
    }

    /// What a purchase of a customer of whom nothing is known is worth, in currency units; none
    /// where the distribution over customers has no mean.
    #[must_use]
    pub(crate) fn mean_spend(&self) -> Option<f64> {
        (self.q > 1.0).then(|| self.v * self.p / (self.q - 1.0))
    }

    /// What a purchase of this customer is expected to be worth, in currency units: equation 5.
    /// None as for `GammaGamma::mean_spend`, and where the repeat purchases came to nothing.
    #[must_use]
    pub fn expected_spend(&self, customer: &Summary) -> Option<f64> {
        let all = self.mean_spend()?;
        let Some(own) = customer.monetary_value else {
            return Some(all);
        };
        // The model knows amounts above zero only.
        if own <= 0.0 {
            return None;
        }
        let seen = self.p * f64::from(customer.buying.frequency());
        let weight = seen / (seen + self.q - 1.0);
        Some(weight * own + (1.0 - weight) * all)
    }
}

/// Who bought alike together, by frequency, so that neither order nor repetition makes a
/// difference.
fn grouped<'a>(customers: impl IntoIterator<Item = &'a Summary>) -> Vec<Row> {
    let seen = |customer: &Summary| {
        customer
            .monetary_value
            .filter(|mean| *mean > 0.0)
            .map(|mean| (customer.buying.frequency(), mean))
    };
    let mut values: Vec<(u32, f64)> = customers.into_iter().filter_map(seen).collect();
    values.sort_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
    values
        .chunk_by(|one, other| one == other)
        .map(|same| Row {
            x: f64::from(same[0].0),
            mean: same[0].1,
            weight: float(same.len() as u64),
        })
        .collect()
}

/// Over which time a customer's value is counted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Horizon {
    /// How many periods, such as months.
    pub periods: u16,
    /// How long each is, in weeks.
    pub weeks: f64,
    /// What is lost of a purchase's worth for each period until its own has gone by, such as 0.01;
    /// above −1.
    pub discount: f64,
}

impl Horizon {
    /// Months of 4.345 weeks, as by the package `lifetimes`.
    #[must_use]
    pub fn months(months: u16, monthly_discount: f64) -> Self {
        Self {
            periods: months,
            weeks: WEEKS_OF_MONTH,
            discount: monthly_discount,
        }
    }
}

/// What a customer's purchases to come are worth today, in currency units: the sum over periods of
/// the purchases expected in them, times what one is expected to be worth, discounted. None as for
/// `GammaGamma::mean_spend`.
///
/// Source: `lifetimes` 0.11.3, `_customer_lifetime_value`.
#[must_use]
pub fn lifetime_value(
    buying: &BgNbd,
    spending: &GammaGamma,
    customer: &Summary,
    horizon: Horizon,
) -> Option<f64> {
    let spend = spending.expected_spend(customer)?;
    let (mut discount, mut before, mut value) = (1.0, 0.0, 0.0);
    for period in 1..=horizon.periods {
        let by_then =
            buying.expected_purchases_of(customer.buying, f64::from(period) * horizon.weeks);
        discount /= 1.0 + horizon.discount;
        value += spend * (by_then - before) * discount;
        before = by_then;
    }
    Some(value)
}
