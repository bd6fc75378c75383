//! What waits for a person, who lives with whom, what was decided, and what identity did.

use std::collections::{BTreeMap, BTreeSet};

use profile_core::identity::{Comparison, MatchDecision};
use profile_core::records::{ProfileId, RecordKey, Sequence, TenantId};

use super::sight::ComparisonView;
use super::{Error, ExplainContext, Explainer, Result};
use crate::neighbourhood;
use crate::store::{IdentityChange, IdentityChangePage, MatchPair, QueuePage, StoredDecision};

/// How many members of a household are told.
const MAX_HOUSEHOLD: usize = 100;

/// Where a page of the review queue ended: the weight and the keys of a pair.
pub type PageCursor = (i32, RecordKey, RecordKey);

/// Which part of the review queue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CandidateQuery {
    /// Only pairs with a record of this profile.
    pub profile: Option<ProfileId>,
    /// Only pairs of so much weight.
    pub page: QueuePage,
}

/// Two records that may be one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// One record.
    pub left: RecordKey,
    /// Its profile.
    pub left_profile: Option<ProfileId>,
    /// The other.
    pub right: RecordKey,
    /// Its profile.
    pub right_profile: Option<ProfileId>,
    /// The two side by side.
    pub comparison: Comparison,
}

/// A page of the review queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandidatePage {
    /// Strongest first.
    pub candidates: Vec<Candidate>,
    /// Where to go on; none on the last page.
    pub next: Option<PageCursor>,
}

/// A profile of the same household.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// Which.
    pub profile: ProfileId,
    /// The record of the profile that was asked for.
    pub left: RecordKey,
    /// The record of this one.
    pub right: RecordKey,
    /// The two side by side.
    pub comparison: Comparison,
}

/// A page of merges and splits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangePage {
    /// Newest first.
    pub changes: Vec<IdentityChange>,
    /// Where to go on; none on the last page.
    pub next: Option<(Sequence, i32)>,
}

/// A page of decisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionPage {
    /// Newest first.
    pub decisions: Vec<StoredDecision>,
    /// Where to go on; none on the last page.
    pub next: Option<(Sequence, String)>,
}

impl Explainer {
    /// A page of the review queue.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound) when there is no such profile, and those of the store.
    ///
    /// # Cancel safety
    /// Nothing is left behind; so with all that follow.
    pub async fn candidates(
        &self,
        tenant: &TenantId,
        query: &CandidateQuery,
    ) -> Result<CandidatePage> {
        let limit = query.page.limit;
        let one_more = QueuePage {
            limit: limit.saturating_add(1),
            ..query.page.clone()
        };
        let mut scene = self.scene(tenant).await?;
        let mut pairs = match query.profile {
            Some(id) => scene.queue_of(id, &one_more).await?,
            None => {
                self.metrics
                    .store("list_queue", self.store.list_queue(tenant, &one_more))
                    .await?
            }
        };
        let more = pairs.len() > limit;
        pairs.truncate(limit);
        let next = pairs.last().filter(|_| more);
        let next = next.map(|pair| (pair.millibits, pair.left.clone(), pair.right.clone()));
        let ends = pairs
            .iter()
            .flat_map(|pair| [pair.left.clone(), pair.right.clone()]);
        let model = &*scene.running.model;
        let found = neighbourhood::look_at(&mut *scene.reads, ends, model).await?;
        drop(scene.reads);
        let mut sight = ComparisonView::new(&found, model);
        // A record that went between the two reads waits no longer.
        let candidates = pairs
            .into_iter()
            .filter_map(|MatchPair { left, right, .. }| {
                let comparison = sight.compare(&left, &right)?;
                let (left_profile, right_profile) = (sight.profile(&left), sight.profile(&right));
                Some(Candidate {
                    left,
                    left_profile,
                    right,
                    right_profile,
                    comparison,
                })
            });
        Ok(CandidatePage {
            candidates: candidates.collect(),
            next,
        })
    }

