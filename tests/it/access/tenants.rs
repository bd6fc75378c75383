//! Tenants: created by somebody, refused otherwise, deleted with all that is theirs.

use std::path::Path;
use std::sync::Arc;

use customer_profile::store::Store;
use customer_profile::store::memory::MemoryStore;
use profile_core::records::{TenantId, Timestamp};
use serde_json::{Value as Json, json};
use tonic::Code;

use super::roles::{ask, method};
use crate::support::access::Grant;
use crate::support::postgres::Postgres;
use crate::support::program::run;
use crate::support::server::{SECURE, TestServer};
use crate::support::service::Service;
use crate::support::stores::postgres;
use crate::support::wire::Wire;

const SCOPES: [&str; 3] = ["segments.read", "statements.write", "profiles.read"];

fn named(name: &str) -> TenantId {
    TenantId::new(name).expect("a name")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_that_nobody_created_is_refused_and_makes_nothing() {
    let store = Arc::new(MemoryStore::new());
    let shared: Arc<dyn Store> = store.clone();
    let key = Grant::new(&["acmee"], &SCOPES).key(&*shared).await.expose();
    let service = Service::start_with(shared.clone(), |config| {
        config.auth.insecure = false;
        config.auth.key_refresh_interval = std::time::Duration::from_millis(10);
        config.audit.flush_interval = std::time::Duration::from_millis(10);
    })
    .await;
    let mut wire = Wire::connect(service.address, 1 << 20).await;
    let (acmee, answered) = (named("acmee"), std::cell::Cell::new(0));
    let mut is_served = async || {
        let answer = ask(&mut wire, &method("ListSegments"), &json!({}), &key).await;
        if answer.code == Code::Ok {
            answered.set(answered.get() + 1);
        } else {
            assert_eq!(answer.code, Code::NotFound);
        }
        answer.code == Code::Ok
    };
    let create = async || {
        let created = shared.create_tenant(&acmee, Timestamp::default()).await;
        created.expect("a register")
    };
    for _ in 0..5 {
        assert!(!is_served().await);
    }
    let tenants = shared.list_tenants(None, 100).await.expect("a read");
    assert!(!tenants.contains(&acmee), "{tenants:?}");
    assert_eq!((create().await, create().await), (true, false));
    while !is_served().await {
        tokio::task::yield_now().await;
    }
    let deleted = shared
        .mark_tenant_deleted(&acmee, Timestamp::default())
        .await;
    assert!(deleted.expect("a register"));
    while is_served().await {
        tokio::task::yield_now().await;
    }
    service.stop().await;
    // The calls that it answered are in its log. Those that were refused are not, or the tenant
    // would come to be by them.
    let head = shared.audit_head(&acmee).await.expect("a read");
    assert_eq!(head.size, answered.get());
}

/// A customer with an order.
fn statements() -> Json {
    json!({"statements": [
        {"upsertRecord": {"record": {"source": "web", "key": "1"}, "version": 1,
            "identifiers": [{"type": "email", "value": "ann@example.com"}],
            "traits": {"given_name": {"stringValue": "Ann"}}}},
        {"recordEvent": {"event": {"record": {"source": "web", "key": "1"}, "type": "order_placed",
            "eventId": "1", "eventTime": "2026-01-02T03:04:05Z",
            "properties": {"order_id": {"stringValue": "7"}}}}},
    ]})
}

fn by_email() -> Json {
    json!({"key": {"identifier": {"type": "email", "value": "ann@example.com"}}})
}

/// How many rows a tenant has, in all tables that a deletion is to empty: also in one of which
/// nothing is known here.
fn rows(database: &Postgres, tenant: &str) -> u64 {
    let tables = database.sql(
        "SELECT string_agg(table_name, ' ') FROM information_schema.columns \
         WHERE table_schema = current_schema() AND column_name = 'tenant' \
         AND table_name NOT LIKE 'audit%' AND table_name <> 'write_time'",
    );
    let counts = tables.split_whitespace().map(|table| {
        let count = format!("SELECT count(*) FROM {table} WHERE tenant = '{tenant}'");
        database.sql(&count).trim().parse::<u64>().expect("a count")
    });
    counts.sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_tenant_leaves_nothing_and_touches_nobody_else() {
    let database = Postgres::start();
    let url = database.url();
    let program = |args: &str| {
        let args = args.split(' ').chain(["--database-url", &url]);
        run(Path::new("/"), args.collect::<Vec<_>>())
    };
    program("migrate").ok();
    for name in ["acme", "other"] {
        program(&format!("tenant create {name}")).ok();
    }
    let again = program("tenant create acme").failed(1);
    assert!(again.contains("already"), "{again}");
    let store: Arc<dyn Store> = Arc::new(postgres(&database).await);
    let (acme, other) = (
        Grant::new(&["acme"], &SCOPES).key(&*store).await.expose(),
        Grant::new(&["other"], &SCOPES).key(&*store).await.expose(),
    );
    let server = TestServer::start_unready(&url, &SECURE);
    server.wait_for("ready");
    let address = server.address["http://".len()..]
        .parse()
        .expect("an address");
    let mut wire = Wire::connect(address, 1 << 20).await;
    let (statements, by_email) = (statements(), by_email());
    for key in [&acme, &other] {
        let said = ask(&mut wire, &method("IngestStatements"), &statements, key).await;
        assert!(said.json().contains("STORED"), "{}", said.json());
        let read = ask(&mut wire, &method("GetProfile"), &by_email, key).await;
        assert_eq!(read.code, Code::Ok);
    }
    let rows = |tenant: &str| rows(&database, tenant);
    while rows("acme") != rows("other") || rows("acme") < 10 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let unconfirmed = program("tenant delete acme --confirm other").failed(1);
    assert!(unconfirmed.contains("--confirm"), "{unconfirmed}");
    let soon = "--set grpc.max_deadline=1s --set grpc.default_deadline=1s --set auth.key_refresh_interval=2s";
    let gone = program(&format!("tenant delete acme --confirm acme {soon}")).ok();
    assert!(
        gone.contains("record_version") && !gone.contains("audit"),
        "{gone}"
    );
    let refused = ask(&mut wire, &method("GetProfile"), &by_email, &acme).await;
    assert_eq!(refused.code, Code::NotFound);
    let read = ask(&mut wire, &method("GetProfile"), &by_email, &other).await;
    assert_eq!(read.code, Code::Ok);
    assert_eq!(rows("acme"), 0);
    assert!(rows("other") >= 10);
    // Servers do not take it for a loss of writes that they have answered as stored.
    let (ready, _) = server.http("/readyz");
    assert_eq!(ready, 200);
    let listed = program("tenant list").ok();
    assert_eq!(listed.lines().count(), 4, "{listed}");

    // Created again, it is empty.
    program("tenant create acme").ok();
    loop {
        let read = ask(&mut wire, &method("GetProfile"), &by_email, &acme).await;
        assert_eq!(read.code, Code::NotFound);
        let segments = ask(&mut wire, &method("ListSegments"), &json!({}), &acme).await;
        if segments.code == Code::Ok {
            break;
        }
    }
    let said = ask(&mut wire, &method("IngestStatements"), &statements, &acme).await;
    assert!(said.json().contains("STORED"), "{}", said.json());
    assert!(server.stop().success());
}
