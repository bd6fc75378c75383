//! Quiet hours, as they are written on clocks and in forms.
//!
//! Hours of which the beginning or the end is not understood are the whole day: any shorter time
//! could leave out the hour that was meant.

use super::lists::{STANDS_FOR_NOTHING, elements, is_nothing, other_fields};
use super::{MAX_LISTED, Remarks};
use crate::model::NoteReason;
use crate::records::{QuietHours, Value};

const RULE: &str = "must be a text such as 22:00-07:00, or have a start_time, an end_time and perhaps days (1 to 7)";
const TIME_RULE: &str = "times must be such as 22:00 or 10pm";
const ALL_DAY: &str = "the whole day is quiet";
const DAY_MINUTES: u16 = 24 * 60;

/// Between the beginning and the end.
const SEPARATORS: [&str; 9] = ["–", "—", " to ", " until ", " bis ", " à ", " a ", "/", "-"];

/// All quiet hours that a value says.
pub(super) fn read(value: &Value, remarks: &mut Remarks) -> Option<Vec<QuietHours>> {
    let mut all = Vec::new();
    let elements = elements(value);
    if elements.iter().all(is_nothing) {
        remarks.add(NoteReason::Placeholder, STANDS_FOR_NOTHING);
        return None;
    }
    for element in elements.iter().filter(|element| !is_nothing(element)) {
        let hours = one(element, remarks);
        if !all.contains(&hours) {
            all.push(hours);
        }
    }
    if all.len() > MAX_LISTED {
        let rule = format!("has {} values, the limit is {MAX_LISTED}", all.len());
        remarks.strictest(&rule, ALL_DAY);
        all = vec![whole(QuietHours::EVERY_DAY)];
    }
    Some(all)
}

/// All of the days that they begin on, and of the days after, on which they may end.
fn whole(days: u8) -> QuietHours {
    QuietHours {
        days: days | next_days(days),
        start: 0,
        end: 0,
    }
}

fn next_days(days: u8) -> u8 {
    (days << 1 | days >> 6) & QuietHours::EVERY_DAY
}

fn one(value: &Value, remarks: &mut Remarks) -> QuietHours {
    let (days, start, end) = match value {
        Value::String(text) => {
            let parts = SEPARATORS
                .iter()
                .find_map(|separator| text.split_once(separator));
            let Some((start, end)) = parts else {
                remarks.strictest(RULE, ALL_DAY);
                return whole(QuietHours::EVERY_DAY);
            };
            (QuietHours::EVERY_DAY, Some(start), Some(end))
        }
        Value::Map(fields) => {
            other_fields(fields, &["days", "start_time", "end_time"], remarks);
            let at = |name: &str| fields.get(name).and_then(Value::as_str);
            let days = fields.get("days").map(|said| days(said, remarks));
            let days = days.unwrap_or(QuietHours::EVERY_DAY);
            (days, at("start_time"), at("end_time"))
        }
        _ => (QuietHours::EVERY_DAY, None, None),
    };
    let (Some(start), Some(end)) = (start, end) else {
        remarks.strictest(RULE, ALL_DAY);
        return whole(days);
    };
    let (Some(start), Some(end)) = (minute(start, End::First), minute(end, End::Last)) else {
        remarks.strictest(TIME_RULE, ALL_DAY);
        return whole(days);
    };
    // 24:00 is 00:00 of the next day.
    let days = if start == DAY_MINUTES {
        next_days(days)
    } else {
        days
    };
    QuietHours {
        days,
        start: start % DAY_MINUTES,
        end: end % DAY_MINUTES,
    }
}

fn days(value: &Value, remarks: &mut Remarks) -> u8 {
    let said = match value {
        Value::List(days) => days.clone(),
        single => elements(single),
    };
    let days: Option<Vec<u8>> = said.iter().map(day).collect();
    match days {
        Some(days) if days.is_empty() => QuietHours::EVERY_DAY,
        Some(days) => days.into_iter().fold(0, |all, day| all | day),
        None => {
            let rule = "days must be 1 (Monday) to 7 (Sunday)";
            remarks.strictest(rule, "every day counts");
            QuietHours::EVERY_DAY
        }
    }
}

