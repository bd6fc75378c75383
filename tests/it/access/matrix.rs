//! Every method of the proto files under every kind of credential, over a real server.

use std::sync::Arc;

use customer_profile::auth::Scope;
use customer_profile::store::memory::MemoryStore;
use tonic::Code;

use crate::support::access::{Grant, bearer, code, methods, path, scope};
use crate::support::service::Service;
use crate::support::wire::Wire;

const DENIED: [Code; 2] = [Code::Unauthenticated, Code::PermissionDenied];

/// Metadata, the code if it is a refusal, and the case in words.
type Case<'a> = (&'a [(&'a str, &'a str)], Option<Code>, &'a str);

async fn secured(store: Arc<MemoryStore>) -> (Service, Wire) {
    let service = Service::start_with(store, |config| config.auth.insecure = false).await;
    let wire = Wire::connect(service.address, 65_535).await;
    (service, wire)
}

#[tokio::test]
async fn each_method_is_for_those_who_have_its_scope_and_tenant() {
    let store = Arc::new(MemoryStore::new());
    let names: Vec<&str> = Scope::ALL.iter().map(|scope| scope.name()).collect();
    let all = bearer(&Grant::new(&["acme"], &names).key(store.as_ref()).await);
    let mut one = std::collections::HashMap::new();
    for name in &names {
        let others: Vec<&str> = names
            .iter()
            .filter(|other| *other != name)
            .copied()
            .collect();
        let only = bearer(&Grant::new(&["acme"], &[name]).key(store.as_ref()).await);
        let but = bearer(&Grant::new(&["acme"], &others).key(store.as_ref()).await);
        one.insert(*name, (only, but));
    }
    let (_service, mut wire) = secured(store).await;
    let mut seen = 0;
    for method in methods() {
        let (path, scope) = (path(&method), scope(&method));
        let (only, but) = &one[scope.as_str()];
        let none: [(&str, &str); 0] = [];
        let cases: [Case<'_>; 8] = [
            (&none, Some(Code::Unauthenticated), "no credential"),
            (
                &[("x-tenant", "acme")],
                Some(Code::Unauthenticated),
                "no credential, a tenant",
            ),
            (
                &[("authorization", but)],
                Some(Code::PermissionDenied),
                "every other scope",
            ),
            (&[("authorization", only)], None, "the scope"),
            (
                &[("authorization", only), ("x-tenant", "acme")],
                None,
                "the scope, its tenant named",
            ),
            (
                &[("authorization", all.as_str()), ("x-tenant", "default")],
                Some(Code::PermissionDenied),
                "a tenant of others",
            ),
            (
                &[("authorization", all.as_str()), ("x-tenant", "no-such")],
                Some(Code::PermissionDenied),
                "a tenant that there is not",
            ),
            (
                &[(
                    "authorization",
                    "Bearer cpk_0123456789abcdef_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                )],
                Some(Code::Unauthenticated),
                "a key that there is not",
            ),
        ];
        for (metadata, expected, what) in cases {
            let got = code(&mut wire, &path, metadata).await;
            match expected {
                Some(code) => assert_eq!(got, code, "{path} with {what}"),
                None => assert!(!DENIED.contains(&got), "{path} with {what}: {got:?}"),
            }
        }
        seen += 1;
    }
    assert!(seen > 40, "{seen}");
}

#[tokio::test]
async fn of_several_tenants_a_call_names_one() {
    let store = Arc::new(MemoryStore::new());
    let grant = Grant::new(&["acme", "beta"], &["segments.read"]);
    let key = bearer(&grant.key(store.as_ref()).await);
    let (_service, mut wire) = secured(store).await;
    let path = "customer.profile.v1.SegmentService/ListSegments";
    for (tenant, expected) in [
        (None, Code::InvalidArgument),
        (Some("acme"), Code::Ok),
        (Some("beta"), Code::Ok),
        (Some("default"), Code::PermissionDenied),
    ] {
        let mut metadata = vec![("authorization", key.as_str())];
        metadata.extend(tenant.map(|tenant| ("x-tenant", tenant)));
        assert_eq!(
            code(&mut wire, path, &metadata).await,
            expected,
            "{tenant:?}"
        );
    }
}

#[tokio::test]
async fn health_is_open_and_the_rest_needs_a_credential() {
    let store = Arc::new(MemoryStore::new());
    let key = bearer(
        &Grant::new(&["acme"], &["segments.read"])
            .key(store.as_ref())
            .await,
    );
    let (_service, mut wire) = secured(store).await;
    let with: &[(&str, &str)] = &[("authorization", &key)];
    for (path, without_key, with_key) in [
        ("grpc.health.v1.Health/Check", Code::Ok, Code::Ok),
        ("grpc.health.v1.Health/Watch", Code::Ok, Code::Ok),
        (
            "grpc.health.v1.Health/List",
            Code::Unauthenticated,
            Code::Unimplemented,
        ),
        (
            "customer.profile.v1.ProfileService/Nonsense",
            Code::Unauthenticated,
            Code::Unimplemented,
        ),
        ("nonsense", Code::Unauthenticated, Code::Unimplemented),
    ] {
        assert_eq!(code(&mut wire, path, &[]).await, without_key, "{path}");
        assert_eq!(code(&mut wire, path, with).await, with_key, "{path}");
    }
    for version in ["v1", "v1alpha"] {
        let path = format!("grpc.reflection.{version}.ServerReflection/ServerReflectionInfo");
        assert_eq!(code(&mut wire, &path, &[]).await, Code::Unauthenticated);
        let got = code(&mut wire, &path, with).await;
        assert!(!DENIED.contains(&got), "{path}: {got:?}");
    }
}

/// Refusals are the same byte by byte, whether the tenant or the key exists or not.
#[tokio::test]
async fn a_refusal_does_not_tell_whether_a_tenant_or_a_key_exists() {
    let store = Arc::new(MemoryStore::new());
    let key = Grant::new(&["acme"], &["profiles.read"])
        .key(store.as_ref())
        .await;
    let other = Grant::new(&["beta"], &["profiles.read"])
        .key(store.as_ref())
        .await;
    let (service, _wire) = secured(store).await;
    let answer = async |authorization: String, tenant: &str| {
        let mut request =
            tonic::Request::new(customer_profile::grpc::v1::GetProfileRequest::default());
        let metadata = request.metadata_mut();
        metadata.insert("authorization", authorization.parse().expect("a value"));
        metadata.insert("x-tenant", tenant.parse().expect("a value"));
        metadata.insert("x-request-id", "same".parse().expect("a value"));
        let status = service
            .profiles()
            .get_profile(request)
            .await
            .expect_err("refused");
        (
            status.code(),
            status.message().to_owned(),
            status.details().to_vec(),
        )
    };
    let mine = bearer(&key);
    assert_eq!(
        answer(mine.clone(), "beta").await,
        answer(mine.clone(), "nobody").await
    );
    // The right id with another one's secret, and an id that there is not.
    let (id, secret) = (key.id.clone(), other.expose());
    let secret = secret.rsplit_once('_').map_or("", |(_, secret)| secret);
    let wrong = answer(format!("Bearer cpk_{id}_{secret}"), "acme").await;
    let unknown = answer(format!("Bearer cpk_0123456789abcdef_{secret}"), "acme").await;
    assert_eq!(wrong, unknown);
    assert_eq!(wrong.0, Code::Unauthenticated);
}
