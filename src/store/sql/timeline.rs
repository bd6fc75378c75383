//! Events: the statements that list and count them, and find who has them.

use async_trait::async_trait;
use profile_core::records::{
    Event, ObjectKey, ProfileId, RecordKey, Sequence, TenantId, TimelinePosition, Timestamp,
};
use sea_orm::{QueryResult, Statement};

use super::entity::document;
use super::objects::{find_by_objects, held_columns, list_object_events};
use super::read::{collect, inconsistent, place};
use super::statement::{Column, Dialect, Sql};
use super::{SqlStore, attachments};
use crate::store::{
    AsOf, EventFilter, EventPage, NamingEvent, ObjectPage, Result, Timelines, WaitingPage,
};

/// Serves [`Timelines::list_events`]: the newest of each record by `event_by_record`, or of each
/// record and type by `event_by_type`; then the newest of those. The other way round for a page
/// that ends at a position.
fn list_events(
    dialect: Dialect,
    tenant: &TenantId,
    records: &[RecordKey],
    page: &EventPage,
) -> Result<Statement> {
    let start = page.start.map_or(i64::MIN, Timestamp::as_micros);
    let earliest = page
        .from
        .as_ref()
        .map_or(start, |from| start.max(from.sort_time.as_micros()));
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let asked = held_columns(records, &page.held_since, earliest);
    let asked = sql.rows("asked", asked)?;
    let (kinds, of_kind) = kinds(&mut sql, &page.kinds)?;
    let of_source = sources(&mut sql, &page.sources)?;
    let by = dialect.indexed_by(if of_kind.is_empty() {
        "event_by_record"
    } else {
        "event_by_type"
    });
    let paged = sql.bind(i64::from(page.after.is_some() || page.from.is_some()));
    let (order, beyond) = if page.from.is_some() {
        ("ASC", ">=")
    } else {
        ("DESC", "<")
    };
    let end = page
        .end
        .map_or(i64::MAX, |end| end.as_micros().saturating_sub(1));
    let latest = page
        .after
        .as_ref()
        .map_or(end, |after| end.min(after.sort_time.as_micros()));
    let latest = sql.bind(latest);
    let nowhere = TimelinePosition {
        sort_time: Timestamp::default(),
        source: String::new(),
        event_id: String::new(),
    };
    let edge = page
        .from
        .clone()
        .or_else(|| page.after.clone())
        .unwrap_or(nowhere);
    let edge = [
        edge.sort_time.as_micros().into(),
        edge.source.into(),
        edge.event_id.into(),
    ];
    let [time, source, event_id] = edge.map(|value: sea_orm::Value| sql.bind(value));
    let limit = sql.limit(page.limit);
    let within = format!(
        "e.tenant = {tenant} AND e.record_source = asked.source AND e.record_key = asked.record_key{of_kind} \
         AND e.sort_time >= asked.earliest AND e.sort_time <= {latest} AND {of_source} \
         AND ({paged} = 0 OR (e.sort_time, e.source, e.event_id) {beyond} ({time}, {source}, {event_id}))"
    );
    let write = page.as_of.map(|write| sql.bind(write.0));
    let found = events_after(&format!("event AS e{by}"), &within, write.as_deref());
    let (newest, [sort_time, event_source, event_key, body]) = sql.lateral(
        "n",
        ["sort_time", "source", "event_id", "body"],
        &format!("{found} ORDER BY e.sort_time {order}, e.source {order}, e.event_id {order} LIMIT {limit}"),
    );
    Ok(sql.statement(format!(
        "SELECT {event_source} AS source, {body} AS body FROM {asked}{kinds} CROSS JOIN {newest} \
         ORDER BY {sort_time} {order}, {event_source} {order}, {event_key} {order} LIMIT {limit}"
    )))
}

/// The events that fulfil a condition: now, or after a write.
fn events_after(table: &str, condition: &str, write: Option<&str>) -> String {
    let columns = "e.sort_time, e.source, e.event_id, e.body";
    let Some(write) = write else {
        return format!("SELECT {columns} FROM {table} WHERE {condition}");
    };
    format!(
        "SELECT * FROM (SELECT {columns} FROM {table} WHERE {condition} AND e.since <= {write} \
         UNION ALL SELECT {columns} FROM event_history AS e \
         WHERE {condition} AND e.since <= {write} AND e.until > {write}) AS e"
    )
}