/// The bit of a day, by its number in ISO 8601 or its English name.
fn day(value: &Value) -> Option<u8> {
    const NAMES: [&str; 7] = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let text = value.to_string().to_ascii_lowercase();
    let number = text.parse::<usize>().ok();
    let named = || {
        let alike = |name: &&str| text.len() >= 3 && name.starts_with(&text);
        Some(NAMES.iter().position(alike)? + 1)
    };
    let number = number.or_else(named)?;
    (1..=7).contains(&number).then(|| 1 << (number - 1))
}

/// Which end of quiet hours a time is: with seconds, the minute is taken that leaves none out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    First,
    Last,
}

/// The minute of the day that a time names: `22:00`, `24:00`, `21:00:00`, `9pm`, `9:30 PM`, `21h`,
/// `21h30`, `21.00`. A number alone is no time, as `9` may be
/// in the evening.
fn minute(text: &str, end: End) -> Option<u16> {
    let text = text.trim().to_ascii_lowercase();
    let text = text.trim_end_matches("uhr").trim_end();
    let half = [("pm", 12), ("p.m.", 12), ("am", 0), ("a.m.", 0)]
        .iter()
        .find_map(|(mark, hours)| Some((text.strip_suffix(mark)?.trim_end(), *hours)));
    let (digits, is_marked) = match half {
        Some((digits, _)) => (digits, true),
        None => match text.strip_suffix('h') {
            Some(digits) => (digits, true),
            None => (text, false),
        },
    };
    let mut parts = digits.split([':', '.', 'h']);
    let hours = number(parts.next()?, 1..=2)?;
    let minutes = match parts.next() {
        None if is_marked => 0,
        None => return None,
        Some(minutes) => number(minutes, 2..=2)?,
    };
    let seconds = parts
        .next()
        .map_or(Some(0), |seconds| number(seconds, 2..=2))?;
    // Parts of a second are nothing, or digits.
    let fraction = parts.next().map_or(Some(0), |parts| number(parts, 1..=4))?;
    if parts.next().is_some() || minutes > 59 || seconds > 59 {
        return None;
    }
    let hours = match half {
        None => hours,
        Some((_, after_noon)) if (1..=12).contains(&hours) => hours % 12 + after_noon,
        Some((_, 0)) if hours == 0 => 0,
        Some(_) => return None,
    };
    let late = u16::from(end == End::Last && (seconds > 0 || fraction > 0));
    let minute = hours * 60 + minutes + late;
    let is_of_the_day = hours < 24 || (hours == 24 && minutes == 0 && seconds == 0);
    is_of_the_day.then_some(minute)
}

fn number(digits: &str, lengths: std::ops::RangeInclusive<usize>) -> Option<u16> {
    let is_number = lengths.contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_the_day_are_read_as_clocks_and_people_write_them() {
        for (said, hours, minutes) in [
            ("22:05", 22, 5),
            ("7:00", 7, 0),
            ("24:00", 24, 0),
            ("24:00:00", 24, 0),
            ("00:00", 0, 0),
            ("21:00:00", 21, 0),
            ("21:00:00.000", 21, 0),
            ("9pm", 21, 0),
            ("9 PM", 21, 0),
            ("9:30 PM", 21, 30),
            ("9:30 p.m.", 21, 30),
            ("12am", 0, 0),
            ("0:30 am", 0, 30),
            ("12:30 AM", 0, 30),
            ("12pm", 12, 0),
            ("21h", 21, 0),
            ("21h30", 21, 30),
            ("21.00", 21, 0),
            ("21.30", 21, 30),
            ("21:30 Uhr", 21, 30),
        ] {
            let read = minute(said, End::First);
            assert_eq!(read, Some(hours * 60 + minutes), "{said}");
        }
        assert_eq!(minute("21:00:30", End::First), Some(21 * 60));
        assert_eq!(minute("07:00:30", End::Last), Some(7 * 60 + 1));
        for wrong in [
            "24:01",
            "24:00:01",
            "25:00",
            "7",
            "21",
            "2100",
            "07:5",
            "-1:00",
            "07:60",
            "+7:00",
            "",
            "pm",
            "13pm",
            "0pm",
            "9xm",
            "21:00:00:00:00",
            "21:00Z",
            "21:00+01:00",
            "late",
            "h",
            ":",
            "٢١:٠٠",
        ] {
            assert_eq!(minute(wrong, End::First), None, "{wrong}");
        }
    }
}
