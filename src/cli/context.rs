//! `context`: what is to be known of a customer now.

use std::process::ExitCode;

use super::client::{Client, ServerArgs, refused};
use super::key::{self, CustomerKey};
use super::output::{self, Format};
use super::preferences;
use crate::grpc::v1;

/// Tell what is to be known of a customer now, by a view of the model, as far as a purpose may see
/// it
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  customer-profile context email:ann@shop.com --view agent --purpose service
  customer-profile context email:ann@shop.com --view agent --purpose thank_you --output json")]
pub(super) struct Args {
    #[arg(help = key::HELP)]
    key: CustomerKey,

    /// Which view of the model
    #[arg(long)]
    view: String,

    /// What for, as the model declares it
    #[arg(long)]
    purpose: String,

    /// At most so many bytes; what the view allows if not given
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    max_bytes: i32,

    /// How to print the answer
    #[arg(long, value_enum, default_value_t)]
    output: Format,

    #[command(flatten)]
    server: ServerArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = Client::connect(&args.server.server, &args.server.tenant.tenant).await?;
    let request = v1::GetContextRequest {
        key: Some(args.key.into()),
        purpose: args.purpose,
        view: args.view,
        include_text: args.output == Format::Table,
        max_bytes: args.max_bytes,
        consistency: None,
    };
    let answer = client
        .contexts()
        .get_context(client.request(request)?)
        .await;
    let answer = answer.map_err(|status| refused(&status))?.into_inner();
    match args.output {
        Format::Json => output::print_json("GetContextResponse", &answer)?,
        Format::Table => output::print(&shown(&answer))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(answer: &v1::GetContextResponse) -> String {
    let text: Vec<String> = answer.text.lines().map(output::plain).collect();
    let omitted = (!answer.omitted.is_empty())
        .then(|| format!("left out for size: {}", answer.omitted.join(", ")));
    let parts = [Some(answer.profile.clone()), Some(text.join("\n")), omitted]
        .into_iter()
        .flatten();
    let parts = parts
        .filter(|part| !part.is_empty())
        .chain(preferences::withheld(&answer.withheld));
    parts.collect::<Vec<_>>().join("\n\n")
}
