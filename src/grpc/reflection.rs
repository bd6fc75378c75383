//! Server reflection: what tools ask to know the services and messages of this server without its
//! proto files.
//!
//! It answers in both versions, `v1` and `v1alpha`, from the descriptors that are compiled in,
//! which include `google/rpc/error_details.proto`, so that tools show the details of errors as
//! text. What is not known is answered by an `error_response`, and the stream goes on. (The service
//! of `tonic-reflection` ends the stream, and knows no extensions; its messages are used here.) A
//! stream is bounded in the number of its requests and in the size of each.
//!
//! Source: gRPC's `reflection.proto`, `server-reflection.md`.

use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;
use std::sync::LazyLock;

use futures::{Stream, StreamExt};
use prost_reflect::{DescriptorPool, FileDescriptor, MessageDescriptor};
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_reflection::pb;

use super::ingest::until_failure;
use super::{bounded, methods, status};

/// The most requests of one stream. A tool that reads all files of this server makes some hundred.
const MAX_REQUESTS: usize = 1_000;
/// The largest request, in bytes: names are short.
const MAX_REQUEST_BYTES: usize = 16 * 1024;
/// The most bytes of a name within an error.
const MAX_SHOWN_BYTES: usize = 200;

/// Serves the reflection of both versions.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reflection;

/// A question of a request, in either version.
enum Question {
    File(String),
    Symbol(String),
    Extension(String, i32),
    ExtensionNumbers(String),
    Services,
    Nothing,
}

/// The answer to a question.
enum Answer {
    File(Vec<u8>),
    ExtensionNumbers(String, Vec<i32>),
    Services(Vec<String>),
    Error(Code, String),
}

/// All descriptors of this server, by what they are asked for.
#[derive(Default)]
struct Index {
    files: HashMap<String, Vec<u8>>,
    /// The file that declares a symbol.
    symbols: HashMap<String, String>,
    /// The files that declare the extensions of a message, by number.
    extensions: HashMap<String, BTreeMap<i32, String>>,
    services: Vec<String>,
}

static INDEX: LazyLock<Index> = LazyLock::new(|| Index::new(&methods::pool()));

impl Index {
    fn new(pool: &DescriptorPool) -> Self {
        let mut index = Self::default();
        for file in pool.files() {
            index
                .files
                .insert(file.name().to_owned(), file.encode_to_vec());
            index.add_services(&file);
        }
        for message in pool.all_messages() {
            index.add_message(&message);
        }
        for declared in pool.all_enums() {
            let file = declared.parent_file();
            index.add_symbol(declared.full_name(), &file);
            declared
                .values()
                .for_each(|value| index.add_symbol(value.full_name(), &file));
        }
        for extension in pool.all_extensions() {
            let file = extension.parent_file();
            index.add_symbol(extension.full_name(), &file);
            let number = i32::try_from(extension.number()).unwrap_or(i32::MAX);
            let of_type = index
                .extensions
                .entry(extension.containing_message().full_name().to_owned())
                .or_default();
            of_type.insert(number, file.name().to_owned());
        }
        index.services.sort_unstable();
        index
    }

    fn add_symbol(&mut self, name: &str, file: &FileDescriptor) {
        self.symbols.insert(name.to_owned(), file.name().to_owned());
    }

    fn add_services(&mut self, file: &FileDescriptor) {
        for service in file.services() {
            self.services.push(service.full_name().to_owned());
            self.add_symbol(service.full_name(), file);
            service
                .methods()
                .for_each(|method| self.add_symbol(method.full_name(), file));
        }
    }

    fn add_message(&mut self, message: &MessageDescriptor) {
        let file = message.parent_file();
        self.add_symbol(message.full_name(), &file);
        self.extensions
            .entry(message.full_name().to_owned())
            .or_default();
        message
            .fields()
            .for_each(|field| self.add_symbol(field.full_name(), &file));
        message
            .oneofs()
            .for_each(|oneof| self.add_symbol(oneof.full_name(), &file));
    }

