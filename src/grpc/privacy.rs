//! `PrivacyService`: giving out all that is known of customers, and forgetting them.

mod export;

pub(crate) use export::hex;

use std::sync::Arc;
use std::time::Duration;

use profile_core::records::{Reason, Sequence, Violation};
use tonic::{Request, Response, Status};

use super::call_context::CallContext;
use super::checked::{Checked, both, page_size};
use super::encode::time;
use super::error::ApiError;
use super::identity::Who;
use super::names::profile_name;
use super::v1::{self, privacy_service_server::PrivacyService};
use super::{decode, token};
use crate::clock::Clock;
use crate::ingest::{EraseRequest, Ingest};
use crate::reader::Reader;
use crate::store::{ErasedPlace, Release, Store, StoredErasure};

/// How large a page is, and how large it may be.
const PAGE: usize = 50;
const MAX_PAGE: usize = 500;

/// Serves `PrivacyService`.
#[derive(Clone)]
pub struct PrivacyApi {
    /// Where erasures go.
    pub ingest: Ingest,
    /// Where receipts are kept.
    pub store: Arc<dyn Store>,
    /// The time of a release.
    pub clock: Arc<dyn Clock>,
    /// The read path.
    pub reader: Reader,
    /// For how long other servers may answer from their caches without having read the log.
    pub max_staleness: Duration,
}

#[tonic::async_trait]
impl PrivacyService for PrivacyApi {
    type ExportProfileStream = export::Parts;

    async fn export_profile(
        &self,
        request: Request<v1::ExportProfileRequest>,
    ) -> Result<Response<export::Parts>, Status> {
        let (request, context) = CallContext::split(request).await?;
        // An export without some fields would look like one that has all.
        context.needs_all()?;
        let begun = export::begin(self, request, context.clone()).await;
        context.answer_stream(begun)
    }

    async fn erase_profile(
        &self,
        request: Request<v1::EraseProfileRequest>,
    ) -> Result<Response<v1::EraseProfileResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(self.erase_profile(request, &context).await)
    }

    async fn list_erasures(
        &self,
        request: Request<v1::ListErasuresRequest>,
    ) -> Result<Response<v1::ListErasuresResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(self.list_erasures(request, &context).await)
    }

    async fn release_erasure(
        &self,
        request: Request<v1::ReleaseErasureRequest>,
    ) -> Result<Response<v1::ReleaseErasureResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(self.release_erasure(request, &context).await)
    }
}

impl PrivacyApi {
    async fn erase_profile(
        &self,
        request: v1::EraseProfileRequest,
        context: &CallContext,
    ) -> Result<v1::EraseProfileResponse, ApiError> {
        let v1::EraseProfileRequest {
            name,
            expected_revision,
            note,
            request_id,
            validate_only,
        } = request;
        let what = both(decode::profile(&name, "name"), revision(expected_revision));
        let who = Who::new(note, request_id, validate_only);
        let ((profile, expected_revision), who) = both(what, who)?;
        let request = EraseRequest {
            profile,
            expected_revision,
            actor: who.actor,
            note: who.note,
            request_id: who.request_id,
        };
        let erased = self
            .ingest
            .erase(&context.tenant, request, validate_only)
            .await?;
        let mut receipt = encode(erased.receipt);
        let Some(sequence) = erased.sequence else {
            receipt.name.clear();
            return Ok(v1::EraseProfileResponse {
                erasure: Some(receipt),
                read_token: String::new(),
            });
        };
        if self.store.is_shared() {
            tokio::time::sleep(self.max_staleness).await;
        }
        let store = self.store.id().await?;
        Ok(v1::EraseProfileResponse {
            erasure: Some(receipt),
            read_token: token::read_token(store, &context.tenant, sequence),
        })
    }

    async fn list_erasures(
        &self,
        request: v1::ListErasuresRequest,
        context: &CallContext,
    ) -> Result<v1::ListErasuresResponse, ApiError> {
        let limit = page_size(request.page_size, PAGE, MAX_PAGE)?;
        let after: Option<(Sequence, String)> =
            token::parse_page_token(&request.page_token, &"erasures")?;
        let mut found = self
            .store
            .list_erasures(&context.tenant, after, limit + 1)
            .await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| more);
        let next = last.map(|last| token::page_token((last.sequence, &last.id), &"erasures"));
        Ok(v1::ListErasuresResponse {
            next_page_token: next.unwrap_or_default(),
            erasures: found.into_iter().map(encode).collect(),
        })
    }

    async fn release_erasure(
        &self,
        request: v1::ReleaseErasureRequest,
        context: &CallContext,
    ) -> Result<v1::ReleaseErasureResponse, ApiError> {
        let v1::ReleaseErasureRequest { name, note } = request;
        // The erasure is its own id of the request.
        let who = Who::new(note, String::new(), true);
        let (id, who) = both(erasure_id(&name), who)?;
        let release = Release {
            time: self.clock.now(),
            actor: who.actor,
            note: who.note,
        };
        self.store
            .release_erasure(&context.tenant, id, &release)
            .await?;
        let receipt = self.store.erasure(&context.tenant, id).await?;
        let receipt = receipt.ok_or(ApiError::NoErasure)?;
        Ok(v1::ReleaseErasureResponse {
            erasure: Some(encode(receipt)),
        })
    }
}

/// The revision that is expected; 0 is any.
fn revision(expected: i64) -> Checked<Option<i64>> {
    match expected {
        0 => Ok(None),
        1.. => Ok(Some(expected)),
        _ => Err(vec![Violation::new(
            Reason::Malformed,
            "expected_revision",
            "must not be negative",
        )]),
    }
}

fn erasure_id(name: &str) -> Checked<&str> {
    let id = name.strip_prefix("erasures/");
    id.filter(|id| !id.is_empty() && !id.contains('\0'))
        .ok_or_else(|| {
            let description = "must be `erasures/{id}`";
            vec![Violation::new(Reason::Malformed, "name", description)]
        })
}

/// The resource name of an erasure.
pub(super) fn erasure_name(id: &str) -> String {
    format!("erasures/{id}")
}

fn encode(stored: StoredErasure) -> v1::Erasure {
    let count = |rows: u64| i64::try_from(rows).unwrap_or(i64::MAX);
    let records = stored
        .places
        .iter()
        .find(|(place, _)| *place == ErasedPlace::Records);
    let record_count = records.map_or(0, |(_, rows)| *rows);
    let release_time = stored.release.as_ref().map(|release| time(release.time));
    v1::Erasure {
        name: erasure_name(&stored.id),
        profile: profile_name(&stored.profile),
        erase_time: Some(time(stored.time)),
        note: Some(v1::DecisionNote {
            actor: stored.actor,
            note: stored.note,
        }),
        record_count: i32::try_from(record_count).unwrap_or(i32::MAX),
        places: stored
            .places
            .into_iter()
            .map(|(place, rows)| v1::ErasedPlace {
                place: place.name().to_owned(),
                count: count(rows),
            })
            .collect(),
        release_time,
        release_note: stored.release.map(|release| v1::DecisionNote {
            actor: release.actor,
            note: release.note,
        }),
    }
}
