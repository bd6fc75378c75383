//! The load: closed loops of callers over a few connections.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use customer_profile::grpc::v1::{
    self, ingest_service_client::IngestServiceClient, profile_key::Key, profile_service_client::ProfileServiceClient,
    statement::Kind, value,
};
use prost_types::Timestamp;
use tonic::transport::{Channel, Endpoint};

/// Connections that callers share, as the pods of a client deployment would.
const CONNECTIONS: usize = 4;
/// Callers that read at once.
const READERS: usize = 32;
/// Callers that write at once, as `pgbench -c 32`.
const WRITERS: usize = 32;

/// How many calls in how long.
pub(crate) struct Rate {
    calls: u64,
    took: Duration,
}

impl Rate {
    pub(crate) fn per_second(&self) -> f64 {
        self.calls_per(self.took.as_secs_f64())
    }

    pub(crate) fn calls_per(&self, seconds: f64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "counts of calls are far below 2^52")]
        let calls = self.calls as f64;
        calls / seconds
    }
}

async fn connect(address: &str) -> Channel {
    Endpoint::from_shared(address.to_owned()).expect("an address").tcp_nodelay(true).connect().await.expect("a server")
}

/// Stores one customer known from three sources, and answers with the profile's name.
pub(crate) async fn store_sample(address: &str) -> String {
    let mut client = IngestServiceClient::new(connect(address).await);
    let statements = ["web", "pos", "loyalty"].map(|source| upsert(source, "sample", "ann.lee@example.com"));
    let request = v1::IngestStatementsRequest { statements: statements.into() };
    let answer = client.ingest_statements(request).await.expect("a receipt").into_inner();
    answer.results[2].profile.clone()
}

pub(crate) async fn get(address: &str, name: &str) -> v1::GetProfileResponse {
    let mut client = ProfileServiceClient::new(connect(address).await);
    client.get_profile(by_name(name)).await.expect("warms the cache");
    client.get_profile(by_name(name)).await.expect("a profile").into_inner()
}

/// Reads one profile from many callers.
pub(crate) async fn read_for(address: &str, name: &str, time: Duration) -> Rate {
    closed_loop(address, READERS, time, async |channel: Channel, _, _| {
        let request = by_name(name);
        ProfileServiceClient::new(channel).get_profile(request).await.expect("a profile");
    })
    .await
}

/// Stores new customers from many callers, one statement a call.
pub(crate) async fn ingest_for(address: &str, turn: usize, time: Duration) -> Rate {
    closed_loop(address, WRITERS, time, async |channel: Channel, caller, count| {
        let key = format!("{turn}-{caller}-{count}");
        let statement = upsert("web", &key, &format!("c{key}@example.com"));
        let request = v1::IngestStatementsRequest { statements: vec![statement] };
        let answer =
            IngestServiceClient::new(channel).ingest_statements(request).await.expect("a receipt").into_inner();
        assert_eq!(answer.results[0].outcome(), v1::StatementOutcome::Stored);
    })
    .await
}

async fn closed_loop<F>(address: &str, callers: usize, time: Duration, call: F) -> Rate
where
    F: AsyncFn(Channel, usize, u64),
{
    let mut channels = Vec::new();
    for _ in 0..CONNECTIONS {
        channels.push(connect(address).await);
    }
    let calls = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let loops = (0..callers).map(|caller| {
        let (channel, calls, call) = (channels[caller % CONNECTIONS].clone(), calls.clone(), &call);
        async move {
            let mut count = 0;
            while started.elapsed() < time {
                call(channel.clone(), caller, count).await;
                count += 1;
            }
            calls.fetch_add(count, Ordering::Relaxed);
        }
    });
    futures::future::join_all(loops).await;
    Rate { calls: calls.load(Ordering::Relaxed), took: started.elapsed() }
}

fn by_name(name: &str) -> v1::GetProfileRequest {
    let key = v1::ProfileKey { key: Some(Key::Name(name.to_owned())) };
    v1::GetProfileRequest { key: Some(key), ..v1::GetProfileRequest::default() }
}

fn upsert(source: &str, key: &str, email: &str) -> v1::Statement {
    let text = |text: &str| v1::Value { kind: Some(value::Kind::StringValue(text.to_owned())) };
    let traits = [("given_name", "Ann"), ("family_name", "Lee"), ("city", "Boston"), ("postcode", "02108")];
    v1::Statement {
        kind: Some(Kind::UpsertRecord(v1::UpsertRecord {
            record: Some(v1::RecordKey { source: source.to_owned(), key: key.to_owned() }),
            identifiers: vec![v1::Identifier { r#type: "email".to_owned(), value: email.to_owned() }],
            traits: traits.into_iter().map(|(name, value)| (name.to_owned(), text(value))).collect::<HashMap<_, _>>(),
            version: 1,
            source_time: Some(Timestamp { seconds: 1_750_000_000, nanos: 0 }),
        })),
    }
}
