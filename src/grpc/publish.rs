//! `PublishService`: how publishing goes.

use std::collections::BTreeMap;
use std::sync::Arc;

use profile_core::model::Publication;
use profile_core::model::publication::Target;
use profile_core::records::{Reason, Sequence, TenantId, Timestamp, Violation};
use serde_json::Value;
use tonic::{Request, Response, Status};

use super::call_context::CallContext;
use super::checked::{self, Checked, both};
use super::encode::time;
use super::error::ApiError;
use super::token;
use super::v1::{self, publish_service_server::PublishService};
use crate::active_models::ActiveModels;
use crate::clock::Clock;
use crate::store::{
    self, ChangeKey, DeadLetter, DeadLetterPage, LogCursor, LogPosition, LogTail, Mark, Store,
    StoredPublication,
};

/// How many dead letters may be named at once.
const MAX_EVENTS: usize = 500;

/// The service.
#[derive(Clone)]
pub struct PublishApi {
    /// The marks, the dead letters, the log.
    pub store: Arc<dyn Store>,
    /// What is to be published.
    pub models: Arc<ActiveModels>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

#[tonic::async_trait]
impl PublishService for PublishApi {
    async fn list_publications(
        &self,
        request: Request<v1::ListPublicationsRequest>,
    ) -> Result<Response<v1::ListPublicationsResponse>, Status> {
        let (_, context) = CallContext::split(request).await?;
        context.answer(self.list_publications(&context).await)
    }

    async fn list_dead_letters(
        &self,
        request: Request<v1::ListDeadLettersRequest>,
    ) -> Result<Response<v1::ListDeadLettersResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(self.list_dead_letters(request, &context).await)
    }

    async fn replay_dead_letters(
        &self,
        request: Request<v1::ReplayDeadLettersRequest>,
    ) -> Result<Response<v1::ReplayDeadLettersResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(self.replay_dead_letters(request, &context).await)
    }

    async fn reset_publication(
        &self,
        request: Request<v1::ResetPublicationRequest>,
    ) -> Result<Response<v1::ResetPublicationResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(self.reset_publication(request, &context).await)
    }
}

impl PublishApi {
    async fn list_publications(
        &self,
        context: &CallContext,
    ) -> Result<v1::ListPublicationsResponse, ApiError> {
        let publications = self.statuses(&context.tenant).await?;
        Ok(v1::ListPublicationsResponse { publications })
    }

    async fn list_dead_letters(
        &self,
        request: v1::ListDeadLettersRequest,
        context: &CallContext,
    ) -> Result<v1::ListDeadLettersResponse, ApiError> {
        let v1::ListDeadLettersRequest {
            publication,
            page_size,
            page_token,
        } = request;
        let limit = checked::page_size(page_size, 20, 500);
        let (name, limit) = both(self::name(publication), limit)?;
        let after: Option<ChangeKey> = token::parse_page_token(&page_token, &name)?;
        self.known(context, &name).await?;
        let page = DeadLetterPage {
            after,
            to_replay: false,
            limit: limit + 1,
        };
        let mut found = self
            .store
            .list_dead_letters(&context.tenant, &name, page)
            .await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found
            .last()
            .filter(|_| more)
            .map(|last| token::page_token(last.key, &name));
        let dead_letters = found
            .into_iter()
            .map(|letter| dead_letter(&context.tenant, letter))
            .collect();
        Ok(v1::ListDeadLettersResponse {
            dead_letters,
            next_page_token: next.unwrap_or_default(),
        })
    }

    async fn replay_dead_letters(
        &self,
        request: v1::ReplayDeadLettersRequest,
        context: &CallContext,
    ) -> Result<v1::ReplayDeadLettersResponse, ApiError> {
        let v1::ReplayDeadLettersRequest {
            publication,
            event_ids,
            all,
        } = request;
        let keys = if all && event_ids.is_empty() {
            Ok(None)
        } else {
            self::keys(&context.tenant, &event_ids, all)
        };
        let (name, keys) = both(self::name(publication), keys)?;
        self.known(context, &name).await?;
        let replayed = self
            .store
            .replay_dead_letters(&context.tenant, &name, keys.as_deref())
            .await?;
        let replayed_count = i64::try_from(replayed).unwrap_or(i64::MAX);
        Ok(v1::ReplayDeadLettersResponse { replayed_count })
    }

    async fn reset_publication(
        &self,
        request: v1::ResetPublicationRequest,
        context: &CallContext,
    ) -> Result<v1::ResetPublicationResponse, ApiError> {
        let name = self::name(request.publication)?;
        let head = self.head(&context.tenant).await?;
        let reset = self
            .store
            .reset_publication(&context.tenant, &name, Mark::after(head))
            .await;
        if !reset? {
            return Err(ApiError::NoPublication(name));
        }
        tracing::warn!(tenant = %context.tenant, publication = name, position = head.0, "a publication was reset");
        Ok(v1::ResetPublicationResponse { position: head.0 })
    }

