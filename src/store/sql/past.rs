//! Reads of the past: each thing asked for is found among the rows in place and among those that
//! were replaced.

use async_trait::async_trait;
use profile_core::profile::StoredProfile;
use profile_core::records::{
    Identifier, ProfileId, Record, RecordKey, Sequence, TenantId, Timestamp,
};
use sea_orm::{QueryResult, Statement};
use uuid::Uuid;

use super::SqlStore;
use super::entity::profile;
use super::read::record;
use super::statement::{Dialect, Sql};
use crate::store::{Past, PastWrite, ProfileRow, ProfileState, Result};

/// Serves [`Past::write_at`], by `write_time_pk` and `model_activation_pk`.
fn write_at(dialect: Dialect, tenant: &TenantId, time: Timestamp) -> Statement {
    let mut sql = Sql::new(dialect);
    let (tenant, time) = (sql.bind(tenant.as_str()), sql.bind(time.as_micros()));
    sql.statement(format!(
        "SELECT w.time, w.sequence, COALESCE((SELECT a.version FROM model_activation AS a \
         WHERE a.tenant = {tenant} AND a.sequence <= w.sequence ORDER BY a.version DESC LIMIT 1), 0) AS model_version \
         FROM write_time AS w WHERE w.tenant = {tenant} AND w.time <= {time} \
         ORDER BY w.time DESC, w.sequence DESC LIMIT 1"
    ))
}

/// The one row of a table with a key, as it was after a write: in place, or the first that was
/// replaced later.
fn row_after(table: &str, columns: &str, key: &str, write: &str) -> String {
    format!(
        "SELECT {columns} FROM {table} AS t WHERE {key} AND t.since <= {write} \
         UNION ALL SELECT {columns} FROM (SELECT * FROM {table}_history AS t WHERE {key} AND t.until > {write} \
         ORDER BY t.until LIMIT 1) AS first WHERE since <= {write}"
    )
}

/// Serves [`Past::profile_after`]: what an id stood for, by `profile_pk` and `profile_history_pk`.
fn profile_row_after(
    dialect: Dialect,
    tenant: &TenantId,
    id: ProfileId,
    write: Sequence,
) -> Statement {
    let mut sql = Sql::new(dialect);
    let (tenant, id, write) = (sql.bind(tenant.as_str()), sql.bind(id.0), sql.bind(write.0));
    let columns = "tenant, id, revision, update_time, merged_into, deleted";
    sql.statement(row_after(
        "profile",
        columns,
        &format!("t.tenant = {tenant} AND t.id = {id}"),
        &write,
    ))
}

/// Serves [`Past::profile_after`]: the records that were in a profile, by `record_by_profile` and
/// `record_history_by_profile`. In any order: to have them in order of key SQLite would go through
/// all records by their key.
fn members_after(dialect: Dialect, tenant: &TenantId, id: ProfileId, write: Sequence) -> Statement {
    let mut sql = Sql::new(dialect);
    let (tenant, id, write) = (sql.bind(tenant.as_str()), sql.bind(id.0), sql.bind(write.0));
    let columns = "t.source, t.profile_id, t.body, NULL AS rollup";
    let member = format!("t.tenant = {tenant} AND t.profile_id = {id} AND t.since <= {write}");
    sql.statement(format!(
        "SELECT {columns} FROM record AS t WHERE {member} \
         UNION ALL SELECT {columns} FROM record_history AS t WHERE {member} AND t.until > {write}"
    ))
}

/// Serves [`Past::find_by_record_after`], by `record_pk` and `record_history_pk`.
fn find_by_record_after(
    dialect: Dialect,
    tenant: &TenantId,
    key: &RecordKey,
    write: Sequence,
) -> Statement {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let (source, record_key) = (sql.bind(key.source.as_str()), sql.bind(key.key.as_str()));
    let write = sql.bind(write.0);
    let key =
        format!("t.tenant = {tenant} AND t.source = {source} AND t.record_key = {record_key}");
    sql.statement(row_after("record", "profile_id", &key, &write))
}

/// Serves [`Past::find_by_identifier_after`]: who held it, by `identifier_pk` and
/// `identifier_history_pk`; and where those were, by `record_pk` and `record_history_pk`.
fn find_by_identifier_after(
    dialect: Dialect,
    tenant: &TenantId,
    identifier: &Identifier,
    write: Sequence,
    limit: usize,
) -> Statement {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let (kind, value) = (
        sql.bind(identifier.kind.as_str()),
        sql.bind(identifier.value.as_str()),
    );
    let (write, limit) = (sql.bind(write.0), sql.limit(limit));
    let held = format!(
        "t.tenant = {tenant} AND t.type = {kind} AND t.value = {value} AND t.since <= {write}"
    );
    let key = format!(
        "r.tenant = {tenant} AND r.source = held.source AND r.record_key = held.record_key"
    );
    sql.statement(format!(
        "WITH held AS (SELECT t.source, t.record_key FROM identifier AS t WHERE {held} \
         UNION ALL SELECT t.source, t.record_key FROM identifier_history AS t WHERE {held} AND t.until > {write}), \
         homes AS (SELECT COALESCE(\
         (SELECT r.profile_id FROM record AS r WHERE {key} AND r.since <= {write}), \
         (SELECT CASE WHEN r.since <= {write} THEN r.profile_id END FROM record_history AS r \
         WHERE {key} AND r.until > {write} ORDER BY r.until LIMIT 1)) AS profile_id FROM held) \
         SELECT DISTINCT profile_id FROM homes WHERE profile_id IS NOT NULL ORDER BY profile_id LIMIT {limit}"
    ))
}

