//! Instants as users of importers report them.

mod reported;

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
