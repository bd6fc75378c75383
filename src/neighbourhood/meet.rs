//! The first half: who meets the records that changed, and what comes of comparing them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use profile_core::identity::{
    BlockingKey, Features, MatchDecision, held_by_too_many_people, is_generic, judge,
};
use profile_core::records::{Identifier, Record, RecordKey};

use super::{Search, ends};
use crate::store::{Result, Snapshot};

/// How many holders of an identifier are read before it is known whether it is one that everybody
/// uses.
const FIRST_HOLDERS: usize = 256;

/// Without a bound of its own, an identifier type is read whole.
const UNBOUNDED: usize = usize::MAX >> 1;

/// Who has something in common: before and now.
#[derive(Debug, Default)]
pub(super) struct Holders {
    pub(super) before: Vec<RecordKey>,
    pub(super) now: Vec<RecordKey>,
    /// Whether they are too many to mean anything.
    pub(super) generic_before: bool,
    pub(super) generic_now: bool,
}

impl Holders {
    /// Those whom it ties or tied together.
    pub(super) fn tied(&self) -> impl Iterator<Item = &RecordKey> {
        let before = self.before.iter().filter(|_| !self.generic_before);
        before.chain(self.now.iter().filter(|_| !self.generic_now))
    }

    fn crosses(&self) -> bool {
        self.generic_before != self.generic_now
    }

    /// Those who meet by it.
    fn meeting(&self) -> &[RecordKey] {
        if self.generic_now { &[] } else { &self.now }
    }

    /// Whether the records of a key meet now, or met before, but not both.
    fn meets_anew(&self, most: usize) -> bool {
        (self.before.len() > most) != (self.now.len() > most)
    }
}

