//! `permission`: whether a customer may be contacted.

use std::process::ExitCode;

use super::client::answered;
use super::key::{self, CustomerKey};
use super::output;
use super::query::QueryArgs;
use crate::grpc::v1;

/// Check whether a customer may be contacted for a purpose, by which rule, and if not, when next
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  customer-profile permission email:ann@shop.com --purpose newsletter --channel email
  customer-profile permission email:ann@shop.com --purpose service --channel phone --topic refund

The exit code is 0 if the customer may be contacted, 1 if not.")]
pub(super) struct Args {
    #[arg(help = key::HELP)]
    key: CustomerKey,

    /// Name of the purpose in the model
    #[arg(long)]
    purpose: String,

    /// Name of the channel in the model
    #[arg(long)]
    channel: String,

    /// Value of the channel's identifier type; default: any that the customer has
    #[arg(long, value_name = "VALUE", default_value = "")]
    contact_point: String,

    /// Topic of the message
    #[arg(long, default_value = "")]
    topic: String,

    /// Time of the contact (RFC 3339); default: now
    #[arg(long, value_name = "TIME", value_parser = key::instant)]
    at: Option<prost_types::Timestamp>,

    #[command(flatten)]
    query: QueryArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.query.connect().await?;
    let request = v1::CheckContactPermissionRequest {
        key: Some(args.key.into()),
        purpose: args.purpose,
        channel: args.channel,
        contact_point: args.contact_point,
        topic: args.topic,
        contact_time: args.at,
        consistency: None,
    };
    let answer = answered(
        client
            .preferences()
            .check_contact_permission(client.request(request)?)
            .await,
    )?;
    args.query
        .print("CheckContactPermissionResponse", &answer, |answer| {
            Ok(shown(answer))
        })?;
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
        .map(|point| format!(", at {}", output::plain(output::written(&point))));
    let origin = permission
        .origin
        .map(|origin| format!(", stated by {}", output::record(origin.record.as_ref())));
    let next = permission
        .next_allowed_time
        .map(|next| format!("; allowed from {}", output::time(&next)));
    let more: String = [point, origin, next].into_iter().flatten().collect();
    format!(
        "{}: {}{more}",
        if permission.allowed { "yes" } else { "no" },
        permission.rule
    )
}