    fn answer(&self, question: &Question) -> Answer {
        let file = |name: &String| self.files.get(name).cloned().map(Answer::File);
        let found = match question {
            Question::File(name) => file(name),
            Question::Symbol(name) => self.symbols.get(name).and_then(file),
            Question::Extension(name, number) => self
                .extensions
                .get(name)
                .and_then(|numbers| numbers.get(number))
                .and_then(file),
            Question::ExtensionNumbers(name) => self.extensions.get(name).map(|numbers| {
                Answer::ExtensionNumbers(name.clone(), numbers.keys().copied().collect())
            }),
            Question::Services => Some(Answer::Services(self.services.clone())),
            Question::Nothing => {
                let message =
                    "message_request: is required, as one that this version knows".to_owned();
                Some(Answer::Error(Code::InvalidArgument, message))
            }
        };
        found.unwrap_or_else(|| Answer::Error(Code::NotFound, unknown(question)))
    }
}

/// The name that is not known, in words.
fn unknown(question: &Question) -> String {
    let shown = |name| bounded::shortened(name, MAX_SHOWN_BYTES);
    match question {
        Question::File(name) => format!("no file `{}`", shown(name)),
        Question::Extension(name, number) => format!("no extension {number} of `{}`", shown(name)),
        Question::Symbol(name) | Question::ExtensionNumbers(name) => {
            format!("no symbol `{}`", shown(name))
        }
        Question::Services | Question::Nothing => String::new(),
    }
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The answers to a stream of requests, up to the bound.
fn answers<Q: Send + 'static, A: Send + 'static>(
    requests: Streaming<Q>,
    answer: fn(Q) -> A,
) -> Answers<A> {
    let answers = requests
        .enumerate()
        .map(move |(count, request)| match request {
            Ok(_) if count >= MAX_REQUESTS => Err(status::too_many_requests(MAX_REQUESTS)),
            Ok(request) => Ok(answer(request)),
            Err(status) => Err(status),
        });
    Box::pin(until_failure(answers))
}

/// The service in one version of its messages, which differ by their package alone.
macro_rules! version {
    ($version:ident) => {
        /// One version of the service.
        mod $version {
            use super::pb::$version::server_reflection_request::MessageRequest;
            use super::pb::$version::server_reflection_response::MessageResponse;
            use super::pb::$version::server_reflection_server::{
                ServerReflection, ServerReflectionServer,
            };
            use super::pb::$version::{
                ErrorResponse, ExtensionNumberResponse, FileDescriptorResponse,
                ListServiceResponse, ServerReflectionRequest, ServerReflectionResponse,
                ServiceResponse,
            };
            use super::{
                Answer, Answers, INDEX, MAX_REQUEST_BYTES, Question, Reflection, Request, Response,
                Status, Streaming,
            };

            impl Reflection {
                /// The service in this version.
                #[must_use]
                pub fn $version() -> ServerReflectionServer<Self> {
                    ServerReflectionServer::new(Self).max_decoding_message_size(MAX_REQUEST_BYTES)
                }
            }

            #[tonic::async_trait]
            impl ServerReflection for Reflection {
                type ServerReflectionInfoStream = Answers<ServerReflectionResponse>;

                async fn server_reflection_info(
                    &self,
                    request: Request<Streaming<ServerReflectionRequest>>,
                ) -> Result<Response<Self::ServerReflectionInfoStream>, Status> {
                    Ok(Response::new(super::answers(request.into_inner(), answer)))
                }
            }

            fn answer(request: ServerReflectionRequest) -> ServerReflectionResponse {
                let question = match request.message_request.clone() {
                    Some(MessageRequest::FileByFilename(name)) => Question::File(name),
                    Some(MessageRequest::FileContainingSymbol(name)) => Question::Symbol(name),
                    Some(MessageRequest::FileContainingExtension(of)) => {
                        Question::Extension(of.containing_type, of.extension_number)
                    }
                    Some(MessageRequest::AllExtensionNumbersOfType(name)) => {
                        Question::ExtensionNumbers(name)
                    }
                    Some(MessageRequest::ListServices(_)) => Question::Services,
                    None => Question::Nothing,
                };
                let answer = match INDEX.answer(&question) {
                    Answer::File(file) => {
                        MessageResponse::FileDescriptorResponse(FileDescriptorResponse {
                            file_descriptor_proto: vec![file],
                        })
                    }
                    Answer::ExtensionNumbers(base_type_name, extension_number) => {
                        let numbers = ExtensionNumberResponse {
                            base_type_name,
                            extension_number,
                        };
                        MessageResponse::AllExtensionNumbersResponse(numbers)
                    }
                    Answer::Services(names) => {
                        MessageResponse::ListServicesResponse(ListServiceResponse {
                            service: names
                                .into_iter()
                                .map(|name| ServiceResponse { name })
                                .collect(),
                        })
                    }
                    Answer::Error(code, error_message) => {
                        MessageResponse::ErrorResponse(ErrorResponse {
                            error_code: code.into(),
                            error_message,
                        })
                    }
                };
                ServerReflectionResponse {
                    valid_host: request.host.clone(),
                    original_request: Some(request),
                    message_response: Some(answer),
                }
            }
        }
    };
}

version!(v1);
version!(v1alpha);

#[cfg(test)]
mod tests {
    use super::*;

    fn known(question: &Question) -> bool {
        matches!(INDEX.answer(question), Answer::File(_))
    }

    #[test]
    fn every_kind_of_symbol_is_found() {
        for symbol in [
            "customer.profile.v1.ProfileService",
            "customer.profile.v1.ProfileService.GetProfile",
            "customer.profile.v1.Profile",
            "customer.profile.v1.Profile.revision",
            "customer.profile.v1.ProfileKey.key",
            "customer.profile.v1.ErrorReason",
            "customer.profile.v1.ERROR_REASON_REQUIRED",
            "google.rpc.ErrorInfo",
            "google.rpc.BadRequest.FieldViolation",
            "google.rpc.RetryInfo",
            "google.rpc.Status",
            "google.protobuf.Timestamp",
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection",
        ] {
            assert!(known(&Question::Symbol(symbol.to_owned())), "{symbol}");
        }
        for symbol in ["", "customer", "customer.profile.v1.Nothing", "google.rpc"] {
            assert!(!known(&Question::Symbol(symbol.to_owned())), "{symbol}");
        }
    }

    #[test]
    fn every_file_is_to_be_had_with_all_that_it_imports() {
        for (name, file) in &INDEX.files {
            let file: prost_types::FileDescriptorProto =
                prost::Message::decode(&file[..]).expect("a descriptor");
            assert_eq!(file.name(), name);
            for import in file.dependency {
                assert!(known(&Question::File(import.clone())), "{import}");
            }
        }
        assert!(known(&Question::File(
            "google/rpc/error_details.proto".to_owned()
        )));
    }

    #[test]
    fn extensions_are_found_by_type_and_number() {
        use prost_types::descriptor_proto::ExtensionRange;
        use prost_types::field_descriptor_proto::{Label, Type};
        use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto};
        let range = ExtensionRange {
            start: Some(100),
            end: Some(200),
            options: None,
        };
        let base = DescriptorProto {
            name: Some("Base".into()),
            extension_range: vec![range],
            ..Default::default()
        };
        let extension = FieldDescriptorProto {
            name: Some("more".into()),
            number: Some(120),
            label: Some(Label::Optional.into()),
            r#type: Some(Type::String.into()),
            extendee: Some(".x.Base".into()),
            ..Default::default()
        };
        let file = FileDescriptorProto {
            name: Some("x.proto".into()),
            package: Some("x".into()),
            message_type: vec![base],
            extension: vec![extension],
            ..Default::default()
        };
        let mut pool = DescriptorPool::new();
        pool.add_file_descriptor_proto(file).expect("a pool");
        let index = Index::new(&pool);
        assert!(matches!(
            index.answer(&Question::Extension("x.Base".into(), 120)),
            Answer::File(_)
        ));
        assert!(matches!(
            index.answer(&Question::Extension("x.Base".into(), 121)),
            Answer::Error(Code::NotFound, _)
        ));
        let numbers = index.answer(&Question::ExtensionNumbers("x.Base".into()));
        assert!(matches!(numbers, Answer::ExtensionNumbers(_, numbers) if numbers == [120]));
        let numbers = index.answer(&Question::ExtensionNumbers("x.Nothing".into()));
        assert!(matches!(numbers, Answer::Error(Code::NotFound, _)));
    }
}
