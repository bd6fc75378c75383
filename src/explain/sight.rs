//! Records side by side, as they were compared.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use profile_core::identity::{
    BlockingKey, Cluster, Comparison, Context, Evidence, Features, Reason, compare,
};
use profile_core::model::Model;
use profile_core::records::{Identifier, ProfileId, Record, RecordKey};

use super::{Link, Support};
use crate::neighbourhood::Neighbourhood;

/// Looks at loaded records. Of one that is not loaded it sees nothing, and says so by `None`.
pub(super) struct ComparisonView<'a> {
    model: &'a Model,
    context: &'a Context,
    records: &'a BTreeMap<RecordKey, Record>,
    features: HashMap<&'a RecordKey, Features>,
}

impl<'a> ComparisonView<'a> {
    pub(super) fn new(found: &'a Neighbourhood, model: &'a Model) -> Self {
        Self {
            model,
            context: &found.context,
            records: &found.records,
            features: HashMap::new(),
        }
    }

    /// The profile of a record.
    pub(super) fn profile(&self, key: &RecordKey) -> Option<ProfileId> {
        self.records.get(key)?.membership.profile
    }

    /// Reads a record once, however often it is compared.
    fn read(&mut self, key: &RecordKey) -> Option<()> {
        let (key, record) = self.records.get_key_value(key)?;
        let model = self.model;
        self.features
            .entry(key)
            .or_insert_with(|| Features::of(record, model));
        Some(())
    }

    /// Compares two records.
    pub(super) fn compare(&mut self, left: &RecordKey, right: &RecordKey) -> Option<Comparison> {
        self.read(left)?;
        self.read(right)?;
        Some(compare(
            self.features.get(left)?,
            self.features.get(right)?,
            self.context,
            self.model,
        ))
    }

    /// The identifiers that two records share, in order, and that may link.
    fn shared(&self, left: &RecordKey, right: &RecordKey) -> Vec<Identifier> {
        let (Some(left), Some(right)) = (self.records.get(left), self.records.get(right)) else {
            return Vec::new();
        };
        let held: Vec<Identifier> = right.identifiers().collect();
        left.identifiers()
            .filter(|identifier| self.model.links(identifier) && held.contains(identifier))
            .collect()
    }

    /// The values of a type that both hold or held before, and not both now.
    fn formerly_shared(&self, left: &RecordKey, right: &RecordKey, kind: &str) -> Vec<String> {
        let (Some(left), Some(right)) = (self.records.get(left), self.records.get(right)) else {
            return Vec::new();
        };
        let both = |record: &'_ Record| -> BTreeSet<Identifier> {
            let all = record.identifiers().chain(record.former_identifiers());
            all.filter(|held| held.kind == kind).collect()
        };
        let (left, right) = (both(left), both(right));
        let shared = left.intersection(&right);
        shared.map(|held| held.value.clone()).collect()
    }

    /// Those of them that link nobody, because too many people hold them.
    pub(super) fn shared_by_too_many(
        &self,
        left: &RecordKey,
        right: &RecordKey,
    ) -> Vec<Identifier> {
        let mut shared = self.shared(left, right);
        shared.retain(|identifier| self.context.is_generic(BlockingKey::of(identifier)));
        shared
    }

    /// A link from one record to another, told whole.
    pub(super) fn link(
        &mut self,
        from: &RecordKey,
        to: &RecordKey,
        reason: &Reason,
    ) -> Option<Link> {
        let support = match reason {
            Reason::SharedIdentifier { kind } => {
                let mut shared = self.shared(from, to);
                shared.retain(|held| {
                    held.kind == *kind && !self.context.is_generic(BlockingKey::of(held))
                });
                Support::Shared {
                    kind: kind.clone(),
                    values: shared.into_iter().map(|held| held.value).collect(),
                }
            }
            Reason::FormerIdentifier { kind } => Support::Former {
                kind: kind.clone(),
                values: self.formerly_shared(from, to, kind),
            },
            Reason::Match { .. } => Support::Score(self.compare(from, to)?),
            Reason::Decision { id } => Support::Decision { id: id.clone() },
        };
        Some(Link {
            record: to.clone(),
            support,
        })
    }
}

/// The links of a cluster, each from both of its ends: they span it.
pub(super) fn tree(cluster: &Cluster) -> BTreeMap<&RecordKey, BTreeMap<&RecordKey, &Reason>> {
    let mut tree: BTreeMap<&RecordKey, BTreeMap<&RecordKey, &Reason>> = BTreeMap::new();
    for member in &cluster.members {
        if let Evidence::Linked { reason, with } = &member.evidence {
            tree.entry(&member.record).or_default().insert(with, reason);
            tree.entry(with).or_default().insert(&member.record, reason);
        }
    }
    tree
}
