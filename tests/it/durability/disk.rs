//! A disk that says no under SQLite: full, over a quota, read-only, failing, or a limit on the size
//! of files. Whatever was answered as stored is there afterwards, once and whole, and what the disk
//! refused is never told as a statement's fault.
//!
//! The disk is a library preloaded into the server, which fails the writes of the database's files
//! by order of a file, so that no privileges are needed. `tests/scripts/disks.sh` does the same
//! with real file systems.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use customer_profile::grpc::v1::identity_service_client::IdentityServiceClient;
use customer_profile::grpc::v1::preference_service_client::PreferenceServiceClient;
use tempfile::TempDir;
use tonic::Status;

use super::*;
use crate::support::program::{command, run};
use crate::support::service::record;

/// How often the disk fails; the full form multiplies it.
const RUNS: u64 = 10;
const FAULTS: [&str; 6] = ["full", "some", "io", "sync", "quota", "readonly"];
/// How many customers are spoken of while the disk fails.
const CALLS: u64 = 6;
/// Far more than it takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// The library, compiled once.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, library) = LIBRARY.get_or_init(|| {
        let dir = TempDir::with_prefix("cp-disk-").expect("a directory");
        let (source, library) = (dir.path().join("disk.c"), dir.path().join("disk.so"));
        std::fs::write(&source, include_str!("disk.c")).expect("a file");
        let mut compile = Command::new("cc");
        compile
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&library, &source])
            .arg("-ldl");
        assert!(compile.status().expect("a C compiler").success());
        (dir, library)
    });
    library
}

/// A directory with a database on a disk that fails by order.
struct Disk {
    dir: TempDir,
}

impl Disk {
    fn new() -> Self {
        Self {
            dir: TempDir::with_prefix("cp-disk-").expect("a directory"),
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("store.db")
    }

    fn url(&self) -> String {
        format!("sqlite://{}", self.path().display())
    }

    fn control(&self) -> PathBuf {
        self.dir.path().join("fails")
    }

    /// Has the disk fail from now on; the empty word: work.
    fn set(&self, fault: &str) {
        // Complete at once, under its name.
        let next = self.dir.path().join("next");
        std::fs::write(&next, fault).expect("a file");
        std::fs::rename(next, self.control()).expect("a file");
    }

    fn environment(&self) -> [(String, String); 2] {
        let text = |path: &Path| path.to_str().expect("a plain path").to_owned();
        [
            ("LD_PRELOAD".to_owned(), text(library())),
            ("CP_DISK".to_owned(), text(&self.control())),
        ]
    }

    fn start(&self) -> TestServer {
        let environment = self.environment();
        let environment = environment
            .each_ref()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let server = TestServer::start_unready_in(&self.url(), &[], &environment);
        server.wait_for("ready");
        server
    }

    /// A command of the program on the same disk.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = command(self.dir.path(), args);
        command.envs(self.environment());
        command
    }
}

/// Says a customer and the order. Answers whether it was stored.
async fn say(address: &str, key: &str) -> Result<(), Status> {
    let request = v1::IngestStatementsRequest {
        statements: statements(key),
    };
    let answer = IngestServiceClient::new(channel(address))
        .ingest_statements(request)
        .await?
        .into_inner();
    let known = |result: &v1::StatementResult| {
        matches!(
            result.outcome(),
            StatementOutcome::Stored | StatementOutcome::Duplicate
        )
    };
    assert!(
        answer.results.iter().all(known),
        "a fault of the disk is none of a statement: {answer:?}"
    );
    Ok(())
}

