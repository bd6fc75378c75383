//! People's decisions: checked, written and answered like any write, one at a time.
//!
//! A decision is about records, not profiles: profiles come and go, and what was decided about
//! records holds in whatever profiles they are. A merge says that the records of one profile are
//! the same person as those of another; a split, that none of some records is the same person as
//! any of the others.

mod plan;

use profile_core::identity::{DecisionKind, Guard};
use profile_core::model::Model;
use profile_core::profile::Profile;
use profile_core::records::{ProfileId, RecordKey, Sequence, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

use super::apply::Applied;
use super::changes::{self, Plan, WriteContext};
use super::write::Writer;
use crate::neighbourhood::{self, Seeds};
use crate::store::{self, EarlierAnswer, Held, IdempotencyError, IdempotentRequest, Transaction};
use plan::DecisionPlan;

/// What a request asks to decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Operation {
    /// Decides whether two records are the same person.
    Candidate {
        /// The first record.
        left: RecordKey,
        /// The second record.
        right: RecordKey,
        /// Whether they are the same person.
        kind: DecisionKind,
    },
    /// Decides that profiles are the same person.
    Merge {
        /// The profile that the others are merged with.
        target: ProfileId,
        /// The profiles to merge with it.
        sources: Vec<ProfileId>,
    },
    /// Decides that some records of a profile are another person than the rest.
    Split {
        /// The profile to split.
        profile: ProfileId,
        /// The records to take out of it.
        records: Vec<RecordKey>,
    },
    /// Takes a decision back.
    Withdraw {
        /// The id of the decision.
        decision: String,
    },
}

/// A request to decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DecisionRequest {
    /// What to decide.
    pub operation: Operation,
    /// The person who decides, in the caller's words.
    pub actor: String,
    /// The reason, in the caller's words.
    pub note: String,
    /// Whether to decide against the rules that would refuse it.
    pub override_rules: bool,
    /// The caller's id of the request; the same request again changes nothing. Empty means that it
    /// is not remembered.
    #[serde(skip)]
    pub request_id: String,
}

/// Why nothing was decided.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DecideError {
    /// The named field of the request names no profile or record that exists.
    #[error("{0} names no profile or record")]
    NotFound(&'static str),
    /// The decision to take back does not exist.
    #[error("there is no such decision")]
    NoDecision,
    /// A record to take out is not in the profile.
    #[error("a record is not in the profile")]
    NotInProfile(RecordKey),
    /// A split takes out all records of the profile, or none.
    #[error("a split must take out some of the profile's records, and leave some")]
    NothingStays,
    /// A rule forbids it.
    #[error("a rule refuses it: {0:?}")]
    Refused(Guard),
    /// The request's id was used for another request.
    #[error("the request id was used before for another request")]
    RequestReused,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopping,
}

impl From<IdempotencyError> for DecideError {
    fn from(error: IdempotencyError) -> Self {
        match error {
            IdempotencyError::IdReused => Self::RequestReused,
            IdempotencyError::Store(error) => Self::Store(error),
        }
    }
}

/// The outcome of one source of a merge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MergeOutcome {
    /// The source is in the target already.
    Same,
    /// The source is merged, by the decision of this id.
    Merged(String),
    /// No live profile answers to the source's id.
    NotFound,
    /// The named rule refuses it.
    Refused(String),
}

/// The answer to a request to decide.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    /// The ids of the decisions made; of a merge in the order of its sources.
    pub decisions: Vec<String>,
    /// The outcome of each source of a merge.
    pub outcomes: Vec<MergeOutcome>,
    /// The profiles concerned, after the decision; that of the request's first record comes first.
    pub profiles: Vec<Profile>,
    /// A read that reflects this write sees all of the answer. `None` if nothing was to be written.
    pub sequence: Option<Sequence>,
}

/// The part of an answer that is stored for the same request again. Profiles are folded anew.
#[derive(Debug, Serialize, Deserialize)]
struct StoredAnswer {
    decisions: Vec<String>,
    outcomes: Vec<MergeOutcome>,
    records: Vec<RecordKey>,
}

impl Writer {
    /// Decides; with `validate_only` answers what a decision would change, and writes nothing.
    pub(super) async fn decide(
        &self,
        tenant: &TenantId,
        request: &DecisionRequest,
        validate_only: bool,
    ) -> Result<Decided, DecideError> {
        let (mut tx, active) = self.begin(tenant).await?;
        let model = &active.model;
        let id = if validate_only {
            ""
        } else {
            &request.request_id
        };
        let idempotent = IdempotentRequest::new(id, request);
        if let Some(earlier) = idempotent.earlier_answer(tx.reads()).await? {
            return self.answer_again(tenant, tx, earlier, model).await;
        }
        let context = WriteContext {
            tenant,
            sequence: tx.sequence(),
            now: self.decision_time(&*tx),
        };
        let decisions = DecisionPlan::new(tx.reads(), context, request, model).await?;
        let load = neighbourhood::load(tx.reads(), decisions.seeds(), model);
        let neighbourhood = self.step("load_neighbourhood", load).await?;
        let cause = |from: ProfileId| decisions.cause(from, request);
        let mut plan = changes::plan(context, &Applied::default(), &neighbourhood, &cause, model);
        plan.add_unchanged(&neighbourhood);
        let profiles = plan.fold_profiles(&decisions.records, model, context.now);
        let mut decided = Decided {
            decisions: decisions.ids(),
            outcomes: decisions.outcomes.clone(),
            profiles,
            sequence: Some(context.sequence),
        };
        if validate_only || decisions.is_empty() {
            let before = self.give_back(tenant, tx).await;
            decided.sequence = (!validate_only).then_some(before);
            return Ok(decided);
        }
        let answer = StoredAnswer {
            decisions: decided.decisions.clone(),
            outcomes: decisions.outcomes,
            records: decisions.records,
        };
        plan.changes
            .requests
            .extend(idempotent.row(context.sequence, &answer)?);
        plan.changes.added_decisions = decisions.made;
        plan.changes.withdrawn_decisions = decisions.withdrawn;
        self.commit(context, &active, Box::new(Held(tx)), plan)
            .await?;
        Ok(decided)
    }

