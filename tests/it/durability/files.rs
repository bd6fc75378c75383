//! A SQLite database whose file is deleted, moved, replaced or shared while a server runs on it,
//! and backups of it.

use std::path::Path;
use std::time::{Duration, Instant};

use customer_profile::grpc::v1::consistency::Requirement;
use sea_orm::{ConnectionTrait, Database};
use tempfile::TempDir;
use tonic::Status;

use super::*;
use crate::support::program::{Run, run};

fn url(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}

async fn say(server: &TestServer, key: &str) -> Result<String, Status> {
    let request = v1::IngestStatementsRequest {
        statements: statements(key),
    };
    let answer = IngestServiceClient::new(channel(&server.address))
        .ingest_statements(request)
        .await?
        .into_inner();
    Ok(answer.read_token)
}

async fn get(
    server: &TestServer,
    key: &str,
    token: Option<&str>,
) -> Result<v1::GetProfileResponse, Status> {
    let fresh = |token: &str| v1::Consistency {
        requirement: Some(Requirement::AtLeastAsFresh(token.to_owned())),
    };
    let (key, consistency) = (Some(by_record("web", key)), token.map(fresh));
    let request = v1::GetProfileRequest {
        key,
        consistency,
        ..Default::default()
    };
    Ok(ProfileServiceClient::new(channel(&server.address))
        .get_profile(request)
        .await?
        .into_inner())
}

/// Nothing is answered, neither written nor read, not even what is cached; and the operator is told
/// why.
async fn assert_refused(server: &TestServer, why: &str) {
    let told = server.wait_for("nothing is answered any more: the database cannot be relied on");
    assert!(
        told["reason"].as_str().expect("a text").contains(why),
        "{told}"
    );
    let refused = say(server, "refused").await.expect_err("refused");
    assert_eq!(refused.code(), Code::Unavailable, "{refused:?}");
    let refused = get(server, "first", None).await.expect_err("refused");
    assert_eq!(refused.code(), Code::Unavailable, "{refused:?}");
    wait_until_ready(server, 503);
    assert!(server.http("/readyz").1.contains(why));
    let refused =
        |line: &str| line.starts_with("customer_profile_store_refused") && line.ends_with(" 1");
    assert!(server.http("/metrics").1.lines().any(refused), "the metric");
}

