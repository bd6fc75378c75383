//! `ExperienceService`: metrics of customer experience, from the wire and back.

mod buying;
mod service;

use std::ops::RangeInclusive;
use std::sync::Arc;

use profile_core::analytics::Day;
use profile_core::model::experience::METRICS;
use profile_core::model::{Definition, Experience, Model};
use profile_core::permission::view::{View, Withheld};
use profile_core::records::rollup::date;
use profile_core::records::{Reason, Violation};
use tonic::{Request, Response, Status};

use self::buying::Buying;
use self::service::Served;
use super::call_context::CallContext;
use super::checked::{Checked, both};
use super::encode::{PurposeScope, merged_from, read_info, time, undeclared};
use super::error::ApiError;
use super::names::profile_name;
use super::preferences::encode::withheld as told;
use super::v1::get_experience_metrics_request::Subject;
use super::v1::{self, experience_service_server::ExperienceService};
use super::{decode, profiles};
use crate::active_models::ActiveModels;
use crate::background::analytics::{AnalyticsRefresher, History, Part, day_of};
use crate::clock::Clock;
use crate::reader::{Key, Reader};
use crate::store::Store;

/// How many days a window may have.
const WINDOW_DAYS: RangeInclusive<i32> = 1..=3_660;

/// The service.
#[derive(Clone)]
pub struct ExperienceApi {
    /// The read path.
    pub reader: Reader,
    /// What all customers come to.
    pub statistician: AnalyticsRefresher,
    /// What is measured.
    pub models: Arc<ActiveModels>,
    /// For read tokens.
    pub store: Arc<dyn Store>,
    /// A customer's metrics depend on the day.
    pub clock: Arc<dyn Clock>,
}

/// Whose metrics.
enum Whose {
    Customer(Key),
    Segment(String),
    Tenant,
}

/// What is asked, checked.
struct Asked {
    whose: Whose,
    window: u16,
    bound: Option<PurposeScope>,
    refresh: bool,
}

#[tonic::async_trait]
impl ExperienceService for ExperienceApi {
    async fn get_experience_metrics(
        &self,
        request: Request<v1::GetExperienceMetricsRequest>,
    ) -> Result<Response<v1::GetExperienceMetricsResponse>, Status> {
        let (request, context) = CallContext::split(request).await?;
        if let Some(Subject::Segment(name)) = &request.subject {
            context.needs(|sees| sees.sees_segment(name))?;
        }
        context.answer(self.get_experience_metrics(request, &context).await)
    }
}

impl ExperienceApi {
    async fn get_experience_metrics(
        &self,
        mut request: v1::GetExperienceMetricsRequest,
        context: &CallContext,
    ) -> Result<v1::GetExperienceMetricsResponse, ApiError> {
        let running = self.models.of(&context.tenant).await?;
        let model = running.model.clone();
        let consistency = request.consistency.take();
        let asked = Asked::of(request, &model)?;
        let Some(experience) = &model.experience else {
            return Err(vec![nothing_measured()].into());
        };
        let answer = match &asked.whose {
            Whose::Customer(key) => {
                let freshness = profiles::freshness(&*self.store, consistency, context).await?;
                let found = self.reader.profile(&context.tenant, key, freshness).await?;
                self.customer(&found, (&model, experience), &asked, context)
                    .await?
            }
            Whose::Segment(name) => {
                self.group(Some(name), (&model, experience), &asked, context)
                    .await?
            }
            Whose::Tenant => {
                self.group(None, (&model, experience), &asked, context)
                    .await?
            }
        };
        Ok(answer)
    }

    async fn customer(
        &self,
        found: &crate::reader::Answer,
        (model, experience): (&Model, &Experience),
        asked: &Asked,
        context: &CallContext,
    ) -> Result<v1::GetExperienceMetricsResponse, ApiError> {
        let now = self.clock.now();
        let profile = &found.profile;
        let mut answer = v1::GetExperienceMetricsResponse {
            profile: profile_name(&profile.id),
            merged_from: merged_from(found),
            read_info: Some(read_info(found, self.reader.store_id(), &context.tenant)),
            ..v1::GetExperienceMetricsResponse::default()
        };
        let view = asked.bound.as_ref().and_then(PurposeScope::view);
        if let Some(Err(everything)) = view.map(|view| view.admits(profile, now)) {
            answer.withheld = vec![told(everything)];
            return Ok(answer);
        }
        let statistics = self.statistician.known(&context.tenant, model).await?;
        let today = day_of(model, now);
        let history = History::of(profile, experience, today);
        let page = Page {
            experience,
            today,
            window: asked.window,
            partial: &history.partial,
        };
        let mut metrics = v1::ExperienceMetrics {
            compute_time: Some(time(now)),
            customer_count: 1,
            ..v1::ExperienceMetrics::default()
        };
        Served::new(&page, &history.course)
            .of_customer(&history.last, model)
            .tell(&mut metrics);
        Buying::new(&page, statistics.as_deref()).customer(&history, &mut metrics);
        if let Some(view) = view {
            answer.withheld = withhold(&mut metrics, view).into_iter().map(told).collect();
        }
        answer.metrics = Some(metrics);
        Ok(answer)
    }

