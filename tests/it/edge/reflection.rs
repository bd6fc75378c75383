//! Tools learn everything from the server, and show the details of errors as text.

use std::process::Command;

use customer_profile::grpc::v1::ErrorReason;
use prost::Message;
use tonic::Code;
use tonic_reflection::pb;

use super::raw::checked;
use crate::clients::tools;
use crate::support::server::TestServer;
use crate::support::service::Service;

/// One test a version of the messages, which differ by their package alone.
macro_rules! version {
    ($version:ident) => {
        mod $version {
            use super::pb::$version::server_reflection_client::ServerReflectionClient;
            use super::pb::$version::server_reflection_request::MessageRequest;
            use super::pb::$version::server_reflection_response::MessageResponse;
            use super::pb::$version::{ExtensionRequest, ServerReflectionRequest};
            use super::*;

            fn ask(question: MessageRequest) -> ServerReflectionRequest {
                ServerReflectionRequest {
                    host: "here".to_owned(),
                    message_request: Some(question),
                }
            }

            async fn answers(
                service: &Service,
                questions: Vec<ServerReflectionRequest>,
            ) -> Vec<MessageResponse> {
                let mut client = ServerReflectionClient::new(service.channel.clone());
                let stream = client
                    .server_reflection_info(tokio_stream::iter(questions.clone()))
                    .await;
                let mut stream = stream.expect("a stream").into_inner();
                let mut answers = Vec::new();
                while let Some(answer) = stream.message().await.expect("the stream goes on") {
                    assert_eq!(
                        answer.original_request.as_ref(),
                        questions.get(answers.len())
                    );
                    assert_eq!(answer.valid_host, "here");
                    answers.push(answer.message_response.expect("an answer"));
                }
                answers
            }

            fn file(answer: &MessageResponse) -> String {
                let MessageResponse::FileDescriptorResponse(files) = answer else {
                    panic!("{answer:?}")
                };
                let file =
                    prost_types::FileDescriptorProto::decode(&files.file_descriptor_proto[0][..]);
                file.expect("a descriptor").name().to_owned()
            }

            fn refused(answer: &MessageResponse) -> Code {
                let MessageResponse::ErrorResponse(error) = answer else {
                    panic!("{answer:?}")
                };
                assert!(error.error_message.len() < 1_000, "{error:?}");
                Code::from_i32(error.error_code)
            }

            #[tokio::test]
            async fn what_is_not_known_is_answered_and_the_stream_goes_on() {
                use MessageRequest::{
                    AllExtensionNumbersOfType, FileByFilename, FileContainingExtension,
                    FileContainingSymbol, ListServices,
                };
                let service = Service::start().await;
                let extension = ExtensionRequest {
                    containing_type: "google.rpc.Status".to_owned(),
                    extension_number: 1,
                };
                let questions = vec![
                    ask(FileContainingSymbol(
                        "customer.profile.v1.Nothing".to_owned(),
                    )),
                    ask(FileByFilename("x".repeat(10_000))),
                    ask(FileContainingExtension(extension)),
                    ask(AllExtensionNumbersOfType("nothing.Nothing".to_owned())),
                    ServerReflectionRequest {
                        host: "here".to_owned(),
                        message_request: None,
                    },
                    ask(AllExtensionNumbersOfType("google.rpc.Status".to_owned())),
                    ask(FileContainingSymbol("google.rpc.ErrorInfo".to_owned())),
                    ask(FileContainingSymbol("google.rpc.BadRequest".to_owned())),
                    ask(FileContainingSymbol("google.rpc.RetryInfo".to_owned())),
                    ask(FileByFilename("google/protobuf/any.proto".to_owned())),
                    ask(ListServices(String::new())),
                ];
                let answers = answers(&service, questions).await;
                assert_eq!(answers.len(), 11);
                for unknown in &answers[..4] {
                    assert_eq!(refused(unknown), Code::NotFound);
                }
                assert_eq!(refused(&answers[4]), Code::InvalidArgument);
                let MessageResponse::AllExtensionNumbersResponse(numbers) = &answers[5] else {
                    panic!("{answers:?}")
                };
                assert_eq!(
                    (
                        numbers.base_type_name.as_str(),
                        numbers.extension_number.len()
                    ),
                    ("google.rpc.Status", 0)
                );
                for details in &answers[6..9] {
                    assert_eq!(file(details), "google/rpc/error_details.proto");
                }
                assert_eq!(file(&answers[9]), "google/protobuf/any.proto");
                let MessageResponse::ListServicesResponse(services) = &answers[10] else {
                    panic!("{answers:?}")
                };
                let names: Vec<&str> = services
                    .service
                    .iter()
                    .map(|service| service.name.as_str())
                    .collect();
                for name in [
                    "customer.profile.v1.ProfileService",
                    "grpc.health.v1.Health",
                    "grpc.reflection.v1.ServerReflection",
                    "grpc.reflection.v1alpha.ServerReflection",
                ] {
                    assert!(names.contains(&name), "{names:?}");
                }
            }

            #[tokio::test]
            async fn a_stream_is_bounded_in_number_and_size() {
                let service = Service::start().await;
                let mut client = ServerReflectionClient::new(service.channel.clone());
                let question = ask(MessageRequest::FileByFilename(
                    "google/rpc/status.proto".to_owned(),
                ));
                let stream = client
                    .server_reflection_info(tokio_stream::iter(vec![question; 1_500]))
                    .await;
                let mut stream = stream.expect("a stream").into_inner();
                let mut count = 0;
                let status = loop {
                    match stream.message().await {
                        Ok(Some(_)) => count += 1,
                        Ok(None) => panic!("no bound"),
                        Err(status) => break status,
                    }
                };
                assert_eq!(
                    (count, checked(&status)),
                    (1_000, (Code::ResourceExhausted, ErrorReason::LimitExceeded))
                );
                let large = ask(MessageRequest::FileByFilename("x".repeat(20_000)));
                let stream = client
                    .server_reflection_info(tokio_stream::iter([large]))
                    .await;
                let status = match stream {
                    Ok(stream) => stream.into_inner().message().await.expect_err("a refusal"),
                    Err(status) => status,
                };
                assert_eq!(
                    checked(&status),
                    (Code::OutOfRange, ErrorReason::LimitExceeded)
                );
            }
        }
    };
}