impl Search<'_> {
    /// Compares the records that changed with all whom they meet.
    pub(super) async fn meet(&mut self, reads: &mut dyn Snapshot) -> Result<()> {
        let moved: BTreeSet<RecordKey> = self.start.moved.clone();
        self.look_up(reads, &moved).await?;
        let most = self.model.matching.max_key_records;
        let mut touched = moved.clone();
        for holders in self
            .identifiers
            .values()
            .filter(|holders| holders.crosses() || holders.meets_anew(most))
        {
            touched.extend(holders.before.iter().chain(&holders.now).cloned());
        }
        for holders in self.keys.values().filter(|holders| holders.crosses()) {
            touched.extend(holders.before.iter().chain(&holders.now).cloned());
        }
        let others: BTreeSet<RecordKey> = touched.difference(&moved).cloned().collect();
        self.load_records(reads, others.iter().cloned()).await?;
        self.look_up(reads, &others).await?;
        self.compare(reads, &touched).await?;
        self.found.touched = touched;
        self.found.figures.generic_keys = self
            .keys
            .values()
            .filter(|holders| holders.generic_now)
            .count();
        Ok(())
    }

    /// Looks up who has something in common with records.
    async fn look_up(
        &mut self,
        reads: &mut dyn Snapshot,
        records: &BTreeSet<RecordKey>,
    ) -> Result<()> {
        let identifiers = self.linking_all(records);
        self.look_up_identifiers(reads, identifiers).await?;
        let mut keys: BTreeMap<BlockingKey, usize> = BTreeMap::new();
        for record in records {
            keys.extend(self.features(record).bounded_keys(&self.model.matching));
            keys.extend(
                self.features_before(record)
                    .bounded_keys(&self.model.matching),
            );
        }
        self.look_up_keys(reads, keys).await
    }

    /// Looks up the holders of identifiers that were not asked for yet, and loads them.
    pub(super) async fn look_up_identifiers(
        &mut self,
        reads: &mut dyn Snapshot,
        identifiers: BTreeSet<Identifier>,
    ) -> Result<()> {
        let unseen: Vec<Identifier> = identifiers
            .into_iter()
            .filter(|identifier| !self.identifiers.contains_key(identifier))
            .collect();
        if unseen.is_empty() {
            return Ok(());
        }
        let mut stored = self.read_holders(reads, &unseen).await?;
        let mut own = self.own_identifiers();
        for identifier in unseen {
            let stored = stored.remove(&identifier).unwrap_or_default();
            let keys = stored.iter().map(|record| record.key.clone()).collect();
            for record in stored {
                self.found
                    .records
                    .entry(record.key.clone())
                    .or_insert(record);
            }
            let mut holders = self.holders(keys, take(&mut own, &identifier));
            let before: Vec<Arc<Features>> = holders
                .before
                .iter()
                .map(|key| self.features_before(key))
                .collect();
            let now: Vec<Arc<Features>> =
                holders.now.iter().map(|key| self.features(key)).collect();
            let generic = |features: Vec<Arc<Features>>| {
                is_generic(
                    &identifier,
                    &features.iter().map(Arc::as_ref).collect::<Vec<_>>(),
                    self.model,
                )
            };
            (holders.generic_before, holders.generic_now) = (generic(before), generic(now));
            if holders.generic_now {
                self.found.context.exclude(&identifier);
                self.found.figures.generic_identifiers += 1;
            }
            self.identifiers.insert(identifier, holders);
        }
        self.own_identifiers = Some(own);
        Ok(())
    }

    /// Reads the holders of identifiers: a first part, by whose names a value that everybody uses
    /// is known, then all holders of the others, up to the limit of the type.
    async fn read_holders(
        &mut self,
        reads: &mut dyn Snapshot,
        identifiers: &[Identifier],
    ) -> Result<BTreeMap<Identifier, Vec<Record>>> {
        let first = FIRST_HOLDERS + self.may_leave();
        let mut stored = by_identifier(reads.holders(identifiers, first).await?);
        let kinds = &self.model.identifiers;
        let mut rest: BTreeMap<usize, Vec<Identifier>> = BTreeMap::new();
        for (identifier, holders) in &stored {
            if holders.len() >= first && !self.is_of_too_many_people(holders) {
                let max = kinds
                    .get(&identifier.kind)
                    .and_then(|kind| kind.max_records);
                let limit = max.map_or(UNBOUNDED, |max| max + self.may_leave());
                rest.entry(limit).or_default().push(identifier.clone());
            }
        }
        for (limit, identifiers) in rest {
            stored.extend(by_identifier(reads.holders(&identifiers, limit).await?));
        }
        Ok(stored)
    }

    /// Whether too many people hold an identifier, before and after the write, for it to join
    /// anybody.
    fn is_of_too_many_people(&self, holders: &[Record]) -> bool {
        let stay = |record: &&Record| !self.start.before.contains_key(&record.key);
        let staying: Vec<Features> = holders
            .iter()
            .filter(stay)
            .map(|record| Features::of(record, self.model))
            .collect();
        held_by_too_many_people(&staying.iter().collect::<Vec<_>>(), self.model)
    }

    /// As many holders may leave in this batch: by so many more than a bound are read, what is not
    /// read stays over the bound in any case.
    fn may_leave(&self) -> usize {
        self.start.before.len()
    }

    /// Looks up the records under keys that were not asked for yet; `keys` tells how many may be
    /// under each.
    async fn look_up_keys(
        &mut self,
        reads: &mut dyn Snapshot,
        keys: BTreeMap<BlockingKey, usize>,
    ) -> Result<()> {
        let unseen: Vec<(BlockingKey, usize)> = keys
            .into_iter()
            .filter(|(key, _)| !self.keys.contains_key(key))
            .collect();
        let Some(widest) = unseen.iter().map(|(_, most)| *most).max() else {
            return Ok(());
        };
        let asked: Vec<BlockingKey> = unseen.iter().map(|(key, _)| *key).collect();
        let mut stored: HashMap<BlockingKey, Vec<RecordKey>> = HashMap::new();
        for (key, record) in reads.keyed(&asked, widest + self.may_leave()).await? {
            stored.entry(key).or_default().push(record);
        }
        let mut own = self.own_keys();
        for (key, most) in unseen {
            let stored = take(&mut stored, &key);
            let mut holders = self.holders(stored, take(&mut own, &key));
            (holders.generic_before, holders.generic_now) =
                (holders.before.len() > most, holders.now.len() > most);
            self.keys.insert(key, holders);
        }
        self.own_keys = Some(own);
        Ok(())
    }

    /// The records that the write speaks of, by the identifiers that they hold now; without those
    /// that were asked for before.
    fn own_identifiers(&mut self) -> HashMap<Identifier, Vec<RecordKey>> {
        if let Some(own) = self.own_identifiers.take() {
            return own;
        }
        let mut own: HashMap<Identifier, Vec<RecordKey>> = HashMap::new();
        for record in self.changing() {
            for identifier in record.postings() {
                let holders = own.entry(identifier).or_default();
                holders.push(record.key.clone());
            }
        }
        own
    }

    /// The same by their blocking keys.
    fn own_keys(&mut self) -> HashMap<BlockingKey, Vec<RecordKey>> {
        if let Some(own) = self.own_keys.take() {
            return own;
        }
        let mut own: HashMap<BlockingKey, Vec<RecordKey>> = HashMap::new();
        for record in self.changing.clone() {
            for key in &*self.blocking_keys(&record) {
                own.entry(*key).or_default().push(record.clone());
            }
        }
        own
    }

    /// From who is stored and who of the batch is a holder now.
    fn holders(&self, stored: Vec<RecordKey>, batch: Vec<RecordKey>) -> Holders {
        let elsewhere = stored
            .iter()
            .filter(|key| !self.changing.contains(key))
            .cloned();
        let now = batch.into_iter().chain(elsewhere).collect();
        Holders {
            before: stored,
            now,
            generic_before: false,
            generic_now: false,
        }
    }

    /// Compares records with all whom they meet.
    async fn compare(
        &mut self,
        reads: &mut dyn Snapshot,
        touched: &BTreeSet<RecordKey>,
    ) -> Result<()> {
        let most = self.model.matching.max_key_records;
        let mut meetings: BTreeMap<&RecordKey, BTreeSet<RecordKey>> = BTreeMap::new();
        for record in touched {
            let keys = self.blocking_keys(record);
            let mut met = BTreeSet::new();
            for identifier in self
                .found
                .records
                .get(record)
                .into_iter()
                .flat_map(Record::identifiers)
            {
                let holders = self
                    .identifiers
                    .get(&identifier)
                    .filter(|holders| holders.now.len() <= most);
                met.extend(holders.into_iter().flat_map(Holders::meeting).cloned());
            }
            for key in &*keys {
                met.extend(
                    self.keys
                        .get(key)
                        .into_iter()
                        .flat_map(Holders::meeting)
                        .cloned(),
                );
            }
            met.remove(record);
            meetings.insert(record, met);
        }
        self.load_records(reads, meetings.values().flatten().cloned())
            .await?;
        for (record, met) in meetings {
            for other in met {
                let ends = ends(record, &other);
                if self.found.compared.contains_key(&ends) {
                    continue;
                }
                self.found.figures.compared += 1;
                // The lesser key is the left one wherever two records are compared.
                let judgement = judge(
                    &self.features(&ends.0),
                    &self.features(&ends.1),
                    &self.found.context,
                    self.model,
                );
                self.found.compared.insert(ends, judgement);
            }
        }
        self.found
            .compared
            .retain(|_, judgement| judgement.verdict != MatchDecision::Different);
        Ok(())
    }
}

