//! What is known of one customer that metrics are computed from. A pure function of the profile,
//! the model and the day.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

use super::Profile;
use crate::analytics::{
    Day, FirstContact, InteractionHistory, Purchases, Scores, Share, Spent, Totals,
};
use crate::model::Definition;
use crate::model::experience::{Asked, Experience};
use crate::model::feed::{answers, purchases, unknown_refunds};
use crate::records::rollup::State;
use crate::records::{Timestamp, Value};

/// A part of what is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The purchases of customers.
    Purchases,
    /// How likely they recommend us.
    Nps,
    /// How satisfied they are.
    Csat,
    /// How easy it was.
    Ces,
    /// When they asked for help.
    Contacts,
    /// Whether what was promised was kept.
    Promises,
}

impl Part {
    /// The main source of a metric.
    #[must_use]
    pub fn of_metric(metric: &str) -> Option<Self> {
        Some(match metric {
            "rfm" | "lifetime_value" | "churn" => Self::Purchases,
            "nps" => Self::Nps,
            "csat" => Self::Csat,
            "ces" => Self::Ces,
            "contact_rate" | "first_contact_resolution" => Self::Contacts,
            "promises" => Self::Promises,
            _ => return None,
        })
    }
}

/// A customer's history up to and with a day.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// Surveys, contacts and promises.
    pub course: InteractionHistory,
    /// Purchases by day.
    pub purchases: Purchases,
    /// How many purchases there were, also those of no amount.
    pub orders: u64,
    /// How many purchases name which currency.
    pub currencies: BTreeMap<String, u64>,
    /// The last score by survey, and when it was given; none where it is off its scale.
    pub last: BTreeMap<Part, (Timestamp, Option<i64>)>,
    /// Purchases that are not counted.
    pub left_out: LeftOut,
    /// The parts that are not counted completely yet.
    pub partial: BTreeSet<Part>,
}

/// Purchases that are not counted, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Purchases that were called off.
    pub cancelled: u64,
    /// Purchases of less than nothing.
    pub negative: u64,
    /// Refunds of purchases that are not known.
    pub refunds: u64,
    /// Events about purchases beyond those that are known one by one.
    pub too_many: u64,
}

impl LeftOut {
    /// The two together.
    pub fn add(&mut self, other: Self) {
        self.cancelled += other.cancelled;
        self.negative += other.negative;
        self.refunds += other.refunds;
        self.too_many += other.too_many;
    }

    /// In words, one for each reason.
    pub fn notes(self) -> impl Iterator<Item = String> {
        let reasons = [
            (self.cancelled, "purchases that were cancelled"),
            (self.negative, "purchases of a negative amount"),
            (self.refunds, "refunds of purchases that are not known"),
            (
                self.too_many,
                "events about purchases of customers with very many of them",
            ),
        ];
        let told = reasons.into_iter().filter(|(count, _)| *count > 0);
        told.map(|(count, what)| format!("not counted: {count} {what}"))
    }
}

impl History {
    /// The history of a profile up to and with a day.
    #[must_use]
    pub fn of(profile: &Profile, experience: &Experience, today: Day) -> Self {
        let mut history = Self::default();
        let mut reading = Reading {
            profile,
            today,
            history: &mut history,
        };
        reading.purchases(experience);
        reading.survey(Part::Nps, experience.nps.as_ref(), |totals| &mut totals.nps);
        reading.survey(Part::Csat, experience.csat.as_ref(), |totals| {
            &mut totals.csat
        });
        reading.survey(Part::Ces, experience.ces.as_ref(), |totals| &mut totals.ces);
        reading.contacts(experience);
        reading.promises(experience);
        history
    }
}

struct Reading<'a> {
    profile: &'a Profile,
    today: Day,
    history: &'a mut History,
}

