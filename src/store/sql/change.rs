//! From the changes of a write to statements: a part for each set that is not empty, in the order
//! in which they may run.
//!
//! On PostgreSQL all parts but the last are one statement, `WITH … AS (INSERT …), … SELECT 1`: each
//! round trip within a write keeps the tenant's next writer waiting. The parts see the same
//! snapshot and touch different rows, so their order does not matter.
//!
//! What is replaced or removed is copied to history within the database: it need not travel.

mod columns;

use std::collections::BTreeSet;

use profile_core::records::{Identifier, RecordKey, Sequence, TenantId, Timestamp};
use sea_orm::Statement;

use self::columns::{
    activation_columns, decision_columns, decision_record_columns, event_columns,
    event_object_columns, identifier_columns, identity_change_columns, key_columns, key_columns_of,
    log_columns, membership_columns, model_columns, pair_columns, pair_key_columns,
    profile_columns, profile_key, record_columns, recount_columns, request_columns, rollup_columns,
    term_columns, version_columns,
};
use super::search;
use super::statement::{Column, Dialect, Sql};
use crate::store::{Activation, Changes, Error, LogEntry, Result, SearchTerm, WriteMark};

/// A set of rows: columns by name.
type Columns = Vec<(&'static str, Column)>;

/// What becomes of a row whose key is there already.
#[derive(Clone, Copy)]
enum OnConflict {
    /// The write is refused: the row was to be new. That is cheaper than any `ON CONFLICT`, with
    /// which PostgreSQL looks before each row, locks, writes, and confirms.
    Refuse,
    /// It stays as it is.
    Keep,
    /// These columns are replaced.
    Replace(&'static [&'static str]),
    /// The row is there, and these columns change, of which no past is kept.
    Update(&'static [&'static str]),
}

/// The columns of a profile's row beside its key, and those of a record's.
const PROFILE: [&str; 4] = ["revision", "update_time", "merged_into", "deleted"];
const RECORD: [&str; 2] = ["profile_id", "body"];
/// Those of a record of which no past is kept too.
const RECORD_WITH_ROLLUP: [&str; 3] = ["profile_id", "body", "rollup"];

/// Whether rows of a table say since which write they hold, and are kept when they are replaced or
/// removed.
fn is_kept(table: &str) -> bool {
    matches!(table, "record" | "profile" | "identifier")
}

/// All statements of a write, or of what is left of it after parts went ahead.
pub(super) fn statements(
    dialect: Dialect,
    tenant: &TenantId,
    mark: WriteMark,
    changes: &Changes,
) -> Result<Vec<Statement>> {
    let mut write = Write::new(dialect, tenant, mark);
    write.note_time();
    write.changes(changes)?;
    if changes.log.is_empty() {
        write.log(&LogEntry::of_write(
            mark.sequence,
            mark.time,
            Vec::new(),
            Vec::new(),
        ))?;
    }
    Ok(write.finish())
}

/// The statements of a part of a write that goes ahead of the rest.
pub(super) fn ahead(
    dialect: Dialect,
    tenant: &TenantId,
    sequence: Sequence,
    changes: &Changes,
) -> Result<Vec<Statement>> {
    // The time is told once, with the rest.
    let mut write = Write::new(
        dialect,
        tenant,
        WriteMark {
            sequence,
            time: Timestamp::default(),
        },
    );
    write.changes(changes)?;
    Ok(write.finish())
}

/// The statement that removes identifiers, to be explained.
pub(super) fn identifier_removal(
    dialect: Dialect,
    tenant: &TenantId,
    identifiers: &[Identifier],
    records: &[RecordKey],
) -> Result<Statement> {
    let removed = identifiers
        .iter()
        .cloned()
        .zip(records.iter().cloned())
        .collect();
    let changes = Changes {
        removed_identifiers: removed,
        ..Changes::default()
    };
    let mark = WriteMark {
        sequence: Sequence(1),
        time: Timestamp::default(),
    };
    let mut statements = statements(dialect, tenant, mark, &changes)?.into_iter();
    let statement = statements.find(|statement| statement.sql.contains("DELETE FROM identifier"));
    statement.ok_or_else(|| Error::Internal("no statement was made".to_owned()))
}

struct Write<'a> {
    tenant: &'a TenantId,
    mark: WriteMark,
    sql: Sql,
    parts: Vec<String>,
    statements: Vec<Statement>,
    last: Vec<Statement>,
}

impl<'a> Write<'a> {
    fn new(dialect: Dialect, tenant: &'a TenantId, mark: WriteMark) -> Self {
        Self {
            tenant,
            mark,
            sql: Sql::new(dialect),
            parts: Vec::new(),
            statements: Vec::new(),
            last: Vec::new(),
        }
    }

