//! From the changes of a write to statements: a part for each set that is not empty, in the order in which they may run.
//!
//! On PostgreSQL all parts are one statement, `WITH … AS (INSERT …), … SELECT 1`: each round trip within a write keeps the
//! tenant's next writer waiting. The parts see the same snapshot and touch different rows, so their order does not matter.
//!
//! What is replaced or removed is copied to history within the database: it need not travel.

use sea_orm::Statement;
use uuid::Uuid;

use super::query::statement_columns;
use super::statement::{Column, Dialect, Sql};
use crate::profile::{Event, Identifier, Record, RecordKey, Sequence, TenantId, Timestamp};
use crate::store::{
    Activation, Changes, Error, IdentityChange, KeyedRecord, LogEntry, MatchPair, MembershipChange, ModelVersion,
    ProfileRow, ProfileState, Result, SearchTerm, StoredDecision, StoredRequest, StoredStatement, WriteMark,
};

/// A set of rows: columns by name.
type Columns = Vec<(&'static str, Column)>;

/// What becomes of a row whose key is there already.
#[derive(Clone, Copy)]
enum OnConflict {
    /// The write is refused: the row was to be new. That is cheaper than any `ON CONFLICT`, with which PostgreSQL
    /// looks before each row, locks, writes, and confirms.
    Refuse,
    /// These columns are replaced.
    Replace(&'static [&'static str]),
}

/// The columns of a profile's row beside its key, and those of a record's.
const PROFILE: [&str; 4] = ["revision", "update_time", "merged_into", "deleted"];
const RECORD: [&str; 2] = ["profile_id", "body"];

/// Whether rows of a table say since which write they hold, and are kept when they are replaced or removed.
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
        write.log(&LogEntry::of_write(mark.sequence, mark.time, Vec::new(), Vec::new()))?;
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
    let mut write = Write::new(dialect, tenant, WriteMark { sequence, time: Timestamp::default() });
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
    let removed = identifiers.iter().cloned().zip(records.iter().cloned()).collect();
    let changes = Changes { removed_identifiers: removed, ..Changes::default() };
    let mark = WriteMark { sequence: Sequence(1), time: Timestamp::default() };
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
}

impl<'a> Write<'a> {
    fn new(dialect: Dialect, tenant: &'a TenantId, mark: WriteMark) -> Self {
        Self { tenant, mark, sql: Sql::new(dialect), parts: Vec::new(), statements: Vec::new() }
    }

