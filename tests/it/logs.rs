//! The log's output stalls, breaks or is full: calls are answered, probes too, the end comes in
//! time, and what is lost is told.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use customer_profile::grpc::v1;
use customer_profile::grpc::v1::profile_service_client::ProfileServiceClient;
use tempfile::TempDir;

use crate::support::program::command;
use crate::support::server::TestServer;
use crate::support::service::by_identifier;

/// Far more than it takes: a bound for what never comes.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server whose standard error goes where the test says. Dropped, it is killed.
struct Server {
    child: Child,
    grpc: String,
    operations: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port")
        .port()
}

impl Server {
    fn start(dir: &Path, stderr: Stdio, more: &[&str]) -> Self {
        let (grpc, operations) = (
            format!("127.0.0.1:{}", free_port()),
            format!("127.0.0.1:{}", free_port()),
        );
        let mut args = vec![
            "serve",
            "--insecure",
            "--database-url",
            "sqlite://cp.db",
            "--grpc-address",
            &grpc,
        ];
        args.extend([
            "--operations-address",
            &operations,
            "--set",
            "grpc.lame_duck=0s",
            "--set",
            "grpc.drain=2s",
        ]);
        args.extend(more);
        let child = command(dir, args)
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .expect("the server starts");
        let server = Self {
            child,
            grpc: format!("http://{grpc}"),
            operations,
        };
        let began_at = Instant::now();
        while server
            .http("/readyz")
            .is_none_or(|(status, _)| status != 200)
        {
            assert!(began_at.elapsed() < PATIENCE, "the server is not ready");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// Status and body; `None` where nobody answers.
    fn http(&self, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(&self.operations).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        )
        .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    }

    fn metric(&self, name: &str) -> u64 {
        let (_, text) = self.http("/metrics").expect("metrics");
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        value.unwrap_or_else(|| panic!("no {name} in\n{text}"))
    }

    /// Calls until a condition holds.
    async fn call_until(&self, is_done: impl Fn(&Self) -> bool) {
        let mut client = ProfileServiceClient::connect(self.grpc.clone())
            .await
            .expect("a connection");
        let began_at = Instant::now();
        while !is_done(self) {
            assert!(began_at.elapsed() < PATIENCE, "it never came");
            for _ in 0..50 {
                let key = Some(by_identifier("email", "nobody@shop.com"));
                let request = v1::GetProfileRequest {
                    key,
                    ..Default::default()
                };
                let answered = tokio::time::timeout(PATIENCE, client.get_profile(request))
                    .await
                    .expect("an answer");
                assert_eq!(answered.expect_err("nobody").code(), tonic::Code::NotFound);
            }
        }
    }

    fn lives(&self) {
        for path in ["/livez", "/readyz", "/metrics"] {
            assert_eq!(self.http(path).expect(path).0, 200, "{path}");
        }
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.child.id().to_string())
            .status();
        assert!(sent.expect("kill").success());
    }

    /// Ends in peace, within seconds.
    fn stop(&mut self) {
        self.signal("TERM");
        let began_at = Instant::now();
        let status = loop {
            match self.child.try_wait().expect("a child") {
                Some(status) => break status,
                None => std::thread::sleep(Duration::from_millis(20)),
            }
            assert!(
                began_at.elapsed() < Duration::from_secs(30),
                "it does not end"
            );
        };
        assert_eq!(status.code(), Some(0));
    }
}

/// Many and long lines, none left out.
const TALKATIVE: [&str; 4] = [
    "--set",
    "log.filter=trace",
    "--set",
    "log.max_lines_per_second=1000000",
];

