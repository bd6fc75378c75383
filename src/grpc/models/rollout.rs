//! Planning, applying and training a model.

use profile_core::model::matching::Subject;
use profile_core::records::Sequence;

use super::ModelApi;
use super::decode::candidate;
use super::encode::{count, plan};
use super::stream::{Abandon, Failed, stream};
use crate::grpc::call_context::{CallContext, Messages};
use crate::grpc::checked::both;
use crate::grpc::error::ApiError;
use crate::grpc::{decode as common, token, v1};
use crate::rollout::{Apply, Progress};

impl ModelApi {
    pub(super) fn plan_model(
        &self,
        request: v1::PlanModelRequest,
        context: &CallContext,
    ) -> Result<Messages<v1::PlanModelResponse>, ApiError> {
        use v1::plan_model_response::Message;
        let candidate = candidate(request.candidate)?;
        let (progress, steps) = Progress::new();
        let rollout = self.rollout.clone();
        let wrap = |message| v1::PlanModelResponse {
            message: Some(message),
        };
        let caller = context.clone();
        let work = async move {
            let planned = rollout.plan(&caller.tenant, &candidate, &progress).await;
            let planned =
                planned.map_err(|error| Failed::of(error, |all| wrap(Message::Mistakes(all))))?;
            Ok(wrap(Message::Plan(plan(planned))))
        };
        Ok(stream(
            work,
            steps,
            context.clone(),
            Abandon::WithCaller,
            move |step| wrap(Message::Progress(step)),
        ))
    }

    pub(super) fn apply_model(
        &self,
        request: v1::ApplyModelRequest,
        context: &CallContext,
    ) -> Result<Messages<v1::ApplyModelResponse>, ApiError> {
        use v1::apply_model_response::Message;
        let (candidate, request_id) = both(
            candidate(request.candidate),
            common::optional_request_id(request.request_id),
        )?;
        let expected_version = (request.expected_version != 0).then_some(request.expected_version);
        let apply = Apply {
            candidate,
            expected_version,
            request_id,
        };
        let (progress, steps) = Progress::new();
        let rollout = self.rollout.clone();
        let wrap = |message| v1::ApplyModelResponse {
            message: Some(message),
        };
        let caller = context.clone();
        let work = async move {
            let applied = rollout.apply(&caller.tenant, &apply, &progress).await;
            let applied =
                applied.map_err(|error| Failed::of(error, |all| wrap(Message::Mistakes(all))))?;
            let store = rollout.store.id().await?;
            Ok(wrap(Message::Result(v1::ApplyModelResult {
                version: applied.version,
                plan: Some(plan(applied.plan)),
                read_token: token::read_token(store, &caller.tenant, Sequence(applied.sequence)),
            })))
        };
        Ok(stream(
            work,
            steps,
            context.clone(),
            Abandon::Never,
            move |step| wrap(Message::Progress(step)),
        ))
    }

    pub(super) fn train_model(
        &self,
        request: v1::TrainModelRequest,
        context: &CallContext,
    ) -> Result<Messages<v1::TrainModelResponse>, ApiError> {
        use v1::train_model_response::Message;
        let request_id = common::optional_request_id(request.request_id)?;
        let (progress, steps) = Progress::new();
        let rollout = self.rollout.clone();
        let wrap = |message| v1::TrainModelResponse {
            message: Some(message),
        };
        let caller = context.clone();
        let work = async move {
            let learned = rollout
                .train(&caller.tenant, &request_id, Subject::Everything, &progress)
                .await?;
            Ok(wrap(Message::Result(v1::TrainModelResult {
                version: learned.version,
                record_count: count(learned.records),
                report: learned.report,
            })))
        };
        Ok(stream(
            work,
            steps,
            context.clone(),
            Abandon::Never,
            move |step| wrap(Message::Progress(step)),
        ))
    }
}
