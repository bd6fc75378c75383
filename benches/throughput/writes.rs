//! Writes of people as diverse as real ones, each work against what the database does by itself, by
//! the clock and by processor time: the server's and the database's on one side, the database's on
//! the other. Clients are left out on both.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use customer_profile::grpc::v1::{
    self, ingest_service_client::IngestServiceClient, statement::Kind, value,
};
use prost_types::Timestamp;
use tonic::transport::Channel;

use super::client::closed_loop;
use super::people::{self, Lists};
use super::postgres::Postgres;
use super::server::Server;
use super::{TURN, TURNS, databases, median};

/// Callers that write one statement a call, as `pgbench -c 32`.
const CALLERS: usize = 32;
/// Callers that write batches, and statements in each.
const BATCH_CALLERS: usize = 8;
const BATCH: u64 = 200;
/// Customers whose events are written: fewer than are written before.
const KNOWN: u64 = 5_000;
/// Rows of an import.
const ROWS: u64 = 40_000;
/// The model whose mapping reads rows of people.
const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/identity/model.yaml");

static LISTS: LazyLock<Lists> = LazyLock::new(|| {
    let names = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/retail/web.csv");
    Lists::read(Path::new(names)).expect("the sample's names")
});
/// No two turns say the same.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A kind of load.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    /// New customers, one statement a call.
    Single,
    /// New customers, in batches.
    Batches,
    /// Events of customers that are known, in batches.
    Events,
}

impl Work {
    fn callers(self) -> usize {
        if self == Self::Single {
            CALLERS
        } else {
            BATCH_CALLERS
        }
    }

    fn statements(self) -> u64 {
        if self == Self::Single { 1 } else { BATCH }
    }

    fn statement(self, number: u64) -> v1::Statement {
        match self {
            Self::Single | Self::Batches => customer(number),
            Self::Events => event(number),
        }
    }
}

/// Rows or statements a second: by the clock, and by processor time.
#[derive(Default)]
struct Rates {
    clock: Vec<f64>,
    processor: Vec<f64>,
}

impl Rates {
    fn add(&mut self, count: f64, took: Duration, processor: f64) {
        self.clock.push(count / took.as_secs_f64());
        self.processor.push(count / processor);
    }
}

fn report(what: &str, this: Rates, bar: Rates) {
    super::report(what, median(this.clock), median(bar.clock));
    let (this, bar) = (median(this.processor), median(bar.processor));
    super::report("  the same per second of processor time", this, bar);
}

/// Ingest on PostgreSQL.
pub(crate) async fn postgres() {
    let database = Postgres::start_with(&["fsync=on"]);
    let server = Server::start_with(&database.url(), &[]).await;
    databases::prepare_pgbench(&database);
    let pids = [server.pid(), pid(&database)];
    for (what, work) in [
        (
            "new customers, one a call; pgbench one-row upserts",
            Work::Single,
        ),
        (
            "new customers, 200 a call; pgbench one-row upserts",
            Work::Batches,
        ),
        (
            "events of known customers, 200 a call; pgbench",
            Work::Events,
        ),
    ] {
        let (mut this, mut bar) = (Rates::default(), Rates::default());
        for _ in 0..TURNS {
            let before = processor(&pids);
            let (count, took) = write(&server.address, work).await;
            this.add(count, took, processor(&pids) - before);
            let before = processor(&pids[1..]);
            let rate = databases::pgbench(&database, TURN);
            let spent = processor(&pids[1..]) - before;
            bar.add(rate * TURN.as_secs_f64(), TURN, spent);
        }
        report(what, this, bar);
    }
}

