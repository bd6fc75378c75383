//! `ProfileService`: reads, from the wire to the reader and back.

use std::sync::Arc;

use profile_core::model::Model;
use profile_core::permission::clearance::Clearance;
use profile_core::records::{Reason, Timestamp, Violation, words};
use prost_types::FieldMask;
use tonic::{Request, Response, Status};

use super::call_context::CallContext;
use super::checked::{Checked, both, count, page_size};
use super::encode::{Projection, PurposeScope, found_by, merged_from, profile, read_info};
use super::error::ApiError;
use super::v1::{self, consistency::Requirement, profile_service_server::ProfileService};
use super::watch::{self, Watches};
use super::{decode, status, token};
use crate::active_models::ActiveModels;
use crate::auth::Failure;
use crate::clock::Clock;
use crate::lanes;
use crate::reader::{self, Answer, Freshness, Key, PastDerived, Reader, SearchCursor};
use crate::store::Store;

/// How many keys a batch may have.
const MAX_KEYS: usize = 500;
/// Maximum number of words of a search: each is looked for in five thousand words that are written
/// alike.
const MAX_WORDS: usize = 16;
/// The longest search, in bytes, and the shortest.
const QUERY_BYTES: std::ops::RangeInclusive<usize> = 2..=256;

/// Serves `ProfileService`.
#[derive(Clone)]
pub struct ProfileApi {
    /// The read path.
    pub reader: Reader,
    /// For read tokens.
    pub store: Arc<dyn Store>,
    /// For those who watch.
    pub watches: Watches,
    /// For purposes.
    pub models: Arc<ActiveModels>,
    /// The view of a purpose depends on the time.
    pub clock: Arc<dyn Clock>,
}

#[tonic::async_trait]
impl ProfileService for ProfileApi {
    async fn get_profile(
        &self,
        request: Request<v1::GetProfileRequest>,
    ) -> Result<Response<v1::GetProfileResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(self.get_profile(request, &context).await)
    }

    async fn batch_get_profiles(
        &self,
        request: Request<v1::BatchGetProfilesRequest>,
    ) -> Result<Response<v1::BatchGetProfilesResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(self.batch_get_profiles(request, &context).await)
    }

    async fn list_timeline(
        &self,
        request: Request<v1::ListTimelineRequest>,
    ) -> Result<Response<v1::ListTimelineResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        if !request.text.is_empty() && !context.sees(Clearance::sees_all_properties) {
            return Err(context.refuse(Failure::LookupRefused));
        }
        context.answer(self.timeline(request, &context).await)
    }

    async fn get_object(
        &self,
        request: Request<v1::GetObjectRequest>,
    ) -> Result<Response<v1::GetObjectResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        let kind = request.object.as_ref().map(|object| object.kind.as_str());
        if !context.sees(|sees| kind.is_none_or(|kind| sees.sees_object(kind))) {
            return Err(context.refuse(Failure::LookupRefused));
        }
        context.answer(self.object(request, &context).await)
    }

    async fn search_profiles(
        &self,
        request: Request<v1::SearchProfilesRequest>,
    ) -> Result<Response<v1::SearchProfilesResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(self.search_profiles(request, &context).await)
    }

    type WatchProfilesStream = watch::Watched;

    async fn watch_profiles(
        &self,
        request: Request<v1::WatchProfilesRequest>,
    ) -> Result<Response<watch::Watched>, Status> {
        let (request, context) = CallContext::split(request).await?;
        let (reader, store) = (self.reader.clone(), self.store.clone());
        let begun = watch::begin(&self.watches, reader, store, context.clone(), request).await;
        context.answer_stream(begun)
    }
}

impl ProfileApi {
    async fn get_profile(
        &self,
        request: v1::GetProfileRequest,
        context: &CallContext,
    ) -> Result<v1::GetProfileResponse, ApiError> {
        let shape = self
            .shape(request.view, request.read_mask, request.purpose, context)
            .await?;
        let as_of = decode::as_of(request.as_of_time, request.consistency.as_ref());
        let ((key, shape), as_of) = both(both(decode::key(request.key, "key"), shape), as_of)?;
        let found = if let Some(time) = as_of {
            let derived = if shape.wants_derived() {
                PastDerived::Counted
            } else {
                PastDerived::LeftOut
            };
            let found = self
                .reader
                .profile_as_of(&context.tenant, &key, time, derived);
            lanes::heavy(found).await
        } else {
            let freshness = self.freshness(request.consistency, context).await?;
            self.reader.profile(&context.tenant, &key, freshness).await
        };
        let found = found?;
        let (profile, withheld) = shape.of(
            &found.profile,
            found.as_of.unwrap_or_else(|| self.clock.now()),
        );
        Ok(v1::GetProfileResponse {
            profile: Some(profile),
            withheld,
            read_info: Some(self.read_info(&found, context)),
            merged_from: merged_from(&found),
        })
    }

    async fn batch_get_profiles(
        &self,
        request: v1::BatchGetProfilesRequest,
        context: &CallContext,
    ) -> Result<v1::BatchGetProfilesResponse, ApiError> {
        let shape = self
            .shape(request.view, request.read_mask, request.purpose, context)
            .await?;
        let count = count("keys", request.keys.len(), MAX_KEYS, "keys");
        let ((), shape) = both(count, shape)?;
        let freshness = self.freshness(request.consistency, context).await?;
        let found = read_each(&self.reader, context, keys(request.keys), freshness).await?;
        let now = self.clock.now();
        let result = |outcome| match outcome {
            Ok(answer) => self.batch_result(&answer, &shape, now, context),
            Err(error) => v1::BatchGetProfilesResult {
                status: Some(context.item_status(error)),
                ..Default::default()
            },
        };
        let results = found.into_iter().map(result);
        Ok(v1::BatchGetProfilesResponse {
            results: results.collect(),
        })
    }

