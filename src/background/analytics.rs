//! Metrics of all customers of a tenant, and the models by which one customer is measured.
//!
//! A customer's own metrics follow from the profile ([`History`]) and from scales that only the
//! population has: who buys often is told by how often others do. So all customers are gone through
//! once in a while, in pages and without the write turn, and what comes of it is kept as one
//! document: [`Statistics`]. It is of no one state of the data: what is written meanwhile may be in
//! it or not, and a customer who is merged meanwhile may be counted in part. It tells when it was
//! computed.
//!
//! What is remembered of each customer who bought is some 100 bytes until all have been seen; of
//! the others nothing.

mod forecast;
mod population;

use std::sync::Arc;
use std::time::{Duration, Instant};

use profile_core::analytics::Day;
use profile_core::model::{Experience, Model};
use profile_core::profile::{Derived, Profile, fold};
use profile_core::records::rollup::Calendar;
use profile_core::records::{TenantId, Timestamp, Value};
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;
use tokio::sync::Mutex;

pub use forecast::Forecast;
pub use population::{Buyers, Group, PopulationBuilder, Scales, Statistics, horizon};
pub use profile_core::profile::{History, LeftOut, Part, one_currency};

use crate::active_models::ActiveModels;
use crate::background::{self, Job, Part as Progress};
use crate::clock::Clock;
use crate::compute::{self, Class};
use crate::store::{Error, Result, Store};
use crate::telemetry::Metrics;
use crate::telemetry::metrics::Job as Work;

/// How many profiles are read at once.
const PAGE: usize = 500;
/// A page takes so many times its own time, unless a caller waits.
const PAUSE_SHARE: u32 = 1;
/// It is looked at least so often whether statistics are due.
const LOOK: Duration = Duration::from_mins(1);
/// What was read of the store is taken for what is kept there for so long.
const KNOWN_FOR: Duration = Duration::from_secs(5);
/// Of so many tenants.
const KNOWN_TENANTS: u64 = 1_000;

/// Computes statistics, keeps them and knows them.
#[derive(Clone)]
pub struct AnalyticsRefresher {
    store: Arc<dyn Store>,
    models: Arc<ActiveModels>,
    clock: Arc<dyn Clock>,
    /// Held by the one computation of this process: it is work for a core.
    turn: Arc<Mutex<()>>,
    known: moka::future::Cache<TenantId, Option<Arc<Statistics>>>,
}

/// The day on a model's calendar.
#[must_use]
pub fn day_of(model: &Model, time: Timestamp) -> Day {
    Calendar::of(&model.time_zone).day(time)
}

impl AnalyticsRefresher {
    /// Knows nothing yet.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, models: Arc<ActiveModels>, clock: Arc<dyn Clock>) -> Self {
        let known = moka::future::Cache::builder()
            .max_capacity(KNOWN_TENANTS)
            .time_to_live(KNOWN_FOR)
            .build();
        Self {
            store,
            models,
            clock,
            turn: Arc::default(),
            known,
        }
    }

    /// Looks after all tenants, for ever.
    pub async fn run(self, metrics: Arc<Metrics>, interval: Duration) {
        let store = self.store.clone();
        background::run(
            store,
            metrics,
            Measuring {
                statistician: self,
                interval,
            },
            interval.min(LOOK),
        )
        .await;
    }

    /// The statistics that were computed last, of what this model measures; none: there are none
    /// yet. They may be some seconds older than those that another server has kept.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn known(&self, tenant: &TenantId, model: &Model) -> Result<Option<Arc<Statistics>>> {
        let load = async {
            let body = self.store.statistics(tenant).await?;
            // One of another version's form is as good as none.
            Ok::<_, Error>(
                body.and_then(|body| serde_json::from_str(&body).ok())
                    .map(Arc::new),
            )
        };
        let found = self
            .known
            .try_get_with_by_ref(tenant, load)
            .await
            .map_err(|error| Error::clone(&error))?;
        Ok(found.filter(|statistics| statistics.measured == model.measured()))
    }

    /// Those statistics; where there are none they are computed. `anew`: also where there are some,
    /// unless that was done while waiting for others who asked for it.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn current(
        &self,
        tenant: &TenantId,
        model: &Model,
        anew: bool,
    ) -> Result<Option<Arc<Statistics>>> {
        let asked = self.clock.now();
        let known = self.known(tenant, model).await?;
        if model.experience.is_none() || (known.is_some() && !anew) {
            return Ok(known);
        }
        let _turn = self.turn.lock().await;
        match self.known(tenant, model).await? {
            Some(known) if !anew || known.compute_time > asked => Ok(Some(known)),
            _ => self.compute_now(tenant, Class::Call).await,
        }
    }

    async fn compute(&self, tenant: &TenantId) -> Result<()> {
        let _turn = self.turn.lock().await;
        self.compute_now(tenant, Class::Background).await.map(drop)
    }

    /// Goes through all customers. None: nothing is measured.
    async fn compute_now(
        &self,
        tenant: &TenantId,
        class: Class,
    ) -> Result<Option<Arc<Statistics>>> {
        let model = self.models.of(tenant).await?.model.clone();
        let Some(experience) = model.experience.clone() else {
            return Ok(None);
        };
        let now = self.clock.now();
        let mut seen = Seen::new(experience, model.clone(), now);
        let mut after = None;
        loop {
            let began = Instant::now();
            let ids = self.store.list_profiles(tenant, after, PAGE).await?;
            let found = self.store.profiles(tenant, &ids).await?.value;
            // Who was merged meanwhile is counted where they are now, or was.
            let present = ids
                .iter()
                .zip(found)
                .filter_map(|(id, stored)| stored.filter(|stored| stored.id == *id));
            let present: Vec<_> = present.collect();
            let work = move || {
                for stored in present {
                    seen.customer(stored);
                }
                seen
            };
            seen = compute::run(class, None, work)
                .await
                .map_err(|error| Error::Internal(error.to_string()))?;
            if class == Class::Background {
                tokio::time::sleep(began.elapsed() * PAUSE_SHARE).await;
            }
            match ids.last() {
                Some(last) if ids.len() == PAGE => after = Some(*last),
                _ => break,
            }
        }
        let statistics = seen.finish(model.measured()).await?;
        let body = serde_json::to_string(&*statistics)
            .map_err(|error| Error::Internal(error.to_string()))?;
        self.store.keep_statistics(tenant, &body).await?;
        self.known
            .insert(tenant.clone(), Some(statistics.clone()))
            .await;
        Ok(Some(statistics))
    }
}

