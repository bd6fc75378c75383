//! Tests of mappings: the statements of a payload, with every remark.

use std::collections::BTreeMap;

use profile_core::model::{Mapped, Model, NotedDraft, PartlyMapped};
use profile_core::records::{
    Change, Draft, DraftEvent, DraftRecord, Preference, PreferenceKey, Preferences,
    RecordStatement, StatedPreference, Statement, Timestamp, Value, Violation,
};
use prost_types::FieldMask;

use crate::grpc::preferences::encode as treatment;
use crate::grpc::{encode, ingest, v1};

/// Maps a payload and checks what comes out of it.
pub(crate) fn tested(
    model: &Model,
    (source, kind): (&str, &str),
    payload: &[u8],
    now: Timestamp,
) -> v1::TestMappingResponse {
    let mut answer = v1::TestMappingResponse::default();
    let payload = match ingest::parse(payload) {
        Ok(payload) => payload,
        Err(violations) => return with_violations(answer, violations),
    };
    if let (Ok(fields), Some(payload)) = (model.mapped_fields(source, kind), payload.as_object()) {
        let names = payload.keys().filter(|name| !fields.may_read(name));
        answer.unread_fields = names.cloned().collect();
        answer.unread_fields.sort_unstable();
    }
    let PartlyMapped { mapped, violations } = model.map_in_part(source, kind, &payload);
    let Mapped { drafts, omissions } = mapped;
    let statements = drafts.into_iter().map(|made| checked(model, made, now));
    answer.statements = statements.collect();
    let omissions = omissions.into_iter().map(|omission| v1::MappingOmission {
        field: omission.field,
        reason: omission.reason,
    });
    answer.omissions = omissions.collect();
    with_violations(answer, violations)
}

fn with_violations(
    mut answer: v1::TestMappingResponse,
    violations: Vec<Violation>,
) -> v1::TestMappingResponse {
    answer.violations = violations.into_iter().map(encode::violation).collect();
    answer
}

/// A statement with everything that there is to say of it.
fn checked(model: &Model, made: NotedDraft, now: Timestamp) -> v1::MappedStatement {
    let NotedDraft { draft, mut notes } = made;
    let checked = model.check_and_note(
        draft.clone(),
        now,
        &mut notes,
        profile_core::identity::unread,
    );
    let (violations, change) = match checked {
        Ok(Statement::Record(RecordStatement { change, .. })) => (Vec::new(), Some(change)),
        Ok(Statement::Event(_) | Statement::Correction(_)) => (Vec::new(), None),
        Err(violations) => (violations, None),
    };
    let (notes, omitted_note_count) = encode::notes(notes);
    v1::MappedStatement {
        statement: Some(v1::Statement {
            kind: Some(statement(draft, change)),
        }),
        violations: violations.into_iter().map(encode::violation).collect(),
        notes,
        omitted_note_count,
    }
}

fn statement(draft: Draft, change: Option<Change>) -> v1::statement::Kind {
    use v1::statement::Kind;
    match draft {
        Draft::Upsert(said) => Kind::UpsertRecord(v1::UpsertRecord {
            record: Some(encode::key(&said.record)),
            identifiers: identifiers(&said),
            traits: values(&said.traits),
            version: said.version,
            source_time: said.source_time.map(encode::time),
        }),
        Draft::Patch(said) => Kind::PatchRecord(v1::PatchRecord {
            record: Some(encode::key(&said.record)),
            identifiers: identifiers(&said),
            traits: values(&said.traits),
            clear_identifier_types: said.clear_identifier_types,
            clear_traits: said.clear_traits,
            version: said.version,
            source_time: said.source_time.map(encode::time),
        }),
        Draft::Delete(said) => Kind::DeleteRecord(v1::DeleteRecord {
            record: Some(encode::key(&said.record)),
            version: said.version,
            source_time: said.source_time.map(encode::time),
        }),
        Draft::Event(said) => Kind::RecordEvent(v1::RecordEvent {
            event: Some(event(said)),
        }),
        Draft::Retraction(said) => Kind::RetractEvent(v1::RetractEvent {
            source: said.event.source,
            event_id: said.event.event_id,
            version: said.version,
            source_time: said.source_time.map(encode::time),
        }),
        Draft::Replacement(said) => Kind::ReplaceEvent(v1::ReplaceEvent {
            event: Some(event(said.event)),
            version: said.version,
            source_time: said.source_time.map(encode::time),
        }),
        Draft::Preferences(said) => {
            let read = match change {
                Some(Change::Prefer(read)) => read,
                _ => BTreeMap::new(),
            };
            let (stated, cleared) = preferences(read);
            Kind::StatePreferences(v1::StatePreferences {
                record: Some(encode::key(&said.record)),
                preferences: treatment::preferences(&stated),
                accessibility: treatment::accessibility(&stated),
                update_mask: cleared,
                version: said.version,
                source_time: said.source_time.map(encode::time),
            })
        }
        Draft::Consent(said) => Kind::RecordConsent(v1::RecordConsent {
            record: Some(encode::key(&said.record)),
            version: said.version,
            source_time: said.source_time.map(encode::time),
            consent: Some(treatment::said(said)),
        }),
    }
}

fn event(said: DraftEvent) -> v1::Event {
    v1::Event {
        record: Some(encode::key(&said.record)),
        attach: said.attach,
        event_id: said.event_id,
        r#type: said.kind,
        event_time: said.event_time.map(encode::time),
        properties: values(&said.properties),
        ..v1::Event::default()
    }
}

fn identifiers(said: &DraftRecord) -> Vec<v1::Identifier> {
    said.identifiers.iter().map(encode::identifier).collect()
}

fn values(said: &BTreeMap<String, Value>) -> BTreeMap<String, v1::Value> {
    said.iter()
        .map(|(name, found)| (name.clone(), encode::value(found)))
        .collect()
}

/// Preferences that are stated; where some are cleared, also a mask of all that are said.
fn preferences(
    read: BTreeMap<PreferenceKey, Option<Preference>>,
) -> (Preferences, Option<FieldMask>) {
    let is_cleared = read.values().any(Option::is_none);
    let paths = read.keys().map(ToString::to_string).collect();
    let stated = read.into_iter().filter_map(|(key, value)| {
        let stated = StatedPreference {
            value: value?,
            origins: Vec::new(),
        };
        Some((key, stated))
    });
    (stated.collect(), is_cleared.then_some(FieldMask { paths }))
}
