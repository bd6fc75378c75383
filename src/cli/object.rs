//! `object`: an order, a shipment, a conversation, with its whole course.

use std::process::ExitCode;

use super::client::{Client, ServerArgs, refused};
use super::key::{self, CustomerKey};
use super::output::{self, Format};
use super::{preferences, timeline};
use crate::grpc::v1;

/// Show an order, a shipment, a conversation and so on, with its whole course
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  customer-profile object order 1001
  customer-profile object order 1001 --customer email:ann@shop.com   Where ids are not unique
  customer-profile object order 1001 --output json")]
pub(super) struct Args {
    /// What it is, as an event type names it: order, shipment, conversation
    kind: String,

    /// The source's own id of it
    id: String,

    #[arg(long, value_name = "KEY", help = key::HELP)]
    customer: Option<CustomerKey>,

    /// What for: only what this purpose may see
    #[arg(
        long,
        value_name = "PURPOSE",
        default_value = "",
        hide_default_value = true
    )]
    purpose: String,

    /// How to print the answer
    #[arg(long, value_enum, default_value_t)]
    output: Format,

    #[command(flatten)]
    server: ServerArgs,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = Client::connect(&args.server.server, &args.server.tenant.tenant).await?;
    let request = v1::GetObjectRequest {
        object: Some(v1::ObjectKey {
            kind: args.kind,
            id: args.id,
        }),
        key: args.customer.map(Into::into),
        purpose: args.purpose,
        ..Default::default()
    };
    let answer = client.profiles().get_object(client.request(request)?).await;
    let answer = answer.map_err(|status| refused(&status))?.into_inner();
    match args.output {
        Format::Json => output::print_json("GetObjectResponse", &answer)?,
        Format::Table => output::print(&shown(&answer))?,
    }
    Ok(ExitCode::SUCCESS)
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
    lines.extend((!related.is_empty()).then(|| format!("with {}", related.join(", "))));
    lines.join("\n")
}
