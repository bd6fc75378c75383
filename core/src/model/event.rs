//! Event types: what may be said of something that happened, and which object it is a state of.
//!
//! A model's catalogue is the built-in one ([`BUILT_IN`], which explains the form), with the types
//! of the model file added or put in their place. A type that is in no catalogue is taken as it is:
//! an event without form and object.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::choices::{Choice as _, choices};
use crate::records::{Meaning, ObjectKey, Value};

/// The built-in catalogue, as it is written.
pub const BUILT_IN: &str = include_str!("events.yaml");

/// Event types by name.
pub type Catalogue = BTreeMap<String, Arc<EventType>>;

/// What is known of all events of a type.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventType {
    /// What has happened.
    pub description: String,
    /// The object whose course it belongs to.
    pub object: Option<ObjectRef>,
    /// Other objects that it speaks of.
    pub relates: Vec<ObjectRef>,
    /// The state that it puts its object in.
    pub status: Word,
    /// The states of such objects in their order: of two at one time the later one holds.
    pub states: Vec<String>,
    /// The way it went: phone, email, chat.
    pub channel: Word,
    /// What is known of its properties, by name.
    pub properties: BTreeMap<String, Property>,
    /// Whether the model file says it, or it is built in.
    pub origin: Origin,
}

impl EventType {
    /// What it makes of an event that says this.
    #[must_use]
    pub fn meaning(&self, properties: &BTreeMap<String, Value>) -> Meaning {
        let named = |reference: &ObjectRef| -> Vec<ObjectKey> {
            let said = properties.get(&reference.property);
            ids(said)
                .into_iter()
                .map(|id| ObjectKey::new(&reference.kind, id))
                .collect()
        };
        let object = self
            .object
            .as_ref()
            .and_then(|own| named(own).into_iter().next());
        let mut related: Vec<ObjectKey> = self.relates.iter().flat_map(named).collect();
        related.sort_unstable();
        related.dedup();
        related.retain(|other| Some(other) != object.as_ref());
        let status = if object.is_some() {
            self.status.of(properties)
        } else {
            None
        };
        let of_states = |status: &String| {
            let known = self.states.iter();
            let place = known
                .clone()
                .position(|state| state.eq_ignore_ascii_case(status));
            place.map_or(0, |place| u32::try_from(place + 1).unwrap_or(u32::MAX))
        };
        Meaning {
            rank: status.as_ref().map_or(0, of_states),
            status_property: (object.is_some() && status.is_some())
                .then(|| self.status.property.clone())
                .flatten(),
            object,
            related,
            status,
            channel: self.channel.of(properties),
        }
    }
}

/// The ids that a value is. One that is none was refused when it came in.
fn ids(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(id)) => vec![id.clone()],
        Some(Value::Int(id)) => vec![id.to_string()],
        Some(Value::List(values)) => values.iter().flat_map(|value| ids(Some(value))).collect(),
        _ => Vec::new(),
    }
}

/// Who says what a type is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// It is compiled in.
    #[default]
    BuiltIn,
    /// The model file.
    Model,
}

/// A kind of object, and the property that holds the id of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRef {
    /// What it is: `order`.
    pub kind: String,
    /// The property with its id: `order_id`.
    pub property: String,
}

/// A word that a type says of its events: that of a property, or else a fixed one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Word {
    /// The property that says it.
    pub property: Option<String>,
    /// What it is where the property says nothing.
    pub fixed: Option<String>,
}

impl Word {
    fn of(&self, properties: &BTreeMap<String, Value>) -> Option<String> {
        let said = self
            .property
            .as_ref()
            .and_then(|name| properties.get(name)?.as_str());
        said.map(str::trim)
            .filter(|said| !said.is_empty())
            .or(self.fixed.as_deref())
            .map(str::to_owned)
    }
}

/// What is known of a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// What it says.
    pub description: String,
    /// What its values are.
    pub kind: PropertyKind,
    /// Texts only: the ones that there are; empty: any.
    pub one_of: Vec<String>,
}

/// What the values of a property are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PropertyKind {
    /// Anything.
    Any,
    /// A text.
    Text,
    /// A source's own key: a text or a whole number.
    Id,
    /// A whole number.
    Whole,
    /// A number.
    Decimal,
    /// An amount of money: a number.
    Money,
    /// A currency, by ISO 4217.
    Currency,
    /// True or false.
    Boolean,
    /// An instant.
    Time,
    /// Values in order, each of this form.
    List(Box<Property>),
    /// Values by name; names that are not here have any value.
    Map(BTreeMap<String, Property>),
}

choices! {
    /// What the values of a property are. One of another type is refused.
    pub(super) enum PropertyType as "PropertyType" {
        /// A text.
        Text = "text",
        /// A source's own key: a text or a whole number.
        Id = "id",
        /// A whole number.
        Whole = "whole",
        /// A decimal or whole number.
        Decimal = "decimal",
        /// An amount of money: a decimal or whole number.
        Money = "money",
        /// A currency by ISO 4217: `USD`.
        Currency = "currency",
        /// True or false.
        Boolean = "boolean",
        /// An instant.
        Time = "time",
        /// Values in order.
        List = "list",
        /// Values by name.
        Map = "map",
        /// Anything.
        Any = "any",
    }
}

impl PropertyKind {
    /// As the model file names it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        let written = match self {
            Self::Any => PropertyType::Any,
            Self::Text => PropertyType::Text,
            Self::Id => PropertyType::Id,
            Self::Whole => PropertyType::Whole,
            Self::Decimal => PropertyType::Decimal,
            Self::Money => PropertyType::Money,
            Self::Currency => PropertyType::Currency,
            Self::Boolean => PropertyType::Boolean,
            Self::Time => PropertyType::Time,
            Self::List(_) => PropertyType::List,
            Self::Map(_) => PropertyType::Map,
        };
        written.written()
    }
}

impl From<PropertyType> for PropertyKind {
    /// Of lists and maps, those that hold anything.
    fn from(written: PropertyType) -> Self {
        match written {
            PropertyType::Any => Self::Any,
            PropertyType::Text => Self::Text,
            PropertyType::Id => Self::Id,
            PropertyType::Whole => Self::Whole,
            PropertyType::Decimal => Self::Decimal,
            PropertyType::Money => Self::Money,
            PropertyType::Currency => Self::Currency,
            PropertyType::Boolean => Self::Boolean,
            PropertyType::Time => Self::Time,
            PropertyType::List => Self::List(Box::new(Property::of(Self::Any))),
            PropertyType::Map => Self::Map(BTreeMap::new()),
        }
    }
}

impl fmt::Display for PropertyKind {
    /// What a value must be, for messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "anything",
            Self::Text => "a text",
            Self::Id => "an id: a text or a whole number",
            Self::Whole => "a whole number",
            Self::Decimal => "a decimal or whole number",
            Self::Money => "an amount of money: a decimal or whole number",
            Self::Currency => "a currency by ISO 4217: three letters, such as USD",
            Self::Boolean => "true or false",
            Self::Time => "a time",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        })
    }
}

impl Property {
    /// One of a kind, of which nothing more is known.
    pub(super) fn of(kind: PropertyKind) -> Self {
        Self {
            description: String::new(),
            kind,
            one_of: Vec::new(),
        }
    }
}
