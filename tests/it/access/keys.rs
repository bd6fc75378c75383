//! API keys: made and revoked by the command line, refused when they end, on every server.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use customer_profile::active_models::ModelFile;
use customer_profile::grpc::v1::profile_service_client::ProfileServiceClient;
use customer_profile::grpc::v1::{self, ErrorReason};
use customer_profile::store::ApiKeys;
use customer_profile::store::memory::MemoryStore;
use customer_profile::telemetry::http::Readiness;
use profile_core::records::Timestamp;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use crate::support::access::{Grant, bearer, code};
use crate::support::clock::{SetClock, instant};
use crate::support::postgres::Postgres;
use crate::support::program::run;
use crate::support::server::{SECURE, TestServer};
use crate::support::service::Service;
use crate::support::wire::Wire;

const PATH: &str = "customer.profile.v1.SegmentService/ListSegments";
/// Far more than it takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// The status that ends a stream, within the patience of a test.
async fn end_of<T>(mut stream: tonic::Streaming<T>) -> Status {
    let ended = async {
        loop {
            match stream.message().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("the stream ended well"),
                Err(status) => return status,
            }
        }
    };
    tokio::time::timeout(PATIENCE, ended)
        .await
        .expect("the stream ends")
}

/// A watch of all profiles, which is sure to have begun.
async fn watch(channel: Channel, key: &str) -> tonic::Streaming<v1::WatchProfilesResponse> {
    let mut request = Request::new(v1::WatchProfilesRequest::default());
    let value = format!("Bearer {key}").parse().expect("a value");
    request.metadata_mut().insert("authorization", value);
    let stream = ProfileServiceClient::new(channel)
        .watch_profiles(request)
        .await;
    let mut stream = stream.expect("a stream").into_inner();
    stream.message().await.expect("a first message");
    stream
}

fn assert_ended(status: &Status) {
    let reason = ErrorReason::CredentialInvalid.as_str_name();
    let info = status.get_details_error_info().expect("an ErrorInfo");
    assert_eq!(status.code(), Code::Unauthenticated, "{status:?}");
    assert_eq!(format!("ERROR_REASON_{}", info.reason), reason);
}

/// The second column of the one key that `key list` shows, and the rest.
fn only_key(url: &str) -> String {
    let listed = run(Path::new("/"), ["key", "list", "--database-url", url]).ok();
    let keys: Vec<_> = listed.lines().skip(1).collect();
    assert_eq!(keys.len(), 1, "{listed}");
    keys[0].to_owned()
}

