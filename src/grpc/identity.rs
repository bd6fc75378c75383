//! `IdentityService`: who is who and why, from the wire to the explainer and back; and people's
//! decisions.
//!
//! What only tells is here; what decides is in `decisions`.

mod decisions;
mod decode;
mod encode;

use std::sync::Arc;

use profile_core::records::{ProfileId, Sequence};
use tonic::{Request, Response, Status};

use super::call_context::CallContext;
use super::status::{Checked, both, from_explain, page_size, refused};
use super::v1::{self, identity_service_server::IdentityService};
use super::{decode as common, token};
use crate::explain::{CandidateQuery, Explainer, PageCursor};
use crate::ingest::Ingest;
use crate::store::{IdentityChangePage, QueuePage, Store};

/// How large a page is, and how large it may be.
const PAGE: usize = 50;
const MAX_PAGE: usize = 500;

/// The service.
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
        let context = CallContext::of(&request)?;
        let id = common::profile(&request.into_inner().name, "name").map_err(refused)?;
        let told = self.explainer.profile(&context.tenant, id).await;
        Ok(Response::new(encode::profile(
            told.map_err(|error| from_explain(error, &context))?,
        )))
    }

    async fn explain_pair(
        &self,
        request: Request<v1::ExplainPairRequest>,
    ) -> Result<Response<v1::ExplainPairResponse>, Status> {
        let context = CallContext::of(&request)?;
        let v1::ExplainPairRequest { left, right } = request.into_inner();
        let sides = both(decode::side(left, "left"), decode::side(right, "right"));
        let (left, right) = sides.map_err(refused)?;
        let told = self.explainer.pair(&context.tenant, &left, &right).await;
        Ok(Response::new(encode::pair(
            told.map_err(|error| from_explain(error, &context))?,
        )))
    }

    async fn list_match_candidates(
        &self,
        request: Request<v1::ListMatchCandidatesRequest>,
    ) -> Result<Response<v1::ListMatchCandidatesResponse>, Status> {
        let context = CallContext::of(&request)?;
        let request = request.into_inner();
        let page = both(
            page_size(request.page_size, PAGE, MAX_PAGE),
            optional(&request.profile),
        );
        let range = both(
            decode::min(request.min_probability),
            decode::max(request.max_probability),
        );
        let ((limit, profile), (min_millibits, max_millibits)) =
            both(page, range).map_err(refused)?;
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
        let found = self.explainer.candidates(&context.tenant, &query).await;
        let found = found.map_err(|error| from_explain(error, &context))?;
        Ok(Response::new(v1::ListMatchCandidatesResponse {
            candidates: found
                .candidates
                .into_iter()
                .map(encode::candidate)
                .collect(),
            next_page_token: found
                .next
                .map(|next| token::page_token(next, &asked))
                .unwrap_or_default(),
        }))
    }

    async fn list_household(
        &self,
        request: Request<v1::ListHouseholdRequest>,
    ) -> Result<Response<v1::ListHouseholdResponse>, Status> {
        let context = CallContext::of(&request)?;
        let id = common::profile(&request.into_inner().name, "name").map_err(refused)?;
        let found = self.explainer.household(&context.tenant, id).await;
        let members = found
            .map_err(|error| from_explain(error, &context))?
            .into_iter();
        Ok(Response::new(v1::ListHouseholdResponse {
            members: members.map(encode::related).collect(),
        }))
    }

    async fn list_decisions(
        &self,
        request: Request<v1::ListDecisionsRequest>,
    ) -> Result<Response<v1::ListDecisionsResponse>, Status> {
        let context = CallContext::of(&request)?;
        let request = request.into_inner();
        let limit = page_size(request.page_size, PAGE, MAX_PAGE).map_err(refused)?;
        let after: Option<(Sequence, String)> =
            token::parse_page_token(&request.page_token, &"decisions")?;
        let found = self
            .explainer
            .decisions(&context.tenant, after, limit)
            .await;
        let found = found.map_err(|error| from_explain(error, &context))?;
        Ok(Response::new(v1::ListDecisionsResponse {
            decisions: found.decisions.into_iter().map(encode::decision).collect(),
            next_page_token: found
                .next
                .map(|next| token::page_token(next, &"decisions"))
                .unwrap_or_default(),
        }))
    }

    async fn list_identity_changes(
        &self,
        request: Request<v1::ListIdentityChangesRequest>,
    ) -> Result<Response<v1::ListIdentityChangesResponse>, Status> {
        let context = CallContext::of(&request)?;
        let request = request.into_inner();
        let page = both(
            page_size(request.page_size, PAGE, MAX_PAGE),
            optional(&request.profile),
        );
        let (limit, profile) = page.map_err(refused)?;
        let before: Option<(Sequence, i32)> =
            token::parse_page_token(&request.page_token, &profile)?;
        let page = IdentityChangePage {
            profile,
            before,
            limit,
        };
        let found = self.explainer.changes(&context.tenant, &page).await;
        let found = found.map_err(|error| from_explain(error, &context))?;
        Ok(Response::new(v1::ListIdentityChangesResponse {
            changes: found.changes.into_iter().map(encode::change).collect(),
            next_page_token: found
                .next
                .map(|next| token::page_token(next, &profile))
                .unwrap_or_default(),
        }))
    }

    async fn decide_candidate(
        &self,
        request: Request<v1::DecideCandidateRequest>,
    ) -> Result<Response<v1::DecideCandidateResponse>, Status> {
        decisions::decide_candidate(self, request).await
    }

    async fn merge_profiles(
        &self,
        request: Request<v1::MergeProfilesRequest>,
    ) -> Result<Response<v1::MergeProfilesResponse>, Status> {
        decisions::merge_profiles(self, request).await
    }

    async fn split_profile(
        &self,
        request: Request<v1::SplitProfileRequest>,
    ) -> Result<Response<v1::SplitProfileResponse>, Status> {
        decisions::split_profile(self, request).await
    }

    async fn withdraw_decision(
        &self,
        request: Request<v1::WithdrawDecisionRequest>,
    ) -> Result<Response<v1::WithdrawDecisionResponse>, Status> {
        decisions::withdraw_decision(self, request).await
    }

    async fn preview_merge(
        &self,
        request: Request<v1::PreviewMergeRequest>,
    ) -> Result<Response<v1::PreviewMergeResponse>, Status> {
        decisions::preview_merge(self, request).await
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
