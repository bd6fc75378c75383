//! What a request to decide means for the records there are: decisions to make, to take back, or a
//! refusal.

use std::collections::{BTreeMap, BTreeSet};

use profile_core::identity::{Decision, DecisionKind, Features, Guard, objection};
use profile_core::model::Model;
use profile_core::records::{ContentHash, ProfileId, ProfileState, Record, RecordKey};

use super::{DecideError, DecisionRequest, MergeOutcome, Operation};
use crate::ingest::WriteContext;
use crate::neighbourhood::Seeds;
use crate::store::{Cause, Snapshot, StoredDecision};

/// The decisions that a request makes and takes back.
#[derive(Default)]
pub(super) struct DecisionPlan {
    pub(super) made: Vec<StoredDecision>,
    pub(super) withdrawn: Vec<StoredDecision>,
    /// The outcome of each source of a merge.
    pub(super) outcomes: Vec<MergeOutcome>,
    /// The records whose profiles are answered.
    pub(super) records: Vec<RecordKey>,
    /// The decision that moves the records of a profile, where it is not the first one.
    causes: BTreeMap<ProfileId, String>,
}

impl DecisionPlan {
    /// Plans what a request asks for, from committed data.
    pub(super) async fn new(
        reads: &mut dyn Snapshot,
        context: WriteContext<'_>,
        request: &DecisionRequest,
        model: &Model,
    ) -> Result<Self, DecideError> {
        let mut planner = Planner {
            reads,
            context,
            request,
            model,
            plan: Self::default(),
        };
        match &request.operation {
            Operation::Candidate { left, right, kind } => {
                planner.candidate(left, right, *kind).await?;
            }
            Operation::Merge { target, sources } => planner.merge(*target, sources).await?,
            Operation::Split { profile, records } => planner.split(*profile, records).await?,
            Operation::Withdraw { decision } => planner.withdraw(decision).await?,
        }
        Ok(planner.plan)
    }

    /// Whether nothing is decided or taken back.
    pub(super) fn is_empty(&self) -> bool {
        self.made.is_empty() && self.withdrawn.is_empty()
    }

    /// The ids of the decisions made.
    pub(super) fn ids(&self) -> Vec<String> {
        let ids = self.made.iter().map(|stored| stored.decision.id.clone());
        ids.collect()
    }

    /// The neighbourhood that the decisions concern.
    pub(super) fn seeds(&self) -> Seeds {
        Seeds {
            decided: self.made.clone(),
            withdrawn: self.withdrawn.clone(),
            seeds: self.records.iter().cloned().collect(),
            ..Seeds::default()
        }
    }

    /// The cause of the moves out of a profile.
    pub(super) fn cause(&self, from: ProfileId, request: &DecisionRequest) -> Cause {
        let (actor, note) = (request.actor.clone(), request.note.clone());
        if let Some(withdrawn) = self.withdrawn.first() {
            let id = withdrawn.decision.id.clone();
            return Cause::Withdrawal { id, actor, note };
        }
        let first = self.made.first().map(|stored| &stored.decision.id);
        let id = self.causes.get(&from).or(first);
        Cause::Decision {
            id: id.cloned().unwrap_or_default(),
            actor,
            note,
        }
    }
}

/// Builds a [`DecisionPlan`].
struct Planner<'a> {
    reads: &'a mut dyn Snapshot,
    context: WriteContext<'a>,
    request: &'a DecisionRequest,
    model: &'a Model,
    plan: DecisionPlan,
}

