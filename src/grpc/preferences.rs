//! `PreferenceService`: how customers want to be treated, and whether they may be contacted.

pub(in crate::grpc) mod decode;
pub(in crate::grpc) mod encode;
mod permission;
mod write;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use profile_core::model::Model;
use profile_core::permission::view::View;
use profile_core::records::{Draft, PreferenceKey, RecordKey};
use tonic::{Request, Response, Status};

use super::call_context::CallContext;
use super::checked::{both, page_size};
use super::encode::{PurposeScope, key, merged_from, read_info, time};
use super::error::ApiError;
use super::names::profile_name;
use super::v1::{self, preference_service_server::PreferenceService};
use super::{decode as common, profiles, token};
use crate::active_models::ActiveModels;
use crate::clock::Clock;
use crate::ingest::Ingest;
use crate::reader::{Answer, Freshness, Key, Reader};
use crate::store::{Store, StoredStatement};

/// Serves `PreferenceService`.
#[derive(Clone)]
pub struct PreferenceApi {
    /// The read path.
    pub reader: Reader,
    /// The write path.
    pub ingest: Ingest,
    /// For purposes and channels.
    pub models: Arc<ActiveModels>,
    /// For read tokens and history.
    pub store: Arc<dyn Store>,
    /// The effective consent depends on the time.
    pub clock: Arc<dyn Clock>,
}

#[tonic::async_trait]
impl PreferenceService for PreferenceApi {
    async fn get_preferences(
        &self,
        request: Request<v1::GetPreferencesRequest>,
    ) -> Result<Response<v1::GetPreferencesResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(self.get_preferences(request, &context).await)
    }

    async fn set_preferences(
        &self,
        request: Request<v1::SetPreferencesRequest>,
    ) -> Result<Response<v1::SetPreferencesResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(write::set_preferences(self, request, &context).await)
    }

    async fn record_consent(
        &self,
        request: Request<v1::RecordConsentRequest>,
    ) -> Result<Response<v1::RecordConsentResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(write::record_consent(self, request, &context).await)
    }

    async fn list_consent_history(
        &self,
        request: Request<v1::ListConsentHistoryRequest>,
    ) -> Result<Response<v1::ListConsentHistoryResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(self.list_consent_history(request, &context).await)
    }

    async fn check_contact_permission(
        &self,
        request: Request<v1::CheckContactPermissionRequest>,
    ) -> Result<Response<v1::CheckContactPermissionResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(permission::check(self, request, &context).await)
    }

    async fn batch_check_contact_permission(
        &self,
        request: Request<v1::BatchCheckContactPermissionRequest>,
    ) -> Result<Response<v1::BatchCheckContactPermissionResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(permission::check_batch(self, request, &context).await)
    }
}

impl PreferenceApi {
    async fn get_preferences(
        &self,
        request: v1::GetPreferencesRequest,
        context: &CallContext,
    ) -> Result<v1::GetPreferencesResponse, ApiError> {
        let model = self.model(context).await?;
        let asked = both(
            common::key(request.key, "key"),
            PurposeScope::new(request.purpose, &model),
        );
        let (key, bound) = asked?;
        let freshness = profiles::freshness(&*self.store, request.consistency, context).await?;
        let found = self.read(context, &key, freshness).await?;
        let view = bound.as_ref().and_then(PurposeScope::view);
        Ok(self.effective(&found, view, context))
    }

    async fn list_consent_history(
        &self,
        request: v1::ListConsentHistoryRequest,
        context: &CallContext,
    ) -> Result<v1::ListConsentHistoryResponse, ApiError> {
        let v1::ListConsentHistoryRequest {
            key,
            purpose,
            page_size: wanted,
            page_token,
        } = request;
        let asked = both(common::key(key, "key"), page_size(wanted, 50, 500));
        let (key, limit) = asked?;
        let after: Option<Place> = token::parse_page_token(&page_token, &purpose)?;
        let found = self.read(context, &key, Freshness::Full).await?;
        let records: Vec<RecordKey> = found
            .profile
            .records
            .iter()
            .map(|record| record.key.clone())
            .collect();
        let said = async {
            self.store
                .snapshot(&context.tenant)
                .await?
                .statements(&records)
                .await
        };
        let said = said.await?;
        let consents = said
            .into_iter()
            .filter_map(|stored| Some((place(&stored), consent_record(stored, &purpose)?)));
        let mut listed: Vec<(Place, v1::ConsentRecord)> = consents
            .filter(|(place, _)| after.as_ref().is_none_or(|after| place < after))
            .collect();
        listed.sort_by(|(a, _), (b, _)| b.cmp(a));
        let more = listed.len() > limit;
        listed.truncate(limit);
        let next = listed
            .last()
            .filter(|_| more)
            .map(|(place, _)| token::page_token(place, &purpose));
        Ok(v1::ListConsentHistoryResponse {
            records: listed.into_iter().map(|(_, record)| record).collect(),
            next_page_token: next.unwrap_or_default(),
            profile: profile_name(&found.profile.id),
        })
    }

