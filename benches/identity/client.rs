//! What the benchmark says to the server: rows in, the profile of each record back.

use std::time::{Duration, Instant};

use bytes::Bytes;
use customer_profile::grpc::v1::{
    self, apply_model_response, ingest_service_client::IngestServiceClient, model_candidate,
    model_service_client::ModelServiceClient, profile_key::Key,
    profile_service_client::ProfileServiceClient, train_model_response,
};
use futures::{StreamExt, TryStreamExt};
use serde_json::Value as Json;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};

/// The source and the kind of all rows, as `model.yaml` has them.
const SOURCE: &str = "set";
const KIND: &str = "rows";
/// As many rows a request, and requests at once, as `customer-profile import` has.
const ROWS: usize = 500;
const IN_FLIGHT: usize = 4;
/// Longer than the server allows: so it goes by its own bound.
const PATIENCE: Duration = Duration::from_mins(10);

/// A caller of one server.
#[derive(Clone)]
pub(crate) struct Client {
    channel: Channel,
}

/// What became of an import.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Imported {
    pub(crate) stored: usize,
    pub(crate) refused: usize,
    pub(crate) took: Duration,
}

impl Client {
    pub(crate) async fn connect(address: &str) -> anyhow::Result<Self> {
        let channel = Endpoint::from_shared(address.to_owned())?
            .tcp_nodelay(true)
            .connect()
            .await?;
        Ok(Self { channel })
    }

    /// Imports rows; they are made as they are sent.
    pub(crate) async fn import(
        &self,
        rows: impl Iterator<Item = Json>,
    ) -> anyhow::Result<Imported> {
        let mut rows = rows.map(|row| Bytes::from(row.to_string()));
        let requests = std::iter::from_fn(|| {
            let payloads: Vec<Bytes> = rows.by_ref().take(ROWS).collect();
            (!payloads.is_empty()).then_some(payloads)
        });
        let started = Instant::now();
        let answers = futures::stream::iter(requests)
            .map(|payloads| self.request(payloads))
            .buffered(IN_FLIGHT);
        let count = |mut sum: Imported, answer: v1::IngestPayloadsResponse| async move {
            for result in answer.results.iter().flat_map(|payload| &payload.results) {
                match result.outcome() {
                    v1::StatementOutcome::Rejected => sum.refused += 1,
                    _ => sum.stored += 1,
                }
            }
            Ok(sum)
        };
        let sum = answers.try_fold(Imported::default(), count).await?;
        Ok(Imported {
            took: started.elapsed(),
            ..sum
        })
    }

    /// Asks again when the connection went away: a server closes each one after some time. What was
    /// stored all the same is a duplicate then.
    async fn request(&self, payloads: Vec<Bytes>) -> anyhow::Result<v1::IngestPayloadsResponse> {
        let message = v1::IngestPayloadsRequest {
            source: SOURCE.to_owned(),
            kind: KIND.to_owned(),
            payloads,
        };
        let mut attempts: u32 = 0;
        loop {
            let answer = IngestServiceClient::new(self.channel.clone())
                .ingest_payloads(patient(message.clone()))
                .await;
            match answer {
                Ok(answer) => return Ok(answer.into_inner()),
                Err(status)
                    if attempts < 5
                        && matches!(status.code(), Code::Unavailable | Code::Cancelled) =>
                {
                    attempts += 1;
                    tokio::time::sleep(Duration::from_millis(50) * attempts).await;
                }
                Err(status) => return Err(status.into()),
            }
        }
    }

    /// The profile of each record, in order; of one that has none, a name of its own.
    pub(crate) async fn profiles(&self, records: &[String]) -> anyhow::Result<Vec<String>> {
        let found = self.read(records, v1::ProfileView::Basic, "name").await?;
        let named = found.into_iter().zip(records);
        Ok(named
            .map(|(profile, record)| profile.map_or_else(|| record.clone(), |found| found.name))
            .collect())
    }

    /// The records with which each record is in one profile, itself among them.
    pub(crate) async fn companies(&self, records: &[String]) -> anyhow::Result<Vec<Vec<String>>> {
        let found = self.read(records, v1::ProfileView::Full, "records").await?;
        let key = |record: v1::SourceRecord| record.record.map(|key| key.key);
        let members = |profile: v1::Profile| profile.records.into_iter().filter_map(key).collect();
        Ok(found
            .into_iter()
            .map(|profile| profile.map(members).unwrap_or_default())
            .collect())
    }

    async fn read(
        &self,
        records: &[String],
        view: v1::ProfileView,
        field: &str,
    ) -> anyhow::Result<Vec<Option<v1::Profile>>> {
        let mut profiles = Vec::with_capacity(records.len());
        for records in records.chunks(ROWS) {
            let key = |record: &String| v1::ProfileKey {
                key: Some(Key::Record(v1::RecordKey {
                    source: SOURCE.to_owned(),
                    key: record.clone(),
                })),
            };
            let request = v1::BatchGetProfilesRequest {
                keys: records.iter().map(key).collect(),
                view: view.into(),
                read_mask: Some(prost_types::FieldMask {
                    paths: vec![field.to_owned()],
                }),
                ..v1::BatchGetProfilesRequest::default()
            };
            let answer = ProfileServiceClient::new(self.channel.clone())
                .batch_get_profiles(patient(request))
                .await?;
            profiles.extend(
                answer
                    .into_inner()
                    .results
                    .into_iter()
                    .map(|result| result.profile),
            );
        }
        Ok(profiles)
    }

    /// Learns weights from what is stored; answers with the version that has them.
    pub(crate) async fn train(&self) -> anyhow::Result<i64> {
        let request = v1::TrainModelRequest::default();
        let mut answers = ModelServiceClient::new(self.channel.clone())
            .train_model(request)
            .await?
            .into_inner();
        while let Some(answer) = answers.message().await? {
            if let Some(train_model_response::Message::Result(result)) = answer.message {
                return Ok(result.version);
            }
        }
        anyhow::bail!("the stream ended without a result")
    }

    /// Puts a version in force on everything that is stored.
    pub(crate) async fn apply(&self, version: i64) -> anyhow::Result<()> {
        let content = Some(model_candidate::Content::Version(version));
        let candidate = Some(v1::ModelCandidate {
            content,
            weights: None,
        });
        let request = v1::ApplyModelRequest {
            candidate,
            ..v1::ApplyModelRequest::default()
        };
        let mut answers = ModelServiceClient::new(self.channel.clone())
            .apply_model(request)
            .await?
            .into_inner();
        while let Some(answer) = answers.message().await? {
            if let Some(apply_model_response::Message::Result(_)) = answer.message {
                return Ok(());
            }
        }
        anyhow::bail!("the stream ended without a result")
    }
}

fn patient<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(PATIENCE);
    request
}
