//! `ModelService`: the model of a tenant, from the wire to [`ModelRollout`] and back.

mod event_types;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures::Stream;
use profile_core::model::ModelError;
use profile_core::model::file::MAX_FILE_BYTES;
use profile_core::records::{Reason, RecordKey, Sequence, Violation};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::call_context::CallContext;
use super::encode::{self, time};
use super::status::{self, Checked, both, profile_name, refused};
use super::v1::{self, model_candidate, model_service_server::ModelService};
use super::{bounded, decode, token};
use crate::full_resolution::{
    Difference, IdentifierChange, Move, ProfileChange, Refusal, Size, TraitChange,
};
use crate::rollout::{
    Apply, Candidate, Content, ModelRollout, Plan, Progress, RolloutError, Step, Weights,
};
use crate::store::{self, StoredModel};

/// How often progress is told.
const TELL_INTERVAL: Duration = Duration::from_millis(250);
/// The most mistakes of a model file that are listed: as many as its reader notes, and its note on
/// the rest.
const MAX_MISTAKES: usize = 1_001;
/// The most bytes of the text of one.
const MAX_MISTAKE_BYTES: usize = 2_000;

/// The service.
#[derive(Clone)]
pub struct ModelApi {
    /// Plans and applies.
    pub rollout: ModelRollout,
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl ModelService for ModelApi {
    type PlanModelStream = Answers<v1::PlanModelResponse>;
    type ApplyModelStream = Answers<v1::ApplyModelResponse>;
    type TrainModelStream = Answers<v1::TrainModelResponse>;

    async fn get_model(
        &self,
        request: Request<v1::GetModelRequest>,
    ) -> Result<Response<v1::GetModelResponse>, Status> {
        let context = CallContext::of(&request)?;
        let version = request.into_inner().version;
        let wanted = (version != 0).then_some(version);
        let store = &self.rollout.store;
        let found = store
            .model(&context.tenant, wanted)
            .await
            .map_err(|error| status::from_store(&error, &context))?;
        let found = found.ok_or_else(|| status::no_model(wanted))?;
        let in_force = self.in_force(&context).await?;
        let recount = self.recount(&context).await?;
        Ok(Response::new(v1::GetModelResponse {
            model: Some(version_of(found, in_force, true)),
            recount,
        }))
    }

    async fn list_model_versions(
        &self,
        request: Request<v1::ListModelVersionsRequest>,
    ) -> Result<Response<v1::ListModelVersionsResponse>, Status> {
        let context = CallContext::of(&request)?;
        let request = request.into_inner();
        let limit = status::page_size(request.page_size, 20, 100).map_err(refused)?;
        let before: Option<i64> = token::parse_page_token(&request.page_token, &())?;
        let found = self
            .rollout
            .store
            .list_models(&context.tenant, before, limit + 1)
            .await;
        let mut found = found.map_err(|error| status::from_store(&error, &context))?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found
            .last()
            .filter(|_| more)
            .map(|last| token::page_token(last.model.version, &()));
        let in_force = self.in_force(&context).await?;
        let models = found
            .into_iter()
            .map(|stored| version_of(stored, in_force, false))
            .collect();
        Ok(Response::new(v1::ListModelVersionsResponse {
            models,
            next_page_token: next.unwrap_or_default(),
        }))
    }

    async fn list_event_types(
        &self,
        request: Request<v1::ListEventTypesRequest>,
    ) -> Result<Response<v1::ListEventTypesResponse>, Status> {
        let context = CallContext::of(&request)?;
        let running = self.rollout.models.of(&context.tenant).await;
        let running = running.map_err(|error| status::from_store(&error, &context))?;
        event_types::page(&running.model.events, request.get_ref()).map(Response::new)
    }

    async fn plan_model(
        &self,
        request: Request<v1::PlanModelRequest>,
    ) -> Result<Response<Self::PlanModelStream>, Status> {
        use v1::plan_model_response::Message;
        let context = CallContext::of(&request)?;
        let candidate = candidate(request.into_inner().candidate).map_err(refused)?;
        let (progress, steps) = Progress::new();
        let rollout = self.rollout.clone();
        let wrap = |message| v1::PlanModelResponse {
            message: Some(message),
        };
        let work = async move {
            let planned = rollout.plan(&context.tenant, &candidate, &progress).await;
            let planned = planned
                .map_err(|error| failed(&error, &context, |all| wrap(Message::Mistakes(all))))?;
            Ok(wrap(Message::Plan(plan(planned))))
        };
        Ok(Response::new(told(
            work,
            steps,
            Abandon::WithCaller,
            move |step| wrap(Message::Progress(step)),
        )))
    }

    async fn apply_model(
        &self,
        request: Request<v1::ApplyModelRequest>,
    ) -> Result<Response<Self::ApplyModelStream>, Status> {
        use v1::apply_model_response::Message;
        let context = CallContext::of(&request)?;
        let request = request.into_inner();
        let (candidate, request_id) = both(
            candidate(request.candidate),
            decode::optional_request_id(request.request_id),
        )
        .map_err(refused)?;
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
        let work = async move {
            let applied = rollout.apply(&context.tenant, &apply, &progress).await;
            let applied = applied
                .map_err(|error| failed(&error, &context, |all| wrap(Message::Mistakes(all))))?;
            let store = rollout
                .store
                .id()
                .await
                .map_err(|error| status::from_store(&error, &context))?;
            Ok(wrap(Message::Result(v1::ApplyModelResult {
                version: applied.version,
                plan: Some(plan(applied.plan)),
                read_token: token::read_token(store, &context.tenant, Sequence(applied.sequence)),
            })))
        };
        Ok(Response::new(told(
            work,
            steps,
            Abandon::Never,
            move |step| wrap(Message::Progress(step)),
        )))
    }

    async fn train_model(
        &self,
        request: Request<v1::TrainModelRequest>,
    ) -> Result<Response<Self::TrainModelStream>, Status> {
        use v1::train_model_response::Message;
        let context = CallContext::of(&request)?;
        let request_id =
            decode::optional_request_id(request.into_inner().request_id).map_err(refused)?;
        let (progress, steps) = Progress::new();
        let rollout = self.rollout.clone();
        let wrap = |message| v1::TrainModelResponse {
            message: Some(message),
        };
        let work = async move {
            let learned = rollout.train(&context.tenant, &request_id, &progress).await;
            let learned = learned.map_err(|error| status::from_switch(&error, &context))?;
            Ok(wrap(Message::Result(v1::TrainModelResult {
                version: learned.version,
                record_count: count(learned.records),
                report: learned.report,
            })))
        };
        Ok(Response::new(told(
            work,
            steps,
            Abandon::Never,
            move |step| wrap(Message::Progress(step)),
        )))
    }
}

impl ModelApi {
    /// How far counting is; none where the model in force counts nothing.
    async fn recount(&self, context: &CallContext) -> Result<Option<v1::RecountProgress>, Status> {
        let failed = |error| status::from_store(&error, context);
        let running = match self.rollout.models.of(&context.tenant).await {
            // Nothing is counted by a model that cannot be used.
            Err(store::Error::Model { .. }) => return Ok(None),
            found => found.map_err(failed)?,
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
            .await
            .map_err(failed)?
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

    async fn in_force(&self, context: &CallContext) -> Result<i64, Status> {
        match self.rollout.models.of(&context.tenant).await {
            // One that cannot be used is in force all the same, and whoever replaces it must see
            // which.
            Ok(running) => Ok(running.version),
            Err(store::Error::Model { version, .. }) => Ok(version),
            Err(error) => Err(status::from_store(&error, context)),
        }
    }
}

/// What becomes of a work whose caller has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Abandon {
    /// It ends.
    WithCaller,
    /// It goes on.
    Never,
}

/// Why a work came to nothing.
struct Failed<T> {
    /// What is too large for a status: the last message before it.
    message: Option<T>,
    status: Status,
}

impl<T> From<Status> for Failed<T> {
    fn from(status: Status) -> Self {
        Self {
            message: None,
            status,
        }
    }
}

fn failed<T>(
    error: &RolloutError,
    context: &CallContext,
    wrap: impl Fn(v1::ModelMistakes) -> T,
) -> Failed<T> {
    let message = match error {
        RolloutError::Mistakes(all) => Some(wrap(mistakes(all))),
        _ => None,
    };
    Failed {
        message,
        status: status::from_switch(error, context),
    }
}

fn mistakes(all: &[ModelError]) -> v1::ModelMistakes {
    let of = |mistake: &ModelError| v1::ModelMistake {
        line: i32::try_from(mistake.line).unwrap_or(i32::MAX),
        column: i32::try_from(mistake.column).unwrap_or(i32::MAX),
        path: bounded::shortened(&mistake.path, MAX_MISTAKE_BYTES).into_owned(),
        description: bounded::shortened(&mistake.message, MAX_MISTAKE_BYTES).into_owned(),
    };
    v1::ModelMistakes {
        mistakes: all.iter().take(MAX_MISTAKES).map(of).collect(),
        mistake_count: count(all.len()),
    }
}

/// A stream of progress, then what a work came to.
fn told<T: Send + 'static>(
    work: impl Future<Output = Result<T, Failed<T>>> + Send + 'static,
    mut steps: watch::Receiver<Step>,
    abandon: Abandon,
    progress: impl Fn(v1::ModelProgress) -> T + Send + 'static,
) -> Answers<T> {
    let (answers, stream) = mpsc::channel(4);
    tokio::spawn(async move {
        tokio::pin!(work);
        let mut tell = tokio::time::interval(TELL_INTERVAL);
        loop {
            tokio::select! {
                done = &mut work => {
                    // The caller may have gone.
                    match done {
                        Ok(last) => drop(answers.send(Ok(last)).await),
                        Err(Failed { message, status }) => {
                            if let Some(message) = message {
                                drop(answers.send(Ok(message)).await);
                            }
                            drop(answers.send(Err(status)).await);
                        }
                    }
                    return;
                }
                () = answers.closed(), if abandon == Abandon::WithCaller => return,
                _ = tell.tick() => {
                    if steps.has_changed().unwrap_or(false) {
                        let step = *steps.borrow_and_update();
                        // One that is not taken in time is followed by a later one.
                        drop(answers.try_send(Ok(progress(progress_of(step)))));
                    }
                }
            }
        }
    });
    Box::pin(ReceiverStream::new(stream))
}

fn progress_of(step: Step) -> v1::ModelProgress {
    v1::ModelProgress {
        phase: step.phase.to_owned(),
        done: count(step.done),
        total: count(step.total),
    }
}

fn candidate(message: Option<v1::ModelCandidate>) -> Checked<Candidate> {
    use model_candidate::{Content as WireContent, Weights as WireWeights};
    let message = message.unwrap_or_default();
    let content = match message.content {
        Some(WireContent::File(file)) if file.len() > MAX_FILE_BYTES => {
            return Err(vec![Violation::limit(
                "candidate.file",
                file.len(),
                MAX_FILE_BYTES,
                "bytes",
            )]);
        }
        Some(WireContent::File(file)) if file.contains('\0') => {
            return Err(vec![Violation::new(
                Reason::Malformed,
                "candidate.file",
                "must not contain U+0000",
            )]);
        }
        Some(WireContent::File(file)) => Content::File(file),
        Some(WireContent::Version(version)) => Content::Version(version),
        None => return Err(vec![Violation::required("candidate.content")]),
    };
    let weights = match message.weights {
        None | Some(WireWeights::ShippedWeights(false)) => Weights::Own,
        Some(WireWeights::ShippedWeights(true)) => Weights::Shipped,
        Some(WireWeights::WeightsOfVersion(version)) => Weights::Of(version),
    };
    Ok(Candidate { content, weights })
}

fn version_of(stored: StoredModel, in_force: i64, with_file: bool) -> v1::ModelVersion {
    let StoredModel { model, activation } = stored;
    let origin = if model.weights.is_empty() {
        v1::WeightsOrigin::Shipped
    } else {
        v1::WeightsOrigin::Trained
    };
    v1::ModelVersion {
        version: model.version,
        file: if with_file { model.file } else { String::new() },
        weights_origin: origin.into(),
        create_time: Some(time(model.create_time)),
        activate_time: activation.map(|activation| time(activation.time)),
        in_force: model.version == in_force,
        note: model.note,
    }
}

fn plan(plan: Plan) -> v1::ModelPlan {
    let Plan {
        base_version,
        unchanged,
        difference,
    } = plan;
    let Difference {
        merges,
        splits,
        changes,
        refusals,
        identifier_changes,
        largest,
        ..
    } = difference;
    v1::ModelPlan {
        base_version,
        unchanged,
        record_count: count(difference.records),
        profile_count_before: count(difference.profiles_before),
        profile_count_after: count(difference.profiles_after),
        merged_profile_count: count(difference.merged),
        split_profile_count: count(difference.split),
        deleted_profile_count: count(difference.deleted),
        changed_profile_count: count(difference.changed),
        moved_record_count: count(difference.moved),
        refused_statement_count: count(difference.refused),
        accepted_statement_count: count(difference.accepted),
        changed_identifier_count: count(difference.identifiers),
        added_term_count: count(difference.added_terms),
        removed_term_count: count(difference.removed_terms),
        merges: merges.into_iter().map(moved).collect(),
        splits: splits.into_iter().map(moved).collect(),
        changes: changes.iter().map(change).collect(),
        refusals: refusals.into_iter().map(refusal).collect(),
        identifier_changes: identifier_changes
            .into_iter()
            .map(identifier_change)
            .collect(),
        largest: largest.iter().map(size).collect(),
    }
}

fn moved(moved: Move) -> v1::ProfileMove {
    let record = |(key, reason): (RecordKey, String)| v1::MovedRecord {
        record: Some(encode::key(&key)),
        reason,
    };
    v1::ProfileMove {
        from: profile_name(&moved.from),
        into: profile_name(&moved.into),
        record_count: count(moved.count),
        records: moved.records.into_iter().map(record).collect(),
    }
}

fn change(change: &ProfileChange) -> v1::ProfileChange {
    let of_trait = |change: &TraitChange| v1::TraitChange {
        name: change.name.clone(),
        before: change.before.as_ref().map(encode::value),
        after: change.after.as_ref().map(encode::value),
    };
    v1::ProfileChange {
        profile: profile_name(&change.profile),
        traits: change.traits.iter().map(of_trait).collect(),
        identifiers_changed: change.identifiers,
    }
}

fn refusal(refusal: Refusal) -> v1::RefusedStatement {
    v1::RefusedStatement {
        record: Some(encode::key(&refusal.record)),
        description: refusal.description,
    }
}

fn identifier_change(change: IdentifierChange) -> v1::IdentifierChange {
    let IdentifierChange {
        record,
        kind,
        before,
        after,
    } = change;
    v1::IdentifierChange {
        record: Some(encode::key(&record)),
        r#type: kind,
        before,
        after,
    }
}

fn size(size: &Size) -> v1::ProfileSize {
    v1::ProfileSize {
        profile: profile_name(&size.profile),
        record_count: count(size.records),
        record_count_before: count(size.before),
    }
}

fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
