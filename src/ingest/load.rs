//! Loads what the statements of a write speak of, and applies them.

mod attached;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use profile_core::model::Model;
use profile_core::records::{
    ContentHash, Event, EventKey, KeptEvent, Record, RecordKey, Statement, TenantId, Timestamp,
};

use super::apply::{Applied, Known};
use super::correct::Corrections;
use crate::store::{CorrectionKey, Result, Snapshot, StatementKey, Store};

/// Loads the records that the statements speak of, and applies the statements to them.
///
/// # Errors
/// Those of the store.
pub(super) async fn load_and_apply<'a>(
    (store, tenant): (&dyn Store, &TenantId),
    reads: &mut dyn Snapshot,
    statements: &'a [Statement],
    context: (&Model, Timestamp),
) -> Result<Applied<'a>> {
    let (events, corrections, holders) = load_events(reads, statements).await?;
    let keys: BTreeSet<RecordKey> = statements
        .iter()
        .filter_map(|statement| statement.record().cloned())
        .chain(holders)
        .collect();
    let mut stored = reads.records(&Vec::from_iter(keys)).await?;
    let reused = attached::reused(store, tenant, statements, &stored).await?;
    let attached = attached::load(reads, statements, &corrections, reused).await?;
    let known_keys: BTreeSet<&RecordKey> = stored.iter().map(|record| &record.key).collect();
    let homes = attached.records();
    let homes: Vec<RecordKey> = homes
        .filter(|key| !known_keys.contains(key))
        .cloned()
        .collect();
    if !homes.is_empty() {
        stored.extend(reads.records(&homes).await?);
    }
    let known = Known {
        statements: load_known(reads, statements, &stored).await?,
        events,
        corrections,
        attached,
    };
    Ok(Applied::new(statements, stored, known, context))
}

/// Which of the events are stored already, what is kept of those that are corrected, and the
/// records on which these hang.
async fn load_events(
    reads: &mut dyn Snapshot,
    statements: &[Statement],
) -> Result<(HashMap<EventKey, ContentHash>, Corrections, Vec<RecordKey>)> {
    let (mut told, mut corrected) = (BTreeSet::new(), BTreeSet::new());
    for statement in statements {
        match statement {
            Statement::Event(event) => drop(told.insert(event.key())),
            Statement::Correction(correction) => drop(corrected.insert(correction.key.clone())),
            Statement::Record(_) => {}
        }
    }
    let mut events = HashMap::new();
    if !told.is_empty() {
        events.extend(reads.known_events(&Vec::from_iter(told)).await?);
    }
    // Corrections of these came before them.
    let late = events
        .iter()
        .filter(|(_, content)| **content == ContentHash::default());
    corrected.extend(late.map(|(key, _)| key.clone()));
    if corrected.is_empty() {
        return Ok((events, Corrections::default(), Vec::new()));
    }
    let corrected = Vec::from_iter(corrected);
    let kept = reads.kept_events(&corrected).await?;
    let known = load_corrections(reads, statements, &kept).await?;
    let records = kept.iter().filter_map(|kept| kept.event.as_ref());
    let records = records.filter_map(Event::home).cloned().collect();
    Ok((events, Corrections::new(corrected, kept, known), records))
}

/// Which of the dated corrections are stored already. An undated one is later than all of its
/// event.
async fn load_corrections(
    reads: &mut dyn Snapshot,
    statements: &[Statement],
    kept: &[KeptEvent],
) -> Result<HashSet<CorrectionKey>> {
    let kept: BTreeMap<&EventKey, &KeptEvent> = kept
        .iter()
        .filter(|kept| kept.correction.is_some())
        .map(|kept| (&kept.key, kept))
        .collect();
    let mut asked = BTreeSet::new();
    for statement in statements {
        if let Statement::Correction(correction) = statement
            && correction.order.is_some()
            && let Some(kept) = kept.get(&correction.key)
        {
            asked.insert(CorrectionKey {
                event: correction.key.clone(),
                stamp: kept.stamp(correction),
            });
        }
    }
    if asked.is_empty() {
        return Ok(HashSet::new());
    }
    let known = reads.known_corrections(&Vec::from_iter(asked)).await?;
    Ok(known.into_iter().collect())
}

/// Which of the statements about records are stored already. A dated statement that is later than
/// all of its record, with no time ahead of its receipt, and any statement about a record that is
/// new, cannot be; only the others are looked up.
async fn load_known(
    reads: &mut dyn Snapshot,
    statements: &[Statement],
    stored: &[Record],
) -> Result<HashSet<StatementKey>> {
    let stored: BTreeMap<&RecordKey, &Record> =
        stored.iter().map(|record| (&record.key, record)).collect();
    let mut late = BTreeSet::new();
    for statement in statements {
        let Statement::Record(statement) = statement else {
            continue;
        };
        let Some(record) = stored.get(&statement.record) else {
            continue;
        };
        let stamp = record.stamp(statement);
        if statement.order.is_some() && record.may_know(stamp) {
            late.insert(StatementKey {
                record: statement.record.clone(),
                stamp,
            });
        }
    }
    if late.is_empty() {
        return Ok(HashSet::new());
    }
    let known = reads.known_statements(&Vec::from_iter(late)).await?;
    Ok(known.into_iter().collect())
}
