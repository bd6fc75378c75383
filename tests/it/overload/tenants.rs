//! Tenants do not wait for each other.

use std::sync::Arc;

use customer_profile::grpc::v1::{self, StatementOutcome};
use customer_profile::store::Store;
use profile_core::records::TenantId;
use tonic::Request;

use crate::support::postgres::Postgres;
use crate::support::service::{Service, upsert};
use crate::support::stores::postgres;

fn request(tenant: &str, version: i64) -> Request<v1::IngestStatementsRequest> {
    let said = upsert(("web", "1"), &[("email", "ann@shop.com")], &[], version);
    let mut request = Request::new(v1::IngestStatementsRequest {
        statements: vec![said],
    });
    let name = tenant.parse().expect("a value");
    request.metadata_mut().insert("x-tenant", name);
    request
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_whose_turn_another_server_holds_keeps_nobody_else() {
    let server = Postgres::start();
    let store: Arc<dyn Store> = Arc::new(postgres(&server).await);
    let service = Service::start_with(store, |_| {}).await;
    for tenant in ["held", "free"] {
        let said = service.ingest().ingest_statements(request(tenant, 1)).await;
        let said = said.expect("an answer").into_inner();
        assert_eq!(said.results[0].outcome(), StatementOutcome::Stored);
    }

    // Another server has taken the turn and does not go on.
    let other = postgres(&server).await;
    let held = TenantId::new("held").expect("a tenant");
    let turn = other.begin(&held).await.expect("the turn");
    let mut client = service.ingest();
    let waiting = tokio::spawn(async move { client.ingest_statements(request("held", 2)).await });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    while server.sql(waits).trim() == "0" {
        assert!(!waiting.is_finished(), "the turn was not held");
        tokio::task::yield_now().await;
    }
    for version in 2..5 {
        let said = service
            .ingest()
            .ingest_statements(request("free", version))
            .await;
        said.expect("stored while the other tenant waits");
    }
    assert!(!waiting.is_finished(), "the turn was not held");
    drop(turn);
    waiting.await.expect("a task").expect("stored at last");
    other.close().await;
    service.stop().await;
}
