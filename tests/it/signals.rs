//! What each signal does to a server.

use std::path::Path;

use tempfile::TempDir;

use crate::support::server::TestServer;

fn start(dir: &Path, more: &[&str]) -> TestServer {
    let server =
        TestServer::start_unready(&format!("sqlite://{}", dir.join("cp.db").display()), more);
    server.wait_for("ready");
    server
}

#[test]
fn a_signal_without_a_meaning_is_told_and_ignored() {
    let dir = TempDir::new().expect("a directory");
    let server = start(dir.path(), &[]);
    for name in [
        "USR1", "USR2", "ALRM", "VTALRM", "PROF", "IO", "XFSZ", "RTMIN", "RTMIN+5",
    ] {
        server.signal(name);
        let line = server.wait_for("a signal without a meaning was ignored");
        let told = line["signal"].as_str().expect("a name").to_owned();
        assert!(told.contains(&name[..2]), "{told} instead of {name}");
    }
    server.signal("PIPE");
    assert_eq!(server.http("/livez").0, 200);
    assert!(server.stop().success());
}

#[test]
fn signals_that_ask_for_the_end_get_a_peaceful_one() {
    for name in ["QUIT", "INT", "XCPU", "PWR"] {
        let dir = TempDir::new().expect("a directory");
        let server = start(dir.path(), &[]);
        server.signal(name);
        let line = server.wait_for("a signal asks for the end");
        assert_eq!(line["signal"], format!("SIG{name}"));
        server.wait_for("stopped");
    }
}

#[test]
fn a_second_signal_ends_at_once_with_a_line() {
    let dir = TempDir::new().expect("a directory");
    let server = start(dir.path(), &["--set", "grpc.lame_duck=5m"]);
    server.signal("TERM");
    server.wait_for("a signal asks for the end");
    server.signal("INT");
    server.wait_for("stopped at once, by a second signal");
}

#[test]
fn a_hangup_reloads_what_can_be_and_says_what_cannot() {
    let dir = TempDir::new().expect("a directory");
    let file = dir.path().join("cp.toml");
    std::fs::write(&file, "[log]\nfilter = 'info'\n").expect("a file");
    let server = start(dir.path(), &["--config", file.to_str().expect("UTF-8")]);

    std::fs::write(
        &file,
        "[log]\nfilter = 'info,customer_profile::no=warn'\n[cache]\nmax_bytes = '1MiB'\n",
    )
    .expect("a file");
    server.signal("HUP");
    assert_eq!(
        server.wait_for("SIGHUP: the configuration was reloaded")["changed"],
        "log.filter"
    );
    assert_eq!(
        server.wait_for("SIGHUP: these settings differ and need a restart")["keys"],
        "cache.max_bytes"
    );

    std::fs::write(&file, "[log]\nfilter = 'warn'\nrequests = 'nonsense'\n").expect("a file");
    server.signal("HUP");
    let error = server.wait_for("SIGHUP: nothing was reloaded")["error"]
        .as_str()
        .expect("why")
        .to_owned();
    assert!(
        error.contains("`log.requests` must be `all`, `errors` or `none`"),
        "{error}"
    );

    // The filter is the one of before still, or this would not be told.
    server.signal("TERM");
    server.wait_for("stopped");
}

#[test]
fn a_hangup_while_it_starts_does_not_kill() {
    let dir = TempDir::new().expect("a directory");
    let server = TestServer::start_unready(
        &format!("sqlite://{}", dir.path().join("cp.db").display()),
        &[],
    );
    for _ in 0..20 {
        server.signal("HUP");
    }
    server.wait_for("SIGHUP: the configuration was reloaded");
    assert_eq!(server.http("/livez").0, 200);
    assert!(server.stop().success());
}

#[test]
fn a_signal_after_all_is_done_does_not_change_the_exit_code() {
    // A collector that takes connections and never answers keeps the process for a while after its
    // last line.
    let collector = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!(
        "telemetry.otlp_endpoint=http://{}",
        collector.local_addr().expect("an address")
    );
    let dir = TempDir::new().expect("a directory");
    let server = start(dir.path(), &["--set", &endpoint]);
    server.http("/metrics");
    server.signal("TERM");
    server.wait_for("stopped");
    server.signal("TERM");
    server.signal("INT");
    assert_eq!(server.ended().code(), Some(0));
}
