//! Credentials that are bound to a purpose.

use std::sync::Arc;

use customer_profile::active_models::ModelFile;
use customer_profile::auth::Scope;
use customer_profile::clock::SystemClock;
use customer_profile::grpc::v1;
use customer_profile::store::memory::MemoryStore;
use customer_profile::telemetry::http::Readiness;
use prost::Message;
use prost_reflect::{DynamicMessage, MethodDescriptor, Value};
use tonic::Code;

use crate::support::access::{Grant, bearer, methods, path, scope, sent};
use crate::support::service::{Service, by_identifier, upsert};
use crate::support::wire::Wire;

/// The request of a method for a purpose; `None` where it takes none.
fn request(method: &MethodDescriptor, purpose: &str) -> Option<Vec<u8>> {
    let field = method.input().get_field_by_name("purpose")?;
    let mut message = DynamicMessage::new(method.input());
    message.set_field(&field, Value::String(purpose.to_owned()));
    Some(message.encode_to_vec())
}

#[tokio::test]
async fn a_bound_credential_reads_for_its_purpose_alone() {
    let store = Arc::new(MemoryStore::new());
    let names: Vec<&str> = Scope::ALL.iter().map(|scope| scope.name()).collect();
    let bound = Grant {
        purpose: Some("service"),
        ..Grant::new(&["acme"], &names)
    };
    let free = bearer(&Grant::new(&["acme"], &names).key(store.as_ref()).await);
    let bound = bearer(&bound.key(store.as_ref()).await);
    let (model, clock) = (ModelFile::built_in(), Arc::new(SystemClock));
    let mut service = Service::start_unready_by(store, (model, clock), |config| {
        config.auth.insecure = false;
    })
    .await;
    let ready = service.ready.wait_for(|ready| *ready == Readiness::Ready);
    ready.await.expect("a running server");
    let mut wire = Wire::connect(service.address, 65_535).await;
    let (mut taken, mut refused) = (0, 0);
    for method in methods() {
        let (path, scope) = (path(&method), scope(&method));
        let scope = Scope::of_name(&scope).expect("a scope");
        let mut ask = async |key: &str, message: &[u8]| {
            let metadata = [("authorization", key)];
            sent(&mut wire, &path, &metadata, message).await
        };
        let Some(other) = request(&method, "marketing") else {
            let expected = scope.reads_customers();
            let got = ask(&bound, &[]).await;
            assert_eq!(got == Code::PermissionDenied, expected, "{path}: {got:?}");
            refused += usize::from(expected);
            continue;
        };
        let own = request(&method, "service").expect("it takes one");
        assert_eq!(ask(&bound, &other).await, Code::PermissionDenied, "{path}");
        assert_ne!(ask(&free, &other).await, Code::PermissionDenied, "{path}");
        assert_ne!(ask(&bound, &own).await, Code::PermissionDenied, "{path}");
        // None is the credential's own: the same answer.
        assert_eq!(ask(&bound, &[]).await, ask(&bound, &own).await, "{path}");
        taken += 1;
    }
    assert!(taken >= 8 && refused >= 10, "{taken} {refused}");
}

/// The purpose limits what is shown, also where the request does not name it.
#[tokio::test]
async fn a_bound_credential_sees_no_more_than_its_purpose() {
    let store = Arc::new(MemoryStore::new());
    let grant = Grant::new(&["acme"], &["profiles.read", "statements.write"]);
    let free = grant.key(store.as_ref()).await.expose();
    let bound = Grant {
        purpose: Some("service"),
        ..grant
    };
    let bound = bound.key(store.as_ref()).await.expose();
    let model = "identifiers: { email: { priority: 1 } }\ntraits: { name: , city: }\nsources: { web: }\n\
                 purposes:\n  service: { consent: not_needed, traits: [name] }\n";
    let model = ModelFile::parse(model).expect("a model");
    let mut service = Service::start_unready_by(store, (model, Arc::new(SystemClock)), |config| {
        config.auth.insecure = false;
    })
    .await;
    let ready = service.ready.wait_for(|ready| *ready == Readiness::Ready);
    ready.await.expect("a running server");
    let statement = upsert(
        ("web", "1"),
        &[("email", "ann@shop.com")],
        &[("name", "Ann"), ("city", "Rom")],
        1,
    );
    let said = v1::IngestStatementsRequest {
        statements: vec![statement],
    };
    service
        .ingest()
        .ingest_statements(with(said, &bound))
        .await
        .expect("a bound credential may write");
    let traits = async |key: &str| {
        let request = v1::GetProfileRequest {
            key: Some(by_identifier("email", "ann@shop.com")),
            ..v1::GetProfileRequest::default()
        };
        let answer = service.profiles().get_profile(with(request, key)).await;
        let profile = answer.expect("a profile").into_inner().profile;
        let mut names: Vec<_> = profile.expect("a profile").traits.into_keys().collect();
        names.sort_unstable();
        names
    };
    assert_eq!(traits(&free).await, ["city", "name"]);
    assert_eq!(traits(&bound).await, ["name"]);
}

fn with<T>(message: T, key: &str) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    let value = format!("Bearer {key}").parse().expect("a value");
    request.metadata_mut().insert("authorization", value);
    request
}
