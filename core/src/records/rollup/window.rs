//! Which time an answer is about.
//!
//! Windows move in steps, of a day of the model's calendar or of an hour. A window of `n` days has
//! the current day and the `n` days before it, so what is less than `n` times 24 hours old is
//! always in it, and leaves it at the end of the day on which it becomes `n` days old. The same
//! holds for hours. Because the steps are the same for everybody, states of different records can
//! be added up, and it is known beforehand when an answer changes.

use std::fmt;
use std::ops::Range;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{ToSpan, Unit, Zoned};

use super::Bucket;
use crate::records::Timestamp;

/// The calendar by which days are told.
#[derive(Debug, Clone)]
pub struct Calendar {
    zone: TimeZone,
}

impl Default for Calendar {
    fn default() -> Self {
        Self {
            zone: TimeZone::UTC,
        }
    }
}

const HOUR_MICROS: i64 = 3_600_000_000;
const EPOCH: Date = Date::constant(1970, 1, 1);

impl Calendar {
    /// The calendar of a time zone (IANA); UTC where it has no such name.
    #[must_use]
    pub fn of(zone: &str) -> Self {
        Self {
            zone: crate::time_zone::get(zone).unwrap_or(TimeZone::UTC),
        }
    }

    /// The zone of its days.
    pub(crate) fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// What calendars and clocks show at a time.
    #[must_use]
    pub fn shown(&self, time: Timestamp) -> Zoned {
        let limit = if time.as_micros() < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        };
        jiff::Timestamp::from_microsecond(time.as_micros())
            .unwrap_or(limit)
            .to_zoned(self.zone.clone())
    }

    /// The day of a time.
    #[must_use]
    pub fn day(&self, time: Timestamp) -> Bucket {
        days(self.shown(time).date())
    }

    /// When a day begins.
    #[must_use]
    pub(crate) fn start_of(&self, day: Bucket) -> Timestamp {
        let begin = date(day)
            .to_zoned(self.zone.clone())
            .map(|zoned| zoned.timestamp().as_microsecond());
        Timestamp::from_micros(begin.unwrap_or(i64::MAX))
    }
}

fn days(date: Date) -> Bucket {
    EPOCH
        .until((Unit::Day, date))
        .map_or(0, |span| span.get_days())
}

/// The date of a day.
#[must_use]
pub fn date(day: Bucket) -> Date {
    EPOCH
        .checked_add(day.days())
        .unwrap_or(if day < 0 { Date::MIN } else { Date::MAX })
}

/// Which time an answer is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Window {
    /// All of it.
    #[default]
    All,
    /// All of it, kept by day, for those who ask for days themselves. Not to be named in a model
    /// file.
    Daily,
    /// The current day and so many before it.
    Days(u16),
    /// The current hour and so many before it.
    Hours(u16),
    /// The current period of the calendar.
    This(Period),
    /// The period of the calendar before.
    Last(Period),
}

/// A period of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// A day.
    Day,
    /// From Monday (ISO 8601).
    Week,
    /// A month.
    Month,
    /// Three months, the first from January.
    Quarter,
    /// A year.
    Year,
}

impl Period {
    /// All, by name.
    pub const ALL: [(&'static str, Self); 5] = [
        ("day", Self::Day),
        ("week", Self::Week),
        ("month", Self::Month),
        ("quarter", Self::Quarter),
        ("year", Self::Year),
    ];

    /// The first day of the period that a date is in.
    fn start(self, date: Date) -> Date {
        match self {
            Self::Day => date,
            Self::Week => {
                let back = i32::from(date.weekday().to_monday_zero_offset());
                date.checked_sub(back.days()).unwrap_or(date)
            }
            Self::Month => date.first_of_month(),
            Self::Quarter => {
                let month = (date.month() - 1) / 3 * 3 + 1;
                Date::new(date.year(), month, 1).unwrap_or(date)
            }
            Self::Year => date.first_of_year(),
        }
    }

    fn span(self, periods: i32) -> jiff::Span {
        match self {
            Self::Day => periods.days(),
            Self::Week => periods.weeks(),
            Self::Month => periods.months(),
            Self::Quarter => (periods * 3).months(),
            Self::Year => periods.years(),
        }
    }

    /// The days of the period that is so many periods before or after that of a date.
    fn days(self, of: Date, periods: i32) -> Range<Bucket> {
        let start = self.start(of);
        let start = start.checked_add(self.span(periods)).unwrap_or(start);
        let end = start.checked_add(self.span(1)).unwrap_or(Date::MAX);
        days(start)..days(end)
    }
}

impl Window {
    /// Whether states are kept of all time together.
    #[must_use]
    pub(crate) fn is_all(self) -> bool {
        self == Self::All
    }

