//! The tables of a database, searched for a customer.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use tempfile::TempDir;

use super::everything::{CANARY, Customer};
use super::*;
use crate::support::postgres::Postgres;
use crate::support::stores::{postgres, sqlite, sqlite_options};

async fn texts(db: &DatabaseConnection, backend: DbBackend, sql: &str) -> Vec<String> {
    let rows = db
        .query_all_raw(Statement::from_string(backend, sql))
        .await
        .expect("rows");
    let text = |row: &sea_orm::QueryResult| row.try_get_by_index(0).expect("a text");
    rows.iter().map(text).collect()
}

/// Every row of every table as a text, with the name of its table.
async fn rows(url: &str, backend: DbBackend) -> Vec<(String, String)> {
    let db = Database::connect(url).await.expect("a connection");
    let tables = match backend {
        DbBackend::Postgres => {
            "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        }
        _ => "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1",
    };
    let mut found = Vec::new();
    for table in texts(&db, backend, tables).await {
        let row = if backend == DbBackend::Postgres {
            format!("SELECT t::text FROM {table} AS t")
        } else {
            let columns = format!("SELECT name FROM pragma_table_info('{table}')");
            let columns = texts(&db, backend, &columns).await;
            let columns: Vec<String> = columns
                .iter()
                .map(|column| format!("quote({column})"))
                .collect();
            format!("SELECT {} FROM {table}", columns.join(" || ' ' || "))
        };
        let rows = texts(&db, backend, &row).await;
        found.extend(rows.into_iter().map(|row| (table.clone(), row)));
    }
    db.close().await.expect("closed");
    found
}

/// The tables that have the word, in whatever case and from either end.
fn tables_with_canary(rows: &[(String, String)]) -> BTreeSet<&str> {
    let reversed: String = CANARY.chars().rev().collect();
    let has = |text: &str| {
        let text = text.to_lowercase();
        text.contains(CANARY) || text.contains(&reversed)
    };
    let found = rows.iter().filter(|(_, row)| has(row));
    found.map(|(table, _)| table.as_str()).collect()
}

#[tokio::test]
async fn no_table_of_postgresql_has_a_word_of_the_erased() {
    let server = Postgres::start();
    let service = start(Arc::new(postgres(&server).await)).await;
    let customer = Customer::new(&service).await;
    let before = rows(&server.url(), DbBackend::Postgres).await;
    let mut before = tables_with_canary(&before);
    // How far a job has come, which may be at one of the records.
    before.remove("recount");
    // All that a customer can be in, and no other one.
    let all = [
        "decision",
        "decision_record",
        "event",
        "event_correction",
        "event_history",
        "event_object",
        "identifier",
        "identifier_history",
        "identity_change",
        "match_key",
        "match_pair",
        "membership",
        "record",
        "record_history",
        "record_term",
        "record_version",
        "request",
        "search_word",
    ];
    assert_eq!(Vec::from_iter(before), all);
    erase(&service, &customer.name).await;
    let after = rows(&server.url(), DbBackend::Postgres).await;
    assert_eq!(tables_with_canary(&after), BTreeSet::new());
    service.stop().await;
}

#[tokio::test]
async fn no_table_of_sqlite_has_a_word_of_the_erased() {
    let dir = TempDir::with_prefix("cp-erasure-").expect("a temporary directory");
    let store = Arc::new(sqlite(&dir).await);
    let service = start(store.clone()).await;
    let customer = Customer::new(&service).await;
    erase(&service, &customer.name).await;
    service.stop().await;
    store.close().await;
    let after = rows(&sqlite_options(&dir).url, DbBackend::Sqlite).await;
    assert!(after.iter().any(|(table, _)| table == "tombstone"));
    assert_eq!(tables_with_canary(&after), BTreeSet::new());
}
