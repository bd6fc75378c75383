//! What is known of one customer that metrics are computed from. A pure function of the profile,
//! the model and the day.

use std::collections::{BTreeMap, BTreeSet};

use profile_core::analytics::{
    Day, FirstContact, InteractionHistory, Purchases, Scale, Scores, Share, Spent, Totals,
};
use profile_core::model::Definition;
use profile_core::model::experience::{Asked, Experience};
use profile_core::profile::Profile;
use profile_core::records::rollup::State;
use profile_core::records::{Timestamp, Value};
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

/// A part of what is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// What customers buy.
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

/// A customer's history up to and with a day.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// Surveys, contacts and promises.
    pub course: InteractionHistory,
    /// What was bought.
    pub purchases: Purchases,
    /// How many purchases there were, also those of no amount.
    pub orders: u64,
    /// How many purchases name which currency.
    pub currencies: BTreeMap<String, u64>,
    /// The last score by survey, and when it was given; none where it is off its scale.
    pub last: BTreeMap<Part, (Timestamp, Option<i64>)>,
    /// What is not counted completely yet.
    pub partial: BTreeSet<Part>,
}

impl History {
    /// Of a profile.
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
    /// What is kept of a definition; nothing happened where there is none.
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
        let today = self.today;
        if let Some(amounts) = self.state(Part::Purchases, &bought.amounts) {
            let spent = amounts.amounts_by_day().map(|(day, sum)| {
                (
                    day,
                    Spent {
                        micros: sum.millionths(),
                        purchases: sum.count(),
                    },
                )
            });
            self.history.purchases = spent.filter(|(day, _)| *day <= today).collect();
        }
        if let Some(orders) = self.state(Part::Purchases, &bought.orders) {
            for (day, count) in orders.counts_by_day().filter(|(day, _)| *day <= today) {
                self.history.course.day(day).orders += count;
                self.history.orders += count;
            }
        }
        if let Some(currencies) = self.state(Part::Purchases, &bought.currencies) {
            for (value, _, count) in currencies
                .values_by_day()
                .filter(|(_, day, _)| *day <= today)
            {
                *self
                    .history
                    .currencies
                    .entry(value.to_string())
                    .or_default() += count;
            }
        }
    }

    fn survey(
        &mut self,
        part: Part,
        asked: Option<&Asked>,
        of: impl Fn(&mut Totals) -> &mut Scores,
    ) {
        let Some(asked) = asked else { return };
        let today = self.today;
        if let Some(scores) = self.state(part, &asked.scores) {
            for (value, day, count) in scores.values_by_day().filter(|(_, day, _)| *day <= today) {
                of(self.history.course.day(day)).add(score(value), count, asked.scale);
            }
            if scores.uncounted_values() > 0 {
                of(self.history.course.day(today)).off_scale += scores.uncounted_values();
            }
        }
        let last = self.state(part, &asked.last).and_then(State::last_of_all);
        let on_scale = |value, scale: Scale| score(value).filter(|score| scale.has(*score));
        if let Some((time, value)) = last {
            self.history
                .last
                .insert(part, (time, on_scale(value, asked.scale)));
        }
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

/// A score; none: the value is no whole number.
fn score(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        Value::Decimal(number) if number.is_integer() => number.to_i64(),
        _ => None,
    }
}