    /// The bucket of a time.
    #[must_use]
    pub(crate) fn bucket(self, time: Timestamp, calendar: &Calendar) -> Bucket {
        match self {
            Self::All => 0,
            Self::Hours(_) => hour(time),
            Self::Daily | Self::Days(_) | Self::This(_) | Self::Last(_) => calendar.day(time),
        }
    }

    /// The buckets that count at a time.
    #[must_use]
    pub fn range(self, now: Timestamp, calendar: &Calendar) -> Range<Bucket> {
        let back = |current: Bucket, steps: u16| {
            current.saturating_sub(steps.into())..current.saturating_add(1)
        };
        match self {
            Self::All => 0..1,
            Self::Daily => Bucket::MIN..Bucket::MAX,
            Self::Hours(hours) => back(hour(now), hours),
            Self::Days(days) => back(calendar.day(now), days),
            Self::This(period) => period.days(calendar.shown(now).date(), 0),
            Self::Last(period) => period.days(calendar.shown(now).date(), -1),
        }
    }

    /// The first bucket that some answer at this time or later can need.
    #[must_use]
    pub fn oldest(self, now: Timestamp, calendar: &Calendar) -> Bucket {
        self.range(now, calendar).start
    }

    /// When the answer can next change by time alone, if there is a state for `first` and none
    /// before it from the oldest bucket on; none: never.
    #[must_use]
    pub fn next_change(
        self,
        now: Timestamp,
        first: Bucket,
        calendar: &Calendar,
    ) -> Option<Timestamp> {
        let range = self.range(now, calendar);
        match self {
            Self::All | Self::Daily => None,
            // The step at which the first bucket leaves; or at which it enters, if clocks differ
            // and it is yet to come.
            Self::Hours(hours) => {
                let step = if first >= range.end {
                    first
                } else {
                    first.saturating_add(Bucket::from(hours) + 1)
                };
                Some(Timestamp::from_micros(i64::from(step) * HOUR_MICROS))
            }
            Self::Days(days) => {
                let step = if first >= range.end {
                    first
                } else {
                    first.saturating_add(Bucket::from(days) + 1)
                };
                Some(calendar.start_of(step))
            }
            Self::This(_) => Some(calendar.start_of(range.end)),
            Self::Last(period) => {
                Some(calendar.start_of(period.days(calendar.shown(now).date(), 0).end))
            }
        }
    }
}

fn hour(time: Timestamp) -> Bucket {
    Bucket::try_from(time.as_micros().div_euclid(HOUR_MICROS)).unwrap_or(Bucket::MAX - 1)
}

impl fmt::Display for Window {
    /// As the model file has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |wanted: Period| {
            Period::ALL
                .iter()
                .find(|(_, period)| *period == wanted)
                .map_or("", |(name, _)| name)
        };
        match self {
            Self::All => f.write_str("all"),
            Self::Daily => f.write_str("daily"),
            Self::Days(days) => write!(f, "{days}d"),
            Self::Hours(hours) => write!(f, "{hours}h"),
            Self::This(period) => write!(f, "this_{}", name(*period)),
            Self::Last(period) => write!(f, "last_{}", name(*period)),
        }
    }
}

