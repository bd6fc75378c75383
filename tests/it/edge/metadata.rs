//! Metadata that decides on something is there once, or the call is refused.

use std::collections::BTreeSet;

use customer_profile::grpc::v1::{self, ErrorReason};
use prost::Message;
use tonic::{Code, Request};
use tonic_types::StatusExt;

use super::raw::{GET_PROFILE, checked, frame, post, send};
use crate::support::service::{Service, by_record, upsert};

const PATHS: [&str; 4] = [
    GET_PROFILE,
    "/customer.profile.v1.IngestService/StreamStatements",
    "/customer.profile.v1.ProfileService/WatchProfiles",
    "/grpc.health.v1.Health/Check",
];

#[tokio::test]
async fn a_caller_with_two_tenants_reads_neither() {
    let service = Service::start().await;
    let mut said = Request::new(v1::IngestStatementsRequest {
        statements: vec![upsert(("web", "1"), &[], &[("given_name", "Ann")], 1)],
    });
    said.metadata_mut()
        .insert("x-tenant", "mallory".parse().expect("a value"));
    service
        .ingest()
        .ingest_statements(said)
        .await
        .expect("a receipt");
    let wanted = v1::GetProfileRequest {
        key: Some(by_record("web", "1")),
        ..Default::default()
    }
    .encode_to_vec();
    let read = async |headers: &[(&str, &str)]| {
        send(
            &service.channel,
            post(GET_PROFILE, headers, frame(0, &wanted)),
        )
        .await
        .status()
    };
    assert_eq!(read(&[("x-tenant", "mallory")]).await.code(), Code::Ok);
    assert_eq!(read(&[("x-tenant", "ann")]).await.code(), Code::NotFound);
    for headers in [
        &[("x-tenant", "mallory"), ("x-tenant", "ann")][..],
        &[("x-tenant", "ann"), ("x-tenant", "mallory")],
        &[("x-tenant", "mallory"), ("x-tenant", "mallory")],
        &[("x-tenant", "mallory,ann")],
        &[("x-tenant", "ann, mallory")],
        &[("x-tenant", "")],
    ] {
        let status = read(headers).await;
        assert_eq!(
            checked(&status),
            (Code::InvalidArgument, ErrorReason::Malformed),
            "{headers:?}: {status:?}"
        );
    }
}

#[tokio::test]
async fn what_is_there_twice_is_refused_by_name_on_every_kind_of_call() {
    let service = Service::start().await;
    let twice = [
        ("x-tenant", "a"),
        ("x-request-id", "7"),
        ("grpc-timeout", "5S"),
        ("authorization", "Bearer x"),
        (
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ),
        ("content-type", "application/grpc"),
        ("grpc-encoding", "identity"),
    ];
    for path in PATHS {
        for (key, value) in twice {
            let answer = send(
                &service.channel,
                post(path, &[(key, value), (key, value)], frame(0, b"")),
            )
            .await;
            let status = answer.status();
            assert_eq!(
                checked(&status),
                (Code::InvalidArgument, ErrorReason::Malformed),
                "{key} {path}: {status:?}"
            );
            assert!(
                status
                    .message()
                    .starts_with(&format!("{key}: is there more than once")),
                "{status:?}"
            );
            // The answer has an id all the same, never the one of two that cannot be told apart.
            assert_ne!(answer.headers["x-request-id"], "7");
        }
        let all: Vec<_> = twice[..3].iter().flat_map(|both| [*both, *both]).collect();
        let status = send(&service.channel, post(path, &all, frame(0, b"")))
            .await
            .status();
        let details = status.get_error_details();
        let named = &details.bad_request().expect("violations").field_violations;
        let named: BTreeSet<&str> = named
            .iter()
            .map(|violation| violation.field.as_str())
            .collect();
        assert_eq!(
            named,
            BTreeSet::from(["x-tenant", "x-request-id", "grpc-timeout"]),
            "all are told at once"
        );
    }
}

#[tokio::test]
async fn a_value_that_cannot_be_taken_over_is_refused_by_name() {
    let service = Service::start().await;
    let long = "a".repeat(129);
    for (key, value) in [
        ("x-request-id", ""),
        ("x-request-id", long.as_str()),
        ("x-request-id", "Grüße"),
        ("x-request-id", "a b"),
        ("x-request-id", "a,b"),
        ("x-tenant", long.as_str()),
        ("x-tenant", "Ünal"),
        ("grpc-timeout", "soon"),
        ("grpc-timeout", "100000000S"),
        ("grpc-timeout", ""),
    ] {
        let status = send(
            &service.channel,
            post(GET_PROFILE, &[(key, value)], frame(0, b"")),
        )
        .await
        .status();
        let (code, _) = checked(&status);
        assert_eq!(code, Code::InvalidArgument, "{key}: {value}: {status:?}");
        assert!(status.message().starts_with(key), "{status:?}");
    }
    let given = "a".repeat(128);
    let answer = send(
        &service.channel,
        post(GET_PROFILE, &[("x-request-id", &given)], frame(0, b"")),
    )
    .await;
    assert_eq!(answer.headers["x-request-id"], given.as_str());
}

#[tokio::test]
async fn two_servers_never_give_out_the_same_request_id() {
    // In containers both have the process id 1, and each counts from the same number.
    let services = [Service::start().await, Service::start().await];
    let mut ids = BTreeSet::new();
    for service in &services {
        for _ in 0..20 {
            let answer = send(&service.channel, post(GET_PROFILE, &[], frame(0, b""))).await;
            assert!(ids.insert(answer.headers["x-request-id"].clone()));
        }
    }
    assert_eq!(ids.len(), 40);
}
