//! The memory of a real server, as the system has it, stays within what is configured.

use customer_profile::grpc::v1;
use customer_profile::grpc::v1::ingest_service_client::IngestServiceClient;
use customer_profile::grpc::v1::profile_service_client::ProfileServiceClient;
use tempfile::TempDir;

use crate::support::server::TestServer;
use crate::support::service::{by_identifier, by_record, upsert};

/// How many customers are written and read: by weight three times what the cache may hold.
const CUSTOMERS: usize = 4_000;
/// How many are written and read at once.
const BATCH: usize = 200;
const CACHE_BYTES: u64 = 16 << 20;
/// What answers, connections and freed memory take besides.
const BESIDES_BYTES: u64 = 12 << 20;

/// A figure of the server, as `/metrics` tells it.
fn figure(server: &TestServer, name: &str) -> u64 {
    let (_, text) = server.http("/metrics");
    let line = text
        .lines()
        .find(|line| line.starts_with(name))
        .unwrap_or_else(|| panic!("no {name}"));
    line.rsplit(' ')
        .next()
        .and_then(|number| number.parse().ok())
        .expect("a number")
}

fn customers() -> impl Iterator<Item = Vec<usize>> {
    (0..CUSTOMERS)
        .step_by(BATCH)
        .map(|first| (first..first + BATCH).collect())
}

fn email(customer: usize) -> String {
    format!("customer.{customer}@shop.example")
}

async fn write(server: &TestServer) {
    let mut ingest = IngestServiceClient::connect(server.address.clone())
        .await
        .expect("connects");
    for batch in customers() {
        let one = |customer: usize| {
            let (key, email) = (format!("account-{customer}"), email(customer));
            let street = format!("{customer} Long Road, the house with the green door");
            let traits = [
                ("given_name", "Ada"),
                ("family_name", "Lovelace"),
                ("street", street.as_str()),
            ];
            upsert(
                ("web", &key),
                &[("email", &email), ("customer_id", &key)],
                &traits,
                1,
            )
        };
        let statements = batch.into_iter().map(one).collect();
        ingest
            .ingest_statements(v1::IngestStatementsRequest { statements })
            .await
            .expect("is stored");
    }
}

async fn read(server: &TestServer) {
    let profiles = ProfileServiceClient::connect(server.address.clone())
        .await
        .expect("connects");
    let mut profiles = profiles.max_decoding_message_size(64 << 20);
    for batch in customers() {
        let by_email = batch
            .iter()
            .map(|customer| by_identifier("email", &email(*customer)));
        let by_record = batch
            .iter()
            .map(|customer| by_record("web", &format!("account-{customer}")));
        let by_nobody = batch
            .iter()
            .map(|customer| by_identifier("email", &format!("nobody.{customer}@x.org")));
        for keys in [
            by_email.collect(),
            by_record.collect(),
            by_nobody.collect::<Vec<_>>(),
        ] {
            profiles
                .batch_get_profiles(v1::BatchGetProfilesRequest {
                    keys,
                    ..Default::default()
                })
                .await
                .expect("an answer");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_cache_takes_no_more_memory_than_is_configured() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let folder = TempDir::new().expect("a folder");
    let database = format!("sqlite://{}", folder.path().join("customers.db").display());
    let cache = format!("cache.max_bytes={CACHE_BYTES}");
    let more = [
        "--set",
        &cache,
        "--set",
        "database.page_cache_bytes=4MiB",
        "--set",
        "database.max_connections=2",
    ];
    let server = TestServer::start_unready(&database, &more);
    server.wait_for("ready");
    write(&server).await;
    let before = figure(&server, "process_memory_usage_bytes");
    read(&server).await;
    read(&server).await;
    let (weighed, after) = (
        figure(&server, "customer_profile_cache_size_bytes"),
        figure(&server, "process_memory_usage_bytes"),
    );
    let grown = after.saturating_sub(before);
    println!("before {before}, after {after}, cache {weighed}");
    assert!(
        weighed <= CACHE_BYTES && weighed > CACHE_BYTES * 9 / 10,
        "the cache is full: {weighed}"
    );
    assert!(
        grown <= CACHE_BYTES * 11 / 10 + BESIDES_BYTES,
        "the cache of {CACHE_BYTES} bytes took {grown}"
    );
    assert!(figure(&server, "customer_profile_cache_evictions_total") > 0);
    assert!(server.stop().success());
}
