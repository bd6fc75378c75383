//! Every status reaches its caller: small enough for all clients and proxies, with what is left out
//! counted.

use std::fs;

use bytes::Bytes;
use customer_profile::grpc::FILE_DESCRIPTOR_SET;
use customer_profile::grpc::v1::{self, ErrorReason, model_service_client::ModelServiceClient};
use prost::Message;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value,
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::raw::{GET_PROFILE, checked, frame, post, send};
use crate::support::program::{command, run};
use crate::support::server::TestServer;
use crate::support::service::{Service, by_record};

/// What proxies have for the head of an answer: one page.
const MAX_BLOCK_BYTES: usize = 4096;

/// A value that is hardly ever right.
fn value(field: &FieldDescriptor, depth: u32, text: &str) -> Option<Value> {
    Some(match field.kind() {
        Kind::String => Value::String(text.to_owned()),
        Kind::Bytes => Value::Bytes(Bytes::from(text.to_owned())),
        Kind::Bool => Value::Bool(true),
        Kind::Double => Value::F64(-1.5),
        Kind::Float => Value::F32(-1.5),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(-7),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(-7),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(7),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(7),
        Kind::Enum(_) => Value::EnumNumber(99),
        Kind::Message(_) if depth == 0 => return None,
        Kind::Message(message) => Value::Message(filled(&message, depth - 1, text)),
    })
}

/// A message of which every field is set, and most are wrong.
fn filled(descriptor: &MessageDescriptor, depth: u32, text: &str) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    let many = if depth > 2 { 40 } else { 2 };
    for field in descriptor.fields() {
        if field.is_map() {
            let Kind::Message(entry) = field.kind() else {
                continue;
            };
            let of = value(
                &entry.map_entry_value_field(),
                depth.saturating_sub(1),
                text,
            );
            let entries = (0..many)
                .map(|index| Some((MapKey::String(format!("{index}{text}")), of.clone()?)));
            message.set_field(&field, Value::Map(entries.flatten().collect()));
        } else if let Some(of) = value(&field, depth, text) {
            message.set_field(
                &field,
                if field.is_list() {
                    Value::List(vec![of; many])
                } else {
                    of
                },
            );
        }
    }
    message
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_method_answers_with_a_status_that_is_too_large_or_has_no_reason() {
    let service = Service::start().await;
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("descriptors");
    let texts = [
        "x".to_owned(),
        "電話番号".to_owned(),
        "電話番号?".repeat(300),
        "x".repeat(20_000),
    ];
    let mut failures = 0;
    for of in pool.services() {
        for method in of.methods() {
            let path = format!("/{}/{}", of.full_name(), method.name());
            let messages = texts
                .iter()
                .map(|text| filled(&method.input(), 4, text).encode_to_vec());
            for message in messages.chain([b"\xff\xff\xff".to_vec()]) {
                let answer = send(&service.channel, post(&path, &[], frame(0, &message))).await;
                let status = answer.status();
                if status.code() == Code::Ok {
                    continue;
                }
                failures += 1;
                checked(&status);
                assert_ne!(
                    status.code(),
                    Code::Unimplemented,
                    "{path} is declared, not served"
                );
                let bytes = answer.status_block_bytes();
                assert!(bytes < MAX_BLOCK_BYTES, "{path}: {bytes} bytes: {status:?}");
            }
        }
    }
    assert!(failures > 100, "{failures} failures");
}

fn masked(paths: usize, path: &str) -> v1::GetProfileRequest {
    let paths = (0..paths).map(|index| format!("{path}{index}")).collect();
    let read_mask = Some(prost_types::FieldMask { paths });
    v1::GetProfileRequest {
        key: Some(by_record("web", "1")),
        read_mask,
        ..Default::default()
    }
}

/// How many violations a status has, lists, and says that it leaves out.
fn counted(status: &Status) -> (usize, usize, usize) {
    let details = status.get_error_details();
    let metadata = &details.error_info().expect("ErrorInfo").metadata;
    let listed = details
        .bad_request()
        .expect("violations")
        .field_violations
        .len();
    let number = |name: &str| {
        metadata
            .get(name)
            .map(|text| text.parse().expect("a number"))
    };
    (
        number("violations").unwrap_or(listed),
        listed,
        number("violations_left_out").unwrap_or(0),
    )
}

