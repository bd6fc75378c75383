//! A client that writes versions of a customer and reads them.

use customer_profile::grpc::v1::{
    self, ingest_service_client::IngestServiceClient, profile_service_client::ProfileServiceClient,
};
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

#[derive(Clone)]
pub(crate) struct Desk {
    ingest: IngestServiceClient<Channel>,
    pub(crate) profiles: ProfileServiceClient<Channel>,
}

impl Desk {
    pub(crate) fn new(address: &str) -> Self {
        let channel = Endpoint::from_shared(address.to_owned())
            .expect("an address")
            .connect_lazy();
        Self {
            ingest: IngestServiceClient::new(channel.clone()),
            profiles: ProfileServiceClient::new(channel),
        }
    }

    pub(crate) async fn write(&self, customer: &str, version: i64) -> Result<(), Status> {
        let kind = v1::value::Kind::StringValue(version.to_string());
        let record = v1::UpsertRecord {
            record: Some(v1::RecordKey {
                source: "web".to_owned(),
                key: customer.to_owned(),
            }),
            identifiers: vec![v1::Identifier {
                r#type: "email".to_owned(),
                value: format!("{customer}@shop.com"),
                ..Default::default()
            }],
            traits: [("city".to_owned(), v1::Value { kind: Some(kind) })].into(),
            version,
            source_time: None,
        };
        let statement = v1::Statement {
            kind: Some(v1::statement::Kind::UpsertRecord(record)),
        };
        let request = v1::IngestStatementsRequest {
            statements: vec![statement],
        };
        let answer = self
            .ingest
            .clone()
            .ingest_statements(request)
            .await?
            .into_inner();
        assert!(
            answer
                .results
                .iter()
                .all(|result| result.violations.is_empty()),
            "{answer:?}"
        );
        Ok(())
    }

    /// The version that a read without a token sees.
    pub(crate) async fn read(&self, customer: &str) -> Result<i64, Status> {
        let request = v1::GetProfileRequest {
            key: Some(key(customer)),
            ..Default::default()
        };
        let answer = self
            .profiles
            .clone()
            .get_profile(request)
            .await?
            .into_inner();
        match answer.profile.expect("a profile").traits["city"]
            .value
            .clone()
            .and_then(|value| value.kind)
        {
            Some(v1::value::Kind::StringValue(version)) => Ok(version.parse().expect("a version")),
            other => panic!("no version: {other:?}"),
        }
    }
}

pub(crate) fn key(customer: &str) -> v1::ProfileKey {
    let record = v1::RecordKey {
        source: "web".to_owned(),
        key: customer.to_owned(),
    };
    v1::ProfileKey {
        key: Some(v1::profile_key::Key::Record(record)),
    }
}
