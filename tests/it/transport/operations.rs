//! The operations port among clients that hold its connections, and without descriptors.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::server::TestServer;

const PATIENCE: Duration = Duration::from_mins(1);

fn database(dir: &TempDir) -> String {
    format!("sqlite://{}", dir.path().join("cp.db").display())
}

fn connect(address: &str, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    stream.write_all(bytes).expect("bytes are sent");
    stream
}

#[test]
fn half_requests_are_ended_and_never_keep_probes_out() {
    let dir = TempDir::new().expect("a directory");
    let settings = [
        "--set",
        "operations.timeout=1s",
        "--set",
        "operations.max_connections=8",
    ];
    let server = TestServer::start_unready(&database(&dir), &settings);
    server.wait_for("ready");
    let half: Vec<_> = (0..40)
        .map(|_| connect(&server.operations, b"GET /livez HTTP/1.1\r\nhost:"))
        .collect();
    let silent: Vec<_> = (0..8).map(|_| connect(&server.operations, b"")).collect();
    assert_eq!(
        server.http("/livez").0,
        200,
        "the newest connection is answered"
    );
    for mut stream in half.into_iter().chain(silent) {
        // Closed, with an answer or without: a reset is an end, too.
        let ended = stream.read_to_end(&mut Vec::new());
        assert!(
            !ended.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock),
            "still open"
        );
    }
    let metrics = server.http("/metrics").1;
    assert!(metrics.contains(
        "customer_profile_connections_closed_total{port=\"operations\",reason=\"displaced\"}"
    ));
}

/// The value of a metric, of a line of `/metrics` that begins so.
fn metric(server: &TestServer, begins: &str) -> u64 {
    let metrics = server.http("/metrics").1;
    let line = metrics
        .lines()
        .find(|line| line.starts_with(begins))
        .unwrap_or_else(|| panic!("no {begins}"));
    line.rsplit(' ')
        .next()
        .expect("a value")
        .parse()
        .expect("a number")
}

/// Waits for the line that tells of the beginning of a trouble.
fn wait_for_trouble(server: &TestServer, begins: &str) {
    let told = |line: serde_json::Value| {
        line["what"]
            .as_str()
            .is_some_and(|what| what.starts_with(begins))
    };
    while !told(server.wait_for("began to fail; further failures are counted, not logged")) {}
}

#[test]
fn connections_leave_descriptors_for_probes() {
    let dir = TempDir::new().expect("a directory");
    let settings = ["--set", "grpc.handshake_timeout=60s"];
    let server = TestServer::start_with_descriptors(100, &database(&dir), &settings);
    server.wait_for("ready");
    let address = server.address.trim_start_matches("http://").to_owned();
    let silent: Vec<_> = (0..150).map(|_| connect(&address, b"")).collect();
    wait_for_trouble(&server, "room for connections on the grpc port");
    for _ in 0..5 {
        assert_eq!(server.http("/livez").0, 200);
    }
    assert_eq!(
        metric(&server, "customer_profile_connections_open{port=\"grpc\"}"),
        38
    );
    drop(silent);
    assert!(server.stop().success());
}

/// Sets the soft limit of descriptors of a running server.
fn limit_descriptors(server: &TestServer, limit: u64) {
    let (pid, limit) = (server.id().to_string(), format!("--nofile={limit}:"));
    assert!(
        Command::new("prlimit")
            .args(["--pid", &pid, &limit])
            .status()
            .expect("prlimit")
            .success()
    );
}

#[test]
fn without_descriptors_the_server_rests_says_so_once_and_answers_probes() {
    let dir = TempDir::new().expect("a directory");
    let server = TestServer::start(&database(&dir));
    let address = server.address.trim_start_matches("http://").to_owned();
    assert_eq!(server.http("/livez").0, 200);
    let descriptors =
        std::fs::read_dir(format!("/proc/{}/fd", server.id())).expect("its descriptors");
    let used: BTreeSet<u64> = descriptors
        .filter_map(|name| name.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    // The lowest number that is free is the next one to be given out.
    limit_descriptors(
        &server,
        (0..=used.len() as u64)
            .find(|number| !used.contains(number))
            .expect("a number"),
    );
    // More than descriptors that the database may give back meanwhile.
    let waiting: Vec<_> = (0..64).map(|_| connect(&address, b"")).collect();
    wait_for_trouble(&server, "accepting connections on the ");
    for _ in 0..5 {
        assert_eq!(server.http("/livez").0, 200);
    }
    // A loop that does not rest fails some hundred thousand times a second.
    std::thread::sleep(Duration::from_secs(1));
    limit_descriptors(&server, 1024);
    let failures = metric(
        &server,
        "customer_profile_connections_accept_failures_total{port=\"grpc\"}",
    );
    assert!((1..200).contains(&failures), "{failures}");
    drop(waiting);
    assert!(server.stop().success());
}
