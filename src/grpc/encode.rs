//! To the wire: profiles, events and results as messages, cut to what was asked for and may be
//! seen.

mod outcome;
mod projection;
mod sight;

use std::time::Instant;

use profile_core::profile::{Computed, Profile, ProfileIdentifier, Trait};
use profile_core::records::{
    Event, Identifier, Object, ObjectKey, Origin, Provenance, Record, RecordKey, TenantId,
    Timestamp, Value,
};
use prost_types::{Duration as WireDuration, Timestamp as WireTime};
use uuid::Uuid;

use super::names::profile_name;
use super::token;
use super::v1::{self, value::Kind};
use crate::reader::{Answer, FoundBy};
use crate::store::Match;
pub(super) use projection::{Projection, PurposeScope, undeclared};
pub(super) use sight::Sight;

pub(crate) use outcome::note_reason_name;
pub(super) use outcome::{notes, result, violation};

/// A profile in a shape that no purpose bounds.
pub(super) fn profile(profile: &Profile, shape: &Projection) -> v1::Profile {
    shape.of(profile, profile.update_time).0
}

/// The words that a hit of a search was found by.
pub(super) fn found_by(found: FoundBy) -> v1::FoundBy {
    let (field, kind) = match found {
        FoundBy::Identifier(kind) => (
            v1::found_by::Field::IdentifierType(kind),
            v1::MatchKind::Exact,
        ),
        FoundBy::Object(kind) => (v1::found_by::Field::ObjectKind(kind), v1::MatchKind::Exact),
        FoundBy::Trait(name, how) => (v1::found_by::Field::Trait(name), match_kind(how)),
    };
    v1::FoundBy {
        field: Some(field),
        match_kind: kind.into(),
    }
}

fn match_kind(how: Match) -> v1::MatchKind {
    match how {
        Match::Exact => v1::MatchKind::Exact,
        Match::Prefix => v1::MatchKind::Prefix,
        Match::Phonetic => v1::MatchKind::Phonetic,
        Match::Typo => v1::MatchKind::Typo,
    }
}

/// How fresh an answer is.
pub(super) fn read_info(answer: &Answer, store: Option<Uuid>, tenant: &TenantId) -> v1::ReadInfo {
    let now = Instant::now();
    let since = |at: Instant, cached: bool| {
        if cached {
            now.saturating_duration_since(at)
        } else {
            std::time::Duration::ZERO
        }
    };
    // The newest write that the answer showed, not only the one that all of it reflects: who reads
    // with the token sees no less than this.
    let token = |store| token::read_token(store, tenant, answer.currency.shown);
    let read_token = store
        .filter(|_| answer.as_of.is_none())
        .map(token)
        .unwrap_or_default();
    let source = if answer.cached {
        v1::ReadSource::Cache
    } else {
        v1::ReadSource::Store
    };
    v1::ReadInfo {
        revision: answer.profile.revision,
        age: Some(duration(since(answer.read_at, answer.cached))),
        source: source.into(),
        as_of_time: answer.as_of.map(time),
        staleness: Some(duration(since(
            answer.currency.known_at,
            answer.partly_cached,
        ))),
        stale: answer.stale,
        read_token,
    }
}

fn duration(duration: std::time::Duration) -> WireDuration {
    WireDuration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(duration.subsec_nanos()).unwrap_or(0),
    }
}

/// The name that was asked for, where it is merged into the answer's profile; empty otherwise.
pub(super) fn merged_from(answer: &Answer) -> String {
    answer
        .merged_from
        .as_ref()
        .map(profile_name)
        .unwrap_or_default()
}

/// An event of a timeline.
pub(super) fn event(event: Event) -> v1::Event {
    v1::Event {
        source: event.source().to_owned(),
        attach: attached_by(&event),
        record: Some(key(&event.record)),
        event_id: event.event_id,
        r#type: event.kind,
        event_time: event.event_time.map(time),
        receive_time: Some(time(event.receive_time)),
        sort_time: Some(time(event.sort_time)),
        properties: event
            .properties
            .iter()
            .map(|(name, found)| (name.clone(), value(found)))
            .collect(),
        object: event.meaning.object.as_ref().map(object_key),
        related_objects: event.meaning.related.iter().map(object_key).collect(),
        status: event.meaning.status.unwrap_or_default(),
        channel: event.meaning.channel.unwrap_or_default(),
    }
}

/// The kinds of objects by which an event finds its record.
fn attached_by(event: &Event) -> Vec<String> {
    let attachment = event.attachment.as_ref();
    attachment.map_or_else(Vec::new, |it| it.kinds.clone())
}

