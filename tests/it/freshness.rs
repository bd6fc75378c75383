//! No read that begins after a write was answered sees what was before it, whatever loads and
//! evictions run meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use profile_core::records::{Draft, DraftRecord, Identifier, RecordKey, TenantId, Value};

use customer_profile::active_models::ModelFile;
use customer_profile::changes::Options;
use customer_profile::config::Config;
use customer_profile::reader::{Freshness, Key, Limits};

use crate::support::faulty::{Faulty, Reads};
use crate::support::process::Process;

/// How many customers are fought over.
const CUSTOMERS: usize = 8;
/// How many writes there are; the full form multiplies them by the square of the scale.
const WRITES: i64 = 8_000;
/// How many readers of each key run beside each writer.
const READERS: usize = 8;

#[derive(Clone)]
struct Desk {
    process: Process,
    tenant: TenantId,
}

impl Desk {
    fn new() -> Self {
        let store = Arc::new(Faulty::new(Reads::Linger(3)));
        // Room for about half of the customers: entries are evicted and loaded again all the time.
        let limits = Limits {
            max_bytes: 24 * 1024,
            ..Limits::from(&Config::defaults())
        };
        let process = Process::start(store, ModelFile::built_in(), Options::default(), limits);
        Self {
            process,
            tenant: TenantId::default(),
        }
    }

    /// Says which version a customer has now, and waits for the answer.
    async fn write(&self, customer: usize, version: i64) {
        let record = DraftRecord {
            identifiers: vec![Identifier::new("email", format!("c{customer}@shop.com"))],
            traits: [("city".to_owned(), Value::Int(version))].into(),
            version,
            ..DraftRecord::new(RecordKey::new("web", customer.to_string()))
        };
        self.process
            .say(&self.tenant, vec![Draft::Upsert(record)])
            .await;
    }

    /// The version that a reader sees, by identifier and from the cache if it can be.
    async fn read(&self, customer: usize) -> i64 {
        let key = Key::Identifier(Identifier::new("email", format!("c{customer}@shop.com")));
        let answer = self
            .process
            .reader
            .profile(&self.tenant, &key, Freshness::MinimizeLatency)
            .await
            .expect("a profile");
        match answer.profile.traits["city"].value {
            Value::Int(version) => version,
            _ => panic!("not a version"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_read_is_older_than_an_answered_write() {
    let desk = Desk::new();
    let answered: Arc<Vec<AtomicI64>> =
        Arc::new((0..CUSTOMERS).map(|_| AtomicI64::new(1)).collect());
    let (over, stale, reads) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
        Arc::new(AtomicU64::new(0)),
    );
    for customer in 0..CUSTOMERS {
        desk.write(customer, 1).await;
    }
    let readers: Vec<_> = (0..CUSTOMERS * READERS)
        .map(|number| {
            let (desk, answered, over) = (desk.clone(), answered.clone(), over.clone());
            let (stale, reads) = (stale.clone(), reads.clone());
            tokio::spawn(async move {
                let customer = number % CUSTOMERS;
                while !over.load(Ordering::SeqCst) {
                    let floor = answered[customer].load(Ordering::SeqCst);
                    let seen = desk.read(customer).await;
                    stale.fetch_add(u64::from(seen < floor), Ordering::SeqCst);
                    reads.fetch_add(1, Ordering::SeqCst);
                    // A hit never waits for anything: without this, readers would leave no thread
                    // to the writers.
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let versions = WRITES * i64::from(crate::support::scale()).pow(2)
        / i64::try_from(CUSTOMERS).expect("a small number");
    let writers: Vec<_> = (0..CUSTOMERS)
        .map(|customer| {
            let (desk, answered) = (desk.clone(), answered.clone());
            tokio::spawn(async move {
                for version in 2..versions {
                    desk.write(customer, version).await;
                    answered[customer].store(version, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.expect("a writer");
    }
    over.store(true, Ordering::SeqCst);
    for reader in readers {
        reader.await.expect("a reader");
    }
    let (stale, reads) = (stale.load(Ordering::SeqCst), reads.load(Ordering::SeqCst));
    println!(
        "{reads} reads beside {} writes: {stale} stale",
        versions * i64::try_from(CUSTOMERS).expect("small")
    );
    assert!(reads > 0);
    assert_eq!(stale, 0, "of {reads} reads");
}
