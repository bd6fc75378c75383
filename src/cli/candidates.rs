//! `candidates`: pairs that wait for a person to decide.

use std::process::ExitCode;

use super::client::{Client, ServerArgs, pages, refused};
use super::key::CustomerKey;
use super::output::{self, Format};
use crate::grpc::v1;

/// Show who may be the same person: pairs of records that are alike and not in one profile,
/// strongest first
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

    /// Only pairs of less than this probability; 0 is no limit
    #[arg(long, value_name = "P", default_value_t = 0.0)]
    max: f64,

    /// At most this many pairs
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,

    /// How to print the answer
    #[arg(long, value_enum, default_value_t)]
    output: Format,

    #[command(flatten)]
    server: ServerArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = Client::connect(&args.server.server, &args.server.tenant.tenant).await?;
    let output = args.output;
    let answer = list(&client, args).await?;
    match output {
        Format::Json => output::print_json("ListMatchCandidatesResponse", &answer)?,
        Format::Table => output::print(&shown(&answer))?,
    }
    Ok(ExitCode::SUCCESS)
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
        let answer = client
            .identity()
            .list_match_candidates(client.request(request)?)
            .await;
        let answer = answer.map_err(|status| refused(&status))?.into_inner();
        Ok((answer.candidates, answer.next_page_token))
    })
    .await?;
    Ok(v1::ListMatchCandidatesResponse {
        candidates,
        next_page_token,
    })
}

/// Candidates for people.
fn shown(answer: &v1::ListMatchCandidatesResponse) -> String {
    if answer.candidates.is_empty() {
        return "nobody waits".to_owned();
    }
    let mut table = output::table(&[
        "probability",
        "one",
        "other",
        "alike in",
        "different in",
        "forbidden by",
    ]);
    for candidate in &answer.candidates {
        let score = candidate.score.clone().unwrap_or_default();
        let (alike, different): (Vec<_>, Vec<_>) = score
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
            names(&alike),
            names(&different),
            score.veto,
        ]);
    }
    let more = if answer.next_page_token.is_empty() {
        ""
    } else {
        "\n\nthere is more: see --limit"
    };
    format!("{}{more}", output::lines(&table))
}
