//! Loads what the statements of a write speak of, and applies them.

use std::collections::{BTreeMap, BTreeSet};

use profile_core::model::Model;
use profile_core::records::{Record, RecordKey, Statement, Timestamp};

use super::apply::{Applied, Known};
use crate::store::{Result, StatementKey, Transaction};

/// Loads the records that the statements speak of, and applies the statements to them.
///
/// # Errors
/// Those of the store.
pub(super) async fn load_and_apply<'a>(
    tx: &mut dyn Transaction,
    statements: &'a [Statement],
    context: (&Model, Timestamp),
) -> Result<Applied<'a>> {
    let keys: BTreeSet<RecordKey> = statements
        .iter()
        .map(|statement| statement.record().clone())
        .collect();
    let stored = tx.reads().records(&Vec::from_iter(keys)).await?;
    let known = load_known(tx, statements, &stored).await?;
    Ok(Applied::new(statements, stored, known, context))
}

/// Which of the statements are stored already. A dated statement that is later than all of its
/// record, with no time ahead of its receipt, and any statement about a record that is new, cannot
/// be; only the others are looked up.
async fn load_known(
    tx: &mut dyn Transaction,
    statements: &[Statement],
    stored: &[Record],
) -> Result<Known> {
    let stored: BTreeMap<&RecordKey, &Record> =
        stored.iter().map(|record| (&record.key, record)).collect();
    let mut late = BTreeSet::new();
    let mut events = BTreeSet::new();
    for statement in statements {
        match statement {
            Statement::Event(event) => {
                events.insert(event.key());
            }
            Statement::Record(statement) => {
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
        }
    }
    let mut known = Known::default();
    if !late.is_empty() {
        known
            .statements
            .extend(tx.known_statements(&Vec::from_iter(late)).await?);
    }
    if !events.is_empty() {
        known
            .events
            .extend(tx.known_events(&Vec::from_iter(events)).await?);
    }
    Ok(known)
}
