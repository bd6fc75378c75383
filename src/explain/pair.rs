//! Why two are one person, or not.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use profile_core::identity::{Cluster, Clustering, Comparison, Guard, MatchDecision, Reason};
use profile_core::records::{Identifier, ProfileId, RecordKey, TenantId};

use super::sight::{ComparisonView, tree};
use super::{Error, ExplainContext, Explainer, Link, Result};
use crate::neighbourhood::{self, Neighbourhood, Seeds};

/// How many records of a profile are compared, least keys first.
const MAX_RECORDS: usize = 50;

/// A side of a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    /// Whichever of its records is most like the other side.
    Profile(ProfileId),
    /// This record.
    Record(RecordKey),
}

/// Why two are one person, or not.
#[derive(Debug, Clone, PartialEq)]
pub struct PairExplanation {
    /// Whether they are in one profile.
    pub same_profile: bool,
    /// The links from the left record to the right one, when they are: each from the record of the
    /// one before.
    pub path: Vec<Link>,
    /// The left record that is compared.
    pub left: RecordKey,
    /// The right one.
    pub right: RecordKey,
    /// The profiles that hold them.
    pub profiles: [Option<ProfileId>; 2],
    /// The two side by side.
    pub comparison: Comparison,
    /// How much evidence is missing to a link.
    pub missing_millibits: i32,
    /// Identifiers that both hold and that link nobody, because too many people hold them.
    pub shared_by_too_many: Vec<Identifier>,
    /// What keeps them apart.
    pub apart: Option<CannotLink>,
}

/// What keeps two apart, besides that the evidence does not suffice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CannotLink {
    /// A rule refused a link between them.
    Guard(Guard),
    /// They were never compared: what they have in common so many have in common that it finds
    /// nobody.
    NeverCompared,
}

impl CannotLink {
    /// As it is written in answers: as [`Guard::name`], or `never_compared`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Guard(guard) => guard.name(),
            Self::NeverCompared => "never_compared".to_owned(),
        }
    }
}

impl Explainer {
    /// Tells why two are one person, or not. Of a profile at most 50 records are compared, those of
    /// the least keys.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), [`OneRecord`](Error::OneRecord), and those of the store.
    ///
    /// # Cancel safety
    /// Nothing is left behind.
    pub async fn pair(
        &self,
        tenant: &TenantId,
        left: &Side,
        right: &Side,
    ) -> Result<PairExplanation> {
        let mut scene = self.scene(tenant).await?;
        let (lefts, rights) = (
            scene.records_of(left).await?,
            scene.records_of(right).await?,
        );
        let start = Seeds {
            seeds: lefts.iter().chain(&rights).cloned().collect(),
            ..Seeds::default()
        };
        let model = &*scene.running.model;
        let load = neighbourhood::load(&mut *scene.reads, start, model);
        let found = self.metrics.store("neighbourhood", load).await?;
        drop(scene.reads);
        let mut sight = ComparisonView::new(&found, model);
        let (left, right, comparison) =
            most_alike(&lefts, &rights, &mut sight).ok_or(Error::OneRecord)?;
        let clustering = found.cluster(model);
        let same_profile = sight.profile(&left) == sight.profile(&right);
        let path = if same_profile {
            path(&clustering, &left, &right, &mut sight)
        } else {
            Vec::new()
        };
        let apart = if same_profile {
            None
        } else {
            apart(&found, &clustering, &left, &right, &comparison)
        };
        Ok(PairExplanation {
            same_profile,
            path,
            missing_millibits: model
                .matching
                .link
                .saturating_sub(comparison.millibits)
                .max(0),
            shared_by_too_many: sight.shared_by_too_many(&left, &right),
            profiles: [&left, &right].map(|record| sight.profile(record)),
            left,
            right,
            comparison,
            apart,
        })
    }
}

impl ExplainContext {
    /// The records of a side.
    async fn records_of(&mut self, side: &Side) -> Result<Vec<RecordKey>> {
        let records = match side {
            Side::Profile(id) => {
                let row = self.living(*id).await?;
                self.members(row.id).await?
            }
            Side::Record(key) => self.reads.records(std::slice::from_ref(key)).await?,
        };
        let live = records
            .into_iter()
            .filter(|record| record.membership.profile.is_some());
        let keys: Vec<RecordKey> = live.map(|record| record.key).take(MAX_RECORDS).collect();
        if keys.is_empty() {
            Err(Error::NotFound)
        } else {
            Ok(keys)
        }
    }
}