#[tokio::test]
async fn what_is_left_out_of_an_error_is_counted() {
    let service = Service::start().await;
    for path in ["shoe_size_", "履物の大きさ_"] {
        for paths in [1, 14, 20, 100, 400] {
            let message = masked(paths, path).encode_to_vec();
            let answer = send(&service.channel, post(GET_PROFILE, &[], frame(0, &message))).await;
            let status = answer.status();
            assert_eq!(
                checked(&status),
                (Code::InvalidArgument, ErrorReason::Malformed)
            );
            assert!(answer.status_block_bytes() < MAX_BLOCK_BYTES, "{status:?}");
            let (all, listed, left_out) = counted(&status);
            assert_eq!((all, listed + left_out), (paths, paths), "{status:?}");
            assert!(listed >= paths.min(4), "{status:?}");
            let more = left_out > 0;
            assert_eq!(
                status
                    .message()
                    .contains(&format!("({all} in all, the details list {listed})")),
                more
            );
            // The list of all paths is there once.
            let details = status.get_error_details();
            let lists = &details.bad_request().expect("violations").field_violations;
            assert_eq!(
                lists
                    .iter()
                    .filter(|one| one.description.contains("the paths are"))
                    .count(),
                1
            );
        }
    }
}

/// A model file with so many mistakes.
fn wrong_model(mistakes: usize) -> String {
    let wrong = (0..mistakes).map(|index| format!("  kind_{index}: {{ priority: 0 }}\n"));
    format!(
        "identifiers:\n{}sources:\n  web: {{ trust: 50 }}\n",
        wrong.collect::<String>()
    )
}

#[tokio::test]
async fn all_mistakes_of_a_model_are_in_the_body() {
    use v1::plan_model_response::Message::Mistakes;
    let service = Service::start().await;
    for (count, listed) in [(1, 1), (80, 80), (400, 400), (1_500, 1_001)] {
        let content = Some(v1::model_candidate::Content::File(wrong_model(count)));
        let candidate = Some(v1::ModelCandidate {
            content,
            weights: None,
        });
        let mut models = ModelServiceClient::new(service.channel.clone());
        let mut stream = models
            .plan_model(v1::PlanModelRequest { candidate })
            .await
            .expect("a stream")
            .into_inner();
        let mut mistakes = None;
        let status = loop {
            match stream.message().await {
                Ok(Some(v1::PlanModelResponse {
                    message: Some(Mistakes(all)),
                })) => mistakes = Some(all),
                Ok(Some(_)) => {}
                Ok(None) => panic!("no status"),
                Err(status) => break status,
            }
        };
        assert_eq!(
            checked(&status),
            (Code::InvalidArgument, ErrorReason::Malformed)
        );
        let mistakes = mistakes.expect("mistakes");
        assert_eq!(
            mistakes.mistake_count,
            i64::try_from(listed).expect("small")
        );
        assert_eq!(mistakes.mistakes.len(), listed);
        let last = &mistakes.mistakes[listed - 1].description;
        assert_eq!(
            last == "500 more mistakes are left out",
            listed > 1_000,
            "{last}"
        );
        assert_eq!(mistakes.mistakes[0].line, 2);
        assert!(
            mistakes.mistakes[0].description.contains("1 to 99"),
            "{mistakes:?}"
        );
    }
}

#[test]
fn the_command_line_shows_every_mistake_of_a_model() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = TestServer::start(&format!("sqlite://{}/cp.db", dir.path().display()));
    for count in [80, 400] {
        fs::write(dir.path().join("m.yaml"), wrong_model(count)).expect("a file is written");
        for verb in ["plan", "apply"] {
            let told = run(
                dir.path(),
                ["model", verb, "m.yaml", "--server", &server.address],
            )
            .failed(1);
            assert!(
                told.starts_with(&format!("error: the model has {count} mistakes:\n")),
                "{told}"
            );
            let lines = told
                .lines()
                .filter(|line| line.contains("must be a whole number from 1 to 99"))
                .count();
            assert_eq!(lines, count, "{told}");
        }
        let checked = command(dir.path(), ["model", "check", "m.yaml"])
            .output()
            .expect("it runs");
        assert_eq!(
            String::from_utf8_lossy(&checked.stdout).lines().count(),
            count
        );
    }
}
