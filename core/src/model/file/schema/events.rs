//! The keys on event types.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::OneOrMany;

/// A type of event: what may be said of something that happened, and which object it is a state of.
/// Under the name of a built-in type it takes its place, and adds to it where it extends it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventType {
    /// Begins with all that another type says, built in or of this file; its own name stands for
    /// the built-in one. What is said here is added, or stands instead.
    pub extends: Option<String>,
    /// What has happened.
    pub description: Option<String>,
    /// The object whose course it belongs to: its kind, in lower snake case, and the property with
    /// its id.
    #[schemars(length(min = 1, max = 1))]
    pub object: Option<BTreeMap<String, String>>,
    /// Other objects that it speaks of, by kind: the property with the id, or with a list of ids.
    pub relates: Option<BTreeMap<String, String>>,
    /// The state that it puts its object in, in lower snake case: `delivered`.
    pub status: Option<String>,
    /// The property with the state. `status` stands where it is not said.
    pub status_property: Option<String>,
    /// The way it went, in lower snake case: `chat`.
    pub channel: Option<String>,
    /// The property with the channel. `channel` stands where it is not said.
    pub channel_property: Option<String>,
    /// What is known of its properties: a type, or more. Others are kept as they are.
    pub properties: Option<BTreeMap<String, Property>>,
}

/// What is known of a property: the name of its type, or more.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Property {
    /// Its type.
    Type(PropertyType),
    /// Its type, and more.
    More(Box<EventProperty>),
}

/// What is known of a property.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventProperty {
    /// What its values are.
    #[serde(rename = "type")]
    pub kind: PropertyType,
    /// What it says.
    pub description: Option<String>,
    /// Of texts: the ones that there are. Default: any.
    pub one_of: Option<OneOrMany>,
    /// Of lists: what their values are. Default: anything.
    pub of: Option<Property>,
    /// Of maps: what is known of their entries.
    pub properties: Option<BTreeMap<String, Property>>,
}

/// What the values of a property are. One of another type is refused.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PropertyType {
    /// A text.
    Text,
    /// A source's own key: a text or a whole number.
    Id,
    /// A whole number.
    Whole,
    /// A decimal or whole number.
    Decimal,
    /// An amount of money: a decimal or whole number.
    Money,
    /// A currency by ISO 4217: `USD`.
    Currency,
    /// True or false.
    Boolean,
    /// An instant.
    Time,
    /// Values in order.
    List,
    /// Values by name.
    Map,
    /// Anything.
    Any,
}
