//! The columns of each table's rows, from what the rows tell.

use profile_core::records::rollup::Rollup;
use profile_core::records::{Identifier, Record, RecordKey, Timestamp};
use uuid::Uuid;

use super::super::query::statement_columns;
use super::super::statement::Column;
use super::Columns;
use crate::store::{
    Activation, BackfillProgress, Error, LogEntry, MembershipChange, ModelVersion, ProfileRow,
    ProfileState, Result, SearchTerm, StoredRequest, StoredStatement,
};

/// Stored as JSON. It cannot fail for these types; if it does, it is a bug.
pub(in crate::store::sql) fn json(document: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(document).map_err(|error| Error::Internal(error.to_string()))
}

pub(in crate::store::sql) fn key_columns<'a>(
    keys: impl Iterator<Item = &'a RecordKey> + Clone,
) -> Columns {
    vec![
        (
            "source",
            Column::text(keys.clone().map(|key| key.source.as_str())),
        ),
        ("record_key", Column::text(keys.map(|key| key.key.as_str()))),
    ]
}

pub(super) fn version_columns(statements: &[StoredStatement]) -> Result<Columns> {
    let drafts = statements
        .iter()
        .map(|statement| json(&statement.draft))
        .collect::<Result<_>>()?;
    let mut columns = statement_columns(statements.iter().map(|statement| &statement.key));
    columns.extend([
        (
            "sequence",
            Column::Int(
                statements
                    .iter()
                    .map(|statement| statement.sequence.0)
                    .collect(),
            ),
        ),
        (
            "ordinal",
            Column::Int(
                statements
                    .iter()
                    .map(|statement| statement.ordinal.into())
                    .collect(),
            ),
        ),
        (
            "receive_time",
            Column::Int(
                statements
                    .iter()
                    .map(|statement| statement.receive_time.as_micros())
                    .collect(),
            ),
        ),
        ("draft", Column::Text(drafts)),
    ]);
    Ok(columns)
}

pub(super) fn membership_columns(changes: &[MembershipChange]) -> Columns {
    let mut columns = key_columns(changes.iter().map(|change| &change.record));
    columns.extend([
        (
            "sequence",
            Column::Int(changes.iter().map(|change| change.sequence.0).collect()),
        ),
        (
            "profile_id",
            Column::optional_id(changes.iter().map(|change| change.profile.map(|id| id.0))),
        ),
        (
            "change_time",
            Column::Int(
                changes
                    .iter()
                    .map(|change| change.time.as_micros())
                    .collect(),
            ),
        ),
        (
            "reason",
            Column::text(changes.iter().map(|change| change.reason.as_str())),
        ),
    ]);
    columns
}

pub(super) fn profile_key(rows: &[ProfileRow]) -> Columns {
    vec![("id", Column::Id(rows.iter().map(|row| row.id.0).collect()))]
}

pub(super) fn profile_columns(rows: &[ProfileRow]) -> Columns {
    let survivor = |row: &ProfileRow| match row.state {
        ProfileState::MergedInto(survivor) => Some(survivor.0),
        ProfileState::Live | ProfileState::Deleted => None,
    };
    let mut columns = profile_key(rows);
    columns.extend([
        (
            "revision",
            Column::Int(rows.iter().map(|row| row.revision).collect()),
        ),
        (
            "update_time",
            Column::Int(rows.iter().map(|row| row.update_time.as_micros()).collect()),
        ),
        (
            "merged_into",
            Column::optional_id(rows.iter().map(survivor)),
        ),
        (
            "deleted",
            Column::Int(
                rows.iter()
                    .map(|row| i64::from(row.state == ProfileState::Deleted))
                    .collect(),
            ),
        ),
    ]);
    columns
}

pub(super) fn record_columns(records: &[Record]) -> Result<Columns> {
    let bodies = records.iter().map(json).collect::<Result<_>>()?;
    let mut columns = key_columns(records.iter().map(|record| &record.key));
    let profiles = records
        .iter()
        .map(|record| record.membership.profile.map(|id| id.0));
    columns.extend([
        ("profile_id", Column::optional_id(profiles)),
        ("body", Column::Text(bodies)),
    ]);
    columns.push((
        "rollup",
        rollups(records.iter().map(|record| &record.rollup))?,
    ));
    let reused_since = records.iter().map(|record| {
        let since = record.reused_since();
        since.map_or(i64::MIN, Timestamp::as_micros)
    });
    columns.push(("reused_since", Column::Int(reused_since.collect())));
    Ok(columns)
}

/// Empty where nothing is counted.
fn rollups<'a>(rollups: impl Iterator<Item = &'a Rollup>) -> Result<Column> {
    let document = |rollup: &Rollup| {
        if rollup.is_empty() {
            Ok(String::new())
        } else {
            json(rollup)
        }
    };
    Ok(Column::Text(rollups.map(document).collect::<Result<_>>()?))
}

