//! `ContextService`: what is to be known of a customer now, from the wire to the reader and back.
//!
//! The answer is made of the cached profile alone, and of the cached latest objects where the view
//! names any: one look-up each.

mod render;

use std::sync::Arc;

use profile_core::model::experience::PREDICTIONS;
use profile_core::model::file::context::{MAX_BYTES, MIN_BYTES};
use profile_core::model::{ContextField, ContextView, Model};
use profile_core::records::{Reason, Violation};
use prost::Message;
use tonic::{Request, Response, Status};

use self::render::{Line, Telling};
use super::call_context::CallContext;
use super::checked::{Checked, both};
use super::encode::{PurposeScope, merged_from, read_info, undeclared};
use super::error::ApiError;
use super::names::profile_name;
use super::preferences::encode::withheld as told_withheld;
use super::v1::{self, context_service_server::ContextService};
use super::{decode, profiles};
use crate::active_models::ActiveModels;
use crate::background::analytics::{AnalyticsRefresher, predictions};
use crate::clock::Clock;
use crate::reader::{Answer, LatestObjectsQuery, Reader};
use crate::store::Store;

/// The service.
#[derive(Clone)]
pub struct ContextApi {
    /// The read path.
    pub reader: Reader,
    /// For read tokens.
    pub store: Arc<dyn Store>,
    /// For views and purposes.
    pub models: Arc<ActiveModels>,
    /// Scores and predictions.
    pub statistician: AnalyticsRefresher,
    /// What a purpose may see depends on the time.
    pub clock: Arc<dyn Clock>,
}

#[tonic::async_trait]
impl ContextService for ContextApi {
    async fn get_context(
        &self,
        request: Request<v1::GetContextRequest>,
    ) -> Result<Response<v1::GetContextResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        context.answer(self.get_context(request, &context).await)
    }
}

impl ContextApi {
    async fn get_context(
        &self,
        request: v1::GetContextRequest,
        context: &CallContext,
    ) -> Result<v1::GetContextResponse, ApiError> {
        let running = self.models.of(&context.tenant).await?;
        let asked = both(
            decode::key(request.key, "key"),
            bound(request.purpose, &running.model),
        );
        let rest = both(
            view(&request.view, &running.model),
            max_bytes(request.max_bytes),
        );
        let ((key, bound), (view, max_bytes)) = both(asked, rest)?;
        let freshness = profiles::freshness(&*self.store, request.consistency, context).await?;
        let found = self
            .reader
            .profile(&context.tenant, &key, freshness)
            .await?;
        let profile = &*found.profile.clone();
        let mut answer = v1::GetContextResponse {
            profile: profile_name(&profile.id),
            read_info: Some(read_info(&found, self.reader.store_id(), &context.tenant)),
            merged_from: merged_from(&found),
            ..v1::GetContextResponse::default()
        };
        let max_bytes = max_bytes.map_or(view.max_bytes, |bytes| bytes.min(view.max_bytes));
        // The purpose was there when it was asked for, so it is bound.
        let Some(seen) = bound.view() else {
            return Ok(answer);
        };
        if let Err(everything) = seen.admits(profile, self.clock.now()) {
            answer.withheld = vec![told_withheld(everything)];
            return Ok(answer);
        }
        let wanted = LatestObjectsQuery {
            kinds: &view.objects,
            visible: &seen.purpose.events,
        };
        let objects = self
            .reader
            .latest_objects(&context.tenant, &found, wanted, freshness)
            .await;
        let (objects, currency) = objects?;
        let found = Answer { currency, ..found };
        answer.read_info = Some(read_info(&found, self.reader.store_id(), &context.tenant));
        let lines = request.include_text.then(Vec::new);
        let now = self.clock.now();
        let reader = (seen, context.clearance.as_ref());
        let telling = Telling::of(profile, (view, &running.model), (reader, now), lines);
        let wanted = predicted(view);
        let found = if wanted.is_empty() {
            Some(Vec::new())
        } else {
            let known = self.statistician.known(&context.tenant, &running.model);
            let known = known.await?;
            known.map(|known| predictions(profile, (&running.model, now), &known))
        };
        if found.is_none() {
            answer.omitted = wanted;
        }
        let telling = telling.predicted(found.unwrap_or_default());
        let lines = telling.into_answer(&objects, &mut answer);
        cut(&mut answer, max_bytes);
        if request.include_text {
            text(&mut answer, &lines, max_bytes);
        }
        Ok(answer)
    }
}

