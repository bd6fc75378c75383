//! Bytes that are no gRPC request, each refused by a code and a text of its own.

use std::io::Write;

use bytes::Bytes;
use customer_profile::grpc::v1::ErrorReason::{
    self, LimitExceeded, Malformed, Required, ServiceUnknown, Unimplemented,
};
use flate2::Compression;
use flate2::write::GzEncoder;
use tonic::Code::{self, Internal, InvalidArgument, NotFound, OutOfRange};

use super::raw::{GET_PROFILE, announced, checked, frame, post, send};
use crate::support::service::Service;

const STREAM: &str = "/customer.profile.v1.IngestService/StreamStatements";
const HEALTH: &str = "/grpc.health.v1.Health/Check";
const REFLECTION: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes).expect("memory");
    gzip.finish().expect("memory")
}

#[tokio::test]
async fn what_is_not_grpc_is_answered_by_an_http_status() {
    let service = Service::start().await;
    for (content_type, part) in [
        (Some("text/plain"), "application/grpc"),
        (Some("application/json"), "application/json"),
        (Some("application/grpc+json"), "application/grpc+proto"),
        (Some("application/grpcfoo"), "application/grpc"),
        (
            Some("application/grpc, application/grpc"),
            "application/grpc",
        ),
        (
            Some("application/grpc-web+proto, application/grpc"),
            "gRPC-Web",
        ),
        (Some("application/grpc-web"), "gRPC-Web"),
        (Some("application/grpc-web-text+proto"), "gRPC-Web"),
        (None, "is missing"),
    ] {
        for path in [GET_PROFILE, HEALTH, REFLECTION, "/nothing"] {
            let mut request = post(path, &[], frame(0, b""));
            request.headers_mut().remove("content-type");
            if let Some(content_type) = content_type {
                request
                    .headers_mut()
                    .insert("content-type", content_type.parse().expect("a value"));
            }
            let answer = send(&service.channel, request).await;
            assert_eq!(answer.http, 415, "{content_type:?} {path}: {answer:?}");
            assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
            assert!(
                String::from_utf8_lossy(&answer.body).contains(part),
                "{content_type:?}: {answer:?}"
            );
            assert!(answer.headers.contains_key("x-request-id"));
        }
    }
    for method in ["GET", "PUT", "DELETE", "OPTIONS"] {
        let mut request = post(GET_PROFILE, &[], Bytes::new());
        *request.method_mut() = method.parse().expect("a method");
        let answer = send(&service.channel, request).await;
        assert_eq!(
            (answer.http, answer.headers["allow"].as_bytes()),
            (405, &b"POST"[..]),
            "{method}"
        );
    }
    let large = "x".repeat(20_000);
    let answer = send(
        &service.channel,
        post(GET_PROFILE, &[("x-more", &large)], frame(0, b"")),
    )
    .await;
    assert_eq!(answer.http, 431);
    let answer = send(&service.channel, post(HEALTH, &[], frame(0, b""))).await;
    assert_eq!((answer.http, answer.status().code()), (200, Code::Ok));
}

/// What is sent, and how it is refused.
struct Case {
    what: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: Bytes,
    code: Code,
    reason: ErrorReason,
    part: &'static str,
}

fn case(
    what: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: Bytes,
    refusal: (Code, ErrorReason),
    part: &'static str,
) -> Case {
    let (code, reason) = refusal;
    Case {
        what,
        headers,
        body,
        code,
        reason,
        part,
    }
}

const MALFORMED: (Code, ErrorReason) = (InvalidArgument, Malformed);

fn malformed_frames() -> Vec<Case> {
    vec![
        case(
            "no Protobuf",
            &[],
            frame(0, b"\xff\xff\xff\xff"),
            MALFORMED,
            "is not a Protobuf message",
        ),
        case(
            "a truncated field",
            &[],
            frame(0, b"\x0a\x7fab"),
            MALFORMED,
            "is not a Protobuf message",
        ),
        case(
            "a truncated message",
            &[],
            announced(0, 100, b"abc"),
            MALFORMED,
            "ends within a message",
        ),
        case(
            "a truncated prefix",
            &[],
            Bytes::from_static(b"\0\0\0"),
            MALFORMED,
            "ends within a message",
        ),
        case(
            "the flag 2",
            &[],
            frame(2, b""),
            MALFORMED,
            "compressed flag 2",
        ),
        // As gRPC's compression.md demands.
        case(
            "compressed without a word",
            &[],
            frame(1, b"x"),
            (Internal, Malformed),
            "no grpc-encoding",
        ),
    ]
}

fn wrong_compressions() -> Vec<Case> {
    let gzipped: &[_] = &[("grpc-encoding", "gzip")];
    vec![
        case(
            "bad gzip",
            gzipped,
            frame(1, b"no gzip at all"),
            MALFORMED,
            "cannot decompress",
        ),
        case(
            "half of a gzip",
            gzipped,
            frame(1, &gzip(&[7; 999])[..20]),
            MALFORMED,
            "cannot decompress",
        ),
        case(
            "a gzip bomb",
            gzipped,
            frame(1, &gzip(&vec![0; 64 * 1024 * 1024])),
            (OutOfRange, LimitExceeded),
            "more than 4194304 bytes, the limit (grpc.max_receive_bytes)",
        ),
        case(
            "a large message",
            &[],
            announced(0, 5_000_000, b"abc"),
            (OutOfRange, LimitExceeded),
            "5000000 bytes; the limit is 4194304 (grpc.max_receive_bytes)",
        ),
        case(
            "snappy",
            &[("grpc-encoding", "snappy")],
            frame(1, b"x"),
            (Code::Unimplemented, Unimplemented),
            "snappy",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_bytes_are_refused_each_with_its_own_words() {
    let service = Service::start().await;
    for Case {
        what,
        headers,
        body,
        code,
        reason,
        part,
    } in malformed_frames().into_iter().chain(wrong_compressions())
    {
        for path in [GET_PROFILE, STREAM] {
            let answer = send(&service.channel, post(path, headers, body.clone())).await;
            let status = answer.status();
            assert_eq!(
                checked(&status),
                (code, reason),
                "{what} to {path}: {status:?}"
            );
            assert!(
                status.message().contains(part),
                "{what} to {path}: {status:?}"
            );
            if what == "snappy" {
                assert_eq!(
                    answer.headers["grpc-accept-encoding"], "gzip,identity",
                    "{path}"
                );
            }
        }
    }
}

#[tokio::test]
async fn statuses_of_libraries_have_reasons_too() {
    let service = Service::start().await;
    let malformed = frame(0, b"\xff\xff\xff\xff");
    for (path, body, code, reason) in [
        (GET_PROFILE, Bytes::new(), InvalidArgument, Required),
        (HEALTH, malformed.clone(), InvalidArgument, Malformed),
        (
            HEALTH,
            frame(0, b"\x0a\x07nothing"),
            NotFound,
            ServiceUnknown,
        ),
        (REFLECTION, malformed, InvalidArgument, Malformed),
        (
            "/customer.profile.v1.ProfileService/Nothing",
            frame(0, b""),
            Code::Unimplemented,
            Unimplemented,
        ),
        (
            "/nothing.Nothing/Nothing",
            frame(0, b""),
            Code::Unimplemented,
            Unimplemented,
        ),
        ("/", frame(0, b""), Code::Unimplemented, Unimplemented),
    ] {
        let status = send(&service.channel, post(path, &[], body)).await.status();
        assert_eq!(checked(&status), (code, reason), "{path}: {status:?}");
    }
}
