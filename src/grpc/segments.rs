//! `SegmentService`: who is in which segment, from the wire to the reader and the index, and back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use profile_core::model::Model;
use profile_core::records::{ProfileId, Reason, Violation};
use tonic::{Request, Response, Status};

use super::call_context::CallContext;
use super::checked::{Checked, both, count, page_size, size};
use super::encode::{PurposeScope, read_info, time, undeclared};
use super::error::ApiError;
use super::names::profile_name;
use super::preferences::encode::withheld as told;
use super::v1::{self, segment_service_server::SegmentService};
use super::{decode, profiles, status, token};
use crate::active_models::ActiveModels;
use crate::background::segments::{PreviewBounds, Segments};
use crate::clock::Clock;
use crate::compute::{self, Class};
use crate::reader::{Answer, Freshness, Reader};
use crate::store::{SegmentMember, Store};

/// How many keys a check may have, and how many segments.
const MAX_KEYS: usize = 500;
const MAX_SEGMENTS: usize = 50;
/// The longest condition, in bytes.
const MAX_CONDITION_BYTES: usize = 4096;
/// How many steps the index is brought on before it is answered from: some 100,000 profiles.
const MAX_STEPS: usize = 200;

/// The service.
#[derive(Clone)]
pub struct SegmentApi {
    /// Tells of each customer.
    pub reader: Reader,
    /// Tells of all customers.
    pub segments: Segments,
    /// For read tokens.
    pub store: Arc<dyn Store>,
    /// For purposes.
    pub models: Arc<ActiveModels>,
    /// What a purpose may see depends on the time.
    pub clock: Arc<dyn Clock>,
}

#[tonic::async_trait]
impl SegmentService for SegmentApi {
    async fn list_segments(
        &self,
        request: Request<v1::ListSegmentsRequest>,
    ) -> Result<Response<v1::ListSegmentsResponse>, Status> {
        let (_, context) = CallContext::split(request).await?;
        context.answer(self.list_segments(&context).await)
    }

    async fn check_membership(
        &self,
        request: Request<v1::CheckMembershipRequest>,
    ) -> Result<Response<v1::CheckMembershipResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        let mut asked = request.segments.iter();
        context.needs(|sees| asked.all(|name| sees.sees_segment(name)))?;
        context.answer(self.check_membership(request, &context).await)
    }

    async fn list_members(
        &self,
        request: Request<v1::ListMembersRequest>,
    ) -> Result<Response<v1::ListMembersResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.needs(|sees| sees.sees_segment(&request.segment))?;
        context.answer(self.list_members(request, &context).await)
    }

    async fn list_memberships(
        &self,
        request: Request<v1::ListMembershipsRequest>,
    ) -> Result<Response<v1::ListMembershipsResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(self.list_memberships(request, &context).await)
    }

    async fn preview_segment(
        &self,
        request: Request<v1::PreviewSegmentRequest>,
    ) -> Result<Response<v1::PreviewSegmentResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        // A condition could ask for what is not seen.
        context.needs_all()?;
        context.answer(self.preview_segment(request, &context).await)
    }
}

impl SegmentApi {
    async fn list_segments(
        &self,
        context: &CallContext,
    ) -> Result<v1::ListSegmentsResponse, ApiError> {
        let completeness = self.catch_up(context).await?;
        let model = self.model(context).await?;
        let counts = self.store.count_members(&context.tenant).await?;
        let count = |name: &String| {
            counts
                .iter()
                .find(|(segment, _)| segment == name)
                .map_or(0, |(_, count)| *count)
        };
        let segments = model.segments.iter().map(|(name, segment)| v1::Segment {
            segment: name.clone(),
            condition: segment.condition().to_owned(),
            description: segment.description.clone(),
            member_count: i64::try_from(count(name)).unwrap_or(i64::MAX),
        });
        let segments = segments.collect();
        Ok(v1::ListSegmentsResponse {
            segments,
            completeness: completeness.into(),
        })
    }

