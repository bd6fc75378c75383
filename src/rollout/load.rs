//! Loads all of a tenant, chunk by chunk.

use std::collections::BTreeMap;

use profile_core::model::Model;
use profile_core::records::{ProfileId, Record, RecordKey};

use super::Progress;
use crate::full_resolution::TenantState;
use crate::full_resolution::replay::{Acceptance, alike, replay};
use crate::store::{Result, Snapshot};

/// How many records are read at once.
const CHUNK: usize = 2_000;

/// A tenant as it is, and as a candidate would have it said.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) before: TenantState,
    /// What the records say under the candidate.
    pub(super) said: BTreeMap<RecordKey, Record>,
    pub(super) taken: Acceptance,
}

/// Loads a tenant. Only where the models do not take the same statements is history read.
///
/// # Errors
/// Those of the store.
pub(super) async fn load(
    snapshot: &mut dyn Snapshot,
    (from, to): (&Model, &Model),
    progress: &Progress,
) -> Result<Loaded> {
    let mut loaded = Loaded::default();
    let replays = !alike(from, to);
    loaded.before.decisions = snapshot
        .decisions()
        .await?
        .into_iter()
        .map(|stored| stored.decision)
        .collect();
    let mut last: Option<RecordKey> = None;
    loop {
        let records = snapshot.scan_records(last.as_ref(), CHUNK).await?;
        let Some(greatest) = records.last() else {
            break;
        };
        last = Some(greatest.key.clone());
        let ids: Vec<ProfileId> = records.iter().flat_map(carried).collect();
        for row in snapshot.profile_rows(&ids).await? {
            loaded.before.rows.insert(row.id, row);
        }
        let keys: Vec<RecordKey> = records.iter().map(|record| record.key.clone()).collect();
        for pair in snapshot.pairs(&keys).await? {
            loaded
                .before
                .pairs
                .insert((pair.left.clone(), pair.right.clone()), pair);
        }
        if replays {
            loaded.replay(snapshot, &records, (from, to)).await?;
        } else {
            loaded.said.extend(
                records
                    .iter()
                    .map(|record| (record.key.clone(), record.clone())),
            );
        }
        loaded.before.records.extend(
            records
                .into_iter()
                .map(|record| (record.key.clone(), record)),
        );
        progress.tell("reading records", loaded.before.records.len(), 0);
    }
    Ok(loaded)
}

/// The ids that a record carries, and the one that it is in.
fn carried(record: &Record) -> impl Iterator<Item = ProfileId> + '_ {
    record
        .membership
        .carries
        .iter()
        .map(|carried| carried.id)
        .chain(record.membership.profile)
}

impl Loaded {
    async fn replay(
        &mut self,
        snapshot: &mut dyn Snapshot,
        records: &[Record],
        models: (&Model, &Model),
    ) -> Result<()> {
        let keys: Vec<RecordKey> = records.iter().map(|record| record.key.clone()).collect();
        let statements = snapshot.statements(&keys).await?;
        let mut of_record: BTreeMap<&RecordKey, &[_]> = BTreeMap::new();
        for chunk in statements.chunk_by(|a, b| a.key.record == b.key.record) {
            of_record.insert(&chunk[0].key.record, chunk);
        }
        for record in records {
            let statements = of_record.get(&record.key).copied().unwrap_or_default();
            self.said.insert(
                record.key.clone(),
                replay(record, statements, models, &mut self.taken),
            );
        }
        Ok(())
    }
}
