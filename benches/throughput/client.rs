//! The load: closed loops of callers over a few connections.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use customer_profile::grpc::v1::{
    self, ingest_service_client::IngestServiceClient,
    preference_service_client::PreferenceServiceClient, profile_key::Key,
    profile_service_client::ProfileServiceClient, statement::Kind, value,
};
use prost_types::Timestamp;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::Channel;

use crate::server::endpoint;

/// Connections that callers share, as the pods of a client deployment would.
const CONNECTIONS: usize = 4;
/// Callers that read at once.
pub(crate) const READERS: usize = 32;
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
        #[expect(
            clippy::cast_precision_loss,
            reason = "counts of calls are far below 2^52"
        )]
        let calls = self.calls as f64;
        calls / seconds
    }
}

pub(crate) async fn connect(address: &str) -> Channel {
    endpoint(address)
        .tcp_nodelay(true)
        .connect()
        .await
        .expect("a server")
}

/// Stores one customer known from three sources, and answers with the profile's name.
pub(crate) async fn store_sample(address: &str) -> String {
    let mut client = IngestServiceClient::new(connect(address).await);
    let statements =
        ["web", "pos", "loyalty"].map(|source| upsert(source, "sample", "ann.lee@example.com"));
    let request = v1::IngestStatementsRequest {
        statements: statements.into(),
    };
    let answer = client
        .ingest_statements(request)
        .await
        .expect("a receipt")
        .into_inner();
    answer.results[2].profile.clone()
}

pub(crate) async fn get(address: &str, name: &str) -> v1::GetProfileResponse {
    let mut client = ProfileServiceClient::new(connect(address).await);
    client
        .get_profile(by_name(name))
        .await
        .expect("warms the cache");
    client
        .get_profile(by_name(name))
        .await
        .expect("a profile")
        .into_inner()
}

/// Reads one profile from many callers.
pub(crate) async fn read_for(address: &str, name: &str, time: Duration) -> Rate {
    closed_loop(address, READERS, time, async |channel: Channel, _, _| {
        let request = by_name(name);
        ProfileServiceClient::new(channel)
            .get_profile(request)
            .await
            .expect("a profile");
    })
    .await
}

/// The same with a credential.
pub(crate) async fn read_with(address: &str, name: &str, key: &str, time: Duration) -> Rate {
    let bearer = format!("Bearer {key}").parse::<AsciiMetadataValue>();
    let bearer = bearer.expect("a key");
    closed_loop(address, READERS, time, async |channel: Channel, _, _| {
        let mut request = tonic::Request::new(by_name(name));
        request
            .metadata_mut()
            .insert("authorization", bearer.clone());
        let answer = ProfileServiceClient::new(channel)
            .get_profile(request)
            .await;
        answer.expect("a profile");
    })
    .await
}

/// Says how the sample customer wants to be treated: something of everything that is looked at.
pub(crate) async fn say_how_to_treat(address: &str) {
    let record = || {
        Some(v1::RecordKey {
            source: "web".to_owned(),
            key: "sample".to_owned(),
        })
    };
    let window = Some(prost_types::Duration {
        seconds: 7 * 86_400,
        nanos: 0,
    });
    let preferences = v1::Preferences {
        language: "en-US".to_owned(),
        time_zone: "America/New_York".to_owned(),
        preferred_channels: vec!["email".to_owned()],
        forbidden_channels: vec!["sms".to_owned()],
        // Never now: the hours are looked at, and do not refuse.
        quiet_hours: vec![v1::QuietHours {
            days: vec![],
            start_time: "03:00".to_owned(),
            end_time: "03:01".to_owned(),
        }],
        frequency_caps: vec![v1::FrequencyCap {
            channel: "email".to_owned(),
            max_count: 3,
            window,
        }],
        topics: BTreeMap::from([("sport".to_owned(), true)]),
        ..v1::Preferences::default()
    };
    let accessibility = Some(v1::Accessibility {
        large_print: Some(true),
        ..v1::Accessibility::default()
    });
    let wanted = Kind::StatePreferences(v1::StatePreferences {
        record: record(),
        preferences: Some(preferences),
        accessibility,
        ..v1::StatePreferences::default()
    });
    let consent = v1::Consent {
        purpose: "newsletter".to_owned(),
        status: v1::ConsentStatus::Granted.into(),
        ..v1::Consent::default()
    };
    let said = Kind::RecordConsent(v1::RecordConsent {
        record: record(),
        consent: Some(consent),
        ..v1::RecordConsent::default()
    });
    let statements = [wanted, said]
        .map(|kind| v1::Statement { kind: Some(kind) })
        .into();
    let request = v1::IngestStatementsRequest { statements };
    let answer = IngestServiceClient::new(connect(address).await)
        .ingest_statements(request)
        .await;
    let results = answer.expect("a receipt").into_inner().results;
    assert!(
        results
            .iter()
            .all(|result| result.outcome() == v1::StatementOutcome::Stored),
        "{results:?}"
    );
}

