//! The queries of the hot paths, and how the database goes about them.

use profile_core::identity::BlockingKey;
use profile_core::records::{
    ContentHash, EventKey, Identifier, ProfileId, RecordKey, Sequence, TenantId, Timestamp,
    VersionStamp,
};
use sea_orm::Statement;
use uuid::Uuid;

use super::statement::Dialect;
use super::{
    SqlStore, attachments, attempt, change, log, matching, past, query, search, segments, timeline,
};
use crate::store::{LogCursor, LogPosition, Result, StatementKey};

/// How many things a sample asks for: as many as a batch, since the plan must not change with the
/// number.
const SAMPLE_SIZE: u16 = 50;

/// The plan of one of the store's queries, as the database tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The method that the query serves.
    pub method: &'static str,
    /// The plan, in the database's own form.
    pub text: String,
}

/// Queries, each with the method that it serves.
type Queries = Vec<(&'static str, Statement)>;

impl SqlStore {
    /// How the database would go about each query of the hot paths: for operators, and for the test
    /// that each goes by the index that was made for it.
    ///
    /// # Errors
    /// Those of any read.
    pub async fn plans(&self, tenant: &TenantId) -> Result<Vec<Plan>> {
        let mut plans = Vec::new();
        for (method, mut statement) in hot_queries(self.dialect, tenant)? {
            let prefix = if self.dialect == Dialect::Postgres {
                "EXPLAIN "
            } else {
                "EXPLAIN QUERY PLAN "
            };
            statement.sql.insert_str(0, prefix);
            let column = if self.dialect == Dialect::Postgres {
                "QUERY PLAN"
            } else {
                "detail"
            };
            let rows = self.rows(statement).await?;
            let lines = rows
                .iter()
                .map(|row| row.try_get::<String>("", column))
                .collect::<std::result::Result<Vec<_>, _>>();
            plans.push(Plan {
                method,
                text: lines?.join("\n"),
            });
        }
        Ok(plans)
    }
}

fn hot_queries(dialect: Dialect, tenant: &TenantId) -> Result<Queries> {
    let sample = Sample::new();
    let mut queries = read_queries(dialect, tenant, &sample)?;
    queries.extend(matching_queries(dialect, tenant, &sample)?);
    queries.push((
        "remove identifiers",
        change::identifier_removal(dialect, tenant, &sample.identifiers, &sample.records)?,
    ));
    queries.push(("read_log", log_query(dialect, tenant)?));
    queries.push((
        "writes_after",
        attempt::writes_after(dialect, tenant, Sequence(7), 10),
    ));
    queries.extend(segment_queries(dialect, tenant, &sample)?);
    queries.extend(search::hot_queries(dialect, tenant)?);
    queries.extend(timeline::hot_queries(dialect, tenant, &sample.records)?);
    queries.extend(attachments::hot_queries(dialect, tenant, &sample.events)?);
    queries.extend(past::hot_queries(dialect, tenant));
    Ok(queries)
}

/// Things to ask for.
struct Sample {
    records: Vec<RecordKey>,
    profiles: Vec<ProfileId>,
    identifiers: Vec<Identifier>,
    statements: Vec<StatementKey>,
    events: Vec<EventKey>,
    match_keys: Vec<BlockingKey>,
}

impl Sample {
    fn new() -> Self {
        let keys: Vec<String> = (0..SAMPLE_SIZE).map(|number| number.to_string()).collect();
        let records: Vec<RecordKey> = keys
            .iter()
            .map(|key| RecordKey::new("source", key))
            .collect();
        let stamp = VersionStamp {
            version: 0,
            time: Timestamp::default(),
            content: ContentHash(0),
        };
        let statements = records.iter().map(|record| StatementKey {
            record: record.clone(),
            stamp,
        });
        let events = keys.iter().map(|key| EventKey {
            source: "source".to_owned(),
            event_id: key.clone(),
        });
        Self {
            statements: statements.collect(),
            profiles: (1..=u128::from(SAMPLE_SIZE))
                .map(|number| ProfileId(Uuid::from_u128(number)))
                .collect(),
            identifiers: keys
                .iter()
                .map(|key| Identifier::new("type", key))
                .collect(),
            events: events.collect(),
            match_keys: (0..i64::from(SAMPLE_SIZE)).map(BlockingKey).collect(),
            records,
        }
    }
}

fn read_queries(dialect: Dialect, tenant: &TenantId, sample: &Sample) -> Result<Queries> {
    let Sample {
        records,
        profiles,
        identifiers,
        statements,
        events,
        ..
    } = sample;
    Ok(vec![
        ("profiles", query::profiles(dialect, tenant, profiles)?),
        (
            "find_by_identifiers",
            query::find_by_identifiers(dialect, tenant, identifiers, 10)?,
        ),
        (
            "find_by_records",
            query::find_by_records(dialect, tenant, records)?,
        ),
        ("records", query::records(dialect, tenant, records)?),
        ("holders", query::holders(dialect, tenant, identifiers, 10)?),
        (
            "known_statements",
            query::known_statements(dialect, tenant, statements)?,
        ),
        (
            "known_events",
            query::known_events(dialect, tenant, events)?,
        ),
        (
            "profile_rows",
            query::profile_rows(dialect, tenant, profiles)?,
        ),
    ])
}

fn matching_queries(dialect: Dialect, tenant: &TenantId, sample: &Sample) -> Result<Queries> {
    let Sample {
        records,
        profiles,
        match_keys,
        ..
    } = sample;
    Ok(vec![
        ("members", matching::members(dialect, tenant, profiles)?),
        ("keyed", matching::keyed(dialect, tenant, match_keys, 10)?),
        ("pairs", matching::pairs(dialect, tenant, records)?),
        (
            "decisions_about",
            matching::decisions_about(dialect, tenant, records)?,
        ),
    ])
}

fn log_query(dialect: Dialect, tenant: &TenantId) -> Result<Statement> {
    let cursor = LogCursor {
        tenant: tenant.clone(),
        after: LogPosition::after(Sequence(7)),
    };
    log::read_log(dialect, &[cursor.clone(), cursor], 10)
}

fn segment_queries(dialect: Dialect, tenant: &TenantId, sample: &Sample) -> Result<Queries> {
    Ok(vec![
        (
            "memberships",
            segments::memberships(dialect, tenant, &sample.profiles)?,
        ),
        (
            "list_members",
            segments::list_members(dialect, tenant, "segment", None, 10),
        ),
        (
            "list_due",
            segments::list_due(dialect, tenant, Timestamp::default(), 10),
        ),
        (
            "list_profiles",
            segments::list_profiles(dialect, tenant, None, 10),
        ),
    ])
}
