//! `ProfileService`: reads, from the wire to the reader and back.

use std::sync::Arc;

use profile_core::model::Model;
use profile_core::records::{Reason, Violation, words};
use prost_types::FieldMask;
use tonic::{Request, Response, Status};

use super::call_context::CallContext;
use super::encode::{Projection, PurposeScope, found_by, merged_from, profile, read_info};
use super::status::{Checked, both, page_size, refused};
use super::v1::{self, consistency::Requirement, profile_service_server::ProfileService};
use super::watch::{self, Watches};
use super::{decode, status, token};
use crate::active_models::ActiveModels;
use crate::clock::Clock;
use crate::reader::{Answer, Freshness, Key, Reader, SearchCursor};
use crate::store::Store;

/// How many keys a batch may have.
const MAX_KEYS: usize = 500;
/// Maximum number of words of a search: each is looked for in five thousand words that are written
/// alike.
const MAX_WORDS: usize = 16;
/// The longest search, in bytes, and the shortest.
const QUERY_BYTES: std::ops::RangeInclusive<usize> = 2..=256;

/// The service.
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
    /// What a purpose may see depends on the time.
    pub clock: Arc<dyn Clock>,
}

#[tonic::async_trait]
impl ProfileService for ProfileApi {
    async fn get_profile(
        &self,
        request: Request<v1::GetProfileRequest>,
    ) -> Result<Response<v1::GetProfileResponse>, Status> {
        let context = CallContext::of(&request)?;
        let request = request.into_inner();
        let shape = self
            .shape(request.view, request.read_mask, request.purpose, &context)
            .await?;
        let as_of = decode::as_of(request.as_of_time, request.consistency.as_ref());
        let ((key, shape), as_of) =
            both(both(decode::key(request.key, "key"), shape), as_of).map_err(refused)?;
        let found = if let Some(time) = as_of {
            self.reader.profile_as_of(&context.tenant, &key, time).await
        } else {
            let freshness = self.freshness(request.consistency, &context).await?;
            self.reader.profile(&context.tenant, &key, freshness).await
        };
        let found = found.map_err(|error| status::from_reader(error, &context))?;
        let (profile, withheld) = shape.of(
            &found.profile,
            found.as_of.unwrap_or_else(|| self.clock.now()),
        );
        Ok(Response::new(v1::GetProfileResponse {
            profile: Some(profile),
            withheld,
            read_info: Some(self.read_info(&found, &context)),
            merged_from: merged_from(&found),
        }))
    }

    async fn batch_get_profiles(
        &self,
        request: Request<v1::BatchGetProfilesRequest>,
    ) -> Result<Response<v1::BatchGetProfilesResponse>, Status> {
        let context = CallContext::of(&request)?;
        let request = request.into_inner();
        let shape = self
            .shape(request.view, request.read_mask, request.purpose, &context)
            .await?;
        let count = status::count("keys", request.keys.len(), MAX_KEYS, "keys");
        let ((), shape) = both(count, shape).map_err(refused)?;
        let freshness = self.freshness(request.consistency, &context).await?;
        let keys: Vec<Result<Key, Status>> = request
            .keys
            .into_iter()
            .enumerate()
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
        let now = self.clock.now();
        let results = keys.into_iter().map(|key| {
            let answer = key.and_then(|_| match found.next() {
                Some(Ok(answer)) => Ok(answer),
                Some(Err(error)) => Err(status::from_reader(error, &context)),
                None => Err(status::from_reader(
                    crate::reader::Error::NotFound,
                    &context,
                )),
            });
            match answer {
                Ok(answer) => {
                    let (profile, withheld) = shape.of(&answer.profile, now);
                    v1::BatchGetProfilesResult {
                        status: Some(status::ok()),
                        profile: Some(profile),
                        read_info: Some(self.read_info(&answer, &context)),
                        merged_from: merged_from(&answer),
                        withheld,
                    }
                }
                Err(status) => v1::BatchGetProfilesResult {
                    status: Some(status::to_message(&status)),
                    ..Default::default()
                },
            }
        });
        Ok(Response::new(v1::BatchGetProfilesResponse {
            results: results.collect(),
        }))
    }

