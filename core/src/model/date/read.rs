//! The forms of dates.

mod east;
mod pieces;
mod program;

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::UnicodeNormalization;

use super::super::country::Home;
use super::super::normalize::{ascii_digits, clean};
use super::{Date, DateForm, DateNumbers, DateOrder, UnreadDate};
use east::{of_characters, of_era, of_two_calendars, without_words_of_east_asia};
use pieces::Pieces;
use program::unwrapped;

/// Signs beside a date that is not known for sure.
const UNSURE: [char; 9] = ['~', '<', '>', '?', '؟', '≈', '±', '†', '∼'];
/// Maximum length of a text that is read, in bytes.
const MAX_BYTES: usize = 128;
/// Day 0 of spreadsheets.
const EXCEL_ZERO: (i16, i8, i8) = (1899, 12, 30);
/// Day 0 of Unix.
const UNIX_ZERO: (i16, i8, i8) = (1970, 1, 1);

static MONTHS: LazyLock<HashMap<String, u32>> = LazyLock::new(|| {
    let lines = include_str!("months.txt").lines().zip(1..);
    let named: Vec<(&str, u32)> = lines
        .flat_map(|(names, month)| names.split_whitespace().map(move |name| (name, month)))
        .collect();
    let plain = named
        .iter()
        .map(|(name, month)| (without_accents(name), *month));
    let mut months: HashMap<String, u32> = HashMap::new();
    for (name, month) in plain {
        // A form of two months is neither.
        months
            .entry(name)
            .and_modify(|known| *known = if *known == month { month } else { 0 })
            .or_insert(month);
    }
    months.retain(|_, month| *month != 0);
    months.extend(
        named
            .iter()
            .map(|(name, month)| ((*name).to_owned(), *month)),
    );
    months
});

/// A word in lower case without the accents of Latin and Greek letters: capitals often go without,
/// and Turkish has another `i` in capitals.
fn without_accents(word: &str) -> String {
    let is_accent = |letter: &char| matches!(letter, '\u{300}'..='\u{36f}');
    let plain = word.nfd().filter(|letter| !is_accent(letter));
    let typed = plain.map(|letter| if letter == 'ı' { 'i' } else { letter });
    typed.nfc().collect()
}

/// Words beside the numbers of a date that change nothing.
const WORDS: &str = include_str!("words.txt");
static KNOWN_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| WORDS.split_whitespace().collect());

/// A time of day behind a date, with its zone.
static TIME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x)
        (?:(?:^|[\sT,_])|(?P<glued>\d{4}-\d\d-\d\d:|[A-Za-z]/\d{4}:))
        (?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,:]\d{1,9})?)?
        \s*(?:(?P<half>[apAP])\.?\ ?[mM]\.?(?:\b|\s|$))?
        \s*(?P<zone>Z\b|(?:UTC|GMT)?[+-]\d{1,2}(?::?\d\d)?|UTC|GMT|[A-Z][a-z]+/[A-Za-z_/]+)?
        (?:\s*\([^)]*\))?(?:\[[^\]]*\])?",
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
    let text = &*without_words_of_east_asia(&of_characters(text)).into_owned();
    let text = text.trim_matches([':', ' ']);
    if text.is_empty() || text.len() > MAX_BYTES || text.contains(UNSURE) {
        return Err(UnreadDate::NoDate);
    }
    if let Some(date) = of_two_calendars(text, form, home) {
        return date;
    }
    if let Some(date) = of_era(text) {
        return date;
    }
    let text = without_time(&unwrapped(text)?)?;
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
    let half = found.name("half").map(|half| half.as_str());
    let hour = match half {
        Some("p" | "P") => number("hour") % 12 + 12,
        Some(_) => number("hour") % 12,
        None => number("hour"),
    };
    let (minute, second) = (number("minute"), number("second"));
    let zone = found.name("zone").map_or("", |zone| zone.as_str());
    let is_utc = matches!(
        zone,
        "Z" | "UTC" | "GMT" | "+00:00" | "+0000" | "+00" | "-00:00" | "-0000"
    );
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
