//! The statements that read: for readers ([`read`](super::read)) and for writers
//! ([`write`](super::write)).
//!
//! Each is one statement over a set, so one round trip and one snapshot. Those for readers also
//! tell the tenant's sequence in the same statement, by a row of its own that everything found is
//! joined to.

use profile_core::records::{EventKey, Identifier, ProfileId, RecordKey, TenantId};
use sea_orm::Statement;
use uuid::Uuid;

use super::change::correction_key_columns;
use super::statement::{Column, Dialect, Sql};
use crate::store::{CorrectionKey, Result, StatementKey};

/// The query's text under the sequence and the model in force: `{columns}` of `{found}`, none if
/// nothing is found.
pub(super) fn as_of(tenant: &str, columns: &str, found: &str, order: &str) -> String {
    format!(
        "SELECT now.sequence, now.model_version, {columns} \
         FROM (SELECT COALESCE(max(sequence), 0) AS sequence, COALESCE(max(model_version), 0) AS model_version \
         FROM tenant WHERE id = {tenant}) AS now \
         LEFT JOIN ({found}) AS found ON TRUE ORDER BY {order}"
    )
}

/// Serves [`Snapshot::model_in_force`](crate::store::Snapshot::model_in_force), by `tenant_pk`.
pub(super) fn model_in_force(dialect: Dialect, tenant: &TenantId) -> Statement {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    sql.statement(format!(
        "SELECT model_version FROM tenant WHERE id = {tenant}"
    ))
}

