//! `IdentityService`: who is who and why, from the wire to the explainer and back; and people's
//! decisions.
//!
//! Methods that only read are here; those that decide are in `decisions`.

mod decisions;
mod decode;
pub(super) mod encode;

use std::sync::Arc;

use profile_core::records::{ProfileId, Sequence};
use tonic::{Request, Response, Status};

pub(super) use decisions::Who;

use super::call_context::CallContext;
use super::checked::{Checked, both, page_size};
use super::error::ApiError;
use super::v1::{self, identity_service_server::IdentityService};
use super::{decode as common, token};
use crate::explain::{CandidateQuery, Explainer, PageCursor};
use crate::ingest::Ingest;
use crate::store::{IdentityChangePage, QueuePage, Store};

/// How large a page is, and how large it may be.
const PAGE: usize = 50;
const MAX_PAGE: usize = 500;

/// Serves `IdentityService`.
#[derive(Clone)]
pub struct IdentityApi {
    /// Tells who is who and why.
    pub explainer: Explainer,
    /// Where decisions go.
    pub ingest: Ingest,
    /// For read tokens.
    pub store: Arc<dyn Store>,
}

#[tonic::async_trait]
impl IdentityService for IdentityApi {
    async fn explain_profile(
        &self,
        request: Request<v1::ExplainProfileRequest>,
    ) -> Result<Response<v1::ExplainProfileResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(self.explain_profile(request, &context).await)
    }

    async fn explain_pair(
        &self,
        request: Request<v1::ExplainPairRequest>,
    ) -> Result<Response<v1::ExplainPairResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(self.explain_pair(request, &context).await)
    }

    async fn list_match_candidates(
        &self,
        request: Request<v1::ListMatchCandidatesRequest>,
    ) -> Result<Response<v1::ListMatchCandidatesResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(self.list_match_candidates(request, &context).await)
    }

    async fn list_household(
        &self,
        request: Request<v1::ListHouseholdRequest>,
    ) -> Result<Response<v1::ListHouseholdResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(self.list_household(request, &context).await)
    }

    async fn list_decisions(
        &self,
        request: Request<v1::ListDecisionsRequest>,
    ) -> Result<Response<v1::ListDecisionsResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(self.list_decisions(request, &context).await)
    }

    async fn list_identity_changes(
        &self,
        request: Request<v1::ListIdentityChangesRequest>,
    ) -> Result<Response<v1::ListIdentityChangesResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(self.list_identity_changes(request, &context).await)
    }

    async fn decide_candidate(
        &self,
        request: Request<v1::DecideCandidateRequest>,
    ) -> Result<Response<v1::DecideCandidateResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(decisions::decide_candidate(self, request, &context).await)
    }

    async fn merge_profiles(
        &self,
        request: Request<v1::MergeProfilesRequest>,
    ) -> Result<Response<v1::MergeProfilesResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(decisions::merge_profiles(self, request, &context).await)
    }

    async fn split_profile(
        &self,
        request: Request<v1::SplitProfileRequest>,
    ) -> Result<Response<v1::SplitProfileResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(decisions::split_profile(self, request, &context).await)
    }

    async fn withdraw_decision(
        &self,
        request: Request<v1::WithdrawDecisionRequest>,
    ) -> Result<Response<v1::WithdrawDecisionResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(decisions::withdraw_decision(self, request, &context).await)
    }

    async fn preview_merge(
        &self,
        request: Request<v1::PreviewMergeRequest>,
    ) -> Result<Response<v1::PreviewMergeResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(decisions::preview_merge(self, request, &context).await)
    }
}

impl IdentityApi {
    async fn explain_profile(
        &self,
        request: v1::ExplainProfileRequest,
        context: &CallContext,
    ) -> Result<v1::ExplainProfileResponse, ApiError> {
        let id = common::profile(&request.name, "name")?;
        let told = self.explainer.profile(&context.tenant, id).await;
        Ok(encode::profile(told?))
    }

