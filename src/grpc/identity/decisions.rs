//! What people decide: merges, splits, and what they say of candidates.
//!
//! Not served yet.

use tonic::{Request, Response, Status};

use super::IdentityApi;
use crate::grpc::v1;

/// Decides a candidate.
#[expect(clippy::unused_async, reason = "it will write")]
pub(super) async fn decide_candidate(
    _api: &IdentityApi,
    _request: Request<v1::DecideCandidateRequest>,
) -> Result<Response<v1::DecideCandidateResponse>, Status> {
    Err(Status::unimplemented("DecideCandidate is not served yet"))
}

/// Merges profiles.
#[expect(clippy::unused_async, reason = "it will write")]
pub(super) async fn merge_profiles(
    _api: &IdentityApi,
    _request: Request<v1::MergeProfilesRequest>,
) -> Result<Response<v1::MergeProfilesResponse>, Status> {
    Err(Status::unimplemented("MergeProfiles is not served yet"))
}

/// Takes records out of a profile.
#[expect(clippy::unused_async, reason = "it will write")]
pub(super) async fn split_profile(
    _api: &IdentityApi,
    _request: Request<v1::SplitProfileRequest>,
) -> Result<Response<v1::SplitProfileResponse>, Status> {
    Err(Status::unimplemented("SplitProfile is not served yet"))
}

/// Takes a decision back.
#[expect(clippy::unused_async, reason = "it will write")]
pub(super) async fn withdraw_decision(
    _api: &IdentityApi,
    _request: Request<v1::WithdrawDecisionRequest>,
) -> Result<Response<v1::WithdrawDecisionResponse>, Status> {
    Err(Status::unimplemented("WithdrawDecision is not served yet"))
}

/// Tells what a merge would make.
#[expect(clippy::unused_async, reason = "it will read")]
pub(super) async fn preview_merge(
    _api: &IdentityApi,
    _request: Request<v1::PreviewMergeRequest>,
) -> Result<Response<v1::PreviewMergeResponse>, Status> {
    Err(Status::unimplemented("PreviewMerge is not served yet"))
}
