//! Times in the forms that a source declares: its order of day and month, and its numbers.
//!
//! `03/04/2026 8:30 PM` is of March or of April, and 46053 is a day of a spreadsheet or a number of
//! seconds. Neither is read without a declaration (`dates.order`, `dates.numbers`, or the source's
//! country for the order). A declaration adds these forms, and changes none that can be read
//! without it.

use jiff::civil::{DateTime, Time};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::{Zones, local, none};
use crate::model::date::{DateForm, DateNumbers, DateOrder};
use crate::records::Timestamp;

/// Days of spreadsheets that are plausible: of 1927 to 2119.
const EXCEL_DAYS: std::ops::Range<i64> = 10_000..80_000;
/// Day 0 of spreadsheets, from March 1900 on.
const EXCEL_ZERO: DateTime = DateTime::constant(1899, 12, 30, 0, 0, 0, 0);
const SECONDS_OF_DAY: i64 = 86_400;
/// Years more than those of the Gregorian calendar.
const BUDDHIST_YEARS: i16 = 543;

/// `31/01/2026 8:30 PM` as `2026-01-31T20:30`. `None`: it is in another form, or its order is not
/// declared.
pub(super) fn in_iso(text: &str, form: DateForm) -> Option<String> {
    let order = form.order?;
    let end = text.find([' ', 'T', ',']).unwrap_or(text.len());
    let (date, clock) = text.split_at(end);
    let separator = date.find(['/', '.', '-'])?;
    let separator = date[separator..].chars().next()?;
    let parts: Vec<&str> = date.split(separator).collect();
    let [first, second, third] = parts.as_slice() else {
        return None;
    };
    let (year, month, day) = match (first.len(), third.len(), order) {
        (4, ..) => (first, second, third),
        (_, 4, DateOrder::DayFirst) => (third, second, first),
        // No country with the month first writes points.
        (_, 4, DateOrder::MonthFirst) if separator != '.' => (third, first, second),
        _ => return None,
    };
    let number = |digits: &str| {
        let is_one = (1..=2).contains(&digits.len()) && is_digits(digits);
        is_one.then(|| digits.parse::<u8>().ok()).flatten()
    };
    let (month, day) = (number(month)?, number(day)?);
    let year: i16 = is_digits(year).then(|| year.parse().ok()).flatten()?;
    let year = year - if form.buddhist { BUDDHIST_YEARS } else { 0 };
    let clock = clock.trim_start_matches(['T', ',']).trim();
    let clock = if clock.is_empty() {
        String::new()
    } else {
        format!("T{}", of_clock(clock)?)
    };
    Some(format!("{year:04}-{month:02}-{day:02}{clock}"))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `8:30 PM` as `20:30`; what follows the minutes stays.
fn of_clock(clock: &str) -> Option<String> {
    let lower = clock.to_ascii_lowercase();
    let half = [("a.m.", 0), ("p.m.", 12), ("am", 0), ("pm", 12)];
    let half = half.iter().find(|(mark, _)| lower.ends_with(mark));
    let clock = half.map_or(clock, |(mark, _)| {
        clock[..clock.len() - mark.len()].trim_end()
    });
    let (hour, rest) = clock.split_once(':')?;
    if !(1..=2).contains(&hour.len()) || !is_digits(hour) {
        return None;
    }
    let hour: u8 = hour.parse().ok()?;
    let hour = match half {
        None => hour,
        Some((_, hours)) if (1..=12).contains(&hour) => hour % 12 + hours,
        Some(_) => return None,
    };
    Some(format!("{hour:02}:{rest}"))
}

/// A number of the unit that is declared.
pub(super) fn of_number(number: Decimal, zones: &Zones) -> Option<Timestamp> {
    let micros = match zones.dates.numbers? {
        DateNumbers::Excel => return of_excel(number, zones),
        DateNumbers::UnixSeconds => number.checked_mul(Decimal::from(1_000_000))?,
        DateNumbers::UnixMilliseconds => number.checked_mul(Decimal::from(1_000))?,
    };
    let micros = micros.floor().to_i64()?;
    let time = jiff::Timestamp::from_microsecond(micros).ok()?;
    (!none::is_instant(time)).then(|| Timestamp::from_micros(micros))
}

/// A day of a spreadsheet, with the time of day behind the point.
fn of_excel(number: Decimal, zones: &Zones) -> Option<Timestamp> {
    let days = number.trunc().to_i64()?;
    if !EXCEL_DAYS.contains(&days) {
        return None;
    }
    // A third of a day has no last digit: the second is the one that was shown.
    let second = (number.fract() * Decimal::from(SECONDS_OF_DAY))
        .round()
        .to_i64()?;
    let span = jiff::Span::new()
        .try_days(days)
        .ok()?
        .try_seconds(second)
        .ok()?;
    let time = EXCEL_ZERO.checked_add(span).ok()?;
    let is_day = time.time() == Time::midnight();
    local(
        time,
        if is_day {
            &zones.of_days
        } else {
            &zones.of_times
        },
    )
}