/// Ingest on SQLite.
pub(crate) async fn sqlite() {
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("db");
    let server = Server::start_with(&format!("sqlite://{}", file.display()), &[]).await;
    let pids = [server.pid()];
    let (mut this, mut bar) = (Rates::default(), Rates::default());
    for turn in 0..TURNS {
        let before = processor(&pids);
        let (count, took) = write(&server.address, Work::Single).await;
        this.add(count, took, processor(&pids) - before);
        let plain = folder.path().join(format!("plain-{turn}"));
        let before = processor(&[std::process::id()]);
        let rate = databases::plain_sqlite(&plain, TURN).await;
        let spent = processor(&[std::process::id()]) - before;
        bar.add(rate * TURN.as_secs_f64(), TURN, spent);
    }
    let what = "new customers on SQLite, one a call; plain transactions";
    report(what, this, bar);
}

/// Imports of one file.
pub(crate) async fn imports() {
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("rows.csv");
    let rows = write_rows(&file).expect("the file");
    let database = Postgres::start_with(&["fsync=on"]);
    let (mut this, mut bar) = (Vec::new(), Vec::new());
    for turn in 0..TURNS {
        let name = format!("import_{turn}");
        database.sql(&format!("CREATE DATABASE {name}"));
        this.push(rows / import(&file, &database.url_of("postgres", &name)));
        bar.push(rows / databases::copy(&database, &file));
        if turn == 0 {
            let bytes = database.sql_in(&name, "SELECT pg_database_size(current_database())");
            let bytes: f64 = bytes.trim().parse().expect("a number");
            println!("  {:.0} bytes a row on PostgreSQL", bytes / rows);
        }
    }
    super::report(
        "import on PostgreSQL; COPY of the same bytes",
        median(this),
        median(bar),
    );
    let (mut this, mut bar) = (Vec::new(), Vec::new());
    for turn in 0..TURNS {
        let store = folder.path().join(format!("import-{turn}"));
        this.push(rows / import(&file, &format!("sqlite://{}", store.display())));
        let plain = folder.path().join(format!("sets-{turn}"));
        bar.push(databases::sqlite_sets(&plain, &file).await);
        if turn == 0 {
            let bytes = store.metadata().expect("the database").len();
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
            let bytes = bytes as f64;
            println!("  {:.0} bytes a row on SQLite", bytes / rows);
        }
    }
    super::report(
        "import on SQLite; inserts of 500 rows",
        median(this),
        median(bar),
    );
}

/// Imports a file into a new database; answers how many seconds it took.
fn import(file: &Path, database_url: &str) -> f64 {
    let program = env!("CARGO_BIN_EXE_customer-profile");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .args(["--database-url", database_url]);
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(status.expect("runs").success(), "{arguments:?} failed");
    };
    run(&["migrate"]);
    let file = PathBuf::from(file).display().to_string();
    let started = Instant::now();
    let to = ["--source", "set", "--kind", "rows", "--model", MODEL];
    run(&[
        &[
            "import",
            &file,
            "--allow-missing-columns",
            "--allow-rejects",
        ][..],
        &to,
    ]
    .concat());
    started.elapsed().as_secs_f64()
}

/// Writes a file of people; answers how many.
fn write_rows(file: &Path) -> csv::Result<f64> {
    const COLUMNS: [&str; 9] = [
        "record_id",
        "first_name",
        "last_name",
        "email",
        "phone",
        "date_of_birth",
        "address",
        "city",
        "postcode",
    ];
    let mut writer = csv::Writer::from_path(file)?;
    writer.write_record(COLUMNS)?;
    let mut count = 0.0;
    for number in 0..ROWS {
        let row = people::row(number, &LISTS);
        writer.write_record(COLUMNS.map(|column| row[column].as_str().unwrap_or_default()))?;
        count += 1.0;
    }
    writer.flush()?;
    Ok(count)
}

/// Processor seconds of processes and of those that they started, ended ones too (Linux:
/// `/proc/PID/stat`, in hundredths).
fn processor(pids: &[u32]) -> f64 {
    let all = pids.iter().map(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // After the name, which is in brackets; then the 11th to the 14th.
        let fields = stat.rsplit(')').next().unwrap_or_default();
        let ticks = fields.split_whitespace().skip(11).take(4);
        let ticks: f64 = ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
        ticks / 100.0 + processor(&children(*pid))
    });
    all.sum()
}