/// Scores and predictions of one customer, from all customers, by their name in views.
#[must_use]
pub fn predictions(
    profile: &Profile,
    (model, now): (&Model, Timestamp),
    statistics: &Statistics,
) -> Vec<(&'static str, Value)> {
    let Some(experience) = &model.experience else {
        return Vec::new();
    };
    let today = day_of(model, now);
    let history = History::of(profile, experience, today);
    let has_one_currency = one_currency(&history.currencies).is_ok();
    let summary = history.purchases.summary(today);
    let bought = (summary.as_ref(), history.purchases.rfm(today));
    let scales = &statistics.scales;
    let forecast = scales.forecast(bought, has_one_currency, horizon(experience));
    let named = [
        ("rfm.scores", forecast.scores.map(Value::String)),
        (
            "churn.probability_alive",
            forecast.probability_alive.and_then(number),
        ),
        (
            "lifetime_value.expected_purchases",
            forecast.expected_purchases.and_then(number),
        ),
        (
            "lifetime_value.expected_spend",
            forecast.expected_spend.and_then(number),
        ),
        (
            "lifetime_value.predicted",
            forecast.predicted.and_then(number),
        ),
    ];
    let known = named.into_iter();
    known
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// Number of digits after the point with which predictions are given.
const DIGITS: u32 = 6;

fn number(value: f64) -> Option<Value> {
    let value = Decimal::from_f64(value)?;
    Some(Value::Decimal(value.round_dp(DIGITS).normalize()))
}

/// The pass over all tenants.
struct Measuring {
    statistician: AnalyticsRefresher,
    interval: Duration,
}

#[tonic::async_trait]
impl Job for Measuring {
    const JOB: Work = Work::Statistics;

    /// All of a tenant's customers, in pages with pauses between.
    async fn part(&mut self, tenant: &TenantId) -> Result<Progress> {
        let model = self.statistician.models.of(tenant).await?.model.clone();
        if model.experience.is_none() {
            return Ok(Progress::Done);
        }
        let now = self.statistician.clock.now().as_micros();
        let fresh = |statistics: &Arc<Statistics>| {
            let age = now.saturating_sub(statistics.compute_time.as_micros());
            u128::try_from(age).is_ok_and(|age| age < self.interval.as_micros())
        };
        if !self
            .statistician
            .known(tenant, &model)
            .await?
            .as_ref()
            .is_some_and(fresh)
        {
            self.statistician.compute(tenant).await?;
        }
        Ok(Progress::Done)
    }
}

/// The customers that were seen.
struct Seen {
    census: PopulationBuilder,
    experience: Experience,
    model: Arc<Model>,
    now: Timestamp,
    day: Day,
}

impl Seen {
    fn new(experience: Experience, model: Arc<Model>, now: Timestamp) -> Self {
        let day = day_of(&model, now);
        let census = PopulationBuilder::new(&experience, model.segments.keys().cloned(), day);
        Self {
            census,
            experience,
            model,
            now,
            day,
        }
    }

    fn customer(&mut self, stored: profile_core::profile::StoredProfile) {
        let profile = fold(stored, &self.model);
        let derived = Derived::of(&profile, &self.model, self.now);
        self.census.add(
            &History::of(&profile, &self.experience, self.day),
            &derived.segments,
        );
    }

    /// The models are fitted beside the threads that answer.
    async fn finish(self, measured: String) -> Result<Arc<Statistics>> {
        let Self { census, now, .. } = self;
        let finished =
            tokio::task::spawn_blocking(move || Arc::new(census.finish(measured, now))).await;
        finished.map_err(|panic| Error::Internal(format!("statistics: {panic}")))
    }
}
