//! The bars for writes: what the databases do by themselves, one row and one commit at a time.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteConnection};

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

/// A connection to a new file, durable as the service's.
async fn plain(file: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging();
    options.connect().await.expect("a database")
}

/// One-row transactions per second on SQLite, durable, from one connection: SQLite has one writer.
pub(crate) async fn plain_sqlite(file: &Path, time: Duration) -> f64 {
    let mut connection = plain(file).await;
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

/// Seconds in which `COPY` takes a CSV file into a table with a key.
pub(crate) fn copy(database: &Postgres, file: &Path) -> f64 {
    database.sql(
        "DROP TABLE IF EXISTS copied; CREATE TABLE copied (record_id text PRIMARY KEY, first_name text, last_name text, \
         email text, phone text, date_of_birth text, address text, city text, postcode text)",
    );
    let copy = format!("\\copy copied FROM '{}' CSV HEADER", file.display());
    let started = Instant::now();
    let status = client(database, "psql").args(["-q", "-c", &copy]).status();
    assert!(status.expect("psql runs").success());
    started.elapsed().as_secs_f64()
}

/// Rows per second of a CSV file that is inserted into SQLite, durable, 500 rows a transaction.
pub(crate) async fn sqlite_sets(file: &Path, rows: &Path) -> f64 {
    let mut connection = plain(file).await;
    let table = "CREATE TABLE bar (id TEXT PRIMARY KEY, body TEXT) WITHOUT ROWID";
    sqlx::query(table)
        .execute(&mut connection)
        .await
        .expect("a table");
    let mut reader = csv::Reader::from_path(rows).expect("the file");
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    let insert = "INSERT INTO bar (id, body) SELECT value->>0, value FROM json_each(?)";
    let started = Instant::now();
    let mut count = 0;
    for set in rows.chunks(500) {
        let set: Vec<Vec<&str>> = set.iter().map(|row| row.iter().collect()).collect();
        let json = serde_json::to_string(&set).expect("JSON");
        sqlx::query(insert)
            .bind(json)
            .execute(&mut connection)
            .await
            .expect("rows");
        count += u32::try_from(set.len()).expect("a small set");
    }
    f64::from(count) / started.elapsed().as_secs_f64()
}
