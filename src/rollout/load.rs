//! Loads all of a tenant, chunk by chunk.

use std::collections::BTreeMap;

use profile_core::records::{ProfileId, Record, RecordKey};

use super::Progress;
use crate::full_resolution::replay::{Acceptance, replay, same_acceptance};
use crate::full_resolution::{ModelChange, TenantState};
use crate::store::{Result, Snapshot};

/// Number of records read at once.
const CHUNK: usize = 2_000;

/// A tenant as it is, and its records as a candidate model accepts their statements.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) before: TenantState,
    /// The records under the candidate.
    pub(super) replayed: BTreeMap<RecordKey, Record>,
    pub(super) acceptance: Acceptance,
}

/// Loads a tenant. History is read only if the models accept different statements.
///
/// # Errors
/// Those of the store.
pub(super) async fn load(
    snapshot: &mut dyn Snapshot,
    models: ModelChange<'_>,
    progress: &Progress,
) -> Result<Loaded> {
    let mut loaded = Loaded::default();
    let replays = !same_acceptance(models);
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
            loaded.replay(snapshot, &records, models).await?;
        } else {
            loaded.replayed.extend(
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

/// The profile ids that a record carries, and that of its profile.
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
        models: ModelChange<'_>,
    ) -> Result<()> {
        let keys: Vec<RecordKey> = records.iter().map(|record| record.key.clone()).collect();
        let statements = snapshot.statements(&keys).await?;
        let mut of_record: BTreeMap<&RecordKey, &[_]> = BTreeMap::new();
        for chunk in statements.chunk_by(|a, b| a.key.record == b.key.record) {
            of_record.insert(&chunk[0].key.record, chunk);
        }
        for record in records {
            let statements = of_record.get(&record.key).copied().unwrap_or_default();
            self.replayed.insert(
                record.key.clone(),
                replay(record, statements, models, &mut self.acceptance),
            );
        }
        Ok(())
    }
}
