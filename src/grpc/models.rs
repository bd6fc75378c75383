//! `ModelService`: the model of a tenant, from the wire to [`ModelRollout`] and back.

mod decode;
mod encode;
mod event_types;
mod mapping;
mod rollout;
mod stream;

use tonic::{Request, Response, Status};

use self::encode::version_of;
pub(crate) use self::mapping::tested;
use super::call_context::{CallContext, Messages};
use super::checked::page_size;
use super::error::ApiError;
use super::v1::{self, model_service_server::ModelService};
use super::{ingest, token};
use crate::rollout::ModelRollout;
use crate::store;

/// Serves `ModelService`.
#[derive(Clone)]
pub struct ModelApi {
    /// Plans and applies.
    pub rollout: ModelRollout,
}

#[tonic::async_trait]
impl ModelService for ModelApi {
    type PlanModelStream = Messages<v1::PlanModelResponse>;
    type ApplyModelStream = Messages<v1::ApplyModelResponse>;
    type TrainModelStream = Messages<v1::TrainModelResponse>;

    async fn get_model(
        &self,
        request: Request<v1::GetModelRequest>,
    ) -> Result<Response<v1::GetModelResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(self.get_model(request, &context).await)
    }

    async fn list_model_versions(
        &self,
        request: Request<v1::ListModelVersionsRequest>,
    ) -> Result<Response<v1::ListModelVersionsResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(self.list_model_versions(request, &context).await)
    }

    async fn get_mapping(
        &self,
        request: Request<v1::GetMappingRequest>,
    ) -> Result<Response<v1::GetMappingResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(self.get_mapping(request, &context).await)
    }

    async fn test_mapping(
        &self,
        request: Request<v1::TestMappingRequest>,
    ) -> Result<Response<v1::TestMappingResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(self.test_mapping(request, &context).await)
    }

    async fn list_event_types(
        &self,
        request: Request<v1::ListEventTypesRequest>,
    ) -> Result<Response<v1::ListEventTypesResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(self.list_event_types(request, &context).await)
    }

    async fn plan_model(
        &self,
        request: Request<v1::PlanModelRequest>,
    ) -> Result<Response<Self::PlanModelStream>, Status> {
        let (request, context) = CallContext::split(request).await?;
        // A candidate could tell what is not seen under another name.
        context.needs_all()?;
        let stream = self.plan_model(request, &context);
        context.answer_stream(stream)
    }

    async fn apply_model(
        &self,
        request: Request<v1::ApplyModelRequest>,
    ) -> Result<Response<Self::ApplyModelStream>, Status> {
        let (request, context) = CallContext::split(request).await?;
        let stream = self.apply_model(request, &context);
        context.answer_stream(stream)
    }

    async fn train_model(
        &self,
        request: Request<v1::TrainModelRequest>,
    ) -> Result<Response<Self::TrainModelStream>, Status> {
        let (request, context) = CallContext::split(request).await?;
        let stream = self.train_model(request, &context);
        context.answer_stream(stream)
    }
}

impl ModelApi {
    async fn get_model(
        &self,
        request: v1::GetModelRequest,
        context: &CallContext,
    ) -> Result<v1::GetModelResponse, ApiError> {
        let version = request.version;
        let wanted = (version != 0).then_some(version);
        let store = &self.rollout.store;
        let found = store.model(&context.tenant, wanted).await?;
        let found = found.ok_or_else(|| ApiError::NoModel(wanted))?;
        let in_force = self.in_force(context).await?;
        let recount = self.recount(context).await?;
        let expression_failures = match self.rollout.models.of(&context.tenant).await {
            // A model that cannot be used evaluates nothing.
            Err(store::Error::Model { .. }) => Vec::new(),
            running => failures_of(&running?.model),
        };
        Ok(v1::GetModelResponse {
            model: Some(version_of(found, in_force, true)),
            recount,
            expression_failures,
        })
    }

