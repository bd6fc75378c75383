//! `permission`: may a customer be contacted?

use std::process::ExitCode;

use super::client::{Client, ServerArgs, refused};
use super::key::{self, CustomerKey};
use super::output::{self, Format};
use crate::grpc::v1;

/// Tell whether a customer may be contacted for a purpose, by which rule, and if not, when next
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  customer-profile permission email:ann@shop.com --purpose newsletter --channel email
  customer-profile permission email:ann@shop.com --purpose service --channel phone --topic refund

The exit code is 0 where the customer may be contacted, 1 where not.")]
pub(super) struct Args {
    #[arg(help = key::HELP)]
    key: CustomerKey,

    /// What for, as the model declares it
    #[arg(long)]
    purpose: String,

    /// How, as the model declares it
    #[arg(long)]
    channel: String,

    /// Where: a value of the channel's identifier type; any that the customer has if not given
    #[arg(long, value_name = "VALUE", default_value = "")]
    contact_point: String,

    /// On which topic
    #[arg(long, default_value = "")]
    topic: String,

    /// When (RFC 3339); now if not given
    #[arg(long, value_name = "TIME", value_parser = key::instant)]
    at: Option<prost_types::Timestamp>,

    /// How to print the answer
    #[arg(long, value_enum, default_value_t)]
    output: Format,

    #[command(flatten)]
    server: ServerArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = Client::connect(&args.server.server, &args.server.tenant.tenant).await?;
    let request = v1::CheckContactPermissionRequest {
        key: Some(args.key.into()),
        purpose: args.purpose,
        channel: args.channel,
        contact_point: args.contact_point,
        topic: args.topic,
        contact_time: args.at,
        consistency: None,
    };
    let answer = client
        .preferences()
        .check_contact_permission(client.request(request)?)
        .await;
    let answer = answer.map_err(|status| refused(&status))?.into_inner();
    match args.output {
        Format::Json => output::print_json("CheckContactPermissionResponse", &answer)?,
        Format::Table => output::print(&shown(&answer))?,
    }
    let allowed = answer
        .permission
        .is_some_and(|permission| permission.allowed);
    Ok(if allowed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn shown(answer: &v1::CheckContactPermissionResponse) -> String {
    let permission = answer.permission.clone().unwrap_or_default();
    let point = permission
        .contact_point
        .map(|point| format!(", at {}", output::plain(&point.value)));
    let origin = permission
        .origin
        .map(|origin| format!(", said by {}", output::record(origin.record.as_ref())));
    let next = permission
        .next_allowed_time
        .map(|next| format!("; allowed from {} on", output::time(&next)));
    let more: String = [point, origin, next].into_iter().flatten().collect();
    format!(
        "{}: {}{more}",
        if permission.allowed { "yes" } else { "no" },
        permission.rule
    )
}