    async fn check_membership(
        &self,
        request: v1::CheckMembershipRequest,
        context: &CallContext,
    ) -> Result<v1::CheckMembershipResponse, ApiError> {
        let model = self.model(context).await?;
        let bound = PurposeScope::new(request.purpose, &model);
        let asked = both(
            count("keys", request.keys.len(), MAX_KEYS, "keys"),
            count("segments", request.segments.len(), MAX_SEGMENTS, "segments"),
        );
        let named = declared(
            "segments",
            &request.segments,
            &model,
            bound.as_ref().ok().and_then(Option::as_ref),
        );
        let (_, (bound, ())) = both(asked, both(bound, named))?;
        let freshness = profiles::freshness(&*self.store, request.consistency, context).await?;
        let keys = profiles::keys(request.keys);
        let found = profiles::read_each(&self.reader, context, keys, freshness).await?;
        let result = |outcome| match outcome {
            Ok(answer) => self.result(&answer, &request.segments, bound.as_ref(), context),
            Err(error) => v1::CheckMembershipResult {
                status: Some(context.item_status(error)),
                ..Default::default()
            },
        };
        let results = found.into_iter().map(result);
        Ok(v1::CheckMembershipResponse {
            results: results.collect(),
        })
    }

    async fn list_members(
        &self,
        request: v1::ListMembersRequest,
        context: &CallContext,
    ) -> Result<v1::ListMembersResponse, ApiError> {
        let model = self.model(context).await?;
        let named = declared(
            "segment",
            std::slice::from_ref(&request.segment),
            &model,
            None,
        );
        let (limit, ()) = both(page_size(request.page_size, 100, 1_000), named)?;
        let after: Option<ProfileId> =
            token::parse_page_token(&request.page_token, &request.segment)?;
        let completeness = self.catch_up(context).await?;
        let mut found = self
            .store
            .list_members(&context.tenant, &request.segment, after, limit + 1)
            .await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found
            .last()
            .filter(|_| more)
            .map(|last| token::page_token(last.profile, &request.segment));
        let members = found.into_iter().map(|member| v1::SegmentMember {
            profile: profile_name(&member.profile),
            enter_time: Some(time(member.enter_time)),
        });
        Ok(v1::ListMembersResponse {
            members: members.collect(),
            next_page_token: next.unwrap_or_default(),
            completeness: completeness.into(),
        })
    }

    async fn list_memberships(
        &self,
        request: v1::ListMembershipsRequest,
        context: &CallContext,
    ) -> Result<v1::ListMembershipsResponse, ApiError> {
        let key = decode::key(request.key, "key")?;
        let completeness = self.catch_up(context).await?;
        let found = self
            .reader
            .profile(&context.tenant, &key, Freshness::MinimizeLatency)
            .await;
        let profile = found?.profile;
        let found = self
            .store
            .memberships(&context.tenant, &[profile.id])
            .await?;
        Ok(v1::ListMembershipsResponse {
            memberships: found.into_iter().map(stay).collect(),
            profile: profile_name(&profile.id),
            completeness: completeness.into(),
        })
    }

    async fn preview_segment(
        &self,
        request: v1::PreviewSegmentRequest,
        context: &CallContext,
    ) -> Result<v1::PreviewSegmentResponse, ApiError> {
        let bounds = both(
            size("max_profiles", request.max_profiles, 100_000, 1_000_000),
            size("max_samples", request.max_samples, 10, 100),
        );
        let model = self.model(context).await?;
        let condition = request.condition;
        let compiled =
            compute::run(Class::Call, None, move || candidate(&condition, &model)).await?;
        let (candidate, bounds) = both(compiled, bounds)?;
        let bounds = PreviewBounds {
            profiles: bounds.0 as u64,
            samples: bounds.1,
        };
        let found = self
            .segments
            .preview(&context.tenant, &Arc::new(candidate), bounds)
            .await?;
        Ok(v1::PreviewSegmentResponse {
            member_count: i64::try_from(found.members).unwrap_or(i64::MAX),
            profile_count: i64::try_from(found.profiles).unwrap_or(i64::MAX),
            samples: found.samples.iter().map(profile_name).collect(),
            more_profiles: found.more,
            undecided_count: found.undecided.values().copied().map(whole).sum(),
            undecided_reasons: undecided_reasons(found.undecided),
        })
    }

