//! Settings of a cluster, a database, a role and a schema that a promise rests on: set over, or
//! named at start.

use std::sync::Arc;

use customer_profile::grpc::v1::{IngestStatementsRequest, StatementOutcome};
use customer_profile::store::sql::{Options, SqlStore};
use customer_profile::store::{Changes, Error, Store};

use crate::store::build::*;
use crate::support::postgres::Postgres;
use crate::support::program;
use crate::support::server::TestServer;
use crate::support::service::{Service, event};
use crate::support::stores::{postgres, postgres_options};

/// What a new store says of its database.
async fn check(options: &Options) -> Result<(), Error> {
    let store = SqlStore::connect(options)
        .await
        .expect("opening calls nobody");
    let checked = store.check().await;
    store.close().await;
    checked
}

async fn named(options: &Options, expected: &[&str]) {
    let text = check(options).await.expect_err("it is refused").to_string();
    for expected in expected {
        assert!(text.contains(expected), "{text}\nwithout {expected}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_session_may_set_is_set_whatever_the_database_says() {
    let server = Postgres::start();
    let store = postgres(&server).await;
    for setting in [
        "synchronous_commit = off",
        "DateStyle = 'German'",
        "IntervalStyle = 'iso_8601'",
        "TimeZone = 'Asia/Kolkata'",
        "bytea_output = 'escape'",
        "extra_float_digits = -15",
        "standard_conforming_strings = off",
        "transform_null_equals = on",
        "default_transaction_isolation = 'serializable'",
        "client_encoding = 'LATIN1'",
        "statement_timeout = 1",
        "lock_timeout = 1",
        "idle_in_transaction_session_timeout = 1",
        "enable_nestloop = off",
        "enable_indexscan = off",
        "plan_cache_mode = 'force_custom_plan'",
    ] {
        server.sql(&format!("ALTER DATABASE postgres SET {setting}"));
    }
    let other = SqlStore::connect(&postgres_options(&server))
        .await
        .expect("a store");
    other.check().await.expect("all is set over");
    assert_eq!(put(&other, &profile(id(1), &[key("Ωμέγα")])).await.0, 1);
    assert!(
        other
            .profiles(&tenant(), &[id(1)])
            .await
            .expect("a read")
            .value[0]
            .is_some()
    );
    assert_eq!(put(&store, &Changes::default()).await.0, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_session_may_not_set_is_named_with_its_value_and_what_is_needed() {
    let server = Postgres::start_with(&["fsync=off", "full_page_writes=off", "max_connections=60"]);
    let options = postgres_options(&server);
    postgres(&server).await.close().await;
    let strict = Options {
        allow_unsafe_durability: false,
        ..options.clone()
    };
    named(
        &strict,
        &[
            "`fsync` is `off`, and must be `on`",
            "`full_page_writes` is `off`, and must be `on`",
        ],
    )
    .await;

    for (setting, expected) in [
        (
            "default_transaction_read_only = on",
            "`default_transaction_read_only` is `on`, and must be `off`",
        ),
        (
            "session_replication_role = replica",
            "`session_replication_role` is `replica`, and must be `origin`",
        ),
        (
            "zero_damaged_pages = on",
            "`zero_damaged_pages` is `on`, and must be `off`",
        ),
    ] {
        server.sql(&format!("ALTER DATABASE postgres SET {setting}"));
        named(&options, &[expected]).await;
        server.sql("ALTER DATABASE postgres RESET ALL");
    }
    for encoding in ["SQL_ASCII", "LATIN1"] {
        let name = encoding.to_lowercase();
        let locale = "TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'";
        server.sql(&format!(
            "CREATE DATABASE {name} ENCODING '{encoding}' {locale}"
        ));
        let other = Options {
            url: server.url_of("postgres", &name),
            ..options.clone()
        };
        named(
            &other,
            &[&format!(
                "`server_encoding` is `{encoding}`, and must be `UTF8`"
            )],
        )
        .await;
        assert!(
            SqlStore::migrate(&other).await.is_err(),
            "no schema is made where texts do not fit"
        );
    }
    server.sql(
        "CREATE SCHEMA app; CREATE TABLE app.event (id int); ALTER DATABASE postgres SET search_path = app, public",
    );
    named(
        &options,
        &["`search_path` leads to tables of several schemas: app, public"],
    )
    .await;
    server.sql("ALTER DATABASE postgres RESET ALL; ALTER TABLE public.event SET UNLOGGED");
    named(&options, &["table `event` is unlogged"]).await;
    server.sql("ALTER TABLE public.event SET LOGGED");
    check(&options).await.expect("all is well again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_without_a_privilege_is_told_so_by_table_and_not_by_the_first_write() {
    let server = Postgres::start();
    postgres(&server).await.close().await;
    let options = Options {
        url: server.url_of("app", "postgres"),
        ..postgres_options(&server)
    };
    server.sql("CREATE ROLE app LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO app");
    server.sql(
        "GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app; REVOKE INSERT, UPDATE ON event FROM app",
    );
    named(
        &options,
        &["role `app` lacks INSERT, UPDATE on table `event`"],
    )
    .await;
    server.sql("GRANT INSERT, UPDATE ON event TO app");
    // Nobody but the owner is to change what is in the audit log.
    server.sql("REVOKE UPDATE, DELETE ON audit_batch FROM app");
    server.sql("REVOKE DELETE ON audit_head, audit_tile FROM app");
    check(&options).await.expect("all is well");
    server.sql(
        "ALTER TABLE record ENABLE ROW LEVEL SECURITY; ALTER TABLE record FORCE ROW LEVEL SECURITY",
    );
    named(
        &options,
        &["row-level security of table `record` hides rows from role `app`"],
    )
    .await;
    server.sql(
        "ALTER TABLE record DISABLE ROW LEVEL SECURITY; REVOKE ALL ON seaql_migrations FROM app",
    );
    named(
        &options,
        &["role `app` lacks SELECT on table `seaql_migrations`"],
    )
    .await;
    // Each table is looked at.
    server.sql("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM app");
    let tables = server.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'");
    for table in tables.lines() {
        named(&options, &[&format!(" on table `{table}`")]).await;
    }
}

/// What everybody else says about a batch all of whose statements the database refuses for a reason
/// of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_the_database_is_not_told_as_a_fault_of_the_statements() {
    let server = Postgres::start();
    postgres(&server).await.close().await;
    server.sql("CREATE ROLE app LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO app");
    let options = Options {
        url: server.url_of("app", "postgres"),
        ..postgres_options(&server)
    };
    let store = Arc::new(SqlStore::connect(&options).await.expect("a store"));
    let service = Service::start_with(store, |_| {}).await;
    let statements = || {
        vec![
            event(("web", "1"), "a", "call", 0),
            event(("web", "2"), "b", "call", 0),
        ]
    };
    for (broken, mended) in [
        (
            "ALTER TABLE event ADD CONSTRAINT no_calls CHECK (false) NOT VALID",
            "ALTER TABLE event DROP CONSTRAINT no_calls",
        ),
        (
            "ALTER TABLE event ADD COLUMN added text NOT NULL",
            "ALTER TABLE event DROP COLUMN added",
        ),
        (
            "REVOKE INSERT ON event FROM app",
            "GRANT INSERT ON event TO app",
        ),
    ] {
        server.sql(broken);
        for _ in 0..3 {
            let request = IngestStatementsRequest {
                statements: statements(),
            };
            let status = service
                .ingest()
                .ingest_statements(request)
                .await
                .expect_err("it cannot be stored");
            assert_eq!(status.code(), tonic::Code::Unavailable, "{status:?}");
        }
        server.sql(mended);
    }
    // A connection of before may fail once more.
    let request = || IngestStatementsRequest {
        statements: statements(),
    };
    let mut answer = service.ingest().ingest_statements(request()).await;
    for _ in 0..20 {
        if answer.is_ok() {
            break;
        }
        answer = service.ingest().ingest_statements(request()).await;
    }
    let results = answer.expect("all is well").into_inner().results;
    assert!(
        results
            .iter()
            .all(|result| result.outcome() == StatementOutcome::Stored),
        "{results:?}"
    );
}

#[test]
fn readiness_the_log_and_migrate_tell_the_same() {
    let server = Postgres::start();
    let url = server.url();
    program::run(
        std::path::Path::new("/"),
        ["migrate", "--database-url", &url],
    )
    .ok();
    let refuse_unsafe = ["--set", "database.allow_unsafe_durability=false"];
    let waiting = TestServer::start_unready(&url, &refuse_unsafe);
    let line = waiting.wait_for("not ready yet");
    let expected = "`fsync` is `off`, and must be `on`";
    assert!(
        line["error"]
            .as_str()
            .is_some_and(|error| error.contains(expected)),
        "{line}"
    );
    let (status, text) = waiting.http("/readyz");
    assert!(status == 503 && text.contains(expected), "{status} {text}");
    let args = [
        "migrate",
        "--check",
        "--database-url",
        &url,
        refuse_unsafe[0],
        refuse_unsafe[1],
    ];
    let error = program::run(std::path::Path::new("/"), args).failed(1);
    assert!(error.contains(expected), "{error}");
    program::run(std::path::Path::new("/"), &args[..4]).ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_is_refused_until_it_is_promoted() {
    let server = Postgres::start();
    put(&postgres(&server).await, &profile(id(1), &[key("1")])).await;
    let standby = server.standby();
    let store = SqlStore::connect(&postgres_options(&standby))
        .await
        .expect("a store");
    let refused = store
        .profiles(&tenant(), &[id(1)])
        .await
        .expect_err("its reads are late")
        .to_string();
    assert!(
        refused.contains("`pg_is_in_recovery` is `true`, and must be `false`: this is a standby"),
        "{refused}"
    );
    standby.sql("SELECT pg_promote()");
    while let Err(error) = store.check().await {
        assert!(error.to_string().contains("standby"), "{error}");
    }
    assert!(
        store
            .profiles(&tenant(), &[id(1)])
            .await
            .expect("a read")
            .value[0]
            .is_some()
    );
}