fn take<K: Eq + Hash, V: Default>(map: &mut HashMap<K, V>, key: &K) -> V {
    map.remove(key).unwrap_or_default()
}

fn by_identifier(holders: Vec<(Identifier, Record)>) -> BTreeMap<Identifier, Vec<Record>> {
    let mut by_identifier: BTreeMap<Identifier, Vec<Record>> = BTreeMap::new();
    for (identifier, record) in holders {
        by_identifier.entry(identifier).or_default().push(record);
    }
    by_identifier
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holders(before: usize, now: usize, generic: (bool, bool)) -> Holders {
        let keys = |count: usize| {
            (0..count)
                .map(|id| RecordKey::new("shop", id.to_string()))
                .collect()
        };
        Holders {
            before: keys(before),
            now: keys(now),
            generic_before: generic.0,
            generic_now: generic.1,
        }
    }

    #[test]
    fn a_value_ties_those_who_hold_or_held_it_unless_everybody_does() {
        for (generic, tied, meeting) in [
            ((false, false), 5, 3),
            ((true, false), 3, 3),
            ((false, true), 2, 0),
            ((true, true), 0, 0),
        ] {
            let holders = holders(2, 3, generic);
            assert_eq!(holders.tied().count(), tied, "{generic:?}");
            assert_eq!(holders.meeting().len(), meeting, "{generic:?}");
            assert_eq!(holders.crosses(), generic.0 != generic.1, "{generic:?}");
        }
    }

    #[test]
    fn holders_meet_anew_when_their_number_crosses_the_limit_either_way() {
        for (before, now, anew) in [
            (3, 3, false),
            (3, 4, true),
            (4, 3, true),
            (4, 5, false),
            (0, 4, true),
        ] {
            let found = holders(before, now, (false, false)).meets_anew(3);
            assert_eq!(found, anew, "from {before} to {now}");
        }
    }
}