const LOST: &str = "customer_profile_log_lines_lost_total";

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_the_log_that_stalls_stops_nothing() {
    let dir = TempDir::new().expect("a directory");
    let mut server = Server::start(dir.path(), Stdio::piped(), &TALKATIVE);
    let stderr = server.child.stderr.take().expect("its standard error");
    server.call_until(|server| server.metric(LOST) > 0).await;
    server.lives();

    // The reader goes on: the first line after the gap says how many are missing.
    let reading = std::thread::spawn(move || {
        let mut lines = BufReader::new(stderr).lines();
        let told = lines
            .by_ref()
            .map(|line| line.expect("UTF-8"))
            .find(|line| line.contains("log lines were lost"));
        // From now on it stalls again.
        (told, lines)
    });
    server.call_until(|_| reading.is_finished()).await;
    let (told, stalled) = reading.join().expect("no panic");
    assert!(told.expect("a line").contains("lost="));
    let lost = server.metric(LOST);
    server.call_until(|server| server.metric(LOST) > lost).await;
    server.stop();
    drop(stalled);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_reads_any_more_stops_nothing() {
    let dir = TempDir::new().expect("a directory");
    let full = || {
        OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .expect("/dev/full")
    };
    for closes in [true, false] {
        let stderr = if closes {
            Stdio::piped()
        } else {
            full().into()
        };
        let mut server = Server::start(dir.path(), stderr, &[]);
        drop(server.child.stderr.take());
        server
            .call_until(|server| {
                server.metric("customer_profile_trouble_failures_total{what=\"log output\"}") > 0
            })
            .await;
        assert_eq!(
            server.metric("customer_profile_trouble_active{what=\"log output\"}"),
            1
        );
        server.lives();
        server.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_file_is_opened_again_by_its_name() {
    let dir = TempDir::new().expect("a directory");
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap_or_default();
    let mut server = Server::start(dir.path(), Stdio::null(), &["--set", "log.file=cp.log"]);
    std::fs::rename(dir.path().join("cp.log"), dir.path().join("cp.log.1")).expect("rotated");
    server.signal("HUP");
    let began_at = Instant::now();
    while !read("cp.log").contains("reloaded") {
        assert!(
            began_at.elapsed() < PATIENCE,
            "{}\n{}",
            read("cp.log.1"),
            read("cp.log")
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(read("cp.log.1").contains("listening") && !read("cp.log").contains("listening"));
    server
        .call_until(|_| read("cp.log").contains("NOT_FOUND"))
        .await;
    server.stop();
    assert!(read("cp.log").contains("stopped"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_size_limit_costs_log_lines_and_nothing_else() {
    let dir = TempDir::new().expect("a directory");
    let log = File::create(dir.path().join("cp.log")).expect("a file");
    log.set_len(1 << 20).expect("a length");
    let mut server = Server::start(dir.path(), Stdio::from(append(dir.path())), &[]);
    let limited = Command::new("prlimit")
        .args(["--fsize=1048576", "--pid"])
        .arg(server.child.id().to_string())
        .status();
    assert!(limited.expect("prlimit").success());
    server
        .call_until(|server| {
            server.metric("customer_profile_trouble_failures_total{what=\"log output\"}") > 0
        })
        .await;
    server.lives();
    server.stop();
}

fn append(dir: &Path) -> File {
    OpenOptions::new()
        .append(true)
        .open(dir.join("cp.log"))
        .expect("a file")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_calls_does_not_flood_the_log() {
    let dir = TempDir::new().expect("a directory");
    let settings = [
        "--set",
        "log.file=cp.log",
        "--set",
        "log.max_lines_per_second=5",
    ];
    let mut server = Server::start(dir.path(), Stdio::null(), &settings);
    let left_out = "customer_profile_log_lines_left_out_total{kind=\"call\"}";
    server
        .call_until(|server| server.metric(left_out) > 500)
        .await;
    server.stop();
    let text = std::fs::read_to_string(dir.path().join("cp.log")).expect("a log");
    let told = text
        .lines()
        .filter(|line| line.contains("calls were left out of the log"))
        .collect::<Vec<_>>();
    assert!(told.iter().any(|line| line.contains("NOT_FOUND")), "{text}");
    let lines = text
        .lines()
        .filter(|line| line.contains("duration_us"))
        .count();
    assert!(lines < 500, "{lines}");
}

#[test]
fn a_server_writes_what_is_wrong_at_its_end_and_ends() {
    // The error of a server that cannot start reaches standard error after its log lines.
    let dir = TempDir::new().expect("a directory");
    std::fs::write(
        dir.path().join("cp.db"),
        "this is no database, and longer than a header of one would be, by far: \
        a hundred bytes are read",
    )
    .expect("a file");
    let run = crate::support::program::say(
        dir.path(),
        "serve --database-url sqlite://cp.db --grpc-address 127.0.0.1:0 \
        --operations-address 127.0.0.1:0",
    );
    assert!(run.failed(1).contains("error: "));
}

#[test]
fn the_log_of_a_server_that_ends_is_whole() {
    let dir = TempDir::new().expect("a directory");
    let server = TestServer::start(&format!("sqlite://{}", dir.path().join("cp.db").display()));
    server.signal("TERM");
    server.wait_for("stopped");
}

/// The lines of a server at a terminal of its own, up to the one that says that it listens.
fn lines_at_a_terminal(dir: &Path, no_color: Option<&str>) -> String {
    let url = format!("sqlite://{}", dir.join("cp.db").display());
    let args = [
        "serve",
        "--database-url",
        &url,
        "--grpc-address",
        "127.0.0.1:0",
    ];
    let program = command(dir, args);
    let words: Vec<String> = std::iter::once(program.get_program())
        .chain(program.get_args())
        .map(|word| format!("'{}'", word.to_string_lossy()))
        .collect();
    // `script` gives the program a terminal; its shell tells whom to end.
    let line = format!(
        "echo process $$; exec {} --operations-address 127.0.0.1:0",
        words.join(" ")
    );
    let mut script = Command::new("script");
    script
        .args(["--quiet", "--flush", "--command", &line, "/dev/null"])
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .env_remove("NO_COLOR")
        .env("TERM", "xterm");
    if let Some(no_color) = no_color {
        script.env("NO_COLOR", no_color);
    }
    let mut child = script.spawn().expect("script, of the package bsdutils");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let mut said = String::new();
    let mut process = None;
    for line in lines.by_ref().map_while(Result::ok) {
        if let Some(id) = line.trim().strip_prefix("process ") {
            process = Some(id.to_owned());
        } else {
            said += &line;
            said.push('\n');
        }
        if line.contains("listening") {
            break;
        }
    }
    let process = process.expect("a process");
    let ended = Command::new("kill").args(["-TERM", &process]).status();
    assert!(ended.expect("kill").success());
    lines.for_each(drop);
    child.wait().expect("it ends");
    said
}

#[test]
fn a_terminal_has_colours_unless_no_color_is_set() {
    const ESCAPE: &str = "\x1b[";
    let dir = TempDir::new().expect("a directory");
    for (no_color, coloured) in [(None, true), (Some(""), true), (Some("1"), false)] {
        let said = lines_at_a_terminal(dir.path(), no_color);
        assert!(said.contains("listening"), "{said}");
        assert_eq!(said.contains(ESCAPE), coloured, "{no_color:?}: {said:?}");
    }
}