    async fn search_profiles(
        &self,
        request: v1::SearchProfilesRequest,
        context: &CallContext,
    ) -> Result<v1::SearchProfilesResponse, ApiError> {
        let query = request.query.trim();
        let (limit, ()) = both(page_size(request.page_size, 20, 100), query_text(query))?;
        let after: Option<SearchCursor> = token::parse_page_token(&request.page_token, &query)?;
        let found = self
            .reader
            .search(
                &context.tenant,
                (query, context.clearance.as_ref()),
                after,
                limit,
            )
            .await?;
        let hits = found.hits.into_iter().map(|hit| v1::SearchHit {
            read_info: Some(self.read_info(&hit.profile, context)),
            profile: Some(profile(&hit.profile.profile, &Projection::default())),
            found_by: hit.found_by.into_iter().map(found_by).collect(),
        });
        let next = found.next.map(|next| token::page_token(next, &query));
        Ok(v1::SearchProfilesResponse {
            hits: hits.collect(),
            next_page_token: next.unwrap_or_default(),
            withheld: Vec::new(),
        })
    }

    fn batch_result(
        &self,
        answer: &Answer,
        shape: &Projection,
        now: Timestamp,
        context: &CallContext,
    ) -> v1::BatchGetProfilesResult {
        let (profile, withheld) = shape.of(&answer.profile, now);
        v1::BatchGetProfilesResult {
            status: Some(status::ok()),
            profile: Some(profile),
            read_info: Some(self.read_info(answer, context)),
            merged_from: merged_from(answer),
            withheld,
        }
    }

    pub(super) fn read_info(&self, answer: &Answer, context: &CallContext) -> v1::ReadInfo {
        read_info(answer, self.reader.store_id(), &context.tenant)
    }

    pub(super) async fn freshness(
        &self,
        wanted: Option<v1::Consistency>,
        context: &CallContext,
    ) -> Result<Freshness, ApiError> {
        freshness(&*self.store, wanted, context).await
    }

    pub(super) async fn model(&self, context: &CallContext) -> Result<Arc<Model>, ApiError> {
        let running = self.models.of(&context.tenant).await?;
        Ok(running.model.clone())
    }

    /// The shape that was asked for, for the purpose, if one is named. (The model is asked for only
    /// then.)
    async fn shape(
        &self,
        view: i32,
        mask: Option<FieldMask>,
        purpose: String,
        context: &CallContext,
    ) -> Result<Checked<Projection>, ApiError> {
        let shape = Projection::new(view, mask);
        if purpose.is_empty() {
            return Ok(shape);
        }
        let bound = PurposeScope::new(purpose, &self.model(context).await?);
        Ok(both(shape, bound).and_then(|(shape, bound)| shape.bound_to(bound)))
    }
}

/// How fresh a read is to be.
pub(super) async fn freshness(
    store: &dyn Store,
    wanted: Option<v1::Consistency>,
    context: &CallContext,
) -> Result<Freshness, ApiError> {
    match wanted.and_then(|wanted| wanted.requirement) {
        None | Some(Requirement::MinimizeLatency(_)) => Ok(Freshness::MinimizeLatency),
        Some(Requirement::FullyConsistent(_)) => Ok(Freshness::Full),
        Some(Requirement::MaxStaleness(staleness)) => {
            Ok(Freshness::MaxStaleness(decode::staleness(staleness)?))
        }
        Some(Requirement::AtLeastAsFresh(read_token)) => {
            let store = store.id().await?;
            let sequence = token::parse_read_token(&read_token, store, &context.tenant)?;
            Ok(Freshness::AtLeast(sequence))
        }
    }
}

/// The keys of a batch, each checked by itself.
pub(super) fn keys(keys: Vec<v1::ProfileKey>) -> Vec<Checked<Key>> {
    keys.into_iter()
        .enumerate()
        .map(|(index, key)| decode::key(Some(key), &format!("keys[{index}]")))
        .collect()
}

/// Reads the profiles of many keys. Each key has its own outcome, in the order of the keys; one
/// that is malformed is not read.
pub(super) async fn read_each(
    reader: &Reader,
    context: &CallContext,
    keys: Vec<Checked<Key>>,
    freshness: Freshness,
) -> Result<Vec<Result<Answer, ApiError>>, ApiError> {
    let readable: Vec<Key> = keys.iter().flatten().cloned().collect();
    let found = reader
        .profiles(&context.tenant, &readable, freshness)
        .await?;
    let mut found = found.into_iter();
    let outcome = |key: Checked<Key>| {
        key?;
        Ok(found.next().unwrap_or(Err(reader::Error::NotFound))?)
    };
    Ok(keys.into_iter().map(outcome).collect())
}

fn query_text(query: &str) -> Checked<()> {
    if QUERY_BYTES.contains(&query.len()) && !query.contains('\0') {
        let count = words(query).len();
        if count > MAX_WORDS {
            return Err(vec![Violation::limit("query", count, MAX_WORDS, "words")]);
        }
        return Ok(());
    }
    Err(vec![Violation::new(
        Reason::Malformed,
        "query",
        "must have 2 to 256 bytes, without U+0000",
    )])
}
