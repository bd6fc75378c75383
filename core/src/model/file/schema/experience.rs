//! The keys on metrics of customer experience.

use schemars::JsonSchema;
use serde::Deserialize;

use super::OneOrMany;

/// What metrics of customer experience are computed from: `GetExperienceMetrics`. With the section
/// there, however empty, what it does not name is as by default; `events: []` leaves a metric out.
///
/// Expressions see what those of computed traits see.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Experience {
    /// What customers buy: for recency, frequency and monetary value, lifetime value and churn.
    /// Default: `order_placed`, value `total`. All of one currency: where there are several, choose
    /// one by `where`.
    pub purchases: Option<Measured>,
    /// Net promoter score, from 0 to 10. Default: `survey_response`, value `score`, where
    /// `metric == 'nps'`.
    pub nps: Option<Measured>,
    /// Satisfaction, from 1 to 5 unless `min` and `max` say otherwise. Default: `survey_response`,
    /// value `score`, where `metric == 'csat'`.
    pub csat: Option<Measured>,
    /// Effort, from 1 to 7 unless `min` and `max` say otherwise; the greatest is the least effort.
    /// Default: `survey_response`, value `score`, where `metric == 'ces'`.
    pub ces: Option<Measured>,
    /// When customers ask for help. No `value`. Default: `conversation_started` and `call_started`,
    /// but for calls that we made and those within a conversation.
    pub contacts: Option<Measured>,
    /// Whether what was promised was kept. The value is true or false; without one the event does
    /// not count. Default: `shipment_delivered` with an `estimated_delivery_time`: whether
    /// `delivery_time`, or else the event, is not after it.
    pub promises: Option<Measured>,
    /// Over how many days surveys, contacts and promises are counted, unless a request says
    /// otherwise. Default 365.
    #[schemars(range(min = 1, max = 3_660))]
    pub window_days: Option<u16>,
    /// Over how many months the value of customers is predicted. Default 12.
    #[schemars(range(min = 1, max = 120))]
    pub horizon_months: Option<u16>,
    /// What a month takes of the worth of what comes after it, such as 0.01. Default 0.01.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub monthly_discount: Option<f64>,
}

/// What feeds a metric.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Which types of events. None: it is not measured.
    pub events: Option<OneOrMany>,
    /// Which value of an event: an expression.
    pub value: Option<String>,
    /// Only events of which this expression is true. Default, where `events` or `value` are named:
    /// all.
    #[serde(rename = "where")]
    pub condition: Option<String>,
    /// Of `csat` and `ces`: the least score.
    pub min: Option<i64>,
    /// Of `csat` and `ces`: the greatest score.
    pub max: Option<i64>,
}