    async fn list_model_versions(
        &self,
        request: v1::ListModelVersionsRequest,
        context: &CallContext,
    ) -> Result<v1::ListModelVersionsResponse, ApiError> {
        let limit = page_size(request.page_size, 20, 100)?;
        let before: Option<i64> = token::parse_page_token(&request.page_token, &())?;
        let mut found = self
            .rollout
            .store
            .list_models(&context.tenant, before, limit + 1)
            .await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found
            .last()
            .filter(|_| more)
            .map(|last| token::page_token(last.model.version, &()));
        let in_force = self.in_force(context).await?;
        let models = found
            .into_iter()
            .map(|stored| version_of(stored, in_force, false))
            .collect();
        Ok(v1::ListModelVersionsResponse {
            models,
            next_page_token: next.unwrap_or_default(),
        })
    }

    async fn get_mapping(
        &self,
        request: v1::GetMappingRequest,
        context: &CallContext,
    ) -> Result<v1::GetMappingResponse, ApiError> {
        let running = self.rollout.models.of(&context.tenant).await?;
        let v1::GetMappingRequest { source, kind } = request;
        let fields = running
            .model
            .mapped_fields(&source, &kind)
            .map_err(|violation| vec![violation])?;
        Ok(v1::GetMappingResponse {
            required_fields: fields.required.into_iter().collect(),
            optional_fields: fields.optional.into_iter().collect(),
            reads_payload: fields.whole,
        })
    }

    async fn test_mapping(
        &self,
        request: v1::TestMappingRequest,
        context: &CallContext,
    ) -> Result<v1::TestMappingResponse, ApiError> {
        let running = self.rollout.models.of(&context.tenant).await?;
        let v1::TestMappingRequest {
            source,
            kind,
            payload,
        } = request;
        ingest::check_mapping(&running.model, &source, &kind)?;
        let now = self.rollout.clock.now();
        Ok(tested(&running.model, (&source, &kind), &payload, now))
    }

    async fn list_event_types(
        &self,
        request: v1::ListEventTypesRequest,
        context: &CallContext,
    ) -> Result<v1::ListEventTypesResponse, ApiError> {
        let running = self.rollout.models.of(&context.tenant).await?;
        event_types::page(&running.model.events, &request)
    }

    /// How far counting is; none where the model in force counts nothing.
    async fn recount(
        &self,
        context: &CallContext,
    ) -> Result<Option<v1::RecountProgress>, ApiError> {
        let running = match self.rollout.models.of(&context.tenant).await {
            // Nothing is counted by a model that cannot be used.
            Err(store::Error::Model { .. }) => return Ok(None),
            found => found?,
        };
        if running.model.definitions().next().is_none() {
            return Ok(None);
        }
        let read = async {
            self.rollout
                .store
                .snapshot(&context.tenant)
                .await?
                .recount_progress()
                .await
        };
        let counted = running.model.counted();
        let progress = read
            .await?
            .filter(|progress| progress.definitions == counted);
        let done = progress.as_ref().is_some_and(|progress| progress.done);
        let completeness = if done {
            v1::Completeness::Complete
        } else {
            v1::Completeness::Partial
        };
        let records = progress.map_or(0, |progress| progress.records);
        let record_count = i64::try_from(records).unwrap_or(i64::MAX);
        Ok(Some(v1::RecountProgress {
            completeness: completeness.into(),
            record_count,
        }))
    }

    async fn in_force(&self, context: &CallContext) -> Result<i64, ApiError> {
        match self.rollout.models.of(&context.tenant).await {
            // One that cannot be used is in force all the same, and whoever replaces it must see
            // which.
            Ok(running) => Ok(running.version),
            Err(store::Error::Model { version, .. }) => Ok(version),
            Err(error) => Err(error.into()),
        }
    }
}

/// The expressions that failed.
fn failures_of(model: &profile_core::model::Model) -> Vec<v1::ExpressionFailure> {
    let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let told = |failing: profile_core::model::Failing| v1::ExpressionFailure {
        path: failing.path,
        expression: failing.expression,
        failure_count: whole(failing.failures.failed),
        left_out_count: whole(failing.failures.left_out),
        reason: failing.failures.reason,
    };
    model.failing().into_iter().map(told).collect()
}
