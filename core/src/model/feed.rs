//! Objects that metrics count: orders as they are now, and the latest answers to surveys.
//!
//! **The problem.** A source reports an order several times: placed, edited, refunded in part,
//! called off. A survey's answer is changed. Whoever counts events counts such an object twice, and
//! an order that was called off for ever.
//!
//! **The choice.** What is kept is the object by its id ([`Objects`]), not the events. The types
//! that the model names begin it; all types of the catalogue that are states of the same kind of
//! object go on with it, and refunds that speak of it. An event that names no object is one by
//! itself.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::event::Catalogue;
use crate::analytics::Scale;
use crate::records::rollup::{Amount, KnownObject, Objects, Placed};
use crate::records::{Event, Meaning, ObjectKey, Timestamp, Value};

/// The facts that a metric keeps of each object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Feed {
    /// Its total, currency, state and refunds.
    Purchase,
    /// Its score, on this scale.
    Answer {
        /// The scale of the metric.
        scale: Scale,
        /// Whether scores that are brought onto it are whole.
        whole: bool,
        /// The least and the greatest score where an event names only one of them.
        usual: Scale,
    },
}

const TOTAL: &str = "total";
const CURRENCY: &str = "currency";
const STATUS: &str = "status";
const SCORE: &str = "score";
/// Before the id of a refund.
const REFUND: &str = "refund ";
/// Before the id of a refund whose currency is known.
const REFUND_CURRENCY: &str = "currency of refund ";
/// The object that gives back what an order took.
const REFUND_KIND: &str = "refund";
/// States of orders that do not count, in the words of shops: called off, or never paid.
const CANCELLED: [&str; 11] = [
    "cancelled",
    "canceled",
    "voided",
    "void",
    "rejected",
    "declined",
    "failed",
    "payment_failed",
    "expired",
    "deleted",
    "trash",
];
/// States in which all of an order was given back.
const REFUNDED: [&str; 5] = [
    "refunded",
    "fully_refunded",
    "charged_back",
    "chargeback",
    "chargedback",
];
/// States in which nothing was given back.
const FAILED: [&str; 5] = ["failed", "cancelled", "canceled", "rejected", "voided"];

/// A purchase, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase<'a> {
    /// When it was made.
    pub time: Timestamp,
    /// Its amount in millionths, less refunds. `None`: no amount is known.
    pub micros: Option<i128>,
    /// Its currency, if an event says one.
    pub currency: Option<&'a str>,
    /// Whether it was called off.
    pub cancelled: bool,
}

/// An answer to a survey, as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// When it was given last.
    pub time: Timestamp,
    /// The score on the scale of the metric. `None`: it is off the scale that its event says.
    pub score: Option<Decimal>,
}

/// The purchases among objects.
#[must_use]
pub fn purchases(objects: &Objects) -> Vec<Purchase<'_>> {
    objects.iter().filter_map(|(_, it)| purchase(it)).collect()
}

/// How many refunds are of purchases that are not known, or in another currency than theirs: these
/// lessen no amount.
#[must_use]
pub fn unknown_refunds(objects: &Objects) -> u64 {
    let uncounted = |(_, it): (&str, &KnownObject)| match it.begun {
        None => all_refunds(it).count(),
        Some(_) => all_refunds(it).filter(|(id, _)| is_foreign(it, id)).count(),
    };
    objects.iter().map(uncounted).sum::<usize>() as u64
}

/// The refunds of an object by their ids.
fn all_refunds(object: &KnownObject) -> impl Iterator<Item = (&str, &Placed)> {
    let words = object.words.iter();
    words.filter_map(|(about, word)| Some((about.strip_prefix(REFUND)?, word)))
}

/// Whether a refund is in another currency than its purchase.
fn is_foreign(object: &KnownObject, id: &str) -> bool {
    let code = |about: &str| Some(object.words.get(about)?.3.as_str()?.to_owned());
    let own = code(CURRENCY);
    code(&format!("{REFUND_CURRENCY}{id}")).is_some_and(|code| own.is_some_and(|own| own != code))
}

