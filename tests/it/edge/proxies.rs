//! The usual proxies with the configurations that `docs/operations.md` shows, and the usual clients
//! with their default limits: calls, streams and watches go through, and errors keep their code and
//! details.
//!
//! grpcio stands for C core (8 KiB of headers, 16 KiB at most), grpc-js for Node, grpc-java for
//! Netty (8 KiB), grpcurl for Go. What they need is installed by `tests/run`; where it is missing
//! these tests fail and say so.

use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use customer_profile::grpc::v1;
use prost::Message;
use tonic::Code;
use tonic_types::StatusExt;

use crate::clients::tools;
use crate::support::server::TestServer;
use crate::support::service::{by_record, upsert};

/// Far more than it takes: a bound for what never comes.
const PATIENCE: Duration = Duration::from_mins(1);

/// A proxy before a server. Dropped, it is killed.
struct Proxy {
    child: Child,
    address: String,
    _dir: tempfile::TempDir,
}

impl Proxy {
    /// Starts a proxy by its file in `tests/proxies`, of which only the addresses are changed.
    fn start(file: &str, server: &str, command: impl FnOnce(&Path, &Path) -> Command) -> Self {
        let dir = tempfile::TempDir::with_prefix("cp-proxy-").expect("a temporary directory");
        let port = TcpListener::bind("127.0.0.1:0")
            .expect("a port")
            .local_addr()
            .expect("its address")
            .port();
        let (_, server_port) = server.rsplit_once(':').expect("a port");
        let text = fs::read_to_string(repository().join("tests/proxies").join(file))
            .expect("a configuration");
        let text = text
            .replace("50051", server_port)
            .replace("50050", &port.to_string());
        let path = dir.path().join(file);
        fs::write(&path, text).expect("a file is written");
        let mut command = command(dir.path(), &path);
        let child = command.stdout(Stdio::null()).spawn();
        let child = child.unwrap_or_else(|error| {
            panic!("{command:?}: {error}: run tests/run, which installs it")
        });
        let mut proxy = Self {
            child,
            address: format!("127.0.0.1:{port}"),
            _dir: dir,
        };
        let started = Instant::now();
        while TcpStream::connect(&proxy.address).is_err() {
            assert!(started.elapsed() < PATIENCE, "{file} never listens");
            assert_eq!(
                proxy.child.try_wait().expect("a process"),
                None,
                "{file} ended"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        proxy
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A program of Debian, which puts servers where ordinary users do not look.
fn program(name: &str) -> Command {
    let path = Path::new("/usr/sbin").join(name);
    Command::new(if path.exists() {
        path
    } else {
        PathBuf::from(name)
    })
}

/// A call, and how it must end.
struct Case {
    name: &'static str,
    kind: &'static str,
    method: &'static str,
    /// How many messages to take before the call is cancelled; 0: all.
    take: usize,
    then: String,
    requests: Vec<Vec<u8>>,
    code: Code,
    messages: usize,
    /// Of a refusal.
    violations: usize,
}

const GET: &str = "/customer.profile.v1.ProfileService/GetProfile";
const WATCH: &str = "/customer.profile.v1.ProfileService/WatchProfiles";
const INGEST: &str = "/customer.profile.v1.IngestService/IngestStatements";
const STREAM: &str = "/customer.profile.v1.IngestService/StreamStatements";
const PLAN: &str = "/customer.profile.v1.ModelService/PlanModel";

fn said(version: i64) -> v1::IngestStatementsRequest {
    let given_name = format!("Ann {version}");
    let statements = vec![upsert(
        ("web", "1"),
        &[],
        &[("given_name", &given_name)],
        version,
    )];
    v1::IngestStatementsRequest { statements }
}

fn masked(paths: usize) -> Vec<u8> {
    let paths = (0..paths)
        .map(|index| format!("shoe_size_{index}"))
        .collect();
    let read_mask = (paths != Vec::<String>::new()).then_some(prost_types::FieldMask { paths });
    v1::GetProfileRequest {
        key: Some(by_record("web", "1")),
        read_mask,
        ..Default::default()
    }
    .encode_to_vec()
}

/// How a call ends: its code, and the numbers of messages and of violations.
type End = (Code, usize, usize);

fn ok(messages: usize) -> End {
    (Code::Ok, messages, 0)
}

fn refused(violations: usize) -> End {
    (Code::InvalidArgument, 0, violations)
}

fn case(
    name: &'static str,
    kind: &'static str,
    method: &'static str,
    requests: Vec<Vec<u8>>,
    end: End,
) -> Case {
    let (code, messages, violations) = end;
    Case {
        name,
        kind,
        method,
        take: 0,
        then: String::new(),
        requests,
        code,
        messages,
        violations,
    }
}

fn batch(version: i64, sequence: i64) -> Vec<u8> {
    let statements = said(version).statements;
    v1::StreamStatementsRequest {
        sequence,
        statements,
    }
    .encode_to_vec()
}

fn plan_with_mistakes(mistakes: usize) -> v1::PlanModelRequest {
    let wrong = (0..mistakes).map(|index| format!("  kind_{index}: {{ priority: 0 }}\n"));
    let wrong = format!(
        "identifiers:\n{}sources:\n  web: {{ trust: 50 }}\n",
        wrong.collect::<String>()
    );
    let file = v1::model_candidate::Content::File(wrong);
    let candidate = Some(v1::ModelCandidate {
        content: Some(file),
        weights: None,
    });
    v1::PlanModelRequest { candidate }
}

fn watch(keys: Vec<v1::ProfileKey>) -> Vec<u8> {
    v1::WatchProfilesRequest {
        keys,
        ..Default::default()
    }
    .encode_to_vec()
}

/// All calls of one client; `version` is greater than that of any client before.
fn cases(version: i64) -> Vec<Case> {
    let stream = (1..=20).map(|sequence| batch(version, sequence)).collect();
    let mut cases = vec![
        case(
            "write",
            "unary",
            INGEST,
            vec![said(version).encode_to_vec()],
            ok(1),
        ),
        case("read", "unary", GET, vec![masked(0)], ok(1)),
        case("stream", "stream", STREAM, stream, ok(20)),
        case(
            "bad keys",
            "stream",
            WATCH,
            vec![watch(vec![v1::ProfileKey::default(); 100])],
            refused(100),
        ),
        case(
            "mistakes",
            "stream",
            PLAN,
            vec![plan_with_mistakes(400).encode_to_vec()],
            (Code::InvalidArgument, 1, 400),
        ),
    ];
    for (name, paths) in [
        ("1 path", 1),
        ("14 paths", 14),
        ("20 paths", 20),
        ("100 paths", 100),
        ("400 paths", 400),
    ] {
        cases.push(case(
            name,
            "unary",
            GET,
            vec![masked(paths)],
            refused(paths),
        ));
    }
    // A snapshot; then, while it is watched, a write; then the change.
    let change = hex(&said(version + 1).encode_to_vec());
    cases.push(Case {
        take: 2,
        then: format!("{INGEST}={change}"),
        ..case(
            "watch",
            "stream",
            WATCH,
            vec![watch(vec![by_record("web", "1")])],
            ok(2),
        )
    });
    cases
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("memory");
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex"))
        .collect()
}

/// Runs a client's calls, and compares how each ended.
fn calls(what: &str, mut client: Command, cases: &[Case]) {
    let mut child = client
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("{client:?}: {error}: run tests/run, which installs what is missing");
        });
    let mut lines = child.stdin.take().expect("its input");
    for Case {
        name,
        kind,
        method,
        take,
        then,
        requests,
        ..
    } in cases
    {
        let requests: Vec<String> = requests.iter().map(|request| hex(request)).collect();
        writeln!(
            lines,
            "{name}\t{kind}\t{method}\t{take}\t{then}\t{}",
            requests.join(",")
        )
        .expect("it reads");
    }
    drop(lines);
    let output = child.wait_with_output().expect("it ends");
    let told = String::from_utf8(output.stdout).expect("text");
    assert_eq!(told.lines().count(), cases.len(), "{what}:\n{told}");
    for (line, case) in told.lines().zip(cases) {
        let [name, code, messages, details] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        assert_eq!(name, case.name);
        let code = Code::from_i32(code.parse().expect("a code"));
        assert_eq!(code, case.code, "{what}: {line}");
        let messages: usize = messages.parse().expect("a number");
        assert!(messages >= case.messages, "{what}: {line}");
        if code != Code::Ok {
            assert_eq!(
                violations(&unhex(details)),
                case.violations,
                "{what}: {line}"
            );
        }
    }
}

/// How many violations the details of a status list and leave out.
fn violations(details: &[u8]) -> usize {
    let status = tonic::Status::with_details(Code::InvalidArgument, "", details.to_vec().into());
    let details = status.get_error_details();
    let metadata = &details.error_info().expect("ErrorInfo").metadata;
    let left_out: usize = metadata
        .get("violations_left_out")
        .map_or(0, |text| text.parse().expect("a number"));
    details
        .bad_request()
        .expect("violations")
        .field_violations
        .len()
        + left_out
}

/// Debian's grpc-java and what it needs.
fn java(address: &str) -> Command {
    let jars = [
        "grpc-api",
        "grpc-context",
        "grpc-core",
        "grpc-netty",
        "guava",
        "perfmark-api",
        "netty-buffer",
        "netty-codec",
        "netty-codec-http",
        "netty-codec-http2",
        "netty-codec-socks",
        "netty-common",
        "netty-handler",
        "netty-handler-proxy",
        "netty-resolver",
        "netty-transport",
        "netty-transport-native-unix-common",
    ];
    let jars: Vec<String> = jars
        .iter()
        .map(|jar| format!("/usr/share/java/{jar}.jar"))
        .collect();
    for jar in &jars {
        assert!(
            Path::new(jar).exists(),
            "no {jar}: run tests/run, which installs it"
        );
    }
    let mut java = Command::new("java");
    java.args(["-XX:TieredStopAtLevel=1", "-cp", &jars.join(":")]);
    java.arg(repository().join("tests/clients/java/Cases.java"))
        .arg(address);
    java
}

/// All clients' calls against an address.
fn all_clients(route: &str, address: &str) {
    let clients = repository().join("tests/clients");
    let mut python = Command::new(tools().join("python"));
    python.arg(clients.join("python/cases.py")).arg(address);
    calls(&format!("grpcio, {route}"), python, &cases(10));
    let mut node = Command::new("node");
    node.arg(clients.join("node/cases.mjs")).arg(address);
    calls(&format!("grpc-js, {route}"), node, &cases(20));
    calls(&format!("grpc-java, {route}"), java(address), &cases(30));
    grpcurl(route, address);
}

/// Go's client: its exit code is the gRPC code, after 64.
fn grpcurl(route: &str, address: &str) {
    // This version takes a field mask as the message that it is.
    let paths: Vec<String> = (0..400)
        .map(|index| format!("\"shoe_size_{index}\""))
        .collect();
    let mask = format!(r#"{{"paths":[{}]}}"#, paths.join(","));
    let wrong =
        format!(r#"{{"key":{{"record":{{"source":"web","key":"1"}}}},"read_mask":{mask}}}"#);
    let right = r#"{"key":{"record":{"source":"web","key":"1"}}}"#;
    for (request, code, part) in [
        (right, 0, "profiles/"),
        (&wrong, 64 + 3, "violations_left_out"),
    ] {
        let mut grpcurl = Command::new(tools().join("grpcurl"));
        grpcurl.args(["-plaintext", "-d", request, address, &GET[1..]]);
        let output = grpcurl.output().expect("it runs");
        let told = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "grpcurl, {route}: {told}");
        assert!(told.contains(part), "grpcurl, {route}: {told}");
    }
}

/// A server of this test's own.
fn server() -> (tempfile::TempDir, TestServer, String) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = TestServer::start(&format!("sqlite://{}/cp.db", dir.path().display()));
    let address = server.address.trim_start_matches("http://").to_owned();
    (dir, server, address)
}

#[test]
fn errors_and_streams_reach_all_clients() {
    let (_dir, _server, address) = server();
    all_clients("no proxy", &address);
}

#[test]
fn errors_and_streams_go_through_nginx() {
    let (_dir, _server, address) = server();
    let proxy = Proxy::start("nginx.conf", &address, |dir, file| {
        let mut nginx = program("nginx");
        nginx
            .arg("-p")
            .arg(dir)
            .arg("-c")
            .arg(file)
            .args(["-g", "daemon off; master_process off;"]);
        nginx
    });
    all_clients("nginx", &proxy.address);
}

#[test]
fn errors_and_streams_go_through_haproxy() {
    let (_dir, _server, address) = server();
    let proxy = Proxy::start("haproxy.cfg", &address, |_, file| {
        let mut haproxy = program("haproxy");
        haproxy.arg("-db").arg("-f").arg(file);
        haproxy
    });
    all_clients("HAProxy", &proxy.address);
}

#[test]
fn errors_and_streams_go_through_envoy() {
    let (_dir, _server, address) = server();
    let proxy = Proxy::start("envoy.yaml", &address, |_, file| {
        let mut envoy = Command::new(tools().join("envoy"));
        envoy.arg("-c").arg(file).args([
            "--concurrency",
            "1",
            "--disable-hot-restart",
            "-l",
            "warn",
        ]);
        envoy
    });
    all_clients("Envoy", &proxy.address);
}

#[test]
fn the_documentation_shows_the_configurations_that_are_tested() {
    let page = fs::read_to_string(repository().join("docs/operations.md")).expect("the page");
    for file in ["nginx.conf", "haproxy.cfg", "envoy.yaml"] {
        let text = fs::read_to_string(repository().join("tests/proxies").join(file))
            .expect("a configuration");
        assert!(
            page.contains(text.trim_end()),
            "docs/operations.md does not show tests/proxies/{file} as it is"
        );
    }
}
