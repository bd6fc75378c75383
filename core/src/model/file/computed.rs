//! The parts of the model file on what is derived: computed traits and segments.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::compile::{expression, keys, named};
use super::purposes::event_types;
use super::reader::{At, Fields, Mistakes};
use crate::model::computed::{Parts, Taken};
use crate::model::{Definition, Segment};
use crate::records::rollup::{Aggregate, Calendar, Window};

/// The aggregates, as the file names them.
const AGGREGATES: [(&str, Aggregate); 10] = [
    ("count", Aggregate::Count),
    ("sum", Aggregate::Sum),
    ("min", Aggregate::Min),
    ("max", Aggregate::Max),
    ("average", Aggregate::Average),
    ("first", Aggregate::First),
    ("last", Aggregate::Last),
    ("most_frequent", Aggregate::MostFrequent(1)),
    ("distinct", Aggregate::Distinct),
    ("days_since", Aggregate::DaysSince),
];

/// Windows are at most so many steps long.
const MAX_DAYS: u16 = 3_660;
const MAX_HOURS: u16 = 336;
/// How many values `most_frequent` tells at most.
const MAX_TOP: u8 = 20;

/// Reads the section `computed`.
pub(super) fn computed(
    at: &At<'_>,
    zone: &str,
    mistakes: &mut Mistakes,
) -> BTreeMap<String, Arc<Definition>> {
    let calendar = Arc::new(Calendar::of(zone));
    named(at, "a computed trait", mistakes, |at, mistakes| {
        Some(Arc::new(Definition::new(
            definition(at, mistakes)?,
            &calendar,
            zone,
        )))
    })
}

fn definition(at: &At<'_>, mistakes: &mut Mistakes) -> Option<Parts> {
    let mut fields = at.fields(mistakes)?;
    let mut found = Vec::new();
    for (name, aggregate) in AGGREGATES {
        found.extend(fields.get(name).map(|at| (name, aggregate, at)));
    }
    let names = || AGGREGATES.map(|(name, _)| name).join(", ");
    if found.is_empty() {
        mistakes.add(
            at,
            format!("says nothing to compute: one of {} is required", names()),
        );
    }
    if let [_, (_, _, second), ..] = found.as_slice() {
        mistakes.add(
            second,
            format!("a computed trait is one thing: name one of {}", names()),
        );
    }
    let events = found
        .first()
        .map(|(_, _, at)| event_types(at, mistakes))
        .unwrap_or_default();
    if let (true, Some((name, _, at))) = (events.is_empty(), found.first()) {
        mistakes.add(
            at,
            format!("`{name}` names no type of event, such as order_placed"),
        );
    }
    let first = found
        .first()
        .map(|(name, aggregate, _)| (*name, *aggregate));
    let value = value(&mut fields, at, first, mistakes);
    let top = top(&mut fields, first, mistakes);
    let condition = fields.get("where").and_then(|at| expression(&at, mistakes));
    let window = window(&mut fields, first, mistakes);
    let description = text(&mut fields, "description", mistakes);
    fields.finish(mistakes);
    let aggregate = if let Aggregate::MostFrequent(_) = first?.1 {
        Aggregate::MostFrequent(top)
    } else {
        first?.1
    };
    Some(Parts {
        aggregate,
        events,
        value,
        condition,
        window,
        description,
    })
}

/// What is taken of each event. The time, unless the file says otherwise, where a time is an
/// answer.
fn value(
    fields: &mut Fields<'_>,
    at: &At<'_>,
    aggregate: Option<(&str, Aggregate)>,
    mistakes: &mut Mistakes,
) -> Taken {
    let given = fields.get("value");
    let (Some((name, aggregate)), taken) = (aggregate, &given) else {
        return Taken::Time;
    };
    match (aggregate, taken) {
        (Aggregate::Count | Aggregate::DaysSince, Some(at)) => {
            mistakes.add(at, format!("`{name}` takes no value: leave `value`"));
            Taken::Time
        }
        (_, Some(at)) => expression(at, mistakes).map_or(Taken::Time, Taken::Expression),
        (
            Aggregate::Sum | Aggregate::Average | Aggregate::MostFrequent(_) | Aggregate::Distinct,
            None,
        ) => {
            mistakes.add(at, format!("`{name}` needs a `value`, such as total"));
            Taken::Time
        }
        (_, None) => Taken::Time,
    }
}

fn top(
    fields: &mut Fields<'_>,
    aggregate: Option<(&str, Aggregate)>,
    mistakes: &mut Mistakes,
) -> u8 {
    let Some(at) = fields.get("top") else {
        return 1;
    };
    if !matches!(aggregate, Some((_, Aggregate::MostFrequent(_)))) {
        mistakes.add(&at, "goes with `most_frequent` only");
    }
    at.number(&(1..=MAX_TOP), mistakes).unwrap_or(1)
}

fn window(
    fields: &mut Fields<'_>,
    aggregate: Option<(&str, Aggregate)>,
    mistakes: &mut Mistakes,
) -> Window {
    let Some(at) = fields.get("window") else {
        return Window::All;
    };
    if matches!(aggregate, Some((_, Aggregate::DaysSince))) {
        mistakes.add(&at, "`days_since` is of all time: leave `window`");
    }
    let window = at.text(mistakes).map(str::parse::<Window>);
    match window {
        Some(Ok(Window::Days(days))) if days > MAX_DAYS => mistakes.add(&at, format!("must be at most {MAX_DAYS}d")),
        Some(Ok(Window::Hours(hours))) if hours > MAX_HOURS => {
            mistakes.add(&at, format!("must be at most {MAX_HOURS}h; beyond, count days"));
        }
        Some(Ok(window)) => return window,
        Some(Err(())) => mistakes.add(
            &at,
            "must be all, a number of days or hours (365d, 24h), or this_ or last_ with day, week, month, quarter or year",
        ),
        None => {}
    }
    Window::All
}

fn text(fields: &mut Fields<'_>, key: &'static str, mistakes: &mut Mistakes) -> String {
    fields
        .get(key)
        .and_then(|at| at.text(mistakes))
        .unwrap_or_default()
        .to_owned()
}

/// Reads the section `segments`.
pub(super) fn segments(
    root: &At<'_>,
    at: &At<'_>,
    mistakes: &mut Mistakes,
) -> BTreeMap<String, Segment> {
    let (traits, computed) = (keys(root, "traits"), keys(root, "computed"));
    let declared: [(&str, &[String]); 2] = [("traits", &traits), ("computed", &computed)];
    named(at, "a segment", mistakes, |at, mistakes| {
        segment(at, &declared, mistakes)
    })
}

fn segment(
    at: &At<'_>,
    declared: &[(&str, &[String]); 2],
    mistakes: &mut Mistakes,
) -> Option<Segment> {
    let mut fields = at.fields(mistakes)?;
    let when = fields.required("when", mistakes);
    let description = text(&mut fields, "description", mistakes);
    fields.finish(mistakes);
    let at = when?;
    let source = at.text(mistakes)?;
    match Segment::parse(source, description, declared, &mut mistakes.allowance) {
        Ok(segment) => Some(segment),
        Err(wrong) => {
            for message in wrong {
                mistakes.add(&at, message);
            }
            None
        }
    }
}
