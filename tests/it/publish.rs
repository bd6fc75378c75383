//! Publishing, as receivers see it: every change, at least once, those of a profile in order,
//! whatever is killed meanwhile.
//!
//! Completeness is told by revisions: of each profile the first event has none before, each next
//! one begins where the one before ended, and the last ends where the profile is now.

mod dead_letters;
#[cfg(feature = "nats")]
mod nats;
mod receiver;
mod servers;
#[cfg(feature = "nats")]
mod stream;
mod traces;
mod webhooks;

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use customer_profile::grpc::v1::{
    self, ingest_service_client::IngestServiceClient, profile_service_client::ProfileServiceClient,
    publish_service_client::PublishServiceClient,
};
use serde_json::Value as Json;
use tempfile::TempDir;
use tonic::Code;
use tonic::transport::{Channel, Endpoint};

use crate::support::program::say;
use crate::support::server::TestServer;
use crate::support::service::{by_record, upsert};

/// Far more than it takes.
const PATIENCE: Duration = Duration::from_mins(1);
/// What webhooks are signed with.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// Who is spoken of.
const CUSTOMERS: usize = 12;

/// A place for a database and a model with publications.
pub(crate) struct Ground {
    dir: TempDir,
}

impl Ground {
    /// `publish` is the content of the model's section.
    pub(crate) fn new(publish: &str) -> Self {
        let dir = TempDir::with_prefix("cp-publish-").expect("a directory");
        let mut model =
            "identifiers:\n  email: { priority: 1, normalize: email }\ntraits: { name: }\n\
                         sources: { crm: , web: }\npublish:\n"
                .to_owned();
        for line in publish.lines() {
            writeln!(model, "  {line}").expect("text");
        }
        std::fs::write(dir.path().join("model.yaml"), model).expect("a model");
        Self { dir }
    }

    pub(crate) fn model(&self) -> PathBuf {
        self.dir.path().join("model.yaml")
    }

    pub(crate) fn sqlite(&self) -> String {
        format!("sqlite://{}", self.dir.path().join("db").display())
    }

    /// A server on a database.
    pub(crate) fn server(&self, database_url: &str, more: &[&str]) -> TestServer {
        let model = self.model();
        let mut args = vec![
            "--model",
            model.to_str().expect("a plain path"),
            "--set",
            "publish.lease=2s",
        ];
        args.extend(more);
        let server =
            TestServer::start_unready_in(database_url, &args, &[("PUBLISH_SECRET", SECRET)]);
        server.wait_for("ready");
        server
    }

    /// Runs a command against a server.
    pub(crate) fn cli(&self, server: &TestServer, line: &str) -> String {
        say(
            self.dir.path(),
            &format!("{line} --server {}", server.address),
        )
        .ok()
    }
}

fn channel(address: &str) -> Channel {
    Endpoint::from_shared(address.to_owned())
        .expect("an address")
        .connect_lazy()
}

/// Says statements, again and again until they are answered.
pub(crate) async fn ingest(server: &TestServer, statements: Vec<v1::Statement>) {
    let mut client = IngestServiceClient::new(channel(&server.address));
    loop {
        let request = v1::IngestStatementsRequest {
            statements: statements.clone(),
        };
        match client.ingest_statements(request).await {
            Ok(_) => return,
            Err(status) => assert_eq!(status.code(), Code::Unavailable, "{status:?}"),
        }
    }
}

/// A round of writes: each customer says something else to both sources, and from the second round
/// on the records of some of them share an e-mail address, so that their profiles become one.
pub(crate) async fn write_round(server: &TestServer, round: i64) {
    for number in 0..CUSTOMERS {
        let (key, email) = (number.to_string(), format!("c{number}@x.com"));
        let name = [("name", format!("name {round}"))];
        let name: Vec<(&str, &str)> = name
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let shared: &[(&str, &str)] = if number % 3 == 0 && round > 1 {
            &[("email", &email)]
        } else {
            &[]
        };
        ingest(
            server,
            vec![upsert(("crm", &key), &[("email", &email)], &name, round)],
        )
        .await;
        ingest(server, vec![upsert(("web", &key), shared, &name, round)]).await;
    }
}

/// Where every profile is now, by name.
pub(crate) async fn revisions(server: &TestServer) -> BTreeMap<String, i64> {
    let mut client = ProfileServiceClient::new(channel(&server.address));
    let mut revisions = BTreeMap::new();
    for number in 0..CUSTOMERS {
        for source in ["crm", "web"] {
            let request = v1::GetProfileRequest {
                key: Some(by_record(source, &number.to_string())),
                ..Default::default()
            };
            let answer = client
                .get_profile(request)
                .await
                .expect("a profile")
                .into_inner();
            let profile = answer.profile.expect("a profile");
            revisions.insert(profile.name, profile.revision);
        }
    }
    revisions
}

/// How the only publication goes.
pub(crate) async fn status(server: &TestServer) -> v1::PublicationStatus {
    let mut client = PublishServiceClient::new(channel(&server.address));
    let answer = client
        .list_publications(v1::ListPublicationsRequest {})
        .await
        .expect("an answer")
        .into_inner();
    answer.publications.into_iter().next().unwrap_or_default()
}

/// Waits until the status is as it should be.
#[track_caller]
pub(crate) fn until(
    server: &TestServer,
    is_right: impl Fn(&v1::PublicationStatus) -> bool,
) -> impl Future<Output = v1::PublicationStatus> {
    let caller = std::panic::Location::caller();
    async move {
        let began_at = Instant::now();
        loop {
            let status = status(server).await;
            if is_right(&status) {
                return status;
            }
            assert!(began_at.elapsed() < PATIENCE, "{caller}: {status:#?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Waits until all is told.
pub(crate) async fn until_told(server: &TestServer) -> v1::PublicationStatus {
    until(server, |status| {
        status.head > 0 && status.lag_writes == 0 && !status.owner.is_empty()
    })
    .await
}

/// An event's number, which Protobuf writes as text.
fn number(event: &Json, field: &str) -> i64 {
    event["data"][field]
        .as_str()
        .map_or(0, |text| text.parse().expect("a number"))
}

/// Checks that nothing is missing and each profile's events came in order. Answers how many came
/// more than once.
#[track_caller]
pub(crate) fn check(events: &[Json], revisions: &BTreeMap<String, i64>) -> usize {
    let (mut seen, mut chains) = (HashSet::new(), BTreeMap::<&str, Vec<&Json>>::new());
    for event in events {
        assert_eq!(event["specversion"], "1.0", "{event:#}");
        if seen.insert(event["id"].as_str().expect("an id")) {
            chains
                .entry(event["subject"].as_str().expect("a profile"))
                .or_default()
                .push(event);
        }
    }
    for (profile, chain) in &chains {
        let mut revision = 0;
        for event in chain {
            assert_eq!(
                number(event, "oldRevision"),
                revision,
                "{profile}: {chain:#?}"
            );
            revision = number(event, "revision");
        }
    }
    for (profile, revision) in revisions {
        let last = chains.get(profile.as_str()).and_then(|chain| chain.last());
        assert_eq!(
            last.map(|event| number(event, "revision")),
            Some(*revision),
            "{profile}"
        );
    }
    for chain in chains
        .values()
        .filter(|chain| !revisions.contains_key(chain[0]["subject"].as_str().expect("a name")))
    {
        let kind = chain
            .last()
            .map(|event| event["type"].as_str().expect("a type"));
        assert_eq!(
            kind,
            Some("customer.profile.v1.profile.merged"),
            "{chain:#?}"
        );
    }
    events.len() - seen.len()
}