impl Planner<'_> {
    async fn candidate(
        &mut self,
        left: &RecordKey,
        right: &RecordKey,
        kind: DecisionKind,
    ) -> Result<(), DecideError> {
        let found = self.reads.records(&[left.clone(), right.clone()]).await?;
        let left_record = existing(&found, left).ok_or(DecideError::NotFound("left"))?;
        let right_record = existing(&found, right).ok_or(DecideError::NotFound("right"))?;
        let left_profile = left_record.membership.profile;
        let right_profile = right_record.membership.profile;
        if kind == DecisionKind::MustLink && left_profile != right_profile {
            let left_members = self.members(left_profile.as_slice()).await?;
            let right_members = self.members(right_profile.as_slice()).await?;
            if let Some(guard) = self.objection(&left_members, &right_members).await? {
                return Err(DecideError::Refused(guard));
            }
        }
        self.decide(kind, vec![left.clone()], vec![right.clone()]);
        self.plan.records = vec![left.clone(), right.clone()];
        Ok(())
    }

    async fn merge(&mut self, target: ProfileId, sources: &[ProfileId]) -> Result<(), DecideError> {
        let target = self
            .live(target)
            .await?
            .ok_or(DecideError::NotFound("target"))?;
        let mut into = self.members(&[target]).await?;
        self.plan.records = keys(&into[..1]);
        let mut merged = BTreeSet::from([target]);
        for source in sources {
            let outcome = match self.live(*source).await? {
                None => MergeOutcome::NotFound,
                Some(source) if merged.contains(&source) => MergeOutcome::Same,
                Some(source) => {
                    let outcome = self.merge_source(&mut into, source).await?;
                    if matches!(outcome, MergeOutcome::Merged(_)) {
                        merged.insert(source);
                    }
                    outcome
                }
            };
            self.plan.outcomes.push(outcome);
        }
        Ok(())
    }

    /// Merges a live profile into the records of the target, unless a rule refuses it.
    async fn merge_source(
        &mut self,
        into: &mut Vec<Record>,
        source: ProfileId,
    ) -> Result<MergeOutcome, DecideError> {
        let from = self.members(&[source]).await?;
        if let Some(guard) = self.objection(into, &from).await? {
            return Ok(MergeOutcome::Refused(guard.name()));
        }
        let id = self.decide(DecisionKind::MustLink, keys(into), keys(&from));
        self.plan.causes.insert(source, id.clone());
        into.extend(from);
        Ok(MergeOutcome::Merged(id))
    }

    async fn split(
        &mut self,
        profile: ProfileId,
        records: &[RecordKey],
    ) -> Result<(), DecideError> {
        let profile = self
            .live(profile)
            .await?
            .ok_or(DecideError::NotFound("name"))?;
        let members = keys(&self.members(&[profile]).await?);
        if let Some(stranger) = records.iter().find(|key| !members.contains(key)) {
            return Err(DecideError::NotInProfile(stranger.clone()));
        }
        let (out, stay): (Vec<RecordKey>, Vec<RecordKey>) =
            members.into_iter().partition(|key| records.contains(key));
        if out.is_empty() || stay.is_empty() {
            return Err(DecideError::NothingStays);
        }
        self.plan.records = stay.iter().chain(&out).cloned().collect();
        self.decide(DecisionKind::CannotLink, stay, out);
        Ok(())
    }

    async fn withdraw(&mut self, id: &str) -> Result<(), DecideError> {
        let stored = self.reads.decision(id).await?;
        let stored = stored.ok_or(DecideError::NoDecision)?;
        let Decision { left, right, .. } = &stored.decision;
        self.plan.records = left.iter().chain(right).cloned().collect();
        if !stored.withdrawn {
            self.plan.withdrawn.push(StoredDecision {
                withdrawn: true,
                ..stored
            });
        }
        Ok(())
    }

    /// The live profile that answers to an id.
    async fn live(&mut self, id: ProfileId) -> Result<Option<ProfileId>, DecideError> {
        let row = self.reads.profile_rows(&[id]).await?.pop();
        Ok(row.and_then(|row| match row.state {
            ProfileState::Live => Some(id),
            ProfileState::MergedInto(survivor) => Some(survivor),
            ProfileState::Deleted => None,
        }))
    }

    /// The records of profiles, the oldest first.
    async fn members(&mut self, profiles: &[ProfileId]) -> Result<Vec<Record>, DecideError> {
        let mut members = self.reads.members(profiles).await?;
        members.sort_by(|a, b| (a.first_seen, &a.key).cmp(&(b.first_seen, &b.key)));
        Ok(members)
    }

    /// The rule that forbids one person of two groups of records. Only the limit of records cannot
    /// be overridden.
    async fn objection(
        &mut self,
        left: &[Record],
        right: &[Record],
    ) -> Result<Option<Guard>, DecideError> {
        let left_features = self.features(left);
        let right_features = self.features(right);
        let left_members: Vec<_> = left.iter().zip(&left_features).collect();
        let right_members: Vec<_> = right.iter().zip(&right_features).collect();
        let constraint = objection(&left_members, &right_members, self.model);
        if self.request.override_rules {
            return Ok(constraint.filter(|guard| *guard == Guard::ClusterBound));
        }
        Ok(self.separation(left, right).await?.or(constraint))
    }

    /// The decision that separates two groups of records.
    async fn separation(
        &mut self,
        left: &[Record],
        right: &[Record],
    ) -> Result<Option<Guard>, DecideError> {
        let stored = self.reads.decisions_about(&keys(left)).await?;
        let separating = stored
            .into_iter()
            .map(|stored| stored.decision)
            .find(|decision| {
                decision.separates(|key| has_key(left, key), |key| has_key(right, key))
            });
        Ok(separating.map(|decision| Guard::Decision { id: decision.id }))
    }

    fn features(&self, records: &[Record]) -> Vec<Features> {
        let features = records.iter().map(|r| Features::of(r, self.model));
        features.collect()
    }

    /// Adds a decision and returns its id.
    fn decide(
        &mut self,
        kind: DecisionKind,
        left: Vec<RecordKey>,
        right: Vec<RecordKey>,
    ) -> String {
        let hash = ContentHash::of(&(
            self.context.tenant,
            &self.request.request_id,
            self.plan.made.len(),
            self.context.sequence,
        ));
        let id = uuid::Builder::from_custom_bytes(hash.0.to_be_bytes()).into_uuid();
        let id = id.to_string();
        self.plan.made.push(StoredDecision {
            decision: Decision {
                id: id.clone(),
                kind,
                left,
                right,
                time: self.context.now,
            },
            actor: self.request.actor.clone(),
            note: self.request.note.clone(),
            sequence: self.context.sequence,
            withdrawn: false,
        });
        id
    }
}

fn existing<'a>(records: &'a [Record], key: &RecordKey) -> Option<&'a Record> {
    let mut records = records.iter();
    records.find(|record| record.key == *key && record.exists())
}

fn has_key(records: &[Record], key: &RecordKey) -> bool {
    records.iter().any(|record| record.key == *key)
}

fn keys(records: &[Record]) -> Vec<RecordKey> {
    records.iter().map(|record| record.key.clone()).collect()
}
