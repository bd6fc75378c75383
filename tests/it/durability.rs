//! What was answered is there after `kill -9`, once; what was not answered is there whole or not at
//! all.

mod disk;
mod files;
mod postgres;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use customer_profile::grpc::v1::{
    self, StatementOutcome, ingest_service_client::IngestServiceClient,
    profile_service_client::ProfileServiceClient,
};
use tempfile::TempDir;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic::transport::{Channel, Endpoint};

use crate::support::postgres::Postgres;
use crate::support::server::TestServer;
use crate::support::service::{by_identifier, by_record, event, upsert};

/// How often the server is killed; the full form multiplies it.
const KILLS: u64 = 10;
/// How many callers write at once.
const CALLERS: u64 = 8;

/// Every customer that a caller ever spoke of, and whether it was answered.
type Said = Arc<Mutex<BTreeMap<String, bool>>>;

/// A customer and the order that makes it one: said in one call, so stored in one transaction.
fn statements(key: &str) -> Vec<v1::Statement> {
    let email = format!("{key}@shop.com");
    let customer = upsert(
        ("web", key),
        &[("email", &email)],
        &[("given_name", "Ann")],
        1,
    );
    vec![customer, event(("web", key), key, "order_placed", 0)]
}

fn channel(address: &str) -> Channel {
    Endpoint::from_shared(address.to_owned())
        .expect("an address")
        .connect_lazy()
}

/// Callers that write at once.
struct Writers {
    running: JoinHandle<()>,
    answered: Arc<AtomicU64>,
    killed: CancellationToken,
}

impl Writers {
    fn start(address: &str, round: u64, said: &Said) -> Self {
        let (answered, killed) = (Arc::new(AtomicU64::new(0)), CancellationToken::new());
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let (address, name) = (address.to_owned(), format!("{round}-{caller}"));
                tokio::spawn(write(
                    address,
                    name,
                    answered.clone(),
                    said.clone(),
                    killed.clone(),
                ))
            })
            .collect();
        let running = tokio::spawn(async move {
            for caller in callers {
                caller.await.expect("a caller");
            }
        });
        Self {
            running,
            answered,
            killed,
        }
    }

    /// Kills what they write to after so many answers, and waits for the last of them.
    async fn kill_after(self, answers: u64, kill: impl FnOnce()) {
        wait_for(&self.answered, answers).await;
        self.killed.cancel();
        kill();
        self.running.await.expect("the callers");
    }
}

/// Writes one customer after the other. What fails is not tried again; the first failure after the
/// kill is the end.
async fn write(
    address: String,
    name: String,
    answered: Arc<AtomicU64>,
    said: Said,
    killed: CancellationToken,
) {
    let mut client = IngestServiceClient::new(channel(&address));
    for number in 0.. {
        let key = format!("{name}-{number}");
        said.lock().await.insert(key.clone(), false);
        let request = v1::IngestStatementsRequest {
            statements: statements(&key),
        };
        let answer = match client.ingest_statements(request).await {
            Ok(answer) => answer,
            Err(_) if killed.is_cancelled() => return,
            // A connection to the database that a kill before this one broke.
            Err(status) => {
                assert_eq!(status.code(), Code::Unavailable, "{status:?}");
                continue;
            }
        };
        let stored = |result: &v1::StatementResult| result.outcome() == StatementOutcome::Stored;
        assert!(answer.get_ref().results.iter().all(stored), "{answer:?}");
        said.lock().await.insert(key, true);
        answered.fetch_add(1, Ordering::SeqCst);
    }
}

/// Waits until so many calls were answered.
async fn wait_for(answered: &AtomicU64, enough: u64) {
    while answered.load(Ordering::SeqCst) < enough {
        tokio::task::yield_now().await;
    }
}