/// What is asked of a cached customer.
#[derive(Clone, Copy)]
pub(crate) enum Asked {
    /// The profile, for a purpose.
    Profile(&'static str),
    /// Whether the newsletter may be sent by e-mail.
    Permission,
}

/// Asks the same from many callers.
pub(crate) async fn ask_for(address: &str, name: &str, asked: Asked, time: Duration) -> Rate {
    closed_loop(
        address,
        READERS,
        time,
        async |channel: Channel, _, _| match asked {
            Asked::Profile(purpose) => {
                let request = v1::GetProfileRequest {
                    purpose: purpose.to_owned(),
                    ..by_name(name)
                };
                let answer = ProfileServiceClient::new(channel)
                    .get_profile(request)
                    .await
                    .expect("a profile")
                    .into_inner();
                assert!(answer.withheld.iter().all(|withheld| withheld.field != "*"));
            }
            Asked::Permission => {
                let request = v1::CheckContactPermissionRequest {
                    key: by_name(name).key,
                    purpose: "newsletter".to_owned(),
                    channel: "email".to_owned(),
                    ..v1::CheckContactPermissionRequest::default()
                };
                let answer = PreferenceServiceClient::new(channel)
                    .check_contact_permission(request)
                    .await;
                assert!(
                    answer
                        .expect("an answer")
                        .into_inner()
                        .permission
                        .expect("whether")
                        .allowed
                );
            }
        },
    )
    .await
}

/// Stores new customers from many callers, one statement a call.
pub(crate) async fn ingest_for(address: &str, turn: usize, time: Duration) -> Rate {
    closed_loop(
        address,
        WRITERS,
        time,
        async |channel: Channel, caller, count| {
            let key = format!("{turn}-{caller}-{count}");
            let statement = upsert("web", &key, &format!("c{key}@example.com"));
            let request = v1::IngestStatementsRequest {
                statements: vec![statement],
            };
            let answer = IngestServiceClient::new(channel)
                .ingest_statements(request)
                .await
                .expect("a receipt")
                .into_inner();
            assert_eq!(answer.results[0].outcome(), v1::StatementOutcome::Stored);
        },
    )
    .await
}

pub(crate) async fn closed_loop<F>(address: &str, callers: usize, time: Duration, call: F) -> Rate
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
    Rate {
        calls: calls.load(Ordering::Relaxed),
        took: started.elapsed(),
    }
}

pub(crate) fn by_name(name: &str) -> v1::GetProfileRequest {
    let key = v1::ProfileKey {
        key: Some(Key::Name(name.to_owned())),
    };
    v1::GetProfileRequest {
        key: Some(key),
        ..v1::GetProfileRequest::default()
    }
}

fn upsert(source: &str, key: &str, email: &str) -> v1::Statement {
    let text = |text: &str| v1::Value {
        kind: Some(value::Kind::StringValue(text.to_owned())),
    };
    let traits = [
        ("given_name", "Ann"),
        ("family_name", "Lee"),
        ("city", "Boston"),
        ("postcode", "02108"),
    ];
    v1::Statement {
        kind: Some(Kind::UpsertRecord(v1::UpsertRecord {
            record: Some(v1::RecordKey {
                source: source.to_owned(),
                key: key.to_owned(),
            }),
            identifiers: vec![v1::Identifier {
                r#type: "email".to_owned(),
                value: email.to_owned(),
                ..Default::default()
            }],
            traits: traits
                .into_iter()
                .map(|(name, value)| (name.to_owned(), text(value)))
                .collect::<BTreeMap<_, _>>(),
            version: 1,
            source_time: Some(Timestamp {
                seconds: 1_750_000_000,
                nanos: 0,
            }),
        })),
    }
}
