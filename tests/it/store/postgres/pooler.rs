//! A connection pooler between the store and PostgreSQL: a real PgBouncer, in each of its modes.

use customer_profile::store::sql::{Options, SqlStore};
use customer_profile::store::{Changes, Error, Store};

use crate::store::build::*;
use crate::support::pgbouncer::PgBouncer;
use crate::support::postgres::Postgres;
use crate::support::stores::{postgres, postgres_options};

/// By default PgBouncer refuses a startup option; told to ignore it, it drops it.
const STARTUP_OPTIONS: [&str; 2] = ["", "ignore_startup_parameters = options"];

fn through(pooler: &PgBouncer, server: &Postgres) -> Options {
    Options {
        url: pooler.url(),
        ..postgres_options(server)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn transaction_and_statement_pooling_are_refused_by_name_before_any_statement_is_run() {
    let server = Postgres::start();
    postgres(&server).await.close().await;
    for mode in ["transaction", "statement"] {
        for more in STARTUP_OPTIONS {
            let pooler = PgBouncer::before(&server, mode, more);
            let store = SqlStore::connect(&through(&pooler, &server))
                .await
                .expect("opening calls nobody");
            let refused = |error: Error| {
                let text = error.to_string();
                assert!(
                    matches!(error, Error::Unavailable(_))
                        && text.contains("pools transactions or statements"),
                    "{text}"
                );
                assert!(
                    text.contains("PgBouncer") && text.contains("pool_mode = session"),
                    "{text}"
                );
            };
            refused(store.check().await.expect_err("it is refused"));
            refused(
                store
                    .profiles(&tenant(), &[id(1)])
                    .await
                    .expect_err("it is refused"),
            );
            refused(store.begin(&tenant()).await.err().expect("it is refused"));
            let error = SqlStore::migrate(&through(&pooler, &server))
                .await
                .expect_err("it is refused");
            refused(error);
            store.close().await;
        }
    }
    // Sessions that others use through the pooler were left as they were.
    assert_eq!(server.sql("SELECT count(*) FROM tenant"), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn session_pooling_works_with_a_pool_of_as_many_places_as_there_are_connections() {
    for more in STARTUP_OPTIONS {
        let server = Postgres::start();
        let pooler = PgBouncer::before(
            &server,
            "session",
            &format!("{more}\ndefault_pool_size = 3"),
        );
        let options = Options {
            max_connections: 3,
            ..through(&pooler, &server)
        };
        SqlStore::migrate(&options)
            .await
            .expect("the schema is made");
        let store = SqlStore::connect(&options).await.expect("a store");
        store.check().await.expect("all is well");
        for number in 1..=20 {
            assert_eq!(put(&store, &Changes::default()).await.0, number);
            let (tenant, ids) = (tenant(), [id(1)]);
            let (read, log) = tokio::join!(store.profiles(&tenant, &ids), sequence(&store));
            assert_eq!((read.expect("a read").sequence.0, log), (number, number));
        }
        store.close().await;
    }
}