    async fn explain_pair(
        &self,
        request: v1::ExplainPairRequest,
        context: &CallContext,
    ) -> Result<v1::ExplainPairResponse, ApiError> {
        let v1::ExplainPairRequest { left, right } = request;
        let sides = both(decode::side(left, "left"), decode::side(right, "right"));
        let (left, right) = sides?;
        let told = self.explainer.pair(&context.tenant, &left, &right).await;
        Ok(encode::pair(told?))
    }

    async fn list_match_candidates(
        &self,
        request: v1::ListMatchCandidatesRequest,
        context: &CallContext,
    ) -> Result<v1::ListMatchCandidatesResponse, ApiError> {
        let page = both(
            page_size(request.page_size, PAGE, MAX_PAGE),
            optional(&request.profile),
        );
        let range = both(
            decode::min(request.min_probability),
            decode::max(request.max_probability),
        );
        let ((limit, profile), (min_millibits, max_millibits)) = both(page, range)?;
        let asked = (profile, min_millibits, max_millibits);
        let after: Option<PageCursor> = token::parse_page_token(&request.page_token, &asked)?;
        let query = CandidateQuery {
            profile,
            page: QueuePage {
                min_millibits,
                max_millibits,
                after,
                limit,
            },
        };
        let found = self.explainer.candidates(&context.tenant, &query).await?;
        Ok(v1::ListMatchCandidatesResponse {
            candidates: found
                .candidates
                .into_iter()
                .map(encode::candidate)
                .collect(),
            next_page_token: found
                .next
                .map(|next| token::page_token(next, &asked))
                .unwrap_or_default(),
        })
    }

    async fn list_household(
        &self,
        request: v1::ListHouseholdRequest,
        context: &CallContext,
    ) -> Result<v1::ListHouseholdResponse, ApiError> {
        let id = common::profile(&request.name, "name")?;
        let found = self.explainer.household(&context.tenant, id).await;
        let members = found?.into_iter();
        Ok(v1::ListHouseholdResponse {
            members: members.map(encode::related).collect(),
        })
    }

    async fn list_decisions(
        &self,
        request: v1::ListDecisionsRequest,
        context: &CallContext,
    ) -> Result<v1::ListDecisionsResponse, ApiError> {
        let limit = page_size(request.page_size, PAGE, MAX_PAGE)?;
        let after: Option<(Sequence, String)> =
            token::parse_page_token(&request.page_token, &"decisions")?;
        let found = self
            .explainer
            .decisions(&context.tenant, after, limit)
            .await?;
        Ok(v1::ListDecisionsResponse {
            decisions: found.decisions.into_iter().map(encode::decision).collect(),
            next_page_token: found
                .next
                .map(|next| token::page_token(next, &"decisions"))
                .unwrap_or_default(),
        })
    }

    async fn list_identity_changes(
        &self,
        request: v1::ListIdentityChangesRequest,
        context: &CallContext,
    ) -> Result<v1::ListIdentityChangesResponse, ApiError> {
        let page = both(
            page_size(request.page_size, PAGE, MAX_PAGE),
            optional(&request.profile),
        );
        let (limit, profile) = page?;
        let before: Option<(Sequence, i32)> =
            token::parse_page_token(&request.page_token, &profile)?;
        let page = IdentityChangePage {
            profile,
            before,
            limit,
        };
        let found = self.explainer.changes(&context.tenant, &page).await?;
        Ok(v1::ListIdentityChangesResponse {
            changes: found.changes.into_iter().map(encode::change).collect(),
            next_page_token: found
                .next
                .map(|next| token::page_token(next, &profile))
                .unwrap_or_default(),
        })
    }
}

/// A profile to keep to; empty: none.
fn optional(name: &str) -> Checked<Option<ProfileId>> {
    if name.is_empty() {
        Ok(None)
    } else {
        common::profile(name, "profile").map(Some)
    }
}
