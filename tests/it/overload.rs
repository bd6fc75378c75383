//! More calls than can be served: each kind of work goes on beside the others, nobody is refused
//! for somebody else's sake, and what nobody waits for any more is not done.

mod measured;
mod tenants;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use customer_profile::grpc::v1::{self, ErrorReason, profile_service_client::ProfileServiceClient};
use customer_profile::store::memory::MemoryStore;
use customer_profile::store::sql::{Migrate, Options, SqlStore};
use customer_profile::store::{LogCursor, LogPosition, Store};
use futures::future::join_all;
use profile_core::records::{Sequence, TenantId};
use tempfile::TempDir;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use crate::support::service::{Service, by_identifier, by_record, upsert};
use crate::support::stores::{sqlite, sqlite_options};

/// Customers whose names all fit the same search, in batches.
fn customers(count: usize) -> Vec<Vec<v1::Statement>> {
    let names = ["Garcia", "Garzia", "Gartia", "Carcia"];
    let said = |number: &usize| {
        let (key, email) = (number.to_string(), format!("c{number}@shop.com"));
        let traits = [
            ("given_name", "Maria"),
            ("family_name", names[number % names.len()]),
        ];
        upsert(("web", &key), &[("email", &email)], &traits, 1)
    };
    (0..count)
        .collect::<Vec<_>>()
        .chunks(500)
        .map(|chunk| chunk.iter().map(said).collect())
        .collect()
}

async fn fill(service: &Service, count: usize) {
    for batch in customers(count) {
        service.say(batch).await;
    }
}

/// Another connection to a service.
fn connect(service: &Service) -> ProfileServiceClient<Channel> {
    ProfileServiceClient::new(channel(&format!("http://{}", service.address)))
}

fn channel(address: &str) -> Channel {
    Endpoint::from_shared(address.to_owned())
        .expect("an address")
        .connect_lazy()
}

async fn search(mut client: ProfileServiceClient<Channel>) -> Result<usize, Status> {
    let request = v1::SearchProfilesRequest {
        query: "maria garcia".to_owned(),
        ..Default::default()
    };
    Ok(client
        .search_profiles(request)
        .await?
        .into_inner()
        .hits
        .len())
}

async fn get(
    mut client: ProfileServiceClient<Channel>,
    email: &str,
) -> Result<v1::GetProfileResponse, Status> {
    let request = v1::GetProfileRequest {
        key: Some(by_identifier("email", email)),
        ..Default::default()
    };
    Ok(client.get_profile(request).await?.into_inner())
}

