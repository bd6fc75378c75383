//! What the model file says of sources: how their payloads become statements.

mod loops;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::forms::{
    Flag, Form, TextBy, declared, declared_key, entries, expression, expression_of, list, list_as,
    located, mapping, named, one_of, property_name, snake_case, text_by, then, whole,
};
use super::keys::{keys, table};
use super::reader::{At, Fields, Reader, Section};
use super::schema::Definitions;
use super::tree::Entry;
use super::values::{DateKeys, country};
use crate::choices::{Choice as _, Listed, choices};
use crate::model::check::{CONSENT_FIELDS, is_snake_case};
use crate::model::currency::MinorUnits;
use crate::model::event::{Catalogue, PropertyKind};
use crate::model::expression::{Conversion, Expression};
use crate::model::mapping::EventType;
use crate::model::{Country, DateForm, Source};
use crate::records::{PreferenceKey, listed};
use loops::{for_each, loop_name};

keys! {
    /// A source: a named system that makes statements, and how its payloads become statements.
    pub(super) struct SourceKeys as "Source" => Source: source {
        /// The higher is believed first.
        trust: u32 = "50" as whole(0, 100);
        /// Country (ISO 3166, `DE`) of records that do not say one: of telephone numbers without
        /// calling code and of the order of dates. Default: unknown.
        country: Option<Country> = optional as country();
        /// How it writes dates of birth and times. A form that needs a declaration and has none is
        /// not read.
        dates: DateForm = empty as mapping::<DateKeys>();
        /// The zone of its times and days without one, by a name of the IANA time zone database.
        /// Default: a local time is in UTC, and a day is one of the model's `time_zone`.
        time_zone: String = empty as super::purposes::time_zone();
        /// Whether its amounts are in the currency's minor unit (cents), and whose: `true` is that
        /// of ISO 4217. It is so of each property of the type `money` that a mapping of its events
        /// gives by a plain expression, and the mapping gives `currency` too. Amounts within lists
        /// are as their expressions say.
        minor: Option<MinorUnits> = "false" as Minor;
        /// Payload kinds that are about a customer.
        records: BTreeMap<String, RecordMapping> = empty as
            named("a kind of payload", mapping::<RecordMapping>());
        /// Payload kinds that say what happened, by one mapping or several. A kind that is
        /// under both makes both statements.
        events: BTreeMap<String, Vec<EventMapping>> = empty as
            named("a kind of payload",
                list_as("OneOrManyEvents", "One event, or several.", mapping::<EventMapping>()));
    }

    /// How payloads of one kind become statements about a record.
    #[derive(Debug, Clone)]
    pub(in crate::model) struct RecordMapping as "Record" {
        /// The source's own key of the customer. Expression.
        key: Expression = required as expression();
        /// The source's version of the record, a whole number that grows. Expression.
        version: Option<Expression> = optional as expression();
        /// When the source said so. Expression; texts and numbers are read as by `time(x)`.
        time: Option<Expression> = optional as expression();
        /// Condition: only if it holds, the payload says something of a record. Default: always.
        when: Option<Expression> = optional as expression();
        /// The record is gone when this is true. Expression.
        delete_when: Option<Expression> = optional as expression();
        /// Values by identifier type: an expression or several; an expression may give a list.
        identifiers: Vec<(String, Vec<Expression>)> = empty as
            entries(declared_key(Section::Identifiers), list(expression()));
        /// An expression by trait.
        traits: Vec<(String, Expression)> = empty as
            entries(declared_key(Section::Traits), expression());
        /// Whether a payload is the whole record or a patch of it.
        mode: Mode = "whole" as one_of::<Mode>();
        /// An expression by preference: `language`, `topics.NAME`, `accessibility.large_print`, …
        /// What a payload does not say stays, in any mode; an explicit null takes the record's word
        /// back.
        preferences: Vec<(PreferenceKey, Expression)> = empty as
            entries(preference, expression());
        /// What the payload says about purposes.
        consents: Vec<ConsentMapping> = empty as
            list_as("OneOrManyConsents", "One consent, or several.", mapping::<ConsentMapping>());
    }

    /// How a payload becomes what a customer said about a purpose. All but `purpose` and
    /// `contact_point` are expressions.
    #[derive(Debug, Clone)]
    pub(in crate::model) struct ConsentMapping as "Consent" {
        /// The purpose, as declared.
        purpose: String = required as declared(Section::Purposes);
        /// The identifier type of the contact point that it is for, and an expression for its
        /// value. No value: a refusal or a withdrawal is for all, and nothing else is said.
        /// Default: for all.
        contact_point: Option<(String, Expression)> = optional as
            then(entries(declared_key(Section::Identifiers), located(expression())).at_most(1), |points, _, reader| {
                if let Some((_, second)) = points.get(1) {
                    let message = "a consent is for one contact point: name one type, or make it several consents";
                    reader.error(second.place.clone(), message);
                }
                let first = points.into_iter().next();
                first.map(|(kind, expression)| (kind, expression.value))
            });
        /// Condition: only if it holds, something is said. Default: always.
        when: Option<Expression> = optional as expression();
        /// Whether the payload is a row of a list, which repeats what was said before. A grant or a
        /// pending confirmation counts from its `effective_time`, or from when it was first listed,
        /// and never after a refusal or withdrawal that came later. Listed again, it says nothing
        /// new.
        from_list: bool = "false" as Flag;
        /// Expressions by the field that they give.
        fields: Vec<(&'static Listed<Option<Conversion>>, Expression)> = inline as
            table(&CONSENT_FIELDS, expression());
    }

    /// How payloads of one kind become events.
    #[derive(Debug, Clone)]
    pub(in crate::model) struct EventMapping as "Event" => EventMapping: event_mapping {
        /// A name in lower snake case (`order_placed`), or an expression that is more than a name
        /// (`payload.type`).
        kind("type"): EventType = required as event_type();
        /// The source's own id of the event. Expression.
        id: Expression = required as expression();
        /// The key of the customer's record in the same source. Expression. Required without
        /// `attach`; with it, for payloads that have no value there.
        record: Option<Expression> = optional as expression();
        /// For payloads that know an order or a parcel and no customer: the kinds of objects that
        /// the event names and by which it finds its record, the best first: `[shipment, order]`.
        attach: Vec<String> = empty as list(snake_case(OBJECT_KIND));
        /// When it happened. Expression; texts and numbers are read as by `time(x)`.
        time: Option<Expression> = optional as expression();
        /// Condition: only if it holds, there is an event. Default: always.
        when: Option<Expression> = optional as expression();
        /// A name and an expression for a list: there is an event for each of its elements, at most
        /// 500, which all expressions here see under the name: `for_each: { line: line_items }`.
        for_each: Option<ForEach> = optional as
            then(entries(loop_name, located(expression())).at_most(1), for_each);
        /// By property an expression, or an amount of money.
        properties: Vec<(String, MappedProperty)> = empty as
            entries(property_name(), PropertyValue);
        /// The event with this id is taken back when this is true: it did not happen. Only `id` is
        /// needed then. Expression.
        retract_when: Option<Expression> = optional as expression();
        /// When this is true, the payload is the event as it is now, in the place of what was said
        /// under its id. `true`: always. Expression.
        replace_when: Option<Expression> = optional as expression();
        /// The source's version of the payload, a whole number that grows: of several corrections
        /// of an event the highest holds. Expression.
        version: Option<Expression> = optional as expression();
        /// When the source said so: of several corrections of an event the latest holds.
        /// Expression; texts and numbers are read as by `time(x)`.
        source_time: Option<Expression> = optional as expression();
    }
}

keys! {
    /// An amount of money. What comes out is a decimal number of the currency's main unit.
    #[derive(Debug, Clone)]
    pub(in crate::model) struct MoneyAmount as "Money" => MoneyAmount: money {
        /// The amount. Expression.
        money: Expression = required as expression();
        /// Whether the amount is in the currency's minor unit, and whose: `true` is that of ISO
        /// 4217: cents of USD, whole yen of JPY, thousandths of KWD.
        minor: Option<MinorUnits> = "false" as Minor;
        /// The currency, by ISO 4217. With `minor` required. Expression.
        currency: Option<Expression> = optional as expression();
    }
}

/// How a property of an event is made.
#[derive(Debug, Clone)]
pub(in crate::model) enum MappedProperty {
    /// As an expression gives it.
    Value(Expression),
    /// As an amount of money.
    Money(Box<MoneyAmount>),
}

impl MappedProperty {
    pub(in crate::model) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let (first, second) = match self {
            Self::Value(expression) => (expression, None),
            Self::Money(money) => (&money.money, money.currency.as_ref()),
        };
        std::iter::once(first).chain(second)
    }
}

