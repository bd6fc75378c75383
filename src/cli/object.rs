//! `object`: an order, a shipment, a conversation, with all its events.

use std::process::ExitCode;

use super::client::answered;
use super::key::{self, CustomerKey};
use super::output;
use super::query::QueryArgs;
use super::{preferences, timeline};
use crate::grpc::v1;

/// Show an order, a shipment, a conversation and so on, with all its events
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  customer-profile object order 1001
  customer-profile object order 1001 --customer email:ann@shop.com   Where ids are not unique
  customer-profile object order 1001 --output json")]
pub(super) struct Args {
    /// Kind of the object, as event types name it: order, shipment, conversation
    kind: String,

    /// Id of the object in its source
    id: String,

    #[arg(long, value_name = "KEY", help = key::HELP)]
    customer: Option<CustomerKey>,

    /// Purpose of the read: only fields that it may see
    #[arg(
        long,
        value_name = "PURPOSE",
        default_value = "",
        hide_default_value = true
    )]
    purpose: String,

    #[command(flatten)]
    query: QueryArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.query.connect().await?;
    let request = v1::GetObjectRequest {
        object: Some(v1::ObjectKey {
            kind: args.kind,
            id: args.id,
        }),
        key: args.customer.map(Into::into),
        purpose: args.purpose,
        ..Default::default()
    };
    let answer = answered(client.profiles().get_object(client.request(request)?).await)?;
    args.query
        .print("GetObjectResponse", &answer, |answer| Ok(shown(answer)))
}

fn shown(answer: &v1::GetObjectResponse) -> String {
    let mut parts: Vec<String> = answer
        .object
        .iter()
        .map(|object| heading(object, &answer.profile))
        .collect();
    parts.extend(
        answer
            .object
            .iter()
            .map(|object| timeline::events(&object.events)),
    );
    parts.extend(preferences::withheld(&answer.withheld));
    parts.join("\n\n")
}

fn heading(object: &v1::Object, profile: &str) -> String {
    let named =
        |key: &v1::ObjectKey| format!("{} {}", output::plain(&key.kind), output::plain(&key.id));
    let status = if object.status.is_empty() {
        "no status"
    } else {
        &object.status
    };
    let name = object.key.as_ref().map(named).unwrap_or_default();
    let mut lines = vec![format!("{name}: {}, of {profile}", output::plain(status))];
    lines.extend((!object.fields.is_empty()).then(|| timeline::values(&object.fields)));
    let related: Vec<String> = object.related_objects.iter().map(named).collect();
    lines.extend((!related.is_empty()).then(|| format!("related: {}", related.join(", "))));
    lines.join("\n")
}
