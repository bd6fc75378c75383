//! Whether a PostgreSQL database is fit for what a server does with it: its tables, and the role's
//! privileges on them.
//!
//! Asked at start and by `migrate --check`, so that a missing privilege is named then, table by
//! table, and not by the first write that needs it. What concerns a single session is in
//! `connect/postgres/session.rs`.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, QueryResult, Statement};

use super::connect::unfit;
use super::statement::Dialect;
use crate::store::{Error, Result};

/// All tables of the schema.
pub(super) const TABLES: &[&str] = &[
    "api_key",
    "audit_batch",
    "audit_head",
    "audit_tile",
    "change_log",
    "dead_letter",
    "decision",
    "decision_record",
    "erasure",
    "event",
    "event_correction",
    "event_history",
    "event_object",
    "identifier",
    "identifier_history",
    "identity_change",
    "match_key",
    "match_pair",
    "membership",
    "model",
    "model_activation",
    "profile",
    "profile_history",
    "publication",
    "record",
    "record_history",
    "record_term",
    "record_version",
    "recount",
    "request",
    "seaql_migrations",
    "search_word",
    "segment_due",
    "segment_member",
    "segment_progress",
    "statistics",
    "store_info",
    "tenant",
    "tenant_register",
    "tombstone",
    "write_time",
];

/// Tables that a server only reads.
const READ_ONLY: &[&str] = &["seaql_migrations", "store_info"];

/// Tables in which a server changes and deletes nothing, or deletes nothing: an operator may see to
/// it that it cannot.
const APPEND_ONLY: &[&str] = &["audit_batch"];
const KEPT: &[&str] = &["audit_head", "audit_tile"];

/// The privileges that a server needs on a table.
fn needed(table: &str) -> &'static str {
    match table {
        table if READ_ONLY.contains(&table) => "SELECT",
        table if APPEND_ONLY.contains(&table) => "SELECT,INSERT",
        table if KEPT.contains(&table) => "SELECT,INSERT,UPDATE",
        _ => "SELECT,INSERT,UPDATE,DELETE",
    }
}

/// A table as the role finds it by its bare name.
struct Table {
    name: String,
    schema: String,
    persistence: String,
    hides_rows: bool,
    lacking: String,
}

impl Table {
    fn from_row(row: &QueryResult) -> std::result::Result<Self, DbErr> {
        Ok(Self {
            name: row.try_get("", "name")?,
            schema: row.try_get("", "schema")?,
            persistence: row.try_get("", "persistence")?,
            hides_rows: row.try_get("", "hides_rows")?,
            lacking: row.try_get("", "lacking")?,
        })
    }

    fn faults(&self, role: &str) -> Vec<String> {
        let Self {
            name,
            persistence,
            hides_rows,
            lacking,
            ..
        } = self;
        let mut faults = Vec::new();
        if !lacking.is_empty() {
            faults.push(format!("role `{role}` lacks {lacking} on table `{name}`"));
        }
        if *hides_rows {
            faults.push(format!(
                "row-level security of table `{name}` hides rows from role `{role}`"
            ));
        }
        if persistence != "p" {
            faults.push(format!(
                "table `{name}` is unlogged or temporary: a crash of the database empties it"
            ));
        }
        faults
    }
}

/// Finds all that keeps a server from working with the database.
///
/// # Errors
/// [`Error::Unavailable`] with everything that was found.
pub(super) async fn check(db: &DatabaseConnection) -> Result<()> {
    let mut faults = state(db).await?;
    let rows = db
        .query_all_raw(Statement::from_string(
            Dialect::Postgres.backend(),
            tables_query(),
        ))
        .await?;
    let tables = rows
        .iter()
        .map(Table::from_row)
        .collect::<std::result::Result<Vec<_>, _>>()?;
    let role: String = match rows.first() {
        Some(row) => row.try_get("", "role")?,
        None => String::new(),
    };
    let schemas: BTreeSet<&str> = tables.iter().map(|table| table.schema.as_str()).collect();
    if schemas.len() > 1 {
        let schemas = Vec::from_iter(schemas).join(", ");
        faults.push(format!(
            "`search_path` leads to tables of several schemas: {schemas}"
        ));
    }
    faults.extend(tables.iter().flat_map(|table| table.faults(&role)));
    unfit(&faults).map_or(Ok(()), |faults| Err(Error::Unavailable(faults)))
}

/// Whether writes are possible at all.
async fn state(db: &DatabaseConnection) -> Result<Vec<String>> {
    let query = "SELECT pg_catalog.current_setting('default_transaction_read_only') AS by_default, \
         pg_catalog.current_setting('transaction_read_only') AS now";
    let row = db
        .query_one_raw(Statement::from_string(Dialect::Postgres.backend(), query))
        .await?;
    let row = row.ok_or_else(|| Error::Internal("a query without a row".to_owned()))?;
    let mut faults = Vec::new();
    for (name, column) in [
        ("default_transaction_read_only", "by_default"),
        ("transaction_read_only", "now"),
    ] {
        let value: String = row.try_get("", column)?;
        if value != "off" {
            faults.push(format!(
                "`{name}` is `{value}`, and must be `off`: writes are refused"
            ));
        }
    }
    Ok(faults)
}

fn tables_query() -> String {
    let names: Vec<String> = TABLES
        .iter()
        .map(|name| format!("('{name}', '{}')", needed(name)))
        .collect();
    format!(
        "SELECT t.name, n.nspname::text AS schema, c.relpersistence::text AS persistence, current_user::text AS role, \
         pg_catalog.row_security_active(c.oid) AS hides_rows, \
         pg_catalog.array_to_string(ARRAY(SELECT p FROM pg_catalog.unnest(pg_catalog.string_to_array(t.needed, ',')) AS p \
         WHERE NOT pg_catalog.has_table_privilege(c.oid, p)), ', ') AS lacking \
         FROM (VALUES {}) AS t (name, needed) \
         JOIN pg_catalog.pg_class AS c ON c.oid = pg_catalog.to_regclass(t.name) \
         JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace ORDER BY t.name",
        names.join(", ")
    )
}
