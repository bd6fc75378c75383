//! The partition: links strongest first, each taken unless a guard of the whole clusters forbids
//! it.
//!
//! Connected components would let one shared kiosk or one wrong score join thousands. So a link is
//! only a proposal: it is taken when the *united* cluster would still be one person by all that its
//! records say. In this order:
//!
//! 1. what people decided, newest first;
//! 2. shared identifiers that belong to a person, by priority;
//! 3. scores, strongest first;
//! 4. shared identifiers of a household, by priority. Where both sides have names, the score has
//!    spoken already; they attach records without a name, if it is clear to whom;
//! 5. shared devices: they attach only records that say nothing of who they are, and only where one
//!    cluster does.
//!
//! Strength and order are properties of the data, never of arrival. Clusters lie within connected
//! components and guards look at nothing else, so clustering any whole components by themselves
//! gives the same partition as clustering everything at once; that is what makes incremental writes
//! exact.

mod evidence;
mod guard;
mod partition;
mod rules;

use std::collections::BTreeMap;

pub use evidence::{Evidence, Reason, Refusal};
use guard::Group;
pub use guard::Guard;

use super::compare::{
    BirthSlip, GivenAgreement, MatchDecision, Score, against_given_name, given_agreement, score,
};
use super::context::Context;
use super::decision::Decision;
use super::features::{Features, Name};
use super::pairs::scored;
use crate::model::matching::Field;
use crate::model::{BelongsTo, Model};
use crate::records::{Record, RecordKey};
use partition::Partition;

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

/// A partition, and what was refused on the way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Clustering {
    /// In order of their least key.
    pub clusters: Vec<Cluster>,
    /// Links that a guard refused, strongest first.
    pub refused: Vec<Refusal>,
}

/// Partitions records, comparing all that share a key. They must be whole components: every record
/// that shares a linking identifier or a match key with one of them is among them, but for those
/// that the context calls generic.
#[must_use]
pub fn cluster(
    records: &[(&Record, &Features)],
    context: &Context,
    decisions: &[Decision],
    model: &Model,
) -> Clustering {
    let sorted = sorted(records);
    let features: Vec<&Features> = sorted.iter().map(|(_, features)| *features).collect();
    partition(
        &sorted,
        scored(&features, context, model),
        context,
        decisions,
        model,
    )
}

/// Partitions records of which it is known which pairs are to be compared: the others are not
/// alike. They must be whole components of these pairs and of shared identifiers.
#[must_use]
pub fn cluster_pairs(
    records: &[(&Record, &Features)],
    pairs: &[&(RecordKey, RecordKey)],
    context: &Context,
    decisions: &[Decision],
    model: &Model,
) -> Clustering {
    let sorted = sorted(records);
    let place = |key: &RecordKey| {
        sorted
            .binary_search_by(|(record, _)| record.key.cmp(key))
            .ok()
    };
    let scored = pairs.iter().filter_map(|(left, right)| {
        let (a, b) = (place(left)?, place(right)?);
        Some((
            a,
            b,
            score(sorted[a].1, sorted[b].1, &model.matching.weights, context),
        ))
    });
    partition(&sorted, scored.collect(), context, decisions, model)
}

fn sorted<'a>(records: &[(&'a Record, &'a Features)]) -> Vec<(&'a Record, &'a Features)> {
    let mut sorted = records.to_vec();
    sorted.sort_by(|(a, _), (b, _)| a.key.cmp(&b.key));
    sorted
}