fn money(keys: MoneyAmount, fields: &Fields<'_>, reader: &mut Reader) -> MoneyAmount {
    if let (Some(_), None, Some(place)) = (keys.minor, &keys.currency, fields.place_of("minor")) {
        reader.error(
            place,
            "needs `currency`: how many digits it has depends on it",
        );
    }
    keys
}

/// The form of `minor`: true, false, or whose unit it is.
struct Minor;

impl Form for Minor {
    type Value = Option<MinorUnits>;

    fn read(&self, at: &At<'_>, reader: &mut Reader) -> Option<Option<MinorUnits>> {
        match at.as_plain() {
            Some("true") => Some(Some(MinorUnits::Iso)),
            Some("false") => Some(None),
            _ => at.choice(MinorUnits::NAMED, reader).copied().map(Some),
        }
    }

    fn schema(&self, definitions: &mut Definitions) -> Json {
        let flag = Flag.schema(definitions);
        json!({ "anyOf": [flag, definitions.choice::<MinorUnits>()] })
    }
}

/// The form of a property: an expression, or an amount of money.
struct PropertyValue;

impl Form for PropertyValue {
    type Value = MappedProperty;

    fn read(&self, at: &At<'_>, reader: &mut Reader) -> Option<MappedProperty> {
        if at.as_text().is_none() {
            let money = mapping::<MoneyAmount>().read(at, reader)?;
            return Some(MappedProperty::Money(Box::new(money)));
        }
        expression().read(at, reader).map(MappedProperty::Value)
    }

