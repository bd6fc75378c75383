//! The forms of dates.

mod pieces;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

use super::super::country::Home;
use super::super::normalize::{ascii_digits, clean};
use super::{Date, DateForm, DateNumbers, DateOrder, UnreadDate};
use pieces::Pieces;

/// Maximum length of a text that is read, in bytes.
const MAX_BYTES: usize = 128;
/// Day 0 of spreadsheets.
const EXCEL_ZERO: (i16, i8, i8) = (1899, 12, 30);
/// Day 0 of Unix.
const UNIX_ZERO: (i16, i8, i8) = (1970, 1, 1);

static MONTHS: LazyLock<HashMap<&'static str, u32>> = LazyLock::new(|| {
    let lines = include_str!("months.txt").lines().zip(1..);
    lines
        .flat_map(|(names, month)| names.split_whitespace().map(move |name| (name, month)))
        .collect()
});

/// Words beside the numbers of a date that change nothing.
const WORDS: &str = "à o a m gada ngày
    st nd rd th er ère º ª го й de del di da of the le il el am vom den dne d r rok roku г г года год р n
    vuonna år anno utc gmt z cet cest eet eest est edt cst cdt mst mdt pst pdt bst ist jst msk wet west
    mon tue tues wed thu thur thurs fri sat sun monday tuesday wednesday thursday friday saturday sunday
    mo di mi do fr sa so montag dienstag mittwoch donnerstag freitag samstag sonntag
    lun mer jeu ven sam dim lundi mardi mercredi jeudi vendredi samedi dimanche
    lunes martes miércoles jueves viernes sábado domingo segunda terça quarta quinta sexta feira
    lunedì martedì mercoledì giovedì venerdì sabato domenica
    maandag dinsdag woensdag donderdag vrijdag zaterdag zondag
    pazartesi salı çarşamba perşembe cuma cumartesi pazar
    poniedziałek wtorek środa czwartek piątek sobota niedziela
    måndag tisdag onsdag torsdag fredag lördag söndag mandag tirsdag lørdag søndag
    pondělí úterý středa čtvrtek pátek sobota neděle понедельник вторник среда четверг пятница
    суббота воскресенье";

/// A time of day behind a date, with its zone.
static TIME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x)
        (?:(?:^|[\sT,_])|(?P<glued>\d{4}-\d\d-\d\d:))
        (?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,:]\d{1,9})?)?
        \s*(?:[ap]\.?\ ?m\.?\b)?
        \s*(?P<zone>Z\b|(?:UTC|GMT)?[+-]\d{1,2}(?::?\d\d)?|UTC|GMT)?
        (?:\s*\([^)]*\))?(?:\[[^\]]*\])?",
    )
    .ok()
});

/// Years of an era: 平成2年5月17日, H2.5.17, 民國79年5月17日.
static ERA: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x)^
        (?:(?:中華)?(?P<kanji>明治|大正|昭和|平成|令和|民國|民国)\s*(?P<first>\d{1,3}|元)\s*年
           |(?P<letter>[MTSHR明大昭平令])\s*(?P<number>\d{1,2})\s*[./年-])
        \s*(?P<month>\d{1,2})\s*[月./-]\s*(?P<day>\d{1,2})\s*日?$",
    )
    .ok()
});

/// Reads `1990-05-17`, which most systems write, without the search for another form. `None` for
/// anything else.
pub(super) fn of_iso(raw: &str, form: DateForm) -> Option<Result<Date, UnreadDate>> {
    let bytes: &[u8; 10] = raw.as_bytes().try_into().ok()?;
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = *bytes else {
        return None;
    };
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0, |number, digit| {
            let value = digit.is_ascii_digit().then(|| u32::from(digit - b'0'))?;
            Some(number * 10 + value)
        })
    };
    let (year, month, day) = (
        number(&[y0, y1, y2, y3])?,
        number(&[m0, m1])?,
        number(&[d0, d1])?,
    );
    let Some(year) = year.checked_sub(if form.buddhist { 543 } else { 0 }) else {
        return Some(Err(UnreadDate::Year));
    };
    Some(Date::new(year, month, day))
}

