//! Statements as they come over the wire.

use customer_profile::grpc::{FILE_DESCRIPTOR_SET, fuzzing, v1};
use profile_core::model::Model;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};

use super::{Answer, Target, bytes, check_draft, ensure, refusal, text};

/// Statements in Protobuf's wire form.
pub(super) const WIRE: Target = Target {
    name: "statement-wire",
    words: &WORDS,
    seeds: wire_seeds,
    check: check_wire,
};

/// Statements in Protobuf's JSON form, as clients write them by hand.
pub(super) const JSON: Target = Target {
    name: "statement-json",
    words: &WORDS,
    seeds: json_seeds,
    check: check_json,
};

/// Whole requests, whose memory is estimated before they are decoded.
pub(super) const BATCH: Target = Target {
    name: "statement-batch",
    words: &WORDS,
    seeds: batch_seeds,
    check: check_batch,
};

const WORDS: [&str; 24] = [
    "web",
    "email",
    "phone",
    "given_name",
    "date_of_birth",
    "order_placed",
    "order_id",
    "total",
    "do_not_contact",
    "preferred_channels",
    "quiet_hours",
    "topics.returns",
    "newsletter",
    "CONSENT_STATUS_GRANTED",
    "\"decimalValue\":",
    "\"listValue\":{\"values\":[",
    "\"mapValue\":{\"entries\":{",
    "\"timeValue\":",
    "\"version\":",
    "\"updateMask\":",
    "1e400",
    "1970-01-01T00:00:00.000000001Z",
    "\"nanos\":-1",
    "9999-12-31T23:59:59Z",
];

/// Each map has one entry: maps have no order, and the wire form of two entries differs between
/// runs.
const STATEMENTS: [&str; 11] = [
    r#"{"upsertRecord":{"record":{"source":"web","key":"r1"},"identifiers":[{"type":"email","value":"Ann@Shop.com"},
       {"type":"phone","value":"(212) 555-1142"}],"traits":{"given_name":{"stringValue":"Ann"}},"version":"7",
       "sourceTime":"2026-01-31T08:00:00Z"}}"#,
    r#"{"upsertRecord":{"record":{"source":"web","key":"r1"},"traits":{"date_of_birth":{"stringValue":"1980-02-29"}}}}"#,
    r#"{"patchRecord":{"record":{"source":"web","key":"r1"},"traits":{"family_name":{"stringValue":"Lee"}},
       "clearTraits":["given_name"],"clearIdentifierTypes":["phone"]}}"#,
    r#"{"deleteRecord":{"record":{"source":"web","key":"r1"},"version":"8"}}"#,
    r#"{"recordEvent":{"event":{"record":{"source":"web","key":"r1"},"eventId":"17","type":"order_placed",
       "eventTime":"2026-01-31T08:00:00.5Z","properties":{"order_id":{"stringValue":"1001"}}}}}"#,
    r#"{"recordEvent":{"event":{"record":{"source":"web","key":"r1"},"eventId":"17","type":"order_placed",
       "properties":{"total":{"decimalValue":"19.90"}}}}}"#,
    r#"{"recordEvent":{"event":{"record":{"source":"web","key":"r1"},"eventId":"18","type":"order_placed",
       "properties":{"items":{"listValue":{"values":[{"mapValue":{"entries":{"sku":{"stringValue":"a"}}}},
       {"boolValue":true},{"timeValue":"2026-01-31T08:00:00Z"},{"int64Value":"9007199254740993"}]}}}}}}"#,
    r#"{"statePreferences":{"record":{"source":"web","key":"r1"},"preferences":{"language":"de-CH","timeZone":"Europe/Zurich",
       "preferredChannels":["email"],"topics":{"returns":false},"doNotContact":true},
       "accessibility":{"largePrint":true},"updateMask":"preferences.language,accessibility"}}"#,
    r#"{"recordConsent":{"record":{"source":"web","key":"r1"},"consent":{"purpose":"newsletter",
       "status":"CONSENT_STATUS_GRANTED","contactPoint":{"type":"email","value":"ann@shop.com"},"gpc":true,
       "effectiveTime":"2026-01-31T08:00:00Z","expireTime":"2027-01-31T08:00:00Z"}}}"#,
    r#"{"recordConsent":{"record":{"source":"web","key":"r1"},"consent":{"purpose":"newsletter",
       "status":"CONSENT_STATUS_DENIED","legalBasis":"LEGAL_BASIS_CONSENT","language":"de"}}}"#,
    "{}",
];

fn json_seeds() -> Vec<Vec<u8>> {
    bytes(&STATEMENTS)
}

fn wire_seeds() -> Vec<Vec<u8>> {
    STATEMENTS
        .iter()
        .filter_map(|json| encoded(json).ok())
        .collect()
}

fn batch_seeds() -> Vec<Vec<u8>> {
    let statements = wire_seeds();
    let statements = statements
        .iter()
        .filter_map(|bytes| v1::Statement::decode(bytes.as_slice()).ok())
        .collect();
    vec![v1::IngestStatementsRequest { statements }.encode_to_vec()]
}

