//! What other servers, and the same one after a restart, know of a model that was applied.

use std::sync::Arc;

use customer_profile::grpc::v1::{self, consistency::Requirement};
use customer_profile::store::Store;

use super::{BY_EMAIL, BY_PHONE, apply_file, model, seen, town};
use crate::support::postgres::Postgres;
use crate::support::service::{Service, by_identifier, by_record, upsert};
use crate::support::stores::{Kind, TestStore, postgres};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_keeps_what_was_applied_whatever_is_configured() {
    let test = TestStore::start(Kind::Sqlite).await;
    let service = Service::start_by(test.store.clone(), model(BY_EMAIL)).await;
    service.say(town(9)).await;
    apply_file(&service, BY_PHONE).await;
    let applied = seen(&service, 9).await;
    let again = Service::start_by(test.store.clone(), model(BY_EMAIL)).await;
    assert_eq!(seen(&again, 9).await, applied);
    // By the applied model a city may be looked for, and a telephone joins.
    let said = upsert(
        ("crm", "new"),
        &[("phone", "5550000")],
        &[("name", "New")],
        1,
    );
    let joined = again.say(vec![said]).await.results.remove(0).profile;
    assert_eq!(joined, applied[&0].name);
    test.store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_server_goes_by_what_the_first_applied() {
    let server = Postgres::start();
    let mut services = Vec::new();
    for _ in 0..2 {
        let store: Arc<dyn Store> = Arc::new(postgres(&server).await);
        services.push(Service::start_by(store, model(BY_EMAIL)).await);
    }
    let [first, second] = &services[..] else {
        panic!("two")
    };
    first.say(town(9)).await;
    // The second server has everything in its cache.
    seen(second, 9).await;
    let applied = apply_file(first, BY_PHONE).await;

    // A read that must see the switch sees it: records, rules and the forms of identifiers.
    let fresh = v1::Consistency {
        requirement: Some(Requirement::AtLeastAsFresh(applied.read_token)),
    };
    for key in [by_record("crm", "0"), by_identifier("phone", "(555) 0000")] {
        let request = v1::GetProfileRequest {
            key: Some(key),
            consistency: Some(fresh.clone()),
            ..Default::default()
        };
        let found = second
            .profiles()
            .get_profile(request)
            .await
            .expect("a profile")
            .into_inner();
        assert_eq!(found.profile.expect("a profile").record_count, 1);
    }
    assert_eq!(seen(second, 9).await, seen(first, 9).await);

    // Its writes go by it too, also those that its callers made for the old one.
    apply_file(first, BY_EMAIL).await;
    let said = upsert(
        ("web", "new"),
        &[("email", "mail0@SHOP.com")],
        &[("name", "New")],
        99,
    );
    let joined = second.say(vec![said]).await.results.remove(0).profile;
    assert_eq!(joined, seen(first, 1).await[&0].name);
    for service in services {
        service.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_have_models_of_their_own() {
    let test = TestStore::start(Kind::Memory).await;
    let service = Service::start_by(test.store.clone(), model(BY_EMAIL)).await;
    service.say(town(9)).await;
    apply_file(&service, BY_PHONE).await;
    let other = profile_core::records::TenantId::new("other").expect("a name");
    assert_eq!(test.store.model(&other, None).await.expect("a read"), None);
    let mut request = tonic::Request::new(v1::IngestStatementsRequest {
        statements: town(9),
    });
    request
        .metadata_mut()
        .insert("x-tenant", "other".parse().expect("a value"));
    let results = service
        .ingest()
        .ingest_statements(request)
        .await
        .expect("a receipt")
        .into_inner()
        .results;
    assert_eq!(
        results[0].profile, results[1].profile,
        "an e-mail address joins there"
    );
    let stored = test
        .store
        .model(&other, None)
        .await
        .expect("a read")
        .expect("a model");
    assert_eq!(
        (stored.model.version, stored.model.file.as_str()),
        (1, BY_EMAIL)
    );
}
