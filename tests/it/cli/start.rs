//! What can be wrong when a server starts, and its end.

use std::net::TcpListener;

use super::{customers, database, dir, import, write};
use crate::support::postgres::Postgres;
use crate::support::program::{run, say};
use crate::support::server::TestServer;

const PORTS: &str = "--grpc-address 127.0.0.1:0 --operations-address 127.0.0.1:0";

#[test]
fn ten_mistakes_of_a_configuration_are_told_at_once_each_with_its_place() {
    let dir = dir();
    write(
        dir.path(),
        "c.toml",
        "[grpc]\naddress = \"here\"\nmax_recieve_bytes = \"4MiB\"\ndrain = \"2 fortnights\"\n\
         [cache]\nmax_bytes = -1\n[databse]\nurl = \"x\"\n[log]\nformat = \"xml\"\n\
         [telemetry]\ntrace_sample_ratio = 7\n",
    );
    let more = [
        "--set",
        "ingest.batch_statements=0",
        "--set",
        "nothing.at_all=1",
        "--database-url",
        "mysql://u:hunter2@h/x",
    ];
    let args = ["serve", "--config", "c.toml", "--log-format", "yaml"]
        .into_iter()
        .chain(more);
    let told = run(dir.path(), args).failed(1);
    insta::assert_snapshot!(told);
    assert!(!told.contains("hunter2"), "{told}");
}

#[test]
fn a_bad_model_file_is_told_with_line_and_column() {
    let dir = dir();
    write(
        dir.path(),
        "m.yaml",
        "sources:\n  web: { trust: 101, colour: red }\n",
    );
    let told = say(dir.path(), &format!("serve --model m.yaml {PORTS}")).failed(1);
    insta::assert_snapshot!(told);
    let told = say(dir.path(), &format!("serve --model none.yaml {PORTS}")).failed(1);
    assert!(
        told.starts_with("error: the model file none.yaml: No such file"),
        "{told}"
    );
}

#[test]
fn a_port_in_use_is_told_with_the_flag_that_changes_it() {
    let dir = dir();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address");
    let told = say(
        dir.path(),
        &format!("serve --operations-address 127.0.0.1:0 --grpc-address {address}"),
    )
    .failed(1);
    assert!(
        told.starts_with(&format!("error: gRPC cannot listen on {address}")),
        "{told}"
    );
    assert!(
        told.contains("--grpc-address") && told.contains("in use"),
        "{told}"
    );
    let told = say(
        dir.path(),
        &format!("serve --grpc-address 127.0.0.1:0 --operations-address {address}"),
    )
    .failed(1);
    assert!(told.contains("--operations-address"), "{told}");
}

#[test]
fn a_database_belongs_to_one_process() {
    let dir = dir();
    let url = database(dir.path());
    let server = TestServer::start(&url);
    let told = say(dir.path(), &format!("serve --database-url {url} {PORTS}")).failed(1);
    assert!(
        told.contains("another process is using this database"),
        "{told}"
    );
    write(dir.path(), "a.csv", customers(1));
    let told = import(dir.path(), "a.csv", &[]).failed(1);
    assert!(told.contains("use --server to ask that process"), "{told}");
    assert!(server.stop().success());
    import(dir.path(), "a.csv", &[]).ok();
}

#[test]
fn a_database_that_cannot_be_made_is_told_with_its_name() {
    let dir = dir();
    let told = say(
        dir.path(),
        &format!("serve --database-url sqlite:///nowhere/at/all.db {PORTS}"),
    )
    .failed(1);
    assert!(
        told.starts_with("error: sqlite:///nowhere/at/all.db: the database cannot be opened"),
        "{told}"
    );
}

#[test]
fn a_server_waits_for_a_database_that_is_away_and_a_command_tells_it() {
    let dir = dir();
    let mut postgres = Postgres::start();
    let url = postgres.url();
    run(dir.path(), ["migrate", "--database-url", &url]).ok();
    postgres.stop();

    let server = TestServer::start_unready(&url, &[]);
    server.wait_for("not ready yet");
    assert_eq!(server.http("/livez").0, 200);
    let (status, why) = server.http("/readyz");
    assert!(
        status == 503 && why.starts_with("the database is unavailable"),
        "{status} {why}"
    );
    write(dir.path(), "a.csv", customers(1));
    let direct = [
        "import",
        "a.csv",
        "--source",
        "web",
        "--kind",
        "customers",
        "--database-url",
        &url,
    ];
    let told = run(dir.path(), direct).failed(1);
    assert!(told.contains("the database is unavailable"), "{told}");

    postgres.start_again();
    server.wait_for("ready");
    assert_eq!(server.http("/readyz"), (200, "ready\n".to_owned()));
    run(dir.path(), direct).ok();
    assert!(server.stop().success());
}

#[test]
fn a_postgresql_without_schema_is_told_and_is_not_touched() {
    let dir = dir();
    let postgres = Postgres::start();
    let url = postgres.url();
    let server = TestServer::start_unready(&url, &[]);
    let told = server.wait_for("not ready yet").to_string();
    assert!(told.contains("`customer-profile migrate`"), "{told}");
    assert!(
        run(dir.path(), ["migrate", "--check", "--database-url", &url])
            .failed(1)
            .contains("it is missing")
    );
    run(dir.path(), ["migrate", "--database-url", &url]).ok();
    server.wait_for("ready");
    run(dir.path(), ["migrate", "--check", "--database-url", &url]).ok();
}

#[test]
fn a_server_ends_in_peace_by_the_signals_of_people_and_of_machines() {
    let dir = dir();
    for signal in ["INT", "TERM"] {
        let server = TestServer::start(&database(dir.path()));
        server.signal(signal);
        server.wait_for("stopped");
        // Not asked again: a second signal while it ends is an impatient one.
        assert!(server.ended().success(), "{signal}");
    }
}

#[test]
fn a_second_signal_does_not_wait_for_calls() {
    let dir = dir();
    let server = TestServer::start_unready(&database(dir.path()), &["--set", "grpc.lame_duck=10m"]);
    server.signal("TERM");
    server.wait_for("stopping: no longer ready, calls are still taken");
    assert_eq!(server.stop().code(), Some(130));
}

#[test]
fn a_killed_server_has_all_that_it_answered() {
    let dir = dir();
    let url = database(dir.path());
    let server = TestServer::start(&url);
    write(dir.path(), "a.csv", customers(700));
    let said = [
        "import",
        "a.csv",
        "--source",
        "web",
        "--kind",
        "customers",
        "--server",
    ];
    run(
        dir.path(),
        said.into_iter().chain([server.address.as_str()]),
    )
    .ok();
    server.kill();
    let told = import(dir.path(), "a.csv", &[]).ok();
    assert_eq!(
        told,
        "a.csv: 700 rows: 0 stored, 700 duplicate, 0 rejected\n"
    );
}
