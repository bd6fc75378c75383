//! The statements that read what is kept for identity: match keys, pairs, decisions, the log of
//! merges and splits.

use profile_core::identity::BlockingKey;
use profile_core::records::{ProfileId, RecordKey, Sequence, TenantId};
use sea_orm::Statement;

use super::query::{of_asked_record, record_columns};
use super::statement::{Column, Dialect, Sql};
use crate::store::{IdentityChangePage, QueuePage, Result};

/// The columns of a pair, as [`pair`](super::read::pair) reads them.
const PAIR: &str =
    "m.source, m.record_key, m.other_source, m.other_key, m.verdict, m.weight, m.queued";

/// Serves [`Snapshot::members`](crate::store::Snapshot::members), by `record_by_profile`.
pub(super) fn members(
    dialect: Dialect,
    tenant: &TenantId,
    profiles: &[ProfileId],
) -> Result<Statement> {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let asked = sql.rows(
        "asked",
        vec![("id", Column::Id(profiles.iter().map(|id| id.0).collect()))],
    )?;
    let record = dialect.look_up(
        "record",
        "r",
        &format!("r.tenant = {tenant} AND r.profile_id = asked.id"),
    );
    Ok(sql.statement(format!(
        "SELECT r.source, r.profile_id, r.body, r.rollup FROM {asked} {record}"
    )))
}

/// Serves [`Snapshot::scan_records`](crate::store::Snapshot::scan_records), by `record_pk`.
pub(super) fn scan_records(
    dialect: Dialect,
    tenant: &TenantId,
    after: Option<&RecordKey>,
    limit: usize,
) -> Statement {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let (source, key) = after.map_or(("", ""), |after| (&after.source, &after.key));
    let (source, key, limit) = (sql.bind(source), sql.bind(key), sql.limit(limit));
    sql.statement(format!(
        "SELECT r.source, r.profile_id, r.body, r.rollup FROM record AS r \
         WHERE r.tenant = {tenant} AND (r.source, r.record_key) > ({source}, {key}) \
         ORDER BY r.source, r.record_key LIMIT {limit}"
    ))
}

/// Serves [`Snapshot::count_records`](crate::store::Snapshot::count_records), by `record_pk`.
pub(super) fn count_records(dialect: Dialect, tenant: &TenantId, limit: usize) -> Statement {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let limit = sql.limit(limit);
    sql.statement(format!(
        "SELECT count(*) AS records FROM \
         (SELECT 1 FROM record AS r WHERE r.tenant = {tenant} LIMIT {limit}) AS counted"
    ))
}

/// Serves [`Snapshot::keyed`](crate::store::Snapshot::keyed), by `match_key_pk`.
pub(super) fn keyed(
    dialect: Dialect,
    tenant: &TenantId,
    keys: &[BlockingKey],
    limit: usize,
) -> Result<Statement> {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let asked = sql.rows(
        "asked",
        vec![(
            "key_hash",
            Column::Int(keys.iter().map(|key| key.0).collect()),
        )],
    )?;
    let limit = sql.limit(limit.saturating_add(1));
    let (found, [source, record_key]) = sql.lateral(
        "k",
        ["source", "record_key"],
        &format!(
            "SELECT m.source, m.record_key FROM match_key AS m \
             WHERE m.tenant = {tenant} AND m.key_hash = asked.key_hash \
             ORDER BY m.source, m.record_key LIMIT {limit}"
        ),
    );
    Ok(sql.statement(format!(
        "SELECT asked.ord, {source} AS source, {record_key} AS record_key FROM {asked} CROSS JOIN {found}"
    )))
}

/// Serves [`Snapshot::pairs`](crate::store::Snapshot::pairs), by `match_pair_pk`.
pub(super) fn pairs(
    dialect: Dialect,
    tenant: &TenantId,
    records: &[RecordKey],
) -> Result<Statement> {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let asked = sql.rows("asked", record_columns(records))?;
    let pair = dialect.look_up("match_pair", "m", &of_asked_record("m", &tenant));
    Ok(sql.statement(format!("SELECT {PAIR} FROM {asked} {pair}")))
}

/// Serves [`Snapshot::decisions_about`](crate::store::Snapshot::decisions_about), by
/// `decision_record_pk` and `decision_pk`.
pub(super) fn decisions_about(
    dialect: Dialect,
    tenant: &TenantId,
    records: &[RecordKey],
) -> Result<Statement> {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let asked = sql.rows("asked", record_columns(records))?;
    let about = dialect.look_up("decision_record", "a", &of_asked_record("a", &tenant));
    let decision = dialect.look_up(
        "decision",
        "d",
        &format!("d.tenant = {tenant} AND d.id = a.decision_id AND d.withdrawn = 0"),
    );
    Ok(sql.statement(format!(
        "SELECT d.id, d.sequence, d.withdrawn, d.body FROM {asked} {about} {decision}"
    )))
}

