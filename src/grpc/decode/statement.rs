//! Statements, and their drafts.

use std::collections::BTreeMap;

use profile_core::model::Model;
use profile_core::model::check::MAX_DEPTH;
use profile_core::records::{
    Draft, DraftConsent, DraftEvent, DraftPreferences, DraftRecord, DraftReplacement,
    DraftRetraction, EventKey, Identifier, Reason, RecordKey, Timestamp, Value, Violation,
};
use prost_types::Timestamp as WireTime;

use super::{NANOS_RULE, time};
use crate::grpc::preferences::decode as wanted;
use crate::grpc::v1::{self, value::Kind};

/// The largest statement, encoded, in bytes.
const MAX_STATEMENT_BYTES: usize = 256 * 1024;

/// A draft, or all that is wrong with the statement: its form, and what else the model finds.
pub(in crate::grpc) fn draft(
    statement: v1::Statement,
    model: &Model,
) -> Result<Draft, Vec<Violation>> {
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
        Some(v1::statement::Kind::RecordEvent(said)) => Some(Draft::Event(
            receive.event("record_event.event", said.event),
        )),
        Some(v1::statement::Kind::StatePreferences(said)) => {
            receive.preferences(said).map(Draft::Preferences)
        }
        Some(v1::statement::Kind::RecordConsent(said)) => receive.consent(said).map(Draft::Consent),
        Some(v1::statement::Kind::RetractEvent(said)) => {
            Some(Draft::Retraction(receive.retraction(said)))
        }
        Some(v1::statement::Kind::ReplaceEvent(said)) => {
            Some(Draft::Replacement(receive.replacement(said)))
        }
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

    /// `None` where a fault leaves nothing to check.
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

    /// `None` where a fault leaves nothing to check.
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

    fn retraction(&mut self, said: v1::RetractEvent) -> DraftRetraction {
        DraftRetraction {
            event: EventKey {
                source: said.source,
                event_id: said.event_id,
            },
            version: said.version,
            source_time: self.time("retract_event.source_time", said.source_time),
        }
    }

    fn replacement(&mut self, said: v1::ReplaceEvent) -> DraftReplacement {
        DraftReplacement {
            event: self.event("replace_event.event", said.event),
            version: said.version,
            source_time: self.time("replace_event.source_time", said.source_time),
        }
    }

    fn event(&mut self, path: &str, event: Option<v1::Event>) -> DraftEvent {
        let event = event.unwrap_or_else(|| {
            self.violations.push(Violation::required(path));
            v1::Event::default()
        });
        DraftEvent {
            record: record_key(event.record),
            attach: event.attach,
            event_id: event.event_id,
            kind: event.r#type,
            event_time: self.time(&format!("{path}.event_time"), event.event_time),
            properties: self.values(&format!("{path}.properties"), event.properties),
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
