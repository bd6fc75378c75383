//! The change log: read from any place on, and thrown away from its beginning.

use profile_core::records::{Sequence, TenantId, Timestamp};
use sea_orm::{ConnectionTrait, QueryResult, Statement};

use super::SqlStore;
use super::entity::document;
use super::read::place;
use super::statement::{Column, Dialect, Sql};
use crate::store::{Error, LogCursor, LogEntry, LogRetention, LogTail, Result};

/// How many parts are thrown away by one statement: it must not keep the tenant's writers waiting
/// for the disk.
const TRIMMED_AT_ONCE: usize = 500;

/// Serves [`Store::read_log`](crate::store::Store::read_log), by `tenant_pk` and `change_log_pk`.
pub(super) fn read_log(dialect: Dialect, cursors: &[LogCursor], limit: usize) -> Result<Statement> {
    let mut sql = Sql::new(dialect);
    let columns = vec![
        (
            "tenant",
            Column::text(cursors.iter().map(|cursor| cursor.tenant.as_str())),
        ),
        (
            "sequence",
            Column::Int(
                cursors
                    .iter()
                    .map(|cursor| cursor.after.sequence.0)
                    .collect(),
            ),
        ),
        (
            "part",
            Column::Int(
                cursors
                    .iter()
                    .map(|cursor| cursor.after.part.into())
                    .collect(),
            ),
        ),
    ];
    let asked = sql.rows("asked", columns)?;
    let limit = sql.limit(limit);
    let (entries, [sequence, part, last, time, changes]) = sql.lateral(
        "entry",
        ["sequence", "part", "last", "time", "changes"],
        &format!(
            "SELECT c.sequence, c.part, c.last, c.time, c.changes FROM change_log AS c \
             WHERE c.tenant = asked.tenant AND (c.sequence, c.part) > (asked.sequence, asked.part) \
             ORDER BY c.sequence, c.part LIMIT {limit}"
        ),
    );
    let tenant = dialect.look_up("tenant", "t", "t.id = asked.tenant");
    Ok(sql.statement(format!(
        "SELECT asked.ord, t.sequence AS head, t.model_version, {sequence} AS sequence, {part} AS part, {last} AS last, \
         {time} AS time, {changes} AS changes \
         FROM {asked} {tenant} LEFT JOIN {entries} ON TRUE ORDER BY asked.ord, 4, 5"
    )))
}

/// Serves [`Store::trim_log`](crate::store::Store::trim_log), by `change_log_pk`. The write is
/// dated by its last part; of those that are too old or too much the oldest go first, and only
/// whole ones.
fn trim_log(dialect: Dialect, tenant: &TenantId, retention: LogRetention) -> Statement {
    let mut sql = Sql::new(dialect);
    let max_bytes = i64::try_from(retention.max_bytes).unwrap_or(i64::MAX);
    let values = [
        tenant.as_str().into(),
        retention.before.as_micros().into(),
        max_bytes.into(),
    ];
    let [tenant, before, max_bytes] = values.map(|value: sea_orm::Value| sql.bind(value));
    let limit = sql.limit(TRIMMED_AT_ONCE);
    // The sum grows and the least time falls towards the past: whatever goes is all that is before
    // some write, also where a clock that was ahead has dated one.
    sql.statement(format!(
        "DELETE FROM change_log WHERE tenant = {tenant} AND sequence IN (\
         SELECT sequence FROM (SELECT sequence, MIN(time) OVER (ORDER BY sequence DESC) AS time, SUM(bytes) OVER (ORDER BY sequence DESC) AS sum, \
         MAX(sequence) OVER () AS head FROM change_log WHERE tenant = {tenant}) AS entry \
         WHERE sequence < head AND (time < {before} OR sum > {max_bytes}) ORDER BY sequence LIMIT {limit})"
    ))
}

impl SqlStore {
    pub(super) async fn read_tails(
        &self,
        cursors: &[LogCursor],
        limit: usize,
    ) -> Result<Vec<LogTail>> {
        if cursors.is_empty() {
            return Ok(Vec::new());
        }
        tails(
            &self.rows(read_log(self.dialect, cursors, limit)?).await?,
            cursors.len(),
        )
    }

    /// The same over the follower's own connection, whoever else waits for one.
    pub(super) async fn follow_tails(
        &self,
        cursors: &[LogCursor],
        limit: usize,
    ) -> Result<Vec<LogTail>> {
        if cursors.is_empty() {
            return Ok(Vec::new());
        }
        let statement = read_log(self.dialect, cursors, limit)?;
        let rows = async { Ok(self.pools.follow().query_all_raw(statement).await?) };
        let rows = self.pools.fit(rows).await?;
        tails(&rows, cursors.len())
    }

    pub(super) async fn trim_tail(
        &self,
        tenant: &TenantId,
        retention: LogRetention,
    ) -> Result<u64> {
        self.write_rows(trim_log(self.dialect, tenant, retention))
            .await
    }

    pub(super) async fn read_tenants(
        &self,
        after: Option<&TenantId>,
        limit: usize,
    ) -> Result<Vec<TenantId>> {
        let mut sql = Sql::new(self.dialect);
        let after = sql.bind(after.map_or("", TenantId::as_str));
        let limit = sql.limit(limit);
        let statement = sql.statement(format!(
            "SELECT id FROM tenant AS t WHERE id > {after} AND NOT EXISTS (SELECT 1 FROM tenant_register AS r \
             WHERE r.id = t.id AND r.delete_time IS NOT NULL) ORDER BY id LIMIT {limit}"
        ));
        let tenant = |row: &QueryResult| {
            let id: String = row.try_get("", "id")?;
            let inconsistent = || Error::Inconsistent {
                table: "tenant",
                column: "id",
                key: "…".to_owned(),
                what: "is no tenant's name".to_owned(),
            };
            TenantId::new(&id).ok_or_else(inconsistent)
        };
        self.rows(statement).await?.iter().map(tenant).collect()
    }
}

/// The tails of as many tenants as were asked for.
fn tails(rows: &[QueryResult], asked: usize) -> Result<Vec<LogTail>> {
    let mut tails = vec![LogTail::default(); asked];
    for row in rows {
        let Some(tail) = place(row)?.and_then(|place| tails.get_mut(place)) else {
            continue;
        };
        tail.head = Sequence(row.try_get("", "head")?);
        tail.model_version = row.try_get("", "model_version")?;
        tail.entries.extend(entry(row)?);
    }
    Ok(tails)
}

/// An entry; none in the row of a tenant that has nothing new.
fn entry(row: &QueryResult) -> Result<Option<LogEntry>> {
    let Some(sequence) = row.try_get::<Option<i64>>("", "sequence")? else {
        return Ok(None);
    };
    let (part, last): (i64, i64) = (row.try_get("", "part")?, row.try_get("", "last")?);
    let (time, changes): (i64, String) = (row.try_get("", "time")?, row.try_get("", "changes")?);
    Ok(Some(LogEntry {
        sequence: Sequence(sequence),
        part: i32::try_from(part).unwrap_or(i32::MAX),
        last: last != 0,
        time: Timestamp::from_micros(time),
        body: document("change_log", "changes", &sequence.to_string(), &changes)?,
    }))
}
