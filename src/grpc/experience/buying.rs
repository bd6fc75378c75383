//! What customers buy, and will, as messages.

use std::collections::BTreeMap;

use profile_core::analytics::{ChurnSignal, Horizon, RfmValues, Summary};
use profile_core::model::experience::Bought;
use profile_core::records::rollup::date;
use rust_decimal::Decimal;

use super::{Page, whole};
use crate::background::analytics::{
    Buyers, Forecast, Group, History, Part, Scales, Statistics, horizon, one_currency,
};
use crate::grpc::encode::time;
use crate::grpc::v1;

/// Amounts are kept in millionths.
const MICROS: f64 = 1e6;

/// Measures what is bought by the scales of the tenant, as far as there are some.
pub(super) struct Buying<'a> {
    page: &'a Page<'a>,
    statistics: Option<&'a Statistics>,
    horizon: Horizon,
}

impl<'a> Buying<'a> {
    pub(super) fn new(page: &'a Page<'a>, statistics: Option<&'a Statistics>) -> Self {
        Self {
            page,
            statistics,
            horizon: horizon(page.experience),
        }
    }

    fn scales(&self) -> Option<&'a Scales> {
        self.statistics.map(|statistics| &statistics.scales)
    }

    /// Sets the metrics of one customer.
    pub(super) fn customer(&self, history: &History, metrics: &mut v1::ExperienceMetrics) {
        let Some(bought) = &self.page.experience.purchases else {
            return;
        };
        let summary = history.purchases.summary(self.page.today);
        let rfm = history.purchases.rfm(self.page.today);
        let (money, several) = currency(&history.currencies);
        let customer = (summary.as_ref(), rfm);
        let scales = self.scales();
        let forecast = scales.map(|it| it.forecast(customer, money.is_some(), self.horizon));
        let forecast = forecast.unwrap_or_default();
        metrics.rfm = Some(self.rfm_of(rfm, &forecast, money, bought));
        metrics.lifetime_value = Some(self.value_of(customer, &forecast, money, bought));
        metrics.churn = Some(self.churn_of(summary.as_ref(), &forecast, bought));
        metrics.models = self.statistics.map(models);
        let counted = rfm.map_or(0, |rfm| rfm.purchases);
        self.note(
            metrics,
            history.orders.saturating_sub(counted),
            several
                .into_iter()
                .chain(history.left_out.notes())
                .collect(),
            self.statistics.is_none(),
        );
        let nothing = summary
            .and_then(|summary| summary.monetary_value)
            .is_some_and(|value| value <= 0.0);
        let basis = metrics.lifetime_value.as_mut();
        if let Some(basis) = basis
            .and_then(|value| value.basis.as_mut())
            .filter(|_| nothing)
        {
            let note = "no spend is predicted: the repeat purchases came to nothing";
            basis.notes.push(note.to_owned());
        }
    }

    /// Sets the metrics of many.
    pub(super) fn group(&self, group: &Group, metrics: &mut v1::ExperienceMetrics) {
        let Some(bought) = &self.page.experience.purchases else {
            return;
        };
        let buyers = &group.buyers;
        let (money, several) = currency(&buyers.currencies);
        metrics.rfm = Some(self.rfm_of_many(buyers, money, bought));
        metrics.lifetime_value = Some(self.value_of_many(buyers, money, bought));
        metrics.churn = Some(self.churn_of_many(buyers, bought));
        metrics.models = self.statistics.map(models);
        self.note(
            metrics,
            buyers.orders.saturating_sub(buyers.purchases),
            several.into_iter().chain(buyers.left_out.notes()).collect(),
            false,
        );
    }

    fn basis(&self, bought: &Bought, formula: &str) -> v1::MetricBasis {
        self.page
            .of_all_time(Part::Purchases, &bought.orders, formula.to_owned())
    }

    fn rfm_basis(&self, bought: &Bought) -> v1::MetricBasis {
        self.basis(
            bought,
            "days since the last purchase, number and sum of purchases as they are now, less refunds; scores by quintiles of the tenant",
        )
    }

    fn value_basis(&self, bought: &Bought) -> v1::MetricBasis {
        let Horizon {
            periods, discount, ..
        } = self.horizon;
        let formula = format!(
            "historic: sum of purchases as they are now, less refunds; predicted: purchases expected by BG/NBD times spend expected by gamma-gamma over \
             {periods} months, {discount} a month discounted"
        );
        self.basis(bought, &formula)
    }

    fn churn_basis(&self, bought: &Bought) -> v1::MetricBasis {
        self.basis(
            bought,
            "P(alive) by BG/NBD; days since the last purchase over the customer's own median gap",
        )
    }

    fn rfm_of(
        &self,
        values: Option<RfmValues>,
        forecast: &Forecast,
        money: Option<&str>,
        bought: &Bought,
    ) -> v1::RecencyFrequencyMonetary {
        let mut told = v1::RecencyFrequencyMonetary {
            basis: Some(self.rfm_basis(bought)),
            currency: money.unwrap_or_default().to_owned(),
            ..v1::RecencyFrequencyMonetary::default()
        };
        if let Some(values) = values {
            told.buyer_count = 1;
            told.days_since_last = Some(values.days_since_last.into());
            told.purchases = Some(float(values.purchases));
            told.monetary_value = money.is_some().then(|| units(values.micros));
            told.scores = forecast.scores.clone().unwrap_or_default();
        }
        told
    }

    fn rfm_of_many(
        &self,
        buyers: &Buyers,
        money: Option<&str>,
        bought: &Bought,
    ) -> v1::RecencyFrequencyMonetary {
        let mean = |sum: f64| (buyers.customers > 0).then(|| sum / float(buyers.customers));
        let [recency, frequency, monetary] = buyers.scores.map(|counts| counts.map(whole).to_vec());
        v1::RecencyFrequencyMonetary {
            basis: Some(self.rfm_basis(bought)),
            buyer_count: whole(buyers.customers),
            days_since_last: mean(float(buyers.days_since_last)),
            purchases: mean(float(buyers.purchases)),
            monetary_value: mean(units(buyers.micros)).filter(|_| money.is_some()),
            recency_score_counts: recency,
            frequency_score_counts: frequency,
            monetary_score_counts: if money.is_some() {
                monetary
            } else {
                Vec::new()
            },
            currency: money.unwrap_or_default().to_owned(),
            scores: String::new(),
        }
    }

    fn value_of(
        &self,
        (summary, rfm): (Option<&Summary>, Option<RfmValues>),
        forecast: &Forecast,
        money: Option<&str>,
        bought: &Bought,
    ) -> v1::LifetimeValue {
        let mut told = self.value(rfm.map_or(0, |rfm| rfm.micros), money, bought);
        let Some(summary) = summary else { return told };
        told.buyer_count = 1;
        told.inputs = Some(inputs(summary, money.is_some()));
        told.expected_purchases = forecast.expected_purchases;
        told.expected_spend = forecast.expected_spend;
        told.predicted = forecast.predicted;
        told
    }

    fn value_of_many(
        &self,
        buyers: &Buyers,
        money: Option<&str>,
        bought: &Bought,
    ) -> v1::LifetimeValue {
        let fitted = self
            .scales()
            .is_some_and(|scales| scales.buying.is_some() && scales.spending.is_some());
        let predicted =
            (fitted && money.is_some() && buyers.customers > 0).then_some(buyers.predicted);
        v1::LifetimeValue {
            buyer_count: whole(buyers.customers),
            predicted,
            ..self.value(buyers.micros, money, bought)
        }
    }

    /// What was bought so far.
    fn value(&self, micros: i128, money: Option<&str>, bought: &Bought) -> v1::LifetimeValue {
        v1::LifetimeValue {
            basis: Some(self.value_basis(bought)),
            historic: if money.is_some() {
                decimal(micros)
            } else {
                String::new()
            },
            currency: money.unwrap_or_default().to_owned(),
            horizon_months: self.horizon.periods.into(),
            monthly_discount: self.horizon.discount,
            ..v1::LifetimeValue::default()
        }
    }

    fn churn_of(
        &self,
        summary: Option<&Summary>,
        forecast: &Forecast,
        bought: &Bought,
    ) -> v1::ChurnSignal {
        let mut told = v1::ChurnSignal {
            basis: Some(self.churn_basis(bought)),
            ..v1::ChurnSignal::default()
        };
        if let Some(summary) = summary {
            let signal = ChurnSignal::of(summary, None);
            told.probability_alive = forecast.probability_alive;
            told.days_since_last = Some(signal.days_since_last.into());
            told.gaps_since_last = signal.gaps_since_last;
            told.median_gap_days = summary.median_gap;
            told.buyer_count = 1;
            told.inputs = Some(inputs(summary, false));
        }
        told
    }

    fn churn_of_many(&self, buyers: &Buyers, bought: &Bought) -> v1::ChurnSignal {
        let mean = |sum: f64| (buyers.customers > 0).then(|| sum / float(buyers.customers));
        let fitted = self.scales().is_some_and(|scales| scales.buying.is_some());
        v1::ChurnSignal {
            basis: Some(self.churn_basis(bought)),
            probability_alive: mean(buyers.alive).filter(|_| fitted),
            days_since_last: mean(float(buyers.days_since_last)),
            buyer_count: whole(buyers.customers),
            ..v1::ChurnSignal::default()
        }
    }

    /// Tells what is left out and what is missing, at each metric that it concerns.
    fn note(
        &self,
        metrics: &mut v1::ExperienceMetrics,
        without: u64,
        mut common: Vec<String>,
        unknown: bool,
    ) {
        if without > 0 {
            common.push(format!(
                "not counted: {without} purchases of which no amount is known"
            ));
        }
        if unknown {
            common
                .push("the models and scales of the tenant have not been computed yet".to_owned());
        }
        let bases = [
            metrics
                .rfm
                .as_mut()
                .and_then(|metric| metric.basis.as_mut()),
            metrics
                .lifetime_value
                .as_mut()
                .and_then(|metric| metric.basis.as_mut()),
            metrics
                .churn
                .as_mut()
                .and_then(|metric| metric.basis.as_mut()),
        ];
        for (place, basis) in bases.into_iter().flatten().enumerate() {
            basis.notes.extend(common.iter().cloned());
            // Scores need no models.
            if place > 0 {
                basis.notes.extend(
                    self.scales()
                        .iter()
                        .flat_map(|scales| scales.missing.iter().cloned()),
                );
            }
        }
    }
}

