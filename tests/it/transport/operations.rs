//! The operations port among clients that hold its connections, and without descriptors.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::server::TestServer;

const PATIENCE: Duration = Duration::from_secs(60);

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
    let settings = ["--set", "operations.timeout=1s", "--set", "operations.max_connections=8"];
    let server = TestServer::start_unready(&database(&dir), &settings);
    server.wait_for("ready");
    let half: Vec<_> = (0..40).map(|_| connect(&server.operations, b"GET /livez HTTP/1.1\r\nhost:")).collect();
    let silent: Vec<_> = (0..8).map(|_| connect(&server.operations, b"")).collect();
    assert_eq!(server.http("/livez").0, 200, "the newest connection is answered");
    for mut stream in half.into_iter().chain(silent) {
        // Closed, with an answer or without: a reset is an end, too.
        let ended = stream.read_to_end(&mut Vec::new());
        assert!(!ended.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock), "still open");
    }
    let metrics = server.http("/metrics").1;
    assert!(metrics.contains("customer_profile_connections_closed_total{port=\"operations\",reason=\"displaced\"}"));
}

#[test]
fn without_descriptors_the_server_rests_and_probes_are_answered() {
    let dir = TempDir::new().expect("a directory");
    // The bound of connections is out of the way, so that descriptors run out.
    let settings = ["--set", "grpc.handshake_timeout=60s"];
    let server = TestServer::start_with_descriptors(100, &database(&dir), &settings);
    server.wait_for("ready");
    let address = server.address.trim_start_matches("http://").to_owned();
    let silent: Vec<_> = (0..150).map(|_| connect(&address, b"")).collect();
    for _ in 0..5 {
        assert_eq!(server.http("/livez").0, 200);
    }
    server.wait_for("too many connections; more are refused");
    let metrics = server.http("/metrics").1;
    let open = metrics.lines().find(|line| line.starts_with("customer_profile_connections_open{port=\"grpc\"}"));
    let open: u64 = open.and_then(|line| line.rsplit(' ').next()).expect("a gauge").parse().expect("a number");
    assert_eq!(open, 38, "within the limit of descriptors");
    drop(silent);
    assert!(server.stop().success());
}
