//! Instants as sources write them.
//!
//! **The problem.** A run of digits may count seconds, milliseconds, microseconds or nanoseconds
//! since 1970, or be a date. A reader that goes by the length alone makes a date of everything: a
//! spreadsheet's day 46053 lies in January 1970 then, and `99991231` in 1973. And systems write
//! a date where they have no date: zero of their clock, or the last one that they know.
//!
//! **The choice.** A number counts only where it lies within the years of [`SECONDS`], by one of
//! four units, of which at most one fits. Other numbers are refused. Such a date is no value
//! ([`none`]). Forms that leave a doubt are read by the declaration of the source ([`declared`]).

mod declared;
mod formats;
mod none;

use std::cell::RefCell;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::numeral::plain;
use crate::model::date::DateForm;
use crate::records::{Timestamp, Value};
pub(super) use none::keep_no_date;
pub(in crate::model) use none::take_no_date;

/// Seconds since 1970 that are plausible: of 1980 to 2100.
const SECONDS: std::ops::RangeInclusive<i128> = 315_532_800..=4_102_444_800;
/// Seconds before 1970 that are plausible: from 1900 on. A small negative number is none.
const SECONDS_BEFORE: std::ops::RangeInclusive<i128> = -2_208_988_800..=-86_400;
/// The ticks of .NET, of 100 nanoseconds since the year 1, of times from 1970 to 2100. As
/// nanoseconds since 1970 they would lie in 1989 and 1990.
const TICKS: std::ops::RangeInclusive<i128> = 621_355_968_000_000_000..=662_380_416_000_000_000;
/// 1800-01-01, before which nothing is dated that a source tells of a customer.
const FIRST_MICROS: i64 = -5_364_662_400_000_000;
/// Years of dates that are written as digits alone.
const DIGIT_YEARS: std::ops::RangeInclusive<i16> = 1900..=2100;
const MICROS_PER_SECOND: i128 = 1_000_000;
const NANOS_PER_MICRO: i128 = 1_000;

/// Time zones of what says none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::model) struct Zones {
    /// That of a day without a time.
    pub(in crate::model) of_days: TimeZone,
    /// That of a local time.
    pub(in crate::model) of_times: TimeZone,
    /// The forms of dates that are declared.
    pub(in crate::model) dates: DateForm,
}

impl Zones {
    pub(in crate::model) const UTC: Self = Self {
        of_days: TimeZone::UTC,
        of_times: TimeZone::UTC,
        dates: DateForm::NONE,
    };

    /// Zones by their names. Empty: UTC.
    pub(in crate::model) fn named(of_days: &str, of_times: &str) -> Self {
        let named = |name: &str| match name {
            "" => TimeZone::UTC,
            name => crate::time_zone::get(name).unwrap_or(TimeZone::UTC),
        };
        Self {
            of_days: named(of_days),
            of_times: named(of_times),
            dates: DateForm::NONE,
        }
    }

    /// The same, with the forms of dates that a source declares.
    pub(in crate::model) fn with_dates(self, dates: DateForm) -> Self {
        Self { dates, ..self }
    }
}

thread_local! {
    /// The zones of the program that this thread evaluates: CEL's functions take values only.
    static CURRENT: RefCell<Zones> = const { RefCell::new(Zones::UTC) };
}

/// Runs a program whose times without a zone are of these.
pub(super) fn within<T>(zones: &Zones, run: impl FnOnce() -> T) -> T {
    let before = CURRENT.replace(zones.clone());
    let result = run();
    CURRENT.set(before);
    result
}

/// The zones of the program that runs.
pub(super) fn current() -> Zones {
    CURRENT.with_borrow(Clone::clone)
}

/// The reading of a value as a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model) enum Read {
    /// An instant that the value says.
    At(Timestamp),
    /// It stands for no time.
    Nothing,
    /// It is no time that is read.
    Unread,
}

/// Reads a time.
pub(in crate::model) fn read_in(value: &Value, zones: &Zones) -> Read {
    match value {
        Value::Time(time) => Read::At(*time),
        Value::Int(number) => of_number(i128::from(*number), Decimal::ZERO, zones),
        Value::Decimal(number) => of_decimal(*number, zones),
        Value::String(text) => of_text(text.trim(), zones),
        Value::Bool(_) | Value::List(_) | Value::Map(_) => Read::Unread,
    }
}

fn of_decimal(number: Decimal, zones: &Zones) -> Read {
    match i128::try_from(number.trunc()) {
        Ok(whole) => of_number(whole, number.fract(), zones),
        Err(_) => Read::Unread,
    }
}

fn of_text(text: &str, zones: &Zones) -> Read {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return match text.parse() {
            Ok(number) => {
                of_digits(text, zones).unwrap_or_else(|| of_number(number, Decimal::ZERO, zones))
            }
            Err(_) => Read::Unread,
        };
    }
    if let Some(number) = plain(text) {
        return of_decimal(number, zones);
    }
    if none::is_written(text) {
        return Read::Nothing;
    }
    let in_iso = declared::in_iso(text, zones.dates);
    if in_iso.as_deref().is_some_and(none::is_written) {
        return Read::Nothing;
    }
    let time = instant(text, zones).or_else(|| instant(&in_iso?, zones));
    match time.map_or_else(|| formats::read(text), unless_none) {
        // A year without its century, such as 0026.
        Read::At(time) if time.as_micros() < FIRST_MICROS => Read::Unread,
        read => read,
    }
}

fn micros(time: jiff::Timestamp) -> Timestamp {
    Timestamp::from_micros(time.as_microsecond())
}