    async fn model(&self, context: &CallContext) -> Result<Arc<Model>, ApiError> {
        let running = self.models.of(&context.tenant).await?;
        Ok(running.model.clone())
    }

    async fn catch_up(&self, context: &CallContext) -> Result<v1::Completeness, ApiError> {
        let caught_up = self.segments.catch_up(&context.tenant, MAX_STEPS).await?;
        Ok(if caught_up {
            v1::Completeness::Complete
        } else {
            v1::Completeness::Partial
        })
    }

    /// In which of the segments a customer is.
    fn result(
        &self,
        answer: &Answer,
        asked: &[String],
        bound: Option<&PurposeScope>,
        context: &CallContext,
    ) -> v1::CheckMembershipResult {
        let profile = &answer.profile;
        let refused = bound
            .and_then(PurposeScope::view)
            .and_then(|view| view.admits(profile, self.clock.now()).err());
        let among = |found: &BTreeSet<String>| {
            let is_among = |segment: &&String| refused.is_none() && found.contains(*segment);
            asked.iter().filter(is_among).cloned().collect()
        };
        let partial = profile
            .derived
            .computed
            .values()
            .any(|computed| computed.partial);
        let completeness = if partial {
            v1::Completeness::Partial
        } else {
            v1::Completeness::Complete
        };
        v1::CheckMembershipResult {
            status: Some(status::ok()),
            segments: among(&profile.derived.segments),
            undecided_segments: among(&profile.derived.undecided_segments),
            profile: profile_name(&profile.id),
            read_info: Some(read_info(answer, self.reader.store_id(), &context.tenant)),
            completeness: completeness.into(),
            withheld: refused.map(told),
        }
    }
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Why a condition failed, the most frequent reason first.
fn undecided_reasons(reasons: BTreeMap<String, u64>) -> Vec<v1::UndecidedReason> {
    let told = |(reason, count)| v1::UndecidedReason {
        reason,
        profile_count: whole(count),
    };
    let mut told: Vec<_> = reasons.into_iter().map(told).collect();
    told.sort_by_key(|reason| std::cmp::Reverse(reason.profile_count));
    told
}

/// Whether segments are the model's, and the purpose may see them.
fn declared(
    field: &str,
    asked: &[String],
    model: &Model,
    bound: Option<&PurposeScope>,
) -> Checked<()> {
    let view = bound.and_then(PurposeScope::view);
    let mut violations = Vec::new();
    for (index, name) in asked.iter().enumerate() {
        let place = if field == "segments" {
            format!("segments[{index}]")
        } else {
            field.to_owned()
        };
        if name.is_empty() {
            violations.push(Violation::required(place));
        } else if !model.segments.contains_key(name) {
            violations.push(undeclared(&place, "segment", name, model.segments.keys()));
        } else if let Some(withheld) = view.and_then(|view| view.withholds_segment(name)) {
            violations.push(Violation::new(Reason::NotForPurpose, place, withheld.rule));
        }
    }
    if violations.is_empty() {
        Ok(())
    } else {
        Err(violations)
    }
}

fn candidate(condition: &str, model: &Model) -> Checked<profile_core::model::Segment> {
    if condition.is_empty() {
        return Err(vec![Violation::required("condition")]);
    }
    if condition.len() > MAX_CONDITION_BYTES {
        return Err(vec![Violation::limit(
            "condition",
            condition.len(),
            MAX_CONDITION_BYTES,
            "bytes",
        )]);
    }
    let told = |message| Violation::new(Reason::Malformed, "condition", message);
    model
        .candidate_segment(condition)
        .map_err(|wrong| wrong.into_iter().map(told).collect())
}

/// A stay in a segment.
pub(super) fn stay(member: SegmentMember) -> v1::SegmentMembership {
    v1::SegmentMembership {
        segment: member.segment,
        enter_time: Some(time(member.enter_time)),
        exit_time: member.exit_time.map(time),
    }
}
