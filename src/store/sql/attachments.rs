//! The statements by which events are attached to records.

use async_trait::async_trait;
use profile_core::records::{Claim, EventKey, ObjectKey, RecordKey, TenantId, Timestamp};
use sea_orm::{QueryResult, Statement};

use super::objects::object_columns;
use super::query::event_key_columns;
use super::statement::{Dialect, Sql};
use super::write::{SqlTransaction, distinct, question};
use crate::store::{Attachments, Result, WaitingPage};

/// Serves [`Attachments::attached_events`], by `event_object_attached`.
pub(super) fn attached_events(
    dialect: Dialect,
    tenant: &TenantId,
    objects: &[ObjectKey],
) -> Result<Statement> {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let asked = sql.rows("asked", object_columns(objects))?;
    let named = format!(
        "x.tenant = {tenant} AND x.kind = asked.kind AND x.object_id = asked.object_id \
         AND x.attached = 1"
    );
    let by = dialect.indexed_by("event_object_attached");
    let named = dialect.look_up("event_object", &format!("x{by}"), &named);
    Ok(sql.statement(format!(
        "SELECT DISTINCT x.source, x.event_id FROM {asked} {named}"
    )))
}

/// Serves [`Attachments::claims`], by `event_object_pk`.
pub(super) fn claims(
    dialect: Dialect,
    tenant: &TenantId,
    objects: &[ObjectKey],
    except: &[EventKey],
    limit: usize,
) -> Result<Statement> {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let asked = sql.rows("asked", object_columns(objects))?;
    let except = sql.rows("gone", event_key_columns(except))?;
    let limit = sql.limit(limit);
    let (holders, [source, key, own, first, latest]) = sql.lateral(
        "h",
        ["source", "record_key", "own", "first", "latest"],
        &format!(
            "SELECT x.record_source AS source, x.record_key, max(x.own) AS own, min(x.sort_time) AS first, max(x.sort_time) AS latest \
             FROM event_object AS x \
             WHERE x.tenant = {tenant} AND x.kind = asked.kind AND x.object_id = asked.object_id \
             AND x.attached = 0 \
             AND (x.source, x.event_id) NOT IN (SELECT gone.source, gone.event_id FROM {except}) \
             GROUP BY x.record_source, x.record_key \
             ORDER BY x.record_source, x.record_key LIMIT {limit}"
        ),
    );
    Ok(sql.statement(format!(
        "SELECT asked.ord, {source} AS source, {key} AS record_key, CAST({own} AS bigint) AS own, CAST({first} AS bigint) AS first, \
         CAST({latest} AS bigint) AS latest FROM {asked} CROSS JOIN {holders}"
    )))
}

/// Serves [`Attachments::count_waiting`], by `event_by_record`.
fn count_waiting(dialect: Dialect, tenant: &TenantId, limit: usize) -> Statement {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let limit = sql.limit(limit);
    let by = dialect.indexed_by("event_by_record");
    sql.statement(format!(
        "SELECT count(*) AS number FROM (SELECT 1 FROM event AS e{by} WHERE e.record_key = '' \
         AND e.tenant = {tenant} AND e.record_source > '' ORDER BY e.record_source, e.sort_time LIMIT {limit}) AS waiting"
    ))
}

/// Serves [`Timelines::list_waiting`](crate::store::Timelines::list_waiting), by
/// `event_by_record`.
pub(super) fn list_waiting(dialect: Dialect, tenant: &TenantId, page: &WaitingPage) -> Statement {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let of_source = match &page.source {
        Some(source) => format!("e.record_source = {}", sql.bind(source.as_str())),
        None => "e.record_source > ''".to_owned(),
    };
    let after = page.after.as_ref().map_or_else(String::new, |after| {
        let [source, time, id]: [sea_orm::Value; 3] = [
            after.source.as_str().into(),
            after.sort_time.as_micros().into(),
            after.event_id.as_str().into(),
        ];
        let [source, time, id] = [source, time, id].map(|value| sql.bind(value));
        format!(" AND (e.record_source, e.sort_time, e.source, e.event_id) > ({source}, {time}, {source}, {id})")
    });
    let limit = sql.limit(page.limit);
    let by = dialect.indexed_by("event_by_record");
    sql.statement(format!(
        "SELECT e.source, e.body FROM event AS e{by} WHERE e.record_key = '' AND e.tenant = {tenant} \
         AND {of_source}{after} ORDER BY e.record_source, e.sort_time, e.source, e.event_id LIMIT {limit}"
    ))
}

/// The statements to be explained.
pub(super) fn hot_queries(
    dialect: Dialect,
    tenant: &TenantId,
    events: &[EventKey],
) -> Result<Vec<(&'static str, Statement)>> {
    let objects: Vec<ObjectKey> = (0..50)
        .map(|number: i32| ObjectKey::new("order", number.to_string()))
        .collect();
    let waiting = WaitingPage {
        limit: 10,
        ..WaitingPage::default()
    };
    Ok(vec![
        (
            "attached_events",
            attached_events(dialect, tenant, &objects)?,
        ),
        ("claims", claims(dialect, tenant, &objects, events, 10)?),
        ("count_waiting", count_waiting(dialect, tenant, 10)),
        ("list_waiting", list_waiting(dialect, tenant, &waiting)),
    ])
}

#[async_trait]
impl Attachments for SqlTransaction {
    async fn attached_events(&mut self, objects: &[ObjectKey]) -> Result<Vec<EventKey>> {
        let asked = distinct(objects);
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self
            .rows(attached_events(self.dialect, &self.tenant, &asked)?)
            .await?;
        let key = |row: &QueryResult| {
            Ok(EventKey {
                source: row.try_get("", "source")?,
                event_id: row.try_get("", "event_id")?,
            })
        };
        rows.iter().map(key).collect()
    }

    async fn claims(
        &mut self,
        objects: &[ObjectKey],
        except: &[EventKey],
        limit: usize,
    ) -> Result<Vec<(ObjectKey, Claim)>> {
        let asked = distinct(objects);
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self
            .rows(claims(self.dialect, &self.tenant, &asked, except, limit)?)
            .await?;
        let claim = |row: &QueryResult| {
            let (source, key): (String, String) =
                (row.try_get("", "source")?, row.try_get("", "record_key")?);
            let claim = Claim {
                record: RecordKey::new(source, key),
                own: row.try_get::<i64>("", "own")? == 1,
                first: Timestamp::from_micros(row.try_get("", "first")?),
                latest: Timestamp::from_micros(row.try_get("", "latest")?),
            };
            Ok((question(&asked, row)?.clone(), claim))
        };
        rows.iter().map(claim).collect()
    }

    async fn count_waiting(&mut self, limit: usize) -> Result<usize> {
        let rows = self
            .rows(count_waiting(self.dialect, &self.tenant, limit))
            .await?;
        let number: Option<i64> = rows
            .first()
            .map(|row| row.try_get("", "number"))
            .transpose()?;
        Ok(number
            .and_then(|number| usize::try_from(number).ok())
            .unwrap_or(0))
    }
}
