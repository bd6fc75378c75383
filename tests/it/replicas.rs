//! Several servers on one PostgreSQL: nobody reads their own write late, whichever server they ask;
//! and what they do while the database is away.

mod away;
mod erased;
mod fresh;
mod frozen;
mod sessions;
mod spot_check;
mod watch;

use customer_profile::grpc::v1::{
    self, ingest_service_client::IngestServiceClient, profile_service_client::ProfileServiceClient,
};
use customer_profile::store::sql::SqlStore;
use tonic::Code;
use tonic::transport::{Channel, Endpoint};

use crate::support::postgres::Postgres;
use crate::support::proxy::Proxy;
use crate::support::server::TestServer;
use crate::support::service::upsert;
use crate::support::stores::postgres_options;

/// How many servers there are.
const SERVERS: usize = 3;

/// Servers on one database.
struct Replicas {
    servers: Vec<TestServer>,
    network: Proxy,
    database: Postgres,
}

impl Replicas {
    async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same, with more arguments to the servers.
    async fn start_with(more: &[&str]) -> Self {
        Self::start_each(|_| more.to_vec()).await
    }

    /// The same, with more arguments to each server, by its number.
    async fn start_each<'a>(more: impl Fn(usize) -> Vec<&'a str>) -> Self {
        // Room also for connections that nobody has at the other end any more.
        let database = Postgres::start_with(&["fsync=off", "max_connections=200"]);
        SqlStore::migrate(&postgres_options(&database))
            .await
            .expect("a schema");
        let network = Proxy::to(&database).await;
        let start = |number| {
            let server = TestServer::start_unready(&network.url(), &more(number));
            server.wait_for("ready");
            server
        };
        let servers = (0..SERVERS).map(start).collect();
        Self {
            servers,
            network,
            database,
        }
    }

    fn desks(&self) -> Vec<Desk> {
        self.servers
            .iter()
            .map(|server| Desk::new(&server.address))
            .collect()
    }
}

/// Clients of one server.
#[derive(Clone)]
struct Desk {
    ingest: IngestServiceClient<Channel>,
    profiles: ProfileServiceClient<Channel>,
}

impl Desk {
    fn new(address: &str) -> Self {
        let channel = Endpoint::from_shared(address.to_owned())
            .expect("an address")
            .connect_lazy();
        Self {
            ingest: IngestServiceClient::new(channel.clone()),
            profiles: ProfileServiceClient::new(channel),
        }
    }

    /// Says which version a customer has now; answers with a read token.
    async fn write(&self, customer: &str, version: i64) -> Result<String, tonic::Status> {
        self.write_all(&[customer.to_owned()], version).await
    }

    /// Says which version customers have now, in one batch.
    async fn write_all(&self, customers: &[String], version: i64) -> Result<String, tonic::Status> {
        let city = version.to_string();
        let said = |customer: &String| {
            let identifiers = [("email", &*format!("{customer}@shop.com"))];
            upsert(("web", customer), &identifiers, &[("city", &city)], version)
        };
        let statements = customers.iter().map(said).collect();
        let answer = self
            .ingest
            .clone()
            .ingest_statements(v1::IngestStatementsRequest { statements })
            .await?;
        Ok(answer.into_inner().read_token)
    }

    /// Reads a customer by e-mail.
    async fn read(
        &self,
        customer: &str,
        requirement: Option<v1::consistency::Requirement>,
    ) -> Result<v1::GetProfileResponse, tonic::Status> {
        let key = crate::support::service::by_identifier("email", &format!("{customer}@shop.com"));
        let consistency = requirement.map(|requirement| v1::Consistency {
            requirement: Some(requirement),
        });
        let request = v1::GetProfileRequest {
            key: Some(key),
            consistency,
            ..Default::default()
        };
        Ok(self
            .profiles
            .clone()
            .get_profile(request)
            .await?
            .into_inner())
    }

    /// Reads customers by e-mail, in one call.
    async fn read_all(
        &self,
        customers: &[&String],
        requirement: Option<v1::consistency::Requirement>,
    ) -> Result<Vec<v1::BatchGetProfilesResult>, tonic::Status> {
        let key = |customer: &&String| {
            crate::support::service::by_identifier("email", &format!("{customer}@shop.com"))
        };
        let consistency = requirement.map(|requirement| v1::Consistency {
            requirement: Some(requirement),
        });
        let keys = customers.iter().map(key).collect();
        let read_mask = Some(prost_types::FieldMask {
            paths: vec!["traits.city".to_owned()],
        });
        let request = v1::BatchGetProfilesRequest {
            keys,
            consistency,
            read_mask,
            ..Default::default()
        };
        Ok(self
            .profiles
            .clone()
            .batch_get_profiles(request)
            .await?
            .into_inner()
            .results)
    }
}

/// What a client tries again: the server or the database has gone, or the call was on a connection
/// that broke.
fn is_passing(status: &tonic::Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable | Code::Cancelled | Code::Unknown | Code::ResourceExhausted
    )
}

/// The version that a reader sees.
fn version(answer: &v1::GetProfileResponse) -> i64 {
    version_of(answer.profile.as_ref().expect("a profile"))
}

fn version_of(profile: &v1::Profile) -> i64 {
    let city = &profile.traits["city"];
    match city.value.as_ref().and_then(|value| value.kind.as_ref()) {
        Some(v1::value::Kind::StringValue(city)) => city.parse().expect("a version"),
        other => panic!("no version: {other:?}"),
    }
}

fn at_least(token: &str) -> v1::consistency::Requirement {
    v1::consistency::Requirement::AtLeastAsFresh(token.to_owned())
}

/// A number below a bound: any order will do, as long as it is another one every time (Knuth's MMIX
/// generator).
fn throw(dice: &mut u64, bound: usize) -> usize {
    *dice = dice
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    usize::try_from((*dice >> 33) % bound as u64).expect("small")
}
