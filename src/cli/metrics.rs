//! `metrics`: customer experience metrics of a customer, a segment, or all customers.

mod rows;

use std::process::ExitCode;

use clap::builder::NonEmptyStringValueParser;

use super::client::answered;
use super::key::CustomerKey;
use super::output;
use super::preferences;
use super::query::QueryArgs;
use crate::grpc::v1::{self, get_experience_metrics_request::Subject};
use rows::{Row, rows};

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
