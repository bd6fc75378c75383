//! What PostgreSQL and its disk may do to a promise: settings that make it empty, disks that say
//! no, standbys that take over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use customer_profile::grpc::v1::{self, ingest_service_client::IngestServiceClient};
use tonic::Code;

use super::{Said, Writers, channel, check, migrate, statements, wait_for};
use crate::support::postgres::Postgres;
use crate::support::server::TestServer;
use crate::support::service::{event, upsert};

/// A writer of whole customers, each with a text that takes room, and what became of its calls.
#[derive(Clone, Default)]
struct Writer {
    over: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    refused: Arc<AtomicU64>,
    said: Said,
}

impl Writer {
    /// Writes until it is over. Whatever is refused is refused as unavailable, never as a fault of
    /// the statements.
    #[expect(
        clippy::disallowed_methods,
        reason = "customers whom nothing makes alike"
    )]
    async fn run(self, address: String) {
        let mut client = IngestServiceClient::new(channel(&address));
        while !self.over.load(Ordering::SeqCst) {
            let keys: Vec<String> = (0..5)
                .map(|_| uuid::Uuid::new_v4().simple().to_string())
                .collect();
            let mut all = Vec::new();
            for key in &keys {
                self.said.lock().await.insert(key.clone(), false);
                all.extend(statements(key));
                all.push(upsert(
                    ("loyalty", key),
                    &[],
                    &[("state", &key.repeat(10))],
                    1,
                ));
            }
            match client
                .ingest_statements(v1::IngestStatementsRequest { statements: all })
                .await
            {
                Ok(answer) => {
                    let results = answer.into_inner().results;
                    assert!(
                        results
                            .iter()
                            .all(|result| result.outcome() == v1::StatementOutcome::Stored),
                        "{results:?}"
                    );
                    self.said
                        .lock()
                        .await
                        .extend(keys.into_iter().map(|key| (key, true)));
                    self.answered.fetch_add(1, Ordering::SeqCst);
                }
                Err(status) => {
                    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
                    self.refused.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
    }
}

/// [`wait_for`], with a bound for what never comes.
async fn reached(count: &AtomicU64, enough: u64) {
    let bound = std::time::Duration::from_mins(5);
    let reached = tokio::time::timeout(bound, wait_for(count, enough)).await;
    reached.unwrap_or_else(|_| panic!("{count:?} did not reach {enough}"));
}

/// Writes while something goes wrong with the database and is put right again, then looks at what
/// is there.
async fn goes_wrong(
    database: &mut Postgres,
    rounds: u64,
    mut wrong: impl FnMut(&mut Postgres),
    mut right: impl FnMut(&mut Postgres),
) {
    migrate(&database.url());
    // Pages that are nearly empty: files grow with each write.
    let tables = "SELECT string_agg(format('ALTER TABLE %I SET (fillfactor = 10)', tablename), ';') FROM pg_tables \
                  WHERE schemaname = 'public'";
    let sparse = database.sql(tables);
    database.sql(&sparse);
    let server = TestServer::start(&database.url());
    let said: Said = Arc::default();
    for round in 0..rounds {
        let writer = Writer {
            said: said.clone(),
            ..Writer::default()
        };
        let writing = tokio::spawn(writer.clone().run(server.address.clone()));
        reached(&writer.answered, 1 + round % 5).await;
        tokio::task::block_in_place(|| wrong(database));
        reached(&writer.refused, 3).await;
        tokio::task::block_in_place(|| right(database));
        let answered = writer.answered.load(Ordering::SeqCst);
        reached(&writer.answered, answered + 2).await;
        writer.over.store(true, Ordering::SeqCst);
        writing.await.expect("the writer");
    }
    server.kill();
    let server = TestServer::start(&database.url());
    let said = said.lock().await;
    check(&server.address, &said).await;
    println!(
        "{rounds} rounds, {} customers, {} answered",
        said.len(),
        said.values().filter(|answered| **answered).count()
    );
}

/// The database itself says that a commit need not wait for the disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_answered_is_on_disk_also_where_the_database_would_not_wait_for_it() {
    let mut database =
        Postgres::start_with(&["fsync=off", "max_connections=60", "wal_writer_delay=10s"]);
    migrate(&database.url());
    database.sql("ALTER DATABASE postgres SET synchronous_commit = off");
    let server = TestServer::start(&database.url());
    let said: Said = Arc::default();
    for round in 0..3 * u64::from(crate::support::scale()) {
        let key = format!("{round}");
        let mut ingest = IngestServiceClient::new(channel(&server.address));
        while let Err(status) = ingest
            .ingest_statements(v1::IngestStatementsRequest {
                statements: statements(&key),
            })
            .await
        {
            assert_eq!(status.code(), Code::Unavailable, "{status:?}");
        }
        said.lock().await.insert(key, true);
        database.stop();
        database.start_again();
    }
    server.kill();
    let server = TestServer::start(&database.url());
    check(&server.address, &*said.lock().await).await;
}

/// Files of tables cannot grow any more: what a full tablespace, a quota and a file-size limit have
/// in common.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_answered_is_lost_when_files_of_postgres_cannot_grow() {
    let mut database =
        Postgres::start_with_small_log(&["fsync=off", "max_connections=60", "wal_recycle=off"]);
    let grown = AtomicU64::new(0);
    let wrong = |database: &mut Postgres| {
        // The largest file of the schema is full from now on.
        let largest = "SELECT max(pg_relation_size(c.oid)) FROM pg_class AS c JOIN pg_namespace AS n \
             ON n.oid = c.relnamespace WHERE n.nspname = 'public'";
        let largest: u64 = database.sql(largest).parse().expect("a size");
        let bound = largest.max(1 << 20) + grown.fetch_add(1, Ordering::SeqCst);
        database.limit_files(Some(bound));
    };
    goes_wrong(
        &mut database,
        2 * u64::from(crate::support::scale()),
        wrong,
        |database| database.limit_files(None),
    )
    .await;
}

