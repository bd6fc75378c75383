//! IPv6 and IPv4; and names that differ between processes.

use std::collections::BTreeSet;

use customer_profile::grpc::v1;
use tempfile::TempDir;

use super::get_ann;
use crate::support::program::say;
use crate::support::server::TestServer;
use crate::support::service::Service;

#[test]
fn a_server_on_all_addresses_is_reached_by_ipv4_and_ipv6() {
    let dir = TempDir::new().expect("a directory");
    let database = format!("sqlite://{}", dir.path().join("cp.db").display());
    let addresses = ["--grpc-address", "[::]:0", "--operations-address", "[::]:0"];
    let server = TestServer::start_unready(&database, &addresses);
    server.wait_for("ready");
    let port = |address: &str| address.rsplit(':').next().expect("a port").to_owned();
    let mut hosts = vec!["127.0.0.1"];
    // Where IPv6 is off, the server listens on IPv4 alone and says so.
    if server.operations.starts_with('[') {
        hosts.push("[::1]");
    }
    for host in hosts {
        let url = format!("http://{host}:{}", port(&server.address));
        let told = say(
            dir.path(),
            &format!("get email:nobody@shop.com --server {url}"),
        )
        .err;
        assert!(told.contains("no profile"), "{url}: {told}");
        let metrics = format!("http://{host}:{}/metrics", port(&server.operations));
        let mut stream =
            std::net::TcpStream::connect(format!("{host}:{}", port(&server.operations)))
                .expect(&metrics);
        std::io::Write::write_all(&mut stream, b"GET /livez HTTP/1.0\r\n\r\n").expect("a request");
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut stream, &mut answer).expect("an answer");
        assert!(answer.ends_with("alive\n"), "{answer}");
    }
}

#[tokio::test]
async fn request_ids_of_two_servers_never_meet() {
    let mut ids = BTreeSet::new();
    for _ in 0..3 {
        let service = Service::start().await;
        let refused = service
            .profiles()
            .get_profile(get_ann())
            .await
            .expect_err("nobody");
        let id = refused
            .metadata()
            .get("x-request-id")
            .expect("an id")
            .to_str()
            .expect("text")
            .to_owned();
        let answer = service
            .say(vec![crate::support::service::upsert(
                ("web", "1"),
                &[],
                &[],
                1,
            )])
            .await;
        let _: v1::IngestStatementsResponse = answer;
        let (instance, count) = id.split_once('-').expect("an instance and a count");
        assert_eq!((instance.len(), count), (16, "0"));
        ids.insert(instance.to_owned());
    }
    assert_eq!(ids.len(), 3, "{ids:?}");
}
