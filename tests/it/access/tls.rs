//! TLS of the gRPC port: with real clients, with clients' certificates, and with files that are
//! replaced while the server runs.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use tonic::transport::{Certificate, Channel, ClientTlsConfig};

use crate::clients::tools;
use crate::support::program::{Run, run};
use crate::support::server::TestServer;

/// An authority that signs certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// A certificate for a name, and its key.
    fn sign(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new([name.to_owned()]).expect("parameters");
        let signed = params.signed_by(&key, &self.issuer).expect("a certificate");
        (signed.pem(), key.serialize_pem())
    }
}

/// Files as Kubernetes mounts a secret: links to a directory that is itself a link.
struct Mounted(TempDir);

impl Mounted {
    fn new(files: &[(&str, &str)]) -> Self {
        let mounted = Self(TempDir::new().expect("a directory"));
        mounted.replace("1", files);
        for (name, _) in files {
            symlink(Path::new("..data").join(name), mounted.path(name)).expect("a link");
        }
        mounted
    }

    /// Puts other contents in place of all files at once.
    fn replace(&self, version: &str, files: &[(&str, &str)]) {
        let dir = self.path(&format!("..{version}"));
        fs::create_dir(&dir).expect("a directory");
        for (name, content) in files {
            fs::write(dir.join(name), content).expect("a file");
        }
        let link = self.path("..data_tmp");
        symlink(&dir, &link).expect("a link");
        fs::rename(link, self.path("..data")).expect("a link");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The settings of a server with these files.
    fn settings(&self, names: &[(&str, &str)]) -> Vec<String> {
        let mut settings = vec!["--set".to_owned(), "tls.reload_interval=100ms".to_owned()];
        for (key, name) in names {
            settings.push("--set".to_owned());
            settings.push(format!("tls.{key}={}", self.path(name).display()));
        }
        settings
    }
}

fn start(dir: &TempDir, settings: &[String]) -> TestServer {
    let url = format!("sqlite://{}/cp.db", dir.path().display());
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let server = TestServer::start_unready(&url, &settings);
    server.wait_for("ready");
    server
}

fn port(server: &TestServer) -> &str {
    server.address.rsplit(':').next().expect("a port")
}

/// `customer-profile segment list` over TLS.
fn list(server: &TestServer, more: &[&str]) -> Run {
    let url = format!("https://localhost:{}", port(server));
    let args = ["segment", "list", "--server", &url];
    run(Path::new("/"), args.iter().chain(more))
}

/// Whether a new connection is answered under a certificate of this authority.
async fn is_trusted(server: &TestServer, authority: &Authority) -> bool {
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(&authority.pem))
        .domain_name("localhost");
    let url = format!("https://127.0.0.1:{}", port(server));
    let endpoint = Channel::from_shared(url).expect("a URL");
    let endpoint = endpoint.tls_config(tls).expect("settings");
    endpoint.connect().await.is_ok()
}

