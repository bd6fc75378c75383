//! From the wire: messages to drafts and keys, and what cannot be one.

use std::collections::BTreeMap;
use std::time::Duration;

use profile_core::model::Model;
use profile_core::model::check::{MAX_DEPTH, MAX_IDENTIFIER_BYTES, MAX_KEY_BYTES, MAX_NAME_BYTES};
use profile_core::records::{
    Draft, DraftConsent, DraftEvent, DraftPreferences, DraftRecord, Identifier, ProfileId, Reason,
    RecordKey, Timestamp, Value, Violation,
};
use prost_types::Timestamp as WireTime;
use uuid::Uuid;

use super::preferences::decode as wanted;
use super::v1::{self, value::Kind};
use crate::reader::Key;

/// The largest statement, encoded, in bytes.
pub(super) const MAX_STATEMENT_BYTES: usize = 256 * 1024;

/// A draft, or all that is wrong with the statement: its form, and what else the model finds.
pub(super) fn draft(statement: v1::Statement, model: &Model) -> Result<Draft, Vec<Violation>> {
    let size = prost::Message::encoded_len(&statement);
    if size > MAX_STATEMENT_BYTES {
        return Err(vec![Violation::limit(
            "statement",
            size,
            MAX_STATEMENT_BYTES,
            "bytes",
        )]);
    }
    let mut receive = Receive::default();
    let draft = match statement.kind {
        Some(v1::statement::Kind::UpsertRecord(said)) => Some(Draft::Upsert(receive.upsert(said))),
        Some(v1::statement::Kind::PatchRecord(said)) => Some(Draft::Patch(receive.patch(said))),
        Some(v1::statement::Kind::DeleteRecord(said)) => Some(Draft::Delete(receive.delete(said))),
        Some(v1::statement::Kind::RecordEvent(said)) => Some(Draft::Event(receive.event(said))),
        Some(v1::statement::Kind::StatePreferences(said)) => {
            receive.preferences(said).map(Draft::Preferences)
        }
        Some(v1::statement::Kind::RecordConsent(said)) => receive.consent(said).map(Draft::Consent),
        None => return Err(vec![Violation::required("statement.kind")]),
    };
    let draft = match draft {
        Some(draft) if receive.violations.is_empty() => return Ok(draft),
        Some(draft) => draft,
        None => return Err(receive.violations),
    };
    receive.violations.extend(
        model
            .check(draft, Timestamp::default())
            .err()
            .into_iter()
            .flatten(),
    );
    Err(receive.violations)
}

