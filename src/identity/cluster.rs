//! The partition: links strongest first, each taken unless a guard of the whole cluster forbids it.
//!
//! Connected components would let one shared kiosk or placeholder join thousands. So a link is only a proposal: it is taken
//! when the *united* cluster still keeps every limit of the model (at most N values of a type, a bounded size). Strength
//! and order are properties of the data (priority, type, value, record key), never of arrival. Clusters lie within
//! connected components and guards look at nothing else, so clustering each component by itself gives the same partition
//! as clustering everything at once; that is what makes incremental writes exact.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::model::Model;
use crate::profile::{Identifier, Record, RecordKey};

/// Why a record is where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// Nothing joins it to another.
    Alone,
    /// It holds the same identifier as another record of the cluster: the strongest such type.
    SharedIdentifier {
        /// The identifier type.
        kind: String,
    },
}

impl Evidence {
    /// As it is kept in history and shown in the API: `alone`, `shared:email`.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Alone => "alone".to_owned(),
            Self::SharedIdentifier { kind } => format!("shared:{kind}"),
        }
    }
}

/// Records that are one person, in order of key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// At least one.
    pub members: Vec<Member>,
}

/// A record in a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Which.
    pub record: RecordKey,
    /// Why.
    pub evidence: Evidence,
}

/// A proposal to join records.
struct Link<'a> {
    priority: u32,
    identifier: Identifier,
    /// How many clusters it may join.
    max_profiles: Option<usize>,
    /// Indexes of the records that hold it, ascending.
    holders: Vec<usize>,
    kind: &'a str,
}

/// Partitions records. They must be whole components: every record that shares a linking identifier with one of them is
/// among them, but for `oversized` identifiers, which more records hold than their type allows (whether or not these
/// are here); those link nobody.
#[must_use]
pub fn cluster(records: &[&Record], oversized: &BTreeSet<Identifier>, model: &Model) -> Vec<Cluster> {
    let mut sorted = records.to_vec();
    sorted.sort_by(|a, b| a.key.cmp(&b.key));
    let mut partition = Partition::new(&sorted, model);
    for link in links(&sorted, oversized, model) {
        partition.take(&link);
    }
    partition.into_clusters(&sorted)
}

/// All proposals, strongest first.
fn links<'a>(records: &[&Record], oversized: &BTreeSet<Identifier>, model: &'a Model) -> Vec<Link<'a>> {
    let mut holders: BTreeMap<Identifier, Vec<usize>> = BTreeMap::new();
    for (index, record) in records.iter().enumerate() {
        for identifier in record.identifiers() {
            holders.entry(identifier).or_default().push(index);
        }
    }
    let mut links: Vec<Link<'a>> = holders
        .into_iter()
        .filter(|(identifier, holders)| holders.len() > 1 && !oversized.contains(identifier) && model.links(identifier))
        .filter_map(|(identifier, holders)| {
            let (name, kind) = model.identifiers.get_key_value(&identifier.kind)?;
            let too_many = kind.max_records.is_some_and(|max| holders.len() > max);
            (!too_many).then_some(Link {
                priority: kind.priority,
                identifier,
                max_profiles: kind.max_profiles,
                holders,
                kind: name,
            })
        })
        .collect();
    links.sort_by(|a, b| (a.priority, &a.identifier).cmp(&(b.priority, &b.identifier)));
    links
}

/// A union-find over the records that knows the guarded values of each cluster.
struct Partition<'a> {
    model: &'a Model,
    parent: Vec<usize>,
    groups: Vec<Group<'a>>,
    evidence: Vec<Evidence>,
}

/// What guards look at.
#[derive(Default)]
struct Group<'a> {
    size: usize,
    /// Distinct values of the types with a limit per profile.
    values: BTreeMap<&'a str, BTreeSet<String>>,
}

impl<'a> Partition<'a> {
    fn new(records: &[&Record], model: &'a Model) -> Self {
        let group = |record: &&Record| {
            let mut group = Group { size: 1, values: BTreeMap::new() };
            for identifier in record.identifiers().filter(|identifier| model.links(identifier)) {
                let Some((name, kind)) = model.identifiers.get_key_value(&identifier.kind) else { continue };
                if kind.max_per_profile.is_some() {
                    group.values.entry(name).or_default().insert(identifier.value);
                }
            }
            group
        };
        Self {
            model,
            parent: (0..records.len()).collect(),
            groups: records.iter().map(group).collect(),
            evidence: vec![Evidence::Alone; records.len()],
        }
    }

    fn root(&mut self, mut index: usize) -> usize {
        while self.parent[index] != index {
            self.parent[index] = self.parent[self.parent[index]];
            index = self.parent[index];
        }
        index
    }

    /// Joins the holders of one link, each with the first that it may be joined with.
    fn take(&mut self, link: &Link<'_>) {
        let mut seen = HashSet::new();
        let roots: Vec<usize> = link.holders.iter().map(|&holder| self.root(holder)).collect();
        let distinct: Vec<usize> = roots.into_iter().filter(|root| seen.insert(*root)).collect();
        if link.max_profiles.is_some_and(|max| distinct.len() > max) {
            return;
        }
        let mut joined: Vec<usize> = Vec::new();
        for root in distinct {
            match joined.iter().copied().find(|&into| self.may_unite(into, root)) {
                Some(into) => self.unite(into, root),
                None => joined.push(root),
            }
        }
        let mut together: HashMap<usize, usize> = HashMap::new();
        for &holder in &link.holders {
            *together.entry(self.root(holder)).or_default() += 1;
        }
        for &holder in &link.holders {
            if together[&self.root(holder)] > 1 && self.evidence[holder] == Evidence::Alone {
                self.evidence[holder] = Evidence::SharedIdentifier { kind: link.kind.to_owned() };
            }
        }
    }

    /// Whether every limit would still be kept. A cluster that is over a limit by a record of its own may still be joined
    /// by one that adds nothing.
    fn may_unite(&self, a: usize, b: usize) -> bool {
        let (a, b) = (&self.groups[a], &self.groups[b]);
        if a.size + b.size > self.model.max_records_per_profile {
            return false;
        }
        a.values.iter().all(|(kind, left)| {
            let Some(right) = b.values.get(kind) else { return true };
            let max = self.model.identifiers.get(*kind).and_then(|kind| kind.max_per_profile).unwrap_or(usize::MAX);
            left.union(right).count() <= max.max(left.len()).max(right.len())
        })
    }

    fn unite(&mut self, into: usize, from: usize) {
        let group = std::mem::take(&mut self.groups[from]);
        self.parent[from] = into;
        self.groups[into].size += group.size;
        for (kind, values) in group.values {
            self.groups[into].values.entry(kind).or_default().extend(values);
        }
    }

    fn into_clusters(mut self, records: &[&Record]) -> Vec<Cluster> {
        let mut clusters: BTreeMap<usize, Vec<Member>> = BTreeMap::new();
        for (index, record) in records.iter().enumerate() {
            let member = Member { record: record.key.clone(), evidence: self.evidence[index].clone() };
            clusters.entry(self.root(index)).or_default().push(member);
        }
        clusters.into_values().map(|members| Cluster { members }).collect()
    }
}