impl std::str::FromStr for Window {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let period = |name: &str| {
            Period::ALL
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, period)| *period)
                .ok_or(())
        };
        let number = |digits: &str| {
            digits
                .parse::<u16>()
                .ok()
                .filter(|steps| *steps > 0)
                .ok_or(())
        };
        if text == "all" {
            return Ok(Self::All);
        }
        if let Some(name) = text.strip_prefix("this_") {
            return period(name).map(Self::This);
        }
        if let Some(name) = text.strip_prefix("last_") {
            return period(name).map(Self::Last);
        }
        if let Some(days) = text.strip_suffix('d') {
            return number(days).map(Self::Days);
        }
        number(text.strip_suffix('h').ok_or(())?).map(Self::Hours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        let time: jiff::Timestamp = text.parse().expect(text);
        Timestamp::from_micros(time.as_microsecond())
    }

    fn shown(range: &Range<Bucket>) -> String {
        format!("{}..{}", date(range.start), date(range.end))
    }

    #[test]
    fn windows_are_read_as_they_are_written() {
        for text in [
            "all",
            "1d",
            "365d",
            "24h",
            "this_day",
            "this_quarter",
            "last_week",
            "last_year",
        ] {
            assert_eq!(
                text.parse::<Window>().map(|window| window.to_string()),
                Ok(text.to_owned())
            );
        }
        for wrong in [
            "",
            "d",
            "0d",
            "-1d",
            "1.5d",
            "99999d",
            "this",
            "last_decade",
            "365",
            "10w",
            "daily",
        ] {
            assert_eq!(wrong.parse::<Window>(), Err(()), "{wrong}");
        }
    }

    #[test]
    fn days_are_those_of_the_models_calendar() {
        let (utc, zurich) = (Calendar::default(), Calendar::of("Europe/Zurich"));
        let late = at("2026-03-28T23:30:00Z");
        assert_eq!(zurich.day(late), utc.day(late) + 1);
        // The day on which clocks are put forward has 23 hours.
        let (begin, end) = (
            zurich.start_of(zurich.day(late)),
            zurich.start_of(zurich.day(late) + 1),
        );
        assert_eq!(end.as_micros() - begin.as_micros(), 23 * HOUR_MICROS);
    }

    #[test]
    fn a_window_has_the_current_step_and_those_before() {
        let calendar = Calendar::default();
        let now = at("2026-11-22T15:20:00Z");
        let days = |window: &str| {
            shown(
                &window
                    .parse::<Window>()
                    .expect(window)
                    .range(now, &calendar),
            )
        };
        assert_eq!(days("1d"), "2026-11-21..2026-11-23");
        assert_eq!(days("30d"), "2026-10-23..2026-11-23");
        assert_eq!(days("this_day"), "2026-11-22..2026-11-23");
        assert_eq!(days("this_week"), "2026-11-16..2026-11-23");
        assert_eq!(days("last_week"), "2026-11-09..2026-11-16");
        assert_eq!(days("this_month"), "2026-11-01..2026-12-01");
        assert_eq!(days("last_quarter"), "2026-07-01..2026-10-01");
        assert_eq!(days("this_year"), "2026-01-01..2027-01-01");
        assert_eq!(days("last_year"), "2025-01-01..2026-01-01");
    }

    #[test]
    fn it_is_known_when_time_alone_changes_an_answer() {
        let calendar = Calendar::of("America/New_York");
        let now = at("2026-11-22T15:20:00Z");
        let today = calendar.day(now);
        let next = |window: Window, first| window.next_change(now, first, &calendar);
        assert_eq!(
            next(Window::Days(30), today),
            Some(at("2026-12-23T05:00:00Z"))
        );
        assert_eq!(
            next(Window::Hours(2), hour(now)),
            Some(at("2026-11-22T18:00:00Z"))
        );
        assert_eq!(
            next(Window::This(Period::Month), today),
            Some(at("2026-12-01T05:00:00Z"))
        );
        assert_eq!(next(Window::All, 0), None);
    }
}