/// The two different records that are most alike; of equals those of the least keys.
fn most_alike(
    lefts: &[RecordKey],
    rights: &[RecordKey],
    sight: &mut ComparisonView<'_>,
) -> Option<(RecordKey, RecordKey, Comparison)> {
    let mut best: Option<(&RecordKey, &RecordKey, Comparison)> = None;
    for left in lefts {
        for right in rights.iter().filter(|right| *right != left) {
            let Some(comparison) = sight.compare(left, right) else {
                continue;
            };
            if best
                .as_ref()
                .is_none_or(|(.., best)| comparison.millibits > best.millibits)
            {
                best = Some((left, right, comparison));
            }
        }
    }
    best.map(|(left, right, comparison)| (left.clone(), right.clone(), comparison))
}

fn cluster_of<'a>(clustering: &'a Clustering, record: &RecordKey) -> Option<&'a Cluster> {
    let holds = |cluster: &&Cluster| {
        cluster
            .members
            .iter()
            .any(|member| member.record == *record)
    };
    clustering.clusters.iter().find(holds)
}

/// The way through the links of a cluster; there is one.
fn path(
    clustering: &Clustering,
    left: &RecordKey,
    right: &RecordKey,
    sight: &mut ComparisonView<'_>,
) -> Vec<Link> {
    let Some(cluster) = cluster_of(clustering, left) else {
        return Vec::new();
    };
    let tree = tree(cluster);
    // From the right end, so that each record that is reached knows its next step.
    let mut next: BTreeMap<&RecordKey, (&RecordKey, &Reason)> = BTreeMap::new();
    let mut queue = VecDeque::from([right]);
    while let Some(record) = queue.pop_front() {
        for (&other, &reason) in tree.get(record).into_iter().flatten() {
            if other != right && !next.contains_key(other) {
                next.insert(other, (record, reason));
                queue.push_back(other);
            }
        }
    }
    let mut links = Vec::new();
    let mut at = left;
    while let Some((to, reason)) = next.get(at) {
        links.extend(sight.link(at, to, reason));
        at = to;
    }
    links
}

/// What keeps two apart: a decision before all; then what refused a link of these two, what forbids
/// one, what refused one between any of theirs.
fn apart(
    found: &Neighbourhood,
    clustering: &Clustering,
    left: &RecordKey,
    right: &RecordKey,
    comparison: &Comparison,
) -> Option<CannotLink> {
    let members = |record| -> BTreeSet<&RecordKey> {
        let cluster = cluster_of(clustering, record).into_iter();
        cluster
            .flat_map(|cluster| &cluster.members)
            .map(|member| &member.record)
            .collect()
    };
    let (lefts, rights) = (members(left), members(right));
    let between = |a: &RecordKey, b: &RecordKey| {
        (lefts.contains(a) && rights.contains(b)) || (lefts.contains(b) && rights.contains(a))
    };
    let these =
        |a: &RecordKey, b: &RecordKey| (a == left && b == right) || (a == right && b == left);
    let refusal = |about: &dyn Fn(&RecordKey, &RecordKey) -> bool| {
        let refusal = clustering
            .refused
            .iter()
            .find(|refusal| about(&refusal.left, &refusal.right));
        refusal.map(|refusal| refusal.guard.clone())
    };
    let guard = decided(found, clustering, &lefts, &rights)
        .or_else(|| refusal(&these))
        .or_else(|| comparison.veto.map(Guard::Veto))
        .or_else(|| refusal(&between));
    let stored = || {
        found
            .stored_pairs()
            .any(|pair| these(&pair.left, &pair.right))
    };
    match guard {
        Some(guard) => Some(CannotLink::Guard(guard)),
        None if comparison.verdict == MatchDecision::Link && !stored() => {
            Some(CannotLink::NeverCompared)
        }
        None => None,
    }
}

/// The newest decision that keeps two clusters apart. One that newer decisions have overruled does
/// not: there is a cluster with records of both of its sides.
fn decided(
    found: &Neighbourhood,
    clustering: &Clustering,
    lefts: &BTreeSet<&RecordKey>,
    rights: &BTreeSet<&RecordKey>,
) -> Option<Guard> {
    let any = |side: &[RecordKey], cluster: &BTreeSet<&RecordKey>| {
        side.iter().any(|record| cluster.contains(record))
    };
    let overruled = |left: &[RecordKey], right: &[RecordKey]| {
        clustering.clusters.iter().any(|cluster| {
            let members: BTreeSet<&RecordKey> = cluster
                .members
                .iter()
                .map(|member| &member.record)
                .collect();
            any(left, &members) && any(right, &members)
        })
    };
    let decisions = found.decisions.iter().map(|stored| &stored.decision);
    let keeping = decisions.filter(|decision| {
        decision.separates(|key| lefts.contains(key), |key| rights.contains(key))
            && !overruled(&decision.left, &decision.right)
    });
    let newest = keeping.max_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
    newest.map(|decision| Guard::Decision {
        id: decision.id.clone(),
    })
}
