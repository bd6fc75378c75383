//! Tombstones, and the receipts of erasures.

use async_trait::async_trait;
use profile_core::records::{RecordKey, Sequence, TenantId};
use sea_orm::{QueryResult, Statement};

use crate::store::sql::SqlStore;
use crate::store::sql::change::json;
use crate::store::sql::entity::document;
use crate::store::sql::statement::{Column, Dialect, Sql};
use crate::store::sql::write::{SqlTransaction, question};
use crate::store::{Erasure, Erasures, Release, Result, StoredErasure, Tombstone};

impl SqlTransaction {
    /// Keeps the tombstones and the receipt.
    pub(super) async fn keep_erasure(
        &mut self,
        erasure: &Erasure,
        receipt: &StoredErasure,
    ) -> Result<()> {
        let mut sql = Sql::new(self.dialect);
        let key = sql.bind(erasure.key.as_bytes().to_vec());
        let tenant = sql.bind(self.tenant.as_str());
        let statement = sql.statement(format!(
            "UPDATE tenant SET tombstone_key = {key} WHERE id = {tenant}"
        ));
        self.execute(statement).await?;
        let hashes = erasure.records.iter().map(|it| erasure.key.tombstone(it).0);
        let mut sql = Sql::new(self.dialect);
        let (tenant, id) = (
            sql.bind(self.tenant.as_str()),
            sql.bind(receipt.id.as_str()),
        );
        let added = sql.rows("added", vec![("hash", Column::Id(hashes.collect()))])?;
        let statement = sql.statement(format!(
            "INSERT INTO tombstone (tenant, hash, erasure) SELECT {tenant}, hash, {id} FROM {added} WHERE TRUE \
             ON CONFLICT (tenant, hash) DO UPDATE SET erasure = excluded.erasure"
        ));
        self.execute(statement).await?;
        let mut sql = Sql::new(self.dialect);
        let (tenant, id) = (
            sql.bind(self.tenant.as_str()),
            sql.bind(receipt.id.as_str()),
        );
        let (sequence, body) = (sql.bind(receipt.sequence.0), sql.bind(json(receipt)?));
        let statement = sql.statement(format!(
            "INSERT INTO erasure (tenant, id, sequence, body) VALUES ({tenant}, {id}, {sequence}, {body})"
        ));
        self.execute(statement).await?;
        Ok(())
    }

    /// Serves [`Snapshot::erased`](crate::store::Snapshot::erased).
    pub(in crate::store::sql) async fn find_tombstones(
        &mut self,
        tombstones: &[(Tombstone, RecordKey)],
    ) -> Result<Vec<RecordKey>> {
        if tombstones.is_empty() {
            return Ok(Vec::new());
        }
        let statement = erased(self.dialect, &self.tenant, tombstones)?;
        let rows = self.rows(statement).await?;
        rows.iter()
            .map(|row| Ok(question(tombstones, row)?.1.clone()))
            .collect()
    }
}

/// Serves [`Snapshot::erased`](crate::store::Snapshot::erased), by `tombstone_pk`.
fn erased(
    dialect: Dialect,
    tenant: &TenantId,
    tombstones: &[(Tombstone, RecordKey)],
) -> Result<Statement> {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let hashes = tombstones.iter().map(|(tombstone, _)| tombstone.0);
    let asked = sql.rows("asked", vec![("hash", Column::Id(hashes.collect()))])?;
    let condition = format!("t.tenant = {tenant} AND t.hash = asked.hash");
    let found = dialect.look_up("tombstone", "t", &condition);
    Ok(sql.statement(format!("SELECT asked.ord FROM {asked} {found}")))
}

/// An erasure, from its row.
fn stored_erasure(row: &QueryResult) -> Result<StoredErasure> {
    let (id, body): (String, String) = (row.try_get("", "id")?, row.try_get("", "body")?);
    let stored: StoredErasure = document("erasure", "body", &id, &body)?;
    Ok(StoredErasure {
        sequence: Sequence(row.try_get("", "sequence")?),
        id,
        ..stored
    })
}

#[async_trait]
impl Erasures for SqlStore {
    async fn list_erasures(
        &self,
        tenant: &TenantId,
        after: Option<(Sequence, String)>,
        limit: usize,
    ) -> Result<Vec<StoredErasure>> {
        let mut sql = Sql::new(self.dialect);
        let tenant = sql.bind(tenant.as_str());
        let after = after.map_or_else(String::new, |(sequence, id)| {
            let (sequence, id) = (sql.bind(sequence.0), sql.bind(id));
            format!(" AND (sequence, id) < ({sequence}, {id})")
        });
        let limit = sql.limit(limit);
        let statement = sql.statement(format!(
            "SELECT id, sequence, body FROM erasure WHERE tenant = {tenant}{after} \
             ORDER BY sequence DESC, id DESC LIMIT {limit}"
        ));
        let rows = self.rows(statement).await?;
        rows.iter().map(stored_erasure).collect()
    }

    async fn erasure(&self, tenant: &TenantId, id: &str) -> Result<Option<StoredErasure>> {
        let mut sql = Sql::new(self.dialect);
        let (tenant, id) = (sql.bind(tenant.as_str()), sql.bind(id));
        let statement = sql.statement(format!(
            "SELECT id, sequence, body FROM erasure WHERE tenant = {tenant} AND id = {id}"
        ));
        let rows = self.rows(statement).await?;
        rows.first().map(stored_erasure).transpose()
    }

    async fn release_erasure(&self, tenant: &TenantId, id: &str, release: &Release) -> Result<()> {
        let Some(mut stored) = self.erasure(tenant, id).await? else {
            return Ok(());
        };
        if stored.release.is_some() {
            return Ok(());
        }
        let before = json(&stored)?;
        stored.release = Some(release.clone());
        let mut sql = Sql::new(self.dialect);
        let [body, before] = [json(&stored)?, before].map(|text| sql.bind(text));
        let [key, name] = [tenant.as_str(), id].map(|text| sql.bind(text));
        // Only the first release counts.
        let receipt = sql.statement(format!(
            "UPDATE erasure SET body = {body} WHERE tenant = {key} AND id = {name} AND body = {before}"
        ));
        let mut sql = Sql::new(self.dialect);
        let [key, name] = [tenant.as_str(), id].map(|text| sql.bind(text));
        let tombstones = sql.statement(format!(
            "DELETE FROM tombstone WHERE tenant = {key} AND erasure = {name}"
        ));
        self.write_all(receipt, vec![tombstones]).await.map(drop)
    }
}