/// Reads a date, whether or not it stands for something.
///
/// # Errors
/// Why the text is no date.
pub(super) fn read(raw: &str, form: DateForm, home: Home) -> Result<Date, UnreadDate> {
    let clean = clean(raw);
    let text = ascii_digits(&clean);
    let text = text.trim_matches(|letter: char| letter.is_whitespace() || "'\"=".contains(letter));
    let text = &*without_weekday(&of_characters(text)).into_owned();
    if text.is_empty() || text.len() > MAX_BYTES {
        return Err(UnreadDate::NoDate);
    }
    if let Some(date) = of_era(text) {
        return date;
    }
    let text = without_time(text)?;
    let text = text.trim();
    if let Some(number) = bare_number(text) {
        return of_number(number, text, form);
    }
    let pieces = Pieces::of(text)?;
    let date = pieces.date(form, home)?;
    if !form.buddhist {
        return Date::new(date.0, date.1, date.2);
    }
    let year = date.0.checked_sub(543).ok_or(UnreadDate::Year)?;
    Date::new(year, date.1, date.2)
}

/// A year of an era, where there was one.
fn of_era(text: &str) -> Option<Result<Date, UnreadDate>> {
    let found = ERA.as_ref()?.captures(text)?;
    let group = |name: &str| found.name(name).map(|group| group.as_str());
    let (before, years) = match group("kanji").or_else(|| group("letter"))? {
        "明治" | "M" | "明" => (1867, 45),
        "大正" | "T" | "大" => (1911, 15),
        "昭和" | "S" | "昭" => (1925, 64),
        "平成" | "H" | "平" => (1988, 31),
        "令和" | "R" | "令" => (2018, 82),
        _ => (1911, 189),
    };
    let year = match group("first").or_else(|| group("number"))? {
        "元" => 1,
        digits => digits.parse().ok()?,
    };
    let number = |name| group(name).and_then(|digits| digits.parse::<u32>().ok());
    let (month, day) = (number("month")?, number("day")?);
    if !(1..=years).contains(&year) {
        return Some(Err(UnreadDate::NoDate));
    }
    Some(Date::new(before + year, month, day))
}

/// The text as a whole number, also with a spreadsheet's decimal part.
fn bare_number(text: &str) -> Option<i64> {
    let whole = text.split_once('.').map_or(text, |(whole, fraction)| {
        let is_fraction =
            !fraction.is_empty() && fraction.bytes().all(|digit| digit.is_ascii_digit());
        if is_fraction { whole } else { text }
    });
    whole.parse().ok().filter(|_| !whole.starts_with('+'))
}

/// A bare number: `YYYYMMDD`, or what the source declares.
fn of_number(number: i64, text: &str, form: DateForm) -> Result<Date, UnreadDate> {
    let (zero, days) = match form.numbers {
        Some(DateNumbers::Excel) if number < 110_000 => (EXCEL_ZERO, number),
        Some(DateNumbers::UnixSeconds) => (UNIX_ZERO, number.div_euclid(86_400)),
        Some(DateNumbers::UnixMilliseconds) => (UNIX_ZERO, number.div_euclid(86_400_000)),
        _ => return of_digits(text, form),
    };
    let (year, month, day) = zero;
    let days = i32::try_from(days).map_err(|_| UnreadDate::Year)?;
    let zero = jiff::civil::date(year, month, day);
    let date = zero
        .checked_add(
            jiff::Span::new()
                .try_days(days)
                .map_err(|_| UnreadDate::Year)?,
        )
        .map_err(|_| UnreadDate::Year)?;
    let unsigned = |number: i8| u32::try_from(number).unwrap_or(0);
    Date::new(
        u32::try_from(date.year()).map_err(|_| UnreadDate::Year)?,
        unsigned(date.month()),
        unsigned(date.day()),
    )
}

/// Eight digits, or fourteen with the time of day.
fn of_digits(text: &str, form: DateForm) -> Result<Date, UnreadDate> {
    let digits = text.strip_suffix(".0").unwrap_or(text);
    match digits.len() {
        4 | 6 if digits.starts_with(['1', '2']) && digits.bytes().all(|b| b.is_ascii_digit()) => {
            return Err(if digits.len() == 4 {
                UnreadDate::Partial
            } else {
                UnreadDate::Number
            });
        }
        8 | 14 if digits.bytes().all(|digit| digit.is_ascii_digit()) => {}
        _ => return Err(UnreadDate::Number),
    }
    let number = |from: usize, to: usize| digits[from..to].parse::<u32>().unwrap_or(0);
    let shift = if form.buddhist { 543 } else { 0 };
    let year_first = Date::new(
        number(0, 4).saturating_sub(shift),
        number(4, 6),
        number(6, 8),
    );
    let (first, second) = (number(0, 2), number(2, 4));
    let year = number(4, 8).saturating_sub(shift);
    let year_last = match form.order {
        Some(DateOrder::MonthFirst) => Date::new(year, first, second),
        _ => Date::new(year, second, first),
    };
    let may_end_in_year = [
        Date::new(year, first, second),
        Date::new(year, second, first),
    ]
    .into_iter()
    .flatten()
    .any(Date::is_well_formed);
    match (year_first, form.order) {
        (Ok(date), _) if date.is_well_formed() => Ok(date),
        (_, Some(DateOrder::DayFirst | DateOrder::MonthFirst))
            if digits.len() == 8 && may_end_in_year =>
        {
            year_last.and_then(|date| {
                date.is_well_formed()
                    .then_some(date)
                    .ok_or(UnreadDate::NoSuchDay)
            })
        }
        (Ok(date), _) if !may_end_in_year => Ok(date),
        _ => Err(UnreadDate::Number),
    }
}

