//! Loads whom a change may concern: everybody whom it may join or part, and no more.
//!
//! Two records are compared where they *meet*: under a match key, or holding one identifier. What
//! came of it is stored as a pair. From then on the pair is the link, and nobody is compared again
//! until one of the two changes. So a write
//!
//! 1. **meets**: looks up who else is under the keys of the records that changed, and compares
//!    those. A key or identifier that becomes generic by the write, or no longer is, changes what
//!    its holders are to each other, so they count as changed too;
//! 2. **reaches**: follows stored links, shared identifiers and decisions from there until nobody
//!    new is found. That component is clustered again, alone: by the rules of
//!    [`cluster()`](profile_core::identity::cluster()) the result is the same as that of clustering
//!    everything.
//!
//! Set by set, not record by record: the number of round trips depends on how far links reach
//! (mostly one step), not on how many statements a batch has.

mod meet;
mod reach;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use profile_core::identity::{
    self, BlockingKey, Classification, Clustering, Context, Decision, Features, MatchDecision,
    Separations,
};
use profile_core::model::Model;
use profile_core::records::{Identifier, ProfileId, Record, RecordKey};

use crate::store::{MatchPair, ProfileRow, Result, Snapshot, StoredDecision};
use meet::Holders;

/// Two records, lesser key first.
type Ends = (RecordKey, RecordKey);

/// What changes, and where to look.
#[derive(Debug, Default)]
pub struct Seeds {
    /// The records that a write speaks of, as they were; new ones are not here.
    pub before: BTreeMap<RecordKey, Record>,
    /// The same as they are now.
    pub after: BTreeMap<RecordKey, Record>,
    /// Those of them that say something else of who they are.
    pub moved: BTreeSet<RecordKey>,
    /// Further records whose component is wanted.
    pub seeds: BTreeSet<RecordKey>,
    /// Decisions that come into force.
    pub decided: Vec<StoredDecision>,
    /// Decisions that are taken back.
    pub withdrawn: Vec<StoredDecision>,
}

/// Everybody whom a change may concern.
#[derive(Debug, Default)]
pub struct Neighbourhood {
    /// Every record that was loaded, as it is now.
    pub records: BTreeMap<RecordKey, Record>,
    /// Records that are clustered again.
    pub component: BTreeSet<RecordKey>,
    /// Identifiers that link nobody, of those met.
    pub context: Context,
    /// The decisions in force about the component.
    pub decisions: Vec<StoredDecision>,
    /// The rows of all profiles concerned.
    pub rows: BTreeMap<ProfileId, ProfileRow>,
    /// For the figures.
    pub figures: Figures,
    /// Pairs as they are stored, with an end among the component.
    stored: BTreeMap<Ends, MatchPair>,
    /// Records that were compared anew; of their pairs only those in `compared` hold.
    touched: BTreeSet<RecordKey>,
    /// What came of comparing them.
    compared: BTreeMap<Ends, Classification>,
    /// The features of the records that were looked at, as they are now.
    features: HashMap<RecordKey, Arc<Features>>,
    /// Their blocking keys.
    keys: HashMap<RecordKey, Arc<[BlockingKey]>>,
}

/// What a search met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Records that were compared.
    pub compared: usize,
    /// Match keys that find nobody, because too many are under them.
    pub generic_keys: usize,
    /// Identifiers that link nobody, because too many hold them.
    pub generic_identifiers: usize,
}

/// Loads a neighbourhood.
///
/// # Errors
/// Those of the store.
pub async fn load(reads: &mut dyn Snapshot, start: Seeds, model: &Model) -> Result<Neighbourhood> {
    let mut search = Search::new(start, model);
    search.meet(reads).await?;
    search.reach(reads).await?;
    search.load_rows(reads).await?;
    Ok(search.found)
}

