//! The rows of the table of metrics.

use crate::grpc::v1;

/// One line of the table.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) from: String,
    pub(super) basis: v1::MetricBasis,
}

impl Row {
    pub(super) fn new(
        name: &'static str,
        value: String,
        from: String,
        basis: Option<v1::MetricBasis>,
    ) -> Self {
        Self {
            name,
            value,
            from,
            basis: basis.unwrap_or_default(),
        }
    }
}

pub(super) fn rows(metrics: &v1::ExperienceMetrics) -> Vec<Row> {
    surveys(metrics)
        .into_iter()
        .chain(service(metrics))
        .chain(purchases(metrics.clone()))
        .collect()
}

fn surveys(metrics: &v1::ExperienceMetrics) -> Vec<Row> {
    let mut rows = Vec::new();
    if let Some(nps) = &metrics.nps {
        let (up, middle, down) = (nps.promoter_count, nps.passive_count, nps.detractor_count);
        let last = nps
            .last
            .as_ref()
            .map(|last| format!("; last {}, {} days ago", last.score, last.age_days));
        let from = format!(
            "{up} promoters, {middle} passives, {down} detractors{}",
            last.unwrap_or_default()
        );
        rows.push(Row::new("nps", number(nps.score), from, nps.basis.clone()));
    }
    if let Some(csat) = &metrics.csat {
        let from = format!(
            "{} of {} satisfied, mean {}",
            csat.satisfied_count,
            csat.response_count,
            number(csat.mean)
        );
        rows.push(Row::new(
            "csat",
            percent(csat.score),
            from,
            csat.basis.clone(),
        ));
    }
    if let Some(ces) = &metrics.ces {
        let from = format!("{} answers, from 1 to 7", ces.response_count);
        rows.push(Row::new("ces", number(ces.score), from, ces.basis.clone()));
    }
    rows
}

fn service(metrics: &v1::ExperienceMetrics) -> Vec<Row> {
    let mut rows = Vec::new();
    if let Some(rate) = &metrics.contact_rate {
        let from = format!(
            "{} contacts, {} orders",
            rate.contact_count, rate.order_count
        );
        rows.push(Row::new(
            "contacts per order",
            number(rate.ratio),
            from,
            rate.basis.clone(),
        ));
    }
    if let Some(first) = &metrics.first_contact_resolution {
        let (part, whole) = (first.resolved_count, first.contact_count);
        let from = format!(
            "{part} of {whole} contacts, {} not decided yet",
            first.undecided_count
        );
        rows.push(Row::new(
            "first-contact resolution",
            percent(first.ratio),
            from,
            first.basis.clone(),
        ));
    }
    if let Some(promises) = &metrics.promises {
        let from = format!(
            "{} of {} promises",
            promises.kept_count, promises.promise_count
        );
        rows.push(Row::new(
            "promises kept",
            percent(promises.ratio),
            from,
            promises.basis.clone(),
        ));
    }
    rows
}

fn purchases(metrics: v1::ExperienceMetrics) -> Vec<Row> {
    let mut rows = Vec::new();
    let of_many = metrics.customer_count > 1;
    if let Some(rfm) = metrics.rfm {
        let mean = if of_many { "on average " } else { "" };
        let (days, purchases) = (number(rfm.days_since_last), number(rfm.purchases));
        let from = format!(
            "{mean}{days} days, {purchases} purchases, {} {}",
            number(rfm.monetary_value),
            rfm.currency
        );
        let value = if rfm.scores.is_empty() {
            format!("{} buyers", rfm.buyer_count)
        } else {
            rfm.scores
        };
        rows.push(Row::new("rfm", value, from, rfm.basis));
    }
    if let Some(value) = metrics.lifetime_value {
        let v1::LifetimeValue {
            historic,
            currency,
            horizon_months,
            ..
        } = &value;
        let from =
            format!("{historic} {currency} so far; value is of the next {horizon_months} months");
        rows.push(Row::new(
            "lifetime value",
            number(value.predicted),
            from,
            value.basis,
        ));
    }
    if let Some(churn) = metrics.churn {
        let gaps = churn
            .gaps_since_last
            .map(|gaps| format!(", {gaps:.1} times the usual gap"));
        let from = format!(
            "{} days since the last{}",
            number(churn.days_since_last),
            gaps.unwrap_or_default()
        );
        rows.push(Row::new(
            "still buys",
            percent(churn.probability_alive),
            from,
            churn.basis,
        ));
    }
    rows
}

fn number(number: Option<f64>) -> String {
    let text = |number: f64| {
        if number.fract() == 0.0 {
            format!("{number}")
        } else {
            format!("{number:.2}")
        }
    };
    number.map_or_else(|| "-".to_owned(), text)
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.0} %", 100.0 * share))
}
