//! How much of its throughput a server on SQLite keeps under far more searches than it can serve,
//! in one run:
//!
//! ```sh
//! cargo build --release
//! NEXTEST_PROFILE=long CUSTOMER_PROFILE_TEST_SCALE=4 CUSTOMER_PROFILE_PROGRAM=$PWD/target/release/customer-profile \
//!   cargo nextest run --test it --no-capture -E 'test(throughput_under_overload)'
//! ```
//!
//! The full form has 2,000 searches in flight. Figures are ratios: the machine is the same before
//! and during the flood.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use customer_profile::grpc::v1::{
    self, ingest_service_client::IngestServiceClient, profile_service_client::ProfileServiceClient,
};
use tempfile::TempDir;
use tonic::Code;
use tonic_types::StatusExt;

use super::{channel, get, is_refusal, search};
use crate::support::scale;
use crate::support::server::TestServer;

/// What calls in a loop came to.
#[derive(Default)]
struct Tally {
    answered: AtomicU64,
    refused: AtomicU64,
    late: AtomicU64,
    failed: AtomicU64,
}

impl Tally {
    fn of(&self) -> (u64, u64, u64, u64) {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (
            of(&self.answered),
            of(&self.refused),
            of(&self.late),
            of(&self.failed),
        )
    }
}

/// Searches from so many callers on a number of connections for a time; each asks again as soon as
/// it is answered, or after the time that a refusal names.
async fn load(address: &str, callers: usize, time: Duration) -> Arc<Tally> {
    let (tally, over) = (Arc::<Tally>::default(), Arc::<AtomicBool>::default());
    let mut calls = Vec::new();
    let mut client = ProfileServiceClient::new(channel(address));
    for caller in 0..callers {
        if caller.is_multiple_of(100) {
            client = ProfileServiceClient::new(channel(address));
        }
        let (client, tally, over) = (client.clone(), tally.clone(), over.clone());
        calls.push(tokio::spawn(async move {
            while !over.load(Ordering::Relaxed) {
                match search(client.clone()).await {
                    Ok(_) => tally.answered.fetch_add(1, Ordering::Relaxed),
                    Err(status) if is_refusal(&status) => {
                        tally.refused.fetch_add(1, Ordering::Relaxed);
                        let delay = status
                            .get_details_retry_info()
                            .and_then(|retry| retry.retry_delay);
                        tokio::time::sleep(delay.unwrap_or_default()).await;
                        continue;
                    }
                    Err(status) if status.code() == Code::DeadlineExceeded => {
                        tally.late.fetch_add(1, Ordering::Relaxed)
                    }
                    Err(_) => tally.failed.fetch_add(1, Ordering::Relaxed),
                };
            }
        }));
    }
    tokio::time::sleep(time).await;
    over.store(true, Ordering::Relaxed);
    for call in calls {
        call.abort();
        // Cut off, or over.
        drop(call.await);
    }
    tally
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn throughput_under_overload_is_kept() {
    let full = scale() > 1;
    let (flood, time, customers) = if full {
        (2_000, 20, 5_000)
    } else {
        (200, 2, 500)
    };
    let time = Duration::from_secs(time);
    let dir = TempDir::with_prefix("cp-sqlite-").expect("a temporary directory");
    let server = TestServer::start(&format!("sqlite://{}", dir.path().join("cp.db").display()));
    let mut ingest = IngestServiceClient::new(channel(&server.address));
    for statements in super::customers(customers) {
        ingest
            .ingest_statements(v1::IngestStatementsRequest { statements })
            .await
            .expect("receipts");
    }
    let rate = |answered: u64| answered / time.as_secs();
    let (alone, ..) = load(&server.address, 8, time).await.of();
    let reader = ProfileServiceClient::new(channel(&server.address));
    get(reader.clone(), "c1@shop.com").await.expect("a profile");
    let reading = Arc::<AtomicBool>::default();
    let reads = tokio::spawn({
        let reading = reading.clone();
        async move {
            let mut took = Vec::new();
            while !reading.load(Ordering::Relaxed) {
                let began = Instant::now();
                get(reader.clone(), "c1@shop.com")
                    .await
                    .expect("a cached read is never refused");
                took.push(began.elapsed());
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            took.sort_unstable();
            took
        }
    });
    let (under, refused, late, failed) = load(&server.address, flood, time).await.of();
    reading.store(true, Ordering::Relaxed);
    let took = reads.await.expect("no read is refused");
    let (median, slow) = (took[took.len() / 2], took[took.len() * 99 / 100]);
    println!(
        "alone {}/s, {flood} in flight {}/s: {} % kept; {refused} refused, {late} late, {failed} failed; {} cached \
         reads, median {median:?}, p99 {slow:?}",
        rate(alone),
        rate(under),
        100 * under / alone.max(1),
        took.len()
    );
    assert!(
        under > 0 && failed == 0,
        "{under} answered, {failed} failed"
    );
    assert!(!full || under * 2 >= alone, "less than half is kept");
}
