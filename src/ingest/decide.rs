//! People's decisions: checked, written and answered like any write, one at a time.
//!
//! A decision speaks of records, not of profiles: profiles come and go, and what was decided about
//! these records holds for whatever profiles they are in. A merge says that the oldest record of
//! one profile is the same person as the oldest of another (of those that are still there, as the
//! lists go on); a split, that none of these is the same person as any of those.

use std::collections::{BTreeMap, BTreeSet};

use profile_core::identity::{Decision, DecisionKind, Features, Guard, objection};
use profile_core::model::Model;
use profile_core::profile::{Derived, Profile, StoredProfile, fold};
use profile_core::records::{
    ContentHash, ProfileId, ProfileState, Record, RecordKey, Sequence, TenantId, Timestamp,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::apply::Applied;
use super::changes::{Plan, WriteContext, plan};
use super::write::Writer;
use crate::neighbourhood::{self, Seeds};
use crate::store::{self, Cause, Snapshot, StoredDecision, StoredRequest};

/// What is to be decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Operation {
    /// Two records are the same person, or are not.
    Candidate {
        /// One.
        left: RecordKey,
        /// The other.
        right: RecordKey,
        /// Which.
        kind: DecisionKind,
    },
    /// Profiles are the same person.
    Merge {
        /// One.
        target: ProfileId,
        /// The others.
        sources: Vec<ProfileId>,
    },
    /// Some records of a profile are another person than the rest.
    Split {
        /// Which profile.
        profile: ProfileId,
        /// Which records.
        records: Vec<RecordKey>,
    },
    /// A decision is taken back.
    Withdraw {
        /// Which.
        decision: String,
    },
}

/// A request to decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DecisionRequest {
    /// What.
    pub operation: Operation,
    /// Who, in the caller's words.
    pub actor: String,
    /// Why, in the caller's words.
    pub note: String,
    /// Whether rules that would refuse it are overridden.
    pub override_rules: bool,
    /// The caller's own id of the request; the same again changes nothing. Empty: it is only to be
    /// tried.
    #[serde(skip)]
    pub request_id: String,
}

/// Why nothing was decided.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DecideError {
    /// There is no such profile or record: the field that names it.
    #[error("there is no such thing as {0} names")]
    NotFound(&'static str),
    /// There is no such decision.
    #[error("there is no such decision")]
    NoDecision,
    /// A record is not in the profile that is to be split.
    #[error("a record is not in the profile")]
    NotInProfile(RecordKey),
    /// All records of a profile are to be taken out, or none.
    #[error("a part of the profile must stay")]
    NothingStays,
    /// A rule refuses it.
    #[error("a rule refuses it: {0:?}")]
    Refused(Guard),
    /// The request's id was used for another request.
    #[error("the request's id was used for another request")]
    RequestReused,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopping,
}

/// What became of one source of a merge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MergeOutcome {
    /// It was in the target already.
    Same,
    /// It is merged, by this decision.
    Merged(String),
    /// There is no such profile.
    NotFound,
    /// A rule refuses it.
    Refused(String),
}

/// What was decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    /// The decisions made; of a merge in the order of its sources.
    pub decisions: Vec<String>,
    /// For each source of a merge.
    pub outcomes: Vec<MergeOutcome>,
    /// The profiles concerned, as they are afterwards: first that of the first record spoken of.
    pub profiles: Vec<Profile>,
    /// A read that reflects this write sees all that is answered here. None when it was only tried.
    pub sequence: Option<Sequence>,
}

/// What is answered to the same request again.
#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    decisions: Vec<String>,
    outcomes: Vec<MergeOutcome>,
    records: Vec<RecordKey>,
}

/// A request, looked at: what to write.
#[derive(Default)]
struct Draft {
    decided: Vec<StoredDecision>,
    withdrawn: Vec<StoredDecision>,
    outcomes: Vec<MergeOutcome>,
    /// Whose profiles to answer.
    records: Vec<RecordKey>,
    /// What made the records of each profile move, where it is not the first decision.
    causes: BTreeMap<ProfileId, String>,
}