/// An object's name.
fn object_key(key: &ObjectKey) -> v1::ObjectKey {
    v1::ObjectKey {
        kind: key.kind.clone(),
        id: key.id.clone(),
    }
}

/// An object with its course.
pub(super) fn object(object: Object) -> v1::Object {
    v1::Object {
        key: Some(object_key(&object.key)),
        status: object.status.unwrap_or_default(),
        create_time: Some(time(object.create_time)),
        update_time: Some(time(object.update_time)),
        fields: object
            .fields
            .iter()
            .map(|(name, found)| (name.clone(), value(found)))
            .collect(),
        related_objects: object.related.iter().map(object_key).collect(),
        event_count: i32::try_from(object.events.len()).unwrap_or(i32::MAX),
        events: object.events.into_iter().map(event).collect(),
    }
}

fn unified(found: &Trait) -> v1::Trait {
    v1::Trait {
        value: Some(value(&found.value)),
        origins: found.origins.iter().map(origin).collect(),
    }
}

/// A value that events add up to.
pub(super) fn computed_trait(found: &Computed) -> v1::ComputedTrait {
    let completeness = if found.partial {
        v1::Completeness::Partial
    } else {
        v1::Completeness::Complete
    };
    v1::ComputedTrait {
        value: found.value.as_ref().map(value),
        completeness: completeness.into(),
        approximate: found.approximate,
    }
}

/// The source of a value.
pub(super) fn origin(origin: &Origin) -> v1::Origin {
    v1::Origin {
        record: Some(key(&origin.record)),
        source_time: origin.source_time.map(time),
        receive_time: Some(time(origin.receive_time)),
    }
}

fn held(held: &ProfileIdentifier) -> v1::ProfileIdentifier {
    v1::ProfileIdentifier {
        identifier: Some(written(held)),
        linkable: held.linkable,
        origin: Some(origin(&held.origin)),
    }
}

fn record(record: &Record) -> v1::SourceRecord {
    let latest: Option<&Provenance> = record.latest();
    v1::SourceRecord {
        record: Some(key(&record.key)),
        identifiers: record
            .identifier_values()
            .map(|(kind, held)| v1::Identifier {
                r#type: kind.to_owned(),
                value: held.value.clone(),
                original_value: held.original.as_deref().unwrap_or_default().to_owned(),
            })
            .collect(),
        traits: record
            .traits()
            .map(|(name, found, _)| (name.to_owned(), value(found)))
            .collect(),
        version: latest.map_or(0, |said| said.stamp.version),
        source_time: latest.and_then(|said| said.source_time).map(time),
        receive_time: latest.map(|said| time(said.receive_time)),
        membership_reason: record.membership.reason.clone(),
    }
}

/// A record's name.
pub(super) fn key(key: &RecordKey) -> v1::RecordKey {
    v1::RecordKey {
        source: key.source.clone(),
        key: key.key.clone(),
    }
}

/// An identifier of a profile, also as its source wrote it.
pub(super) fn written(held: &ProfileIdentifier) -> v1::Identifier {
    v1::Identifier {
        original_value: held.original.as_deref().unwrap_or_default().to_owned(),
        ..identifier(&held.identifier)
    }
}

/// An identifier in its normal form.
pub(super) fn identifier(identifier: &Identifier) -> v1::Identifier {
    v1::Identifier {
        r#type: identifier.kind.clone(),
        value: identifier.value.clone(),
        original_value: String::new(),
    }
}

/// An instant on the wire.
pub(super) fn time(time: Timestamp) -> WireTime {
    let micros = time.as_micros();
    let nanos = micros.rem_euclid(1_000_000) * 1_000;
    WireTime {
        seconds: micros.div_euclid(1_000_000),
        nanos: i32::try_from(nanos).unwrap_or(0),
    }
}

/// A value of any type.
pub(super) fn value(found: &Value) -> v1::Value {
    let kind = match found {
        Value::String(text) => Kind::StringValue(text.clone()),
        Value::Int(number) => Kind::Int64Value(*number),
        Value::Decimal(number) => Kind::DecimalValue(number.to_string()),
        Value::Bool(flag) => Kind::BoolValue(*flag),
        Value::Time(instant) => Kind::TimeValue(time(*instant)),
        Value::List(values) => Kind::ListValue(v1::ListValue {
            values: values.iter().map(value).collect(),
        }),
        Value::Map(entries) => Kind::MapValue(v1::MapValue {
            entries: entries
                .iter()
                .map(|(name, found)| (name.clone(), value(found)))
                .collect(),
        }),
    };
    v1::Value { kind: Some(kind) }
}