    async fn statuses(&self, tenant: &TenantId) -> store::Result<Vec<v1::PublicationStatus>> {
        let running = self.models.of(tenant).await?;
        let running = self
            .models
            .told(
                tenant,
                self.tail(tenant, Sequence(i64::MAX)).await?.model_version,
                &running,
            )
            .await?;
        let stored = self.store.list_publications(tenant).await?;
        let mut stored: BTreeMap<String, StoredPublication> = stored
            .into_iter()
            .map(|one| (one.name.clone(), one))
            .collect();
        let mut statuses = Vec::new();
        for (name, publication) in &running.model.publications {
            let stored = stored.remove(name);
            let mark = stored.as_ref().map(|stored| stored.progress.mark);
            let tail = self
                .tail(
                    tenant,
                    mark.map_or(Sequence(i64::MAX), |mark| mark.sequence),
                )
                .await?;
            statuses.push(publication_status(
                name,
                publication,
                stored,
                &tail,
                self.clock.now(),
            ));
        }
        Ok(statuses)
    }

    async fn tail(&self, tenant: &TenantId, after: Sequence) -> store::Result<LogTail> {
        let cursors = [LogCursor {
            tenant: tenant.clone(),
            after: LogPosition::after(after),
        }];
        Ok(self
            .store
            .read_log(&cursors, 1)
            .await?
            .pop()
            .unwrap_or_default())
    }

    async fn head(&self, tenant: &TenantId) -> store::Result<Sequence> {
        Ok(self.tail(tenant, Sequence(i64::MAX)).await?.head)
    }

    /// A publication that ever began, or is to begin.
    async fn known(&self, context: &CallContext, name: &str) -> Result<(), ApiError> {
        let known = async {
            if self
                .models
                .of(&context.tenant)
                .await?
                .model
                .publications
                .contains_key(name)
            {
                return Ok(true);
            }
            let began = self.store.list_publications(&context.tenant).await?;
            store::Result::Ok(began.iter().any(|one| one.name == name))
        };
        if known.await? {
            Ok(())
        } else {
            Err(ApiError::NoPublication(name.to_owned()))
        }
    }
}

fn name(name: String) -> Checked<String> {
    if name.is_empty() {
        return Err(vec![Violation::required("publication")]);
    }
    if name.len() > 64 || name.contains('\0') {
        return Err(vec![Violation::new(
            Reason::Malformed,
            "publication",
            "is no publication's name",
        )]);
    }
    Ok(name)
}

fn keys(tenant: &TenantId, ids: &[String], all: bool) -> Checked<Option<Vec<ChangeKey>>> {
    if all {
        return Err(vec![Violation::new(
            Reason::Malformed,
            "all",
            "goes without `event_ids`",
        )]);
    }
    checked::count("event_ids", ids.len(), MAX_EVENTS, "ids")?;
    let parse = |(index, id): (usize, &String)| {
        let rest = id
            .strip_prefix(tenant.as_str())
            .and_then(|rest| rest.strip_prefix('/'));
        let parts = rest.and_then(|rest| rest.split_once('/'));
        let key = parts
            .and_then(|(sequence, change)| Some((sequence.parse().ok()?, change.parse().ok()?)));
        let malformed = || {
            let rule = format!("must be an event's id of this tenant: `{tenant}/17/0`");
            Violation::new(Reason::Malformed, format!("event_ids[{index}]"), rule)
        };
        key.map(|(sequence, change)| ChangeKey {
            sequence: Sequence(sequence),
            change,
        })
        .ok_or_else(malformed)
    };
    let (keys, wrong): (Vec<_>, Vec<_>) =
        ids.iter().enumerate().map(parse).partition(Result::is_ok);
    if wrong.is_empty() {
        return Ok(Some(keys.into_iter().flatten().collect()));
    }
    Err(wrong.into_iter().filter_map(Result::err).collect())
}

fn publication_status(
    name: &str,
    publication: &Publication,
    stored: Option<StoredPublication>,
    tail: &LogTail,
    now: Timestamp,
) -> v1::PublicationStatus {
    let target = match publication.target {
        Target::Nats(_) => v1::PublicationTarget::Nats,
        Target::Webhook(_) => v1::PublicationTarget::Webhook,
    };
    let mut status = v1::PublicationStatus {
        publication: name.to_owned(),
        target: target.into(),
        address: publication.target.address(),
        head: tail.head.0,
        ..v1::PublicationStatus::default()
    };
    let Some(stored) = stored else { return status };
    let progress = stored.progress;
    status.position = progress.mark.sequence.0;
    status.lag_writes = (tail.head.0 - status.position).max(0);
    let oldest = tail.entries.first().filter(|_| status.lag_writes > 0);
    status.lag = oldest.map(|entry| lag(entry.time, now));
    status.failure_count = i32::try_from(progress.failures).unwrap_or(i32::MAX);
    status.last_error = progress.last_error;
    status.dead_letter_count = stored.dead_letters;
    status.owner = stored.lease.owner;
    status
}

fn lag(since: Timestamp, now: Timestamp) -> prost_types::Duration {
    let micros = (now.as_micros() - since.as_micros()).max(0);
    let nanos = i32::try_from(micros % 1_000_000 * 1_000).unwrap_or(0);
    prost_types::Duration {
        seconds: micros / 1_000_000,
        nanos,
    }
}

fn dead_letter(tenant: &TenantId, letter: DeadLetter) -> v1::DeadLetter {
    let event: Value = serde_json::from_str(&letter.payload).unwrap_or_default();
    let profile = event["subject"].as_str();
    v1::DeadLetter {
        event_id: format!("{tenant}/{}/{}", letter.key.sequence.0, letter.key.change),
        create_time: Some(time(letter.time)),
        attempt_count: i32::try_from(letter.attempts).unwrap_or(i32::MAX),
        reason: letter.reason,
        payload: letter.payload,
        replaying: letter.replay,
        profile: profile.unwrap_or_default().to_owned(),
    }
}
