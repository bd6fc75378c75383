//! Times that users of exports, clocks and databases report as read wrongly.

use super::*;
use crate::model::date::{DateNumbers, DateOrder};

/// Fails with all texts that are read otherwise in these zones.
fn read_as(zones: &Zones, cases: &[(&str, &str)]) {
    let told = |text: &str| match read_in(&Value::from(text), zones) {
        Read::At(time) => time.to_string(),
        Read::Nothing => "nothing".to_owned(),
        Read::Unread => "!".to_owned(),
    };
    let wrong: Vec<String> = cases
        .iter()
        .map(|(text, expected)| (text, told(text), expected))
        .filter(|(_, found, expected)| found != **expected)
        .map(|(text, found, expected)| format!("{text}: {found}, not {expected}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Zero of a clock and the end of a calendar, in the zone of a user and in other units.
#[test]
fn a_zero_or_an_end_of_clocks_is_no_time_in_any_zone_or_unit() {
    let none = [
        "1969-12-31T16:00:00-08:00",
        "1969-12-31T19:00:00.000-05:00",
        "1970-01-01T01:00:00+01:00",
        "0000-01-01",
        "0000-01-01T00:00:00Z",
        "-0001-11-30 00:00:00",
        "0001-01-01T00:00:00+01:00",
        "0000-12-31T23:06:32Z",
        "9999-12-31T15:59:59-08:00",
        "9999-12-30T18:00:00-05:00",
        "infinity",
        "-Infinity",
        "253402214400",
        "253402300800",
        "253402214400000",
        "253402300799999",
        "-62167219200",
        "-62169984000",
        "-62135596800000",
        "-62135596800000000",
        "-11644473600",
        "-11644473600000",
        "-2208988800",
        "-2209161600",
        "2147483647",
        "2038-01-19T03:14:07Z",
        "2038-01-18T22:14:07-05:00",
        "4294967295",
        "2106-02-07T06:28:15Z",
        "3155378975999999999",
        "/Date(-62135596800000)/",
        "/Date(0)/",
        "/Date(253402300799999)/",
    ];
    read_as(&Zones::UTC, &none.map(|text| (text, "nothing")));
    read_as(
        &Zones::UTC,
        &[
            ("1969-12-31T16:00:01-08:00", "1970-01-01T00:00:01Z"),
            ("2038-01-19T03:14:08Z", "2038-01-19T03:14:08Z"),
            ("2147483646", "2038-01-19T03:14:06Z"),
            ("2999-12-31", "2999-12-31T00:00:00Z"),
        ],
    );
    let new_york = Zones::named("America/New_York", "America/New_York");
    read_as(&new_york, &[("1969-12-31 19:00:00", "nothing")]);
}

#[test]
fn a_number_that_two_clocks_fit_and_a_year_without_its_century_are_refused() {
    read_as(
        &Zones::UTC,
        &[
            // Ticks of .NET: 1970 and 2026, which are nanoseconds of 1989 and 1990.
            ("621355968000000000", "!"),
            ("639054432000000000", "!"),
            ("662380416000000000", "!"),
            ("662380416000000001", "1990-12-28T10:33:36Z"),
            // Windows' and Chrome's clocks.
            ("134143056000000000", "!"),
            ("13414305600000000", "!"),
            ("0026-01-31", "!"),
            ("0999-12-31T00:00:00Z", "!"),
            ("1752-09-03", "!"),
            ("1799-12-31T23:59:59Z", "!"),
            ("1800-01-01", "1800-01-01T00:00:00Z"),
            ("10000-01-01T00:00:00Z", "!"),
            ("+275760-09-13T00:00:00.000Z", "!"),
            // Weeks, days of the year and months are no days of these digits.
            ("2026-W05-6", "!"),
            ("2026W056", "!"),
            ("2026-031", "!"),
            ("2026031", "!"),
            ("2026-01", "!"),
            ("202601", "!"),
            ("260131", "!"),
            ("9223372036854775807", "!"),
        ],
    );
}

#[test]
fn forms_without_doubt_are_read_and_those_with_one_are_refused() {
    read_as(
        &Zones::UTC,
        &[
            ("/Date(1769846400123)/", "2026-01-31T08:00:00.123Z"),
            ("/Date(1769846400000+0100)/", "2026-01-31T08:00:00Z"),
            ("\\/Date(1769846400000-0500)\\/", "2026-01-31T08:00:00Z"),
            ("/Date(-315619200000)/", "1960-01-01T00:00:00Z"),
            ("/Date()/", "!"),
            ("/Date(soon)/", "!"),
            ("Sat, 31 Jan 2026 08:00:00 GMT", "2026-01-31T08:00:00Z"),
            ("Sat, 31 Jan 2026 08:00:00 +0100", "2026-01-31T07:00:00Z"),
            ("31 Jan 2026 08:00:00 UTC", "2026-01-31T08:00:00Z"),
            ("Sun, 31 Jan 2026 08:00:00 GMT", "!"),
            ("Sat, 31 Jan 2026 08:00:00 EST", "!"),
            ("Sat, 31 Jan 2026 08:00:00 CST", "!"),
            ("Sat, 31 Jan 26 08:00:00 GMT", "!"),
            ("31-JAN-26 08.00.00.000000 AM", "!"),
            // A leap second is the last of its minute.
            ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
            ("2026-01-31T08:00:00,5Z", "2026-01-31T08:00:00.5Z"),
            ("2026-01-31t08:00:00z", "2026-01-31T08:00:00Z"),
            ("2026-01-31T08:00:00-00:00", "2026-01-31T08:00:00Z"),
            ("2026-01-31T08:00:00+05", "2026-01-31T03:00:00Z"),
            ("2026-01-31T08:00:00+5:30", "!"),
            ("2026-01-31T08:00:00+99:00", "!"),
            ("2026-01-31 08:00 CET", "!"),
        ],
    );
}

/// RFC 9557, by the database of time zones that is in use for all else.
#[test]
fn a_zone_in_brackets_is_honoured_or_refused() {
    read_as(
        &Zones::named("America/New_York", "Asia/Tokyo"),
        &[
            ("2026-07-01T08:00:00[Europe/Paris]", "2026-07-01T06:00:00Z"),
            ("2026-07-01T08:00:00[!Europe/Paris]", "2026-07-01T06:00:00Z"),
            ("2026-07-01T08:00:00Z[Europe/Paris]", "2026-07-01T08:00:00Z"),
            (
                "2026-07-01T08:00:00+02:00[Europe/Paris]",
                "2026-07-01T06:00:00Z",
            ),
            ("2026-07-01T08:00:00+01:00[Europe/Paris]", "!"),
            ("2026-07-01T08:00:00+01:00[!Europe/Paris]", "!"),
            ("2026-07-01T08:00:00+01:00[+01:00]", "2026-07-01T07:00:00Z"),
            ("2026-07-01[Europe/Paris]", "2026-06-30T22:00:00Z"),
            (
                "2026-07-01T08:00:00+02:00[Europe/Paris][u-ca=iso8601]",
                "2026-07-01T06:00:00Z",
            ),
            ("2026-07-01T08:00:00Z[u-ca=iso8601]", "!"),
            ("2026-07-01T08:00:00[Etc/Unknown]", "!"),
            ("2026-07-01T08:00:00[local]", "!"),
            ("2026-07-01T08:00:00[Factory]", "!"),
            ("2026-07-01T08:00:00[Mars/Base]", "!"),
            ("2026-07-01T08:00:00[Europe/Paris", "!"),
            ("2026-07-01T08:00:00[]", "!"),
            // The clocks skip it, or show it twice.
            ("2026-03-29T02:30:00[Europe/Paris]", "2026-03-29T01:30:00Z"),
            ("2026-10-25T02:30:00[Europe/Paris]", "2026-10-25T00:30:00Z"),
            (
                "2026-10-25T02:30:00+01:00[Europe/Paris]",
                "2026-10-25T01:30:00Z",
            ),
        ],
    );
}

fn declared(order: Option<DateOrder>, numbers: Option<DateNumbers>) -> Zones {
    let dates = DateForm {
        order,
        numbers,
        ..DateForm::NONE
    };
    Zones::named("America/New_York", "Europe/Berlin").with_dates(dates)
}

#[test]
fn the_order_of_day_and_month_is_the_declared_one() {
    let undeclared = [
        "03/04/2026",
        "31/01/2026",
        "31.01.2026",
        "01.31.2026 08:00",
        "2026/01/31",
    ];
    read_as(&declared(None, None), &undeclared.map(|text| (text, "!")));
    read_as(
        &declared(Some(DateOrder::DayFirst), None),
        &[
            ("03/04/2026", "2026-04-03T04:00:00Z"),
            ("3.4.2026", "2026-04-03T04:00:00Z"),
            ("03-04-2026 08:00", "2026-04-03T06:00:00Z"),
            ("03/04/2026 8:00:30", "2026-04-03T06:00:30Z"),
            ("03/04/2026, 08:30 PM", "2026-04-03T18:30:00Z"),
            ("03/04/2026 12:30am", "2026-04-02T22:30:00Z"),
            ("03/04/2026 12:30 p.m.", "2026-04-03T10:30:00Z"),
            ("03/04/2026 08:00:00+01:00", "2026-04-03T07:00:00Z"),
            ("03/04/2026T08:00:00Z", "2026-04-03T08:00:00Z"),
            ("2026/04/03 08:00", "2026-04-03T06:00:00Z"),
            ("2026-04-03", "2026-04-03T04:00:00Z"),
            ("00/00/0000", "nothing"),
            ("31/12/9999", "nothing"),
            ("04/31/2026", "!"),
            ("31/04/2026", "!"),
            ("03/04/26", "!"),
            ("03/04-2026", "!"),
            ("3/4/2026/5", "!"),
            ("03/04/2026 13:00 PM", "!"),
            ("03/04/2026 25:00", "!"),
            ("03/04/2026 late", "!"),
            ("//2026", "!"),
        ],
    );
    read_as(
        &declared(Some(DateOrder::MonthFirst), None),
        &[
            ("03/04/2026", "2026-03-04T05:00:00Z"),
            ("3/4/2026 8:00 PM", "2026-03-04T19:00:00Z"),
            ("31/01/2026", "!"),
            ("03.04.2026", "!"),
        ],
    );
}

#[test]
fn numbers_are_days_or_seconds_where_that_is_declared() {
    read_as(
        &declared(None, None),
        &[("46053", "!"), ("46053.25", "!"), ("99999999", "!")],
    );
    read_as(
        &declared(None, Some(DateNumbers::Excel)),
        &[
            ("46053", "2026-01-31T05:00:00Z"),
            ("46053.0", "2026-01-31T05:00:00Z"),
            ("46053.3333333333", "2026-01-31T07:00:00Z"),
            ("46053.99999", "2026-01-31T22:59:59Z"),
            ("2026", "!"),
            ("0", "nothing"),
            // The declaration adds forms, and changes no other.
            ("1769846400", "2026-01-31T08:00:00Z"),
            ("20260131", "2026-01-31T05:00:00Z"),
        ],
    );
    read_as(
        &declared(None, Some(DateNumbers::UnixSeconds)),
        &[
            ("99999999", "1973-03-03T09:46:39Z"),
            ("1769846400123", "2026-01-31T08:00:00.123Z"),
        ],
    );
    read_as(
        &declared(None, Some(DateNumbers::UnixMilliseconds)),
        &[("99999999999", "1973-03-03T09:46:39.999Z")],
    );
}