/// Loads records to look at them as they are: with them, what of theirs links nobody, and who holds
/// the rest. Nobody is clustered.
///
/// # Errors
/// Those of the store.
pub async fn look_at(
    reads: &mut dyn Snapshot,
    records: impl IntoIterator<Item = RecordKey>,
    model: &Model,
) -> Result<Neighbourhood> {
    let records: BTreeSet<RecordKey> = records.into_iter().collect();
    let mut search = Search::new(Seeds::default(), model);
    search.load_records(reads, records.iter().cloned()).await?;
    let identifiers = search.linking_all(&records);
    search.look_up_identifiers(reads, identifiers).await?;
    Ok(search.found)
}

/// A search at work.
struct Search<'a> {
    model: &'a Model,
    start: Seeds,
    found: Neighbourhood,
    /// Who holds identifiers, of those asked for.
    identifiers: HashMap<Identifier, Holders>,
    /// Who is under match keys, of those asked for.
    keys: HashMap<BlockingKey, Holders>,
    /// The keys of the records that a write speaks of, as they are now.
    changing: BTreeSet<RecordKey>,
    /// Those of them that hold an identifier, and those that are under a key.
    own_identifiers: Option<HashMap<Identifier, Vec<RecordKey>>>,
    own_keys: Option<HashMap<BlockingKey, Vec<RecordKey>>>,
    /// By which identifiers records are tied to others, of those asked for.
    linking: HashMap<RecordKey, Arc<BTreeSet<Identifier>>>,
}

impl<'a> Search<'a> {
    fn new(mut start: Seeds, model: &'a Model) -> Self {
        let changing = start.after.keys().cloned().collect();
        let found = Neighbourhood {
            records: std::mem::take(&mut start.after),
            ..Neighbourhood::default()
        };
        Self {
            model,
            start,
            found,
            identifiers: HashMap::new(),
            keys: HashMap::new(),
            changing,
            own_identifiers: None,
            own_keys: None,
            linking: HashMap::new(),
        }
    }

    /// The records that the write speaks of, as they are now.
    fn changing(&self) -> impl Iterator<Item = &Record> {
        let records = self.changing.iter();
        records.filter_map(|key| self.found.records.get(key))
    }

    /// The blocking keys of a record as it is now.
    fn blocking_keys(&mut self, key: &RecordKey) -> Arc<[BlockingKey]> {
        if let Some(keys) = self.found.keys.get(key) {
            return keys.clone();
        }
        let keys: Arc<[BlockingKey]> = self.features(key).match_keys().into();
        if self.found.records.contains_key(key) {
            self.found.keys.insert(key.clone(), keys.clone());
        }
        keys
    }

    /// The features of a record as it is now; of one that is not loaded or gone, nothing.
    fn features(&mut self, key: &RecordKey) -> Arc<Features> {
        if let Some(features) = self.found.features.get(key) {
            return features.clone();
        }
        let Some(record) = self.found.records.get(key) else {
            return Arc::default();
        };
        let features = Arc::new(Features::of(record, self.model));
        self.found.features.insert(key.clone(), features.clone());
        features
    }

    fn features_before(&mut self, key: &RecordKey) -> Arc<Features> {
        match self.start.before.get(key) {
            Some(record) => Arc::new(Features::of(record, self.model)),
            None if self.changing.contains(key) => Arc::default(),
            None => self.features(key),
        }
    }

    /// The states of a record in which something may tie it to others: now, and before.
    fn states(&self, key: &RecordKey) -> impl Iterator<Item = &Record> {
        self.found
            .records
            .get(key)
            .into_iter()
            .chain(self.start.before.get(key))
    }

    /// Identifiers by which a record is or was tied to others; also under the names of those who
    /// held them before.
    fn linking(&mut self, key: &RecordKey) -> Arc<BTreeSet<Identifier>> {
        if let Some(linking) = self.linking.get(key) {
            return linking.clone();
        }
        let linking = Arc::new(self.find_linking(key));
        if self.found.records.contains_key(key) {
            self.linking.insert(key.clone(), linking.clone());
        }
        linking
    }