/// An operator, or a provider whose storage is used up, makes the database read-only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_answered_is_lost_when_the_database_becomes_read_only() {
    let mut database = Postgres::start();
    let switch = |value: &'static str| {
        move |database: &mut Postgres| {
            database.sql(&format!(
                "ALTER SYSTEM SET default_transaction_read_only = {value}"
            ));
            database.sql("SELECT pg_reload_conf()");
        }
    };
    goes_wrong(&mut database, 1, switch("on"), switch("off")).await;
}

/// The disk that holds all of PostgreSQL is full, its log included. Needs `TMPDIR` on a small file
/// system of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "fills the file system of TMPDIR; tests/scripts/postgres-disk-full runs it on one that may be filled"]
async fn nothing_answered_is_lost_when_the_disk_of_postgres_is_full() {
    let ballast = std::env::temp_dir().join("ballast");
    let mut database = Postgres::start_with(&["max_connections=60", "max_wal_size=32MB"]);
    let fill = |_: &mut Postgres| {
        let file = std::fs::File::create(&ballast).expect("a file");
        while std::io::Write::write_all(&mut &file, &[0; 4096]).is_ok() {}
    };
    let make_room = |database: &mut Postgres| {
        std::fs::remove_file(&ballast).expect("the ballast");
        // Without room for its log it may have ended.
        database.stop();
        database.start_again();
    };
    goes_wrong(
        &mut database,
        2 * u64::from(crate::support::scale()),
        fill,
        make_room,
    )
    .await;
}

/// The primary is lost and its standby takes over. It waited for each commit, although the database
/// says that it need not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_answered_is_lost_when_a_synchronous_standby_takes_over() {
    let mut primary = Postgres::start_with(&["fsync=off", "max_connections=60"]);
    migrate(&primary.url());
    let standby = primary.standby();
    primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'");
    primary.sql("SELECT pg_reload_conf()");
    primary.sql("ALTER DATABASE postgres SET synchronous_commit = local");
    let server = TestServer::start(&primary.url());
    let said: Said = Arc::default();
    Writers::start(&server.address, 0, &said)
        .kill_after(30, || primary.stop())
        .await;
    standby.sql("SELECT pg_promote()");
    let server = TestServer::start(&standby.url());
    let mut ingest = IngestServiceClient::new(channel(&server.address));
    let request = v1::IngestStatementsRequest {
        statements: vec![event(("web", "probe"), "probe", "call", 0)],
    };
    ingest
        .ingest_statements(request)
        .await
        .expect("it takes writes");
    check(&server.address, &*said.lock().await).await;
}