    /// A segment; none: all customers.
    async fn group(
        &self,
        segment: Option<&String>,
        (model, experience): (&Model, &Experience),
        asked: &Asked,
        context: &CallContext,
    ) -> Result<v1::GetExperienceMetricsResponse, ApiError> {
        let statistics = self
            .statistician
            .current(&context.tenant, model, asked.refresh)
            .await?;
        let statistics = statistics.ok_or_else(|| vec![nothing_measured()])?;
        let group = segment.map_or(Some(&statistics.tenant), |name| {
            statistics.segments.get(name)
        });
        // The model that declares the segment has been replaced meanwhile.
        let group = group.ok_or_else(|| vec![nothing_measured()])?;
        let page = Page {
            experience,
            today: statistics.day,
            window: asked.window,
            partial: &group.partial,
        };
        let mut metrics = v1::ExperienceMetrics {
            compute_time: Some(time(statistics.compute_time)),
            customer_count: whole(group.customers),
            ..v1::ExperienceMetrics::default()
        };
        Served::new(&page, &group.course).tell(&mut metrics);
        Buying::new(&page, Some(&statistics)).group(group, &mut metrics);
        Ok(v1::GetExperienceMetricsResponse {
            metrics: Some(metrics),
            ..Default::default()
        })
    }
}

impl Asked {
    fn of(request: v1::GetExperienceMetricsRequest, model: &Arc<Model>) -> Checked<Self> {
        let of_customer = matches!(request.subject, Some(Subject::Customer(_)));
        let for_many = if request.purpose.is_empty() || of_customer {
            Ok(())
        } else {
            let rule = "goes with a customer only: a segment and a tenant are nobody's data";
            Err(vec![Violation::new(Reason::Malformed, "purpose", rule)])
        };
        let window = window(request.window_days, model);
        let rest = both(
            both(window, PurposeScope::new(request.purpose, model)),
            for_many,
        );
        let (whose, ((window, bound), ())) = both(whose(request.subject, model), rest)?;
        Ok(Self {
            whose,
            window,
            bound,
            refresh: request.refresh,
        })
    }
}

fn whose(subject: Option<Subject>, model: &Model) -> Checked<Whose> {
    match subject {
        Some(Subject::Customer(key)) => decode::key(Some(key), "customer").map(Whose::Customer),
        Some(Subject::Segment(name)) if model.segments.contains_key(&name) => {
            Ok(Whose::Segment(name))
        }
        Some(Subject::Segment(name)) => Err(vec![undeclared(
            "segment",
            "segment",
            &name,
            model.segments.keys(),
        )]),
        Some(Subject::Tenant(true)) => Ok(Whose::Tenant),
        Some(Subject::Tenant(false)) | None => Err(vec![Violation::required("subject")]),
    }
}

/// How many days; 0: as the model says.
fn window(days: i32, model: &Model) -> Checked<u16> {
    if days == 0 {
        return Ok(model
            .experience
            .as_ref()
            .map_or(0, |experience| experience.window_days));
    }
    let wrong = || {
        vec![Violation::new(
            Reason::Malformed,
            "window_days",
            "must be from 1 to 3660",
        )]
    };
    if WINDOW_DAYS.contains(&days) {
        u16::try_from(days).map_err(|_| wrong())
    } else {
        Err(wrong())
    }
}

fn nothing_measured() -> Violation {
    let rule = "the model measures nothing: it has no section `experience`";
    Violation::new(Reason::NotDeclared, "subject", rule)
}

/// Takes out of a customer's metrics what a purpose may not see.
fn withhold(metrics: &mut v1::ExperienceMetrics, view: View<'_>) -> Vec<Withheld> {
    let mut withheld = Vec::new();
    let mut hidden = |there: bool, name: &str| {
        let hidden = view.withholds_experience(name);
        let is_hidden = hidden.is_some();
        withheld.extend(hidden.filter(|_| there));
        is_hidden
    };
    macro_rules! hide {
        ($($field:ident),*) => {
            [$((stringify!($field), {
                if hidden(metrics.$field.is_some(), stringify!($field)) {
                    metrics.$field = None;
                }
            }).0),*]
        };
    }
    let names = hide!(
        nps,
        csat,
        ces,
        rfm,
        lifetime_value,
        churn,
        contact_rate,
        first_contact_resolution,
        promises
    );
    debug_assert_eq!(names, METRICS, "each metric is one that a purpose may name");
    if metrics.lifetime_value.is_none() && metrics.churn.is_none() {
        metrics.models = None;
    }
    withheld
}

/// What all metrics of an answer have in common.
struct Page<'a> {
    experience: &'a Experience,
    today: Day,
    /// In days.
    window: u16,
    partial: &'a std::collections::BTreeSet<Part>,
}

impl Page<'_> {
    /// The first day that counts.
    fn first(&self) -> Day {
        self.today.saturating_sub(self.window.into())
    }

    /// What a metric over the window is.
    fn within(&self, part: Part, definition: &Definition, formula: String) -> v1::MetricBasis {
        v1::MetricBasis {
            window: format!("{}d", self.window),
            start_date: date(self.first()).to_string(),
            ..self.of_all_time(part, definition, formula)
        }
    }

    /// What a metric of all time is.
    fn of_all_time(&self, part: Part, definition: &Definition, formula: String) -> v1::MetricBasis {
        v1::MetricBasis {
            formula,
            events: definition.told(),
            window: "all".to_owned(),
            start_date: String::new(),
            end_date: date(self.today).to_string(),
            completeness: self.completeness(part).into(),
            notes: Vec::new(),
        }
    }

    fn completeness(&self, part: Part) -> v1::Completeness {
        if self.partial.contains(&part) {
            v1::Completeness::Partial
        } else {
            v1::Completeness::Complete
        }
    }
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