    /// The other profiles of a household, strongest relation first, at most 100.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound), and those of the store.
    pub async fn household(&self, tenant: &TenantId, id: ProfileId) -> Result<Vec<Related>> {
        let mut scene = self.scene(tenant).await?;
        let (own, pairs) = scene.pairs_of(id).await?;
        let mut related: Vec<(RecordKey, RecordKey, i32)> = pairs
            .into_iter()
            .filter(|pair| pair.verdict == MatchDecision::Household)
            .map(|pair| {
                let MatchPair {
                    left,
                    right,
                    millibits,
                    ..
                } = pair;
                if own.contains(&left) {
                    (left, right, millibits)
                } else {
                    (right, left, millibits)
                }
            })
            .filter(|(_, right, _)| !own.contains(right))
            .collect();
        related.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| (&a.0, &a.1).cmp(&(&b.0, &b.1))));
        let model = &*scene.running.model;
        let ends = related
            .iter()
            .flat_map(|(left, right, _)| [left.clone(), right.clone()]);
        let found = neighbourhood::look_at(&mut *scene.reads, ends, model).await?;
        drop(scene.reads);
        let mut sight = ComparisonView::new(&found, model);
        let mut told: BTreeSet<ProfileId> = BTreeSet::new();
        let members = related.into_iter().filter_map(|(left, right, _)| {
            let profile = sight
                .profile(&right)
                .filter(|profile| told.insert(*profile))?;
            let comparison = sight.compare(&left, &right)?;
            Some(Related {
                profile,
                left,
                right,
                comparison,
            })
        });
        Ok(members.take(MAX_HOUSEHOLD).collect())
    }

    /// A page of merges and splits.
    ///
    /// # Errors
    /// [`NotFound`](Error::NotFound) when there never was such a profile, and those of the store.
    pub async fn changes(
        &self,
        tenant: &TenantId,
        page: &IdentityChangePage,
    ) -> Result<ChangePage> {
        if let Some(id) = page.profile {
            let mut reads = self
                .metrics
                .store("snapshot", self.store.snapshot(tenant))
                .await?;
            reads
                .profile_rows(&[id])
                .await?
                .pop()
                .ok_or(Error::NotFound)?;
        }
        let one_more = IdentityChangePage {
            limit: page.limit.saturating_add(1),
            ..page.clone()
        };
        let list = self.store.list_identity_changes(tenant, &one_more);
        let mut changes = self.metrics.store("list_identity_changes", list).await?;
        let more = changes.len() > page.limit;
        changes.truncate(page.limit);
        let next = changes
            .last()
            .filter(|_| more)
            .map(|change| (change.sequence, change.ordinal));
        Ok(ChangePage { changes, next })
    }

    /// A page of decisions, withdrawn ones too.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn decisions(
        &self,
        tenant: &TenantId,
        after: Option<(Sequence, String)>,
        limit: usize,
    ) -> Result<DecisionPage> {
        let list = self
            .store
            .list_decisions(tenant, after, limit.saturating_add(1));
        let mut decisions = self.metrics.store("list_decisions", list).await?;
        let more = decisions.len() > limit;
        decisions.truncate(limit);
        let next = decisions
            .last()
            .filter(|_| more)
            .map(|stored| (stored.sequence, stored.decision.id.clone()));
        Ok(DecisionPage { decisions, next })
    }
}

impl ExplainContext {
    /// The records of a profile, and all pairs with one of them.
    async fn pairs_of(&mut self, id: ProfileId) -> Result<(BTreeSet<RecordKey>, Vec<MatchPair>)> {
        let row = self.living(id).await?;
        let own: Vec<RecordKey> = self
            .members(row.id)
            .await?
            .into_iter()
            .map(|record| record.key)
            .collect();
        let pairs = self.reads.pairs(&own).await?;
        Ok((own.into_iter().collect(), pairs))
    }

    /// A page of what waits about one profile. Its records are in few pairs, so all of them are
    /// looked at.
    async fn queue_of(&mut self, id: ProfileId, page: &QueuePage) -> Result<Vec<MatchPair>> {
        let (_, pairs) = self.pairs_of(id).await?;
        let wanted = pairs.into_iter().filter(|pair| {
            pair.queued
                && page.min_millibits.is_none_or(|min| pair.millibits >= min)
                && page.max_millibits.is_none_or(|max| pair.millibits < max)
        });
        let place = |pair: &MatchPair| {
            (
                std::cmp::Reverse(pair.millibits),
                pair.left.clone(),
                pair.right.clone(),
            )
        };
        let sorted: BTreeMap<_, MatchPair> = wanted.map(|pair| (place(&pair), pair)).collect();
        let after = page
            .after
            .clone()
            .map(|(weight, left, right)| (std::cmp::Reverse(weight), left, right));
        let later = sorted
            .into_iter()
            .filter(|(place, _)| after.as_ref().is_none_or(|after| place > after));
        Ok(later.map(|(_, pair)| pair).take(page.limit).collect())
    }
}