impl Writer {
    /// Decides, or tells what would be if it were decided.
    pub(super) async fn decide(
        &self,
        tenant: &TenantId,
        request: &DecisionRequest,
        validate_only: bool,
    ) -> Result<Decided, DecideError> {
        let (mut tx, running) = self.begin(tenant).await?;
        let model = &running.model;
        let content = ContentHash::of(request);
        let known = if validate_only {
            None
        } else {
            tx.reads().request(&request.request_id).await?
        };
        if let Some(known) = known {
            if known.content != content {
                return Err(DecideError::RequestReused);
            }
            let before = tx.sequence().before();
            let again = answer_again(tx.reads(), &known, (model, self.clock.now())).await?;
            drop(tx);
            self.follower.see(tenant, before).await;
            // The profiles are shown as they are now.
            return Ok(Decided {
                sequence: again.sequence.max(Some(before)),
                ..again
            });
        }
        // Later decisions outweigh earlier ones, so no two have the same time.
        let after = Timestamp::from_micros(tx.not_before().as_micros() + 1);
        let turn = WriteContext {
            tenant,
            sequence: tx.sequence(),
            now: self.clock.now().max(after),
        };
        let draft = Draft::of(tx.reads(), turn, request, model).await?;
        let start = Seeds {
            decided: draft.decided.clone(),
            withdrawn: draft.withdrawn.clone(),
            ..Seeds::default()
        };
        let start = Seeds {
            seeds: draft.records.iter().cloned().collect(),
            ..start
        };
        let neighbourhood = self
            .step(
                "load_neighbourhood",
                neighbourhood::load(tx.reads(), start, model),
            )
            .await?;
        let cause = |from: ProfileId| draft.cause(from, request);
        let mut plan = plan(turn, &Applied::default(), &neighbourhood, &cause, model);
        let decisions: Vec<String> = draft
            .decided
            .iter()
            .map(|stored| stored.decision.id.clone())
            .collect();
        let profiles = plan.profiles_of(&draft.records, model, turn.now);
        let nothing = draft.decided.is_empty() && draft.withdrawn.is_empty();
        if validate_only || nothing {
            drop(tx);
            let before = turn.sequence.before();
            self.follower.see(tenant, before).await;
            let sequence = (!validate_only).then_some(before);
            return Ok(Decided {
                decisions,
                outcomes: draft.outcomes,
                profiles,
                sequence,
            });
        }
        plan.changes.requests = vec![draft.remember(request, content, turn.sequence)?];
        plan.changes.added_decisions = draft.decided;
        plan.changes.withdrawn_decisions = draft.withdrawn;
        self.commit(turn, &running, tx, plan).await?;
        Ok(Decided {
            decisions,
            outcomes: draft.outcomes,
            profiles,
            sequence: Some(turn.sequence),
        })
    }
}

/// What was answered, with the profiles as they are now.
async fn answer_again(
    reads: &mut dyn Snapshot,
    known: &StoredRequest,
    (model, now): (&Model, Timestamp),
) -> Result<Decided, DecideError> {
    let Remembered {
        decisions,
        outcomes,
        records,
    } = serde_json::from_str(&known.answer)
        .map_err(|error| store::Error::Internal(format!("a remembered answer: {error}")))?;
    let start = Seeds {
        seeds: records.iter().cloned().collect(),
        ..Seeds::default()
    };
    let found = neighbourhood::load(reads, start, model).await?;
    let unchanged = Plan {
        after: found.records,
        rows: found.rows,
        ..Plan::default()
    };
    let profiles = unchanged.profiles_of(&records, model, now);
    Ok(Decided {
        decisions,
        outcomes,
        profiles,
        sequence: Some(known.sequence),
    })
}

impl Draft {
    async fn of(
        reads: &mut dyn Snapshot,
        turn: WriteContext<'_>,
        request: &DecisionRequest,
        model: &Model,
    ) -> Result<Self, DecideError> {
        let mut making = DecisionPlan {
            reads,
            turn,
            request,
            model,
            draft: Self::default(),
        };
        match &request.operation {
            Operation::Candidate { left, right, kind } => {
                making.candidate(left, right, *kind).await?;
            }
            Operation::Merge { target, sources } => making.merge(*target, sources).await?,
            Operation::Split { profile, records } => making.split(*profile, records).await?,
            Operation::Withdraw { decision } => making.withdraw(decision).await?,
        }
        Ok(making.draft)
    }

