//! `explain`: the evidence behind a profile, and behind a pair.

mod pair;
mod profile;

use std::process::ExitCode;

use super::client::{Client, answered};
use super::key::{self, CustomerKey};
use super::output;
use super::query::QueryArgs;
use crate::grpc::v1::{self, match_link::Evidence, profile_key::Key};

/// Explain why records are one profile and which source won each field; of two customers, why they
/// are one person or not
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  customer-profile explain email:ann@shop.com
  customer-profile explain record:web/r000003 record:support/r000017   These two, field by field
  customer-profile explain email:ann@shop.com profiles/5f0c…           Their records most alike
  customer-profile explain email:ann@shop.com --output json            ExplainProfileResponse")]
pub(super) struct Args {
    #[arg(help = key::HELP)]
    key: CustomerKey,

    /// Another customer to compare with, named in the same ways
    other: Option<CustomerKey>,

    #[command(flatten)]
    query: QueryArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.query.connect().await?;
    if let Some(other) = args.other {
        let (left, right) = (side(&client, args.key).await?, side(&client, other).await?);
        let request = v1::ExplainPairRequest {
            left: Some(left),
            right: Some(right),
        };
        let answer = answered(
            client
                .identity()
                .explain_pair(client.request(request)?)
                .await,
        )?;
        let show = |answer: &_| Ok(pair::shown(answer));
        return args.query.print("ExplainPairResponse", &answer, show);
    }
    let request = v1::ExplainProfileRequest {
        name: client.profile_name(args.key).await?,
    };
    let answer = answered(
        client
            .identity()
            .explain_profile(client.request(request)?)
            .await,
    )?;
    args.query
        .print("ExplainProfileResponse", &answer, |answer| {
            Ok(profile::shown(answer))
        })
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

/// The evidence for a link, in words.
fn evidence(link: &v1::MatchLink) -> String {
    match &link.evidence {
        Some(Evidence::SharedIdentifier(shared)) => {
            let values: Vec<String> = shared
                .values
                .iter()
                .map(|value| output::plain(value))
                .collect();
            let when = if shared.former {
                "a former"
            } else {
                "the same"
            };
            format!(
                "{when} {}: {}",
                output::plain(&shared.r#type),
                values.join(", ")
            )
        }
        Some(Evidence::Score(score)) => format!("match, {}", in_words(score)),
        Some(Evidence::Decision(name)) => format!("decision {}", output::plain(name)),
        None => String::new(),
    }
}

/// Maximum number of fields of a score in one line. A pair shows all of them.
const FIELDS: usize = 4;

/// A score with its most important fields.
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

/// The probability and the match weight.
fn chance(score: &v1::MatchScore) -> String {
    format!(
        "{:.1} % ({:+.1} bits)",
        percent(score.probability),
        score.weight_bits
    )
}

/// A probability in percent. Only a certain one is 0 or 100.
fn percent(probability: f64) -> f64 {
    (probability * 100.0).clamp(0.1, 99.9)
}
