//! `context`: one view of a customer, for a purpose.

use std::process::ExitCode;

use super::client::answered;
use super::key::{self, CustomerKey};
use super::output::{self, Format};
use super::preferences;
use super::query::QueryArgs;
use crate::grpc::v1;

/// Show a view of a customer that the model declares, as far as a purpose may see it
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  customer-profile context email:ann@shop.com --view agent --purpose service
  customer-profile context email:ann@shop.com --view agent --purpose thank_you --output json")]
pub(super) struct Args {
    #[arg(help = key::HELP)]
    key: CustomerKey,

    /// Name of the view in the model
    #[arg(long)]
    view: String,

    /// Name of the purpose in the model
    #[arg(long)]
    purpose: String,

    /// Maximum size in bytes; 0 means the maximum of the view
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    max_bytes: i32,

    #[command(flatten)]
    query: QueryArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.query.connect().await?;
    let request = v1::GetContextRequest {
        key: Some(args.key.into()),
        purpose: args.purpose,
        view: args.view,
        include_text: args.query.output == Format::Table,
        max_bytes: args.max_bytes,
        consistency: None,
    };
    let answer = answered(
        client
            .contexts()
            .get_context(client.request(request)?)
            .await,
    )?;
    args.query
        .print("GetContextResponse", &answer, |answer| Ok(shown(answer)))
}

fn shown(answer: &v1::GetContextResponse) -> String {
    let text: Vec<String> = answer.text.lines().map(output::plain).collect();
    let omitted = (!answer.omitted.is_empty())
        .then(|| format!("omitted for size: {}", answer.omitted.join(", ")));
    let parts = [Some(answer.profile.clone()), Some(text.join("\n")), omitted]
        .into_iter()
        .flatten();
    let parts = parts
        .filter(|part| !part.is_empty())
        .chain(preferences::withheld(&answer.withheld));
    parts.collect::<Vec<_>>().join("\n\n")
}
