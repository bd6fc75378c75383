//! From the wire: messages to drafts and keys, and what cannot be one.

mod statement;

use std::time::Duration;

use profile_core::model::check::{MAX_IDENTIFIER_BYTES, MAX_KEY_BYTES, MAX_NAME_BYTES};
use profile_core::records::{Identifier, ProfileId, Reason, RecordKey, Timestamp, Violation};
use prost_types::Timestamp as WireTime;
use uuid::Uuid;

pub(super) use self::statement::draft;
use super::v1;
use crate::reader::Key;

/// An instant in microseconds; finer digits are cut. A time after the year 9999 is left for the
/// model's check to refuse.
pub(super) fn time(time: WireTime) -> Timestamp {
    let micros = i128::from(time.seconds) * 1_000_000 + i128::from(time.nanos).div_euclid(1_000);
    Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
}

/// The longest staleness that may be asked for.
const MAX_STALENESS: Duration = Duration::from_hours(24);

/// How stale an answer may be.
pub(super) fn staleness(asked: prost_types::Duration) -> Result<Duration, Vec<Violation>> {
    let rule = || {
        vec![Violation::new(
            Reason::Malformed,
            "consistency.max_staleness",
            "must be 0 to 24 hours",
        )]
    };
    let asked = Duration::try_from(asked).map_err(|_| rule())?;
    if asked <= MAX_STALENESS {
        Ok(asked)
    } else {
        Err(rule())
    }
}

/// The time as of which to read, which leaves nothing to say on how fresh the present is to be.
pub(super) fn as_of(
    asked: Option<WireTime>,
    consistency: Option<&v1::Consistency>,
) -> Result<Option<Timestamp>, Vec<Violation>> {
    let mut violations = Vec::new();
    let time = instant(asked, "as_of_time")
        .map_err(|wrong| violations.extend(wrong))
        .ok()
        .flatten();
    if asked.is_some() && consistency.is_some_and(|wanted| wanted.requirement.is_some()) {
        let description =
            "must not be set together with `as_of_time`: the past is always as it was";
        violations.push(Violation::new(
            Reason::Malformed,
            "consistency",
            description,
        ));
    }
    if violations.is_empty() {
        Ok(time)
    } else {
        Err(violations)
    }
}

/// An instant of a request.
pub(super) fn instant(
    asked: Option<WireTime>,
    field: &str,
) -> Result<Option<Timestamp>, Vec<Violation>> {
    let mut violations = Vec::new();
    if asked.is_some_and(|asked| !(0..1_000_000_000).contains(&asked.nanos)) {
        violations.push(Violation::new(Reason::Malformed, field, NANOS_RULE));
    }
    if asked.is_some_and(|asked| !YEARS.contains(&asked.seconds)) {
        violations.push(Violation::new(
            Reason::Malformed,
            field,
            "must lie in the years 1 to 9999",
        ));
    }
    if violations.is_empty() {
        Ok(asked.map(time))
    } else {
        Err(violations)
    }
}

/// The key of a read.
pub(super) fn key(key: Option<v1::ProfileKey>, field: &str) -> Result<Key, Vec<Violation>> {
    use v1::profile_key::Key as Wire;
    match key.and_then(|key| key.key) {
        None => Err(vec![Violation::required(field)]),
        Some(Wire::Name(name)) => profile(&name, &format!("{field}.name")).map(Key::Id),
        Some(Wire::Identifier(v1::Identifier { r#type, value, .. })) => {
            let parts = [
                ("type", &r#type, MAX_NAME_BYTES),
                ("value", &value, MAX_IDENTIFIER_BYTES),
            ];
            check_texts(&format!("{field}.identifier"), &parts)?;
            Ok(Key::Identifier(Identifier::new(r#type, value)))
        }
        Some(Wire::Record(key)) => record(key, &format!("{field}.record")).map(Key::Record),
    }
}

/// The key of a record.
pub(super) fn record(record: v1::RecordKey, field: &str) -> Result<RecordKey, Vec<Violation>> {
    let v1::RecordKey { source, key } = record;
    check_texts(
        field,
        &[
            ("source", &source, MAX_NAME_BYTES),
            ("key", &key, MAX_KEY_BYTES),
        ],
    )?;
    Ok(RecordKey::new(source, key))
}

/// The id of a profile, from its resource name.
pub(super) fn profile(name: &str, field: &str) -> Result<ProfileId, Vec<Violation>> {
    profile_id(name).ok_or_else(|| {
        let description = "must be `profiles/{id}` with the id as a UUID";
        vec![Violation::new(Reason::Malformed, field, description)]
    })
}

/// Texts of a key: there, not too long, without control characters.
fn check_texts(path: &str, parts: &[(&str, &String, usize)]) -> Result<(), Vec<Violation>> {
    let wrong = |(name, text, limit): &(&str, &String, usize)| {
        let field = format!("{path}.{name}");
        if text.is_empty() {
            Some(Violation::required(field))
        } else if text.len() > *limit {
            Some(Violation::limit(field, text.len(), *limit, "bytes"))
        } else if text.chars().any(char::is_control) {
            Some(Violation::new(
                Reason::Malformed,
                field,
                "must not contain control characters",
            ))
        } else {
            None
        }
    };
    let violations: Vec<Violation> = parts.iter().filter_map(wrong).collect();
    if violations.is_empty() {
        Ok(())
    } else {
        Err(violations)
    }
}

/// The longest id that a caller may give to a request, in bytes.
const MAX_REQUEST_ID_BYTES: usize = 128;

/// The caller's id of a request.
pub(super) fn request_id(id: String) -> Result<String, Vec<Violation>> {
    if id.is_empty() {
        Err(vec![Violation::required("request_id")])
    } else {
        optional_request_id(id)
    }
}

/// The caller's id of a request, or none.
pub(super) fn optional_request_id(id: String) -> Result<String, Vec<Violation>> {
    if id.len() > MAX_REQUEST_ID_BYTES {
        return Err(vec![Violation::limit(
            "request_id",
            id.len(),
            MAX_REQUEST_ID_BYTES,
            "bytes",
        )]);
    }
    if id.chars().any(char::is_control) {
        return Err(vec![Violation::new(
            Reason::Malformed,
            "request_id",
            "must not contain control characters",
        )]);
    }
    Ok(id)
}

/// The id in a profile's resource name.
pub(super) fn profile_id(name: &str) -> Option<ProfileId> {
    name.strip_prefix("profiles/")
        .and_then(|id| Uuid::try_parse(id).ok())
        .map(ProfileId)
}

/// Protobuf's rules for times.
const NANOS_RULE: &str = "nanos must lie between 0 and 999,999,999";
const YEARS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
