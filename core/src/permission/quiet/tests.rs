use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::from_micros(
        text.parse::<jiff::Timestamp>()
            .expect("a time")
            .as_microsecond(),
    )
}

fn hours(start: &str, end: &str, days: u8) -> QuietHours {
    let minute = |text: &str| {
        let (hours, minutes) = text.split_once(':').expect("a time");
        hours.parse::<u16>().expect("hours") * 60 + minutes.parse::<u16>().expect("minutes")
    };
    QuietHours {
        days,
        start: minute(start),
        end: minute(end),
    }
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).expect("a time zone")
}

/// Each line: the zone, the hours, a time, and when it is loud next (`-`: it is loud).
#[track_caller]
fn check(table: &str) {
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let [name, quiet, time, loud] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let (start, end) = quiet.split_once('-').expect("hours");
        let (quiet, zone, time) = (
            [hours(start, end, QuietHours::EVERY_DAY)],
            zone(name),
            at(time),
        );
        match quiet_at(&quiet, &zone, time) {
            None => assert_eq!(loud, "-", "{line}"),
            Some(_) => assert_eq!(next_loud(&quiet, &zone, time), Some(at(loud)), "{line}"),
        }
    }
}

#[test]
fn nights_are_quiet_over_midnight() {
    check(
        "Europe/Berlin 22:00-07:00 2026-07-01T19:59:59Z -
         Europe/Berlin 22:00-07:00 2026-07-01T20:00:00Z 2026-07-02T05:00:00Z
         Europe/Berlin 22:00-07:00 2026-07-02T04:59:59Z 2026-07-02T05:00:00Z
         Europe/Berlin 22:00-07:00 2026-07-02T05:00:00Z -
         UTC           12:00-13:30 2026-07-02T12:15:00Z 2026-07-02T13:30:00Z",
    );
}

/// Berlin (1:00 UTC, 29 March and 25 October 2026), New York (2:00 local, 8 March and 1 November),
/// and Lord Howe Island, whose clock moves by half an hour (2:00 local, 5 April back and 4 October
/// forward).
#[test]
fn nights_are_as_long_as_the_clock_shows_when_it_is_changed() {
    check(
        "Europe/Berlin       22:00-07:00 2026-03-28T21:30:00Z 2026-03-29T05:00:00Z
         Europe/Berlin       22:00-07:00 2026-03-29T05:00:00Z -
         Europe/Berlin       22:00-07:00 2026-10-24T20:30:00Z 2026-10-25T06:00:00Z
         Europe/Berlin       22:00-07:00 2026-10-25T05:30:00Z 2026-10-25T06:00:00Z
         America/New_York    21:00-08:00 2026-03-08T03:00:00Z 2026-03-08T12:00:00Z
         America/New_York    21:00-08:00 2026-11-01T02:00:00Z 2026-11-01T13:00:00Z
         Australia/Lord_Howe 22:00-06:00 2026-04-04T12:00:00Z 2026-04-04T19:30:00Z
         Australia/Lord_Howe 22:00-06:00 2026-10-03T12:00:00Z 2026-10-03T19:00:00Z",
    );
}

/// An end that the clock never shows is where the clock jumps over it; one that it shows twice
/// leaves the hours between the first showing and the change loud, and those after the change,
/// which the clock shows again, quiet.
#[test]
fn ends_within_the_change_go_by_the_clock() {
    check(
        "Europe/Berlin    22:00-02:30 2026-03-29T00:45:00Z 2026-03-29T01:00:00Z
         Europe/Berlin    22:00-02:30 2026-10-25T00:15:00Z 2026-10-25T00:30:00Z
         Europe/Berlin    22:00-02:30 2026-10-25T00:45:00Z -
         Europe/Berlin    22:00-02:30 2026-10-25T01:15:00Z 2026-10-25T01:30:00Z
         America/New_York 22:00-01:30 2026-11-01T05:15:00Z 2026-11-01T05:30:00Z
         America/New_York 22:00-01:30 2026-11-01T06:15:00Z 2026-11-01T06:30:00Z
         America/New_York 22:00-02:30 2026-03-08T06:59:00Z 2026-03-08T07:00:00Z",
    );
}

#[test]
fn hours_of_some_days_begin_on_those_days() {
    let weekend = [hours("20:00", "10:00", 0b110_0000)];
    let zone = zone("UTC");
    // 4 July 2026 is a Saturday.
    for (time, quiet) in [
        ("2026-07-04T09:00:00Z", false),
        ("2026-07-04T20:00:00Z", true),
        ("2026-07-05T09:59:00Z", true),
        ("2026-07-05T10:00:00Z", false),
        ("2026-07-06T09:59:00Z", true),
        ("2026-07-06T20:00:00Z", false),
    ] {
        assert_eq!(
            quiet_at(&weekend, &zone, at(time)).is_some(),
            quiet,
            "{time}"
        );
    }
}

#[test]
fn hours_that_follow_one_another_are_quiet_until_the_last_ends_and_those_that_never_end_have_no_next()
 {
    let zone = zone("Europe/Zurich");
    let two = [
        hours("20:00", "00:00", QuietHours::EVERY_DAY),
        hours("23:00", "06:00", QuietHours::EVERY_DAY),
    ];
    assert_eq!(
        next_loud(&two, &zone, at("2026-07-01T18:30:00Z")),
        Some(at("2026-07-02T04:00:00Z"))
    );
    let always = [hours("00:00", "00:00", QuietHours::EVERY_DAY)];
    assert_eq!(next_loud(&always, &zone, at("2026-07-01T18:30:00Z")), None);
    let sunday = [hours("00:00", "00:00", 0b100_0000)];
    assert_eq!(
        next_loud(&sunday, &zone, at("2026-07-05T12:00:00Z")),
        Some(at("2026-07-05T22:00:00Z"))
    );
}
