//! What a state answers.

use std::ops::Range;

use super::{Aggregate, Amount, Answer, Placed, State, Values, plain, sum};
use crate::records::rollup::{Bucket, Buckets, Calendar, Window};
use crate::records::{Timestamp, Value};

impl State {
    /// What it answers at a time.
    #[must_use]
    pub fn answer(
        &self,
        aggregate: Aggregate,
        window: Window,
        now: Timestamp,
        calendar: &Calendar,
    ) -> Answer {
        let range = window.range(now, calendar);
        let first = self.first_from(range.start);
        let until = first.and_then(|first| window.next_change(now, first, calendar));
        let (value, approximate) = match self {
            Self::Count(buckets) => (Some(whole(sum(buckets, &range))), false),
            Self::Amount(buckets) => (amount(buckets, aggregate, &range), false),
            Self::Extremes(buckets) => {
                let all = buckets.within(&range).map(|(_, both)| both);
                let value = if aggregate == Aggregate::Min {
                    all.map(|both| &both.0).min()
                } else {
                    all.map(|both| &both.1).max()
                };
                (value.map(plain), false)
            }
            Self::Ends(buckets) => {
                let value = end(buckets, aggregate, &range);
                (value.map(|Placed(.., value)| value.clone()), false)
            }
            Self::Values(values) => (frequent(values, aggregate, &range), values.others > 0),
            Self::Distinct(distinct) => {
                let (count, approximate) = distinct.count(&range);
                (Some(whole(count)), approximate)
            }
            Self::Latest(latest) => return days_since(*latest, now, calendar),
            Self::Objects(_) => (None, false),
        };
        Answer {
            value,
            approximate,
            until,
        }
    }
}

impl State {
    /// The share of this part in the answer of a sum at a time, to be compared with other parts:
    /// the number of events or of values, the size of an amount; of a value that one event
    /// says, whether it is the part's. 0: nothing of it is counted.
    #[must_use]
    pub fn share(
        &self,
        whole: &Self,
        aggregate: Aggregate,
        (window, now, calendar): (Window, Timestamp, &Calendar),
    ) -> u128 {
        let range = window.range(now, calendar);
        let answer = |state: &Self| state.answer(aggregate, window, now, calendar).value;
        match (self, whole) {
            (Self::Count(buckets), _) => sum(buckets, &range).into(),
            (Self::Amount(buckets), _) => {
                let mut sum = Amount::default();
                for (_, amount) in buckets.within(&range) {
                    sum.add(*amount);
                }
                sum.millionths.unsigned_abs() + u128::from(sum.count)
            }
            (Self::Ends(part), Self::Ends(all)) => {
                let part = end(part, aggregate, &range);
                u128::from(part.is_some() && part == end(all, aggregate, &range))
            }
            (Self::Values(part), Self::Values(_)) => {
                let top = answer(whole).map(super::each).unwrap_or_default();
                let counts = top.iter().filter_map(|value| part.counts.get(value));
                counts.map(|buckets| u128::from(sum(buckets, &range))).sum()
            }
            (Self::Distinct(distinct), _) => distinct.count(&range).0.into(),
            (Self::Objects(objects), _) => objects.iter().count() as u128,
            (Self::Latest(part), Self::Latest(all)) => u128::from(part.is_some() && part == all),
            _ => {
                let part = answer(self);
                u128::from(part.is_some() && part == answer(whole))
            }
        }
    }

    /// Whether no event was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Latest(latest) => latest.is_none(),
            Self::Objects(objects) => objects.iter().next().is_none(),
            Self::Values(values) => values.counts.is_empty() && values.others == 0,
            Self::Count(_)
            | Self::Amount(_)
            | Self::Extremes(_)
            | Self::Ends(_)
            | Self::Distinct(_) => self.first_from(Bucket::MIN).is_none(),
        }
    }
}

/// The first or the last event.
fn end<'b>(
    buckets: &'b Buckets<(Placed, Placed)>,
    aggregate: Aggregate,
    range: &Range<Bucket>,
) -> Option<&'b Placed> {
    let all = buckets.within(range).map(|(_, both)| both);
    if aggregate == Aggregate::First {
        all.map(|both| &both.0).min()
    } else {
        all.map(|both| &both.1).max()
    }
}

fn amount(buckets: &Buckets<Amount>, aggregate: Aggregate, range: &Range<Bucket>) -> Option<Value> {
    let mut sum = Amount::default();
    for (_, amount) in buckets.within(range) {
        sum.add(*amount);
    }
    if aggregate == Aggregate::Average {
        sum.mean()
    } else {
        Some(sum.total())
    }
}

fn frequent(values: &Values, aggregate: Aggregate, range: &Range<Bucket>) -> Option<Value> {
    let mut found = values.most_frequent(range);
    match aggregate {
        Aggregate::MostFrequent(top) if top > 1 => {
            found.truncate(top.into());
            Some(Value::List(found))
        }
        _ => found.into_iter().next(),
    }
}

/// Days since the last event, which are one more from tomorrow on.
fn days_since(latest: Option<Timestamp>, now: Timestamp, calendar: &Calendar) -> Answer {
    let Some(latest) = latest else {
        return Answer::default();
    };
    let (today, then) = (calendar.day(now), calendar.day(latest));
    Answer {
        value: Some(Value::Int(today.saturating_sub(then).max(0).into())),
        approximate: false,
        until: Some(calendar.start_of(today + 1)),
    }
}

fn whole(number: u64) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}
