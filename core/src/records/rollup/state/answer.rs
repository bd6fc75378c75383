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
                let all = buckets.within(&range).map(|(_, both)| both);
                let placed = if aggregate == Aggregate::First {
                    all.map(|both| &both.0).min()
                } else {
                    all.map(|both| &both.1).max()
                };
                let value = placed.map(|Placed(.., value)| value.clone());
                (value, false)
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
