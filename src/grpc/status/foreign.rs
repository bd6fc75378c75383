//! Statuses that tonic and the library services make by themselves: for bytes that are no message,
//! for messages over a limit, for methods that are not there. Each gets the code, the `ErrorInfo`
//! and the bound that all statuses have.
//!
//! They are recognised by their text, as tonic gives nothing else. The tests of the wire go through
//! the real library, so that a release with other texts is noticed.

use http::{HeaderMap, HeaderName, HeaderValue};
use profile_core::records::{Reason, Violation};
use tonic::{Code, Status};

use super::{bounded, failure, internal, invalid};
use crate::grpc::v1::ErrorReason;

/// The headers of a status.
const STATUS: [HeaderName; 3] = [
    Status::GRPC_STATUS,
    Status::GRPC_MESSAGE,
    Status::GRPC_STATUS_DETAILS,
];

/// Replaces the status in headers or trailers where it is not one of this module's parent.
pub(in crate::grpc) fn complete(headers: &mut HeaderMap, request_id: &str) {
    let failed = headers
        .get(Status::GRPC_STATUS)
        .is_some_and(|code| code.as_bytes() != b"0");
    if !failed || is_own(headers) {
        return;
    }
    // tonic panics over details that are not base64. Nobody here sends such.
    headers.remove(Status::GRPC_STATUS_DETAILS);
    let Some(found) = Status::from_header_map(headers) else {
        return;
    };
    let status = translated(found.code(), found.message(), request_id);
    for name in STATUS {
        headers.remove(name);
    }
    if status.add_header(headers).is_err() {
        headers.insert(
            Status::GRPC_STATUS,
            HeaderValue::from(i32::from(Code::Internal)),
        );
    }
}

/// All own statuses have details within the bound; nobody else here sends details.
fn is_own(headers: &HeaderMap) -> bool {
    let bytes = |name: HeaderName| headers.get(name).map_or(0, HeaderValue::len);
    let details = bytes(Status::GRPC_STATUS_DETAILS);
    details > 0 && details + bytes(Status::GRPC_MESSAGE) <= bounded::MAX_STATUS_BYTES
}

/// A library's status, in this service's words.
fn translated(code: Code, message: &str, request_id: &str) -> Status {
    match code {
        Code::Internal => broken_request(message).unwrap_or_else(|| {
            tracing::error!(request_id, message, "a request failed within a library");
            internal(request_id)
        }),
        Code::OutOfRange if message.contains("decoded message") => {
            let size = numbers(message).first().copied();
            too_large(
                "the request has",
                size,
                numbers(message).get(1).copied(),
                "grpc.max_receive_bytes",
            )
        }
        Code::ResourceExhausted if message.starts_with("Error decompressing") => {
            let limit = numbers(message).first().copied();
            too_large(
                "the request has, decompressed,",
                None,
                limit,
                "grpc.max_receive_bytes",
            )
        }
        Code::OutOfRange | Code::ResourceExhausted
            if message.contains("encoded message") || message.contains("4GB") =>
        {
            let size = numbers(message).first().copied();
            let limit = numbers(message).get(1).copied();
            too_large(
                "ask for less, by a page, a smaller batch or a read_mask: the answer has",
                size,
                limit,
                "grpc.max_send_bytes",
            )
        }
        Code::Unimplemented if message.is_empty() => {
            let message = "this server has no such method; reflection lists those that it has";
            failure(code, ErrorReason::Unimplemented, message, &[])
        }
        Code::Unimplemented if message.starts_with("Content is compressed") => {
            let message = format!("grpc-encoding: {message}; grpc-accept-encoding lists what is");
            failure(code, ErrorReason::Unimplemented, message, &[])
        }
        Code::NotFound if message == "service not registered" => {
            let message = "service: the health service knows none of this name; it knows the names that reflection lists";
            failure(code, ErrorReason::ServiceUnknown, message, &[])
        }
        Code::Unknown => {
            tracing::error!(request_id, message, "a request failed within a library");
            internal(request_id)
        }
        code => {
            let metadata = [("request_id", request_id.to_owned())];
            failure(code, ErrorReason::Internal, message, &metadata)
        }
    }
}

/// A request whose bytes are no message; `None` where something else went wrong.
fn broken_request(message: &str) -> Option<Status> {
    let malformed = |description: String| {
        Some(invalid(&[Violation::new(
            Reason::Malformed,
            "request",
            description,
        )]))
    };
    if let Some(rest) = message.strip_prefix("failed to decode Protobuf message") {
        malformed(format!(
            "is not a Protobuf message of the method's type{rest}"
        ))
    } else if message.starts_with("Missing request message") {
        Some(invalid(&[Violation::new(
            Reason::Required,
            "request",
            "has no message; the method takes exactly one",
        )]))
    } else if message.starts_with("Unexpected EOF") {
        malformed("ends within a message: fewer bytes came than its length prefix says".to_owned())
    } else if message.contains("no grpc-encoding was specified") {
        // Source: gRPC's compression.md: "MUST fail with INTERNAL status".
        let message = "request: has a message with its compressed flag set, but no grpc-encoding";
        Some(failure(
            Code::Internal,
            ErrorReason::Malformed,
            message,
            &[],
        ))
    } else if message.contains("invalid compression flag") {
        let flag = numbers(message).first().copied().unwrap_or_default();
        malformed(format!(
            "has a message with the compressed flag {flag}; it must be 0 or 1"
        ))
    } else if message.starts_with("Error decompressing") {
        malformed("has a message that its grpc-encoding cannot decompress".to_owned())
    } else {
        None
    }
}

fn too_large(what: &str, size: Option<u64>, limit: Option<u64>, setting: &str) -> Status {
    let limit = limit.map_or_else(|| "4294967295".to_owned(), |limit| limit.to_string());
    let message = match size {
        Some(size) => format!("{what} {size} bytes; the limit is {limit} ({setting})"),
        None => format!("{what} more than {limit} bytes, the limit ({setting})"),
    };
    let mut metadata = vec![("limit", limit), ("setting", setting.to_owned())];
    metadata.extend(size.map(|size| ("actual", size.to_string())));
    failure(
        Code::OutOfRange,
        ErrorReason::LimitExceeded,
        message,
        &metadata,
    )
}

/// The numbers in a text.
fn numbers(text: &str) -> Vec<u64> {
    text.split(|letter: char| !letter.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .collect()
}
