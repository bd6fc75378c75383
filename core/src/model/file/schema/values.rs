//! Keys that say how values are read.

use schemars::JsonSchema;
use serde::Deserialize;

/// Mail providers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Providers {
    /// False: each address is a mailbox of its own. True: the built-in ones.
    BuiltIn(bool),
    /// The built-in ones and these, which take their domains from them.
    Also(Vec<Provider>),
}

/// A mail provider.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Domains that lead to the same mailbox. The first is that of the normal form.
    pub domains: Vec<String>,
    /// Characters before the `@` that it ignores. Default: none.
    pub ignored: Option<String>,
    /// The character that begins a tag, which it ignores too. Default: there are no tags.
    pub tag: Option<String>,
}

/// How a source writes dates.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dates {
    /// Which number comes first where the last is the year. Default: that of the record's country.
    pub order: Option<DateOrder>,
    /// What a bare number counts. Default: it is not read.
    pub numbers: Option<DateNumbers>,
    /// The era of its years. Default `gregorian`.
    pub calendar: Option<Calendar>,
}

/// Which number of a date comes first.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// `17/05/1990`.
    DayFirst,
    /// `05/17/1990`.
    MonthFirst,
    /// `90/05/17`.
    YearFirst,
}

/// What a bare number counts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DateNumbers {
    /// Days since 1899-12-30, as spreadsheets count.
    Excel,
    /// Seconds since 1970.
    UnixSeconds,
    /// Milliseconds since 1970.
    UnixMilliseconds,
}

/// The era of years.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Calendar {
    /// That of ISO 8601.
    Gregorian,
    /// 543 years more.
    Buddhist,
}
