//! Computed traits and segments of the cases, told once by the service and once, naively, from all
//! events.

use std::collections::{BTreeMap, BTreeSet};

use profile_core::analytics::Day;
use profile_core::model::Model;
use profile_core::profile::{Derived, Profile};
use profile_core::records::{Event, Timestamp, Value};

use customer_profile::background::analytics::{History, day_of};
use customer_profile::background::backfill::Backfill;

use super::cases::{NOW, at_day};
use super::world::World;

/// What the model of the cases counts.
pub(super) const DERIVED: &str = "
events:
  order_placed: { extends: order_placed, properties: { amount: any, number: any } }
  call: { properties: { amount: any, number: any } }
computed:
  orders: { count: order_placed }
  orders_3d: { count: order_placed, window: 3d }
  calls_9h: { count: call, window: 9h }
  sum: { sum: [order_placed, call], value: amount }
  sum_2d: { sum: order_placed, value: amount, window: 2d }
  mean: { average: call, value: amount, window: 4d }
  least: { min: [order_placed, call], value: amount }
  greatest: { max: order_placed, value: amount, window: last_day }
  first: { first: [order_placed, call], value: number }
  last: { last: [order_placed, call], value: number, where: number % 4 != 0 }
  often: { most_frequent: [order_placed, call], value: number % 3, window: 3d, top: 3 }
  different: { distinct: [order_placed, call], value: 'number % 4', window: this_day }
  since: { days_since: call }
experience:
  purchases: { events: order_placed, value: amount, where: number % 4 != 0 }
  nps: { events: [order_placed, call], value: number % 12 }
  csat: { events: [] }
  contacts: { events: call }
  promises: { events: call, value: number % 2 == 0 }
segments:
  busy: { when: computed.orders_3d >= 2 }
  quiet: { when: computed.since > 1 && computed.orders < 3 }
  known: { when: \"traits.recent == 'x' || preferences.language == 'de'\" }
";

/// The days on which it is asked: on each of them something else counts.
fn days() -> impl Iterator<Item = Timestamp> {
    [0, 1, 3, 6].into_iter().map(at_day)
}

/// What the service tells: as it was read, and as it would be read later.
pub(super) fn told(profile: &Profile, model: &Model) -> Vec<String> {
    let read = profile.derived.holds(NOW).then(|| profile.derived.clone());
    let later = days().map(|now| Derived::of(profile, model, now));
    let derived = read.into_iter().chain(later).map(|derived| shown(&derived));
    derived
        .chain(days().map(|now| history(profile, model, now)))
        .collect()
}

fn shown(derived: &Derived) -> String {
    let computed = derived.computed.iter().map(|(name, found)| {
        let partial = if found.partial { " partial" } else { "" };
        format!(
            "{name}={}{partial}",
            found
                .value
                .as_ref()
                .map_or("-".to_owned(), ToString::to_string)
        )
    });
    let segments = derived.segments.iter().map(|name| format!("in {name}"));
    computed.chain(segments).collect::<Vec<_>>().join("; ")
}

/// What metrics are computed from, of all time up to a day.
fn history(profile: &Profile, model: &Model, now: Timestamp) -> String {
    let Some(experience) = &model.experience else {
        return String::new();
    };
    let today = day_of(model, now);
    let history = History::of(profile, experience, today);
    let rfm = history.purchases.rfm(today);
    let rfm = rfm.map(|rfm| (rfm.days_since_last, rfm.purchases, rfm.micros / 10_000));
    let buying = history
        .purchases
        .summary(today)
        .map(|summary| summary.buying.frequency());
    let all = history.course.within(Day::MIN..=today);
    let course = (
        all.nps.counts,
        all.nps.off_scale,
        all.contacts,
        all.orders,
        all.kept.part,
        all.kept.whole,
    );
    format!("{rfm:?} {buying:?} {course:?}")
}

/// The same, naively.
fn naive_history(events: &[Event], now: i64) -> String {
    let day = |event: &Event| event.sort_time.as_micros().div_euclid(DAY);
    let today = now.div_euclid(DAY);
    let of = |kinds: &[&str]| {
        let counts = |event: &&Event| kinds.contains(&event.kind.as_str()) && day(event) <= today;
        events.iter().filter(counts).collect::<Vec<_>>()
    };
    let orders: Vec<&Event> = of(&["order_placed"])
        .into_iter()
        .filter(|event| number(event) % 4 != 0)
        .collect();
    let last = orders.iter().map(|event| day(event)).max();
    let sum: i128 = orders.iter().map(|event| i128::from(amount(event))).sum();
    let rfm = last.map(|last| (today - last, orders.len(), sum));
    let days: BTreeSet<i64> = orders.iter().map(|event| day(event)).collect();
    let buying = days.len().checked_sub(1);
    let (mut scores, mut off_scale) = (BTreeMap::<i64, u64>::new(), 0);
    for score in of(&["order_placed", "call"])
        .into_iter()
        .map(|event| number(event) % 12)
    {
        if score <= 10 {
            *scores.entry(score).or_default() += 1;
        } else {
            off_scale += 1;
        }
    }
    let calls = of(&["call"]);
    let kept = calls.iter().filter(|event| number(event) % 2 == 0).count();
    let course = (
        scores,
        off_scale,
        calls.len(),
        orders.len(),
        kept,
        calls.len(),
    );
    format!("{rfm:?} {buying:?} {course:?}")
}

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

/// Events of some types, since the start of a step and before the end of one.
struct Of<'a> {
    events: &'a [Event],
    now: i64,
}