    async fn model(&self, context: &CallContext) -> Result<Arc<Model>, ApiError> {
        let running = self.models.of(&context.tenant).await?;
        Ok(running.model.clone())
    }

    async fn read(
        &self,
        context: &CallContext,
        key: &Key,
        freshness: Freshness,
    ) -> Result<Answer, ApiError> {
        Ok(self.reader.profile(&context.tenant, key, freshness).await?)
    }

    /// The effective state, as far as a purpose may see it.
    fn effective(
        &self,
        found: &Answer,
        view: Option<View<'_>>,
        context: &CallContext,
    ) -> v1::GetPreferencesResponse {
        let (profile, now) = (&*found.profile, self.clock.now());
        let mut message = v1::GetPreferencesResponse {
            profile: profile_name(&profile.id),
            read_info: Some(read_info(found, self.reader.store_id(), &context.tenant)),
            merged_from: merged_from(found),
            ..v1::GetPreferencesResponse::default()
        };
        if let Some(Err(everything)) = view.map(|view| view.admits(profile, now)) {
            message.withheld = vec![encode::withheld(everything)];
            return message;
        }
        let stated = view.map_or(Cow::Borrowed(&profile.preferences), |view| {
            view.preferences(&profile.preferences)
        });
        let needs = view.and_then(|view| view.withholds_accessibility());
        let wishes = view.and_then(|view| view.withholds_preferences());
        let seen = |key: &PreferenceKey| {
            if key.is_accessibility() {
                needs.is_none()
            } else {
                wishes.is_none()
            }
        };
        message.origins = encode::origins(&stated, seen);
        if needs.is_none() {
            message.accessibility = encode::accessibility(&stated);
        }
        if wishes.is_none() {
            message.preferences = encode::preferences(&stated);
            message.consents = encode::consents(profile, now);
        }
        // A contact point is an identifier: a consent for one is seen by whom sees those.
        let mut points = BTreeMap::new();
        message.consents.retain(|found| {
            let kind = found
                .contact_point
                .as_ref()
                .map(|point| point.r#type.as_str());
            let held = kind.and_then(|kind| view.and_then(|view| view.withholds_identifier(kind)));
            let seen = held.is_none();
            points.extend(held.map(|held| (held.field.clone(), held)));
            seen
        });
        // Only what there is.
        let has_needs = stated.keys().any(PreferenceKey::is_accessibility);
        let has_wishes = stated.keys().any(|key| !key.is_accessibility())
            || profile
                .records
                .iter()
                .any(|record| !record.consents().is_empty());
        let needs = needs.filter(|_| has_needs);
        let wishes = wishes.filter(|_| has_wishes);
        let withheld = needs.into_iter().chain(wishes).chain(points.into_values());
        message.withheld = withheld.map(encode::withheld).collect();
        message
    }
}

/// The place of a statement in history: the write, its place within it, and the record.
type Place = (i64, i32, String, String);

fn place(stored: &StoredStatement) -> Place {
    let record = &stored.key.record;
    (
        stored.sequence.0,
        stored.ordinal,
        record.source.clone(),
        record.key.clone(),
    )
}

/// The consent in a statement, if it is about a purpose.
fn consent_record(stored: StoredStatement, purpose: &str) -> Option<v1::ConsentRecord> {
    let Draft::Consent(draft) = stored.draft else {
        return None;
    };
    if !purpose.is_empty() && draft.purpose != purpose {
        return None;
    }
    let origin = v1::Origin {
        record: Some(key(&draft.record)),
        source_time: draft.source_time.map(time),
        receive_time: Some(time(stored.receive_time)),
    };
    Some(v1::ConsentRecord {
        consent: Some(encode::said(draft)),
        origin: Some(origin),
    })
}
