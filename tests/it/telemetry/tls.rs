//! A collector over TLS: trusted by `telemetry.otlp_certificate`, or told once that it is not.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;
use tonic::transport::Identity;
use tonic::transport::server::TcpIncoming;

use super::{BEGAN, PATIENCE, TRACES, call, collect, metric, start_with, wait_for};

/// A certificate that nobody else has signed, for this machine, and its key.
struct Certificate {
    pem: String,
    key: String,
}

impl Certificate {
    fn new() -> Self {
        let made =
            rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
        Self {
            pem: made.cert.pem(),
            key: made.signing_key.serialize_pem(),
        }
    }

    fn identity(&self) -> Identity {
        Identity::from_pem(&self.pem, &self.key)
    }

    fn write(&self, dir: &TempDir) -> PathBuf {
        let path = dir.path().join("authority.pem");
        fs::write(&path, &self.pem).expect("a file");
        path
    }
}

/// A port on loopback, and the settings that lead to it over TLS.
fn listen() -> (TcpIncoming, String) {
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let address = incoming.local_addr().expect("its address");
    let endpoint = format!("telemetry.otlp_endpoint=https://{address}");
    (incoming, endpoint)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn spans_reach_a_trusted_collector_over_tls_with_the_configured_headers() {
    let dir = TempDir::new().expect("a directory");
    let certificate = Certificate::new();
    let (incoming, endpoint) = listen();
    let (_mode, mut got) = collect(incoming, Some(certificate.identity()));
    let trusted = format!(
        "telemetry.otlp_certificate={}",
        certificate.write(&dir).display()
    );
    let server = start_with(
        &dir,
        &[
            "--set",
            &endpoint,
            "--set",
            &trusted,
            "--set",
            "telemetry.otlp_headers=authorization=Bearer%20settings",
        ],
        // Weaker than the settings above, and read by the exporter once more.
        &[
            (
                "OTEL_EXPORTER_OTLP_HEADERS",
                "authorization=Bearer%20variable,x-more=1",
            ),
            ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-traces=1"),
        ],
    );
    let calling = call(&server).await;
    let headers = tokio::time::timeout(PATIENCE, got.recv())
        .await
        .expect("a message in time")
        .expect("a message");
    calling.abort();
    let own: Vec<_> = headers
        .iter()
        .filter(|header| header.starts_with("authorization") || header.starts_with("x-"))
        .collect();
    assert_eq!(own, ["authorization: Bearer settings"], "{headers:?}");
    assert!(server.stop().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_collector_whose_certificate_is_not_trusted_is_told_once() {
    let dir = TempDir::new().expect("a directory");
    let (incoming, endpoint) = listen();
    let (_mode, mut got) = collect(incoming, Some(Certificate::new().identity()));
    // Another certificate is trusted, not this one.
    let trusted = format!(
        "telemetry.otlp_certificate={}",
        Certificate::new().write(&dir).display()
    );
    let server = start_with(&dir, &["--set", &endpoint, "--set", &trusted], &[]);
    let began = wait_for(&server, BEGAN, TRACES).await;
    let reason = began["reason"].as_str().expect("why").to_owned();
    assert!(reason.contains("certificate"), "{reason}");

    let calling = call(&server).await;
    let failures = format!("customer_profile_trouble_failures_total{{what=\"{TRACES}\"}}");
    tokio::task::block_in_place(|| {
        while metric(&server, &failures) < 4 {
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    });
    calling.abort();
    assert!(got.try_recv().is_err(), "nothing was sent to a stranger");
    let (status, lines) = server.stop_and_read();
    assert!(status.success());
    let again = lines
        .iter()
        .filter(|line| line.contains(BEGAN) && line.contains(TRACES))
        .count();
    assert_eq!(again, 0, "{lines:#?}");
}