    fn cause(&self, from: ProfileId, request: &DecisionRequest) -> Cause {
        let (actor, note) = (request.actor.clone(), request.note.clone());
        if let Some(withdrawn) = self.withdrawn.first() {
            return Cause::Withdrawal {
                id: withdrawn.decision.id.clone(),
                actor,
                note,
            };
        }
        let first = || {
            self.decided
                .first()
                .map(|stored| stored.decision.id.clone())
        };
        let id = self
            .causes
            .get(&from)
            .cloned()
            .or_else(first)
            .unwrap_or_default();
        Cause::Decision { id, actor, note }
    }

    fn remember(
        &self,
        request: &DecisionRequest,
        content: ContentHash,
        sequence: Sequence,
    ) -> Result<StoredRequest, DecideError> {
        let decisions = self
            .decided
            .iter()
            .map(|stored| stored.decision.id.clone())
            .collect();
        let answer = Remembered {
            decisions,
            outcomes: self.outcomes.clone(),
            records: self.records.clone(),
        };
        let answer = serde_json::to_string(&answer)
            .map_err(|error| store::Error::Internal(error.to_string()))?;
        Ok(StoredRequest {
            request_id: request.request_id.clone(),
            content,
            sequence,
            answer,
        })
    }
}

/// A draft in the making.
struct DecisionPlan<'a> {
    reads: &'a mut dyn Snapshot,
    turn: WriteContext<'a>,
    request: &'a DecisionRequest,
    model: &'a Model,
    draft: Draft,
}

