//! Why a profile is as it is.

use std::collections::BTreeSet;

use profile_core::identity::{Clustering, Evidence, Guard, MatchDecision, Reason};
use profile_core::model::{BelongsTo, Model, Notes};
use profile_core::profile::{TraitExplanation, explain_traits};
use profile_core::records::{ProfileId, Record, RecordKey, TenantId, Timestamp};

use super::sight::ComparisonView;
use super::{Explainer, Link, Result};
use crate::neighbourhood::{self, Neighbourhood, Seeds};
use crate::store::{EventFilter, MatchPair};

/// How many refused links are told.
const MAX_REFUSED: usize = 100;

/// Why a profile is as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfileExplanation {
    /// The live id; another than the one asked for where that was merged away.
    pub id: ProfileId,
    /// Its revision.
    pub revision: i64,
    /// Its records, in order of key.
    pub records: Vec<RecordExplanation>,
    /// Its traits, in order of name.
    pub traits: Vec<TraitExplanation>,
    /// Links from its records to those of other profiles that were not taken, strongest first.
    pub refused: Vec<RefusedLink>,
    /// The version of the model; 0: the configured one.
    pub model_version: i64,
    /// Whether it is as large as the model allows.
    pub at_bound: bool,
}

/// Why a record is in its profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordExplanation {
    /// Which.
    pub record: RecordKey,
    /// What ties it to another record of the profile; these links span it. None: it is alone.
    pub link: Option<Link>,
    /// Notes on values that are stored and not used.
    pub notes: Notes,
    /// The former holder of the key, if it was given out again.
    pub former_holder: Option<FormerHolder>,
}

/// A former holder of a record's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormerHolder {
    /// Until when they had it.
    pub until: Timestamp,
    /// How many of their events are kept, and shown with nobody.
    pub events: i64,
}

/// A link that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedLink {
    /// The record of the profile.
    pub left: RecordKey,
    /// The other record.
    pub right: RecordKey,
    /// The profile of that one.
    pub right_profile: Option<ProfileId>,
    /// What spoke for it.
    pub reason: Reason,
    /// What forbade it.
    pub guard: Guard,
}

impl Explainer {
    /// Tells why a profile is as it is.
    ///
    /// # Errors
    /// [`NotFound`](super::Error::NotFound), and those of the store.
    ///
    /// # Cancel safety
    /// Nothing is left behind.
    pub async fn profile(&self, tenant: &TenantId, id: ProfileId) -> Result<ProfileExplanation> {
        let mut scene = self.scene(tenant).await?;
        let row = scene.living(id).await?;
        let members = scene.members(row.id).await?;
        let model = &*scene.running.model;
        let start = Seeds {
            seeds: keys(&members).cloned().collect(),
            ..Seeds::default()
        };
        let load = neighbourhood::load(&mut *scene.reads, start, model);
        let found = self.metrics.store("neighbourhood", load).await?;
        let vetoed = vetoed(&found, &members, model);
        // Those may be outside of the component: a veto ties nobody to anybody.
        let ends = vetoed
            .iter()
            .flat_map(|pair| [pair.left.clone(), pair.right.clone()]);
        let near = neighbourhood::look_at(&mut *scene.reads, ends, model).await?;
        drop(scene.reads);
        let clustering = found.cluster(model);
        let mut records = records(
            &members,
            &clustering,
            &mut ComparisonView::new(&found, model),
            model,
        );
        self.tell_former_holders(tenant, &members, &mut records)
            .await?;
        Ok(ProfileExplanation {
            id: row.id,
            revision: row.revision,
            records,
            traits: explain_traits(&members, model),
            refused: refused(
                &members,
                &clustering,
                &vetoed,
                &mut ComparisonView::new(&near, model),
                &found,
                model,
            ),
            model_version: scene.running.version,
            at_bound: members.len() >= model.max_records_per_profile,
        })
    }
}

impl Explainer {
    /// Counts the events of those who had the records' keys before.
    async fn tell_former_holders(
        &self,
        tenant: &TenantId,
        members: &[Record],
        records: &mut [RecordExplanation],
    ) -> Result<()> {
        for (member, told) in members.iter().zip(records) {
            let Some(until) = member.reused_since() else {
                continue;
            };
            let filter = EventFilter {
                end: Some(until),
                ..EventFilter::default()
            };
            let counts =
                self.store
                    .count_events(tenant, std::slice::from_ref(&member.key), &filter);
            let counts = self.metrics.store("count_events", counts).await?;
            let events = counts.iter().map(|(_, count)| count).sum();
            told.former_holder = Some(FormerHolder { until, events });
        }
        Ok(())
    }
}