/// An instant, unless it is a zero or an end of clocks.
fn unless_none(time: Timestamp) -> Read {
    let instant = jiff::Timestamp::from_microsecond(time.as_micros());
    if instant.is_ok_and(none::is_instant) {
        Read::Nothing
    } else {
        Read::At(time)
    }
}

/// An instant, with its zone or without.
fn instant(text: &str, zones: &Zones) -> Option<Timestamp> {
    if text.contains('[') {
        // RFC 9557: the zone within brackets says which instant a local time is. Where an offset
        // contradicts it, nothing tells which of them is right.
        return Some(micros(crate::time_zone::zoned(text)?.timestamp()));
    }
    let text = &*with_joined_offset(text);
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return has_possible_offset(text).then(|| micros(time));
    }
    if let Ok(day) = text.parse::<Date>()
        && !text.contains(['T', 't', ' ', ':'])
    {
        return local(day.to_datetime(Time::midnight()), &zones.of_days);
    }
    local(text.parse::<DateTime>().ok()?, &zones.of_times)
}

/// Whether an offset is one of a place on earth: none was ever 16 hours from UTC.
fn has_possible_offset(text: &str) -> bool {
    let clock = text.get("20260131T".len()..).unwrap_or_default();
    let Some((_, offset)) = clock.rsplit_once(['+', '-']) else {
        return true;
    };
    let hours = offset.get(..2).and_then(|hours| hours.parse::<u8>().ok());
    hours.is_some_and(|hours| hours < 16)
}

/// `2026-01-31 08:00:00 -0500`, ` UTC`, ` +0000 UTC`: as RFC 3339 has it, without a blank.
fn with_joined_offset(text: &str) -> std::borrow::Cow<'_, str> {
    let without_name = text
        .strip_suffix(" UTC")
        .or_else(|| text.strip_suffix(" GMT"));
    let joined = |text: &str, named: bool| {
        let (time, offset) = text.rsplit_once(' ')?;
        let digits = offset.strip_prefix(['+', '-'])?;
        let is_offset = digits.len() >= 4
            && digits
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b':');
        let is_zero = digits.bytes().all(|byte| matches!(byte, b'0' | b':'));
        (is_offset && (!named || is_zero)).then(|| format!("{time}{offset}"))
    };
    match without_name {
        Some(time) => joined(time, true)
            .unwrap_or_else(|| format!("{time}Z"))
            .into(),
        None => joined(text, false).map_or(text.into(), Into::into),
    }
}

/// `20260131`, `202601310800`, `20260131080000`. As numbers they lie in the seventies.
fn of_digits(text: &str, zones: &Zones) -> Option<Read> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i8>().ok();
    let (clock, zone) = match text.len() {
        8 => (Time::midnight(), &zones.of_days),
        12 => {
            let clock = Time::new(number(8..10)?, number(10..12)?, 0, 0).ok()?;
            (clock, &zones.of_times)
        }
        14 => {
            let seconds = number(12..14)?;
            let clock = Time::new(number(8..10)?, number(10..12)?, seconds, 0).ok()?;
            (clock, &zones.of_times)
        }
        _ => return None,
    };
    let year: i16 = text.get(..4)?.parse().ok()?;
    let (month, day) = (number(4..6)?, number(6..8)?);
    if (year, month, day) == (9999, 12, 31) || (year, month, day) == (0, 0, 0) {
        return Some(Read::Nothing);
    }
    if !DIGIT_YEARS.contains(&year) {
        return None;
    }
    let date = Date::new(year, month, day).ok()?;
    if none::is_day(date) {
        return Some(Read::Nothing);
    }
    local(date.to_datetime(clock), zone).map(Read::At)
}

/// A count of seconds, milliseconds, microseconds or nanoseconds since 1970, with what is after its
/// point.
fn of_number(number: i128, fraction: Decimal, zones: &Zones) -> Read {
    if none::is_number(number) {
        return Read::Nothing;
    }
    if let Some(read) = of_digits(&number.to_string(), zones) {
        return read;
    }
    let is_plausible = |per_second: i128| {
        let seconds = number / per_second;
        !TICKS.contains(&number)
            && (SECONDS.contains(&seconds) || SECONDS_BEFORE.contains(&seconds))
    };
    let unit = [
        1,
        1_000,
        MICROS_PER_SECOND,
        MICROS_PER_SECOND * NANOS_PER_MICRO,
    ];
    let Some(per_second) = unit.into_iter().find(|unit| is_plausible(*unit)) else {
        let number = i64::try_from(number).map(|whole| Decimal::from(whole) + fraction);
        let declared = number
            .ok()
            .and_then(|number| declared::of_number(number, zones));
        return declared.map_or(Read::Unread, Read::At);
    };
    let micros = if per_second > MICROS_PER_SECOND {
        number.div_euclid(NANOS_PER_MICRO)
    } else {
        let unit = MICROS_PER_SECOND / per_second;
        let rest = fraction
            .checked_mul(Decimal::from(unit))
            .map(|it| it.floor());
        number * unit + rest.and_then(|rest| i128::try_from(rest).ok()).unwrap_or(0)
    };
    i64::try_from(micros).map_or(Read::Unread, |micros| {
        unless_none(Timestamp::from_micros(micros))
    })
}

/// A time on the clocks of a zone. A time that they skip is read as if they had not, and of two
/// the earlier counts.
fn local(time: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let zoned = time.to_zoned(zone.clone()).ok()?;
    Some(Timestamp::from_micros(zoned.timestamp().as_microsecond()))
}

#[cfg(test)]
mod tests;
