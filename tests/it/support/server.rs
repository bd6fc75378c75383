//! The server as a process of its own, on a database of the test's choice; to be killed, or stopped
//! in peace.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value as Json;

use super::program::command;

/// Far more than it takes: a bound for what never comes.
const PATIENCE: Duration = Duration::from_mins(1);

/// Arguments of a server that asks for credentials, as few tests want it.
pub(crate) const SECURE: [&str; 2] = ["--set", "auth.insecure=false"];

/// A running server. Dropped, it is killed.
pub(crate) struct TestServer {
    child: Child,
    lines: Receiver<Json>,
    reading: Option<JoinHandle<()>>,
    /// Where gRPC listens: `http://127.0.0.1:PORT`.
    pub(crate) address: String,
    /// Where `/metrics`, `/livez` and `/readyz` are: `127.0.0.1:PORT`.
    pub(crate) operations: String,
}

impl TestServer {
    /// Starts a server on a database, and waits until it is ready.
    pub(crate) fn start(database_url: &str) -> Self {
        let server = Self::start_unready(database_url, &[]);
        server.wait_for("ready");
        server
    }

    /// Starts a server with more arguments, and waits until it listens.
    pub(crate) fn start_unready(database_url: &str, more: &[&str]) -> Self {
        Self::start_unready_in(database_url, more, &[])
    }

    /// The same, with variables in its environment.
    pub(crate) fn start_unready_in(
        database_url: &str,
        more: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        Self::start_by(
            |dir, args| command(dir, args),
            database_url,
            more,
            environment,
        )
    }

    /// A server with this limit of file descriptors.
    pub(crate) fn start_with_descriptors(limit: u32, database_url: &str, more: &[&str]) -> Self {
        let limited = |dir: &Path, args: Vec<&str>| {
            let program = command(dir, args.clone());
            let mut shell = Command::new("sh");
            shell
                .current_dir(dir)
                .stdin(Stdio::null())
                .args(["-c", &format!("ulimit -n {limit}; exec \"$0\" \"$@\"")]);
            shell.arg(program.get_program()).args(args);
            shell
        };
        Self::start_by(limited, database_url, more, &[])
    }

    fn start_by(
        command: impl FnOnce(&Path, Vec<&str>) -> Command,
        database_url: &str,
        more: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let mut args = vec![
            "serve",
            "--database-url",
            database_url,
            "--log-format",
            "json",
        ];
        if !more.contains(&"--grpc-address") {
            args.extend([
                "--grpc-address",
                "127.0.0.1:0",
                "--operations-address",
                "127.0.0.1:0",
            ]);
        }
        if !more.contains(&SECURE[1]) {
            args.extend(["--insecure", "--set", "auth.insecure_any_address=true"]);
        }
        args.extend(["--set", "grpc.lame_duck=0s"]);
        args.extend(more);
        let mut child = command(Path::new("/"), args)
            .envs(environment.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let stderr = child.stderr.take().expect("its standard error");
        let (send, lines) = channel();
        let reading = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                // What is no JSON is an error at the start, or a panic; it is for the reader of a
                // failed test.
                let line = serde_json::from_str(&line).unwrap_or(Json::String(line));
                // A test that waits for nothing more does not listen.
                drop(send.send(line));
            }
        });
        let (address, operations) = (String::new(), String::new());
        let mut server = Self {
            child,
            lines,
            reading: Some(reading),
            address,
            operations,
        };
        let listening = server.wait_for("listening");
        server.address = format!("http://{}", listening["grpc"].as_str().expect("an address"));
        listening["operations"]
            .as_str()
            .expect("an address")
            .clone_into(&mut server.operations);
        server
    }

    /// Waits for a line of the log with this message.
    #[track_caller]
    pub(crate) fn wait_for(&self, message: &str) -> Json {
        let mut seen = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            if line["message"] == message {
                return line;
            }
            seen.push(line.to_string());
        }
        panic!("the server never said `{message}`:\n{}", seen.join("\n"));
    }

    /// Whether a line with this message has come that nobody has taken yet. Takes all that there
    /// are.
    pub(crate) fn has_said(&self, message: &str) -> bool {
        self.lines
            .try_iter()
            .filter(|line| line["message"] == message)
            .count()
            > 0
    }

    /// The next line of a target.
    pub(crate) fn wait_for_target(&self, target: &str) -> Json {
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            if line["target"] == target {
                return line;
            }
        }
        panic!("the server wrote no line of `{target}`");
    }

    /// Asks the operations side: status and body.
    pub(crate) fn http(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.operations).expect("a connection");
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        )
        .expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        (
            head.split(' ')
                .nth(1)
                .and_then(|code| code.parse().ok())
                .expect("a status"),
            body.to_owned(),
        )
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    /// Asks it to end, and waits.
    pub(crate) fn stop(mut self) -> ExitStatus {
        self.signal("TERM");
        self.child.wait().expect("it ends")
    }

    /// Waits until it has ended by itself, or by what it was told before.
    pub(crate) fn ended(mut self) -> ExitStatus {
        self.child.wait().expect("it ends")
    }

    /// Asks it to end, waits, and answers what it said meanwhile.
    pub(crate) fn stop_and_read(mut self) -> (ExitStatus, Vec<String>) {
        self.signal("TERM");
        let status = self.child.wait().expect("it ends");
        (
            status,
            self.lines.iter().map(|line| line.to_string()).collect(),
        )
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, by name.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.child.id().to_string())
            .status();
        assert!(sent.expect("kill").success());
    }

    fn end(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
        if let Some(reading) = self.reading.take() {
            drop(reading.join());
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.end();
    }
}
