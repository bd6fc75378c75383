//! `explain`: why a profile is as it is, and why two are one person or not.

mod pair;
mod profile;

use std::process::ExitCode;

use super::client::{Client, ServerArgs, refused};
use super::key::{self, CustomerKey};
use super::output::{self, Format};
use crate::grpc::v1::{self, match_link::Evidence, profile_key::Key};

/// Show why a customer's records are one profile and who won each field; of two, why they are one
/// person or not
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  customer-profile explain email:ann@shop.com
  customer-profile explain record:web/r000003 record:support/r000017   These two, field by field
  customer-profile explain email:ann@shop.com profiles/5f0c…           Their records most alike
  customer-profile explain email:ann@shop.com --output json            ExplainProfileResponse")]
pub(super) struct Args {
    #[arg(help = key::HELP)]
    key: CustomerKey,

    /// The other one, named in the same ways
    other: Option<CustomerKey>,

    /// How to print the answer
    #[arg(long, value_enum, default_value_t)]
    output: Format,

    #[command(flatten)]
    server: ServerArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = Client::connect(&args.server.server, &args.server.tenant.tenant).await?;
    if let Some(other) = args.other {
        let (left, right) = (side(&client, args.key).await?, side(&client, other).await?);
        let request = v1::ExplainPairRequest {
            left: Some(left),
            right: Some(right),
        };
        let answer = client
            .identity()
            .explain_pair(client.request(request)?)
            .await;
        let answer = answer.map_err(|status| refused(&status))?.into_inner();
        match args.output {
            Format::Json => output::print_json("ExplainPairResponse", &answer)?,
            Format::Table => output::print(&pair::shown(&answer))?,
        }
        return Ok(ExitCode::SUCCESS);
    }
    let request = v1::ExplainProfileRequest {
        name: client.profile_name(args.key).await?,
    };
    let answer = client
        .identity()
        .explain_profile(client.request(request)?)
        .await;
    let answer = answer.map_err(|status| refused(&status))?.into_inner();
    match args.output {
        Format::Json => output::print_json("ExplainProfileResponse", &answer)?,
        Format::Table => output::print(&profile::shown(&answer))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// A record is compared itself, anything else by the profile that it leads to.
async fn side(client: &Client, key: CustomerKey) -> anyhow::Result<v1::PairSide> {
    let side = match v1::ProfileKey::from(key.clone()).key {
        Some(Key::Record(record)) => v1::pair_side::Side::Record(record),
        Some(Key::Name(_) | Key::Identifier(_)) | None => {
            v1::pair_side::Side::Profile(client.profile_name(key).await?)
        }
    };
    Ok(v1::PairSide { side: Some(side) })
}

/// What speaks for a link, in words.
fn evidence(link: &v1::MatchLink) -> String {
    match &link.evidence {
        Some(Evidence::SharedIdentifier(shared)) => {
            let values: Vec<String> = shared
                .values
                .iter()
                .map(|value| output::plain(value))
                .collect();
            format!(
                "the same {}: {}",
                output::plain(&shared.r#type),
                values.join(", ")
            )
        }
        Some(Evidence::Score(score)) => format!("alike, {}", in_words(score)),
        Some(Evidence::Decision(name)) => format!("a person decided: {}", output::plain(name)),
        None => String::new(),
    }
}

/// How many fields of a score are told in a line; a pair has them all.
const FIELDS: usize = 4;

/// A score with its fields that count most.
fn in_words(score: &v1::MatchScore) -> String {
    let mut fields: Vec<&v1::FieldComparison> = score.fields.iter().collect();
    fields.sort_by(|a, b| b.weight_bits.abs().total_cmp(&a.weight_bits.abs()));
    let more = if fields.len() > FIELDS { ", …" } else { "" };
    let fields = fields.into_iter().take(FIELDS).map(|field| {
        format!(
            "{} {} {:+.0}",
            output::plain(&field.field),
            output::plain(&field.level),
            field.weight_bits
        )
    });
    format!(
        "{}: {}{more}",
        chance(score),
        fields.collect::<Vec<_>>().join(", ")
    )
}

/// The probability, and the evidence that it stands for.
fn chance(score: &v1::MatchScore) -> String {
    format!(
        "{:.1} % ({:+.1} bits)",
        percent(score.probability),
        score.weight_bits
    )
}

/// A probability for people: only what is certain is 0 or 100.
fn percent(probability: f64) -> f64 {
    (probability * 100.0).clamp(0.1, 99.9)
}