impl DecisionPlan<'_> {
    async fn candidate(
        &mut self,
        left: &RecordKey,
        right: &RecordKey,
        kind: DecisionKind,
    ) -> Result<(), DecideError> {
        let found = self.reads.records(&[left.clone(), right.clone()]).await?;
        let live = |key: &RecordKey| {
            found
                .iter()
                .find(|record| record.key == *key && record.exists())
        };
        let (a, b) = (
            live(left).ok_or(DecideError::NotFound("left"))?,
            live(right),
        );
        let b = b.ok_or(DecideError::NotFound("right"))?;
        let homes: Vec<ProfileId> = [a, b]
            .into_iter()
            .filter_map(|record| record.membership.profile)
            .collect();
        if kind == DecisionKind::MustLink && homes.first() != homes.last() {
            let [a, b] = [
                self.members(&homes[..1]).await?,
                self.members(&homes[1..]).await?,
            ];
            if let Some(guard) = self.objection(&a, &b).await? {
                return Err(DecideError::Refused(guard));
            }
        }
        self.decide(kind, vec![left.clone()], vec![right.clone()]);
        self.draft.records = vec![left.clone(), right.clone()];
        Ok(())
    }

    async fn merge(&mut self, target: ProfileId, sources: &[ProfileId]) -> Result<(), DecideError> {
        let target = self
            .live(target)
            .await?
            .ok_or(DecideError::NotFound("target"))?;
        let mut into = self.members(&[target]).await?;
        self.draft.records = keys(&into[..1]);
        let mut merged = BTreeSet::from([target]);
        for source in sources {
            let outcome = match self.live(*source).await? {
                None => MergeOutcome::NotFound,
                Some(source) if !merged.insert(source) => MergeOutcome::Same,
                Some(source) => {
                    let from = self.members(&[source]).await?;
                    if let Some(guard) = self.objection(&into, &from).await? {
                        merged.remove(&source);
                        MergeOutcome::Refused(guard.name())
                    } else {
                        let id = self.decide(DecisionKind::MustLink, keys(&into), keys(&from));
                        self.draft.causes.insert(source, id.clone());
                        into.extend(from);
                        MergeOutcome::Merged(id)
                    }
                }
            };
            self.draft.outcomes.push(outcome);
        }
        Ok(())
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
        self.draft.records = stay.iter().chain(&out).cloned().collect();
        self.decide(DecisionKind::CannotLink, stay, out);
        Ok(())
    }

    async fn withdraw(&mut self, id: &str) -> Result<(), DecideError> {
        let stored = self
            .reads
            .decision(id)
            .await?
            .ok_or(DecideError::NoDecision)?;
        self.draft.records = stored
            .decision
            .left
            .iter()
            .chain(&stored.decision.right)
            .cloned()
            .collect();
        if !stored.withdrawn {
            self.draft.withdrawn.push(StoredDecision {
                withdrawn: true,
                ..stored
            });
        }
        Ok(())
    }

    /// The live profile that an id stands for.
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

    /// What forbids that two groups of records are one person: only the bound on records if rules
    /// are overridden.
    async fn objection(
        &mut self,
        left: &[Record],
        right: &[Record],
    ) -> Result<Option<Guard>, DecideError> {
        let about = self.reads.decisions_about(&keys(left)).await?;
        let among =
            |records: &[Record], key: &RecordKey| records.iter().any(|record| record.key == *key);
        let separates = |decision: &Decision| {
            decision.separates(|key| among(left, key), |key| among(right, key))
        };
        let apart = about.into_iter().find(|stored| separates(&stored.decision));
        let features = |records: &[Record]| -> Vec<Features> {
            records
                .iter()
                .map(|record| Features::of(record, self.model))
                .collect()
        };
        let (a, b) = (features(left), features(right));
        let (a, b): (Vec<_>, Vec<_>) = (
            left.iter().zip(&a).collect(),
            right.iter().zip(&b).collect(),
        );
        let guard = objection(&a, &b, self.model);
        let guard = apart
            .map(|stored| Guard::Decision {
                id: stored.decision.id,
            })
            .or(guard);
        Ok(guard.filter(|guard| !self.request.override_rules || *guard == Guard::ClusterBound))
    }

    fn decide(
        &mut self,
        kind: DecisionKind,
        left: Vec<RecordKey>,
        right: Vec<RecordKey>,
    ) -> String {
        let ordinal = self.draft.decided.len();
        let hash = ContentHash::of(&(
            self.turn.tenant,
            &self.request.request_id,
            ordinal,
            self.turn.sequence,
        ));
        let id = uuid::Builder::from_custom_bytes(hash.0.to_be_bytes()).into_uuid();
        let decision = Decision {
            id: Uuid::to_string(&id),
            kind,
            left,
            right,
            time: self.turn.now,
        };
        let id = decision.id.clone();
        let (actor, note) = (self.request.actor.clone(), self.request.note.clone());
        let sequence = self.turn.sequence;
        self.draft.decided.push(StoredDecision {
            decision,
            actor,
            note,
            sequence,
            withdrawn: false,
        });
        id
    }
}

fn keys(records: &[Record]) -> Vec<RecordKey> {
    records.iter().map(|record| record.key.clone()).collect()
}

impl Plan {
    /// The profiles of records as they are by this plan, each once, in the order of the records.
    fn profiles_of(&self, records: &[RecordKey], model: &Model, now: Timestamp) -> Vec<Profile> {
        let home = |key: &RecordKey| self.after.get(key)?.membership.profile;
        let mut seen = BTreeSet::new();
        let ids = records
            .iter()
            .filter_map(home)
            .filter(|id| seen.insert(*id))
            .collect::<Vec<_>>();
        let stored = ids.into_iter().filter_map(|id| {
            let row = self.rows.get(&id)?;
            let members = self
                .after
                .values()
                .filter(|record| record.membership.profile == Some(id));
            let (revision, update_time) = (row.revision, row.update_time);
            Some(StoredProfile {
                id,
                revision,
                update_time,
                records: members.cloned().collect(),
            })
        });
        let derived = |mut profile: Profile| {
            profile.derived = Derived::of(&profile, model, now);
            profile
        };
        stored.map(|stored| derived(fold(stored, model))).collect()
    }
}
