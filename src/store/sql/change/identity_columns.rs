//! The columns of the tables on who is who: match keys, pairs, decisions, merges and splits.

use profile_core::records::RecordKey;
use uuid::Uuid;

use super::Columns;
use super::columns::{json, key_columns};
use crate::store::sql::statement::Column;
use crate::store::{IdentityChange, KeyedRecord, MatchPair, Result, StoredDecision};

/// In order of keys: those of one record are all over the table, and neighbours are on one page.
pub(super) fn key_columns_of(keys: &[KeyedRecord]) -> Columns {
    let mut keys: Vec<&KeyedRecord> = keys.iter().collect();
    keys.sort_unstable();
    let mut columns = vec![(
        "key_hash",
        Column::Int(keys.iter().map(|(key, _)| key.0).collect()),
    )];
    columns.extend(key_columns(keys.iter().map(|(_, record)| record)));
    columns
}

/// Each pair from both of its ends.
fn ends(pairs: &[MatchPair]) -> impl Iterator<Item = (&MatchPair, &RecordKey, &RecordKey)> + Clone {
    let from_left = pairs.iter().map(|pair| (pair, &pair.left, &pair.right));
    from_left.chain(pairs.iter().map(|pair| (pair, &pair.right, &pair.left)))
}

pub(super) fn pair_key_columns(pairs: &[MatchPair]) -> Columns {
    let mut columns = key_columns(ends(pairs).map(|(_, here, _)| here));
    columns.extend([
        (
            "other_source",
            Column::text(ends(pairs).map(|(_, _, there)| there.source.as_str())),
        ),
        (
            "other_key",
            Column::text(ends(pairs).map(|(_, _, there)| there.key.as_str())),
        ),
    ]);
    columns
}

pub(super) fn pair_columns(pairs: &[MatchPair]) -> Columns {
    let mut columns = pair_key_columns(pairs);
    columns.extend([
        (
            "verdict",
            Column::text(ends(pairs).map(|(pair, ..)| pair.verdict.as_str())),
        ),
        (
            "weight",
            Column::Int(
                ends(pairs)
                    .map(|(pair, ..)| pair.millibits.into())
                    .collect(),
            ),
        ),
        (
            "queued",
            Column::Int(ends(pairs).map(|(pair, ..)| pair.queued.into()).collect()),
        ),
        (
            "lesser",
            Column::Int(
                ends(pairs)
                    .map(|(_, here, there)| (here < there).into())
                    .collect(),
            ),
        ),
    ]);
    columns
}

pub(in crate::store::sql) fn decision_columns(decisions: &[StoredDecision]) -> Result<Columns> {
    let bodies = decisions.iter().map(json).collect::<Result<_>>()?;
    Ok(vec![
        (
            "id",
            Column::text(decisions.iter().map(|stored| stored.decision.id.as_str())),
        ),
        (
            "sequence",
            Column::Int(decisions.iter().map(|stored| stored.sequence.0).collect()),
        ),
        (
            "withdrawn",
            Column::Int(
                decisions
                    .iter()
                    .map(|stored| stored.withdrawn.into())
                    .collect(),
            ),
        ),
        ("body", Column::Text(bodies)),
    ])
}

pub(super) fn decision_record_columns(decisions: &[StoredDecision]) -> Columns {
    let mut rows: Vec<(&RecordKey, &str)> = decisions
        .iter()
        .map(|stored| &stored.decision)
        .flat_map(|decision| {
            decision
                .left
                .iter()
                .chain(&decision.right)
                .map(move |record| (record, decision.id.as_str()))
        })
        .collect();
    rows.sort_unstable();
    rows.dedup();
    let mut columns = key_columns(rows.iter().map(|(record, _)| *record));
    columns.push(("decision_id", Column::text(rows.iter().map(|(_, id)| *id))));
    columns
}

/// Each change once for each of its two profiles.
pub(in crate::store::sql) fn identity_change_columns(
    changes: &[IdentityChange],
) -> Result<Columns> {
    let mut rows: Vec<(Uuid, &IdentityChange, bool)> = Vec::new();
    for change in changes {
        rows.push((change.into.0, change, true));
        rows.push((change.from.0, change, false));
    }
    let bodies = rows
        .iter()
        .map(|(_, change, _)| json(change))
        .collect::<Result<_>>()?;
    Ok(vec![
        (
            "profile_id",
            Column::Id(rows.iter().map(|(profile, ..)| *profile).collect()),
        ),
        (
            "sequence",
            Column::Int(
                rows.iter()
                    .map(|(_, change, _)| change.sequence.0)
                    .collect(),
            ),
        ),
        (
            "ordinal",
            Column::Int(
                rows.iter()
                    .map(|(_, change, _)| change.ordinal.into())
                    .collect(),
            ),
        ),
        (
            "main",
            Column::Int(rows.iter().map(|(.., main)| (*main).into()).collect()),
        ),
        ("body", Column::Text(bodies)),
    ])
}
