//! Reads within one transaction: of a write, or of a snapshot.

use std::sync::Arc;

use async_trait::async_trait;
use profile_core::identity::BlockingKey;
use profile_core::records::{
    ContentHash, EventKey, Identifier, KeptEvent, ProfileId, Record, RecordKey, TenantId,
};
use sea_orm::{FromQueryResult, QueryResult};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::entity::{document, profile, record_version};
use super::pools::Pools;
use super::read::{decision, pair, record, record_key, recount_progress, request};
use super::session::{Purpose, Session};
use super::write::{SqlTransaction, distinct, question};
use super::{matching, query};
use crate::store::{
    BackfillProgress, CorrectionKey, Error, KeyedRecord, MatchPair, ProfileRow, Result, Snapshot,
    StatementKey, StoredDecision, StoredRequest, StoredStatement, Tombstone, WriteTurn,
};

/// Begins a snapshot.
pub(super) async fn begin(
    pools: &Arc<Pools>,
    tenant: &TenantId,
    tasks: &TaskTracker,
) -> Result<SqlTransaction> {
    let (pools, tenant, tracker) = (pools.clone(), tenant.clone(), tasks.clone());
    let begun = tasks.spawn(async move {
        let open = Some(Session::begin(&pools.read(), Purpose::Snapshot).await?);
        Ok(SqlTransaction {
            dialect: pools.dialect,
            tenant,
            turn: WriteTurn::default(),
            open,
            apart: false,
            went_ahead: false,
            pools,
            tasks: tracker,
        })
    });
    begun
        .await
        .unwrap_or_else(|panic| Err(Error::Internal(format!("snapshot: {panic}"))))
}

#[async_trait]
impl Snapshot for SqlTransaction {
    async fn model_in_force(&mut self) -> Result<i64> {
        let rows = self
            .rows(query::model_in_force(self.dialect, &self.tenant))
            .await?;
        Ok(rows
            .first()
            .map(|row| row.try_get("", "model_version"))
            .transpose()?
            .unwrap_or(0))
    }

    async fn records(&mut self, keys: &[RecordKey]) -> Result<Vec<Record>> {
        let keys = distinct(keys);
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self
            .rows(query::records(self.dialect, &self.tenant, &keys)?)
            .await?;
        rows.iter().map(record).collect()
    }

    async fn holders(
        &mut self,
        identifiers: &[Identifier],
        limit: usize,
    ) -> Result<Vec<(Identifier, Record)>> {
        let asked = distinct(identifiers);
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self
            .rows(query::holders(self.dialect, &self.tenant, &asked, limit)?)
            .await?;
        rows.iter()
            .map(|row| Ok((question(&asked, row)?.clone(), record(row)?)))
            .collect()
    }

    async fn profile_rows(&mut self, ids: &[ProfileId]) -> Result<Vec<ProfileRow>> {
        let ids = distinct(ids);
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let statement = query::profile_rows(self.dialect, &self.tenant, &ids)?;
        let rows = self.rows(statement).await?;
        rows.iter()
            .map(|row| {
                Ok(ProfileRow::from(profile::Model::from_query_result(
                    row, "",
                )?))
            })
            .collect()
    }

    async fn members(&mut self, profiles: &[ProfileId]) -> Result<Vec<Record>> {
        let profiles = distinct(profiles);
        if profiles.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self
            .rows(matching::members(self.dialect, &self.tenant, &profiles)?)
            .await?;
        rows.iter().map(record).collect()
    }

    async fn former_members(&mut self, profiles: &[ProfileId]) -> Result<Vec<Record>> {
        self.find_former_members(&distinct(profiles)).await
    }

    async fn scan_records(
        &mut self,
        after: Option<&RecordKey>,
        limit: usize,
    ) -> Result<Vec<Record>> {
        let rows = self
            .rows(matching::scan_records(
                self.dialect,
                &self.tenant,
                after,
                limit,
            ))
            .await?;
        rows.iter().map(record).collect()
    }

    async fn count_records(&mut self, limit: usize) -> Result<usize> {
        let rows = self
            .rows(matching::count_records(self.dialect, &self.tenant, limit))
            .await?;
        let counted: i64 = match rows.first() {
            Some(row) => row.try_get("", "records")?,
            None => 0,
        };
        Ok(usize::try_from(counted).unwrap_or_default())
    }

    async fn keyed(&mut self, keys: &[BlockingKey], limit: usize) -> Result<Vec<KeyedRecord>> {
        let asked = distinct(keys);
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self
            .rows(matching::keyed(self.dialect, &self.tenant, &asked, limit)?)
            .await?;
        rows.iter()
            .map(|row| {
                Ok((
                    *question(&asked, row)?,
                    record_key(row, "source", "record_key")?,
                ))
            })
            .collect()
    }