pub(super) fn record_columns<'a>(keys: &'a [RecordKey]) -> Vec<(&'static str, Column)> {
    let text = |part: fn(&'a RecordKey) -> &'a str| Column::text(keys.iter().map(part));
    vec![
        ("source", text(|key| &key.source)),
        ("record_key", text(|key| &key.key)),
    ]
}

fn identifier_columns<'a>(identifiers: &'a [Identifier]) -> Vec<(&'static str, Column)> {
    let text = |part: fn(&'a Identifier) -> &'a str| Column::text(identifiers.iter().map(part));
    vec![
        ("type", text(|identifier| &identifier.kind)),
        ("value", text(|identifier| &identifier.value)),
    ]
}

/// The condition under which a row of the table so called is of the record asked for.
pub(super) fn of_asked_record(alias: &str, tenant: &str) -> String {
    format!(
        "{alias}.tenant = {tenant} AND {alias}.source = asked.source AND {alias}.record_key = asked.record_key"
    )
}

fn id_column(ids: &[ProfileId]) -> Vec<(&'static str, Column)> {
    vec![("id", Column::Id(ids.iter().map(|id| id.0).collect()))]
}

/// Serves [`Store::profiles`](crate::store::Store::profiles), by `profile_pk` and
/// `record_by_profile`.
pub(super) fn profiles(
    dialect: Dialect,
    tenant: &TenantId,
    ids: &[ProfileId],
) -> Result<Statement> {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let asked = sql.rows("asked", id_column(ids))?;
    let named = dialect.look_up(
        "profile",
        "a",
        &format!("a.tenant = {tenant} AND a.id = asked.id"),
    );
    let survivor = format!("p.tenant = {tenant} AND p.id = COALESCE(a.merged_into, a.id)");
    let live = dialect.look_up(
        "profile",
        "p",
        &format!("{survivor} AND p.merged_into IS NULL AND p.deleted = 0"),
    );
    let records = dialect.look_up(
        "record",
        "r",
        &format!("r.tenant = {tenant} AND r.profile_id = p.id"),
    );
    let found = format!(
        "SELECT asked.ord, p.id AS profile_id, p.revision, p.update_time, r.source, r.record_key, r.body, r.rollup \
         FROM {asked} {named} {live} {records}"
    );
    let columns = "found.ord, found.profile_id, found.revision, found.update_time, found.source, found.body, found.rollup";
    Ok(sql.statement(as_of(
        &tenant,
        columns,
        &found,
        "found.ord, found.source, found.record_key",
    )))
}

/// Serves [`Store::find_by_identifiers`](crate::store::Store::find_by_identifiers), by
/// `identifier_pk` and `record_pk`.
pub(super) fn find_by_identifiers(
    dialect: Dialect,
    tenant: &TenantId,
    identifiers: &[Identifier],
    limit: usize,
) -> Result<Statement> {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let asked = sql.rows("asked", identifier_columns(identifiers))?;
    let limit = sql.limit(limit);
    // As text, in which ids sort as they do themselves; SQLite's JSON takes no bytes.
    let profile = match dialect {
        Dialect::Postgres => "r.profile_id::text COLLATE \"C\"",
        Dialect::Sqlite => "lower(hex(r.profile_id))",
    };
    let record = dialect.look_up(
        "record",
        "r",
        &format!("r.tenant = {tenant} AND r.source = i.source AND r.record_key = i.record_key"),
    );
    let (holders, [profile]) = sql.lateral(
        "h",
        ["profile"],
        &format!(
            "SELECT DISTINCT {profile} AS profile FROM identifier AS i {record} \
             WHERE i.tenant = {tenant} AND i.type = asked.type AND i.value = asked.value \
             AND r.profile_id IS NOT NULL ORDER BY 1 LIMIT {limit}"
        ),
    );
    let found = format!("SELECT asked.ord, {profile} AS profile FROM {asked} CROSS JOIN {holders}");
    Ok(sql.statement(as_of(
        &tenant,
        "found.ord, found.profile",
        &found,
        "found.ord, found.profile",
    )))
}

/// Serves [`Store::find_by_records`](crate::store::Store::find_by_records), by `record_pk`.
pub(super) fn find_by_records(
    dialect: Dialect,
    tenant: &TenantId,
    records: &[RecordKey],
) -> Result<Statement> {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let asked = sql.rows("asked", record_columns(records))?;
    let record = dialect.look_up("record", "r", &of_asked_record("r", &tenant));
    let found = format!("SELECT asked.ord, r.profile_id FROM {asked} {record}");
    Ok(sql.statement(as_of(
        &tenant,
        "found.ord, found.profile_id",
        &found,
        "found.ord",
    )))
}

/// The least text that is greater than all texts that begin with the prefix.
pub(super) fn end_of_prefix(prefix: &str) -> String {
    let mut end: Vec<char> = prefix.chars().collect();
    while let Some(last) = end.pop() {
        // After the last character before the surrogates comes the first one after them.
        let next = if last == '\u{d7ff}' {
            Some('\u{e000}')
        } else {
            char::from_u32(u32::from(last) + 1)
        };
        if let Some(next) = next {
            end.push(next);
            return end.into_iter().collect();
        }
    }
    // Nothing but the greatest character, which is set aside for internal use and begins no word.
    "\u{10ffff}".repeat(prefix.chars().count() + 1)
}

/// Serves [`Snapshot::records`](crate::store::Snapshot::records), by `record_pk`.
pub(super) fn records(
    dialect: Dialect,
    tenant: &TenantId,
    keys: &[RecordKey],
) -> Result<Statement> {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let asked = sql.rows("asked", record_columns(keys))?;
    let record = dialect.look_up("record", "r", &of_asked_record("r", &tenant));
    Ok(sql.statement(format!(
        "SELECT r.source, r.profile_id, r.body, r.rollup FROM {asked} {record}"
    )))
}

/// Serves [`Snapshot::holders`](crate::store::Snapshot::holders), by `identifier_pk` and
/// `record_pk`.
pub(super) fn holders(
    dialect: Dialect,
    tenant: &TenantId,
    identifiers: &[Identifier],
    limit: usize,
) -> Result<Statement> {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let asked = sql.rows("asked", identifier_columns(identifiers))?;
    let limit = sql.limit(limit.saturating_add(1));
    let (holders, [source, record_key]) = sql.lateral(
        "h",
        ["source", "record_key"],
        &format!(
            "SELECT i.source, i.record_key FROM identifier AS i \
             WHERE i.tenant = {tenant} AND i.type = asked.type AND i.value = asked.value \
             ORDER BY i.source, i.record_key LIMIT {limit}"
        ),
    );
    let record =
        format!("r.tenant = {tenant} AND r.source = {source} AND r.record_key = {record_key}");
    let record = dialect.look_up("record", "r", &record);
    Ok(sql.statement(format!(
        "SELECT asked.ord, r.source, r.profile_id, r.body, r.rollup FROM {asked} CROSS JOIN {holders} {record}"
    )))
}

/// Serves [`Snapshot::recount_progress`](crate::store::Snapshot::recount_progress), by
/// `recount_pk`.
pub(super) fn recount_progress(dialect: Dialect, tenant: &TenantId) -> Statement {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    sql.statement(format!(
        "SELECT definitions, source, record_key, counted, done FROM recount WHERE tenant = {tenant}"
    ))
}

/// Serves [`Snapshot::statements`](crate::store::Snapshot::statements), by `record_version_pk`.
pub(super) fn statements(
    dialect: Dialect,
    tenant: &TenantId,
    records: &[RecordKey],
) -> Result<Statement> {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let asked = sql.rows("asked", record_columns(records))?;
    let version = dialect.look_up("record_version", "v", &of_asked_record("v", &tenant));
    Ok(sql.statement(format!(
        "SELECT v.* FROM {asked} {version} ORDER BY v.source, v.record_key, v.sequence, v.ordinal"
    )))
}

/// Serves [`Transaction::known_statements`](crate::store::Transaction::known_statements), by
/// `record_version_pk`.
pub(super) fn known_statements(
    dialect: Dialect,
    tenant: &TenantId,
    keys: &[StatementKey],
) -> Result<Statement> {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let asked = sql.rows("asked", statement_columns(keys.iter()))?;
    let version = format!(
        "{} AND {}",
        of_asked_record("v", &tenant),
        of_asked_stamp("v")
    );
    let version = dialect.look_up("record_version", "v", &version);
    Ok(sql.statement(format!("SELECT asked.ord FROM {asked} {version}")))
}

/// A statement's name, in the columns of its primary key.
pub(super) fn statement_columns<'a>(
    keys: impl Iterator<Item = &'a StatementKey> + Clone,
) -> Vec<(&'static str, Column)> {
    let hashes = keys.clone().map(|key| Uuid::from_u128(key.stamp.content.0));
    vec![
        (
            "source",
            Column::text(keys.clone().map(|key| key.record.source.as_str())),
        ),
        (
            "record_key",
            Column::text(keys.clone().map(|key| key.record.key.as_str())),
        ),
        (
            "version",
            Column::Int(keys.clone().map(|key| key.stamp.version).collect()),
        ),
        (
            "stamp_time",
            Column::Int(keys.map(|key| key.stamp.time.as_micros()).collect()),
        ),
        ("content_hash", Column::Id(hashes.collect())),
    ]
}

