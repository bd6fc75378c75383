//! The names that expressions can use: properties of events, and traits of customers.

use std::collections::{BTreeMap, BTreeSet};

use super::event::{EventType, Property, PropertyKind};
use super::experience::MEASURES;
use super::expression::types::{Kind, Shape, Words};
use crate::records::rollup::Aggregate;

/// The properties that mappings of the model give events of a type, beside those of the catalogue.
pub(super) type Mapped = BTreeMap<String, BTreeSet<String>>;

/// The names for an expression over events of these types. A type without any known property
/// leaves all open.
pub(super) fn of_events<'t>(
    types: impl IntoIterator<Item = (&'t str, Option<&'t EventType>)>,
    mapped: &Mapped,
    all: impl IntoIterator<Item = &'t String>,
) -> Shape {
    let mut words = BTreeMap::new();
    let (mut fields, mut names, mut open) = (BTreeMap::new(), Vec::new(), false);
    for (name, kind) in types {
        let known = kind.map(|kind| &kind.properties);
        let own = mapped.get(name);
        open |= kind.is_none() || (known.is_none_or(BTreeMap::is_empty) && own.is_none());
        names.push(format!("`{name}`"));
        for (name, property) in known.into_iter().flatten() {
            add(&mut fields, name, of_property(property));
            add_words(&mut words, name, &property.one_of);
        }
        for name in own.into_iter().flatten() {
            if known.is_none_or(|known| !known.contains_key(name)) {
                add(&mut fields, name, Kind::Any);
            }
        }
    }
    fields.insert(
        "event".to_owned(),
        event(all.into_iter().cloned().collect()),
    );
    words.retain(|_, known: &mut Vec<String>| !known.is_empty());
    let words = words.into_iter();
    let words = words.map(|(name, known)| (name, Words::OneOf(known)));
    if open {
        let only = None;
        return Shape {
            fields,
            only,
            words: words.collect(),
        };
    }
    let rule = format!("{} has no property", names.join(" or "));
    Shape::closed(&rule, fields).with_words(words.collect())
}

/// Adds the texts that a property may be. Of two types that say them, all; none, if one says none.
fn add_words(words: &mut BTreeMap<String, Vec<String>>, name: &str, known: &[String]) {
    match words.get_mut(name) {
        Some(all) if all.is_empty() || known.is_empty() => all.clear(),
        Some(all) => all.extend_from_slice(known),
        None => drop(words.insert(name.to_owned(), known.to_vec())),
    }
}

/// Adds a property; where two types disagree about its kind, it may be any.
fn add(fields: &mut BTreeMap<String, Kind>, name: &str, kind: Kind) {
    let kind = match fields.get(name) {
        Some(known) if *known != kind => Kind::Any,
        _ => kind,
    };
    fields.insert(name.to_owned(), kind);
}

/// The fields of an event. `types`: all that there are.
fn event(types: Vec<String>) -> Kind {
    let fields = [
        ("type", Kind::Text),
        ("source", Kind::Text),
        ("id", Kind::Text),
        ("time", Kind::Moment),
        ("hour", Kind::Number),
        ("weekday", Kind::Number),
        ("date", Kind::Moment),
    ];
    let fields = fields.map(|(name, kind)| (name.to_owned(), kind));
    let words = [("type".to_owned(), Words::OneOf(types))];
    Kind::map(Shape::closed("`event` has no field", fields.into()).with_words(words.into()))
}

fn of_property(property: &Property) -> Kind {
    match &property.kind {
        PropertyKind::Any | PropertyKind::Id => Kind::Any,
        PropertyKind::Text | PropertyKind::Currency => Kind::Text,
        PropertyKind::Whole | PropertyKind::Decimal | PropertyKind::Money => Kind::Number,
        PropertyKind::Boolean => Kind::Boolean,
        PropertyKind::Time => Kind::Moment,
        PropertyKind::List(of) => Kind::list(of_property(of)),
        PropertyKind::Map(entries) => {
            let fields = entries
                .iter()
                .map(|(name, property)| (name.clone(), of_property(property)));
            Kind::map(Shape {
                fields: fields.collect(),
                ..Shape::open()
            })
        }
    }
}

/// The kind of a computed trait. `of_time`: it takes the event's time.
pub(super) fn of_aggregate(aggregate: Aggregate, of_time: bool) -> Kind {
    match aggregate {
        Aggregate::Count
        | Aggregate::Sum
        | Aggregate::Average
        | Aggregate::Distinct
        | Aggregate::DaysSince => Kind::Number,
        Aggregate::Min | Aggregate::Max | Aggregate::First | Aggregate::Last if of_time => {
            Kind::Moment
        }
        _ => Kind::Any,
    }
}

/// The values of metrics; where nothing is measured there are none.
fn of_metrics(is_measured: bool) -> Shape {
    let mut metrics: BTreeMap<String, BTreeMap<String, Kind>> = BTreeMap::new();
    for (metric, value) in MEASURES.iter().filter_map(|name| name.split_once('.')) {
        let values = metrics.entry(metric.to_owned()).or_default();
        values.insert(value.to_owned(), Kind::Number);
    }
    let shape = |(name, values): (String, BTreeMap<String, Kind>)| {
        let rule = format!("of one customer metric `{name}` has no value");
        let kind = Kind::map(Shape::closed(&rule, values));
        (name, kind)
    };
    if is_measured {
        let metrics = metrics.into_iter().map(shape).collect();
        return Shape::closed("there is no metric", metrics);
    }
    let rule = "the model has no section `experience`, so there is no metric";
    Shape::closed(rule, BTreeMap::new())
}

/// The names for a condition of a segment.
pub(super) fn of_customers<'t>(
    traits: impl IntoIterator<Item = &'t String>,
    computed: BTreeMap<String, Kind>,
    is_measured: bool,
) -> Shape {
    let traits = traits.into_iter().map(|name| (name.clone(), Kind::Any));
    let flag = || Kind::Boolean;
    let channels = || Kind::list(Kind::Text);
    let preferences = [
        ("preferred_name", Kind::Text),
        ("form_of_address", Kind::Text),
        ("pronunciation", Kind::Text),
        ("language", Kind::Text),
        ("time_zone", Kind::Text),
        ("preferred_channels", channels()),
        ("forbidden_channels", channels()),
        ("do_not_contact", flag()),
        ("processing_restricted", flag()),
        ("quiet_hours", Kind::list(Kind::Text)),
        ("frequency_caps", Kind::list(Kind::map(Shape::open()))),
        ("topics", Kind::map(Shape::open())),
    ];
    let preferences = preferences.map(|(name, kind)| (name.to_owned(), kind));
    let words = [
        ("language".to_owned(), Words::Language),
        ("time_zone".to_owned(), Words::TimeZone),
    ];
    let subjects = [
        (
            "traits",
            Shape::closed("the model declares no trait", traits.collect()),
        ),
        (
            "computed",
            Shape::closed("the model declares no computed trait", computed),
        ),
        (
            "preferences",
            Shape::closed("conditions see no preference", preferences.into())
                .with_words(words.into()),
        ),
        ("experience", of_metrics(is_measured)),
    ];
    let subjects = subjects.map(|(name, shape)| (name.to_owned(), Kind::map(shape)));
    Shape::closed("a condition has no subject", subjects.into())
}
