//! Loads what a write must know: the records of its statements, and everybody whom their identifiers may join or part.
//!
//! Set by set, not record by record: the number of round trips depends on how far links reach (mostly one step), not on
//! how many statements the batch has.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::apply::{Applied, Known};
use crate::model::Model;
use crate::profile::{Identifier, ProfileId, Record, RecordKey, Statement};
use crate::store::{ProfileRow, Result, StatementKey, Transaction};

/// Loads the records that the statements speak of, and applies the statements to them.
///
/// # Errors
/// Those of the store.
pub(super) async fn load_and_apply<'a>(tx: &mut dyn Transaction, statements: &'a [Statement]) -> Result<Applied<'a>> {
    let keys: BTreeSet<RecordKey> = statements.iter().map(|statement| statement.record().clone()).collect();
    let stored = tx.reads().records(&Vec::from_iter(keys)).await?;
    let known = load_known(tx, statements, &stored).await?;
    Ok(Applied::new(statements, stored, known))
}

/// Which of the statements are stored already. A dated statement that is later than all of its record, and any statement
/// about a record that is new, cannot be; only the others are looked up.
async fn load_known(tx: &mut dyn Transaction, statements: &[Statement], stored: &[Record]) -> Result<Known> {
    let stored: BTreeMap<&RecordKey, &Record> = stored.iter().map(|record| (&record.key, record)).collect();
    let mut late = BTreeSet::new();
    let mut events = BTreeSet::new();
    for statement in statements {
        match statement {
            Statement::Event(event) => {
                events.insert(event.key());
            }
            Statement::Record(statement) => {
                let Some(record) = stored.get(&statement.record) else { continue };
                let stamp = record.place(statement);
                if statement.order.is_some() && record.latest().is_some_and(|latest| stamp <= latest.stamp) {
                    late.insert(StatementKey { record: statement.record.clone(), stamp });
                }
            }
        }
    }
    let mut known = Known::default();
    if !late.is_empty() {
        known.statements.extend(tx.known_statements(&Vec::from_iter(late)).await?);
    }
    if !events.is_empty() {
        known.events.extend(tx.known_events(&Vec::from_iter(events)).await?);
    }
    Ok(known)
}

/// Everybody whom a write may concern.
#[derive(Debug, Default)]
pub(super) struct Neighbourhood {
    /// The records of the batch as they are now, and whole components around those that moved.
    pub records: BTreeMap<RecordKey, Record>,
    /// Records that are clustered again: the components around those that moved.
    pub component: BTreeSet<RecordKey>,
    /// Identifiers that too many records hold; they link nobody.
    pub oversized: BTreeSet<Identifier>,
    /// The rows of all profiles concerned.
    pub rows: BTreeMap<ProfileId, ProfileRow>,
}

/// Loads the neighbourhood of what was applied.
///
/// # Errors
/// Those of the store.
pub(super) async fn load_neighbourhood(
    tx: &mut dyn Transaction,
    applied: &Applied<'_>,
    model: &Model,
) -> Result<Neighbourhood> {
    let moved = applied.moved();
    let mut search = Search::new(applied, model);
    let mut frontier = search.start(&moved);
    while !frontier.is_empty() {
        frontier = search.step(tx, &frontier).await?;
    }
    let mut found = search.found;
    let changed = applied.changed();
    let concerned = found.component.iter().chain(&changed).filter_map(|key| found.records.get(key));
    let ids: BTreeSet<ProfileId> = concerned
        .flat_map(|record| record.membership.carries.iter().map(|carried| carried.id).chain(record.membership.profile))
        .collect();
    if !ids.is_empty() {
        let rows = tx.reads().profile_rows(&Vec::from_iter(ids)).await?;
        found.rows = rows.into_iter().map(|row| (row.id, row)).collect();
    }
    Ok(found)
}