impl<'a> Reading<'a> {
    /// The state of a definition. `None` where nothing happened.
    fn state(&mut self, part: Part, definition: &Definition) -> Option<&'a State> {
        if self.profile.uncounted.contains(&definition.id) {
            self.history.partial.insert(part);
        }
        self.profile.rollup.get(definition.id)
    }

    fn purchases(&mut self, experience: &Experience) {
        let Some(bought) = &experience.purchases else {
            return;
        };
        let state = self.state(Part::Purchases, &bought.orders);
        let Some(objects) = state.and_then(State::objects) else {
            return;
        };
        let (today, history) = (self.today, &mut *self.history);
        let mut spent = Vec::new();
        for purchase in purchases(objects) {
            let day = bought.orders.day(purchase.time);
            if day > today {
                continue;
            }
            if purchase.cancelled {
                history.left_out.cancelled += 1;
                continue;
            }
            if purchase.micros.is_some_and(|micros| micros < 0) {
                history.left_out.negative += 1;
                continue;
            }
            history.course.day(day).orders += 1;
            history.orders += 1;
            if let Some(currency) = purchase.currency {
                *history.currencies.entry(currency.to_owned()).or_default() += 1;
            }
            let sum = |micros| Spent {
                micros,
                purchases: 1,
            };
            spent.extend(purchase.micros.map(|micros| (day, sum(micros))));
        }
        history.purchases = spent.into_iter().collect();
        history.left_out.refunds = unknown_refunds(objects);
        history.left_out.too_many = objects.others();
    }

    fn survey(
        &mut self,
        part: Part,
        asked: Option<&Asked>,
        of: impl Fn(&mut Totals) -> &mut Scores,
    ) {
        let Some(asked) = asked else { return };
        let state = self.state(part, &asked.answers);
        let Some(objects) = state.and_then(State::objects) else {
            return;
        };
        let today = self.today;
        let mut last: Option<(Timestamp, Option<i64>)> = None;
        for answer in answers(objects) {
            let day = asked.answers.day(answer.time);
            if day > today {
                continue;
            }
            of(self.history.course.day(day)).add(answer.score, asked.scale);
            if last.is_none_or(|(time, _)| time <= answer.time) {
                let score = answer.score.map(|score| score.round());
                last = Some((answer.time, score.and_then(|score| score.to_i64())));
            }
        }
        if objects.others() > 0 {
            of(self.history.course.day(today)).off_scale += objects.others();
        }
        self.history.last.extend(last.map(|last| (part, last)));
    }

    fn contacts(&mut self, experience: &Experience) {
        let Some(definition) = &experience.contacts else {
            return;
        };
        let Some(state) = self.state(Part::Contacts, definition) else {
            return;
        };
        let contacts: BTreeMap<Day, u64> = state
            .counts_by_day()
            .filter(|(day, _)| *day <= self.today)
            .collect();
        for (day, count) in &contacts {
            self.history.course.day(*day).contacts += count;
        }
        for (day, first) in FirstContact::by_day(&contacts, self.today) {
            let totals = self.history.course.day(day);
            totals.first_contact = totals.first_contact + first;
        }
    }

    fn promises(&mut self, experience: &Experience) {
        let Some(definition) = &experience.promises else {
            return;
        };
        let Some(state) = self.state(Part::Promises, definition) else {
            return;
        };
        for (value, day, count) in state
            .values_by_day()
            .filter(|(_, day, _)| *day <= self.today)
        {
            let Value::Bool(kept) = value else { continue };
            let totals = self.history.course.day(day);
            totals.kept = totals.kept
                + Share {
                    part: if *kept { count } else { 0 },
                    whole: count,
                };
        }
    }
}

/// The one currency of purchases; empty: none says one.
///
/// # Errors
/// There are several, so that amounts do not add up: which, in words.
pub fn one_currency(currencies: &BTreeMap<String, u64>) -> Result<&str, String> {
    let mut names = currencies.keys();
    match (names.next(), names.next()) {
        (None, _) => Ok(""),
        (Some(only), None) => Ok(only),
        (Some(_), Some(_)) => {
            let told: Vec<String> = currencies
                .iter()
                .map(|(name, count)| format!("{name} {count}"))
                .collect();
            Err(format!(
                "purchases are in several currencies ({}): choose one by `where`",
                told.join(", ")
            ))
        }
    }
}
