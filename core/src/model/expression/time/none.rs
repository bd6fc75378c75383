//! Times that mean no time: zero of a clock, or its last instant.
//!
//! The same instant has many faces. Zero of Unix is `1970-01-01`, `0`, and
//! `1969-12-31T16:00:00-08:00` where a program has brought it into the zone of its user. So a text
//! is compared as it is written, and what is read of it as an instant.

use std::cell::Cell;

thread_local! {
    /// Whether a date was read that means none.
    static NO_DATE: Cell<bool> = const { Cell::new(false) };
}

/// Keeps in mind that a date was read that means none.
pub(in crate::model::expression) fn keep_no_date() {
    NO_DATE.set(true);
}

/// Whether such a date was read on this thread since it was last asked.
pub(in crate::model) fn take_no_date() -> bool {
    NO_DATE.take()
}

/// Days that mean no day, such as zero of `MySQL`, of Go and .NET, of Windows, of SQL Server, of
/// spreadsheets, of Unix, and the last day, "for ever".
const NO_DAYS: [&str; 13] = [
    "0000-00-00",
    "0000-01-01",
    "0001-01-01",
    "-0001-11-30",
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
/// Seconds since 1970 of zero of Unix, of Windows, of SQL Server and of spreadsheets, and of the
/// last second of 32 bits, with sign and without.
const NO_SECONDS: [i64; 8] = [
    0,
    -11_644_473_600,
    -6_847_804_800,
    -2_209_161_600,
    -2_209_075_200,
    -2_208_988_800,
    2_147_483_647,
    4_294_967_295,
];
/// Seconds since 1970 of the ends of calendars as numbers have them: the first of the year 1, of
/// the year 0 and what PHP makes of `0000-00-00`; the last day of 9999, its last second, and the
/// one after it.
const ENDS: [i128; 6] = [
    -62_135_596_800,
    -62_167_219_200,
    -62_169_984_000,
    253_402_214_400,
    253_402_300_799,
    253_402_300_800,
];
/// The last tick of .NET.
const LAST_TICK: i128 = 3_155_378_975_999_999_999;
/// 0002-01-01: before it is the first year of all calendars, in whatever zone.
const FIRST_SECOND: i64 = -62_104_060_800;
/// 9999-12-30: from it on is the last day of all calendars, in whatever zone.
const LAST_SECOND: i64 = 253_402_128_000;
/// Words of databases for the two ends of time.
const WORDS: [&str; 2] = ["infinity", "-infinity"];

/// Whether a text begins with a day that means none, or is a word that does.
pub(super) fn is_written(text: &str) -> bool {
    NO_DAYS.iter().any(|day| text.starts_with(day))
        || WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Whether a day means none.
pub(super) fn is_day(day: jiff::civil::Date) -> bool {
    NO_DAYS.contains(&&*day.to_string())
}

/// Whether an instant is a zero or an end of clocks.
pub(super) fn is_instant(time: jiff::Timestamp) -> bool {
    let second = time.as_second();
    !(FIRST_SECOND..LAST_SECOND).contains(&second)
        || (time.subsec_nanosecond() == 0 && NO_SECONDS.contains(&second))
}

/// Whether a number of seconds, milliseconds, microseconds or nanoseconds is a zero or an end.
pub(super) fn is_number(number: i128) -> bool {
    let is_none = |second: i128| {
        second != 0
            && (ENDS.contains(&second) || NO_SECONDS.iter().any(|none| i128::from(*none) == second))
    };
    let mut units = [1, 1_000, 1_000_000, 1_000_000_000].into_iter();
    number == 0 || number == LAST_TICK || units.any(|unit| is_none(number.div_euclid(unit)))
}