/// Of records that are there: the body is for the column's sake, and never written.
pub(super) fn rollup_columns(rows: &[(RecordKey, Rollup)]) -> Result<Columns> {
    let mut columns = key_columns(rows.iter().map(|(record, _)| record));
    columns.push(("body", Column::text(rows.iter().map(|_| ""))));
    columns.push(("rollup", rollups(rows.iter().map(|(_, rollup)| rollup))?));
    Ok(columns)
}

pub(super) fn identifier_columns(rows: &[(Identifier, RecordKey)]) -> Columns {
    let mut columns = key_columns(rows.iter().map(|(_, record)| record));
    columns.extend([
        (
            "type",
            Column::text(rows.iter().map(|(identifier, _)| identifier.kind.as_str())),
        ),
        (
            "value",
            Column::text(rows.iter().map(|(identifier, _)| identifier.value.as_str())),
        ),
    ]);
    columns
}

pub(super) fn term_columns(terms: &[SearchTerm]) -> Columns {
    let mut columns = key_columns(terms.iter().map(|term| &term.record));
    columns.extend([
        (
            "term",
            Column::text(terms.iter().map(|term| term.term.as_str())),
        ),
        (
            "trait",
            Column::text(terms.iter().map(|term| term.kind.as_str())),
        ),
    ]);
    columns
}

pub(super) fn model_columns(models: &[ModelVersion]) -> Columns {
    vec![
        (
            "version",
            Column::Int(models.iter().map(|model| model.version).collect()),
        ),
        (
            "file",
            Column::text(models.iter().map(|model| model.file.as_str())),
        ),
        (
            "weights",
            Column::text(models.iter().map(|model| model.weights.as_str())),
        ),
        (
            "create_time",
            Column::Int(
                models
                    .iter()
                    .map(|model| model.create_time.as_micros())
                    .collect(),
            ),
        ),
        (
            "note",
            Column::text(models.iter().map(|model| model.note.as_str())),
        ),
    ]
}

pub(super) fn activation_columns(activation: &Activation) -> Columns {
    vec![
        ("version", Column::Int(vec![activation.version])),
        ("sequence", Column::Int(vec![activation.sequence.0])),
        (
            "activate_time",
            Column::Int(vec![activation.time.as_micros()]),
        ),
    ]
}

pub(super) fn recount_columns(progress: &BackfillProgress) -> Columns {
    vec![
        ("definitions", Column::text([progress.definitions.as_str()])),
        ("source", Column::text([progress.position.source.as_str()])),
        ("record_key", Column::text([progress.position.key.as_str()])),
        (
            "counted",
            Column::Int(vec![i64::try_from(progress.records).unwrap_or(i64::MAX)]),
        ),
        ("done", Column::Int(vec![progress.done.into()])),
    ]
}

pub(super) fn request_columns(requests: &[StoredRequest]) -> Columns {
    vec![
        (
            "request_id",
            Column::text(requests.iter().map(|request| request.request_id.as_str())),
        ),
        (
            "sequence",
            Column::Int(requests.iter().map(|request| request.sequence.0).collect()),
        ),
        (
            "content_hash",
            Column::Id(
                requests
                    .iter()
                    .map(|request| Uuid::from_u128(request.content.0))
                    .collect(),
            ),
        ),
        (
            "answer",
            Column::text(requests.iter().map(|request| request.answer.as_str())),
        ),
    ]
}

pub(super) fn log_columns(entries: &[LogEntry], footprint: &[u8]) -> Result<Columns> {
    let bodies: Vec<String> = entries
        .iter()
        .map(|entry| json(&entry.body))
        .collect::<Result<_>>()?;
    let bytes = |body: &String| i64::try_from(body.len()).unwrap_or(i64::MAX);
    let footprints = entries.iter().map(|entry| {
        if entry.last {
            footprint.to_vec()
        } else {
            Vec::new()
        }
    });
    Ok(vec![
        (
            "sequence",
            Column::Int(entries.iter().map(|entry| entry.sequence.0).collect()),
        ),
        (
            "part",
            Column::Int(entries.iter().map(|entry| entry.part.into()).collect()),
        ),
        (
            "last",
            Column::Int(entries.iter().map(|entry| entry.last.into()).collect()),
        ),
        (
            "time",
            Column::Int(entries.iter().map(|entry| entry.time.as_micros()).collect()),
        ),
        ("bytes", Column::Int(bodies.iter().map(bytes).collect())),
        ("footprint", Column::Bytes(footprints.collect())),
        ("changes", Column::Text(bodies)),
    ])
}
