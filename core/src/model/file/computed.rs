//! What the model file says of computed traits.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::forms::{
    Located, TextBy, event_type, expression, list, located, set, text, text_by, whole,
};
use super::keys::{keys, table};
use super::reader::{Fields, Reader};
use crate::choices::Listed;
use crate::model::Definition;
use crate::model::computed::{Parts, Taken};
use crate::model::expression::Expression;
use crate::model::expression::types::Wanted;
use crate::records::rollup::{Aggregate, Calendar, Window};

/// Maximum length of a window, in steps.
const MAX_DAYS: u16 = 3_660;
const MAX_HOURS: u16 = 336;
/// Maximum number of values that `most_frequent` gives.
const MAX_TOP: u8 = 20;

keys! {
    /// A computed trait: one aggregate over the events of the types that it names.
    ///
    /// Expressions see an event's properties, and `event` with `type`, `source`, `id`, `time`,
    /// `hour`, `weekday` (1 is Monday) and `date`. An event of which an expression gives no value
    /// is not counted.
    pub(super) struct ComputedKeys as "Computed" => Arc<Definition>: definition {
        /// The aggregates that are named, each with its types of events.
        aggregates: Vec<Named> = inline as table(&AGGREGATES, located(set(list(event_type()))));
        /// Which value of an event: an expression.
        value: Option<Located<Expression>> = optional as located(expression());
        /// Of `most_frequent`: a list of so many values, the most frequent first. Default: the one
        /// value.
        top: Option<u8> = optional as whole(1, MAX_TOP);
        /// Only events of which this expression is true.
        condition("where"): Option<Located<Expression>> = optional as located(expression());
        /// Over which time: `365d` (today and the 365 days before it), `24h`, `this_month`,
        /// `last_quarter`, `all`; days are those of the model's `time_zone`.
        window: Window = "all" as window()
            .matching(r"^(all|[1-9][0-9]*[dh]|(this|last)_(day|week|month|quarter|year))$");
        /// What it is, in words.
        description: String = empty as text();
    }
}

/// An aggregate that the file names, with its types of events.
type Named = (&'static Listed<Aggregate>, Located<BTreeSet<String>>);

pub(super) const AGGREGATES: [Listed<Aggregate>; 10] = [
    Listed::optional("count", Aggregate::Count, "How many there were."),
    Listed::optional(
        "sum",
        Aggregate::Sum,
        "The sum of their values; of a list, of all its elements.",
    ),
    Listed::optional(
        "min",
        Aggregate::Min,
        "The least value. Default value: the event's time.",
    ),
    Listed::optional(
        "max",
        Aggregate::Max,
        "The greatest value. Default value: the event's time.",
    ),
    Listed::optional(
        "average",
        Aggregate::Average,
        "The mean of their values; of a list, of all its elements.",
    ),
    Listed::optional(
        "first",
        Aggregate::First,
        "The value of the first. Default value: the event's time.",
    ),
    Listed::optional(
        "last",
        Aggregate::Last,
        "The value of the last. Default value: the event's time.",
    ),
    Listed::optional(
        "most_frequent",
        Aggregate::MostFrequent(1),
        "The value that most of them have; a list counts as each of its values. Exact for the \
         first 256 different values of a record.",
    ),
    Listed::optional(
        "distinct",
        Aggregate::Distinct,
        "How many different values they have; a list counts as each of its values. Exact to \
         1,024, then within some 3 %.",
    ),
    Listed::optional(
        "days_since",
        Aggregate::DaysSince,
        "How many days ago the last one was, by the calendar.",
    ),
];

fn definition(
    keys: ComputedKeys,
    fields: &Fields<'_>,
    reader: &mut Reader,
) -> Option<Arc<Definition>> {
    let (listed, events) = chosen(&keys, fields, reader)?;
    let (name, mut aggregate) = (listed.key, listed.meaning);
    if let Aggregate::MostFrequent(_) = aggregate {
        aggregate = Aggregate::MostFrequent(keys.top.unwrap_or(1));
    } else if let Some(place) = fields.place_of("top") {
        reader.error(place, "goes with `most_frequent` only");
    }
    if let (Aggregate::DaysSince, Some(place)) = (aggregate, fields.place_of("window")) {
        reader.error(place, "`days_since` is of all time: leave `window`");
    }
    let events = events.value.clone();
    let wanted = match aggregate {
        Aggregate::Sum | Aggregate::Average => Wanted::Numbers,
        _ => Wanted::Anything,
    };
    reader.check_over_events(keys.value.as_ref(), &events, wanted);
    reader.check_over_events(keys.condition.as_ref(), &events, Wanted::Condition);
    let parts = Parts {
        aggregate,
        events,
        value: value(name, aggregate, keys.value, fields, reader),
        condition: keys.condition.map(|condition| condition.value),
        window: keys.window,
        description: keys.description,
    };
    let zone = &reader.declared.time_zone;
    let calendar = Arc::new(Calendar::of(zone));
    Some(Arc::new(Definition::new(parts, &calendar, zone)))
}

/// The one aggregate that is named.
fn chosen<'k>(
    keys: &'k ComputedKeys,
    fields: &Fields<'_>,
    reader: &mut Reader,
) -> Option<&'k Named> {
    let names = AGGREGATES.each_ref().map(|listed| listed.key).join(", ");
    if let Some((_, second)) = keys.aggregates.get(1) {
        reader.error(
            second.place.clone(),
            format!("a computed trait is one thing: name one of {names}"),
        );
    }
    let Some(first) = keys.aggregates.first() else {
        reader.error(
            fields.place(),
            format!("says nothing to compute: one of {names} is required"),
        );
        return None;
    };
    let (listed, events) = first;
    if events.value.is_empty() {
        let name = listed.key;
        reader.error(
            events.place.clone(),
            format!("`{name}` names no type of event, such as order_placed"),
        );
    }
    Some(first)
}

/// What is taken of each event: the value that the file names, or else the time, where a time is an
/// answer.
fn value(
    name: &str,
    aggregate: Aggregate,
    given: Option<Located<Expression>>,
    fields: &Fields<'_>,
    reader: &mut Reader,
) -> Taken {
    match (aggregate, given) {
        (Aggregate::Count | Aggregate::DaysSince, Some(given)) => {
            reader.error(
                given.place,
                format!("`{name}` takes no value: leave `value`"),
            );
            Taken::Time
        }
        (_, Some(given)) => Taken::Expression(given.value),
        (
            Aggregate::Sum | Aggregate::Average | Aggregate::MostFrequent(_) | Aggregate::Distinct,
            None,
        ) if fields.place_of("value").is_none() => {
            reader.error(
                fields.place(),
                format!("`{name}` needs a `value`, such as total"),
            );
            Taken::Time
        }
        (_, None) => Taken::Time,
    }
}

fn window() -> TextBy<Window> {
    text_by(|text, at, reader| {
        let message = match text.parse() {
            Ok(Window::Days(days)) if days > MAX_DAYS => format!("must be at most {MAX_DAYS}d"),
            Ok(Window::Hours(hours)) if hours > MAX_HOURS => {
                format!("must be at most {MAX_HOURS}h; beyond, count days")
            }
            Ok(window) => return Some(window),
            Err(()) => {
                "must be all, a number of days or hours (365d, 24h), or this_ or last_ with \
                        day, week, month, quarter or year"
                    .to_owned()
            }
        };
        reader.error(at.place(), message);
        None
    })
}