/// The types to look for, to be joined, and the condition on an event; nothing for all types.
fn kinds(sql: &mut Sql, kinds: &[String]) -> Result<(String, &'static str)> {
    if kinds.is_empty() {
        return Ok((String::new(), ""));
    }
    let mut distinct: Vec<&str> = kinds.iter().map(String::as_str).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let kinds = sql.rows("kinds", vec![("kind", Column::text(distinct))])?;
    Ok((format!(" CROSS JOIN {kinds}"), " AND e.type = kinds.kind"))
}

/// The condition that some sources said an event; all, if none is named.
fn sources(sql: &mut Sql, sources: &[String]) -> Result<String> {
    let any = sql.bind(i64::from(sources.is_empty()));
    let said = Column::text(sources.iter().map(String::as_str));
    let sources = sql.rows("sources", vec![("source", said)])?;
    Ok(format!(
        "({any} = 1 OR e.source IN (SELECT source FROM {sources}))"
    ))
}

/// Serves [`Timelines::count_events`], by `event_by_type` alone.
fn count_events(
    dialect: Dialect,
    tenant: &TenantId,
    records: &[RecordKey],
    filter: &EventFilter,
) -> Result<Statement> {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let start = filter.start.map_or(i64::MIN, Timestamp::as_micros);
    let asked = held_columns(records, &filter.held_since, start);
    let asked = sql.rows("asked", asked)?;
    let (kinds, of_kind) = kinds(&mut sql, &filter.kinds)?;
    let channels = sql.rows(
        "channels",
        vec![(
            "channel",
            Column::text(filter.channels.iter().map(String::as_str)),
        )],
    )?;
    let of_source = sources(&mut sql, &filter.sources)?;
    let any_channel = sql.bind(i64::from(filter.channels.is_empty()));
    let end = sql.bind(
        filter
            .end
            .map_or(i64::MAX, |end| end.as_micros().saturating_sub(1)),
    );
    let (counts, [kind, number]) = sql.lateral(
        "n",
        ["type", "number"],
        &format!(
            "SELECT e.type, count(*) AS number FROM event AS e \
             WHERE e.tenant = {tenant} AND e.record_source = asked.source AND e.record_key = asked.record_key{of_kind} \
             AND e.sort_time >= asked.earliest AND e.sort_time <= {end} AND {of_source} \
             AND ({any_channel} = 1 OR e.channel IN (SELECT channel FROM {channels})) GROUP BY e.type"
        ),
    );
    Ok(sql.statement(format!(
        "SELECT {kind} AS type, CAST(sum({number}) AS bigint) AS number FROM {asked}{kinds} CROSS JOIN {counts} \
         GROUP BY {kind} ORDER BY {kind}"
    )))
}

/// What is to be explained.
pub(super) fn hot_queries(
    dialect: Dialect,
    tenant: &TenantId,
    records: &[RecordKey],
) -> Result<Vec<(&'static str, Statement)>> {
    let newest = EventPage {
        limit: 10,
        ..EventPage::default()
    };
    let position = TimelinePosition {
        sort_time: Timestamp::default(),
        source: "a".to_owned(),
        event_id: "a".to_owned(),
    };
    let before = EventPage {
        from: Some(position),
        ..newest.clone()
    };
    let of_types = EventPage {
        kinds: vec!["a".to_owned(), "b".to_owned()],
        ..newest.clone()
    };
    let objects: Vec<ObjectKey> = (0..50)
        .map(|number: i32| ObjectKey::new("order", number.to_string()))
        .collect();
    let page = ObjectPage {
        limit: 10,
        ..ObjectPage::default()
    };
    Ok(vec![
        (
            "list_events",
            list_events(dialect, tenant, records, &newest)?,
        ),
        (
            "list_events: before",
            list_events(dialect, tenant, records, &before)?,
        ),
        (
            "list_events: types",
            list_events(dialect, tenant, records, &of_types)?,
        ),
        (
            "count_events",
            count_events(dialect, tenant, records, &EventFilter::default())?,
        ),
        (
            "list_object_events",
            list_object_events(dialect, tenant, &objects, records, &page)?,
        ),
        (
            "find_by_objects",
            find_by_objects(dialect, tenant, &objects, 10)?,
        ),
    ])
}

