//! The parts of a write's statements: rows to insert, to keep in history and to delete.

use std::collections::BTreeSet;

use sea_orm::Statement;

use super::{Columns, OnConflict, Write};
use crate::store::sql::search;
use crate::store::sql::statement::{Dialect, Sql};
use crate::store::{Activation, Result, SearchTerm, WriteMark};

/// The part that takes the turn.
const TURN: &str = "turn";

/// Whether rows of a table say since which write they hold, and are kept when they are replaced or
/// removed.
fn is_kept(table: &str) -> bool {
    matches!(table, "record" | "profile" | "identifier" | "event")
}

impl Write<'_> {
    pub(super) fn insert(
        &mut self,
        table: &str,
        on_conflict: OnConflict,
        columns: Columns,
    ) -> Result<()> {
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
                    "event" => "tenant, source, event_id",
                    "event_object" => {
                        "tenant, kind, object_id, record_source, record_key, sort_time, source, event_id"
                    }
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

    /// Takes the turn if it is the tenant's next one: the condition for all that follows. Goes with
    /// the time of the write, and with the model that it puts in force.
    pub(super) fn take_turn(&mut self, activation: Option<&Activation>) {
        self.takes_turn = true;
        let WriteMark { sequence, time } = self.mark;
        let mut columns = vec![
            ("id", self.sql.bind(self.tenant.as_str())),
            ("sequence", self.sql.bind(sequence.0)),
            ("write_time", self.sql.bind(time.as_micros())),
        ];
        if let Some(activation) = activation {
            columns.push(("model_version", self.sql.bind(activation.version)));
        }
        let (names, values): (Vec<&str>, Vec<String>) = columns.into_iter().unzip();
        let before = sequence.before().0;
        // A tenant that has gone is not made again by a write that was to follow another one.
        let turn = if before == 0 {
            format!(
                "INSERT INTO tenant ({}) VALUES ({}) ON CONFLICT (id) DO NOTHING",
                names.join(", "),
                values.join(", ")
            )
        } else {
            let before = self.sql.bind(before);
            let columns = names.iter().zip(&values).skip(1);
            let set: Vec<String> = columns
                .map(|(name, value)| format!("{name} = {value}"))
                .collect();
            format!(
                "UPDATE tenant SET {} WHERE id = {} AND sequence = {before}",
                set.join(", "),
                values[0]
            )
        };
        let source = match self.sql.dialect {
            Dialect::Postgres => {
                self.push(format!("{turn} RETURNING sequence"));
                self.sql.only_if(TURN);
                format!(" FROM {TURN}")
            }
            Dialect::Sqlite => {
                self.push(turn);
                String::new()
            }
        };
        self.note_write_time(&source);
    }

    /// Tells when this write is, to those who look back.
    fn note_write_time(&mut self, source: &str) {
        let WriteMark { sequence, time } = self.mark;
        let values = [
            self.tenant.as_str().into(),
            sequence.0.into(),
            time.as_micros().into(),
        ];
        let [tenant, number, micros] = values.map(|value: sea_orm::Value| self.sql.bind(value));
        self.push(format!(
            "INSERT INTO write_time (tenant, sequence, time) SELECT {tenant}, {number}, {micros}{source}"
        ));
    }

    /// Tells when this write is, to those who look back and to the next writer.
    pub(super) fn note_time(&mut self) {
        self.note_write_time("");
        let (tenant, micros) = (
            self.sql.bind(self.tenant.as_str()),
            self.sql.bind(self.mark.time.as_micros()),
        );
        self.push(format!(
            "UPDATE tenant SET write_time = {micros} WHERE id = {tenant}"
        ));
    }

    /// Copies the rows with the given keys to history, before they are replaced or removed. Those
    /// that do not exist leave nothing.
    pub(super) fn keep(&mut self, table: &str, key: Columns, others: &[&str]) -> Result<()> {
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

    pub(super) fn delete(&mut self, table: &str, columns: Columns) -> Result<()> {
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
    pub(super) fn words(&mut self, added: &[SearchTerm], removed: &[SearchTerm]) -> Result<()> {
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
    pub(super) fn put_in_force(&mut self, activation: &Activation) {
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

    pub(super) fn finish(mut self) -> Vec<Statement> {
        let last = std::mem::take(&mut self.last);
        let parts = match self.parts.as_slice() {
            [] => {
                self.statements.extend(last);
                return self.statements;
            }
            [only] => only.clone(),
            several => {
                let named = several.iter().enumerate().map(|(number, part)| {
                    if number == 0 && self.takes_turn {
                        format!("{TURN} AS ({part})")
                    } else {
                        format!("part_{number} AS ({part})")
                    }
                });
                let answer = if self.takes_turn {
                    format!("count(*) AS turns FROM {TURN}")
                } else {
                    "1".to_owned()
                };
                format!(
                    "WITH {} SELECT {answer}",
                    named.collect::<Vec<_>>().join(", ")
                )
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
