use std::mem::size_of;

use prost::Message as _;

use super::sizes::struct_bytes;
use super::*;
use crate::grpc::v1;

fn shape(method: &str) -> Shape {
    Shape::of_method(&format!("customer.profile.v1.{method}")).expect("a method")
}

fn ingest() -> Shape {
    shape("IngestService/IngestStatements")
}

/// Everything, without a limit.
fn bytes_of(shape: Shape, message: &[u8]) -> usize {
    match shape.estimate(message, usize::MAX) {
        Estimate::Bytes(bytes) => bytes,
        Estimate::TooLarge(field) => panic!("{field} is too large"),
    }
}

/// A field with this number and content.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    prost::encode_length_delimiter(content.len(), &mut bytes).expect("room");
    bytes.extend_from_slice(content);
    bytes
}

#[test]
fn structs_are_never_smaller_than_estimated() {
    let real = [
        (
            "IngestStatementsRequest",
            size_of::<v1::IngestStatementsRequest>(),
        ),
        ("Statement", size_of::<v1::Statement>()),
        ("UpsertRecord", size_of::<v1::UpsertRecord>()),
        ("Identifier", size_of::<v1::Identifier>()),
        ("Value", size_of::<v1::Value>()),
        ("Event", size_of::<v1::Event>()),
        ("StatePreferences", size_of::<v1::StatePreferences>()),
        ("Preferences", size_of::<v1::Preferences>()),
        ("Consent", size_of::<v1::Consent>()),
        ("ProfileKey", size_of::<v1::ProfileKey>()),
        (
            "BatchGetProfilesRequest",
            size_of::<v1::BatchGetProfilesRequest>(),
        ),
        (
            "IngestPayloadsRequest",
            size_of::<v1::IngestPayloadsRequest>(),
        ),
        (
            "SearchProfilesRequest",
            size_of::<v1::SearchProfilesRequest>(),
        ),
        (
            "WatchProfilesRequest",
            size_of::<v1::WatchProfilesRequest>(),
        ),
    ];
    let pool = methods::pool();
    for (name, real) in real {
        let message = pool
            .get_message_by_name(&format!("customer.profile.v1.{name}"))
            .expect(name);
        let estimated = struct_bytes(&message, &mut Vec::new());
        assert!(
            real <= estimated && estimated <= 3 * real,
            "{name}: {real} bytes, estimated {estimated}"
        );
    }
}

#[test]
fn every_method_has_a_shape() {
    for service in methods::pool().services() {
        for method in service.methods() {
            let name = format!("{}/{}", service.full_name(), method.name());
            assert!(Shape::of_method(&name).is_some(), "{name}");
        }
    }
}

#[test]
fn empty_elements_are_counted_with_the_capacity_that_their_list_really_has() {
    for count in [1, 2, 4, 5, 8, 9, 1_000, 65_537] {
        let message = field(1, b"").repeat(count);
        let decoded = v1::IngestStatementsRequest::decode(message.as_slice()).expect("a message");
        let real = decoded.statements.capacity() * size_of::<v1::Statement>();
        let estimated = bytes_of(ingest(), &message);
        assert!(
            real <= estimated,
            "{count} statements take {real} bytes, estimated {estimated}"
        );
    }
}

#[test]
fn lists_of_one_element_and_maps_of_one_entry_are_counted_with_their_spare_room() {
    // Upserts whose traits have one entry, without a name.
    let statement = field(1, &field(3, &field(2, b"")));
    let statements = field(1, &statement).repeat(1_000);
    let decoded = v1::IngestStatementsRequest::decode(statements.as_slice()).expect("a message");
    let maps: usize = decoded
        .statements
        .iter()
        .map(|statement| match &statement.kind {
            // A table of at least four buckets.
            Some(v1::statement::Kind::UpsertRecord(upsert)) if upsert.traits.len() == 1 => {
                4 * (size_of::<(String, v1::Value)>() + 1)
            }
            other => panic!("{other:?}"),
        })
        .sum();
    let real = maps + decoded.statements.capacity() * size_of::<v1::Statement>();
    let estimated = bytes_of(ingest(), &statements);
    assert!(
        real <= estimated && estimated <= 4 * real,
        "{real} bytes, estimated {estimated}"
    );
}

#[test]
fn an_ordinary_message_takes_a_few_times_its_size() {
    let text = |text: &str| v1::Value {
        kind: Some(v1::value::Kind::StringValue(text.to_owned())),
    };
    let statement = |number: usize| {
        let record = v1::RecordKey {
            source: "web".to_owned(),
            key: format!("account-{number}"),
        };
        let identifiers = ["email", "phone"].map(|kind| v1::Identifier {
            r#type: kind.to_owned(),
            value: format!("{kind}.{number}@shop.example"),
            ..Default::default()
        });
        let traits = ["given_name", "family_name", "street", "city"].map(|name| {
            (
                name.to_owned(),
                text("Long Road 17, the house with the green door"),
            )
        });
        let upsert = v1::UpsertRecord {
            record: Some(record),
            identifiers: identifiers.into(),
            traits: traits.into(),
            version: 7,
            ..Default::default()
        };
        v1::Statement {
            kind: Some(v1::statement::Kind::UpsertRecord(upsert)),
        }
    };
    let message = v1::IngestStatementsRequest {
        statements: (0..1_000).map(statement).collect(),
    }
    .encode_to_vec();
    let estimated = bytes_of(ingest(), &message);
    assert!(
        estimated < 8 * message.len(),
        "{} bytes, estimated {estimated}",
        message.len()
    );
}

#[test]
fn the_walk_ends_at_its_limit_and_names_the_field() {
    let message = field(1, b"").repeat(100_000);
    assert_eq!(
        ingest().estimate(&message, 1 << 20),
        Estimate::TooLarge("statements")
    );
    let keys = field(1, b"").repeat(100_000);
    assert_eq!(
        shape("ProfileService/BatchGetProfiles").estimate(&keys, 1 << 20),
        Estimate::TooLarge("keys")
    );
}

#[test]
fn unknown_fields_and_groups_are_skipped_and_malformed_bytes_end_the_walk() {
    let nothing = bytes_of(ingest(), b"");
    let unknown = field(15, &[7; 100]);
    assert_eq!(bytes_of(ingest(), &unknown), nothing);
    // A group of number 14 with a varint and a group in it; then statements, which decoding reads
    // too.
    let group = [
        &[0x73, 0x08, 0x01, 0x7b, 0x7c, 0x74][..],
        &field(1, b"").repeat(100),
    ]
    .concat();
    let decoded =
        v1::IngestStatementsRequest::decode(group.as_slice()).expect("groups are skipped");
    assert_eq!(decoded.statements.len(), 100);
    assert!(bytes_of(ingest(), &group) > 100 * size_of::<v1::Statement>());
    for malformed in [&[0xff; 11][..], &[0x0a, 0x05, 0x00], &[0x74], &[0x0f]] {
        assert!(v1::IngestStatementsRequest::decode(malformed).is_err());
        assert_eq!(bytes_of(ingest(), malformed), nothing);
    }
}