fn wait_until_ready(server: &TestServer, status: u16) {
    let began = Instant::now();
    while server.http("/readyz").0 != status {
        assert!(began.elapsed() < Duration::from_mins(1), "never {status}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn serve(path: &Path) -> Run {
    let args = [
        "serve",
        "--grpc-address",
        "127.0.0.1:0",
        "--operations-address",
        "127.0.0.1:0",
        "--database-url",
    ];
    run(
        Path::new("/"),
        args.into_iter().map(str::to_owned).chain([url(path)]),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_second_server_starts_on_a_file_by_whichever_name() {
    let dir = TempDir::with_prefix("cp-file-").expect("a directory");
    let path = dir.path().join("db");
    let server = TestServer::start(&url(&path));
    let (symbolic, hard) = (dir.path().join("symbolic"), dir.path().join("hard"));
    std::os::unix::fs::symlink(&path, &symbolic).expect("a link");
    for name in [
        &path,
        &symbolic,
        &dir.path()
            .join("../")
            .join(dir.path().file_name().expect("a name"))
            .join("db"),
    ] {
        assert!(
            serve(name)
                .failed(1)
                .contains("another process is using this database"),
            "{name:?}"
        );
    }
    std::fs::hard_link(&path, &hard).expect("a link");
    assert!(serve(&hard).failed(1).contains("hard links"));
    std::fs::remove_file(&hard).expect("removed");
    // Whatever lies about beside it.
    for left in std::fs::read_dir(dir.path()).expect("files").flatten() {
        if left.file_name().to_string_lossy().ends_with(".lock") {
            std::fs::remove_file(left.path()).expect("removed");
        }
    }
    assert!(
        serve(&path)
            .failed(1)
            .contains("another process is using this database")
    );
    say(&server, "first").await.expect("stored");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_was_moved_away_is_served_again_when_it_is_back() {
    let dir = TempDir::with_prefix("cp-file-").expect("a directory");
    let (path, away) = (dir.path().join("db"), dir.path().join("away"));
    let server = TestServer::start(&url(&path));
    say(&server, "first").await.expect("stored");
    get(&server, "first", None)
        .await
        .expect("cached from now on");
    std::fs::rename(&path, &away).expect("moved");
    say(&server, "refused")
        .await
        .expect_err("not in the file that is called so");
    assert_refused(&server, "deleted or moved away").await;
    assert!(
        serve(&away)
            .failed(1)
            .contains("another process is using this database")
    );
    std::fs::rename(&away, &path).expect("moved back");
    server.wait_for("the database is in its place again and no write is missing; answering again");
    wait_until_ready(&server, 200);
    say(&server, "second").await.expect("stored");
    server.kill();
    let server = TestServer::start(&url(&path));
    let said = ["first", "second"].map(|key| (key.to_owned(), true));
    check(&server.address, &said.into_iter().collect()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_was_deleted_or_replaced_is_not_served_from_a_ghost() {
    for replaced in [false, true] {
        let dir = TempDir::with_prefix("cp-file-").expect("a directory");
        let path = dir.path().join("db");
        let server = TestServer::start(&url(&path));
        say(&server, "first").await.expect("stored");
        if replaced {
            let other = dir.path().join("other");
            std::fs::write(&other, "").expect("another file");
            std::fs::rename(&other, &path).expect("in its place");
        } else {
            std::fs::remove_file(&path).expect("removed");
        }
        say(&server, "second")
            .await
            .expect_err("not in the file that is called so");
        assert_refused(&server, if replaced { "replaced" } else { "deleted" }).await;
        assert!(server.stop().success());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_answered_is_lost_when_the_log_is_deleted() {
    let dir = TempDir::with_prefix("cp-file-").expect("a directory");
    let path = dir.path().join("db");
    let server = TestServer::start(&url(&path));
    say(&server, "first").await.expect("stored");
    std::fs::remove_file(dir.path().join("db-wal")).expect("removed");
    say(&server, "second")
        .await
        .expect_err("nobody would find it");
    server
        .wait_for("what was in the deleted log is copied into the database file; nothing is lost");
    server.kill();
    let server = TestServer::start(&url(&path));
    check(
        &server.address,
        &[("first".to_owned(), true)].into_iter().collect(),
    )
    .await;
}

/// Somebody takes an answered write back: as a failover to a server that is behind would, or a
/// restore under a server.
async fn assert_a_missing_write_is_seen(database_url: &str, server_url: &str) {
    let server = TestServer::start(server_url);
    say(&server, "first").await.expect("stored");
    let db = Database::connect(database_url).await.expect("a connection");
    // Another write has its number: by another server, after both had failed over.
    db.execute_unprepared("UPDATE write_time SET time = time + 1")
        .await
        .expect("another write");
    assert_refused(&server, "was answered as stored and is not in the database").await;
    db.close().await.expect("closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_is_missing_ends_all_answers_on_sqlite() {
    let dir = TempDir::with_prefix("cp-file-").expect("a directory");
    let url = url(&dir.path().join("db"));
    assert_a_missing_write_is_seen(&url, &url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_is_missing_ends_all_answers_on_postgres() {
    let database = Postgres::start();
    migrate(&database.url());
    assert_a_missing_write_is_seen(&database.url(), &database.url()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_running_server_is_restored_and_tokens_of_later_prove_nothing() {
    let dir = TempDir::with_prefix("cp-backup-").expect("a directory");
    let (path, file) = (dir.path().join("db"), dir.path().join("backup.db"));
    let (database, copy) = (url(&path), file.to_str().expect("a plain path").to_owned());
    let restore = || {
        run(
            dir.path(),
            ["restore", "--from", &copy, "--database-url", &database],
        )
    };
    let server = TestServer::start(&database);
    say(&server, "first").await.expect("stored");
    let back_up = || {
        run(
            dir.path(),
            ["backup", "--to", &copy, "--database-url", &database],
        )
    };
    back_up().ok();
    assert!(
        back_up().failed(1).contains("exists"),
        "no backup is overwritten"
    );
    let later = say(&server, "second").await.expect("stored");
    assert!(
        restore().failed(1).contains("exists"),
        "a database in use is not overwritten"
    );
    assert!(server.stop().success());

    for by_hand in [false, true] {
        for suffix in ["", "-wal", "-shm"] {
            drop(std::fs::remove_file(dir.path().join(format!("db{suffix}"))));
        }
        if by_hand {
            std::fs::copy(&file, &path).expect("a copy");
        } else {
            restore().ok();
        }
        let server = TestServer::start(&database);
        get(&server, "first", None)
            .await
            .expect("what was backed up");
        let missing = get(&server, "second", None)
            .await
            .expect_err("said after the backup");
        assert_eq!(missing.code(), Code::NotFound);
        // As many writes as before, and more: by its number alone the token would be proven.
        for key in ["third", "fourth"] {
            say(&server, key).await.expect("stored");
        }
        get(&server, "first", Some(&later))
            .await
            .expect_err("a token of another database");
        assert!(server.stop().success());
    }
}

#[test]
fn a_backup_beside_the_log_of_another_database_is_refused() {
    let dir = TempDir::with_prefix("cp-backup-").expect("a directory");
    let (path, file) = (dir.path().join("db"), dir.path().join("backup.db"));
    drop(TestServer::start(&url(&path)));
    let backup = file.to_str().expect("a plain path");
    run(
        dir.path(),
        ["backup", "--to", backup, "--database-url", &url(&path)],
    )
    .ok();
    std::fs::copy(&file, &path).expect("a copy");
    std::fs::write(dir.path().join("db-wal"), [7; 4096]).expect("a log of another database");
    assert!(
        serve(&path)
            .failed(1)
            .contains("log (-wal) of another database")
    );
    std::fs::write(&file, "no database at all, but long enough to be looked at").expect("a file");
    std::fs::remove_file(dir.path().join("db-wal")).expect("removed");
    assert!(serve(&file).failed(1).contains("not a SQLite database"));
}

/// A new id is given to a database that was restored by other means.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_was_restored_by_other_means_gets_a_new_id() {
    let database = Postgres::start();
    migrate(&database.url());
    let dir = TempDir::with_prefix("cp-backup-").expect("a directory");
    for url in [database.url(), url(&dir.path().join("db"))] {
        let server = TestServer::start(&url);
        let token = say(&server, "first").await.expect("stored");
        assert!(server.stop().success());
        run(
            dir.path(),
            ["migrate", "--restored", "--database-url", &url],
        )
        .ok();
        let server = TestServer::start(&url);
        get(&server, "first", None).await.expect("a profile");
        get(&server, "first", Some(&token))
            .await
            .expect_err("a token of another database");
    }
}