version!(v1);
version!(v1alpha);

#[test]
fn grpcurl_shows_the_details_of_errors_as_text_and_buf_names_them() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = TestServer::start(&format!("sqlite://{}/cp.db", dir.path().display()));
    let address = server.address.trim_start_matches("http://");
    let method = "customer.profile.v1.ProfileService/GetProfile";
    let mut grpcurl = Command::new(tools().join("grpcurl"));
    grpcurl.args(["-plaintext", "-d", "{\"view\": 9}", address, method]);
    let url = format!("{}/{method}", server.address);
    let mut buf = Command::new(tools().join("buf"));
    buf.args([
        "curl",
        "--protocol",
        "grpc",
        "--http2-prior-knowledge",
        "-d",
        "{\"view\": 9}",
        &url,
    ]);
    let texts = [
        r#""reason":"REQUIRED""#,
        r#""domain":"customer-profile""#,
        r#""field":"key""#,
        r#""field":"view""#,
    ];
    // buf names the types, and shows the text of those that are compiled into it: it does not ask
    // for them.
    let types = [
        r#""type":"google.rpc.ErrorInfo""#,
        r#""type":"google.rpc.BadRequest""#,
    ];
    for (mut tool, parts) in [(grpcurl, &texts[..]), (buf, &types)] {
        let output = tool.output().expect("it runs");
        assert!(!output.status.success());
        let told = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        let told: String = told.split_whitespace().collect();
        for part in parts {
            assert!(told.contains(*part), "{part}: {told}");
        }
    }
}