/// Checks every customer that was ever spoken of.
async fn check(address: &str, said: &BTreeMap<String, bool>) {
    let mut profiles = ProfileServiceClient::new(channel(address));
    let mut ingest = IngestServiceClient::new(channel(address));
    for (key, answered) in said {
        let mut get = async |key| {
            let request = v1::GetProfileRequest {
                key: Some(key),
                ..Default::default()
            };
            loop {
                match profiles.get_profile(request.clone()).await {
                    Ok(answer) => return answer.into_inner().profile.map(|profile| profile.name),
                    // A connection of before a crash: the caller is told to try again.
                    Err(status) if status.code() == Code::Unavailable => {}
                    Err(status) => {
                        assert_eq!(status.code(), Code::NotFound, "{status:?}");
                        return None;
                    }
                }
            }
        };
        let by_key = get(by_record("web", key)).await;
        let by_email = get(by_identifier("email", &format!("{key}@shop.com"))).await;
        assert_eq!(by_key, by_email, "{key} is there by half");
        assert!(
            by_key.is_some() || !answered,
            "{key} was answered, and is lost"
        );

        // Said again, what is there is known and the rest is stored; after that each order stands
        // once.
        let request = v1::IngestStatementsRequest {
            statements: statements(key),
        };
        let again = ingest
            .ingest_statements(request)
            .await
            .expect("a receipt")
            .into_inner();
        let expected = if by_key.is_some() {
            StatementOutcome::Duplicate
        } else {
            StatementOutcome::Stored
        };
        assert!(
            again
                .results
                .iter()
                .all(|result| result.outcome() == expected),
            "{key}: {again:?}"
        );
        let request = v1::ListTimelineRequest {
            key: Some(by_record("web", key)),
            ..Default::default()
        };
        let timeline = profiles
            .list_timeline(request)
            .await
            .expect("a timeline")
            .into_inner();
        assert_eq!(timeline.events.len(), 1, "{key}");
    }
}

/// Kills the server while callers write, again and again, then looks at what is there.
async fn kill_again_and_again(database_url: &str) {
    let said: Said = Arc::default();
    let kills = KILLS * u64::from(crate::support::scale());
    for round in 0..kills {
        let server = TestServer::start(database_url);
        let writers = Writers::start(&server.address, round, &said);
        // Another moment each time: at once, after a few transactions, after many.
        writers.kill_after(round * 3, || server.kill()).await;
    }
    let server = TestServer::start(database_url);
    let said = said.lock().await;
    check(&server.address, &said).await;
    let answered = said.values().filter(|answered| **answered).count();
    println!(
        "{kills} kills, {} customers spoken of, {answered} answered",
        said.len()
    );
    assert!(
        answered > 0 && answered < said.len(),
        "kills came between a call and its answer"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_answered_is_lost_when_the_server_is_killed_on_sqlite() {
    let dir = TempDir::with_prefix("cp-kill-").expect("a directory");
    kill_again_and_again(&format!("sqlite://{}", dir.path().join("db").display())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_answered_is_lost_when_the_server_is_killed_on_postgres() {
    let database = Postgres::start();
    migrate(&database.url());
    kill_again_and_again(&database.url()).await;
}

/// The database is killed instead; the server stays, says UNAVAILABLE, and goes on by itself when
/// it is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_answered_is_lost_when_postgres_is_killed() {
    let mut database = Postgres::start();
    migrate(&database.url());
    let server = TestServer::start(&database.url());
    let said: Said = Arc::default();
    for round in 0..5 * u64::from(crate::support::scale()) {
        let writers = Writers::start(&server.address, round, &said);
        writers.kill_after(1 + round * 10, || database.stop()).await;
        database.start_again();
        // Connections of before the crash may fail once more; then the server has found its way
        // back.
        let mut ingest = IngestServiceClient::new(channel(&server.address));
        let probe = || v1::IngestStatementsRequest {
            statements: vec![event(("web", "probe"), "probe", "call", 0)],
        };
        while let Err(status) = ingest.ingest_statements(probe()).await {
            assert_eq!(status.code(), Code::Unavailable, "{status:?}");
        }
    }
    check(&server.address, &*said.lock().await).await;
}

fn migrate(database_url: &str) {
    crate::support::program::run(
        std::path::Path::new("/"),
        ["migrate", "--database-url", database_url],
    )
    .ok();
}
