//! Weights learned from a tenant's own records, stored as a version that is not in force.

use std::sync::Arc;

use profile_core::identity::{self, Context, Features, Trained, train};
use profile_core::model::Model;
use profile_core::model::matching::Subject;
use profile_core::records::{ContentHash, Record, RecordKey, TenantId};
use serde::{Deserialize, Serialize};

use super::progress::Progress;
use super::switch::{Error, ModelRollout};
use crate::clock::settle;
use crate::compute::{self, Class};
use crate::store::{self, Changes, IdempotentRequest, ModelVersion, Snapshot};

/// How many records are learned from, at most: more teach nothing new, and all are in memory at
/// once.
const MAX_RECORDS: usize = 200_000;
/// How many records are read at once.
const CHUNK: usize = 2_000;

/// The weights that were learned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learned {
    /// The version that the weights are stored as.
    pub version: i64,
    /// From how many records.
    pub records: usize,
    /// In words and as a chart.
    pub report: String,
}

impl ModelRollout {
    /// Learns weights, and stores them as a new version of the model in force. The same records
    /// give the same weights.
    ///
    /// # Errors
    /// [`Error::NoModel`], [`Error::RequestIdReused`], [`Error::Store`].
    ///
    /// # Cancel safety
    /// Dropped before the commit, it leaves nothing.
    pub async fn train(
        &self,
        tenant: &TenantId,
        request_id: &str,
        subject: Subject,
        progress: &Progress,
    ) -> Result<Learned, Error> {
        self.store
            .availability()
            .guard(self.train_there(tenant, request_id, subject, progress))
            .await
    }

    async fn train_there(
        &self,
        tenant: &TenantId,
        request_id: &str,
        subject: Subject,
        progress: &Progress,
    ) -> Result<Learned, Error> {
        let asked = ("train_model", subject);
        let request = IdempotentRequest::new(request_id, &asked);
        let mut tx = self.store.begin(tenant).await?;
        if let Some(earlier) = request.earlier_answer(tx.reads()).await? {
            return Ok(earlier.answer);
        }
        // Learning takes long and changes nothing of what is in force, so the turn is not held for
        // it.
        drop(tx);
        let stored = self
            .store
            .model(tenant, None)
            .await?
            .ok_or(Error::NoModel)?;
        let model = self.models.compile(&stored).await?.model.clone();
        let mut snapshot = self.store.snapshot(tenant).await?;
        let sample = sample(&mut *snapshot, progress).await?;
        drop(snapshot);
        let records = sample.len();
        let trained = in_background(sample, model, subject, progress.clone()).await?;
        let weights = serde_json::to_string(&trained.weights);
        let weights = weights.map_err(|error| store::Error::Internal(error.to_string()))?;

        let mut tx = self.store.begin(tenant).await?;
        // Somebody else may have learned for the same request meanwhile.
        if let Some(earlier) = request.earlier_answer(tx.reads()).await? {
            return Ok(earlier.answer);
        }
        settle(&mut *tx, &*self.clock, tenant).await?;
        let now = self.clock.now().max(tx.not_before());
        let version = self.latest(tenant).await? + 1;
        let learned = Learned {
            version,
            records,
            report: trained.report.to_string(),
        };
        let what = match subject {
            Subject::Frequencies => "frequencies",
            Subject::Everything => "weights",
        };
        let note = format!(
            "version {} with {what} learned from {records} records",
            stored.model.version
        );
        let added = ModelVersion {
            version,
            file: stored.model.file,
            weights,
            create_time: now,
            note,
        };
        let sequence = tx.sequence();
        let changes = Changes {
            models: vec![added],
            requests: request.row(sequence, &learned)?.into_iter().collect(),
            ..Changes::default()
        };
        self.follower
            .commit(tenant, sequence, &[], tx.commit(now, &changes))
            .await?;
        Ok(learned)
    }
}

/// Live records: all, or a sample that depends on their keys alone.
async fn sample(snapshot: &mut dyn Snapshot, progress: &Progress) -> Result<Vec<Record>, Error> {
    let (mut sample, mut one_in): (Vec<Record>, u128) = (Vec::new(), 1);
    let (mut last, mut seen): (Option<RecordKey>, usize) = (None, 0);
    let taken =
        |record: &Record, one_in: u128| ContentHash::of(&record.key).0.is_multiple_of(one_in);
    loop {
        let records = snapshot.scan_records(last.as_ref(), CHUNK).await?;
        let Some(greatest) = records.last() else {
            return Ok(sample);
        };
        last = Some(greatest.key.clone());
        seen += records.len();
        sample.extend(
            records
                .into_iter()
                .filter(|record| record.exists() && taken(record, one_in)),
        );
        while sample.len() > MAX_RECORDS {
            one_in *= 2;
            sample.retain(|record| taken(record, one_in));
        }
        progress.tell("reading records", seen, 0);
    }
}

async fn in_background(
    sample: Vec<Record>,
    model: Arc<Model>,
    subject: Subject,
    progress: Progress,
) -> Result<Trained, Error> {
    let work = compute::run(Class::Long, None, move || {
        let features: Vec<Features> = sample
            .iter()
            .map(|record| Features::of(record, &model))
            .collect();
        let all: Vec<(&Record, &Features)> = sample.iter().zip(&features).collect();
        let context = Context::of(&all, &model);
        train(&all, &context, &model, subject, &mut |step| match step {
            identity::Progress::Sampling(pairs) => {
                progress.tell("comparing random pairs", 0, pairs);
            }
            identity::Progress::Comparing(pairs) => {
                progress.tell("comparing pairs under match keys", 0, pairs);
            }
            identity::Progress::Round(round) => progress.tell("learning, round", round, 0),
        })
    });
    work.await.map_err(Error::Compute)
}
