//! Learns how frequent names, towns and postal codes are among a tenant's own people, without
//! anybody asking for it.
//!
//! A name that is rare in the world may be frequent among one company's customers, and then it
//! proves little there. So when a tenant has 2,000 records, and again when it has four and sixteen
//! times as many, their frequencies are counted, stored as a version of the model and put in force
//! as any other version is: all at once, told by `model versions` and the log, and switched back by
//! applying an earlier one. How often records of one person agree stays as it comes with the
//! program; `model train` learns that too, and what it made is left alone.
//!
//! Putting a version in force holds the tenant's write turn and its records in memory, so it is
//! done three times at most, and never above 50,000 records: there a person chooses the hour.

use std::sync::Arc;
use std::time::Duration;

use profile_core::model::matching::{LearnedFrom, Subject};
use profile_core::records::TenantId;

use crate::background::{self, Job, Part};
use crate::rollout::{Apply, Candidate, Content, ModelRollout, Progress, RolloutError, Weights};
use crate::store::{Error, Result};
use crate::telemetry::Metrics;
use crate::telemetry::metrics::Job as Work;

/// How many records are learned from the first time.
const FIRST: usize = 2_000;
/// So many times the records of the last time, it is learned again.
const AGAIN: usize = 4;
/// A tenant with more records is not learned from without being asked.
const MOST: usize = 50_000;
/// So many of the latest versions are looked at.
const VERSIONS: usize = 100;
/// How often it is looked whether there are enough records.
const LOOK: Duration = Duration::from_mins(10);

/// Learns frequencies.
pub struct FrequencyLearner {
    /// Puts them in force.
    pub rollout: ModelRollout,
}

impl FrequencyLearner {
    /// Looks after all tenants, for ever.
    pub async fn run(self, metrics: Arc<Metrics>) {
        background::run(self.rollout.store.clone(), metrics, self, LOOK).await;
    }

    /// Learns a tenant's frequencies, if it has enough records by now. Answers with the version in
    /// force since then.
    ///
    /// # Errors
    /// Those of the store. Nothing is in force that was not before.
    pub async fn step(&self, tenant: &TenantId) -> Result<Option<i64>> {
        let active = self.rollout.models.of(tenant).await?;
        let matching = &active.model.matching;
        let wanted = match matching.weights.learned_from() {
            _ if !matching.learn_frequencies || active.version == 0 => return Ok(None),
            None => FIRST,
            Some(LearnedFrom {
                subject: Subject::Frequencies,
                records,
            }) => records.saturating_mul(AGAIN),
            Some(LearnedFrom {
                subject: Subject::Everything,
                ..
            }) => return Ok(None),
        };
        if wanted > MOST {
            return Ok(None);
        }
        let mut snapshot = self.rollout.store.snapshot(tenant).await?;
        let records = snapshot.count_records(MOST + 1).await?;
        drop(snapshot);
        if !(wanted..=MOST).contains(&records) || self.was_learned(tenant, records).await? {
            return Ok(None);
        }
        self.learn(tenant, active.version, wanted).await
    }

    /// Whether a version was learned from about so many records already: somebody has put another
    /// one in force since, and that stays.
    async fn was_learned(&self, tenant: &TenantId, records: usize) -> Result<bool> {
        let stored = self
            .rollout
            .store
            .list_models(tenant, None, VERSIONS)
            .await?;
        let learned = stored
            .iter()
            .filter_map(|stored| stored.model.learned_from())
            .filter(|origin| origin.subject == Subject::Frequencies);
        Ok(learned
            .map(|origin| origin.records.saturating_mul(AGAIN))
            .any(|next| next > records))
    }

    /// Learns from all records, and puts what was learned in force. Of several servers that do so
    /// at once, one does.
    async fn learn(&self, tenant: &TenantId, base: i64, wanted: usize) -> Result<Option<i64>> {
        let (progress, _) = Progress::new();
        let request = |what: &str| format!("frequencies {what}: version {base}, {wanted} records");
        let learned = self
            .rollout
            .train(tenant, &request("learned"), Subject::Frequencies, &progress)
            .await
            .map_err(failed)?;
        let apply = Apply {
            candidate: Candidate {
                content: Content::Version(learned.version),
                weights: Weights::Own,
            },
            expected_version: Some(base),
            request_id: request("applied"),
        };
        match self.rollout.apply(tenant, &apply, &progress).await {
            Ok(applied) => {
                let difference = &applied.plan.difference;
                tracing::info!(
                    %tenant, version = applied.version, records = learned.records,
                    merged_profiles = difference.merged, split_profiles = difference.split,
                    "the frequencies of names and places were learned from the tenant's records"
                );
                Ok(Some(applied.version))
            }
            // Somebody has put another one in force meanwhile.
            Err(RolloutError::OtherVersion { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }
}

#[tonic::async_trait]
impl Job for FrequencyLearner {
    const JOB: Work = Work::Frequencies;

    async fn part(&mut self, tenant: &TenantId) -> Result<Part> {
        self.step(tenant).await?;
        Ok(Part::Done)
    }
}

fn failed(error: RolloutError) -> Error {
    match error {
        RolloutError::Store(error) => error,
        RolloutError::Compute(error) => Error::Unavailable(error.to_string()),
        other => Error::Internal(other.to_string()),
    }
}