    /// The time of a decision. Later decisions outweigh earlier ones, so no two of a tenant have
    /// the same time.
    fn decision_time(&self, tx: &dyn Transaction) -> Timestamp {
        let next = Timestamp::from_micros(tx.not_before().as_micros() + 1);
        self.clock.now().max(next)
    }

    /// The answer that was given before, with the profiles as they are now.
    async fn answer_again(
        &self,
        tenant: &TenantId,
        mut tx: Box<dyn Transaction>,
        earlier: EarlierAnswer<StoredAnswer>,
        model: &Model,
    ) -> Result<Decided, DecideError> {
        let StoredAnswer {
            decisions,
            outcomes,
            records,
        } = earlier.answer;
        let seeds = Seeds {
            seeds: records.iter().cloned().collect(),
            ..Seeds::default()
        };
        let found = neighbourhood::load(tx.reads(), seeds, model).await?;
        let unchanged = Plan {
            after: found.records,
            rows: found.rows,
            ..Plan::default()
        };
        let profiles = unchanged.fold_profiles(&records, model, self.clock.now());
        let before = self.give_back(tenant, tx).await;
        Ok(Decided {
            decisions,
            outcomes,
            profiles,
            sequence: Some(before.max(earlier.sequence)),
        })
    }

    /// Gives the write turn back. The write before it is the one that all of what was read here is
    /// visible after.
    pub(super) async fn give_back(&self, tenant: &TenantId, tx: Box<dyn Transaction>) -> Sequence {
        let before = tx.sequence().before();
        drop(tx);
        self.follower.see(tenant, before).await;
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{World, key, record};

    fn request(operation: Operation) -> DecisionRequest {
        DecisionRequest {
            operation,
            actor: "a person".to_owned(),
            note: String::new(),
            override_rules: false,
            request_id: String::new(),
        }
    }

    fn merge(target: ProfileId, source: ProfileId) -> DecisionRequest {
        request(Operation::Merge {
            target,
            sources: vec![source],
        })
    }

    async fn decide(
        world: &World,
        request: DecisionRequest,
        validate_only: bool,
    ) -> Result<Decided, DecideError> {
        let ingest = &world.ingest;
        ingest.decide(&world.tenant, request, validate_only).await
    }

    #[tokio::test]
    async fn the_same_request_again_gets_its_first_answer_and_writes_nothing() {
        let world = World::new();
        let one = world.store(record("1", "account", "a")).await;
        let other = world.store(record("2", "account", "b")).await;
        let request = DecisionRequest {
            request_id: "r1".to_owned(),
            ..merge(one, other)
        };
        let first = decide(&world, request.clone(), false)
            .await
            .expect("merges");
        let written = world.head().await;
        let again = decide(&world, request, false).await.expect("answers");
        assert_eq!(again.decisions, first.decisions);
        assert_eq!(again.outcomes, first.outcomes);
        assert_eq!(world.head().await, written);
    }

    #[tokio::test]
    async fn a_tried_merge_shows_the_profile_and_writes_nothing() {
        let world = World::new();
        let one = world.store(record("1", "account", "a")).await;
        let other = world.store(record("2", "account", "b")).await;
        let before = world.head().await;
        let tried = decide(&world, merge(one, other), true)
            .await
            .expect("tries");
        assert_eq!(tried.profiles[0].records.len(), 2);
        assert_eq!(tried.sequence, None);
        assert_eq!(world.head().await, before);
    }

    #[tokio::test]
    async fn a_split_must_leave_a_part_of_the_profile() {
        let world = World::new();
        let profile = world.store(record("1", "account", "a")).await;
        let split = request(Operation::Split {
            profile,
            records: vec![key("1")],
        });
        let refused = decide(&world, split, false).await;
        assert!(matches!(refused, Err(DecideError::NothingStays)));
    }

    #[tokio::test]
    async fn overriding_a_decision_does_not_override_the_limit_of_records() {
        let world = World::new();
        let mut profiles = Vec::new();
        for (id, account) in [("1", "a"), ("2", "a"), ("3", "b"), ("4", "b")] {
            profiles.push(world.store(record(id, "account", account)).await);
        }
        let separation = request(Operation::Candidate {
            left: key("1"),
            right: key("3"),
            kind: DecisionKind::CannotLink,
        });
        decide(&world, separation, false).await.expect("separates");
        let merge = DecisionRequest {
            override_rules: true,
            ..merge(profiles[0], profiles[2])
        };
        let decided = decide(&world, merge, false).await.expect("an answer");
        let limit = MergeOutcome::Refused(Guard::ClusterBound.name());
        assert_eq!(
            decided.outcomes,
            [limit],
            "four records, where three are allowed"
        );
    }
}