/// The process of a database that started all others.
fn pid(database: &Postgres) -> u32 {
    let file = database.socket_dir().join("data/postmaster.pid");
    let text = std::fs::read_to_string(file).expect("a running database");
    let line = text.lines().next().unwrap_or_default();
    line.parse().expect("a number")
}

fn children(parent: u32) -> Vec<u32> {
    let lists = std::fs::read_dir(format!("/proc/{parent}/task"))
        .into_iter()
        .flatten();
    let lists = lists
        .flatten()
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    let text = lists.collect::<Vec<_>>().join(" ");
    text.split_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect()
}

/// Writes from many callers; answers how many statements, in how long.
async fn write(address: &str, work: Work) -> (f64, Duration) {
    let call = async |channel: Channel, _, _| {
        let statements = work.statements();
        let first = NEXT.fetch_add(statements, Ordering::Relaxed);
        let statements = first..first + statements;
        let request = v1::IngestStatementsRequest {
            statements: statements.map(|number| work.statement(number)).collect(),
        };
        let answer = IngestServiceClient::new(channel)
            .ingest_statements(request)
            .await;
        let results = answer.expect("a receipt").into_inner().results;
        let stored =
            |result: &v1::StatementResult| result.outcome() == v1::StatementOutcome::Stored;
        assert!(results.iter().all(stored), "{results:?}");
    };
    let started = Instant::now();
    let rate = closed_loop(address, work.callers(), TURN, call).await;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let statements = work.statements() as f64;
    (rate.calls_per(1.0) * statements, started.elapsed())
}

fn text(text: impl Into<String>) -> v1::Value {
    v1::Value {
        kind: Some(value::Kind::StringValue(text.into())),
    }
}

fn record(number: u64) -> v1::RecordKey {
    v1::RecordKey {
        source: "web".to_owned(),
        key: people::key(number),
    }
}

fn customer(number: u64) -> v1::Statement {
    let row = people::row(number, &LISTS);
    let of = |column: &str| row[column].as_str().map(str::to_owned);
    let identifiers = [("email", "email"), ("phone", "phone")];
    let identifiers = identifiers.into_iter().filter_map(|(kind, column)| {
        Some(v1::Identifier {
            r#type: kind.to_owned(),
            value: of(column)?,
            ..v1::Identifier::default()
        })
    });
    let traits = [
        ("given_name", "first_name"),
        ("family_name", "last_name"),
        ("birth_date", "date_of_birth"),
        ("street", "address"),
        ("city", "city"),
        ("postcode", "postcode"),
    ];
    let traits = traits.into_iter();
    let traits = traits.filter_map(|(name, column)| Some((name.to_owned(), text(of(column)?))));
    v1::Statement {
        kind: Some(Kind::UpsertRecord(v1::UpsertRecord {
            record: Some(record(number)),
            identifiers: identifiers.collect(),
            traits: traits.collect(),
            version: 1,
            source_time: Some(Timestamp {
                seconds: 1_750_000_000,
                nanos: 0,
            }),
        })),
    }
}

fn event(number: u64) -> v1::Statement {
    let value = |kind| v1::Value { kind: Some(kind) };
    let properties = [
        ("order_id", text(format!("o{number}"))),
        (
            "total",
            value(value::Kind::DecimalValue("19.90".to_owned())),
        ),
        ("currency", text("USD")),
    ];
    let properties = properties.into_iter();
    let event = v1::Event {
        record: Some(record(number % KNOWN)),
        event_id: format!("e{number}"),
        r#type: "order_placed".to_owned(),
        event_time: Some(Timestamp {
            seconds: 1_750_000_000 + i64::try_from(number % 1_000_000).unwrap_or_default(),
            nanos: 0,
        }),
        properties: properties
            .map(|(name, value)| (name.to_owned(), value))
            .collect::<BTreeMap<_, _>>(),
        ..v1::Event::default()
    };
    v1::Statement {
        kind: Some(Kind::RecordEvent(v1::RecordEvent { event: Some(event) })),
    }
}