/// The day of the week as East Asia writes it.
static WEEKDAY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"\([月火水木金土日]\)|[月火水木金土日]曜日?|(?:星期|礼拜|禮拜|周|週)[一二三四五六日天]|[월화수목금토일]요일",
    )
    .ok()
});

fn without_weekday(text: &str) -> Cow<'_, str> {
    match WEEKDAY.as_ref() {
        Some(weekday) if !text.is_ascii() => weekday.replace_all(text, " "),
        _ => Cow::Borrowed(text),
    }
}

/// A date with its numbers in Chinese characters (`昭和五十九年四月三日`) in digits.
fn of_characters(text: &str) -> Cow<'_, str> {
    if !(text.contains('年') && text.contains('月')) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut number: Vec<u32> = Vec::new();
    let is_weekday = |before: &str| before.ends_with(['期', '拜', '周', '週']);
    for letter in text.chars() {
        if !is_weekday(&plain)
            && let Some(digit) = chinese_digit(letter)
        {
            number.push(digit);
            continue;
        }
        push_number(&mut plain, &mut number);
        plain.push(letter);
    }
    push_number(&mut plain, &mut number);
    Cow::Owned(plain)
}

fn chinese_digit(letter: char) -> Option<u32> {
    let place = "〇一二三四五六七八九十"
        .chars()
        .position(|digit| digit == letter);
    let zero = (letter == '零').then_some(0);
    zero.or_else(|| u32::try_from(place?).ok())
}

/// Digits one after another (`一九八四`), or tens and ones (`五十九`, `三十`).
fn push_number(plain: &mut String, number: &mut Vec<u32>) {
    let digits = std::mem::take(number);
    let tens = digits.iter().position(|digit| *digit == 10);
    match (tens, digits.as_slice()) {
        (Some(0), [_, rest @ ..]) => plain.push_str(&(10 + rest.first().unwrap_or(&0)).to_string()),
        (Some(1), [tens, _, rest @ ..]) => {
            plain.push_str(&(tens * 10 + rest.first().unwrap_or(&0)).to_string());
        }
        _ => digits
            .iter()
            .for_each(|digit| plain.push_str(&digit.to_string())),
    }
}

/// A zone right behind a date, as XML Schema writes it: `1990-05-17+02:00`.
static ZONED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(\d{4}-\d\d-\d\d)(?:Z|[+-]\d\d:\d\d)$").ok());

/// The text without a time of day.
fn without_time(text: &str) -> Result<String, UnreadDate> {
    if let Some(found) = ZONED.as_ref().and_then(|zoned| zoned.captures(text)) {
        return Ok(found[1].to_owned());
    }
    let Some(found) = TIME.as_ref().and_then(|pattern| pattern.captures(text)) else {
        // ISO's basic form: `19900517T000000Z`.
        let basic = text.split_once('T').filter(|(date, _)| {
            date.len() == 8 && date.bytes().all(|digit| digit.is_ascii_digit())
        });
        return Ok(basic.map_or(text, |(date, _)| date).to_owned());
    };
    let number = |name: &str| {
        let digits = found.name(name).map_or("0", |group| group.as_str());
        digits.parse::<u32>().unwrap_or(0)
    };
    let (hour, minute, second) = (number("hour"), number("minute"), number("second"));
    let zone = found.name("zone").map_or("", |zone| zone.as_str());
    let is_utc = matches!(zone, "Z" | "UTC" | "GMT" | "+00:00" | "+0000" | "+00");
    // Where clocks are 1 to 14 hours ahead it may be midnight of the next day. Noon is what
    // programs write that want to name a day in all zones.
    let may_be_midnight = (10..24).contains(&hour)
        && minute.is_multiple_of(15)
        && second == 0
        && (hour, minute) != (12, 0);
    if is_utc && may_be_midnight {
        return Err(UnreadDate::Shifted);
    }
    let whole = found.get(0).map_or(0..0, |whole| whole.range());
    let from = found
        .name("glued")
        .map_or(whole.start, |glued| glued.end() - 1);
    Ok(format!("{} {}", &text[..from], &text[whole.end..]))
}
