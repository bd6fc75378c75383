//! Connections: how many, how long, and with which password.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use customer_profile::store::sql::{Options, SqlStore};
use customer_profile::store::{Changes, Error, Store};

use crate::store::build::*;
use crate::support::postgres::Postgres;
use crate::support::program;
use crate::support::stores::{postgres, postgres_options};

const OURS: &str = "FROM pg_stat_activity WHERE application_name = 'customer-profile'";

/// The most connections that were seen at once while many used a store.
async fn most_connections(server: &Postgres, store: &Arc<SqlStore>) -> usize {
    let over = AtomicBool::new(false);
    let work = async {
        let callers = (0..40).map(|caller| {
            let store = store.clone();
            tokio::spawn(async move {
                for _ in 0..10 {
                    match caller % 4 {
                        0 => drop(put(&*store, &Changes::default()).await),
                        1 => store.check().await.expect("all is well"),
                        2 => drop(sequence(&*store).await),
                        _ => drop(store.profiles(&tenant(), &[id(1)]).await.expect("a read")),
                    }
                }
            })
        });
        futures::future::join_all(callers)
            .await
            .into_iter()
            .for_each(|caller| caller.expect("a caller"));
        over.store(true, Ordering::SeqCst);
    };
    let count = async {
        let mut most = 0;
        while !over.load(Ordering::SeqCst) {
            let count =
                tokio::task::block_in_place(|| server.sql(&format!("SELECT count(*) {OURS}")));
            most = most.max(count.parse().expect("a number"));
            tokio::task::yield_now().await;
        }
        most
    };
    tokio::join!(work, count).1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn max_connections_is_the_sum_over_all_uses() {
    let server = Postgres::start();
    postgres(&server).await.close().await;
    for max_connections in [3, 8] {
        let patient = Duration::from_mins(1);
        let options = Options {
            max_connections,
            acquire_timeout: patient,
            ..postgres_options(&server)
        };
        let store = Arc::new(SqlStore::connect(&options).await.expect("a store"));
        let most = most_connections(&server, &store).await;
        assert!(
            (2..=max_connections as usize).contains(&most),
            "{most} of {max_connections}"
        );
        store.close().await;
    }
    let too_few = Options {
        max_connections: 2,
        ..postgres_options(&server)
    };
    let error = SqlStore::connect(&too_few)
        .await
        .err()
        .expect("too few")
        .to_string();
    assert!(
        error.contains("database.max_connections is 2, and must be 3 or more on PostgreSQL"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_replaced_at_the_end_of_their_lifetime() {
    let server = Postgres::start();
    postgres(&server).await.close().await;
    let options = Options {
        max_connection_lifetime: Duration::from_millis(200),
        ..postgres_options(&server)
    };
    let store = SqlStore::connect(&options).await.expect("a store");
    store.check().await.expect("all is well");
    let sessions = || server.sql(&format!("SELECT string_agg(pid::text, ',') {OURS}"));
    let first: Vec<String> = sessions().split(',').map(str::to_owned).collect();
    while sessions()
        .split(',')
        .any(|session| first.contains(&session.to_owned()))
    {
        store.check().await.expect("reads go on");
        sequence(&store).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_changed_while_the_store_is_open() {
    let server = Postgres::start();
    postgres(&server).await.close().await;
    server.sql(
        "CREATE ROLE app LOGIN PASSWORD 'first'; GRANT pg_read_all_data, pg_write_all_data TO app",
    );
    let hba = server.socket_dir().join("data/pg_hba.conf");
    let rules = fs::read_to_string(&hba).expect("its rules");
    fs::write(&hba, format!("local all app scram-sha-256\n{rules}")).expect("its rules");
    server.sql("SELECT pg_reload_conf()");

    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("password");
    fs::write(&file, "wrong\n").expect("a secret");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("permissions");
    let url = server.url_of("app", "postgres");
    let options = Options {
        url,
        password_file: Some(file.clone()),
        ..postgres_options(&server)
    };
    let store = SqlStore::connect(&options).await.expect("a store");
    let refused = store
        .check()
        .await
        .expect_err("a wrong password")
        .to_string();
    assert!(
        refused.contains("password authentication failed for user \"app\""),
        "{refused}"
    );

    for password in ["first", "second"] {
        server.sql(&format!("ALTER ROLE app PASSWORD '{password}'"));
        fs::write(&file, format!("{password}\n")).expect("a secret");
        server.sql(&format!("SELECT pg_terminate_backend(pid) {OURS}"));
        // Until the file is read anew, and connections of before have been found dead.
        while let Err(error) = store.check().await {
            assert!(matches!(error, Error::Unavailable(_)), "{error}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        while let Err(error) = write(&store, &tenant(), &Changes::default()).await {
            assert!(matches!(error, Error::Unavailable(_)), "{error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_connection_is_told_in_the_words_of_the_database() {
    let server = Postgres::start();
    for (role, database, reason) in [
        (
            "nobody",
            "postgres",
            "SQLSTATE 28000: role \"nobody\" does not exist",
        ),
        (
            "postgres",
            "nothing",
            "SQLSTATE 3D000: database \"nothing\" does not exist",
        ),
    ] {
        let url = server.url_of(role, database);
        let store = SqlStore::connect(&Options {
            url: url.clone(),
            ..postgres_options(&server)
        })
        .await
        .expect("a store");
        let error = store.check().await.expect_err("refused").to_string();
        assert!(error.ends_with(reason), "{error}");
        let told = program::run(
            std::path::Path::new("/"),
            ["migrate", "--database-url", &url],
        )
        .failed(1);
        assert!(told.contains(reason), "{told}");
    }
}
