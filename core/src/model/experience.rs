//! Which events metrics of customer experience are computed from.
//!
//! Each metric names its events as a computed trait does, and what they add up to is kept in the
//! same way: see [`Definition`]. They are kept by day and of all time, so any window can be
//! answered.

use std::sync::Arc;

use super::{Catalogue, Definition, Model};
use crate::analytics::Scale;

/// The metrics, as requests and purposes name them.
pub const METRICS: [&str; 9] = [
    "nps",
    "csat",
    "ces",
    "rfm",
    "lifetime_value",
    "churn",
    "contact_rate",
    "first_contact_resolution",
    "promises",
];

/// The values of metrics that conditions and views name: `METRIC.VALUE`. Numbers, all of them.
pub const MEASURES: [&str; 17] = [
    "nps.score",
    "nps.last",
    "csat.score",
    "csat.mean",
    "csat.last",
    "ces.score",
    "ces.last",
    "rfm.days_since_last",
    "rfm.purchases",
    "rfm.monetary_value",
    "lifetime_value.historic",
    "churn.days_since_last",
    "churn.gaps_since_last",
    "contact_rate.ratio",
    "contact_rate.contact_count",
    "first_contact_resolution.ratio",
    "promises.ratio",
];

/// Those for which all customers together are needed: they change as others do, so only views name
/// them.
pub const PREDICTIONS: [&str; 5] = [
    "rfm.scores",
    "lifetime_value.predicted",
    "lifetime_value.expected_purchases",
    "lifetime_value.expected_spend",
    "churn.probability_alive",
];

/// What feeds the metrics. None: it is not measured.
#[derive(Debug, Clone)]
pub struct Experience {
    /// What customers buy.
    pub purchases: Option<Bought>,
    /// How likely they recommend us, from 0 to 10.
    pub nps: Option<Asked>,
    /// How satisfied they are.
    pub csat: Option<Asked>,
    /// How easy it was.
    pub ces: Option<Asked>,
    /// When they had to ask for help.
    pub contacts: Option<Arc<Definition>>,
    /// Whether what was promised was kept: true or false.
    pub promises: Option<Arc<Definition>>,
    /// Over how many days surveys, contacts and promises are counted, unless a request says
    /// otherwise.
    pub window_days: u16,
    /// Over how many months customers' value is predicted.
    pub horizon_months: u16,
    /// What a month takes of the worth of what comes after it, in millionths.
    pub monthly_discount: u32,
}

/// What is kept of purchases.
#[derive(Debug, Clone)]
pub struct Bought {
    /// Each of them, as it is now.
    pub orders: Arc<Definition>,
}

/// What is kept of a survey.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Each answer, as it is now.
    pub answers: Arc<Definition>,
    /// From which score to which.
    pub scale: Scale,
}

impl Experience {
    /// Everything that is kept for it.
    pub fn definitions(&self) -> impl Iterator<Item = &Arc<Definition>> {
        let surveys = [&self.nps, &self.csat, &self.ces].into_iter().flatten();
        let bought = self.purchases.iter().map(|bought| &bought.orders);
        bought
            .chain(surveys.map(|asked| &asked.answers))
            .chain(&self.contacts)
            .chain(&self.promises)
    }
}

impl Experience {
    /// Follows objects through the types of a catalogue.
    pub(super) fn follow(&mut self, catalogue: &Catalogue) {
        let surveys = [&mut self.nps, &mut self.csat, &mut self.ces];
        let answers = surveys
            .into_iter()
            .flatten()
            .map(|asked| &mut asked.answers);
        let orders = self.purchases.iter_mut().map(|bought| &mut bought.orders);
        for definition in orders.chain(answers) {
            *definition = Arc::new(definition.follow(catalogue));
        }
    }
}

impl Model {
    /// Names what metrics of a population are computed from: another name means other numbers.
    #[must_use]
    pub fn measured(&self) -> String {
        let rules = self.experience.iter().map(|experience| {
            format!(
                "{} {} {}",
                experience.window_days, experience.horizon_months, experience.monthly_discount
            )
        });
        let segments = self
            .segments
            .iter()
            .map(|(name, segment)| format!("{name}: {}", segment.condition()));
        let text: Vec<String> = std::iter::once(self.counted())
            .chain(rules)
            .chain(segments)
            .collect();
        crate::records::ContentHash::of(&text).to_string()
    }
}