    async fn list_timeline(
        &self,
        request: Request<v1::ListTimelineRequest>,
    ) -> Result<Response<v1::ListTimelineResponse>, Status> {
        let context = CallContext::of(&request)?;
        self.timeline(request.into_inner(), &context)
            .await
            .map(Response::new)
    }

    async fn get_object(
        &self,
        request: Request<v1::GetObjectRequest>,
    ) -> Result<Response<v1::GetObjectResponse>, Status> {
        let context = CallContext::of(&request)?;
        self.object(request.into_inner(), &context)
            .await
            .map(Response::new)
    }

    async fn search_profiles(
        &self,
        request: Request<v1::SearchProfilesRequest>,
    ) -> Result<Response<v1::SearchProfilesResponse>, Status> {
        let context = CallContext::of(&request)?;
        let request = request.into_inner();
        let query = request.query.trim();
        let (limit, ()) =
            both(page_size(request.page_size, 20, 100), query_text(query)).map_err(refused)?;
        let after: Option<SearchCursor> = token::parse_page_token(&request.page_token, &query)?;
        let found = self
            .reader
            .search(&context.tenant, query, after, limit)
            .await;
        let found = found.map_err(|error| status::from_store(&error, &context))?;
        let hits = found.hits.into_iter().map(|hit| v1::SearchHit {
            read_info: Some(self.read_info(&hit.profile, &context)),
            profile: Some(profile(&hit.profile.profile, &Projection::default())),
            found_by: hit.found_by.into_iter().map(found_by).collect(),
        });
        let next = found.next.map(|next| token::page_token(next, &query));
        Ok(Response::new(v1::SearchProfilesResponse {
            hits: hits.collect(),
            next_page_token: next.unwrap_or_default(),
        }))
    }

    type WatchProfilesStream = watch::Messages;

    async fn watch_profiles(
        &self,
        request: Request<v1::WatchProfilesRequest>,
    ) -> Result<Response<watch::Messages>, Status> {
        let context = CallContext::of(&request)?;
        let (reader, store) = (self.reader.clone(), self.store.clone());
        watch::begin(&self.watches, reader, store, context, request.into_inner())
            .await
            .map(Response::new)
    }
}

impl ProfileApi {
    pub(super) fn read_info(&self, answer: &Answer, context: &CallContext) -> v1::ReadInfo {
        read_info(answer, self.reader.store_id(), &context.tenant)
    }

    pub(super) async fn freshness(
        &self,
        wanted: Option<v1::Consistency>,
        context: &CallContext,
    ) -> Result<Freshness, Status> {
        freshness(&*self.store, wanted, context).await
    }

    pub(super) async fn model(&self, context: &CallContext) -> Result<Arc<Model>, Status> {
        let running = self
            .models
            .of(&context.tenant)
            .await
            .map_err(|error| status::from_store(&error, context))?;
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
    ) -> Result<Checked<Projection>, Status> {
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
) -> Result<Freshness, Status> {
    match wanted.and_then(|wanted| wanted.requirement) {
        None | Some(Requirement::MinimizeLatency(_)) => Ok(Freshness::MinimizeLatency),
        Some(Requirement::FullyConsistent(_)) => Ok(Freshness::Full),
        Some(Requirement::MaxStaleness(staleness)) => decode::staleness(staleness)
            .map(Freshness::MaxStaleness)
            .map_err(refused),
        Some(Requirement::AtLeastAsFresh(read_token)) => {
            let store = store
                .id()
                .await
                .map_err(|error| status::from_store(&error, context))?;
            token::parse_read_token(&read_token, store, &context.tenant).map(Freshness::AtLeast)
        }
    }
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