    fn schema(&self, definitions: &mut Definitions) -> Json {
        let money = definitions.mapping::<MoneyAmount>();
        let plain = expression().schema(definitions);
        json!({ "anyOf": [plain, money] })
    }
}

const OBJECT_KIND: &str = "a kind of object is named in lower snake case (`order`)";

/// An event has a record, or finds one by objects that its type names.
fn event_mapping(keys: EventMapping, fields: &Fields<'_>, reader: &mut Reader) -> EventMapping {
    if keys.record.is_none() && keys.attach.is_empty() {
        let message = "needs `record`, the key of the customer's record, or `attach`, the kinds of \
                       objects by which it is found";
        reader.error(fields.place(), message);
    }
    let catalogue = &reader.declared.events;
    let kinds: Vec<_> = match &keys.kind {
        EventType::Always(kind) => catalogue.get(kind).into_iter().collect(),
        EventType::From(_) => catalogue.values().collect(),
    };
    let named = kinds
        .iter()
        .flat_map(|kind| kind.object.iter().chain(&kind.relates));
    let named: BTreeSet<String> = named.map(|object| object.kind.clone()).collect();
    let unknown = keys.attach.iter().filter(|kind| !named.contains(*kind));
    for (kind, place) in unknown.zip(std::iter::repeat(fields.place_of("attach"))) {
        let known = listed(named.iter().map(String::as_str));
        let message = format!("events of this type name no `{kind}`; they name: {known}");
        reader.error(place.unwrap_or_else(|| fields.place()), message);
    }
    keys
}