/// Creates the tenant of a key that was refused for it.
fn make_the_tenant(url: &str, refusal: &str) {
    assert!(refusal.contains("tenant create acme"), "{refusal}");
    let tenant = ["tenant", "create", "acme", "--database-url", url];
    run(Path::new("/"), tenant).ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_ends_on_all_servers_and_ends_open_streams() {
    let database = Postgres::start();
    let url = database.url();
    let migrate = run(Path::new("/"), ["migrate", "--database-url", &url]);
    migrate.ok();
    let create = "key create --name crm --tenant acme --scope segments.read,profiles.watch --expires 90d --database-url";
    let create_key = || run(Path::new("/"), create.split(' ').chain([url.as_str()]));
    make_the_tenant(&url, &create_key().failed(1));
    let made = create_key();
    assert!(made.err.contains("only time"), "{}", made.err);
    let key = made.ok().trim().to_owned();
    let id = key.split('_').nth(1).expect("an id").to_owned();
    let secret = key.rsplit('_').next().expect("a secret");
    let dump = database.sql("SELECT string_agg(api_key::text, ' ') FROM api_key");
    assert!(dump.contains(&id) && !dump.contains(secret), "{dump}");
    assert!(only_key(&url).contains("active"));

    let authorization = format!("Bearer {key}");
    let servers = [(); 2].map(|()| {
        let server = TestServer::start_unready(&url, &SECURE);
        server.wait_for("ready");
        server
    });
    let (mut wires, mut streams) = (Vec::new(), Vec::new());
    for server in &servers {
        let address: SocketAddr = server.address["http://".len()..]
            .parse()
            .expect("an address");
        let mut wire = Wire::connect(address, 65_535).await;
        let metadata = [("authorization", authorization.as_str())];
        assert_eq!(code(&mut wire, PATH, &metadata).await, Code::Ok);
        let channel = Channel::from_shared(server.address.clone()).expect("a URL");
        let channel = channel.connect().await.expect("a connection");
        streams.push(watch(channel, &key).await);
        wires.push(wire);
    }

    run(
        Path::new("/"),
        ["key", "revoke", &id, "--database-url", &url],
    )
    .ok();
    for stream in streams {
        assert_ended(&end_of(stream).await);
    }
    for mut wire in wires {
        let metadata = [("authorization", authorization.as_str())];
        assert_eq!(
            code(&mut wire, PATH, &metadata).await,
            Code::Unauthenticated
        );
    }
    assert!(only_key(&url).contains("revoked"));
    let (_, metrics) = servers[0].http("/metrics");
    for counted in [
        "customer_profile_access_refused_total{reason=\"unknown_key\"} 1",
        "customer_profile_access_refused_total{reason=\"ended\"} 1",
    ] {
        assert!(metrics.contains(counted), "{counted}\n{metrics}");
    }
    let (_, lines) = servers
        .into_iter()
        .next()
        .expect("a server")
        .stop_and_read();
    let lines = lines.concat();
    assert!(
        lines.contains("a call was refused") && lines.contains("unknown_key"),
        "{lines}"
    );
    assert!(!lines.contains(secret), "{lines}");
}

#[test]
fn what_no_key_can_have_is_refused_with_what_there_is() {
    let dir = tempfile::tempdir().expect("a directory");
    for (args, expected) in [
        (
            "--name x --tenant acme --scope profiles.*",
            "profiles.search",
        ),
        (
            "--name x --tenant Acme! --scope profiles.read",
            "a tenant is named by",
        ),
        (
            "--name x --tenant acme --scope profiles.read --expires 90",
            "90d",
        ),
        ("--name x --scope profiles.read", "--tenant"),
    ] {
        let run = run(
            dir.path(),
            ["key", "create"].into_iter().chain(args.split(' ')),
        );
        assert_ne!(run.code, Some(0), "{args}");
        assert!(run.err.contains(expected), "{args}: {}", run.err);
    }
}

#[tokio::test]
async fn an_expired_key_is_refused_and_ends_its_streams() {
    let store = Arc::new(MemoryStore::new());
    let clock = Arc::new(SetClock::at("2026-01-01T00:00:00Z"));
    let grant = Grant {
        expire_time: Some(instant("2026-01-02T00:00:00Z")),
        ..Grant::new(&["acme"], &["segments.read", "profiles.watch"])
    };
    let key = grant.key(store.as_ref()).await;
    let mut service = Service::start_unready_by(
        store.clone(),
        (ModelFile::built_in(), clock.clone()),
        |config| {
            config.auth.insecure = false;
            config.auth.key_refresh_interval = Duration::from_millis(10);
            config.database.max_clock_difference = Duration::from_hours(1_000_000);
        },
    )
    .await;
    let ready = service.ready.wait_for(|ready| *ready == Readiness::Ready);
    ready.await.expect("a running server");
    let authorization = bearer(&key);
    let metadata = [("authorization", authorization.as_str())];
    let mut wire = Wire::connect(service.address, 65_535).await;
    assert_eq!(code(&mut wire, PATH, &metadata).await, Code::Ok);
    let stream = watch(service.channel.clone(), &key.expose()).await;
    clock.set(instant("2026-01-02T00:00:00Z"));
    assert_eq!(
        code(&mut wire, PATH, &metadata).await,
        Code::Unauthenticated
    );
    // Another key changes: all streams look again.
    Grant::new(&["acme"], &["segments.read"])
        .key(store.as_ref())
        .await;
    assert_ended(&end_of(stream).await);
}

#[tokio::test]
async fn keys_that_cannot_be_read_for_long_count_no_more() {
    let store = Arc::new(MemoryStore::new());
    let key = bearer(
        &Grant::new(&["acme"], &["segments.read"])
            .key(store.as_ref())
            .await,
    );
    let service = Service::start_with(store.clone(), |config| {
        config.auth.insecure = false;
        // Read once; never again while the test lasts.
        config.auth.key_refresh_interval = Duration::from_hours(1);
        config.auth.max_key_staleness = Duration::from_millis(300);
    })
    .await;
    let mut wire = Wire::connect(service.address, 65_535).await;
    let metadata = [("authorization", key.as_str())];
    loop {
        match code(&mut wire, PATH, &metadata).await {
            Code::Ok => tokio::task::yield_now().await,
            Code::Unavailable => break,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn what_is_no_bearer_credential_is_refused() {
    let store = Arc::new(MemoryStore::new());
    let grant = Grant::new(&["acme"], &["segments.read"]);
    let key = grant.key(store.as_ref()).await;
    let service = Service::start_with(store.clone(), |config| {
        config.auth.insecure = false;
        config.auth.key_refresh_interval = Duration::from_millis(10);
    })
    .await;
    let mut wire = Wire::connect(service.address, 65_535).await;
    let shown = key.expose();
    for right in [
        format!("Bearer {shown}"),
        format!("bearer {shown}"),
        format!("BEARER  {shown}"),
    ] {
        let metadata = [("authorization", right.as_str())];
        assert_eq!(code(&mut wire, PATH, &metadata).await, Code::Ok);
    }
    for wrong in [
        String::new(),
        shown.clone(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Basic {shown}"),
        format!("Bearer {shown} {shown}"),
        format!("Bearer {shown},{shown}"),
        format!("Bearer {}", &shown[..shown.len() - 2]),
        format!("Bearer {}", shown.replace("cpk_", "CPK_")),
        format!("Bearer cpk_{}_", key.id),
        "Bearer cpk_".to_owned(),
        format!("Bearer {}", "a".repeat(10_000)),
    ] {
        let metadata = [("authorization", wrong.as_str())];
        assert_eq!(
            code(&mut wire, PATH, &metadata).await,
            Code::Unauthenticated,
            "{wrong}"
        );
    }
    // Two of them: of two values a proxy may have checked the other.
    let twice = format!("Bearer {shown}");
    let metadata = [
        ("authorization", twice.as_str()),
        ("authorization", twice.as_str()),
    ];
    assert_eq!(
        code(&mut wire, PATH, &metadata).await,
        Code::InvalidArgument
    );
    // Revoked in the database: a later time than its creation.
    let revoked = store
        .revoke_api_key(&key.id, Timestamp::from_micros(2))
        .await;
    assert!(revoked.expect("a write"));
    let metadata = [("authorization", twice.as_str())];
    while code(&mut wire, PATH, &metadata).await != Code::Unauthenticated {
        tokio::task::yield_now().await;
    }
}