    /// Everything that changes. Nothing is removed after it was added.
    fn changes(&mut self, changes: &Changes) -> Result<()> {
        self.keep("profile", profile_key(&changes.profiles), &PROFILE)?;
        self.keep(
            "record",
            key_columns(changes.records.iter().map(|record| &record.key)),
            &RECORD,
        )?;
        self.keep(
            "identifier",
            identifier_columns(&changes.removed_identifiers),
            &[],
        )?;
        self.insert(
            "record_version",
            OnConflict::Refuse,
            version_columns(&changes.statements)?,
        )?;
        self.insert("event", OnConflict::Refuse, event_columns(&changes.events)?)?;
        let named = event_object_columns(&changes.events, self.mark.sequence);
        self.insert("event_object", OnConflict::Refuse, named)?;
        self.insert(
            "membership",
            OnConflict::Refuse,
            membership_columns(&changes.memberships),
        )?;
        self.insert(
            "profile",
            OnConflict::Refuse,
            profile_columns(&changes.added_profiles),
        )?;
        self.insert(
            "profile",
            OnConflict::Replace(&PROFILE),
            profile_columns(&changes.profiles),
        )?;
        self.insert(
            "record",
            OnConflict::Refuse,
            record_columns(&changes.added_records)?,
        )?;
        self.insert(
            "record",
            OnConflict::Replace(&RECORD_WITH_ROLLUP),
            record_columns(&changes.records)?,
        )?;
        self.insert(
            "record",
            OnConflict::Update(&["rollup"]),
            rollup_columns(&changes.rollups)?,
        )?;
        self.delete(
            "identifier",
            identifier_columns(&changes.removed_identifiers),
        )?;
        self.insert(
            "identifier",
            OnConflict::Refuse,
            identifier_columns(&changes.added_identifiers),
        )?;
        self.delete("record_term", term_columns(&changes.removed_terms))?;
        self.insert(
            "record_term",
            OnConflict::Refuse,
            term_columns(&changes.added_terms),
        )?;
        self.words(&changes.added_terms, &changes.removed_terms)?;
        self.insert("model", OnConflict::Refuse, model_columns(&changes.models))?;
        if let Some(activation) = &changes.activation {
            self.insert(
                "model_activation",
                OnConflict::Refuse,
                activation_columns(activation),
            )?;
            self.put_in_force(activation);
        }
        if let Some(progress) = &changes.recount {
            let replaced =
                OnConflict::Replace(&["definitions", "source", "record_key", "counted", "done"]);
            self.insert("recount", replaced, recount_columns(progress))?;
        }
        self.delete("match_key", key_columns_of(&changes.removed_keys))?;
        self.insert(
            "match_key",
            OnConflict::Refuse,
            key_columns_of(&changes.added_keys),
        )?;
        self.delete("match_pair", pair_key_columns(&changes.removed_pairs))?;
        let replaced = OnConflict::Replace(&["verdict", "weight", "queued"]);
        self.insert("match_pair", replaced, pair_columns(&changes.pairs))?;
        self.insert(
            "decision",
            OnConflict::Refuse,
            decision_columns(&changes.added_decisions)?,
        )?;
        let withdrawn = decision_columns(&changes.withdrawn_decisions)?;
        self.insert(
            "decision",
            OnConflict::Replace(&["withdrawn", "body"]),
            withdrawn,
        )?;
        self.delete(
            "decision_record",
            decision_record_columns(&changes.withdrawn_decisions),
        )?;
        self.insert(
            "decision_record",
            OnConflict::Refuse,
            decision_record_columns(&changes.added_decisions),
        )?;
        self.insert(
            "request",
            OnConflict::Refuse,
            request_columns(&changes.requests),
        )?;
        self.insert(
            "identity_change",
            OnConflict::Refuse,
            identity_change_columns(&changes.identity_changes)?,
        )?;
        self.log(&changes.log)
    }

    fn log(&mut self, entries: &[LogEntry]) -> Result<()> {
        self.insert("change_log", OnConflict::Refuse, log_columns(entries)?)
    }
}