/// Serves [`Transaction::known_events`](crate::store::Transaction::known_events), by `event_pk`.
pub(super) fn known_events(
    dialect: Dialect,
    tenant: &TenantId,
    keys: &[EventKey],
) -> Result<Statement> {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let asked = sql.rows("asked", event_key_columns(keys))?;
    let event = dialect.look_up("event", "e", &of_asked_event("e", &tenant));
    Ok(sql.statement(format!(
        "SELECT asked.ord, e.content_hash FROM {asked} {event}"
    )))
}

pub(super) fn event_key_columns(keys: &[EventKey]) -> Vec<(&'static str, Column)> {
    let text = |of: fn(&EventKey) -> &str| Column::text(keys.iter().map(of));
    vec![
        ("source", text(|key| &key.source)),
        ("event_id", text(|key| &key.event_id)),
    ]
}

fn of_asked_stamp(alias: &str) -> String {
    format!(
        "{alias}.version = asked.version AND {alias}.stamp_time = asked.stamp_time AND {alias}.content_hash = asked.content_hash"
    )
}

fn of_asked_event(alias: &str, tenant: &str) -> String {
    format!(
        "{alias}.tenant = {tenant} AND {alias}.source = asked.source AND {alias}.event_id = asked.event_id"
    )
}

/// Serves [`Transaction::kept_events`](crate::store::Transaction::kept_events), by `event_pk`.
pub(super) fn kept_events(
    dialect: Dialect,
    tenant: &TenantId,
    keys: &[EventKey],
) -> Result<Statement> {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let asked = sql.rows("asked", event_key_columns(keys))?;
    let event = dialect.look_up("event", "e", &of_asked_event("e", &tenant));
    Ok(sql.statement(format!(
        "SELECT asked.ord, e.source, e.body, e.correction FROM {asked} {event}"
    )))
}

