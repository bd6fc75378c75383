//! PostgreSQL: `pg_dump` and `pg_restore`, and a copy of the whole cluster by `pg_basebackup`.

use std::path::Path;

use customer_profile::grpc::v1::{
    self, ingest_service_client::IngestServiceClient, profile_service_client::ProfileServiceClient,
};
use tonic::{Code, Status};

use crate::support::postgres::Postgres;
use crate::support::program;
use crate::support::server::TestServer;
use crate::support::service::{by_record, upsert};

fn run(args: &[&str]) -> program::Run {
    program::run(Path::new("/"), args)
}

async fn store(server: &TestServer, key: &str) -> String {
    let mut ingest = IngestServiceClient::connect(server.address.clone())
        .await
        .expect("a connection");
    let statements = vec![upsert(
        ("web", key),
        &[("email", &format!("{key}@shop.com"))],
        &[("given_name", key)],
        1,
    )];
    let answer = ingest
        .ingest_statements(v1::IngestStatementsRequest { statements })
        .await
        .expect("a receipt");
    answer.into_inner().read_token
}

/// Reads a customer, at least as fresh as a token if there is one.
async fn read(server: &TestServer, key: &str, token: Option<&str>) -> Result<(), Status> {
    let mut profiles = ProfileServiceClient::connect(server.address.clone())
        .await
        .expect("a connection");
    let requirement =
        token.map(|token| v1::consistency::Requirement::AtLeastAsFresh(token.to_owned()));
    let consistency = token.map(|_| v1::Consistency { requirement });
    let request = v1::GetProfileRequest {
        key: Some(by_record("web", key)),
        consistency,
        ..Default::default()
    };
    profiles.get_profile(request).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_dump_has_all_of_its_moment_and_no_later_token_is_answered() {
    let database = Postgres::start();
    run(&["migrate", "--database-url", &database.url()]).ok();
    let server = TestServer::start(&database.url());
    let before = store(&server, "ann").await;
    let dir = tempfile::tempdir().expect("a directory");
    let dump = dir.path().join("dump");
    let dump = dump.to_str().expect("a plain path");
    tokio::task::block_in_place(|| {
        database.run_client("pg_dump", &["-Fc", "-d", "postgres", "-f", dump]);
    });
    let after = store(&server, "bob").await;
    read(&server, "bob", Some(&after))
        .await
        .expect("it is there");
    drop(server);

    database.sql("CREATE DATABASE restored");
    tokio::task::block_in_place(|| database.run_client("pg_restore", &["-d", "restored", dump]));
    let url = database.url_of("postgres", "restored");
    // From now on it is another store: the same numbers of writes are given out again.
    run(&["migrate", "--restored", "--database-url", &url]).ok();
    let server = TestServer::start(&url);
    read(&server, "ann", None)
        .await
        .expect("all of the dump's moment is there");
    assert_eq!(
        read(&server, "bob", None)
            .await
            .expect_err("it came later")
            .code(),
        Code::NotFound
    );
    let own = store(&server, "cid").await;
    read(&server, "cid", Some(&own))
        .await
        .expect("its own tokens hold");
    for token in [&before, &after] {
        let status = read(&server, "ann", Some(token))
            .await
            .expect_err("a token of the store of before");
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
        assert!(status.message().contains("another database"), "{status:?}");
    }
}

/// A backup is put in place under a running server, which did not write what is missing (one that
/// did refuses everything). What it has cached of later states is not answered as current.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_lived_through_a_restore_answers_nothing_of_later_states() {
    let database = Postgres::start();
    run(&["migrate", "--database-url", &database.url()]).ok();
    let (writer, reader) = (
        TestServer::start(&database.url()),
        TestServer::start(&database.url()),
    );
    store(&writer, "ann").await;
    let dir = tempfile::tempdir().expect("a directory");
    let dump = dir.path().join("dump");
    let dump = dump.to_str().expect("a plain path");
    tokio::task::block_in_place(|| {
        database.run_client("pg_dump", &["-Fc", "-d", "postgres", "-f", dump]);
    });
    store(&writer, "bob").await;
    let token = store(&writer, "cid").await;
    read(&reader, "bob", Some(&token))
        .await
        .expect("cached from now on");
    writer.kill();
    let clean = ["-d", "postgres", "--clean", "--single-transaction", dump];
    tokio::task::block_in_place(|| database.run_client("pg_restore", &clean));
    reader.wait_for("the database went back to an earlier state; nothing that is cached counts");
    loop {
        match read(&reader, "bob", None).await {
            Err(status) if status.code() == Code::NotFound => break,
            Err(status) => assert_eq!(status.code(), Code::Unavailable, "{status:?}"),
            // Answered before the follower had seen it, and not for long.
            Ok(()) => tokio::task::yield_now().await,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_base_backup_comes_up_with_all_that_was_answered_before_it_began() {
    let database = Postgres::start();
    run(&["migrate", "--database-url", &database.url()]).ok();
    let server = TestServer::start(&database.url());
    let token = store(&server, "ann").await;
    let copy = tokio::task::block_in_place(|| database.standby());
    copy.sql("SELECT pg_promote()");
    drop((server, database));
    let server = TestServer::start(&copy.url());
    read(&server, "ann", Some(&token))
        .await
        .expect("the same store, at the same state");
}