    async fn statements(&mut self, records: &[RecordKey]) -> Result<Vec<StoredStatement>> {
        let records = distinct(records);
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let statement = query::statements(self.dialect, &self.tenant, &records)?;
        let rows = self.rows(statement).await?;
        rows.iter()
            .map(|row| record_version::Model::from_query_result(row, "")?.into_statement())
            .collect()
    }

    async fn recount_progress(&mut self) -> Result<Option<BackfillProgress>> {
        let rows = self
            .rows(query::recount_progress(self.dialect, &self.tenant))
            .await?;
        rows.first().map(recount_progress).transpose()
    }

    async fn pairs(&mut self, records: &[RecordKey]) -> Result<Vec<MatchPair>> {
        let records = distinct(records);
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self
            .rows(matching::pairs(self.dialect, &self.tenant, &records)?)
            .await?;
        // Found from both ends, if both were asked for.
        let pairs: Vec<MatchPair> = rows.iter().map(pair).collect::<Result<_>>()?;
        Ok(distinct(&pairs))
    }

    async fn decisions_about(&mut self, records: &[RecordKey]) -> Result<Vec<StoredDecision>> {
        let records = distinct(records);
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self
            .rows(matching::decisions_about(
                self.dialect,
                &self.tenant,
                &records,
            )?)
            .await?;
        let mut decisions = rows.iter().map(decision).collect::<Result<Vec<_>>>()?;
        decisions.sort_by(|a, b| a.decision.id.cmp(&b.decision.id));
        decisions.dedup_by(|a, b| a.decision.id == b.decision.id);
        Ok(decisions)
    }

    async fn decisions(&mut self) -> Result<Vec<StoredDecision>> {
        let rows = self
            .rows(matching::decisions(self.dialect, &self.tenant))
            .await?;
        rows.iter().map(decision).collect()
    }

    async fn decision(&mut self, id: &str) -> Result<Option<StoredDecision>> {
        let rows = self
            .rows(matching::decision(self.dialect, &self.tenant, id))
            .await?;
        rows.first().map(decision).transpose()
    }

    async fn request(&mut self, request_id: &str) -> Result<Option<StoredRequest>> {
        let rows = self
            .rows(matching::request(self.dialect, &self.tenant, request_id))
            .await?;
        rows.first().map(request).transpose()
    }

    async fn known_statements(&mut self, statements: &[StatementKey]) -> Result<Vec<StatementKey>> {
        let asked = distinct(statements);
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self
            .rows(query::known_statements(self.dialect, &self.tenant, &asked)?)
            .await?;
        rows.iter()
            .map(|row| Ok(question(&asked, row)?.clone()))
            .collect()
    }

    async fn known_events(&mut self, events: &[EventKey]) -> Result<Vec<(EventKey, ContentHash)>> {
        let asked = distinct(events);
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self
            .rows(query::known_events(self.dialect, &self.tenant, &asked)?)
            .await?;
        let known = |row: &QueryResult| {
            let hash: Uuid = row.try_get("", "content_hash")?;
            Ok((question(&asked, row)?.clone(), ContentHash(hash.as_u128())))
        };
        rows.iter().map(known).collect()
    }

    async fn kept_events(&mut self, events: &[EventKey]) -> Result<Vec<KeptEvent>> {
        let asked = distinct(events);
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self
            .rows(query::kept_events(self.dialect, &self.tenant, &asked)?)
            .await?;
        rows.iter()
            .map(|row| kept_event(question(&asked, row)?.clone(), row))
            .collect()
    }

    async fn erased(&mut self, tombstones: &[(Tombstone, RecordKey)]) -> Result<Vec<RecordKey>> {
        self.find_tombstones(tombstones).await
    }

    async fn known_corrections(
        &mut self,
        corrections: &[CorrectionKey],
    ) -> Result<Vec<CorrectionKey>> {
        let asked = distinct(corrections);
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self
            .rows(query::known_corrections(
                self.dialect,
                &self.tenant,
                &asked,
            )?)
            .await?;
        rows.iter()
            .map(|row| Ok(question(&asked, row)?.clone()))
            .collect()
    }
}

/// What is kept under the key of an event. One that was taken back has no body.
fn kept_event(key: EventKey, row: &QueryResult) -> Result<KeptEvent> {
    let [body, correction]: [String; 2] =
        [row.try_get("", "body")?, row.try_get("", "correction")?];
    let event = (!body.is_empty())
        .then(|| document("event", "body", &key.source, &body))
        .transpose()?;
    let correction = (!correction.is_empty())
        .then(|| document("event", "correction", &key.source, &correction))
        .transpose()?;
    Ok(KeptEvent {
        key,
        event,
        correction,
    })
}
