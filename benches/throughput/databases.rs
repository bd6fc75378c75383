//! The bars for writes: what the databases do by themselves, one row and one commit at a time.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use crate::postgres::{Postgres, bin};

/// A row of about the size of a record.
const UPSERT: &str = "\\set id random(1, 1000000000)\n\
    INSERT INTO bar (id, body) VALUES (:id, repeat('x', 300)) ON CONFLICT (id) DO UPDATE SET body = excluded.body;\n";

/// A client program of the server's version, pointed at its database.
fn client(database: &Postgres, name: &str) -> Command {
    let mut command = Command::new(bin(name));
    command
        .env("PGHOST", database.socket_dir())
        .env("PGUSER", "postgres")
        .env("PGDATABASE", "postgres");
    command
}

pub(crate) fn prepare_pgbench(database: &Postgres) {
    let status = client(database, "psql")
        .args([
            "-q",
            "-c",
            "CREATE TABLE bar (id bigint PRIMARY KEY, body text)",
        ])
        .status();
    assert!(status.expect("psql runs").success());
}

/// Transactions per second of `pgbench` at 32 clients.
pub(crate) fn pgbench(database: &Postgres, time: Duration) -> f64 {
    let mut script = tempfile::NamedTempFile::new().expect("a file");
    script.write_all(UPSERT.as_bytes()).expect("the script");
    let mut command = client(database, "pgbench");
    command.args([
        "-n",
        "-M",
        "prepared",
        "-c",
        "32",
        "-j",
        "2",
        "-T",
        &time.as_secs().to_string(),
        "-f",
    ]);
    let output = command
        .arg(script.path())
        .stderr(Stdio::inherit())
        .output()
        .expect("pgbench runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text
        .lines()
        .find(|line| line.starts_with("tps = "))
        .unwrap_or_else(|| panic!("no figure in {text}"));
    line.split_whitespace()
        .nth(2)
        .and_then(|figure| figure.parse().ok())
        .expect("a figure")
}

/// One-row transactions per second on SQLite, durable, from one connection: SQLite has one writer.
pub(crate) async fn plain_sqlite(file: &Path, time: Duration) -> f64 {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging();
    let mut connection = options.connect().await.expect("a database");
    let table = "CREATE TABLE bar (id INTEGER PRIMARY KEY, body TEXT)";
    sqlx::query(table)
        .execute(&mut connection)
        .await
        .expect("a table");
    let upsert = "INSERT INTO bar (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body";
    let body = "x".repeat(300);
    let started = Instant::now();
    let mut count: u32 = 0;
    while started.elapsed() < time {
        let id = i64::from(count.wrapping_mul(2_654_435_761));
        sqlx::query(upsert)
            .bind(id)
            .bind(&body)
            .execute(&mut connection)
            .await
            .expect("a row");
        count += 1;
    }
    f64::from(count) / started.elapsed().as_secs_f64()
}
