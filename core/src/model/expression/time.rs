//! Instants as sources write them.
//!
//! **The problem.** A run of digits may count seconds, milliseconds, microseconds or nanoseconds
//! since 1970, or be a date. A reader that goes by the length alone makes a date of everything: a
//! spreadsheet's day 46053 lies in January 1970 then, and `99991231` in 1973. And systems write
//! a date where they have no date: zero of their clock, or the last one that they know.
//!
//! **The choice.** A number counts only where it lies within the years of [`SECONDS`], by one of
//! four units, of which at most one fits. Other numbers are refused. Such a date is no value.

use std::cell::RefCell;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::numeral::plain;
use crate::records::{Timestamp, Value};

/// Seconds since 1970 that are plausible: of 1980 to 2100.
const SECONDS: std::ops::RangeInclusive<i128> = 315_532_800..=4_102_444_800;
/// Seconds before 1970 that are plausible: from 1900 on. A small negative number is none.
const SECONDS_BEFORE: std::ops::RangeInclusive<i128> = -2_208_988_800..=-86_400;
/// Years of dates that are written as digits alone.
const DIGIT_YEARS: std::ops::RangeInclusive<i16> = 1900..=2100;
const MICROS_PER_SECOND: i128 = 1_000_000;
const NANOS_PER_MICRO: i128 = 1_000;

/// Days that mean no day, such as zero of `MySQL`, of Go and .NET, of Windows, of SQL Server, of
/// spreadsheets, of Unix, and the last day, "for ever".
const NO_DAYS: [&str; 11] = [
    "0000-00-00",
    "0001-01-01",
    "1601-01-01",
    "1753-01-01",
    "1899-12-30",
    "1899-12-31",
    "1900-01-00",
    "1900-01-01",
    "1970-01-01",
    "9999-12-31",
    "9999-12-30",
];
/// Seconds that stand for none, beside zero: the beginning of the year 1 and the end of 9999.
const NO_SECONDS: [i128; 2] = [-62_135_596_800, 253_402_300_799];

/// Time zones of what says none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::model) struct Zones {
    /// That of a day without a time.
    pub(in crate::model) of_days: TimeZone,
    /// That of a local time.
    pub(in crate::model) of_times: TimeZone,
}

impl Zones {
    pub(in crate::model) const UTC: Self = Self {
        of_days: TimeZone::UTC,
        of_times: TimeZone::UTC,
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
        }
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
    if NO_DAYS.iter().any(|day| text.starts_with(day)) {
        return Read::Nothing;
    }
    instant(text, zones).map_or(Read::Unread, Read::At)
}

/// An instant, with its zone or without.
fn instant(text: &str, zones: &Zones) -> Option<Timestamp> {
    let micros = |time: jiff::Timestamp| Timestamp::from_micros(time.as_microsecond());
    if text.contains('[') {
        // RFC 9557: the zone within brackets says which instant a local time is. Where an offset
        // contradicts it, nothing tells which of them is right.
        return Some(micros(text.parse::<jiff::Zoned>().ok()?.timestamp()));
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
    if NO_DAYS.contains(&&*date.to_string()) {
        return Some(Read::Nothing);
    }
    local(date.to_datetime(clock), zone).map(Read::At)
}

/// A count of seconds, milliseconds, microseconds or nanoseconds since 1970, with what is after its
/// point.
fn of_number(number: i128, fraction: Decimal, zones: &Zones) -> Read {
    let is_none = |none: &i128| number == *none || number.div_euclid(1_000) == *none;
    if number == 0 || NO_SECONDS.iter().any(is_none) {
        return Read::Nothing;
    }
    if let Some(read) = of_digits(&number.to_string(), zones) {
        return read;
    }
    let is_plausible = |per_second: i128| {
        let seconds = number / per_second;
        SECONDS.contains(&seconds) || SECONDS_BEFORE.contains(&seconds)
    };
    let unit = [
        1,
        1_000,
        MICROS_PER_SECOND,
        MICROS_PER_SECOND * NANOS_PER_MICRO,
    ];
    let Some(per_second) = unit.into_iter().find(|unit| is_plausible(*unit)) else {
        return Read::Unread;
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
        Read::At(Timestamp::from_micros(micros))
    })
}

