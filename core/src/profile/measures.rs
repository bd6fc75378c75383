//! A customer's own metrics as values, for conditions and views: `experience.rfm.purchases`.
//!
//! They are those of `GetExperienceMetrics` ([`MEASURES`](crate::model::experience::MEASURES) lists
//! them), over the window that the model says, and follow from the profile, the model and the day
//! alone. Scores and predictions need all customers and are not among them.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;

use super::{History, Part, Profile, one_currency};
use crate::analytics::{ChurnSignal, Totals, ces_of, contacts_per_order, csat_of, nps};
use crate::model::experience::Experience;
use crate::model::{Definition, Model};
use crate::records::rollup::Calendar;
use crate::records::{Timestamp, Value};

/// Number of digits after the point with which shares and means are given.
const DIGITS: u32 = 6;
/// Amounts are kept in millionths.
const MICROS_SCALE: u32 = 6;

/// The metrics of a customer at a time by name: those for which there is something to compute from.
#[must_use]
pub fn measures(
    profile: &Profile,
    model: &Model,
    now: Timestamp,
) -> BTreeMap<&'static str, (Value, Part)> {
    let Some(experience) = &model.experience else {
        return BTreeMap::new();
    };
    let today = Calendar::of(&model.time_zone).day(now);
    let history = History::of(profile, experience, today);
    let first = today.saturating_sub(experience.window_days.into());
    let totals = history.course.within(first..=today);
    let mut found = Found(BTreeMap::new());
    found.surveys(experience, &history, &totals);
    found.service(experience, &totals);
    if experience.purchases.is_some() {
        found.purchases(&history, today);
    }
    found.0
}

/// The definition behind a part of the metrics.
#[must_use]
pub fn definition_of(experience: &Experience, part: Part) -> Option<&Definition> {
    let surveyed = match part {
        Part::Purchases => return experience.purchases.as_ref().map(|bought| &*bought.orders),
        Part::Contacts => return experience.contacts.as_deref(),
        Part::Promises => return experience.promises.as_deref(),
        Part::Nps => &experience.nps,
        Part::Csat => &experience.csat,
        Part::Ces => &experience.ces,
    };
    surveyed.as_ref().map(|asked| &*asked.answers)
}

struct Found(BTreeMap<&'static str, (Value, Part)>);

impl Found {
    fn set(&mut self, part: Part, name: &'static str, value: Option<Value>) {
        self.0.extend(value.map(|value| (name, (value, part))));
    }

    fn surveys(&mut self, experience: &Experience, history: &History, totals: &Totals) {
        let last = |part: Part| history.last.get(&part).and_then(|(_, score)| *score);
        if experience.nps.is_some() {
            let score = nps(totals.nps.iter()).ok().flatten();
            self.set(
                Part::Nps,
                "nps.score",
                score.and_then(|nps| number(nps.score)),
            );
            self.set(Part::Nps, "nps.last", last(Part::Nps).map(Value::Int));
        }
        if let Some(asked) = &experience.csat {
            let found = csat_of(&totals.csat, asked.scale).ok().flatten();
            let (score, mean) = found.map_or((None, None), |found| {
                (number(found.score), number(found.mean))
            });
            self.set(Part::Csat, "csat.score", score);
            self.set(Part::Csat, "csat.mean", mean);
            self.set(Part::Csat, "csat.last", last(Part::Csat).map(Value::Int));
        }
        if let Some(asked) = &experience.ces {
            let found = ces_of(&totals.ces, asked.scale).ok().flatten();
            let score = found.and_then(|found| number(found.score));
            self.set(Part::Ces, "ces.score", score);
            self.set(Part::Ces, "ces.last", last(Part::Ces).map(Value::Int));
        }
    }

    fn service(&mut self, experience: &Experience, totals: &Totals) {
        if experience.contacts.is_some() {
            let part = Part::Contacts;
            self.set(
                part,
                "contact_rate.contact_count",
                Some(whole(totals.contacts)),
            );
            let rate = contacts_per_order(totals.contacts, totals.orders);
            self.set(part, "contact_rate.ratio", rate.and_then(number));
            let resolved = totals.first_contact.resolved.ratio();
            self.set(
                part,
                "first_contact_resolution.ratio",
                resolved.and_then(number),
            );
        }
        if experience.promises.is_some() {
            let kept = totals.kept.ratio().and_then(number);
            self.set(Part::Promises, "promises.ratio", kept);
        }
    }

    fn purchases(&mut self, history: &History, today: i32) {
        let part = Part::Purchases;
        let rfm = history.purchases.rfm(today);
        let has_one_currency = one_currency(&history.currencies).is_ok();
        let spent = |micros: i128| {
            let amount = Decimal::try_from_i128_with_scale(micros, MICROS_SCALE).ok();
            amount.map(|amount| Value::Decimal(amount.normalize()))
        };
        if has_one_currency {
            let historic = rfm.map_or(0, |rfm| rfm.micros);
            self.set(part, "lifetime_value.historic", spent(historic));
        }
        if let Some(rfm) = rfm {
            let days = Some(Value::Int(rfm.days_since_last.into()));
            self.set(part, "rfm.days_since_last", days.clone());
            self.set(part, "churn.days_since_last", days);
            self.set(part, "rfm.purchases", Some(whole(rfm.purchases)));
            let amount = has_one_currency.then(|| spent(rfm.micros)).flatten();
            self.set(part, "rfm.monetary_value", amount);
        }
        if let Some(summary) = history.purchases.summary(today) {
            let signal = ChurnSignal::of(&summary, None);
            let gaps = signal.gaps_since_last.and_then(number);
            self.set(part, "churn.gaps_since_last", gaps);
        }
    }
}

fn number(value: f64) -> Option<Value> {
    let value = Decimal::from_f64(value)?;
    Some(Value::Decimal(value.round_dp(DIGITS).normalize()))
}

fn whole(count: u64) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}