/// What is to be explained.
pub(super) fn hot_queries(dialect: Dialect, tenant: &TenantId) -> Vec<(&'static str, Statement)> {
    let (id, write) = (ProfileId(Uuid::from_u128(1)), Sequence(1));
    let (record, identifier) = (RecordKey::new("source", "1"), Identifier::new("type", "1"));
    vec![
        ("write_at", write_at(dialect, tenant, Timestamp::default())),
        (
            "profile_after: row",
            profile_row_after(dialect, tenant, id, write),
        ),
        (
            "profile_after: records",
            members_after(dialect, tenant, id, write),
        ),
        (
            "find_by_record_after",
            find_by_record_after(dialect, tenant, &record, write),
        ),
        (
            "find_by_identifier_after",
            find_by_identifier_after(dialect, tenant, &identifier, write, 10),
        ),
    ]
}

impl SqlStore {
    async fn row_after(
        &self,
        tenant: &TenantId,
        id: ProfileId,
        write: Sequence,
    ) -> Result<Option<ProfileRow>> {
        use sea_orm::EntityTrait;
        let statement = profile_row_after(self.dialect, tenant, id, write);
        let row = self
            .pools
            .reading(|db| async move {
                profile::Entity::find()
                    .from_raw_sql(statement)
                    .one(&db)
                    .await
            })
            .await?;
        Ok(row.map(ProfileRow::from))
    }
}

fn profile_id(row: &QueryResult) -> Result<Option<ProfileId>> {
    Ok(row
        .try_get::<Option<Uuid>>("", "profile_id")?
        .map(ProfileId))
}

#[async_trait]
impl Past for SqlStore {
    async fn time(&self) -> Result<Option<Timestamp>> {
        if self.dialect != Dialect::Postgres {
            return Ok(None);
        }
        let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS time";
        let row = self
            .rows(Sql::new(self.dialect).statement(sql.to_owned()))
            .await?
            .into_iter()
            .next();
        let time = row.map(|row| row.try_get("", "time")).transpose()?;
        Ok(time.map(Timestamp::from_micros))
    }

    async fn write_at(&self, tenant: &TenantId, time: Timestamp) -> Result<Option<PastWrite>> {
        let row = self
            .rows(write_at(self.dialect, tenant, time))
            .await?
            .into_iter()
            .next();
        let write = |row: QueryResult| {
            let (sequence, time) = (
                Sequence(row.try_get("", "sequence")?),
                row.try_get("", "time")?,
            );
            let model_version = row.try_get("", "model_version")?;
            Ok(PastWrite {
                sequence,
                time: Timestamp::from_micros(time),
                model_version,
            })
        };
        row.map(write).transpose()
    }

    async fn profile_after(
        &self,
        tenant: &TenantId,
        id: ProfileId,
        write: Sequence,
    ) -> Result<Option<StoredProfile>> {
        let Some(mut row) = self.row_after(tenant, id, write).await? else {
            return Ok(None);
        };
        if let ProfileState::MergedInto(survivor) = row.state {
            let Some(live) = self.row_after(tenant, survivor, write).await? else {
                return Ok(None);
            };
            row = live;
        }
        if row.state != ProfileState::Live {
            return Ok(None);
        }
        let rows = self
            .rows(members_after(self.dialect, tenant, row.id, write))
            .await?;
        let mut records = rows.iter().map(record).collect::<Result<Vec<Record>>>()?;
        records.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        let profile = StoredProfile {
            id: row.id,
            revision: row.revision,
            update_time: row.update_time,
            records,
        };
        Ok((!profile.records.is_empty()).then_some(profile))
    }

    async fn find_by_identifier_after(
        &self,
        tenant: &TenantId,
        identifier: &Identifier,
        write: Sequence,
        limit: usize,
    ) -> Result<Vec<ProfileId>> {
        let statement = find_by_identifier_after(self.dialect, tenant, identifier, write, limit);
        let rows = self.rows(statement).await?;
        rows.iter()
            .filter_map(|row| profile_id(row).transpose())
            .collect()
    }

    async fn find_by_record_after(
        &self,
        tenant: &TenantId,
        record: &RecordKey,
        write: Sequence,
    ) -> Result<Option<ProfileId>> {
        let row = self
            .rows(find_by_record_after(self.dialect, tenant, record, write))
            .await?
            .into_iter()
            .next();
        Ok(row.as_ref().map(profile_id).transpose()?.flatten())
    }
}