fn bound(purpose: String, model: &Arc<Model>) -> Checked<PurposeScope> {
    PurposeScope::new(purpose, model)?.ok_or_else(|| vec![Violation::required("purpose")])
}

fn view<'m>(name: &str, model: &'m Model) -> Checked<&'m ContextView> {
    if name.is_empty() {
        return Err(vec![Violation::required("view")]);
    }
    model
        .views
        .get(name)
        .ok_or_else(|| vec![undeclared("view", "view", name, model.views.keys())])
}

/// The fields of a view for which all customers together are needed.
fn predicted(view: &ContextView) -> Vec<String> {
    let fields = view.sections.iter().flat_map(|(section, fields)| {
        fields.iter().filter_map(move |field| {
            let name = matches!(field, ContextField::Experience(_)).then(|| field.name())?;
            let is_predicted = PREDICTIONS.contains(&name);
            is_predicted.then(|| format!("{section}.{field}"))
        })
    });
    fields.collect()
}

fn max_bytes(wanted: i32) -> Checked<Option<usize>> {
    match usize::try_from(wanted) {
        Ok(0) => Ok(None),
        Ok(bytes) if (MIN_BYTES..=MAX_BYTES).contains(&bytes) => Ok(Some(bytes)),
        _ => {
            let rule = format!("must be 0 or from {MIN_BYTES} to {MAX_BYTES}");
            Err(vec![Violation::new(Reason::Malformed, "max_bytes", rule)])
        }
    }
}

/// Leaves out what comes last, until the answer is small enough: lists of objects first, then
/// objects, the latest of them last, then fields. Needs, preferences, permissions and what is
/// withheld stay.
fn cut(answer: &mut v1::GetContextResponse, max_bytes: usize) {
    if answer.encoded_len() > max_bytes {
        cut_lists(answer);
    }
    while answer.encoded_len() > max_bytes {
        if answer.objects.pop().is_some() {
            if !answer.omitted.iter().any(|field| field == "objects") {
                answer.omitted.push("objects".to_owned());
            }
            continue;
        }
        let Some(last) = answer.sections.last_mut() else {
            return;
        };
        match last.fields.pop() {
            Some(field) => answer
                .omitted
                .push(format!("{}.{}", last.section, field.field)),
            None => drop(answer.sections.pop()),
        }
    }
}

fn cut_lists(answer: &mut v1::GetContextResponse) {
    use v1::value::Kind;
    let mut has_lists = false;
    for object in &mut answer.objects {
        let before = object.fields.len();
        object
            .fields
            .retain(|_, value| !matches!(value.kind, Some(Kind::ListValue(_) | Kind::MapValue(_))));
        has_lists |= object.fields.len() < before;
    }
    if has_lists {
        answer.omitted.push("object_lists".to_owned());
    }
}

/// The lines of what was not left out, as many as fit.
fn text(answer: &mut v1::GetContextResponse, lines: &[Line], max_bytes: usize) {
    let kept = lines.iter().filter(|line| {
        line.object_index
            .is_none_or(|index| index < answer.objects.len())
    });
    let kept =
        kept.filter(|line| line.object_index.is_some() || !answer.omitted.contains(&line.field));
    let mut text = String::new();
    let mut is_whole = true;
    for line in kept {
        if text.len() + line.text.len() < max_bytes {
            text.push_str(&line.text);
            text.push('\n');
        } else {
            is_whole = false;
            break;
        }
    }
    answer.text = text;
    if !is_whole {
        answer.omitted.push("text".to_owned());
    }
}