fn partition(
    sorted: &[(&Record, &Features)],
    mut links: Vec<(usize, usize, Score)>,
    context: &Context,
    decisions: &[Decision],
    model: &Model,
) -> Clustering {
    let mut partition = Partition::new(sorted, context, model);
    partition.decide(decisions);
    let rules = rules::all(sorted, context, model);
    for rule in rules
        .iter()
        .filter(|rule| rule.belongs_to == BelongsTo::Person)
    {
        partition.join_holders(rule);
    }
    links.retain(|(.., score)| {
        matches!(
            score.verdict(model),
            MatchDecision::Link | MatchDecision::Household
        )
    });
    let ambiguous = ambiguous(sorted, &links, model);
    // A link against the given names waits until both sides have all else that is theirs.
    links.sort_by_key(|(a, b, score)| {
        let order = std::cmp::Reverse(score.millibits);
        (against_given_name(score), order, *a, *b)
    });
    for (a, b, score) in &links {
        if is_of_home(score) && (ambiguous[*a] || ambiguous[*b]) {
            partition.refuse_scored(*a, *b, score, Guard::Ambiguous);
        } else {
            partition.join_scored(*a, *b, score);
        }
    }
    for rule in rules
        .iter()
        .filter(|rule| rule.belongs_to == BelongsTo::Household)
    {
        partition.attach_nameless(rule);
    }
    for rule in rules
        .iter()
        .filter(|rule| rule.belongs_to == BelongsTo::Device)
    {
        partition.attach_silent(rule);
    }
    partition.into_clustering()
}

/// Which records say a given name that is the beginning of two others they are linked with: in the
/// house of Karl-Josef and Karl-Heinz, Karl may be either. Others of the household do not count:
/// their names are no forms of this one, and components do not reach them.
fn ambiguous(
    sorted: &[(&Record, &Features)],
    links: &[(usize, usize, Score)],
    model: &Model,
) -> Vec<bool> {
    let mut longer: Vec<Vec<&Name>> = vec![Vec::new(); sorted.len()];
    let links = links.iter();
    for (a, b, _) in links.filter(|(.., score)| score.verdict(model) == MatchDecision::Link) {
        for (one, other) in [(*a, *b), (*b, *a)] {
            let further = |name: &&Name| !name.middle.is_empty();
            if !sorted[one].1.names.iter().any(|name| further(&name)) {
                for name in sorted[other].1.names.iter().filter(further) {
                    if longer[one].len() < MAX_LONGER && !longer[one].contains(&name) {
                        longer[one].push(name);
                    }
                }
            }
        }
    }
    let two = |names: &Vec<&Name>| {
        names.iter().enumerate().any(|(place, a)| {
            let mut later = names[place + 1..].iter();
            later.any(|b| given_agreement(a, b) == GivenAgreement::OtherCompound)
        })
    };
    longer.iter().map(two).collect()
}

/// No house has more names that begin as one.
const MAX_LONGER: usize = 24;

/// Whether nothing that one of a house has alone speaks for a link.
fn is_of_home(score: &Score) -> bool {
    let own = [
        Field::BirthDate,
        Field::PersonalId,
        Field::Email,
        Field::Phone,
    ];
    own.iter().all(|field| score.weight(*field) <= 0)
}

/// What forbids that two groups of records are one person, if they are not linked by decision.
#[must_use]
pub fn objection(
    left: &[(&Record, &Features)],
    right: &[(&Record, &Features)],
    model: &Model,
) -> Option<Guard> {
    let (left, right) = (Group::whole(left, model), Group::whole(right, model));
    left.over_limit(&right, model, None).or_else(|| {
        left.contradiction(&right, BirthSlip::No, false)
            .map(Guard::Veto)
    })
}

/// Groups members by cluster, in order of the least key of each.
fn grouped(roots: &[usize], members: Vec<Member>) -> Vec<Cluster> {
    let mut clusters: BTreeMap<usize, Vec<Member>> = BTreeMap::new();
    let mut first: BTreeMap<usize, usize> = BTreeMap::new();
    for (index, (root, member)) in roots.iter().zip(members).enumerate() {
        clusters
            .entry(*first.entry(*root).or_insert(index))
            .or_default()
            .push(member);
    }
    clusters
        .into_values()
        .map(|members| Cluster { members })
        .collect()
}
