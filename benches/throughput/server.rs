//! The service, in a process of its own, as users run it.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};

/// The certificate of the servers that speak TLS.
static TRUSTED: OnceLock<String> = OnceLock::new();

/// Where a server is, and how it is spoken to.
pub(crate) fn endpoint(address: &str) -> Endpoint {
    let endpoint = Endpoint::from_shared(address.to_owned()).expect("an address");
    match TRUSTED.get().filter(|_| address.starts_with("https:")) {
        Some(certificate) => {
            let certificate = Certificate::from_pem(certificate);
            let tls = ClientTlsConfig::new().ca_certificate(certificate);
            endpoint.tls_config(tls).expect("TLS")
        }
        None => endpoint,
    }
}

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    /// Where it takes calls.
    pub(crate) address: String,
    /// Where its figures are.
    pub(crate) operations: String,
}

impl Server {
    /// Migrates a database and starts a server on it, with its defaults and what is given. Its log
    /// goes nowhere.
    pub(crate) async fn start_with(database_url: &str, settings: &[&str]) -> Self {
        Self::start_guarded(database_url, &[&["--insecure"], settings].concat()).await
    }

    /// The same, of a server that asks for credentials.
    pub(crate) async fn start_guarded(database_url: &str, settings: &[&str]) -> Self {
        let program = env!("CARGO_BIN_EXE_customer-profile");
        let status = Command::new(program)
            .args(["migrate", "--database-url", database_url])
            .stdout(Stdio::null())
            .status()
            .expect("migrates");
        assert!(status.success(), "the database could not be migrated");
        let (grpc, operations) = (free_port(), free_port());
        let mut command = Command::new(program);
        command.args(["serve", "--database-url", database_url]);
        command.args(["--grpc-address", &format!("127.0.0.1:{grpc}")]);
        let operations = format!("127.0.0.1:{operations}");
        command
            .args(["--operations-address", &operations])
            .args(settings);
        let mut settings = settings.iter();
        let certificate = settings.find_map(|setting| setting.strip_prefix("tls.certificate="));
        if let Some(path) = certificate {
            TRUSTED.get_or_init(|| std::fs::read_to_string(path).expect("a certificate"));
        }
        let scheme = certificate.map_or("http", |_| "https");
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a server");
        let server = Self {
            child,
            address: format!("{scheme}://127.0.0.1:{grpc}"),
            operations,
        };
        wait_for(grpc).await;
        server.ready().await;
        server
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    async fn ready(&self) {
        let channel = endpoint(&self.address).connect_lazy();
        let mut health = tonic_health::pb::health_client::HealthClient::new(channel);
        let serving = tonic_health::pb::health_check_response::ServingStatus::Serving;
        for _ in 0..500 {
            let request = tonic_health::pb::HealthCheckRequest {
                service: String::new(),
            };
            if health
                .check(request)
                .await
                .is_ok_and(|answer| answer.get_ref().status() == serving)
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the server did not become ready");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().expect("a child to end");
        self.child.wait().expect("its end");
    }
}

/// How long all threads of a process have run on a processor (Linux:
/// `/proc/PID/task/TID/schedstat`, nanoseconds first).
pub(crate) fn cpu_seconds(pid: u32) -> f64 {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task"))
        .expect("a running process")
        .flatten();
    let ran = threads.filter_map(|thread| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<f64>().ok()
    });
    ran.sum::<f64>() / 1e9
}

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").port()
}

/// Waits until somebody listens.
pub(crate) async fn wait_for(port: u16) {
    for _ in 0..500 {
        if tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .is_ok()
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("nobody listens on port {port}");
}