/// Serves [`Transaction::known_corrections`](crate::store::Transaction::known_corrections), by
/// `event_correction_pk`.
pub(super) fn known_corrections(
    dialect: Dialect,
    tenant: &TenantId,
    keys: &[CorrectionKey],
) -> Result<Statement> {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let asked = sql.rows("asked", correction_key_columns(keys.iter()))?;
    let correction = format!(
        "{} AND {}",
        of_asked_event("c", &tenant),
        of_asked_stamp("c")
    );
    let correction = dialect.look_up("event_correction", "c", &correction);
    Ok(sql.statement(format!("SELECT asked.ord FROM {asked} {correction}")))
}

/// Serves [`Snapshot::profile_rows`](crate::store::Snapshot::profile_rows), by `profile_pk`.
pub(super) fn profile_rows(
    dialect: Dialect,
    tenant: &TenantId,
    ids: &[ProfileId],
) -> Result<Statement> {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let asked = sql.rows("asked", id_column(ids))?;
    let row = dialect.look_up(
        "profile",
        "p",
        &format!("p.tenant = {tenant} AND p.id = asked.id"),
    );
    Ok(sql.statement(format!(
        "SELECT p.tenant, p.id, p.revision, p.update_time, p.merged_into, p.deleted FROM {asked} {row}"
    )))
}

/// Serves [`Store::model`](crate::store::Store::model), by `model_pk`.
pub(super) fn model(dialect: Dialect, tenant: &TenantId, version: Option<i64>) -> Statement {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let version = match version {
        Some(version) => sql.bind(version),
        None => format!("(SELECT model_version FROM tenant WHERE id = {tenant})"),
    };
    sql.statement(format!(
        "{SELECT_MODEL} WHERE m.tenant = {tenant} AND m.version = {version}"
    ))
}

/// Serves [`Store::list_models`](crate::store::Store::list_models), by `model_pk`.
pub(super) fn list_models(
    dialect: Dialect,
    tenant: &TenantId,
    before: Option<i64>,
    limit: usize,
) -> Statement {
    let mut sql = Sql::new(dialect);
    let (tenant, before) = (
        sql.bind(tenant.as_str()),
        sql.bind(before.unwrap_or(i64::MAX)),
    );
    let limit = sql.limit(limit);
    sql.statement(format!(
        "{SELECT_MODEL} WHERE m.tenant = {tenant} AND m.version < {before} ORDER BY m.version DESC LIMIT {limit}"
    ))
}

const SELECT_MODEL: &str = "SELECT m.version, m.file, m.weights, m.create_time, m.note, a.sequence, a.activate_time \
     FROM model AS m LEFT JOIN model_activation AS a ON a.tenant = m.tenant AND a.version = m.version";

#[cfg(test)]
mod tests {
    use super::end_of_prefix;

    #[test]
    fn the_end_of_a_prefix_is_just_beyond_all_that_begins_with_it() {
        for (prefix, end) in [
            ("ann", "ano"),
            ("a\u{10ffff}", "b"),
            ("\u{d7ff}", "\u{e000}"),
            ("é", "ê"),
        ] {
            assert_eq!(end_of_prefix(prefix), end);
        }
        for prefix in ["", "\u{10ffff}"] {
            assert!(end_of_prefix(prefix).as_str() > format!("{prefix}zzz").as_str());
        }
    }
}