fn purchase(object: &KnownObject) -> Option<Purchase<'_>> {
    let text = |about: &str| object.words.get(about)?.3.as_str();
    let micros = |word: &Placed| Amount::of(&word.3).map_or(0, Amount::millionths);
    let refunds = all_refunds(object).filter(|(id, _)| !is_foreign(object, id));
    let back: i128 = refunds.map(|(_, word)| micros(word).abs()).sum();
    let total = object.words.get(TOTAL).map(micros);
    let is = |states: &[&str]| text(STATUS).is_some_and(|status| is_one_of(status, states));
    let is_refunded = is(&REFUNDED);
    Some(Purchase {
        time: object.begun?,
        // No more is given back than was paid: a total that was lowered already says so itself.
        micros: total.map(|total| match total {
            ..=0 => total,
            _ if is_refunded => 0,
            _ => (total - back).max(0),
        }),
        currency: text(CURRENCY),
        cancelled: is(&CANCELLED),
    })
}

/// The answers to a survey among objects.
#[must_use]
pub fn answers(objects: &Objects) -> Vec<Answered> {
    let answered = |(_, object): (&str, &KnownObject)| {
        let Placed(time, .., score) = object.words.get(SCORE)?;
        let score = match score {
            Value::Int(score) => Some(Decimal::from(*score)),
            Value::Decimal(score) => Some(*score),
            _ => None,
        };
        let time = *time;
        Some(Answered { time, score })
    };
    objects.iter().filter_map(answered).collect()
}

/// Whether a state is one of several, in any case, with blanks or hyphens, and with the prefix of
/// `WooCommerce`.
fn is_one_of(state: &str, states: &[&str]) -> bool {
    let plain = state.to_ascii_lowercase().replace([' ', '-'], "_");
    let plain = plain.strip_prefix("wc_").unwrap_or(&plain);
    states.contains(&plain)
}

impl Feed {
    /// The types of events that go on with objects which events of some types begin.
    pub(super) fn followers(
        self,
        begins: &BTreeSet<String>,
        catalogue: &Catalogue,
    ) -> BTreeSet<String> {
        let own = |name: &String| Some(catalogue.get(name)?.object.as_ref()?.kind.as_str());
        let kinds: BTreeSet<&str> = begins.iter().filter_map(own).collect();
        let follows = |name: &&String| {
            let Some(kind) = catalogue.get(*name) else {
                return false;
            };
            let own = kind.object.as_ref().map(|object| object.kind.as_str());
            let refunds = own == Some(REFUND_KIND)
                && kind
                    .relates
                    .iter()
                    .any(|other| kinds.contains(other.kind.as_str()));
            self == Self::Purchase && (own.is_some_and(|own| kinds.contains(own)) || refunds)
        };
        catalogue.keys().filter(follows).cloned().collect()
    }

    /// The kinds of objects that events of some types begin.
    pub(super) fn kinds(begins: &BTreeSet<String>, catalogue: &Catalogue) -> BTreeSet<String> {
        let own = |name: &String| Some(catalogue.get(name)?.object.as_ref()?.kind.clone());
        begins.iter().filter_map(own).collect()
    }

    /// Adds an event. `begins`: it is one that begins an object. `value`: what the metric takes of
    /// it.
    pub(super) fn add(
        self,
        objects: &mut Objects,
        event: &Event,
        (begins, kinds): (bool, &BTreeSet<String>),
        value: Option<Value>,
    ) {
        let Meaning {
            object, related, ..
        } = &event.meaning;
        let is_kept = |key: &&ObjectKey| begins || kinds.contains(&key.kind);
        if let Some(id) = id_of(event, object.as_ref().filter(is_kept), begins) {
            if let Some(object) = objects.object(&id) {
                if begins {
                    object.begin(event.sort_time);
                }
                self.words(object, event, value);
            }
            return;
        }
        let refund = object.as_ref().filter(|own| own.kind == REFUND_KIND);
        let Some(refund) = refund.filter(|_| self == Self::Purchase) else {
            return;
        };
        let failed = event.meaning.status.as_deref();
        let failed = failed.is_some_and(|status| is_one_of(status, &FAILED));
        let amount = event.properties.get("amount").cloned();
        let Some(amount) = (if failed { Some(Value::Int(0)) } else { amount }) else {
            return;
        };
        for order in related.iter().filter(|order| kinds.contains(&order.kind)) {
            if let Some(order) = objects.object(&name(order)) {
                let id = &refund.id;
                order.say(&format!("{REFUND}{id}"), placed(event, amount.clone()));
                if let Some(code) = currency_of(event) {
                    order.say(&format!("{REFUND_CURRENCY}{id}"), placed(event, code));
                }
            }
        }
    }