/// The wire form of a statement in JSON.
fn encoded(json: &str) -> Result<Vec<u8>, String> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let message = DynamicMessage::deserialize(descriptor()?, &mut reader)
        .map_err(|error| error.to_string())?;
    Ok(message.encode_to_vec())
}

fn descriptor() -> Result<MessageDescriptor, String> {
    use std::sync::LazyLock;
    static STATEMENT: LazyLock<Option<MessageDescriptor>> = LazyLock::new(|| {
        DescriptorPool::decode(FILE_DESCRIPTOR_SET)
            .ok()?
            .get_message_by_name("customer.profile.v1.Statement")
    });
    STATEMENT
        .clone()
        .ok_or_else(|| "there is no descriptor of a statement".to_owned())
}

fn check_wire(input: &[u8]) -> Answer {
    let Some(read) = fuzzing::statement(input, &Model::built_in()) else {
        return Ok("no message".to_owned());
    };
    let again = v1::Statement::decode(input)
        .map(|message| message.encode_to_vec())
        .map_err(|error| error.to_string())?;
    match read {
        Ok(draft) => {
            let encoded_again = fuzzing::statement(&again, &Model::built_in());
            ensure(encoded_again == Some(Ok(draft.clone())), || {
                format!(
                    "a statement becomes another one when it is encoded again: {draft:?}, {encoded_again:?}"
                )
            })?;
            check_draft(&draft)
        }
        Err(violations) => refusal(&violations),
    }
}

fn check_json(input: &[u8]) -> Answer {
    match encoded(&text(input)) {
        Ok(wire) => check_wire(&wire),
        Err(_) => Ok("no JSON of a statement".to_owned()),
    }
}

/// The estimate does not depend on the limit, and a message that decodes takes at least the bytes
/// of its texts.
fn check_batch(input: &[u8]) -> Answer {
    let Some(memory) = fuzzing::memory_of_batch(input, usize::MAX) else {
        return Err("no message is larger than all memory".to_owned());
    };
    ensure(
        fuzzing::memory_of_batch(input, memory) == Some(memory),
        || format!("the limit {memory} changes the estimate"),
    )?;
    // The size of the request's own struct is taken before the walk.
    let least = fuzzing::memory_of_batch(&[], usize::MAX).unwrap_or_default();
    if memory > least {
        ensure(
            fuzzing::memory_of_batch(input, memory - 1).is_none(),
            || format!("{memory} bytes are within one byte less"),
        )?;
    }
    let Ok(message) = v1::IngestStatementsRequest::decode(input) else {
        return Ok("no message".to_owned());
    };
    let texts: usize = message.statements.iter().map(text_bytes).sum();
    let structs = message.statements.len() * size_of::<v1::Statement>();
    ensure(memory >= texts + structs, || {
        format!(
            "the estimate is {memory} bytes, and texts and statements alone take {}",
            texts + structs
        )
    })?;
    let kinds = message
        .statements
        .iter()
        .take(12)
        .map(|statement| match statement.kind {
            Some(v1::statement::Kind::UpsertRecord(_)) => "upsert",
            Some(v1::statement::Kind::PatchRecord(_)) => "patch",
            Some(v1::statement::Kind::DeleteRecord(_)) => "delete",
            Some(v1::statement::Kind::RecordEvent(_)) => "event",
            Some(v1::statement::Kind::RetractEvent(_)) => "retraction",
            Some(v1::statement::Kind::ReplaceEvent(_)) => "replacement",
            Some(v1::statement::Kind::StatePreferences(_)) => "preferences",
            Some(v1::statement::Kind::RecordConsent(_)) => "consent",
            None => "nothing",
        });
    Ok(kinds.collect::<Vec<_>>().join(" "))
}

/// The bytes of some of a statement's texts.
fn text_bytes(statement: &v1::Statement) -> usize {
    let key = |key: &Option<v1::RecordKey>| {
        key.as_ref()
            .map_or(0, |key| key.source.len() + key.key.len())
    };
    let values = |held: &[v1::Identifier]| {
        held.iter()
            .map(|held| held.r#type.len() + held.value.len())
            .sum::<usize>()
    };
    let event = |event: &Option<v1::Event>| {
        event.as_ref().map_or(0, |event| {
            key(&event.record) + event.event_id.len() + event.r#type.len()
        })
    };
    match &statement.kind {
        Some(v1::statement::Kind::UpsertRecord(said)) => {
            key(&said.record) + values(&said.identifiers)
        }
        Some(v1::statement::Kind::PatchRecord(said)) => {
            key(&said.record) + values(&said.identifiers)
        }
        Some(v1::statement::Kind::DeleteRecord(said)) => key(&said.record),
        Some(v1::statement::Kind::RecordEvent(said)) => event(&said.event),
        Some(v1::statement::Kind::RetractEvent(said)) => said.source.len() + said.event_id.len(),
        Some(v1::statement::Kind::ReplaceEvent(said)) => event(&said.event),
        Some(v1::statement::Kind::StatePreferences(said)) => key(&said.record),
        Some(v1::statement::Kind::RecordConsent(said)) => key(&said.record),
        None => 0,
    }
}
