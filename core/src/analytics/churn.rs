//! Whether a customer is about to be lost.

use serde::{Deserialize, Serialize};

use super::{BgNbd, Summary};

/// Signs of a customer being gone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ChurnSignal {
    /// How probable it is that the customer still buys, by BG/NBD; none without a model.
    pub probability_alive: Option<f64>,
    /// Days from the last purchase to the end of the summary.
    pub days_since_last: u32,
    /// The same over the customer's own median gap between purchases: above 1 the customer is later
    /// than usual. None where something was bought on one day only.
    pub gaps_since_last: Option<f64>,
}

impl ChurnSignal {
    /// Of a customer.
    #[must_use]
    pub fn of(customer: &Summary, model: Option<&BgNbd>) -> Self {
        let days_since_last = customer.buying.days_since_last();
        Self {
            probability_alive: model.map(|model| model.probability_alive(customer.buying)),
            days_since_last,
            gaps_since_last: customer
                .median_gap
                .map(|gap| f64::from(days_since_last) / gap),
        }
    }
}
