//! Decisions of people: merges, splits, verdicts about candidates, and withdrawals.

mod operation;

use profile_core::profile::Profile;
use profile_core::records::{Reason, RecordKey, Violation};

use super::IdentityApi;
use super::encode::decision_name;
use crate::grpc::call_context::CallContext;
use crate::grpc::checked::{Checked, both, count};
use crate::grpc::encode::{Projection, profile};
use crate::grpc::error::ApiError;
use crate::grpc::status;
use crate::grpc::{decode, token, v1};
use crate::ingest::{Decided, DecisionRequest, MergeOutcome, Operation};
pub(in crate::grpc) use operation::Who;
use operation::{kind, merge, record, same_record};

/// How many records may be taken out at once.
const MAX_RECORDS: usize = 250;

/// Decides a candidate.
pub(super) async fn decide_candidate(
    api: &IdentityApi,
    request: v1::DecideCandidateRequest,
    context: &CallContext,
) -> Result<v1::DecideCandidateResponse, ApiError> {
    let records = both(record(request.left, "left"), record(request.right, "right"));
    let records = records.and_then(|(left, right)| {
        if left == right {
            Err(same_record())
        } else {
            Ok((left, right))
        }
    });
    let what = both(records, kind(request.verdict));
    let who = Who::new(request.note, request.request_id, request.validate_only);
    let (((left, right), kind), who) = both(what, who)?;
    let operation = Operation::Candidate { left, right, kind };
    let decided = decide(api, context, operation, who, request.override_rules).await?;
    Ok(v1::DecideCandidateResponse {
        decision: made(&decided, request.validate_only)
            .into_iter()
            .next()
            .unwrap_or_default(),
        profiles: decided.profiles.iter().map(basic).collect(),
        read_token: read_token(api, context, &decided).await?,
    })
}

/// Merges profiles.
pub(super) async fn merge_profiles(
    api: &IdentityApi,
    request: v1::MergeProfilesRequest,
    context: &CallContext,
) -> Result<v1::MergeProfilesResponse, ApiError> {
    let v1::MergeProfilesRequest {
        target,
        sources,
        note,
        override_rules,
        request_id,
        validate_only,
    } = request;
    let who = Who::new(note, request_id, validate_only);
    let (operation, who) = both(merge(&target, &sources), who)?;
    let decided = decide(api, context, operation, who, override_rules).await?;
    Ok(v1::MergeProfilesResponse {
        outcomes: outcomes(context, &sources, &decided, validate_only),
        profile: decided.profiles.first().map(basic),
        read_token: read_token(api, context, &decided).await?,
    })
}

/// Tells what a merge would make.
pub(super) async fn preview_merge(
    api: &IdentityApi,
    request: v1::PreviewMergeRequest,
    context: &CallContext,
) -> Result<v1::PreviewMergeResponse, ApiError> {
    let v1::PreviewMergeRequest {
        target,
        sources,
        override_rules,
    } = request;
    let operation = merge(&target, &sources)?;
    let decided = decide(api, context, operation, Who::default(), override_rules).await?;
    let profile = decided.profiles.first().map(basic);
    Ok(v1::PreviewMergeResponse {
        outcomes: outcomes(context, &sources, &decided, true),
        profile,
    })
}

/// Takes records out of a profile.
pub(super) async fn split_profile(
    api: &IdentityApi,
    request: v1::SplitProfileRequest,
    context: &CallContext,
) -> Result<v1::SplitProfileResponse, ApiError> {
    let v1::SplitProfileRequest {
        name,
        records,
        note,
        request_id,
        validate_only,
    } = request;
    let number = count("records", records.len(), MAX_RECORDS, "records");
    let keys: Checked<Vec<RecordKey>> = records
        .into_iter()
        .enumerate()
        .map(|(index, key)| decode::record(key, &format!("records[{index}]")))
        .collect();
    let what = both(decode::profile(&name, "name"), both(number, keys));
    let ((profile, ((), records)), who) = both(what, Who::new(note, request_id, validate_only))?;
    let decided = decide(
        api,
        context,
        Operation::Split { profile, records },
        who,
        false,
    )
    .await?;
    Ok(v1::SplitProfileResponse {
        decision: made(&decided, validate_only)
            .into_iter()
            .next()
            .unwrap_or_default(),
        profiles: decided.profiles.iter().map(basic).collect(),
        read_token: read_token(api, context, &decided).await?,
    })
}

/// Takes a decision back.
pub(super) async fn withdraw_decision(
    api: &IdentityApi,
    request: v1::WithdrawDecisionRequest,
    context: &CallContext,
) -> Result<v1::WithdrawDecisionResponse, ApiError> {
    let v1::WithdrawDecisionRequest {
        name,
        note,
        request_id,
        validate_only,
    } = request;
    let decision = name
        .strip_prefix("decisions/")
        .filter(|id| !id.is_empty())
        .map(str::to_owned);
    let malformed = || {
        vec![Violation::new(
            Reason::Malformed,
            "name",
            "must be `decisions/{id}`",
        )]
    };
    let who = Who::new(note, request_id, validate_only);
    let (decision, who) = both(decision.ok_or_else(malformed), who)?;
    let decided = decide(api, context, Operation::Withdraw { decision }, who, false).await?;
    Ok(v1::WithdrawDecisionResponse {
        profiles: decided.profiles.iter().map(basic).collect(),
        read_token: read_token(api, context, &decided).await?,
    })
}

async fn decide(
    api: &IdentityApi,
    context: &CallContext,
    operation: Operation,
    who: Who,
    override_rules: bool,
) -> Result<Decided, ApiError> {
    let Who {
        actor,
        note,
        request_id,
        writes,
    } = who;
    let request = DecisionRequest {
        operation,
        actor,
        note,
        override_rules,
        request_id,
    };
    let decided = api.ingest.decide(&context.tenant, request, !writes).await?;
    Ok(decided)
}

fn outcomes(
    context: &CallContext,
    sources: &[String],
    decided: &Decided,
    validate_only: bool,
) -> Vec<v1::MergeOutcome> {
    let outcome = |(source, outcome): (&String, &MergeOutcome)| {
        let source = source.clone();
        let (answered, decision, refused_by) = match outcome {
            MergeOutcome::Same => (status::ok(), String::new(), String::new()),
            MergeOutcome::Merged(_) if validate_only => {
                (status::ok(), String::new(), String::new())
            }
            MergeOutcome::Merged(id) => (status::ok(), decision_name(id), String::new()),
            MergeOutcome::NotFound => (
                context.item_status(ApiError::SourceNotFound),
                String::new(),
                String::new(),
            ),
            MergeOutcome::Refused(rule) => (
                context.item_status(ApiError::RuleRefused(rule.clone())),
                String::new(),
                rule.clone(),
            ),
        };
        v1::MergeOutcome {
            source,
            status: Some(answered),
            decision,
            refused_by,
        }
    };
    sources.iter().zip(&decided.outcomes).map(outcome).collect()
}

/// The names of the decisions made.
fn made(decided: &Decided, validate_only: bool) -> Vec<String> {
    if validate_only {
        return Vec::new();
    }
    decided
        .decisions
        .iter()
        .map(|id| decision_name(id))
        .collect()
}

fn basic(found: &Profile) -> v1::Profile {
    profile(found, &Projection::default())
}

async fn read_token(
    api: &IdentityApi,
    context: &CallContext,
    decided: &Decided,
) -> Result<String, ApiError> {
    let Some(sequence) = decided.sequence else {
        return Ok(String::new());
    };
    let store = api.store.id().await?;
    Ok(token::read_token(store, &context.tenant, sequence))
}