async fn until_trusted(server: &TestServer, authority: &Authority) {
    while !is_trusted(server, authority).await {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_connect_over_tls_and_only_to_whom_they_trust() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let (certificate, key) = authority.sign("localhost");
    let files = Mounted::new(&[
        ("tls.crt", &certificate),
        ("tls.key", &key),
        ("ca.crt", &authority.pem),
        ("other.crt", &stranger.pem),
    ]);
    let dir = TempDir::new().expect("a directory");
    let server = start(
        &dir,
        &files.settings(&[("certificate", "tls.crt"), ("key", "tls.key")]),
    );
    let (ca, other) = (files.path("ca.crt"), files.path("other.crt"));
    let (ca, other) = (ca.to_str().expect("UTF-8"), other.to_str().expect("UTF-8"));
    list(&server, &["--ca", ca]).ok();
    // Trusted by nobody, by another authority, and under another name.
    assert!(list(&server, &[]).failed(1).contains("no server answers"));
    assert!(
        list(&server, &["--ca", other])
            .failed(1)
            .contains("no server answers")
    );
    let by_address = format!("https://127.0.0.1:{}", port(&server));
    let args = ["segment", "list", "--server", &by_address, "--ca", ca];
    assert!(
        run(Path::new("/"), args)
            .failed(1)
            .contains("not valid for name")
    );
    // A client that speaks no TLS, and settings that make no sense.
    let plain = format!("http://localhost:{}", port(&server));
    let args = ["segment", "list", "--server", plain.as_str()];
    assert_ne!(run(Path::new("/"), args).code, Some(0));
    let args = args.iter().copied().chain(["--ca", ca]);
    assert!(
        run(Path::new("/"), args)
            .failed(1)
            .contains("are for https")
    );

    let called = Command::new(tools().join("grpcurl"))
        .args(["-cacert", ca, &format!("localhost:{}", port(&server))])
        .arg("grpc.health.v1.Health/Check")
        .output()
        .expect("grpcurl");
    let said = String::from_utf8_lossy(&called.stdout);
    assert!(
        said.contains("SERVING"),
        "{said}{}",
        String::from_utf8_lossy(&called.stderr)
    );
    let (_, metrics) = server.http("/metrics");
    let refused = "customer_profile_connections_closed_total{port=\"grpc\",reason=\"handshake\"} ";
    let count = metrics.lines().find_map(|line| line.strip_prefix(refused));
    assert!(
        count.expect("a figure").parse::<u64>().expect("a number") >= 3,
        "{metrics}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_clients_need_a_certificate_none_connects_without() {
    let (authority, clients, stranger) = (Authority::new(), Authority::new(), Authority::new());
    let (certificate, key) = authority.sign("localhost");
    let (client, client_key) = clients.sign("agent");
    let (foreign, foreign_key) = stranger.sign("agent");
    let files = Mounted::new(&[
        ("tls.crt", &certificate),
        ("tls.key", &key),
        ("ca.crt", &authority.pem),
        ("clients.crt", &clients.pem),
        ("client.crt", &client),
        ("client.key", &client_key),
        ("foreign.crt", &foreign),
        ("foreign.key", &foreign_key),
    ]);
    let dir = TempDir::new().expect("a directory");
    let settings = [
        ("certificate", "tls.crt"),
        ("key", "tls.key"),
        ("client_ca", "clients.crt"),
    ];
    let server = start(&dir, &files.settings(&settings));
    let path = |name: &str| files.path(name).to_str().expect("UTF-8").to_owned();
    let ca = path("ca.crt");
    let with = |name: &str| {
        let (certificate, key) = (path(&format!("{name}.crt")), path(&format!("{name}.key")));
        list(
            &server,
            &[
                "--ca",
                &ca,
                "--client-certificate",
                &certificate,
                "--client-key",
                &key,
            ],
        )
    };
    with("client").ok();
    assert_ne!(with("foreign").code, Some(0));
    assert_ne!(list(&server, &["--ca", &ca]).code, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_files_are_taken_up_and_broken_ones_change_nothing() {
    let [first, second, third] = [(); 3].map(|()| Authority::new());
    let (certificate, key) = first.sign("localhost");
    let files = Mounted::new(&[("tls.crt", &certificate), ("tls.key", &key)]);
    let dir = TempDir::new().expect("a directory");
    let server = start(
        &dir,
        &files.settings(&[("certificate", "tls.crt"), ("key", "tls.key")]),
    );
    assert!(is_trusted(&server, &first).await && !is_trusted(&server, &second).await);

    let (certificate, key) = second.sign("localhost");
    files.replace("2", &[("tls.crt", &certificate), ("tls.key", &key)]);
    until_trusted(&server, &second).await;
    server.wait_for("TLS: a new certificate is in use");

    // The key of another certificate, a key that is none, nothing at all.
    let (certificate, _) = third.sign("localhost");
    let (_, other_key) = third.sign("localhost");
    for (version, key) in [("3", other_key.as_str()), ("4", "no key"), ("5", "")] {
        files.replace(version, &[("tls.crt", &certificate), ("tls.key", key)]);
        if version == "3" {
            let told = server.wait_for("began to fail; further failures are counted, not logged");
            assert!(
                told.to_string().contains("TLS certificate and key"),
                "{told}"
            );
            assert!(told.to_string().contains("tls.crt"), "{told}");
        }
        assert!(is_trusted(&server, &second).await, "{version}");
    }
    let (_, metrics) = server.http("/metrics");
    let failing = "customer_profile_trouble_active{what=\"TLS certificate and key\"} 1";
    assert!(metrics.contains(failing), "{metrics}");

    let (certificate, key) = third.sign("localhost");
    files.replace("6", &[("tls.crt", &certificate), ("tls.key", &key)]);
    until_trusted(&server, &third).await;
    assert!(!is_trusted(&server, &second).await);
    server.wait_for("works again");
    let (_, metrics) = server.http("/metrics");
    assert!(
        metrics.contains("customer_profile_tls_reloads_total 2"),
        "{metrics}"
    );
}

#[test]
fn files_that_cannot_be_used_at_the_start_are_told_and_nothing_is_served() {
    let (certificate, key) = Authority::new().sign("localhost");
    let (_, other_key) = Authority::new().sign("localhost");
    let files = Mounted::new(&[
        ("tls.crt", &certificate),
        ("tls.key", &key),
        ("other.key", &other_key),
        ("none.pem", "nothing"),
    ]);
    let serve = |settings: &[(&str, &str)]| {
        let mut args: Vec<String> = ["serve", "--insecure", "--grpc-address", "127.0.0.1:0"]
            .map(str::to_owned)
            .to_vec();
        args.extend(["--operations-address".to_owned(), "127.0.0.1:0".to_owned()]);
        args.extend(files.settings(settings));
        run(files.0.path(), &args).failed(1)
    };
    for (settings, told) in [
        (
            &[("certificate", "tls.crt"), ("key", "other.key")][..],
            "other.key",
        ),
        (
            &[("certificate", "none.pem"), ("key", "tls.key")],
            "no certificate in PEM",
        ),
        (
            &[("certificate", "tls.crt"), ("key", "none.pem")],
            "no private key",
        ),
        (
            &[("certificate", "gone"), ("key", "tls.key")],
            "No such file",
        ),
        (
            &[
                ("certificate", "tls.crt"),
                ("key", "tls.key"),
                ("client_ca", "none.pem"),
            ],
            "no certificate in PEM",
        ),
        (
            &[("certificate", "tls.crt")],
            "`tls.certificate` needs `tls.key`",
        ),
        (
            &[("client_ca", "tls.crt")],
            "`tls.client_ca` needs `tls.certificate`",
        ),
    ] {
        let error = serve(settings);
        assert!(error.contains(told), "{settings:?}: {error}");
    }
}