impl Write<'_> {
    fn insert(&mut self, table: &str, on_conflict: OnConflict, columns: Columns) -> Result<()> {
        if is_empty(&columns) {
            return Ok(());
        }
        let names = names(&columns);
        let tenant = self.sql.bind(self.tenant.as_str());
        let kept = is_kept(table);
        let (since, sequence) = if kept {
            (
                ", since",
                format!(", {}", self.sql.bind(self.mark.sequence.0)),
            )
        } else {
            ("", String::new())
        };
        let added = self.sql.rows("added", columns)?;
        let on_conflict = match on_conflict {
            OnConflict::Refuse => String::new(),
            OnConflict::Keep => " ON CONFLICT DO NOTHING".to_owned(),
            OnConflict::Replace(replaced) | OnConflict::Update(replaced) => {
                let since = kept && matches!(on_conflict, OnConflict::Replace(_));
                let columns = replaced.iter().chain(since.then_some(&"since"));
                let set: Vec<String> = columns
                    .map(|column| format!("{column} = excluded.{column}"))
                    .collect();
                let key = match table {
                    "profile" | "decision" => "tenant, id",
                    "recount" => "tenant",
                    "match_pair" => "tenant, source, record_key, other_source, other_key",
                    _ => "tenant, source, record_key",
                };
                format!(" ON CONFLICT ({key}) DO UPDATE SET {}", set.join(", "))
            }
        };
        // `WHERE TRUE`: or SQLite would take `ON CONFLICT` for the condition of a join.
        self.push(format!(
            "INSERT INTO {table} (tenant, {names}{since}) SELECT {tenant}, {names}{sequence} FROM {added} \
             WHERE TRUE{on_conflict}"
        ));
        Ok(())
    }

    /// Tells when this write is, to those who look back and to the next writer.
    fn note_time(&mut self) {
        let WriteMark { sequence, time } = self.mark;
        let values = [
            self.tenant.as_str().into(),
            sequence.0.into(),
            time.as_micros().into(),
        ];
        let [tenant, number, micros] = values.map(|value: sea_orm::Value| self.sql.bind(value));
        self.push(format!(
            "INSERT INTO write_time (tenant, sequence, time) VALUES ({tenant}, {number}, {micros})"
        ));
        let (tenant, micros) = (
            self.sql.bind(self.tenant.as_str()),
            self.sql.bind(time.as_micros()),
        );
        self.push(format!(
            "UPDATE tenant SET write_time = {micros} WHERE id = {tenant}"
        ));
    }

    /// Copies the rows with the given keys to history, before they are replaced or removed. Those
    /// that do not exist leave nothing.
    fn keep(&mut self, table: &str, key: Columns, others: &[&str]) -> Result<()> {
        if is_empty(&key) {
            return Ok(());
        }
        let same: Vec<String> = key
            .iter()
            .map(|(name, _)| format!("t.{name} = replaced.{name}"))
            .collect();
        let columns: Vec<&str> = key
            .iter()
            .map(|(name, _)| *name)
            .chain(others.iter().copied())
            .collect();
        let shown: Vec<String> = columns.iter().map(|name| format!("t.{name}")).collect();
        let (tenant, until) = (
            self.sql.bind(self.tenant.as_str()),
            self.sql.bind(self.mark.sequence.0),
        );
        let replaced = self.sql.rows("replaced", key)?;
        let row = self.sql.dialect.look_up(
            table,
            "t",
            &format!("t.tenant = {tenant} AND {}", same.join(" AND ")),
        );
        let (columns, shown) = (columns.join(", "), shown.join(", "));
        self.push(format!(
            "INSERT INTO {table}_history (tenant, {columns}, since, until) \
             SELECT t.tenant, {shown}, t.since, {until} FROM {replaced} {row}"
        ));
        Ok(())
    }

    fn delete(&mut self, table: &str, columns: Columns) -> Result<()> {
        if is_empty(&columns) {
            return Ok(());
        }
        let key: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let tenant = self.sql.bind(self.tenant.as_str());
        let removed = self.sql.rows("removed", columns)?;
        self.push(self.sql.dialect.delete(table, &tenant, &key, &removed));
        Ok(())
    }

    /// Lets the words that can be searched for follow the terms. Whether anybody still says a
    /// removed one is asked when the terms are gone, so after the one statement in which they go.
    fn words(&mut self, added: &[SearchTerm], removed: &[SearchTerm]) -> Result<()> {
        self.insert(
            "search_word",
            OnConflict::Keep,
            search::word_columns(added.iter().map(|term| term.term.as_str())),
        )?;
        let mut gone: BTreeSet<&str> = removed.iter().map(|term| term.term.as_str()).collect();
        for term in added {
            gone.remove(term.term.as_str());
        }
        if !gone.is_empty() {
            let gone: Vec<&str> = gone.into_iter().collect();
            self.last
                .push(search::forget(self.sql.dialect, self.tenant, &gone)?);
        }
        Ok(())
    }

    /// The tenant's row is this writer's since the turn was taken.
    fn put_in_force(&mut self, activation: &Activation) {
        let (version, tenant) = (
            self.sql.bind(activation.version),
            self.sql.bind(self.tenant.as_str()),
        );
        self.push(format!(
            "UPDATE tenant SET model_version = {version} WHERE id = {tenant}"
        ));
    }

    fn push(&mut self, part: String) {
        match self.sql.dialect {
            Dialect::Postgres => self.parts.push(part),
            Dialect::Sqlite => {
                let sql = std::mem::replace(&mut self.sql, Sql::new(Dialect::Sqlite));
                self.statements.push(sql.statement(part));
            }
        }
    }

    fn finish(mut self) -> Vec<Statement> {
        let last = std::mem::take(&mut self.last);
        let parts = match self.parts.as_slice() {
            [] => {
                self.statements.extend(last);
                return self.statements;
            }
            [only] => only.clone(),
            several => {
                let named = several
                    .iter()
                    .enumerate()
                    .map(|(number, part)| format!("part_{number} AS ({part})"));
                format!("WITH {} SELECT 1", named.collect::<Vec<_>>().join(", "))
            }
        };
        self.statements.push(self.sql.statement(parts));
        self.statements.extend(last);
        self.statements
    }
}

fn is_empty(columns: &Columns) -> bool {
    columns.first().is_none_or(|(_, column)| column.is_empty())
}

fn names(columns: &Columns) -> String {
    columns
        .iter()
        .map(|(name, _)| *name)
        .collect::<Vec<_>>()
        .join(", ")
}