    fn find_linking(&self, key: &RecordKey) -> BTreeSet<Identifier> {
        let mut linking = BTreeSet::new();
        for record in self.states(key) {
            let held = record.identifiers();
            let held = held.filter(|identifier| self.model.links(identifier));
            let former = record.former_identifiers();
            let former = former.filter(|identifier| self.model.links_former(identifier));
            for identifier in held.chain(former) {
                if self.model.links_former(&identifier) {
                    linking.insert(identifier.as_former());
                }
                linking.insert(identifier);
            }
        }
        linking
    }

    fn linking_all(&mut self, records: &BTreeSet<RecordKey>) -> BTreeSet<Identifier> {
        let mut linking = BTreeSet::new();
        for key in records {
            linking.extend(self.linking(key).iter().cloned());
        }
        linking
    }

    async fn load_records(
        &mut self,
        reads: &mut dyn Snapshot,
        keys: impl Iterator<Item = RecordKey>,
    ) -> Result<()> {
        let missing: BTreeSet<RecordKey> = keys
            .filter(|key| !self.found.records.contains_key(key))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let records = reads.records(&Vec::from_iter(missing)).await?;
        self.found.records.extend(
            records
                .into_iter()
                .map(|record| (record.key.clone(), record)),
        );
        Ok(())
    }

    async fn load_rows(&mut self, reads: &mut dyn Snapshot) -> Result<()> {
        let concerned = self.found.component.iter().chain(&self.changing);
        let memberships = concerned
            .filter_map(|key| self.found.records.get(key))
            .map(|record| &record.membership);
        let ids: BTreeSet<ProfileId> = memberships
            .flat_map(|membership| {
                membership
                    .carries
                    .iter()
                    .map(|carried| carried.id)
                    .chain(membership.profile)
            })
            .collect();
        if !ids.is_empty() {
            let rows = reads.profile_rows(&Vec::from_iter(ids)).await?;
            self.found.rows = rows.into_iter().map(|row| (row.id, row)).collect();
        }
        Ok(())
    }
}

impl Neighbourhood {
    /// The blocking keys of a record that was looked at, as it is now.
    pub(crate) fn blocking_keys(&self, record: &RecordKey) -> Option<&[BlockingKey]> {
        self.keys.get(record).map(AsRef::as_ref)
    }

    /// Partitions the component.
    #[must_use]
    pub fn cluster(&self, model: &Model) -> Clustering {
        let live: Vec<&Record> = self
            .component
            .iter()
            .filter_map(|key| self.records.get(key))
            .filter(|record| record.exists())
            .collect();
        let features: Vec<Arc<Features>> = live
            .iter()
            .map(|record| match self.features.get(&record.key) {
                Some(features) => features.clone(),
                None => Arc::new(Features::of(record, model)),
            })
            .collect();
        let members: Vec<(&Record, &Features)> = live
            .into_iter()
            .zip(features.iter().map(Arc::as_ref))
            .collect();
        let decisions: Vec<Decision> = self
            .decisions
            .iter()
            .map(|stored| stored.decision.clone())
            .collect();
        let pairs: Vec<&Ends> = self
            .pairs()
            .filter(|(_, alike)| *alike)
            .map(|(ends, _)| ends)
            .collect();
        identity::cluster_pairs(&members, &pairs, &self.context, &decisions, model)
    }

    /// The pairs that are stored, with an end among the component.
    pub fn stored_pairs(&self) -> impl Iterator<Item = &MatchPair> {
        self.stored.values()
    }

    /// The pairs that hold now, with whether they may be links, one of them with both ends in the
    /// component.
    fn pairs(&self) -> impl Iterator<Item = (&Ends, bool)> {
        let untouched = self
            .stored
            .iter()
            .filter(|(ends, _)| !self.is_touched(ends));
        let untouched = untouched.map(|(ends, pair)| (ends, pair.verdict));
        let compared = self
            .compared
            .iter()
            .map(|(ends, judgement)| (ends, judgement.verdict));
        untouched.chain(compared).map(|(ends, verdict)| {
            (
                ends,
                matches!(verdict, MatchDecision::Link | MatchDecision::Household),
            )
        })
    }