/// A breadth-first search over shared identifiers.
struct Search<'a> {
    model: &'a Model,
    applied: &'a Applied<'a>,
    /// Which records of the batch hold an identifier now.
    holders: HashMap<Identifier, Vec<RecordKey>>,
    /// Identifiers that were asked for.
    seen: HashSet<Identifier>,
    found: Neighbourhood,
}

impl<'a> Search<'a> {
    fn new(applied: &'a Applied<'a>, model: &'a Model) -> Self {
        let mut holders: HashMap<Identifier, Vec<RecordKey>> = HashMap::new();
        for record in applied.after.values() {
            for identifier in record.identifiers() {
                holders.entry(identifier).or_default().push(record.key.clone());
            }
        }
        let found = Neighbourhood { records: applied.after.clone(), ..Neighbourhood::default() };
        Self { model, applied, holders, seen: HashSet::new(), found }
    }

    /// The identifiers that the moved records hold, or held before.
    fn start(&mut self, moved: &BTreeSet<RecordKey>) -> Vec<Identifier> {
        let mut frontier = Vec::new();
        for key in moved {
            self.found.component.insert(key.clone());
            for record in [self.applied.before.get(key), self.applied.after.get(key)].into_iter().flatten() {
                frontier.extend(record.identifiers());
            }
        }
        self.unseen(frontier)
    }

    fn unseen(&mut self, identifiers: Vec<Identifier>) -> Vec<Identifier> {
        let new = |identifier: &Identifier| self.model.links(identifier) && self.seen.insert(identifier.clone());
        identifiers.into_iter().filter(new).collect()
    }

    /// Loads the holders of a frontier; answers with the identifiers that those hold besides.
    async fn step(&mut self, tx: &mut dyn Transaction, frontier: &[Identifier]) -> Result<Vec<Identifier>> {
        let (bounded, unbounded): (Vec<_>, Vec<_>) =
            frontier.iter().cloned().partition(|identifier| self.max_records(identifier).is_some());
        let widest = bounded.iter().filter_map(|identifier| self.max_records(identifier)).max().unwrap_or(0);
        let mut holders = Vec::new();
        if !bounded.is_empty() {
            // As many more as this batch may take away: so what is not loaded stays over the limit in any case.
            holders.extend(tx.reads().holders(&bounded, widest + self.applied.after.len()).await?);
        }
        if !unbounded.is_empty() {
            holders.extend(tx.reads().holders(&unbounded, usize::MAX >> 1).await?);
        }
        Ok(self.take_in(frontier, holders))
    }

    fn max_records(&self, identifier: &Identifier) -> Option<usize> {
        self.model.identifiers.get(&identifier.kind).and_then(|kind| kind.max_records)
    }

    fn take_in(&mut self, frontier: &[Identifier], stored: Vec<(Identifier, Record)>) -> Vec<Identifier> {
        let mut before: HashMap<Identifier, Vec<Record>> = HashMap::new();
        for (identifier, record) in stored {
            before.entry(identifier).or_default().push(record);
        }
        let mut next = Vec::new();
        for identifier in frontier {
            let stored = before.remove(identifier).unwrap_or_default();
            let mut now = self.holders.get(identifier).cloned().unwrap_or_default();
            let max = self.max_records(identifier).unwrap_or(usize::MAX);
            let was_oversized = stored.len() > max;
            let elsewhere = stored.into_iter().filter(|record| !self.applied.after.contains_key(&record.key));
            let elsewhere: Vec<Record> = elsewhere.collect();
            let is_oversized = now.len() + elsewhere.len() > max;
            if is_oversized {
                self.found.oversized.insert(identifier.clone());
            }
            if is_oversized && was_oversized {
                continue; // It linked nobody, and still does not.
            }
            for record in elsewhere {
                now.push(record.key.clone());
                self.found.records.entry(record.key.clone()).or_insert(record);
            }
            for key in now {
                if self.found.component.insert(key.clone()) {
                    next.extend(self.found.records.get(&key).into_iter().flat_map(Record::identifiers));
                }
            }
        }
        self.unseen(next)
    }
}
