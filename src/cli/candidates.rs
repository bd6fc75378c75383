//! `candidates`: pairs of records to review.

use std::process::ExitCode;

use super::client::{Client, answered, pages};
use super::key::CustomerKey;
use super::output;
use super::query::QueryArgs;
use crate::grpc::v1;

/// List pairs of records that may be one person and are not in one profile, strongest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  customer-profile candidates
  customer-profile candidates --min 0.8 --limit 100
  customer-profile candidates --of email:ann@shop.com
  customer-profile candidates --output json           ListMatchCandidatesResponse")]
pub(super) struct Args {
    /// Only pairs with a record of this customer, named as in `get`
    #[arg(long, value_name = "KEY")]
    of: Option<CustomerKey>,

    /// Only pairs of at least this probability
    #[arg(long, value_name = "P", default_value_t = 0.0)]
    min: f64,

    /// Only pairs below this probability; 0 means no limit
    #[arg(long, value_name = "P", default_value_t = 0.0)]
    max: f64,

    /// Maximum number of pairs
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,

    #[command(flatten)]
    query: QueryArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.query.connect().await?;
    let query = args.query.clone();
    let answer = list(&client, args).await?;
    query.print("ListMatchCandidatesResponse", &answer, |answer| {
        Ok(shown(answer))
    })
}

/// Page after page up to the limit, as one answer.
async fn list(client: &Client, args: Args) -> anyhow::Result<v1::ListMatchCandidatesResponse> {
    let profile = match args.of {
        Some(key) => client.profile_name(key).await?,
        None => String::new(),
    };
    let (min_probability, max_probability) = (args.min, args.max);
    let (candidates, next_page_token) = pages(args.limit, async |page_size, page_token| {
        let profile = profile.clone();
        let request = v1::ListMatchCandidatesRequest {
            min_probability,
            max_probability,
            page_size,
            page_token,
            profile,
        };
        let answer = answered(
            client
                .identity()
                .list_match_candidates(client.request(request)?)
                .await,
        )?;
        Ok((answer.candidates, answer.next_page_token))
    })
    .await?;
    Ok(v1::ListMatchCandidatesResponse {
        candidates,
        next_page_token,
    })
}

/// Candidates as a table.
fn shown(answer: &v1::ListMatchCandidatesResponse) -> String {
    if answer.candidates.is_empty() {
        return "no candidates".to_owned();
    }
    let mut table = output::table(&[
        "probability",
        "record",
        "other record",
        "agrees in",
        "differs in",
        "vetoed by",
    ]);
    for candidate in &answer.candidates {
        let score = candidate.score.clone().unwrap_or_default();
        let (agreeing, differing): (Vec<_>, Vec<_>) = score
            .fields
            .iter()
            .partition(|field| field.weight_bits > 0.0);
        let names = |fields: &[&v1::FieldComparison]| {
            fields
                .iter()
                .map(|field| format!("{} {}", field.field, field.level))
                .collect::<Vec<_>>()
                .join(", ")
        };
        table.add_row([
            format!("{:.2}", score.probability),
            output::record(candidate.left.as_ref()),
            output::record(candidate.right.as_ref()),
            names(&agreeing),
            names(&differing),
            score.veto,
        ]);
    }
    output::page(&table, &answer.next_page_token)
}