/// An instant in microseconds; finer digits are cut. What the year 9999 has not is left for the
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
        Some(Wire::Identifier(v1::Identifier { r#type, value })) => {
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

/// Gathers what is wrong on the way.
#[derive(Default)]
struct Receive {
    violations: Vec<Violation>,
}

impl Receive {
    fn upsert(&mut self, said: v1::UpsertRecord) -> DraftRecord {
        DraftRecord {
            identifiers: identifiers(said.identifiers),
            traits: self.values("upsert_record.traits", said.traits),
            version: said.version,
            source_time: self.time("upsert_record.source_time", said.source_time),
            ..DraftRecord::new(record_key(said.record))
        }
    }

    fn patch(&mut self, said: v1::PatchRecord) -> DraftRecord {
        DraftRecord {
            identifiers: identifiers(said.identifiers),
            traits: self.values("patch_record.traits", said.traits),
            clear_identifier_types: said.clear_identifier_types,
            clear_traits: said.clear_traits,
            version: said.version,
            source_time: self.time("patch_record.source_time", said.source_time),
            ..DraftRecord::new(record_key(said.record))
        }
    }

    fn delete(&mut self, said: v1::DeleteRecord) -> DraftRecord {
        DraftRecord {
            version: said.version,
            source_time: self.time("delete_record.source_time", said.source_time),
            ..DraftRecord::new(record_key(said.record))
        }
    }

    /// None: something is wrong that leaves nothing to check.
    fn preferences(&mut self, said: v1::StatePreferences) -> Option<DraftPreferences> {
        let v1::StatePreferences {
            record,
            preferences,
            accessibility,
            update_mask,
            version,
            source_time,
        } = said;
        let source_time = self.time("state_preferences.source_time", source_time);
        let wanted =
            wanted::preferences(preferences, accessibility, update_mask).map_err(|wrong| {
                self.violations.extend(
                    wrong
                        .into_iter()
                        .map(|violation| violation.within("state_preferences")),
                );
            });
        let record = record_key(record);
        wanted.ok().map(|preferences| DraftPreferences {
            record,
            preferences,
            version,
            source_time,
        })
    }

    /// None: something is wrong that leaves nothing to check.
    fn consent(&mut self, said: v1::RecordConsent) -> Option<DraftConsent> {
        let v1::RecordConsent {
            record,
            consent,
            version,
            source_time,
        } = said;
        let source_time = self.time("record_consent.source_time", source_time);
        let Some(consent) = consent else {
            self.violations
                .push(Violation::required("record_consent.consent"));
            return None;
        };
        let said = wanted::consent(record_key(record), consent, |name, at| {
            self.time(&format!("record_consent.consent.{name}"), Some(at))
                .unwrap_or_default()
        });
        let said = said.map_err(|wrong| self.violations.extend(wrong)).ok()?;
        Some(DraftConsent {
            version,
            source_time,
            ..said
        })
    }

    fn event(&mut self, said: v1::RecordEvent) -> DraftEvent {
        let event = said.event.unwrap_or_else(|| {
            self.violations
                .push(Violation::required("record_event.event"));
            v1::Event::default()
        });
        DraftEvent {
            record: record_key(event.record),
            event_id: event.event_id,
            kind: event.r#type,
            event_time: self.time("record_event.event.event_time", event.event_time),
            properties: self.values("record_event.event.properties", event.properties),
        }
    }

    /// Protobuf's own rule: nanoseconds count forward and are fewer than a second.
    fn time(&mut self, field: &str, said: Option<WireTime>) -> Option<Timestamp> {
        let said = said?;
        if !(0..1_000_000_000).contains(&said.nanos) {
            self.violations
                .push(Violation::new(Reason::Malformed, field, NANOS_RULE));
        }
        Some(time(said))
    }

    fn values(
        &mut self,
        path: &str,
        said: impl IntoIterator<Item = (String, v1::Value)>,
    ) -> BTreeMap<String, Value> {
        let mut values = BTreeMap::new();
        for (name, value) in said {
            let shown: String = name
                .chars()
                .filter(|letter| !letter.is_control())
                .take(64)
                .collect();
            if let Some(value) = self.value(&format!("{path}.{shown}"), value, 0) {
                values.insert(name, value);
            }
        }
        values
    }

    fn value(&mut self, field: &str, said: v1::Value, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            let limit = MAX_DEPTH;
            let description = format!("nests deeper than the limit of {limit}");
            self.violations
                .push(Violation::new(Reason::LimitExceeded, field, description));
            return None;
        }
        Some(match said.kind {
            Some(Kind::StringValue(text)) => Value::String(text),
            Some(Kind::Int64Value(number)) => Value::Int(number),
            Some(Kind::DecimalValue(text)) => return self.decimal(field, &text),
            Some(Kind::BoolValue(flag)) => Value::Bool(flag),
            Some(Kind::TimeValue(said)) => Value::Time(self.time(field, Some(said))?),
            Some(Kind::ListValue(list)) => {
                let values = list.values.into_iter().enumerate();
                Value::List(
                    values
                        .filter_map(|(index, value)| {
                            self.value(&format!("{field}[{index}]"), value, depth + 1)
                        })
                        .collect(),
                )
            }
            Some(Kind::MapValue(map)) => {
                let mut values = BTreeMap::new();
                for (name, value) in map.entries {
                    let shown: String = name
                        .chars()
                        .filter(|letter| !letter.is_control())
                        .take(64)
                        .collect();
                    if let Some(value) = self.value(&format!("{field}.{shown}"), value, depth + 1) {
                        values.insert(name, value);
                    }
                }
                Value::Map(values)
            }
            None => {
                self.violations.push(Violation::required(field));
                return None;
            }
        })
    }

    fn decimal(&mut self, field: &str, text: &str) -> Option<Value> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let plain = !digits.is_empty()
            && digits.starts_with(|c: char| c.is_ascii_digit())
            && digits
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.')
            && !digits.ends_with('.');
        let parsed = plain
            .then(|| rust_decimal::Decimal::from_str_exact(text).ok())
            .flatten();
        if parsed.is_none() {
            let rule = "must be `-?digits[.digits]` with at most 28 significant digits";
            self.violations
                .push(Violation::new(Reason::Malformed, field, rule));
        }
        parsed.map(Value::Decimal)
    }
}

fn record_key(record: Option<v1::RecordKey>) -> RecordKey {
    let record = record.unwrap_or_default();
    RecordKey::new(record.source, record.key)
}

fn identifiers(said: Vec<v1::Identifier>) -> Vec<Identifier> {
    said.into_iter()
        .map(|identifier| Identifier::new(identifier.r#type, identifier.value))
        .collect()
}