/// A time on the clocks of a zone. A time that they skip is read as if they had not, and of two
/// the earlier counts.
fn local(time: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let zoned = time.to_zoned(zone.clone()).ok()?;
    Some(Timestamp::from_micros(zoned.timestamp().as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(value: &Value) -> String {
        match read_in(value, &Zones::UTC) {
            Read::At(time) => time.to_string(),
            Read::Nothing => "nothing".to_owned(),
            Read::Unread => "!".to_owned(),
        }
    }

    /// Texts that users of importers report as read wrongly, and their neighbours.
    fn holds(cases: &[(&str, &str)]) {
        let wrong: Vec<String> = cases
            .iter()
            .map(|(text, expected)| (text, told(&Value::from(*text)), expected))
            .filter(|(_, found, expected)| found != **expected)
            .map(|(text, found, expected)| format!("{text}: {found}, not {expected}"))
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn texts_are_the_instants_that_were_meant_or_none() {
        holds(&[
            ("2026-01-31T08:00:00Z", "2026-01-31T08:00:00Z"),
            ("2026-01-31T08:00:00.5+01:00", "2026-01-31T07:00:00.5Z"),
            ("2026-01-31 08:00:00", "2026-01-31T08:00:00Z"),
            ("2026-01-31", "2026-01-31T00:00:00Z"),
            ("20260131", "2026-01-31T00:00:00Z"),
            ("202601310800", "2026-01-31T08:00:00Z"),
            ("20260131080001", "2026-01-31T08:00:01Z"),
            ("1769846400", "2026-01-31T08:00:00Z"),
            ("1769846400123", "2026-01-31T08:00:00.123Z"),
            ("1769846400123456", "2026-01-31T08:00:00.123456Z"),
            ("1769846400123456789", "2026-01-31T08:00:00.123456Z"),
            ("1769846400.123", "2026-01-31T08:00:00.123Z"),
            ("946684800000", "2000-01-01T00:00:00Z"),
            ("-315619200", "1960-01-01T00:00:00Z"),
            // The zone within brackets.
            (
                "2026-01-31T08:00:00[America/New_York]",
                "2026-01-31T13:00:00Z",
            ),
            (
                "2026-01-31T08:00:00-05:00[America/New_York]",
                "2026-01-31T13:00:00Z",
            ),
            ("2026-01-31T08:00:00.000Z[UTC]", "2026-01-31T08:00:00Z"),
            ("2026-01-31T08:00:00-05:00[Europe/Berlin]", "!"),
            ("2026-01-31T08:00:00[Mars/Olympus]", "!"),
        ]);
    }

    #[test]
    fn offsets_numbers_and_dates_of_none_are_exact_or_refused() {
        holds(&[
            // Blanks before an offset, and names of none.
            ("2026-11-20 11:02:42 -0500", "2026-11-20T16:02:42Z"),
            ("2026-11-20 11:02:42 +05:30", "2026-11-20T05:32:42Z"),
            ("2026-01-31 08:00:00 UTC", "2026-01-31T08:00:00Z"),
            ("2026-01-31 08:00:00 +0000 UTC", "2026-01-31T08:00:00Z"),
            ("2026-01-31 08:00:00 -0500 UTC", "!"),
            ("2026-01-31 08:00:00 EST", "!"),
            ("2026-01-31T08:00:00 02:00", "!"),
            ("2026-01-31T08:00:00+14:00", "2026-01-30T18:00:00Z"),
            ("20260131T080000-0500", "2026-01-31T13:00:00Z"),
            ("2026-01-31T08:00:00+25:00", "!"),
            ("2026-01-31T08:00:00-1600", "!"),
            // Dates with an offset and no time, and hours that clocks do not show.
            ("2026-01-31Z", "!"),
            ("2026-01-31+09:00", "!"),
            ("2026-01-31T24:00:00", "!"),
            ("2026-01-31 08:00:00 PM", "!"),
            ("2026-1-5", "!"),
            ("2026/01/31", "!"),
            // Numbers that are no time: a spreadsheet's day, a year, and digits that are no date.
            ("46053", "!"),
            ("2026", "!"),
            ("20261301", "!"),
            ("99999999", "!"),
            ("-1", "!"),
            ("99999999999999999999", "!"),
            // Days that stand for none.
            ("0", "nothing"),
            ("00000000", "nothing"),
            ("0000-00-00", "nothing"),
            ("0000-00-00 00:00:00", "nothing"),
            ("0001-01-01T00:00:00Z", "nothing"),
            ("1970-01-01T00:00:00Z", "nothing"),
            ("1899-12-30", "nothing"),
            ("99991231", "nothing"),
            ("9999-12-31", "nothing"),
            ("9999-12-31T23:59:59Z", "nothing"),
            ("253402300799", "nothing"),
            ("253402300799000", "nothing"),
            ("-62135596800", "nothing"),
            // Other orders and words.
            ("yesterday", "!"),
            ("2026-13-01", "!"),
            ("2026-02-30", "!"),
            ("01/02/2026", "!"),
            ("8:00", "!"),
            ("1.23E+12", "!"),
            ("1_769_846_400", "!"),
            ("1,769,846,400", "!"),
        ]);
    }

    #[test]
    fn a_day_is_that_of_its_calendar_and_a_local_time_that_of_its_clocks() {
        let zones = Zones::named("America/New_York", "Asia/Tokyo");
        for (text, expected) in [
            ("2026-01-31", "2026-01-31T05:00:00Z"),
            ("2026-11-01", "2026-11-01T04:00:00Z"),
            ("20260131", "2026-01-31T05:00:00Z"),
            ("2026-01-31 08:00:00", "2026-01-30T23:00:00Z"),
            ("202601310800", "2026-01-30T23:00:00Z"),
            ("20260131T080000", "2026-01-30T23:00:00Z"),
            ("2026-01-31T08:00:00Z", "2026-01-31T08:00:00Z"),
            ("2026-01-31T08:00:00+01:00", "2026-01-31T07:00:00Z"),
            ("1769846400", "2026-01-31T08:00:00Z"),
        ] {
            let found = match read_in(&Value::from(text), &zones) {
                Read::At(time) => time.to_string(),
                other => format!("{other:?}"),
            };
            assert_eq!(found, expected, "{text}");
        }
        let skipped = Zones::named("", "America/New_York");
        let read = read_in(&Value::from("2026-03-08T02:30:00"), &skipped);
        let Read::At(time) = read else {
            panic!("{read:?}")
        };
        assert_eq!(time.to_string(), "2026-03-08T07:30:00Z");
    }

    #[test]
    fn numbers_are_read_by_the_one_unit_that_fits() {
        for (number, expected) in [
            ("1769846400", "2026-01-31T08:00:00Z"),
            ("1769846400.123", "2026-01-31T08:00:00.123Z"),
            ("1769846400123.0", "2026-01-31T08:00:00.123Z"),
            ("1769846400123.5", "2026-01-31T08:00:00.1235Z"),
            ("20260131", "2026-01-31T00:00:00Z"),
            ("0.0", "nothing"),
            ("46053.5", "!"),
            ("0.5", "nothing"),
        ] {
            let number: Decimal = number.parse().expect("a number");
            assert_eq!(told(&Value::Decimal(number)), expected, "{number}");
        }
        for (number, expected) in [
            (1_769_846_400_123_456_789, "2026-01-31T08:00:00.123456Z"),
            (i64::MAX, "!"),
            (i64::MIN, "!"),
            (253_402_300_799, "nothing"),
            (1, "!"),
        ] {
            assert_eq!(told(&Value::Int(number)), expected, "{number}");
        }
        assert_eq!(told(&Value::Bool(true)), "!");
    }
}