    fn is_touched(&self, (left, right): &Ends) -> bool {
        self.touched.contains(left) || self.touched.contains(right)
    }

    /// The pairs that are no longer alike, and those that are new or changed. `profile` tells where
    /// records are now.
    #[must_use]
    pub fn changed_pairs(
        &self,
        profile: impl Fn(&RecordKey) -> Option<ProfileId>,
    ) -> (Vec<MatchPair>, Vec<MatchPair>) {
        let separations = Separations::of(self.decisions.iter().map(|stored| &stored.decision));
        let decided = |(a, b): &Ends| separations.separate(a, b);
        let now = |ends: &Ends| {
            let (verdict, millibits) = if self.is_touched(ends) {
                self.compared
                    .get(ends)
                    .map(|judgement| (judgement.verdict, judgement.millibits))?
            } else {
                self.stored
                    .get(ends)
                    .map(|pair| (pair.verdict, pair.millibits))?
            };
            let one = self.component.contains(&ends.0) && profile(&ends.0) == profile(&ends.1);
            let queued = matches!(verdict, MatchDecision::Review | MatchDecision::Link)
                && !one
                && !decided(ends);
            Some(MatchPair {
                left: ends.0.clone(),
                right: ends.1.clone(),
                verdict,
                millibits,
                queued,
            })
        };
        let (mut removed, mut changed) = (Vec::new(), Vec::new());
        let known: BTreeSet<&Ends> = self.stored.keys().chain(self.compared.keys()).collect();
        for ends in known {
            match (self.stored.get(ends), now(ends)) {
                (Some(stored), None) => removed.push(stored.clone()),
                (stored, Some(pair)) if stored != Some(&pair) => changed.push(pair),
                _ => {}
            }
        }
        (removed, changed)
    }
}

fn ends(a: &RecordKey, b: &RecordKey) -> Ends {
    if a < b {
        (a.clone(), b.clone())
    } else {
        (b.clone(), a.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{MODEL, World, key, record};

    /// The component of the stored record `1`.
    async fn component(world: &World) -> BTreeSet<RecordKey> {
        let model = Model::parse(MODEL).expect("a model");
        let mut reads = world.store.snapshot(&world.tenant).await.expect("reads");
        let seeds = Seeds {
            seeds: BTreeSet::from([key("1")]),
            ..Seeds::default()
        };
        let found = load(&mut *reads, seeds, &model).await.expect("loads");
        found.component
    }

    #[tokio::test]
    async fn a_component_has_those_tied_to_it_and_nobody_else() {
        let world = World::new();
        world.store(record("1", "account", "a")).await;
        world.store(record("2", "account", "a")).await;
        world.store(record("3", "account", "b")).await;
        assert_eq!(
            component(&world).await,
            BTreeSet::from([key("1"), key("2")])
        );
    }

    #[tokio::test]
    async fn a_candidate_is_found_through_an_identifier_of_the_batch() {
        let world = World::new();
        world.store(record("1", "account", "a")).await;
        let model = Model::parse(MODEL).expect("a model");
        let mut new = Record::new(key("9"), crate::tests::NOW);
        let statement = model.check(record("9", "account", "a"), crate::tests::NOW);
        let Ok(profile_core::records::Statement::Record(statement)) = statement else {
            panic!("{statement:?}");
        };
        new.apply(&statement);
        let seeds = Seeds {
            after: BTreeMap::from([(key("9"), new)]),
            moved: BTreeSet::from([key("9")]),
            ..Seeds::default()
        };
        let mut reads = world.store.snapshot(&world.tenant).await.expect("reads");
        let found = load(&mut *reads, seeds, &model).await.expect("loads");
        assert_eq!(found.figures.compared, 1);
        assert_eq!(found.component, BTreeSet::from([key("1"), key("9")]));
    }
}