fn keys(records: &[Record]) -> impl Iterator<Item = &RecordKey> {
    records.iter().map(|record| &record.key)
}

fn records(
    members: &[Record],
    clustering: &Clustering,
    sight: &mut ComparisonView<'_>,
    model: &Model,
) -> Vec<RecordExplanation> {
    let all = clustering
        .clusters
        .iter()
        .flat_map(|cluster| &cluster.members);
    let evidence: std::collections::HashMap<&RecordKey, &Evidence> = all
        .map(|member| (&member.record, &member.evidence))
        .collect();
    let mut told = |key: &RecordKey| match evidence.get(key) {
        Some(Evidence::Linked { reason, with }) => sight.link(key, with, reason),
        Some(Evidence::Alone) | None => None,
    };
    members
        .iter()
        .map(|member| RecordExplanation {
            record: member.key.clone(),
            link: told(&member.key),
            notes: model.notes(member, profile_core::identity::unread),
            former_holder: None,
        })
        .collect()
}

/// Pairs with records of others that are alike enough for a link, but for a veto; strongest first.
/// Households are not here: clustering itself proposes and refuses them.
fn vetoed<'a>(found: &'a Neighbourhood, members: &[Record], model: &Model) -> Vec<&'a MatchPair> {
    let members: BTreeSet<&RecordKey> = keys(members).collect();
    let crosses = |pair: &&MatchPair| members.contains(&pair.left) != members.contains(&pair.right);
    let strong = |pair: &&MatchPair| {
        pair.verdict == MatchDecision::Review && pair.millibits >= model.matching.link
    };
    let mut pairs: Vec<&MatchPair> = found
        .stored_pairs()
        .filter(strong)
        .filter(crosses)
        .collect();
    pairs.sort_by_key(|pair| std::cmp::Reverse(pair.millibits));
    pairs.truncate(MAX_REFUSED);
    pairs
}

fn refused(
    members: &[Record],
    clustering: &Clustering,
    vetoed: &[&MatchPair],
    near: &mut ComparisonView<'_>,
    found: &Neighbourhood,
    model: &Model,
) -> Vec<RefusedLink> {
    let members: BTreeSet<&RecordKey> = keys(members).collect();
    let far = ComparisonView::new(found, model);
    let guarded = clustering.refused.iter().map(|refusal| {
        let (reason, guard) = (refusal.reason.clone(), refusal.guard.clone());
        (
            &refusal.left,
            &refusal.right,
            far.profile(&refusal.left),
            far.profile(&refusal.right),
            reason,
            guard,
        )
    });
    let vetoed: Vec<_> = vetoed
        .iter()
        .filter_map(|pair| {
            let compared = near.compare(&pair.left, &pair.right)?;
            let (reason, guard) = (
                Reason::Match {
                    millibits: compared.millibits,
                },
                Guard::Veto(compared.veto?),
            );
            Some((
                &pair.left,
                &pair.right,
                near.profile(&pair.left),
                near.profile(&pair.right),
                reason,
                guard,
            ))
        })
        .collect();
    let turned = guarded.chain(vetoed).filter_map(
        |(left, right, left_profile, right_profile, reason, guard)| {
            let (left, right, right_profile) =
                match (members.contains(left), members.contains(right)) {
                    (true, false) => (left, right, right_profile),
                    (false, true) => (right, left, left_profile),
                    _ => return None,
                };
            Some(RefusedLink {
                left: left.clone(),
                right: right.clone(),
                right_profile,
                reason,
                guard,
            })
        },
    );
    let mut links: Vec<RefusedLink> = turned.collect();
    links.sort_by_key(|link| weakness(&link.reason, model));
    links.truncate(MAX_REFUSED);
    links
}

/// The order in which links are tried, strongest first.
fn weakness(reason: &Reason, model: &Model) -> (u8, i64) {
    match reason {
        Reason::Decision { .. } => (0, 0),
        Reason::Match { millibits } => (2, -i64::from(*millibits)),
        Reason::FormerIdentifier { .. } => (3, i64::MAX),
        Reason::SharedIdentifier { kind } => {
            let kind = model.identifiers.get(kind);
            let priority = kind.map_or(i64::MAX, |kind| i64::from(kind.priority));
            match kind.map(|kind| kind.belongs_to) {
                Some(BelongsTo::Person) => (1, priority),
                Some(BelongsTo::Household) | None => (3, priority),
                Some(BelongsTo::Device) => (4, priority),
            }
        }
    }
}