impl<'a> Of<'a> {
    fn of(&self, kinds: &[&str], from: i64, to: i64) -> Vec<&'a Event> {
        let counts = |event: &&Event| {
            let time = event.sort_time.as_micros();
            kinds.contains(&event.kind.as_str()) && (from..to).contains(&time)
        };
        self.events.iter().filter(counts).collect()
    }

    fn all(&self, kinds: &[&str]) -> Vec<&'a Event> {
        self.of(kinds, i64::MIN, i64::MAX)
    }

    fn steps(&self, kinds: &[&str], back: i64, step: i64) -> Vec<&'a Event> {
        let current = self.now.div_euclid(step);
        self.of(kinds, (current - back) * step, (current + 1) * step)
    }
}

fn number(event: &Event) -> i64 {
    let Some(Value::Int(number)) = event.properties.get("number") else {
        panic!("a number")
    };
    *number
}

/// In hundredths.
fn amount(event: &Event) -> i64 {
    number(event) * 125
}

fn hundredths(sum: i64) -> String {
    let number = rust_decimal::Decimal::new(sum, 2);
    number.to_string()
}

/// What must be told of a profile with these events (newest first), on each of the days.
pub(super) fn naive(events: &[Event], known: bool) -> Vec<String> {
    let told: Vec<String> = days()
        .map(|now| naive_at(events, known, now.as_micros()))
        .collect();
    // As it is read now, and as it is derived for now.
    let derived = told
        .first()
        .cloned()
        .into_iter()
        .chain(told.iter().cloned());
    derived
        .chain(days().map(|now| naive_history(events, now.as_micros())))
        .collect()
}

fn naive_sum(events: &[&Event]) -> String {
    if events.is_empty() {
        return "0".to_owned();
    }
    hundredths(events.iter().map(|event| amount(event)).sum())
}

fn naive_mean(events: &[&Event]) -> Option<String> {
    let total: i64 = events.iter().map(|event| amount(event)).sum();
    let count = i64::try_from(events.len()).expect("few");
    if events.is_empty() {
        return None;
    }
    let mean = rust_decimal::Decimal::new(total, 2) / rust_decimal::Decimal::from(count);
    Some(mean.round_dp(6).normalize().to_string())
}

/// The numbers by how often there are events with them, as rests of three.
fn naive_often(events: &[&Event]) -> String {
    let mut often: BTreeMap<i64, usize> = BTreeMap::new();
    for event in events {
        *often.entry(number(event) % 3).or_default() += 1;
    }
    let mut often: Vec<(i64, usize)> = often.into_iter().collect();
    often.sort_by_key(|(value, count)| (std::cmp::Reverse(*count), *value));
    let often: Vec<String> = often.iter().map(|(value, _)| value.to_string()).collect();
    often.join(", ")
}

fn naive_at(events: &[Event], known: bool, now: i64) -> String {
    let (order, call, both): (&[&str], &[&str], &[&str]) =
        (&["order_placed"], &["call"], &["order_placed", "call"]);
    let of = Of { events, now };
    let none = || "-".to_owned();
    let today = now.div_euclid(DAY);
    let yesterday = of.of(order, (today - 1) * DAY, today * DAY);
    let different: BTreeSet<i64> = of
        .of(both, today * DAY, (today + 1) * DAY)
        .iter()
        .map(|event| number(event) % 4)
        .collect();
    let since = of
        .all(call)
        .iter()
        .map(|event| today - event.sort_time.as_micros().div_euclid(DAY))
        .min();
    let (orders, orders_3d) = (of.all(order).len(), of.steps(order, 3, DAY).len());
    let mut lines = BTreeMap::from([
        ("orders", orders.to_string()),
        ("orders_3d", orders_3d.to_string()),
        ("calls_9h", of.steps(call, 9, HOUR).len().to_string()),
        ("sum", naive_sum(&of.all(both))),
        ("sum_2d", naive_sum(&of.steps(order, 2, DAY))),
        (
            "mean",
            naive_mean(&of.steps(call, 4, DAY)).unwrap_or_else(none),
        ),
        (
            "least",
            of.all(both)
                .iter()
                .map(|event| amount(event))
                .min()
                .map_or_else(none, hundredths),
        ),
        (
            "greatest",
            yesterday
                .iter()
                .map(|event| amount(event))
                .max()
                .map_or_else(none, hundredths),
        ),
        (
            "first",
            of.all(both)
                .last()
                .map_or_else(none, |event| number(event).to_string()),
        ),
        ("often", naive_often(&of.steps(both, 3, DAY))),
        ("different", different.len().to_string()),
        ("since", since.map_or_else(none, |days| days.to_string())),
    ]);
    let last = of
        .all(both)
        .into_iter()
        .find(|event| number(event) % 4 != 0);
    lines.insert(
        "last",
        last.map_or_else(none, |event| number(event).to_string()),
    );
    let mut told: Vec<String> = lines
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    told.extend((orders_3d >= 2).then(|| "in busy".to_owned()));
    told.extend(known.then(|| "in known".to_owned()));
    told.extend((since.is_some_and(|days| days > 1) && orders < 3).then(|| "in quiet".to_owned()));
    told.join("; ")
}

/// Whether the condition of `known` holds, told from the profile.
pub(super) fn is_known(profile: &Profile) -> bool {
    let recent = profile
        .traits
        .get("recent")
        .is_some_and(|found| found.value == Value::from("x"));
    let language = profile.preferences.iter().any(|(key, stated)| {
        key.to_string() == "language"
            && serde_json::to_string(&stated.value).is_ok_and(|text| text.contains("\"de\""))
    });
    recent || language
}

/// Counts all that is not counted in a tenant.
pub(super) async fn recount(world: &World) {
    let recount = Backfill {
        store: world.store.clone(),
        models: world.models.clone(),
        clock: std::sync::Arc::new(NOW),
        follower: world.follower(),
    };
    while recount.step(&world.tenant).await.expect("a step") {}
}
