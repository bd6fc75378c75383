//! From the changes of a write to statements: a part for each set that is not empty, in the order
//! in which they may run.
//!
//! On PostgreSQL all parts but the last are one statement, `WITH … AS (INSERT …), … SELECT 1`: each
//! round trip within a write keeps the tenant's next writer waiting. The parts see the same
//! snapshot and touch different rows, so their order does not matter.
//!
//! What is replaced or removed is copied to history within the database: it need not travel.

mod builder;
mod columns;
mod event_columns;
mod identity_columns;

use profile_core::records::{Identifier, RecordKey, Sequence, TenantId, Timestamp};
use sea_orm::Statement;

use self::columns::{
    activation_columns, identifier_columns, log_columns, membership_columns, model_columns,
    profile_columns, profile_key, record_columns, recount_columns, request_columns, rollup_columns,
    term_columns, version_columns,
};
pub(super) use self::columns::{json, key_columns};
pub(super) use self::event_columns::correction_key_columns;
use self::event_columns::{
    EVENT, corrected_columns, corrected_key, corrected_object_columns, correction_columns,
    event_columns, event_object_columns, unnamed_object_columns,
};
pub(super) use self::identity_columns::{decision_columns, identity_change_columns};
use self::identity_columns::{
    decision_record_columns, key_columns_of, pair_columns, pair_key_columns,
};
use super::statement::{Column, Dialect, Sql};
use crate::store::footprint::Footprint;
use crate::store::{Changes, Error, LogEntry, Result, WriteMark};

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
const RECORD_WITH_ROLLUP: [&str; 4] = ["profile_id", "body", "rollup", "reused_since"];

/// All statements of a write that has its turn, or of what is left of it after parts went ahead.
pub(super) fn statements(
    dialect: Dialect,
    tenant: &TenantId,
    mark: WriteMark,
    (changes, footprint): (&Changes, &Footprint),
) -> Result<Vec<Statement>> {
    let mut write = Write::new(dialect, tenant, mark);
    write.note_time();
    write.all(changes, footprint)?;
    Ok(write.finish())
}

/// All statements of a write that takes its turn with the first of them, if it is the tenant's next
/// one. On PostgreSQL that statement answers how many turns were taken, and changes nothing without
/// one; on SQLite it is all that it does, and concerns a row only if the turn was taken.
pub(super) fn next_write(
    dialect: Dialect,
    tenant: &TenantId,
    mark: WriteMark,
    changes: &Changes,
) -> Result<Vec<Statement>> {
    let mut write = Write::new(dialect, tenant, mark);
    write.take_turn(changes.activation.as_ref());
    write.all(changes, &Footprint::of(changes))?;
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
    let all = (&changes, &Footprint::of(&changes));
    let mut statements = statements(dialect, tenant, mark, all)?.into_iter();
    let statement = statements.find(|statement| statement.sql.contains("DELETE FROM identifier"));
    statement.ok_or_else(|| Error::Internal("no statement was made".to_owned()))
}

struct Write<'a> {
    tenant: &'a TenantId,
    mark: WriteMark,
    /// Whether the turn is taken by the first part.
    takes_turn: bool,
    /// The write's footprint, for the last part of its entry in the log.
    footprint: Vec<u8>,
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
            takes_turn: false,
            footprint: Vec::new(),
            sql: Sql::new(dialect),
            parts: Vec::new(),
            statements: Vec::new(),
            last: Vec::new(),
        }
    }

    /// Everything that changes, and an entry in the log in any case.
    fn all(&mut self, changes: &Changes, footprint: &Footprint) -> Result<()> {
        self.footprint = footprint.to_bytes();
        self.changes(changes)?;
        if changes.log.is_empty() {
            let WriteMark { sequence, time } = self.mark;
            let entry = LogEntry::of_write(sequence, time, Vec::new(), Vec::new());
            self.log(&entry)?;
        }
        Ok(())
    }

    /// Everything that changes. Nothing is removed after it was added.
    fn changes(&mut self, changes: &Changes) -> Result<()> {
        self.keep_replaced(changes)?;
        self.append_history(changes)?;
        self.write_records(changes)?;
        self.write_lookups(changes)?;
        self.write_model(changes)?;
        self.write_matching(changes)?;
        self.write_decisions(changes)?;
        self.log(&changes.log)
    }

    /// Copies to history what is replaced or removed.
    fn keep_replaced(&mut self, changes: &Changes) -> Result<()> {
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
        self.keep("event", corrected_key(&changes.corrected_events), &EVENT)
    }

    fn append_history(&mut self, changes: &Changes) -> Result<()> {
        self.insert(
            "record_version",
            OnConflict::Refuse,
            version_columns(&changes.statements)?,
        )?;
        self.insert("event", OnConflict::Refuse, event_columns(&changes.events)?)?;
        let named = event_object_columns(&changes.events, self.mark.sequence);
        self.insert("event_object", OnConflict::Refuse, named)?;
        self.correct_events(changes)?;
        self.insert(
            "membership",
            OnConflict::Refuse,
            membership_columns(&changes.memberships),
        )?;
        Ok(())
    }

    /// Events that were corrected, and the corrections.
    fn correct_events(&mut self, changes: &Changes) -> Result<()> {
        let corrected = &changes.corrected_events;
        self.insert(
            "event_correction",
            OnConflict::Refuse,
            correction_columns(&changes.corrections)?,
        )?;
        self.insert(
            "event",
            OnConflict::Replace(&EVENT),
            corrected_columns(corrected)?,
        )?;
        self.delete("event_object", unnamed_object_columns(corrected))?;
        self.insert(
            "event_object",
            OnConflict::Replace(&["own", "attached"]),
            corrected_object_columns(corrected, self.mark.sequence),
        )
    }

    fn write_records(&mut self, changes: &Changes) -> Result<()> {
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
        Ok(())
    }

    /// Identifiers and search terms, by which records are found.
    fn write_lookups(&mut self, changes: &Changes) -> Result<()> {
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
        Ok(())
    }

    fn write_model(&mut self, changes: &Changes) -> Result<()> {
        self.insert("model", OnConflict::Refuse, model_columns(&changes.models))?;
        if let Some(activation) = &changes.activation {
            self.insert(
                "model_activation",
                OnConflict::Refuse,
                activation_columns(activation),
            )?;
            if !self.takes_turn {
                self.put_in_force(activation);
            }
        }
        if let Some(progress) = &changes.recount {
            let replaced =
                OnConflict::Replace(&["definitions", "source", "record_key", "counted", "done"]);
            self.insert("recount", replaced, recount_columns(progress))?;
        }
        Ok(())
    }

    /// Match keys and pairs.
    fn write_matching(&mut self, changes: &Changes) -> Result<()> {
        self.delete("match_key", key_columns_of(&changes.removed_keys))?;
        self.insert(
            "match_key",
            OnConflict::Refuse,
            key_columns_of(&changes.added_keys),
        )?;
        self.delete("match_pair", pair_key_columns(&changes.removed_pairs))?;
        let replaced = OnConflict::Replace(&["verdict", "weight", "queued"]);
        self.insert("match_pair", replaced, pair_columns(&changes.pairs))?;
        Ok(())
    }

    /// Decisions, requests, merges and splits.
    fn write_decisions(&mut self, changes: &Changes) -> Result<()> {
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
        Ok(())
    }

    fn log(&mut self, entries: &[LogEntry]) -> Result<()> {
        let columns = log_columns(entries, &self.footprint)?;
        self.insert("change_log", OnConflict::Refuse, columns)
    }
}
