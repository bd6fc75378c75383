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

/// The codes of ISO 4217: those in use (the one of three X is "no currency"), and those that were
/// since 1990, for what happened then.
const CURRENCIES: &str = "\
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW \
CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF \
IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP \
MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG \
SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND \
VUV WST XAF XAG XAU XBA XBB XBC XBD XCD XCG XDR XOF XPD XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWG";

/// Currencies that are no longer in use: list three.
const WITHDRAWN: &str = "\
AFA AON AOR ATS AZM BEF BGL BYB BYR CSD CUC CYP DEM ECS EEK ESP FIM FRF GHC GRD GWP HRK IEP ITL LTL LUF LVL MGF MRO MTL MXP \
MZM NLG PLZ PTE ROL RUR SDD SIT SKK SLL SRG STD TJR TMM TPE TRL UAK VEB VEF XEU YUM ZAL ZMK ZRN ZWD ZWL ZWR";

/// Withdrawn currencies of which it is known that their minor unit was a hundredth.
const WITHDRAWN_HUNDREDTHS: &str = "CUC EEK HRK LTL LVL MRO SKK SLL STD VEF ZWL";

/// Metals, units of account and codes for tests: they have no minor unit.
const WITHOUT_MINOR: &str = "XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX";

/// The currencies whose minor unit is no hundredth, by the number of digits of it.
const OTHER_DIGITS: [(u32, &str); 3] = [
    (
        0,
        "BIF BYR CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    ),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (4, "CLF UYW"),
];

/// How many digits after the point the minor unit of a currency has: 2 of USD, 0 of JPY, 3 of KWD.
/// `None`: it is no currency, or one whose minor unit is not known.
///
/// Source: ISO 4217, list one, which does not have those that are withdrawn.
#[must_use]
pub(crate) fn minor_digits(code: &str) -> Option<u32> {
    let other = OTHER_DIGITS.iter().find(|(_, codes)| lists(codes, code));
    let hundredths = (lists(CURRENCIES, code) && !lists(WITHOUT_MINOR, code))
        || lists(WITHDRAWN_HUNDREDTHS, code);
    match other {
        Some((digits, _)) => Some(*digits),
        None => hundredths.then_some(2),
    }
}

fn lists(codes: &str, code: &str) -> bool {
    codes
        .split(' ')
        .any(|known| known.eq_ignore_ascii_case(code))
}

/// Whether a text is a currency's code, in upper or lower case.
#[must_use]
pub(crate) fn is_currency(code: &str) -> bool {
    lists(CURRENCIES, code) || lists(WITHDRAWN, code)
}
