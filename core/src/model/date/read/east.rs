//! Dates of East Asia: eras, numbers in characters, words around.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::{Date, DateForm, Home, UnreadDate, read};

/// Years of an era: 平成2年5月17日, H2.5.17, 民國79年5月17日.
static ERA: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x)^
        (?:(?:中華)?(?P<kanji>明治|大正|昭和|平成|令和|民國|民国)\s*(?P<first>\d{1,3}|元)\s*[./年-]
           |(?P<letter>[MTSHRmtshr明大昭平令])\.?\s*(?P<number>\d{1,2})\s*[./年-])
        \s*(?P<month>\d{1,2})\s*[月./-]\s*(?P<day>\d{1,2})\s*日?$",
    )
    .ok()
});

/// The year in another calendar, in brackets: `昭和59年(1984年)4月3日`.
static OTHER_YEAR: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\(\s*((?:明治|大正|昭和|平成|令和|民國|民国)?\s*(?:\d{1,4}|元))\s*年?\s*\)").ok()
});

/// A date that says its year in two calendars, if both say one.
pub(super) fn of_two_calendars(
    text: &str,
    form: DateForm,
    home: Home,
) -> Option<Result<Date, UnreadDate>> {
    let found = OTHER_YEAR.as_ref()?.captures(text)?;
    let whole = found.get(0).filter(|_| text.contains('年'))?;
    let (before, behind) = (&text[..whole.start()], &text[whole.end()..]);
    let behind = behind.trim_start_matches('年');
    let first = format!("{}年{behind}", before.trim_end_matches('年'));
    let second = format!("{}年{behind}", found[1].trim());
    let one = match (read(&first, form, home), read(&second, form, home)) {
        (Ok(one), Ok(other)) if one == other => Ok(one),
        (Ok(_), Ok(_)) => Err(UnreadDate::NoSuchDay),
        (Err(unread), _) | (_, Err(unread)) => Err(unread),
    };
    Some(one)
}

/// A year of an era, where there was one.
pub(super) fn of_era(text: &str) -> Option<Result<Date, UnreadDate>> {
    let found = ERA.as_ref()?.captures(text)?;
    let group = |name: &str| found.name(name).map(|group| group.as_str());
    let (before, years) = match group("kanji").or_else(|| group("letter"))? {
        "明治" | "M" | "m" | "明" => (1867, 45),
        "大正" | "T" | "t" | "大" => (1911, 15),
        "昭和" | "S" | "s" | "昭" => (1925, 64),
        "平成" | "H" | "h" | "平" => (1988, 31),
        "令和" | "R" | "r" | "令" => (2018, 82),
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

/// The day of the week, and words that say that it is a day of birth.
static AROUND: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x)\([月火水木金土日월화수목금토일]\)|[月火水木金土日]曜日?
        |(?:星期|礼拜|禮拜|周|週)[一二三四五六日天]|[월화수목금토일]요일
        |生年月日|出生年月日|出生日期|誕生日|生日|生まれ|出生|生\s*$|생년월일|출생일?|생일|생\s*$",
    )
    .ok()
});

pub(super) fn without_words_of_east_asia(text: &str) -> Cow<'_, str> {
    match AROUND.as_ref() {
        Some(around) if !text.is_ascii() => around.replace_all(text, " "),
        _ => Cow::Borrowed(text),
    }
}

/// A date with its numbers in Chinese characters (`昭和五十九年四月三日`) in digits.
pub(super) fn of_characters(text: &str) -> Cow<'_, str> {
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