/// The currency of all purchases, empty where none is named; or why there is not one, so that
/// amounts do not add up.
fn currency(currencies: &BTreeMap<String, u64>) -> (Option<&str>, Option<String>) {
    match one_currency(currencies) {
        Ok(one) => (Some(one), None),
        Err(several) => (None, Some(several)),
    }
}

/// What of a customer goes into the models. Amounts of several currencies do not add up.
fn inputs(summary: &Summary, money: bool) -> v1::PurchaseSummary {
    v1::PurchaseSummary {
        frequency: i32::try_from(summary.buying.frequency()).unwrap_or(i32::MAX),
        recency_weeks: summary.buying.recency_weeks(),
        age_weeks: summary.buying.age_weeks(),
        monetary_value: summary.monetary_value.filter(|_| money),
        first_purchase_date: date(summary.first_day).to_string(),
        last_purchase_date: date(summary.last_day).to_string(),
    }
}

fn models(statistics: &Statistics) -> v1::BuyingModels {
    let scales = &statistics.scales;
    v1::BuyingModels {
        compute_time: Some(time(statistics.compute_time)),
        bg_nbd: scales.buying.map(|fit| v1::BgNbdModel {
            r: fit.model.r,
            alpha: fit.model.alpha,
            a: fit.model.a,
            b: fit.model.b,
            customer_count: whole(fit.customers),
            ln_likelihood: fit.ln_likelihood,
        }),
        gamma_gamma: scales.spending.map(|fit| v1::GammaGammaModel {
            p: fit.model.p,
            q: fit.model.q,
            v: fit.model.v,
            customer_count: whole(fit.customers),
            ln_likelihood: fit.ln_likelihood,
        }),
        notes: scales.missing.clone(),
    }
}

/// Exactly.
fn decimal(micros: i128) -> String {
    Decimal::try_from_i128_with_scale(micros, 6)
        .map_or_else(|_| String::new(), |number| number.normalize().to_string())
}

#[expect(clippy::cast_precision_loss, reason = "a mean is told as a float")]
fn units(micros: i128) -> f64 {
    micros as f64 / MICROS
}

#[expect(clippy::cast_precision_loss, reason = "a mean is told as a float")]
fn float(count: u64) -> f64 {
    count as f64
}