    /// Everything that changes. Nothing is removed after it was added.
    fn changes(&mut self, changes: &Changes) -> Result<()> {
        self.keep("profile", profile_key(&changes.profiles), &PROFILE)?;
        self.keep("record", key_columns(changes.records.iter().map(|record| &record.key)), &RECORD)?;
        self.keep("identifier", identifier_columns(&changes.removed_identifiers), &[])?;
        self.insert("record_version", OnConflict::Refuse, version_columns(&changes.statements)?)?;
        self.insert("event", OnConflict::Refuse, event_columns(&changes.events)?)?;
        self.insert("membership", OnConflict::Refuse, membership_columns(&changes.memberships))?;
        self.insert("profile", OnConflict::Refuse, profile_columns(&changes.added_profiles))?;
        self.insert("profile", OnConflict::Replace(&PROFILE), profile_columns(&changes.profiles))?;
        self.insert("record", OnConflict::Refuse, record_columns(&changes.added_records)?)?;
        self.insert("record", OnConflict::Replace(&RECORD), record_columns(&changes.records)?)?;
        self.delete("identifier", identifier_columns(&changes.removed_identifiers))?;
        self.insert("identifier", OnConflict::Refuse, identifier_columns(&changes.added_identifiers))?;
        self.delete("record_term", term_columns(&changes.removed_terms))?;
        self.insert("record_term", OnConflict::Refuse, term_columns(&changes.added_terms))?;
        self.insert("model", OnConflict::Refuse, model_columns(&changes.models))?;
        if let Some(activation) = &changes.activation {
            self.insert("model_activation", OnConflict::Refuse, activation_columns(activation))?;
            self.put_in_force(activation);
        }
        self.delete("match_key", key_columns_of(&changes.removed_keys))?;
        self.insert("match_key", OnConflict::Refuse, key_columns_of(&changes.added_keys))?;
        self.delete("match_pair", pair_key_columns(&changes.removed_pairs))?;
        let replaced = OnConflict::Replace(&["verdict", "weight", "queued"]);
        self.insert("match_pair", replaced, pair_columns(&changes.pairs))?;
        self.insert("decision", OnConflict::Refuse, decision_columns(&changes.added_decisions)?)?;
        let withdrawn = decision_columns(&changes.withdrawn_decisions)?;
        self.insert("decision", OnConflict::Replace(&["withdrawn", "body"]), withdrawn)?;
        self.delete("decision_record", decision_record_columns(&changes.withdrawn_decisions))?;
        self.insert("decision_record", OnConflict::Refuse, decision_record_columns(&changes.added_decisions))?;
        self.insert("request", OnConflict::Refuse, request_columns(&changes.requests))?;
        self.insert("identity_change", OnConflict::Refuse, identity_change_columns(&changes.identity_changes)?)?;
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
        let (since, sequence) =
            if kept { (", since", format!(", {}", self.sql.bind(self.mark.sequence.0))) } else { ("", String::new()) };
        let added = self.sql.rows("added", columns)?;
        let on_conflict = match on_conflict {
            OnConflict::Refuse => String::new(),
            OnConflict::Replace(columns) => {
                let columns = columns.iter().chain(kept.then_some(&"since"));
                let set: Vec<String> = columns.map(|column| format!("{column} = excluded.{column}")).collect();
                let key = match table {
                    "profile" | "decision" => "tenant, id",
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
        let values = [self.tenant.as_str().into(), sequence.0.into(), time.as_micros().into()];
        let [tenant, number, micros] = values.map(|value: sea_orm::Value| self.sql.bind(value));
        self.push(format!("INSERT INTO write_time (tenant, sequence, time) VALUES ({tenant}, {number}, {micros})"));
        let (tenant, micros) = (self.sql.bind(self.tenant.as_str()), self.sql.bind(time.as_micros()));
        self.push(format!("UPDATE tenant SET write_time = {micros} WHERE id = {tenant}"));
    }

    /// Copies the rows with the given keys to history, before they are replaced or removed. Those that do not exist leave
    /// nothing.
    fn keep(&mut self, table: &str, key: Columns, others: &[&str]) -> Result<()> {
        if is_empty(&key) {
            return Ok(());
        }
        let same: Vec<String> = key.iter().map(|(name, _)| format!("t.{name} = replaced.{name}")).collect();
        let columns: Vec<&str> = key.iter().map(|(name, _)| *name).chain(others.iter().copied()).collect();
        let shown: Vec<String> = columns.iter().map(|name| format!("t.{name}")).collect();
        let (tenant, until) = (self.sql.bind(self.tenant.as_str()), self.sql.bind(self.mark.sequence.0));
        let replaced = self.sql.rows("replaced", key)?;
        let row = self.sql.dialect.look_up(table, "t", &format!("t.tenant = {tenant} AND {}", same.join(" AND ")));
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

    /// The tenant's row is this writer's since the turn was taken.
    fn put_in_force(&mut self, activation: &Activation) {
        let (version, tenant) = (self.sql.bind(activation.version), self.sql.bind(self.tenant.as_str()));
        self.push(format!("UPDATE tenant SET model_version = {version} WHERE id = {tenant}"));
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
        let parts = match self.parts.as_slice() {
            [] => return self.statements,
            [only] => only.clone(),
            several => {
                let named = several.iter().enumerate().map(|(number, part)| format!("part_{number} AS ({part})"));
                format!("WITH {} SELECT 1", named.collect::<Vec<_>>().join(", "))
            }
        };
        self.statements.push(self.sql.statement(parts));
        self.statements
    }
}

fn is_empty(columns: &Columns) -> bool {
    columns.first().is_none_or(|(_, column)| column.is_empty())
}

fn names(columns: &Columns) -> String {
    columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// Stored as JSON. It cannot fail for these types; if it does, it is a bug.
fn json(document: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(document).map_err(|error| Error::Internal(error.to_string()))
}

fn key_columns<'a>(keys: impl Iterator<Item = &'a RecordKey> + Clone) -> Columns {
    vec![
        ("source", Column::text(keys.clone().map(|key| key.source.as_str()))),
        ("record_key", Column::text(keys.map(|key| key.key.as_str()))),
    ]
}

fn version_columns(statements: &[StoredStatement]) -> Result<Columns> {
    let drafts = statements.iter().map(|statement| json(&statement.draft)).collect::<Result<_>>()?;
    let mut columns = statement_columns(statements.iter().map(|statement| &statement.key));
    columns.extend([
        ("sequence", Column::Int(statements.iter().map(|statement| statement.sequence.0).collect())),
        ("ordinal", Column::Int(statements.iter().map(|statement| statement.ordinal.into()).collect())),
        ("receive_time", Column::Int(statements.iter().map(|statement| statement.receive_time.as_micros()).collect())),
        ("draft", Column::Text(drafts)),
    ]);
    Ok(columns)
}

fn event_columns(events: &[Event]) -> Result<Columns> {
    let bodies = events.iter().map(json).collect::<Result<_>>()?;
    let mut columns = key_columns(events.iter().map(|event| &event.record));
    columns.extend([
        ("event_id", Column::text(events.iter().map(|event| event.event_id.as_str()))),
        ("type", Column::text(events.iter().map(|event| event.kind.as_str()))),
        ("sort_time", Column::Int(events.iter().map(|event| event.sort_time.as_micros()).collect())),
        ("content_hash", Column::Id(events.iter().map(|event| Uuid::from_u128(event.content.0)).collect())),
        ("body", Column::Text(bodies)),
    ]);
    Ok(columns)
}

fn membership_columns(changes: &[MembershipChange]) -> Columns {
    let mut columns = key_columns(changes.iter().map(|change| &change.record));
    columns.extend([
        ("sequence", Column::Int(changes.iter().map(|change| change.sequence.0).collect())),
        ("profile_id", Column::optional_id(changes.iter().map(|change| change.profile.map(|id| id.0)))),
        ("change_time", Column::Int(changes.iter().map(|change| change.time.as_micros()).collect())),
        ("reason", Column::text(changes.iter().map(|change| change.reason.as_str()))),
    ]);
    columns
}

fn profile_key(rows: &[ProfileRow]) -> Columns {
    vec![("id", Column::Id(rows.iter().map(|row| row.id.0).collect()))]
}

fn profile_columns(rows: &[ProfileRow]) -> Columns {
    let survivor = |row: &ProfileRow| match row.state {
        ProfileState::MergedInto(survivor) => Some(survivor.0),
        ProfileState::Live | ProfileState::Deleted => None,
    };
    let mut columns = profile_key(rows);
    columns.extend([
        ("revision", Column::Int(rows.iter().map(|row| row.revision).collect())),
        ("update_time", Column::Int(rows.iter().map(|row| row.update_time.as_micros()).collect())),
        ("merged_into", Column::optional_id(rows.iter().map(survivor))),
        ("deleted", Column::Int(rows.iter().map(|row| i64::from(row.state == ProfileState::Deleted)).collect())),
    ]);
    columns
}

fn record_columns(records: &[Record]) -> Result<Columns> {
    let bodies = records.iter().map(json).collect::<Result<_>>()?;
    let mut columns = key_columns(records.iter().map(|record| &record.key));
    let profiles = records.iter().map(|record| record.membership.profile.map(|id| id.0));
    columns.extend([("profile_id", Column::optional_id(profiles)), ("body", Column::Text(bodies))]);
    Ok(columns)
}

fn identifier_columns(rows: &[(Identifier, RecordKey)]) -> Columns {
    let mut columns = key_columns(rows.iter().map(|(_, record)| record));
    columns.extend([
        ("type", Column::text(rows.iter().map(|(identifier, _)| identifier.kind.as_str()))),
        ("value", Column::text(rows.iter().map(|(identifier, _)| identifier.value.as_str()))),
    ]);
    columns
}

fn term_columns(terms: &[SearchTerm]) -> Columns {
    let mut columns = key_columns(terms.iter().map(|term| &term.record));
    columns.extend([
        ("term", Column::text(terms.iter().map(|term| term.term.as_str()))),
        ("trait", Column::text(terms.iter().map(|term| term.kind.as_str()))),
    ]);
    columns
}

fn model_columns(models: &[ModelVersion]) -> Columns {
    vec![
        ("version", Column::Int(models.iter().map(|model| model.version).collect())),
        ("file", Column::text(models.iter().map(|model| model.file.as_str()))),
        ("weights", Column::text(models.iter().map(|model| model.weights.as_str()))),
        ("create_time", Column::Int(models.iter().map(|model| model.create_time.as_micros()).collect())),
        ("note", Column::text(models.iter().map(|model| model.note.as_str()))),
    ]
}

fn activation_columns(activation: &Activation) -> Columns {
    vec![
        ("version", Column::Int(vec![activation.version])),
        ("sequence", Column::Int(vec![activation.sequence.0])),
        ("activate_time", Column::Int(vec![activation.time.as_micros()])),
    ]
}

/// In order of keys: those of one record are all over the table, and neighbours are on one page.
fn key_columns_of(keys: &[KeyedRecord]) -> Columns {
    let mut keys: Vec<&KeyedRecord> = keys.iter().collect();
    keys.sort_unstable();
    let mut columns = vec![("key_hash", Column::Int(keys.iter().map(|(key, _)| key.0).collect()))];
    columns.extend(key_columns(keys.iter().map(|(_, record)| record)));
    columns
}

/// Each pair from both of its ends.
fn ends(pairs: &[MatchPair]) -> impl Iterator<Item = (&MatchPair, &RecordKey, &RecordKey)> + Clone {
    let from_left = pairs.iter().map(|pair| (pair, &pair.left, &pair.right));
    from_left.chain(pairs.iter().map(|pair| (pair, &pair.right, &pair.left)))
}

fn pair_key_columns(pairs: &[MatchPair]) -> Columns {
    let mut columns = key_columns(ends(pairs).map(|(_, here, _)| here));
    columns.extend([
        ("other_source", Column::text(ends(pairs).map(|(_, _, there)| there.source.as_str()))),
        ("other_key", Column::text(ends(pairs).map(|(_, _, there)| there.key.as_str()))),
    ]);
    columns
}

fn pair_columns(pairs: &[MatchPair]) -> Columns {
    let mut columns = pair_key_columns(pairs);
    columns.extend([
        ("verdict", Column::text(ends(pairs).map(|(pair, ..)| pair.verdict.as_str()))),
        ("weight", Column::Int(ends(pairs).map(|(pair, ..)| pair.millibits.into()).collect())),
        ("queued", Column::Int(ends(pairs).map(|(pair, ..)| pair.queued.into()).collect())),
        ("lesser", Column::Int(ends(pairs).map(|(_, here, there)| (here < there).into()).collect())),
    ]);
    columns
}

fn decision_columns(decisions: &[StoredDecision]) -> Result<Columns> {
    let bodies = decisions.iter().map(json).collect::<Result<_>>()?;
    Ok(vec![
        ("id", Column::text(decisions.iter().map(|stored| stored.decision.id.as_str()))),
        ("sequence", Column::Int(decisions.iter().map(|stored| stored.sequence.0).collect())),
        ("withdrawn", Column::Int(decisions.iter().map(|stored| stored.withdrawn.into()).collect())),
        ("body", Column::Text(bodies)),
    ])
}

fn decision_record_columns(decisions: &[StoredDecision]) -> Columns {
    let mut rows: Vec<(&RecordKey, &str)> = decisions
        .iter()
        .map(|stored| &stored.decision)
        .flat_map(|decision| {
            decision.left.iter().chain(&decision.right).map(move |record| (record, decision.id.as_str()))
        })
        .collect();
    rows.sort_unstable();
    rows.dedup();
    let mut columns = key_columns(rows.iter().map(|(record, _)| *record));
    columns.push(("decision_id", Column::text(rows.iter().map(|(_, id)| *id))));
    columns
}

fn request_columns(requests: &[StoredRequest]) -> Columns {
    vec![
        ("request_id", Column::text(requests.iter().map(|request| request.request_id.as_str()))),
        ("sequence", Column::Int(requests.iter().map(|request| request.sequence.0).collect())),
        ("content_hash", Column::Id(requests.iter().map(|request| Uuid::from_u128(request.content.0)).collect())),
        ("answer", Column::text(requests.iter().map(|request| request.answer.as_str()))),
    ]
}

/// Each change once for each of its two profiles.
fn identity_change_columns(changes: &[IdentityChange]) -> Result<Columns> {
    let mut rows: Vec<(Uuid, &IdentityChange, bool)> = Vec::new();
    for change in changes {
        rows.push((change.into.0, change, true));
        rows.push((change.from.0, change, false));
    }
    let bodies = rows.iter().map(|(_, change, _)| json(change)).collect::<Result<_>>()?;
    Ok(vec![
        ("profile_id", Column::Id(rows.iter().map(|(profile, ..)| *profile).collect())),
        ("sequence", Column::Int(rows.iter().map(|(_, change, _)| change.sequence.0).collect())),
        ("ordinal", Column::Int(rows.iter().map(|(_, change, _)| change.ordinal.into()).collect())),
        ("main", Column::Int(rows.iter().map(|(.., main)| (*main).into()).collect())),
        ("body", Column::Text(bodies)),
    ])
}

fn log_columns(entries: &[LogEntry]) -> Result<Columns> {
    let bodies: Vec<String> = entries.iter().map(|entry| json(&entry.body)).collect::<Result<_>>()?;
    let bytes = |body: &String| i64::try_from(body.len()).unwrap_or(i64::MAX);
    Ok(vec![
        ("sequence", Column::Int(entries.iter().map(|entry| entry.sequence.0).collect())),
        ("part", Column::Int(entries.iter().map(|entry| entry.part.into()).collect())),
        ("last", Column::Int(entries.iter().map(|entry| entry.last.into()).collect())),
        ("time", Column::Int(entries.iter().map(|entry| entry.time.as_micros()).collect())),
        ("bytes", Column::Int(bodies.iter().map(bytes).collect())),
        ("changes", Column::Text(bodies)),
    ])
}
