//! `watch`: what it prints, and that it goes on whatever becomes of the server.

use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value as Json;

use super::{HEADER, database, dir, write};
use crate::support::program::{command, run, say};
use crate::support::server::TestServer;

/// Far more than it takes: a bound for what never comes.
const PATIENCE: Duration = Duration::from_mins(1);

/// An address that stays, whichever server is behind it.
struct Door {
    address: String,
    /// Where it leads.
    behind: Arc<Mutex<String>>,
}

impl Door {
    fn to(server: &TestServer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("its address"));
        let door = Self {
            address,
            behind: Arc::default(),
        };
        door.lead_to(server);
        let behind = door.behind.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let behind = behind.lock().expect("unpoisoned").clone();
                // Nobody is there: the client is shut out, as by a port at which nobody listens.
                let Ok(server) = TcpStream::connect(behind) else {
                    continue;
                };
                let both = |socket: &TcpStream| socket.try_clone().expect("a socket");
                carry(both(&client), both(&server));
                carry(server, client);
            }
        });
        door
    }

    fn lead_to(&self, server: &TestServer) {
        let address = server.address.trim_start_matches("http://");
        address.clone_into(&mut self.behind.lock().expect("unpoisoned"));
    }
}

/// Carries bytes one way; when one side ends, so does the other.
fn carry(mut from: TcpStream, mut to: TcpStream) {
    std::thread::spawn(move || {
        // An error is an end like any other.
        drop(std::io::copy(&mut from, &mut to));
        drop(to.shutdown(std::net::Shutdown::Both));
    });
}

/// The command at work. Dropped, it is killed.
struct Watching {
    child: Child,
    lines: Receiver<String>,
}

impl Watching {
    fn start(dir: &Path, line: &str) -> Self {
        let mut child = spawn(dir, line);
        let out = BufReader::new(child.stdout.take().expect("its standard output"));
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                // A test that waits for nothing more does not listen.
                drop(send.send(line));
            }
        });
        Self { child, lines }
    }

    #[track_caller]
    fn next(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line")
    }

    /// The next message of those that are printed as JSON.
    #[track_caller]
    fn message(&self) -> Json {
        let mut text = String::new();
        loop {
            text.push_str(&self.next());
            if let Ok(message) = serde_json::from_str(&text) {
                return message;
            }
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn spawn(dir: &Path, line: &str) -> Child {
    let mut command = command(dir, line.split_whitespace());
    command
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program runs")
}

/// Says what Ann is called now, by which record.
fn name(dir: &Path, server: &TestServer, record: &str, name: &str) {
    write(
        dir,
        "ann.csv",
        format!("{HEADER}{record},{name},Miller,ann@shop.com,,,,,,\n"),
    );
    let args = [
        "import",
        "ann.csv",
        "--source",
        "web",
        "--kind",
        "customers",
        "--server",
        &server.address,
    ];
    run(dir, args).ok();
}

#[test]
fn watch_tells_of_a_customer_line_by_line_and_goes_on_when_the_server_comes_back() {
    let dir = dir();
    let mut server = TestServer::start(&database(dir.path()));
    let door = Door::to(&server);
    let watching = Watching::start(
        dir.path(),
        &format!("watch email:ann@shop.com --server {}", door.address),
    );
    assert_eq!(watching.next(), "(no profile for key 0 yet)");
    name(dir.path(), &server, "w1", "Ann");
    let begun = watching.next();
    let (profile, revision) = begun
        .split_once("  is at revision ")
        .expect("the profile as it is");
    assert!(profile.starts_with("profiles/"), "{begun}");
    assert_eq!(revision, "1");
    name(dir.path(), &server, "w1", "Anne");
    assert_eq!(watching.next(), format!("{profile}  r2  traits.given_name"));
    for revision in [3, 4, 5] {
        server.kill();
        server = TestServer::start(&database(dir.path()));
        // Said while the command knows of no server: what it missed is told when it has found one,
        // and nothing twice.
        name(dir.path(), &server, "w1", &format!("Ann{revision}"));
        door.lead_to(&server);
        assert_eq!(
            watching.next(),
            format!("{profile}  r{revision}  traits.given_name")
        );
    }
}

#[test]
fn watch_prints_json_and_resumes_by_any_token_of_it() {
    let dir = dir();
    let server = TestServer::start(&database(dir.path()));
    let all = format!("watch --output json --server {}", server.address);
    let watching = Watching::start(dir.path(), &all);
    let begun = watching.message();
    assert_eq!(
        begun["heartbeat"],
        Json::Object(serde_json::Map::default()),
        "{begun}"
    );
    let mut messages = vec![begun];
    for version in 1..=4 {
        name(dir.path(), &server, "w1", &format!("Ann{version}"));
        messages.push(watching.message());
    }
    let last = &messages[4]["change"]["change"];
    assert_eq!(
        (&last["kind"], &last["revision"]),
        (&"CHANGE_KIND_UPDATED".into(), &"4".into()),
        "{last}"
    );
    drop(watching);
    for (place, message) in messages.iter().enumerate().take(4) {
        let token = message["resumeToken"].as_str().expect("a token");
        let resumed = Watching::start(dir.path(), &format!("{all} --resume {token}"));
        for expected in &messages[place + 1..] {
            assert_eq!(resumed.message(), *expected, "after message {place}");
        }
    }
    let told = say(dir.path(), &format!("{all} --resume nonsense")).failed(1);
    assert!(told.contains("RESUME_TOKEN_INVALID"), "{told}");
}

/// `watch | head -1`: there is nobody left to tell.
#[test]
fn watch_ends_when_its_reader_has_gone() {
    let dir = dir();
    let server = TestServer::start(&database(dir.path()));
    let mut child = spawn(
        dir.path(),
        &format!("watch email:ann@shop.com --server {}", server.address),
    );
    let mut out: ChildStdout = child.stdout.take().expect("its standard output");
    out.read_exact(&mut [0; 1])
        .expect("the beginning of a line");
    drop(out);
    // It learns of it by the next line that it has to print.
    name(dir.path(), &server, "w1", "Ann");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}