impl SqlStore {
    /// How the database goes about a page of events, for operators and tests. PostgreSQL reads it,
    /// and tells the rows that each step had.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn explain_events(
        &self,
        tenant: &TenantId,
        records: &[RecordKey],
        page: &EventPage,
    ) -> Result<String> {
        let (prefix, column) = match self.dialect {
            Dialect::Postgres => (
                "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ",
                "QUERY PLAN",
            ),
            Dialect::Sqlite => ("EXPLAIN QUERY PLAN ", "detail"),
        };
        let mut statement = list_events(self.dialect, tenant, &distinct(records), page)?;
        statement.sql.insert_str(0, prefix);
        let rows = self.rows(statement).await?;
        let lines = rows
            .iter()
            .map(|row| Ok(row.try_get::<String>("", column)?))
            .collect::<Result<Vec<_>>>();
        Ok(lines?.join("\n"))
    }
}

/// Each once: a record that is asked for twice has its events once.
fn distinct(records: &[RecordKey]) -> Vec<RecordKey> {
    let mut records = records.to_vec();
    records.sort_unstable();
    records.dedup();
    records
}

pub(super) fn event(row: &QueryResult) -> Result<Event> {
    let (source, body): (String, String) = (row.try_get("", "source")?, row.try_get("", "body")?);
    document("event", "body", &source, &body)
}

#[async_trait]
impl Timelines for SqlStore {
    async fn list_events(
        &self,
        tenant: &TenantId,
        records: &[RecordKey],
        page: &EventPage,
    ) -> Result<Vec<Event>> {
        let rows = self
            .rows(list_events(self.dialect, tenant, &distinct(records), page)?)
            .await?;
        rows.iter().map(event).collect()
    }

    async fn count_events(
        &self,
        tenant: &TenantId,
        records: &[RecordKey],
        filter: &EventFilter,
    ) -> Result<Vec<(String, i64)>> {
        let rows = self
            .rows(count_events(
                self.dialect,
                tenant,
                &distinct(records),
                filter,
            )?)
            .await?;
        rows.iter()
            .map(|row| Ok((row.try_get("", "type")?, row.try_get("", "number")?)))
            .collect()
    }

    async fn list_object_events(
        &self,
        tenant: &TenantId,
        objects: &[ObjectKey],
        records: &[RecordKey],
        page: &ObjectPage,
    ) -> Result<Vec<Vec<NamingEvent>>> {
        let statement =
            list_object_events(self.dialect, tenant, objects, &distinct(records), page)?;
        let mut found = vec![Vec::new(); objects.len()];
        for row in self.rows(statement).await? {
            let naming = NamingEvent {
                sequence: Sequence(row.try_get("", "sequence")?),
                event: event(&row)?,
            };
            let of_object = place(&row)?.and_then(|place| found.get_mut(place));
            of_object
                .ok_or_else(|| inconsistent("event_object", "object_id", "was not asked for"))?
                .push(naming);
        }
        for naming in &mut found {
            naming.sort_by_cached_key(|naming| std::cmp::Reverse(naming.event.position()));
            naming.truncate(page.limit);
        }
        Ok(found)
    }

    async fn find_by_objects(
        &self,
        tenant: &TenantId,
        objects: &[ObjectKey],
        limit: usize,
    ) -> Result<AsOf<Vec<Vec<ProfileId>>>> {
        let rows = self
            .rows(find_by_objects(self.dialect, tenant, objects, limit)?)
            .await?;
        collect(&rows, objects.len(), |place: &mut Vec<ProfileId>, row| {
            place.push(ProfileId(row.try_get("", "profile_id")?));
            Ok(())
        })
    }

    async fn list_waiting(&self, tenant: &TenantId, page: &WaitingPage) -> Result<Vec<Event>> {
        let listed = attachments::list_waiting(self.dialect, tenant, page);
        let rows = self.rows(listed).await?;
        rows.iter().map(event).collect()
    }
}
