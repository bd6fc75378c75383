//! What the models of a tenant tell of one customer.

use profile_core::analytics::{ChurnSignal, Horizon, RfmValues, Summary, lifetime_value};

use super::Scales;

/// Scores and predictions of a customer. Each is `None` where it cannot be told.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Forecast {
    /// RFM scores, such as `5-4-5`.
    pub scores: Option<String>,
    /// How probable it is that the customer still buys.
    pub probability_alive: Option<f64>,
    /// Purchases within the horizon.
    pub expected_purchases: Option<f64>,
    /// Spend of one purchase.
    pub expected_spend: Option<f64>,
    /// Value of the purchases within the horizon, discounted.
    pub predicted: Option<f64>,
}

impl Scales {
    /// The forecast of a customer who bought. Amounts of several currencies are no amount.
    #[must_use]
    pub fn forecast(
        &self,
        (summary, values): (Option<&Summary>, Option<RfmValues>),
        has_one_currency: bool,
        horizon: Horizon,
    ) -> Forecast {
        let of_one_currency = values.zip(self.rfm.as_ref()).filter(|_| has_one_currency);
        let scores = of_one_currency.map(|(values, scale)| scale.scores(values).to_string());
        let Some(summary) = summary else {
            return Forecast {
                scores,
                ..Forecast::default()
            };
        };
        let buying = self.buying.map(|fit| fit.model);
        let spending = self.spending.map(|fit| fit.model);
        let spending = spending.filter(|_| has_one_currency);
        let weeks = f64::from(horizon.periods) * horizon.weeks;
        let both = buying.zip(spending);
        Forecast {
            scores,
            probability_alive: ChurnSignal::of(summary, buying.as_ref()).probability_alive,
            expected_purchases: buying
                .map(|model| model.expected_purchases_of(summary.buying, weeks)),
            expected_spend: spending.and_then(|model| model.expected_spend(summary)),
            predicted: both.and_then(|(buying, spending)| {
                lifetime_value(&buying, &spending, summary, horizon)
            }),
        }
    }
}
