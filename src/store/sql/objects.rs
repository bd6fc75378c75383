//! The statements that find events by the objects that they name.

use std::collections::BTreeMap;

use profile_core::records::{ObjectKey, RecordKey, TenantId, TimelinePosition, Timestamp};
use sea_orm::Statement;

use super::query::{as_of, record_columns};
use super::statement::{Column, Dialect, Sql};
use crate::store::{ObjectPage, Result};

/// The columns of records, with the time of the earliest event to read of each: at the least the
/// given one.
pub(super) fn held_columns(
    records: &[RecordKey],
    held_since: &BTreeMap<RecordKey, Timestamp>,
    earliest: i64,
) -> Vec<(&'static str, Column)> {
    let of_record = |record: &RecordKey| {
        let since = held_since.get(record);
        since.map_or(earliest, |since| earliest.max(since.as_micros()))
    };
    let mut columns = record_columns(records);
    let each = records.iter().map(of_record).collect();
    columns.push(("earliest", Column::Int(each)));
    columns
}

pub(super) fn object_columns<'a>(objects: &'a [ObjectKey]) -> Vec<(&'static str, Column)> {
    let text = |part: fn(&'a ObjectKey) -> &'a str| Column::text(objects.iter().map(part));
    vec![
        ("kind", text(|object| &object.kind)),
        ("object_id", text(|object| &object.id)),
    ]
}

/// Serves [`Timelines::list_object_events`]: those of each object and record by `event_object_pk`,
/// then by `event_pk`.
pub(super) fn list_object_events(
    dialect: Dialect,
    tenant: &TenantId,
    objects: &[ObjectKey],
    records: &[RecordKey],
    page: &ObjectPage,
) -> Result<Statement> {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let objects = sql.rows("object", object_columns(objects))?;
    let records = held_columns(records, &page.held_since, i64::MIN);
    let records = sql.rows("asked", records)?;
    let paged = sql.bind(i64::from(page.after.is_some()));
    let latest = sql.bind(
        page.after
            .as_ref()
            .map_or(i64::MAX, |after| after.sort_time.as_micros()),
    );
    let nowhere = TimelinePosition {
        sort_time: Timestamp::default(),
        source: String::new(),
        event_id: String::new(),
    };
    let after = page.after.clone().unwrap_or(nowhere);
    let after = [
        after.sort_time.as_micros().into(),
        after.source.into(),
        after.event_id.into(),
    ];
    let [time, source, event_id] = after.map(|value: sea_orm::Value| sql.bind(value));
    let limit = sql.limit(page.limit);
    let (newest, [sequence, found_source, found_id]) = sql.lateral(
        "n",
        ["sequence", "source", "event_id"],
        &format!(
            "SELECT x.sequence, x.source, x.event_id FROM event_object AS x \
             WHERE x.tenant = {tenant} AND x.kind = object.kind AND x.object_id = object.object_id \
             AND x.record_source = asked.source AND x.record_key = asked.record_key \
             AND x.sort_time >= asked.earliest AND x.sort_time <= {latest} \
             AND ({paged} = 0 OR (x.sort_time, x.source, x.event_id) < ({time}, {source}, {event_id})) \
             ORDER BY x.sort_time DESC, x.source DESC, x.event_id DESC LIMIT {limit}"
        ),
    );
    let event =
        format!("e.tenant = {tenant} AND e.source = {found_source} AND e.event_id = {found_id}");
    let event = dialect.look_up("event", "e", &event);
    Ok(sql.statement(format!(
        "SELECT object.ord, CAST({sequence} AS bigint) AS sequence, e.source, e.body \
         FROM {objects} CROSS JOIN {records} CROSS JOIN {newest} {event}"
    )))
}

/// Serves [`Timelines::find_by_objects`], by `event_object_pk` and `record_pk`.
pub(super) fn find_by_objects(
    dialect: Dialect,
    tenant: &TenantId,
    objects: &[ObjectKey],
    limit: usize,
) -> Result<Statement> {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let asked = sql.rows("asked", object_columns(objects))?;
    let limit = sql.limit(limit);
    let (holders, [source, record_key, latest]) = sql.lateral(
        "h",
        ["source", "record_key", "latest"],
        &format!(
            "SELECT x.record_source AS source, x.record_key, max(x.sort_time) AS latest FROM event_object AS x \
             WHERE x.tenant = {tenant} AND x.kind = asked.kind AND x.object_id = asked.object_id AND x.record_key <> '' \
             GROUP BY x.record_source, x.record_key ORDER BY x.record_source, x.record_key LIMIT {limit}"
        ),
    );
    let record =
        format!("r.tenant = {tenant} AND r.source = {source} AND r.record_key = {record_key}");
    let record = dialect.look_up("record", "r", &record);
    let found = format!(
        "SELECT DISTINCT asked.ord, r.profile_id FROM {asked} CROSS JOIN {holders} {record} \
         WHERE r.profile_id IS NOT NULL AND {latest} >= COALESCE(r.reused_since, {latest})"
    );
    Ok(sql.statement(as_of(
        &tenant,
        "found.ord, found.profile_id",
        &found,
        "found.ord, found.profile_id",
    )))
}
