//! Forms of times that leave no doubt, beside RFC 3339: those of JSON by .NET, and of mail.

use jiff::fmt::rfc2822;

use super::{Read, none, unless_none};
use crate::records::Timestamp;

/// Reads a time in one of these forms.
pub(super) fn read(text: &str) -> Read {
    let millis = of_json(text);
    if millis.is_some_and(|millis| none::is_number(i128::from(millis.div_euclid(1_000)))) {
        return Read::Nothing;
    }
    let micros = millis.and_then(|millis| millis.checked_mul(1_000));
    let micros = micros.or_else(|| Some(of_mail(text)?.as_microsecond()));
    micros.map_or(Read::Unread, |micros| {
        unless_none(Timestamp::from_micros(micros))
    })
}

/// `/Date(1769846400000)/`, `/Date(1769846400000+0100)/`: milliseconds since 1970, and the offset
/// in which they were shown.
fn of_json(text: &str) -> Option<i64> {
    let inside = text.trim_matches(['/', '\\']).strip_prefix("Date(")?;
    let inside = inside.strip_suffix(')')?;
    let signed = inside.get(1..)?;
    let end = signed.find(['+', '-']).map_or(inside.len(), |end| end + 1);
    inside[..end].parse().ok()
}

/// `Sat, 31 Jan 2026 08:00:00 +0000`, `… GMT`: RFC 5322 and RFC 9110. A zone by another
/// abbreviation, or a year of two digits, leaves a doubt.
fn of_mail(text: &str) -> Option<jiff::Timestamp> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let is_number = |word: &&str| word.bytes().all(|byte| byte.is_ascii_digit());
    let has_year = words.iter().any(|word| word.len() == 4 && is_number(word));
    let zone = words.last()?;
    let is_offset = zone.len() == 5 && zone.starts_with(['+', '-']);
    let is_sure = has_year && (is_offset || matches!(*zone, "GMT" | "UT" | "UTC"));
    let text = text
        .strip_suffix("UTC")
        .map_or(text.to_owned(), |text| format!("{text}GMT"));
    let parser = rfc2822::DateTimeParser::new();
    is_sure
        .then(|| parser.parse_timestamp(&text).ok())
        .flatten()
}
