//! `SegmentService`: who is in which segment, from the wire to the reader and the index, and back.

use std::collections::BTreeSet;
use std::sync::Arc;

use profile_core::model::Model;
use profile_core::records::{ProfileId, Reason, Violation};
use tonic::{Request, Response, Status};

use super::call_context::CallContext;
use super::encode::{PurposeScope, read_info, time, undeclared};
use super::preferences::encode::withheld as told;
use super::status::{self, Checked, both, page_size, profile_name, refused, size};
use super::v1::{self, segment_service_server::SegmentService};
use super::{decode, profiles, token};
use crate::active_models::ActiveModels;
use crate::background::segments::{PreviewBounds, PreviewError, Segments};
use crate::clock::Clock;
use crate::compute::{self, Class};
use crate::reader::{Answer, Freshness, Key, Reader};
use crate::store::Store;

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
        let context = CallContext::of(&request)?;
        let completeness = self.catch_up(&context).await?;
        let model = self.model(&context).await?;
        let counts = self.store.count_members(&context.tenant).await;
        let counts = counts.map_err(|error| status::from_store(&error, &context))?;
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
        Ok(Response::new(v1::ListSegmentsResponse {
            segments,
            completeness: completeness.into(),
        }))
    }

    async fn check_membership(
        &self,
        request: Request<v1::CheckMembershipRequest>,
    ) -> Result<Response<v1::CheckMembershipResponse>, Status> {
        let context = CallContext::of(&request)?;
        let request = request.into_inner();
        let model = self.model(&context).await?;
        let bound = PurposeScope::new(request.purpose, &model);
        let asked = both(
            status::count("keys", request.keys.len(), MAX_KEYS, "keys"),
            status::count("segments", request.segments.len(), MAX_SEGMENTS, "segments"),
        );
        let named = declared(
            "segments",
            &request.segments,
            &model,
            bound.as_ref().ok().and_then(Option::as_ref),
        );
        let (_, (bound, ())) = both(asked, both(bound, named)).map_err(refused)?;
        let freshness = profiles::freshness(&*self.store, request.consistency, &context).await?;
        let keys: Vec<Result<Key, Status>> = (0..)
            .zip(request.keys)
            .map(|(index, key)| decode::key(Some(key), &format!("keys[{index}]")).map_err(refused))
            .collect();
        let readable: Vec<Key> = keys.iter().flatten().cloned().collect();
        let found = self
            .reader
            .profiles(&context.tenant, &readable, freshness)
            .await;
        let mut found = found
            .map_err(|error| status::from_store(&error, &context))?
            .into_iter();
        let results = keys.into_iter().map(|key| {
            let answer = key.and_then(|_| {
                let answer = found.next().unwrap_or(Err(crate::reader::Error::NotFound));
                answer.map_err(|error| status::from_reader(error, &context))
            });
            match answer {
                Ok(answer) => self.result(&answer, &request.segments, bound.as_ref(), &context),
                Err(status) => v1::CheckMembershipResult {
                    status: Some(status::to_message(&status)),
                    ..Default::default()
                },
            }
        });
        Ok(Response::new(v1::CheckMembershipResponse {
            results: results.collect(),
        }))
    }

    async fn list_members(
        &self,
        request: Request<v1::ListMembersRequest>,
    ) -> Result<Response<v1::ListMembersResponse>, Status> {
        let context = CallContext::of(&request)?;
        let request = request.into_inner();
        let model = self.model(&context).await?;
        let named = declared(
            "segment",
            std::slice::from_ref(&request.segment),
            &model,
            None,
        );
        let (limit, ()) = both(page_size(request.page_size, 100, 1_000), named).map_err(refused)?;
        let after: Option<ProfileId> =
            token::parse_page_token(&request.page_token, &request.segment)?;
        let completeness = self.catch_up(&context).await?;
        let found = self
            .store
            .list_members(&context.tenant, &request.segment, after, limit + 1)
            .await;
        let mut found = found.map_err(|error| status::from_store(&error, &context))?;
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
        Ok(Response::new(v1::ListMembersResponse {
            members: members.collect(),
            next_page_token: next.unwrap_or_default(),
            completeness: completeness.into(),
        }))
    }

    async fn list_memberships(
        &self,
        request: Request<v1::ListMembershipsRequest>,
    ) -> Result<Response<v1::ListMembershipsResponse>, Status> {
        let context = CallContext::of(&request)?;
        let key = decode::key(request.into_inner().key, "key").map_err(refused)?;
        let completeness = self.catch_up(&context).await?;
        let found = self
            .reader
            .profile(&context.tenant, &key, Freshness::MinimizeLatency)
            .await;
        let profile = found
            .map_err(|error| status::from_reader(error, &context))?
            .profile;
        let found = self.store.memberships(&context.tenant, &[profile.id]).await;
        let found = found.map_err(|error| status::from_store(&error, &context))?;
        let memberships = found.into_iter().map(|member| v1::SegmentMembership {
            segment: member.segment,
            enter_time: Some(time(member.enter_time)),
            exit_time: member.exit_time.map(time),
        });
        Ok(Response::new(v1::ListMembershipsResponse {
            memberships: memberships.collect(),
            profile: profile_name(&profile.id),
            completeness: completeness.into(),
        }))
    }

    async fn preview_segment(
        &self,
        request: Request<v1::PreviewSegmentRequest>,
    ) -> Result<Response<v1::PreviewSegmentResponse>, Status> {
        let context = CallContext::of(&request)?;
        let request = request.into_inner();
        let bounds = both(
            size("max_profiles", request.max_profiles, 100_000, 1_000_000),
            size("max_samples", request.max_samples, 10, 100),
        );
        let model = self.model(&context).await?;
        let condition = request.condition;
        let compiled = compute::run(Class::Call, None, move || candidate(&condition, &model)).await;
        let compiled = compiled.map_err(|error| status::from_compute(error, &context))?;
        let (candidate, bounds) = both(compiled, bounds).map_err(refused)?;
        let bounds = PreviewBounds {
            profiles: bounds.0 as u64,
            samples: bounds.1,
        };
        let found = self
            .segments
            .preview(&context.tenant, &Arc::new(candidate), bounds)
            .await;
        let found = found.map_err(|error| match error {
            PreviewError::Store(error) => status::from_store(&error, &context),
            PreviewError::Compute(error) => status::from_compute(error, &context),
            PreviewError::OverBudget(what) => refused(vec![Violation::new(
                Reason::LimitExceeded,
                "condition",
                what,
            )]),
        })?;
        Ok(Response::new(v1::PreviewSegmentResponse {
            member_count: i64::try_from(found.members).unwrap_or(i64::MAX),
            profile_count: i64::try_from(found.profiles).unwrap_or(i64::MAX),
            samples: found.samples.iter().map(profile_name).collect(),
            more_profiles: found.more,
        }))
    }
}

impl SegmentApi {
    async fn model(&self, context: &CallContext) -> Result<Arc<Model>, Status> {
        let running = self
            .models
            .of(&context.tenant)
            .await
            .map_err(|error| status::from_store(&error, context))?;
        Ok(running.model.clone())
    }

    async fn catch_up(&self, context: &CallContext) -> Result<v1::Completeness, Status> {
        let caught_up = self.segments.catch_up(&context.tenant, MAX_STEPS).await;
        let caught_up = caught_up.map_err(|error| status::from_store(&error, context))?;
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