/// Serves [`Snapshot::decisions`](crate::store::Snapshot::decisions): all in force.
pub(super) fn decisions(dialect: Dialect, tenant: &TenantId) -> Statement {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    sql.statement(format!(
        "SELECT d.id, d.sequence, d.withdrawn, d.body FROM decision AS d WHERE d.tenant = {tenant} AND d.withdrawn = 0"
    ))
}

/// Serves [`Snapshot::decision`](crate::store::Snapshot::decision), by `decision_pk`.
pub(super) fn decision(dialect: Dialect, tenant: &TenantId, id: &str) -> Statement {
    let mut sql = Sql::new(dialect);
    let (tenant, id) = (sql.bind(tenant.as_str()), sql.bind(id));
    sql.statement(format!(
        "SELECT d.id, d.sequence, d.withdrawn, d.body FROM decision AS d WHERE d.tenant = {tenant} AND d.id = {id}"
    ))
}

/// Serves [`Store::list_decisions`](crate::store::Store::list_decisions): people decide few things,
/// so all are sorted.
pub(super) fn list_decisions(
    dialect: Dialect,
    tenant: &TenantId,
    after: Option<(Sequence, String)>,
    limit: usize,
) -> Statement {
    let mut sql = Sql::new(dialect);
    let (tenant, limit) = (sql.bind(tenant.as_str()), sql.limit(limit));
    let (sequence, id) = after.map_or((i64::MAX, String::new()), |(sequence, id)| (sequence.0, id));
    let (sequence, id) = (sql.bind(sequence), sql.bind(id));
    sql.statement(format!(
        "SELECT d.id, d.sequence, d.withdrawn, d.body FROM decision AS d \
         WHERE d.tenant = {tenant} AND (d.sequence, d.id) < ({sequence}, {id}) \
         ORDER BY d.sequence DESC, d.id DESC LIMIT {limit}"
    ))
}

/// Serves [`Snapshot::request`](crate::store::Snapshot::request), by `request_pk`.
pub(super) fn request(dialect: Dialect, tenant: &TenantId, request_id: &str) -> Statement {
    let mut sql = Sql::new(dialect);
    let (tenant, request_id) = (sql.bind(tenant.as_str()), sql.bind(request_id));
    sql.statement(format!(
        "SELECT request_id, sequence, content_hash, answer FROM request \
         WHERE tenant = {tenant} AND request_id = {request_id}"
    ))
}

/// Serves [`Store::list_queue`](crate::store::Store::list_queue), by `match_pair_queue`.
pub(super) fn list_queue(dialect: Dialect, tenant: &TenantId, page: &QueuePage) -> Statement {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let (min, max) = (
        page.min_millibits.map_or(i64::MIN, i64::from),
        page.max_millibits.map_or(i64::MAX, i64::from),
    );
    let (min, max) = (sql.bind(min), sql.bind(max));
    let paged = sql.bind(i64::from(page.after.is_some()));
    let nobody = || RecordKey::new("", "");
    let (weight, left, right) = page
        .after
        .clone()
        .unwrap_or_else(|| (i32::MAX, nobody(), nobody()));
    let weight = sql.bind(i64::from(weight));
    let after = [left.source, left.key, right.source, right.key]
        .map(|text| sql.bind(text))
        .join(", ");
    let limit = sql.limit(page.limit);
    sql.statement(format!(
        "SELECT {PAIR} FROM match_pair AS m WHERE m.tenant = {tenant} AND m.queued = 1 AND m.lesser = 1 \
         AND m.weight >= {min} AND m.weight < {max} AND m.weight <= {weight} \
         AND ({paged} = 0 OR m.weight < {weight} \
         OR (m.source, m.record_key, m.other_source, m.other_key) > ({after})) \
         ORDER BY m.weight DESC, m.source, m.record_key, m.other_source, m.other_key LIMIT {limit}"
    ))
}

/// Serves [`Store::list_identity_changes`](crate::store::Store::list_identity_changes), by
/// `identity_change_pk` or `identity_change_by_sequence`.
pub(super) fn list_identity_changes(
    dialect: Dialect,
    tenant: &TenantId,
    page: &IdentityChangePage,
) -> Statement {
    let mut sql = Sql::new(dialect);
    let tenant = sql.bind(tenant.as_str());
    let which = match page.profile {
        Some(profile) => format!("c.profile_id = {}", sql.bind(profile.0)),
        None => "c.main = 1".to_owned(),
    };
    let (sequence, ordinal) = page.before.map_or((i64::MAX, 0), |(sequence, ordinal)| {
        (sequence.0, i64::from(ordinal))
    });
    let (sequence, ordinal, limit) = (sql.bind(sequence), sql.bind(ordinal), sql.limit(page.limit));
    sql.statement(format!(
        "SELECT c.sequence, c.ordinal, c.body FROM identity_change AS c WHERE c.tenant = {tenant} AND {which} \
         AND (c.sequence, c.ordinal) < ({sequence}, {ordinal}) \
         ORDER BY c.sequence DESC, c.ordinal DESC LIMIT {limit}"
    ))
}
