//! `metrics`: customer experience metrics of a customer, a segment, or all customers.

use std::process::ExitCode;

use clap::builder::NonEmptyStringValueParser;

use super::client::answered;
use super::key::CustomerKey;
use super::output;
use super::preferences;
use super::query::QueryArgs;
use crate::grpc::v1::{self, get_experience_metrics_request::Subject};

/// Show experience metrics of a customer, a segment or all customers: purchases, lifetime value,
/// satisfaction, service
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  customer-profile metrics email:ann@shop.com         Of one customer
  customer-profile metrics --segment gold --days 30   Of a segment, in the last 30 days
  customer-profile metrics                            Of all customers, as of the last computation
  customer-profile metrics --refresh --output json    Computed now; GetExperienceMetricsResponse")]
pub(super) struct Args {
    /// Customer: an identifier as TYPE:VALUE (email:ann@shop.com), a source's record as
    /// record:SOURCE/KEY, or a profile as profiles/ID; default: all customers
    key: Option<CustomerKey>,

    /// Members of this segment of the model
    #[arg(long, value_name = "NAME", conflicts_with = "key", value_parser = NonEmptyStringValueParser::new())]
    segment: Option<String>,

    /// Window for surveys, contacts and promises, in days; default: that of the model
    #[arg(
        long,
        value_name = "DAYS",
        default_value_t = 0,
        hide_default_value = true
    )]
    days: i32,

    /// Compute the metrics of a segment or of all customers now
    #[arg(long, conflicts_with = "key")]
    refresh: bool,

    /// Purpose of the read: only fields that it may see, and a list of those withheld
    #[arg(long, requires = "key")]
    purpose: Option<String>,

    #[command(flatten)]
    query: QueryArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.query.connect().await?;
    let subject = match (args.key, args.segment) {
        (Some(key), _) => Subject::Customer(key.into()),
        (None, Some(segment)) => Subject::Segment(segment),
        (None, None) => Subject::Tenant(true),
    };
    let request = v1::GetExperienceMetricsRequest {
        subject: Some(subject),
        window_days: args.days,
        refresh: args.refresh,
        purpose: args.purpose.unwrap_or_default(),
        consistency: None,
    };
    // The server may have to read all customers.
    let answer = answered(
        client
            .experience()
            .get_experience_metrics(client.long_request(request)?)
            .await,
    )?;
    args.query
        .print("GetExperienceMetricsResponse", &answer, |answer| {
            Ok(shown(answer))
        })
}

/// Metrics as a table, each with its basis.
fn shown(answer: &v1::GetExperienceMetricsResponse) -> String {
    let metrics = answer.metrics.clone().unwrap_or_default();
    let mut table = output::table(&["metric", "value", "from", "window"]);
    let mut notes: Vec<String> = Vec::new();
    for Row {
        name,
        value,
        from,
        basis,
    } in rows(&metrics)
    {
        let partial = if basis.completeness() == v1::Completeness::Partial {
            ", partial"
        } else {
            ""
        };
        notes.extend(
            basis
                .notes
                .iter()
                .map(|note| format!("{name}: {}", output::plain(note))),
        );
        table.add_row([
            name.to_owned(),
            value,
            from,
            format!("{}{partial}", basis.window),
        ]);
    }
    let time = metrics
        .compute_time
        .as_ref()
        .map(output::time)
        .unwrap_or_default();
    let heading = match (answer.profile.as_str(), metrics.customer_count) {
        ("", 1) => format!("1 customer, computed at {time}"),
        ("", count) => format!("{count} customers, computed at {time}"),
        (profile, _) => format!("{profile}, computed at {time}"),
    };
    let mut parts = vec![heading, output::lines(&table)];
    parts.extend((!notes.is_empty()).then(|| notes.join("\n")));
    parts.extend(preferences::withheld(&answer.withheld));
    parts.join("\n\n")
}

/// One line of the table.
struct Row {
    name: &'static str,
    value: String,
    from: String,
    basis: v1::MetricBasis,
}

impl Row {
    fn new(
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

fn rows(metrics: &v1::ExperienceMetrics) -> Vec<Row> {
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
