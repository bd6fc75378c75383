//! `demo`: from nothing to an answering server.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::dir;
use crate::support::program::command;

#[test]
fn the_demo_imports_everything_checks_itself_and_leaves_nothing() {
    let dir = dir();
    let args = [
        "demo",
        "--exit",
        "--grpc-address",
        "127.0.0.1:0",
        "--operations-address",
        "127.0.0.1:0",
    ];
    let output = command(dir.path(), args)
        .env("TMPDIR", dir.path())
        .output()
        .expect("it runs");
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{out}{err}");
    assert_eq!(err, "");
    let imported: Vec<&str> = out
        .lines()
        .filter(|line| line.contains(" rows: "))
        .collect();
    assert_eq!(imported.len(), 8, "{out}");
    assert!(
        imported
            .iter()
            .all(|line| line.ends_with(" 0 duplicate, 0 rejected")),
        "{out}"
    );
    for part in ["grpcurl -plaintext", "timeline email:", "search '"] {
        assert!(out.contains(part), "{out}");
    }
    assert_eq!(
        std::fs::read_dir(dir.path()).expect("a directory").count(),
        0
    );
}

#[test]
fn the_demo_ends_by_ctrl_c_and_takes_its_data_along() {
    let dir = dir();
    let args = [
        "demo",
        "--grpc-address",
        "127.0.0.1:0",
        "--operations-address",
        "127.0.0.1:0",
    ];
    let mut demo = command(dir.path(), args);
    let mut child = demo
        .env("TMPDIR", dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output"))
        .lines()
        .map_while(Result::ok);
    assert!(
        lines.any(|line| line.starts_with("Ctrl-C ends the server")),
        "it ended by itself"
    );
    assert_eq!(
        std::fs::read_dir(dir.path()).expect("a directory").count(),
        1
    );
    let interrupted = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(interrupted.expect("kill").success());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert_eq!(
        std::fs::read_dir(dir.path()).expect("a directory").count(),
        0
    );
}