    fn words(self, object: &mut KnownObject, event: &Event, value: Option<Value>) {
        match self {
            Self::Purchase => {
                if let Some(total) = value.filter(|total| Amount::of(total).is_some()) {
                    object.say(TOTAL, placed(event, total));
                }
                if let Some(code) = currency_of(event) {
                    object.say(CURRENCY, placed(event, code));
                }
                if let Some(status) = &event.meaning.status {
                    object.say(STATUS, placed(event, Value::from(status.as_str())));
                }
            }
            Self::Answer {
                scale,
                whole,
                usual,
            } => {
                if let Some(given) = value {
                    let score = on_scale(&given, event, (scale, usual), whole);
                    let score = score.map_or(Value::Bool(false), Value::Decimal);
                    object.say(SCORE, placed(event, score));
                }
            }
        }
    }
}

/// A score on the scale of the metric, brought onto it linearly where the event says another one.
fn on_scale(
    given: &Value,
    event: &Event,
    (scale, usual): (Scale, Scale),
    whole: bool,
) -> Option<Decimal> {
    let number = |value: &Value| match value {
        Value::Int(number) => Some(Decimal::from(*number)),
        Value::Decimal(number) => Some(*number),
        _ => None,
    };
    let score = number(given)?;
    let said = |name: &str| event.properties.get(name).and_then(number);
    let (least, greatest) = (Decimal::from(scale.min()), Decimal::from(scale.max()));
    let ends = match (said("scale_min"), said("scale_max")) {
        (None, None) => (least, greatest),
        (min, max) => (
            min.unwrap_or_else(|| usual.min().into()),
            max.unwrap_or_else(|| usual.max().into()),
        ),
    };
    let is_between = ends.0.min(ends.1) <= score && score <= ends.0.max(ends.1);
    if !is_between || !score.is_integer() || ends.0 == ends.1 {
        return None;
    }
    if ends == (least, greatest) {
        return Some(score.normalize());
    }
    let share = (score - ends.0).checked_div(ends.1 - ends.0)?;
    let brought = least + share * (greatest - least);
    let digits = if whole { 0 } else { 6 };
    let strategy = rust_decimal::RoundingStrategy::MidpointAwayFromZero;
    Some(brought.round_dp_with_strategy(digits, strategy).normalize())
}

/// The currency of an event's amounts, if it says one.
fn currency_of(event: &Event) -> Option<Value> {
    let code = event.properties.get(CURRENCY)?.as_str()?;
    let code = code.trim().to_ascii_uppercase();
    (!code.is_empty()).then(|| Value::from(code.as_str()))
}

fn name(object: &ObjectKey) -> String {
    format!("{}:{}", object.kind, object.id)
}

/// The id of the object that an event tells of.
fn id_of(event: &Event, own: Option<&ObjectKey>, begins: bool) -> Option<String> {
    let alone = || format!("{}/{}", event.source(), event.event_id);
    own.map(name).or_else(|| begins.then(alone))
}

/// A word with its place: of two at one time the one that puts the object in the later state.
fn placed(event: &Event, word: Value) -> Placed {
    let rank = format!("{:010} {}", event.meaning.place(), event.source());
    Placed(event.sort_time, rank, event.event_id.clone(), word)
}

#[cfg(test)]
mod tests;