/// Says it until it is stored.
async fn say_until_stored(address: &str, key: &str) {
    let began = Instant::now();
    while let Err(status) = say(address, key).await {
        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
        assert!(
            began.elapsed() < PATIENCE,
            "the disk works again, and nothing is stored: {status:?}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The other kinds of writes, each either done or refused as the store's fault.
async fn write_otherwise(disk: &Disk, address: &str, number: u64) {
    let unavailable = |status: Status| assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    let preferences = v1::Preferences {
        language: "de-AT".to_owned(),
        ..Default::default()
    };
    let key = Some(by_record("web", "first"));
    let request = v1::SetPreferencesRequest {
        key,
        preferences: Some(preferences),
        ..Default::default()
    };
    let set = PreferenceServiceClient::new(channel(address))
        .set_preferences(request)
        .await;
    drop(set.map_err(unavailable));
    let decision = v1::DecideCandidateRequest {
        left: Some(record("web", "first")),
        right: Some(record("web", "second")),
        verdict: v1::CandidateVerdict::Different.into(),
        request_id: format!("decision-{number}"),
        ..Default::default()
    };
    drop(
        IdentityServiceClient::new(channel(address))
            .decide_candidate(decision)
            .await
            .map_err(unavailable),
    );
    let model = disk.dir.path().join("model.yaml");
    let text = format!(
        "identifiers:\n  email: {{ priority: 1, normalize: email }}\ntraits: {{ given_name: , t{number}: }}\nsources: {{ web: }}\n"
    );
    std::fs::write(&model, text).expect("a file");
    let args = [
        "model",
        "apply",
        model.to_str().expect("a plain path"),
        "--server",
        address,
    ];
    let applied = tokio::task::block_in_place(|| run(disk.dir.path(), args));
    assert!(
        applied.code == Some(0) || applied.err.contains("UNAVAILABLE"),
        "{}",
        applied.err
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_answered_is_lost_when_the_disk_says_no() {
    let disk = Disk::new();
    let said: Said = Arc::default();
    let runs = RUNS * u64::from(crate::support::scale());
    let mut refused = 0;
    let mut server = disk.start();
    for key in ["first", "second"] {
        say(&server.address, key).await.expect("stored");
    }
    for number in 0..runs {
        let fault = FAULTS[usize::try_from(number).expect("small") % FAULTS.len()];
        disk.set(fault);
        for call in 0..CALLS {
            let key = format!("{number}-{call}");
            let stored = say(&server.address, &key).await;
            if let Err(status) = &stored {
                assert_eq!(status.code(), Code::Unavailable, "{fault}: {status:?}");
                refused += 1;
            }
            said.lock().await.insert(key, stored.is_ok());
        }
        write_otherwise(&disk, &server.address, number).await;
        disk.set("");
        let key = format!("{number}-after");
        say_until_stored(&server.address, &key).await;
        said.lock().await.insert(key, true);
        if fault == "full" {
            let told = server.wait_for("began to fail; further failures are counted, not logged");
            assert!(
                told["reason"]
                    .as_str()
                    .expect("a text")
                    .contains("the disk is full"),
                "{told}"
            );
            // It is over when nothing has failed for a while.
            tokio::time::sleep(Duration::from_millis(1_100)).await;
            let key = format!("{number}-over");
            say(&server.address, &key).await.expect("stored");
            said.lock().await.insert(key, true);
            server.wait_for("works again");
        }
        // Written after the fault, and lost if that went into a transaction which nobody commits.
        server.kill();
        server = disk.start();
        check(&server.address, &*said.lock().await).await;
        said.lock().await.clear();
    }
    assert!(refused > 0, "the disk never failed");
    println!("{runs} faults, {refused} calls refused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_on_the_size_of_files_neither_kills_the_server_nor_loses_anything() {
    let disk = Disk::new();
    let server = disk.start();
    say(&server.address, "first").await.expect("stored");
    // The soft limit: an ordinary user may raise it again.
    let limit = |bytes: &str| {
        let (process, limit) = (server.id().to_string(), format!("--fsize={bytes}:"));
        let set = Command::new("prlimit")
            .args(["--pid", &process, &limit])
            .status();
        assert!(set.expect("prlimit").success());
    };
    limit("100000");
    let status = say(&server.address, "second")
        .await
        .expect_err("the file may not grow");
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    limit("unlimited");
    say_until_stored(&server.address, "third").await;
    server.kill();
    let server = disk.start();
    let said = BTreeMap::from([("first", true), ("second", false), ("third", true)]);
    check(
        &server.address,
        &said
            .into_iter()
            .map(|(key, answered)| (key.to_owned(), answered))
            .collect(),
    )
    .await;
}

/// How many rows are imported.
const ROWS: u32 = 300;

/// A file of customers, and a command that imports it.
fn import(disk: &Disk, place: [&str; 2], more: &[&str]) -> Command {
    let header =
        "record_id,first_name,last_name,email,phone,date_of_birth,address,city,state,postcode"
            .to_owned();
    let rows: Vec<String> = std::iter::once(header)
        .chain((0..ROWS).map(|row| format!("c{row},Ann{row},,,,,,,,")))
        .collect();
    std::fs::write(disk.dir.path().join("web.csv"), rows.join("\n")).expect("a file");
    let mut args = vec![
        "import",
        "web.csv",
        "--source",
        "web",
        "--kind",
        "customers",
        "--batch-rows",
        "20",
    ];
    args.extend(place);
    args.extend(more);
    disk.command(&args)
}

async fn assert_imported(server: &TestServer) {
    for row in 0..ROWS {
        let key = Some(by_record("web", &format!("c{row}")));
        let request = v1::GetProfileRequest {
            key,
            ..Default::default()
        };
        ProfileServiceClient::new(channel(&server.address))
            .get_profile(request)
            .await
            .expect("an imported row");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_through_a_server_waits_until_there_is_room() {
    let disk = Disk::new();
    let server = disk.start();
    disk.set("full");
    let mut importing = import(&disk, ["--server", &server.address], &[])
        .spawn()
        .expect("the program runs");
    server.wait_for("began to fail; further failures are counted, not logged");
    disk.set("");
    assert!(importing.wait().expect("it ends").success());
    server.kill();
    assert_imported(&disk.start()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_into_the_file_stops_at_a_full_disk_and_goes_on_when_there_is_room() {
    let disk = Disk::new();
    let url = disk.url();
    // A database with its schema, and room for a part of the rows.
    drop(disk.start());
    disk.set("some");
    let stopped = import(&disk, ["--database-url", &url], &[])
        .output()
        .expect("the program runs");
    assert_eq!(
        stopped.status.code(),
        Some(1),
        "{}",
        String::from_utf8_lossy(&stopped.stderr)
    );
    assert!(String::from_utf8_lossy(&stopped.stderr).contains("the disk is full"));
    disk.set("");
    let resumed = import(&disk, ["--database-url", &url], &["--resume"])
        .output()
        .expect("the program runs");
    assert_eq!(
        resumed.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&resumed.stderr)
    );
    assert_imported(&disk.start()).await;
}