/// A list of a payload, and the name under which expressions see an element of it.
#[derive(Debug, Clone)]
pub(in crate::model) struct ForEach {
    pub(in crate::model) name: String,
    pub(in crate::model) list: Expression,
}

choices! {
    /// Whether a payload is the whole record.
    pub(in crate::model) enum Mode as "Mode" {
        /// What the payload does not say is not so.
        Whole = "whole",
        /// What the payload does not say stays; an explicit null empties the field.
        Patch = "patch",
    }
}

/// Takes the amounts of an event as minor units. Answers whether that can be done: whether the
/// mapping says the currency.
fn take_as_minor(mapping: &mut EventMapping, units: MinorUnits, catalogue: &Catalogue) -> bool {
    let is_money = |name: &str| {
        let of_type = |kind: &str| {
            let property = catalogue.get(kind)?.properties.get(name)?;
            (property.kind == PropertyKind::Money).then_some(())
        };
        match &mapping.kind {
            EventType::Always(kind) => of_type(kind).is_some(),
            EventType::From(_) => catalogue.keys().any(|kind| of_type(kind).is_some()),
        }
    };
    let currency = mapping
        .properties
        .iter()
        .find(|(name, _)| name == "currency");
    let currency = currency.and_then(|(_, made)| match made {
        MappedProperty::Value(expression) => Some(expression.clone()),
        MappedProperty::Money(_) => None,
    });
    let amounts = mapping.properties.iter().enumerate();
    let amounts = amounts
        .filter(|(_, (name, made))| matches!(made, MappedProperty::Value(_)) && is_money(name));
    let amounts: Vec<usize> = amounts.map(|(place, _)| place).collect();
    for place in &amounts {
        let made = &mut mapping.properties[*place].1;
        if let MappedProperty::Value(amount) = made {
            *made = MappedProperty::Money(Box::new(MoneyAmount {
                money: amount.clone(),
                minor: Some(units),
                currency: currency.clone(),
            }));
        }
    }
    amounts.is_empty() || currency.is_some()
}

fn source(mut keys: SourceKeys, fields: &Fields<'_>, reader: &mut Reader) -> Source {
    if let Some(units) = keys.minor {
        for (kind, mappings) in &mut keys.events {
            for mapping in mappings {
                if !take_as_minor(mapping, units, &reader.declared.events)
                    && let Some(place) = fields.place_of("minor")
                {
                    let message = format!(
                        "the events `{kind}` have amounts and no `currency`: how many digits a \
                         minor unit has depends on it"
                    );
                    reader.error(place, message);
                }
            }
        }
    }
    let mut source = Source {
        trust: keys.trust,
        country: keys.country,
        dates: keys.dates,
        time_zone: keys.time_zone,
        ..Source::default()
    };
    for (kind, mapping) in keys.records {
        source.kinds.entry(kind).or_default().record = Some(mapping);
    }
    for (kind, mappings) in keys.events {
        source.kinds.entry(kind).or_default().events = mappings;
    }
    source
}

/// A name stands for itself; anything more is an expression.
fn event_type() -> TextBy<EventType> {
    text_by(|text, at, reader| {
        if is_snake_case(text) {
            return Some(EventType::Always(text.to_owned()));
        }
        expression_of(text, at, reader).map(EventType::From)
    })
}

fn preference(entry: &Entry, at: &At<'_>, reader: &mut Reader) -> Option<PreferenceKey> {
    let key = entry.key.parse::<PreferenceKey>().ok();
    if key.is_none() {
        let names: Vec<&str> = PreferenceKey::NAMED.iter().map(|(name, _)| *name).collect();
        reader.error(
            entry.place(at.path.clone()),
            format!(
                "is no preference; there are {}, topics.NAME",
                names.join(", ")
            ),
        );
    }
    key
}
