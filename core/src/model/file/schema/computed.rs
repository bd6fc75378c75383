//! The keys on what is derived from what happened: computed traits and segments.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::OneOrMany;

/// A computed trait: one aggregate over the events of the types that it names.
///
/// Expressions see an event's properties, and `event` with `type`, `source`, `id`, `time`, `hour`,
/// `weekday` (1 is Monday) and `date`. An event of which an expression gives no value is not
/// counted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Computed {
    /// How many there were.
    pub count: Option<OneOrMany>,
    /// The sum of their values.
    pub sum: Option<OneOrMany>,
    /// The least value. Default value: the event's time.
    pub min: Option<OneOrMany>,
    /// The greatest value. Default value: the event's time.
    pub max: Option<OneOrMany>,
    /// The mean of their values.
    pub average: Option<OneOrMany>,
    /// The value of the first. Default value: the event's time.
    pub first: Option<OneOrMany>,
    /// The value of the last. Default value: the event's time.
    pub last: Option<OneOrMany>,
    /// The value that most of them have; a list counts as each of its values. Exact for the first
    /// 256 different values of a record.
    pub most_frequent: Option<OneOrMany>,
    /// How many different values they have; a list counts as each of its values. Exact to 1,024,
    /// then within some 3 %.
    pub distinct: Option<OneOrMany>,
    /// How many days ago the last one was, by the calendar.
    pub days_since: Option<OneOrMany>,
    /// Which value of an event: an expression.
    pub value: Option<String>,
    /// Only events of which this expression is true.
    #[serde(rename = "where")]
    pub condition: Option<String>,
    /// Over which time: `365d` (today and the 365 days before it), `24h`, `this_month`,
    /// `last_quarter`, `all`; days are those of the model's `time_zone`. Default `all`.
    #[schemars(regex(
        pattern = r"^(all|[1-9][0-9]*[dh]|(this|last)_(day|week|month|quarter|year))$"
    ))]
    pub window: Option<String>,
    /// Of `most_frequent`: a list of so many values, the most frequent first. Default: the one
    /// value.
    #[schemars(range(min = 1, max = 20))]
    pub top: Option<u8>,
    /// What it is, in words.
    pub description: Option<String>,
}

/// A segment: the customers of whom a condition holds.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// The condition: CEL over `traits`, `computed` and `preferences`, such as
    /// `computed.revenue_365d > 1000 && traits.loyalty_tier == 'gold'`. What is not known is null.
    /// Accessibility needs are not to be had.
    pub when: String,
    /// What it is, in words.
    pub description: Option<String>,
}

/// A view of customers, for `GetContext`: what is told of them in one call. What the purpose may
/// not see is withheld all the same.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct View {
    /// Groups of fields by name, in lower snake case, in order:
    /// `loyalty: [traits.loyalty_tier, computed.orders_365d]`. Fields are `traits.NAME`,
    /// `computed.NAME` and `identifiers.TYPE`.
    pub sections: Option<BTreeMap<String, OneOrMany>>,
    /// The segments of which is told whether the customer is in them; `"*"`: all. Default none.
    pub segments: Option<OneOrMany>,
    /// Whether preferences are told. Default true.
    pub preferences: Option<bool>,
    /// Whether accessibility needs are told. Default true.
    pub accessibility: Option<bool>,
    /// How many of the latest objects of each kind are told: `{ order: 3, conversation: 1 }`.
    /// Default none.
    pub objects: Option<BTreeMap<String, u8>>,
    /// How large an answer may be, in bytes. Default 16384.
    #[schemars(range(min = 256, max = 1_048_576))]
    pub max_bytes: Option<u32>,
    /// What it is for, in words.
    pub description: Option<String>,
}