fn is_refusal(status: &Status) -> bool {
    status.code() == Code::ResourceExhausted
        && status
            .get_details_error_info()
            .is_some_and(|info| info.reason == "OVERLOADED")
        && status
            .get_details_retry_info()
            .is_some_and(|retry| retry.retry_delay > Some(Duration::ZERO))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cached_reads_are_answered_while_searches_fill_their_lane() {
    const SEARCHES: usize = 120;
    let dir = TempDir::with_prefix("cp-sqlite-").expect("a temporary directory");
    let store = Arc::new(sqlite(&dir).await);
    let service = Service::start_with(store.clone(), |config| {
        config.grpc.max_concurrent_requests = 8;
        config.grpc.max_heavy_requests = SEARCHES / 2;
        config.grpc.default_deadline = Duration::from_mins(1);
    })
    .await;
    fill(&service, 1_000).await;
    get(service.profiles(), "c1@shop.com")
        .await
        .expect("a profile, cached from now on");
    let searching = tokio::spawn(join_all((0..SEARCHES).map(|_| search(service.profiles()))));
    let reader = connect(&service);
    let mut reads = 0;
    while !searching.is_finished() {
        let read = get(reader.clone(), "c1@shop.com")
            .await
            .expect("no search keeps a cached read out");
        reads +=
            u64::from(read.read_info.expect("how fresh it is").source() == v1::ReadSource::Cache);
    }
    let answers = searching.await.expect("no panic");
    let found = answers
        .iter()
        .filter(|answer| matches!(answer, Ok(20)))
        .count();
    let refused = answers
        .iter()
        .filter(|answer| answer.as_ref().is_err_and(is_refusal))
        .count();
    println!("{found} searches answered, {refused} refused; {reads} cached reads meanwhile");
    assert_eq!(
        found + refused,
        SEARCHES,
        "{:?}",
        answers
            .iter()
            .find(|answer| answer.as_ref().is_err_and(|status| !is_refusal(status)))
    );
    assert!(found >= SEARCHES / 2 && refused > 0 && reads > 0);
    assert!(
        store.availability().is_there(),
        "a file is not away because much is read of it"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_flooder_does_not_have_other_callers_refused() {
    let dir = TempDir::with_prefix("cp-sqlite-").expect("a temporary directory");
    let service = Service::start_with(Arc::new(sqlite(&dir).await), |config| {
        config.grpc.max_heavy_requests = 32;
        config.grpc.default_deadline = Duration::from_mins(1);
    })
    .await;
    fill(&service, 200).await;
    let (over, refused) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
    let flood: Vec<_> = (0..100)
        .map(|_| {
            let (client, over, refused) = (service.profiles(), over.clone(), refused.clone());
            tokio::spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    if search(client.clone())
                        .await
                        .is_err_and(|status| is_refusal(&status))
                    {
                        refused.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                }
            })
        })
        .collect();
    while refused.load(Ordering::Relaxed) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let other = connect(&service);
    for _ in 0..10 {
        search(other.clone())
            .await
            .expect("who asks for little is served");
    }
    over.store(true, Ordering::Relaxed);
    for caller in flood {
        caller.await.expect("no panic");
    }
}

#[tokio::test]
async fn the_follower_of_the_log_waits_for_no_other_read() {
    let dir = TempDir::with_prefix("cp-sqlite-").expect("a temporary directory");
    let options = Options {
        max_connections: 2,
        acquire_timeout: Duration::from_secs(1),
        ..sqlite_options(&dir)
    };
    let store = SqlStore::open(&options, Migrate::Auto)
        .await
        .expect("a store");
    let tenant = TenantId::default();
    let mut snapshots = Vec::new();
    for _ in 0..options.max_connections {
        snapshots.push(store.snapshot(&tenant).await.expect("a snapshot"));
    }
    let cursors = [LogCursor {
        tenant: tenant.clone(),
        after: LogPosition::after(Sequence(0)),
    }];
    assert!(
        store.read_log(&cursors, 1).await.is_err(),
        "the test cannot fail: there is a connection left"
    );
    store.follow_log(&cursors, 1).await.expect("the log");
}

/// A statement of which nobody hears before its deadline.
async fn say_in_vain(service: &Service, key: &str, deadline: Duration) -> Status {
    let statements = vec![upsert(("web", key), &[], &[("city", "Bonn")], 1)];
    let mut request = Request::new(v1::IngestStatementsRequest { statements });
    request.set_timeout(deadline);
    service
        .ingest()
        .ingest_statements(request)
        .await
        .expect_err("nobody writes")
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_not_written() {
    let store = Arc::new(MemoryStore::new());
    let service = Service::start_with(store.clone(), |_| {}).await;
    service
        .say(vec![upsert(("web", "0"), &[], &[("city", "Bonn")], 1)])
        .await;
    let turn = store
        .begin(&TenantId::default())
        .await
        .expect("the write turn");
    // The first is taken by the writer, which waits for its turn; those after it wait in the queue.
    say_in_vain(&service, "1", Duration::from_millis(500)).await;
    join_all((2..20).map(|number: i32| {
        let service = &service;
        async move { say_in_vain(service, &number.to_string(), Duration::from_millis(50)).await }
    }))
    .await;
    drop(turn);
    service
        .say(vec![upsert(("web", "20"), &[], &[("city", "Bonn")], 1)])
        .await;
    let mut written = Vec::new();
    for number in 0..=20 {
        let key = Some(by_record("web", &number.to_string()));
        let consistency = Some(v1::Consistency {
            requirement: Some(v1::consistency::Requirement::FullyConsistent(true)),
        });
        let request = v1::GetProfileRequest {
            key,
            consistency,
            ..Default::default()
        };
        match service.profiles().get_profile(request).await {
            Ok(_) => written.push(number),
            Err(status) => assert_eq!(status.code(), Code::NotFound),
        }
    }
    assert_eq!(
        written,
        [0, 1, 20],
        "what was taken is written, what waited is not"
    );
}

#[tokio::test]
async fn a_refusal_names_its_lane_and_says_when_to_come_again() {
    let store = Arc::new(MemoryStore::new());
    let turn = store
        .begin(&TenantId::default())
        .await
        .expect("the write turn");
    let service =
        Service::start_with(store, |config| config.grpc.max_concurrent_requests = 1).await;
    // One write, which waits for its turn, holds the only place.
    let (mut ingest, statements) = (service.ingest(), vec![upsert(("web", "1"), &[], &[], 1)]);
    let write = tokio::spawn(async move {
        ingest
            .ingest_statements(v1::IngestStatementsRequest { statements })
            .await
    });
    let mut delays = std::collections::BTreeSet::new();
    while delays.len() < 20 {
        let refused = service
            .ingest()
            .ingest_statements(v1::IngestStatementsRequest::default())
            .await;
        let status = refused.expect_err("refused in any case");
        // Until the write is there, the call is let in, and refused for what it asks.
        if status.code() == Code::InvalidArgument {
            continue;
        }
        assert!(is_refusal(&status), "{status:?}");
        let info = status.get_details_error_info().expect("a reason");
        assert_eq!(
            info.reason,
            ErrorReason::Overloaded
                .as_str_name()
                .trim_start_matches("ERROR_REASON_")
        );
        assert_eq!(info.metadata["lane"], "write");
        delays.extend(
            status
                .get_details_retry_info()
                .expect("a delay")
                .retry_delay,
        );
    }
    drop(turn);
    write.await.expect("no panic").expect("the write ends");
}
